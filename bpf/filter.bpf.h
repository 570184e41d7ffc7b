/* SPDX-License-Identifier: GPL-2.0-only */
/* The filter on the flow key in the kernel; user/filter/filter.c decides the same. */
#ifndef FIBTRACE_BPF_FILTER_BPF_H
#define FIBTRACE_BPF_FILTER_BPF_H

#include "bpf/filter.h"

#define FILTER_PROTO_TCP 6
#define FILTER_PROTO_UDP 17
#define FILTER_PROTO_DCCP 33
#define FILTER_PROTO_SCTP 132
#define FILTER_PROTO_UDPLITE 136

static __always_inline bool filter_has_ports(__u8 protocol)
{
	return protocol == FILTER_PROTO_TCP || protocol == FILTER_PROTO_UDP ||
	       protocol == FILTER_PROTO_DCCP || protocol == FILTER_PROTO_SCTP ||
	       protocol == FILTER_PROTO_UDPLITE;
}

static __always_inline bool prefix_holds(const volatile struct prefix_filter *prefix, __u8 family,
					 const __u8 *address)
{
	const __u32 *words = (const void *)address;

	if (prefix->family && prefix->family != family)
		return false;
	if (family == FLOW_AF_INET)
		return (words[0] & prefix->mask[0]) == prefix->address[0];
	return (words[0] & prefix->mask[0]) == prefix->address[0] &&
	       (words[1] & prefix->mask[1]) == prefix->address[1] &&
	       (words[2] & prefix->mask[2]) == prefix->address[2] &&
	       (words[3] & prefix->mask[3]) == prefix->address[3];
}

static __always_inline bool prefixes_reject(const volatile struct prefix_filter *list, __u32 count,
					    __u8 family, const __u8 *address)
{
	for (__u32 i = 0; i < FILTER_MAX && i < count; i++) {
		if (prefix_holds(&list[i], family, address))
			return false;
	}
	return count != 0;
}

static __always_inline bool ports_reject(const volatile struct port_filter *list, __u32 count,
					 __u8 protocol, __u16 port)
{
	if (!count)
		return false;
	if (!filter_has_ports(protocol))
		return true;
	for (__u32 i = 0; i < FILTER_MAX && i < count; i++) {
		if (list[i].first <= port && port <= list[i].last)
			return false;
	}
	return true;
}

static __always_inline bool marks_reject(const volatile struct flow_filter *filter, __u32 mark)
{
	for (__u32 i = 0; i < FILTER_MAX && i < filter->mark_count; i++) {
		if ((mark & filter->mark[i].mask) == filter->mark[i].value)
			return false;
	}
	return filter->mark_count != 0;
}

static __always_inline bool protocols_reject(const volatile struct flow_filter *filter,
					     __u8 protocol)
{
	for (__u32 i = 0; i < FILTER_MAX && i < filter->protocol_count; i++) {
		if (filter->protocol[i] == protocol)
			return false;
	}
	return filter->protocol_count != 0;
}

static __always_inline bool numbers_reject(const volatile __u32 *list, __u32 count, __u32 number)
{
	for (__u32 i = 0; i < FILTER_MAX && i < count; i++) {
		if (list[i] == number)
			return false;
	}
	return count != 0;
}

static __always_inline __u32 family_bit(__u8 family)
{
	return family == FLOW_AF_INET6 ? FILTER_FAMILY_INET6 : FILTER_FAMILY_INET;
}

static __always_inline bool families_reject(__u32 families, __u8 family)
{
	return families && !(families & family_bit(family));
}

/* The first kind that rejects. pid: the thread group whose own lookup this is; 0, for
 * none, never matches. */
static __always_inline enum filter_kind
flow_filter_kernel_rejects(const volatile struct flow_filter *filter, const struct flow_key *key,
			   __u32 pid)
{
	if (families_reject(filter->families, key->family))
		return FILTER_FAMILY;
	if (prefixes_reject(filter->dst, filter->dst_count, key->family, key->dst))
		return FILTER_DST;
	if (prefixes_reject(filter->src, filter->src_count, key->family, key->src))
		return FILTER_SRC;
	if (protocols_reject(filter, key->protocol))
		return FILTER_PROTOCOL;
	if (ports_reject(filter->sport, filter->sport_count, key->protocol, key->sport))
		return FILTER_SPORT;
	if (ports_reject(filter->dport, filter->dport_count, key->protocol, key->dport))
		return FILTER_DPORT;
	if (marks_reject(filter, key->mark))
		return FILTER_MARK;
	if (numbers_reject(filter->uid, filter->uid_count, key->uid))
		return FILTER_UID;
	if (filter->pid_count && (!pid || numbers_reject(filter->pid, filter->pid_count, pid)))
		return FILTER_PID;
	return FILTER_NONE;
}

static __always_inline bool purpose_filter_rejects(const volatile struct verdict_filter *filter,
						   __u32 purpose)
{
	return filter->purposes && !(filter->purposes & 1u << (purpose & 31));
}

/* The first kind, after FILTER_OIF, that rejects what came of a lookup. */
static __always_inline enum filter_kind
verdict_filter_kernel_rejects(const volatile struct verdict_filter *filter,
			      const struct verdict_subject *subject)
{
	if (filter->table_count &&
	    (!subject->table || numbers_reject(filter->table, filter->table_count, subject->table)))
		return FILTER_TABLE;
	if (filter->priority_count &&
	    (!subject->has_priority ||
	     numbers_reject(filter->priority, filter->priority_count, subject->priority)))
		return FILTER_PRIORITY;
	if (filter->failed && !subject->failed)
		return FILTER_FAILED;
	return FILTER_NONE;
}

static __always_inline bool device_filter_rejects(const volatile struct device_filter *filter,
						  __u32 ifindex)
{
	if (!filter->enabled)
		return false;
	for (__u32 i = 0; i < FILTER_MAX; i++) {
		if (i >= filter->count)
			break;
		if (filter->ifindex[i] == ifindex)
			return false;
	}
	return true;
}

#endif
