// SPDX-License-Identifier: GPL-2.0-only
/* Keeps the policy of a namespace current: subscribes, reads everything, applies notifications. */
#include "netlink/snapshot.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "netlink/attribute.h"
#include "netlink/link_message.h"
#include "netlink/netconf_message.h"
#include "netlink/reader.h"
#include "netlink/rule_message.h"
#include "netlink/rule_note.h"
#include "netlink/socket.h"
#include "rules/names.h"
#include "util/array.h"
#include "util/cleanup.h"

#define RECEIVE_BUFFER (64 << 10)
/* A namespace that changes faster than it can be read must not hold the trace for ever. */
#define DRAIN_MAX 100000

/* What of the policy is to be read anew: of rules and routes a bit for each family. */
enum stale {
	STALE_LINKS = 1 << 0,
	STALE_ROUTES_INET = 1 << 1,
	STALE_ROUTES_INET6 = 1 << 2,
	STALE_RULES_INET = 1 << 3,
	STALE_RULES_INET6 = 1 << 4,
	STALE_ROUTES = STALE_ROUTES_INET | STALE_ROUTES_INET6,
	STALE_RULES = STALE_RULES_INET | STALE_RULES_INET6,
	STALE_ALL = STALE_LINKS | STALE_ROUTES | STALE_RULES,
};

static unsigned int stale_routes_of(uint8_t family)
{
	return STALE_ROUTES_INET << FLOW_FAMILY_SLOT(family);
}

static unsigned int stale_rules_of(uint8_t family)
{
	return STALE_RULES_INET << FLOW_FAMILY_SLOT(family);
}

struct monitor {
	struct sockets sockets;
	struct policy *policy;
	struct reader reader;
	unsigned int stale;
};

/* One drain, as its message handlers see it. */
struct drain {
	struct monitor *monitor;
	struct monitor_changes *changes;
	monitor_note note;
	void *data;
	char *buffer;
};

static int read_links(struct reader *reader, uint8_t family)
{
	(void)family;
	return reader_read_links(reader);
}

/* Links first: the rules' device names are resolved by them. What could not be read stays stale. */
static int monitor_refresh(struct monitor *monitor)
{
	static const struct {
		enum stale what;
		uint8_t family;
		int (*read)(struct reader *reader, uint8_t family);
	} parts[] = {
		{ STALE_LINKS, AF_UNSPEC, read_links },
		{ STALE_ROUTES_INET, AF_INET, reader_read_routes },
		{ STALE_ROUTES_INET6, AF_INET6, reader_read_routes },
		{ STALE_RULES_INET, AF_INET, reader_read_rules },
		{ STALE_RULES_INET6, AF_INET6, reader_read_rules },
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int err;

		if (!(monitor->stale & parts[i].what))
			continue;
		err = parts[i].read(&monitor->reader, parts[i].family);
		if (err)
			return err;
		monitor->stale &= ~parts[i].what;
	}
	return 0;
}

static int monitor_start(struct monitor *monitor, int netns_fd)
{
	int err = sockets_open(netns_fd, &monitor->sockets);

	if (err)
		return err;
	monitor->reader.socket = monitor->sockets.dumps;
	monitor->reader.policy = monitor->policy;
	/* The subscription is older than the dumps: nothing falls between the two. */
	return monitor_reread(monitor);
}

struct monitor *monitor_open(int netns_fd, uint32_t netns, size_t max_routes,
			     enum tos_compare tos_compare)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));
	int err = -ENOMEM;

	if (!monitor)
		return NULL;
	monitor->policy = policy_new(netns, tos_compare);
	monitor->reader.max_routes = max_routes;
	if (monitor->policy)
		err = monitor_start(monitor, netns_fd);
	if (err) {
		monitor_close(monitor);
		errno = -err;
		return NULL;
	}
	policy_set_l3_master_match(monitor->policy, kernel_l3_master_match());
	policy_set_dscp_zero_is_any(monitor->policy, kernel_dscp_zero_is_any());
	return monitor;
}

