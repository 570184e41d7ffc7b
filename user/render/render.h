/* SPDX-License-Identifier: GPL-2.0-only */
/* Output formats: each takes explained lookups and writes text; none holds policy. */
#ifndef FIBTRACE_RENDER_RENDER_H
#define FIBTRACE_RENDER_RENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "render/json_rules.h"
#include "rules/names.h"
#include "rules/owners.h"
#include "trace/lookup.h"
#include "util/text.h"

#define JSON_SCHEMA_VERSION 1

struct render_options {
	const struct names *names;
	const struct owners *owners; /* who name the meanings of marks; NULL: none is known */
	struct json_rules *json_rules; /* of format json; NULL: writes each rule anew each time */
	bool utc; /* text shows UTC instead of local time; JSON always does */
	bool color;
	bool ascii; /* the locale is not UTF-8: ASCII marks */
	bool verbose;
};

/* Facts about a trace that come before its first lookup. filters: the filter
 * options as typed, NULL-terminated. */
struct trace_start {
	uint64_t time_ns;
	const char *version;
	const char *kernel; /* uname release */
	const char *tier;
	const char *const *filters;
};

/* Totals by outcome and by rule, kept by render/summary.h. */
struct trace_summary;

/*
 * A format. Each function appends whole lines to out; a NULL function writes
 * nothing (text has no start line). time_ns is CLOCK_REALTIME. A format with
 * brief() shows a group of lookups as one block (render/blocks.h): it writes a
 * lookup as one line, which is indented by above or by below, as that line stands
 * to the lookup that is shown in full.
 */
struct format {
	const char *name;
	const char *above;
	const char *below;
	void (*start)(struct text *out, const struct trace_start *start,
		      const struct render_options *options);
	void (*lookup)(struct text *out, const struct lookup *lookup,
		       const struct render_options *options);
	void (*brief)(struct text *out, const struct lookup *lookup,
		      const struct render_options *options);
	void (*lost)(struct text *out, uint64_t time_ns, uint32_t cpu, uint64_t count,
		     const struct render_options *options);
	void (*policy)(struct text *out, uint64_t time_ns, uint32_t netns, const char *change,
		       const struct render_options *options);
	void (*warning)(struct text *out, uint64_t time_ns, const char *message,
			const struct render_options *options);
	void (*summary)(struct text *out, uint64_t time_ns, const struct trace_summary *summary,
			const struct render_options *options);
};

extern const struct format format_tree;
extern const struct format format_line;
extern const struct format format_json;

/* The format called name, NULL when there is none. */
const struct format *format_by_name(const char *name);

#endif
