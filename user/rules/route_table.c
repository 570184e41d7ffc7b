// SPDX-License-Identifier: GPL-2.0-only
/* A routing table as a hash of prefixes, asked from the longest length in use to the shortest. */
#include "rules/route.h"

#include <endian.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rules/route_entries.h"
#include "rules/selector.h"

#define LENGTH_MAX 128
#define BUCKET_BITS_MIN 4

/* Of the flow's tos the kernel compares these bits with a route's: RT_TOS(), without ECN. */
#define TOS_ROUTE_MASK 0x1c

/* Routes of one prefix lie together in their bucket, in the kernel's order. */
struct route_table {
	struct route_entry **buckets;
	size_t count;
	uint32_t id;
	uint8_t family;
	uint8_t bucket_bits;
	uint8_t length_max;
	uint32_t counts[LENGTH_MAX + 1]; /* routes by prefix length */
};

/* An address, the first length bits of it, as two host-order words. */
struct prefix {
	uint64_t high;
	uint64_t low;
	unsigned int length;
};

static uint64_t top_bits(unsigned int count)
{
	if (count == 0)
		return 0;
	return count >= 64 ? UINT64_MAX : ~(UINT64_MAX >> count);
}

static struct prefix prefix_of(const uint8_t address[static 16], unsigned int length)
{
	uint64_t words[2];

	memcpy(words, address, sizeof(words));
	return (struct prefix){
		.high = be64toh(words[0]) & top_bits(length),
		.low = length > 64 ? be64toh(words[1]) & top_bits(length - 64) : 0,
		.length = length,
	};
}

static bool prefix_has_address(const struct prefix *prefix, const uint8_t address[static 16])
{
	uint64_t words[2];

	memcpy(words, address, sizeof(words));
	return be64toh(words[0]) == prefix->high && be64toh(words[1]) == prefix->low;
}

static void prefix_store(const struct prefix *prefix, uint8_t address[static 16])
{
	uint64_t words[2] = { htobe64(prefix->high), htobe64(prefix->low) };

	memcpy(address, words, sizeof(words));
}

static bool entry_has_prefix(const struct route_entry *entry, const struct prefix *prefix)
{
	return entry->route.dst_length == prefix->length &&
	       prefix_has_address(prefix, entry->route.dst);
}

static size_t bucket_of(const struct prefix *prefix, unsigned int bucket_bits)
{
	uint64_t hash = (prefix->high ^ prefix->length) * 0x9e3779b97f4a7c15;

	hash = (hash ^ (hash >> 32) ^ prefix->low) * 0xff51afd7ed558ccd;
	return hash >> (64 - bucket_bits);
}

static size_t bucket_count(const struct route_table *table)
{
	return (size_t)1 << table->bucket_bits;
}

/* The place of the first route of prefix; the head of its bucket when there is none. */
static struct route_entry **table_find(const struct route_table *table, const struct prefix *prefix)
{
	struct route_entry **head = &table->buckets[bucket_of(prefix, table->bucket_bits)];
	struct route_entry **place = head;

	while (*place && !entry_has_prefix(*place, prefix))
		place = &(*place)->next;
	return *place ? place : head;
}

struct route_table *route_table_new(uint32_t id, uint8_t family)
{
	struct route_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->id = id;
	table->family = family;
	table->length_max = family == AF_INET ? 32 : LENGTH_MAX;
	table->bucket_bits = BUCKET_BITS_MIN;
	table->buckets = calloc(bucket_count(table), sizeof(*table->buckets));
	if (!table->buckets) {
		free(table);
		errno = ENOMEM;
		return NULL;
	}
	return table;
}

static bool drop_all(const struct route *route, void *data)
{
	(void)route;
	(void)data;
	return true;
}

void route_table_free(struct route_table *table)
{
	if (!table)
		return;
	route_table_drop(table, drop_all, NULL);
	free(table->buckets);
	free(table);
}

uint32_t route_table_id(const struct route_table *table)
{
	return table->id;
}

size_t route_table_count(const struct route_table *table)
{
	return table->count;
}

size_t route_size(uint32_t count)
{
	return sizeof(struct route) + count * sizeof(struct nexthop);
}

/* Moves the routes of an old bucket to the two that stand for it now, keeping their order. */
static void bucket_split(struct route_entry *entry, struct route_entry **buckets,
			 unsigned int bucket_bits)
{
	struct route_entry **tails[2] = { &buckets[0], &buckets[1] };

	while (entry) {
		struct route_entry *next = entry->next;
		struct prefix prefix = prefix_of(entry->route.dst, entry->route.dst_length);
		size_t half = bucket_of(&prefix, bucket_bits) & 1;

		entry->next = NULL;
		*tails[half] = entry;
		tails[half] = &entry->next;
		entry = next;
	}
}

