// SPDX-License-Identifier: GPL-2.0-only
/* The filters of the command line: of different kinds all must hold, of one kind any may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/parse.h"
#include "filter/filter.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS(a, b, c, d)                                                                          \
	(const uint8_t[4])                                                                         \
	{                                                                                          \
		a, b, c, d                                                                         \
	}

enum { ICMP = 1, TCP = 6, UDP = 17 };

static uint32_t word(const uint8_t bytes[static 4])
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static struct prefix_filter prefix(const uint8_t address[static 4], const uint8_t mask[static 4])
{
	return (struct prefix_filter){
		.address = { word(address) },
		.mask = { word(mask) },
		.family = FLOW_AF_INET,
	};
}

/* A marked DNS question to 100.85.80.11 by uid 1000. */
static const struct flow_key example_key = {
	.dst = { 100, 85, 80, 11 },
	.src = { 192, 0, 2, 1 },
	.iif = 1,
	.uid = 1000,
	.mark = 0xca6c,
	.family = FLOW_AF_INET,
	.protocol = UDP,
	.sport = 4000,
	.dport = 53,
};

static const struct filter_subject example = {
	.key = &example_key,
	.iif = "lo",
	.dev = "wg0",
	.verdict = { .table = 51820, .priority = 5209, .has_priority = true },
	.purpose = 1,
	.pid = 4242,
};

static enum filter_kind rejected_by(const struct filter *filter)
{
	return filter_rejects(filter, &example);
}

static void an_empty_filter_lets_everything_pass(void **state)
{
	static const struct flow_key nothing;
	struct filter_subject subject = { .key = &nothing, .iif = "", .dev = "" };
	struct filter filter = { 0 };

	(void)state;
	assert_int_equal(rejected_by(&filter), FILTER_NONE);
	assert_int_equal(filter_rejects(&filter, &subject), FILTER_NONE);
	assert_int_equal(flow_filter_rejects(&filter.flow, &nothing, 0), FILTER_NONE);
}

static void each_kind_rejects_what_is_not_asked_for(void **state)
{
	struct filter rows[FILTER_KIND_COUNT] = {
		[FILTER_FAMILY] = { .flow = { .families = FILTER_FAMILY_INET6 } },
		[FILTER_DST] = { .flow = { .dst_count = 1 } },
		[FILTER_SRC] = { .flow = { .src_count = 1 } },
		[FILTER_PROTOCOL] = { .flow = { .protocol_count = 1, .protocol = { TCP } } },
		[FILTER_SPORT] = { .flow = { .sport_count = 1, .sport = { { 53, 53 } } } },
		[FILTER_DPORT] = { .flow = { .dport_count = 1, .dport = { { 54, 4000 } } } },
		[FILTER_MARK] = { .flow = { .mark_count = 1, .mark = { { 0, 1 << 15 } } } },
		[FILTER_UID] = { .flow = { .uid_count = 1, .uid = { 0 } } },
		[FILTER_PID] = { .flow = { .pid_count = 1, .pid = { 4243 } } },
		[FILTER_IIF] = { .iif_count = 1, .iif = { "eth0" } },
		[FILTER_OIF] = { .oif_count = 1, .oif = { "wg" } },
		[FILTER_TABLE] = { .verdict = { .table_count = 1, .table = { 52 } } },
		[FILTER_PRIORITY] = { .verdict = { .priority_count = 1, .priority = { 5208 } } },
		[FILTER_FAILED] = { .verdict = { .failed = true } },
		[FILTER_PURPOSE] = { .verdict = { .purposes = 1u << 2 | 1u << 0 } },
	};

	(void)state;
	rows[FILTER_DST].flow.dst[0] = prefix(WORDS(100, 85, 80, 12), WORDS(255, 255, 255, 255));
	rows[FILTER_SRC].flow.src[0] = prefix(WORDS(192, 0, 3, 0), WORDS(255, 255, 255, 0));
	for (unsigned int kind = FILTER_FAMILY; kind < FILTER_FINDINGS; kind++)
		assert_int_equal(rejected_by(&rows[kind]), kind);
}

