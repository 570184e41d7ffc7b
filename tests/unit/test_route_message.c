// SPDX-License-Identifier: GPL-2.0-only
/* What route and nexthop messages become in the model, and that no message breaks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "message.h"
#include "netlink/nexthop_message.h"
#include "netlink/route_message.h"
#include "util/array.h"
#include "util/text.h"

#define ATTRIBUTES_MAX 8

#define GATEWAY "\300\0\2\1" /* 192.0.2.1 */
#define VIA_IPV6 "\12\0\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1"

/* Of RTA_MULTIPATH: length, flags, hops, ifindex, then an RTA_GATEWAY. */
#define HOP(flags, hops, ifindex, gateway)                                                         \
	"\x10\0" flags hops ifindex "\0\0\0"                                                       \
	"\x8\0\5\0" gateway
#define HOP_WITHOUT_GATEWAY "\x8\0\0\0\7\0\0\0"

static struct nlmsghdr *route_message(const struct rtmsg *header,
				      const struct message_attribute *attributes)
{
	return message_new(RTM_NEWROUTE, header, sizeof(*header), attributes);
}

static struct route *parse(const struct rtmsg *header, const struct message_attribute *attributes)
{
	struct nlmsghdr *message = route_message(header, attributes);
	struct nlmsghdr *exact = message_cut(message, message->nlmsg_len);
	struct route *route = route_message_parse(exact);
	int error = errno;

	free(exact);
	free(message);
	errno = error;
	return route;
}

static void print_nexthop(struct text *text, const struct nexthop *nexthop)
{
	text_add(text, nexthop->gateway_family ? ", " : ",");
	if (nexthop->gateway_family)
		text_add_address(text, nexthop->gateway_family, nexthop->gateway);
	text_printf(text, " dev %u flags %u weight %u", nexthop->dev, nexthop->flags,
		    nexthop->weight);
}

static void print_route(struct text *text, const struct route *route)
{
	text_add_prefix(text, route->family, route->dst, route->dst_length);
	if (route->src_length) {
		text_add(text, " from ");
		text_add_prefix(text, route->family, route->src, route->src_length);
	}
	text_printf(text, " table %u metric %u type %u tos %u", route->table, route->metric,
		    route->type, route->tos);
	if (route->router_preference)
		text_printf(text, " pref %u", route->router_preference);
	if (route->prefsrc_family) {
		text_add(text, " src ");
		text_add_address(text, route->prefsrc_family, route->prefsrc);
	}
	if (route->nexthop_id)
		text_printf(text, " nhid %u", route->nexthop_id);
	for (uint32_t i = 0; i < route->nexthop_count; i++)
		print_nexthop(text, &route->nexthops[i]);
}

static void assert_route_is(const struct route *route, const char *want)
{
	struct text text = { 0 };

	assert_non_null(route);
	print_route(&text, route);
	assert_string_equal(text_string(&text), want);
	text_free(&text);
}