/* Without memory the table stays as it is: right, only slower. */
static void table_grow(struct route_table *table)
{
	unsigned int bucket_bits = table->bucket_bits + 1u;
	struct route_entry **buckets = calloc((size_t)1 << bucket_bits, sizeof(*buckets));

	if (!buckets)
		return;
	for (size_t i = 0; i < bucket_count(table); i++)
		bucket_split(table->buckets[i], &buckets[2 * i], bucket_bits);
	free(table->buckets);
	table->buckets = buckets;
	table->bucket_bits = bucket_bits;
}

static struct route_entry *entry_new(const struct route *route, const struct prefix *prefix)
{
	struct route_entry *entry =
		malloc(offsetof(struct route_entry, route) + route_size(route->nexthop_count));
	struct prefix source = prefix_of(route->src, route->src_length);

	if (!entry)
		return NULL;
	memcpy(&entry->route, route, route_size(route->nexthop_count));
	prefix_store(prefix, entry->route.dst);
	prefix_store(&source, entry->route.src);
	entry->next = NULL;
	return entry;
}

/* Negative when routes from a's source prefix stand before those from b's: longer ones do. */
static int compare_sources(const struct route *a, const struct route *b)
{
	struct prefix left, right;

	if (a->src_length != b->src_length)
		return b->src_length - a->src_length;
	left = prefix_of(a->src, a->src_length);
	right = prefix_of(b->src, b->src_length);
	if (left.high != right.high)
		return left.high < right.high ? -1 : 1;
	if (left.low != right.low)
		return left.low < right.low ? -1 : 1;
	return 0;
}

static bool same_order_key(const struct route *a, const struct route *b)
{
	return !compare_sources(a, b) && a->tos == b->tos && a->metric == b->metric;
}

static bool same_nexthops(const struct route *a, const struct route *b)
{
	if (a->nexthop_count != b->nexthop_count)
		return false;
	for (uint32_t i = 0; i < a->nexthop_count; i++) {
		const struct nexthop *left = &a->nexthops[i];
		const struct nexthop *right = &b->nexthops[i];

		if (left->dev != right->dev || left->gateway_family != right->gateway_family)
			return false;
		if (left->gateway_family &&
		    memcmp(left->gateway, right->gateway, sizeof(left->gateway)))
			return false;
	}
	return true;
}

static bool same_weights(const struct route *a, const struct route *b)
{
	for (uint32_t i = 0; i < a->nexthop_count; i++)
		if (a->nexthops[i].weight != b->nexthops[i].weight)
			return false;
	return true;
}

/* What two routes of one prefix, tos and metric can still differ in, their nexthops apart. */
static bool same_details(const struct route *a, const struct route *b)
{
	return a->type == b->type && a->scope == b->scope && a->protocol == b->protocol &&
	       a->nexthop_id == b->nexthop_id && a->prefsrc_family == b->prefsrc_family &&
	       !memcmp(a->prefsrc, b->prefsrc, sizeof(a->prefsrc));
}

/* The kernel refuses a second route that is the same in all this (NLM_F_EXCL or not). */
static bool same_route(const struct route *a, const struct route *b)
{
	return same_order_key(a, b) && same_details(a, b) && same_nexthops(a, b) &&
	       same_weights(a, b);
}

/* True when route belongs behind other, a route of the same prefix: fib_find_alias(), and
 * fib6_add_rt2node(), which puts a new route behind its equals whatever it was asked. */
static bool goes_behind(const struct route *route, const struct route *other, bool append)
{
	int sources = compare_sources(other, route);

	if (sources)
		return sources < 0;
	if (other->tos != route->tos)
		return other->tos > route->tos;
	if (other->metric != route->metric)
		return other->metric < route->metric;
	return append || route->family == AF_INET6;
}

/* The route that a replacement takes the place of: the first with its tos and
 * metric, but when a nexthop object changed, the one that uses this object. */
static struct route_entry **find_replaced(struct route_entry **place, const struct prefix *prefix,
					  const struct route *route)
{
	struct route_entry **first = NULL;

	for (; *place && entry_has_prefix(*place, prefix); place = &(*place)->next) {
		if (!same_order_key(&(*place)->route, route))
			continue;
		if (route->nexthop_id && (*place)->route.nexthop_id == route->nexthop_id)
			return place;
		if (!first)
			first = place;
	}
	return first;
}

static struct route_entry **find_same(struct route_entry **place, const struct prefix *prefix,
				      const struct route *route)
{
	for (; *place && entry_has_prefix(*place, prefix); place = &(*place)->next)
		if (same_route(&(*place)->route, route))
			return place;
	return NULL;
}

