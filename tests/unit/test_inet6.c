// SPDX-License-Identifier: GPL-2.0-only
/* Lookups of IPv6 explained: what the kernel tells of them, what is derived, and what is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "scene.h"
#include "trace/collector.h"
#include "trace/derive.h"
#include "trace/explain.h"
#include "trace/observe.h"
#include "util/text.h"

#define RULES_MAX 6
#define ROUTES_MAX 8
#define ANSWERS_MAX 6
#define FAR "2001:db8:9::9"
#define ROUTER "fe80::1"

/* What a table answered; type 0: unicast or nothing. */
struct answer_row {
	uint32_t table;
	int error;
	uint32_t dev;
	int length; /* plus one; 0: not told */
	uint8_t type;
	const char *gateway;
};

#define MISS(id)                                                                                   \
	{                                                                                          \
		.table = (id), .error = -EAGAIN                                                    \
	}
#define HIT(id, bits, device)                                                                      \
	{                                                                                          \
		.table = (id), .length = (bits) + 1, .dev = (device), .type = RTN_UNICAST          \
	}
#define HIT_VIA(id, bits, device, router)                                                          \
	{                                                                                          \
		.table = (id), .length = (bits) + 1, .dev = (device), .type = RTN_UNICAST,         \
		.gateway = (router)                                                                \
	}
#define REFUSED(id, bits, kind, what)                                                              \
	{                                                                                          \
		.table = (id), .length = (bits) + 1, .type = (kind), .error = (what)               \
	}

struct row {
	const char *name;
	struct rule rules[RULES_MAX];
	struct rule other[2]; /* of IPv4 */
	struct route_row routes[ROUTES_MAX];
	struct answer_row answers[ANSWERS_MAX];
	bool ended;
	bool built_in;
	bool direct;
	enum derive_result result;
	const char *steps; /* "PRIORITY outcome TABLE evidence [/LENGTH]", joined by ", " */
	const char *verdict;
	const char *findings;
	const char *text; /* part of what the first of them says; NULL: any */
	const char *dst; /* NULL: FAR */
};

#define LOCAL_MAIN                                                                                 \
	{ LOOKUP(0, 255) },                                                                        \
	{                                                                                          \
		LOOKUP(32766, 254)                                                                 \
	}
#define WG_QUICK                                                                                   \
	{ LOOKUP(0, 255) }, { LOOKUP(32764, 254), LENGTH(0) },                                     \
		{ LOOKUP(32765, 51820), NOT_MARKED },                                              \
	{                                                                                          \
		LOOKUP(32766, 254)                                                                 \
	}
#define HOME                                                                                       \
	LOCAL("::1", 128, LO), VIA(254, "::", 0, ETH0, ROUTER),                                    \
		CONNECTED(254, "2001:db8:1::", 64, ETH0)
#define VPN ROUTE(51820, "::", 0, WG0)

