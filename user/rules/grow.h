/* SPDX-License-Identifier: GPL-2.0-only */
/* Arrays that grow. */
#ifndef FIBTRACE_RULES_GROW_H
#define FIBTRACE_RULES_GROW_H

#include <stddef.h>

/* The array, moved if it must be, with room for one element of size bytes behind
 * its first count; *capacity is kept. NULL with errno: the array is as it was. */
void *array_reserve(void *array, size_t size, size_t count, size_t *capacity);

#endif
