// SPDX-License-Identifier: GPL-2.0-only
/* The walk over the rules: what each action, answer and suppressor leads to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rules/walk.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define RULES_MAX 8
#define NONE SIZE_MAX
#define MARK 0xca6c

/* Rules as they differ from a neutral one. */
#define LOOKUP(at, id)                                                                             \
	{                                                                                          \
		.priority = (at), .action = RULE_LOOKUP, .table = (id)                             \
	}
#define ACTION(at, what)                                                                           \
	{                                                                                          \
		.priority = (at), .action = (what)                                                 \
	}
#define GOTO(at, to)                                                                               \
	{                                                                                          \
		.priority = (at), .action = RULE_GOTO, .target = (to)                              \
	}
#define MARKED .mark = MARK, .mark_mask = UINT32_MAX
#define LENGTH(limit) .suppress_prefixlength = (limit) + 1
#define GROUP(group) .suppress_ifgroup = (group) + 1

/* What the tables of these tests answer. */
enum table {
	EMPTY = 10, /* no route */
	MISSING, /* no such table */
	THROWS,
	DEFAULT, /* prefix length 0, group 0 */
	SUBNET, /* prefix length 24, group 5 */
	HOSTLESS, /* prefix length and group not known */
	SUPPRESSED, /* known to have been suppressed, not by what */
	KEPT, /* known not to have been suppressed */
	NOT_KNOWN, /* the answer is not known */
	HOST_UNREACHABLE,
	PROHIBITED,
	BLACKHOLED,
	ODD_ERROR,
};

static const struct {
	enum ask_result result;
	struct ask_answer answer;
} answers[] = {
	[EMPTY] = { ASK_ANSWERED, { -EAGAIN, -1, -1, -1, false } },
	[MISSING] = { ASK_NO_TABLE, { 0, -1, -1, -1, false } },
	[THROWS] = { ASK_ANSWERED, { -EAGAIN, -1, -1, -1, true } },
	[DEFAULT] = { ASK_ANSWERED, { 0, 0, 0, -1, false } },
	[SUBNET] = { ASK_ANSWERED, { 0, 24, 5, -1, false } },
	[HOSTLESS] = { ASK_ANSWERED, { 0, -1, -1, -1, false } },
	[SUPPRESSED] = { ASK_ANSWERED, { 0, -1, -1, 1, false } },
	[KEPT] = { ASK_ANSWERED, { 0, -1, -1, 0, false } },
	[NOT_KNOWN] = { ASK_STOP, { 0, -1, -1, -1, false } },
	[HOST_UNREACHABLE] = { ASK_ANSWERED, { -EHOSTUNREACH, -1, -1, -1, false } },
	[PROHIBITED] = { ASK_ANSWERED, { -EACCES, -1, -1, -1, false } },
	[BLACKHOLED] = { ASK_ANSWERED, { -EINVAL, -1, -1, -1, false } },
	[ODD_ERROR] = { ASK_ANSWERED, { -ENONET, -1, -1, -1, false } },
};

/* steps: "INDEX outcome" of each with what there is to say about it, joined by ", ". */
struct row {
	const char *name;
	struct rule rules[RULES_MAX];
	const char *steps;
	int error;
	size_t rule;
	bool incomplete;
	enum suppressor suppressor; /* of the last suppressed step */
};