static void each_kind_passes_what_any_of_its_values_holds_for(void **state)
{
	struct filter rows[] = {
		{ .flow = { .families = FILTER_FAMILY_INET } },
		{ .flow = { .families = FILTER_FAMILY_INET | FILTER_FAMILY_INET6 } },
		{ .flow = { .dst_count = 2 } },
		{ .flow = { .src_count = 1 } },
		{ .flow = { .protocol_count = 2, .protocol = { TCP, UDP } } },
		{ .flow = { .sport_count = 2, .sport = { { 1, 2 }, { 4000, 4000 } } } },
		{ .flow = { .dport_count = 1, .dport = { { 50, 53 } } } },
		{ .flow = { .mark_count = 2, .mark = { { 1, 1 }, { 0x6c, 0xff } } } },
		{ .flow = { .mark_count = 1, .mark = { { 0, 0 } } } },
		{ .flow = { .uid_count = 2, .uid = { 0, 1000 } } },
		{ .flow = { .pid_count = 2, .pid = { 1, 4242 } } },
		{ .iif_count = 2, .iif = { "eth0", "lo" } },
		{ .oif_count = 2, .oif = { "eth0", "wg0" } },
		{ .verdict = { .table_count = 2, .table = { 52, 51820 } } },
		{ .verdict = { .priority_count = 2, .priority = { 0, 5209 } } },
		{ .verdict = { .purposes = 1u << 1 } },
	};

	(void)state;
	rows[2].flow.dst[0] = prefix(WORDS(10, 0, 0, 0), WORDS(255, 0, 0, 0));
	rows[2].flow.dst[1] = prefix(WORDS(100, 64, 0, 0), WORDS(255, 192, 0, 0));
	rows[3].flow.src[0] = prefix(WORDS(0, 0, 0, 0), WORDS(0, 0, 0, 0));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rejected_by(&rows[i]) != FILTER_NONE)
			fail_msg("row %zu is rejected by %s", i,
				 filter_kind_option(rejected_by(&rows[i])));
	}
}

static void the_first_kind_that_rejects_is_named(void **state)
{
	struct filter filter = {
		.flow = { .uid_count = 1, .uid = { 1 }, .pid_count = 1, .pid = { 1 } },
		.verdict = { .failed = true, .table_count = 1 },
	};

	(void)state;
	assert_int_equal(rejected_by(&filter), FILTER_UID);
	filter.flow.uid_count = 0;
	assert_int_equal(rejected_by(&filter), FILTER_PID);
	filter.flow.pid_count = 0;
	assert_int_equal(rejected_by(&filter), FILTER_TABLE);
	filter.verdict.table_count = 0;
	assert_int_equal(rejected_by(&filter), FILTER_FAILED);
}

static void a_prefix_holds_for_its_own_family_only(void **state)
{
	struct flow_filter filter = { .dst_count = 1 };
	struct flow_key key = example_key;

	(void)state;
	filter.dst[0] = prefix(WORDS(0, 0, 0, 0), WORDS(0, 0, 0, 0));
	assert_int_equal(flow_filter_rejects(&filter, &key, 0), FILTER_NONE);
	key.family = FLOW_AF_INET6;
	assert_int_equal(flow_filter_rejects(&filter, &key, 0), FILTER_DST);
	filter.dst[0].family = FLOW_AF_INET6;
	filter.dst[0].mask[3] = UINT32_MAX;
	assert_int_equal(flow_filter_rejects(&filter, &key, 0), FILTER_NONE);
	key.dst[15] = 1;
	assert_int_equal(flow_filter_rejects(&filter, &key, 0), FILTER_DST);
}