void monitor_close(struct monitor *monitor)
{
	if (!monitor)
		return;
	reader_clear(&monitor->reader);
	sockets_close(&monitor->sockets);
	policy_free(monitor->policy);
	free(monitor);
}

struct policy *monitor_policy(struct monitor *monitor)
{
	return monitor->policy;
}

int monitor_fd(const struct monitor *monitor)
{
	return mnl_socket_get_fd(monitor->sockets.notifications);
}

int monitor_reread(struct monitor *monitor)
{
	monitor->stale = STALE_ALL;
	return monitor_refresh(monitor);
}

static int device_index(const struct policy *policy, const char *name)
{
	const struct link *link;

	if (!name[0])
		return 0;
	link = policy_link_by_name(policy, name);
	return link ? (int)link->index : -1;
}

static void note_rule(const struct drain *drain, const struct nlmsghdr *message, struct rule *rule)
{
	const struct monitor *monitor = drain->monitor;
	struct names *names = names_new(); /* those built in; without memory, numbers */
	struct text text = { 0 };

	rule->iif_index = device_index(monitor->policy, rule->iif);
	rule->oif_index = device_index(monitor->policy, rule->oif);
	rule_note_print(&text, rule, message->nlmsg_type == RTM_NEWRULE, names);
	drain->note(drain->data, text_string(&text));
	text_free(&text);
	names_free(names);
}

/* Equal rules may stand in the list more than once, and a dump may hold what is notified later:
 * increments would be ambiguous, and rules are few enough to be read anew. */
static int apply_rule(struct drain *drain, const struct nlmsghdr *message)
{
	struct rule rule;

	if (rule_message_parse(message, &rule))
		return 0;
	drain->changes->rules[FLOW_FAMILY_SLOT(rule.family)]++;
	drain->monitor->stale |= stale_rules_of(rule.family);
	if (drain->note)
		note_rule(drain, message, &rule);
	return 0;
}

static int apply_route(struct drain *drain, const struct nlmsghdr *message)
{
	uint8_t family = message_family(message);
	int err;

	if (!family_address_length(family))
		return 0;
	drain->changes->routes[FLOW_FAMILY_SLOT(family)]++;
	if (message->nlmsg_type == RTM_NEWROUTE)
		err = reader_add_route(&drain->monitor->reader, message);
	else
		err = reader_remove_route(&drain->monitor->reader, message);
	if (err != -EAGAIN)
		return err;
	drain->monitor->stale |= stale_routes_of(family);
	return 0;
}

/* When a link goes down the kernel drops routes, or marks their nexthops dead, and says nothing. */
static bool link_moves_routes(const struct link *old, const struct link *new)
{
	unsigned int state = IFF_UP | IFF_RUNNING | IFF_LOWER_UP;

	return ((old->flags ^ new->flags) & state) || old->master != new->master;
}

static int apply_new_link(struct drain *drain, const struct nlmsghdr *message)
{
	struct monitor *monitor = drain->monitor;
	const struct link *old;
	struct link link;
	int err = link_message_parse(message, &link);

	if (err)
		return err == -ENOMSG ? 0 : err;
	drain->changes->links++;
	old = policy_link(monitor->policy, link.index);
	if (old && link_moves_routes(old, &link))
		monitor->stale |= STALE_ROUTES;
	return policy_set_link(monitor->policy, &link);
}

static int apply_link_removal(struct drain *drain, const struct nlmsghdr *message)
{
	struct monitor *monitor = drain->monitor;
	struct link link;
	int err = link_message_parse(message, &link);

	if (err)
		return err == -ENOMSG ? 0 : err;
	drain->changes->links++;
	policy_remove_link(monitor->policy, link.index);
	monitor->stale |= STALE_ROUTES;
	return 0;
}

static int apply_new_address(struct drain *drain, const struct nlmsghdr *message)
{
	struct address address;
	int err = address_message_parse(message, &address);

	if (err)
		return err == -ENOMSG ? 0 : err;
	drain->changes->links++;
	return policy_set_address(drain->monitor->policy, &address);
}

