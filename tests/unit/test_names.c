// SPDX-License-Identifier: GPL-2.0-only
/* The names of tables, protocols and the like: the built-in ones, and those of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/names.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* A directory of one test: every file written there is removed with it. */
struct scratch {
	char root[PATH_MAX];
	char etc[PATH_MAX];
	char usr[PATH_MAX];
	char made[16][PATH_MAX];
	size_t count;
};

static void scratch_dir(struct scratch *scratch, const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(scratch->count < ARRAY_SIZE(scratch->made));
	strcpy(scratch->made[scratch->count++], path);
}

static void scratch_file(struct scratch *scratch, const char *path, const char *content)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_true(scratch->count < ARRAY_SIZE(scratch->made));
	strcpy(scratch->made[scratch->count++], path);
}

static int make_scratch(void **state)
{
	struct scratch *scratch = calloc(1, sizeof(*scratch));

	assert_non_null(scratch);
	strcpy(scratch->root, "/tmp/fibtrace-names-XXXXXX");
	assert_non_null(mkdtemp(scratch->root));
	strcpy(scratch->made[scratch->count++], scratch->root);
	strcat(strcpy(scratch->etc, scratch->root), "/etc");
	strcat(strcpy(scratch->usr, scratch->root), "/usr");
	scratch_dir(scratch, scratch->etc);
	scratch_dir(scratch, scratch->usr);
	*state = scratch;
	return 0;
}

static int remove_scratch(void **state)
{
	struct scratch *scratch = *state;

	while (scratch->count)
		assert_int_equal(remove(scratch->made[--scratch->count]), 0);
	free(scratch);
	return 0;
}

static const char *in(const char *dir, const char *name)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* The names when etc/rt_tables holds content. */
static struct names *names_of(struct scratch *scratch, const char *content)
{
	struct names *names = names_new();

	assert_non_null(names);
	scratch_file(scratch, in(scratch->etc, "rt_tables"), content);
	assert_int_equal(names_read(names, scratch->usr, scratch->etc), 0);
	return names;
}

static void builtin_names_need_no_file(void **state)
{
	struct names *names = names_new();

	(void)state;
	assert_string_equal(names_table(names, 0), "unspec");
	assert_string_equal(names_table(names, 253), "default");
	assert_string_equal(names_table(names, 254), "main");
	assert_string_equal(names_table(names, 255), "local");
	assert_null(names_table(names, 51820));
	assert_string_equal(names_route_protocol(names, 2), "kernel");
	assert_string_equal(names_route_protocol(names, 186), "bgp");
	assert_null(names_route_protocol(names, 77));
	assert_string_equal(names_realm(names, 0), "unknown");
	assert_null(names_realm(names, 65535));
	assert_null(names_dsfield(names, 0xb8));
	names_free(names);
}

static void no_names_name_nothing(void **state)
{
	uint32_t id;

	(void)state;
	assert_null(names_table(NULL, 254));
	assert_null(names_route_protocol(NULL, 2));
	assert_null(names_realm(NULL, 0));
	assert_null(names_dsfield(NULL, 0));
	assert_true(names_parse_table(NULL, "7", &id));
	assert_int_equal(id, 7);
	names_free(NULL);
}

static void missing_directories_are_no_error(void **state)
{
	struct names *names = names_new();

	(void)state;
	assert_int_equal(names_read(names, "/nonexistent/a", "/nonexistent/b"), 0);
	assert_string_equal(names_table(names, 254), "main");
	names_free(names);
}

static void tables_are_read_in_decimal_and_hexadecimal(void **state)
{
	struct names *names = names_of(*state, "# comment\n\n"
					       "100 hundred\n"
					       "  0x65\thundredone # why\n"
					       "4294967295\tlast\n"
					       "7 no-newline");

	assert_string_equal(names_table(names, 100), "hundred");
	assert_string_equal(names_table(names, 101), "hundredone");
	assert_string_equal(names_table(names, UINT32_MAX), "last");
	assert_string_equal(names_table(names, 7), "no-newline");
	names_free(names);
}

static void malformed_lines_are_left_out(void **state)
{
	struct names *names = names_of(*state, "4294967296 too-large\n"
					       "-1 negative\n"
					       "+2 signed\n"
					       "12abc letters\n"
					       "0x no-digits\n"
					       "13\n"
					       "14 # no name\n"
					       "15 esc\x1b[31m\n"
					       "name 16\n"
					       "17 good and more\n");

	for (uint32_t id = 1; id < 17; id++)
		assert_null(names_table(names, id));
	assert_null(names_table(names, UINT32_MAX));
	assert_string_equal(names_table(names, 0), "unspec");
	assert_string_equal(names_table(names, 17), "good");
	names_free(names);
}

