// SPDX-License-Identifier: GPL-2.0-only
/* Explanations account for each rule once, in order, and invent nothing by a policy that changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "scene_lookup.h"
#include "trace/explain.h"
#include "trace/observe.h"
#include "util/text.h"

#define RULES_MAX 8
#define ROUTES_MAX 6

/*
 * All steps of an explained lookup, joined by ", ": "PRIORITY OUTCOME[:MISMATCH]
 * TABLE [/LENGTH of what the table has] DEVICE". "several" stands for the mismatch
 * where more than one selector refused.
 */
struct row {
	const char *name;
	struct rule rules[RULES_MAX];
	struct route_row routes[ROUTES_MAX];
	struct flow_row flow;
	const char *want;
};

#define FWMARK(value, bits) .mark = (value), .mark_mask = (bits)
#define FROM(bits, ...) .src = { .address = { __VA_ARGS__ }, .length = (bits) }
#define LOOPBACK LOCAL("127.0.0.0", 8, LO)
#define HOME LOOPBACK, VIA(254, "0.0.0.0", 0, ETH0, GATEWAY)
#define VPN ROUTE(51820, "0.0.0.0", 0, WG0)
#define TAIL ROUTE(52, TAILNET, 32, TAILSCALE0)
#define STORY                                                                                      \
	{ LOOKUP(0, 255) }, { LOOKUP(5208, 254), LENGTH(0) }, { LOOKUP(5209, 51820), NOT_MARKED }, \
		{ LOOKUP(5210, 254), FWMARK(0x80000, 0xff0000) },                                  \
		{ ACTION(5250, RULE_UNREACHABLE), FWMARK(0x80000, 0xff0000) },                     \
		{ LOOKUP(5270, 52) },                                                              \
	{                                                                                          \
		LOOKUP(32766, 254)                                                                 \
	}

static const struct row rows[] = {
	{ "what_was_skipped_stands_in_its_place",
	  { STORY },
	  { HOME, VPN, TAIL },
	  { 0 },
	  "0 no-route 255, 5208 suppressed 254 /0 eth0, 5209 chosen 51820 /0 wg0, "
	  "5210 skipped:fwmark 254 /0 eth0, 5250 skipped:fwmark 0, "
	  "5270 not-reached 52 /32 tailscale0, 32766 not-reached 254 /0 eth0" },
	{ "what_was_skipped_before_the_first_step_does_too",
	  { { LOOKUP(0, 101), FWMARK(1, 1) }, { LOOKUP(5, 255) }, { LOOKUP(10, 254) } },
	  { HOME },
	  { 0 },
	  "0 skipped:fwmark 101, 5 no-route 255, 10 chosen 254 /0 eth0" },
	{ "rules_of_one_priority_are_told_apart",
	  { { LOOKUP(0, 255) },
	    { LOOKUP(7, 254), FWMARK(1, 1) },
	    { LOOKUP(7, 52), FWMARK(2, 2) },
	    { LOOKUP(7, 51820) },
	    { LOOKUP(7, 254), FWMARK(1, 1) } },
	  { HOME, VPN, TAIL },
	  { .mark = 2, .dst = "203.0.113.5" },
	  "0 no-route 255, 7 skipped:fwmark 254 /0 eth0, 7 no-route 52, "
	  "7 chosen 51820 /0 wg0, 7 skipped:fwmark 254 /0 eth0" },
	{ "what_several_selectors_refused_was_not_expected",
	  { { LOOKUP(0, 255) },
	    { LOOKUP(10, 51820), FWMARK(1, 1), FROM(8, 10) },
	    { LOOKUP(20, 51820), FWMARK(0, 1), FROM(8, 10) },
	    { LOOKUP(30, 254) } },
	  { HOME, VPN },
	  { .src = "192.0.2.2" },
	  "0 no-route 255, 10 skipped:several 51820, 20 skipped:from 51820 /0 wg0, "
	  "30 chosen 254 /0 eth0" },
	{ "an_inverted_rule_was_refused_by_all_of_it",
	  { { LOOKUP(0, 255) },
	    { LOOKUP(10, 51820), NOT_MARKED },
	    { LOOKUP(20, 52), FWMARK(0xc, 0xf), FROM(8, 10), .invert = true },
	    { LOOKUP(30, 254) } },
	  { HOME, VPN, TAIL },
	  { .mark = MARK, .src = "10.0.0.1" },
	  "0 no-route 255, 10 skipped:not 51820 /0 wg0, 20 skipped:not 52 /32 tailscale0, "
	  "30 chosen 254 /0 eth0" },
	{ "what_a_goto_led_past_is_in_its_place_whether_it_matched_or_not",
	  { { LOOKUP(0, 255) },
	    { GOTO(10, 30) },
	    { LOOKUP(20, 51820) },
	    { LOOKUP(25, 52), FWMARK(1, 1) },
	    { LOOKUP(30, 254) } },
	  { HOME, VPN, TAIL },
	  { 0 },
	  "0 no-route 255, 10 goto 0, 20 not-reached 51820 /0 wg0, "
	  "25 skipped:fwmark 52 /32 tailscale0, 30 chosen 254 /0 eth0" },
	{ "without_a_vrf_in_the_flow_no_table_is_named",
	  { { LOOKUP(0, 255) }, { LOOKUP(1000, 0), .l3mdev = true }, { LOOKUP(32766, 254) } },
	  { HOME },
	  { 0 },
	  "0 no-route 255, 1000 skipped:l3mdev 0, 32766 chosen 254 /0 eth0" },
	{ "a_table_that_refuses_would_not_have_matched",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 101), FWMARK(1, 1) }, { LOOKUP(32766, 254) } },
	  { HOME, REJECT(101, "0.0.0.0", 0, RTN_UNREACHABLE) },
	  { 0 },
	  "0 no-route 255, 10 skipped:fwmark 101, 32766 chosen 254 /0 eth0" },
	{ "an_action_that_asks_no_table_has_none",
	  { { LOOKUP(0, 255) },
	    { ACTION(10, RULE_PROHIBIT), .table = 254, FWMARK(1, 1) },
	    { LOOKUP(32766, 254) } },
	  { HOME },
	  { 0 },
	  "0 no-route 255, 10 skipped:fwmark 0, 32766 chosen 254 /0 eth0" },
	{ "behind_the_end_of_the_rules_there_is_nothing",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 254), FWMARK(1, 1) } },
	  { HOME },
	  { 0 },
	  "0 no-route 255, 10 skipped:fwmark 254 /0 eth0" },
	{ "tables_that_were_asked_without_rules_are_the_steps",
	  { { LOOKUP(0, 255) }, { LOOKUP(32766, 254) }, { LOOKUP(32767, 253) } },
	  { HOME },
	  { .built_in = true },
	  "32766 chosen 254 /0 eth0" },
};

