/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules and routes as `ip rule` and `ip route` write them. */
#ifndef FIBTRACE_RULES_PRINT_H
#define FIBTRACE_RULES_PRINT_H

#include "rules/names.h"
#include "rules/policy.h"
#include "util/text.h"

/* What stands behind the selector: " lookup main suppress_prefixlength 0", " goto 100". */
void rule_print_action(struct text *out, const struct rule *rule, const struct names *names);

/* "5209: not from all fwmark 0xca6c lookup 51820", with realms and protocol where they are set. */
void rule_print(struct text *out, const struct rule *rule, const struct names *names);

/* "default via 192.0.2.1 dev eth0 table 51820 proto static metric 100"; devices are called as the
 * policy has them. table is named whichever it is. */
void route_print(struct text *out, const struct route *route, const struct policy *policy,
		 const struct names *names);

#endif
