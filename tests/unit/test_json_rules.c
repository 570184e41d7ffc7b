// SPDX-License-Identifier: GPL-2.0-only
/* Rules that JSON keeps: the same text as written anew, and never that of other rules. */
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "render/json_rules.h"
#include "render/render.h"

/* As many rules as marks, each with that fwmark. */
static struct rule_list *new_list(const uint32_t *marks, size_t count)
{
	struct rule_list *list = rule_list_new(NULL, count);

	assert_non_null(list);
	for (size_t i = 0; i < count; i++) {
		rule_init(&list->rules[i], AF_INET);
		list->rules[i].priority = 100 + (uint32_t)i;
		list->rules[i].table = 77;
		list->rules[i].mark = marks[i];
		list->rules[i].mark_mask = UINT32_MAX;
	}
	return list;
}

/* A lookup with a step for each rule of a list, which keeps its reference. */
static struct lookup new_lookup(struct rule_list *list)
{
	struct lookup lookup = { .rules = rule_list_get(list) };

	lookup.verdict.route.prefix_length = -1;
	for (size_t i = 0; i < list->count; i++) {
		struct lookup_step *step = lookup_add_step(&lookup);

		assert_non_null(step);
		step->rule = &list->rules[i];
		step->table = 77;
		step->outcome = i + 1 == list->count ? STEP_CHOSEN : STEP_NO_ROUTE;
	}
	return lookup;
}

/* The JSON of a lookup by the list, with what is kept (NULL: nothing). */
static struct text json_of(struct rule_list *list, struct json_rules *kept)
{
	struct render_options options = { .json_rules = kept };
	struct lookup lookup = new_lookup(list);
	struct text out = { 0 };

	format_json.lookup(&out, &lookup, &options);
	lookup_clear(&lookup);
	return out;
}

static void assert_written_as_anew(struct rule_list *list, struct json_rules *kept)
{
	struct text anew = json_of(list, NULL), got = json_of(list, kept);

	assert_non_null(strstr(text_string(&anew), "\"steps\":[{\"priority\":100,\"selector\":"));
	assert_string_equal(text_string(&got), text_string(&anew));
	text_free(&anew);
	text_free(&got);
}

static void kept_rules_are_written_as_anew(void **state)
{
	struct json_rules *kept = json_rules_new();
	struct rule_list *list = new_list((const uint32_t[]){ 1, 2, 3 }, 3);
	size_t length;

	(void)state;
	assert_non_null(kept);
	assert_null(json_rules_find(kept, list, &list->rules[1], &length));
	assert_written_as_anew(list, kept);
	assert_non_null(json_rules_find(kept, list, &list->rules[1], &length));
	assert_written_as_anew(list, kept);
	rule_list_put(list);
	json_rules_free(kept);
}

static void another_list_takes_the_place_of_the_last(void **state)
{
	struct json_rules *kept = json_rules_new();
	struct rule_list *one = new_list((const uint32_t[]){ 1, 2 }, 2);
	struct rule_list *other = new_list((const uint32_t[]){ 3, 4, 5 }, 3);
	size_t length;

	(void)state;
	assert_non_null(kept);
	assert_written_as_anew(one, kept);
	assert_written_as_anew(other, kept);
	assert_null(json_rules_find(kept, one, &one->rules[0], &length));
	assert_written_as_anew(one, kept);
	rule_list_put(one);
	rule_list_put(other);
	json_rules_free(kept);
}

/* Otherwise a list made later could come to stand at the same address. */
static void a_list_lives_as_long_as_it_is_kept(void **state)
{
	struct json_rules *kept = json_rules_new();
	struct rule_list *list = new_list((const uint32_t[]){ 1 }, 1);

	(void)state;
	assert_non_null(kept);
	assert_written_as_anew(list, kept);
	assert_int_equal(list->references, 2);
	rule_list_put(list);
	assert_int_equal(list->references, 1);
	json_rules_free(kept);
}

static void a_rule_is_kept_by_itself(void **state)
{
	struct json_rules *kept = json_rules_new();
	struct rule_list *list = new_list((const uint32_t[]){ 1, 2 }, 2);
	const char *bytes;
	size_t length;

	(void)state;
	assert_non_null(kept);
	json_rules_keep(kept, list, &list->rules[1], "second", 6);
	assert_null(json_rules_find(kept, list, &list->rules[0], &length));
	json_rules_keep(kept, list, &list->rules[0], "first", 5);
	bytes = json_rules_find(kept, list, &list->rules[1], &length);
	assert_int_equal(length, 6);
	assert_memory_equal(bytes, "second", 6);
	rule_list_put(list);
	json_rules_free(kept);
	json_rules_free(NULL);
}