/* A route as it is sent, and what is kept of it. */
static const struct row {
	const char *want;
	struct rtmsg header;
	struct message_attribute attributes[ATTRIBUTES_MAX];
} rows[] = {
	{ "default table 254 metric 0 type 1 tos 0, 192.0.2.1 dev 3 flags 0 weight 1",
	  { .rtm_family = AF_INET, .rtm_table = 254, .rtm_type = RTN_UNICAST },
	  { U32(RTA_TABLE, 254), BYTES(RTA_GATEWAY, GATEWAY), U32(RTA_OIF, 3) } },
	{ "10.0.0.0/8 table 51820 metric 50 type 1 tos 16 src 192.0.2.2, dev 3 flags 17 weight 1",
	  { .rtm_family = AF_INET,
	    .rtm_dst_len = 8,
	    .rtm_tos = 16,
	    .rtm_table = RT_TABLE_COMPAT,
	    .rtm_type = RTN_UNICAST,
	    .rtm_flags = RTNH_F_DEAD | RTNH_F_LINKDOWN | RTM_F_OFFLOAD },
	  { U32(RTA_TABLE, 51820), BYTES(RTA_DST, "\12\0\0\0"), U32(RTA_PRIORITY, 50),
	    BYTES(RTA_PREFSRC, "\300\0\2\2"), U32(RTA_OIF, 3) } },
	{ "10.1.0.0/16 table 7 metric 0 type 1 tos 0, 192.0.2.1 dev 2 flags 0 weight 3, "
	  "192.0.2.9 dev 5 flags 1 weight 256, dev 7 flags 0 weight 1",
	  { .rtm_family = AF_INET, .rtm_dst_len = 16, .rtm_table = 7, .rtm_type = RTN_UNICAST },
	  { BYTES(RTA_DST, "\12\1\0\0"),
	    BYTES(RTA_MULTIPATH,
		  HOP("\0", "\2", "\2", GATEWAY) HOP("\1", "\xff", "\5", "\300\0\2\x9")
			  HOP_WITHOUT_GATEWAY) } },
	{ "default table 254 metric 0 type 1 tos 0, fe80::1 dev 3 flags 0 weight 1",
	  { .rtm_family = AF_INET, .rtm_table = 254, .rtm_type = RTN_UNICAST },
	  { BYTES(RTA_VIA, VIA_IPV6), U32(RTA_OIF, 3) } },
	{ "10.9.9.9 table 254 metric 0 type 7 tos 0",
	  { .rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_table = 254, .rtm_type = 7 },
	  { BYTES(RTA_DST, "\12\x9\x9\x9") } },
	{ "default table 254 metric 0 type 1 tos 0 nhid 12",
	  { .rtm_family = AF_INET, .rtm_table = 254, .rtm_type = RTN_UNICAST },
	  { U32(RTA_NH_ID, 12) } },
	{ "2001:db8::/32 table 254 metric 1024 type 1 tos 0, dev 3 flags 0 weight 1",
	  { .rtm_family = AF_INET6, .rtm_dst_len = 32, .rtm_table = 254, .rtm_type = 1 },
	  { BYTES(RTA_DST, "\x20\1\15\xb8\0\0\0\0\0\0\0\0\0\0\0\0"), U32(RTA_PRIORITY, 1024),
	    U32(RTA_OIF, 3), BYTES(RTA_CACHEINFO, "what nobody needs") } },
	{ "2001:db8::/32 from fd00::/8 table 254 metric 0 type 1 tos 0 pref 1, dev 3 flags 0 "
	  "weight 1",
	  { .rtm_family = AF_INET6,
	    .rtm_dst_len = 32,
	    .rtm_src_len = 8,
	    .rtm_table = 254,
	    .rtm_type = 1 },
	  { BYTES(RTA_DST, "\x20\1\15\xb8\0\0\0\0\0\0\0\0\0\0\0\0"),
	    BYTES(RTA_SRC, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), BYTES(RTA_PREF, "\1"),
	    U32(RTA_OIF, 3) } },
};

static void a_route_is_read_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct route *route = parse(&rows[i].header, rows[i].attributes);

		assert_route_is(route, rows[i].want);
		free(route);
	}
}

