// SPDX-License-Identifier: GPL-2.0-only
/* Which lookups are of one system call or packet: sequences as the kernel makes them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>

#include "trace/group.h"
#include "util/array.h"

#define STEP_US 10
#define SEQUENCE_MAX 40

/* The number of the group that a lookup must get, and whose it is: who is a task's tid, a
 * softirq's CPU. */
struct owner {
	uint64_t want;
	uint64_t instance;
	uint32_t who;
	uint8_t level;
};

/* One lookup. after_us: since the one before; STEP_US when 0. */
struct ask {
	struct owner owner;
	enum purpose purpose;
	enum cause cause;
	const char *src; /* NULL: 0.0.0.0 */
	const char *dst;
	uint16_t sport;
	uint16_t dport;
	uint8_t protocol;
	uint8_t iif;
	uint8_t oif;
	uint32_t mark;
	uint64_t visit;
	uint64_t holes;
	uint32_t after_us;
	int error;
	enum decided_by decided_by;
};

struct sequence {
	const char *name;
	struct ask asks[SEQUENCE_MAX]; /* up to the first that wants 0 */
};

#define HERE "192.0.2.2"
#define THERE "192.0.2.1"
#define FAR "198.51.100.9"

/* Whose lookup it is. */
#define OWNER(...) ((struct owner){ __VA_ARGS__ })
#define TASK(number) OWNER(.want = (number), .who = 100)
#define CALL(number, registers) OWNER(.want = (number), .who = 100, .instance = (registers))
#define SOFTIRQ_ON(number, packet, cpu)                                                            \
	OWNER(.want = (number), .level = LEVEL_SOFTIRQ, .who = (cpu), .instance = (packet))
#define SOFTIRQ(number, packet) SOFTIRQ_ON(number, packet, 1)
#define KTHREAD(number, thread)                                                                    \
	OWNER(.want = (number), .level = LEVEL_KTHREAD, .who = 1, .instance = (thread))

/* What is asked, by one of the above. */
#define ASK(purpose_, cause_, owner_, ...)                                                         \
	{                                                                                          \
		.purpose = PURPOSE_##purpose_, .cause = CAUSE_##cause_, .owner = owner_,           \
		__VA_ARGS__                                                                        \
	}
