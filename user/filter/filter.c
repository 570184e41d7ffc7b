// SPDX-License-Identifier: GPL-2.0-only
/* The filters of the command line, applied to flow keys and to explained lookups. */
#include "filter/filter.h"

#include <string.h>

#include "rules/names.h"

static bool prefix_holds(const struct prefix_filter *prefix, uint8_t family, const uint8_t *address)
{
	unsigned int count = family == FLOW_AF_INET ? 1 : 4;
	uint32_t words[4];

	if (prefix->family && prefix->family != family)
		return false;
	memcpy(words, address, sizeof(words));
	for (unsigned int i = 0; i < count; i++) {
		if ((words[i] & prefix->mask[i]) != prefix->address[i])
			return false;
	}
	return true;
}

static bool prefixes_hold(const struct prefix_filter *prefixes, uint32_t count,
			  const struct flow_key *key, const uint8_t *address)
{
	for (uint32_t i = 0; i < count; i++) {
		if (prefix_holds(&prefixes[i], key->family, address))
			return true;
	}
	return !count;
}

/* The flow key reads an ICMP type as a port too: ports are asked of port protocols only. */
static bool ports_hold(const struct port_filter *ports, uint32_t count, uint8_t protocol,
		       uint16_t port)
{
	if (!count)
		return true;
	if (!protocol_has_ports(protocol))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (port >= ports[i].first && port <= ports[i].last)
			return true;
	}
	return false;
}

static bool numbers_hold(const uint32_t *numbers, uint32_t count, uint32_t number)
{
	for (uint32_t i = 0; i < count; i++) {
		if (numbers[i] == number)
			return true;
	}
	return !count;
}

static bool names_hold(const char (*names)[IFNAMSIZ], uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!strcmp(names[i], name))
			return true;
	}
	return !count;
}

/* What a flow filter looks at. pid 0: not in a task's own context. */
struct flow_subject {
	const struct flow_key *key;
	uint32_t pid;
};

static uint32_t prefix_families(const struct prefix_filter *prefix)
{
	if (!prefix->family)
		return FILTER_FAMILIES;
	return prefix->family == FLOW_AF_INET ? FILTER_FAMILY_INET : FILTER_FAMILY_INET6;
}

static uint32_t allowed_families(const struct prefix_filter *prefixes, uint32_t count)
{
	uint32_t families = count ? 0 : FILTER_FAMILIES;

	for (uint32_t i = 0; i < count; i++)
		families |= prefix_families(&prefixes[i]);
	return families;
}

uint32_t flow_filter_flag_families(const struct flow_filter *filter)
{
	return filter->families ? filter->families : FILTER_FAMILIES;
}

uint32_t flow_filter_dst_families(const struct flow_filter *filter)
{
	return allowed_families(filter->dst, filter->dst_count);
}

uint32_t flow_filter_src_families(const struct flow_filter *filter)
{
	return allowed_families(filter->src, filter->src_count);
}

uint32_t flow_filter_families(const struct flow_filter *filter)
{
	return flow_filter_flag_families(filter) & flow_filter_dst_families(filter) &
	       flow_filter_src_families(filter);
}

static bool family_holds(const struct flow_filter *filter, const struct flow_subject *subject)
{
	bool inet6 = subject->key->family == FLOW_AF_INET6;

	return !filter->families ||
	       (filter->families & (inet6 ? FILTER_FAMILY_INET6 : FILTER_FAMILY_INET));
}

static bool dst_holds(const struct flow_filter *filter, const struct flow_subject *subject)
{
	return prefixes_hold(filter->dst, filter->dst_count, subject->key, subject->key->dst);
}

static bool src_holds(const struct flow_filter *filter, const struct flow_subject *subject)
{
	return prefixes_hold(filter->src, filter->src_count, subject->key, subject->key->src);
}

static bool protocol_holds(const struct flow_filter *filter, const struct flow_subject *subject)
{
	return !filter->protocol_count ||
	       memchr(filter->protocol, subject->key->protocol, filter->protocol_count);
}

static bool sport_holds(const struct flow_filter *filter, const struct flow_subject *subject)
{
	return ports_hold(filter->sport, filter->sport_count, subject->key->protocol,
			  subject->key->sport);
}

static bool dport_holds(const struct flow_filter *filter, const struct flow_subject *subject)
{
	return ports_hold(filter->dport, filter->dport_count, subject->key->protocol,
			  subject->key->dport);
}

static bool mark_holds(const struct flow_filter *filter, const struct flow_subject *subject)
{
	for (uint32_t i = 0; i < filter->mark_count; i++) {
		if ((subject->key->mark & filter->mark[i].mask) == filter->mark[i].value)
			return true;
	}
	return !filter->mark_count;
}

