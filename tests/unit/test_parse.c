// SPDX-License-Identifier: GPL-2.0-only
/* Values of the command line: what each kind takes and what it refuses. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/parse.h"
#include "rules/purpose.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define check_row(row, condition) check((row)->text, condition, #condition)

static void check(const char *text, bool holds, const char *condition)
{
	if (!holds)
		fail_msg("'%s': not %s", text, condition);
}

static void prefixes_are_spelled_as_in_iproute2(void **state)
{
	static const struct {
		const char *text;
		uint8_t address[4];
		uint8_t mask[4];
	} rows[] = {
		{ "0/0", { 0 }, { 0 } },
		{ "192.0.2.1", { 192, 0, 2, 1 }, { 255, 255, 255, 255 } },
		{ "192.0.2.1/32", { 192, 0, 2, 1 }, { 255, 255, 255, 255 } },
		{ "10/8", { 10 }, { 255 } },
		{ "10", { 10 }, { 255, 255, 255, 255 } },
		{ "10.8", { 10, 8 }, { 255, 255, 255, 255 } },
		{ "100.64/10", { 100, 64 }, { 255, 192 } },
		{ "100.85.80.11/10", { 100, 64 }, { 255, 192 } },
		{ "255.255.255.255/1", { 128 }, { 128 } },
		{ "10.1.2.3/255.255.0.0", { 10, 1 }, { 255, 255 } },
		{ "1.2.3.4/0.0.0.0", { 0 }, { 0 } },
		{ "0.0.0.0", { 0 }, { 255, 255, 255, 255 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix_filter prefix;

		memset(&prefix, 0xff, sizeof(prefix));
		check_row(&rows[i], !parse_prefix(rows[i].text, &prefix));
		check_row(&rows[i], prefix.family == FLOW_AF_INET);
		check_row(&rows[i], !memcmp(&prefix.address[0], rows[i].address, 4));
		check_row(&rows[i], !memcmp(&prefix.mask[0], rows[i].mask, 4));
		check_row(&rows[i], !prefix.address[1] && !prefix.mask[3]);
	}
}

static void malformed_prefixes_are_refused(void **state)
{
	static const char *const rows[] = {
		"",	     "/",	   "/8",	 "300.1.1.1",  "1.2.3.4.5", "1.2.3.4.",
		"1..2",	     ".1",	   "1.2.3.4/",	 "1.2.3.4/33", "1.2.3/-1",  "1.2.3/+1",
		"1.2.3/ 8",  " 1.2.3.4",   "1.2.3.4 ",	 "-1.2.3.4",   "+1.2.3.4",  "01.2.3.4",
		"0x1.2.3.4", "1.2.3.4/08", "1.2.3.4/a",	 "1.2.3.4/8/", "default/8", "Default",
		"localhost", "10/255.0.1", "10/0.0.0.1", "1.2.3.256",  "1,2",	    "1.2.3.4:80",
		"::1/129",   "::g",	   "1:2::3::4",	 "::1/x",      "::1/",	    "2001:db8/32",
	};
	char huge[5000];
	struct prefix_filter prefix;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (parse_prefix(rows[i], &prefix) != -EINVAL)
			fail_msg("'%s' is taken for a prefix", rows[i]);
	}
	memset(huge, '1', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(parse_prefix(huge, &prefix), -EINVAL);
}

static void ipv6_prefixes_are_read_and_cleared_of_host_bits(void **state)
{
	static const struct {
		const char *text;
		const char *address;
		const char *mask;
	} rows[] = {
		{ "::", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "::1", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "2001:db8::/32", "2001:db8::", "ffff:ffff::" },
		{ "2001:db8::5/32", "2001:db8::", "ffff:ffff::" },
		{ "fd00:1:2:3:ff::/79", "fd00:1:2:3:fe::", "ffff:ffff:ffff:ffff:fffe::" },
		{ "::/0", "::", "::" },
		{ "::ffff:1.2.3.4/128", "::ffff:1.2.3.4",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix_filter prefix;
		uint32_t address[4], mask[4];

		assert_int_equal(inet_pton(AF_INET6, rows[i].address, address), 1);
		assert_int_equal(inet_pton(AF_INET6, rows[i].mask, mask), 1);
		assert_int_equal(parse_prefix(rows[i].text, &prefix), 0);
		assert_int_equal(prefix.family, FLOW_AF_INET6);
		assert_memory_equal(prefix.address, address, sizeof(address));
		assert_memory_equal(prefix.mask, mask, sizeof(mask));
	}
}

static void everything_is_of_either_family(void **state)
{
	static const char *const rows[] = { "default", "all", "any" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix_filter prefix;

		assert_int_equal(parse_prefix(rows[i], &prefix), 0);
		assert_int_equal(prefix.family, 0);
		assert_int_equal(prefix.mask[0] | prefix.mask[3], 0);
	}
}

static void marks_are_decimal_or_hexadecimal_with_a_mask(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint32_t value;
		uint32_t mask;
	} rows[] = {
		{ "0", 0, 0, UINT32_MAX },
		{ "51820", 0, 51820, UINT32_MAX },
		{ "0xca6c", 0, 0xca6c, UINT32_MAX },
		{ "0XCA6C", 0, 0xca6c, UINT32_MAX },
		{ "0xffffffff/0xffffffff", 0, UINT32_MAX, UINT32_MAX },
		{ "0x80000/0xff0000", 0, 0x80000, 0xff0000 },
		{ "1/0", 0, 1, 0 },
		{ "4294967296", -EINVAL, 0, 0 },
		{ "0x100000000", -EINVAL, 0, 0 },
		{ "18446744073709551617", -EINVAL, 0, 0 },
		{ "", -EINVAL, 0, 0 },
		{ "0x", -EINVAL, 0, 0 },
		{ "0x1/", -EINVAL, 0, 0 },
		{ "/0x1", -EINVAL, 0, 0 },
		{ "0x1/0x", -EINVAL, 0, 0 },
		{ "-1", -EINVAL, 0, 0 },
		{ "+1", -EINVAL, 0, 0 },
		{ "010", -EINVAL, 0, 0 },
		{ "1 ", -EINVAL, 0, 0 },
		{ "1/2/3", -EINVAL, 0, 0 },
		{ "mark", -EINVAL, 0, 0 },
		{ "ca6c", -EINVAL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mark_filter mark;

		check_row(&rows[i], parse_mark(rows[i].text, &mark) == rows[i].err);
		if (rows[i].err)
			continue;
		check_row(&rows[i], mark.value == rows[i].value);
		check_row(&rows[i], mark.mask == rows[i].mask);
	}
}

static void ports_are_one_number_or_an_ascending_range(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint16_t first;
		uint16_t last;
	} rows[] = {
		{ "0", 0, 0, 0 },
		{ "53", 0, 53, 53 },
		{ "65535", 0, 65535, 65535 },
		{ "0-65535", 0, 0, 65535 },
		{ "80-80", 0, 80, 80 },
		{ "65536", -EINVAL, 0, 0 },
		{ "5-3", -EINVAL, 0, 0 },
		{ "1-65536", -EINVAL, 0, 0 },
		{ "-5", -EINVAL, 0, 0 },
		{ "5-", -EINVAL, 0, 0 },
		{ "1-2-3", -EINVAL, 0, 0 },
		{ "domain", -EINVAL, 0, 0 },
		{ "1:2", -EINVAL, 0, 0 },
		{ "", -EINVAL, 0, 0 },
		{ "5 ", -EINVAL, 0, 0 },
		{ "5--6", -EINVAL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct port_filter ports;

		check_row(&rows[i], parse_ports(rows[i].text, &ports) == rows[i].err);
		if (rows[i].err)
			continue;
		check_row(&rows[i], ports.first == rows[i].first);
		check_row(&rows[i], ports.last == rows[i].last);
	}
}

static void protocols_are_names_or_numbers(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint8_t protocol;
	} rows[] = {
		{ "icmp", 0, 1 },     { "tcp", 0, 6 },		{ "udp", 0, 17 },
		{ "0", 0, 0 },	      { "255", 0, 255 },	{ "256", -EINVAL, 0 },
		{ "", -EINVAL, 0 },   { "nosuch", -EINVAL, 0 }, { "-1", -EINVAL, 0 },
		{ "6 ", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t protocol = 99;

		check_row(&rows[i], parse_protocol(rows[i].text, &protocol) == rows[i].err);
		check_row(&rows[i], rows[i].err || protocol == rows[i].protocol);
	}
}

static void interfaces_are_names_that_the_kernel_would_take(void **state)
{
	static const struct {
		const char *text;
		int err;
	} rows[] = {
		{ "lo", 0 },
		{ "eth0.100", 0 },
		{ "123456789012345", 0 },
		{ "a-b@c", 0 },
		{ "", -EINVAL },
		{ ".", -EINVAL },
		{ "..", -EINVAL },
		{ "a/b", -EINVAL },
		{ "a b", -EINVAL },
		{ "a\tb", -EINVAL },
		{ "a\n", -EINVAL },
		{ "a:1", -EINVAL },
		{ "1234567890123456", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[IFNAMSIZ];

		memset(name, 'x', sizeof(name));
		check_row(&rows[i], parse_interface(rows[i].text, name) == rows[i].err);
		check_row(&rows[i], rows[i].err || !strcmp(name, rows[i].text));
	}
}

static void users_are_numbers_or_names_but_not_the_invalid_uid(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint32_t uid;
	} rows[] = {
		{ "0", 0, 0 },
		{ "root", 0, 0 },
		{ "1000", 0, 1000 },
		{ "4294967294", 0, UINT32_MAX - 1 },
		{ "4294967295", -EINVAL, 0 },
		{ "4294967296", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "no such user", -EINVAL, 0 },
		{ "0-0", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t uid = 99;

		check_row(&rows[i], parse_uid(rows[i].text, &uid) == rows[i].err);
		check_row(&rows[i], rows[i].err || uid == rows[i].uid);
	}
}

static void pids_are_those_that_the_kernel_gives(void **state)
{
	uint32_t pid;

	(void)state;
	assert_int_equal(parse_pid("1", &pid), 0);
	assert_int_equal(parse_pid("4194304", &pid), 0);
	assert_int_equal(pid, 4194304);
	assert_int_equal(parse_pid("0", &pid), -EINVAL);
	assert_int_equal(parse_pid("4194305", &pid), -EINVAL);
	assert_int_equal(parse_pid("self", &pid), -EINVAL);
}

static void purposes_are_a_list_of_words(void **state)
{
	uint32_t purposes;

	(void)state;
	assert_int_equal(parse_purposes("output", &purposes), 0);
	assert_int_equal(purposes, 1u << PURPOSE_OUTPUT);
	assert_int_equal(parse_purposes("source-check,route-get,source-check", &purposes), 0);
	assert_int_equal(purposes, 1u << PURPOSE_SOURCE_CHECK | 1u << PURPOSE_ROUTE_GET);
	assert_int_equal(
		parse_purposes("other,output,input,source-check,reroute,route-get", &purposes), 0);
	assert_int_equal(purposes, (1u << PURPOSE_COUNT) - 1);
	assert_int_equal(parse_purposes("", &purposes), -EINVAL);
	assert_int_equal(parse_purposes(",", &purposes), -EINVAL);
	assert_int_equal(parse_purposes("output,", &purposes), -EINVAL);
	assert_int_equal(parse_purposes("output, input", &purposes), -EINVAL);
	assert_int_equal(parse_purposes("Output", &purposes), -EINVAL);
}

static void durations_have_units_and_do_not_overflow(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint64_t ns;
	} rows[] = {
		{ "1", 0, 1000000000 },
		{ "10s", 0, 10000000000 },
		{ "500ms", 0, 500000000 },
		{ "2m", 0, 120000000000 },
		{ "1h", 0, 3600000000000 },
		{ "9223372036s", 0, 9223372036000000000 },
		{ "9223372037s", -EINVAL, 0 },
		{ "18446744074s", -EINVAL, 0 },
		{ "99999999999999999999", -EINVAL, 0 },
		{ "0", -EINVAL, 0 },
		{ "0ms", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "1.5s", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 },
		{ "1d", -EINVAL, 0 },
		{ "10S", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },
		{ "1ss", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t ns = 0;

		check_row(&rows[i], parse_duration(rows[i].text, &ns) == rows[i].err);
		check_row(&rows[i], rows[i].err || ns == rows[i].ns);
	}
}

static void buffer_sizes_are_rounded_up_to_powers_of_two(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint64_t size;
	} rows[] = {
		{ "65536", 0, 65536 },
		{ "65537", 0, 131072 },
		{ "64k", 0, 65536 },
		{ "64K", 0, 65536 },
		{ "8M", 0, 8 << 20 },
		{ "5M", 0, 8 << 20 },
		{ "1G", 0, 1 << 30 },
		{ "1073741824", 0, 1 << 30 },
		{ "1073741825", -EINVAL, 0 },
		{ "2G", -EINVAL, 0 },
		{ "18446744073709551615G", -EINVAL, 0 },
		{ "4095", -EINVAL, 0 },
		{ "0", -EINVAL, 0 },
		{ "8MB", -EINVAL, 0 },
		{ "8T", -EINVAL, 0 },
		{ "M", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "-8M", -EINVAL, 0 },
	};
	uint64_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		check_row(&rows[i], parse_buffer_size(rows[i].text, &size) == rows[i].err);
		check_row(&rows[i], rows[i].err || size == rows[i].size);
	}
	assert_int_equal(parse_buffer_size("4096", &size), 0);
	assert_int_equal(size, sysconf(_SC_PAGESIZE));
}

static void numbers_are_read_whole_and_within_their_range(void **state)
{
	const struct number_range all = { 0, UINT64_MAX };
	const struct number_range some = { 3, 5 };
	uint64_t value;

	(void)state;
	assert_int_equal(parse_number("18446744073709551615", all, &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(parse_number("0xffffffffffffffff", all, &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(parse_number("18446744073709551616", all, &value), -EINVAL);
	assert_int_equal(parse_number("0x10000000000000000", all, &value), -EINVAL);
	assert_int_equal(parse_number("5", some, &value), 0);
	assert_int_equal(parse_number("2", some, &value), -EINVAL);
	assert_int_equal(parse_number("6", some, &value), -EINVAL);
	assert_int_equal(parse_number("5x", all, &value), -EINVAL);
	assert_int_equal(parse_number("", all, &value), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_are_spelled_as_in_iproute2),
		cmocka_unit_test(malformed_prefixes_are_refused),
		cmocka_unit_test(ipv6_prefixes_are_read_and_cleared_of_host_bits),
		cmocka_unit_test(everything_is_of_either_family),
		cmocka_unit_test(marks_are_decimal_or_hexadecimal_with_a_mask),
		cmocka_unit_test(ports_are_one_number_or_an_ascending_range),
		cmocka_unit_test(protocols_are_names_or_numbers),
		cmocka_unit_test(interfaces_are_names_that_the_kernel_would_take),
		cmocka_unit_test(users_are_numbers_or_names_but_not_the_invalid_uid),
		cmocka_unit_test(pids_are_those_that_the_kernel_gives),
		cmocka_unit_test(purposes_are_a_list_of_words),
		cmocka_unit_test(durations_have_units_and_do_not_overflow),
		cmocka_unit_test(buffer_sizes_are_rounded_up_to_powers_of_two),
		cmocka_unit_test(numbers_are_read_whole_and_within_their_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
