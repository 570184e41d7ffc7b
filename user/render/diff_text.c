// SPDX-License-Identifier: GPL-2.0-only
/* Differences as text, in the manner of diff(1). */
#include "render/diff.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "render/escape.h"
#include "render/tree.h"
#include "render/words.h"
#include "rules/print.h"

/* Of more destinations only how many there are is told. */
#define NAMED 8

/* A namespace being written. */
struct page {
	struct text *out;
	const struct diff_context *context;
	const struct diff_space *space;
	const struct policy_diff *diff;
	const char *indent;
	struct text scratch;
};

static const char signs[SIDE_COUNT] = { '-', '+' };
static const enum style styles[SIDE_COUNT] = { STYLE_ERROR, STYLE_CHOSEN };

static const struct render_options *options_of(const struct page *page, enum policy_side side)
{
	return &page->context->sources[side].options;
}

/* A line of one side: its text stands in scratch, and may have names of anybody in it. */
static void write_line(struct page *page, enum policy_side side)
{
	const struct render_options *options = options_of(page, side);

	text_add(page->out, page->indent);
	tree_add_style(page->out, options, styles[side]);
	text_add_char(page->out, signs[side]);
	text_add_char(page->out, ' ');
	escape_terminal(page->out, text_string(&page->scratch), page->scratch.length,
			options->ascii);
	tree_end_style(page->out, options, styles[side]);
	text_add_char(page->out, '\n');
	page->out->failed |= page->scratch.failed;
	text_clear(&page->scratch);
}

static void write_heading(struct page *page, const char *text)
{
	const struct render_options *options = options_of(page, SIDE_OLD);

	tree_add_style(page->out, options, STYLE_DIM);
	text_add(page->out, text);
	tree_end_style(page->out, options, STYLE_DIM);
	text_add_char(page->out, '\n');
}

/* --- changes of the policy ---------------------------------------------------------------- */

static void add_kind(struct page *page, uint8_t family, const char *kind)
{
	if (family == FLOW_AF_INET6)
		text_add(&page->scratch, "IPv6 ");
	text_add(&page->scratch, kind);
}

static void write_rule(struct page *page, enum policy_side side, const struct rule *rule)
{
	add_kind(page, rule->family, "rule ");
	rule_print(&page->scratch, rule, options_of(page, side)->names);
	if (rule->owner && !owner_is_kernel(rule->owner))
		text_printf(&page->scratch, "  %s", owner_name(rule->owner));
	write_line(page, side);
}

static void write_route(void *data, enum policy_side side, const struct route *route)
{
	struct page *page = data;

	add_kind(page, route->family, "route ");
	route_print(&page->scratch, route, page->diff->policy[side], options_of(page, side)->names);
	write_line(page, side);
}

static void write_link(struct page *page, enum policy_side side,
		       const struct policy_difference *item)
{
	const struct rule *rule = diff_rule_naming(page->diff, item->link[side]->name);

	text_add(&page->scratch, "link ");
	diff_add_link(&page->scratch, page->diff, item, side);
	if (rule && !item->link[!side])
		text_printf(&page->scratch, ", which rule %u names", rule->priority);
	write_line(page, side);
}

static void write_item(struct page *page, const struct policy_difference *item)
{
	if (item->kind == DIFFERENCE_ROUTES &&
	    policy_diff_visit_routes(page->diff, item, write_route, page))
		page->out->failed = true;
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		if (item->rule[side])
			write_rule(page, side, item->rule[side]);
		else if (item->link[side])
			write_link(page, side, item);
	}
}

static void write_unheld(struct page *page)
{
	for (size_t i = 0; i < page->diff->unheld_count; i++) {
		const struct unheld_table *unheld = &page->diff->unheld[i];

		text_printf(page->out, "? %stable ",
			    unheld->family == FLOW_AF_INET6 ? "IPv6 " : "");
		tree_add_table(page->out, unheld->table, options_of(page, SIDE_OLD));
		text_add(page->out, " is not compared: its routes were not held\n");
	}
}

