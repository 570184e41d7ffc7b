// SPDX-License-Identifier: GPL-2.0-only
/* What JSON says of a flow and of a verdict, wherever it says it. */
#include "render/json_lookup.h"

#include "render/words.h"

void json_begin_line(struct json_line *line, struct text *out, const char *type,
		     const struct render_options *options)
{
	json_begin(&line->writer, out);
	line->options = options;
	json_open_object(&line->writer, NULL);
	json_add_string(&line->writer, "type", type);
}

void json_end_line(struct json_line *line)
{
	json_close_object(&line->writer);
	text_add_char(line->writer.out, '\n');
}

void json_add_unsigned_or_null(struct json_writer *writer, const char *key, uint64_t value)
{
	if (value)
		json_add_unsigned(writer, key, value);
	else
		json_add_null(writer, key);
}

const char *json_family(uint8_t family)
{
	return family == FLOW_AF_INET6 ? "inet6" : "inet";
}

void json_add_address(struct json_writer *writer, const char *key, uint8_t family,
		      const uint8_t *address)
{
	json_open_string(writer, key);
	text_add_address(writer->out, family, address);
	json_close_string(writer);
}

void json_add_device(struct json_writer *writer, const char *key, const char name[static IFNAMSIZ],
		     uint32_t index)
{
	if (!name[0] && !index) {
		json_add_null(writer, key);
		return;
	}
	json_open_string(writer, key);
	words_add_device(writer->out, name, index);
	json_close_string(writer);
}

void json_add_table(struct json_line *line, uint32_t table)
{
	if (!table) {
		json_add_null(&line->writer, "table");
		json_add_null(&line->writer, "table_id");
		return;
	}
	json_open_string(&line->writer, "table");
	words_add_table(line->writer.out, line->options->names, table);
	json_close_string(&line->writer);
	json_add_unsigned(&line->writer, "table_id", table);
}

static void add_protocol(struct json_writer *writer, uint8_t protocol)
{
	if (!protocol) {
		json_add_null(writer, "protocol");
		return;
	}
	json_open_string(writer, "protocol");
	words_add_protocol(writer->out, protocol);
	json_close_string(writer);
}

void json_add_number_if(struct json_writer *writer, const char *key, bool holds, uint32_t value)
{
	if (holds)
		json_add_unsigned(writer, key, value);
	else
		json_add_null(writer, key);
}

static void add_ports(struct json_writer *writer, const struct flow_key *key)
{
	bool ports = protocol_has_ports(key->protocol);
	bool icmp = words_is_icmp(key);

	json_add_number_if(writer, "sport", ports, key->sport);
	json_add_number_if(writer, "dport", ports, key->dport);
	json_add_number_if(writer, "icmp_type", icmp, key->dport >> 8);
	json_add_number_if(writer, "icmp_code", icmp, key->dport & 0xff);
}

static void add_mark_owner(struct json_writer *writer, const struct owner_mark *mark)
{
	if (!mark) {
		json_add_null(writer, "fwmark_owner");
		return;
	}
	json_open_object(writer, "fwmark_owner");
	json_add_string(writer, "owner", owner_name(mark->owner));
	json_add_string(writer, "meaning", mark->meaning);
	json_close_object(writer);
}

void json_add_flow(struct json_line *line, const struct lookup *lookup)
{
	const struct flow_key *key = &lookup->key;
	struct json_writer *writer = &line->writer;

	json_open_object(writer, "flow");
	json_add_address(writer, "src", key->family, key->src);
	json_add_address(writer, "dst", key->family, key->dst);
	json_add_device(writer, "iif", lookup->iif, key->iif);
	json_add_device(writer, "oif", lookup->oif, key->oif);
	json_add_hex(writer, "fwmark", key->mark);
	add_mark_owner(writer, owners_mark(line->options->owners, key->mark));
	json_add_hex(writer, "tos", key->tos);
	add_protocol(writer, key->protocol);
	add_ports(writer, key);
	json_add_number_if(writer, "uid", key->uid != FLOW_UID_INVALID, key->uid);
	json_add_unsigned_or_null(writer, "tun_id", key->tun_id);
	json_add_unsigned_or_null(writer, "l3mdev", key->l3mdev);
	if (key->flowlabel)
		json_add_hex(writer, "flowlabel", key->flowlabel);
	else
		json_add_null(writer, "flowlabel");
	json_close_object(writer);
}

void json_add_prefix(struct json_writer *writer, const char *key, uint8_t family,
		     const struct lookup_route *route)
{
	json_open_string(writer, key);
	text_add_prefix(writer->out, family, route->dst, (unsigned int)route->prefix_length);
	json_close_string(writer);
}

static void add_error(struct json_writer *writer, int error)
{
	if (!error) {
		json_add_null(writer, "error");
		return;
	}
	json_open_string(writer, "error");
	words_add_error(writer->out, error);
	json_close_string(writer);
}

static void add_verdict_prefix(struct json_writer *writer, const struct lookup *lookup)
{
	const struct lookup_verdict *verdict = &lookup->verdict;

	if (!words_has_prefix(&verdict->route)) {
		json_add_null(writer, "dst");
		json_add_null(writer, "prefixlen");
		return;
	}
	json_add_prefix(writer, "dst", lookup->key.family, &verdict->route);
	json_add_unsigned(writer, "prefixlen", (uint64_t)verdict->route.prefix_length);
}

static void add_verdict_route(struct json_writer *writer, const struct lookup *lookup)
{
	const struct lookup_route *route = &lookup->verdict.route;

	json_open_string(writer, "type");
	words_add_route_type(writer->out, words_verdict_type(lookup));
	json_close_string(writer);
	add_verdict_prefix(writer, lookup);
	if (route->gateway_family)
		json_add_address(writer, "gateway", route->gateway_family, route->gateway);
	else
		json_add_null(writer, "gateway");
	json_add_device(writer, "dev", route->dev, route->dev_index);
	if (route->has_prefsrc)
		json_add_address(writer, "prefsrc", lookup->key.family, route->prefsrc);
	else
		json_add_null(writer, "prefsrc");
	if (route->exception)
		json_add_true(writer, "exception");
	json_add_unsigned_or_null(writer, "nexthops", route->nexthops);
	json_add_unsigned_or_null(writer, "nexthop", route->nexthop);
	json_add_unsigned_or_null(writer, "weight", route->weight);
}

void json_add_verdict(struct json_line *line, const char *key, const struct lookup *lookup)
{
	const struct lookup_verdict *verdict = &lookup->verdict;
	struct json_writer *writer = &line->writer;

	json_open_object(writer, key);
	add_error(writer, verdict->error);
	json_add_string(writer, "decided_by", decided_by_name(verdict->decided_by));
	json_add_number_if(writer, "priority", verdict->has_priority, verdict->priority);
	json_add_table(line, verdict->table);
	add_verdict_route(writer, lookup);
	json_close_object(writer);
}
