/* SPDX-License-Identifier: GPL-2.0-only */
/* The recordings' text format: records as lines of KEY=VALUE, neutral values left out. */
#ifndef FIBTRACE_TESTS_REPLAY_FIELDS_H
#define FIBTRACE_TESTS_REPLAY_FIELDS_H

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/event.h"
#include "rules/policy.h"

enum field_kind {
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_U64,
	FIELD_S32,
	FIELD_ADDRESS, /* 16 bytes: IPv4 when all but the first four are zero */
	FIELD_STRING,
};

/* size: of a string with its end. */
struct field {
	const char *name;
	size_t offset;
	enum field_kind kind;
	size_t size;
};

static const size_t field_sizes[] = {
	[FIELD_U8] = 1,	 [FIELD_U16] = 2, [FIELD_U32] = 4,
	[FIELD_U64] = 8, [FIELD_S32] = 4, [FIELD_ADDRESS] = 16,
};

#define FIELD(type, member, kind)                                                                  \
	{                                                                                          \
#member, offsetof(struct type, member), FIELD_##kind, 0                            \
	}
#define STRING(type, member)                                                                       \
	{                                                                                          \
#member, offsetof(struct type, member), FIELD_STRING,                              \
			sizeof(((struct type *)0)->member)                                         \
	}

static const struct field link_fields[] = {
	FIELD(link, index, U32),
	STRING(link, name),
	FIELD(link, group, U32),
	FIELD(link, l3mdev_table, U32),
	FIELD(link, master, U32),
	FIELD(link, flags, U32),
	{ 0 },
};

static const struct field address_fields[] = {
	FIELD(address, ifindex, U32), FIELD(address, local, ADDRESS), FIELD(address, length, U8),
	FIELD(address, scope, U8),    FIELD(address, secondary, U8),  { 0 },
};

static const struct field rule_fields[] = {
	FIELD(rule, priority, U32),
	FIELD(rule, action, U8),
	FIELD(rule, table, U32),
	FIELD(rule, target, U32),
	FIELD(rule, protocol, U8),
	FIELD(rule, invert, U8),
	FIELD(rule, src.address, ADDRESS),
	FIELD(rule, src.length, U8),
	FIELD(rule, dst.address, ADDRESS),
	FIELD(rule, dst.length, U8),
	STRING(rule, iif),
	STRING(rule, oif),
	FIELD(rule, mark, U32),
	FIELD(rule, mark_mask, U32),
	FIELD(rule, l3mdev, U8),
	FIELD(rule, has_uids, U8),
	FIELD(rule, uid_first, U32),
	FIELD(rule, uid_last, U32),
	FIELD(rule, tos, U8),
	FIELD(rule, ip_proto, U8),
	FIELD(rule, has_sport, U8),
	FIELD(rule, sport.first, U16),
	FIELD(rule, sport.last, U16),
	FIELD(rule, has_dport, U8),
	FIELD(rule, dport.first, U16),
	FIELD(rule, dport.last, U16),
	FIELD(rule, suppress_prefixlength, S32),
	FIELD(rule, suppress_ifgroup, S32),
	{ 0 },
};

static const struct field route_fields[] = {
	FIELD(route, table, U32),
	FIELD(route, dst, ADDRESS),
	FIELD(route, dst_length, U8),
	FIELD(route, type, U8),
	FIELD(route, scope, U8),
	FIELD(route, protocol, U8),
	FIELD(route, metric, U32),
	FIELD(route, tos, U8),
	FIELD(route, prefsrc, ADDRESS),
	FIELD(route, prefsrc_family, U8),
	{ 0 },
};

static const struct field nexthop_fields[] = {
	FIELD(nexthop, dev, U32),	  FIELD(nexthop, gateway_family, U8),
	FIELD(nexthop, gateway, ADDRESS), FIELD(nexthop, flags, U8),
	FIELD(nexthop, weight, U16),	  { 0 },
};

#define HEADER_FIELDS(type)                                                                        \
	FIELD(type, header.time_ns, U64), FIELD(type, header.cpu, U16),                            \
		FIELD(type, header.seq, U32), FIELD(type, walk, U64)
#define ANSWER_FIELDS(type)                                                                        \
	FIELD(type, answer.table, U32), FIELD(type, answer.error, S32),                            \
		FIELD(type, answer.dev, U32), FIELD(type, answer.netns, U32),                      \
		FIELD(type, answer.gateway_family, U8), FIELD(type, answer.gateway, ADDRESS),      \
		FIELD(type, answer.route_type, U8), FIELD(type, answer.rules_seq, U32),            \
		FIELD(type, answer.routes_seq, U32), FIELD(type, answer.flags, U8)

