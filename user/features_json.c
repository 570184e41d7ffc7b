// SPDX-License-Identifier: GPL-2.0-only
/* `fibtrace features --format json`: every hook of every tier. */
#include "features_report.h"

#include <string.h>

#include "render/json_writer.h"
#include "render/render.h"

static void begin_line(struct json_writer *writer, struct text *out, const char *type)
{
	json_begin(writer, out);
	json_open_object(writer, NULL);
	json_add_string(writer, "type", type);
}

static void end_line(struct json_writer *writer)
{
	json_close_object(writer);
	text_add_char(writer->out, '\n');
}

static void add_reason(struct json_writer *writer, const char *reason)
{
	json_add_string(writer, "reason", reason[0] ? reason : NULL);
}

static const char *hook_state_name(const struct hook_state *hook)
{
	if (hook->attached)
		return "attached";
	return hook->reason[0] ? "refused" : "not-needed";
}

static void add_hook(struct json_writer *writer, const struct hook_state *hook)
{
	json_open_object(writer, NULL);
	json_add_string(writer, "function", hook->function);
	json_add_string(writer, "method", hook->method);
	json_add_string(writer, "gives", hook->gives);
	if (hook->required)
		json_add_true(writer, "required");
	json_add_string(writer, "state", hook_state_name(hook));
	add_reason(writer, hook->reason);
	json_close_object(writer);
}

/* The same may be given by several functions: it is named once. */
static bool told_before(const struct tier_state *tier, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (!strcmp(tier->hooks[i].gives, tier->hooks[index].gives) &&
		    function_is_missed(tier, tier->hooks[i].function))
			return true;
	}
	return false;
}

static void add_not_seen(struct json_writer *writer, const struct tier_state *tier)
{
	json_open_array(writer, "not_seen");
	for (size_t i = 0; i < tier->hook_count; i++) {
		if (function_is_missed(tier, tier->hooks[i].function) && !told_before(tier, i))
			json_add_string(writer, NULL, tier->hooks[i].gives);
	}
	json_close_array(writer);
}

static void write_tier(struct text *out, const struct tier_state *tier)
{
	struct json_writer writer;

	begin_line(&writer, out, "tier");
	json_add_string(&writer, "name", tier->name);
	json_add_string(&writer, "state", tier->loads ? "loads" : "refused");
	add_reason(&writer, tier->reason);
	json_add_string(&writer, "needs", tier->needs);
	json_add_string(&writer, "cannot_see", tier->cannot_see);
	add_not_seen(&writer, tier);
	json_open_array(&writer, "hooks");
	for (size_t i = 0; i < tier->hook_count; i++)
		add_hook(&writer, &tier->hooks[i]);
	json_close_array(&writer);
	end_line(&writer);
}

void features_write_json(struct text *out, const struct features *features)
{
	const struct tier_state *best = features_best(features);
	struct json_writer writer;

	begin_line(&writer, out, "features");
	json_add_unsigned(&writer, "schema", JSON_SCHEMA_VERSION);
	json_add_string(&writer, "version", FIBTRACE_VERSION);
	json_add_string(&writer, "kernel", features->kernel);
	json_add_string(&writer, "tier", best ? best->name : NULL);
	end_line(&writer);
	for (size_t i = 0; i < features->tier_count; i++)
		write_tier(out, &features->tiers[i]);
}
