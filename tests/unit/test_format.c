// SPDX-License-Identifier: GPL-2.0-only
/* The formats: what each writes for the same lookups, byte for byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "render/render.h"
#include "render/summary.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* 2026-11-22T12:01:33.123456789Z */
#define TIME_NS 1795348893123456789ull

#define RULES_MAX 8

/* rules: those of the lookup's list. */
struct fixture {
	struct names *names;
	struct lookup lookup;
	struct rule *rules;
};

static void address(uint8_t bytes[static 16], const char *text)
{
	assert_int_equal(inet_pton(AF_INET, text, bytes), 1);
}

static struct rule *new_rule(struct rule *rule, uint32_t priority, uint32_t table)
{
	rule_init(rule, AF_INET);
	rule->priority = priority;
	rule->table = table;
	return rule;
}

static struct lookup_step *new_step(struct lookup *lookup, const struct rule *rule,
				    enum step_outcome outcome)
{
	struct lookup_step *step = lookup_add_step(lookup);

	assert_non_null(step);
	step->rule = rule;
	step->has_priority = rule;
	step->priority = rule ? rule->priority : 0;
	step->table = rule && rule->action == RULE_LOOKUP ? rule->table : 0;
	step->outcome = outcome;
	step->evidence = EVIDENCE_KERNEL;
	return step;
}

static void set_route(struct lookup_route *route, const char *dst, int length, const char *dev)
{
	address(route->dst, dst);
	route->prefix_length = (int16_t)length;
	route->type = RTN_UNICAST;
	route->nexthops = 1;
	strncpy(route->dev, dev, sizeof(route->dev) - 1);
}

static void set_gateway(struct lookup_route *route, const char *gateway)
{
	address(route->gateway, gateway);
	route->gateway_family = AF_INET;
}

/* A ping to 100.85.80.11 at 12:01:33, not explained yet. */
static void new_lookup(struct lookup *lookup)
{
	*lookup = (struct lookup){
		.time_ns = TIME_NS,
		.boottime_ns = 123,
		.group = 7,
		.cpu = 1,
		.netns = 4026531840u,
		.purpose = PURPOSE_OUTPUT,
		.cause = CAUSE_SEND,
		.context = { .comm = "ping", .pid = 4242, .tid = 4242, .uid = 1000 },
		.key = { .family = AF_INET,
			 .protocol = IPPROTO_ICMP,
			 .uid = 1000,
			 .iif = 1,
			 .dport = 8 << 8 },
		.iif = "lo",
		.verdict.route.prefix_length = -1,
	};
	address(lookup->key.dst, "100.85.80.11");
}

static void fixture_begin(struct fixture *fixture)
{
	fixture->names = names_new();
	assert_non_null(fixture->names);
	new_lookup(&fixture->lookup);
	fixture->lookup.rules = rule_list_new(NULL, RULES_MAX);
	assert_non_null(fixture->lookup.rules);
	fixture->rules = fixture->lookup.rules->rules;
}

static void fixture_end(struct fixture *fixture)
{
	lookup_clear(&fixture->lookup);
	names_free(fixture->names);
}

static void verdict_by_rule(struct lookup *lookup, uint32_t priority, uint32_t table, int error)
{
	lookup->verdict.error = error;
	lookup->verdict.decided_by = DECIDED_BY_RULE;
	lookup->verdict.has_priority = true;
	lookup->verdict.priority = priority;
	lookup->verdict.table = table;
}

/* wg-quick's rules before Tailscale's: the VPN takes what Tailscale has a route for. */
static void story(struct fixture *fixture)
{
	struct lookup *lookup = &fixture->lookup;
	struct lookup_step *step;
	struct rule *rule;

	new_step(lookup, new_rule(&fixture->rules[0], 0, 255), STEP_NO_ROUTE);

	rule = new_rule(&fixture->rules[1], 5208, 254);
	rule->suppress_prefixlength = 0;
	step = new_step(lookup, rule, STEP_SUPPRESSED);
	step->suppressor = SUPPRESSOR_PREFIXLENGTH;
	step->has_route = true;
	set_route(&step->route, "0.0.0.0", 0, "eth0");
	set_gateway(&step->route, "192.0.2.1");

	rule = new_rule(&fixture->rules[2], 5209, 51820);
	rule->invert = true;
	rule->mark = 0xca6c;
	rule->mark_mask = UINT32_MAX;
	step = new_step(lookup, rule, STEP_CHOSEN);
	step->has_route = true;
	set_route(&step->route, "0.0.0.0", 0, "mullvad-nl2");

	step = new_step(lookup, new_rule(&fixture->rules[3], 5270, 52), STEP_NOT_REACHED);
	step->evidence = EVIDENCE_DERIVED;

	verdict_by_rule(lookup, 5209, 51820, 0);
	set_route(&lookup->verdict.route, "0.0.0.0", 0, "mullvad-nl2");
	lookup->verdict.route.has_prefsrc = true;
	address(lookup->verdict.route.prefsrc, "10.64.0.2");
}

/* A TCP connection that an unreachable rule ends, from a named namespace. */
static void refused_by_rule(struct fixture *fixture)
{
	struct lookup *lookup = &fixture->lookup;
	struct rule *rule = new_rule(&fixture->rules[0], 5250, 0);

	lookup->netns_name = "blue net";
	lookup->key.protocol = IPPROTO_TCP;
	lookup->key.sport = 40000;
	lookup->key.dport = 443;
	lookup->key.mark = 0x80000;
	lookup->key.tos = 0x10;
	lookup->key.oif = 7;
	rule->action = RULE_UNREACHABLE;
	rule->mark = 0x80000;
	rule->mark_mask = 0xff0000;
	new_step(lookup, rule, STEP_UNREACHABLE)->evidence = EVIDENCE_DERIVED;
	verdict_by_rule(lookup, 5250, 0, -ENETUNREACH);
}

static void refused_by_route(struct fixture *fixture)
{
	struct lookup *lookup = &fixture->lookup;
	struct lookup_step *step;

	step = new_step(lookup, new_rule(&fixture->rules[0], 32766, 254), STEP_PROHIBIT);
	step->has_route = true;
	set_route(&step->route, "100.64.0.0", 10, "");
	step->route.type = RTN_PROHIBIT;
	verdict_by_rule(lookup, 32766, 254, -EACCES);
	lookup->verdict.route.type = RTN_PROHIBIT;
}

static void jump_over(struct lookup_step *step, uint32_t priority)
{
	step->reason = "goto";
	step->jumped_by = priority;
	step->evidence = EVIDENCE_DERIVED;
}

/* The rules end without a route, after a goto, a nop and a throw. */
static void end_of_rules(struct fixture *fixture)
{
	struct lookup *lookup = &fixture->lookup;
	struct lookup_step *step;
	struct rule *rule;

	rule = new_rule(&fixture->rules[0], 10, 0);
	rule->action = RULE_GOTO;
	rule->target = 100;
	/* What the kernel said when the rule was dumped is not what it did. */
	rule->unresolved = true;
	new_step(lookup, rule, STEP_GOTO);
	step = new_step(lookup, new_rule(&fixture->rules[5], 50, 52), STEP_NOT_REACHED);
	jump_over(step, 10);
	step->has_route = true;
	set_route(&step->route, "100.85.80.11", 32, "tailscale0");
	rule = new_rule(&fixture->rules[6], 60, 0);
	rule->action = RULE_PROHIBIT;
	jump_over(new_step(lookup, rule, STEP_NOT_REACHED), 10);
	rule = new_rule(&fixture->rules[1], 100, 0);
	rule->action = RULE_NOP;
	new_step(lookup, rule, STEP_NOP);
	rule = new_rule(&fixture->rules[2], 101, 0);
	rule->action = RULE_GOTO;
	rule->target = 99;
	new_step(lookup, rule, STEP_GOTO)->unresolved = true;
	step = new_step(lookup, new_rule(&fixture->rules[3], 102, 7), STEP_THROW);
	step->has_route = true;
	set_route(&step->route, "100.64.0.0", 10, "");
	step->route.type = RTN_THROW;
	new_step(lookup, new_rule(&fixture->rules[4], 103, 9), STEP_NO_TABLE);
	lookup->verdict.error = -ENETUNREACH;
	lookup->verdict.decided_by = DECIDED_BY_END_OF_RULES;
}

/* The reverse path check of a received packet, where the kernel walks no rules. */
static void source_check(struct fixture *fixture)
{
	struct lookup *lookup = &fixture->lookup;
	struct lookup_step *step;

	lookup->purpose = PURPOSE_SOURCE_CHECK;
	lookup->cause = CAUSE_RECEIVE;
	lookup->context = (struct event_context){ .comm = "bystander", .level = LEVEL_SOFTIRQ };
	lookup->key.uid = FLOW_UID_INVALID;
	lookup->key.protocol = 0;
	lookup->key.iif = 3;
	strcpy(lookup->iif, "eth0");
	address(lookup->key.src, "192.0.2.2");
	address(lookup->key.dst, "192.0.2.9");
	step = new_step(lookup, NULL, STEP_CHOSEN);
	step->table = 254;
	step->has_priority = true;
	step->priority = 32766;
	verdict_by_rule(lookup, 32766, 254, 0);
	lookup->verdict.decided_by = DECIDED_BY_BUILT_IN;
	set_route(&lookup->verdict.route, "192.0.2.0", 24, "eth0");
	lookup->verdict.route.nexthops = 0;
}

static void bound_device(struct fixture *fixture)
{
	struct lookup *lookup = &fixture->lookup;

	lookup->key.oif = 4;
	strcpy(lookup->oif, "wlan0");
	new_step(lookup, new_rule(&fixture->rules[0], 32766, 254), STEP_NO_ROUTE);
	lookup->verdict.decided_by = DECIDED_BY_BOUND_DEVICE;
	strcpy(lookup->verdict.route.dev, "wlan0");
}

static void policy_changed(struct fixture *fixture)
{
	struct lookup *lookup = &fixture->lookup;
	struct lookup_step *step = new_step(lookup, NULL, STEP_UNKNOWN);

	lookup->netns = 0;
	step->table = 77;
	step->reason = "policy-changed";
	lookup->verdict.decided_by = DECIDED_BY_UNKNOWN;
}

static void policy_unreadable(struct fixture *fixture)
{
	policy_changed(fixture);
	fixture->lookup.steps[0].reason = "policy-unreadable";
}

