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

struct fixture {
	struct names *names;
	struct lookup lookup;
	struct rule rules[8];
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

/* The rules end without a route, after a goto, a nop and a throw. */
static void end_of_rules(struct fixture *fixture)
{
	struct lookup *lookup = &fixture->lookup;
	struct lookup_step *step;
	struct rule *rule;

	rule = new_rule(&fixture->rules[0], 10, 0);
	rule->action = RULE_GOTO;
	rule->target = 100;
	new_step(lookup, rule, STEP_GOTO);
	rule = new_rule(&fixture->rules[1], 100, 0);
	rule->action = RULE_NOP;
	new_step(lookup, rule, STEP_NOP);
	rule = new_rule(&fixture->rules[2], 101, 0);
	rule->action = RULE_GOTO;
	rule->target = 99;
	rule->unresolved = true;
	new_step(lookup, rule, STEP_NOP);
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
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\",\"uid\":1000},"
	  "\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\","
	  "\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\",\"tos\":\"0x0\",\"protocol\":\"icmp\","
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
	  "\"prefsrc\":\"10.64.0.2\",\"nexthops\":1}}\n" },
	{ "verbose adds cause, cpu, namespace, tos and evidence", story, &format_tree, &verbose,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp type 8 "
	  "code 0 mark 0x0 uid 1000 tos 0x0 cause send cpu 1 inode 4026531840\n"
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
	  "\"cause\":\"send\",\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\","
	  "\"uid\":1000},\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\","
	  "\"dst\":\"100.85.80.11\",\"iif\":\"lo\",\"oif\":\"if7\",\"fwmark\":\"0x80000\","
	  "\"tos\":\"0x10\",\"protocol\":\"tcp\",\"sport\":40000,\"dport\":443,"
	  "\"icmp_type\":null,\"icmp_code\":null,\"uid\":1000,\"tun_id\":null,"
	  "\"l3mdev\":null,\"flowlabel\":null},\"steps\":[{\"priority\":5250,"
	  "\"selector\":\"from all fwmark 0x80000/0xff0000\",\"rule\":{\"priority\":5250,"
	  "\"src\":\"all\",\"fwmark\":\"0x80000\",\"fwmask\":\"0xff0000\","
	  "\"action\":\"unreachable\"},\"action\":\"unreachable\",\"table\":null,"
	  "\"table_id\":null,\"outcome\":\"unreachable\",\"evidence\":\"derived\"}],"
	  "\"verdict\":{\"error\":\"ENETUNREACH\",\"decided_by\":\"rule\",\"priority\":5250,"
	  "\"table\":null,\"table_id\":null,\"type\":\"unreachable\",\"dst\":null,"
	  "\"prefixlen\":null,\"gateway\":null,\"dev\":null,\"prefsrc\":null,"
	  "\"nexthops\":null}}\n" },
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
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\",\"uid\":1000},"
	  "\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\","
	  "\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\",\"tos\":\"0x0\",\"protocol\":\"icmp\","
	  "\"sport\":null,\"dport\":null,\"icmp_type\":8,\"icmp_code\":0,\"uid\":1000,"
	  "\"tun_id\":null,\"l3mdev\":null,\"flowlabel\":null},"
	  "\"steps\":[{\"priority\":32766,\"selector\":\"from all\","
	  "\"rule\":{\"priority\":32766,\"src\":\"all\",\"table\":\"main\"},"
	  "\"action\":\"lookup\",\"table\":\"main\",\"table_id\":254,\"outcome\":\"prohibit\","
	  "\"route\":{\"type\":\"prohibit\",\"dst\":\"100.64.0.0/10\"},"
	  "\"evidence\":\"kernel\"}],\"verdict\":{\"error\":\"EACCES\",\"decided_by\":\"rule\","
	  "\"priority\":32766,\"table\":\"main\",\"table_id\":254,\"type\":\"prohibit\","
	  "\"dst\":null,\"prefixlen\":null,\"gateway\":null,\"dev\":null,\"prefsrc\":null,"
	  "\"nexthops\":null}}\n" },
	{ "the end of the rules", end_of_rules, &format_tree, &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark "
	  "0x0 uid 1000\n"
	  "     10  from all                        goto 100        continues at rule 100\n"
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
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\",\"uid\":1000},"
	  "\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\","
	  "\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\",\"tos\":\"0x0\",\"protocol\":\"icmp\","
	  "\"sport\":null,\"dport\":null,\"icmp_type\":8,\"icmp_code\":0,\"uid\":1000,"
	  "\"tun_id\":null,\"l3mdev\":null,\"flowlabel\":null},\"steps\":[{\"priority\":10,"
	  "\"selector\":\"from all\",\"rule\":{\"priority\":10,\"src\":\"all\",\"goto\":100},"
	  "\"action\":\"goto\",\"table\":null,\"table_id\":null,\"outcome\":\"goto\","
	  "\"evidence\":\"kernel\"},{\"priority\":100,\"selector\":\"from all\","
	  "\"rule\":{\"priority\":100,\"src\":\"all\",\"nop\":null},\"action\":\"nop\","
	  "\"table\":null,\"table_id\":null,\"outcome\":\"nop\",\"evidence\":\"kernel\"},"
	  "{\"priority\":101,\"selector\":\"from all\",\"rule\":{\"priority\":101,"
	  "\"src\":\"all\",\"goto\":99,\"unresolved\":null},\"action\":\"goto\",\"table\":null,"
	  "\"table_id\":null,\"outcome\":\"nop\",\"evidence\":\"kernel\"},{\"priority\":102,"
	  "\"selector\":\"from all\",\"rule\":{\"priority\":102,\"src\":\"all\",\"table\":\"7\"},"
	  "\"action\":\"lookup\",\"table\":\"7\",\"table_id\":7,\"outcome\":\"throw\","
	  "\"route\":{\"type\":\"throw\",\"dst\":\"100.64.0.0/10\"},\"evidence\":\"kernel\"},"
	  "{\"priority\":103,\"selector\":\"from all\",\"rule\":{\"priority\":103,"
	  "\"src\":\"all\",\"table\":\"9\"},\"action\":\"lookup\",\"table\":\"9\",\"table_id\":9,"
	  "\"outcome\":\"no-table\",\"evidence\":\"kernel\"}],"
	  "\"verdict\":{\"error\":\"ENETUNREACH\",\"decided_by\":\"end-of-rules\","
	  "\"priority\":null,\"table\":null,\"table_id\":null,\"type\":\"none\",\"dst\":null,"
	  "\"prefixlen\":null,\"gateway\":null,\"dev\":null,\"prefsrc\":null,"
	  "\"nexthops\":null}}\n" },
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
	  "\"cause\":\"receive\",\"process\":null,\"context\":\"softirq\","
	  "\"flow\":{\"src\":\"192.0.2.2\",\"dst\":\"192.0.2.9\",\"iif\":\"eth0\",\"oif\":null,"
	  "\"fwmark\":\"0x0\",\"tos\":\"0x0\",\"protocol\":null,\"sport\":null,\"dport\":null,"
	  "\"icmp_type\":null,\"icmp_code\":null,\"uid\":null,\"tun_id\":null,"
	  "\"l3mdev\":null,\"flowlabel\":null},\"steps\":[{\"priority\":32766,"
	  "\"selector\":null,\"rule\":null,\"action\":\"lookup\",\"table\":\"main\","
	  "\"table_id\":254,\"outcome\":\"chosen\",\"evidence\":\"kernel\"}],"
	  "\"verdict\":{\"error\":null,\"decided_by\":\"built-in\",\"priority\":32766,"
	  "\"table\":\"main\",\"table_id\":254,\"type\":\"unicast\",\"dst\":\"192.0.2.0/24\","
	  "\"prefixlen\":24,\"gateway\":null,\"dev\":\"eth0\",\"prefsrc\":null,"
	  "\"nexthops\":null}}\n" },
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
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\",\"uid\":1000},"
	  "\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\","
	  "\"iif\":\"lo\",\"oif\":\"wlan0\",\"fwmark\":\"0x0\",\"tos\":\"0x0\",\"protocol\":"
	  "\"icmp\","
	  "\"sport\":null,\"dport\":null,\"icmp_type\":8,\"icmp_code\":0,\"uid\":1000,"
	  "\"tun_id\":null,\"l3mdev\":null,\"flowlabel\":null},"
	  "\"steps\":[{\"priority\":32766,\"selector\":\"from all\","
	  "\"rule\":{\"priority\":32766,\"src\":\"all\",\"table\":\"main\"},"
	  "\"action\":\"lookup\",\"table\":\"main\",\"table_id\":254,\"outcome\":\"no-route\","
	  "\"evidence\":\"kernel\"}],\"verdict\":{\"error\":null,"
	  "\"decided_by\":\"bound-device\",\"priority\":null,\"table\":null,"
	  "\"table_id\":null,\"type\":\"none\",\"dst\":null,\"prefixlen\":null,"
	  "\"gateway\":null,\"dev\":\"wlan0\",\"prefsrc\":null,\"nexthops\":null}}\n" },
	{ "a policy that changed", policy_changed, &format_tree, &plain,
	  "12:01:33.123456 ping[4242] output 0.0.0.0 → 100.85.80.11 icmp mark "
	  "0x0 uid 1000\n"
	  "      -  (no rule)                       table 77        unknown: the "
	  "policy changed while this ran\n"
	  "   ⇒ unknown: the policy changed while this ran\n" },
	{ "a policy that changed", policy_changed, &format_line, &plain,
	  "time=2026-11-22T12:01:33.123456Z netns=- purpose=output cause=send "
	  "comm=ping pid=4242 src=0.0.0.0 dst=100.85.80.11 proto=icmp sport=- "
	  "dport=- mark=0x0 uid=1000 pref=- table=- prefix=- dev=- gw=- "
	  "prefsrc=- suppressed=- err=- findings=-\n" },
	{ "a policy that changed", policy_changed, &format_json, &plain,
	  "{\"type\":\"lookup\",\"time\":\"2026-11-22T12:01:33.123456789Z\","
	  "\"boottime_ns\":123,\"duration_ns\":null,\"cpu\":1,\"netns\":null,"
	  "\"netns_name\":null,\"family\":\"inet\",\"purpose\":\"output\",\"cause\":\"send\","
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\",\"uid\":1000},"
	  "\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\","
	  "\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\",\"tos\":\"0x0\",\"protocol\":\"icmp\","
	  "\"sport\":null,\"dport\":null,\"icmp_type\":8,\"icmp_code\":0,\"uid\":1000,"
	  "\"tun_id\":null,\"l3mdev\":null,\"flowlabel\":null},"
	  "\"steps\":[{\"priority\":null,\"selector\":null,\"rule\":null,"
	  "\"action\":\"lookup\",\"table\":\"77\",\"table_id\":77,\"outcome\":\"unknown\","
	  "\"reason\":\"policy-changed\",\"evidence\":\"kernel\"}],"
	  "\"verdict\":{\"error\":null,\"decided_by\":\"unknown\",\"priority\":null,"
	  "\"table\":null,\"table_id\":null,\"type\":\"none\",\"dst\":null,"
	  "\"prefixlen\":null,\"gateway\":null,\"dev\":null,\"prefsrc\":null,"
	  "\"nexthops\":null}}\n" },
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
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"a\\\"\\\\\\u000a\\u001b[2J\\ufffd "
	  "123456\",\"uid\":1000},\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\","
	  "\"dst\":\"100.85.80.11\",\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\",\"tos\":\"0x0\","
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
	  "\"prefsrc\":null,\"nexthops\":1}}\n" },
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
	  "\"process\":null,\"context\":\"kthread\",\"flow\":{\"src\":\"0.0.0.0\","
	  "\"dst\":\"100.85.80.11\",\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\",\"tos\":\"0x0\","
	  "\"protocol\":\"200\",\"sport\":null,\"dport\":null,\"icmp_type\":null,"
	  "\"icmp_code\":null,\"uid\":1000,\"tun_id\":9,\"l3mdev\":12,\"flowlabel\":null},"
	  "\"steps\":[{\"priority\":null,\"selector\":null,\"rule\":null,"
	  "\"action\":\"lookup\",\"table\":\"default\",\"table_id\":253,\"outcome\":\"chosen\","
	  "\"route\":{\"dst\":\"100.85.80.11\",\"via\":{\"family\":\"inet6\","
	  "\"host\":\"fe80::1\"},\"dev\":\"if9\"},\"evidence\":\"kernel\"}],"
	  "\"verdict\":{\"error\":null,\"decided_by\":\"direct\",\"priority\":null,"
	  "\"table\":\"default\",\"table_id\":253,\"type\":\"unicast\","
	  "\"dst\":\"100.85.80.11\",\"prefixlen\":32,\"gateway\":\"fe80::1\",\"dev\":\"if9\","
	  "\"prefsrc\":null,\"nexthops\":1}}\n" },
	{ "time spent", gateway_of_other_family, &format_tree, &verbose,
	  "12:01:33.123456 kthread output 0.0.0.0 → 100.85.80.11 proto 200 mark "
	  "0x0 uid 1000 tos 0x0 tun_id 9 l3mdev 12 cause send cpu 1 inode "
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
	  "\"process\":{\"pid\":4242,\"tid\":4242,\"comm\":\"ping\",\"uid\":1000},"
	  "\"context\":\"task\",\"flow\":{\"src\":\"0.0.0.0\",\"dst\":\"100.85.80.11\","
	  "\"iif\":\"lo\",\"oif\":null,\"fwmark\":\"0x0\",\"tos\":\"0x0\",\"protocol\":\"icmp\","
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
	  "\"nexthops\":null}}\n" },
};

static void every_lookup_is_written_as_its_row_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(golden_rows); i++) {
		const struct golden_row *row = &golden_rows[i];
		struct fixture fixture = { .names = names_new() };
		struct render_options options = *row->options;
		struct text out = { 0 };

		assert_non_null(fixture.names);
		options.names = fixture.names;
		new_lookup(&fixture.lookup);
		row->explain(&fixture);
		row->format->lookup(&out, &fixture.lookup, &options);
		print_message("  %s: %s\n", row->format->name, row->fact);
		assert_string_equal(text_string(&out), row->want);
		text_free(&out);
		lookup_clear(&fixture.lookup);
		names_free(fixture.names);
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
	  "\"table_id\":51820,\"count\":3}],\"dropped_rules\":0}\n" },
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
		cmocka_unit_test(other_lines_are_written_as_their_row_says),
		cmocka_unit_test(a_known_count_of_missed_runs_is_a_number),
		cmocka_unit_test(text_shows_local_time_with_its_offset),
		cmocka_unit_test(a_walk_of_most_steps_is_written_whole),
		cmocka_unit_test(every_format_has_its_name_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
