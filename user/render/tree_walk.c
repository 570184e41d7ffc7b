// SPDX-License-Identifier: GPL-2.0-only
/* The walk in the tree format: one line per step, in columns. */
#include <string.h>

#include "render/escape.h"
#include "render/tree.h"
#include "render/words.h"
#include "rules/selector.h"

#define PRIORITY_COLUMNS 7

/* So many steps in a row that say nothing become one line. */
#define COLLAPSED_LEAST 3

/* A column of the walk: as wide as its widest cell, within two bounds. */
struct column {
	void (*add)(struct text *cell, const struct lookup_step *step,
		    const struct render_options *options);
	size_t least;
	size_t most;
};

static void cell_selector(struct text *cell, const struct lookup_step *step,
			  const struct render_options *options)
{
	struct text raw = { 0 };

	if (!step->rule) {
		text_add(cell, "(no rule)");
		return;
	}
	rule_print_selector(&raw, step->rule, options->names);
	escape_terminal(cell, text_string(&raw), raw.length, options->ascii);
	cell->failed |= raw.failed;
	text_free(&raw);
}

static void cell_action(struct text *cell, const struct lookup_step *step,
			const struct render_options *options)
{
	uint8_t action = step->rule ? step->rule->action : RULE_LOOKUP;

	if (action == RULE_LOOKUP && step->table) {
		text_add(cell, "table ");
		tree_add_table(cell, step->table, options);
		return;
	}
	words_add_action(cell, action);
	if (action == RULE_GOTO)
		tree_add_labelled(cell, " ", step->rule->target);
}

static const struct column columns[TREE_COLUMNS] = {
	{ cell_selector, 30, 72 },
	{ cell_action, 14, 40 },
};

static void add_spaces(struct text *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_add_char(out, ' ');
}

static bool has_finding(const struct lookup *lookup, const struct lookup_step *step)
{
	for (size_t i = 0; i < lookup->finding_count; i++) {
		const struct finding *finding = &lookup->findings[i];

		if ((finding->has_priority && finding->priority == step->priority) ||
		    (finding->has_by && finding->by == step->priority))
			return true;
	}
	return false;
}

static bool says_nothing(const struct lookup *lookup, const struct lookup_step *step)
{
	if (step->outcome != STEP_SKIPPED && step->outcome != STEP_NOT_REACHED)
		return false;
	if (step->outcome == STEP_NOT_REACHED && step->has_route)
		return false;
	return !has_finding(lookup, step);
}

/* How many steps from index on are written as one line; 0: the step is written by itself. */
static size_t collapsed(const struct tree *tree, size_t index)
{
	const struct lookup *lookup = tree->lookup;
	size_t end = index;

	if (tree->options->verbose)
		return 0;
	while (end < lookup->step_count &&
	       lookup->steps[end].outcome == lookup->steps[index].outcome &&
	       says_nothing(lookup, &lookup->steps[end]))
		end++;
	return end - index >= COLLAPSED_LEAST ? end - index : 0;
}

static void measure_columns(struct tree *tree, size_t index)
{
	const struct column *column = &columns[index];

	tree->widths[index] = column->least;
	for (size_t i = 0; i < tree->lookup->step_count; i++) {
		size_t width, run = collapsed(tree, i);

		if (run) {
			i += run - 1;
			continue;
		}
		text_clear(&tree->scratch);
		column->add(&tree->scratch, &tree->lookup->steps[i], tree->options);
		width = escape_columns(text_string(&tree->scratch), tree->scratch.length);
		if (width > tree->widths[index] && width <= column->most)
			tree->widths[index] = width;
	}
}

static void add_cell(struct tree *tree, size_t index, const struct lookup_step *step)
{
	size_t width;

	text_clear(&tree->scratch);
	columns[index].add(&tree->scratch, step, tree->options);
	width = escape_columns(text_string(&tree->scratch), tree->scratch.length);
	text_add(tree->out, text_string(&tree->scratch));
	tree->out->failed |= tree->scratch.failed;
	if (width < tree->widths[index])
		add_spaces(tree->out, tree->widths[index] - width);
	add_spaces(tree->out, 2);
}

