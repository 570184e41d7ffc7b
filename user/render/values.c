// SPDX-License-Identifier: GPL-2.0-only
/* The facts of a lookup one by one: what the line format and entries of the journal hold. */
#include "render/values.h"

#include <string.h>

#include "render/escape.h"
#include "render/words.h"

/* What a value is of, and where it goes. raw: names as they are, whatever bytes they hold. */
struct source {
	struct text *out;
	const struct lookup *lookup;
	const struct render_options *options;
	bool raw;
};

static void add_name(const struct source *source, const char *string, size_t length)
{
	if (source->raw)
		text_add_bytes(source->out, string, length);
	else if (length)
		escape_value(source->out, string, length, source->options->ascii);
}

static void add_device(const struct source *source, const char name[static IFNAMSIZ],
		       uint32_t index)
{
	if (name[0])
		add_name(source, name, strnlen(name, IFNAMSIZ));
	else
		words_add_device(source->out, name, index);
}

static void value_time(const struct source *source)
{
	if (source->raw)
		words_add_time_utc(source->out, source->lookup->time_ns);
	else
		words_add_time_line(source->out, source->lookup->time_ns, source->options->utc);
}

static void value_netns(const struct source *source)
{
	if (source->lookup->netns_name && source->lookup->netns_name[0])
		add_name(source, source->lookup->netns_name, strlen(source->lookup->netns_name));
	else if (source->lookup->netns)
		text_add_unsigned(source->out, source->lookup->netns);
}

static void value_purpose(const struct source *source)
{
	text_add(source->out, purpose_name(source->lookup->purpose));
}

static void value_cause(const struct source *source)
{
	text_add(source->out, cause_name(source->lookup->cause));
}

static void value_comm(const struct source *source)
{
	const char *comm = source->lookup->context.comm;

	if (source->lookup->context.level == LEVEL_TASK)
		add_name(source, comm, strnlen(comm, EVENT_COMM_LEN));
}

static void value_pid(const struct source *source)
{
	if (source->lookup->context.level == LEVEL_TASK)
		text_add_unsigned(source->out, source->lookup->context.pid);
}

static void value_src(const struct source *source)
{
	text_add_address(source->out, source->lookup->key.family, source->lookup->key.src);
}

static void value_dst(const struct source *source)
{
	text_add_address(source->out, source->lookup->key.family, source->lookup->key.dst);
}

static void value_proto(const struct source *source)
{
	if (source->lookup->key.protocol)
		words_add_protocol(source->out, source->lookup->key.protocol);
}

static void value_sport(const struct source *source)
{
	if (protocol_has_ports(source->lookup->key.protocol))
		text_add_unsigned(source->out, source->lookup->key.sport);
}

static void value_dport(const struct source *source)
{
	if (protocol_has_ports(source->lookup->key.protocol))
		text_add_unsigned(source->out, source->lookup->key.dport);
}

static void value_mark(const struct source *source)
{
	text_add_hex(source->out, source->lookup->key.mark);
}

static void value_uid(const struct source *source)
{
	if (source->lookup->key.uid != FLOW_UID_INVALID)
		text_add_unsigned(source->out, source->lookup->key.uid);
}

static void value_pref(const struct source *source)
{
	if (source->lookup->verdict.has_priority)
		text_add_unsigned(source->out, source->lookup->verdict.priority);
}

static void value_table(const struct source *source)
{
	const char *name = names_table(source->options->names, source->lookup->verdict.table);

	if (!source->lookup->verdict.table)
		return;
	if (name)
		add_name(source, name, strlen(name));
	else
		text_add_unsigned(source->out, source->lookup->verdict.table);
}

static void value_prefix(const struct source *source)
{
	const struct lookup_route *route = &source->lookup->verdict.route;

	if (words_has_prefix(route))
		text_add_prefix(source->out, source->lookup->key.family, route->dst,
				(unsigned int)route->prefix_length);
}

static void value_dev(const struct source *source)
{
	add_device(source, source->lookup->verdict.route.dev,
		   source->lookup->verdict.route.dev_index);
}

static void value_gw(const struct source *source)
{
	const struct lookup_route *route = &source->lookup->verdict.route;

	if (route->gateway_family)
		text_add_address(source->out, route->gateway_family, route->gateway);
}

