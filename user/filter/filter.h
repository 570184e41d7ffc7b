/* SPDX-License-Identifier: GPL-2.0-only */
/* The filters of the command line, applied to flow keys and to explained lookups. */
#ifndef FIBTRACE_FILTER_FILTER_H
#define FIBTRACE_FILTER_FILTER_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/filter.h"
#include "bpf/flow.h"

/* What of a verdict and its context a filter looks at. Names may be "". */
struct filter_subject {
	const struct flow_key *key;
	const char *iif;
	const char *dev; /* the verdict's */
	struct verdict_subject verdict;
	unsigned int purpose; /* enum purpose, as a bit number of purposes */
	uint32_t pid; /* 0: not in a task's own context */
};

struct filter {
	struct flow_filter flow; /* the kernel applies this one as well */
	struct verdict_filter verdict; /* and this one where it sees verdicts */
	bool findings; /* --findings; with verdict.failed unset */
	bool or_failed; /* --failed beside it: either suffices, which the kernel cannot tell */
	uint32_t iif_count;
	uint32_t oif_count;
	char iif[FILTER_MAX][IFNAMSIZ];
	char oif[FILTER_MAX][IFNAMSIZ];
};

/* The families, FILTER_FAMILY_…, that -4 and -6, the destinations and the sources allow, and what
 * all three do. */
uint32_t flow_filter_flag_families(const struct flow_filter *filter);
uint32_t flow_filter_dst_families(const struct flow_filter *filter);
uint32_t flow_filter_src_families(const struct flow_filter *filter);
uint32_t flow_filter_families(const struct flow_filter *filter);

/* The option that a kind belongs to: "--dst". */
const char *filter_kind_option(enum filter_kind kind);

/* The first kind of filter->flow that rejects key, or FILTER_NONE; the same
 * decision as flow_filter_rejects() in bpf/filter.bpf.h. pid 0 never matches a pid filter. */
enum filter_kind flow_filter_rejects(const struct flow_filter *filter, const struct flow_key *key,
				     uint32_t pid);

/* The first kind that rejects the lookup, those of the flow key included; FILTER_NONE: shown. */
enum filter_kind filter_rejects(const struct filter *filter, const struct filter_subject *subject);

/* FILTER_FINDINGS for a lookup with so many findings that passed all else; FILTER_NONE: shown. */
enum filter_kind filter_rejects_found(const struct filter *filter,
				      const struct filter_subject *subject, size_t findings);

#endif
