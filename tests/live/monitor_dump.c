// SPDX-License-Identifier: GPL-2.0-only
/* Prints the policy that a monitor holds, for netlink.sh to compare with what ip(8) says. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/netns.h"
#include "netlink/rule_note.h"
#include "netlink/snapshot.h"
#include "rules/policy.h"
#include "util/array.h"

static const uint8_t families[] = { AF_INET, AF_INET6 };

static const char *family_mark(uint8_t family)
{
	return family == AF_INET6 ? "6" : "";
}

static void print_rules(const struct policy *policy, uint8_t family, const struct names *names)
{
	const struct rule_list *list = policy_rules(policy, family);

	for (size_t i = 0; i < list->count; i++) {
		struct text text = { 0 };

		rule_note_print(&text, &list->rules[i], true, names);
		printf("rule%s %s%s\n", family_mark(family),
		       strstr(text_string(&text), "added: ") + strlen("added: "),
		       list->rules[i].truncated ? " TRUNCATED" : "");
		text_free(&text);
	}
}

static void print_nexthop(const struct policy *policy, const struct nexthop *nexthop)
{
	const struct link *link = policy_link(policy, nexthop->dev);
	char gateway[INET6_ADDRSTRLEN] = "-";

	if (nexthop->gateway_family)
		inet_ntop(nexthop->gateway_family, nexthop->gateway, gateway, sizeof(gateway));
	printf(" %s@%s*%u", gateway, link ? link->name : "-", nexthop->weight);
}

static void print_prefixes(const struct route *route)
{
	char dst[INET6_ADDRSTRLEN];
	char src[INET6_ADDRSTRLEN];

	inet_ntop(route->family, route->dst, dst, sizeof(dst));
	printf(" %s/%d", dst, route->dst_length);
	if (!route->src_length)
		return;
	inet_ntop(route->family, route->src, src, sizeof(src));
	printf(" from %s/%d", src, route->src_length);
}

static bool print_route(const struct route *route, void *data)
{
	char prefsrc[INET6_ADDRSTRLEN] = "-";

	if (route->prefsrc_family)
		inet_ntop(route->family, route->prefsrc, prefsrc, sizeof(prefsrc));
	printf("route%s table %u type %u", family_mark(route->family), route->table, route->type);
	print_prefixes(route);
	printf(" metric %u tos 0x%02x prefsrc %s nhid %u", route->metric, route->tos, prefsrc,
	       route->nexthop_id);
	if (route->family == AF_INET6)
		printf(" pref %u", route->router_preference);
	for (uint32_t i = 0; i < route->nexthop_count; i++)
		print_nexthop(data, &route->nexthops[i]);
	printf("\n");
	return true;
}

static void print_table(struct policy *policy, uint8_t family, uint32_t id)
{
	const struct route_table *table = policy_table(policy, family, id);

	if (policy_table_unheld(policy, family, id))
		printf("unheld%s %u\n", family_mark(family), id);
	if (table)
		route_table_visit(table, print_route, policy);
}

static void print_policy(struct policy *policy, const struct names *names)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		print_rules(policy, families[i], names);
		for (uint32_t id = 1; id <= 65535; id++)
			print_table(policy, families[i], id);
	}
	printf("end\n");
	fflush(stdout);
}

static void print_note(void *data, const char *change)
{
	(void)data;
	printf("note %s\n", change);
}

/* One line of input asks for one drain: what netlink.sh changed before is there by then. */
static int follow(struct monitor *monitor, const struct names *names)
{
	char line[16];
	int err = 0;

	while (!err && fgets(line, sizeof(line), stdin)) {
		struct monitor_changes changes;

		err = monitor_drain(monitor, &changes, print_note, NULL);
		printf("drain rules %u routes %u links %u overrun %d lost %d\n",
		       changes.rules[0] + changes.rules[1], changes.routes[0] + changes.routes[1],
		       changes.links, changes.overrun, changes.lost);
		print_policy(monitor_policy(monitor), names);
	}
	return err;
}

static struct monitor *open_monitor(const char *spec, size_t max_routes)
{
	struct monitor *monitor;
	struct netns netns;
	char reason[256];

	if (netns_open(spec, &netns, reason, sizeof(reason))) {
		fprintf(stderr, "%s\n", reason);
		return NULL;
	}
	monitor = monitor_open(netns.fd, netns.inode, max_routes, kernel_tos_compare());
	if (!monitor)
		fprintf(stderr, "monitor_open: %s\n", strerror(errno));
	netns_close(&netns);
	return monitor;
}

int main(int argc, char **argv)
{
	struct monitor *monitor;
	struct names *names;
	int err;

	if (argc != 3) {
		fprintf(stderr, "usage: monitor_dump NETNS MAX-ROUTES\n");
		return 2;
	}
	monitor = open_monitor(argv[1], strtoul(argv[2], NULL, 10));
	if (!monitor)
		return 1;
	names = names_new();
	print_policy(monitor_policy(monitor), names);
	err = follow(monitor, names);
	monitor_close(monitor);
	names_free(names);
	return err ? 1 : 0;
}
