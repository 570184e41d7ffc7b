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

#include "netlink/attribute.h"
#include "netlink/link_message.h"
#include "netlink/netconf_message.h"
#include "netlink/route_message.h"
#include "netlink/rule_message.h"
#include "netlink/socket.h"
#include "rules/grow.h"
#include "util/array.h"
#include "util/cleanup.h"

#define DUMP_ATTEMPTS 10

/* What is asked for, whatever the family. */
struct dump_kind {
	uint16_t type;
	uint16_t answer;
	uint8_t header_size;
};

static const struct dump_kind dump_links = { RTM_GETLINK, RTM_NEWLINK, sizeof(struct ifinfomsg) };
static const struct dump_kind dump_addresses = { RTM_GETADDR, RTM_NEWADDR,
						 sizeof(struct ifaddrmsg) };
static const struct dump_kind dump_netconf = { RTM_GETNETCONF, RTM_NEWNETCONF,
					       sizeof(struct netconfmsg) };
static const struct dump_kind dump_nexthops = { RTM_GETNEXTHOP, RTM_NEWNEXTHOP,
						sizeof(struct nhmsg) };
static const struct dump_kind dump_routes = { RTM_GETROUTE, RTM_NEWROUTE, sizeof(struct rtmsg) };
static const struct dump_kind dump_rules = { RTM_GETRULE, RTM_NEWRULE,
					     sizeof(struct fib_rule_hdr) };

/* Kernels before 5.3 have no nexthop objects, some have no IPv6 or no rules: there are none then. */
static bool is_unknown_kind(int err)
{
	return err == -EOPNOTSUPP || err == -EAFNOSUPPORT;
}

static int read_dump(const struct reader *reader, const struct dump_kind *kind, uint8_t family,
		     const struct dump_taker *taker)
{
	const struct dump_request request = {
		.type = kind->type,
		.answer = kind->answer,
		.family = family,
		.header_size = kind->header_size,
	};
	int err = socket_dump(reader->socket, &request, taker);

	return is_unknown_kind(err) ? 0 : err;
}

void reader_clear(struct reader *reader)
{
	nexthop_objects_clear(&reader->nexthops);
}