static struct policy *row_policy(const struct row *row)
{
	struct rule rules[RULES_MAX];

	return scene_policy(rules, scene_rules(rules, row->rules, RULES_MAX), row->routes,
			    ROUTES_MAX);
}

static const char *mismatch_name(const struct lookup_step *step)
{
	return step->refused_by_one ? selectors[step->mismatch.selector].name : "several";
}

static void print_steps(struct text *out, const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->step_count; i++) {
		const struct lookup_step *step = &lookup->steps[i];

		text_printf(out, "%s%u %s", i ? ", " : "", step->priority,
			    step_outcome_name(step->outcome));
		if (step->outcome == STEP_SKIPPED)
			text_printf(out, ":%s", mismatch_name(step));
		text_printf(out, " %u", step->table);
		if (step->has_route)
			text_printf(out, " /%d %s", step->route.prefix_length, step->route.dev);
	}
}

/* Each rule has one step, and only what was skipped says why. */
static void assert_accounted(const struct lookup *lookup)
{
	if (!lookup->rules)
		return;
	assert_int_equal(lookup->step_count, lookup->rules->count);
	for (size_t i = 0; i < lookup->step_count; i++) {
		const struct lookup_step *step = &lookup->steps[i];
		bool skipped = step->outcome == STEP_SKIPPED;

		assert_ptr_equal(step->rule, &lookup->rules->rules[i]);
		assert_true(step->has_priority);
		assert_int_equal(step->priority, step->rule->priority);
		assert_int_equal(skipped, step->mismatch.selector != SELECTOR_NONE);
		if (skipped)
			assert_int_equal(step->evidence, EVIDENCE_DERIVED);
	}
}

