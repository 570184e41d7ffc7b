// SPDX-License-Identifier: GPL-2.0-only
/* What JSON says of a policy's rules, kept from one lookup to the next. */
#include "render/json_rules.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/* Of longer lists the steps would take more memory than they are worth. */
#define STEPS_KEPT_MAX 4096

/* length 0: nothing is kept. */
struct span {
	size_t offset;
	size_t length;
};

/* A step, and what of its lookup words may tell of it. */
struct kept_step {
	struct lookup_step step;
	struct flow_key key;
	char iif[IFNAMSIZ];
	char oif[IFNAMSIZ];
	struct text text;
};

struct json_rules {
	struct rule_list *list; /* a reference: no other list can come to stand in its place */
	struct span *spans; /* one for each rule of the list */
	struct kept_step *steps; /* the same; NULL: too many */
	struct text text;
};

struct json_rules *json_rules_new(void)
{
	return calloc(1, sizeof(struct json_rules));
}

static void forget(struct json_rules *rules)
{
	for (size_t i = 0; rules->steps && i < rules->list->count; i++)
		text_free(&rules->steps[i].text);
	free(rules->steps);
	rule_list_put(rules->list);
	free(rules->spans);
	text_clear(&rules->text);
	rules->list = NULL;
	rules->spans = NULL;
	rules->steps = NULL;
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
	if (list->count <= STEPS_KEPT_MAX)
		rules->steps = calloc(list->count, sizeof(*rules->steps));
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

static struct kept_step *kept_step(const struct json_rules *rules, const struct lookup *lookup,
				   const struct lookup_step *step)
{
	if (!step->rule || !rules->steps || rules->list != lookup->rules)
		return NULL;
	return &rules->steps[step->rule - rules->list->rules];
}

/* Only of a rule that was skipped words tell what the flow had instead. */
static bool same_flow(const struct kept_step *kept, const struct lookup *lookup)
{
	return kept->key.family == lookup->key.family &&
	       (kept->step.outcome != STEP_SKIPPED ||
		(!memcmp(&kept->key, &lookup->key, sizeof(kept->key)) &&
		 !strcmp(kept->iif, lookup->iif) && !strcmp(kept->oif, lookup->oif)));
}

const char *json_rules_find_step(const struct json_rules *rules, const struct lookup *lookup,
				 const struct lookup_step *step, size_t *length)
{
	const struct kept_step *kept = kept_step(rules, lookup, step);

	if (!kept || !kept->text.length || memcmp(&kept->step, step, sizeof(*step)) ||
	    !same_flow(kept, lookup))
		return NULL;
	*length = kept->text.length;
	return kept->text.string;
}

void json_rules_keep_step(struct json_rules *rules, const struct lookup *lookup,
			  const struct lookup_step *step, const char *bytes, size_t length)
{
	struct kept_step *kept = kept_step(rules, lookup, step);

	if (!kept)
		return;
	kept->step = *step;
	kept->key = lookup->key;
	memcpy(kept->iif, lookup->iif, sizeof(kept->iif));
	memcpy(kept->oif, lookup->oif, sizeof(kept->oif));
	text_clear(&kept->text);
	text_add_bytes(&kept->text, bytes, length);
	if (kept->text.failed)
		text_free(&kept->text);
}
