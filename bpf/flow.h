/* SPDX-License-Identifier: GPL-2.0-only */
/* The flow key: what a FIB lookup was asked about, as the kernel's rules see it. */
#ifndef FIBTRACE_BPF_FLOW_H
#define FIBTRACE_BPF_FLOW_H

#ifndef FIBTRACE_VMLINUX_H
#include <linux/types.h>
#endif

#define FLOW_AF_INET 2
#define FLOW_AF_INET6 10

/* The families that are traced have a number each: an index of arrays. */
#define FLOW_FAMILY_COUNT 2
#define FLOW_FAMILY_SLOT(family) ((family) == FLOW_AF_INET6)

/* The kernel's INVALID_UID: the flow belongs to no socket. */
#define FLOW_UID_INVALID 0xffffffffu

/* The loopback device; as an input interface it means "locally generated". */
#define FLOW_IFINDEX_LO 1

/* In flow_key.flags, where no flag of the kernel is: oif is a VRF that stands in for the device of
 * it which was asked for (5.10). The devices of nexthops are not compared with it then. */
#define FLOW_OIF_IS_VRF 0x80

/*
 * Addresses are in network byte order, an IPv4 one in the first four bytes and
 * the rest zero. Everything else is in host byte order. tos is the DSCP and ECN
 * byte that rules see: of IPv6 the traffic class of the flow label's word, whose
 * other 20 bits are flowlabel.
 *
 * sport and dport are the kernel's union of ports, ICMP type and code, and GRE
 * key, read as ports whatever the protocol is: fib4_rule_match() compares them
 * so. An ICMP flow has type << 8 | code in dport.
 */
struct flow_key {
	__u8 src[16];
	__u8 dst[16];
	__u64 tun_id;
	__u32 mark;
	__u32 uid;
	__u32 iif;
	__u32 oif;
	__u32 l3mdev;
	__u32 flowlabel;
	__u16 sport;
	__u16 dport;
	__u8 family;
	__u8 protocol;
	__u8 tos;
	__u8 scope;
	__u8 flags;
	__u8 pad[7];
};

_Static_assert(sizeof(struct flow_key) == 80, "struct flow_key is part of the log format");

#endif
