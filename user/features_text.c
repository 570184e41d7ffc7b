// SPDX-License-Identifier: GPL-2.0-only
/* `fibtrace features` for people: what is refused, what stands in for it, what is then not seen. */
#include "features_report.h"

#include <string.h>

/* What `hook` was refused for, without the name that its line begins with. */
static const char *refusal(const struct hook_state *hook)
{
	const char *name = strstr(hook->reason, hook->function);
	const char *rest = name ? name + strlen(hook->function) : "";

	return strncmp(rest, ": ", 2) ? hook->reason : rest + 2;
}

/* True for another way to hook the same function that was refused for the same reason. */
static bool refused_alike(const struct hook_state *hook, const struct hook_state *other)
{
	return other->reason[0] && !strcmp(hook->function, other->function) &&
	       !strcmp(refusal(hook), refusal(other));
}

static bool refusal_is_told(const struct tier_state *tier, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (refused_alike(&tier->hooks[index], &tier->hooks[i]))
			return true;
	}
	return false;
}

/* "fentry, kprobe refused: REASON; " for the hooks of a function that have one reason. */
static void add_refusal(struct text *out, const struct tier_state *tier, size_t index)
{
	const struct hook_state *hook = &tier->hooks[index];

	text_add(out, hook->method);
	for (size_t i = index + 1; i < tier->hook_count; i++) {
		if (refused_alike(hook, &tier->hooks[i]))
			text_printf(out, ", %s", tier->hooks[i].method);
	}
	text_printf(out, " refused: %s; ", refusal(hook));
}

static void add_refusals(struct text *out, const struct tier_state *tier, const char *function)
{
	for (size_t i = 0; i < tier->hook_count; i++) {
		const struct hook_state *hook = &tier->hooks[i];

		if (hook->reason[0] && !strcmp(hook->function, function) &&
		    !refusal_is_told(tier, i))
			add_refusal(out, tier, i);
	}
}

static void add_attached(struct text *out, const struct tier_state *tier, const char *function)
{
	const char *separator = "";

	for (size_t i = 0; i < tier->hook_count; i++) {
		const struct hook_state *hook = &tier->hooks[i];

		if (!hook->attached || strcmp(hook->function, function))
			continue;
		text_printf(out, "%s%s", separator, hook->method);
		separator = ", ";
	}
	text_add(out, " attached");
}

static void add_stand_ins(struct text *out, const struct tier_state *tier, const char *function)
{
	const char *name;

	for (size_t i = 0; (name = function_stand_in(tier, function, i)); i++)
		text_printf(out, "%s%s", i ? ", " : "", name);
	text_add(out, " attached instead");
}

static void add_function(struct text *out, const struct tier_state *tier,
			 const struct hook_state *hook, bool verbose)
{
	add_refusals(out, tier, hook->function);
	if (function_is_missed(tier, hook->function)) {
		text_printf(out, "not seen: %s\n", hook->gives);
		return;
	}
	if (function_is_attached(tier, hook->function))
		add_attached(out, tier, hook->function);
	else if (function_is_refused(tier, hook->function))
		add_stand_ins(out, tier, hook->function);
	else
		text_add(out, "not needed");
	if (verbose)
		text_printf(out, "%s: %s", hook->required ? ", required" : "", hook->gives);
	text_add_char(out, '\n');
}

static bool listed(const struct tier_state *tier, size_t index, bool verbose)
{
	return function_is_first(tier, index) &&
	       (verbose || function_is_refused(tier, tier->hooks[index].function));
}

static int width_of_names(const struct tier_state *tier, bool verbose)
{
	size_t width = 0;

	for (size_t i = 0; i < tier->hook_count; i++) {
		size_t length = strlen(tier->hooks[i].function);

		if (listed(tier, i, verbose) && length > width)
			width = length;
	}
	return (int)width;
}

/* "20 of 23 functions": a function and its stand-ins are one, whichever of them is attached. */
static void add_totals(struct text *out, const struct tier_state *tier)
{
	unsigned int wanted = 0, missed = 0;

	for (size_t i = 0; i < tier->hook_count; i++) {
		const char *function = tier->hooks[i].function;

		if (!function_is_first(tier, i) || function_is_stand_in(tier, function))
			continue;
		wanted++;
		missed += function_is_missed(tier, function);
	}
	text_printf(out, "  hooks: %u of %u functions\n", wanted - missed, wanted);
}

static void add_hooks(struct text *out, const struct tier_state *tier, bool verbose)
{
	int width = width_of_names(tier, verbose);

	add_totals(out, tier);
	for (size_t i = 0; i < tier->hook_count; i++) {
		if (!listed(tier, i, verbose))
			continue;
		text_printf(out, "    %-*s  ", width, tier->hooks[i].function);
		add_function(out, tier, &tier->hooks[i], verbose);
	}
}

static void add_tier(struct text *out, const struct tier_state *tier, bool verbose)
{
	text_printf(out, "%s: %s\n", tier->name, tier->loads ? "loads" : "refused");
	if (!tier->loads)
		text_printf(out, "  reason: %s\n", tier->reason);
	text_printf(out, "  needs: %s\n", tier->needs);
	if (tier->loads)
		add_hooks(out, tier, verbose);
	text_printf(out, "  cannot see: %s\n", tier->cannot_see);
}

void features_write_text(struct text *out, const struct features *features, bool verbose)
{
	const struct tier_state *best = features_best(features);

	text_printf(out, "kernel: %s\n", features->kernel);
	for (size_t i = 0; i < features->tier_count; i++)
		add_tier(out, &features->tiers[i], verbose);
	if (best)
		text_printf(out, "--attach auto takes %s\n", best->name);
	else
		text_add(out, "--attach auto finds no tier that loads\n");
}