/* Names that are an attack on a terminal and on a parser. */
static void hostile_names(struct fixture *fixture)
{
	struct lookup *lookup = &fixture->lookup;
	struct rule *rule = new_rule(&fixture->rules[0], 5, 52);
	struct lookup_step *step;

	memcpy(lookup->context.comm, "a\"\\\n\033[2J\xff 123456", EVENT_COMM_LEN);
	memcpy(rule->iif, "e\033 =\xc2\x9b", 7);
	rule->iif_index = -1;
	step = new_step(lookup, rule, STEP_CHOSEN);
	step->has_route = true;
	set_route(&step->route, "100.64.0.0", 10, "d \007");
	verdict_by_rule(lookup, 5, 52, 0);
	set_route(&lookup->verdict.route, "100.64.0.0", 10, "d \007");
}

/* A kernel thread's lookup in a table asked without rules, by an IPv6 gateway. */
static void gateway_of_other_family(struct fixture *fixture)
{
	struct lookup *lookup = &fixture->lookup;
	struct lookup_step *step = new_step(lookup, NULL, STEP_CHOSEN);
	struct lookup_route *route = &step->route;

	lookup->duration_ns = 1500;
	lookup->context.level = LEVEL_KTHREAD;
	lookup->key.protocol = 200;
	lookup->key.tun_id = 9;
	lookup->key.l3mdev = 12;
	step->table = 253;
	step->has_route = true;
	set_route(route, "100.85.80.11", 32, "");
	route->dev_index = 9;
	route->gateway_family = AF_INET6;
	assert_int_equal(inet_pton(AF_INET6, "fe80::1", route->gateway), 1);
	lookup->verdict.decided_by = DECIDED_BY_DIRECT;
	lookup->verdict.table = 253;
	lookup->verdict.route = *route;
}

/* Every selector at once: attributes of new kernels, and unknown ones. */
static void every_selector(struct fixture *fixture)
{
	struct lookup *lookup = &fixture->lookup;
	struct rule *rule = new_rule(&fixture->rules[0], 12, 252);

	rule->src = (struct rule_prefix){ .length = 8 };
	address(rule->src.address, "10.0.0.0");
	rule->dst = (struct rule_prefix){ .length = 32 };
	address(rule->dst.address, "192.0.2.1");
	rule->tos = 0x08;
	rule->has_dscp = true;
	rule->dscp = 0x2e;
	rule->dscp_mask = 0x3e;
	rule->mark_mask = 0xff;
	strcpy(rule->oif, "wg0");
	rule->oif_index = -1;
	rule->has_uids = true;
	rule->ip_proto = 200;
	rule->has_sport = true;
	rule->sport = (struct rule_range16){ 22, 22 };
	rule->sport_mask = 0xff00;
	rule->has_dport = true;
	rule->dport = (struct rule_range16){ 100, 200 };
	rule->tun_id = 77;
	rule->suppress_ifgroup = 5;
	rule->realms = 3 << 16 | 4;
	rule->protocol = 250;
	rule->unknown_count = 1;
	rule->unknown[0] = (struct rule_attribute){ .type = 30, .length = 1, .data = { 0x2e } };
	new_step(lookup, rule, STEP_SUPPRESSED)->suppressor = SUPPRESSOR_IFGROUP;
	lookup->verdict.error = -ENETUNREACH;
	lookup->verdict.decided_by = DECIDED_BY_END_OF_RULES;
}

static struct lookup_step *new_skipped(struct lookup *lookup, const struct rule *rule,
				       enum selector_id selector)
{
	struct lookup_step *step = new_step(lookup, rule, STEP_SKIPPED);

	step->evidence = EVIDENCE_DERIVED;
	step->mismatch.selector = selector;
	step->refused_by_one = true;
	return step;
}

static void mark_rule(struct rule *rule, uint32_t mark, uint32_t mask)
{
	rule->mark = mark;
	rule->mark_mask = mask;
}

static void add_finding(struct lookup *lookup, const struct finding *finding, const char *text)
{
	size_t size = (lookup->finding_count + 1) * sizeof(*finding);

	lookup->examined = true;
	lookup->findings = realloc(lookup->findings, size);
	assert_non_null(lookup->findings);
	lookup->findings[lookup->finding_count] = *finding;
	lookup->findings[lookup->finding_count++].text = strdup(text);
}

/* The story with a rule of Tailscale's that is not for the packet, and what is wrong with it. */
static void explained(struct fixture *fixture)
{
	static const struct finding shadowed = { .kind = FINDING_SHADOWED_ROUTE,
						 .severity = SEVERITY_WARNING,
						 .has_priority = true,
						 .has_by = true,
						 .priority = 5270,
						 .by = 5209 };
	static const struct finding chosen = { .kind = FINDING_AUTO_PRIORITY,
					       .severity = SEVERITY_INFO,
					       .has_priority = true,
					       .priority = 5209 };
	static const struct finding captured = { .kind = FINDING_BYPASS_MARK_CAPTURED,
						 .severity = SEVERITY_ERROR };
	struct lookup *lookup = &fixture->lookup;
	struct lookup_step *step;

	story(fixture);
	step = &lookup->steps[3];
	step->has_route = true;
	set_route(&step->route, "100.85.80.11", 32, "tailscale0");
	mark_rule(new_rule(&fixture->rules[4], 5280, 254), 0x80000, 0xff0000);
	step = new_skipped(lookup, &fixture->rules[4], SELECTOR_FWMARK);
	step->has_route = true;
	set_route(&step->route, "0.0.0.0", 0, "eth0");
	set_gateway(&step->route, "192.0.2.1");
	add_finding(lookup, &shadowed, "5270 has a longer prefix");
	add_finding(lookup, &chosen, "the kernel chose 5209");
	add_finding(lookup, &captured, "a hostile \033 name");
}

static void nothing_found(struct fixture *fixture)
{
	refused_by_rule(fixture);
	fixture->lookup.examined = true;
}

/* Three rules in a row that are for others, and three that the walk did not get to. */
static void rules_for_others(struct fixture *fixture)
{
	struct lookup *lookup = &fixture->lookup;
	struct rule *rules = fixture->rules;
	struct lookup_step *step;

	mark_rule(new_rule(&rules[0], 1, 101), 1, UINT32_MAX);
	mark_rule(new_rule(&rules[1], 2, 102), 2, UINT32_MAX);
	strcpy(new_rule(&rules[2], 3, 103)->iif, "eth0");
	rules[2].iif_index = 5;
	new_skipped(lookup, &rules[0], SELECTOR_FWMARK);
	new_skipped(lookup, &rules[1], SELECTOR_FWMARK)->has_route = true;
	set_route(&lookup->steps[1].route, "0.0.0.0", 0, "wg0");
	new_skipped(lookup, &rules[2], SELECTOR_IIF);
	step = new_step(lookup, new_rule(&rules[3], 4, 254), STEP_CHOSEN);
	step->has_route = true;
	set_route(&step->route, "0.0.0.0", 0, "eth0");
	for (int i = 4; i < 7; i++)
		new_step(lookup, new_rule(&rules[i], (uint32_t)i + 1, 105), STEP_NOT_REACHED);
	verdict_by_rule(lookup, 4, 254, 0);
	set_route(&lookup->verdict.route, "0.0.0.0", 0, "eth0");
}

/* What was found about the second is shown with it, and leaves no three. */
static void found_among_others(struct fixture *fixture)
{
	static const struct finding missed = { .kind = FINDING_MARK_NEAR_MISS,
					       .severity = SEVERITY_WARNING,
					       .has_priority = true,
					       .priority = 2 };

	rules_for_others(fixture);
	add_finding(&fixture->lookup, &missed, "2 was nearly for it");
}

/* A device of another namespace's, as its owner named it. */
static void hostile_mismatch(struct fixture *fixture)
{
	struct lookup *lookup = &fixture->lookup;
	struct rule *rule = new_rule(&fixture->rules[0], 5, 52);

	memcpy(rule->iif, "e\033 =\xc2\x9b", 7);
	rule->iif_index = 9;
	lookup->key.iif = 4;
	strcpy(lookup->iif, "a\nb");
	new_skipped(lookup, rule, SELECTOR_IIF);
	lookup->verdict.error = -ENETUNREACH;
	lookup->verdict.decided_by = DECIDED_BY_END_OF_RULES;
}

static const struct render_options plain = { .utc = true };
static const struct render_options verbose = { .utc = true, .verbose = true };
static const struct render_options ascii = { .utc = true, .ascii = true };
static const struct render_options color = { .utc = true, .color = true };

struct golden_row {
	const char *fact;
	void (*explain)(struct fixture *fixture);
	const struct format *format;
	const struct render_options *options;
	const char *want;
};

