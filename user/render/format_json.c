// SPDX-License-Identifier: GPL-2.0-only
/* The json format: one object per line, described by docs/schema.json. */
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "render/json_lookup.h"
#include "render/json_rule.h"
#include "render/json_rules.h"
#include "render/render.h"
#include "render/summary.h"
#include "render/words.h"
#include "rules/selector.h"

static void add_time(struct json_writer *writer, uint64_t time_ns)
{
	json_open_string(writer, "time");
	words_add_time_utc(writer->out, time_ns);
	json_close_string(writer);
}

static void add_process(struct json_writer *writer, const struct event_context *context)
{
	if (context->level != LEVEL_TASK) {
		json_add_null(writer, "process");
		return;
	}
	json_open_object(writer, "process");
	json_add_unsigned(writer, "pid", context->pid);
	json_add_unsigned(writer, "tid", context->tid);
	json_open_string(writer, "comm");
	text_add_bytes(writer->out, context->comm, strnlen(context->comm, EVENT_COMM_LEN));
	json_close_string(writer);
	json_add_unsigned(writer, "uid", context->uid);
	json_close_object(writer);
}

/* A gateway of another family is an object in `ip -j route`. */
static void add_route_gateway(struct json_writer *writer, uint8_t family,
			      const struct lookup_route *route)
{
	if (route->gateway_family == family) {
		json_add_address(writer, "gateway", family, route->gateway);
		return;
	}
	json_open_object(writer, "via");
	json_add_string(writer, "family", json_family(route->gateway_family));
	json_add_address(writer, "host", route->gateway_family, route->gateway);
	json_close_object(writer);
}

static void add_route(struct json_writer *writer, const char *key, uint8_t family,
		      const struct lookup_route *route)
{
	json_open_object(writer, key);
	if (route->type && route->type != RTN_UNICAST) {
		json_open_string(writer, "type");
		words_add_route_type(writer->out, route->type);
		json_close_string(writer);
	}
	if (words_has_prefix(route))
		json_add_prefix(writer, "dst", family, route);
	if (route->gateway_family)
		add_route_gateway(writer, family, route);
	if (route->dev[0] || route->dev_index)
		json_add_device(writer, "dev", route->dev, route->dev_index);
	if (route->has_prefsrc)
		json_add_address(writer, "prefsrc", family, route->prefsrc);
	if (route->exception)
		json_add_true(writer, "exception");
	json_close_object(writer);
}

static void add_suppressor(struct json_writer *writer, const struct lookup_step *step)
{
	if (step->outcome != STEP_SUPPRESSED || step->suppressor == SUPPRESSOR_NONE || !step->rule)
		return;
	json_open_string(writer, "suppressor");
	if (step->suppressor == SUPPRESSOR_PREFIXLENGTH) {
		text_add(writer->out, "suppress_prefixlength ");
		text_add_signed(writer->out, step->rule->suppress_prefixlength);
	} else {
		text_add(writer->out, "suppress_ifgroup ");
		text_add_signed(writer->out, step->rule->suppress_ifgroup);
	}
	json_close_string(writer);
}

static void add_target(struct json_writer *writer, const struct lookup_step *step)
{
	if (step->outcome != STEP_GOTO || !step->rule)
		return;
	json_add_unsigned(writer, "target", step->rule->target);
	if (step->unresolved)
		json_add_true(writer, "unresolved");
}

static void add_mismatch(struct json_line *line, const struct lookup *lookup,
			 const struct lookup_step *step)
{
	struct json_writer *writer = &line->writer;

	json_add_string(writer, "mismatch", selectors[step->mismatch.selector].name);
	json_open_string(writer, "reason");
	words_add_mismatch(writer->out, lookup, step, line->options->names, false);
	json_close_string(writer);
}

static void add_reason(struct json_line *line, const struct lookup *lookup,
		       const struct lookup_step *step)
{
	struct json_writer *writer = &line->writer;

	if (step->outcome == STEP_SKIPPED && step->rule)
		add_mismatch(line, lookup, step);
	if (!step->reason)
		return;
	json_add_string(writer, "reason", step->reason);
	if (step->outcome == STEP_NOT_REACHED)
		json_add_unsigned(writer, "by", step->jumped_by);
}

static void add_action(struct json_writer *writer, uint8_t action)
{
	json_open_string(writer, "action");
	words_add_action(writer->out, action);
	json_close_string(writer);
}

static void write_rule(struct json_line *line, const struct rule *rule)
{
	struct json_writer *writer = &line->writer;

	json_add_unsigned(writer, "priority", rule->priority);
	json_open_string(writer, "selector");
	rule_print_selector(writer->out, rule, line->options->names);
	json_close_string(writer);
	json_add_rule(writer, "rule", rule, line->options->names);
	add_action(writer, rule->action);
}

