/* SPDX-License-Identifier: GPL-2.0-only */
/* What of a policy's walks the tables' answers alone do not tell. */
#ifndef FIBTRACE_TRACE_POLICY_WALKS_H
#define FIBTRACE_TRACE_POLICY_WALKS_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/policy.h"

/* Whether the table may not exist in the kernel, which then asks nothing: it has no routes. */
bool policy_table_may_be_missing(const struct policy *policy, uint8_t family, uint32_t table);

/* True when a rule of family that rejects comes before the first table that is sure
 * to be asked: what it decides cannot be seen. priority is that rule's. */
bool policy_hides_reject(const struct policy *policy, uint8_t family, uint32_t *priority);

/* True when some walk of the family could ask its first table twice, so
 * that only the policy can tell a walk's next answer from another walk's first. */
bool policy_family_ambiguous(const struct policy *policy, uint8_t family);

#endif
