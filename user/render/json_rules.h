/* SPDX-License-Identifier: GPL-2.0-only */
/* What JSON says of a policy's rules, kept from one lookup to the next. */
#ifndef FIBTRACE_RENDER_JSON_RULES_H
#define FIBTRACE_RENDER_JSON_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/policy.h"
#include "trace/lookup.h"

/* Every lookup tells of every rule: writing a thousand of them anew each time would take longer
 * than all the rest. Of one list at a time; another takes its place. */
struct json_rules;

/* NULL with errno. json_rules_free() takes NULL. */
struct json_rules *json_rules_new(void);
void json_rules_free(struct json_rules *rules);

/* What was kept of a rule of list; NULL: nothing. Borrowed until the next call. */
const char *json_rules_find(const struct json_rules *rules, const struct rule_list *list,
			    const struct rule *rule, size_t *length);
/* Keeps length bytes for it, with a reference to the list. Without memory it keeps nothing. */
void json_rules_keep(struct json_rules *rules, struct rule_list *list, const struct rule *rule,
		     const char *bytes, size_t length);

/*
 * The same for a whole step that the lookup's rule came to: of each rule its last
 * one, as long as all that is told of it is equal. Lists of many rules have none.
 */
const char *json_rules_find_step(const struct json_rules *rules, const struct lookup *lookup,
				 const struct lookup_step *step, size_t *length);
void json_rules_keep_step(struct json_rules *rules, const struct lookup *lookup,
			  const struct lookup_step *step, const char *bytes, size_t length);

#endif
