// SPDX-License-Identifier: GPL-2.0-only
/* Tests of what has a log reach the disk: when, in what order, and what a disk says that cannot. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "log/durable.h"

/* The disk: what was synced, in place of the C library's. */
static struct disk {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int files;
	unsigned int directories;
	int last; /* the file that was synced last */
	int error; /* what the next sync comes to */
	bool stuck; /* nothing is synced until it is not */
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

#define DIRECTORY 1000000

static int disk_sync(unsigned int *count, int fd)
{
	int error;

	pthread_mutex_lock(&disk.lock);
	while (disk.stuck)
		pthread_cond_wait(&disk.changed, &disk.lock);
	error = disk.error;
	(*count)++;
	disk.last = fd;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
	errno = error;
	return error ? -1 : 0;
}

int fdatasync(int fd)
{
	return disk_sync(&disk.files, fd);
}

int fsync(int fd)
{
	assert_int_equal(fd, DIRECTORY);
	return disk_sync(&disk.directories, disk.last);
}

static int set_up(void **state)
{
	(void)state;
	disk.files = disk.directories = 0;
	disk.last = -1;
	disk.error = 0;
	disk.stuck = false;
	return 0;
}

static void await_files(unsigned int count)
{
	pthread_mutex_lock(&disk.lock);
	while (disk.files < count)
		pthread_cond_wait(&disk.changed, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
}

static unsigned int files_synced(void)
{
	unsigned int files;

	pthread_mutex_lock(&disk.lock);
	files = disk.files;
	pthread_mutex_unlock(&disk.lock);
	return files;
}

static void set_stuck(bool stuck)
{
	pthread_mutex_lock(&disk.lock);
	disk.stuck = stuck;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void what_is_written_is_synced_by_itself(void **state)
{
	struct durable durable;
	double before = seconds();

	(void)state;
	assert_int_equal(durable_start(&durable, DIRECTORY, 1), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(durable_written(&durable, 7), 0);
	assert_int_equal(files_synced(), 0);
	await_files(1);
	assert_true(seconds() - before >= 1);
	assert_int_equal(durable_written(&durable, 7), 0);
	await_files(2);
	assert_int_equal(disk.last, 7);
	assert_int_equal(durable_stop(&durable), 0);
	/* Its name once, and nothing for what is there already. */
	assert_int_equal(disk.files, 2);
	assert_int_equal(disk.directories, 1);
}

static void the_end_waits_for_nothing_but_the_disk(void **state)
{
	struct durable durable;

	(void)state;
	assert_int_equal(durable_start(&durable, DIRECTORY, 3600), 0);
	assert_int_equal(durable_written(&durable, 7), 0);
	assert_int_equal(durable_stop(&durable), 0);
	assert_int_equal(disk.files, 1);
	assert_int_equal(disk.directories, 1);
}

static void nothing_written_is_not_synced(void **state)
{
	struct durable durable;

	(void)state;
	assert_int_equal(durable_start(&durable, DIRECTORY, 1), 0);
	assert_int_equal(durable_stop(&durable), 0);
	assert_int_equal(disk.files, 0);
}

static int a_file(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* All are synced and closed, however slow the disk is; so is the one that is written then. */
static void files_that_end_are_synced_at_once(void **state)
{
	struct durable durable;
	int fds[DURABLE_ENDED_MAX];

	(void)state;
	set_stuck(true);
	assert_int_equal(durable_start(&durable, DIRECTORY, 3600), 0);
	for (size_t i = 0; i < DURABLE_ENDED_MAX; i++) {
		fds[i] = a_file();
		assert_int_equal(durable_written(&durable, fds[i]), 0);
		durable_end_file(&durable, fds[i]);
	}
	assert_int_equal(durable_written(&durable, 7), 0);
	set_stuck(false);
	await_files(DURABLE_ENDED_MAX);
	assert_int_equal(durable_stop(&durable), 0);
	assert_int_equal(disk.files, DURABLE_ENDED_MAX + 1);
	assert_int_equal(disk.directories, DURABLE_ENDED_MAX + 1);
	assert_int_equal(disk.last, 7);
	for (size_t i = 0; i < DURABLE_ENDED_MAX; i++)
		assert_int_equal(fcntl(fds[i], F_GETFD), -1);
}

static void *unstick_later(void *data)
{
	struct timespec pause = { .tv_nsec = 200000000 };

	nanosleep(&pause, NULL);
	set_stuck(false);
	return data;
}

/* Files do not gather without end before a disk that is too slow. */
static void too_many_files_wait_for_the_disk(void **state)
{
	struct durable durable;
	pthread_t helper;
	double before = seconds();

	(void)state;
	set_stuck(true);
	assert_int_equal(durable_start(&durable, -1, 3600), 0);
	assert_int_equal(pthread_create(&helper, NULL, unstick_later, NULL), 0);
	for (size_t i = 0; i < 3 * DURABLE_ENDED_MAX; i++)
		durable_end_file(&durable, a_file());
	assert_true(seconds() - before >= 0.2);
	pthread_join(helper, NULL);
	assert_int_equal(durable_stop(&durable), 0);
	assert_int_equal(disk.files, 3 * DURABLE_ENDED_MAX);
	assert_int_equal(disk.directories, 0);
}

static void what_the_disk_refuses_is_told(void **state)
{
	struct durable durable;

	(void)state;
	disk.error = EIO;
	assert_int_equal(durable_start(&durable, DIRECTORY, 3600), 0);
	durable_end_file(&durable, a_file());
	await_files(1);
	/* The thread has yet to say it. */
	while (!durable_written(&durable, 7))
		sched_yield();
	assert_int_equal(durable_written(&durable, 7), -EIO);
	disk.error = 0;
	assert_int_equal(durable_stop(&durable), -EIO);
}

static void what_cannot_be_synced_is_no_error(void **state)
{
	struct durable durable;

	(void)state;
	disk.error = EINVAL;
	assert_int_equal(durable_start(&durable, DIRECTORY, 3600), 0);
	assert_int_equal(durable_written(&durable, 7), 0);
	assert_int_equal(durable_stop(&durable), 0);
	assert_int_equal(disk.files, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_written_is_synced_by_itself, set_up),
		cmocka_unit_test_setup(the_end_waits_for_nothing_but_the_disk, set_up),
		cmocka_unit_test_setup(nothing_written_is_not_synced, set_up),
		cmocka_unit_test_setup(files_that_end_are_synced_at_once, set_up),
		cmocka_unit_test_setup(too_many_files_wait_for_the_disk, set_up),
		cmocka_unit_test_setup(what_the_disk_refuses_is_told, set_up),
		cmocka_unit_test_setup(what_cannot_be_synced_is_no_error, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