static void assert_steps(const struct lookup *lookup, const char *want)
{
	struct text steps = { 0 };

	print_steps(&steps, lookup);
	assert_string_equal(text_string(&steps), want);
	text_free(&steps);
	assert_accounted(lookup);
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct policy *policy = row_policy(row);
	struct explainer *explainer = explainer_new();
	struct lookup lookup = scene_lookup(policy, &row->flow);

	assert_non_null(explainer);
	assert_true(explain_lookup(explainer, &lookup, policy));
	assert_true(lookup.examined);
	policy_free(policy); /* the lookup keeps what it needs */
	assert_steps(&lookup, row->want);
	lookup_clear(&lookup);
	explainer_free(explainer);
}

/* --- policies that change --------------------------------------------------------------------- */

/* The story's host, explained after change() changed its policy. */
static struct lookup explain_changed(void (*change)(struct policy *policy),
				     const struct flow_row *flow)
{
	struct policy *policy = row_policy(&rows[0]);
	struct explainer *explainer = explainer_new();
	struct lookup lookup = scene_lookup(policy, flow);

	change(policy);
	assert_true(explain_lookup(explainer, &lookup, policy));
	policy_free(policy);
	explainer_free(explainer);
	return lookup;
}

static const char changed_story[] =
	"0 no-route 255, 5208 suppressed 254 /0 eth0, 5209 chosen 51820 /0 wg0, "
	"5210 skipped:fwmark 254, 5250 skipped:fwmark 0, 5270 not-reached 52 /32 tailscale0, "
	"32766 not-reached 254 /0 eth0";

static void add_a_route(struct policy *policy)
{
	static const struct route_row row = ROUTE(254, "100.64.0.0", 10, ETH0);

	scene_add_route(policy, scene_route(&row));
}

static void replace_the_rules(struct policy *policy)
{
	struct rule rule = { .family = FLOW_AF_INET, .priority = 1, .action = RULE_PROHIBIT };

	scene_set_rules(policy, &rule, 1);
}

/* The lookup was explained by what was in force then: its rules stand, but not what tables hold now. */
static void a_route_that_came_since_is_no_reason(void **state)
{
	struct lookup lookup = explain_changed(add_a_route, &rows[0].flow);

	(void)state;
	assert_steps(&lookup, changed_story);
	assert_false(lookup.examined);
	assert_int_equal(lookup.finding_count, 0);
	lookup_clear(&lookup);
}

static void rules_that_came_since_are_not_the_lookups(void **state)
{
	struct lookup lookup = explain_changed(replace_the_rules, &rows[0].flow);

	(void)state;
	assert_steps(&lookup, changed_story);
	assert_false(lookup.examined);
	lookup_clear(&lookup);
}

static void without_its_policy_a_lookup_stays_as_it_is(void **state)
{
	struct policy *policy = row_policy(&rows[0]);
	struct explainer *explainer = explainer_new();
	struct lookup lookup = scene_lookup(policy, &rows[0].flow);
	size_t count = lookup.step_count;

	(void)state;
	policy_free(policy);
	assert_true(explain_lookup(explainer, &lookup, NULL));
	assert_int_equal(lookup.step_count, count);
	assert_false(lookup.examined);
	lookup_clear(&lookup);
	explainer_free(explainer);
}

static void put_into_a_vrf(struct policy *policy)
{
	const struct link link = { .index = ETH0, .name = "eth0", .master = VRF0 };

	assert_int_equal(policy_set_link(policy, &link), 0);
}

/* The kernel passed the rule over, and by what is known now it would apply. */
static void a_rule_that_would_apply_by_now_is_unknown(void **state)
{
	static const struct row vrf = {
		.rules = { { LOOKUP(0, 255) },
			   { LOOKUP(1000, 0), .l3mdev = true },
			   { LOOKUP(32766, 254) } },
		.routes = { HOME },
		.flow = { .iif = ETH0, .purpose = PURPOSE_INPUT, .level = LEVEL_SOFTIRQ },
	};
	struct policy *policy = row_policy(&vrf);
	struct explainer *explainer = explainer_new();
	struct lookup lookup = scene_lookup(policy, &vrf.flow);

	(void)state;
	put_into_a_vrf(policy);
	assert_true(explain_lookup(explainer, &lookup, policy));
	assert_int_equal(lookup.step_count, 3);
	assert_int_equal(lookup.steps[1].outcome, STEP_UNKNOWN);
	assert_string_equal(lookup.steps[1].reason, "policy-changed");
	assert_false(lookup.steps[1].has_route);
	assert_int_equal(lookup.steps[2].outcome, STEP_CHOSEN);
	assert_false(lookup.examined);
	lookup_clear(&lookup);
	policy_free(policy);
	explainer_free(explainer);
}

