/* SPDX-License-Identifier: GPL-2.0-only */
/* The systemd journal: entries go to it through libsystemd, which is loaded only for that. */
#ifndef FIBTRACE_JOURNAL_JOURNAL_H
#define FIBTRACE_JOURNAL_JOURNAL_H

#include <stdint.h>

#include "render/entry.h"

struct journal;

/*
 * Loads the library, and finds journald listening; that needs what a sandbox
 * forbids, as the first journal_send() does. NULL after a line on stderr that says
 * what is missing.
 */
struct journal *journal_open(void);
void journal_close(struct journal *journal); /* takes NULL */

/* 0, or -errno: the journal has not got the entry. Waits while journald has too much to do. */
int journal_send(struct journal *journal, const struct entry *entry);

#endif
