/* SPDX-License-Identifier: GPL-2.0-only */
/* A made-up kallsyms file, for the tests of what is read off stacks. */
#ifndef FIBTRACE_TESTS_UNIT_KALLSYMS_H
#define FIBTRACE_TESTS_UNIT_KALLSYMS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KALLSYMS_PATH "/tmp/fibtrace-kallsyms-XXXXXX"

/* Writes text to a new file; path is a copy of KALLSYMS_PATH, and to be unlinked. */
static inline int kallsyms_write(char *path, const char *text)
{
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file)
		return -1;
	fputs(text, file);
	return fclose(file);
}

#endif
