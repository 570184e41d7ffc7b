// SPDX-License-Identifier: GPL-2.0-only
/* The history of lookups answers for the same addresses, ports and namespace, and for no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "trace/history.h"

#define NETNS 4026532000u
#define HOST "192.0.2.2"
#define PEER "198.51.100.1"
/* More than one for each place that there is. */
#define MANY 20000

static int set_up(void **state)
{
	*state = history_new();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	history_free(*state);
	return 0;
}

static struct lookup new_lookup(enum purpose purpose, const char *src, const char *dst)
{
	struct lookup lookup = { .netns = NETNS, .purpose = purpose };

	lookup.key.family = FLOW_AF_INET;
	assert_int_equal(inet_pton(AF_INET, src, lookup.key.src), 1);
	assert_int_equal(inet_pton(AF_INET, dst, lookup.key.dst), 1);
	return lookup;
}

static struct lookup arriving(const char *src, const char *dst, uint32_t device, uint32_t mark)
{
	struct lookup lookup = new_lookup(PURPOSE_INPUT, src, dst);

	lookup.key.iif = device;
	lookup.key.mark = mark;
	strcpy(lookup.iif, "eth0");
	return lookup;
}

/* A packet of TCP from port 40000 to port 443. */
static struct lookup leaving(uint32_t device, uint32_t mark)
{
	struct lookup lookup = new_lookup(PURPOSE_OUTPUT, HOST, PEER);

	lookup.key.protocol = IPPROTO_TCP;
	lookup.key.sport = 40000;
	lookup.key.dport = 443;
	lookup.key.mark = mark;
	lookup.verdict.route.dev_index = device;
	strcpy(lookup.verdict.route.dev, "wg0");
	return lookup;
}

static void nothing_is_known_at_first(void **state)
{
	struct lookup reply = leaving(3, 0);
	struct lookup nothing = { 0 };

	assert_null(history_arrival(*state, &reply));
	assert_null(history_arrival_from(*state, &reply));
	assert_null(history_departure(*state, &reply));
	assert_int_equal(history_sent_mark(*state, &reply), 0);
	assert_null(history_arrival(*state, &nothing));
	assert_null(history_arrival_from(*state, &nothing));
	assert_null(history_departure(*state, &nothing));
}

static void a_reply_knows_where_its_request_came_in(void **state)
{
	struct lookup request = arriving(PEER, HOST, 2, 0x66);
	struct lookup reply = new_lookup(PURPOSE_OUTPUT, HOST, PEER);
	const struct arrival *arrival;

	history_add(*state, &request);
	arrival = history_arrival(*state, &reply);
	assert_non_null(arrival);
	assert_int_equal(arrival->device, 2);
	assert_int_equal(arrival->mark, 0x66);
	assert_string_equal(arrival->name, "eth0");
	assert_ptr_not_equal(history_arrival_from(*state, &reply), NULL);
}

static void a_mark_is_that_of_the_last_packet_sent(void **state)
{
	struct lookup sent = leaving(3, 7), again = leaving(3, 9);
	struct lookup check = new_lookup(PURPOSE_SOURCE_CHECK, HOST, PEER);

	history_add(*state, &sent);
	assert_int_equal(history_sent_mark(*state, &check), 7);
	history_add(*state, &again);
	assert_int_equal(history_sent_mark(*state, &check), 9);
	check.key.family = FLOW_AF_INET6;
	assert_int_equal(history_sent_mark(*state, &check), 0);
}

static void the_last_arrival_counts(void **state)
{
	struct lookup first = arriving(PEER, HOST, 2, 1), second = arriving(PEER, HOST, 3, 0);
	struct lookup reply = new_lookup(PURPOSE_OUTPUT, HOST, PEER);

	history_add(*state, &first);
	history_add(*state, &second);
	assert_int_equal(history_arrival(*state, &reply)->device, 3);
	assert_int_equal(history_arrival(*state, &reply)->mark, 0);
}

static void an_arrival_is_that_of_its_own_addresses(void **state)
{
	struct lookup request = arriving(PEER, HOST, 2, 0);
	struct lookup other = new_lookup(PURPOSE_OUTPUT, "10.10.0.1", PEER);
	struct lookup same_way = new_lookup(PURPOSE_OUTPUT, PEER, HOST);
	struct lookup family = new_lookup(PURPOSE_OUTPUT, HOST, PEER);

	history_add(*state, &request);
	assert_null(history_arrival(*state, &other));
	assert_non_null(history_arrival_from(*state, &other));
	assert_null(history_arrival(*state, &same_way));
	assert_null(history_arrival_from(*state, &same_way));
	family.key.family = FLOW_AF_INET6;
	assert_null(history_arrival(*state, &family));
	assert_null(history_arrival_from(*state, &family));
}

static void what_was_sent_did_not_come_in(void **state)
{
	struct lookup sent = leaving(3, 7), unknown = arriving(PEER, HOST, 0, 0);
	struct lookup reply = new_lookup(PURPOSE_OUTPUT, PEER, HOST);

	sent.key.iif = FLOW_IFINDEX_LO;
	history_add(*state, &sent);
	history_add(*state, &unknown);
	assert_null(history_arrival(*state, &reply));
	assert_null(history_arrival_from(*state, &reply));
	assert_null(history_arrival_from(*state, &sent));
}