static const struct golden_row golden_rows[] = {
	{ "the story of the VPN that takes Tailscale's addresses", story, &format_tree, &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark "
	  "0x0 uid 1000\n"
	  "      0  from all                        table local     no route\n"
	  "   5208  from all                        table main      default via "
	  "192.0.2.1 dev eth0, suppressed: prefix length 0 ≤ 0\n"
	  " ▶ 5209  not from all fwmark 0xca6c      table 51820     default dev "
	  "mullvad-nl2\n"
	  "   5270  from all                        table 52        not reached\n"
	  "   ⇒ dev mullvad-nl2 src 10.64.0.2\n" },
	{ "the story of the VPN that takes Tailscale's addresses", story, &format_line, &plain,
	  "time=2026-11-22T12:01:33.123456Z netns=4026531840 purpose=output "
	  "cause=send comm=ping pid=4242 src=0.0.0.0 dst=100.85.80.11 proto=icmp "
	  "sport=- dport=- mark=0x0 uid=1000 pref=5209 table=51820 "
	  "prefix=default dev=mullvad-nl2 gw=- prefsrc=10.64.0.2 suppressed=5208 "
	  "err=- findings=-\n" },
	{ "the story of the VPN that takes Tailscale's addresses", story, &format_json, &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":null,\"cpu\":1,\"netns\":4026531840,"
	  "\"netns_name\":null,\"family\":\"inet\",\"purpose\":\"output\",\"cause\":\"send\","
	  "\"group\":7,"
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\",\"uid\":1000},"
	  "\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\","
	  "\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\","
	  "\"fwmark_owner\":null,\"tos\":\"0x0\",\"protocol\":\"icmp\","
	  "\"sport\":null,\"dport\":null,\"icmp_type\":8,\"icmp_code\":0,\"uid\":1000,"
	  "\"tun_id\":null,\"l3mdev\":null,\"flowlabel\":null},\"steps\":[{\"priority\":0,"
	  "\"selector\":\"from all\",\"rule\":{\"priority\":0,\"src\":\"all\","
	  "\"table\":\"local\"},\"action\":\"lookup\",\"table\":\"local\",\"table_id\":255,"
	  "\"outcome\":\"no-route\",\"evidence\":\"kernel\"},{\"priority\":5208,"
	  "\"selector\":\"from all\",\"rule\":{\"priority\":5208,\"src\":\"all\","
	  "\"table\":\"main\",\"suppress_prefixlen\":0},\"action\":\"lookup\","
	  "\"table\":\"main\",\"table_id\":254,\"outcome\":\"suppressed\","
	  "\"suppressor\":\"suppress_prefixlength 0\",\"route\":{\"dst\":\"default\","
	  "\"gateway\":\"192.0.2.1\",\"dev\":\"eth0\"},\"evidence\":\"kernel\"},"
	  "{\"priority\":5209,\"selector\":\"not from all fwmark 0xca6c\","
	  "\"rule\":{\"priority\":5209,\"not\":true,\"src\":\"all\",\"fwmark\":\"0xca6c\","
	  "\"table\":\"51820\"},\"action\":\"lookup\",\"table\":\"51820\",\"table_id\":51820,"
	  "\"outcome\":\"chosen\",\"route\":{\"dst\":\"default\",\"dev\":\"mullvad-nl2\"},"
	  "\"evidence\":\"kernel\"},{\"priority\":5270,\"selector\":\"from all\","
	  "\"rule\":{\"priority\":5270,\"src\":\"all\",\"table\":\"52\"},\"action\":\"lookup\","
	  "\"table\":\"52\",\"table_id\":52,\"outcome\":\"not-reached\","
	  "\"evidence\":\"derived\"}],\"verdict\":{\"error\":null,\"decided_by\":\"rule\","
	  "\"priority\":5209,\"table\":\"51820\",\"table_id\":51820,\"type\":\"unicast\","
	  "\"dst\":\"default\",\"prefixlen\":0,\"gateway\":null,\"dev\":\"mullvad-nl2\","
	  "\"prefsrc\":\"10.64.0.2\",\"nexthops\":1,\"nexthop\":null,\"weight\":null},\"findings\":"
	  "null}\n" },
	{ "verbose adds cause, cpu, namespace, tos and evidence", story, &format_tree, &verbose,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp type 8 "
	  "code 0 mark 0x0 uid 1000 tos 0x0 cause send group 7 cpu 1 inode 4026531840\n"
	  "      0  from all                        table local     no route (kernel)\n"
	  "   5208  from all                        table main      default via "
	  "192.0.2.1 dev eth0, suppressed: prefix length 0 ≤ 0 (kernel)\n"
	  " ▶ 5209  not from all fwmark 0xca6c      table 51820     default dev "
	  "mullvad-nl2 (kernel)\n"
	  "   5270  from all                        table 52        not reached (derived)\n"
	  "   ⇒ dev mullvad-nl2 src 10.64.0.2\n" },
	{ "ASCII marks", story, &format_tree, &ascii,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 -> 100.85.80.11 icmp mark "
	  "0x0 uid 1000\n"
	  "      0  from all                        table local     no route\n"
	  "   5208  from all                        table main      default via "
	  "192.0.2.1 dev eth0, suppressed: prefix length 0 <= 0\n"
	  " > 5209  not from all fwmark 0xca6c      table 51820     default dev "
	  "mullvad-nl2\n"
	  "   5270  from all                        table 52        not reached\n"
	  "   => dev mullvad-nl2 src 10.64.0.2\n" },
	{ "colours", story, &format_tree, &color,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark "
	  "0x0 uid 1000\n"
	  "\033[2m      0\033[0m  from all                        table local     no route\n"
	  "\033[2m   5208\033[0m  from all                        table main      "
	  "\033[33mdefault via 192.0.2.1 dev eth0, suppressed: prefix length 0 ≤ "
	  "0\033[0m\n"
	  "\033[1;32m ▶ 5209\033[0m  not from all fwmark 0xca6c      table 51820     "
	  "\033[1;32mdefault dev mullvad-nl2\033[0m\n"
	  "\033[2m   5270\033[0m  from all                        table 52        "
	  "\033[2mnot reached\033[0m\n"
	  "   \033[1;32m⇒\033[0m dev mullvad-nl2 src 10.64.0.2\n" },
	{ "a reject rule", refused_by_rule, &format_tree, &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 tcp 40000 → "
	  "443 mark 0x80000 uid 1000 oif if7 tos 0x10 netns blue net\n"
	  " ▶ 5250  from all fwmark 0x80000/0xff0000  unreachable     unreachable\n"
	  "   ⇒ ENETUNREACH: unreachable by rule 5250\n" },
	{ "a reject rule", refused_by_rule, &format_line, &plain,
	  "time=2026-11-22T12:01:33.123456Z netns=blue\\x20net purpose=output "
	  "cause=send comm=ping pid=4242 src=0.0.0.0 dst=100.85.80.11 proto=tcp "
	  "sport=40000 dport=443 mark=0x80000 uid=1000 pref=5250 table=- "
	  "prefix=- dev=- gw=- prefsrc=- suppressed=- err=ENETUNREACH findings=-\n" },
	{ "a reject rule", refused_by_rule, &format_json, &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":null,\"cpu\":1,\"netns\":4026531840,"
	  "\"netns_name\":\"blue net\",\"family\":\"inet\",\"purpose\":\"output\","
	  "\"cause\":\"send\",\"group\":7,\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\","
	  "\"uid\":1000},\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\","
	  "\"dst\":\"100.85.80.11\",\"iif\":\"lo\",\"oif\":\"if7\",\"fwmark\":\"0x80000\","
	  "\"fwmark_owner\":null,\"tos\":\"0x10\",\"protocol\":\"tcp\",\"sport\":40000,\"dport\":"
	  "443,"
	  "\"icmp_type\":null,\"icmp_code\":null,\"uid\":1000,\"tun_id\":null,"
	  "\"l3mdev\":null,\"flowlabel\":null},\"steps\":[{\"priority\":5250,"
	  "\"selector\":\"from all fwmark 0x80000/0xff0000\",\"rule\":{\"priority\":5250,"
	  "\"src\":\"all\",\"fwmark\":\"0x80000\",\"fwmask\":\"0xff0000\","
	  "\"action\":\"unreachable\"},\"action\":\"unreachable\",\"table\":null,"
	  "\"table_id\":null,\"outcome\":\"unreachable\",\"evidence\":\"derived\"}],"
	  "\"verdict\":{\"error\":\"ENETUNREACH\",\"decided_by\":\"rule\",\"priority\":5250,"
	  "\"table\":null,\"table_id\":null,\"type\":\"unreachable\",\"dst\":null,"
	  "\"prefixlen\":null,\"gateway\":null,\"dev\":null,\"prefsrc\":null,"
	  "\"nexthops\":null,\"nexthop\":null,\"weight\":null},\"findings\":null}\n" },
	{ "a reject rule in colour", refused_by_rule, &format_tree, &color,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 tcp 40000 → "
	  "443 mark 0x80000 uid 1000 oif if7 tos 0x10 netns blue net\n"
	  "\033[31m ▶ 5250\033[0m  from all fwmark 0x80000/0xff0000  unreachable     "
	  "\033[31munreachable\033[0m\n"
	  "   \033[31m⇒ ENETUNREACH: unreachable by rule 5250\033[0m\n" },
	{ "a reject route", refused_by_route, &format_tree, &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark "
	  "0x0 uid 1000\n"
	  "▶ 32766  from all                        table main      prohibit "
	  "100.64.0.0/10\n"
	  "   ⇒ EACCES: prohibit 100.64.0.0/10 in table main by rule 32766\n" },
	{ "a reject route", refused_by_route, &format_line, &plain,
	  "time=2026-11-22T12:01:33.123456Z netns=4026531840 purpose=output "
	  "cause=send comm=ping pid=4242 src=0.0.0.0 dst=100.85.80.11 proto=icmp "
	  "sport=- dport=- mark=0x0 uid=1000 pref=32766 table=main prefix=- "
	  "dev=- gw=- prefsrc=- suppressed=- err=EACCES findings=-\n" },
	{ "a reject route", refused_by_route, &format_json, &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":null,\"cpu\":1,\"netns\":4026531840,"
	  "\"netns_name\":null,\"family\":\"inet\",\"purpose\":\"output\",\"cause\":\"send\","
	  "\"group\":7,"
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\",\"uid\":1000},"
	  "\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\","
	  "\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\","
	  "\"fwmark_owner\":null,\"tos\":\"0x0\",\"protocol\":\"icmp\","
	  "\"sport\":null,\"dport\":null,\"icmp_type\":8,\"icmp_code\":0,\"uid\":1000,"
	  "\"tun_id\":null,\"l3mdev\":null,\"flowlabel\":null},"
	  "\"steps\":[{\"priority\":32766,\"selector\":\"from all\","
	  "\"rule\":{\"priority\":32766,\"src\":\"all\",\"table\":\"main\"},"
	  "\"action\":\"lookup\",\"table\":\"main\",\"table_id\":254,\"outcome\":\"prohibit\","
	  "\"route\":{\"type\":\"prohibit\",\"dst\":\"100.64.0.0/10\"},"
	  "\"evidence\":\"kernel\"}],\"verdict\":{\"error\":\"EACCES\",\"decided_by\":\"rule\","
	  "\"priority\":32766,\"table\":\"main\",\"table_id\":254,\"type\":\"prohibit\","
	  "\"dst\":null,\"prefixlen\":null,\"gateway\":null,\"dev\":null,\"prefsrc\":null,"
	  "\"nexthops\":null,\"nexthop\":null,\"weight\":null},\"findings\":null}\n" },
	{ "the end of the rules", end_of_rules, &format_tree, &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark "
	  "0x0 uid 1000\n"
	  "     10  from all                        goto 100        continues at rule 100\n"
	  "     50  from all                        table 52        not reached: jumped over by "
	  "rule 10, has 100.85.80.11 dev tailscale0\n"
	  "     60  from all                        prohibit        not reached: jumped over by "
	  "rule 10\n"
	  "    100  from all                        nop             continues "
	  "with the next rule\n"
	  "    101  from all                        goto 99         unresolved: "
	  "there is no rule 99\n"
	  "    102  from all                        table 7         throw 100.64.0.0/10\n"
	  "    103  from all                        table 9         no such table\n"
	  "   ⇒ ENETUNREACH: end of the rules\n" },
	{ "the end of the rules", end_of_rules, &format_line, &plain,
	  "time=2026-11-22T12:01:33.123456Z netns=4026531840 purpose=output "
	  "cause=send comm=ping pid=4242 src=0.0.0.0 dst=100.85.80.11 proto=icmp "
	  "sport=- dport=- mark=0x0 uid=1000 pref=- table=- prefix=- dev=- gw=- "
	  "prefsrc=- suppressed=- err=ENETUNREACH findings=-\n" },
	{ "the end of the rules", end_of_rules, &format_json, &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":null,\"cpu\":1,\"netns\":4026531840,"
	  "\"netns_name\":null,\"family\":\"inet\",\"purpose\":\"output\",\"cause\":\"send\","
	  "\"group\":7,"
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\",\"uid\":1000},"
	  "\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\","
	  "\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\","
	  "\"fwmark_owner\":null,\"tos\":\"0x0\",\"protocol\":\"icmp\","
	  "\"sport\":null,\"dport\":null,\"icmp_type\":8,\"icmp_code\":0,\"uid\":1000,"
	  "\"tun_id\":null,\"l3mdev\":null,\"flowlabel\":null},\"steps\":[{\"priority\":10,"
	  "\"selector\":\"from all\",\"rule\":{\"priority\":10,\"src\":\"all\",\"goto\":100,"
	  "\"unresolved\":null},"
	  "\"action\":\"goto\",\"table\":null,\"table_id\":null,\"outcome\":\"goto\","
	  "\"target\":100,\"evidence\":\"kernel\"},{\"priority\":50,"
	  "\"selector\":\"from all\",\"rule\":{\"priority\":50,\"src\":\"all\",\"table\":\"52\"},"
	  "\"action\":\"lookup\",\"table\":\"52\",\"table_id\":52,\"outcome\":\"not-reached\","
	  "\"would_match\":{\"dst\":\"100.85.80.11\",\"dev\":\"tailscale0\"},"
	  "\"reason\":\"goto\",\"by\":10,\"evidence\":\"derived\"},{\"priority\":60,"
	  "\"selector\":\"from all\",\"rule\":{\"priority\":60,\"src\":\"all\","
	  "\"action\":\"prohibit\"},\"action\":\"prohibit\",\"table\":null,\"table_id\":null,"
	  "\"outcome\":\"not-reached\",\"reason\":\"goto\",\"by\":10,\"evidence\":\"derived\"},{"
	  "\"priority\":100,\"selector\":\"from all\","
	  "\"rule\":{\"priority\":100,\"src\":\"all\",\"nop\":null},\"action\":\"nop\","
	  "\"table\":null,\"table_id\":null,\"outcome\":\"nop\",\"evidence\":\"kernel\"},"
	  "{\"priority\":101,\"selector\":\"from all\",\"rule\":{\"priority\":101,"
	  "\"src\":\"all\",\"goto\":99},\"action\":\"goto\",\"table\":null,"
	  "\"table_id\":null,\"outcome\":\"goto\",\"target\":99,\"unresolved\":true,"
	  "\"evidence\":\"kernel\"},{\"priority\":102,"
	  "\"selector\":\"from all\",\"rule\":{\"priority\":102,\"src\":\"all\",\"table\":\"7\"},"
	  "\"action\":\"lookup\",\"table\":\"7\",\"table_id\":7,\"outcome\":\"throw\","
	  "\"route\":{\"type\":\"throw\",\"dst\":\"100.64.0.0/10\"},\"evidence\":\"kernel\"},"
	  "{\"priority\":103,\"selector\":\"from all\",\"rule\":{\"priority\":103,"
	  "\"src\":\"all\",\"table\":\"9\"},\"action\":\"lookup\",\"table\":\"9\",\"table_id\":9,"
	  "\"outcome\":\"no-table\",\"evidence\":\"kernel\"}],"
	  "\"verdict\":{\"error\":\"ENETUNREACH\",\"decided_by\":\"end-of-rules\","
	  "\"priority\":null,\"table\":null,\"table_id\":null,\"type\":\"none\",\"dst\":null,"
	  "\"prefixlen\":null,\"gateway\":null,\"dev\":null,\"prefsrc\":null,"
	  "\"nexthops\":null,\"nexthop\":null,\"weight\":null},\"findings\":null}\n" },
	{ "a source-check under the built-in rules, in softirq", source_check, &format_tree, &plain,
	  "12:01:33.123456 softirq source-check of 192.0.2.9 (packet 192.0.2.9 → "
	  "192.0.2.2) mark 0x0 iif eth0\n"
	  "         built-in rules (no custom rules in this namespace)\n"
	  "▶ 32766  (no rule)                       table main      chosen\n"
	  "   ⇒ dev eth0\n" },
	{ "a source-check under the built-in rules, in softirq", source_check, &format_line, &plain,
	  "time=2026-11-22T12:01:33.123456Z netns=4026531840 "
	  "purpose=source-check cause=receive comm=- pid=- src=192.0.2.2 "
	  "dst=192.0.2.9 proto=- sport=- dport=- mark=0x0 uid=- pref=32766 "
	  "table=main prefix=192.0.2.0/24 dev=eth0 gw=- prefsrc=- suppressed=- "
	  "err=- findings=-\n" },
	{ "a source-check under the built-in rules, in softirq", source_check, &format_json, &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":null,\"cpu\":1,\"netns\":4026531840,"
	  "\"netns_name\":null,\"family\":\"inet\",\"purpose\":\"source-check\","
	  "\"cause\":\"receive\",\"group\":7,\"process\":null,\"context\":\"softirq\","
	  "\"flow\":{\"src\":\"192.0.2.2\",\"dst\":\"192.0.2.9\",\"iif\":\"eth0\",\"oif\":null,"
	  "\"fwmark\":\"0x0\","
	  "\"fwmark_owner\":null,\"tos\":\"0x0\",\"protocol\":null,\"sport\":null,\"dport\":null,"
	  "\"icmp_type\":null,\"icmp_code\":null,\"uid\":null,\"tun_id\":null,"
	  "\"l3mdev\":null,\"flowlabel\":null},\"steps\":[{\"priority\":32766,"
	  "\"selector\":null,\"rule\":null,\"action\":\"lookup\",\"table\":\"main\","
	  "\"table_id\":254,\"outcome\":\"chosen\",\"evidence\":\"kernel\"}],"
	  "\"verdict\":{\"error\":null,\"decided_by\":\"built-in\",\"priority\":32766,"
	  "\"table\":\"main\",\"table_id\":254,\"type\":\"unicast\",\"dst\":\"192.0.2.0/24\","
	  "\"prefixlen\":24,\"gateway\":null,\"dev\":\"eth0\",\"prefsrc\":null,"
	  "\"nexthops\":null,\"nexthop\":null,\"weight\":null},\"findings\":null}\n" },
	{ "a bound device overrides the rules", bound_device, &format_tree, &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark "
	  "0x0 uid 1000 oif wlan0\n"
	  "  32766  from all                        table main      no route\n"
	  "   ⇒ dev wlan0 on-link through the bound device; the rules said no route\n" },
	{ "a bound device overrides the rules", bound_device, &format_line, &plain,
	  "time=2026-11-22T12:01:33.123456Z netns=4026531840 purpose=output "
	  "cause=send comm=ping pid=4242 src=0.0.0.0 dst=100.85.80.11 proto=icmp "
	  "sport=- dport=- mark=0x0 uid=1000 pref=- table=- prefix=- dev=wlan0 "
	  "gw=- prefsrc=- suppressed=- err=- findings=-\n" },
	{ "a bound device overrides the rules", bound_device, &format_json, &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":null,\"cpu\":1,\"netns\":4026531840,"
	  "\"netns_name\":null,\"family\":\"inet\",\"purpose\":\"output\",\"cause\":\"send\","
	  "\"group\":7,"
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\",\"uid\":1000},"
	  "\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\","
	  "\"iif\":\"lo\",\"oif\":\"wlan0\",\"fwmark\":\"0x0\","
	  "\"fwmark_owner\":null,\"tos\":\"0x0\",\"protocol\":"
	  "\"icmp\","
	  "\"sport\":null,\"dport\":null,\"icmp_type\":8,\"icmp_code\":0,\"uid\":1000,"
	  "\"tun_id\":null,\"l3mdev\":null,\"flowlabel\":null},"
	  "\"steps\":[{\"priority\":32766,\"selector\":\"from all\","
	  "\"rule\":{\"priority\":32766,\"src\":\"all\",\"table\":\"main\"},"
	  "\"action\":\"lookup\",\"table\":\"main\",\"table_id\":254,\"outcome\":\"no-route\","
	  "\"evidence\":\"kernel\"}],\"verdict\":{\"error\":null,"
	  "\"decided_by\":\"bound-device\",\"priority\":null,\"table\":null,"
	  "\"table_id\":null,\"type\":\"none\",\"dst\":null,\"prefixlen\":null,"
	  "\"gateway\":null,\"dev\":\"wlan0\",\"prefsrc\":null,\"nexthops\":null,\"nexthop\":null,"
	  "\"weight\":null},\"findings\":null}\n" },
	{ "a policy that changed", policy_changed, &format_tree, &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark "
	  "0x0 uid 1000\n"
	  "      -  (no rule)                       table 77        unknown: the "
	  "policy changed while this ran\n"
	  "   ⇒ unknown: the policy changed while this ran\n" },
	{ "a policy that cannot be read", policy_unreadable, &format_tree, &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark "
	  "0x0 uid 1000\n"
	  "      -  (no rule)                       table 77        unknown: the "
	  "rules and routes cannot be read\n"
	  "   ⇒ unknown: the rules and routes cannot be read\n" },
	{ "a policy that changed", policy_changed, &format_line, &plain,
	  "time=2026-11-22T12:01:33.123456Z netns=- purpose=output cause=send "
	  "comm=ping pid=4242 src=0.0.0.0 dst=100.85.80.11 proto=icmp sport=- "
	  "dport=- mark=0x0 uid=1000 pref=- table=- prefix=- dev=- gw=- "
	  "prefsrc=- suppressed=- err=- findings=-\n" },
	{ "a policy that changed", policy_changed, &format_json, &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":null,\"cpu\":1,\"netns\":null,"
	  "\"netns_name\":null,\"family\":\"inet\",\"purpose\":\"output\",\"cause\":\"send\","
	  "\"group\":7,"
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\",\"uid\":1000},"
	  "\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\","
	  "\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\","
	  "\"fwmark_owner\":null,\"tos\":\"0x0\",\"protocol\":\"icmp\","
	  "\"sport\":null,\"dport\":null,\"icmp_type\":8,\"icmp_code\":0,\"uid\":1000,"
	  "\"tun_id\":null,\"l3mdev\":null,\"flowlabel\":null},"
	  "\"steps\":[{\"priority\":null,\"selector\":null,\"rule\":null,"
	  "\"action\":\"lookup\",\"table\":\"77\",\"table_id\":77,\"outcome\":\"unknown\","
	  "\"reason\":\"policy-changed\",\"evidence\":\"kernel\"}],"
	  "\"verdict\":{\"error\":null,\"decided_by\":\"unknown\",\"priority\":null,"
	  "\"table\":null,\"table_id\":null,\"type\":\"none\",\"dst\":null,"
	  "\"prefixlen\":null,\"gateway\":null,\"dev\":null,\"prefsrc\":null,"
	  "\"nexthops\":null,\"nexthop\":null,\"weight\":null},\"findings\":null}\n" },
	{ "hostile names", hostile_names, &format_tree, &plain,
	  "12:01:33.123456 a\"\\x5c\\x0a\\x1b[2J\\xff 123456[4242] output 0.0.0.0 → "
	  "100.85.80.11 icmp mark 0x0 uid 1000\n"
	  " ▶    5  from all iif e\\x1b =\\xc2\\x9b [detached]  table 52        "
	  "100.64.0.0/10 dev d \\x07\n"
	  "   ⇒ dev d \\x07\n" },
	{ "hostile names", hostile_names, &format_line, &plain,
	  "time=2026-11-22T12:01:33.123456Z netns=4026531840 purpose=output "
	  "cause=send comm=a\"\\x5c\\x0a\\x1b[2J\\xff\\x20123456 pid=4242 src=0.0.0.0 "
	  "dst=100.85.80.11 proto=icmp sport=- dport=- mark=0x0 uid=1000 pref=5 "
	  "table=52 prefix=100.64.0.0/10 dev=d\\x20\\x07 gw=- prefsrc=- "
	  "suppressed=- err=- findings=-\n" },
	{ "hostile names", hostile_names, &format_json, &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":null,\"cpu\":1,\"netns\":4026531840,"
	  "\"netns_name\":null,\"family\":\"inet\",\"purpose\":\"output\",\"cause\":\"send\","
	  "\"group\":7,"
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"a\\\"\\\\\\u000a\\u001b[2J\\ufffd "
	  "123456\",\"uid\":1000},\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\","
	  "\"dst\":\"100.85.80.11\",\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\","
	  "\"fwmark_owner\":null,\"tos\":\"0x0\","
	  "\"protocol\":\"icmp\",\"sport\":null,\"dport\":null,\"icmp_type\":8,"
	  "\"icmp_code\":0,\"uid\":1000,\"tun_id\":null,\"l3mdev\":null,"
	  "\"flowlabel\":null},\"steps\":[{\"priority\":5,\"selector\":\"from all iif "
	  "e\\u001b =\\u009b [detached]\",\"rule\":{\"priority\":5,\"src\":\"all\","
	  "\"iif\":\"e\\u001b =\\u009b\",\"iif_detached\":null,\"table\":\"52\"},"
	  "\"action\":\"lookup\",\"table\":\"52\",\"table_id\":52,\"outcome\":\"chosen\","
	  "\"route\":{\"dst\":\"100.64.0.0/10\",\"dev\":\"d \\u0007\"},"
	  "\"evidence\":\"kernel\"}],\"verdict\":{\"error\":null,\"decided_by\":\"rule\","
	  "\"priority\":5,\"table\":\"52\",\"table_id\":52,\"type\":\"unicast\","
	  "\"dst\":\"100.64.0.0/10\",\"prefixlen\":10,\"gateway\":null,\"dev\":\"d \\u0007\","
	  "\"prefsrc\":null,\"nexthops\":1,\"nexthop\":null,\"weight\":null},\"findings\":null}"
	  "\n" },
	{ "a gateway of another family", gateway_of_other_family, &format_tree, &plain,
	  "12:01:33.123456 kthread output 0.0.0.0 → 100.85.80.11 proto 200 mark "
	  "0x0 uid 1000 tun_id 9 l3mdev 12\n"
	  " ▶    -  (no rule)                       table default   100.85.80.11 "
	  "via inet6 fe80::1 dev if9\n"
	  "   ⇒ via inet6 fe80::1 dev if9 (table asked without rules)\n" },
	{ "a gateway of another family", gateway_of_other_family, &format_line, &plain,
	  "time=2026-11-22T12:01:33.123456Z netns=4026531840 purpose=output "
	  "cause=send comm=- pid=- src=0.0.0.0 dst=100.85.80.11 proto=200 "
	  "sport=- dport=- mark=0x0 uid=1000 pref=- table=default "
	  "prefix=100.85.80.11 dev=if9 gw=fe80::1 prefsrc=- suppressed=- err=- "
	  "findings=-\n" },
	{ "a gateway of another family", gateway_of_other_family, &format_json, &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":1500,\"cpu\":1,\"netns\":4026531840,"
	  "\"netns_name\":null,\"family\":\"inet\",\"purpose\":\"output\",\"cause\":\"send\","
	  "\"group\":7,"
	  "\"process\":null,\"context\":\"kthread\",\"flow\":{\"src\":\"0.0.0.0\","
	  "\"dst\":\"100.85.80.11\",\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\","
	  "\"fwmark_owner\":null,\"tos\":\"0x0\","
	  "\"protocol\":\"200\",\"sport\":null,\"dport\":null,\"icmp_type\":null,"
	  "\"icmp_code\":null,\"uid\":1000,\"tun_id\":9,\"l3mdev\":12,\"flowlabel\":null},"
	  "\"steps\":[{\"priority\":null,\"selector\":null,\"rule\":null,"
	  "\"action\":\"lookup\",\"table\":\"default\",\"table_id\":253,\"outcome\":\"chosen\","
	  "\"route\":{\"dst\":\"100.85.80.11\",\"via\":{\"family\":\"inet6\","
	  "\"host\":\"fe80::1\"},\"dev\":\"if9\"},\"evidence\":\"kernel\"}],"
	  "\"verdict\":{\"error\":null,\"decided_by\":\"direct\",\"priority\":null,"
	  "\"table\":\"default\",\"table_id\":253,\"type\":\"unicast\","
	  "\"dst\":\"100.85.80.11\",\"prefixlen\":32,\"gateway\":\"fe80::1\",\"dev\":\"if9\","
	  "\"prefsrc\":null,\"nexthops\":1,\"nexthop\":null,\"weight\":null},\"findings\":null}"
	  "\n" },
	{ "time spent", gateway_of_other_family, &format_tree, &verbose,
	  "12:01:33.123456 kthread output 0.0.0.0 → 100.85.80.11 proto 200 mark "
	  "0x0 uid 1000 tos 0x0 tun_id 9 l3mdev 12 cause send group 7 cpu 1 inode "
	  "4026531840 took 1500ns\n"
	  " ▶    -  (no rule)                       table default   100.85.80.11 "
	  "via inet6 fe80::1 dev if9 (kernel)\n"
	  "   ⇒ via inet6 fe80::1 dev if9 (table asked without rules)\n" },
	{ "every selector", every_selector, &format_tree, &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark "
	  "0x0 uid 1000\n"
	  "     12  from 10.0.0.0/8 to 192.0.2.1 tos 0x08 fwmark 0/0xff oif wg0 "
	  "[detached] uidrange 0-0 ipproto ipproto-200 sport 0x16/0xff00 dport "
	  "100-200 tun_id 77 dscp 0x2e/0x3e attr30=0x2e  table 252       "
	  "suppressed: device group 5\n"
	  "   ⇒ ENETUNREACH: end of the rules\n" },
	{ "every selector", every_selector, &format_json, &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":null,\"cpu\":1,\"netns\":4026531840,"
	  "\"netns_name\":null,\"family\":\"inet\",\"purpose\":\"output\",\"cause\":\"send\","
	  "\"group\":7,"
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\",\"uid\":1000},"
	  "\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\","
	  "\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\","
	  "\"fwmark_owner\":null,\"tos\":\"0x0\",\"protocol\":\"icmp\","
	  "\"sport\":null,\"dport\":null,\"icmp_type\":8,\"icmp_code\":0,\"uid\":1000,"
	  "\"tun_id\":null,\"l3mdev\":null,\"flowlabel\":null},\"steps\":[{\"priority\":12,"
	  "\"selector\":\"from 10.0.0.0/8 to 192.0.2.1 tos 0x08 fwmark 0/0xff oif "
	  "wg0 [detached] uidrange 0-0 ipproto ipproto-200 sport 0x16/0xff00 "
	  "dport 100-200 tun_id 77 dscp 0x2e/0x3e attr30=0x2e\","
	  "\"rule\":{\"priority\":12,\"src\":\"10.0.0.0\",\"srclen\":8,\"dst\":\"192.0.2.1\","
	  "\"tos\":\"0x08\",\"dscp\":\"0x2e\",\"dscp_mask\":\"0x3e\",\"fwmark\":\"0\","
	  "\"fwmask\":\"0xff\",\"oif\":\"wg0\",\"oif_detached\":null,\"uid_start\":0,"
	  "\"uid_end\":0,\"ipproto\":\"ipproto-200\",\"sport\":22,\"sport_mask\":\"0xff00\","
	  "\"dport_start\":100,\"dport_end\":200,\"tun_id\":77,\"table\":\"252\","
	  "\"suppress_ifgroup\":\"5\",\"flow_from\":\"3\",\"flow_to\":\"4\",\"protocol\":\"250\","
	  "\"unknown\":[{\"type\":30,\"data\":\"0x2e\"}]},\"action\":\"lookup\","
	  "\"table\":\"252\",\"table_id\":252,\"outcome\":\"suppressed\","
	  "\"suppressor\":\"suppress_ifgroup 5\",\"evidence\":\"kernel\"}],"
	  "\"verdict\":{\"error\":\"ENETUNREACH\",\"decided_by\":\"end-of-rules\","
	  "\"priority\":null,\"table\":null,\"table_id\":null,\"type\":\"none\",\"dst\":null,"
	  "\"prefixlen\":null,\"gateway\":null,\"dev\":null,\"prefsrc\":null,"
	  "\"nexthops\":null,\"nexthop\":null,\"weight\":null},\"findings\":null}\n" },
	{ "what was skipped says why, and what was found stands below", explained, &format_tree,
	  &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark 0x0 uid "
	  "1000\n"
	  "      0  from all                          table local     no route\n"
	  "   5208  from all                          table main      default via "
	  "192.0.2.1 dev eth0, suppressed: prefix length 0 ≤ 0\n"
	  " ▶ 5209  not from all fwmark 0xca6c        table 51820     default dev "
	  "mullvad-nl2\n"
	  "   5270  from all                          table 52        not reached: has "
	  "100.85.80.11 dev tailscale0\n"
	  "   5280  from all fwmark 0x80000/0xff0000  table main      skipped: fwmark "
	  "0x0 & 0xff0000 = 0x0 ≠ 0x80000\n"
	  "   ⇒ dev mullvad-nl2 src 10.64.0.2\n"
	  "   ! 5270 has a longer prefix\n"
	  "   i the kernel chose 5209\n"
	  "   ! a hostile \\x1b name\n" },
	{ "what was skipped says why, and what was found stands below", explained, &format_tree,
	  &verbose,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp type 8 code 0 "
	  "mark 0x0 uid 1000 tos 0x0 cause send group 7 cpu 1 inode 4026531840\n"
	  "      0  from all                          table local     no route (kernel)\n"
	  "   5208  from all                          table main      default via "
	  "192.0.2.1 dev eth0, suppressed: prefix length 0 ≤ 0 (kernel)\n"
	  " ▶ 5209  not from all fwmark 0xca6c        table 51820     default dev "
	  "mullvad-nl2 (kernel)\n"
	  "   5270  from all                          table 52        not reached: has "
	  "100.85.80.11 dev tailscale0 (derived)\n"
	  "   5280  from all fwmark 0x80000/0xff0000  table main      skipped: fwmark "
	  "0x0 & 0xff0000 = 0x0 ≠ 0x80000, has default via 192.0.2.1 dev eth0 (derived)\n"
	  "   ⇒ dev mullvad-nl2 src 10.64.0.2\n"
	  "   ! 5270 has a longer prefix (shadowed-route, warning)\n"
	  "   i the kernel chose 5209 (auto-priority, info)\n"
	  "   ! a hostile \\x1b name (bypass-mark-captured, error)\n" },
	{ "what was skipped says why, and what was found stands below", explained, &format_tree,
	  &ascii,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 -> 100.85.80.11 icmp mark 0x0 uid "
	  "1000\n"
	  "      0  from all                          table local     no route\n"
	  "   5208  from all                          table main      default via "
	  "192.0.2.1 dev eth0, suppressed: prefix length 0 <= 0\n"
	  " > 5209  not from all fwmark 0xca6c        table 51820     default dev "
	  "mullvad-nl2\n"
	  "   5270  from all                          table 52        not reached: has "
	  "100.85.80.11 dev tailscale0\n"
	  "   5280  from all fwmark 0x80000/0xff0000  table main      skipped: fwmark "
	  "0x0 & 0xff0000 = 0x0 != 0x80000\n"
	  "   => dev mullvad-nl2 src 10.64.0.2\n"
	  "   ! 5270 has a longer prefix\n"
	  "   i the kernel chose 5209\n"
	  "   ! a hostile \\x1b name\n" },
	{ "what was skipped says why, and what was found stands below", explained, &format_tree,
	  &color,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark 0x0 uid "
	  "1000\n"
	  "\033[2m      0\033[0m  from all                          table local     no "
	  "route\n"
	  "\033[2m   5208\033[0m  from all                          table main      "
	  "\033[33mdefault via 192.0.2.1 dev eth0, suppressed: prefix length 0 ≤ "
	  "0\033[0m\n"
	  "\033[1;32m ▶ 5209\033[0m  not from all fwmark 0xca6c        table 51820     "
	  "\033[1;32mdefault dev mullvad-nl2\033[0m\n"
	  "\033[2m   5270\033[0m  from all                          table 52        "
	  "\033[2mnot reached: has 100.85.80.11 dev tailscale0\033[0m\n"
	  "\033[2m   5280\033[0m  from all fwmark 0x80000/0xff0000  table main      "
	  "\033[2mskipped: fwmark 0x0 & 0xff0000 = 0x0 ≠ 0x80000\033[0m\n"
	  "   \033[1;32m⇒\033[0m dev mullvad-nl2 src 10.64.0.2\n"
	  "   \033[33m! 5270 has a longer prefix\033[0m\n"
	  "   \033[2mi the kernel chose 5209\033[0m\n"
	  "   \033[31m! a hostile \\x1b name\033[0m\n" },
	{ "what was skipped says why, and what was found stands below", explained, &format_line,
	  &plain,
	  "time=2026-11-22T12:01:33.123456Z netns=4026531840 purpose=output cause=send "
	  "comm=ping pid=4242 src=0.0.0.0 dst=100.85.80.11 proto=icmp sport=- dport=- "
	  "mark=0x0 uid=1000 pref=5209 table=51820 prefix=default dev=mullvad-nl2 gw=- "
	  "prefsrc=10.64.0.2 suppressed=5208 err=- findings=shadowed-route,auto-priority,"
	  "bypass-mark-captured\n" },
	{ "what was skipped says why, and what was found stands below", explained, &format_json,
	  &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":null,\"cpu\":1,\"netns\":4026531840,"
	  "\"netns_name\":null,\"family\":\"inet\",\"purpose\":\"output\","
	  "\"cause\":\"send\",\"group\":7,\"process\":{\"pid\":4242,\"tid\":4242,"
	  "\"comm\":\"ping\",\"uid\":1000},\"context\":\"task\","
	  "\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\",\"iif\":\"lo\","
	  "\"oif\":null,\"fwmark\":\"0x0\",\"fwmark_owner\":null,\"tos\":\"0x0\","
	  "\"protocol\":\"icmp\",\"sport\":null,\"dport\":null,\"icmp_type\":8,"
	  "\"icmp_code\":0,\"uid\":1000,\"tun_id\":null,\"l3mdev\":null,"
	  "\"flowlabel\":null},\"steps\":[{\"priority\":0,\"selector\":\"from all\","
	  "\"rule\":{\"priority\":0,\"src\":\"all\",\"table\":\"local\"},"
	  "\"action\":\"lookup\",\"table\":\"local\",\"table_id\":255,"
	  "\"outcome\":\"no-route\",\"evidence\":\"kernel\"},{\"priority\":5208,"
	  "\"selector\":\"from all\",\"rule\":{\"priority\":5208,\"src\":\"all\","
	  "\"table\":\"main\",\"suppress_prefixlen\":0},\"action\":\"lookup\","
	  "\"table\":\"main\",\"table_id\":254,\"outcome\":\"suppressed\","
	  "\"suppressor\":\"suppress_prefixlength 0\",\"route\":{\"dst\":\"default\","
	  "\"gateway\":\"192.0.2.1\",\"dev\":\"eth0\"},\"evidence\":\"kernel\"},"
	  "{\"priority\":5209,\"selector\":\"not from all fwmark 0xca6c\","
	  "\"rule\":{\"priority\":5209,\"not\":true,\"src\":\"all\","
	  "\"fwmark\":\"0xca6c\",\"table\":\"51820\"},\"action\":\"lookup\","
	  "\"table\":\"51820\",\"table_id\":51820,\"outcome\":\"chosen\","
	  "\"route\":{\"dst\":\"default\",\"dev\":\"mullvad-nl2\"},"
	  "\"evidence\":\"kernel\"},{\"priority\":5270,\"selector\":\"from all\","
	  "\"rule\":{\"priority\":5270,\"src\":\"all\",\"table\":\"52\"},"
	  "\"action\":\"lookup\",\"table\":\"52\",\"table_id\":52,"
	  "\"outcome\":\"not-reached\",\"would_match\":{\"dst\":\"100.85.80.11\","
	  "\"dev\":\"tailscale0\"},\"evidence\":\"derived\"},{\"priority\":5280,"
	  "\"selector\":\"from all fwmark 0x80000/0xff0000\","
	  "\"rule\":{\"priority\":5280,\"src\":\"all\",\"fwmark\":\"0x80000\","
	  "\"fwmask\":\"0xff0000\",\"table\":\"main\"},\"action\":\"lookup\","
	  "\"table\":\"main\",\"table_id\":254,\"outcome\":\"skipped\","
	  "\"would_match\":{\"dst\":\"default\",\"gateway\":\"192.0.2.1\","
	  "\"dev\":\"eth0\"},\"mismatch\":\"fwmark\",\"reason\":\"fwmark 0x0 & "
	  "0xff0000 = 0x0 ≠ 0x80000\",\"evidence\":\"derived\"}],"
	  "\"verdict\":{\"error\":null,\"decided_by\":\"rule\",\"priority\":5209,"
	  "\"table\":\"51820\",\"table_id\":51820,\"type\":\"unicast\","
	  "\"dst\":\"default\",\"prefixlen\":0,\"gateway\":null,"
	  "\"dev\":\"mullvad-nl2\",\"prefsrc\":\"10.64.0.2\",\"nexthops\":1,"
	  "\"nexthop\":null,\"weight\":null},\"findings\":[{\"kind\":\"shadowed-route\""
	  ",\"severity\":\"warning\",\"priority\":5270,\"by\":5209,\"text\":\"5270 has "
	  "a longer prefix\"},{\"kind\":\"auto-priority\",\"severity\":\"info\","
	  "\"priority\":5209,\"by\":null,\"text\":\"the kernel chose 5209\"},"
	  "{\"kind\":\"bypass-mark-captured\",\"severity\":\"error\",\"priority\":null,"
	  "\"by\":null,\"text\":\"a hostile \\u001b name\"}]}\n" },
	{ "nothing is found", nothing_found, &format_json, &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":null,\"cpu\":1,\"netns\":4026531840,"
	  "\"netns_name\":\"blue net\",\"family\":\"inet\",\"purpose\":\"output\","
	  "\"cause\":\"send\",\"group\":7,\"process\":{\"pid\":4242,\"tid\":4242,"
	  "\"comm\":\"ping\",\"uid\":1000},\"context\":\"task\","
	  "\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\",\"iif\":\"lo\","
	  "\"oif\":\"if7\",\"fwmark\":\"0x80000\",\"fwmark_owner\":null,"
	  "\"tos\":\"0x10\",\"protocol\":\"tcp\",\"sport\":40000,\"dport\":443,"
	  "\"icmp_type\":null,\"icmp_code\":null,\"uid\":1000,\"tun_id\":null,"
	  "\"l3mdev\":null,\"flowlabel\":null},\"steps\":[{\"priority\":5250,"
	  "\"selector\":\"from all fwmark 0x80000/0xff0000\","
	  "\"rule\":{\"priority\":5250,\"src\":\"all\",\"fwmark\":\"0x80000\","
	  "\"fwmask\":\"0xff0000\",\"action\":\"unreachable\"},"
	  "\"action\":\"unreachable\",\"table\":null,\"table_id\":null,"
	  "\"outcome\":\"unreachable\",\"evidence\":\"derived\"}],"
	  "\"verdict\":{\"error\":\"ENETUNREACH\",\"decided_by\":\"rule\","
	  "\"priority\":5250,\"table\":null,\"table_id\":null,\"type\":\"unreachable\","
	  "\"dst\":null,\"prefixlen\":null,\"gateway\":null,\"dev\":null,"
	  "\"prefsrc\":null,\"nexthops\":null,\"nexthop\":null,\"weight\":null},"
	  "\"findings\":[]}\n" },
	{ "rules for others take one line", rules_for_others, &format_tree, &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark 0x0 uid "
	  "1000\n"
	  "        … 3 rules skipped: fwmark, iif\n"
	  " ▶    4  from all                        table main      default dev eth0\n"
	  "        … 3 rules not reached\n"
	  "   ⇒ dev eth0\n" },
	{ "rules for others take one line", rules_for_others, &format_tree, &ascii,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 -> 100.85.80.11 icmp mark 0x0 uid "
	  "1000\n"
	  "      ... 3 rules skipped: fwmark, iif\n"
	  " >    4  from all                        table main      default dev eth0\n"
	  "      ... 3 rules not reached\n"
	  "   => dev eth0\n" },
	{ "rules for others take one line", rules_for_others, &format_tree, &color,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark 0x0 uid "
	  "1000\n"
	  "        \033[2m… 3 rules skipped: fwmark, iif\033[0m\n"
	  "\033[1;32m ▶    4\033[0m  from all                        table main      "
	  "\033[1;32mdefault dev eth0\033[0m\n"
	  "        \033[2m… 3 rules not reached\033[0m\n"
	  "   \033[1;32m⇒\033[0m dev eth0\n" },
	{ "rules for others take one line", rules_for_others, &format_tree, &verbose,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp type 8 code 0 "
	  "mark 0x0 uid 1000 tos 0x0 cause send group 7 cpu 1 inode 4026531840\n"
	  "      1  from all fwmark 0x1             table 101       skipped: fwmark "
	  "0x0 ≠ 0x1 (derived)\n"
	  "      2  from all fwmark 0x2             table 102       skipped: fwmark "
	  "0x0 ≠ 0x2, has default dev wg0 (derived)\n"
	  "      3  from all iif eth0               table 103       skipped: iif lo, "
	  "needs eth0 (derived)\n"
	  " ▶    4  from all                        table main      default dev eth0 "
	  "(kernel)\n"
	  "      5  from all                        table 105       not reached "
	  "(kernel)\n"
	  "      6  from all                        table 105       not reached "
	  "(kernel)\n"
	  "      7  from all                        table 105       not reached "
	  "(kernel)\n"
	  "   ⇒ dev eth0\n" },
	{ "a rule of which something was found takes its own", found_among_others, &format_tree,
	  &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark 0x0 uid "
	  "1000\n"
	  "      1  from all fwmark 0x1             table 101       skipped: fwmark "
	  "0x0 ≠ 0x1\n"
	  "      2  from all fwmark 0x2             table 102       skipped: fwmark "
	  "0x0 ≠ 0x2, has default dev wg0\n"
	  "      3  from all iif eth0               table 103       skipped: iif lo, "
	  "needs eth0\n"
	  " ▶    4  from all                        table main      default dev eth0\n"
	  "        … 3 rules not reached\n"
	  "   ⇒ dev eth0\n"
	  "   ! 2 was nearly for it\n" },
	{ "hostile names of devices", hostile_mismatch, &format_tree, &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark 0x0 uid "
	  "1000 iif a\\x0ab\n"
	  "      5  from all iif e\\x1b =\\xc2\\x9b    table 52        skipped: iif "
	  "a\\x0ab, needs e\\x1b =\\xc2\\x9b\n"
	  "   ⇒ ENETUNREACH: end of the rules\n" },
	{ "hostile names of devices", hostile_mismatch, &format_json, &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":null,\"cpu\":1,\"netns\":4026531840,"
	  "\"netns_name\":null,\"family\":\"inet\",\"purpose\":\"output\","
	  "\"cause\":\"send\",\"group\":7,\"process\":{\"pid\":4242,\"tid\":4242,"
	  "\"comm\":\"ping\",\"uid\":1000},\"context\":\"task\","
	  "\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\","
	  "\"iif\":\"a\\u000ab\",\"oif\":null,\"fwmark\":\"0x0\",\"fwmark_owner\":null,"
	  "\"tos\":\"0x0\",\"protocol\":\"icmp\",\"sport\":null,\"dport\":null,"
	  "\"icmp_type\":8,\"icmp_code\":0,\"uid\":1000,\"tun_id\":null,"
	  "\"l3mdev\":null,\"flowlabel\":null},\"steps\":[{\"priority\":5,"
	  "\"selector\":\"from all iif e\\u001b =\\u009b\",\"rule\":{\"priority\":5,"
	  "\"src\":\"all\",\"iif\":\"e\\u001b =\\u009b\",\"table\":\"52\"},"
	  "\"action\":\"lookup\",\"table\":\"52\",\"table_id\":52,"
	  "\"outcome\":\"skipped\",\"mismatch\":\"iif\",\"reason\":\"iif a\\u000ab, "
	  "needs e\\u001b =\\u009b\",\"evidence\":\"derived\"}],"
	  "\"verdict\":{\"error\":\"ENETUNREACH\",\"decided_by\":\"end-of-rules\","
	  "\"priority\":null,\"table\":null,\"table_id\":null,\"type\":\"none\","
	  "\"dst\":null,\"prefixlen\":null,\"gateway\":null,\"dev\":null,"
	  "\"prefsrc\":null,\"nexthops\":null,\"nexthop\":null,\"weight\":null},"
	  "\"findings\":null}\n" },
};