/* "prefix length 0 ≤ 0": what was compared, where it is known. */
static void add_suppressed(struct tree *tree, const struct lookup_step *step)
{
	const struct rule *rule = step->rule;

	if (step->has_route) {
		tree_add_route(tree, &step->route);
		text_add(tree->out, ", ");
	}
	text_add(tree->out, "suppressed");
	if (!rule || step->suppressor == SUPPRESSOR_NONE)
		return;
	if (step->suppressor == SUPPRESSOR_IFGROUP) {
		tree_add_labelled(tree->out, ": device group ", (uint32_t)rule->suppress_ifgroup);
	} else if (step->has_route && words_has_prefix(&step->route)) {
		tree_add_labelled(tree->out, ": prefix length ",
				  (uint64_t)step->route.prefix_length);
		text_add_char(tree->out, ' ');
		text_add(tree->out, tree->marks->at_most);
		tree_add_labelled(tree->out, " ", (uint32_t)rule->suppress_prefixlength);
	} else {
		tree_add_labelled(tree->out, ": suppress_prefixlength ",
				  (uint32_t)rule->suppress_prefixlength);
	}
}

static void add_throw(struct tree *tree, const struct lookup_step *step)
{
	if (step->has_route && words_has_prefix(&step->route))
		tree_add_route(tree, &step->route);
	else
		text_add(tree->out, "throw");
}

static void add_answer(struct tree *tree, const struct lookup_step *step)
{
	if (step->has_route)
		tree_add_route(tree, &step->route);
	else
		text_add(tree->out, step_outcome_name(step->outcome));
}

static void add_continues(struct tree *tree, const struct lookup_step *step)
{
	if (!step->rule || step->rule->action != RULE_GOTO)
		text_add(tree->out, "continues with the next rule");
	else if (step->unresolved)
		tree_add_labelled(tree->out, "unresolved: there is no rule ", step->rule->target);
	else
		tree_add_labelled(tree->out, "continues at rule ", step->rule->target);
}

static void add_unknown(struct tree *tree, const struct lookup_step *step)
{
	text_add(tree->out, "unknown");
	if (step->reason)
		text_printf(tree->out, ": %s", words_unknown_step(step));
}

/* Not to be reached by a hostile name of a device. */
static void add_mismatch(struct tree *tree, const struct lookup_step *step)
{
	text_clear(&tree->scratch);
	words_add_mismatch(&tree->scratch, tree->lookup, step, tree->options->names,
			   tree->options->ascii);
	escape_terminal(tree->out, text_string(&tree->scratch), tree->scratch.length,
			tree->options->ascii);
	tree->out->failed |= tree->scratch.failed;
}

static void add_skipped(struct tree *tree, const struct lookup_step *step)
{
	text_add(tree->out, "skipped");
	if (step->rule) {
		text_add(tree->out, ": ");
		add_mismatch(tree, step);
	}
	/* What it holds matters where something was found about it. */
	if (!step->has_route || !(tree->options->verbose || has_finding(tree->lookup, step)))
		return;
	text_add(tree->out, ", has ");
	add_answer(tree, step);
}

/* What its table holds for the packet is what the user may have expected. */
static void add_not_reached(struct tree *tree, const struct lookup_step *step)
{
	text_add(tree->out, "not reached");
	if (step->reason)
		tree_add_labelled(tree->out, ": jumped over by rule ", step->jumped_by);
	if (!step->has_route)
		return;
	text_add(tree->out, step->reason ? ", has " : ": has ");
	add_answer(tree, step);
}

/* How an outcome is written: by its words, or by add(). ends: it ended the walk, so the line is
 * marked. */
struct outcome_text {
	const char *words;
	void (*add)(struct tree *tree, const struct lookup_step *step);
	enum style style;
	bool ends;
};

static const struct outcome_text outcome_texts[STEP_OUTCOME_COUNT] = {
	[STEP_SKIPPED] = { NULL, add_skipped, STYLE_DIM, false },
	[STEP_NO_ROUTE] = { "no route", NULL, STYLE_NONE, false },
	[STEP_NO_TABLE] = { "no such table", NULL, STYLE_NONE, false },
	[STEP_THROW] = { NULL, add_throw, STYLE_NONE, false },
	[STEP_SUPPRESSED] = { NULL, add_suppressed, STYLE_SUPPRESSED, false },
	[STEP_CHOSEN] = { NULL, add_answer, STYLE_CHOSEN, true },
	[STEP_UNREACHABLE] = { NULL, add_answer, STYLE_ERROR, true },
	[STEP_BLACKHOLE] = { NULL, add_answer, STYLE_ERROR, true },
	[STEP_PROHIBIT] = { NULL, add_answer, STYLE_ERROR, true },
	[STEP_GOTO] = { NULL, add_continues, STYLE_NONE, false },
	[STEP_NOP] = { NULL, add_continues, STYLE_NONE, false },
	[STEP_NOT_REACHED] = { NULL, add_not_reached, STYLE_DIM, false },
	[STEP_UNKNOWN] = { NULL, add_unknown, STYLE_NONE, false },
};

