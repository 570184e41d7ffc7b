// SPDX-License-Identifier: GPL-2.0-only
/* The summary as text: lookups by outcome, by rule and by finding. */
#include "render/totals.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/escape.h"
#include "render/words.h"

#define RULES_NAMED 8

static void add_outcomes(struct text *out, const struct trace_summary *summary)
{
	if (!summary->error_count)
		return;
	text_printf(out, "by outcome: %" PRIu64 " found a route", summary->found);
	for (size_t i = 0; i < summary->error_count; i++) {
		text_printf(out, ", %" PRIu64 " ", summary->errors[i].count);
		if (summary->errors[i].error)
			words_add_error(out, summary->errors[i].error);
		else
			text_add(out, "other errors");
	}
	text_add_char(out, '\n');
}

static int more_first(const void *one, const void *other)
{
	const struct rule_total *const *a = one, *const *b = other;

	if ((*a)->count != (*b)->count)
		return (*a)->count > (*b)->count ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

static void add_rule(struct text *out, const struct rule_total *total,
		     const struct render_options *options)
{
	const char *table = names_table(options->names, total->table);

	text_printf(out, "%" PRIu64 " by %srule %u", total->count,
		    total->family == FLOW_AF_INET6 ? "IPv6 " : "", total->priority);
	if (!total->table)
		return;
	text_add(out, " (table ");
	if (table)
		escape_terminal(out, table, strlen(table), options->ascii);
	else
		text_add_unsigned(out, total->table);
	text_add_char(out, ')');
}

static void add_rules(struct text *out, const struct trace_summary *summary,
		      const struct render_options *options)
{
	size_t count = summary->rule_count, named = count;
	const struct rule_total **sorted = reallocarray(NULL, count, sizeof(*sorted));

	if (!sorted) {
		out->failed |= count != 0;
		return;
	}
	for (size_t i = 0; i < count; i++)
		sorted[i] = &summary->rules[i];
	qsort(sorted, count, sizeof(*sorted), more_first);
	if (!options->verbose && named > RULES_NAMED)
		named = RULES_NAMED;
	for (size_t i = 0; i < named; i++) {
		text_add(out, i ? ", " : "decided: ");
		add_rule(out, sorted[i], options);
	}
	if (named < count)
		text_printf(out, ", and by %zu more rules", count - named);
	if (count)
		text_add_char(out, '\n');
	free(sorted);
}

static void add_findings(struct text *out, const struct trace_summary *summary)
{
	const char *separator = "found: ";

	for (int kind = 0; kind < FINDING_KIND_COUNT; kind++) {
		if (!summary->findings[kind])
			continue;
		text_printf(out, "%s%" PRIu64 " %s", separator, summary->findings[kind],
			    finding_kind_name(kind));
		separator = ", ";
	}
	if (*separator == ',')
		text_add_char(out, '\n');
}

void totals_print(struct text *out, const struct trace_summary *summary,
		  const struct render_options *options)
{
	add_outcomes(out, summary);
	add_rules(out, summary, options);
	add_findings(out, summary);
}