static void every_lookup_is_written_as_its_row_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(golden_rows); i++) {
		const struct golden_row *row = &golden_rows[i];
		struct fixture fixture;
		struct render_options options = *row->options;
		struct text out = { 0 };

		fixture_begin(&fixture);
		options.names = fixture.names;
		row->explain(&fixture);
		row->format->lookup(&out, &fixture.lookup, &options);
		print_message("  %s: %s\n", row->format->name, row->fact);
		assert_string_equal(text_string(&out), row->want);
		text_free(&out);
		fixture_end(&fixture);
	}
}

/* A packet from 192.0.2.9. */
static void received(struct fixture *fixture, const char *dst, uint32_t priority, uint32_t table,
		     uint8_t type)
{
	struct lookup *lookup = &fixture->lookup;

	source_check(fixture);
	lookup->purpose = PURPOSE_INPUT;
	address(lookup->key.src, "192.0.2.9");
	address(lookup->key.dst, dst);
	verdict_by_rule(lookup, priority, table, 0);
	lookup->verdict.route.type = type;
}

static void to_this_host(struct fixture *fixture)
{
	received(fixture, "192.0.2.2", 0, 255, RTN_LOCAL);
}

static void to_all_hosts(struct fixture *fixture)
{
	received(fixture, "192.0.2.255", 32766, 254, RTN_BROADCAST);
}