static void each_namespace_has_its_own(void **state)
{
	struct lookup request = arriving(PEER, HOST, 2, 0), sent = leaving(3, 7);
	struct lookup other = leaving(3, 0);

	history_add(*state, &request);
	history_add(*state, &sent);
	other.netns = NETNS + 1;
	assert_null(history_arrival(*state, &other));
	assert_null(history_arrival_from(*state, &other));
	assert_null(history_departure(*state, &other));
	assert_int_equal(history_sent_mark(*state, &other), 0);
	other.netns = NETNS;
	assert_non_null(history_arrival(*state, &other));
	assert_non_null(history_arrival_from(*state, &other));
	assert_non_null(history_departure(*state, &other));
	assert_int_equal(history_sent_mark(*state, &other), 7);
}

static void a_flow_knows_where_it_went(void **state)
{
	struct lookup sent = leaving(3, 7), next = leaving(2, 0), other = leaving(2, 0);
	const struct departure *departure;

	history_add(*state, &sent);
	departure = history_departure(*state, &next);
	assert_non_null(departure);
	assert_int_equal(departure->device, 3);
	assert_int_equal(departure->key.mark, 7);
	assert_string_equal(departure->name, "wg0");
	other.key.sport++;
	assert_null(history_departure(*state, &other));
	other.key = next.key;
	other.key.protocol = IPPROTO_UDP;
	assert_null(history_departure(*state, &other));
}

/* TCP asks three times to connect: only the last one knows all ports. */
static void what_has_no_ports_yet_is_no_flow(void **state)
{
	struct lookup sent = leaving(3, 7);

	sent.key.sport = 0;
	history_add(*state, &sent);
	assert_null(history_departure(*state, &sent));
	assert_int_equal(history_sent_mark(*state, &sent), 7);
}

static void only_what_was_sent_departed(void **state)
{
	struct lookup failed = leaving(3, 7), asked = leaving(3, 7), checked = leaving(3, 7);

	failed.verdict.error = -ENETUNREACH;
	asked.purpose = PURPOSE_ROUTE_GET;
	checked.purpose = PURPOSE_SOURCE_CHECK;
	history_add(*state, &failed);
	history_add(*state, &asked);
	history_add(*state, &checked);
	assert_null(history_departure(*state, &failed));
	assert_int_equal(history_sent_mark(*state, &failed), 0);
	asked.purpose = PURPOSE_REROUTE;
	history_add(*state, &asked);
	assert_non_null(history_departure(*state, &failed));
}

/* As many as there are places share them; each answer is for what was asked, or there is none. */
static void what_shares_a_place_is_not_mixed_up(void **state)
{
	uint32_t known = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		struct lookup request = arriving(PEER, HOST, i + 2, i);

		memcpy(request.key.src, &i, sizeof(i));
		history_add(*state, &request);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		struct lookup reply = new_lookup(PURPOSE_OUTPUT, HOST, PEER);
		const struct arrival *arrival, *from;

		memcpy(reply.key.dst, &i, sizeof(i));
		arrival = history_arrival(*state, &reply);
		from = history_arrival_from(*state, &reply);
		if (arrival)
			assert_int_equal(arrival->mark, i);
		if (from)
			assert_int_equal(from->mark, i);
		known += !!arrival;
	}
	/* What came last is there, and much of what came before it. */
	assert_in_range(known, 2000, 4096);
}

static void flows_that_share_a_place_are_not_mixed_up(void **state)
{
	uint32_t known = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		struct lookup sent = leaving(i + 2, i);

		sent.key.sport = (uint16_t)(i + 1);
		history_add(*state, &sent);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		struct lookup next = leaving(0, 0);
		const struct departure *departure;

		next.key.sport = (uint16_t)(i + 1);
		departure = history_departure(*state, &next);
		if (departure)
			assert_int_equal(departure->key.mark, i);
		known += !!departure;
	}
	assert_in_range(known, 2000, 4096);
}

#define WITH_HISTORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_HISTORY(nothing_is_known_at_first),
		WITH_HISTORY(a_reply_knows_where_its_request_came_in),
		WITH_HISTORY(a_mark_is_that_of_the_last_packet_sent),
		WITH_HISTORY(the_last_arrival_counts),
		WITH_HISTORY(an_arrival_is_that_of_its_own_addresses),
		WITH_HISTORY(what_was_sent_did_not_come_in),
		WITH_HISTORY(each_namespace_has_its_own),
		WITH_HISTORY(a_flow_knows_where_it_went),
		WITH_HISTORY(what_has_no_ports_yet_is_no_flow),
		WITH_HISTORY(only_what_was_sent_departed),
		WITH_HISTORY(what_shares_a_place_is_not_mixed_up),
		WITH_HISTORY(flows_that_share_a_place_are_not_mixed_up),
	};

	history_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