static struct row rows[] = {
	{ .name = "no_rules_end_unreachable", .steps = "", .error = -ENETUNREACH, .rule = NONE },
	{ .name = "first_table_with_a_route_is_chosen",
	  .rules = { LOOKUP(0, EMPTY), LOOKUP(10, SUBNET), LOOKUP(20, DEFAULT) },
	  .steps = "0 no-route, 1 chosen, 2 not-reached",
	  .rule = 1 },
	{ .name = "missing_table_and_throw_continue",
	  .rules = { LOOKUP(0, MISSING), LOOKUP(1, THROWS), LOOKUP(2, SUBNET) },
	  .steps = "0 no-table, 1 throw, 2 chosen",
	  .rule = 2 },
	{ .name = "end_of_the_rules_is_network_unreachable",
	  .rules = { LOOKUP(0, EMPTY), LOOKUP(1, MISSING) },
	  .steps = "0 no-route, 1 no-table",
	  .error = -ENETUNREACH,
	  .rule = NONE },
	{ .name = "rule_that_does_not_match_is_skipped",
	  .rules = { { .action = RULE_LOOKUP, .table = SUBNET, MARKED }, LOOKUP(1, DEFAULT) },
	  .steps = "0 skipped fwmark, 1 chosen",
	  .rule = 1 },
	{ .name = "inverted_rule_that_matches_is_skipped_by_not",
	  .rules = { { .action = RULE_LOOKUP, .table = SUBNET, .invert = true },
		     LOOKUP(1, DEFAULT) },
	  .steps = "0 skipped not, 1 chosen",
	  .rule = 1 },
	{ .name = "inverted_rule_that_does_not_match_runs",
	  .rules = { { .action = RULE_LOOKUP, .table = SUBNET, .invert = true, MARKED } },
	  .steps = "0 chosen" },
	{ .name = "rules_behind_the_end_say_whether_they_apply",
	  .rules = { LOOKUP(0, SUBNET),
		     { .priority = 1, .action = RULE_PROHIBIT, MARKED },
		     ACTION(2, RULE_BLACKHOLE) },
	  .steps = "0 chosen, 1 skipped fwmark, 2 not-reached" },
	{ .name = "unreachable_rule_ends_the_walk",
	  .rules = { ACTION(0, RULE_UNREACHABLE), LOOKUP(1, SUBNET) },
	  .steps = "0 unreachable, 1 not-reached",
	  .error = -ENETUNREACH },
	{ .name = "prohibit_rule_ends_the_walk",
	  .rules = { ACTION(0, RULE_PROHIBIT) },
	  .steps = "0 prohibit",
	  .error = -EACCES },
	{ .name = "blackhole_rule_ends_the_walk",
	  .rules = { ACTION(0, RULE_BLACKHOLE) },
	  .steps = "0 blackhole",
	  .error = -EINVAL },
	{ .name = "action_that_the_kernel_does_not_know_is_as_blackhole",
	  .rules = { ACTION(0, 77) },
	  .steps = "0 blackhole",
	  .error = -EINVAL },
	{ .name = "unreachable_route_ends_the_walk",
	  .rules = { LOOKUP(0, HOST_UNREACHABLE), LOOKUP(1, SUBNET) },
	  .steps = "0 unreachable, 1 not-reached",
	  .error = -EHOSTUNREACH },
	{ .name = "prohibit_route_ends_the_walk",
	  .rules = { LOOKUP(0, PROHIBITED) },
	  .steps = "0 prohibit",
	  .error = -EACCES },
	{ .name = "blackhole_route_ends_the_walk",
	  .rules = { LOOKUP(0, BLACKHOLED) },
	  .steps = "0 blackhole",
	  .error = -EINVAL },
	{ .name = "any_other_error_ends_the_walk",
	  .rules = { LOOKUP(0, ODD_ERROR), LOOKUP(1, SUBNET) },
	  .steps = "0 unreachable, 1 not-reached",
	  .error = -ENONET },
	{ .name = "nop_continues",
	  .rules = { ACTION(0, RULE_NOP), LOOKUP(1, SUBNET) },
	  .steps = "0 nop, 1 chosen",
	  .rule = 1 },
	{ .name = "goto_jumps_to_the_first_rule_of_its_target",
	  .rules = { GOTO(0, 20), LOOKUP(10, SUBNET), LOOKUP(20, EMPTY), LOOKUP(20, DEFAULT) },
	  .steps = "0 goto, 1 not-reached by 0, 2 no-route, 3 chosen",
	  .rule = 3 },
	{ .name = "target_of_goto_is_matched_again",
	  .rules = { GOTO(0, 20),
		     { .priority = 20, .action = RULE_LOOKUP, .table = SUBNET, MARKED },
		     LOOKUP(20, DEFAULT) },
	  .steps = "0 goto, 1 skipped fwmark, 2 chosen",
	  .rule = 2 },
	{ .name = "goto_that_does_not_match_does_not_jump",
	  .rules = { { .action = RULE_GOTO, .target = 20, MARKED },
		     LOOKUP(10, SUBNET),
		     LOOKUP(20, DEFAULT) },
	  .steps = "0 skipped fwmark, 1 chosen, 2 not-reached",
	  .rule = 1 },
	{ .name = "unresolved_goto_falls_through",
	  .rules = { GOTO(0, 15), LOOKUP(10, SUBNET), LOOKUP(20, DEFAULT) },
	  .steps = "0 goto unresolved, 1 chosen, 2 not-reached",
	  .rule = 1 },
	{ .name = "unresolved_goto_at_the_end_ends_unreachable",
	  .rules = { GOTO(5, 15) },
	  .steps = "0 goto unresolved",
	  .error = -ENETUNREACH,
	  .rule = NONE },
	{ .name = "goto_whose_target_was_added_later_jumps",
	  .rules = { { .action = RULE_GOTO, .target = 20, .unresolved = true },
		     LOOKUP(10, SUBNET),
		     LOOKUP(20, DEFAULT) },
	  .steps = "0 goto, 1 not-reached by 0, 2 chosen",
	  .rule = 2 },
	{ .name = "goto_never_jumps_backwards",
	  .rules = { LOOKUP(5, EMPTY), GOTO(10, 5), LOOKUP(20, SUBNET) },
	  .steps = "0 no-route, 1 goto unresolved, 2 chosen",
	  .rule = 2 },
	{ .name = "goto_to_its_own_priority_ends",
	  .rules = { GOTO(5, 5), GOTO(5, 5) },
	  .steps = "0 goto, 1 goto unresolved",
	  .error = -ENETUNREACH,
	  .rule = NONE },
	{ .name = "gotos_in_a_chain_are_followed",
	  .rules = { GOTO(0, 10), LOOKUP(1, SUBNET), GOTO(10, 20), LOOKUP(11, SUBNET),
		     LOOKUP(20, DEFAULT) },
	  .steps = "0 goto, 1 not-reached by 0, 2 goto, 3 not-reached by 2, 4 chosen",
	  .rule = 4 },
	{ .name = "rules_jumped_over_say_whether_they_apply",
	  .rules = { GOTO(0, 20),
		     { .priority = 1, .action = RULE_PROHIBIT, MARKED },
		     { .priority = 2, .action = RULE_LOOKUP, .table = SUBNET, .invert = true },
		     GOTO(3, 30),
		     LOOKUP(4, NOT_KNOWN),
		     LOOKUP(20, SUBNET) },
	  .steps = "0 goto, 1 skipped fwmark by 0, 2 skipped not by 0, 3 not-reached by 0, "
		   "4 not-reached by 0, 5 chosen",
	  .rule = 5 },
	{ .name = "rules_jumped_over_in_a_walk_that_stops_were_not_reached_all_the_same",
	  .rules = { GOTO(0, 20), LOOKUP(1, SUBNET), LOOKUP(20, NOT_KNOWN), LOOKUP(21, SUBNET) },
	  .steps = "0 goto, 1 not-reached by 0, 2 unknown, 3 unknown",
	  .error = -EAGAIN,
	  .rule = NONE,
	  .incomplete = true },
	{ .name = "goto_behind_the_end_jumps_over_nothing",
	  .rules = { LOOKUP(0, SUBNET), GOTO(1, 20), LOOKUP(2, SUBNET), LOOKUP(20, SUBNET) },
	  .steps = "0 chosen, 1 not-reached, 2 not-reached, 3 not-reached" },
	{ .name = "short_prefix_is_suppressed",
	  .rules = { { .action = RULE_LOOKUP, .table = DEFAULT, LENGTH(0) }, LOOKUP(1, SUBNET) },
	  .steps = "0 suppressed, 1 chosen",
	  .rule = 1,
	  .suppressor = SUPPRESSOR_PREFIXLENGTH },
	{ .name = "prefix_of_the_suppressed_length_is_suppressed",
	  .rules = { { .action = RULE_LOOKUP, .table = SUBNET, LENGTH(24) } },
	  .steps = "0 suppressed",
	  .error = -ENETUNREACH,
	  .rule = NONE,
	  .suppressor = SUPPRESSOR_PREFIXLENGTH },
	{ .name = "longer_prefix_is_not_suppressed",
	  .rules = { { .action = RULE_LOOKUP, .table = SUBNET, LENGTH(23) } },
	  .steps = "0 chosen" },
	{ .name = "route_into_the_group_is_suppressed",
	  .rules = { { .action = RULE_LOOKUP, .table = SUBNET, GROUP(5) } },
	  .steps = "0 suppressed",
	  .error = -ENETUNREACH,
	  .rule = NONE,
	  .suppressor = SUPPRESSOR_IFGROUP },
	{ .name = "group_zero_is_a_group",
	  .rules = { { .action = RULE_LOOKUP, .table = DEFAULT, GROUP(0) } },
	  .steps = "0 suppressed",
	  .error = -ENETUNREACH,
	  .rule = NONE,
	  .suppressor = SUPPRESSOR_IFGROUP },
	{ .name = "route_into_another_group_is_not_suppressed",
	  .rules = { { .action = RULE_LOOKUP, .table = SUBNET, GROUP(0) } },
	  .steps = "0 chosen" },
	{ .name = "prefix_length_suppresses_before_group",
	  .rules = { { .action = RULE_LOOKUP, .table = DEFAULT, LENGTH(0), GROUP(0) } },
	  .steps = "0 suppressed",
	  .error = -ENETUNREACH,
	  .rule = NONE,
	  .suppressor = SUPPRESSOR_PREFIXLENGTH },
	{ .name = "reject_route_is_never_suppressed",
	  .rules = { { .action = RULE_LOOKUP, .table = BLACKHOLED, LENGTH(32) } },
	  .steps = "0 blackhole",
	  .error = -EINVAL },
	{ .name = "unknown_prefix_length_without_a_suppressor_is_chosen",
	  .rules = { LOOKUP(0, HOSTLESS) },
	  .steps = "0 chosen" },
	{ .name = "unknown_prefix_length_stops_where_it_decides",
	  .rules = { { .action = RULE_LOOKUP, .table = HOSTLESS, LENGTH(0) },
		     { .priority = 1, .action = RULE_LOOKUP, .table = SUBNET, MARKED },
		     LOOKUP(1, SUBNET) },
	  .steps = "0 unknown, 1 skipped fwmark, 2 unknown",
	  .error = -EAGAIN,
	  .rule = NONE,
	  .incomplete = true },
	{ .name = "every_ipv4_prefix_is_suppressed_by_32",
	  .rules = { { .action = RULE_LOOKUP, .table = HOSTLESS, LENGTH(32) } },
	  .steps = "0 suppressed",
	  .error = -ENETUNREACH,
	  .rule = NONE,
	  .suppressor = SUPPRESSOR_PREFIXLENGTH },
	{ .name = "unknown_group_stops_where_it_decides",
	  .rules = { { .action = RULE_LOOKUP, .table = HOSTLESS, GROUP(5) } },
	  .steps = "0 unknown",
	  .error = -EAGAIN,
	  .rule = NONE,
	  .incomplete = true },
	{ .name = "what_is_known_to_be_suppressed_is_believed",
	  .rules = { { .action = RULE_LOOKUP, .table = SUPPRESSED, LENGTH(0) } },
	  .steps = "0 suppressed",
	  .error = -ENETUNREACH,
	  .rule = NONE,
	  .suppressor = SUPPRESSOR_PREFIXLENGTH },
	{ .name = "one_of_two_unknown_suppressors_is_not_guessed",
	  .rules = { { .action = RULE_LOOKUP, .table = SUPPRESSED, LENGTH(0), GROUP(5) } },
	  .steps = "0 suppressed",
	  .error = -ENETUNREACH,
	  .rule = NONE },
	{ .name = "what_is_known_not_to_be_suppressed_is_believed",
	  .rules = { { .action = RULE_LOOKUP, .table = KEPT, LENGTH(0) } },
	  .steps = "0 chosen" },
	{ .name = "answer_that_is_not_known_stops_the_walk",
	  .rules = { LOOKUP(0, EMPTY), LOOKUP(1, NOT_KNOWN), LOOKUP(2, SUBNET) },
	  .steps = "0 no-route, 1 unknown, 2 unknown",
	  .error = -EAGAIN,
	  .rule = NONE,
	  .incomplete = true },
};

