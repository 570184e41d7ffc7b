// SPDX-License-Identifier: GPL-2.0-only
/* A rule change in one line, in the words of `ip monitor rule`. */
#include "netlink/rule_note.h"

#include "util/array.h"

static void print_table(struct text *out, const struct rule *rule, const struct names *names)
{
	const char *name = names_table(names, rule->table);

	if (rule->l3mdev)
		text_add(out, " lookup [l3mdev-table]");
	else if (name)
		text_printf(out, " lookup %s", name);
	else
		text_printf(out, " lookup %u", rule->table);
}

static void print_suppressors(struct text *out, const struct rule *rule)
{
	if (rule->suppress_prefixlength != -1)
		text_printf(out, " suppress_prefixlength %d", rule->suppress_prefixlength);
	if (rule->suppress_ifgroup != -1)
		text_printf(out, " suppress_ifgroup %d", rule->suppress_ifgroup);
}

static void print_target(struct text *out, const struct rule *rule)
{
	text_printf(out, " goto %u%s", rule->target, rule->unresolved ? " [unresolved]" : "");
}

static void print_action(struct text *out, const struct rule *rule)
{
	static const char *const names[] = {
		[RULE_NOP] = "nop",
		[RULE_BLACKHOLE] = "blackhole",
		[RULE_UNREACHABLE] = "unreachable",
		[RULE_PROHIBIT] = "prohibit",
	};

	if (rule->action < ARRAY_SIZE(names) && names[rule->action])
		text_printf(out, " %s", names[rule->action]);
	else
		text_printf(out, " action %u", rule->action);
}

void rule_note_print(struct text *out, const struct rule *rule, bool added,
		     const struct names *names)
{
	if (rule->family == AF_INET6)
		text_add(out, "IPv6 ");
	text_printf(out, "rule %s: %u: ", added ? "added" : "deleted", rule->priority);
	rule_print_selector(out, rule, names);
	if (rule->action == RULE_LOOKUP)
		print_table(out, rule, names);
	else if (rule->action == RULE_GOTO)
		print_target(out, rule);
	else
		print_action(out, rule);
	print_suppressors(out, rule);
}