/* What is refused, and with which errno. */
static const struct refused {
	const char *name;
	int error;
	struct rtmsg header;
	struct message_attribute attributes[2];
} refused[] = {
	{ "cached", ENOMSG, { .rtm_family = AF_INET, .rtm_flags = RTM_F_CLONED }, { { 0 } } },
	{ "multicast routing", ENOMSG, { .rtm_family = RTNL_FAMILY_IPMR }, { { 0 } } },
	{ "prefix of 33 bits", EBADMSG, { .rtm_family = AF_INET, .rtm_dst_len = 33 }, { { 0 } } },
	{ "table of 1 byte", EBADMSG, { .rtm_family = AF_INET }, { BYTES(RTA_TABLE, "\1") } },
	{ "IPv6 destination",
	  EBADMSG,
	  { .rtm_family = AF_INET },
	  { BYTES(RTA_DST, "0123456789abcdef") } },
	{ "gateway of 5 bytes",
	  EBADMSG,
	  { .rtm_family = AF_INET },
	  { BYTES(RTA_GATEWAY, "12345") } },
	{ "via of no family", EBADMSG, { .rtm_family = AF_INET }, { BYTES(RTA_VIA, "\1\0abcd") } },
	{ "via of 4 bytes for IPv6",
	  EBADMSG,
	  { .rtm_family = AF_INET },
	  { BYTES(RTA_VIA, "\12\0abcd") } },
	{ "nexthop of 7 bytes",
	  EBADMSG,
	  { .rtm_family = AF_INET },
	  { BYTES(RTA_MULTIPATH, "\7\0\0\0\1\0\0\0") } },
	{ "nexthop beyond the attribute",
	  EBADMSG,
	  { .rtm_family = AF_INET },
	  { BYTES(RTA_MULTIPATH, "\x10\0\0\0\1\0\0\0") } },
	{ "gateway beyond its nexthop",
	  EBADMSG,
	  { .rtm_family = AF_INET },
	  { BYTES(RTA_MULTIPATH, "\xc\0\0\0\1\0\0\0\x8\0\5\0\300\0\2\1") } },
	{ "nexthop of no length",
	  EBADMSG,
	  { .rtm_family = AF_INET },
	  { BYTES(RTA_MULTIPATH, "\0\0\0\0\0\0\0\0") } },
};

static void what_is_no_route_of_a_table_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if (parse(&refused[i].header, refused[i].attributes))
			fail_msg("taken: %s", refused[i].name);
		assert_int_equal(errno, refused[i].error);
	}
}

static void the_table_of_a_malformed_route_is_known(void **state)
{
	const struct rtmsg header = { .rtm_family = AF_INET, .rtm_table = RT_TABLE_COMPAT };
	const struct message_attribute attributes[] = {
		BYTES(RTA_DST, "?"),
		U32(RTA_TABLE, 51820),
		{ 0 },
	};
	struct nlmsghdr *message = route_message(&header, attributes);

	(void)state;
	assert_null(route_message_parse(message));
	assert_int_equal(route_message_table(message), 51820);
	message->nlmsg_len = sizeof(*message) + sizeof(header);
	assert_int_equal(route_message_table(message), RT_TABLE_COMPAT);
	message->nlmsg_len--;
	assert_int_equal(route_message_table(message), 0);
	free(message);
}

static void every_cut_of_a_message_is_survived(void **state)
{
	size_t header = NLMSG_HDRLEN + sizeof(struct rtmsg);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nlmsghdr *message = route_message(&rows[i].header, rows[i].attributes);

		for (size_t length = sizeof(*message); length < message->nlmsg_len; length++) {
			struct nlmsghdr *cut = message_cut(message, length);
			struct route *route = route_message_parse(cut);

			assert_true(length >= header || (!route && errno == EBADMSG));
			free(route);
			free(cut);
		}
		free(message);
	}
}

/* The attribute stays whole while what lies in it is cut. */
static void every_cut_of_a_multipath_is_survived(void **state)
{
	static const char whole[] = HOP("\0", "\2", "\2", GATEWAY) HOP("\0", "\0", "\5", GATEWAY);
	const struct rtmsg header = { .rtm_family = AF_INET };

	(void)state;
	for (uint16_t length = 0; length < sizeof(whole); length++) {
		const struct message_attribute attributes[] = {
			{ RTA_MULTIPATH, length, whole },
			{ 0 },
		};
		struct route *route = parse(&header, attributes);

		assert_int_equal(route != NULL, length % 16 == 0);
		free(route);
	}
}