struct record {
	char steps[512];
	enum suppressor suppressor;
};

/* The data of a walk is the row's record, which both callbacks share. */
static enum ask_result ask(void *data, size_t index, uint32_t table, struct ask_answer *answer)
{
	(void)data;
	(void)index;
	assert_in_range(table, EMPTY, ODD_ERROR);
	if (answers[table].result == ASK_ANSWERED)
		*answer = answers[table].answer;
	return answers[table].result;
}

static void record_step(void *data, const struct walk_step *step)
{
	enum selector_id mismatch = step->mismatch.selector;
	struct record *record = data;
	size_t used = strlen(record->steps);

	snprintf(record->steps + used, sizeof(record->steps) - used, "%s%zu %s%s%s%s",
		 used ? ", " : "", step->rule, step_outcome_name(step->outcome),
		 mismatch ? " " : "", mismatch ? selectors[mismatch].name : "",
		 step->unresolved ? " unresolved" : "");
	used = strlen(record->steps);
	if (step->jumped_by != SIZE_MAX)
		snprintf(record->steps + used, sizeof(record->steps) - used, " by %zu",
			 step->jumped_by);
	if (step->outcome == STEP_SUPPRESSED)
		record->suppressor = step->suppressor;
	else
		assert_int_equal(step->suppressor, SUPPRESSOR_NONE);
}

