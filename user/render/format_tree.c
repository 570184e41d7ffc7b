// SPDX-License-Identifier: GPL-2.0-only
/* The tree format: one block per lookup, its walk rule by rule, for people at a terminal. */
#include <linux/rtnetlink.h>
#include <string.h>

#include "render/escape.h"
#include "render/tree.h"
#include "render/words.h"

static const struct marks utf8_marks = { "▶", "⇒", "→", "≤", "…", 1 };
static const struct marks ascii_marks = { ">", "=>", "->", "<=", "...", 3 };

static void add_styled(struct tree *tree, enum style style, const char *string)
{
	tree_add_style(tree->out, tree->options, style);
	text_add(tree->out, string);
	tree_end_style(tree->out, tree->options, style);
}

static void add_process(struct tree *tree)
{
	const struct event_context *context = &tree->lookup->context;

	if (context->level != LEVEL_TASK) {
		text_add(tree->out, words_context(context));
		return;
	}
	escape_terminal(tree->out, context->comm, strnlen(context->comm, EVENT_COMM_LEN),
			tree->options->ascii);
	text_add_char(tree->out, '[');
	text_add_unsigned(tree->out, context->pid);
	text_add_char(tree->out, ']');
}

static void add_packet(struct tree *tree, const uint8_t *src, const uint8_t *dst)
{
	text_add_address(tree->out, tree->lookup->key.family, src);
	text_add_char(tree->out, ' ');
	text_add(tree->out, tree->marks->arrow);
	text_add_char(tree->out, ' ');
	text_add_address(tree->out, tree->lookup->key.family, dst);
}

/* A source-check asks for the way back: its destination is the packet's source. */
static void add_question(struct tree *tree)
{
	const struct flow_key *key = &tree->lookup->key;

	text_add(tree->out, purpose_name(tree->lookup->purpose));
	if (tree->lookup->purpose != PURPOSE_SOURCE_CHECK) {
		text_add_char(tree->out, ' ');
		add_packet(tree, key->src, key->dst);
		return;
	}
	text_add(tree->out, " of ");
	text_add_address(tree->out, key->family, key->dst);
	text_add(tree->out, " (packet ");
	add_packet(tree, key->dst, key->src);
	text_add_char(tree->out, ')');
}

static void add_protocol(struct tree *tree)
{
	const struct flow_key *key = &tree->lookup->key;

	if (!key->protocol)
		return;
	text_add(tree->out, protocol_name(key->protocol) ? " " : " proto ");
	words_add_protocol(tree->out, key->protocol);
	if (protocol_has_ports(key->protocol)) {
		tree_add_labelled(tree->out, " ", key->sport);
		text_add_char(tree->out, ' ');
		text_add(tree->out, tree->marks->arrow);
		tree_add_labelled(tree->out, " ", key->dport);
	} else if (words_is_icmp(key) && tree->options->verbose) {
		tree_add_labelled(tree->out, " type ", key->dport >> 8);
		tree_add_labelled(tree->out, " code ", key->dport & 0xff);
	}
}

static void add_interfaces(struct tree *tree)
{
	const struct lookup *lookup = tree->lookup;

	if (lookup->key.iif && lookup->key.iif != FLOW_IFINDEX_LO) {
		text_add(tree->out, " iif ");
		tree_add_device(tree->out, lookup->iif, lookup->key.iif, tree->options);
	}
	if (lookup->key.oif) {
		text_add(tree->out, " oif ");
		tree_add_device(tree->out, lookup->oif, lookup->key.oif, tree->options);
	}
}

static void add_netns(struct tree *tree)
{
	const char *name = tree->lookup->netns_name;

	if (name && name[0]) {
		text_add(tree->out, " netns ");
		tree_add_name(tree->out, name, tree->options);
	}
}

/* What rules can look at but seldom do: shown when it is there. */
static void add_rare_selectors(struct tree *tree)
{
	const struct flow_key *key = &tree->lookup->key;

	if (key->tos || tree->options->verbose) {
		text_add(tree->out, " tos ");
		text_add_hex(tree->out, key->tos);
	}
	if (key->tun_id)
		tree_add_labelled(tree->out, " tun_id ", key->tun_id);
	if (key->l3mdev)
		tree_add_labelled(tree->out, " l3mdev ", key->l3mdev);
	if (key->flowlabel) {
		text_add(tree->out, " flowlabel ");
		text_add_hex(tree->out, key->flowlabel);
	}
}

