// SPDX-License-Identifier: GPL-2.0-only
/* The source address selection of IPv6, by a table of the rules that score an address. */
#include "rules/source6.h"

#include <string.h>
#include <sys/socket.h>

#include "util/array.h"

#define SCOPE_LINK 0x2
#define SCOPE_SITE 0x5
#define SCOPE_GLOBAL 0xe
#define MULTICAST_SCOPE_MASK 0x0f

struct question {
	const struct addresses *addresses;
	const struct links *links;
	const uint8_t *dst;
	uint32_t ifindex;
	int scope; /* of dst */
	int label;
};

struct prefix6 {
	uint8_t address[16];
	uint8_t length;
};

static bool prefix6_holds(const struct prefix6 *prefix, const uint8_t *address)
{
	unsigned int bytes = prefix->length / 8;
	unsigned int bits = prefix->length % 8;

	if (memcmp(prefix->address, address, bytes))
		return false;
	return !bits || !((prefix->address[bytes] ^ address[bytes]) >> (8 - bits));
}

static const struct prefix6 loopback = { { [15] = 1 }, 128 };
static const struct prefix6 mapped = { { [10] = 0xff, 0xff }, 96 };
static const struct prefix6 compatible = { { 0 }, 96 };
static const struct prefix6 multicast = { { 0xff }, 8 };
static const struct prefix6 link_local = { { 0xfe, 0x80 }, 10 };
static const struct prefix6 site_local = { { 0xfe, 0xc0 }, 10 };
static const struct prefix6 orchid = { { 0x20, 0x01, 0x00, 0x10 }, 28 };

/* ip6addrlbl_init_table[], the longest prefixes first. */
static const struct {
	struct prefix6 prefix;
	int label;
} labels[] = {
	{ { { [15] = 1 }, 128 }, 0 },
	{ { { 0 }, 96 }, 3 },
	{ { { [10] = 0xff, 0xff }, 96 }, 4 },
	{ { { 0x20, 0x01 }, 32 }, 6 },
	{ { { 0x20, 0x01, 0x00, 0x10 }, 28 }, 7 },
	{ { { 0x3f, 0xfe }, 16 }, 12 },
	{ { { 0x20, 0x02 }, 16 }, 2 },
	{ { { 0xfe, 0xc0 }, 10 }, 11 },
	{ { { 0xfc }, 7 }, 5 },
	{ { { 0 }, 0 }, 1 },
};

static int label_of(const uint8_t *address)
{
	size_t i = 0;

	while (!prefix6_holds(&labels[i].prefix, address))
		i++;
	return labels[i].label;
}

/* __ipv6_addr_src_scope(). */
static int scope_of(const uint8_t *address)
{
	if (prefix6_holds(&multicast, address))
		return address[1] & MULTICAST_SCOPE_MASK;
	if (prefix6_holds(&link_local, address) || prefix6_holds(&loopback, address))
		return SCOPE_LINK;
	return prefix6_holds(&site_local, address) ? SCOPE_SITE : SCOPE_GLOBAL;
}

static int score_same(const struct address *address, const struct question *question)
{
	return !memcmp(address->local, question->dst, sizeof(address->local));
}

/* The smallest scope that is wide enough for the destination, else the widest. */
static int score_scope(const struct address *address, const struct question *question)
{
	int scope = scope_of(address->local);

	return scope >= question->scope ? -scope : scope - 128;
}

static int score_preferred(const struct address *address, const struct question *question)
{
	(void)question;
	if (prefix6_holds(&mapped, address->local) || prefix6_holds(&compatible, address->local))
		return 1;
	return !(address->states & (ADDRESS_DEPRECATED | ADDRESS_OPTIMISTIC));
}

static int score_device(const struct address *address, const struct question *question)
{
	return !question->ifindex || question->ifindex == address->ifindex;
}

static int score_label(const struct address *address, const struct question *question)
{
	return label_of(address->local) == question->label;
}

