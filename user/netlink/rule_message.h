/* SPDX-License-Identifier: GPL-2.0-only */
/* Decodes RTM_NEWRULE and RTM_DELRULE into the model's rule. */
#ifndef FIBTRACE_NETLINK_RULE_MESSAGE_H
#define FIBTRACE_NETLINK_RULE_MESSAGE_H

#include "rules/rule.h"

struct nlmsghdr;

/*
 * Fills rule. Attributes that are not known are kept in it; a malformed one, or more than fit,
 * make it truncated. 0, -EAFNOSUPPORT for rules that are neither IPv4's nor IPv6's (those
 * of multicast routing come through the same group), -EBADMSG for a message too short to be one.
 */
int rule_message_parse(const struct nlmsghdr *message, struct rule *rule);

#endif