static void the_end_of_an_overlong_line_is_not_a_line(void **state)
{
	char content[2048] = "";
	struct names *names;

	memset(content, ' ', 1022);
	strcpy(content + 1022, "300 fake\n301 real\n");
	names = names_of(*state, content);
	assert_null(names_table(names, 300));
	assert_string_equal(names_table(names, 301), "real");
	names_free(names);
}

static void later_names_take_the_place_of_earlier_ones(void **state)
{
	struct names *names = names_of(*state, "254 haupt\n9 first\n9 second\n");
	uint32_t id = 0;

	assert_string_equal(names_table(names, 254), "haupt");
	assert_string_equal(names_table(names, 9), "second");
	assert_false(names_parse_table(names, "first", &id));
	names_free(names);
}

static void many_tables_are_found_in_any_order(void **state)
{
	static char content[64 * 2000];
	struct names *names;
	char want[32];
	size_t used = 0;

	/* 7919 is prime: every id below 2000 once, scattered. */
	for (unsigned int i = 0; i < 2000; i++)
		used += snprintf(content + used, sizeof(content) - used, "%u t%u\n",
				 1000 + i * 7919 % 2000, i * 7919 % 2000);
	names = names_of(*state, content);
	for (unsigned int i = 0; i < 2000; i++) {
		snprintf(want, sizeof(want), "t%u", i);
		assert_string_equal(names_table(names, 1000 + i), want);
	}
	names_free(names);
}

static void etc_stands_in_place_of_usr(void **state)
{
	struct scratch *scratch = *state;
	struct names *names;

	scratch_file(scratch, in(scratch->usr, "rt_tables"), "10 from-usr\n11 only-usr\n");
	scratch_file(scratch, in(scratch->usr, "rt_realms"), "3 usr-realm\n");
	names = names_of(scratch, "10 from-etc\n");
	assert_string_equal(names_table(names, 10), "from-etc");
	assert_null(names_table(names, 11));
	assert_string_equal(names_realm(names, 3), "usr-realm");
	names_free(names);
}

static void conf_files_add_to_both(void **state)
{
	struct scratch *scratch = *state;
	struct names *names;

	scratch_dir(scratch, in(scratch->usr, "rt_tables.d"));
	scratch_dir(scratch, in(scratch->etc, "rt_tables.d"));
	scratch_file(scratch, in(scratch->usr, "rt_tables.d/a.conf"), "20 usr-conf\n21 usr-conf\n");
	scratch_file(scratch, in(scratch->etc, "rt_tables.d/b.conf"), "21 b-conf\n22 b-conf\n");
	scratch_file(scratch, in(scratch->etc, "rt_tables.d/c.conf"), "22 c-conf\n");
	scratch_file(scratch, in(scratch->etc, "rt_tables.d/README"), "23 not-conf\n");
	scratch_file(scratch, in(scratch->etc, "rt_tables.d/.d.conf"), "24 hidden\n");
	scratch_dir(scratch, in(scratch->etc, "rt_tables.d/a.conf"));
	names = names_of(scratch, "");
	assert_string_equal(names_table(names, 20), "usr-conf");
	assert_string_equal(names_table(names, 21), "b-conf");
	assert_string_equal(names_table(names, 22), "c-conf");
	assert_null(names_table(names, 23));
	assert_null(names_table(names, 24));
	names_free(names);
}

static void protocols_realms_and_dsfields_are_bytes(void **state)
{
	struct scratch *scratch = *state;
	struct names *names;

	scratch_file(scratch, in(scratch->etc, "rt_protos"), "77 mine\n256 beyond\n");
	scratch_file(scratch, in(scratch->etc, "rt_realms"), "0 cosmos\n1 inr\n300 beyond\n");
	scratch_file(scratch, in(scratch->etc, "rt_dsfield"),
		     "0x28\tAF11\n0xB8 EF\n0x128 beyond\n");
	names = names_of(scratch, "");
	assert_string_equal(names_route_protocol(names, 77), "mine");
	assert_string_equal(names_route_protocol(names, 0), "unspec");
	assert_string_equal(names_realm(names, 0), "cosmos");
	assert_string_equal(names_realm(names, 1), "inr");
	assert_null(names_realm(names, 300));
	assert_string_equal(names_dsfield(names, 0x28), "AF11");
	assert_string_equal(names_dsfield(names, 0xb8), "EF");
	names_free(names);
}

struct table_row {
	const char *text;
	bool good;
	uint32_t id;
};

