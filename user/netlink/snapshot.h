/* SPDX-License-Identifier: GPL-2.0-only */
/* The policy of a namespace as rtnetlink tells it, and kept current by its notifications. */
#ifndef FIBTRACE_NETLINK_SNAPSHOT_H
#define FIBTRACE_NETLINK_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/flow.h"
#include "rules/policy.h"

struct monitor;

/* What a drain of the notifications found. */
struct monitor_changes {
	unsigned int rules[FLOW_FAMILY_COUNT]; /* rule notifications applied, by family */
	unsigned int routes[FLOW_FAMILY_COUNT];
	unsigned int links; /* links and addresses */
	bool overrun; /* ENOBUFS: everything was read anew */
	bool lost; /* the policy could not be read again; errno says why */
};

/* Called once per applied rule change with the words of `ip monitor rule`:
 * "rule added: 5209: not from all fwmark 0xca6c lookup 51820", or "IPv6 rule added: …". */
typedef void (*monitor_note)(void *data, const char *change);

/*
 * Opens the notification socket in the namespace netns_fd (-1: the current one), then reads
 * rules, links, addresses and routes of IPv4 and IPv6 into a new policy; tables with
 * more than max_routes routes are marked unheld. netns is the namespace's inode. NULL with errno. The
 * calling thread returns to the namespace it was in.
 */
struct monitor *monitor_open(int netns_fd, uint32_t netns, size_t max_routes,
			     enum tos_compare tos_compare);
void monitor_close(struct monitor *monitor); /* takes NULL */

/* The policy, borrowed, updated in place by monitor_drain() and monitor_reread(). */
struct policy *monitor_policy(struct monitor *monitor);

/* The descriptor that becomes readable when a notification waits. */
int monitor_fd(const struct monitor *monitor);

/* Applies all waiting notifications without blocking; note may be NULL. 0 or -errno. */
int monitor_drain(struct monitor *monitor, struct monitor_changes *changes, monitor_note note,
		  void *data);

/* Reads everything anew (the sockets stay in their namespace). 0 or -errno. */
int monitor_reread(struct monitor *monitor);

/* From the running kernel's version and its answers: how it compares tos. */
enum tos_compare kernel_tos_compare(void);

/* Whether iif and oif of a rule that names a VRF also match the flows of its slaves. */
bool kernel_l3_master_match(void);

/* Whether a rule of IPv6 with `dscp 0` accepts every flow. */
bool kernel_dscp_zero_is_any(void);

#endif
