/* SPDX-License-Identifier: GPL-2.0-only */
/* Which lookups belong together: those that one system call or one received packet made. */
#ifndef FIBTRACE_TRACE_GROUP_H
#define FIBTRACE_TRACE_GROUP_H

#include <stdint.h>

#include "trace/lookup.h"

struct groups;
struct group;

/* NULL with errno. groups_free() takes NULL. */
struct groups *groups_new(void);
void groups_free(struct groups *groups);

/*
 * The group of a lookup, of those that are handed over in the order in which
 * they are shown; valid until the next call. Where the kernel was seen to make
 * two lookups in one call (visit), they are of one group, where it was seen to
 * do something else meanwhile (instance), of two. Else the lookup belongs to the
 * last group of its thread when that is what the kernel asks next on the way it
 * is on, and soon where the instance is not known: when in doubt it begins a group.
 */
struct group *groups_find(struct groups *groups, const struct lookup *lookup);

/* Its number; groups are numbered from 1, as they are first asked for theirs. */
uint64_t group_number(struct groups *groups, struct group *group);

/* Names what does one thing at a time: a task, the softirqs of a CPU, a kernel thread. */
uint64_t group_thread(const struct lookup *lookup);

#endif
