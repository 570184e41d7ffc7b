// SPDX-License-Identifier: GPL-2.0-only
/* The line format: KEY=VALUE pairs, one line per lookup, made for grep and awk. */
#include <string.h>

#include "render/escape.h"
#include "render/render.h"
#include "render/words.h"

/* A line being written. */
struct line {
	struct text *out;
	const struct lookup *lookup;
	const struct render_options *options;
};

/* value() appends the value of the key, and nothing at all when there is none. */
struct field {
	const char *key;
	void (*value)(const struct line *line);
};

static void add_escaped(const struct line *line, const char *string, size_t length)
{
	if (length)
		escape_value(line->out, string, length, line->options->ascii);
}

static void add_device(const struct line *line, const char name[static IFNAMSIZ], uint32_t index)
{
	if (name[0])
		add_escaped(line, name, strnlen(name, IFNAMSIZ));
	else
		words_add_device(line->out, name, index);
}

static void value_time(const struct line *line)
{
	words_add_time_line(line->out, line->lookup->time_ns, line->options->utc);
}

static void value_netns(const struct line *line)
{
	if (line->lookup->netns_name && line->lookup->netns_name[0])
		add_escaped(line, line->lookup->netns_name, strlen(line->lookup->netns_name));
	else if (line->lookup->netns)
		text_add_unsigned(line->out, line->lookup->netns);
}

static void value_purpose(const struct line *line)
{
	text_add(line->out, purpose_name(line->lookup->purpose));
}

static void value_cause(const struct line *line)
{
	text_add(line->out, cause_name(line->lookup->cause));
}

static void value_comm(const struct line *line)
{
	const char *comm = line->lookup->context.comm;

	if (line->lookup->context.level == LEVEL_TASK)
		add_escaped(line, comm, strnlen(comm, EVENT_COMM_LEN));
}

static void value_pid(const struct line *line)
{
	if (line->lookup->context.level == LEVEL_TASK)
		text_add_unsigned(line->out, line->lookup->context.pid);
}

static void value_src(const struct line *line)
{
	text_add_address(line->out, line->lookup->key.family, line->lookup->key.src);
}

static void value_dst(const struct line *line)
{
	text_add_address(line->out, line->lookup->key.family, line->lookup->key.dst);
}

static void value_proto(const struct line *line)
{
	if (line->lookup->key.protocol)
		words_add_protocol(line->out, line->lookup->key.protocol);
}

static void value_sport(const struct line *line)
{
	if (protocol_has_ports(line->lookup->key.protocol))
		text_add_unsigned(line->out, line->lookup->key.sport);
}

static void value_dport(const struct line *line)
{
	if (protocol_has_ports(line->lookup->key.protocol))
		text_add_unsigned(line->out, line->lookup->key.dport);
}

static void value_mark(const struct line *line)
{
	text_add_hex(line->out, line->lookup->key.mark);
}

static void value_uid(const struct line *line)
{
	if (line->lookup->key.uid != FLOW_UID_INVALID)
		text_add_unsigned(line->out, line->lookup->key.uid);
}

static void value_pref(const struct line *line)
{
	if (line->lookup->verdict.has_priority)
		text_add_unsigned(line->out, line->lookup->verdict.priority);
}

static void value_table(const struct line *line)
{
	const char *name = names_table(line->options->names, line->lookup->verdict.table);

	if (!line->lookup->verdict.table)
		return;
	if (name)
		add_escaped(line, name, strlen(name));
	else
		text_add_unsigned(line->out, line->lookup->verdict.table);
}

static void value_prefix(const struct line *line)
{
	const struct lookup_route *route = &line->lookup->verdict.route;

	if (words_has_prefix(route))
		text_add_prefix(line->out, line->lookup->key.family, route->dst,
				(unsigned int)route->prefix_length);
}

static void value_dev(const struct line *line)
{
	add_device(line, line->lookup->verdict.route.dev, line->lookup->verdict.route.dev_index);
}

