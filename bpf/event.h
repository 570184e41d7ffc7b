/* SPDX-License-Identifier: GPL-2.0-only */
/* What the BPF programs tell user space about a lookup: the contract of kernel, user and log. */
#ifndef FIBTRACE_BPF_EVENT_H
#define FIBTRACE_BPF_EVENT_H

#include "bpf/flow.h"
#include "bpf/purpose.h"

#define EVENT_COMM_LEN 16
#define EVENT_STACK_DEPTH 24
#define EVENT_HELD_MAX 8
#define EVENT_IFNAME_LEN 16
#define LOOKUP_STEPS_PER_EVENT 32

enum event_type {
	EVENT_BEGIN = 1, /* struct begin_event: the first table answer of a walk */
	EVENT_TABLE = 2, /* struct table_event: a further answer of the same walk */
	EVENT_LOOKUP = 3, /* struct lookup_event: a lookup, or a part of a long one */
};

/* Where the network namespace of a lookup is known from. */
enum netns_source {
	NETNS_UNKNOWN = 0,
	NETNS_TASK = 1, /* the running task's; derived */
	NETNS_RECEIVE = 2, /* the device whose packet this CPU is receiving; derived */
	NETNS_DEVICE = 3, /* the device of a nexthop that the kernel chose */
	NETNS_LOOKUP = 4, /* the kernel's function that looked up was given it */
};

enum context_level {
	LEVEL_TASK = 0, /* the task's own lookup: pid and comm are its own */
	LEVEL_SOFTIRQ = 1, /* the interrupted task is an innocent bystander */
	LEVEL_KTHREAD = 2,
};

/*
 * seq counts the events of one CPU, refused ones too: a gap is a loss. time_ns
 * is CLOCK_BOOTTIME.
 */
struct event_header {
	__u64 time_ns;
	__u32 seq;
	__u16 cpu;
	__u8 type;
	__u8 pad;
};

#define ANSWER_CUSTOM_RULES 1u /* net->ipv4.fib_has_custom_rules, ipv6.fib6_has_custom_rules */
#define ANSWER_POLICY_KNOWN 2u /* rules_seq and ANSWER_CUSTOM_RULES could be read */
#define ANSWER_PREFIX_KNOWN 4u /* prefix_length is that of the route, which may refuse (IPv6) */

/*
 * What one table answered (fib_table_lookup(), fib6_table_lookup()). error is 0
 * or a negative errno; the fields of the nexthop are zero unless error is 0.
 * netns is that of the nexthop's device, of IPv6 that of the lookup. route_type
 * is RTN_…, 0 where the kernel does not tell: of IPv6 it is that of a route that
 * refuses, too. nexthops: of how many the kernel will choose one, 0: not known.
 * rules_seq and routes_seq count the changes of the rules and routes of the
 * family in a namespace: see struct policy_seq.
 */
struct table_answer {
	__u8 gateway[16];
	__u32 table;
	__s32 error;
	__u32 dev;
	__u32 netns;
	__u32 rules_seq;
	__u32 routes_seq;
	__u8 gateway_family;
	__u8 route_type;
	__u8 flags;
	__u8 prefix_length;
	__u16 nexthops;
	__u8 pad[2];
};

/*
 * syscall is the number of the system call in progress at LEVEL_TASK, else -1.
 * pid, tid, uid and comm are zero unless level is LEVEL_TASK. instance tells
 * what is under way from another of its kind: at LEVEL_TASK a hash of the
 * registers that the system call was entered with, at LEVEL_SOFTIRQ how many
 * softirqs and packets have begun on the CPU, at LEVEL_KTHREAD the thread's id.
 * Where two differ they are two; two that are equal need not be one. 0: not known.
 */
struct event_context {
	__u64 instance;
	char comm[EVENT_COMM_LEN];
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 netns;
	__s32 syscall;
	__u8 netns_source;
	__u8 level;
	__u8 pad[2];
};

#define BEGIN_PREVIOUS_LOST 1u /* the previous walk lost an event */
#define BEGIN_SAME_SITE 2u /* same call, descriptor and flow pointer as previous: no stack */
#define BEGIN_REJECTED 4u /* rejected by the filter; sent because only the policy can count it */

/*
 * walk names a walk for as long as fibtrace runs. previous is the last walk
 * before it that was sent for the same task and level, 0 for none: that one has
 * ended. held are tables that answered -EAGAIN before answer and were not sent,
 * because the namespace was taken for one that is not traced. A begin_stack of
 * stack_count return addresses, innermost first, follows when that is not 0.
 */
struct begin_event {
	struct event_header header;
	__u64 walk;
	__u64 previous;
	struct flow_key key;
	struct event_context context;
	struct table_answer answer;
	__u32 held[EVENT_HELD_MAX];
	__u16 held_count;
	__u16 flags;
	__u32 stack_count;
};

struct begin_stack {
	__u64 address[EVENT_STACK_DEPTH];
};

struct table_event {
	struct event_header header;
	__u64 walk;
	struct table_answer answer;
};

#define STEP_RULE_INVERT 1u /* `not` */
#define STEP_RULE_L3MDEV 2u
#define STEP_RULE_DSCP 4u /* tos and dscp_mask are compared with the whole DSCP */
#define STEP_RULE_FIND_SOURCE 8u /* FIB_RULE_FIND_SADDR: src does not refuse an unset source */

/*
 * A rule as the kernel held it when it ran its action: the fields of struct
 * fib_rule and fib4_rule or fib6_rule under their own names' meaning. Addresses are in
 * network byte order, all else in host byte order. suppress_… -1: not set.
 */