static void value_prefsrc(const struct source *source)
{
	if (source->lookup->verdict.route.has_prefsrc)
		text_add_address(source->out, source->lookup->key.family,
				 source->lookup->verdict.route.prefsrc);
}

static void value_suppressed(const struct source *source)
{
	const char *comma = "";

	for (size_t i = 0; i < source->lookup->step_count; i++) {
		uint32_t priority = 0;

		if (source->lookup->steps[i].outcome != STEP_SUPPRESSED ||
		    !words_step_priority(&source->lookup->steps[i], &priority))
			continue;
		text_add(source->out, comma);
		text_add_unsigned(source->out, priority);
		comma = ",";
	}
}

static void value_err(const struct source *source)
{
	if (source->lookup->verdict.error)
		words_add_error(source->out, source->lookup->verdict.error);
}

static void value_findings(const struct source *source)
{
	for (size_t i = 0; i < source->lookup->finding_count; i++) {
		if (i)
			text_add_char(source->out, ',');
		text_add(source->out, finding_kind_name(source->lookup->findings[i].kind));
	}
}

static void value_family(const struct source *source)
{
	text_add(source->out, source->lookup->key.family == FLOW_AF_INET6 ? "inet6" : "inet");
}

static void value_iif(const struct source *source)
{
	add_device(source, source->lookup->iif, source->lookup->key.iif);
}

static void value_oif(const struct source *source)
{
	add_device(source, source->lookup->oif, source->lookup->key.oif);
}

static void value_table_id(const struct source *source)
{
	if (source->lookup->verdict.table)
		text_add_unsigned(source->out, source->lookup->verdict.table);
}

static void value_decided_by(const struct source *source)
{
	text_add(source->out, decided_by_name(source->lookup->verdict.decided_by));
}

/* Of the rule that the verdict is of; of several with its priority, the first that ran. */
static void value_owner(const struct source *source)
{
	const struct lookup *lookup = source->lookup;
	const char *name;

	for (size_t i = 0; lookup->verdict.has_priority && i < lookup->step_count; i++) {
		const struct lookup_step *step = &lookup->steps[i];

		if (!step->rule || step->rule->priority != lookup->verdict.priority ||
		    step->outcome == STEP_SKIPPED || step->outcome == STEP_NOT_REACHED)
			continue;
		name = step->rule->owner ? owner_name(step->rule->owner) : "";
		add_name(source, name, strlen(name));
		return;
	}
}

/* Each appends nothing at all where there is no value. */
static void (*const values[VALUE_COUNT])(const struct source *source) = {
	[VALUE_TIME] = value_time,
	[VALUE_NETNS] = value_netns,
	[VALUE_FAMILY] = value_family,
	[VALUE_PURPOSE] = value_purpose,
	[VALUE_CAUSE] = value_cause,
	[VALUE_COMM] = value_comm,
	[VALUE_PID] = value_pid,
	[VALUE_SRC] = value_src,
	[VALUE_DST] = value_dst,
	[VALUE_PROTO] = value_proto,
	[VALUE_SPORT] = value_sport,
	[VALUE_DPORT] = value_dport,
	[VALUE_IIF] = value_iif,
	[VALUE_OIF] = value_oif,
	[VALUE_MARK] = value_mark,
	[VALUE_UID] = value_uid,
	[VALUE_PREF] = value_pref,
	[VALUE_TABLE] = value_table,
	[VALUE_TABLE_ID] = value_table_id,
	[VALUE_PREFIX] = value_prefix,
	[VALUE_DEV] = value_dev,
	[VALUE_GW] = value_gw,
	[VALUE_PREFSRC] = value_prefsrc,
	[VALUE_SUPPRESSED] = value_suppressed,
	[VALUE_DECIDED_BY] = value_decided_by,
	[VALUE_OWNER] = value_owner,
	[VALUE_ERR] = value_err,
	[VALUE_FINDINGS] = value_findings,
};

bool values_add(struct text *out, enum value value, const struct lookup *lookup,
		const struct render_options *options, bool raw)
{
	const struct source source = {
		.out = out,
		.lookup = lookup,
		.options = options,
		.raw = raw,
	};
	size_t start = out->length;

	values[value](&source);
	return out->length > start;
}
