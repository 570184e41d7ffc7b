/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of owners with what the files of this machine add to it. */
#ifndef FIBTRACE_OWNERS_FILES_H
#define FIBTRACE_OWNERS_FILES_H

#include "rules/owners.h"

#define OWNERS_DIRECTORY "/etc/fibtrace/owners.d"

/* A file as it was read. */
struct owners_source {
	char *file;
	char *content;
	size_t length;
	struct owners_source *next;
};

/* The built-in owners and those of the *.conf files of directory, in the order of their names; a
 * file that cannot be read, or that is wrong, is left out with a warning. NULL with errno after
 * a line on stderr. sources, unless it is NULL, gets the files that were not left out. */
struct owners *owners_read(const char *directory, struct owners_source **sources);
void owners_sources_free(struct owners_source *sources); /* takes NULL */

#endif
