// SPDX-License-Identifier: GPL-2.0-only
/* Has what was written to files reach the disk, in a thread: a slow one does not hold up the trace. */
#include "log/durable.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* Some file systems have nothing that could be synced. */
static int sync_result(int result)
{
	return !result || errno == EINVAL || errno == EROFS ? 0 : -errno;
}

/* The file, and that it is found by its name. */
static int sync_file(int fd, int directory)
{
	int err = sync_result(fdatasync(fd));

	return err || directory < 0 ? err : sync_result(fsync(directory));
}

static void durable_fail(struct durable *durable, int err)
{
	if (!durable->error)
		durable->error = err;
}

/* Called with the lock, which is not held while the disk is waited for. */
static void sync_ended(struct durable *durable)
{
	int fd = durable->ended[--durable->ended_count];
	int err;

	pthread_cond_signal(&durable->done);
	pthread_mutex_unlock(&durable->lock);
	err = sync_file(fd, durable->directory);
	if (close(fd) && !err)
		err = -errno;
	pthread_mutex_lock(&durable->lock);
	durable_fail(durable, err);
}

static void sync_current(struct durable *durable)
{
	int directory = durable->named ? -1 : durable->directory;
	int fd = durable->fd;
	int err;

	durable->dirty = false;
	durable->named = true;
	pthread_mutex_unlock(&durable->lock);
	err = sync_file(fd, directory);
	pthread_mutex_lock(&durable->lock);
	durable_fail(durable, err);
}

/* Until then, or until there is more to do than wait. */
static void rest(struct durable *durable, const struct timespec *until)
{
	int err = 0;

	while (!err && !durable->stopping && !durable->ended_count)
		err = pthread_cond_timedwait(&durable->wanted, &durable->lock, until);
}

static void *durable_run(void *data)
{
	struct durable *durable = data;
	struct timespec until;

	pthread_mutex_lock(&durable->lock);
	for (;;) {
		while (!durable->ended_count && !durable->dirty && !durable->stopping)
			pthread_cond_wait(&durable->wanted, &durable->lock);
		if (durable->ended_count) {
			sync_ended(durable);
			continue;
		}
		if (!durable->dirty)
			break;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += durable->every_s;
		rest(durable, &until);
		if (durable->dirty && !durable->ended_count)
			sync_current(durable);
	}
	pthread_mutex_unlock(&durable->lock);
	return NULL;
}

static int init_conditions(struct durable *durable)
{
	pthread_condattr_t attributes;
	int err = pthread_condattr_init(&attributes);

	if (err)
		return err;
	err = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (!err)
		err = pthread_cond_init(&durable->wanted, &attributes);
	if (!err)
		err = pthread_cond_init(&durable->done, &attributes);
	pthread_condattr_destroy(&attributes);
	return err;
}

/* Signals are for the thread that traces. */
static int start_thread(struct durable *durable)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	err = pthread_create(&durable->thread, NULL, durable_run, durable);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

int durable_start(struct durable *durable, int directory, unsigned int every_s)
{
	int err;

	*durable = (struct durable){ .directory = directory, .every_s = every_s, .fd = -1 };
	err = pthread_mutex_init(&durable->lock, NULL);
	if (!err)
		err = init_conditions(durable);
	if (!err)
		err = start_thread(durable);
	return -err;
}

int durable_written(struct durable *durable, int fd)
{
	int err;

	pthread_mutex_lock(&durable->lock);
	if (!durable->dirty)
		pthread_cond_signal(&durable->wanted);
	durable->fd = fd;
	durable->dirty = true;
	err = durable->error;
	pthread_mutex_unlock(&durable->lock);
	return err;
}

void durable_end_file(struct durable *durable, int fd)
{
	pthread_mutex_lock(&durable->lock);
	while (durable->ended_count == DURABLE_ENDED_MAX)
		pthread_cond_wait(&durable->done, &durable->lock);
	durable->ended[durable->ended_count++] = fd;
	durable->fd = -1;
	durable->named = false;
	durable->dirty = false;
	pthread_cond_signal(&durable->wanted);
	pthread_mutex_unlock(&durable->lock);
}

int durable_stop(struct durable *durable)
{
	pthread_mutex_lock(&durable->lock);
	durable->stopping = true;
	pthread_cond_signal(&durable->wanted);
	pthread_mutex_unlock(&durable->lock);
	pthread_join(durable->thread, NULL);
	pthread_cond_destroy(&durable->wanted);
	pthread_cond_destroy(&durable->done);
	pthread_mutex_destroy(&durable->lock);
	return durable->error;
}
