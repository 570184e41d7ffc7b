// SPDX-License-Identifier: GPL-2.0-only
/* Functions found by return addresses, in a made-up kallsyms file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "kallsyms.h"
#include "util/array.h"
#include "util/symbols.h"

static const char *const names[] = { "udp_sendmsg", "fib_lookup", "send4", "udp_send" };

/* Unsorted, with data, a module, lines that are none, and parts that the compiler split off. */
static const char kernel[] = "ffffffff81002000 T udp_sendmsg\n"
			     "ffffffff81001000 t before\n"
			     "ffffffff81003000 t behind\n"
			     "ffffffff81002800 D udp_sendmsg_data\n"
			     "ffffffff81004000 t fib_lookup.constprop.0\n"
			     "ffffffff81005000 t fib_lookup.isra.0.cold\n"
			     "ffffffff81006000 t fib_lookups\n"
			     "ffffffff81007000 W udp_send\n"
			     "ffffffff81007000 T udp_send_alias\n"
			     "not a line\n"
			     "\n"
			     "ffffffff8100\n"
			     "ffffffffc0001000 t send4\t[wireguard]\n"
			     "ffffffffc0002000 t bpf_prog_6deef7357e7b4530\t[bpf]";

#define BASE 0xffffffff81000000ull
#define MODULE 0xffffffffc0000000ull

static const struct {
	const char *what;
	uint64_t address;
	int name; /* index into names, -1: none */
} addresses[] = {
	{ "in a function", BASE + 0x2010, 0 },
	{ "behind a datum in it", BASE + 0x2900, 0 },
	{ "at its start: of the one before", BASE + 0x2000, -1 },
	{ "behind its first byte", BASE + 0x2001, 0 },
	{ "a call that does not return, at its end", BASE + 0x3000, 0 },
	{ "in the next function", BASE + 0x3001, -1 },
	{ "in its constant-propagated part", BASE + 0x4100, 1 },
	{ "where two parts of it meet", BASE + 0x5000, 1 },
	{ "in its cold part", BASE + 0x5100, 1 },
	{ "in one that only begins with its name", BASE + 0x6001, -1 },
	{ "in one with an alias", BASE + 0x7001, 3 },
	{ "in a module", MODULE + 0x1001, 2 },
	{ "behind the module's function", MODULE + 0x2001, -1 },
	{ "before everything", 0x1000, -1 },
	{ "nowhere", 0, -1 },
	{ "behind everything", UINT64_MAX, -1 },
};

static struct symbols *read_text(const char *text)
{
	char path[] = KALLSYMS_PATH;
	struct symbols *symbols;
	int err;

	assert_int_equal(kallsyms_write(path, text), 0);
	symbols = symbols_read(path, names, ARRAY_SIZE(names));
	err = errno;
	unlink(path);
	errno = err;
	return symbols;
}

static void addresses_are_of_the_function_they_return_into(void **state)
{
	struct symbols *symbols = read_text(kernel);

	(void)state;
	assert_non_null(symbols);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		int name = symbols_find(symbols, addresses[i].address);

		if (name != addresses[i].name)
			fail_msg("%s: %d", addresses[i].what, name);
	}
	symbols_free(symbols);
}

static void the_last_function_has_no_end(void **state)
{
	struct symbols *symbols = read_text("ffffffff81002000 T udp_sendmsg\n");

	(void)state;
	assert_non_null(symbols);
	assert_int_equal(symbols_find(symbols, BASE + 0x2001), 0);
	assert_int_equal(symbols_find(symbols, UINT64_MAX), 0);
	symbols_free(symbols);
}

static void hidden_addresses_are_not_permitted(void **state)
{
	(void)state;
	assert_null(read_text("0000000000000000 T udp_sendmsg\n0000000000000000 t behind\n"));
	assert_int_equal(errno, EPERM);
}

static void a_file_that_is_not_there_is_said(void **state)
{
	(void)state;
	assert_null(symbols_read("/nonexistent/kallsyms", names, ARRAY_SIZE(names)));
	assert_int_equal(errno, ENOENT);
}

static void a_kernel_without_these_functions_finds_none(void **state)
{
	struct symbols *symbols = read_text("ffffffff81002000 T other\n");

	(void)state;
	assert_non_null(symbols);
	assert_int_equal(symbols_find(symbols, BASE + 0x2001), -1);
	symbols_free(symbols);
	symbols_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_of_the_function_they_return_into),
		cmocka_unit_test(the_last_function_has_no_end),
		cmocka_unit_test(hidden_addresses_are_not_permitted),
		cmocka_unit_test(a_file_that_is_not_there_is_said),
		cmocka_unit_test(a_kernel_without_these_functions_finds_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
