/* SPDX-License-Identifier: GPL-2.0-only */
/* The flow key out of the kernel's flowi4 or flowi6. */
#ifndef FIBTRACE_BPF_FLOW_BPF_H
#define FIBTRACE_BPF_FLOW_BPF_H

#include "flavors.h"
#include "bpf/flow.h"
#include <bpf/bpf_endian.h>

/* At least sizeof(struct flowi4) and sizeof(struct flowi6) of every kernel. */
#define FLOW_COPY_MAX 96

#define FLOWLABEL_MASK 0xfffff

static __always_inline void flow_key_read_common(struct flow_key *key,
						 const struct flowi_common *common)
{
	key->tun_id = bpf_be64_to_cpu(common->flowic_tun_key.tun_id);
	key->mark = common->flowic_mark;
	key->uid = common->flowic_uid.val;
	key->iif = common->flowic_iif;
	key->oif = common->flowic_oif;
	key->l3mdev = flow_l3mdev(common);
	key->protocol = common->flowic_proto;
	key->scope = common->flowic_scope;
	key->flags = flow_flags(common);
}

static __always_inline void flow_key_read_inet(struct flow_key *key, const struct flowi4 *copied)
{
	flow_key_read_common(key, &copied->__fl_common);
	*(__u32 *)key->src = copied->saddr;
	*(__u32 *)key->dst = copied->daddr;
	key->tos = flow_tos(&copied->__fl_common);
	key->sport = bpf_ntohs(copied->uli.ports.sport);
	key->dport = bpf_ntohs(copied->uli.ports.dport);
}

static __always_inline void flow_key_read_inet6(struct flow_key *key, const struct flowi6 *copied)
{
	__u32 word = bpf_ntohl(copied->flowlabel);

	flow_key_read_common(key, &copied->__fl_common);
	__builtin_memcpy(key->src, &copied->saddr, sizeof(key->src));
	__builtin_memcpy(key->dst, &copied->daddr, sizeof(key->dst));
	key->flowlabel = word & FLOWLABEL_MASK;
	key->tos = word >> 20;
	key->sport = bpf_ntohs(copied->uli.ports.sport);
	key->dport = bpf_ntohs(copied->uli.ports.dport);
}

/* The flow key of a kernel's flow: copied as a whole, which costs one read. */
static __always_inline void flow_key_read(struct flow_key *key, const void *flow, __u8 family)
{
	__u64 copy[FLOW_COPY_MAX / sizeof(__u64)] = {};
	__u32 size = family == FLOW_AF_INET6 ? bpf_core_type_size(struct flowi6)
					     : bpf_core_type_size(struct flowi4);

	bpf_probe_read_kernel(copy, kernel_size(size, sizeof(copy)), flow);
	__builtin_memset(key, 0, sizeof(*key));
	key->family = family;
	if (family == FLOW_AF_INET6)
		flow_key_read_inet6(key, (const void *)copy);
	else
		flow_key_read_inet(key, (const void *)copy);
}

static __always_inline bool flow_equals_common(const struct flowi_common *common,
					       const struct flow_key *key)
{
	return key->mark == common->flowic_mark && key->iif == (__u32)common->flowic_iif &&
	       key->oif == (__u32)common->flowic_oif && key->uid == common->flowic_uid.val &&
	       key->protocol == common->flowic_proto;
}

static __always_inline bool flow_equals_inet(const struct flowi4 *flow, const struct flow_key *key)
{
	return *(const __u32 *)key->dst == flow->daddr && *(const __u32 *)key->src == flow->saddr &&
	       flow_equals_common(&flow->__fl_common, key) &&
	       key->tos == flow_tos(&flow->__fl_common) &&
	       key->sport == bpf_ntohs(flow->uli.ports.sport) &&
	       key->dport == bpf_ntohs(flow->uli.ports.dport);
}

static __always_inline bool address_equals(const struct in6_addr *address, const __u8 *bytes)
{
	const __u32 *words = (const void *)bytes;

	return address->in6_u.u6_addr32[0] == words[0] && address->in6_u.u6_addr32[1] == words[1] &&
	       address->in6_u.u6_addr32[2] == words[2] && address->in6_u.u6_addr32[3] == words[3];
}

static __always_inline bool flow_equals_inet6(const struct flowi6 *flow, const struct flow_key *key)
{
	__u32 word = bpf_ntohl(flow->flowlabel);

	return address_equals(&flow->daddr, key->dst) && address_equals(&flow->saddr, key->src) &&
	       flow_equals_common(&flow->__fl_common, key) &&
	       key->flowlabel == (word & FLOWLABEL_MASK) && key->tos == word >> 20 &&
	       key->sport == bpf_ntohs(flow->uli.ports.sport) &&
	       key->dport == bpf_ntohs(flow->uli.ports.dport);
}

/* True when a table is asked again for the same flow. */
static __always_inline bool flow_equals(const void *flow, __u8 family, const struct flow_key *key)
{
	if (key->family != family)
		return false;
	if (family == FLOW_AF_INET6)
		return flow_equals_inet6(flow, key);
	return flow_equals_inet(flow, key);
}

#endif
