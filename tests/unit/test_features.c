// SPDX-License-Identifier: GPL-2.0-only
/* What `fibtrace features` tells of tiers and hooks that this machine need not have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "features_report.h"
#include "util/array.h"

#define HOOKS_MAX 4
#define ABSENT "this kernel has no such function"
#define NO_MODULE "module udp_tunnel is not loaded, or has no such function"

/* The hooks of a tier that loads, up to one without a function, and what is told of them. */
struct row {
	const char *name;
	struct hook_state hooks[HOOKS_MAX];
	const char *text;
	const char *verbose;
	const char *not_seen; /* in JSON */
};

static const struct row rows[] = {
	{ .name = "nothing_is_refused",
	  .hooks = { { "walk", "fentry", "the walk", .required = true, .attached = true },
		     { "icmp_reply", "fentry", "replies", .attached = true },
		     { "icmp_echo", "fentry", "replies", .instead_of = "icmp_reply" },
		     { "icmp_timestamp", "fentry", "replies", .instead_of = "icmp_reply" } },
	  .text = "  hooks: 2 of 2 functions\n",
	  .verbose = "  hooks: 2 of 2 functions\n"
		     "    walk            fentry attached, required: the walk\n"
		     "    icmp_reply      fentry attached: replies\n"
		     "    icmp_echo       not needed: replies\n"
		     "    icmp_timestamp  not needed: replies\n",
	  .not_seen = "[]" },
	{ .name = "another_way_is_told_with_the_refused_one",
	  .hooks = { { "check", "fentry", "checks",
		       .reason = "the kernel refused fentry/check: not supported" },
		     { "walk", "fentry", "the walk", .attached = true },
		     { "check", "kprobe", "checks", .attached = true } },
	  .text = "  hooks: 2 of 2 functions\n"
		  "    check  fentry refused: not supported; kprobe attached\n",
	  .verbose = "  hooks: 2 of 2 functions\n"
		     "    check  fentry refused: not supported; kprobe attached: checks\n"
		     "    walk   fentry attached: the walk\n",
	  .not_seen = "[]" },
	{ .name = "one_reason_for_both_ways_is_told_once",
	  .hooks = { { "walk", "fentry", "the walk", .attached = true },
		     { "dst", "fentry", "vxlan", .reason = NO_MODULE },
		     { "dst", "kprobe", "vxlan", .reason = NO_MODULE } },
	  .text = "  hooks: 1 of 2 functions\n"
		  "    dst  fentry, kprobe refused: " NO_MODULE "; not seen: vxlan\n",
	  .verbose = "  hooks: 1 of 2 functions\n"
		     "    walk  fentry attached: the walk\n"
		     "    dst   fentry, kprobe refused: " NO_MODULE "; not seen: vxlan\n",
	  .not_seen = "['vxlan']" },
	{ .name = "two_reasons_are_both_told",
	  .hooks = { { "dst", "fentry", "vxlan",
		       .reason = "the kernel refused fexit/dst: not supported" },
		     { "dst", "kprobe", "vxlan", .reason = "needs CAP_SYS_ADMIN" } },
	  .text = "  hooks: 0 of 1 functions\n"
		  "    dst  fentry refused: not supported; kprobe refused: needs CAP_SYS_ADMIN; "
		  "not seen: vxlan\n",
	  .verbose = "  hooks: 0 of 1 functions\n"
		     "    dst  fentry refused: not supported; kprobe refused: needs "
		     "CAP_SYS_ADMIN; not seen: vxlan\n",
	  .not_seen = "['vxlan']" },
	{ .name = "stand_ins_are_told_with_what_they_stand_in_for",
	  .hooks = { { "icmp_reply", "kprobe", "replies", .reason = ABSENT },
		     { "icmp_echo", "kprobe", "replies", .instead_of = "icmp_reply",
		       .attached = true },
		     { "icmp_timestamp", "kprobe", "replies", .instead_of = "icmp_reply",
		       .attached = true } },
	  .text = "  hooks: 1 of 1 functions\n"
		  "    icmp_reply  kprobe refused: " ABSENT
		  "; icmp_echo, icmp_timestamp attached instead\n",
	  .verbose = "  hooks: 1 of 1 functions\n"
		     "    icmp_reply      kprobe refused: " ABSENT
		     "; icmp_echo, icmp_timestamp attached instead: replies\n"
		     "    icmp_echo       kprobe attached: replies\n"
		     "    icmp_timestamp  kprobe attached: replies\n",
	  .not_seen = "[]" },
	{ .name = "a_stand_in_that_is_refused_too_leaves_a_lack",
	  .hooks = { { "icmp_reply", "kprobe", "replies", .reason = ABSENT },
		     { "icmp_echo", "kprobe", "replies", .instead_of = "icmp_reply",
		       .reason = ABSENT },
		     { "icmp_timestamp", "kprobe", "replies", .instead_of = "icmp_reply",
		       .attached = true } },
	  .text = "  hooks: 0 of 1 functions\n"
		  "    icmp_reply  kprobe refused: " ABSENT "; not seen: replies\n"
		  "    icmp_echo   kprobe refused: " ABSENT "; not seen: replies\n",
	  .verbose = "  hooks: 0 of 1 functions\n"
		     "    icmp_reply      kprobe refused: " ABSENT "; not seen: replies\n"
		     "    icmp_echo       kprobe refused: " ABSENT "; not seen: replies\n"
		     "    icmp_timestamp  kprobe attached: replies\n",
	  .not_seen = "['replies']" },
};