struct brief_row {
	const char *fact;
	void (*explain)(struct fixture *fixture);
	const struct render_options *options;
	const char *want;
};

static const struct brief_row brief_rows[] = {
	{ "the rule, table and device that were found", story, &plain,
	  "12:01:33.123456 send: output 0.0.0.0 → 100.85.80.11 icmp ⇒ 5209 table 51820 dev "
	  "mullvad-nl2\n" },
	{ "only ASCII where the locale has no more", story, &ascii,
	  "12:01:33.123456 send: output 0.0.0.0 -> 100.85.80.11 icmp => 5209 table 51820 dev "
	  "mullvad-nl2\n" },
	{ "in colours", story, &color,
	  "12:01:33.123456 send: output 0.0.0.0 → 100.85.80.11 icmp \033[1;32m⇒\033[0m 5209 table "
	  "51820 dev mullvad-nl2\n" },
	{ "the error, and what rejected", refused_by_rule, &plain,
	  "12:01:33.123456 send: output 0.0.0.0 → 100.85.80.11 tcp 40000 → 443 mark 0x80000 oif "
	  "if7 "
	  "⇒ ENETUNREACH: unreachable by rule 5250\n" },
	{ "a bound device overrules the rules", bound_device, &plain,
	  "12:01:33.123456 send: output 0.0.0.0 → 100.85.80.11 icmp oif wlan0 ⇒ dev wlan0 on-link "
	  "through the bound device; the rules said no route\n" },
	{ "a source-check names its packet", source_check, &plain,
	  "12:01:33.123456 receive: source-check of 192.0.2.9 (packet 192.0.2.9 → 192.0.2.2) iif "
	  "eth0 ⇒ 32766 table main dev eth0\n" },
	{ "a gateway of another family", gateway_of_other_family, &plain,
	  "12:01:33.123456 send: output 0.0.0.0 → 100.85.80.11 proto 200 ⇒ table default via inet6 "
	  "fe80::1 dev if9 (table asked without rules)\n" },
	{ "a type that the table tells", to_this_host, &plain,
	  "12:01:33.123456 receive: input 192.0.2.9 → 192.0.2.2 iif eth0 ⇒ 0 table local dev "
	  "eth0\n" },
	{ "a type that it does not tell", to_all_hosts, &plain,
	  "12:01:33.123456 receive: input 192.0.2.9 → 192.0.2.255 iif eth0 ⇒ 32766 table main "
	  "broadcast dev eth0\n" },
	{ "what was found, by its kinds", explained, &plain,
	  "12:01:33.123456 send: output 0.0.0.0 → 100.85.80.11 icmp ⇒ 5209 table 51820 "
	  "dev mullvad-nl2 ! shadowed-route, auto-priority, bypass-mark-captured\n" },
};

