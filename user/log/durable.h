/* SPDX-License-Identifier: GPL-2.0-only */
/* Has what was written to files reach the disk in bounded time, beside the writing of it. */
#ifndef FIBTRACE_LOG_DURABLE_H
#define FIBTRACE_LOG_DURABLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* How many files that ended may wait for the disk before writing does. */
#define DURABLE_ENDED_MAX 16

/* A thread syncs; all else is the caller's, who calls from one thread. */
struct durable {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wanted; /* by the thread: there is something to do */
	pthread_cond_t done; /* there is room for files that ended */
	unsigned int every_s;
	int directory; /* -1: none that can be synced */
	int fd; /* of the file that is written, borrowed; -1: none */
	int ended[DURABLE_ENDED_MAX]; /* owned */
	size_t ended_count;
	bool named; /* its name has reached the disk */
	bool dirty; /* something was written since fd was synced last */
	bool stopping;
	int error; /* the first, -errno */
};

/*
 * Starts the thread: what is written is synced every_s seconds after it was told
 * of at the latest, if the disk keeps up. directory: in which files are made, borrowed;
 * -1: its entries are not synced. 0 or -errno: then it is not to be used.
 */
int durable_start(struct durable *durable, int directory, unsigned int every_s);

/* Something was written to the file fd, which stays open until durable_end_file() or
 * durable_stop(). 0, or -errno of the first sync that failed. */
int durable_written(struct durable *durable, int fd);
/* Nothing more is written to fd: it is synced and closed. Waits while too many are. */
void durable_end_file(struct durable *durable, int fd);

/* Syncs what there is and ends the thread. 0, or -errno of the first sync that failed. */
int durable_stop(struct durable *durable);

#endif
