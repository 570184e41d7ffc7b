// SPDX-License-Identifier: GPL-2.0-only
/* Reads rules, links, addresses and routes by dumps, and single messages, into a policy. */
#include "netlink/reader.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netconf.h>
#include <linux/nexthop.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "netlink/link_message.h"
#include "netlink/netconf_message.h"
#include "netlink/route_message.h"
#include "netlink/rule_message.h"
#include "netlink/socket.h"
#include "rules/grow.h"
#include "util/cleanup.h"

#define DUMP_ATTEMPTS 10

static const struct dump_request dump_links = {
	.type = RTM_GETLINK,
	.answer = RTM_NEWLINK,
	.family = AF_UNSPEC,
	.header_size = sizeof(struct ifinfomsg),
};

static const struct dump_request dump_addresses = {
	.type = RTM_GETADDR,
	.answer = RTM_NEWADDR,
	.family = AF_INET,
	.header_size = sizeof(struct ifaddrmsg),
};

static const struct dump_request dump_netconf = {
	.type = RTM_GETNETCONF,
	.answer = RTM_NEWNETCONF,
	.family = AF_INET,
	.header_size = sizeof(struct netconfmsg),
};

static const struct dump_request dump_nexthops = {
	.type = RTM_GETNEXTHOP,
	.answer = RTM_NEWNEXTHOP,
	.family = AF_UNSPEC,
	.header_size = sizeof(struct nhmsg),
};

static const struct dump_request dump_routes = {
	.type = RTM_GETROUTE,
	.answer = RTM_NEWROUTE,
	.family = AF_INET,
	.header_size = sizeof(struct rtmsg),
};

static const struct dump_request dump_rules = {
	.type = RTM_GETRULE,
	.answer = RTM_NEWRULE,
	.family = AF_INET,
	.header_size = sizeof(struct fib_rule_hdr),
};

void reader_clear(struct reader *reader)
{
	nexthop_objects_clear(&reader->nexthops);
}

static int read_until_consistent(struct reader *reader, int (*read)(struct reader *reader))
{
	int err = -EAGAIN;

	for (int i = 0; i < DUMP_ATTEMPTS && err == -EAGAIN; i++)
		err = read(reader);
	return err == -EAGAIN ? -EBUSY : err;
}

static int take_link(void *data, const struct nlmsghdr *message)
{
	struct reader *reader = data;
	struct link link;
	int err = link_message_parse(message, &link);

	if (err)
		return err == -ENOMSG ? 0 : err;
	return policy_set_link(reader->policy, &link);
}

static int take_address(void *data, const struct nlmsghdr *message)
{
	struct reader *reader = data;
	struct address address;
	int err = address_message_parse(message, &address);

	if (err)
		return err == -ENOMSG ? 0 : err;
	return policy_set_address(reader->policy, &address);
}

int reader_add_netconf(struct reader *reader, const struct nlmsghdr *message)
{
	struct netconf netconf;
	int err = netconf_message_parse(message, &netconf);

	if (err)
		return err == -ENOMSG ? 0 : err;
	return policy_set_rp_filter(reader->policy, netconf.index, netconf.rp_filter);
}

static int take_netconf(void *data, const struct nlmsghdr *message)
{
	return reader_add_netconf(data, message);
}

static int read_links_once(struct reader *reader)
{
	int err;

	policy_clear_links(reader->policy);
	err = socket_dump(reader->socket, &dump_links, &(struct dump_taker){ take_link, reader });
	if (err)
		return err;
	err = socket_dump(reader->socket, &dump_addresses,
			  &(struct dump_taker){ take_address, reader });
	if (err)
		return err;
	return socket_dump(reader->socket, &dump_netconf,
			   &(struct dump_taker){ take_netconf, reader });
}

int reader_read_links(struct reader *reader)
{
	return read_until_consistent(reader, read_links_once);
}

static int take_nexthop(void *data, const struct nlmsghdr *message)
{
	struct reader *reader = data;

	return nexthop_objects_add(&reader->nexthops, message);
}

/* Kernels before 5.3 know no nexthop objects, and have none. */
static int read_nexthops(struct reader *reader)
{
	int err;

	nexthop_objects_clear(&reader->nexthops);
	err = socket_dump(reader->socket, &dump_nexthops,
			  &(struct dump_taker){ take_nexthop, reader });
	return err == -EOPNOTSUPP || err == -EINVAL ? 0 : err;
}

/* The route of a message with its nexthops. NULL with errno as route_message_parse(). */
static struct route *parse_route(struct reader *reader, const struct nlmsghdr *message)
{
	struct route *route = route_message_parse(message);
	struct route *expanded;