/* The rules of a row, without those at its end that were not given. */
static struct rule_list *list_of(const struct row *row)
{
	struct rule rules[RULES_MAX];
	size_t count = 0;

	while (count < RULES_MAX && row->rules[count].action) {
		rules[count] = row->rules[count];
		rules[count].family = AF_INET;
		/* Rows write suppressors one higher, so that 0 is none. */
		rules[count].suppress_prefixlength--;
		rules[count++].suppress_ifgroup--;
	}
	return rule_list_new(rules, count);
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct policy *policy = policy_new(1, TOS_MASKED);
	struct rule_list *list = list_of(row);
	struct flow_key key = { .family = AF_INET };
	struct record record = { 0 };
	struct walk_result result;

	assert_non_null(policy);
	assert_non_null(list);
	result = policy_walk(policy, list, &key, ask, record_step, &record);
	assert_string_equal(record.steps, row->steps);
	assert_int_equal(result.error, row->error);
	assert_int_equal(result.rule, row->rule);
	assert_int_equal(result.complete, !row->incomplete);
	assert_int_equal(record.suppressor, row->suppressor);
	result = policy_walk(policy, list, &key, ask, NULL, NULL);
	assert_int_equal(result.error, row->error);
	rule_list_put(list);
	policy_free(policy);
}