/* --- changed verdicts --------------------------------------------------------------------- */

/* A changed flow: what it is called, and its verdicts in two lines. */
struct entry {
	struct text label;
	struct text verdicts;
	size_t at;
};

static const char *const decision_words[DECIDED_BY_COUNT] = {
	[DECIDED_BY_END_OF_RULES] = "end of the rules",
	[DECIDED_BY_BOUND_DEVICE] = "on-link by the bound device",
	[DECIDED_BY_EXCEPTION] = "by an exception",
	[DECIDED_BY_SUPPRESSED_ROUTE] = "by a route that had been suppressed",
};

static void add_decision(struct text *out, const struct lookup_verdict *verdict)
{
	const char *words = decision_words[verdict->decided_by];

	if (verdict->has_priority)
		tree_add_labelled(out, "rule ", verdict->priority);
	if (verdict->has_priority && words)
		text_add_char(out, ' ');
	if (words)
		text_add(out, words);
	else if (!verdict->has_priority)
		text_add(out, decided_by_name(verdict->decided_by));
}

static void add_verdict(const struct page *page, struct text *out, const struct flow_change *change,
			enum policy_side side)
{
	struct lookup lookup = diff_lookup(page->context, change, side);
	const struct lookup_verdict *verdict = &lookup.verdict;
	const struct render_options *options = options_of(page, side);
	struct tree tree = { .out = out, .lookup = &lookup, .options = options };
	bool typed = verdict->route.type && verdict->route.type != RTN_UNICAST;

	if (verdict->error) {
		words_add_error(out, verdict->error);
		text_add(out, ": ");
	}
	add_decision(out, verdict);
	if (verdict->table) {
		text_add(out, " table ");
		tree_add_table(out, verdict->table, options);
	}
	if (words_has_prefix(&verdict->route) || typed) {
		text_add_char(out, ' ');
		tree_add_route(&tree, &verdict->route);
	} else {
		tree_add_nexthop(&tree, &verdict->route);
	}
	if (!verdict->route.has_prefsrc)
		return;
	text_add(out, " src ");
	text_add_address(out, lookup.key.family, verdict->route.prefsrc);
}

static void add_verdicts(const struct page *page, struct text *out,
			 const struct flow_change *change)
{
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		const struct render_options *options = options_of(page, side);

		text_add(out, "        ");
		tree_add_style(out, options, styles[side]);
		text_add_char(out, signs[side]);
		text_add_char(out, ' ');
		add_verdict(page, out, change, side);
		if (side == SIDE_NEW && flow_change_keeps_route(change))
			text_add(out, " (the same route)");
		tree_end_style(out, options, styles[side]);
		text_add_char(out, '\n');
	}
}

static void add_devices(const struct page *page, struct text *out, const struct lookup *lookup)
{
	const struct render_options *options = options_of(page, SIDE_OLD);
	const char *l3mdev = devices_name(page->context->devices, lookup->key.l3mdev);

	if (lookup->key.iif > FLOW_IFINDEX_LO) {
		text_add(out, " iif ");
		tree_add_name(out, lookup->iif, options);
	}
	if (lookup->key.oif) {
		text_add(out, " oif ");
		tree_add_name(out, lookup->oif, options);
	}
	if (*l3mdev) {
		text_add(out, " l3mdev ");
		tree_add_name(out, l3mdev, options);
	}
}

static void add_addresses(struct text *out, uint8_t family, const uint8_t *from, const uint8_t *to,
			  const char *arrow)
{
	text_add_address(out, family, from);
	text_add(out, arrow);
	text_add_address(out, family, to);
}

