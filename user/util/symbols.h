/* SPDX-License-Identifier: GPL-2.0-only */
/* Where some functions of the running kernel lie, from /proc/kallsyms. */
#ifndef FIBTRACE_UTIL_SYMBOLS_H
#define FIBTRACE_UTIL_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct symbols;

/*
 * Reads the places of the functions names[0..count) from a file like
 * /proc/kallsyms. Parts that the compiler split off ("f.cold",
 * "f.constprop.0") count as f. NULL with errno; EPERM when the kernel hides addresses.
 */
struct symbols *symbols_read(const char *path, const char *const *names, size_t count);
void symbols_free(struct symbols *symbols); /* takes NULL */

/* The index into names of the function that a return address lies in; -1: none of them. */
int symbols_find(const struct symbols *symbols, uint64_t address);

#endif
