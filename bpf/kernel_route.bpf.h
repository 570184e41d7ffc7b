/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's rules and routes read into the steps of a record. */
#ifndef FIBTRACE_BPF_KERNEL_ROUTE_BPF_H
#define FIBTRACE_BPF_KERNEL_ROUTE_BPF_H

#include <bpf/bpf_endian.h>

#include "bpf/nexthop.bpf.h"
#include "bpf/record.bpf.h"
#include "bpf/route6.bpf.h"

#define KERNEL_FIB_RULE_INVERT 0x2 /* FIB_RULE_INVERT */
#define KERNEL_FIB_RULE_FIND_SADDR 0x10000
#define KERNEL_FR_ACT_TO_TBL 1

#define KERNEL_RTF_GATEWAY 0x0002
#define KERNEL_RTF_CACHE 0x01000000
#define KERNEL_FLOWI_FLAG_KNOWN_NH 0x02

/* At least sizeof(struct fib_result) of every kernel. */
#define RESULT_COPY_MAX 80

/* How many routes of one prefix are looked through for the one that was found. */
#define ALIASES_MAX 8

static __always_inline __u16 info_nexthops(const struct fib_info *info)
{
	const struct nexthop *object = BPF_CORE_READ(info, nh);

	return object ? object_nexthops(object) : BPF_CORE_READ(info, fib_nhs);
}

static __always_inline void route_fill_nexthop(struct step_route *route,
					       const struct fib_nh_common *nexthop)
{
	route->dev = BPF_CORE_READ(nexthop, nhc_dev, ifindex);
	route->gateway_family = BPF_CORE_READ(nexthop, nhc_gw_family);
	__builtin_memset(route->gateway, 0, sizeof(route->gateway));
	if (route->gateway_family == FLOW_AF_INET)
		bpf_core_read(route->gateway, 4, &nexthop->nhc_gw);
	else if (route->gateway_family == FLOW_AF_INET6)
		bpf_core_read(route->gateway, 16, &nexthop->nhc_gw);
}

/* A table's result; it holds only where fib_table_lookup() returned 0. */
static __always_inline void route_fill(struct step_route *route, const struct fib_result *result)
{
	__u64 copy[RESULT_COPY_MAX / sizeof(__u64)] = {};
	const struct fib_result *copied = (const void *)copy;
	const struct fib_table *table;
	const struct fib_info *info;
	const struct fib_nh_common *nexthop;

	bpf_probe_read_kernel(
		copy, kernel_size(bpf_core_type_size(struct fib_result), sizeof(copy)), result);
	*(__u32 *)route->dst = copied->prefix;
	route->prefix_length = copied->prefixlen;
	route->type = copied->type;
	route->scope = copied->scope;
	table = copied->table;
	info = copied->fi;
	nexthop = copied->nhc;
	route->table = BPF_CORE_READ(table, tb_id);
	route->nexthops = info_nexthops(info);
	if (nexthop)
		route_fill_nexthop(route, nexthop);
}

/*
 * Without custom rules local and main share one trie, and the result names main
 * for both: the entry that was found (fib_alias) knows its own table.
 */
static __always_inline __u32 result_table(const struct fib_result *result, __u32 otherwise)
{
	const struct hlist_head *head = BPF_CORE_READ(result, fa_head);
	const struct fib_info *info = BPF_CORE_READ(result, fi);
	__u8 suffix = 32 - BPF_CORE_READ(result, prefixlen);
	const struct hlist_node *node = BPF_CORE_READ(head, first);

	for (int i = 0; i < ALIASES_MAX && node; i++) {
		/* fa_list lies first in its fib_alias. */
		const struct fib_alias *alias = (const void *)node;

		if (BPF_CORE_READ(alias, fa_info) == info &&
		    BPF_CORE_READ(alias, fa_slen) == suffix)
			return BPF_CORE_READ(alias, tb_id);
		node = BPF_CORE_READ(node, next);
	}
	return otherwise;
}

/* The table's entry; the nexthop is told by what was made of it. */
static __always_inline void route6_fill_entry(struct step_route *route,
					      const struct fib6_info *entry)
{
	const struct nexthop *object = BPF_CORE_READ(entry, nh);

	bpf_core_read(route->dst, sizeof(route->dst), &entry->fib6_dst.addr);
	route->prefix_length = BPF_CORE_READ(entry, fib6_dst.plen);
	route->type = BPF_CORE_READ(entry, fib6_type);
	route->table = BPF_CORE_READ(entry, fib6_table, tb6_id);
	route->nexthops =
		object ? object_nexthops(object) : BPF_CORE_READ(entry, fib6_nsiblings) + 1;
}

/*
 * The device is that of the nexthop, as in IPv4: dst.dev is the loopback device for
 * what is delivered here.
 */
static __always_inline void route6_fill_nexthop(struct step_route *route,
						const struct rt6_info *made)
{
	route->dev = BPF_CORE_READ(made, rt6i_idev, dev, ifindex);
	if (!(BPF_CORE_READ(made, rt6i_flags) & KERNEL_RTF_GATEWAY))
		return;
	route->gateway_family = FLOW_AF_INET6;
	bpf_core_read(route->gateway, sizeof(route->gateway), &made->rt6i_gateway);
}