static const struct field begin_fields[] = {
	HEADER_FIELDS(begin_event),
	FIELD(begin_event, previous, U64),
	FIELD(begin_event, flags, U16),
	FIELD(begin_event, key.family, U8),
	FIELD(begin_event, key.src, ADDRESS),
	FIELD(begin_event, key.dst, ADDRESS),
	FIELD(begin_event, key.protocol, U8),
	FIELD(begin_event, key.sport, U16),
	FIELD(begin_event, key.dport, U16),
	FIELD(begin_event, key.mark, U32),
	FIELD(begin_event, key.uid, U32),
	FIELD(begin_event, key.iif, U32),
	FIELD(begin_event, key.oif, U32),
	FIELD(begin_event, key.l3mdev, U32),
	FIELD(begin_event, key.tun_id, U64),
	FIELD(begin_event, key.tos, U8),
	FIELD(begin_event, key.scope, U8),
	FIELD(begin_event, key.flags, U8),
	FIELD(begin_event, context.pid, U32),
	FIELD(begin_event, context.tid, U32),
	FIELD(begin_event, context.uid, U32),
	STRING(begin_event, context.comm),
	FIELD(begin_event, context.netns, U32),
	FIELD(begin_event, context.netns_source, U8),
	FIELD(begin_event, context.level, U8),
	FIELD(begin_event, context.syscall, S32),
	FIELD(begin_event, context.instance, U64),
	FIELD(begin_event, held_count, U16),
	FIELD(begin_event, held[0], U32),
	FIELD(begin_event, held[1], U32),
	FIELD(begin_event, held[2], U32),
	FIELD(begin_event, held[3], U32),
	ANSWER_FIELDS(begin_event),
	{ 0 },
};

static const struct field table_fields[] = {
	HEADER_FIELDS(table_event),
	ANSWER_FIELDS(table_event),
	{ 0 },
};

static inline size_t field_size(const struct field *field)
{
	return field->kind == FIELD_STRING ? field->size : field_sizes[field->kind];
}

static inline void field_write_address(FILE *file, const uint8_t *address)
{
	static const uint8_t zero[12];
	char text[INET6_ADDRSTRLEN];
	int family = memcmp(address + 4, zero, sizeof(zero)) ? AF_INET6 : AF_INET;

	fputs(inet_ntop(family, address, text, sizeof(text)), file);
}

static inline void field_write(FILE *file, const struct field *field, const void *value)
{
	uint64_t number = 0;
	int32_t negative;

	fprintf(file, " %s=", field->name);
	if (field->kind == FIELD_STRING) {
		fprintf(file, "%.*s", (int)field->size, (const char *)value);
		return;
	}
	if (field->kind == FIELD_ADDRESS) {
		field_write_address(file, value);
		return;
	}
	memcpy(&negative, value, field->kind == FIELD_S32 ? sizeof(negative) : 0);
	memcpy(&number, value, field_sizes[field->kind]); /* little-endian machines only */
	if (field->kind == FIELD_S32)
		fprintf(file, "%" PRId32, negative);
	else
		fprintf(file, "%" PRIu64, number);
}

/* Writes the fields of record that differ from those of neutral. */
static inline void fields_write(FILE *file, const struct field *fields, const void *record,
				const void *neutral)
{
	for (; fields->name; fields++) {
		const char *value = (const char *)record + fields->offset;

		if (memcmp(value, (const char *)neutral + fields->offset, field_size(fields)))
			field_write(file, fields, value);
	}
}

static inline int field_read(const struct field *field, const char *text, void *value)
{
	uint64_t number;
	char *end;

	if (field->kind == FIELD_STRING) {
		if (strlen(text) >= field->size)
			return -EINVAL;
		strcpy(value, text);
		return 0;
	}
	if (field->kind == FIELD_ADDRESS)
		return inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, value) == 1
			       ? 0
			       : -EINVAL;
	errno = 0;
	number = *text == '-' ? (uint64_t)strtoll(text, &end, 10) : strtoull(text, &end, 10);
	if (errno || end == text || *end)
		return -EINVAL;
	memcpy(value, &number, field_sizes[field->kind]);
	return 0;
}

/* Reads one KEY=VALUE into record. 0, or -EINVAL when there is no such field. */
static inline int fields_read(const struct field *fields, char *word, void *record)
{
	char *value = strchr(word, '=');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	for (; fields->name; fields++) {
		if (!strcmp(fields->name, word))
			return field_read(fields, value, (char *)record + fields->offset);
	}
	return -EINVAL;
}

#endif