static void add_nexthop(struct nexthop_objects *objects, const struct nhmsg *header,
			const struct message_attribute *attributes)
{
	struct nlmsghdr *message = message_new(RTM_NEWNEXTHOP, header, sizeof(*header), attributes);

	for (size_t length = sizeof(*message); length < message->nlmsg_len; length++) {
		struct nexthop_objects cut_objects = { 0 };
		struct nlmsghdr *cut = message_cut(message, length);

		nexthop_objects_add(&cut_objects, cut);
		nexthop_objects_clear(&cut_objects);
		free(cut);
	}
	assert_int_equal(nexthop_objects_add(objects, message), 0);
	free(message);
}

static void add_nexthops(struct nexthop_objects *objects)
{
	const struct nhmsg ipv4 = { .nh_family = AF_INET };
	const struct nhmsg ipv6 = { .nh_family = AF_INET6, .nh_flags = RTNH_F_LINKDOWN };
	const struct nhmsg group = { 0 };

	add_nexthop(objects, &ipv4,
		    (const struct message_attribute[]){
			    U32(NHA_ID, 1), U32(NHA_OIF, 3), BYTES(NHA_GATEWAY, GATEWAY), { 0 } });
	add_nexthop(objects, &ipv6,
		    (const struct message_attribute[]){
			    U32(NHA_ID, 2),
			    U32(NHA_OIF, 4),
			    BYTES(NHA_GATEWAY, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
			    { 0 } });
	add_nexthop(objects, &group,
		    (const struct message_attribute[]){
			    U32(NHA_ID, 3),
			    BYTES(NHA_GROUP, "\1\0\0\0\4\0\0\0\2\0\0\0\0\1\0\0"),
			    { 0 } });
	add_nexthop(objects, &ipv4,
		    (const struct message_attribute[]){
			    U32(NHA_ID, 4), BYTES(NHA_BLACKHOLE, ""), { 0 } });
	add_nexthop(objects, &group,
		    (const struct message_attribute[]){
			    U32(NHA_ID, 5), BYTES(NHA_GROUP, "\x63\0\0\0\0\0\0\0"), { 0 } });
}

/* By nexthop object: what a route by its id is, NULL when that cannot be told. */
static const char *const expanded[] = {
	[1] = "default table 254 metric 0 type 1 tos 0 nhid 1, "
	      "192.0.2.1 dev 3 flags 0 weight 1",
	[2] = "default table 254 metric 0 type 1 tos 0 nhid 2, fe80::1 dev 4 flags 16 weight 1",
	[3] = "default table 254 metric 0 type 1 tos 0 nhid 3, "
	      "192.0.2.1 dev 3 flags 0 weight 5, fe80::1 dev 4 flags 16 weight 257",
	[4] = "default table 254 metric 0 type 1 tos 0 nhid 4",
	[5] = NULL, /* a group with a member that is not known */
	[6] = NULL,
};

static void a_nexthop_id_stands_for_its_nexthops(void **state)
{
	struct nexthop_objects objects = { 0 };

	(void)state;
	add_nexthops(&objects);
	for (uint32_t id = 1; id < ARRAY_SIZE(expanded); id++) {
		const struct rtmsg header = {
			.rtm_family = AF_INET,
			.rtm_table = 254,
			.rtm_type = RTN_UNICAST,
		};
		const struct message_attribute attributes[] = { U32(RTA_NH_ID, id), { 0 } };
		struct route *route = parse(&header, attributes);
		struct route *whole = nexthop_objects_expand(&objects, route);

		if (expanded[id])
			assert_route_is(whole, expanded[id]);
		else
			assert_true(!whole && errno == ENOENT);
		free(whole);
		free(route);
	}
	nexthop_objects_clear(&objects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_is_read_whole),
		cmocka_unit_test(what_is_no_route_of_a_table_is_refused),
		cmocka_unit_test(the_table_of_a_malformed_route_is_known),
		cmocka_unit_test(every_cut_of_a_message_is_survived),
		cmocka_unit_test(every_cut_of_a_multipath_is_survived),
		cmocka_unit_test(a_nexthop_id_stands_for_its_nexthops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
