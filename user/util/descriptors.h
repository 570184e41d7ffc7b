/* SPDX-License-Identifier: GPL-2.0-only */
/* How many files we may have open. */
#ifndef FIBTRACE_UTIL_DESCRIPTORS_H
#define FIBTRACE_UTIL_DESCRIPTORS_H

#include <stddef.h>

/* Raises the soft limit to the hard one, and returns what it is then. */
size_t descriptors_raise_limit(void);

#endif