/* Of a source-check the addresses asked about are those of the packet, the other way round. */
static void add_question(struct text *out, const struct lookup *lookup, bool ascii)
{
	const struct flow_key *key = &lookup->key;
	const char *arrow = ascii ? " -> " : " → ";

	text_printf(out, "%s ", purpose_name(lookup->purpose));
	if (lookup->purpose == PURPOSE_SOURCE_CHECK) {
		text_add(out, "of ");
		text_add_address(out, key->family, key->dst);
		text_add(out, " (packet ");
		add_addresses(out, key->family, key->dst, key->src, arrow);
		text_add_char(out, ')');
	} else {
		add_addresses(out, key->family, key->src, key->dst, arrow);
	}
	if (key->protocol) {
		text_add_char(out, ' ');
		words_add_protocol(out, key->protocol);
	}
	if (protocol_has_ports(key->protocol))
		text_printf(out, " %u%s%u", key->sport, arrow, key->dport);
}

/* What makes it another flow than others to its destination, as far as it is not what most have;
 * all of it with -v. */
static void add_label(const struct page *page, struct text *out, const struct flow_change *change)
{
	struct lookup lookup = diff_lookup(page->context, change, SIDE_OLD);
	const struct render_options *options = options_of(page, SIDE_OLD);

	if (options->verbose) {
		add_question(out, &lookup, options->ascii);
	} else {
		if (lookup.purpose == PURPOSE_SOURCE_CHECK)
			text_add(out, "source-check of ");
		text_add_address(out, lookup.key.family, lookup.key.dst);
	}
	if (lookup.key.mark || options->verbose) {
		text_add(out, " mark ");
		text_add_hex(out, lookup.key.mark);
	}
	if (options->verbose && lookup.key.uid != FLOW_UID_INVALID)
		tree_add_labelled(out, " uid ", lookup.key.uid);
	add_devices(page, out, &lookup);
}

static int compare_entries(const void *first, const void *second)
{
	const struct entry *a = first, *b = second;
	int order = strcmp(text_string(&a->verdicts), text_string(&b->verdicts));

	if (order)
		return order;
	return a->at < b->at ? -1 : a->at > b->at;
}

static bool same_text(const struct text *a, const struct text *b)
{
	return !strcmp(text_string(a), text_string(b));
}

/* Entries of the same verdicts: who they are, and the verdicts. */
static void write_group(struct page *page, const struct entry *entries, size_t count)
{
	bool all = options_of(page, SIDE_OLD)->verbose;
	size_t named = 0, more = 0;

	for (size_t i = 0; i < count; i++) {
		if (i && same_text(&entries[i].label, &entries[i - 1].label))
			continue;
		if (!all && named >= NAMED) {
			more++;
			continue;
		}
		if (all)
			text_add(page->out, named ? "\n    " : "    ");
		else
			text_add(page->out, named ? ", " : "    ");
		text_add(page->out, text_string(&entries[i].label));
		named++;
	}
	if (more)
		text_printf(page->out, " and %zu more", more);
	text_add_char(page->out, '\n');
	text_add(page->out, text_string(&entries[0].verdicts));
}

static void write_entries(struct page *page, struct entry *entries, size_t count)
{
	size_t first = 0;

	qsort(entries, count, sizeof(*entries), compare_entries);
	while (first < count) {
		size_t behind = first + 1;

		while (behind < count &&
		       same_text(&entries[behind].verdicts, &entries[first].verdicts))
			behind++;
		write_group(page, &entries[first], behind - first);
		first = behind;
	}
}

static void write_flows(struct page *page, const struct flow_change *changes, size_t count)
{
	struct entry *entries = calloc(count, sizeof(*entries));

	if (!entries) {
		page->out->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		entries[i].at = i;
		add_label(page, &entries[i].label, &changes[i]);
		add_verdicts(page, &entries[i].verdicts, &changes[i]);
		page->out->failed |= entries[i].label.failed || entries[i].verdicts.failed;
	}
	write_entries(page, entries, count);
	for (size_t i = 0; i < count; i++) {
		text_free(&entries[i].label);
		text_free(&entries[i].verdicts);
	}
	free(entries);
}