/* What is the same in each lookup that this rule is in; it is the first of its step's members. */
static void add_rule(struct json_line *line, struct rule_list *rules, const struct rule *rule)
{
	struct json_rules *kept = line->options->json_rules;
	struct text *out = line->writer.out;
	size_t start = out->length, length;
	const char *bytes = kept ? json_rules_find(kept, rules, rule, &length) : NULL;

	if (bytes) {
		json_add_members(&line->writer, bytes, length);
		return;
	}
	write_rule(line, rule);
	if (kept && !out->failed)
		json_rules_keep(kept, rules, rule, out->string + start, out->length - start);
}

static void add_step_rule(struct json_line *line, const struct lookup *lookup,
			  const struct lookup_step *step)
{
	struct json_writer *writer = &line->writer;

	if (step->rule) {
		add_rule(line, lookup->rules, step->rule);
		return;
	}
	json_add_number_if(writer, "priority", step->has_priority, step->priority);
	json_add_null(writer, "selector");
	json_add_null(writer, "rule");
	add_action(writer, RULE_LOOKUP);
}

/* The route of a table that was not asked. */
static bool would_match(const struct lookup_step *step)
{
	return step->outcome == STEP_NOT_REACHED || step->outcome == STEP_SKIPPED;
}

static void write_step(struct json_line *line, const struct lookup *lookup,
		       const struct lookup_step *step)
{
	struct json_writer *writer = &line->writer;

	add_step_rule(line, lookup, step);
	json_add_table(line, step->table);
	json_add_string(writer, "outcome", step_outcome_name(step->outcome));
	add_suppressor(writer, step);
	add_target(writer, step);
	if (step->has_route)
		add_route(writer, would_match(step) ? "would_match" : "route", lookup->key.family,
			  &step->route);
	add_reason(line, lookup, step);
	if (step->rule && step->rule->owner)
		json_add_string(writer, "owner", owner_name(step->rule->owner));
	json_add_string(writer, "evidence", evidence_name(step->evidence));
}

/* Walks repeat themselves: what a rule came to is mostly what it came to before. */
static void add_step(struct json_line *line, const struct lookup *lookup,
		     const struct lookup_step *step)
{
	struct json_rules *kept = line->options->json_rules;
	struct json_writer *writer = &line->writer;
	size_t start, length;
	const char *bytes = kept ? json_rules_find_step(kept, lookup, step, &length) : NULL;

	json_open_object(writer, NULL);
	start = writer->out->length;
	if (bytes)
		json_add_members(writer, bytes, length);
	else
		write_step(line, lookup, step);
	if (!bytes && kept && !writer->out->failed)
		json_rules_keep_step(kept, lookup, step, writer->out->string + start,
				     writer->out->length - start);
	json_close_object(writer);
}

static void add_steps(struct json_line *line, const struct lookup *lookup)
{
	json_open_array(&line->writer, "steps");
	for (size_t i = 0; i < lookup->step_count; i++)
		add_step(line, lookup, &lookup->steps[i]);
	json_close_array(&line->writer);
}

static void add_finding(struct json_writer *writer, const struct finding *finding)
{
	json_open_object(writer, NULL);
	json_add_string(writer, "kind", finding_kind_name(finding->kind));
	json_add_string(writer, "severity", severity_name(finding->severity));
	json_add_number_if(writer, "priority", finding->has_priority, finding->priority);
	json_add_number_if(writer, "by", finding->has_by, finding->by);
	json_add_string(writer, "text", finding->text);
	json_close_object(writer);
}

static void add_findings(struct json_writer *writer, const struct lookup *lookup)
{
	if (!lookup->examined) {
		json_add_null(writer, "findings");
		return;
	}
	json_open_array(writer, "findings");
	for (size_t i = 0; i < lookup->finding_count; i++)
		add_finding(writer, &lookup->findings[i]);
	json_close_array(writer);
}

static void write_lookup(struct text *out, const struct lookup *lookup,
			 const struct render_options *options)
{
	struct json_line line;

	json_begin_line(&line, out, "lookup", options);
	add_time(&line.writer, lookup->time_ns);
	json_add_unsigned(&line.writer, "boottime_ns", lookup->boottime_ns);
	json_add_unsigned_or_null(&line.writer, "duration_ns", lookup->duration_ns);
	json_add_unsigned(&line.writer, "cpu", lookup->cpu);
	json_add_unsigned_or_null(&line.writer, "netns", lookup->netns);
	json_add_string(&line.writer, "netns_name", lookup->netns_name);
	json_add_string(&line.writer, "family", json_family(lookup->key.family));
	json_add_string(&line.writer, "purpose", purpose_name(lookup->purpose));
	json_add_string(&line.writer, "cause", cause_name(lookup->cause));
	json_add_unsigned(&line.writer, "group", lookup->group);
	add_process(&line.writer, &lookup->context);
	json_add_string(&line.writer, "context", words_context(&lookup->context));
	json_add_flow(&line, lookup);
	add_steps(&line, lookup);
	json_add_verdict(&line, "verdict", lookup);
	add_findings(&line.writer, lookup);
	json_end_line(&line);
}