static void add_verbose(struct tree *tree)
{
	const struct lookup *lookup = tree->lookup;

	text_add(tree->out, " cause ");
	text_add(tree->out, cause_name(lookup->cause));
	tree_add_labelled(tree->out, " group ", lookup->group);
	tree_add_labelled(tree->out, " cpu ", lookup->cpu);
	if (lookup->netns)
		tree_add_labelled(tree->out, " inode ", lookup->netns);
	if (lookup->duration_ns) {
		tree_add_labelled(tree->out, " took ", lookup->duration_ns);
		text_add(tree->out, "ns");
	}
}

static void add_mark(struct tree *tree)
{
	uint32_t fwmark = tree->lookup->key.mark;
	const struct owner_mark *mark = owners_mark(tree->options->owners, fwmark);

	text_add(tree->out, " mark ");
	text_add_hex(tree->out, fwmark);
	if (!mark)
		return;
	text_add(tree->out, " (");
	tree_add_name(tree->out, owner_name(mark->owner), tree->options);
	text_add_char(tree->out, ' ');
	tree_add_name(tree->out, mark->meaning, tree->options);
	text_add_char(tree->out, ')');
}

static void write_header(struct tree *tree)
{
	const struct flow_key *key = &tree->lookup->key;

	words_add_time_clock(tree->out, tree->lookup->time_ns, tree->options->utc);
	text_add_char(tree->out, ' ');
	add_process(tree);
	text_add_char(tree->out, ' ');
	add_question(tree);
	add_protocol(tree);
	add_mark(tree);
	if (key->uid != FLOW_UID_INVALID)
		tree_add_labelled(tree->out, " uid ", key->uid);
	add_interfaces(tree);
	add_rare_selectors(tree);
	add_netns(tree);
	if (tree->options->verbose)
		add_verbose(tree);
	text_add_char(tree->out, '\n');
}

/* "unreachable by rule 5250", "unreachable 10.0.0.0/8 in table 52 by rule 5270". */
static void add_refusal(struct tree *tree, const struct lookup_step *step)
{
	const struct lookup_route *route =
		step->has_route ? &step->route : &tree->lookup->verdict.route;
	uint32_t priority = 0;

	if (step->table && route->type) {
		tree_add_route(tree, route);
		text_add(tree->out, " in table ");
		tree_add_table(tree->out, step->table, tree->options);
	} else {
		text_add(tree->out, step_outcome_name(step->outcome));
	}
	if (words_step_priority(step, &priority))
		tree_add_labelled(tree->out, " by rule ", priority);
}

static void add_error_reason(struct tree *tree)
{
	const struct lookup_verdict *verdict = &tree->lookup->verdict;
	const struct lookup_step *refusal = words_refusal(tree->lookup);

	if (verdict->decided_by == DECIDED_BY_UNKNOWN)
		text_printf(tree->out, ": %s", words_unknown(tree->lookup));
	else if (verdict->decided_by == DECIDED_BY_END_OF_RULES)
		text_add(tree->out, ": end of the rules");
	else if (refusal) {
		text_add(tree->out, ": ");
		add_refusal(tree, refusal);
	} else if (verdict->decided_by == DECIDED_BY_BUILT_IN) {
		text_add(tree->out, ": no route in the built-in tables");
	} else if (verdict->has_priority) {
		tree_add_labelled(tree->out, ": by rule ", verdict->priority);
	}
}

static void add_error(struct tree *tree)
{
	tree_add_style(tree->out, tree->options, STYLE_ERROR);
	text_add(tree->out, tree->marks->verdict);
	text_add_char(tree->out, ' ');
	words_add_error(tree->out, tree->lookup->verdict.error);
	add_error_reason(tree);
	tree_end_style(tree->out, tree->options, STYLE_ERROR);
}

static const char *const decision_notes[DECIDED_BY_COUNT] = {
	[DECIDED_BY_EXCEPTION] = " (from a route exception)",
	[DECIDED_BY_SUPPRESSED_ROUTE] = " (a route that had been suppressed)",
	[DECIDED_BY_DIRECT] = " (table asked without rules)",
};