static struct text written(const struct lookup *lookup, struct json_rules *kept)
{
	struct render_options options = { .json_rules = kept };
	struct text out = { 0 };

	format_json.lookup(&out, lookup, &options);
	return out;
}

static void assert_lookup_written_as_anew(const struct lookup *lookup, struct json_rules *kept)
{
	struct text anew = written(lookup, NULL), got = written(lookup, kept);

	assert_string_equal(text_string(&got), text_string(&anew));
	text_free(&anew);
	text_free(&got);
}

/* Each changes something that a step's JSON may tell of. */
static void have_a_route(struct lookup *lookup)
{
	lookup->steps[1].has_route = true;
	lookup->steps[1].outcome = STEP_CHOSEN;
	lookup->steps[1].route.type = RTN_UNICAST;
	strcpy(lookup->steps[1].route.dev, "eth0");
}

static void have_another_device(struct lookup *lookup)
{
	strcpy(lookup->steps[1].route.dev, "eth1");
}

static void have_it_derived(struct lookup *lookup)
{
	lookup->steps[1].evidence = EVIDENCE_DERIVED;
}

static void skip_by_mark(struct lookup *lookup)
{
	lookup->steps[1].outcome = STEP_SKIPPED;
	lookup->steps[1].mismatch.selector = SELECTOR_FWMARK;
}

static void have_another_mark(struct lookup *lookup)
{
	lookup->key.mark = 0x77;
}

static void skip_by_iif(struct lookup *lookup)
{
	lookup->key.iif = 3;
	strcpy(lookup->iif, "eth3");
	lookup->steps[1].mismatch.selector = SELECTOR_IIF;
}

static void rename_iif(struct lookup *lookup)
{
	strcpy(lookup->iif, "eth4");
}

static void rename_oif(struct lookup *lookup)
{
	lookup->key.oif = 3;
	strcpy(lookup->oif, "eth4");
	lookup->steps[1].mismatch.selector = SELECTOR_OIF;
}

static void rename_oif_again(struct lookup *lookup)
{
	strcpy(lookup->oif, "eth3");
}

static void choose(struct lookup *lookup)
{
	lookup->steps[1].outcome = STEP_CHOSEN;
}

static void be_of_ipv6(struct lookup *lookup)
{
	lookup->key.family = AF_INET6;
}

static void steps_are_kept_as_long_as_all_is_equal(void **state)
{
	static void (*const changes[])(struct lookup * lookup) = {
		have_a_route, have_another_device, have_it_derived,
		skip_by_mark, have_another_mark,   skip_by_iif,
		rename_iif,   rename_oif,	   rename_oif_again,
		choose,	      be_of_ipv6,
	};
	struct json_rules *kept = json_rules_new();
	struct rule_list *list = new_list((const uint32_t[]){ 1, 2, 3 }, 3);
	struct lookup lookup = new_lookup(list);
	size_t length;

	(void)state;
	strcpy(list->rules[1].iif, "eth5");
	strcpy(list->rules[1].oif, "eth5");
	lookup.key.family = AF_INET;
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		changes[i](&lookup);
		assert_null(json_rules_find_step(kept, &lookup, &lookup.steps[1], &length));
		assert_lookup_written_as_anew(&lookup, kept);
		assert_non_null(json_rules_find_step(kept, &lookup, &lookup.steps[1], &length));
		assert_lookup_written_as_anew(&lookup, kept);
	}
	lookup_clear(&lookup);
	rule_list_put(list);
	json_rules_free(kept);
}

/* What is kept is what is written, not only what might be. */
static void kept_steps_are_written(void **state)
{
	struct json_rules *kept = json_rules_new();
	struct rule_list *list = new_list((const uint32_t[]){ 1, 2 }, 2);
	struct lookup lookup = new_lookup(list);
	struct text out;

	(void)state;
	json_rules_keep(kept, list, &list->rules[0], "", 0);
	json_rules_keep_step(kept, &lookup, &lookup.steps[1], "\"a\":1", 5);
	out = written(&lookup, kept);
	assert_non_null(strstr(text_string(&out), ",{\"a\":1}]"));
	text_free(&out);
	lookup_clear(&lookup);
	rule_list_put(list);
	json_rules_free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_rules_are_written_as_anew),
		cmocka_unit_test(another_list_takes_the_place_of_the_last),
		cmocka_unit_test(a_list_lives_as_long_as_it_is_kept),
		cmocka_unit_test(a_rule_is_kept_by_itself),
		cmocka_unit_test(steps_are_kept_as_long_as_all_is_equal),
		cmocka_unit_test(kept_steps_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