/* The route that route takes the place of. A notification may repeat what the dump said already;
 * the newer flags are right. IPv6 can hold the same route twice, after `ip route replace`. */
static struct route_entry **find_old(struct route_entry **place, const struct prefix *prefix,
				     const struct route *route, bool replace)
{
	if (replace)
		return find_replaced(place, prefix, route);
	return route->family == AF_INET6 ? NULL : find_same(place, prefix, route);
}

static void entry_take_place(struct route_entry **place, struct route_entry *entry)
{
	struct route_entry *old = *place;

	entry->next = old->next;
	*place = entry;
	free(old);
}

int route_table_add(struct route_table *table, const struct route *route, bool append, bool replace)
{
	struct prefix prefix;
	struct route_entry **place, **old;
	struct route_entry *entry;

	if (route->family != table->family || route->dst_length > table->length_max ||
	    route->src_length > table->length_max)
		return -EINVAL;
	if (table->count >= bucket_count(table) / 2)
		table_grow(table);
	prefix = prefix_of(route->dst, route->dst_length);
	entry = entry_new(route, &prefix);
	if (!entry)
		return -ENOMEM;

	place = table_find(table, &prefix);
	old = find_old(place, &prefix, route, replace);
	if (old) {
		entry_take_place(old, entry);
		return 0;
	}
	while (*place && entry_has_prefix(*place, &prefix) &&
	       goes_behind(route, &(*place)->route, append))
		place = &(*place)->next;
	entry->next = *place;
	*place = entry;
	table->count++;
	table->counts[prefix.length]++;
	return 0;
}

static void table_unlink(struct route_table *table, struct route_entry **place)
{
	struct route_entry *entry = *place;

	table->count--;
	table->counts[entry->route.dst_length]--;
	*place = entry->next;
	free(entry);
}

static bool removal_fits(const struct route *candidate, const struct route *route)
{
	return same_order_key(candidate, route) && candidate->type == route->type &&
	       (!route->nexthop_count || same_nexthops(candidate, route));
}

int route_table_remove(struct route_table *table, const struct route *route)
{
	struct prefix prefix;
	struct route_entry **place, **found = NULL;

	if (route->dst_length > table->length_max)
		return -ENOENT;
	prefix = prefix_of(route->dst, route->dst_length);
	place = table_find(table, &prefix);
	for (; *place && entry_has_prefix(*place, &prefix); place = &(*place)->next) {
		if (!removal_fits(&(*place)->route, route))
			continue;
		if (!found)
			found = place;
		/* Of several that fit, the one that is the same in protocol and source, too. */
		if (same_details(&(*place)->route, route)) {
			found = place;
			break;
		}
	}
	if (!found)
		return -ENOENT;
	table_unlink(table, found);
	return 0;
}

size_t route_table_drop(struct route_table *table,
			bool (*drop)(const struct route *route, void *data), void *data)
{
	size_t before = table->count;

	for (size_t i = 0; i < bucket_count(table); i++) {
		struct route_entry **place = &table->buckets[i];

		while (*place) {
			if (drop(&(*place)->route, data))
				table_unlink(table, place);
			else
				place = &(*place)->next;
		}
	}
	return before - table->count;
}

void route_table_visit(const struct route_table *table,
		       bool (*visit)(const struct route *route, void *data), void *data)
{
	for (size_t i = 0; i < bucket_count(table); i++)
		for (struct route_entry *entry = table->buckets[i]; entry; entry = entry->next)
			if (!visit(&entry->route, data))
				return;
}

const struct route_entry *route_table_entries(const struct route_table *table,
					      const uint8_t dst[static 16], unsigned int length)
{
	struct prefix prefix = prefix_of(dst, length);
	const struct route_entry *entry = NULL;

	if (table->counts[length])
		entry = *table_find(table, &prefix);
	return entry && entry_has_prefix(entry, &prefix) ? entry : NULL;
}

const struct route_entry *route_entry_next(const struct route_entry *entry)
{
	struct prefix prefix = prefix_of(entry->route.dst, entry->route.dst_length);
	const struct route_entry *next = entry->next;

	return next && entry_has_prefix(next, &prefix) ? next : NULL;
}

bool route_takes_source(const struct route *route, const uint8_t source[static 16])
{
	struct prefix prefix = prefix_of(source, route->src_length);

	return prefix_has_address(&prefix, route->src);
}