/* A copy that is made for a known nexthop's sake looks like an exception, and is none: ip6_pol_route()
 * makes it of a route without a gateway, and only where there is no exception. */
static __always_inline bool route6_is_exception(const struct rt6_info *made,
						const struct flow_key *key)
{
	__u32 flags = BPF_CORE_READ(made, rt6i_flags);

	if (!(flags & KERNEL_RTF_CACHE))
		return false;
	return flags & KERNEL_RTF_GATEWAY || !(key->flags & KERNEL_FLOWI_FLAG_KNOWN_NH);
}

/* What a table gave for the flow of key; false: nothing of a table's. */
static __always_inline bool route6_fill(struct step_route *route, const struct rt6_info *made,
					const struct flow_key *key)
{
	const struct fib6_info *entry = made ? BPF_CORE_READ(made, from) : 0;
	__s32 error;

	if (!entry)
		return false;
	__builtin_memset(route, 0, sizeof(*route));
	route6_fill_entry(route, entry);
	if (route6_is_exception(made, key))
		route->flags = STEP_ROUTE_EXCEPTION;
	error = BPF_CORE_READ(made, dst.error);
	if (!error)
		route6_fill_nexthop(route, made);
	else if (!route6_error(route->type))
		route->type = ROUTE_BLACKHOLE; /* by its nexthop object */
	return true;
}

/* What the search of a table found, before the kernel makes something of it. Returns what it
 * comes to; ERROR_AGAIN, of all but a throw route, with no route. */
static __always_inline __s32 route6_fill_result(struct step_route *route, const struct net *net,
						const struct fib6_result *result)
{
	const struct fib6_info *entry = BPF_CORE_READ(result, f6i);
	const struct fib6_nh *nexthop = BPF_CORE_READ(result, nh);
	__u8 type = BPF_CORE_READ(result, fib6_type);
	__s32 error;

	if (!entry || entry == BPF_CORE_READ(net, ipv6.fib6_null_entry))
		return ERROR_AGAIN;
	route6_fill_entry(route, entry);
	if (type)
		route->type = type;
	error = route6_error(route->type);
	if (!error && nexthop)
		route_fill_nexthop(route, &nexthop->nh_common);
	return error;
}

static __always_inline void step_fill_selector4(struct step_rule *out,
						const struct fib4_rule *copied)
{
	*(__u32 *)out->src = copied->src;
	*(__u32 *)out->dst = copied->dst;
	out->src_length = copied->src_len;
	out->dst_length = copied->dst_len;
	out->tos = rule_tos(copied);
	if (rule_dscp_full(copied)) {
		out->flags |= STEP_RULE_DSCP;
		out->dscp_mask = rule_dscp_mask(copied);
	}
}

static __always_inline void step_fill_selector6(struct step_rule *out,
						const struct fib6_rule *copied)
{
	__builtin_memcpy(out->src, &copied->src.addr, sizeof(out->src));
	__builtin_memcpy(out->dst, &copied->dst.addr, sizeof(out->dst));
	out->src_length = copied->src.plen;
	out->dst_length = copied->dst.plen;
	out->tos = rule6_tos(copied);
	out->flowlabel = bpf_ntohl(rule6_flowlabel(copied));
	out->flowlabel_mask = bpf_ntohl(rule6_flowlabel_mask(copied));
	if (rule6_dscp_full(copied)) {
		out->flags |= STEP_RULE_DSCP;
		out->dscp_mask = rule6_dscp_mask(copied);
	}
}

static __always_inline void step_fill_selector(struct step_rule *out, const struct fib_rule *common)
{
	out->tun_id = bpf_be64_to_cpu(common->tun_id);
	out->mark = common->mark;
	out->mark_mask = common->mark_mask;
	out->uid_first = common->uid_range.start.val;
	out->uid_last = common->uid_range.end.val;
	out->sport_first = common->sport_range.start;
	out->sport_last = common->sport_range.end;
	out->sport_mask = rule_sport_mask(common);
	out->dport_first = common->dport_range.start;
	out->dport_last = common->dport_range.end;
	out->dport_mask = rule_dport_mask(common);
	out->ip_proto = common->ip_proto;
	if (common->flags & KERNEL_FIB_RULE_INVERT)
		out->flags |= STEP_RULE_INVERT;
	if (common->flags & KERNEL_FIB_RULE_FIND_SADDR)
		out->flags |= STEP_RULE_FIND_SOURCE;
	if (common->l3mdev)
		out->flags |= STEP_RULE_L3MDEV;
}