#define OUTPUT(cause_, owner_, from, to, ...)                                                      \
	ASK(OUTPUT, cause_, owner_, .iif = 1, .src = (from), .dst = (to), ##__VA_ARGS__)
#define CONNECT(owner_, from, to, port, ...)                                                       \
	OUTPUT(CONNECT, owner_, from, to, .protocol = IPPROTO_UDP, .sport = (port), .dport = 1025, \
	       ##__VA_ARGS__)
#define CONNECT_TCP(owner_, from, port)                                                            \
	OUTPUT(CONNECT, owner_, from, THERE, .protocol = IPPROTO_TCP, .sport = (port), .dport = 80)
#define SEND(owner_, ...)                                                                          \
	OUTPUT(SEND, owner_, NULL, FAR, .protocol = IPPROTO_UDP, .sport = 40000, .dport = 9,       \
	       ##__VA_ARGS__)
#define REROUTED(owner_, from, to, mark_, ...)                                                     \
	ASK(REROUTE, SEND, owner_, .iif = 1, .src = (from), .dst = (to), .mark = (mark_),          \
	    ##__VA_ARGS__)
#define INPUT(cause_, owner_, from, to, ...)                                                       \
	ASK(INPUT, cause_, owner_, .iif = 2, .src = (from), .dst = (to), ##__VA_ARGS__)
#define RECEIVED(owner_, from, to, ...) INPUT(RECEIVE, owner_, from, to, ##__VA_ARGS__)
/* The source of a packet is looked for. */
#define CHECKED(cause_, owner_, from, to, ...)                                                     \
	ASK(SOURCE_CHECK, cause_, owner_, .iif = 1, .src = (to), .dst = (from), ##__VA_ARGS__)
#define OTHER(owner_, from, to) ASK(OTHER, OTHER, owner_, .iif = 1, .src = (from), .dst = (to))
#define ADDRESS_TYPE(owner_) ASK(OTHER, OTHER, owner_, .dst = HERE)
#define ROUTE_GET(owner_, from, iif_)                                                              \
	ASK(ROUTE_GET, ROUTE_GET, owner_, .iif = (iif_), .src = (from), .dst = FAR)
#define ROUTE_ADD(owner_, gateway, ...)                                                            \
	ASK(OTHER, ROUTE_ADD, owner_, .iif = 1, .dst = (gateway), ##__VA_ARGS__)
#define FAILED_DIRECT .error = -ENETUNREACH, .decided_by = DECIDED_BY_DIRECT

static const struct sequence sequences[] = {
	{ "a_ping_is_its_connect_its_send_and_the_answer",
	  { CONNECT(TASK(1), NULL, THERE, 40000), CONNECT(TASK(1), HERE, THERE, 40000),
	    OUTPUT(SEND, TASK(2), NULL, THERE, .protocol = IPPROTO_ICMP, .dport = 2048),
	    RECEIVED(SOFTIRQ(3, 7), THERE, HERE), CHECKED(RECEIVE, SOFTIRQ(3, 7), THERE, HERE) } },
	{ "a_ping_whose_system_calls_are_known",
	  { CONNECT(CALL(1, 11), NULL, THERE, 40000), CONNECT(CALL(1, 11), HERE, THERE, 40000),
	    OUTPUT(SEND, CALL(2, 13), NULL, THERE, .protocol = IPPROTO_ICMP, .dport = 2048) } },
	{ "a_datagram_socket_connects_and_sends",
	  { CONNECT(TASK(1), NULL, FAR, 40000), CONNECT(TASK(1), HERE, FAR, 40000), SEND(TASK(2)),
	    SEND(TASK(3)) } },
	{ "a_datagram_socket_connects_again_and_again",
	  { CONNECT(TASK(1), NULL, THERE, 40000), CONNECT(TASK(1), HERE, THERE, 40000),
	    CONNECT(TASK(2), HERE, THERE, 40000), CONNECT(TASK(3), HERE, THERE, 40000),
	    CONNECT(TASK(4), NULL, THERE, 40001), CONNECT(TASK(4), HERE, THERE, 40001) } },
	{ "connects_that_differ_are_two",
	  { CONNECT(TASK(1), NULL, THERE, 40000), CONNECT(TASK(2), HERE, THERE, 40000, .mark = 1),
	    OUTPUT(CONNECT, TASK(3), NULL, THERE, .protocol = IPPROTO_UDP, .sport = 40000),
	    OUTPUT(CONNECT, TASK(4), HERE, THERE, .protocol = IPPROTO_ICMP, .sport = 40000),
	    OUTPUT(CONNECT, TASK(5), NULL, THERE, .protocol = IPPROTO_UDP, .dport = 9),
	    OUTPUT(CONNECT, TASK(6), HERE, THERE, .protocol = IPPROTO_UDP, .dport = 10) } },
	{ "connects_without_a_source_are_two",
	  { CONNECT_TCP(TASK(1), NULL, 0), CONNECT_TCP(TASK(2), NULL, 50000) } },
	{ "connects_to_two_hosts_are_two",
	  { CONNECT(TASK(1), NULL, THERE, 40000), CONNECT(TASK(2), HERE, FAR, 40000) } },
	{ "connects_of_two_sockets_are_two",
	  { CONNECT(TASK(1), NULL, THERE, 40000), CONNECT(TASK(2), HERE, THERE, 40001) } },
	{ "a_stream_socket_connects",
	  { CONNECT_TCP(TASK(1), NULL, 0), CONNECT_TCP(TASK(1), HERE, 0),
	    CONNECT_TCP(TASK(1), HERE, 50000), CONNECT_TCP(TASK(2), NULL, 0),
	    CONNECT_TCP(TASK(2), HERE, 0), CONNECT_TCP(TASK(2), HERE, 50001) } },
	{ "a_bound_stream_socket_connects",
	  { CONNECT_TCP(TASK(1), HERE, 0), CONNECT_TCP(TASK(1), HERE, 50000),
	    CONNECT_TCP(TASK(2), HERE, 0), CONNECT_TCP(TASK(2), HERE, 50001),
	    CONNECT_TCP(TASK(3), HERE, 50002), CONNECT_TCP(TASK(4), HERE, 50002) } },
	{ "sends_are_one_each",
	  { SEND(TASK(1)), SEND(TASK(2)), SEND(TASK(3)), SEND(CALL(4, 9)), SEND(CALL(5, 9)) } },
	{ "a_send_that_netfilter_reroutes",
	  { SEND(TASK(1)), REROUTED(TASK(1), HERE, FAR, 1), SEND(TASK(2)),
	    REROUTED(TASK(2), HERE, FAR, 1), REROUTED(TASK(2), HERE, FAR, 2), SEND(TASK(3)) } },
	{ "sends_of_a_connected_socket_are_rerouted",
	  { REROUTED(TASK(1), HERE, FAR, 1), REROUTED(TASK(2), HERE, FAR, 1),
	    REROUTED(TASK(3), HERE, FAR, 1), REROUTED(TASK(4), HERE, THERE, 1) } },
	{ "a_reroute_of_another_system_call",
	  { SEND(CALL(1, 9)), REROUTED(CALL(2, 11), HERE, FAR, 1),
	    REROUTED(CALL(3, 11), HERE, FAR, 1) } },
	{ "a_reroute_after_a_change_of_the_destination",
	  { SEND(CALL(1, 9)), REROUTED(CALL(1, 9), HERE, FAR, 1),
	    REROUTED(CALL(1, 9), HERE, THERE, 1) } },
	{ "a_reroute_of_a_packet_from_elsewhere",
	  { OUTPUT(SEND, TASK(1), HERE, FAR), REROUTED(TASK(2), THERE, FAR, 1) } },
	{ "a_datagram_connect_sends_nothing_to_reroute",
	  { CONNECT(TASK(1), NULL, THERE, 40000), CONNECT(TASK(1), HERE, THERE, 40000),
	    REROUTED(TASK(2), HERE, THERE, 1) } },
	{ "a_stream_connect_is_rerouted",
	  { CONNECT_TCP(TASK(1), NULL, 0), CONNECT_TCP(TASK(1), HERE, 0),
	    CONNECT_TCP(TASK(1), HERE, 50000), REROUTED(TASK(1), HERE, THERE, 1) } },
	{ "each_packet_is_one",
	  { RECEIVED(SOFTIRQ(1, 7), THERE, HERE), CHECKED(RECEIVE, SOFTIRQ(1, 7), THERE, HERE),
	    RECEIVED(SOFTIRQ(2, 8), THERE, HERE), CHECKED(RECEIVE, SOFTIRQ(2, 8), THERE, HERE),
	    RECEIVED(SOFTIRQ(3, 9), FAR, HERE), CHECKED(RECEIVE, SOFTIRQ(3, 9), FAR, HERE) } },
	{ "packets_of_a_list_are_one_each",
	  { RECEIVED(SOFTIRQ(1, 7), THERE, HERE), CHECKED(RECEIVE, SOFTIRQ(1, 7), THERE, HERE),
	    RECEIVED(SOFTIRQ(2, 7), THERE, HERE), CHECKED(RECEIVE, SOFTIRQ(2, 7), THERE, HERE),
	    RECEIVED(SOFTIRQ(3, 7), FAR, HERE) } },
	{ "a_source_is_checked_twice",
	  { RECEIVED(SOFTIRQ(1, 7), THERE, HERE), CHECKED(RECEIVE, SOFTIRQ(1, 7), THERE, HERE),
	    CHECKED(RECEIVE, SOFTIRQ(1, 7), THERE, HERE, .oif = 2),
	    CHECKED(RECEIVE, SOFTIRQ(2, 8), THERE, NULL),
	    CHECKED(RECEIVE, SOFTIRQ(2, 8), THERE, NULL, .oif = 2),
	    CHECKED(RECEIVE, SOFTIRQ(3, 9), THERE, NULL) } },
	{ "a_source_check_of_another_packet",
	  { RECEIVED(SOFTIRQ(1, 7), THERE, HERE), CHECKED(RECEIVE, SOFTIRQ(2, 7), FAR, HERE) } },
	{ "a_packet_and_its_answer",
	  { RECEIVED(SOFTIRQ(1, 7), THERE, HERE), OUTPUT(REPLY, SOFTIRQ(1, 7), HERE, THERE),
	    RECEIVED(SOFTIRQ(2, 8), THERE, HERE), CHECKED(RECEIVE, SOFTIRQ(2, 8), THERE, HERE),
	    OUTPUT(REPLY, SOFTIRQ(2, 8), HERE, THERE), OUTPUT(REPLY, SOFTIRQ(3, 8), HERE, FAR) } },
	{ "an_answer_that_netfilter_reroutes",
	  { RECEIVED(SOFTIRQ(1, 7), THERE, HERE), OUTPUT(REPLY, SOFTIRQ(1, 7), HERE, THERE),
	    REROUTED(SOFTIRQ(1, 7), HERE, THERE, 1) } },
	{ "what_a_timer_sends_is_no_answer",
	  { RECEIVED(SOFTIRQ(1, 7), THERE, HERE), OUTPUT(SEND, SOFTIRQ(2, 8), HERE, THERE),
	    OUTPUT(SEND, SOFTIRQ(3, 8), HERE, FAR) } },
	{ "what_a_packet_has_a_socket_send",
	  { RECEIVED(SOFTIRQ(1, 7), THERE, HERE), OUTPUT(SEND, SOFTIRQ(1, 7), HERE, THERE),
	    OUTPUT(OTHER, SOFTIRQ(2, 7), HERE, FAR) } },
	{ "a_forwarded_packet",
	  { RECEIVED(SOFTIRQ(1, 7), HERE, FAR), CHECKED(RECEIVE, SOFTIRQ(1, 7), HERE, FAR),
	    RECEIVED(SOFTIRQ(2, 8), FAR, HERE) } },
	{ "a_forwarded_packet_into_a_tunnel",
	  { RECEIVED(SOFTIRQ(1, 7), HERE, FAR), OUTPUT(TUNNEL, SOFTIRQ(1, 7), NULL, THERE),
	    RECEIVED(SOFTIRQ(2, 8), HERE, FAR), OUTPUT(TUNNEL, SOFTIRQ(2, 8), NULL, THERE) } },
	{ "a_packet_and_the_error_about_it",
	  { RECEIVED(SOFTIRQ(1, 7), HERE, FAR, .error = -EACCES),
	    OUTPUT(ICMP_ERROR, SOFTIRQ(1, 7), NULL, HERE),
	    OUTPUT(ICMP_ERROR, SOFTIRQ(1, 7), HERE, FAR),
	    INPUT(ICMP_ERROR, SOFTIRQ(1, 7), FAR, HERE),
	    CHECKED(ICMP_ERROR, SOFTIRQ(1, 7), FAR, HERE),
	    RECEIVED(SOFTIRQ(2, 8), HERE, FAR, .error = -EACCES),
	    OUTPUT(ICMP_ERROR, SOFTIRQ(2, 8), NULL, HERE) } },
	{ "kernels_that_ask_about_the_error_without_a_source",
	  { RECEIVED(SOFTIRQ(1, 7), HERE, FAR), OUTPUT(ICMP_ERROR, SOFTIRQ(1, 7), NULL, HERE),
	    OUTPUT(ICMP_ERROR, SOFTIRQ(1, 7), NULL, FAR),
	    INPUT(ICMP_ERROR, SOFTIRQ(1, 7), FAR, HERE),
	    CHECKED(ICMP_ERROR, SOFTIRQ(1, 7), FAR, HERE),
	    OUTPUT(ICMP_ERROR, SOFTIRQ(2, 7), NULL, THERE), SEND(TASK(3)),
	    OUTPUT(ICMP_ERROR, TASK(3), NULL, HERE), OUTPUT(ICMP_ERROR, TASK(3), NULL, FAR),
	    OUTPUT(ICMP_ERROR, TASK(4), NULL, THERE), OUTPUT(ICMP_ERROR, TASK(4), NULL, FAR),
	    OUTPUT(ICMP_ERROR, TASK(5), FAR, HERE) } },
	{ "errors_about_two_packets_of_a_list",
	  { RECEIVED(SOFTIRQ(1, 7), HERE, FAR), OUTPUT(ICMP_ERROR, SOFTIRQ(1, 7), NULL, HERE),
	    OUTPUT(ICMP_ERROR, SOFTIRQ(2, 7), NULL, THERE),
	    INPUT(ICMP_ERROR, SOFTIRQ(3, 7), FAR, HERE) } },
	{ "an_error_about_nothing_that_was_sent",
	  { CONNECT(TASK(1), NULL, THERE, 40000), OUTPUT(ICMP_ERROR, TASK(2), NULL, HERE),
	    RECEIVED(SOFTIRQ(3, 7), HERE, FAR), OUTPUT(ICMP_ERROR, SOFTIRQ(4, 7), NULL, THERE) } },
	{ "an_error_about_a_packet_of_this_host",
	  { SEND(TASK(1)), OUTPUT(ICMP_ERROR, TASK(1), NULL, HERE),
	    OUTPUT(ICMP_ERROR, TASK(1), HERE, FAR), SEND(TASK(2)),
	    OUTPUT(ICMP_ERROR, TASK(2), NULL, HERE) } },
	{ "errors_about_packets_of_a_connected_socket",
	  { OUTPUT(ICMP_ERROR, TASK(1), NULL, HERE), OUTPUT(ICMP_ERROR, TASK(1), HERE, FAR),
	    OUTPUT(ICMP_ERROR, TASK(2), NULL, HERE) } },
	{ "the_firewall_asks_before_the_packet_is_routed",
	  { OTHER(SOFTIRQ(1, 7), HERE, THERE), RECEIVED(SOFTIRQ(1, 7), THERE, HERE),
	    CHECKED(RECEIVE, SOFTIRQ(1, 7), THERE, HERE),
	    CHECKED(RECEIVE, SOFTIRQ(2, 8), FAR, HERE), RECEIVED(SOFTIRQ(2, 8), FAR, HERE),
	    OTHER(SOFTIRQ(2, 8), HERE, FAR), OTHER(SOFTIRQ(3, 8), FAR, THERE) } },
	{ "the_firewall_asks_about_one_packet_at_a_time",
	  { OTHER(SOFTIRQ(1, 7), HERE, THERE), RECEIVED(SOFTIRQ(1, 7), THERE, HERE),
	    RECEIVED(SOFTIRQ(2, 7), THERE, FAR), OTHER(TASK(3), HERE, THERE),
	    RECEIVED(TASK(4), THERE, HERE) } },
	{ "a_task_hands_in_a_packet_and_sends_one",
	  { RECEIVED(TASK(1), FAR, HERE), OUTPUT(SEND, TASK(2), HERE, FAR) } },
	{ "a_task_that_hands_in_packets",
	  { RECEIVED(TASK(1), FAR, HERE), CHECKED(RECEIVE, TASK(1), FAR, HERE),
	    RECEIVED(TASK(2), FAR, HERE), OUTPUT(REPLY, TASK(2), HERE, FAR),
	    OUTPUT(SEND, TASK(3), HERE, FAR) } },
	{ "each_question_of_ip_route_get",
	  { ROUTE_GET(TASK(1), NULL, 1), ROUTE_GET(TASK(2), NULL, 1), ROUTE_GET(TASK(3), HERE, 2),
	    CHECKED(ROUTE_GET, TASK(3), HERE, FAR), ROUTE_GET(TASK(4), HERE, 2),
	    CHECKED(ROUTE_GET, TASK(4), HERE, FAR) } },
	{ "each_gateway_of_a_new_route",
	  { ROUTE_ADD(TASK(1), THERE, FAILED_DIRECT), ROUTE_ADD(TASK(1), THERE),
	    ROUTE_ADD(TASK(2), THERE, FAILED_DIRECT), ROUTE_ADD(TASK(2), THERE),
	    ROUTE_ADD(TASK(3), FAR, FAILED_DIRECT), ROUTE_ADD(TASK(4), THERE),
	    ROUTE_ADD(TASK(5), THERE) } },
	{ "so_it_is_with_a_route_of_ipv6_which_has_no_input_device",
	  { ASK(OTHER, ROUTE_ADD, TASK(1), .dst = "2001:db8::1", FAILED_DIRECT),
	    ASK(OTHER, ROUTE_ADD, TASK(1), .dst = "2001:db8::1", .oif = 2),
	    ASK(OTHER, ROUTE_ADD, TASK(2), .dst = "2001:db8::1", FAILED_DIRECT),
	    ASK(OTHER, ROUTE_ADD, TASK(3), .dst = "2001:db8::2") } },
	{ "a_tunnel_below_a_send",
	  { SEND(TASK(1)), OUTPUT(TUNNEL, TASK(1), HERE, THERE), SEND(TASK(2)),
	    OUTPUT(TUNNEL, TASK(2), HERE, THERE), OUTPUT(TUNNEL, TASK(3), HERE, THERE) } },
	{ "a_tunnel_below_a_connect",
	  { CONNECT(CALL(1, 9), NULL, THERE, 40000), OUTPUT(TUNNEL, CALL(1, 9), HERE, FAR),
	    CONNECT(CALL(1, 9), HERE, THERE, 40000), CONNECT(TASK(2), NULL, THERE, 40001),
	    OUTPUT(TUNNEL, TASK(3), HERE, FAR) } },
	{ "a_kernel_thread_sends_for_others",
	  { OUTPUT(TUNNEL, KTHREAD(1, 7), NULL, THERE), OUTPUT(TUNNEL, KTHREAD(2, 7), NULL, FAR),
	    OUTPUT(TUNNEL, KTHREAD(3, 8), NULL, THERE), OUTPUT(TUNNEL, KTHREAD(4, 7), NULL, THERE),
	    OUTPUT(SEND, KTHREAD(5, 7), NULL, FAR) } },
	{ "a_kernel_thread_receives",
	  { RECEIVED(KTHREAD(1, 7), HERE, FAR), CHECKED(RECEIVE, KTHREAD(1, 7), HERE, FAR),
	    RECEIVED(KTHREAD(2, 7), HERE, FAR), RECEIVED(KTHREAD(3, 8), HERE, FAR),
	    CHECKED(RECEIVE, KTHREAD(2, 7), HERE, FAR) } },
	{ "a_softirq_interrupts_a_task",
	  { CONNECT(TASK(1), NULL, THERE, 40000), RECEIVED(SOFTIRQ(2, 7), THERE, HERE),
	    CONNECT(TASK(1), HERE, THERE, 40000), CHECKED(RECEIVE, SOFTIRQ(2, 7), THERE, HERE),
	    SEND(TASK(3)) } },
	{ "softirqs_of_two_processors",
	  { RECEIVED(SOFTIRQ_ON(1, 7, 1), THERE, HERE), RECEIVED(SOFTIRQ_ON(2, 7, 2), THERE, HERE),
	    CHECKED(RECEIVE, SOFTIRQ_ON(1, 7, 1), THERE, HERE),
	    CHECKED(RECEIVE, SOFTIRQ_ON(2, 7, 2), THERE, HERE) } },
	{ "behind_a_hole_nothing_is_continued",
	  { CONNECT(TASK(1), NULL, THERE, 40000), CONNECT(TASK(2), HERE, THERE, 40000, .holes = 1),
	    SEND(TASK(3), .holes = 1), REROUTED(TASK(3), HERE, FAR, 1, .holes = 1),
	    SEND(TASK(4), .holes = 1), REROUTED(TASK(5), HERE, FAR, 1, .holes = 2) } },
	{ "a_visit_is_one_whatever_is_missing",
	  { CONNECT(TASK(1), NULL, THERE, 0, .visit = 5), SEND(TASK(1), .visit = 5, .holes = 1),
	    CONNECT(TASK(1), NULL, FAR, 0, .visit = 5, .holes = 1, .after_us = 900000),
	    CONNECT(TASK(2), HERE, FAR, 0, .visit = 6, .holes = 1, .after_us = 900000) } },
	{ "two_visits_may_be_of_one_call",
	  { SEND(TASK(1), .visit = 5), REROUTED(TASK(1), HERE, FAR, 1, .visit = 6),
	    SEND(TASK(2), .visit = 7) } },
	{ "a_packet_is_checked_in_the_visit_that_looks_it_up",
	  { RECEIVED(SOFTIRQ(1, 7), THERE, HERE, .visit = 5),
	    CHECKED(RECEIVE, SOFTIRQ(1, 7), THERE, HERE, .visit = 5),
	    CHECKED(RECEIVE, SOFTIRQ(2, 7), THERE, HERE, .visit = 6, .oif = 2),
	    RECEIVED(SOFTIRQ(2, 7), THERE, HERE, .visit = 6) } },
	{ "what_comes_late_is_another",
	  { SEND(TASK(1)), REROUTED(TASK(1), HERE, FAR, 1, .after_us = 50000), SEND(TASK(2)),
	    REROUTED(TASK(3), HERE, FAR, 1, .after_us = 50001) } },
	{ "a_type_of_an_address_is_asked_for_between",
	  { CONNECT(CALL(1, 9), NULL, THERE, 40000), ADDRESS_TYPE(CALL(1, 9)),
	    CONNECT(CALL(1, 9), HERE, THERE, 40000) } },
	{ "a_call_that_is_known_may_be_preempted",
	  { SEND(CALL(1, 9)), REROUTED(CALL(1, 9), HERE, FAR, 1, .after_us = 900000),
	    SEND(CALL(2, 9)), RECEIVED(KTHREAD(3, 7), FAR, HERE),
	    CHECKED(RECEIVE, KTHREAD(4, 7), FAR, HERE, .after_us = 50001),
	    REROUTED(KTHREAD(5, 7), HERE, FAR, 1) } },
	{ "types_of_addresses_are_asked_for_on_the_way",
	  { SEND(CALL(1, 9)), ADDRESS_TYPE(CALL(1, 9)), REROUTED(CALL(1, 9), HERE, FAR, 1),
	    ADDRESS_TYPE(CALL(2, 11)), ADDRESS_TYPE(TASK(3)), ADDRESS_TYPE(TASK(4)) } },
};

static struct lookup lookup_of(const struct ask *ask, uint64_t time_ns)
{
	struct lookup lookup = {
		.boottime_ns = time_ns,
		.visit = ask->visit,
		.holes = ask->holes,
		.cpu = ask->owner.level == LEVEL_TASK ? 0 : ask->owner.who,
		.purpose = ask->purpose,
		.cause = ask->cause,
		.context = { .instance = ask->owner.instance,
			     .tid = ask->owner.level == LEVEL_TASK ? ask->owner.who : 0,
			     .level = ask->owner.level },
		.key = { .family = strchr(ask->dst, ':') ? FLOW_AF_INET6 : FLOW_AF_INET,
			 .protocol = ask->protocol,
			 .sport = ask->sport,
			 .dport = ask->dport,
			 .iif = ask->iif,
			 .oif = ask->oif,
			 .mark = ask->mark },
		.verdict = { .error = ask->error, .decided_by = ask->decided_by },
	};

	if (ask->src)
		assert_int_equal(inet_pton(lookup.key.family, ask->src, lookup.key.src), 1);
	assert_int_equal(inet_pton(lookup.key.family, ask->dst, lookup.key.dst), 1);
	return lookup;
}

static uint64_t number_of(struct groups *groups, const struct lookup *lookup)
{
	return group_number(groups, groups_find(groups, lookup));
}

static void check_sequence(void **state)
{
	const struct sequence *sequence = *state;
	struct groups *groups = groups_new();
	uint64_t time_ns = 1000;

	assert_non_null(groups);
	for (size_t i = 0; i < SEQUENCE_MAX && sequence->asks[i].owner.want; i++) {
		const struct ask *ask = &sequence->asks[i];
		struct lookup lookup;

		time_ns += 1000ull * (ask->after_us ? ask->after_us : STEP_US);
		lookup = lookup_of(ask, time_ns);
		print_message("  lookup %zu\n", i + 1);
		assert_int_equal(number_of(groups, &lookup), ask->owner.want);
	}
	groups_free(groups);
}

#define SENDS 100

static void a_hundred_sends_are_a_hundred_groups(void **state)
{
	static const struct ask send = SEND(CALL(1, 9));
	struct groups *groups = groups_new();

	(void)state;
	assert_non_null(groups);
	for (uint64_t i = 0; i < SENDS; i++) {
		struct lookup lookup = lookup_of(&send, i);

		assert_int_equal(number_of(groups, &lookup), i + 1);
	}
	groups_free(groups);
}

#define TASKS 10

/* Each in turn asks the next question of its connect(), and then sends. */
static void ten_tasks_do_not_mix(void **state)
{
	static const struct ask asks[] = { CONNECT_TCP(TASK(1), NULL, 0),
					   CONNECT_TCP(TASK(1), HERE, 0),
					   CONNECT_TCP(TASK(1), HERE, 50000), SEND(TASK(2)),
					   SEND(TASK(3)) };
	struct groups *groups = groups_new();

	(void)state;
	assert_non_null(groups);
	for (uint32_t i = 0; i < ARRAY_SIZE(asks) * TASKS; i++) {
		struct ask ask = asks[i / TASKS];
		struct lookup lookup;

		ask.owner.who = 100 + i % TASKS;
		lookup = lookup_of(&ask, i);
		assert_int_equal(number_of(groups, &lookup),
				 (ask.owner.want - 1) * TASKS + i % TASKS + 1);
	}
	groups_free(groups);
}

#define MANY 5000 /* more threads than are looked after */

static uint64_t connect_of(struct groups *groups, uint32_t task, const char *src)
{
	const struct ask ask = CONNECT(TASK(1), src, THERE, 40000);
	struct lookup lookup = lookup_of(&ask, 1000);

	lookup.context.tid = task;
	return number_of(groups, &lookup);
}

static void the_threads_quiet_for_longest_are_forgotten(void **state)
{
	struct groups *groups = groups_new();

	(void)state;
	assert_non_null(groups);
	for (uint32_t task = 1; task <= MANY; task++)
		assert_int_equal(connect_of(groups, task, NULL), task);
	assert_int_equal(connect_of(groups, MANY, HERE), MANY);
	assert_int_equal(connect_of(groups, 2000, HERE), 2000);
	assert_int_equal(connect_of(groups, 1, HERE), MANY + 1);
	groups_free(groups);
}

static void only_groups_that_are_shown_are_numbered(void **state)
{
	static const struct ask send = SEND(TASK(1)), reroute = REROUTED(TASK(1), HERE, FAR, 1);
	struct lookup sent = lookup_of(&send, 1), rerouted = lookup_of(&reroute, 2);
	struct groups *groups = groups_new();

	(void)state;
	assert_non_null(groups);
	groups_find(groups, &sent);
	groups_find(groups, &sent);
	assert_int_equal(number_of(groups, &rerouted), 1);
	groups_find(groups, &sent);
	assert_int_equal(number_of(groups, &rerouted), 2);
	groups_free(groups);
}

static void more_questions_than_one_call_asks_are_of_another(void **state)
{
	static const struct ask first = RECEIVED(SOFTIRQ(1, 7), THERE, HERE);
	struct lookup lookup = lookup_of(&first, 1);
	struct groups *groups = groups_new();

	(void)state;
	assert_non_null(groups);
	assert_int_equal(number_of(groups, &lookup), 1);
	for (uint32_t i = 1; i < 40; i++) {
		const struct ask reply = OUTPUT(REPLY, SOFTIRQ(1, 7), HERE, THERE, .mark = i);

		lookup = lookup_of(&reply, 1);
		assert_int_equal(number_of(groups, &lookup), i < 16 ? 1 : i - 14);
	}
	groups_free(groups);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(sequences) + 5] = {
		cmocka_unit_test(a_hundred_sends_are_a_hundred_groups),
		cmocka_unit_test(ten_tasks_do_not_mix),
		cmocka_unit_test(the_threads_quiet_for_longest_are_forgotten),
		cmocka_unit_test(only_groups_that_are_shown_are_numbered),
		cmocka_unit_test(more_questions_than_one_call_asks_are_of_another),
	};

	for (size_t i = 0; i < ARRAY_SIZE(sequences); i++) {
		tests[i + 5] = (struct CMUnitTest){
			.name = sequences[i].name,
			.test_func = check_sequence,
			.initial_state = (void *)&sequences[i],
		};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
