/* SPDX-License-Identifier: GPL-2.0-only */
/* From events to output: assembles walks, explains them by the policy in force, filters, renders. */
#ifndef FIBTRACE_SESSION_H
#define FIBTRACE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/capture.h"
#include "filter/filter.h"
#include "present.h"
#include "spaces.h"

struct session;

/* Everything is borrowed for as long as the session lives. */
struct session_settings {
	struct capture *capture;
	struct spaces *spaces;
	const struct filter *filter;
	struct presenter *presenter;
	const struct symbols *symbols;
	bool netns_all;
	bool quiet;
};

/* NULL with errno. */
struct session *session_new(const struct session_settings *settings);
void session_free(struct session *session); /* takes NULL */

/* The hooks for spaces_open(); set data to the session, which may still be NULL then. */
void session_policy_changed(void *session, const struct space *space, const char *change);
void session_warning(void *session, const char *message);

int session_start(struct session *session, const char *const *filters);

/* Reads what waits in the ring and the notifications, and writes what it tells.
 * 1 when the trace is to end (limit reached, output closed), 0 to go on, -errno. */
int session_run_batch(struct session *session);
/* The last batch did not take all: the next may follow at once, after a look at signals and time. */
bool session_has_more(const struct session *session);

/* When session_run_batch() is to be called at the latest, CLOCK_BOOTTIME, so that what is held
 * back is written in time; 0: nothing is. */
uint64_t session_due(const struct session *session);

/* After capture_stop(): reads the rest, writes the summary and prints the counts. 0 or -errno. */
int session_finish(struct session *session);

#endif