static const char *const outcome_words[STEP_OUTCOME_COUNT] = {
	"skipped",   "no-route", "no-table", "throw", "suppressed",  "chosen",	"unreachable",
	"blackhole", "prohibit", "goto",     "nop",   "not-reached", "unknown",
};

static void every_outcome_has_its_word(void **state)
{
	(void)state;
	for (int i = 0; i < STEP_OUTCOME_COUNT; i++)
		assert_string_equal(step_outcome_name(i), outcome_words[i]);
	assert_string_equal(step_outcome_name(STEP_OUTCOME_COUNT), "unknown");
}

struct tables_seen {
	uint32_t tables[RULES_MAX];
	size_t count;
};

static void record_table(void *data, const struct walk_step *step)
{
	struct tables_seen *seen = data;

	seen->tables[seen->count++] = step->table;
}

static enum ask_result no_table(void *data, size_t index, uint32_t table, struct ask_answer *answer)
{
	(void)data;
	(void)index;
	(void)table;
	(void)answer;
	return ASK_NO_TABLE;
}

static void l3mdev_rule_asks_the_table_of_the_vrf(void **state)
{
	const struct link vrf = { .index = 7, .l3mdev_table = 100, .name = "vrf1" };
	struct rule rules[2];
	struct policy *policy = policy_new(1, TOS_MASKED);
	struct flow_key key = { .family = AF_INET, .l3mdev = 7 };
	struct tables_seen seen = { 0 };
	struct rule_list *list;

	(void)state;
	rule_init(&rules[0], AF_INET);
	rules[0].l3mdev = true;
	rules[1] = rules[0];
	/* Without a VRF it matches, has no table, and the kernel takes main for it. */
	rules[1].invert = true;
	list = rule_list_new(rules, 2);
	assert_int_equal(policy_set_link(policy, &vrf), 0);
	policy_walk(policy, list, &key, no_table, record_table, &seen);
	assert_int_equal(seen.tables[0], 100);
	key.l3mdev = 0;
	seen.count = 0;
	policy_walk(policy, list, &key, no_table, record_table, &seen);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.tables[1], RT_TABLE_MAIN);
	rule_list_put(list);
	policy_free(policy);
}

