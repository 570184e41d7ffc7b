/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule as a JSON object with the keys of `ip -j rule`. */
#ifndef FIBTRACE_RENDER_JSON_RULE_H
#define FIBTRACE_RENDER_JSON_RULE_H

#include "render/json_writer.h"
#include "rules/names.h"
#include "rules/rule.h"

/* Appends the object under key. As there, a null says that a flag is set; `not` alone is true. */
void json_add_rule(struct json_writer *writer, const char *key, const struct rule *rule,
		   const struct names *names);

#endif
