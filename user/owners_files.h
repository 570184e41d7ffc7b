/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of owners with what the files of this machine add to it. */
#ifndef FIBTRACE_OWNERS_FILES_H
#define FIBTRACE_OWNERS_FILES_H

#include "rules/owners.h"

#define OWNERS_DIRECTORY "/etc/fibtrace/owners.d"

/* The built-in owners and those of the *.conf files of directory, in the order of their names; a
 * file that cannot be read, or that is wrong, is left out with a warning. NULL with errno after
 * a line on stderr. */
struct owners *owners_read(const char *directory);

#endif
