// SPDX-License-Identifier: GPL-2.0-only
/* Differences are written in the manner of diff(1), whatever names there are in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/diff.h"
#include "scene_lookup.h"

#define RULES_MAX 6
#define ROUTES_MAX 6

static const struct rule old_rules[RULES_MAX] = {
	{ LOOKUP(0, 255) },
	{ LOOKUP(100, 60), .iif = "new0" },
	{ LOOKUP(5270, 52) },
	{ LOOKUP(32766, 254) },
};

static const struct rule new_rules[RULES_MAX] = {
	{ LOOKUP(0, 255) },
	{ LOOKUP(100, 60), .iif = "new0" },
	{ LOOKUP(5209, 51820), .iif = "\033[31m", .invert = true },
	{ LOOKUP(5270, 52) },
	{ LOOKUP(32766, 254) },
};

static const struct route_row routes[ROUTES_MAX] = {
	VIA(254, "0.0.0.0", 0, ETH0, GATEWAY),
	ROUTE(51820, "0.0.0.0", 0, WG0),
	ROUTE(52, "100.64.0.0", 10, TAILSCALE0),
};

static const struct route_row more_routes[ROUTES_MAX] = {
	VIA(254, "0.0.0.0", 0, ETH0, GATEWAY),
	ROUTE(51820, "0.0.0.0", 0, WG0),
	ROUTE(52, "100.64.0.0", 10, TAILSCALE0),
	VIA(254, "2001:db8::", 32, ETH0, "2001:db8::1"),
};

static const struct flow_row flows_asked[] = {
	{ .dst = "100.64.0.1" },
	{ .dst = "100.64.0.2", .mark = 7 },
	{ .dst = "100.64.0.3", .iif = LAN0, .level = LEVEL_SOFTIRQ, .purpose = PURPOSE_INPUT },
	{ .dst = "198.51.100.1", .purpose = PURPOSE_SOURCE_CHECK },
};

/* Both sides, of which the new one has a rule, a route and a link more. */
struct scene {
	struct names *names;
	struct devices devices;
	struct policy *policy[SIDE_COUNT];
	struct flows flows;
	struct comparison comparison;
	struct diff_context context;
	bool shown[16];
	struct text out;
};

static struct policy *make_policy(const struct rule *rows, const struct route_row *route_rows)
{
	struct rule rules[RULES_MAX];
	size_t count = scene_rules(rules, rows, RULES_MAX);

	return scene_policy(rules, count, route_rows, ROUTES_MAX);
}

static void scene_open(struct scene *scene, const char *const *filters)
{
	const struct link link = { .index = 99, .name = "new0" };
	struct comparison_side sides[SIDE_COUNT];

	*scene = (struct scene){ .names = names_new() };
	scene->policy[SIDE_OLD] = make_policy(old_rules, routes);
	scene->policy[SIDE_NEW] = make_policy(new_rules, more_routes);
	assert_int_equal(policy_set_link(scene->policy[SIDE_NEW], &link), 0);
	policy_set_table_unheld(scene->policy[SIDE_NEW], FLOW_AF_INET, 99);
	for (size_t i = 0; i < ARRAY_SIZE(flows_asked); i++) {
		struct lookup lookup = scene_lookup(scene->policy[SIDE_OLD], &flows_asked[i]);

		assert_int_equal(flows_add(&scene->flows, &scene->devices, &lookup,
					   scene->policy[SIDE_OLD]),
				 0);
		lookup_clear(&lookup);
	}
	sides[SIDE_OLD] = (struct comparison_side){ scene->policy[SIDE_OLD], &scene->flows };
	sides[SIDE_NEW] = (struct comparison_side){ scene->policy[SIDE_NEW], NULL };
	assert_int_equal(comparison_make(&scene->comparison, &scene->devices, sides), 0);
	assert_int_equal(comparison_explain(&scene->comparison), 0);
	scene->context = (struct diff_context){ .devices = &scene->devices, .filters = filters };
	for (size_t side = 0; side < SIDE_COUNT; side++)
		scene->context.sources[side].options =
			(struct render_options){ .names = scene->names, .ascii = true };
	scene->context.sources[SIDE_OLD].file = "old\n.log";
	scene->context.sources[SIDE_OLD].kernel = "6.1";
	scene->context.sources[SIDE_OLD].end_ns = 1700000000123456789;
	memset(scene->shown, true, sizeof(scene->shown));
	assert_in_range(scene->comparison.policy_diff.count, 1, ARRAY_SIZE(scene->shown));
}

static void scene_close(struct scene *scene)
{
	text_free(&scene->out);
	comparison_free(&scene->comparison);
	flows_free(&scene->flows);
	policy_free(scene->policy[SIDE_OLD]);
	policy_free(scene->policy[SIDE_NEW]);
	devices_free(&scene->devices);
	names_free(scene->names);
}