static void a_family_is_wanted_when_every_kind_allows_it(void **state)
{
	static const struct {
		uint32_t flags;
		const char *dst[2], *src;
		uint32_t want;
	} rows[] = {
		{ .want = FILTER_FAMILIES },
		{ .flags = FILTER_FAMILY_INET6, .want = FILTER_FAMILY_INET6 },
		{ .dst = { "10.0.0.0/8" }, .want = FILTER_FAMILY_INET },
		{ .dst = { "10.0.0.0/8", "2001:db8::/32" }, .want = FILTER_FAMILIES },
		{ .dst = { "10.0.0.0/8", "2001:db8::/32" },
		  .flags = FILTER_FAMILY_INET,
		  .want = FILTER_FAMILY_INET },
		{ .dst = { "default" }, .want = FILTER_FAMILIES },
		{ .dst = { "default" }, .src = "2001:db8::1", .want = FILTER_FAMILY_INET6 },
		{ .dst = { "10.0.0.0/8" }, .src = "2001:db8::1", .want = 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow_filter filter = { .families = rows[i].flags };

		while (filter.dst_count < 2 && rows[i].dst[filter.dst_count]) {
			assert_int_equal(parse_prefix(rows[i].dst[filter.dst_count],
						      &filter.dst[filter.dst_count]),
					 0);
			filter.dst_count++;
		}
		if (rows[i].src)
			assert_int_equal(parse_prefix(rows[i].src, &filter.src[filter.src_count++]),
					 0);
		assert_int_equal(flow_filter_families(&filter), rows[i].want);
	}
}

static void ports_hold_for_protocols_with_ports_only(void **state)
{
	static const struct {
		uint8_t protocol;
		enum filter_kind want;
	} rows[] = {
		{ TCP, FILTER_NONE }, { UDP, FILTER_NONE }, { 33, FILTER_NONE },
		{ 132, FILTER_NONE }, { 136, FILTER_NONE }, { ICMP, FILTER_DPORT },
		{ 0, FILTER_DPORT },  { 47, FILTER_DPORT },
	};
	const struct flow_filter filter = { .dport_count = 1, .dport = { { 0, 65535 } } };
	struct flow_key key = example_key;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		key.protocol = rows[i].protocol;
		assert_int_equal(flow_filter_rejects(&filter, &key, 0), rows[i].want);
	}
}

static void a_pid_filter_never_holds_outside_of_a_task(void **state)
{
	const struct flow_filter filter = { .pid_count = 1, .pid = { 0 } };

	(void)state;
	assert_int_equal(flow_filter_rejects(&filter, &example_key, 0), FILTER_PID);
}

static void a_flow_of_no_socket_has_no_uid_that_could_be_asked(void **state)
{
	const struct flow_filter filter = { .uid_count = 1, .uid = { 0 } };
	struct flow_key key = example_key;

	(void)state;
	key.uid = FLOW_UID_INVALID;
	assert_int_equal(flow_filter_rejects(&filter, &key, 0), FILTER_UID);
}

static void a_mark_with_bits_outside_of_its_mask_never_holds(void **state)
{
	const struct flow_filter filter = { .mark_count = 1, .mark = { { 0x1ff, 0xff } } };
	struct flow_key key = example_key;

	(void)state;
	key.mark = 0x1ff;
	assert_int_equal(flow_filter_rejects(&filter, &key, 0), FILTER_MARK);
}

static void verdict_filters_never_hold_where_the_verdict_has_none(void **state)
{
	struct filter_subject subject = {
		.key = &example_key, .iif = "", .dev = "", .verdict = { .failed = true }
	};
	const struct filter table = { .verdict = { .table_count = 1, .table = { 0 } } };
	const struct filter priority = { .verdict = { .priority_count = 1, .priority = { 0 } } };
	const struct filter device = { .oif_count = 1, .oif = { "wg0" } };
	const struct filter failed = { .verdict = { .failed = true } };

	(void)state;
	assert_int_equal(filter_rejects(&table, &subject), FILTER_TABLE);
	assert_int_equal(filter_rejects(&priority, &subject), FILTER_PRIORITY);
	assert_int_equal(filter_rejects(&device, &subject), FILTER_OIF);
	assert_int_equal(filter_rejects(&failed, &subject), FILTER_NONE);
}

