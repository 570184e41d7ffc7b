/* SPDX-License-Identifier: GPL-2.0-only */
/* What `fibtrace features` found out, and the two formats that tell it. */
#ifndef FIBTRACE_FEATURES_REPORT_H
#define FIBTRACE_FEATURES_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "capture/capture.h"
#include "util/text.h"

struct features {
	const char *kernel; /* uname release */
	const struct tier_state *tiers; /* best first */
	size_t tier_count;
};

/* The tier that --attach auto takes, NULL when none loads. */
const struct tier_state *features_best(const struct features *features);

/*
 * A function may be hooked in several ways, of which one suffices: its hooks
 * stand apart in a tier, and these look at all of them. first: nothing of the
 * same function comes before the hook at index.
 */
bool function_is_first(const struct tier_state *tier, size_t index);
bool function_is_attached(const struct tier_state *tier, const char *function);
/* True when a hook of it was tried in vain. */
bool function_is_refused(const struct tier_state *tier, const char *function);
/* The index-th function that is hooked where this one cannot be, NULL: there are no more. */
const char *function_stand_in(const struct tier_state *tier, const char *function, size_t index);
bool function_is_stand_in(const struct tier_state *tier, const char *function);
/* True when all of its stand-ins are attached. */
bool function_is_replaced(const struct tier_state *tier, const char *function);
/* True when what the function gives is not there: neither it nor a stand-in is attached. */
bool function_is_missed(const struct tier_state *tier, const char *function);

/* Text for people; what is attached as it should be is listed when verbose alone. */
void features_write_text(struct text *out, const struct features *features, bool verbose);
/* A "features" line, and a "tier" line for each tier. */
void features_write_json(struct text *out, const struct features *features);

#endif
