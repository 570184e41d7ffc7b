/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types as far as fibtrace reads them; CO-RE finds each field's place when loading. */
#ifndef FIBTRACE_VMLINUX_H
#define FIBTRACE_VMLINUX_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false, true };

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
	BPF_ANY = 0,
	BPF_F_MMAPABLE = 1 << 10,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
	BPF_RB_PROD_POS = 3,
};

/* Helpers that not every kernel has; a value exists in BTF where the kernel has the helper. */
enum bpf_func_id {
	BPF_FUNC_get_current_task_btf = 158,
	BPF_FUNC_task_pt_regs = 175,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__u32 val;
} kuid_t;

struct list_head {
	struct list_head *next;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct flowi_tunnel {
	__be64 tun_id;
};

struct flowi_common {
	int flowic_oif;
	int flowic_iif;
	__u32 flowic_mark;
	__u8 flowic_scope;
	__u8 flowic_proto;
	__u8 flowic_flags;
	kuid_t flowic_uid;
	struct flowi_tunnel flowic_tun_key;
};

union flowi_uli {
	struct {
		__be16 dport;
		__be16 sport;
	} ports;
};

struct flowi4 {
	struct flowi_common __fl_common;
	__be32 saddr;
	__be32 daddr;
	union flowi_uli uli;
};

struct flowi6 {
	struct flowi_common __fl_common;
	struct in6_addr daddr;
	struct in6_addr saddr;
	__be32 flowlabel;
	union flowi_uli uli;
};

struct ns_common {
	unsigned int inum;
};

struct fib_rules_ops {
	int family;
	unsigned int fib_rules_seq;
	struct net *fro_net;
};

struct fib_table {
	struct hlist_node tb_hlist;
	__u32 tb_id;
};

struct netns_ipv4 {
	struct fib_rules_ops *rules_ops;
	bool fib_has_custom_rules;
	struct fib_table *fib_main;
	struct fib_table *fib_default;
	struct hlist_head *fib_table_hash;
	unsigned int fib_seq;
};

struct rt6_statistics {
	__u32 fib_rt_entries;
};

struct netns_ipv6 {
	struct fib6_info *fib6_null_entry;
	struct rt6_statistics *rt6_stats;
	bool fib6_has_custom_rules;
	struct fib_rules_ops *fib6_rules_ops;
	struct hlist_head *fib_table_hash;
	atomic_t fib6_sernum;
};

struct net {
	struct ns_common ns;
	struct netns_ipv4 ipv4;
	struct netns_ipv6 ipv6;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
};

struct fib_nh_common {
	struct net_device *nhc_dev;
	unsigned char nhc_scope;
	__u8 nhc_family;
	__u8 nhc_gw_family;
	union {
		__be32 ipv4;
		struct in6_addr ipv6;
	} nhc_gw;
};

struct nh_group {
	u16 num_nh;
};

struct nexthop {
	bool is_group;
	union {
		struct nh_group *nh_grp;
	};
};

struct fib_info {
	unsigned char fib_type;
	int fib_nhs;
	struct nexthop *nh;
};

struct fib_nh {
	struct fib_nh_common nh_common;
	struct fib_info *nh_parent;
};

struct rt6key {
	struct in6_addr addr;
	int plen;
};

struct fib6_nh {
	struct fib_nh_common nh_common;
};

struct fib6_table {
	u32 tb6_id;
};

struct fib6_info {
	struct fib6_table *fib6_table;
	unsigned int fib6_nsiblings;
	struct rt6key fib6_dst;
	u8 fib6_type;
	struct nexthop *nh;
};

struct fib6_result {
	struct fib6_nh *nh;
	struct fib6_info *f6i;
	u8 fib6_type;
	struct rt6_info *rt6;
};

struct dst_entry {
	short error;
};

struct inet6_dev {
	struct net_device *dev;
};

struct rt6_info {
	struct dst_entry dst;
	struct fib6_info *from;
	struct in6_addr rt6i_gateway;
	struct inet6_dev *rt6i_idev;
	u32 rt6i_flags;
};

struct fib_kuid_range {
	kuid_t start;
	kuid_t end;
};

struct fib_rule_port_range {
	__u16 start;
	__u16 end;
};

struct fib_rule {
	u32 mark;
	u32 mark_mask;
	u32 flags;
	u32 table;
	u8 action;
	u8 l3mdev;
	u8 proto;
	u8 ip_proto;
	__be64 tun_id;
	struct net *fr_net;
	u32 pref;
	int suppress_ifgroup;
	int suppress_prefixlen;
	char iifname[16];
	char oifname[16];
	struct fib_kuid_range uid_range;
	struct fib_rule_port_range sport_range;
	struct fib_rule_port_range dport_range;
};

struct fib4_rule {
	struct fib_rule common;
	u8 dst_len;
	u8 src_len;
	__be32 src;
	__be32 dst;
};

struct fib6_rule {
	struct fib_rule common;
	struct rt6key src;
	struct rt6key dst;
};

struct fib_lookup_arg {
	void *result;
	struct fib_rule *rule;
	u32 table;
};

struct fib_result {
	__be32 prefix;
	unsigned char prefixlen;
	unsigned char type;
	unsigned char scope;
	struct fib_nh_common *nhc;
	struct fib_info *fi;
	struct fib_table *table;
	struct hlist_head *fa_head;
};

struct fib_alias {
	struct hlist_node fa_list;
	struct fib_info *fa_info;
	u8 fa_slen;
	u32 tb_id;
};

struct rtable {
	__u8 rt_uses_gateway;
	u8 rt_gw_family;
	union {
		__be32 rt_gw4;
		struct in6_addr rt_gw6;
	};
};

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	__u16 network_header;
	unsigned char *head;
};

struct ipv6hdr {
	struct in6_addr daddr;
};

struct nsproxy {
	struct net *net_ns;
};

struct sock_common {
	possible_net_t skc_net;
};

struct sock {
	struct sock_common __sk_common;
	u8 sk_kern_sock : 1;
	u16 sk_protocol;
};

struct udp_sock {
	__u8 encap_type;
};

struct socket {
	struct sock *sk;
};

struct file {
	void *private_data;
};

struct fdtable {
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct {
	unsigned int flags;
	void *stack;
	struct nsproxy *nsproxy;
	struct files_struct *files;
};

struct pt_regs {
	unsigned long r10;
	unsigned long r9;
	unsigned long r8;
	unsigned long ax;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
	unsigned long cs;
	unsigned long sp;
	unsigned long ss;
};

#pragma clang attribute pop

/* Of the BPF interface, not of the kernel inside. */
struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

#endif
