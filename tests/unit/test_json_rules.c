// SPDX-License-Identifier: GPL-2.0-only
/* Rules that JSON keeps: the same text as written anew, and never that of other rules. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_rules_are_written_as_anew),
		cmocka_unit_test(another_list_takes_the_place_of_the_last),
		cmocka_unit_test(a_list_lives_as_long_as_it_is_kept),
		cmocka_unit_test(a_rule_is_kept_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
