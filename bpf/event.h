/* SPDX-License-Identifier: GPL-2.0-only */
/* What the BPF programs tell user space about a lookup: the contract of kernel, user and log. */
#ifndef FIBTRACE_BPF_EVENT_H
#define FIBTRACE_BPF_EVENT_H

#include "bpf/flow.h"

#define EVENT_COMM_LEN 16
#define EVENT_STACK_DEPTH 24
#define EVENT_HELD_MAX 8

enum event_type {
	EVENT_BEGIN = 1, /* struct begin_event: the first table answer of a walk */
	EVENT_TABLE = 2, /* struct table_event: a further answer of the same walk */
};

/* Where the network namespace of a lookup is known from. */
enum netns_source {
	NETNS_UNKNOWN = 0,
	NETNS_TASK = 1, /* the running task's; derived */
	NETNS_RECEIVE = 2, /* the device whose packet this CPU is receiving; derived */
	NETNS_DEVICE = 3, /* the device of a nexthop that the kernel chose */
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

#define ANSWER_CUSTOM_RULES 1u /* net->ipv4.fib_has_custom_rules was set */
#define ANSWER_POLICY_KNOWN 2u /* rules_seq and ANSWER_CUSTOM_RULES could be read */

/*
 * What one table answered (fib_table_lookup()). error is 0 or a negative errno;
 * the fields of the nexthop are zero unless error is 0. netns is that of the
 * nexthop's device. route_type is RTN_…, 0 where the kernel does not tell.
 * rules_seq and routes_seq count the changes of a namespace's rules and routes
 * (fib_rules_ops.fib_rules_seq, netns_ipv4.fib_seq).
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
	__u8 pad[5];
};

/*
 * syscall is the number of the system call in progress at LEVEL_TASK, else -1.
 * pid, tid, uid and comm are zero unless level is LEVEL_TASK.
 */
struct event_context {
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

_Static_assert(sizeof(struct event_header) == 16, "event_header is part of the log format");
_Static_assert(sizeof(struct table_answer) == 48, "table_answer is part of the log format");
_Static_assert(sizeof(struct event_context) == 40, "event_context is part of the log format");
_Static_assert(sizeof(struct begin_event) == 240, "begin_event is part of the log format");
_Static_assert(sizeof(struct table_event) == 72, "table_event is part of the log format");

#endif