	if (!route || !route->nexthop_id || route->nexthop_count)
		return route;
	expanded = nexthop_objects_expand(&reader->nexthops, route);
	if (!expanded && errno == ENOENT) {
		reader->nexthop_missing = true;
		return route;
	}
	free(route);
	return expanded;
}

/* A route that cannot be read makes what its table would answer unknown. */
static int give_up_table(struct reader *reader, const struct nlmsghdr *message)
{
	uint32_t id = route_message_table(message);

	if (id)
		policy_set_table_unheld(reader->policy, AF_INET, id);
	return 0;
}

static int add_parsed_route(struct reader *reader, const struct route *route, uint16_t flags)
{
	struct policy *policy = reader->policy;
	struct route_table *table;

	if (policy_table_unheld(policy, route->family, route->table))
		return 0;
	table = policy_table_for_change(policy, route->family, route->table);
	if (!table)
		return -errno;
	if (route_table_count(table) >= reader->max_routes) {
		policy_set_table_unheld(policy, route->family, route->table);
		return 0;
	}
	return route_table_add(table, route, flags & NLM_F_APPEND, flags & NLM_F_REPLACE);
}

static int take_route(struct reader *reader, const struct nlmsghdr *message, uint16_t flags)
{
	_cleanup_free_ struct route *route = parse_route(reader, message);

	if (!route && errno == ENOMSG)
		return 0;
	if (!route)
		return errno == EBADMSG ? give_up_table(reader, message) : -errno;
	if (route->family != AF_INET)
		return 0;
	return add_parsed_route(reader, route, flags);
}

int reader_add_route(struct reader *reader, const struct nlmsghdr *message)
{
	return take_route(reader, message, message->nlmsg_flags);
}

/* A dump gives equal prefixes in the order in which the kernel asks them. */
static int take_dumped_route(void *data, const struct nlmsghdr *message)
{
	return take_route(data, message, NLM_F_APPEND);
}

int reader_remove_route(struct reader *reader, const struct nlmsghdr *message)
{
	_cleanup_free_ struct route *route = parse_route(reader, message);
	struct policy *policy = reader->policy;
	struct route_table *table;

	if (!route)
		return errno == ENOMEM ? -errno : 0;
	if (!policy_table(policy, route->family, route->table))
		return 0;
	table = policy_table_for_change(policy, route->family, route->table);
	if (!table)
		return -errno;
	route_table_remove(table, route);
	return 0;
}

/*
 * When a link, an address or a nexthop goes, the kernel notifies first and drops its routes
 * afterwards, under the RTNL lock. Newer kernels (seen in 6.18) dump routes without it, and what
 * was notified might not be done yet; the dump of nexthops, which takes the lock, waits for it.
 */
static int read_routes_once(struct reader *reader)
{
	int err = read_nexthops(reader);

	if (err)
		return err;
	policy_clear_routes(reader->policy, AF_INET);
	return socket_dump(reader->socket, &dump_routes,
			   &(struct dump_taker){ take_dumped_route, reader });
}

int reader_read_routes(struct reader *reader)
{
	int err = read_until_consistent(reader, read_routes_once);

	reader->nexthop_missing = false;
	return err;
}

/* The rules of a dump so far. */
struct collection {
	struct rule *rules;
	size_t count;
	size_t capacity;
};

static int take_rule(void *data, const struct nlmsghdr *message)
{
	struct collection *collection = data;
	struct rule *grown;
	int err;

	grown = array_reserve(collection->rules, sizeof(*grown), collection->count,
			      &collection->capacity);
	if (!grown)
		return -ENOMEM;
	collection->rules = grown;
	err = rule_message_parse(message, &grown[collection->count]);
	if (err)
		return err == -EAFNOSUPPORT ? 0 : err;
	collection->count++;
	return 0;
}

static int read_rules_once(struct reader *reader)
{
	struct collection collection = { 0 };
	struct rule_list *list = NULL;
	int err = socket_dump(reader->socket, &dump_rules,
			      &(struct dump_taker){ take_rule, &collection });

	/* Without CONFIG_IP_MULTIPLE_TABLES there are no rules to ask for. */
	if (err == -EOPNOTSUPP)
		err = 0;
	if (!err) {
		list = rule_list_new(collection.rules, collection.count);
		err = list ? 0 : -ENOMEM;
	}
	free(collection.rules);
	if (!err)
		policy_set_rules(reader->policy, AF_INET, list);
	return err;
}

int reader_read_rules(struct reader *reader)
{
	return read_until_consistent(reader, read_rules_once);
}
