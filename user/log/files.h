/* SPDX-License-Identifier: GPL-2.0-only */
/* The files that a log is written into, one after the other. */
#ifndef FIBTRACE_LOG_FILES_H
#define FIBTRACE_LOG_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/*
 * name: of the first file; with period_s it is expanded by strftime(). max_size:
 * a file with as many bytes is the last one's end, 0: no matter. count: with
 * max_size that many files are written, again and again; with period_s alone they
 * are all there will be; 0: no matter.
 */
struct log_files_settings {
	const char *name;
	uint64_t max_size;
	uint64_t period_s;
	uint32_t count;
};

#define LOG_NAME_SIZE 256

/* directory is that of all files: they are made in it whatever becomes of its name. */
struct log_files {
	struct log_files_settings settings;
	int directory;
	bool readable; /* the directory, so that it can be synced */
	const char *base; /* of name, in it */
	char stamp[LOG_NAME_SIZE]; /* base with the time in it */
	char current[LOG_NAME_SIZE]; /* the file that is written, in directory */
	uint64_t files; /* that were begun */
	uint32_t index; /* of those with that stamp */
	time_t began;
};

/* Opens the directory; 0 or -errno. */
int log_files_init(struct log_files *files, const struct log_files_settings *settings);
void log_files_close(struct log_files *files);

/* Whether the file, of size bytes, is to be followed by the next one. */
bool log_files_due(const struct log_files *files, uint64_t size, time_t now);
/* Whether no file is to follow. */
bool log_files_full(const struct log_files *files);

/*
 * Makes or empties the next file, which only its owner can read when it is new:
 * its descriptor, or -errno: -ELOOP for a symbolic link, -EINVAL for what is
 * neither file, pipe nor device, -ENAMETOOLONG.
 */
int log_files_next(struct log_files *files, time_t now);
/* The file by its name again, where that is another one now or none; -EEXIST when it is still fd. */
int log_files_again(struct log_files *files, int fd);

#endif
