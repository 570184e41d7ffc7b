/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules, links, addresses, routes and changes of them as bytes of a log. */
#ifndef FIBTRACE_LOG_POLICY_CODEC_H
#define FIBTRACE_LOG_POLICY_CODEC_H

#include "log/span.h"
#include "rules/owners.h"
#include "rules/policy_change.h"

/* Appends an image of the change. */
void put_change(struct text *out, const struct policy_change *change);

/* Makes the change that an image tells, which took so many bytes of the log. 0, -EBADMSG when it
 * tells none that is possible, or another -errno. */
int apply_change(const struct text *image, size_t bytes_told, struct policy *policy);

/* Appends the rules with what they are resolved to, and their owners' names. */
void put_rules(struct text *out, const struct rule_list *rules);
/* Reads them back; all are of that family; owners (NULL: none are known) has those owners. NULL with
 * errno: EBADMSG, ENOMEM. */
struct rule_list *get_rules(struct span *span, uint8_t family, const struct owners *owners);

#endif