static bool uid_holds(const struct flow_filter *filter, const struct flow_subject *subject)
{
	return numbers_hold(filter->uid, filter->uid_count, subject->key->uid);
}

static bool pid_holds(const struct flow_filter *filter, const struct flow_subject *subject)
{
	return !filter->pid_count ||
	       (subject->pid && numbers_hold(filter->pid, filter->pid_count, subject->pid));
}

static bool iif_holds(const struct filter *filter, const struct filter_subject *subject)
{
	return names_hold(filter->iif, filter->iif_count, subject->iif);
}

static bool oif_holds(const struct filter *filter, const struct filter_subject *subject)
{
	return names_hold(filter->oif, filter->oif_count, subject->dev);
}

static bool table_holds(const struct filter *filter, const struct filter_subject *subject)
{
	return !filter->verdict.table_count ||
	       (subject->verdict.table &&
		numbers_hold(filter->verdict.table, filter->verdict.table_count,
			     subject->verdict.table));
}

static bool priority_holds(const struct filter *filter, const struct filter_subject *subject)
{
	return !filter->verdict.priority_count ||
	       (subject->verdict.has_priority &&
		numbers_hold(filter->verdict.priority, filter->verdict.priority_count,
			     subject->verdict.priority));
}

static bool failed_holds(const struct filter *filter, const struct filter_subject *subject)
{
	return !filter->verdict.failed || subject->verdict.failed;
}

static bool purpose_holds(const struct filter *filter, const struct filter_subject *subject)
{
	return !filter->verdict.purposes ||
	       (subject->purpose < 32 && (filter->verdict.purposes & (1u << subject->purpose)));
}

/* One of flow_holds and holds, the first for what struct flow_filter decides. */
struct filter_row {
	const char *option;
	bool (*flow_holds)(const struct flow_filter *filter, const struct flow_subject *subject);
	bool (*holds)(const struct filter *filter, const struct filter_subject *subject);
};

static const struct filter_row rows[FILTER_KIND_COUNT] = {
	[FILTER_NONE] = { .option = "" },
	[FILTER_FAMILY] = { .option = "-4/-6", .flow_holds = family_holds },
	[FILTER_DST] = { .option = "--dst", .flow_holds = dst_holds },
	[FILTER_SRC] = { .option = "--src", .flow_holds = src_holds },
	[FILTER_PROTOCOL] = { .option = "--proto", .flow_holds = protocol_holds },
	[FILTER_SPORT] = { .option = "--sport", .flow_holds = sport_holds },
	[FILTER_DPORT] = { .option = "--dport", .flow_holds = dport_holds },
	[FILTER_MARK] = { .option = "--mark", .flow_holds = mark_holds },
	[FILTER_UID] = { .option = "--uid", .flow_holds = uid_holds },
	[FILTER_PID] = { .option = "--pid", .flow_holds = pid_holds },
	[FILTER_IIF] = { .option = "--iif", .holds = iif_holds },
	[FILTER_OIF] = { .option = "--oif", .holds = oif_holds },
	[FILTER_TABLE] = { .option = "--table", .holds = table_holds },
	[FILTER_PRIORITY] = { .option = "--pref", .holds = priority_holds },
	[FILTER_FAILED] = { .option = "--failed", .holds = failed_holds },
	[FILTER_FINDINGS] = { .option = "--findings" },
	[FILTER_PURPOSE] = { .option = "--purpose", .holds = purpose_holds },
};

const char *filter_kind_option(enum filter_kind kind)
{
	return (unsigned int)kind < FILTER_KIND_COUNT ? rows[kind].option : "";
}

enum filter_kind flow_filter_rejects(const struct flow_filter *filter, const struct flow_key *key,
				     uint32_t pid)
{
	const struct flow_subject subject = { .key = key, .pid = pid };

	for (unsigned int kind = 0; kind < FILTER_KIND_COUNT; kind++) {
		if (rows[kind].flow_holds && !rows[kind].flow_holds(filter, &subject))
			return kind;
	}
	return FILTER_NONE;
}

enum filter_kind filter_rejects(const struct filter *filter, const struct filter_subject *subject)
{
	enum filter_kind kind = flow_filter_rejects(&filter->flow, subject->key, subject->pid);

	if (kind != FILTER_NONE)
		return kind;
	for (unsigned int i = 0; i < FILTER_KIND_COUNT; i++) {
		if (rows[i].holds && !rows[i].holds(filter, subject))
			return i;
	}
	return FILTER_NONE;
}

enum filter_kind filter_rejects_found(const struct filter *filter,
				      const struct filter_subject *subject, size_t findings)
{
	if (!filter->findings || findings || (filter->or_failed && subject->verdict.failed))
		return FILTER_NONE;
	return FILTER_FINDINGS;
}
