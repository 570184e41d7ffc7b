// SPDX-License-Identifier: GPL-2.0-only
/* Purpose and cause, read off made-up stacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/syscall.h>

#include "kallsyms.h"
#include "trace/stack.h"
#include "util/array.h"
#include "util/text.h"

#define NAMES_MAX 128
#define FRAMES_MAX 8
#define FIRST 0xffffffff81000000ull
#define APART 0x100

/* frames: innermost first; a name that is no marker is a function that tells nothing. */
struct row {
	const char *name;
	const char *frames[FRAMES_MAX];
	uint32_t iif;
	uint8_t level;
	int32_t syscall;
	struct origin want;
};

#define LO FLOW_IFINDEX_LO
#define OUT "ip_route_output_key_hash", "ip_route_output_flow"
#define IN "ip_route_input_noref"

static const struct row rows[] = {
	/* Innermost first; strong markers before weak ones. */
	{ "a_udp_packet_is_sent",
	  { OUT, "udp_sendmsg", "inet_sendmsg" },
	  LO,
	  LEVEL_TASK,
	  -1,
	  { PURPOSE_OUTPUT, CAUSE_SEND, false } },
	{ "a_udp_socket_is_connected",
	  { OUT, "__ip4_datagram_connect", "ip4_datagram_connect" },
	  LO,
	  LEVEL_TASK,
	  -1,
	  { PURPOSE_OUTPUT, CAUSE_CONNECT, false } },
	{ "a_reply_to_a_packet",
	  { OUT, "icmp_reply", "icmp_echo", IN },
	  LO,
	  LEVEL_SOFTIRQ,
	  -1,
	  { PURPOSE_OUTPUT, CAUSE_REPLY, false } },
	{ "a_source_check_of_a_received_packet",
	  { "__fib_validate_source", "fib_validate_source", IN },
	  3,
	  LEVEL_SOFTIRQ,
	  -1,
	  { PURPOSE_SOURCE_CHECK, CAUSE_RECEIVE, false } },
	{ "a_received_packet",
	  { IN, "ip_rcv_finish_core" },
	  3,
	  LEVEL_SOFTIRQ,
	  -1,
	  { PURPOSE_INPUT, CAUSE_RECEIVE, false } },
	{ "a_reroute_keeps_the_cause",
	  { OUT, "ip_route_me_harder", "nf_route", "udp_sendmsg" },
	  LO,
	  LEVEL_TASK,
	  -1,
	  { PURPOSE_REROUTE, CAUSE_SEND, false } },
	{ "a_question_of_ip_route_get",
	  { OUT, "inet_rtm_getroute" },
	  LO,
	  LEVEL_TASK,
	  SYS_sendmsg,
	  { PURPOSE_ROUTE_GET, CAUSE_ROUTE_GET, false } },
	{ "a_question_with_an_input_interface",
	  { "ip_route_input_rcu", "inet_rtm_getroute" },
	  3,
	  LEVEL_TASK,
	  SYS_sendmsg,
	  { PURPOSE_ROUTE_GET, CAUSE_ROUTE_GET, false } },
	{ "the_source_check_of_such_a_question",
	  { "__fib_validate_source", "ip_route_input_rcu", "inet_rtm_getroute" },
	  3,
	  LEVEL_TASK,
	  SYS_sendmsg,
	  { PURPOSE_SOURCE_CHECK, CAUSE_ROUTE_GET, false } },
	{ "a_new_route_is_checked_directly",
	  { "fib_check_nh", "fib_create_info", "inet_rtm_newroute" },
	  LO,
	  LEVEL_TASK,
	  SYS_sendmsg,
	  { PURPOSE_OTHER, CAUSE_ROUTE_ADD, true } },
	{ "a_tunnel_wraps_a_packet_that_is_sent",
	  { OUT, "send4", "wg_socket_send_skb_to_peer", "udp_sendmsg" },
	  LO,
	  LEVEL_TASK,
	  -1,
	  { PURPOSE_OUTPUT, CAUSE_TUNNEL, false } },
	{ "weak_markers_alone_decide",
	  { "fn", "ip_route_output_key_hash", "fn" },
	  LO,
	  LEVEL_SOFTIRQ,
	  -1,
	  { PURPOSE_OUTPUT, CAUSE_OTHER, false } },
	{ "a_strong_marker_outside_beats_a_weak_one_inside",
	  { IN, "inet_rtm_getroute" },
	  LO,
	  LEVEL_TASK,
	  -1,
	  { PURPOSE_ROUTE_GET, CAUSE_ROUTE_GET, false } },
	/* A softirq interrupts somebody else's work. */
	{ "markers_behind_a_softirq_are_another_lookups",
	  { IN, "handle_softirqs", "udp_sendmsg", "inet_rtm_newroute" },
	  3,
	  LEVEL_SOFTIRQ,
	  -1,
	  { PURPOSE_INPUT, CAUSE_RECEIVE, false } },
	{ "an_older_kernels_softirq_is_a_boundary",
	  { IN, "__do_softirq", "udp_sendmsg", "fib_check_nh" },
	  3,
	  LEVEL_SOFTIRQ,
	  -1,
	  { PURPOSE_INPUT, CAUSE_RECEIVE, false } },
	/* What the flow key and the system call tell. */
	{ "without_markers_connect_tells",
	  { "fn" },
	  LO,
	  LEVEL_TASK,
	  SYS_connect,
	  { PURPOSE_OUTPUT, CAUSE_CONNECT, false } },
	{ "without_markers_sendto_tells",
	  { "fn" },
	  LO,
	  LEVEL_TASK,
	  SYS_sendto,
	  { PURPOSE_OUTPUT, CAUSE_SEND, false } },
	{ "without_markers_sendmmsg_tells",
	  { "fn" },
	  LO,
	  LEVEL_TASK,
	  SYS_sendmmsg,
	  { PURPOSE_OUTPUT, CAUSE_SEND, false } },
	{ "another_system_call_tells_nothing",
	  { "fn" },
	  LO,
	  LEVEL_TASK,
	  SYS_read,
	  { PURPOSE_OUTPUT, CAUSE_OTHER, false } },
	{ "a_system_call_below_a_softirq_tells_nothing",
	  { "fn" },
	  LO,
	  LEVEL_SOFTIRQ,
	  SYS_sendto,
	  { PURPOSE_OUTPUT, CAUSE_OTHER, false } },
	{ "an_input_interface_means_received",
	  { "fn" },
	  3,
	  LEVEL_TASK,
	  SYS_sendto,
	  { PURPOSE_INPUT, CAUSE_RECEIVE, false } },
	{ "no_input_interface_is_an_address_check",
	  { "fn" },
	  0,
	  LEVEL_TASK,
	  SYS_bind,
	  { PURPOSE_OTHER, CAUSE_OTHER, true } },
	{ "an_address_check_is_no_output_whoever_asks",
	  { OUT, "udp_sendmsg" },
	  0,
	  LEVEL_TASK,
	  SYS_sendto,
	  { PURPOSE_OTHER, CAUSE_SEND, true } },
	{ "no_stack_at_all", { NULL }, LO, LEVEL_TASK, -1, { PURPOSE_OUTPUT, CAUSE_OTHER, false } },
};

