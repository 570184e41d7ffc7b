/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule change in one line, in the words of `ip monitor rule`. */
#ifndef FIBTRACE_NETLINK_RULE_NOTE_H
#define FIBTRACE_NETLINK_RULE_NOTE_H

#include <stdbool.h>

#include "rules/names.h"
#include "rules/rule.h"
#include "util/text.h"

/* "rule added: 5209: not from all fwmark 0xca6c lookup 51820", of the other family "IPv6 rule added: …". */
void rule_note_print(struct text *out, const struct rule *rule, bool added,
		     const struct names *names);

#endif