static void every_brief_line_is_as_its_row_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(brief_rows); i++) {
		const struct brief_row *row = &brief_rows[i];
		struct fixture fixture;
		struct render_options options = *row->options;
		struct text out = { 0 };

		fixture_begin(&fixture);
		options.names = fixture.names;
		row->explain(&fixture);
		format_tree.brief(&out, &fixture.lookup, &options);
		print_message("  %s\n", row->fact);
		assert_string_equal(text_string(&out), row->want);
		text_free(&out);
		fixture_end(&fixture);
	}
}

static const char *const filters[] = { "-d", "100.0.0.0/8", NULL };

static void write_whole_trace(struct text *out, const struct format *format)
{
	struct render_options options = plain;
	struct trace_start start = { TIME_NS, "0.1.0", "6.18.0", "tracepoint", filters };
	struct rule_total rules[] = { { .priority = 7, .family = AF_INET, .count = 1 },
				      { 4026531840u, 5209, 51820, AF_INET, 3 } };
	struct trace_summary summary = {
		.counts = { .seen = 10, .shown = 5, .filtered = 3, .lost = 2, .missed = 9 },
		.found = 3,
		.errors = { { ENETUNREACH, 1 }, { 0, 1 } },
		.error_count = 2,
		.rules = rules,
		.rule_count = ARRAY_SIZE(rules),
		.findings = { [FINDING_SHADOWED_ROUTE] = 2, [FINDING_TOS_MASK] = 1 },
	};

	if (format->start)
		format->start(out, &start, &options);
	format->lost(out, TIME_NS, 3, 12, &options);
	format->policy(out, TIME_NS, 4026531840u, "rule added: 5209:\tfrom all", &options);
	format->warning(out, TIME_NS, "a \"b\"", &options);
	if (format->summary)
		format->summary(out, TIME_NS, &summary, &options);
}