static void value_gw(const struct line *line)
{
	const struct lookup_route *route = &line->lookup->verdict.route;

	if (route->gateway_family)
		text_add_address(line->out, route->gateway_family, route->gateway);
}

static void value_prefsrc(const struct line *line)
{
	if (line->lookup->verdict.route.has_prefsrc)
		text_add_address(line->out, line->lookup->key.family,
				 line->lookup->verdict.route.prefsrc);
}

static void value_suppressed(const struct line *line)
{
	const char *comma = "";

	for (size_t i = 0; i < line->lookup->step_count; i++) {
		uint32_t priority = 0;

		if (line->lookup->steps[i].outcome != STEP_SUPPRESSED ||
		    !words_step_priority(&line->lookup->steps[i], &priority))
			continue;
		text_add(line->out, comma);
		text_add_unsigned(line->out, priority);
		comma = ",";
	}
}

static void value_err(const struct line *line)
{
	if (line->lookup->verdict.error)
		words_add_error(line->out, line->lookup->verdict.error);
}

static void value_findings(const struct line *line)
{
	for (size_t i = 0; i < line->lookup->finding_count; i++) {
		if (i)
			text_add_char(line->out, ',');
		text_add(line->out, finding_kind_name(line->lookup->findings[i].kind));
	}
}

static const struct field fields[] = {
	{ "time=", value_time },	{ " netns=", value_netns },
	{ " purpose=", value_purpose }, { " cause=", value_cause },
	{ " comm=", value_comm },	{ " pid=", value_pid },
	{ " src=", value_src },		{ " dst=", value_dst },
	{ " proto=", value_proto },	{ " sport=", value_sport },
	{ " dport=", value_dport },	{ " mark=", value_mark },
	{ " uid=", value_uid },		{ " pref=", value_pref },
	{ " table=", value_table },	{ " prefix=", value_prefix },
	{ " dev=", value_dev },		{ " gw=", value_gw },
	{ " prefsrc=", value_prefsrc }, { " suppressed=", value_suppressed },
	{ " err=", value_err },		{ " findings=", value_findings },
};

static void write_lookup(struct text *out, const struct lookup *lookup,
			 const struct render_options *options)
{
	struct line line = { .out = out, .lookup = lookup, .options = options };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t start;

		text_add(out, fields[i].key);
		start = out->length;
		fields[i].value(&line);
		if (out->length == start)
			text_add_char(out, '-');
	}
	text_add_char(out, '\n');
}

static void begin_note(struct text *out, const char *kind, uint64_t time_ns,
		       const struct render_options *options)
{
	text_add(out, kind);
	text_add(out, " time=");
	words_add_time_line(out, time_ns, options->utc);
}

static void write_lost(struct text *out, uint64_t time_ns, uint32_t cpu, uint64_t count,
		       const struct render_options *options)
{
	begin_note(out, "lost", time_ns, options);
	text_add(out, " cpu=");
	text_add_unsigned(out, cpu);
	text_add(out, " count=");
	text_add_unsigned(out, count);
	text_add_char(out, '\n');
}

static void write_policy(struct text *out, uint64_t time_ns, uint32_t netns, const char *change,
			 const struct render_options *options)
{
	begin_note(out, "policy", time_ns, options);
	text_add(out, " netns=");
	if (netns)
		text_add_unsigned(out, netns);
	else
		text_add_char(out, '-');
	text_add(out, " change=");
	escape_value(out, change, strlen(change), options->ascii);
	text_add_char(out, '\n');
}

static void write_warning(struct text *out, uint64_t time_ns, const char *message,
			  const struct render_options *options)
{
	begin_note(out, "warning", time_ns, options);
	text_add(out, " text=");
	escape_value(out, message, strlen(message), options->ascii);
	text_add_char(out, '\n');
}

const struct format format_line = {
	.name = "line",
	.lookup = write_lookup,
	.lost = write_lost,
	.policy = write_policy,
	.warning = write_warning,
};