static void tables_are_parsed_by_name_then_number(void **state)
{
	static const struct table_row rows[] = {
		{ "main", true, 254 },	    { "local", true, 255 },
		{ "vpn", true, 51820 },	    { "0x10", true, 16 },
		{ "52", true, 52 },	    { "4294967295", true, UINT32_MAX },
		{ "010", true, 8 },	    { "88", true, 1 },
		{ "4294967296", false, 0 }, { "18446744073709551617", false, 0 },
		{ "-1", false, 0 },	    { "+1", false, 0 },
		{ " 1", false, 0 },	    { "1 ", false, 0 },
		{ "", false, 0 },	    { "0x", false, 0 },
		{ "Main", false, 0 },	    { "mai", false, 0 },
	};
	struct names *names = names_of(*state, "51820 vpn\n1 88\n");
	uint32_t id;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		id = 0;
		if (names_parse_table(names, rows[i].text, &id) != rows[i].good)
			fail_msg("%s", rows[i].text);
		assert_int_equal(id, rows[i].id);
	}
	names_free(names);
}

static void ip_protocols_have_the_names_of_etc_protocols(void **state)
{
	static const struct {
		uint8_t number;
		const char *name;
	} rows[] = { { 1, "icmp" },  { 4, "ipencap" }, { 6, "tcp" },	{ 17, "udp" },
		     { 33, "dccp" }, { 47, "gre" },    { 50, "esp" },	{ 58, "ipv6-icmp" },
		     { 89, "ospf" }, { 112, "vrrp" },  { 132, "sctp" }, { 136, "udplite" } };
	uint8_t protocol;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_string_equal(protocol_name(rows[i].number), rows[i].name);
		assert_true(protocol_parse(rows[i].name, &protocol));
		assert_int_equal(protocol, rows[i].number);
	}
	assert_null(protocol_name(253));
}

static void protocols_are_parsed_strictly(void **state)
{
	static const char *const bad[] = {
		"256", "-1", "0x11", "6x", "", " 6", "udpx", "4294967302"
	};
	uint8_t protocol = 99;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (protocol_parse(bad[i], &protocol))
			fail_msg("%s", bad[i]);
	}
	assert_int_equal(protocol, 99);
	assert_true(protocol_parse("UDP", &protocol));
	assert_int_equal(protocol, 17);
	assert_true(protocol_parse("icmpv6", &protocol));
	assert_int_equal(protocol, 58);
	assert_true(protocol_parse("255", &protocol));
	assert_int_equal(protocol, 255);
	assert_true(protocol_parse("0", &protocol));
	assert_int_equal(protocol, 0);
}

static void only_transport_protocols_have_ports(void **state)
{
	static const uint8_t with_ports[] = { 6, 17, 33, 132, 136 };
	size_t found = 0;

	(void)state;
	for (unsigned int protocol = 0; protocol < 256; protocol++)
		found += protocol_has_ports(protocol);
	assert_int_equal(found, ARRAY_SIZE(with_ports));
	for (size_t i = 0; i < ARRAY_SIZE(with_ports); i++)
		assert_true(protocol_has_ports(with_ports[i]));
}

static void route_types_and_errors_have_names(void **state)
{
	(void)state;
	assert_string_equal(route_type_name(RTN_UNICAST), "unicast");
	assert_string_equal(route_type_name(RTN_LOCAL), "local");
	assert_string_equal(route_type_name(RTN_THROW), "throw");
	assert_null(route_type_name(12));
	assert_null(route_type_name(255));
	assert_string_equal(errno_name(ENETUNREACH), "ENETUNREACH");
	assert_string_equal(errno_name(EHOSTUNREACH), "EHOSTUNREACH");
	assert_string_equal(errno_name(EACCES), "EACCES");
	assert_null(errno_name(0));
	assert_null(errno_name(-EACCES));
	assert_null(errno_name(INT_MAX));
}

#define scratch_test(function)                                                                     \
	cmocka_unit_test_setup_teardown(function, make_scratch, remove_scratch)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(builtin_names_need_no_file),
		cmocka_unit_test(no_names_name_nothing),
		cmocka_unit_test(missing_directories_are_no_error),
		scratch_test(tables_are_read_in_decimal_and_hexadecimal),
		scratch_test(malformed_lines_are_left_out),
		scratch_test(the_end_of_an_overlong_line_is_not_a_line),
		scratch_test(later_names_take_the_place_of_earlier_ones),
		scratch_test(many_tables_are_found_in_any_order),
		scratch_test(etc_stands_in_place_of_usr),
		scratch_test(conf_files_add_to_both),
		scratch_test(protocols_realms_and_dsfields_are_bytes),
		scratch_test(tables_are_parsed_by_name_then_number),
		cmocka_unit_test(ip_protocols_have_the_names_of_etc_protocols),
		cmocka_unit_test(protocols_are_parsed_strictly),
		cmocka_unit_test(only_transport_protocols_have_ports),
		cmocka_unit_test(route_types_and_errors_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