/* --- lookups that no policy explained --------------------------------------------------------- */

static void what_is_unknown_stays_unknown(void **state)
{
	struct policy *policy = row_policy(&rows[0]);
	struct explainer *explainer = explainer_new();
	struct walk_record walk = scene_walk(&rows[0].flow);
	struct table_answer answer = { .table = 255, .error = -EAGAIN };
	struct lookup lookup = { 0 };

	(void)state;
	walk.answers = &answer;
	walk.answer_count = 1;
	assert_true(derive_unknown(&walk, policy, "policy-changed", &lookup));
	assert_true(explain_lookup(explainer, &lookup, policy));
	assert_int_equal(lookup.step_count, 1);
	assert_int_equal(lookup.steps[0].outcome, STEP_NO_ROUTE);
	assert_false(lookup.examined);
	assert_int_equal(lookup.finding_count, 0);
	lookup_clear(&lookup);
	policy_free(policy);
	explainer_free(explainer);
}

/* A record of the kernel's own with rules 0 and 7, of which the policy knows nothing. */
static void what_the_kernel_alone_tells_stays_as_it_is(void **state)
{
	struct step_event steps[] = {
		{ .rule = { .action = RULE_LOOKUP,
			    .table = 255,
			    .suppress_prefixlength = -1,
			    .suppress_ifgroup = -1 },
		  .table = 255,
		  .error = -EAGAIN,
		  .flags = STEP_HAS_RULE | STEP_ASKED },
		{ .rule = { .priority = 7,
			    .action = RULE_PROHIBIT,
			    .suppress_prefixlength = -1,
			    .suppress_ifgroup = -1 },
		  .error = -EACCES,
		  .flags = STEP_HAS_RULE },
	};
	struct lookup_event event = { .key = scene_key(&rows[0].flow),
				      .error = -EACCES,
				      .flags = LOOKUP_RULES,
				      .purpose = PURPOSE_OUTPUT };
	struct lookup_record record = {
		.event = &event, .steps = steps, .step_count = ARRAY_SIZE(steps), .deciding = 1
	};
	struct policy *policy = row_policy(&rows[0]);
	struct explainer *explainer = explainer_new();
	struct lookup lookup = { 0 };

	(void)state;
	assert_true(observe_unaided(&record, policy, &lookup));
	assert_true(explain_lookup(explainer, &lookup, policy));
	assert_int_equal(lookup.step_count, 2);
	assert_int_equal(lookup.steps[1].outcome, STEP_PROHIBIT);
	assert_false(lookup.examined);
	lookup_clear(&lookup);
	policy_free(policy);
	explainer_free(explainer);
}

/* The same record by a policy that has its rules, and others. */
static void what_the_kernel_tells_is_completed_by_the_policy(void **state)
{
	static const struct row prohibited = {
		.rules = { { LOOKUP(0, 255) },
			   { LOOKUP(5, 254), FWMARK(1, 1) },
			   { ACTION(7, RULE_PROHIBIT) },
			   { LOOKUP(9, 52) } },
		.routes = { HOME, TAIL },
	};
	struct step_event steps[] = {
		{ .rule = { .action = RULE_LOOKUP,
			    .table = 255,
			    .uid_last = FLOW_UID_INVALID,
			    .suppress_prefixlength = -1,
			    .suppress_ifgroup = -1 },
		  .table = 255,
		  .error = -EAGAIN,
		  .flags = STEP_HAS_RULE | STEP_ASKED },
		{ .rule = { .priority = 7,
			    .action = RULE_PROHIBIT,
			    .uid_last = FLOW_UID_INVALID,
			    .suppress_prefixlength = -1,
			    .suppress_ifgroup = -1 },
		  .error = -EACCES,
		  .flags = STEP_HAS_RULE },
	};
	struct lookup_event event = { .key = scene_key(&prohibited.flow),
				      .error = -EACCES,
				      .flags = LOOKUP_RULES,
				      .purpose = PURPOSE_OUTPUT };
	struct lookup_record record = {
		.event = &event, .steps = steps, .step_count = ARRAY_SIZE(steps), .deciding = 1
	};
	struct policy *policy = row_policy(&prohibited);
	struct explainer *explainer = explainer_new();
	struct lookup lookup = { 0 };

	(void)state;
	assert_int_equal(observe_lookup(&record, policy, &lookup), DERIVE_DONE);
	assert_true(explain_lookup(explainer, &lookup, policy));
	assert_steps(&lookup, "0 no-route 255, 5 skipped:fwmark 254 /0 eth0, 7 prohibit 0, "
			      "9 not-reached 52 /32 tailscale0");
	assert_true(lookup.examined);
	assert_int_equal(lookup.finding_count, 1);
	assert_int_equal(lookup.findings[0].kind, FINDING_UNREACHABLE_PREEMPTS);
	lookup_clear(&lookup);
	policy_free(policy);
	explainer_free(explainer);
}

