// SPDX-License-Identifier: GPL-2.0-only
/* What lookups before told, in two tables where the newer entry takes the place of the older. */
#include "trace/history.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 4096u

/* The mark of what was sent to an address. */
struct sent {
	uint8_t destination[16];
	uint32_t netns;
	uint32_t mark;
	uint8_t family;
};

struct history {
	struct arrival arrivals[PLACES];
	struct arrival last_arrivals[PLACES]; /* by their source alone */
	struct sent sent[PLACES];
	struct departure departures[PLACES];
};

struct history *history_new(void)
{
	return calloc(1, sizeof(struct history));
}

void history_free(struct history *history)
{
	free(history);
}

/* FNV-1a */
static uint32_t hash_bytes(uint32_t hash, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * 16777619u;
	return hash;
}

#define HASH_START 2166136261u

static size_t arrival_place(uint32_t netns, const uint8_t *source, const uint8_t *destination)
{
	uint32_t hash = hash_bytes(HASH_START, &netns, sizeof(netns));

	hash = hash_bytes(hash, source, 16);
	return hash_bytes(hash, destination, 16) % PLACES;
}

static size_t address_place(uint32_t netns, const uint8_t *address)
{
	return hash_bytes(hash_bytes(HASH_START, &netns, sizeof(netns)), address, 16) % PLACES;
}

static size_t departure_place(const struct lookup *lookup)
{
	const struct flow_key *key = &lookup->key;
	uint32_t hash = hash_bytes(HASH_START, &lookup->netns, sizeof(lookup->netns));

	hash = hash_bytes(hash, key->src, sizeof(key->src));
	hash = hash_bytes(hash, key->dst, sizeof(key->dst));
	hash = hash_bytes(hash, &key->sport, sizeof(key->sport));
	return hash_bytes(hash, &key->dport, sizeof(key->dport)) % PLACES;
}

static bool is_arrival(const struct arrival *arrival, const struct lookup *lookup)
{
	const struct flow_key *key = &lookup->key;

	return arrival->device && arrival->netns == lookup->netns &&
	       arrival->family == key->family &&
	       !memcmp(arrival->source, key->dst, sizeof(key->dst)) &&
	       !memcmp(arrival->destination, key->src, sizeof(key->src));
}

const struct arrival *history_arrival(const struct history *history, const struct lookup *lookup)
{
	const struct arrival *arrival =
		&history->arrivals[arrival_place(lookup->netns, lookup->key.dst, lookup->key.src)];

	return is_arrival(arrival, lookup) ? arrival : NULL;
}

const struct arrival *history_arrival_from(const struct history *history,
					   const struct lookup *lookup)
{
	const uint8_t *peer = lookup->key.dst;
	const struct arrival *arrival = &history->last_arrivals[address_place(lookup->netns, peer)];

	if (!arrival->device || arrival->netns != lookup->netns ||
	    arrival->family != lookup->key.family ||
	    memcmp(arrival->source, peer, sizeof(arrival->source)))
		return NULL;
	return arrival;
}

uint32_t history_sent_mark(const struct history *history, const struct lookup *lookup)
{
	const struct sent *sent = &history->sent[address_place(lookup->netns, lookup->key.dst)];

	if (sent->netns != lookup->netns || sent->family != lookup->key.family ||
	    memcmp(sent->destination, lookup->key.dst, sizeof(sent->destination)))
		return 0;
	return sent->mark;
}

static bool has_ports(const struct flow_key *key)
{
	return key->protocol && key->sport && key->dport;
}

const struct departure *history_departure(const struct history *history,
					  const struct lookup *lookup)
{
	const struct departure *departure = &history->departures[departure_place(lookup)];
	const struct flow_key *key = &lookup->key;
	const struct flow_key *known = &departure->key;

	if (!departure->device || departure->netns != lookup->netns || !has_ports(key) ||
	    known->family != key->family || known->protocol != key->protocol ||
	    known->sport != key->sport || known->dport != key->dport ||
	    memcmp(known->src, key->src, sizeof(key->src)) ||
	    memcmp(known->dst, key->dst, sizeof(key->dst)))
		return NULL;
	return departure;
}

static void add_arrival(struct history *history, const struct lookup *lookup)
{
	const struct flow_key *key = &lookup->key;
	struct arrival *arrival =
		&history->arrivals[arrival_place(lookup->netns, key->src, key->dst)];

	*arrival = (struct arrival){
		.netns = lookup->netns, .device = key->iif, .mark = key->mark, .family = key->family
	};
	memcpy(arrival->source, key->src, sizeof(key->src));
	memcpy(arrival->destination, key->dst, sizeof(key->dst));
	memcpy(arrival->name, lookup->iif, sizeof(arrival->name));
	history->last_arrivals[address_place(lookup->netns, key->src)] = *arrival;
}

static void add_sent(struct history *history, const struct lookup *lookup)
{
	struct sent *sent = &history->sent[address_place(lookup->netns, lookup->key.dst)];

	sent->netns = lookup->netns;
	sent->mark = lookup->key.mark;
	sent->family = lookup->key.family;
	memcpy(sent->destination, lookup->key.dst, sizeof(sent->destination));
}

static bool is_sent(const struct lookup *lookup)
{
	return (lookup->purpose == PURPOSE_OUTPUT || lookup->purpose == PURPOSE_REROUTE) &&
	       !lookup->verdict.error;
}

static void add_departure(struct history *history, const struct lookup *lookup)
{
	struct departure *departure = &history->departures[departure_place(lookup)];

	*departure = (struct departure){ .key = lookup->key,
					 .netns = lookup->netns,
					 .device = lookup->verdict.route.dev_index };
	memcpy(departure->name, lookup->verdict.route.dev, sizeof(departure->name));
}

void history_add(struct history *history, const struct lookup *lookup)
{
	if (lookup->purpose == PURPOSE_INPUT && lookup->key.iif)
		add_arrival(history, lookup);
	if (!is_sent(lookup))
		return;
	add_sent(history, lookup);
	if (has_ports(&lookup->key))
		add_departure(history, lookup);
}
