/* SPDX-License-Identifier: GPL-2.0-only */
/* What lookups before told: where packets came in from, and where flows went. */
#ifndef FIBTRACE_TRACE_HISTORY_H
#define FIBTRACE_TRACE_HISTORY_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace/lookup.h"

struct history;

/* NULL with errno. Of bounded size: what was told long ago is forgotten. history_free() takes
 * NULL. */
struct history *history_new(void);
void history_free(struct history *history);

/* A packet from source to destination came in by a device, with that mark. */
struct arrival {
	uint8_t source[16];
	uint8_t destination[16];
	uint32_t netns;
	uint32_t device;
	uint32_t mark;
	uint8_t family;
	char name[IFNAMSIZ];
};

/* A flow went out by a device, with that mark. */
struct departure {
	struct flow_key key;
	uint32_t netns;
	uint32_t device;
	char name[IFNAMSIZ];
};

/* The last packet that came to this lookup's source from its destination: what it may answer, or
 * checks the source of. NULL: none is known. Borrowed until the next history_add(). */
const struct arrival *history_arrival(const struct history *history, const struct lookup *lookup);
/* Where the flow of the same addresses and ports went the last time; NULL: not known, or it has no
 * ports. */
const struct departure *history_departure(const struct history *history,
					  const struct lookup *lookup);

/* The last packet from this lookup's destination, to whatever address of the host. */
const struct arrival *history_arrival_from(const struct history *history,
					   const struct lookup *lookup);
/* The mark that the last packet to this lookup's destination went out with; 0: none is known. */
uint32_t history_sent_mark(const struct history *history, const struct lookup *lookup);

void history_add(struct history *history, const struct lookup *lookup);

#endif
