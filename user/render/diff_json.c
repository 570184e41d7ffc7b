// SPDX-License-Identifier: GPL-2.0-only
/* Differences as JSON: one object per line, described by docs/schema.json. */
#include "render/diff.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "render/json_lookup.h"
#include "render/json_rule.h"
#include "render/words.h"
#include "rules/print.h"

static const char *const side_keys[SIDE_COUNT] = { "old", "new" };

/* A namespace being written. */
struct page {
	struct text *out;
	const struct diff_context *context;
	const struct diff_space *space;
	const struct policy_diff *diff;
};

static const struct render_options *options_of(const struct page *page, enum policy_side side)
{
	return &page->context->sources[side].options;
}

static void add_time(struct json_writer *writer, const char *key, uint64_t time_ns)
{
	if (!time_ns) {
		json_add_null(writer, key);
		return;
	}
	json_open_string(writer, key);
	words_add_time_utc(writer->out, time_ns);
	json_close_string(writer);
}

static void add_source(struct json_writer *writer, const char *key,
		       const struct diff_source *source)
{
	json_open_object(writer, key);
	json_add_string(writer, "file", source->file);
	json_add_string(writer, "kernel", source->kernel);
	add_time(writer, "start", source->start_ns);
	add_time(writer, "end", source->end_ns);
	json_close_object(writer);
}

static void write_start(struct text *out, const struct diff_context *context)
{
	struct json_line line;

	json_begin_line(&line, out, "diff", &context->sources[SIDE_OLD].options);
	json_add_unsigned(&line.writer, "schema", JSON_SCHEMA_VERSION);
	json_add_string(&line.writer, "version", FIBTRACE_VERSION);
	for (size_t side = 0; side < SIDE_COUNT; side++)
		add_source(&line.writer, side_keys[side], &context->sources[side]);
	json_open_array(&line.writer, "filters");
	for (size_t i = 0; context->filters[i]; i++)
		json_add_string(&line.writer, NULL, context->filters[i]);
	json_close_array(&line.writer);
	json_end_line(&line);
}

/* --- changes of the policy ---------------------------------------------------------------- */

static void begin_item(struct json_line *line, const struct page *page, const char *type,
		       const struct policy_difference *item)
{
	json_begin_line(line, page->out, type, options_of(page, SIDE_OLD));
	json_add_unsigned(&line->writer, "id",
			  page->space->first_id + (size_t)(item - page->diff->items));
	json_add_string(&line->writer, "netns_name", page->space->title);
	if (item->family)
		json_add_string(&line->writer, "family", json_family(item->family));
}

static void add_change(struct json_writer *writer, bool old, bool new)
{
	json_add_string(writer, "change", old && new ? "changed" : old ? "removed" : "added");
}

static void add_rule(struct json_line *line, const struct page *page,
		     const struct policy_difference *item, enum policy_side side)
{
	const struct names *names = options_of(page, side)->names;
	const struct rule *rule = item->rule[side];
	struct json_writer *writer = &line->writer;

	if (!rule) {
		json_add_null(writer, side_keys[side]);
		return;
	}
	json_open_object(writer, side_keys[side]);
	json_open_string(writer, "text");
	rule_print(writer->out, rule, names);
	json_close_string(writer);
	json_add_rule(writer, "rule", rule, names);
	if (rule->owner)
		json_add_string(writer, "owner", owner_name(rule->owner));
	json_close_object(writer);
}

static void write_rule(const struct page *page, const struct policy_difference *item)
{
	struct json_line line;

	begin_item(&line, page, "rule_change", item);
	add_change(&line.writer, item->rule[SIDE_OLD], item->rule[SIDE_NEW]);
	for (size_t side = 0; side < SIDE_COUNT; side++)
		add_rule(&line, page, item, side);
	json_end_line(&line);
}

static void write_link(const struct page *page, const struct policy_difference *item)
{
	struct json_line line;

	begin_item(&line, page, "link_change", item);
	add_change(&line.writer, item->link[SIDE_OLD], item->link[SIDE_NEW]);
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		if (!item->link[side]) {
			json_add_null(&line.writer, side_keys[side]);
			continue;
		}
		json_open_string(&line.writer, side_keys[side]);
		diff_add_link(line.writer.out, page->diff, item, side);
		json_close_string(&line.writer);
	}
	json_end_line(&line);
}

/* The routes of one side, written where it is their turn. */
struct routes {
	struct json_line *line;
	const struct page *page;
	enum policy_side side;
	size_t counts[SIDE_COUNT];
};