/* The policy of these tests: 10.0.0.0/8 by device 3 of group 9, and 10.9.0.0/16 thrown. */
static struct policy *policy_with_routes(void)
{
	const struct link device = { .index = 3, .group = 9, .name = "eth0" };
	struct policy *policy = policy_new(1, TOS_MASKED);
	struct route_table *table;
	struct route *route = calloc(1, route_size(1));

	assert_non_null(policy);
	assert_non_null(route);
	assert_int_equal(policy_set_link(policy, &device), 0);
	table = policy_table_for_change(policy, AF_INET, 50);
	assert_non_null(table);
	*route = (struct route){ .dst = { 10 },
				 .dst_length = 8,
				 .family = AF_INET,
				 .table = 50,
				 .type = RTN_UNICAST,
				 .nexthop_count = 1 };
	route->nexthops[0] = (struct nexthop){ .dev = 3, .weight = 1 };
	assert_int_equal(route_table_add(table, route, false, false), 0);
	*route = (struct route){ .dst = { 10, 9 },
				 .dst_length = 16,
				 .family = AF_INET,
				 .table = 50,
				 .type = RTN_THROW };
	assert_int_equal(route_table_add(table, route, false, false), 0);
	free(route);
	return policy;
}

static void held_table_is_asked_for_its_longest_prefix(void **state)
{
	struct policy *policy = policy_with_routes();
	struct flow_key key = { .family = AF_INET, .dst = { 10, 1, 2, 3 } };
	struct policy_ask asked = { .policy = policy, .key = &key };
	struct ask_answer answer;

	(void)state;
	assert_int_equal(policy_ask_tables(&asked, 0, 50, &answer), ASK_ANSWERED);
	assert_int_equal(answer.error, 0);
	assert_int_equal(answer.prefix_length, 8);
	assert_int_equal(answer.group, 9);
	assert_int_equal(answer.suppressed, -1);
	assert_non_null(asked.last.route);
	policy_remove_link(policy, 3);
	assert_int_equal(policy_ask_tables(&asked, 0, 50, &answer), ASK_ANSWERED);
	assert_true(answer.group == -1);
	policy_free(policy);
}

