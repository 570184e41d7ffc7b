/* SPDX-License-Identifier: GPL-2.0-only */
/* The flow key out of the kernel's flowi4. */
#ifndef FIBTRACE_BPF_FLOW_BPF_H
#define FIBTRACE_BPF_FLOW_BPF_H

#include "flavors.h"
#include "bpf/flow.h"
#include <bpf/bpf_endian.h>

/* At least sizeof(struct flowi4) of every kernel. */
#define FLOW_COPY_MAX 96

/* The flow key of a kernel's flow: copied as a whole, which costs one read. */
static __always_inline void flow_key_read(struct flow_key *key, const struct flowi4 *flow)
{
	__u64 copy[FLOW_COPY_MAX / sizeof(__u64)] = {};
	const struct flowi4 *copied = (const void *)copy;
	const struct flowi_common *common = &copied->__fl_common;

	bpf_probe_read_kernel(copy, kernel_size(bpf_core_type_size(struct flowi4), sizeof(copy)),
			      flow);
	__builtin_memset(key, 0, sizeof(*key));
	*(__u32 *)key->src = copied->saddr;
	*(__u32 *)key->dst = copied->daddr;
	key->tun_id = bpf_be64_to_cpu(common->flowic_tun_key.tun_id);
	key->mark = common->flowic_mark;
	key->uid = common->flowic_uid.val;
	key->iif = common->flowic_iif;
	key->oif = common->flowic_oif;
	key->l3mdev = flow_l3mdev(common);
	key->sport = bpf_ntohs(copied->uli.ports.sport);
	key->dport = bpf_ntohs(copied->uli.ports.dport);
	key->family = FLOW_AF_INET;
	key->protocol = common->flowic_proto;
	key->tos = flow_tos(common);
	key->scope = common->flowic_scope;
	key->flags = common->flowic_flags;
}

/* True when a table is asked again for the same flow. */
static __always_inline bool flow_equals(const struct flowi4 *flow, const struct flow_key *key)
{
	const struct flowi_common *common = &flow->__fl_common;

	return *(const __u32 *)key->dst == flow->daddr && *(const __u32 *)key->src == flow->saddr &&
	       key->mark == common->flowic_mark && key->iif == (__u32)common->flowic_iif &&
	       key->oif == (__u32)common->flowic_oif && key->uid == common->flowic_uid.val &&
	       key->protocol == common->flowic_proto && key->tos == flow_tos(common) &&
	       key->sport == bpf_ntohs(flow->uli.ports.sport) &&
	       key->dport == bpf_ntohs(flow->uli.ports.dport);
}

#endif
