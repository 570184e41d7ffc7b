// SPDX-License-Identifier: GPL-2.0-only
/* The files that a log is written into, one after the other. */
#include "log/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What opens the directory of a path: "" stands for the current one. It need not be readable. */
static int open_directory(struct log_files *files)
{
	const char *name = files->settings.name;
	char *path =
		files->base == name ? strdup(".") : strndup(name, (size_t)(files->base - name));

	if (!path)
		return -ENOMEM;
	files->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	files->readable = files->directory >= 0;
	if (!files->readable)
		files->directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(path);
	return files->directory < 0 ? -errno : 0;
}

int log_files_init(struct log_files *files, const struct log_files_settings *settings)
{
	const char *slash = strrchr(settings->name, '/');

	*files = (struct log_files){ .settings = *settings, .directory = -1 };
	files->base = slash ? slash + 1 : settings->name;
	return open_directory(files);
}

void log_files_close(struct log_files *files)
{
	if (files->directory >= 0)
		close(files->directory);
	files->directory = -1;
}

bool log_files_due(const struct log_files *files, uint64_t size, time_t now)
{
	const struct log_files_settings *settings = &files->settings;

	return (settings->max_size && size >= settings->max_size) ||
	       (settings->period_s && (uint64_t)(now - files->began) >= settings->period_s);
}

bool log_files_full(const struct log_files *files)
{
	const struct log_files_settings *settings = &files->settings;

	return settings->count && !settings->max_size && files->files >= settings->count;
}

static int digits(uint32_t number)
{
	int count = 1;

	for (; number >= 10; number /= 10)
		count++;
	return count;
}

/* The name with the time in it, where there is one to be. */
static int stamp_of(const struct log_files *files, time_t now, char stamp[static LOG_NAME_SIZE])
{
	struct tm parts;

	if (!files->settings.period_s)
		return snprintf(stamp, LOG_NAME_SIZE, "%s", files->base) < LOG_NAME_SIZE
			       ? 0
			       : -ENAMETOOLONG;
	localtime_r(&now, &parts);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (!strftime(stamp, LOG_NAME_SIZE, files->base, &parts))
		return -ENAMETOOLONG;
#pragma GCC diagnostic pop
	return strchr(stamp, '/') ? -EINVAL : 0;
}

/* As tcpdump has it: FILE, FILE1, FILE2…; of a number that is known FILE0, FILE1…, with zeros in
 * front so that they sort. */
static int name_next(struct log_files *files)
{
	const struct log_files_settings *settings = &files->settings;
	int length;

	if (settings->max_size && settings->count)
		length = snprintf(files->current, LOG_NAME_SIZE, "%s%0*" PRIu32, files->stamp,
				  digits(settings->count - 1), files->index % settings->count);
	else if (files->index)
		length = snprintf(files->current, LOG_NAME_SIZE, "%s%" PRIu32, files->stamp,
				  files->index);
	else
		length = snprintf(files->current, LOG_NAME_SIZE, "%s", files->stamp);
	return length < LOG_NAME_SIZE ? 0 : -ENAMETOOLONG;
}

static int check_kind(int fd)
{
	struct stat status;

	if (fstat(fd, &status))
		return -errno;
	if (S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))
		return 0;
	return -EINVAL;
}

/* One that waits for a reader would hold up the trace: nobody is there yet. */
static int open_current(const struct log_files *files)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = openat(files->directory, files->current, flags, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = check_kind(fd);
	if (!err && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int log_files_next(struct log_files *files, time_t now)
{
	char stamp[LOG_NAME_SIZE];
	int err = stamp_of(files, now, stamp);

	if (err)
		return err;
	files->index = files->files && !strcmp(stamp, files->stamp) ? files->index + 1 : 0;
	memcpy(files->stamp, stamp, sizeof(stamp));
	err = name_next(files);
	if (err)
		return err;
	files->files++;
	files->began = now;
	return open_current(files);
}

int log_files_again(struct log_files *files, int fd)
{
	struct stat here, there;

	if (fstat(fd, &here))
		return -errno;
	if (!fstatat(files->directory, files->current, &there, AT_SYMLINK_NOFOLLOW) &&
	    here.st_dev == there.st_dev && here.st_ino == there.st_ino)
		return -EEXIST;
	return open_current(files);
}