static const struct outcome_text *outcome_text_of(const struct lookup_step *step)
{
	if ((unsigned int)step->outcome >= STEP_OUTCOME_COUNT)
		return &outcome_texts[STEP_UNKNOWN];
	return &outcome_texts[step->outcome];
}

/* The mark stands in the second column, or in the first beside five digits. */
static void add_priority(struct tree *tree, const struct lookup_step *step)
{
	bool marked = outcome_text_of(step)->ends;
	enum style style = marked ? outcome_text_of(step)->style : STYLE_DIM;
	uint32_t priority = 0;
	size_t space;

	text_clear(&tree->scratch);
	if (words_step_priority(step, &priority))
		text_add_unsigned(&tree->scratch, priority);
	else
		text_add_char(&tree->scratch, '-');
	space = tree->scratch.length < PRIORITY_COLUMNS ? PRIORITY_COLUMNS - tree->scratch.length
							: 0;
	tree_add_style(tree->out, tree->options, style);
	if (marked) {
		size_t before = space > 2 ? 1 : 0;

		add_spaces(tree->out, before);
		text_add(tree->out, tree->marks->chosen);
		add_spaces(tree->out, space > before + 1 ? space - before - 1 : 1);
	} else {
		add_spaces(tree->out, space);
	}
	text_add(tree->out, text_string(&tree->scratch));
	tree_end_style(tree->out, tree->options, style);
	add_spaces(tree->out, 2);
}

/* The kernel's own rules are everywhere: nobody has to be told. */
static void add_owner(struct tree *tree, const struct lookup_step *step)
{
	const struct owner *owner = step->rule ? step->rule->owner : NULL;

	if (!owner || owner_is_kernel(owner))
		return;
	add_spaces(tree->out, 2);
	tree_add_style(tree->out, tree->options, STYLE_DIM);
	tree_add_name(tree->out, owner_name(owner), tree->options);
	tree_end_style(tree->out, tree->options, STYLE_DIM);
}

static void write_step(struct tree *tree, const struct lookup_step *step)
{
	const struct outcome_text *outcome = outcome_text_of(step);

	add_priority(tree, step);
	for (size_t i = 0; i < TREE_COLUMNS; i++)
		add_cell(tree, i, step);
	tree_add_style(tree->out, tree->options, outcome->style);
	if (outcome->words)
		text_add(tree->out, outcome->words);
	else
		outcome->add(tree, step);
	tree_end_style(tree->out, tree->options, outcome->style);
	if (tree->options->verbose) {
		text_add(tree->out, " (");
		text_add(tree->out, evidence_name(step->evidence));
		text_add_char(tree->out, ')');
	}
	add_owner(tree, step);
	text_add_char(tree->out, '\n');
}

/* "… 37 rules skipped: fwmark, iif" */
static void write_collapsed(struct tree *tree, size_t index, size_t count)
{
	const struct lookup_step *steps = &tree->lookup->steps[index];
	uint32_t named = 0;

	add_spaces(tree->out, PRIORITY_COLUMNS + 2 - tree->marks->more_columns);
	tree_add_style(tree->out, tree->options, STYLE_DIM);
	text_add(tree->out, tree->marks->more);
	tree_add_labelled(tree->out, " ", count);
	text_add(tree->out,
		 steps->outcome == STEP_SKIPPED ? " rules skipped" : " rules not reached");
	for (size_t i = 0; i < count && steps->outcome == STEP_SKIPPED; i++) {
		uint32_t bit = 1u << steps[i].mismatch.selector;

		if (named & bit)
			continue;
		text_add(tree->out, named ? ", " : ": ");
		text_add(tree->out, selectors[steps[i].mismatch.selector].name);
		named |= bit;
	}
	tree_end_style(tree->out, tree->options, STYLE_DIM);
	text_add_char(tree->out, '\n');
}

void tree_write_walk(struct tree *tree)
{
	if (tree->lookup->verdict.decided_by == DECIDED_BY_BUILT_IN)
		text_add(tree->out,
			 "         built-in rules (no custom rules in this namespace)\n");
	for (size_t i = 0; i < TREE_COLUMNS; i++)
		measure_columns(tree, i);
	for (size_t i = 0; i < tree->lookup->step_count; i++) {
		size_t run = collapsed(tree, i);

		if (!run) {
			write_step(tree, &tree->lookup->steps[i]);
			continue;
		}
		write_collapsed(tree, i, run);
		i += run - 1;
	}
}
