/* SPDX-License-Identifier: GPL-2.0-only */
/* The policy of one network namespace: its rules, tables, links and addresses at one time. */
#ifndef FIBTRACE_RULES_POLICY_H
#define FIBTRACE_RULES_POLICY_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/route.h"
#include "rules/rule.h"

/* One state of the rules of a family, in walking order. Immutable and counted,
 * so that a lookup can keep the rules it was explained with. */
struct rule_list {
	unsigned int references;
	size_t count;
	struct rule rules[];
};

/* A list of count rules copied from rules (NULL: zeroed, for the caller to fill), holding one
 * reference; NULL with errno. */
struct rule_list *rule_list_new(const struct rule *rules, size_t count);
struct rule_list *rule_list_get(struct rule_list *list);
void rule_list_put(struct rule_list *list); /* takes NULL */

/* l3mdev_table: the table of a VRF device, else 0. master: its ifindex, else 0. */
struct link {
	uint32_t index;
	uint32_t master;
	uint32_t group;
	uint32_t l3mdev_table;
	uint32_t flags; /* IFF_… */
	bool tunnel; /* packets leave it inside of others: wireguard, tun, ipip, … */
	bool own_sources_only; /* net.ipv6.conf.*.use_oif_addrs_only */
	bool prefers_temporary; /* net.ipv6.conf.*.use_tempaddr is 2 or more */
	char name[IFNAMSIZ];
};

/* net.ipv4.conf.*.rp_filter */
enum rp_filter { RP_FILTER_NONE, RP_FILTER_STRICT, RP_FILTER_LOOSE };

/* What keeps the kernel from selecting an IPv6 address, or makes it like it less. */
enum address_state {
	ADDRESS_TENTATIVE = 1 << 0, /* may turn out to be another host's */
	ADDRESS_OPTIMISTIC = 1 << 1,
	ADDRESS_DEPRECATED = 1 << 2,
	ADDRESS_TEMPORARY = 1 << 3,
	ADDRESS_DUPLICATE = 1 << 4, /* has turned out to be another host's */
};

/* secondary is IPv4's, states are IPv6's: the kernel has one bit for secondary and temporary. */
struct address {
	uint8_t local[16];
	uint32_t ifindex;
	uint8_t states; /* ADDRESS_… */
	uint8_t family;
	uint8_t length;
	uint8_t scope;
	bool secondary;
};

struct policy;

/* An empty policy for the namespace with inode netns; NULL with errno. policy_free() takes NULL. */
struct policy *policy_new(uint32_t netns, enum tos_compare tos_compare);
void policy_free(struct policy *policy);

uint32_t policy_netns(const struct policy *policy);

/* Whether iif and oif of a rule may name a VRF and then match the flow's L3
 * master (kernels from 6.16); off in a new policy. */
void policy_set_l3_master_match(struct policy *policy, bool on);

/* Whether an IPv6 rule with `dscp 0` accepts every flow; off in a new policy. */
void policy_set_dscp_zero_is_any(struct policy *policy, bool on);

/* How this kernel matches rules. */
struct policy_traits {
	enum tos_compare tos_compare;
	bool l3_master_match;
	bool dscp_zero_is_any;
};
struct policy_traits policy_traits(const struct policy *policy);

/*
 * Whether this kernel, without custom rules, asks table default also after a route
 * of main refused (seen up to 6.18.15) or only when main has none (later ones;
 * backported at various times, so that it can only be observed). Not known in a new policy.
 */
enum default_after_reject { DEFAULT_NOT_KNOWN, DEFAULT_ASKED, DEFAULT_NOT_ASKED };
void policy_set_default_after_reject(struct policy *policy, enum default_after_reject asked);
enum default_after_reject policy_default_after_reject(const struct policy *policy);

struct owners;
/* Whose rules they are is told by these owners, which must outlive the policy and
 * all lists of its rules; NULL, as in a new policy: not known. */
void policy_set_owners(struct policy *policy, const struct owners *owners);
const struct owners *policy_owners(const struct policy *policy);

/* Replaces the rules of family; takes over the caller's reference. iif_index,
 * oif_index and owner are set here: in place when this is the only reference. */
void policy_set_rules(struct policy *policy, uint8_t family, struct rule_list *list);
/* The rules of family in force, borrowed; never NULL once a snapshot was read. */
struct rule_list *policy_rules(const struct policy *policy, uint8_t family);

/* Adds or replaces the link with this index; 0 or -errno. When that changes what
 * iif or oif of a rule stands for, the rules become a new list. */