size_t route_table_count_beside(const struct route_table *table, const struct route *route)
{
	const struct route_entry *entry = NULL;
	size_t count = 0;

	if (route->dst_length <= table->length_max)
		entry = route_table_entries(table, route->dst, route->dst_length);
	for (; entry; entry = route_entry_next(entry))
		count += same_order_key(&entry->route, route);
	return count;
}

const struct route *route_table_find(const struct route_table *table, const struct flow_key *key,
				     uint8_t prefix_length,
				     bool (*fits)(const struct route *route, void *data),
				     void *data)
{
	const struct route_entry *entry = NULL;

	if (prefix_length <= table->length_max)
		entry = route_table_entries(table, key->dst, prefix_length);
	for (; entry; entry = route_entry_next(entry)) {
		if (route_takes_source(&entry->route, key->src) && fits(&entry->route, data))
			return &entry->route;
	}
	return NULL;
}

/* fib_props[].error */
static const int type_errors[RTN_MAX + 1] = {
	[RTN_BLACKHOLE] = -EINVAL, [RTN_UNREACHABLE] = -EHOSTUNREACH,
	[RTN_PROHIBIT] = -EACCES,  [RTN_THROW] = -EAGAIN,
	[RTN_NAT] = -EINVAL,	   [RTN_XRESOLVE] = -EINVAL,
};

int route_type_error(uint8_t type)
{
	return type <= RTN_MAX ? type_errors[type] : 0;
}

struct question {
	const struct flow_key *key;
	bool ignore_linkdown;
	/* A route by a nexthop object had no usable nexthop: the kernel then leaves
	 * the whole trie leaf, that is every shorter prefix with the same address. */
	bool leaf_left;
	uint8_t leaf[16];
	struct table_result result;
};

static bool device_wanted(const struct nexthop *nexthop, const struct flow_key *key)
{
	return !key->oif || key->flags & FLOW_OIF_IS_VRF || key->oif == nexthop->dev;
}

static bool nexthop_usable(const struct nexthop *nexthop, const struct question *question)
{
	if (nexthop->flags & RTNH_F_DEAD)
		return false;
	if (question->ignore_linkdown && nexthop->flags & RTNH_F_LINKDOWN)
		return false;
	return device_wanted(nexthop, question->key);
}

static const struct nexthop *first_usable(const struct route *route,
					  const struct question *question)
{
	for (uint32_t i = 0; i < route->nexthop_count; i++)
		if (nexthop_usable(&route->nexthops[i], question))
			return &route->nexthops[i];
	return NULL;
}

static bool route_wanted(const struct route *route, const struct flow_key *key)
{
	uint8_t tos = route->tos & TOS_DSCP_MASK;

	if (tos && tos != (key->tos & TOS_ROUTE_MASK))
		return false;
	return route->scope >= key->scope;
}

static bool answer(struct question *question, const struct route *route,
		   const struct nexthop *nexthop)
{
	question->result.error = route_type_error(route->type);
	question->result.route = route;
	question->result.nexthop = nexthop;
	return true;
}

/* True when route answers the question. */
static bool ask_route(struct question *question, const struct route *route)
{
	const struct nexthop *nexthop;

	if (!route_wanted(route, question->key))
		return false;
	if (route_type_error(route->type))
		return answer(question, route, NULL);
	nexthop = first_usable(route, question);
	/* With net.ipv4.nexthop_compat_mode=0 netlink names the nexthop object alone. */
	if (nexthop || (route->nexthop_id && !route->nexthop_count))
		return answer(question, route, nexthop);
	if (route->nexthop_id) {
		question->leaf_left = true;
		memcpy(question->leaf, route->dst, sizeof(question->leaf));
	}
	return false;
}

static bool ask_prefix(struct question *question, const struct route_table *table,
		       const struct prefix *prefix)
{
	const struct route_entry *entry;

	if (question->leaf_left && prefix_has_address(prefix, question->leaf))
		return false;
	question->leaf_left = false;
	entry = *table_find(table, prefix);
	for (; entry && entry_has_prefix(entry, prefix); entry = entry->next) {
		if (ask_route(question, &entry->route))
			return true;
		if (question->leaf_left)
			return false;
	}
	return false;
}

struct table_result route_table_lookup(const struct route_table *table, const struct flow_key *key,
				       bool ignore_linkdown)
{
	struct question question = {
		.key = key,
		.ignore_linkdown = ignore_linkdown,
		.result = { .error = -EAGAIN },
	};

	if (table->family == AF_INET6)
		return route_table_lookup6(table, key);
	for (unsigned int length = table->length_max + 1u; length-- > 0;) {
		struct prefix prefix;

		if (!table->counts[length])
			continue;
		prefix = prefix_of(key->dst, length);
		if (ask_prefix(&question, table, &prefix))
			break;
	}
	return question.result;
}