static void add_decision_note(struct tree *tree)
{
	enum decided_by decided_by = tree->lookup->verdict.decided_by;
	const struct lookup_step *refusal = words_refusal(tree->lookup);

	if (decided_by == DECIDED_BY_BOUND_DEVICE) {
		text_add(tree->out, " on-link through the bound device; the rules said ");
		text_add(tree->out, refusal ? step_outcome_name(refusal->outcome) : "no route");
	} else if (decided_by == DECIDED_BY_UNKNOWN) {
		text_printf(tree->out, " (by which rule is unknown: %s)",
			    words_unknown(tree->lookup));
	} else if ((unsigned int)decided_by < DECIDED_BY_COUNT && decision_notes[decided_by]) {
		text_add(tree->out, decision_notes[decided_by]);
	} else if (tree->lookup->verdict.route.exception) {
		text_add(tree->out, decision_notes[DECIDED_BY_EXCEPTION]);
	}
}

/* " local dev lo src 192.0.2.1" */
static void add_found_route(struct tree *tree, const struct lookup_route *route)
{
	if (route->type && route->type != RTN_UNICAST) {
		text_add_char(tree->out, ' ');
		words_add_route_type(tree->out, route->type);
	}
	tree_add_nexthop(tree, route);
	tree_add_choice(tree, route);
	if (route->has_prefsrc) {
		text_add(tree->out, " src ");
		text_add_address(tree->out, tree->lookup->key.family, route->prefsrc);
	}
}

static void add_found(struct tree *tree)
{
	size_t start;

	add_styled(tree, STYLE_CHOSEN, tree->marks->verdict);
	start = tree->out->length;
	add_found_route(tree, &tree->lookup->verdict.route);
	if (tree->out->length > start)
		add_decision_note(tree);
	else if (tree->lookup->verdict.decided_by == DECIDED_BY_UNKNOWN)
		text_printf(tree->out, " unknown: %s", words_unknown(tree->lookup));
	else
		text_add(tree->out, " a route");
}

static const struct {
	const char *mark;
	enum style style;
} severities[SEVERITY_COUNT] = {
	[SEVERITY_INFO] = { "i", STYLE_DIM },
	[SEVERITY_WARNING] = { "!", STYLE_SUPPRESSED },
	[SEVERITY_ERROR] = { "!", STYLE_ERROR },
};

static void write_finding(struct tree *tree, const struct finding *finding)
{
	enum style style = severities[finding->severity].style;

	text_add(tree->out, "   ");
	tree_add_style(tree->out, tree->options, style);
	text_add(tree->out, severities[finding->severity].mark);
	text_add_char(tree->out, ' ');
	tree_add_name(tree->out, finding->text, tree->options);
	if (tree->options->verbose) {
		text_add(tree->out, " (");
		text_add(tree->out, finding_kind_name(finding->kind));
		text_add(tree->out, ", ");
		text_add(tree->out, severity_name(finding->severity));
		text_add_char(tree->out, ')');
	}
	tree_end_style(tree->out, tree->options, style);
	text_add_char(tree->out, '\n');
}

static void write_findings(struct tree *tree)
{
	for (size_t i = 0; i < tree->lookup->finding_count; i++)
		write_finding(tree, &tree->lookup->findings[i]);
}

static void write_lookup(struct text *out, const struct lookup *lookup,
			 const struct render_options *options)
{
	struct tree tree = {
		.out = out,
		.lookup = lookup,
		.options = options,
		.marks = options->ascii ? &ascii_marks : &utf8_marks,
	};

	write_header(&tree);
	tree_write_walk(&tree);
	text_add(out, "   ");
	if (lookup->verdict.error)
		add_error(&tree);
	else
		add_found(&tree);
	text_add_char(out, '\n');
	write_findings(&tree);
	text_free(&tree.scratch);
}

