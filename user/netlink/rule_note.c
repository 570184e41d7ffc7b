// SPDX-License-Identifier: GPL-2.0-only
/* A rule change in one line, in the words of `ip monitor rule`. */
#include "netlink/rule_note.h"

#include "rules/print.h"

void rule_note_print(struct text *out, const struct rule *rule, bool added,
		     const struct names *names)
{
	if (rule->family == AF_INET6)
		text_add(out, "IPv6 ");
	text_printf(out, "rule %s: %u: ", added ? "added" : "deleted", rule->priority);
	rule_print_selector(out, rule, names);
	rule_print_action(out, rule, names);
}