static void every_value_of_a_full_list_is_looked_at(void **state)
{
	struct filter filter = {
		.flow = { .uid_count = FILTER_MAX },
		.verdict = { .table_count = FILTER_MAX },
	};

	(void)state;
	for (uint32_t i = 0; i < FILTER_MAX; i++) {
		filter.flow.uid[i] = 1000 - (FILTER_MAX - 1) + i;
		filter.verdict.table[i] = 51820 - (FILTER_MAX - 1) + i;
	}
	assert_int_equal(rejected_by(&filter), FILTER_NONE);
}

static void every_kind_names_its_option(void **state)
{
	(void)state;
	assert_string_equal(filter_kind_option(FILTER_NONE), "");
	assert_string_equal(filter_kind_option(FILTER_FAMILY), "-4/-6");
	for (unsigned int kind = FILTER_DST; kind < FILTER_KIND_COUNT; kind++)
		assert_memory_equal(filter_kind_option(kind), "--", 2);
	assert_string_equal(filter_kind_option(FILTER_FINDINGS), "--findings");
	assert_string_equal(filter_kind_option(FILTER_KIND_COUNT), "");
}

/* --failed beside --findings is taken out of what the kernel decides: either suffices. */
static void what_is_not_asked_for_was_not_found(void **state)
{
	static const struct {
		struct filter filter;
		bool failed;
		size_t findings;
		enum filter_kind want;
	} rows[] = {
		{ { .findings = false }, false, 0, FILTER_NONE },
		{ { .findings = false }, true, 2, FILTER_NONE },
		{ { .findings = true }, false, 0, FILTER_FINDINGS },
		{ { .findings = true }, true, 0, FILTER_FINDINGS },
		{ { .findings = true }, false, 1, FILTER_NONE },
		{ { .findings = true, .or_failed = true }, false, 0, FILTER_FINDINGS },
		{ { .findings = true, .or_failed = true }, true, 0, FILTER_NONE },
		{ { .findings = true, .or_failed = true }, false, 3, FILTER_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct filter_subject subject = example;

		subject.verdict.failed = rows[i].failed;
		if (filter_rejects_found(&rows[i].filter, &subject, rows[i].findings) !=
		    rows[i].want)
			fail_msg("row %zu", i);
		/* Before it is known what is found, nothing is rejected for it. */
		assert_int_equal(filter_rejects(&rows[i].filter, &subject), FILTER_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_filter_lets_everything_pass),
		cmocka_unit_test(each_kind_rejects_what_is_not_asked_for),
		cmocka_unit_test(each_kind_passes_what_any_of_its_values_holds_for),
		cmocka_unit_test(the_first_kind_that_rejects_is_named),
		cmocka_unit_test(a_prefix_holds_for_its_own_family_only),
		cmocka_unit_test(a_family_is_wanted_when_every_kind_allows_it),
		cmocka_unit_test(ports_hold_for_protocols_with_ports_only),
		cmocka_unit_test(a_pid_filter_never_holds_outside_of_a_task),
		cmocka_unit_test(a_flow_of_no_socket_has_no_uid_that_could_be_asked),
		cmocka_unit_test(a_mark_with_bits_outside_of_its_mask_never_holds),
		cmocka_unit_test(verdict_filters_never_hold_where_the_verdict_has_none),
		cmocka_unit_test(every_value_of_a_full_list_is_looked_at),
		cmocka_unit_test(every_kind_names_its_option),
		cmocka_unit_test(what_is_not_asked_for_was_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