static void table_without_a_route_tells_a_throw_from_nothing(void **state)
{
	struct policy *policy = policy_with_routes();
	struct flow_key key = { .family = AF_INET, .dst = { 10, 9, 2, 3 } };
	struct policy_ask asked = { .policy = policy, .key = &key };
	struct ask_answer answer;

	(void)state;
	assert_int_equal(policy_ask_tables(&asked, 0, 50, &answer), ASK_ANSWERED);
	assert_int_equal(answer.error, -EAGAIN);
	assert_true(answer.thrown);
	key.dst[0] = 11;
	assert_int_equal(policy_ask_tables(&asked, 0, 50, &answer), ASK_ANSWERED);
	assert_int_equal(answer.error, -EAGAIN);
	assert_false(answer.thrown);
	policy_free(policy);
}

static void table_that_is_missing_or_not_held_is_told_apart(void **state)
{
	struct policy *policy = policy_with_routes();
	struct flow_key key = { .family = AF_INET, .dst = { 10, 1, 2, 3 } };
	struct policy_ask asked = { .policy = policy, .key = &key };
	struct ask_answer answer;

	(void)state;
	assert_int_equal(policy_ask_tables(&asked, 0, 51, &answer), ASK_NO_TABLE);
	policy_set_table_unheld(policy, AF_INET, 50);
	assert_int_equal(policy_ask_tables(&asked, 0, 50, &answer), ASK_STOP);
	assert_null(asked.last.route);
	policy_free(policy);
}

/* A route of IPv6 with two nexthops, by devices of the groups 9 and second. */
static int64_t group_of_two(uint32_t second, uint8_t second_flags)
{
	const struct link devices[] = {
		{ .index = 3, .group = 9, .name = "eth0" },
		{ .index = 4, .group = second, .name = "eth1" },
	};
	struct policy *policy = policy_new(1, TOS_MASKED);
	struct flow_key key = { .family = AF_INET6, .dst = { 0xfd } };
	struct policy_ask asked = { .policy = policy, .key = &key };
	struct route *route = calloc(1, route_size(2));
	struct ask_answer answer;

	assert_non_null(route);
	*route = (struct route){ .family = AF_INET6, .type = RTN_UNICAST, .nexthop_count = 2 };
	route->nexthops[0] = (struct nexthop){ .dev = 3 };
	route->nexthops[1] = (struct nexthop){ .dev = 4, .flags = second_flags };
	policy_set_link(policy, &devices[0]);
	policy_set_link(policy, &devices[1]);
	assert_int_equal(route_table_add(policy_table_for_change(policy, AF_INET6, 50), route,
					 false, false),
			 0);
	assert_int_equal(policy_ask_tables(&asked, 0, 50, &answer), ASK_ANSWERED);
	free(route);
	policy_free(policy);
	return answer.group;
}

static void group_of_ipv6_is_that_of_whichever_nexthop(void **state)
{
	(void)state;
	assert_true(group_of_two(9, 0) == 9);
	assert_true(group_of_two(5, 0) == -1);
	assert_true(group_of_two(5, RTNH_F_DEAD) == 9);
}

int main(void)
{
	struct CMUnitTest tests[6 + ARRAY_SIZE(rows)] = {
		cmocka_unit_test(every_outcome_has_its_word),
		cmocka_unit_test(l3mdev_rule_asks_the_table_of_the_vrf),
		cmocka_unit_test(held_table_is_asked_for_its_longest_prefix),
		cmocka_unit_test(table_without_a_route_tells_a_throw_from_nothing),
		cmocka_unit_test(table_that_is_missing_or_not_held_is_told_apart),
		cmocka_unit_test(group_of_ipv6_is_that_of_whichever_nexthop),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[6 + i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