static int read_until_consistent(struct reader *reader, uint8_t family,
				 int (*read)(struct reader *reader, uint8_t family))
{
	int err = -EAGAIN;

	for (int i = 0; i < DUMP_ATTEMPTS && err == -EAGAIN; i++)
		err = read(reader, family);
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
	return policy_append_address(reader->policy, &address);
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

static int read_links_once(struct reader *reader, uint8_t family)
{
	static const struct {
		const struct dump_kind *kind;
		uint8_t family;
		int (*take)(void *data, const struct nlmsghdr *message);
	} parts[] = {
		{ &dump_links, AF_UNSPEC, take_link },
		{ &dump_addresses, AF_INET, take_address },
		{ &dump_addresses, AF_INET6, take_address },
		{ &dump_netconf, AF_INET, take_netconf },
	};
	int err = 0;

	(void)family;
	policy_clear_links(reader->policy);
	for (size_t i = 0; !err && i < ARRAY_SIZE(parts); i++)
		err = read_dump(reader, parts[i].kind, parts[i].family,
				&(struct dump_taker){ parts[i].take, reader });
	return err;
}

int reader_read_links(struct reader *reader)
{
	return read_until_consistent(reader, AF_UNSPEC, read_links_once);
}

static int take_nexthop(void *data, const struct nlmsghdr *message)
{
	struct reader *reader = data;

	return nexthop_objects_add(&reader->nexthops, message);
}

static int read_nexthops(struct reader *reader)
{
	int err;

	nexthop_objects_clear(&reader->nexthops);
	err = read_dump(reader, &dump_nexthops, AF_UNSPEC,
			&(struct dump_taker){ take_nexthop, reader });
	return err == -EINVAL ? 0 : err;
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
static int give_up_table(const struct reader *reader, const struct nlmsghdr *message)
{
	uint32_t id = route_message_table(message);

	if (id)
		policy_set_table_unheld(reader->policy, message_family(message), id);
	return 0;
}

static int add_parsed_route(const struct reader *reader, const struct route *route, uint16_t flags)
{
	struct policy *policy = reader->policy;
	const struct route_table *table = policy_table(policy, route->family, route->table);
	size_t count = table ? route_table_count(table) : 0;

	if (policy_table_unheld(policy, route->family, route->table))
		return 0;
	if (count >= reader->max_routes) {
		policy_set_table_unheld(policy, route->family, route->table);
		return 0;
	}
	return policy_add_route(policy, route, flags & NLM_F_APPEND, flags & NLM_F_REPLACE);
}

/* What a message without a route in it is taken for. */
static int take_no_route(const struct reader *reader, const struct nlmsghdr *message, int err)
{
	if (err == ENOMSG)
		return 0;
	return err == EBADMSG ? give_up_table(reader, message) : -err;
}

/* IPv6 merges routes of one prefix and metric into one with several nexthops, and parts
 * them again, and its messages do not tell with which. */
static bool may_merge(const struct reader *reader, const struct route *route)
{
	const struct route_table *table = policy_table(reader->policy, route->family, route->table);

	return route->family == AF_INET6 && table && route_table_count_beside(table, route);
}

int reader_add_route(struct reader *reader, const struct nlmsghdr *message)
{
	_cleanup_free_ struct route *route = NULL;

	reader->nexthop_missing = false;
	route = parse_route(reader, message);
	if (!route)
		return take_no_route(reader, message, errno);
	if (reader->nexthop_missing || may_merge(reader, route))
		return -EAGAIN;
	return add_parsed_route(reader, route, message->nlmsg_flags);
}

static int remove_parsed_route(struct policy *policy, const struct route_table *table,
			       const struct route *route)
{
	size_t beside;

	if (route->family == AF_INET) {
		policy_remove_route(policy, route);
		return 0;
	}
	beside = route_table_count_beside(table, route);
	if (beside == 1 && !policy_remove_route(policy, route))
		return 0;
	return beside ? -EAGAIN : 0;
}

int reader_remove_route(struct reader *reader, const struct nlmsghdr *message)
{
	_cleanup_free_ struct route *route = parse_route(reader, message);
	struct policy *policy = reader->policy;
	const struct route_table *table;

	if (!route)
		return errno == ENOMEM ? -errno : 0;
	table = policy_table(policy, route->family, route->table);
	return table ? remove_parsed_route(policy, table, route) : 0;
}

/* A dump of routes being read. */
struct route_reading {
	struct reader *reader;
	uint8_t family;
};

/* A dump gives equal prefixes in the order in which the kernel asks them. A kernel without IPv6,
 * asked for its routes, gives those of all families. */
static int take_dumped_route(void *data, const struct nlmsghdr *message)
{
	const struct route_reading *reading = data;
	_cleanup_free_ struct route *route = NULL;

	if (message_family(message) != reading->family)
		return 0;
	route = parse_route(reading->reader, message);
	if (!route)
		return take_no_route(reading->reader, message, errno);
	return add_parsed_route(reading->reader, route, NLM_F_APPEND);
}

/*
 * When a link, an address or a nexthop goes, the kernel notifies first and drops its routes
 * afterwards, under the RTNL lock. Newer kernels (seen in 6.18) dump routes without it, and what
 * was notified might not be done yet; the dump of nexthops, which takes the lock, waits for it.
 */
static int read_routes_once(struct reader *reader, uint8_t family)
{
	struct route_reading reading = { reader, family };
	int err = read_nexthops(reader);

	if (err)
		return err;
	policy_clear_routes(reader->policy, family);
	return read_dump(reader, &dump_routes, family,
			 &(struct dump_taker){ take_dumped_route, &reading });
}

int reader_read_routes(struct reader *reader, uint8_t family)
{
	return read_until_consistent(reader, family, read_routes_once);
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

static int read_rules_once(struct reader *reader, uint8_t family)
{
	struct collection collection = { 0 };
	struct rule_list *list = NULL;
	int err = read_dump(reader, &dump_rules, family,
			    &(struct dump_taker){ take_rule, &collection });

	if (!err) {
		list = rule_list_new(collection.rules, collection.count);
		err = list ? 0 : -ENOMEM;
	}
	free(collection.rules);
	if (!err)
		policy_set_rules(reader->policy, family, list);
	return err;
}

int reader_read_rules(struct reader *reader, uint8_t family)
{
	return read_until_consistent(reader, family, read_rules_once);
}