static void add_nexthops(struct json_writer *writer, const struct page *page, enum policy_side side,
			 const struct route *route)
{
	json_open_array(writer, "nexthops");
	for (uint32_t i = 0; i < route->nexthop_count; i++) {
		const struct nexthop *nexthop = &route->nexthops[i];
		const struct link *link = policy_link(page->diff->policy[side], nexthop->dev);

		json_open_object(writer, NULL);
		if (nexthop->gateway_family)
			json_add_address(writer, "gateway", nexthop->gateway_family,
					 nexthop->gateway);
		else
			json_add_null(writer, "gateway");
		json_add_device(writer, "dev", link ? link->name : "", nexthop->dev);
		json_add_unsigned(writer, "weight", nexthop->weight);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void add_route(void *data, enum policy_side side, const struct route *route)
{
	const struct routes *routes = data;
	struct json_writer *writer = &routes->line->writer;

	if (side != routes->side)
		return;
	json_open_object(writer, NULL);
	json_open_string(writer, "text");
	route_print(writer->out, route, routes->page->diff->policy[side],
		    options_of(routes->page, side)->names);
	json_close_string(writer);
	json_open_string(writer, "type");
	words_add_route_type(writer->out, route->type);
	json_close_string(writer);
	json_add_unsigned(writer, "metric", route->metric);
	add_nexthops(writer, routes->page, side, route);
	json_close_object(writer);
}

static void count_routes(void *data, enum policy_side side, const struct route *route)
{
	struct routes *routes = data;

	(void)route;
	routes->counts[side]++;
}

static void write_routes(const struct page *page, const struct policy_difference *item)
{
	struct json_line line;
	struct routes routes = { .line = &line, .page = page };
	struct json_writer *writer = &line.writer;
	int err;

	begin_item(&line, page, "route_change", item);
	err = policy_diff_visit_routes(page->diff, item, count_routes, &routes);
	add_change(writer, routes.counts[SIDE_OLD], routes.counts[SIDE_NEW]);
	json_add_table(&line, item->table);
	json_open_string(writer, "dst");
	text_add_prefix(writer->out, item->family, item->dst, item->dst_length);
	json_close_string(writer);
	for (size_t side = 0; side < SIDE_COUNT && !err; side++) {
		routes.side = side;
		json_open_array(writer, side_keys[side]);
		err = policy_diff_visit_routes(page->diff, item, add_route, &routes);
		json_close_array(writer);
	}
	json_end_line(&line);
	page->out->failed |= err != 0;
}

static void write_item(const struct page *page, const struct policy_difference *item)
{
	static void (*const writers[])(const struct page *page,
				       const struct policy_difference *item) = {
		[DIFFERENCE_LINK] = write_link,
		[DIFFERENCE_RULE] = write_rule,
		[DIFFERENCE_ROUTES] = write_routes,
	};

	writers[item->kind](page, item);
}

static void write_unheld(const struct page *page)
{
	for (size_t i = 0; i < page->diff->unheld_count; i++) {
		const struct unheld_table *unheld = &page->diff->unheld[i];
		struct json_line line;

		json_begin_line(&line, page->out, "not_compared", options_of(page, SIDE_OLD));
		json_add_string(&line.writer, "netns_name", page->space->title);
		json_add_string(&line.writer, "family", json_family(unheld->family));
		json_add_table(&line, unheld->table);
		json_end_line(&line);
	}
}

/* --- changed verdicts --------------------------------------------------------------------- */

static void write_change(const struct page *page, const struct flow_change *change)
{
	static const char *const explanations[] = {
		[EXPLAINED_BY_ONE] = "one",
		[EXPLAINED_TOGETHER] = "together",
		[EXPLAINED_BY_NONE] = "none",
		[EXPLAINED_NOT] = "not-examined",
	};
	const struct comparison *comparison = page->space->comparison;
	struct json_line line;

	json_begin_line(&line, page->out, "verdict_change", options_of(page, SIDE_OLD));
	json_add_string(&line.writer, "netns_name", page->space->title);
	json_add_string(&line.writer, "family", json_family(change->asked.key.family));
	json_add_string(&line.writer, "purpose", purpose_name(change->asked.purpose));
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		struct lookup lookup = diff_lookup(page->context, change, side);

		/* Of a VRF's device nobody knows the number that is the recording's. */
		lookup.key.l3mdev = 0;
		line.options = options_of(page, side);
		if (side == SIDE_OLD)
			json_add_flow(&line, &lookup);
		json_add_verdict(&line, side_keys[side], &lookup);
	}
	if (flow_change_keeps_route(change))
		json_add_true(&line.writer, "same_route");
	json_add_string(&line.writer, "evidence", change->recorded ? "kernel" : "derived");
	json_add_string(&line.writer, "explained", explanations[change->explanation]);
	json_open_array(&line.writer, "by");
	for (size_t i = 0; i < change->reason_count; i++)
		json_add_unsigned(&line.writer, NULL,
				  page->space->first_id +
					  comparison->reasons[change->first_reason + i]);
	json_close_array(&line.writer);
	json_end_line(&line);
}

static void write_space(struct text *out, const struct diff_context *context,
			const struct diff_space *space)
{
	const struct page page = { out, context, space, &space->comparison->policy_diff };

	for (size_t i = 0; i < page.diff->count; i++) {
		if (space->shown[i])
			write_item(&page, &page.diff->items[i]);
	}
	write_unheld(&page);
	for (size_t i = 0; i < space->comparison->count; i++)
		write_change(&page, &space->comparison->changes[i]);
}

static void write_summary(struct text *out, const struct diff_context *context,
			  const struct diff_totals *totals)
{
	const struct flow_counts *flows = &totals->flows;
	const struct {
		const char *key;
		uint64_t count;
	} members[] = {
		{ "links", totals->links },
		{ "rules", totals->rules },
		{ "routes", totals->routes },
		{ "verdicts", totals->verdicts },
		{ "compared", flows->compared },
		{ "not_examined", flows->not_examined },
		{ "no_device", flows->no_device },
		{ "unexplained", flows->unexplained },
		{ "by_no_policy", flows->by_no_policy },
		{ "unknown", flows->unknown },
		{ "passed_over", flows->passed_over },
	};
	struct json_line line;

	json_begin_line(&line, out, "diff_summary", &context->sources[SIDE_OLD].options);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_add_unsigned(&line.writer, members[i].key, members[i].count);
	json_end_line(&line);
}

const struct diff_format diff_json = {
	.start = write_start,
	.space = write_space,
	.summary = write_summary,
};
