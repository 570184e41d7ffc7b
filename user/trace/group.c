// SPDX-License-Identifier: GPL-2.0-only
/* Which lookups belong together: those that one system call or one received packet made. */
#include "trace/group.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "util/list.h"

#define BUCKETS 4096u
/* As many threads as are looked after at once: of the one that was quiet for longest the next
 * lookup begins a group. */
#define GROUPS_MAX 4096u
/* What one call asks is seldom as far apart: it would have to be preempted. */
#define GAP_NS 50000000ull
/* More than one call asks. */
#define QUESTIONS_MAX 16

/* The last group of a thread. last is its last lookup that was not a tunnel's. */
struct group {
	struct list_node order; /* in recent */
	struct group *next_in_bucket;
	uint64_t thread;
	uint64_t number; /* 0: not asked for yet */
	uint64_t instance;
	uint64_t visit;
	uint64_t holes;
	uint64_t latest_ns;
	uint64_t questions[QUESTIONS_MAX]; /* hashes of what was asked */
	size_t question_count;
	struct flow_key first;
	struct flow_key last;
	struct flow_key input; /* of the last one, when has_input: a packet's own addresses */
	uint8_t error_to[16]; /* who is told of an ICMP error, when has_error */
	uint8_t error_about[16]; /* where that one's packet went; none: not known */
	enum purpose first_purpose;
	enum purpose last_purpose;
	enum cause last_cause;
	bool last_failed_direct;
	bool has_input;
	bool has_error;
	bool sends; /* a packet of this host */
};

struct groups {
	struct list_node recent; /* the most recent last */
	struct group *pool;
	size_t used;
	uint64_t numbered;
	struct group *buckets[BUCKETS];
};

struct groups *groups_new(void)
{
	struct groups *groups = calloc(1, sizeof(*groups));

	if (groups)
		groups->pool = calloc(GROUPS_MAX, sizeof(*groups->pool));
	if (!groups || !groups->pool) {
		free(groups);
		errno = ENOMEM;
		return NULL;
	}
	list_init(&groups->recent);
	return groups;
}

void groups_free(struct groups *groups)
{
	if (!groups)
		return;
	free(groups->pool);
	free(groups);
}

uint64_t group_number(struct groups *groups, struct group *group)
{
	if (!group->number)
		group->number = ++groups->numbered;
	return group->number;
}

uint64_t group_thread(const struct lookup *lookup)
{
	const struct event_context *context = &lookup->context;

	switch (context->level) {
	case LEVEL_TASK:
		return context->tid;
	case LEVEL_KTHREAD:
		if (context->instance)
			return 1ull << 32 | (uint32_t)context->instance;
		return 2ull << 32 | lookup->cpu;
	default:
		return 3ull << 32 | lookup->cpu;
	}
}

/* --- what has been asked ---------------------------------------------------------------------- */

static bool same_address(const uint8_t a[static 16], const uint8_t b[static 16])
{
	return !memcmp(a, b, 16);
}

static bool no_address(const uint8_t address[static 16])
{
	static const uint8_t none[16];

	return same_address(address, none);
}