static const struct row rows[] = {
	{ "without_rules_local_and_main_are_asked_apart",
	  { LOCAL_MAIN },
	  .routes = { HOME },
	  .answers = { MISS(255), HIT_VIA(254, 0, ETH0, ROUTER) },
	  .built_in = true,
	  .steps = "0 no-route 255 kernel, 32766 chosen 254 kernel /0",
	  .verdict = "built-in 32766 table 254 /0 dev eth0",
	  .findings = "" },
	{ "without_rules_a_miss_of_local_is_not_the_end",
	  { LOCAL_MAIN },
	  .routes = { HOME },
	  .answers = { MISS(255) },
	  .built_in = true,
	  .result = DERIVE_OPEN },
	{ "without_rules_a_miss_of_main_is_the_end",
	  { LOCAL_MAIN },
	  .routes = { LOCAL("::1", 128, LO) },
	  .answers = { MISS(255), MISS(254) },
	  .built_in = true,
	  .steps = "0 no-route 255 kernel, 32766 no-route 254 kernel",
	  .verdict = "built-in ENETUNREACH",
	  .findings = "" },
	{ "the_prefix_is_the_kernels",
	  { WG_QUICK },
	  .routes = { HOME, VPN },
	  .answers = { MISS(255), HIT_VIA(254, 0, ETH0, ROUTER), HIT(51820, 0, WG0) },
	  .steps = "0 no-route 255 kernel, 32764 suppressed 254 kernel /0, "
		   "32765 chosen 51820 kernel /0, 32766 not-reached 254 derived /0",
	  .verdict = "rule 32765 table 51820 /0 dev wg0",
	  .findings = "" },
	{ "a_route_that_the_policy_lacks_is_a_conflict",
	  { WG_QUICK },
	  .routes = { HOME, VPN },
	  .answers = { MISS(255), HIT(254, 48, ETH0) },
	  .result = DERIVE_CONFLICT },
	{ "a_refusal_of_a_prefix_that_the_policy_lacks_is_a_conflict",
	  { LOCAL_MAIN },
	  .routes = { HOME },
	  .answers = { MISS(255), REFUSED(254, 48, RTN_UNREACHABLE, -EHOSTUNREACH) },
	  .result = DERIVE_CONFLICT },
	{ "a_route_that_refuses_tells_its_prefix",
	  { LOCAL_MAIN },
	  .routes = { HOME, REJECT(254, "2001:db8:9::", 48, RTN_UNREACHABLE) },
	  .answers = { MISS(255), REFUSED(254, 48, RTN_UNREACHABLE, -EHOSTUNREACH) },
	  .steps = "0 no-route 255 kernel, 32766 unreachable 254 kernel /48",
	  .verdict = "rule 32766 table 254 EHOSTUNREACH /48",
	  .findings = "" },
	{ "a_throw_route_is_seen",
	  { { LOOKUP(0, 255) }, { LOOKUP(100, 100) }, { LOOKUP(32766, 254) } },
	  .routes = { HOME, REJECT(100, "2001:db8:9::", 48, RTN_THROW) },
	  .answers = { MISS(255), REFUSED(100, 48, RTN_THROW, -EAGAIN),
		       HIT_VIA(254, 0, ETH0, ROUTER) },
	  .steps = "0 no-route 255 kernel, 100 throw 100 kernel /48, 32766 chosen 254 kernel /0",
	  .verdict = "rule 32766 table 254 /0 dev eth0",
	  .findings = "" },
	{ "an_exception_is_what_a_suppressor_let_pass",
	  { WG_QUICK },
	  .routes = { HOME, VPN },
	  .answers = { MISS(255), HIT_VIA(254, 0, ETH0, ROUTER) },
	  .ended = true,
	  .steps = "0 no-route 255 kernel, 32764 chosen 254 kernel /0, "
		   "32765 not-reached 51820 derived /0, 32766 not-reached 254 derived /0",
	  .verdict = "exception 32764 table 254 /0 dev eth0",
	  .findings = "exception-defeats-suppress warning" },
	{ "where_the_first_table_may_be_asked_again_it_may_be_half_a_walk",
	  { { LOOKUP(0, 255) }, { LOOKUP(32764, 254), LENGTH(0) }, { LOOKUP(32766, 255) } },
	  .routes = { HOME },
	  .answers = { MISS(255), HIT_VIA(254, 0, ETH0, ROUTER) },
	  .ended = true,
	  .result = DERIVE_CONFLICT },
	{ "what_may_yet_be_suppressed_waits",
	  { WG_QUICK },
	  .routes = { HOME, VPN },
	  .answers = { MISS(255), HIT_VIA(254, 0, ETH0, ROUTER) },
	  .result = DERIVE_OPEN },
	{ "where_rules_do_not_suppress_it_is_no_exception",
	  { WG_QUICK },
	  .routes = { HOME, VPN },
	  .answers = { MISS(255), HIT_VIA(254, 0, ETH0, ROUTER) },
	  .ended = true,
	  .direct = true,
	  .steps = "0 no-route 255 kernel, 32764 chosen 254 kernel /0, "
		   "32765 not-reached 51820 derived /0, 32766 not-reached 254 derived /0",
	  .verdict = "rule 32764 table 254 /0 dev eth0",
	  .findings = NULL },
	{ "rules_that_end_behind_a_suppressed_route_leave_a_doubt",
	  { { LOOKUP(0, 255) }, { LOOKUP(32764, 254), LENGTH(0) } },
	  .routes = { HOME },
	  .answers = { MISS(255), HIT_VIA(254, 0, ETH0, ROUTER) },
	  .ended = true,
	  .steps = "0 no-route 255 kernel, 32764 suppressed 254 derived /0",
	  .verdict = "end-of-rules ENETUNREACH",
	  .findings = "suppressed-route-used info" },
	{ "the_rule_that_is_missing_is_one_of_ipv6",
	  { { LOOKUP(0, 255) } },
	  .routes = { HOME },
	  .answers = { MISS(255) },
	  .ended = true,
	  .steps = "0 no-route 255 kernel",
	  .verdict = "end-of-rules ENETUNREACH",
	  .findings = "main-not-asked warning",
	  .text = "`ip -6 rule add pref 32766 lookup main`" },
	{ "the_rules_that_the_kernel_does_not_walk_are_those_of_ipv6",
	  { { LOOKUP(32766, 254) } },
	  .routes = { HOME },
	  .answers = { MISS(255), HIT_VIA(254, 0, ETH0, ROUTER) },
	  .built_in = true,
	  .steps = "0 no-route 255 kernel, 32766 chosen 254 kernel /0",
	  .verdict = "built-in 32766 table 254 /0 dev eth0",
	  .findings = "built-in-mismatch warning",
	  .text = "`ip -6 rule` lists other rules than local and main, but" },
	{ "multicast_is_for_nobody_that_local_knows",
	  { { LOOKUP(100, 101) }, { LOOKUP(32765, 255) }, { LOOKUP(32766, 254) } },
	  .routes = { { 255, "ff00::", 8, RTN_MULTICAST, ETH0 }, ROUTE(101, "::", 0, ETH0) },
	  .answers = { HIT(101, 0, ETH0) },
	  .ended = true,
	  .dst = "ff02::1",
	  .steps = "100 chosen 101 kernel /0, 32765 not-reached 255 derived /8, "
		   "32766 not-reached 254 derived",
	  .verdict = "rule 100 table 101 /0 dev eth0",
	  .findings = "" },
	{ "an_anycast_address_is_this_hosts",
	  { { LOOKUP(100, 101) }, { LOOKUP(32765, 255) }, { LOOKUP(32766, 254) } },
	  .routes = { { 255, "2001:db8:1::", 128, RTN_ANYCAST, ETH0 }, ROUTE(101, "::", 0, ETH0) },
	  .answers = { HIT(101, 0, ETH0) },
	  .ended = true,
	  .dst = "2001:db8:1::",
	  .steps = "100 chosen 101 kernel /0, 32765 not-reached 255 derived /128, "
		   "32766 not-reached 254 derived",
	  .verdict = "rule 100 table 101 /0 dev eth0",
	  .findings = "rule-before-local error",
	  .text = "2001:db8:1:: is an anycast address of this host" },
	{ "ipv4_in_a_tunnel_and_ipv6_not_is_told",
	  { LOCAL_MAIN },
	  .other = { { LOOKUP(100, 51820), NOT_MARKED } },
	  .routes = { HOME },
	  .answers = { MISS(255), HIT_VIA(254, 0, ETH0, ROUTER) },
	  .steps = "0 no-route 255 kernel, 32766 chosen 254 kernel /0",
	  .verdict = "rule 32766 table 254 /0 dev eth0",
	  .findings = "family-asymmetry info" },
	{ "both_families_in_the_tunnel_are_symmetrical",
	  { { LOOKUP(0, 255) }, { LOOKUP(100, 51820), NOT_MARKED }, { LOOKUP(32766, 254) } },
	  .other = { { LOOKUP(100, 51820), NOT_MARKED } },
	  .routes = { HOME, VPN },
	  .answers = { MISS(255), HIT(51820, 0, WG0) },
	  .steps = "0 no-route 255 kernel, 100 chosen 51820 kernel /0, "
		   "32766 not-reached 254 derived /0",
	  .verdict = "rule 100 table 51820 /0 dev wg0",
	  .findings = "missing-suppress info" },
};