static const char *heading_of(const struct flow_change *change)
{
	static const char *const headings[] = {
		[EXPLAINED_BY_ONE] = "verdicts changed by",
		[EXPLAINED_TOGETHER] = "verdicts changed by these together",
		[EXPLAINED_BY_NONE] =
			"verdicts changed by no change of the policy: what the kernel answers "
			"depends on more, as exceptions, neighbours and its version",
		[EXPLAINED_NOT] = "verdicts changed, of which it was not looked for what did it: "
				  "there are too many",
	};

	if (change->explanation == EXPLAINED_BY_ONE && change->reason_count > 1)
		return "verdicts changed by any of these alone";
	return headings[change->explanation];
}

static bool same_reasons(const struct comparison *comparison, const struct flow_change *a,
			 const struct flow_change *b)
{
	if (a->explanation != b->explanation || a->reason_count != b->reason_count)
		return false;
	return !a->reason_count ||
	       !memcmp(&comparison->reasons[a->first_reason], &comparison->reasons[b->first_reason],
		       a->reason_count * sizeof(*comparison->reasons));
}

/* Changes that the same explains. */
static void write_block(struct page *page, const struct flow_change *changes, size_t count)
{
	const struct comparison *comparison = page->space->comparison;

	write_heading(page, heading_of(changes));
	page->indent = "  ";
	for (size_t i = 0; i < changes->reason_count; i++)
		write_item(page,
			   &page->diff->items[comparison->reasons[changes->first_reason + i]]);
	page->indent = "";
	write_flows(page, changes, count);
}

static void write_changes(struct page *page)
{
	const struct comparison *comparison = page->space->comparison;
	size_t first = 0;

	while (first < comparison->count) {
		const struct flow_change *changes = &comparison->changes[first];
		size_t count = 1;

		while (first + count < comparison->count &&
		       same_reasons(comparison, changes, &changes[count]))
			count++;
		write_block(page, changes, count);
		first += count;
	}
}

/* --- all ---------------------------------------------------------------------------------- */

static void add_source(struct text *out, const struct diff_source *source)
{
	if (!source->file) {
		text_add(out, "the policy in force");
		return;
	}
	escape_terminal(out, source->file, strlen(source->file), source->options.ascii);
	if (source->end_ns) {
		text_add(out, "  ");
		words_add_time_line(out, source->end_ns, true);
	}
	if (source->kernel) {
		text_add(out, "  kernel ");
		escape_terminal(out, source->kernel, strlen(source->kernel), source->options.ascii);
	}
}

static bool any_shown(const struct diff_space *space)
{
	const struct policy_diff *diff = &space->comparison->policy_diff;

	for (size_t i = 0; i < diff->count; i++) {
		if (space->shown[i])
			return true;
	}
	return space->comparison->count || diff->unheld_count;
}

/* As of diff(1), nothing is written of what is the same. */
static void write_names(struct page *page)
{
	const struct render_options *options = options_of(page, SIDE_OLD);

	for (size_t side = 0; side < SIDE_COUNT; side++) {
		tree_add_style(page->out, options, styles[side]);
		for (int i = 0; i < 3; i++)
			text_add_char(page->out, signs[side]);
		text_add_char(page->out, ' ');
		add_source(page->out, &page->context->sources[side]);
		tree_end_style(page->out, options, styles[side]);
		text_add_char(page->out, '\n');
	}
	if (!page->space->title)
		return;
	text_add(page->out, "@@ namespace ");
	tree_add_name(page->out, page->space->title, options);
	text_add(page->out, " @@\n");
}

static void write_space(struct text *out, const struct diff_context *context,
			const struct diff_space *space)
{
	struct page page = {
		.out = out,
		.context = context,
		.space = space,
		.diff = &space->comparison->policy_diff,
		.indent = "",
	};

	if (!any_shown(space))
		return;
	write_names(&page);
	for (size_t i = 0; i < page.diff->count; i++) {
		if (space->shown[i])
			write_item(&page, &page.diff->items[i]);
	}
	write_unheld(&page);
	write_changes(&page);
	text_free(&page.scratch);
}

const struct diff_format diff_text = {
	.space = write_space,
};