static void write_start(struct text *out, const struct trace_start *start,
			const struct render_options *options)
{
	struct json_line line;

	json_begin_line(&line, out, "start", options);
	add_time(&line.writer, start->time_ns);
	json_add_unsigned(&line.writer, "schema", JSON_SCHEMA_VERSION);
	json_add_string(&line.writer, "version", start->version);
	json_add_string(&line.writer, "kernel", start->kernel);
	json_add_string(&line.writer, "tier", start->tier);
	json_open_array(&line.writer, "filters");
	for (size_t i = 0; start->filters && start->filters[i]; i++)
		json_add_string(&line.writer, NULL, start->filters[i]);
	json_close_array(&line.writer);
	json_end_line(&line);
}

static void write_lost(struct text *out, uint64_t time_ns, uint32_t cpu, uint64_t count,
		       const struct render_options *options)
{
	struct json_line line;

	json_begin_line(&line, out, "lost", options);
	add_time(&line.writer, time_ns);
	json_add_unsigned(&line.writer, "cpu", cpu);
	json_add_unsigned(&line.writer, "count", count);
	json_end_line(&line);
}

static void write_policy(struct text *out, uint64_t time_ns, uint32_t netns, const char *change,
			 const struct render_options *options)
{
	struct json_line line;

	json_begin_line(&line, out, "policy", options);
	add_time(&line.writer, time_ns);
	json_add_unsigned_or_null(&line.writer, "netns", netns);
	json_add_string(&line.writer, "change", change);
	json_end_line(&line);
}

static void write_warning(struct text *out, uint64_t time_ns, const char *message,
			  const struct render_options *options)
{
	struct json_line line;

	json_begin_line(&line, out, "warning", options);
	add_time(&line.writer, time_ns);
	json_add_string(&line.writer, "text", message);
	json_end_line(&line);
}

static void add_counts(struct json_writer *writer, const struct lookup_counts *counts)
{
	json_add_unsigned(writer, "seen", counts->seen);
	json_add_unsigned(writer, "shown", counts->shown);
	json_add_unsigned(writer, "filtered", counts->filtered);
	json_add_unsigned(writer, "lost", counts->lost);
	json_add_unsigned(writer, "unfinished", counts->unfinished);
	if (counts->missed_known)
		json_add_unsigned(writer, "missed", counts->missed);
	else
		json_add_null(writer, "missed");
	json_add_unsigned(writer, "address_checks", counts->address_checks);
	json_add_unsigned(writer, "netns_unknown", counts->netns_unknown);
}

/* The key is an errno's name, its number without one, "other" where they were not told apart. */
static void add_outcome(struct json_writer *writer, int error, uint64_t count)
{
	struct text key = { 0 };

	if (error)
		words_add_error(&key, error);
	else
		text_add(&key, "other");
	json_add_unsigned(writer, text_string(&key), count);
	text_free(&key);
}

static void add_rule_total(struct json_line *line, const struct rule_total *total)
{
	struct json_writer *writer = &line->writer;

	json_open_object(writer, NULL);
	json_add_unsigned_or_null(writer, "netns", total->netns);
	json_add_string(writer, "family", json_family(total->family));
	json_add_unsigned(writer, "priority", total->priority);
	json_add_table(line, total->table);
	json_add_unsigned(writer, "count", total->count);
	json_close_object(writer);
}

static void write_summary(struct text *out, uint64_t time_ns, const struct trace_summary *summary,
			  const struct render_options *options)
{
	struct json_line line;

	json_begin_line(&line, out, "summary", options);
	add_time(&line.writer, time_ns);
	add_counts(&line.writer, &summary->counts);
	json_open_object(&line.writer, "outcomes");
	json_add_unsigned(&line.writer, "found", summary->found);
	for (size_t i = 0; i < summary->error_count; i++)
		add_outcome(&line.writer, summary->errors[i].error, summary->errors[i].count);
	json_close_object(&line.writer);
	json_open_array(&line.writer, "rules");
	for (size_t i = 0; i < summary->rule_count; i++)
		add_rule_total(&line, &summary->rules[i]);
	json_close_array(&line.writer);
	json_open_object(&line.writer, "findings");
	for (int kind = 0; kind < FINDING_KIND_COUNT; kind++) {
		if (summary->findings[kind])
			json_add_unsigned(&line.writer, finding_kind_name(kind),
					  summary->findings[kind]);
	}
	json_close_object(&line.writer);
	json_add_unsigned(&line.writer, "dropped_rules", summary->dropped_rules);
	json_end_line(&line);
}

const struct format format_json = {
	.name = "json",
	.start = write_start,
	.lookup = write_lookup,
	.lost = write_lost,
	.policy = write_policy,
	.warning = write_warning,
	.summary = write_summary,
};