static struct table_answer make_answer(const struct answer_row *row, bool built_in)
{
	struct table_answer answer = {
		.table = row->table,
		.error = row->error,
		.dev = row->dev,
		.netns = NETNS,
		.route_type = row->type,
		.flags = ANSWER_POLICY_KNOWN | (built_in ? 0 : ANSWER_CUSTOM_RULES),
	};

	if (row->length) {
		answer.flags |= ANSWER_PREFIX_KNOWN;
		answer.prefix_length = row->length - 1;
	}
	if (row->gateway) {
		answer.gateway_family = FLOW_AF_INET6;
		address_set(answer.gateway, row->gateway);
	}
	return answer;
}

static struct walk_record make_walk(const struct row *row, struct table_answer *answers)
{
	struct walk_record walk = {
		.id = 1,
		.time_ns = 1000,
		.context = { .pid = 42, .tid = 42, .netns = NETNS, .netns_source = NETNS_LOOKUP },
		.key = { .family = FLOW_AF_INET6, .iif = LO, .uid = 1000 },
		.ended = row->ended,
		.origin = { PURPOSE_OUTPUT, CAUSE_SEND, row->direct },
		.answers = answers,
	};

	address_set(walk.key.dst, row->dst ? row->dst : FAR);
	for (; walk.answer_count < ANSWERS_MAX && row->answers[walk.answer_count].table;
	     walk.answer_count++)
		answers[walk.answer_count] =
			make_answer(&row->answers[walk.answer_count], row->built_in);
	return walk;
}