struct trace_row {
	const struct format *format;
	const char *want;
};

static const struct trace_row trace_rows[] = {
	{ &format_tree, "12:01:33.123456 lost 12 lookups on cpu 3\n"
			"12:01:33.123456 rule added: 5209:\\x09from all\n"
			"12:01:33.123456 warning: a \"b\"\n" },
	{ &format_line, "lost time=2026-11-22T12:01:33.123456Z cpu=3 count=12\n"
			"policy time=2026-11-22T12:01:33.123456Z netns=4026531840 "
			"change=rule\\x20added:\\x205209:\\x09from\\x20all\n"
			"warning time=2026-11-22T12:01:33.123456Z text=a\\x20\"b\"\n" },
	{ &format_json,
	  "{\"type\":\"start\",\"time\":\"2026-11-22T12:01:33.123456789Z\",\"schema\":1,"
	  "\"version\":\"0.1.0\",\"kernel\":\"6.18.0\",\"tier\":\"tracepoint\","
	  "\"filters\":[\"-d\",\"100.0.0.0/8\"]}\n"
	  "{\"type\":\"lost\",\"time\":\"2026-11-22T12:01:33.123456789Z\",\"cpu\":3,\"count\":12}\n"
	  "{\"type\":\"policy\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"netns\":4026531840,\"change\":\"rule added: 5209:\\u0009from all\"}\n"
	  "{\"type\":\"warning\",\"time\":\"2026-11-22T12:01:33.123456789Z\",\"text\":\"a "
	  "\\\"b\\\"\"}\n"
	  "{\"type\":\"summary\",\"time\":\"2026-11-22T12:01:33.123456789Z\",\"seen\":10,"
	  "\"shown\":5,\"filtered\":3,\"lost\":2,\"unfinished\":0,\"missed\":null,"
	  "\"address_checks\":0,\"netns_unknown\":0,\"outcomes\":{\"found\":3,"
	  "\"ENETUNREACH\":1,\"other\":1},\"rules\":[{\"netns\":null,\"family\":\"inet\","
	  "\"priority\":7,\"table\":null,\"table_id\":null,\"count\":1},"
	  "{\"netns\":4026531840,\"family\":\"inet\",\"priority\":5209,\"table\":\"51820\","
	  "\"table_id\":51820,\"count\":3}],\"findings\":{\"shadowed-route\":2,"
	  "\"tos-mask\":1},\"dropped_rules\":0}\n" },
};