/* "⇒ 5209 table 51820 via 10.64.0.1 dev wg0": what was found, without the walk to it. */
static void add_brief_found(struct tree *tree)
{
	const struct lookup_verdict *verdict = &tree->lookup->verdict;
	const struct lookup_route *route = &verdict->route;

	add_styled(tree, STYLE_CHOSEN, tree->marks->verdict);
	if (verdict->has_priority)
		tree_add_labelled(tree->out, " ", verdict->priority);
	if (verdict->table) {
		text_add(tree->out, " table ");
		tree_add_table(tree->out, verdict->table, tree->options);
	}
	if (route->type && route->type != RTN_UNICAST && verdict->table != RT_TABLE_LOCAL) {
		text_add_char(tree->out, ' ');
		words_add_route_type(tree->out, route->type);
	}
	tree_add_nexthop(tree, route);
	add_decision_note(tree);
}

/* " ! shadowed-route, auto-priority" */
static void add_kinds(struct tree *tree)
{
	for (size_t i = 0; i < tree->lookup->finding_count; i++) {
		text_add(tree->out, i ? ", " : " ! ");
		text_add(tree->out, finding_kind_name(tree->lookup->findings[i].kind));
	}
}

/* Question and answer. */
static void add_brief(struct tree *tree)
{
	const struct lookup *lookup = tree->lookup;

	add_question(tree);
	add_protocol(tree);
	if (lookup->key.mark) {
		text_add(tree->out, " mark ");
		text_add_hex(tree->out, lookup->key.mark);
	}
	add_interfaces(tree);
	text_add_char(tree->out, ' ');
	if (lookup->verdict.error)
		add_error(tree);
	else
		add_brief_found(tree);
}

void tree_add_message(struct text *out, const struct lookup *lookup,
		      const struct render_options *options)
{
	struct tree tree = {
		.out = out,
		.lookup = lookup,
		.options = options,
		.marks = options->ascii ? &ascii_marks : &utf8_marks,
	};

	add_process(&tree);
	text_add_char(out, ' ');
	add_brief(&tree);
	if (!lookup->finding_count)
		return;
	text_add(out, " ! ");
	tree_add_name(out, lookup->findings[0].text, options);
}

/* Whose lookup it is, and where, stands in the header of the one that is shown in full. */
static void write_brief(struct text *out, const struct lookup *lookup,
			const struct render_options *options)
{
	struct tree tree = {
		.out = out,
		.lookup = lookup,
		.options = options,
		.marks = options->ascii ? &ascii_marks : &utf8_marks,
	};

	words_add_time_clock(out, lookup->time_ns, options->utc);
	text_add_char(out, ' ');
	text_add(out, cause_name(lookup->cause));
	text_add(out, ": ");
	add_brief(&tree);
	add_kinds(&tree);
	text_add_char(out, '\n');
}

static void begin_note(struct text *out, uint64_t time_ns, const struct render_options *options)
{
	words_add_time_clock(out, time_ns, options->utc);
	text_add_char(out, ' ');
}

static void write_lost(struct text *out, uint64_t time_ns, uint32_t cpu, uint64_t count,
		       const struct render_options *options)
{
	begin_note(out, time_ns, options);
	tree_add_style(out, options, STYLE_ERROR);
	tree_add_labelled(out, "lost ", count);
	text_add(out, count == 1 ? " lookup" : " lookups");
	tree_add_labelled(out, " on cpu ", cpu);
	tree_end_style(out, options, STYLE_ERROR);
	text_add_char(out, '\n');
}

static void write_policy(struct text *out, uint64_t time_ns, uint32_t netns, const char *change,
			 const struct render_options *options)
{
	begin_note(out, time_ns, options);
	if (netns && options->verbose) {
		tree_add_labelled(out, "netns ", netns);
		text_add_char(out, ' ');
	}
	tree_add_name(out, change, options);
	text_add_char(out, '\n');
}

static void write_warning(struct text *out, uint64_t time_ns, const char *message,
			  const struct render_options *options)
{
	begin_note(out, time_ns, options);
	text_add(out, "warning: ");
	tree_add_name(out, message, options);
	text_add_char(out, '\n');
}

const struct format format_tree = {
	.name = "tree",
	.above = "  ",
	.below = "   + ",
	.lookup = write_lookup,
	.brief = write_brief,
	.lost = write_lost,
	.policy = write_policy,
	.warning = write_warning,
};