int policy_set_link(struct policy *policy, const struct link *link);
/* Forgets the link and its addresses. */
void policy_remove_link(struct policy *policy, uint32_t index);
/* Forgets all links and addresses, before a new dump; the rules are resolved by
 * the links then set. */
void policy_clear_links(struct policy *policy);
/* Links are borrowed until the next change of links. */
const struct link *policy_link(const struct policy *policy, uint32_t index); /* NULL: none */
const struct link *policy_link_by_name(const struct policy *policy, const char *name);

/* Adds or renews an address, in the place where the kernel puts a new one; 0 or -errno. */
int policy_set_address(struct policy *policy, const struct address *address);
/* The same behind the last address of its device: a dump has them in the kernel's order. */
int policy_append_address(struct policy *policy, const struct address *address);
void policy_remove_address(struct policy *policy, const struct address *address);

/* The first address of family that equals address; NULL: it is none of the host's. */
const struct address *policy_own_address(const struct policy *policy, uint8_t family,
					 const uint8_t *address);

/* How many links are tunnels. */
size_t policy_tunnel_count(const struct policy *policy);
bool policy_link_is_tunnel(const struct policy *policy, uint32_t index);

/* What rp_filter is set to for a device, or for all (index 0); 0 or -errno. */
int policy_set_rp_filter(struct policy *policy, uint32_t index, uint8_t value);
/* What the kernel goes by, IN_DEV_RPFILTER(): the higher of the device's and that of all. */
enum rp_filter policy_rp_filter(const struct policy *policy, uint32_t index);

/* The table, NULL when it has no routes in the snapshot (it may exist in the kernel, empty)
 * or is not held. */
const struct route_table *policy_table(const struct policy *policy, uint8_t family, uint32_t id);
/* Adds a route to its table, made when it is new, as route_table_add() does; 0 or -errno. */
int policy_add_route(struct policy *policy, const struct route *route, bool append, bool replace);
/* Removes what equals route from its table, as route_table_remove() does; 0, -ENOENT or -errno. */
int policy_remove_route(struct policy *policy, const struct route *route);
/* The table, made when it is new; NULL with errno. Counts as a change, but of what is done to it no
 * journal tells. */
struct route_table *policy_table_for_change(struct policy *policy, uint8_t family, uint32_t id);
/* Calls visit() with the number of each table of family that holds routes, until it returns false. */
void policy_visit_tables(const struct policy *policy, uint8_t family,
			 bool (*visit)(uint32_t table, void *data), void *data);
/* Whether it is the table of a VRF device. */
bool policy_table_is_l3mdev(const struct policy *policy, uint32_t table);
/* Forgets all routes of family, before a new dump. */
void policy_clear_routes(struct policy *policy, uint8_t family);
/* Marks a table that is not held (--max-routes) and frees its routes: its answers
 * are not examined. Holds until policy_clear_routes(). */
void policy_set_table_unheld(struct policy *policy, uint8_t family, uint32_t id);
bool policy_table_unheld(const struct policy *policy, uint8_t family, uint32_t id);

/* generation changes whenever anything above does. */
uint64_t policy_generation(const struct policy *policy);

/* The match context for this policy; it borrows the policy. Its master_of()
 * gives a VRF device itself, as l3mdev_master_ifindex() does. */
struct match_context policy_match_context(const struct policy *policy);

/* The source address that the kernel prefers for a packet by this route
 * (RTA_PREFSRC, else for IPv4 as inet_select_addr() does); false when there is none. For a
 * local route without RTA_PREFSRC that is the packet's destination: false, too. For
 * IPv6 without RTA_PREFSRC false: policy_select_source6() knows, by the destination. */
bool policy_preferred_source(const struct policy *policy, const struct route *route,
			     const struct nexthop *nexthop, uint8_t source[static 16]);

/* inet_select_addr() of an IPv4 device: for packets to gateway (NULL: none), of
 * RT_SCOPE_… scope at most. False when it has no such address. */
bool policy_select_source(const struct policy *policy, uint32_t ifindex, const uint8_t *gateway,
			  uint8_t scope, uint8_t source[static 16]);

/* ipv6_dev_get_saddr() of a packet to dst that leaves by device ifindex (0: not known), as
 * of a socket without preferences of its own; the labels are those built in (`ip
 * addrlabel`), and use_optimistic is not set. False when there is no address. */
bool policy_select_source6(const struct policy *policy, const uint8_t dst[static 16],
			   uint32_t ifindex, uint8_t source[static 16]);

#endif
