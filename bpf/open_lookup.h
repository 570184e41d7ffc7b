/* SPDX-License-Identifier: GPL-2.0-only */
/* A lookup in progress in the exact tiers: user space looks at those left when a trace ends. */
#ifndef FIBTRACE_BPF_OPEN_LOOKUP_H
#define FIBTRACE_BPF_OPEN_LOOKUP_H

#include "bpf/event.h"

/* At least sizeof(struct fib4_rule) and sizeof(struct fib6_rule) of every kernel. */
#define RULE_COPY_MAX 320

enum lookup_phase {
	LOOKUP_WALKING, /* fib_rules_lookup(), of IPv6 fib6_rule_lookup(), runs */
	LOOKUP_AWAITING_DEFAULT, /* walked, unless table default is asked as well */
	LOOKUP_WALKED,
};

/*
 * Keyed by the kernel's flow pointer, which is unique among the lookups in
 * progress. argument and rule are pointers of the kernel to tell its lookup and
 * the rule that ran last; event is what is sent. here: netns is traced, for certain.
 * waits: the function that asked chooses what it returns from what was found.
 * by_rules: rules are to be walked for it, of IPv6.
 * unexplained: table answers since the last rule's action. found: the entry of the
 * last one, of IPv6.
 */
struct open_lookup {
	__u64 flow;
	__u64 argument;
	__u64 rule;
	__u64 found;
	__u8 phase;
	__u8 unexplained;
	__u8 lost; /* a part of it was not seen, or did not fit into the ring */
	__u8 here;
	__u8 waits;
	__u8 by_rules;
	__u8 pad[2];
	__u64 rule_copy[RULE_COPY_MAX / sizeof(__u64)];
	struct lookup_event event;
};

#endif