static size_t inet6_rules(struct rule *out, const struct rule *written, size_t most)
{
	size_t count = scene_rules(out, written, most);

	for (size_t i = 0; i < count; i++)
		out[i].family = FLOW_AF_INET6;
	return count;
}

static struct policy *row_policy(const struct row *row)
{
	struct rule rules[RULES_MAX], other[ARRAY_SIZE(row->other)];
	size_t count = inet6_rules(rules, row->rules, RULES_MAX);
	size_t others = scene_rules(other, row->other, ARRAY_SIZE(row->other));
	struct policy *policy = scene_policy(rules, count, row->routes, ROUTES_MAX);

	scene_set_rules(policy, other, others);
	return policy;
}

static void print_steps(struct text *out, const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->step_count; i++) {
		const struct lookup_step *step = &lookup->steps[i];

		text_printf(out, "%s%u %s %u %s", i ? ", " : "", step->priority,
			    step_outcome_name(step->outcome), step->table,
			    evidence_name(step->evidence));
		if (step->has_route && step->route.prefix_length >= 0)
			text_printf(out, " /%d", step->route.prefix_length);
	}
}

static void print_verdict(struct text *out, const struct lookup_verdict *verdict)
{
	text_add(out, decided_by_name(verdict->decided_by));
	if (verdict->has_priority)
		text_printf(out, " %u", verdict->priority);
	if (verdict->table)
		text_printf(out, " table %u", verdict->table);
	if (verdict->error)
		text_printf(out, " %s", errno_name(-verdict->error));
	if (verdict->route.prefix_length >= 0)
		text_printf(out, " /%d", verdict->route.prefix_length);
	if (verdict->route.dev[0])
		text_printf(out, " dev %s", verdict->route.dev);
}

static void print_findings(struct text *out, const struct lookup *lookup)
{
	text_add(out, "");
	for (size_t i = 0; i < lookup->finding_count; i++)
		text_printf(out, "%s%s %s", i ? ", " : "",
			    finding_kind_name(lookup->findings[i].kind),
			    severity_name(lookup->findings[i].severity));
}

/* print() of the lookup is want. */
static void assert_printed(const char *want, struct text *got)
{
	assert_string_equal(text_string(got), want);
	text_free(got);
}

static void check_explanation(const struct row *row, struct lookup *lookup,
			      const struct policy *policy)
{
	struct text steps = { 0 }, verdict = { 0 }, findings = { 0 };
	struct explainer *explainer = explainer_new();

	assert_non_null(explainer);
	print_steps(&steps, lookup);
	assert_printed(row->steps, &steps);
	print_verdict(&verdict, &lookup->verdict);
	assert_printed(row->verdict, &verdict);
	assert_true(explain_lookup(explainer, lookup, policy));
	print_findings(&findings, lookup);
	if (row->text)
		assert_non_null(strstr(lookup->findings[0].text, row->text));
	if (row->findings)
		assert_printed(row->findings, &findings);
	else
		text_free(&findings);
	explainer_free(explainer);
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct policy *policy = row_policy(row);
	struct table_answer answers[ANSWERS_MAX];
	struct walk_record walk = make_walk(row, answers);
	struct lookup lookup = { 0 };

	assert_int_equal(derive_lookup(&walk, policy, &lookup), row->result);
	if (row->result == DERIVE_DONE)
		check_explanation(row, &lookup, policy);
	lookup_clear(&lookup);
	policy_free(policy);
}

static bool some_row_finds(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].findings && strstr(rows[i].findings, kind))
			return true;
	}
	return false;
}

static void each_kind_of_ipv6_is_found_in_some_row(void **state)
{
	(void)state;
	for (int kind = FINDING_EXCEPTION_DEFEATS_SUPPRESS; kind < FINDING_KIND_COUNT; kind++) {
		if (!some_row_finds(finding_kind_name(kind)))
			fail_msg("no row for %s", finding_kind_name(kind));
	}
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 1] = {
		[ARRAY_SIZE(rows)] = cmocka_unit_test(each_kind_of_ipv6_is_found_in_some_row),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = check_row,
			.initial_state = (void *)&rows[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
