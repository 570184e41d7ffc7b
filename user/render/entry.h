/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries of the systemd journal: what each holds, as fields NAME=value. */
#ifndef FIBTRACE_RENDER_ENTRY_H
#define FIBTRACE_RENDER_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "render/render.h"
#include "util/text.h"

/* Those of a lookup, and two for each finding. */
#define ENTRY_FINDINGS_MAX 32
#define ENTRY_FIELDS_MAX (40 + 2 * ENTRY_FINDINGS_MAX)

/* All zero is an empty one. Fields stand one behind the other in text: field i from starts[i] on
 * to the next one or to the end. Values are bytes, of any kind. */
struct entry {
	struct text text;
	size_t starts[ENTRY_FIELDS_MAX];
	size_t count;
};

void entry_free(struct entry *entry);

/* Each replaces what the entry held. Of more than ENTRY_FINDINGS_MAX findings the first are told. */
void entry_lookup(struct entry *entry, const struct lookup *lookup,
		  const struct render_options *options);
/* That a trace begins; filters is NULL-terminated. */
void entry_start(struct entry *entry, const char *version, const char *tier,
		 const char *const *filters);
/* exact: lookups were lost, else events. */
void entry_lost(struct entry *entry, uint64_t time_ns, uint32_t cpu, uint64_t count, bool exact);
void entry_policy(struct entry *entry, uint64_t time_ns, const char *netns, const char *change);
void entry_warning(struct entry *entry, uint64_t time_ns, const char *message);
void entry_summary(struct entry *entry, uint64_t time_ns, const struct lookup_counts *counts);

#endif