static void other_lines_are_written_as_their_row_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(trace_rows); i++) {
		struct text out = { 0 };

		write_whole_trace(&out, trace_rows[i].format);
		assert_string_equal(text_string(&out), trace_rows[i].want);
		text_free(&out);
	}
}

static void a_known_count_of_missed_runs_is_a_number(void **state)
{
	struct trace_summary summary = { .counts = { .missed = 9, .missed_known = true } };
	struct text out = { 0 };

	(void)state;
	format_json.summary(&out, TIME_NS, &summary, &plain);
	assert_non_null(strstr(text_string(&out), "\"missed\":9,"));
	text_free(&out);
}

static void text_shows_local_time_with_its_offset(void **state)
{
	const struct render_options local = { 0 };
	struct text out = { 0 };

	(void)state;
	setenv("TZ", "XYZ+03:30", 1);
	tzset();
	format_line.lost(&out, TIME_NS, 0, 1, &local);
	format_tree.lost(&out, TIME_NS, 0, 1, &local);
	format_json.lost(&out, TIME_NS, 0, 1, &local);
	assert_string_equal(text_string(&out),
			    "lost time=2026-11-22T08:31:33.123456-0330 cpu=0 count=1\n"
			    "08:31:33.123456 lost 1 lookup on cpu 0\n"
			    "{\"type\":\"lost\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
			    "\"cpu\":0,\"count\":1}\n");
	text_free(&out);
}

static void assert_written(const struct format *format, const struct fixture *fixture,
			   const struct render_options *options, const char *want)
{
	struct text out = { 0 };

	format->lookup(&out, &fixture->lookup, options);
	if (!strstr(text_string(&out), want))
		fail_msg("no '%s' in '%s'", want, text_string(&out));
	text_free(&out);
}

/* The kernel's own rules are named in JSON alone. */
static void owners_stand_behind_their_steps_and_marks(void **state)
{
	struct fixture fixture;
	struct owners *owners = owners_new();
	struct render_options options = { .utc = true, .color = true, .owners = owners };

	(void)state;
	assert_non_null(owners);
	fixture_begin(&fixture);
	story(&fixture);
	fixture.rules[0].protocol = RTPROT_KERNEL;
	fixture.lookup.key.mark = 0x80000;
	owners_label(owners, fixture.rules, 4);
	assert_written(&format_json, &fixture, &options,
		       "\"fwmark\":\"0x80000\",\"fwmark_owner\":"
		       "{\"owner\":\"tailscaled\",\"meaning\":\"bypass\"},");
	assert_written(&format_json, &fixture, &options,
		       "\"outcome\":\"no-route\",\"owner\":\"kernel\",\"evidence\":");
	assert_written(&format_json, &fixture, &options,
		       "\"outcome\":\"not-reached\",\"owner\":\"tailscaled\",\"evidence\":");
	assert_written(&format_tree, &fixture, &options,
		       "dev mullvad-nl2\033[0m  \033[2mwg-quick\033[0m\n");
	options.color = false;
	assert_written(&format_tree, &fixture, &options,
		       " mark 0x80000 (tailscaled bypass) uid 1000");
	assert_written(&format_tree, &fixture, &options, "no route\n");
	assert_written(&format_tree, &fixture, &options, "prefix length 0 ≤ 0  wg-quick\n");
	assert_written(&format_tree, &fixture, &options, "dev mullvad-nl2  wg-quick\n");
	assert_written(&format_tree, &fixture, &options, "not reached  tailscaled\n");
	options.verbose = true;
	assert_written(&format_tree, &fixture, &options, "dev mullvad-nl2 (kernel)  wg-quick\n");
	fixture_end(&fixture);
	owners_free(owners);
}

static void a_walk_of_most_steps_is_written_whole(void **state)
{
	struct render_options options = plain;
	struct lookup lookup;
	struct rule rule;
	struct text out = { 0 };
	size_t lines = 0;

	(void)state;
	new_lookup(&lookup);
	new_rule(&rule, UINT32_MAX, UINT32_MAX);
	for (size_t i = 0; i < LOOKUP_STEPS_MAX; i++)
		new_step(&lookup, &rule, STEP_CHOSEN);
	format_tree.lookup(&out, &lookup, &options);
	for (size_t i = 0; i < out.length; i++)
		lines += out.string[i] == '\n';
	assert_int_equal(lines, LOOKUP_STEPS_MAX + 2);
	text_free(&out);
	lookup_clear(&lookup);
}

static void every_format_has_its_name_and_no_other(void **state)
{
	(void)state;
	assert_ptr_equal(format_by_name("tree"), &format_tree);
	assert_ptr_equal(format_by_name("line"), &format_line);
	assert_ptr_equal(format_by_name("json"), &format_json);
	assert_null(format_by_name("tre"));
	assert_null(format_by_name(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_lookup_is_written_as_its_row_says),
		cmocka_unit_test(every_brief_line_is_as_its_row_says),
		cmocka_unit_test(other_lines_are_written_as_their_row_says),
		cmocka_unit_test(a_known_count_of_missed_runs_is_a_number),
		cmocka_unit_test(text_shows_local_time_with_its_offset),
		cmocka_unit_test(owners_stand_behind_their_steps_and_marks),
		cmocka_unit_test(a_walk_of_most_steps_is_written_whole),
		cmocka_unit_test(every_format_has_its_name_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