/* --- what else -------------------------------------------------------------------------------- */

/* Type checks of addresses and what the kernel asks for itself concern no packet. */
static void what_no_packet_asked_has_no_findings(void **state)
{
	static const struct {
		enum purpose purpose;
		uint32_t iif;
		size_t want;
	} asked[] = { { PURPOSE_OUTPUT, LO, 1 },
		      { PURPOSE_OTHER, LO, 0 },
		      { PURPOSE_OUTPUT, 0, 0 } };
	struct policy *policy = row_policy(&rows[0]);
	struct explainer *explainer = explainer_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		struct lookup lookup = scene_lookup(policy, &rows[0].flow);

		lookup.purpose = asked[i].purpose;
		lookup.key.iif = asked[i].iif;
		assert_true(explain_lookup(explainer, &lookup, policy));
		assert_true(lookup.examined);
		assert_int_equal(lookup.finding_count, asked[i].want);
		assert_int_equal(lookup.step_count, 7);
		lookup_clear(&lookup);
	}
	policy_free(policy);
	explainer_free(explainer);
}

#define MANY 1000

static void each_of_a_thousand_rules_is_accounted_for(void **state)
{
	struct policy *policy = row_policy(&rows[0]);
	struct explainer *explainer = explainer_new();
	struct rule *rules = calloc(MANY + 2, sizeof(*rules));
	const struct flow_row flow = { .dst = "203.0.113.5", .mark = 500 };
	struct lookup lookup;

	(void)state;
	assert_non_null(rules);
	for (uint32_t i = 0; i < MANY + 2; i++) {
		rule_init(&rules[i], FLOW_AF_INET);
		rules[i].priority = i;
		rules[i].table = i ? 254 : 255;
		if (i && i <= MANY) {
			rules[i].mark = i;
			rules[i].mark_mask = UINT32_MAX;
			rules[i].suppress_prefixlength = i == 500 ? 0 : -1;
		}
	}
	scene_set_rules(policy, rules, MANY + 2);
	free(rules);
	lookup = scene_lookup(policy, &flow);
	assert_true(explain_lookup(explainer, &lookup, policy));
	assert_accounted(&lookup);
	for (uint32_t i = 1; i <= MANY; i++) {
		assert_int_equal(lookup.steps[i].outcome,
				 i == 500 ? STEP_SUPPRESSED : STEP_SKIPPED);
		assert_true(lookup.steps[i].has_route);
	}
	assert_int_equal(lookup.verdict.priority, MANY + 1);
	assert_int_equal(lookup.finding_count, 0);
	lookup_clear(&lookup);
	policy_free(policy);
	explainer_free(explainer);
}

static void nothing_is_freed(void **state)
{
	(void)state;
	explainer_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test(a_route_that_came_since_is_no_reason),
		cmocka_unit_test(rules_that_came_since_are_not_the_lookups),
		cmocka_unit_test(without_its_policy_a_lookup_stays_as_it_is),
		cmocka_unit_test(a_rule_that_would_apply_by_now_is_unknown),
		cmocka_unit_test(what_is_unknown_stays_unknown),
		cmocka_unit_test(what_the_kernel_alone_tells_stays_as_it_is),
		cmocka_unit_test(what_the_kernel_tells_is_completed_by_the_policy),
		cmocka_unit_test(what_no_packet_asked_has_no_findings),
		cmocka_unit_test(each_of_a_thousand_rules_is_accounted_for),
		cmocka_unit_test(nothing_is_freed),
	};
	struct CMUnitTest tests[ARRAY_SIZE(rows) + ARRAY_SIZE(single)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = check_row,
			.initial_state = (void *)&rows[i],
		};
	}
	memcpy(tests + ARRAY_SIZE(rows), single, sizeof(single));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