static bool same_key(const struct flow_key *a, const struct flow_key *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static uint64_t question_hash(const struct lookup *lookup)
{
	uint64_t hash = lookup->purpose, words[sizeof(lookup->key) / sizeof(uint64_t)];

	memcpy(words, &lookup->key, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
	}
	return hash;
}

/* Nothing asks the same twice: that is the next call, or so many questions that nobody can tell. */
static bool asked_before(const struct group *group, const struct lookup *lookup)
{
	uint64_t hash = question_hash(lookup);

	for (size_t i = 0; i < group->question_count; i++) {
		if (group->questions[i] == hash)
			return true;
	}
	return group->question_count == QUESTIONS_MAX;
}

/* --- what the kernel asks next, as read in its sources ---------------------------------------- */

/* Nothing tells the lookup from the group's; of kernel threads only the thread is known. */
static bool instance_known(const struct group *group, const struct lookup *lookup)
{
	return lookup->context.level != LEVEL_KTHREAD && group->instance &&
	       group->instance == lookup->context.instance;
}

static bool same_packet(const struct group *group, const struct lookup *lookup)
{
	return lookup->context.level == LEVEL_SOFTIRQ && instance_known(group, lookup);
}

static bool answers_input(const struct group *group, const struct lookup *lookup)
{
	return group->has_input && same_address(lookup->key.dst, group->input.src);
}

/*
 * ip_route_connect() asks for a source when none is bound, then with it; TCP asks
 * once more when ip_route_newports() has chosen a port.
 */
static bool connect_goes_on(const struct group *group, const struct lookup *lookup)
{
	const struct flow_key *last = &group->last, *key = &lookup->key;
	bool same_source = same_address(last->src, key->src);

	if (group->last_cause != CAUSE_CONNECT || last->protocol != key->protocol ||
	    last->dport != key->dport || last->mark != key->mark ||
	    !same_address(last->dst, key->dst))
		return false;
	if (last->sport && last->sport != key->sport)
		return false;
	if (!same_source)
		return no_address(last->src);
	return !no_address(key->src) && last->sport != key->sport;
}

/* What a packet has sent to whom it came from. */
static bool send_follows(const struct group *group, const struct lookup *lookup)
{
	return lookup->context.level == LEVEL_SOFTIRQ && answers_input(group, lookup);
}

/* Of kernels that ask for the way to where the packet went, some give a source and some none. */
static bool error_goes_on(const struct group *group, const struct flow_key *key)
{
	if (same_address(key->src, group->error_to) || same_address(key->dst, group->error_to))
		return true;
	if (no_address(group->error_about))
		return no_address(key->src);
	return same_address(key->dst, group->error_about);
}

/* icmp_route_lookup() asks for the way to the sender, and then again as for the packet that the
 * sender would have got back. */
static bool error_follows(const struct group *group, const struct lookup *lookup)
{
	if (group->has_error)
		return error_goes_on(group, &lookup->key);
	if (lookup->purpose != PURPOSE_OUTPUT)
		return false;
	return group->has_input ? answers_input(group, lookup) : group->sends;
}

/* A kernel thread sends packets of many: of a tunnel, each is its own. */
static bool tunnel_follows(const struct group *group, const struct lookup *lookup)
{
	if (group->has_input)
		return true;
	return lookup->context.level != LEVEL_KTHREAD &&
	       (group->sends || instance_known(group, lookup));
}

typedef bool follows_fn(const struct group *group, const struct lookup *lookup);

static follows_fn *const output_rows[CAUSE_COUNT] = {
	[CAUSE_OTHER] = send_follows,	    [CAUSE_CONNECT] = connect_goes_on,
	[CAUSE_SEND] = send_follows,	    [CAUSE_REPLY] = answers_input,
	[CAUSE_ICMP_ERROR] = error_follows, [CAUSE_TUNNEL] = tunnel_follows,
};

static bool output_follows(const struct group *group, const struct lookup *lookup)
{
	follows_fn *follows = lookup->cause < CAUSE_COUNT ? output_rows[lookup->cause] : NULL;

	return follows && follows(group, lookup);
}

/* Netfilter has asked about the packet before: rpfilter, or fib of nft. */
static bool filter_came_first(const struct group *group, const struct lookup *lookup)
{
	const uint8_t *asked = group->first.dst;

	if (group->has_input || !same_packet(group, lookup))
		return false;
	if (group->first_purpose != PURPOSE_OTHER && group->first_purpose != PURPOSE_SOURCE_CHECK)
		return false;
	return same_address(asked, lookup->key.src) || same_address(asked, lookup->key.dst);
}

static bool input_follows(const struct group *group, const struct lookup *lookup)
{
	if (lookup->cause == CAUSE_ICMP_ERROR)
		return error_follows(group, lookup);
	return filter_came_first(group, lookup);
}

/* fib_validate_source() asks about the source of a packet that was looked up, and then perhaps
 * once more by the packet's device. */
static bool check_follows(const struct group *group, const struct lookup *lookup)
{
	if (group->visit && lookup->visit)
		return false;
	if (answers_input(group, lookup))
		return true;
	return group->last_purpose == PURPOSE_SOURCE_CHECK && !group->last.oif && lookup->key.oif &&
	       same_address(group->last.dst, lookup->key.dst);
}

/* ip_route_me_harder() asks about a packet that is on its way: netfilter may have changed where
 * it goes, but not where it is from. */
static bool reroute_follows(const struct group *group, const struct lookup *lookup)
{
	const struct flow_key *last = &group->last;

	if (!group->sends)
		return false;
	if (!no_address(last->src) && !same_address(last->src, lookup->key.src))
		return false;
	return group->last_purpose != PURPOSE_REROUTE || instance_known(group, lookup) ||
	       same_address(last->dst, lookup->key.dst);
}

/* fib_check_nh() asks the route's own table for the gateway, and the rules when that has none. So does
 * ip6_route_check_nh(), with two flows that may differ in the device and the source. */
static bool route_add_follows(const struct group *group, const struct lookup *lookup)
{
	const struct flow_key *last = &group->last, *key = &lookup->key;

	if (group->last_cause != CAUSE_ROUTE_ADD || !group->last_failed_direct)
		return false;
	if (key->family == FLOW_AF_INET6)
		return last->family == key->family && same_address(last->dst, key->dst);
	return same_key(last, key);
}

static bool other_follows(const struct group *group, const struct lookup *lookup)
{
	const struct flow_key *packet = group->has_input ? &group->input : &group->first;

	/* The type of an address is asked for on the way of anything. */
	if (!lookup->key.iif)
		return instance_known(group, lookup);
	return same_packet(group, lookup) && (same_address(lookup->key.dst, packet->src) ||
					      same_address(lookup->key.dst, packet->dst));
}

static follows_fn *const purpose_rows[PURPOSE_COUNT] = {
	[PURPOSE_OTHER] = other_follows,     [PURPOSE_OUTPUT] = output_follows,
	[PURPOSE_INPUT] = input_follows,     [PURPOSE_SOURCE_CHECK] = check_follows,
	[PURPOSE_REROUTE] = reroute_follows,
};

static bool follows(const struct group *group, const struct lookup *lookup)
{
	follows_fn *row = lookup->purpose < PURPOSE_COUNT ? purpose_rows[lookup->purpose] : NULL;

	return row && row(group, lookup);
}

static bool belongs(const struct group *group, const struct lookup *lookup)
{
	uint64_t instance = lookup->context.instance;

	if (lookup->visit && lookup->visit == group->visit)
		return true;
	if (instance && group->instance && instance != group->instance)
		return false;
	/* What is missing may have been the beginning of this one's group. */
	if (lookup->holes != group->holes)
		return false;
	if (!instance_known(group, lookup) && lookup->boottime_ns > group->latest_ns + GAP_NS)
		return false;
	if (lookup->cause == CAUSE_ROUTE_ADD)
		return route_add_follows(group, lookup);
	return !asked_before(group, lookup) && follows(group, lookup);
}

/* --- groups ----------------------------------------------------------------------------------- */

static struct group **bucket_of(struct groups *groups, uint64_t thread)
{
	return &groups->buckets[thread * 0x9e3779b97f4a7c15ull >> 52];
}

static struct group *thread_find(struct groups *groups, uint64_t thread)
{
	struct group *group = *bucket_of(groups, thread);

	while (group && group->thread != thread)
		group = group->next_in_bucket;
	return group;
}

static void thread_unhash(struct groups *groups, struct group *group)
{
	struct group **at = bucket_of(groups, group->thread);

	while (*at != group)
		at = &(*at)->next_in_bucket;
	*at = group->next_in_bucket;
}

/* A place for a thread that has none: a new one, or that of the thread quiet for longest. */
static struct group *thread_add(struct groups *groups, uint64_t thread)
{
	struct group *group, **bucket;

	if (groups->used < GROUPS_MAX) {
		group = &groups->pool[groups->used++];
	} else {
		group = list_entry(groups->recent.next, struct group, order);
		list_remove(&group->order);
		thread_unhash(groups, group);
	}
	bucket = bucket_of(groups, thread);
	group->thread = thread;
	group->next_in_bucket = *bucket;
	*bucket = group;
	list_init(&group->order);
	return group;
}

static void group_begin(struct group *group, const struct lookup *lookup)
{
	*group = (struct group){
		.order = group->order,
		.next_in_bucket = group->next_in_bucket,
		.thread = group->thread,
		.first = lookup->key,
		.first_purpose = lookup->purpose,
	};
}

static void group_take_last(struct group *group, const struct lookup *lookup)
{
	/* IPv6 asks for no address's type. */
	bool address_check = !lookup->key.iif && lookup->key.family == FLOW_AF_INET;

	if (lookup->cause == CAUSE_TUNNEL || address_check)
		return;
	group->last = lookup->key;
	group->last_purpose = lookup->purpose;
	group->last_cause = lookup->cause;
	group->last_failed_direct =
		lookup->verdict.error && lookup->verdict.decided_by == DECIDED_BY_DIRECT;
}

/* connect() sends a packet of TCP alone. */
static bool lookup_sends(const struct lookup *lookup)
{
	if (lookup->purpose == PURPOSE_OUTPUT && lookup->cause == CAUSE_CONNECT)
		return lookup->key.protocol == IPPROTO_TCP;
	return lookup->purpose == PURPOSE_OUTPUT || lookup->purpose == PURPOSE_REROUTE;
}

static void group_take_error(struct group *group, const struct lookup *lookup)
{
	const struct flow_key *about = group->has_input ? &group->input : &group->last;

	group->has_error = true;
	memcpy(group->error_to, lookup->key.dst, sizeof(group->error_to));
	memcpy(group->error_about, about->dst, sizeof(group->error_about));
}

static void group_take(struct group *group, const struct lookup *lookup)
{
	if (group->question_count < QUESTIONS_MAX)
		group->questions[group->question_count++] = question_hash(lookup);
	if (lookup->purpose == PURPOSE_INPUT || lookup->purpose == PURPOSE_ROUTE_GET) {
		group->input = lookup->key;
		group->has_input = true;
	}
	if (lookup->cause == CAUSE_ICMP_ERROR && !group->has_error)
		group_take_error(group, lookup);
	group->sends |= lookup_sends(lookup);
	if (lookup->context.instance)
		group->instance = lookup->context.instance;
	if (lookup->visit)
		group->visit = lookup->visit;
	group->holes = lookup->holes;
	if (lookup->boottime_ns > group->latest_ns)
		group->latest_ns = lookup->boottime_ns;
	group_take_last(group, lookup);
}

struct group *groups_find(struct groups *groups, const struct lookup *lookup)
{
	uint64_t thread = group_thread(lookup);
	struct group *group = thread_find(groups, thread);

	if (!group) {
		group = thread_add(groups, thread);
		group_begin(group, lookup);
	} else {
		list_remove(&group->order);
		if (!belongs(group, lookup))
			group_begin(group, lookup);
	}
	list_append(&groups->recent, &group->order);
	group_take(group, lookup);
	return group;
}
