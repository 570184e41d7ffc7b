/* SPDX-License-Identifier: GPL-2.0-only */
/* The number of elements of an array. */
#ifndef FIBTRACE_UTIL_ARRAY_H
#define FIBTRACE_UTIL_ARRAY_H

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