/* The rule's fields, from a copy of it that the open lookup has room for. */
static __always_inline void step_fill_rule(struct open_lookup *open, struct step_event *step,
					   const struct fib_rule *rule, __u8 family)
{
	/* The rule's common part lies first in fib4_rule and fib6_rule. */
	const struct fib_rule *common = (const void *)open->rule_copy;
	struct step_rule *out = &step->rule;
	__u32 size = family == FLOW_AF_INET6 ? bpf_core_type_size(struct fib6_rule)
					     : bpf_core_type_size(struct fib4_rule);

	bpf_probe_read_kernel(open->rule_copy, kernel_size(size, sizeof(open->rule_copy)), rule);
	if (family == FLOW_AF_INET6)
		step_fill_selector6(out, (const void *)open->rule_copy);
	else
		step_fill_selector4(out, (const void *)open->rule_copy);
	step_fill_selector(out, common);
	out->priority = common->pref;
	out->table = common->table;
	out->action = common->action;
	out->protocol = common->proto;
	out->suppress_prefixlength = common->suppress_prefixlen;
	out->suppress_ifgroup = common->suppress_ifgroup;
	__builtin_memcpy(out->iif, common->iifname, sizeof(out->iif));
	__builtin_memcpy(out->oif, common->oifname, sizeof(out->oif));
	step->flags |= STEP_HAS_RULE;
	open->rule = (__u64)rule;
}

#define TABLE_HASH_SIZE 256 /* FIB_TABLE_HASHSZ, FIB6_TABLE_HASHSZ */
#define TABLES_MAX 32 /* of one place of the hash */

/* tb_hlist lies first in its fib_table, tb6_hlist in its fib6_table. */
static __always_inline __u32 table_id(const struct hlist_node *node, __u8 family)
{
	const struct fib_table *table = (const void *)node;
	const struct fib6_table *table6 = (const void *)node;

	return family == FLOW_AF_INET6 ? BPF_CORE_READ(table6, tb6_id)
				       : BPF_CORE_READ(table, tb_id);
}

/* fib_get_table() or fib6_get_table(): whether the table exists, where no answer of it was seen. */
static __always_inline bool table_exists(const struct hlist_head *hash, __u8 family, __u32 id)
{
	const struct hlist_head *head = &hash[id & (TABLE_HASH_SIZE - 1)];
	const struct hlist_node *node = 0;

	/* The size of a head is the kernel's, not that of our excerpt of it: they are one pointer. */
	bpf_probe_read_kernel(&node, sizeof(node), head);
	for (int i = 0; i < TABLES_MAX && node; i++) {
		if (table_id(node, family) == id)
			return true;
		node = BPF_CORE_READ(node, next);
	}
	return false;
}

/* Whether it was a table that the action of the rule asked, and which. */
static __always_inline bool step_fill_table(struct step_event *step,
					    const struct fib_lookup_arg *argument, __s32 error)
{
	step->error = error;
	if (step->rule.action != KERNEL_FR_ACT_TO_TBL)
		return false;
	step->table = step->rule.flags & STEP_RULE_L3MDEV ? BPF_CORE_READ(argument, table)
							  : step->rule.table;
	/* fib_get_table() and fib6_get_table() take 0, which `not l3mdev` rules ask for, as main. */
	if (!step->table)
		step->table = TABLE_MAIN;
	return true;
}

/* fib6_rule_action() returned error: it asked for something to send by or, in fib6_lookup(), for
 * the table's entry. */
static __always_inline void step_fill_action6(struct step_event *step, struct open_lookup *open,
					      const struct fib_lookup_arg *argument, __s32 error)
{
	const struct fib_rule *copied = (const void *)open->rule_copy;
	const struct net *net = copied->fr_net;
	const struct fib6_result *result = BPF_CORE_READ(argument, result);
	const struct fib6_info *found = (const void *)open->found;

	if (!step_fill_table(step, argument, error))
		return;
	if (error != ERROR_AGAIN || open->unexplained)
		step->flags |= STEP_ASKED;
	if (error == ERROR_AGAIN && !open->unexplained) {
		/* What the table answered was not seen. */
		if (table_exists(BPF_CORE_READ(net, ipv6.fib_table_hash), FLOW_AF_INET6,
				 step->table))
			open->lost = true;
	} else if (error == ERROR_AGAIN) {
		if (BPF_CORE_READ(found, fib6_type) != ROUTE_THROW)
			return;
		route6_fill_entry(&step->route, found);
		step->flags |= STEP_HAS_ROUTE;
	} else if (open->event.flags & LOOKUP_ALT) {
		step->error = route6_fill_result(&step->route, net, result);
		step->flags |= STEP_HAS_ROUTE;
	} else if (route6_fill(&step->route, BPF_CORE_READ(result, rt6), &open->event.key)) {
		step->flags |= STEP_HAS_ROUTE;
	}
}

/* fib4_rule_action() returned error. */
static __always_inline void step_fill_action4(struct step_event *step, struct open_lookup *open,
					      const struct fib_lookup_arg *argument, __s32 error)
{
	const struct fib_rule *copied = (const void *)open->rule_copy;
	const struct fib_result *result;
	const struct net *net = copied->fr_net;

	if (!step_fill_table(step, argument, error))
		return;
	if (error != ERROR_AGAIN || open->unexplained ||
	    table_exists(BPF_CORE_READ(net, ipv4.fib_table_hash), FLOW_AF_INET, step->table))
		step->flags |= STEP_ASKED;
	if (error)
		return;
	result = BPF_CORE_READ(argument, result);
	step->flags |= STEP_HAS_ROUTE;
	route_fill(&step->route, result);
}

#endif
