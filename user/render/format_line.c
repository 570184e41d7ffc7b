// SPDX-License-Identifier: GPL-2.0-only
/* The line format: KEY=VALUE pairs, one line per lookup, made for grep and awk. */
#include <string.h>

#include "render/escape.h"
#include "render/render.h"
#include "render/values.h"
#include "render/words.h"
#include "util/array.h"

static const struct {
	const char *key;
	enum value value;
} fields[] = {
	{ "time=", VALUE_TIME },	{ " netns=", VALUE_NETNS },
	{ " purpose=", VALUE_PURPOSE }, { " cause=", VALUE_CAUSE },
	{ " comm=", VALUE_COMM },	{ " pid=", VALUE_PID },
	{ " src=", VALUE_SRC },		{ " dst=", VALUE_DST },
	{ " proto=", VALUE_PROTO },	{ " sport=", VALUE_SPORT },
	{ " dport=", VALUE_DPORT },	{ " mark=", VALUE_MARK },
	{ " uid=", VALUE_UID },		{ " pref=", VALUE_PREF },
	{ " table=", VALUE_TABLE },	{ " prefix=", VALUE_PREFIX },
	{ " dev=", VALUE_DEV },		{ " gw=", VALUE_GW },
	{ " prefsrc=", VALUE_PREFSRC }, { " suppressed=", VALUE_SUPPRESSED },
	{ " err=", VALUE_ERR },		{ " findings=", VALUE_FINDINGS },
};

static void write_lookup(struct text *out, const struct lookup *lookup,
			 const struct render_options *options)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		text_add(out, fields[i].key);
		if (!values_add(out, fields[i].value, lookup, options, false))
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