static void write_scene(struct scene *scene, const struct diff_format *format, const char *title)
{
	const struct diff_space space = {
		.title = title,
		.comparison = &scene->comparison,
		.shown = scene->shown,
		.first_id = 1,
	};

	format->space(&scene->out, &scene->context, &space);
	assert_false(scene->out.failed);
}

#define BEGIN                                                                                      \
	"--- old\\x0a.log  2023-11-14T22:13:20.123456Z  kernel 6.1\n"                              \
	"+++ the policy in force\n"                                                                \
	"@@ namespace \\x1bhost @@\n"                                                              \
	"+ link new0, which rule 100 names\n"                                                      \
	"+ rule 5209: not from all iif \\x1b[31m [detached] lookup 51820\n"                        \
	"+ IPv6 route 2001:db8::/32 via 2001:db8::1 dev eth0 table main\n"                         \
	"? table 99 is not compared: its routes were not held\n"                                   \
	"verdicts changed by\n"                                                                    \
	"  + rule 5209: not from all iif \\x1b[31m [detached] lookup 51820\n"

static void text_is_in_the_manner_of_diff(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, NULL);
	write_scene(&scene, &diff_text, "\033host");
	assert_string_equal(text_string(&scene.out),
			    BEGIN "    source-check of 198.51.100.1\n"
				  "        - rule 32766 table main default via 192.0.2.1 dev eth0\n"
				  "        + rule 5209 table 51820 default dev wg0\n"
				  "    100.64.0.1, 100.64.0.2 mark 0x7, 100.64.0.3 iif lan0\n"
				  "        - rule 5270 table 52 100.64.0.0/10 dev tailscale0\n"
				  "        + rule 5209 table 51820 default dev wg0\n");
	scene_close(&scene);
}

static void all_flows_are_in_full_when_verbose(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, NULL);
	scene.context.sources[SIDE_OLD].options.verbose = true;
	write_scene(&scene, &diff_text, "\033host");
	assert_string_equal(
		text_string(&scene.out),
		BEGIN "    source-check of 198.51.100.1 (packet 198.51.100.1 -> 0.0.0.0) mark 0x0 "
		      "uid 1000\n"
		      "        - rule 32766 table main default via 192.0.2.1 dev eth0\n"
		      "        + rule 5209 table 51820 default dev wg0\n"
		      "    output 0.0.0.0 -> 100.64.0.1 mark 0x0 uid 1000\n"
		      "    output 0.0.0.0 -> 100.64.0.2 mark 0x7 uid 1000\n"
		      "    input 0.0.0.0 -> 100.64.0.3 mark 0x0 uid 0 iif lan0\n"
		      "        - rule 5270 table 52 100.64.0.0/10 dev tailscale0\n"
		      "        + rule 5209 table 51820 default dev wg0\n");
	scene_close(&scene);
}

static void what_is_not_shown_is_not_written(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, NULL);
	memset(scene.shown, false, sizeof(scene.shown));
	scene.comparison.count = 0;
	scene.comparison.policy_diff.unheld_count = 0;
	write_scene(&scene, &diff_text, NULL);
	assert_string_equal(text_string(&scene.out), "");
	scene_close(&scene);
}

static void lines_of_json_name_what_explains(void **state)
{
	static const char *const filters[] = { "-d", "\"", NULL };
	static const char *const wanted[] = {
		"{\"type\":\"diff\",\"schema\":1,",
		"\"old\":{\"file\":\"old\\u000a.log\",\"kernel\":\"6.1\",\"start\":null,"
		"\"end\":\"2023-11-14T22:13:20.123456789Z\"},"
		"\"new\":{\"file\":null,\"kernel\":null,\"start\":null,\"end\":null},"
		"\"filters\":[\"-d\",\"\\\"\"]}\n",
		"{\"type\":\"link_change\",\"id\":1,\"netns_name\":null,\"change\":\"added\","
		"\"old\":null,\"new\":\"new0\"}\n",
		"{\"type\":\"rule_change\",\"id\":2,\"netns_name\":null,\"family\":\"inet\","
		"\"change\":\"added\",\"old\":null,\"new\":{\"text\":\"5209: not from all iif "
		"\\u001b[31m [detached] lookup 51820\",",
		"{\"type\":\"not_compared\",\"netns_name\":null,\"family\":\"inet\","
		"\"table\":\"99\",\"table_id\":99}\n",
		"\"evidence\":\"derived\",\"explained\":\"one\",\"by\":[2]}\n",
	};
	struct scene scene;

	(void)state;
	scene_open(&scene, filters);
	diff_json.start(&scene.out, &scene.context);
	write_scene(&scene, &diff_json, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!strstr(text_string(&scene.out), wanted[i]))
			fail_msg("no %s in %s", wanted[i], text_string(&scene.out));
	}
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_in_the_manner_of_diff),
		cmocka_unit_test(all_flows_are_in_full_when_verbose),
		cmocka_unit_test(what_is_not_shown_is_not_written),
		cmocka_unit_test(lines_of_json_name_what_explains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
