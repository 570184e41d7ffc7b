// SPDX-License-Identifier: GPL-2.0-only
/* The table of owners with what the files of this machine add to it. */
#include "owners_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/report.h"

#define CONF_SUFFIX ".conf"
#define FILE_SIZE_MAX (1u << 20)
#define FILES_MAX 256

/* As run-parts(8) and others: an editor's backup or a package's leftover ends otherwise. */
static int is_conf(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	size_t suffix = strlen(CONF_SUFFIX);

	return entry->d_name[0] != '.' && length > suffix &&
	       !strcmp(entry->d_name + length - suffix, CONF_SUFFIX);
}

/* By their bytes, whatever the locale. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Reads until the end or until content is full; its length or -errno. */
static ssize_t read_all(int fd, char *content, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t count = read(fd, content + length, size - length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		if (!count)
			break;
		length += (size_t)count;
	}
	return (ssize_t)length;
}

/* A regular file, or -errno; without waiting for what a FIFO's writer never writes. */
static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &status) && S_ISREG(status.st_mode))
		return fd;
	close(fd);
	return -EINVAL;
}

/* What is in the file, in content[FILE_SIZE_MAX + 1]: its length, or -errno after a warning. */
static ssize_t read_file(const char *path, char *content)
{
	_cleanup_close_ int fd = open_regular(path);
	ssize_t length = fd < 0 ? fd : read_all(fd, content, FILE_SIZE_MAX + 1);

	if (length == -EINVAL)
		report_warning("%s: not a regular file; remove it", path);
	else if (length < 0)
		report_warning("%s: cannot be read: %s", path, strerror(-(int)length));
	if (length <= (ssize_t)FILE_SIZE_MAX)
		return length;
	report_warning("%s: longer than %u bytes; definitions of owners are short", path,
		       FILE_SIZE_MAX);
	return -EFBIG;
}

void owners_sources_free(struct owners_source *sources)
{
	while (sources) {
		struct owners_source *source = sources;

		sources = source->next;
		free(source->file);
		free(source->content);
		free(source);
	}
}

static int keep_source(struct owners_source **sources, const char *path, const char *content,
		       size_t length)
{
	struct owners_source *source = calloc(1, sizeof(*source));

	if (!source)
		return -ENOMEM;
	source->file = strdup(path);
	source->content = malloc(length + 1);
	source->length = length;
	if (!source->file || !source->content) {
		owners_sources_free(source);
		return -ENOMEM;
	}
	memcpy(source->content, content, length);
	while (*sources)
		sources = &(*sources)->next;
	*sources = source;
	return 0;
}

/* Who reads what, and what is kept of it. */
struct owners_reading {
	struct owners *owners;
	struct owners_source **sources; /* NULL: nothing */
};

static int add_file(const struct owners_reading *reading, const char *path, char *content)
{
	struct text error = { 0 };
	ssize_t length = read_file(path, content);
	int err;

	if (length < 0)
		return 0;
	err = owners_parse(reading->owners, path, content, (size_t)length, &error);
	if (err == -EINVAL)
		report_warning("%s", text_string(&error));
	text_free(&error);
	if (!err && reading->sources)
		err = keep_source(reading->sources, path, content, (size_t)length);
	return err == -EINVAL ? 0 : err;
}

static int add_files(const struct owners_reading *reading, const char *directory,
		     struct dirent **entries, int count)
{
	_cleanup_free_ char *content = count ? malloc(FILE_SIZE_MAX + 1) : NULL;
	int err = count && !content ? -ENOMEM : 0;

	if (count > FILES_MAX)
		report_warning("%s: only the first %d files are read", directory, FILES_MAX);
	for (int i = 0; i < count && i < FILES_MAX && !err; i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s", directory, entries[i]->d_name) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		err = add_file(reading, path, content);
	}
	return err;
}

/* No such directory is what most machines have. */
static int add_directory(const struct owners_reading *reading, const char *directory)
{
	struct dirent **entries = NULL;
	int count = scandir(directory, &entries, is_conf, compare_names);
	int err = count < 0 ? -errno : 0;

	if (err == -ENOMEM || err == -ENOENT)
		return err == -ENOENT ? 0 : err;
	if (err) {
		report_warning("%s: cannot be read: %s", directory, strerror(-err));
		return 0;
	}
	err = add_files(reading, directory, entries, count);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return err;
}

struct owners *owners_read(const char *directory, struct owners_source **sources)
{
	struct owners *owners = owners_new();
	const struct owners_reading reading = { owners, sources };
	int err = owners ? add_directory(&reading, directory) : -errno;

	if (!err)
		return owners;
	report_error("cannot read the table of owners: %s", strerror(-err));
	owners_free(owners);
	errno = -err;
	return NULL;
}
