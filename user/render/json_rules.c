// SPDX-License-Identifier: GPL-2.0-only
/* What JSON says of a policy's rules, kept from one lookup to the next. */
#include "render/json_rules.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/* length 0: nothing is kept. */
struct span {
	size_t offset;
	size_t length;
};

struct json_rules {
	struct rule_list *list; /* a reference: no other list can come to stand in its place */
	struct span *spans; /* one for each rule of the list */
	struct text text;
};

struct json_rules *json_rules_new(void)
{
	return calloc(1, sizeof(struct json_rules));
}

static void forget(struct json_rules *rules)
{
	rule_list_put(rules->list);
	free(rules->spans);
	text_clear(&rules->text);
	rules->list = NULL;
	rules->spans = NULL;
}

void json_rules_free(struct json_rules *rules)
{
	if (!rules)
		return;
	forget(rules);
	text_free(&rules->text);
	free(rules);
}

const char *json_rules_find(const struct json_rules *rules, const struct rule_list *list,
			    const struct rule *rule, size_t *length)
{
	const struct span *span;

	if (rules->list != list)
		return NULL;
	span = &rules->spans[rule - list->rules];
	*length = span->length;
	return span->length ? rules->text.string + span->offset : NULL;
}

static bool begin_list(struct json_rules *rules, struct rule_list *list)
{
	forget(rules);
	rules->spans = calloc(list->count, sizeof(*rules->spans));
	if (!rules->spans)
		return false;
	rules->list = rule_list_get(list);
	return true;
}

void json_rules_keep(struct json_rules *rules, struct rule_list *list, const struct rule *rule,
		     const char *bytes, size_t length)
{
	size_t offset;

	if (rules->list != list && !begin_list(rules, list))
		return;
	offset = rules->text.length;
	text_add_bytes(&rules->text, bytes, length);
	if (!rules->text.failed)
		rules->spans[rule - list->rules] = (struct span){ offset, length };
}
