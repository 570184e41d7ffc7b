/* SPDX-License-Identifier: GPL-2.0-only */
/* The filter on the flow key, laid out so that BPF and user space apply the same one. */
#ifndef FIBTRACE_BPF_FILTER_H
#define FIBTRACE_BPF_FILTER_H

#include "bpf/flow.h"

#ifndef FIBTRACE_VMLINUX_H
#include <stdbool.h>
#endif

/* How often one kind of filter may be repeated. */
#define FILTER_MAX 64

#define FILTER_FAMILY_INET 1u
#define FILTER_FAMILY_INET6 2u
#define FILTER_FAMILIES (FILTER_FAMILY_INET | FILTER_FAMILY_INET6)

/* The kind of filter that rejects: what an empty trace is explained with. */
enum filter_kind {
	FILTER_NONE, /* all hold */
	FILTER_FAMILY,
	FILTER_DST,
	FILTER_SRC,
	FILTER_PROTOCOL,
	FILTER_SPORT,
	FILTER_DPORT,
	FILTER_MARK,
	FILTER_UID,
	FILTER_PID,
	FILTER_IIF,
	FILTER_PURPOSE,
	FILTER_OIF,
	FILTER_TABLE,
	FILTER_PRIORITY,
	FILTER_FAILED,
	FILTER_FINDINGS, /* of what was explained: user space alone decides it */
	FILTER_KIND_COUNT,
};

/* Words of an address and its mask, network byte order; IPv4 uses the first. family 0: all of
 * both. */
struct prefix_filter {
	__u32 address[4];
	__u32 mask[4];
	__u32 family;
};

struct mark_filter {
	__u32 value;
	__u32 mask;
};

struct port_filter {
	__u16 first;
	__u16 last;
};

/*
 * Kinds must all hold, of one kind any may; a count of 0 lets everything pass.
 * Ports hold for protocols that have ports only. iifs are interface indexes and
 * used where a single namespace is traced; elsewhere user space decides by name.
 */
struct flow_filter {
	__u32 families; /* FILTER_FAMILY_…; 0: all */
	__u32 dst_count;
	__u32 src_count;
	__u32 protocol_count;
	__u32 sport_count;
	__u32 dport_count;
	__u32 mark_count;
	__u32 uid_count;
	__u32 pid_count;
	struct prefix_filter dst[FILTER_MAX];
	struct prefix_filter src[FILTER_MAX];
	struct port_filter sport[FILTER_MAX];
	struct port_filter dport[FILTER_MAX];
	struct mark_filter mark[FILTER_MAX];
	__u32 uid[FILTER_MAX];
	__u32 pid[FILTER_MAX];
	__u8 protocol[FILTER_MAX];
};

/*
 * The filter on what came of a lookup, and on what it was for: 1 << enum purpose.
 * The kernel applies it in the tiers that see verdicts.
 */
struct verdict_filter {
	__u32 purposes; /* 0: all */
	__u32 table_count;
	__u32 priority_count;
	__u32 table[FILTER_MAX];
	__u32 priority[FILTER_MAX];
	bool failed; /* errors alone */
	__u8 pad[3];
};

/* What of a verdict the filter looks at. table 0: none. */
struct verdict_subject {
	__u32 table;
	__u32 priority;
	bool has_priority;
	bool failed;
};

/* Changes while tracing: interface indexes follow their names. enabled with count 0 rejects all. */
struct device_filter {
	__u32 enabled;
	__u32 count;
	__u32 ifindex[FILTER_MAX];
};

#endif
