/* SPDX-License-Identifier: GPL-2.0-only */
/* The filters of the command line on what differs. */
#ifndef FIBTRACE_DIFF_FILTER_H
#define FIBTRACE_DIFF_FILTER_H

#include "diff/comparison.h"
#include "filter/filter.h"

/* flow: what decides which recorded lookups are taken; verdict: which changed verdicts are shown,
 * by the old one or the new one. */
struct diff_filter {
	struct filter flow;
	struct filter verdict;
	uint32_t families; /* FILTER_FAMILY_… */
};

void diff_filter_init(struct diff_filter *filter, const struct filter *options);
bool diff_filter_takes(const struct diff_filter *filter, const struct lookup *lookup);
bool diff_filter_shows_change(const struct diff_filter *filter, const struct flow_change *change);
/* By family, --table and --pref; routes by --dst, too, which have addresses with it in common. */
bool diff_filter_shows_item(const struct diff_filter *filter, const struct policy_difference *item);

#endif