/* Routes with this address as their source go, or lose it, without a word. */
static int apply_address_removal(struct drain *drain, const struct nlmsghdr *message)
{
	struct monitor *monitor = drain->monitor;
	struct address address;
	int err = address_message_parse(message, &address);

	if (err)
		return err == -ENOMSG ? 0 : err;
	drain->changes->links++;
	policy_remove_address(monitor->policy, &address);
	monitor->stale |= stale_routes_of(address.family);
	return 0;
}

/* The routes that use a nexthop object change with it, without notifications of their own. */
static int apply_nexthop(struct drain *drain, const struct nlmsghdr *message)
{
	(void)message;
	for (size_t slot = 0; slot < FLOW_FAMILY_COUNT; slot++)
		drain->changes->routes[slot]++;
	drain->monitor->stale |= STALE_ROUTES;
	return 0;
}

static int apply_netconf(struct drain *drain, const struct nlmsghdr *message)
{
	if (netconf_message_moves_routes(message))
		drain->monitor->stale |= stale_routes_of(message_family(message));
	return reader_add_netconf(&drain->monitor->reader, message);
}

typedef int (*apply_function)(struct drain *drain, const struct nlmsghdr *message);

static const apply_function apply_functions[] = {
	[RTM_NEWLINK] = apply_new_link,	   [RTM_DELLINK] = apply_link_removal,
	[RTM_NEWADDR] = apply_new_address, [RTM_DELADDR] = apply_address_removal,
	[RTM_NEWROUTE] = apply_route,	   [RTM_DELROUTE] = apply_route,
	[RTM_NEWRULE] = apply_rule,	   [RTM_DELRULE] = apply_rule,
	[RTM_NEWNEXTHOP] = apply_nexthop,  [RTM_DELNEXTHOP] = apply_nexthop,
	[RTM_NEWNETCONF] = apply_netconf,
};

static int apply_message(struct drain *drain, const struct nlmsghdr *message)
{
	size_t count = ARRAY_SIZE(apply_functions);

	if (message->nlmsg_type >= count || !apply_functions[message->nlmsg_type])
		return 0;
	return apply_functions[message->nlmsg_type](drain, message);
}

/* A message that cannot be applied leaves the policy wrong: only reading all of it mends that. */
static void apply_datagram(struct drain *drain, size_t length)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)drain->buffer;
	int left = length;

	while (mnl_nlmsg_ok(message, left)) {
		if (apply_message(drain, message))
			drain->monitor->stale = STALE_ALL;
		message = mnl_nlmsg_next(message, &left);
	}
}

/* What did not fit into the socket's queue, or into our buffer, is lost. */
static bool is_overrun(ssize_t length)
{
	return length == -ENOBUFS || length == -EMSGSIZE;
}

static int drain_waiting(struct drain *drain)
{
	struct monitor *monitor = drain->monitor;

	for (int i = 0; i < DRAIN_MAX; i++) {
		ssize_t length = socket_receive(monitor->sockets.notifications, drain->buffer,
						RECEIVE_BUFFER);

		if (length == -EAGAIN)
			break;
		if (is_overrun(length)) {
			drain->changes->overrun = true;
			monitor->stale = STALE_ALL;
		} else if (length < 0) {
			return length;
		}
		if (length > 0)
			apply_datagram(drain, length);
	}
	return 0;
}

int monitor_drain(struct monitor *monitor, struct monitor_changes *changes, monitor_note note,
		  void *data)
{
	/* Hundreds of monitors would hold as many buffers, and each needs it for moments. */
	_cleanup_free_ char *buffer = malloc(RECEIVE_BUFFER);
	struct drain drain = { monitor, changes, note, data, buffer };
	int err;

	*changes = (struct monitor_changes){ 0 };
	err = buffer ? drain_waiting(&drain) : -ENOMEM;
	if (!err)
		err = monitor_refresh(monitor);
	if (err) {
		changes->lost = true;
		errno = -err;
	}
	return err;
}
