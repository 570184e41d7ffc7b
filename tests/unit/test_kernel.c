// SPDX-License-Identifier: GPL-2.0-only
/* How kernel releases compare. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "netlink/kernel.h"
#include "util/array.h"

/* Against 6.12. */
static const struct {
	const char *release;
	bool want;
} rows[] = {
	{ "6.12.0", true }, { "6.12", true },	 { "6.12-rc1", true }, { "6.18.44", true },
	{ "7.0.0", true },  { "10.1.2", true },	 { "6.11.99", false }, { "6.1.0-18-amd64", false },
	{ "6.2", false },   { "5.15.0", false }, { "7", true },	       { "6", false },
	{ "", false },	    { "next", false },	 { "6.x", false },     { "-7.1", false },
};

static void releases_compare_by_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (release_is_at_least(rows[i].release, 6, 12) != rows[i].want)
			fail_msg("\"%s\"", rows[i].release);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(releases_compare_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
