/* SPDX-License-Identifier: GPL-2.0-only */
/* The summary as text: lookups by outcome, by rule and by finding. */
#ifndef FIBTRACE_RENDER_TOTALS_H
#define FIBTRACE_RENDER_TOTALS_H

#include "render/render.h"
#include "render/summary.h"

/* Appends a line for each that has something to tell, without any "fibtrace: " before it. Of many
 * rules those that decided most are named, unless verbose. */
void totals_print(struct text *out, const struct trace_summary *summary,
		  const struct render_options *options);

#endif