struct step_rule {
	__u8 src[16];
	__u8 dst[16];
	char iif[EVENT_IFNAME_LEN];
	char oif[EVENT_IFNAME_LEN];
	__u64 tun_id;
	__u32 priority;
	__u32 table;
	__u32 mark;
	__u32 mark_mask;
	__u32 uid_first;
	__u32 uid_last;
	__s32 suppress_prefixlength;
	__s32 suppress_ifgroup;
	__u32 flowlabel;
	__u32 flowlabel_mask;
	__u16 sport_first;
	__u16 sport_last;
	__u16 sport_mask;
	__u16 dport_first;
	__u16 dport_last;
	__u16 dport_mask;
	__u8 src_length;
	__u8 dst_length;
	__u8 tos;
	__u8 dscp_mask;
	__u8 ip_proto;
	__u8 protocol;
	__u8 action;
	__u8 flags;
	__u8 pad[4];
};

#define STEP_ROUTE_EXCEPTION 1u /* IPv6: by a PMTU or redirect exception, a host route of its own */

/*
 * The route that fib_table_lookup() found (struct fib_result), of IPv6 the one
 * behind the rt6_info that the table gave. table is the one that holds it: local
 * routes are 255 even where the kernel keeps both tables in one trie. dev and
 * gateway are those of the nexthop chosen of nexthops. A route of IPv6 that
 * refuses is told as well; prefix_length is that of the table's entry even where
 * an exception answered.
 */
struct step_route {
	__u8 dst[16];
	__u8 gateway[16];
	__u32 table;
	__u32 dev;
	__u16 nexthops;
	__u8 prefix_length;
	__u8 type;
	__u8 scope;
	__u8 gateway_family;
	__u8 flags;
	__u8 pad;
};

#define STEP_HAS_RULE 1u
#define STEP_HAS_ROUTE 2u /* error is 0, or of IPv6 that of the route */
#define STEP_ASKED 4u /* the table exists: it was looked into */

/* A rule whose action ran (fib4_rule_action(), fib6_rule_action()), or a table asked
 * without one. error: what came of it. table 0: the action asks none. */
struct step_event {
	struct step_rule rule;
	struct step_route route;
	__u32 table;
	__s32 error;
	__u8 flags;
	__u8 pad[7];
};

#define LOOKUP_NO_STEP 0xffff

#define LOOKUP_RULES 1u /* fib_rules_lookup() ran; otherwise tables were asked without rules */
#define LOOKUP_DIRECT 2u /* one table, by a caller that wants no rules */
#define LOOKUP_SEQ_KNOWN 4u /* rules_seq and routes_seq could be read */
#define LOOKUP_BOUND_DEVICE 8u /* a route was made through key.oif without one of a table */
#define LOOKUP_HAS_ROUTE 16u /* route holds */
#define LOOKUP_HAS_PREFSRC 32u
#define LOOKUP_PART 64u /* more steps follow in an event of the same id */
#define LOOKUP_REJECTED 128u /* by the filter on the verdict, after parts were sent: forget them */
#define LOOKUP_PURPOSE_UNKNOWN 256u /* the hooks that tell it are not attached */
#define LOOKUP_CAUSE_UNKNOWN 512u /* no hook told it */
#define LOOKUP_ALT 1024u /* IPv6: fib6_lookup() asked; no rule suppresses then */
#define LOOKUP_SUPPRESSED_ROUTE 2048u /* IPv6: no rule ended the walk, yet route was returned */

/*
 * One lookup of the exact tiers, assembled in the kernel. The header's time is
 * that of its start, its seq is 0. refused: how many lookups of this CPU have
 * not fitted into the ring so far. Of an event with LOOKUP_PART only id, key and
 * steps hold. steps_before were sent in earlier parts; deciding is the index in
 * steps of the one that ended the walk. error is what the caller got. visit names
 * the call of the outermost hooked function around the lookup: lookups of one
 * visit were made by it. 0: no such function was on the way.
 */
struct lookup_event {
	struct event_header header;
	__u64 id;
	__u64 duration_ns;
	__u64 visit;
	struct flow_key key;
	struct event_context context;
	struct step_route route;
	__u8 prefsrc[16];
	__u32 rules_seq;
	__u32 routes_seq;
	__u32 refused;
	__u32 steps_before;
	__s32 error;
	__u16 step_count;
	__u16 deciding;
	__u16 flags;
	__u8 purpose; /* enum purpose */
	__u8 cause; /* enum cause */
	__u8 pad[4];
	struct step_event steps[LOOKUP_STEPS_PER_EVENT]; /* step_count of them are sent */
};

/* What is sent of an event with this many steps. */
#define LOOKUP_EVENT_SIZE(count)                                                                   \
	(__builtin_offsetof(struct lookup_event, steps) + (count) * sizeof(struct step_event))

_Static_assert(sizeof(struct event_header) == 16, "event_header is part of the log format");
_Static_assert(sizeof(struct table_answer) == 48, "table_answer is part of the log format");
_Static_assert(sizeof(struct event_context) == 48, "event_context is part of the log format");
_Static_assert(sizeof(struct begin_event) == 248, "begin_event is part of the log format");
_Static_assert(sizeof(struct table_event) == 72, "table_event is part of the log format");
_Static_assert(sizeof(struct step_rule) == 136, "step_rule is part of the log format");
_Static_assert(sizeof(struct step_route) == 48, "step_route is part of the log format");
_Static_assert(sizeof(struct step_event) == 200, "step_event is part of the log format");
_Static_assert(LOOKUP_EVENT_SIZE(0) == 264, "lookup_event is part of the log format");

#endif