static struct tier_state tier_of(const struct row *row)
{
	struct tier_state tier = { .name = "fentry", .needs = "N", .cannot_see = "C" };

	tier.loads = true;
	while (tier.hook_count < HOOKS_MAX && row->hooks[tier.hook_count].function) {
		tier.hooks[tier.hook_count] = row->hooks[tier.hook_count];
		tier.hook_count++;
	}
	return tier;
}

/* 'x' stands for "x" in what is wanted of JSON. */
static void assert_json(const char *json, const char *want)
{
	struct text quoted = { 0 };

	for (; *want; want++)
		text_add_char(&quoted, *want == '\'' ? '"' : *want);
	if (!strstr(json, text_string(&quoted)))
		assert_string_equal(json, text_string(&quoted));
	text_free(&quoted);
}

static void assert_text(const struct features *features, bool verbose, const char *hooks)
{
	struct text want = { 0 }, have = { 0 };

	text_printf(&want,
		    "kernel: 6.1\nfentry: loads\n  needs: N\n%s  cannot see: C\n"
		    "--attach auto takes fentry\n",
		    hooks);
	features_write_text(&have, features, verbose);
	assert_string_equal(text_string(&have), text_string(&want));
	text_free(&want);
	text_free(&have);
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct tier_state tier = tier_of(row);
	struct features features = { .kernel = "6.1", .tiers = &tier, .tier_count = 1 };
	struct text have = { 0 }, want = { 0 };

	assert_text(&features, false, row->text);
	assert_text(&features, true, row->verbose);
	features_write_json(&have, &features);
	text_printf(&want, "'not_seen':%s,'hooks':[", row->not_seen);
	assert_json(text_string(&have), text_string(&want));
	text_free(&have);
	text_free(&want);
}

static const struct tier_state two_tiers[] = {
	{ .name = "fentry", .needs = "N", .cannot_see = "C", .reason = "a \"policy\"" },
	{ .name = "kprobe",
	  .needs = "M",
	  .cannot_see = "D",
	  .loads = true,
	  .hook_count = 3,
	  .hooks = { { "f", "kprobe", "g", .required = true, .attached = true },
		     { "i", "kprobe", "j" },
		     { "k", "kprobe", "l", .reason = "m" } } },
};

static void the_first_tier_that_loads_is_the_one_taken(void **state)
{
	struct features features = { .kernel = "6.1", .tiers = two_tiers, .tier_count = 2 };
	struct text out = { 0 };

	(void)state;
	features_write_text(&out, &features, false);
	assert_string_equal(text_string(&out),
			    "kernel: 6.1\n"
			    "fentry: refused\n  reason: a \"policy\"\n  needs: N\n  cannot see: C\n"
			    "kprobe: loads\n  needs: M\n  hooks: 2 of 3 functions\n"
			    "    k  kprobe refused: m; not seen: l\n  cannot see: D\n"
			    "--attach auto takes kprobe\n");
	text_free(&out);
}

static void where_none_loads_that_is_said(void **state)
{
	struct features features = { .kernel = "6.1", .tiers = two_tiers, .tier_count = 1 };
	struct text out = { 0 };

	(void)state;
	assert_null(features_best(&features));
	features_write_text(&out, &features, false);
	assert_non_null(strstr(text_string(&out), "\n--attach auto finds no tier that loads\n"));
	text_clear(&out);
	features_write_json(&out, &features);
	assert_json(text_string(&out), "'kernel':'6.1','tier':null}\n");
	text_free(&out);
}

static void json_has_every_hook_with_its_state(void **state)
{
	struct features features = { .kernel = "6.1", .tiers = two_tiers, .tier_count = 2 };
	struct text out = { 0 };

	(void)state;
	features_write_json(&out, &features);
	assert_json(text_string(&out),
		    "'version':'" FIBTRACE_VERSION "','kernel':'6.1','tier':'kprobe'}\n"
		    "{'type':'tier','name':'fentry','state':'refused','reason':'a \\'policy\\'',"
		    "'needs':'N','cannot_see':'C','not_seen':[],'hooks':[]}\n"
		    "{'type':'tier','name':'kprobe','state':'loads','reason':null,"
		    "'needs':'M','cannot_see':'D','not_seen':['l'],'hooks':["
		    "{'function':'f','method':'kprobe','gives':'g','required':true,"
		    "'state':'attached','reason':null},"
		    "{'function':'i','method':'kprobe','gives':'j','state':'not-needed',"
		    "'reason':null},"
		    "{'function':'k','method':'kprobe','gives':'l','state':'refused',"
		    "'reason':'m'}]}\n");
	text_free(&out);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 3] = {
		cmocka_unit_test(the_first_tier_that_loads_is_the_one_taken),
		cmocka_unit_test(where_none_loads_that_is_said),
		cmocka_unit_test(json_has_every_hook_with_its_state),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[3 + i] = (struct CMUnitTest){ .name = rows[i].name,
						    .test_func = check_row,
						    .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