static int score_privacy(const struct address *address, const struct question *question)
{
	const struct link *link = links_find(question->links, address->ifindex);
	bool prefers_temporary = link && link->prefers_temporary;

	return !!(address->states & ADDRESS_TEMPORARY) == prefers_temporary;
}

static int score_orchid(const struct address *address, const struct question *question)
{
	return prefix6_holds(&orchid, address->local) == prefix6_holds(&orchid, question->dst);
}

static int common_bits(const uint8_t *a, const uint8_t *b)
{
	int bits = 0;

	while (bits < 128 && !((a[bits / 8] ^ b[bits / 8]) & 0x80 >> bits % 8))
		bits++;
	return bits;
}

static int score_prefix(const struct address *address, const struct question *question)
{
	int bits = common_bits(address->local, question->dst);

	return bits < address->length ? bits : address->length;
}

static int score_not_optimistic(const struct address *address, const struct question *question)
{
	(void)question;
	return !(address->states & ADDRESS_OPTIMISTIC);
}

/* enum IPV6_SADDR_RULE_…; the first that tells two addresses apart decides. */
static int (*const scores[])(const struct address *address, const struct question *question) = {
	score_same,    score_scope,  score_preferred, score_device,	    score_label,
	score_privacy, score_orchid, score_prefix,    score_not_optimistic,
};

static bool is_better(const struct address *address, const struct address *best,
		      const struct question *question)
{
	for (size_t i = 0; best && i < ARRAY_SIZE(scores); i++) {
		int difference = scores[i](address, question) - scores[i](best, question);

		if (difference)
			return difference > 0;
	}
	return !best;
}

/* An address that may turn out to be another host's is none yet, unless that is not expected. */
static bool is_candidate(const struct address *address)
{
	return address->family == AF_INET6 && !prefix6_holds(&multicast, address->local) &&
	       (!(address->states & ADDRESS_TENTATIVE) || address->states & ADDRESS_OPTIMISTIC);
}

static const struct address *best_of(const struct question *question, const struct address *best,
				     bool (*fits)(const struct question *question,
						  uint32_t ifindex))
{
	const struct addresses *addresses = question->addresses;

	for (size_t i = 0; i < addresses->count; i++) {
		const struct address *address = &addresses->items[i];

		if (is_candidate(address) && fits(question, address->ifindex) &&
		    is_better(address, best, question))
			best = address;
	}
	return best;
}

static bool is_own_device(const struct question *question, uint32_t ifindex)
{
	return ifindex == question->ifindex;
}

static bool is_own_vrf(const struct question *question, uint32_t ifindex)
{
	return ifindex == links_l3_master(question->links, question->ifindex);
}

static bool is_in_same_vrf(const struct question *question, uint32_t ifindex)
{
	return links_l3_master(question->links, ifindex) ==
	       links_l3_master(question->links, question->ifindex);
}

/* Only the device's own: what is meant for the link, or where the device is set so. */
static bool device_alone(const struct question *question)
{
	const struct link *link = links_find(question->links, question->ifindex);

	return question->ifindex &&
	       (prefix6_holds(&multicast, question->dst) || question->scope <= SCOPE_LINK ||
		(link && link->own_sources_only));
}

const struct address *source6_select(const struct addresses *addresses, const struct links *links,
				     const uint8_t dst[static 16], uint32_t ifindex)
{
	const struct question question = {
		.addresses = addresses,
		.links = links,
		.dst = dst,
		.ifindex = ifindex,
		.scope = scope_of(dst),
		.label = label_of(dst),
	};
	const struct address *best = NULL;

	if (device_alone(&question))
		return best_of(&question, NULL, is_own_device);
	/* A device in a VRF has its own addresses and the VRF's, before those of its siblings. */
	if (links_l3_master(links, ifindex)) {
		best = best_of(&question, NULL, is_own_device);
		best = best_of(&question, best, is_own_vrf);
	}
	return best ? best : best_of(&question, NULL, is_in_same_vrf);
}