static const char *names[NAMES_MAX];
static size_t name_count;

static size_t place_of(const char *function)
{
	for (size_t i = 0; i < name_count; i++) {
		if (!strcmp(names[i], function))
			return i;
	}
	return name_count; /* the function that tells nothing */
}

static uint64_t address_in(const char *function)
{
	return FIRST + place_of(function) * APART + 8;
}

static struct symbols *make_symbols(void)
{
	char path[] = KALLSYMS_PATH;
	struct text text = { 0 };
	struct symbols *symbols;

	for (size_t i = 0; i <= name_count; i++)
		text_printf(&text, "%llx t %s%s\n", (unsigned long long)(FIRST + i * APART),
			    i < name_count ? names[i] : "fn", i % 3 ? "" : ".constprop.0");
	assert_int_equal(kallsyms_write(path, text_string(&text)), 0);
	text_free(&text);
	symbols = symbols_read(path, names, name_count);
	unlink(path);
	assert_non_null(symbols);
	return symbols;
}

static struct begin_event begin_of(const struct row *row)
{
	return (struct begin_event){
		.key = { .family = FLOW_AF_INET, .iif = row->iif },
		.context = { .level = row->level, .syscall = row->syscall },
	};
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct begin_event begin = begin_of(row);
	struct symbols *symbols = make_symbols();
	__u64 addresses[FRAMES_MAX];
	struct origin origin;
	size_t count = 0;

	for (; count < FRAMES_MAX && row->frames[count]; count++)
		addresses[count] = address_in(row->frames[count]);
	origin = stack_origin(symbols, addresses, count, &begin);
	symbols_free(symbols);
	assert_string_equal(purpose_name(origin.purpose), purpose_name(row->want.purpose));
	assert_string_equal(cause_name(origin.cause), cause_name(row->want.cause));
	assert_int_equal(origin.may_be_direct, row->want.may_be_direct);
}

static void without_symbols_the_stack_tells_nothing(void **state)
{
	static const __u64 addresses[] = { FIRST + 8, FIRST + APART + 8 };
	struct row row = { .iif = LO, .syscall = SYS_connect };
	struct begin_event begin = begin_of(&row);
	struct origin origin = stack_origin(NULL, addresses, ARRAY_SIZE(addresses), &begin);

	(void)state;
	assert_int_equal(origin.purpose, PURPOSE_OUTPUT);
	assert_int_equal(origin.cause, CAUSE_CONNECT);
	assert_false(origin.may_be_direct);
}

static void markers_are_named_once(void **state)
{
	(void)state;
	assert_in_range(name_count, 1, NAMES_MAX - 1);
	for (size_t i = 0; i < name_count; i++)
		assert_int_equal(place_of(names[i]), i);
	assert_null(stack_marker(name_count));
	assert_null(stack_marker(SIZE_MAX));
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 2] = {
		cmocka_unit_test(without_symbols_the_stack_tells_nothing),
		cmocka_unit_test(markers_are_named_once),
	};

	while (name_count < NAMES_MAX && stack_marker(name_count)) {
		names[name_count] = stack_marker(name_count);
		name_count++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		tests[i + 2] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = check_row,
			.initial_state = (void *)&rows[i],
		};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
