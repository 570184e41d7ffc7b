/* SPDX-License-Identifier: GPL-2.0-only */
/* The routes of one prefix inside of a routing table, for the lookups in it. */
#ifndef FIBTRACE_RULES_ROUTE_ENTRIES_H
#define FIBTRACE_RULES_ROUTE_ENTRIES_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/route.h"

struct route_entry {
	struct route_entry *next; /* in the table's order, of other prefixes, too */
	struct route route;
};

/* The first route of exactly the first length bits of dst, in the kernel's order: those for
 * the longest source prefix first. NULL when there is none. */
const struct route_entry *route_table_entries(const struct route_table *table,
					      const uint8_t dst[static 16], unsigned int length);

/* The next route of the same prefix; NULL when there is none. */
const struct route_entry *route_entry_next(const struct route_entry *entry);

/* Whether the route is for packets from source. */
bool route_takes_source(const struct route *route, const uint8_t source[static 16]);

/* The error of a route of this type, as fib_props[] and fib6_prop[] have it; 0: it leads on. */
int route_type_error(uint8_t type);

/* What fib6_table_lookup() answers for key. */
struct table_result route_table_lookup6(const struct route_table *table,
					const struct flow_key *key);

#endif
