/* SPDX-License-Identifier: GPL-2.0-only */
/* Giving up what a trace no longer needs once it is attached. */
#ifndef FIBTRACE_UTIL_PRIVILEGES_H
#define FIBTRACE_UTIL_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Drops every capability but those that reading counts and, with
 * open_namespaces, entering new namespaces take; sets no_new_privs and a
 * seccomp filter. kept names what stays. 0 or -errno.
 */
int privileges_drop(bool open_namespaces, char *kept, size_t size);

#endif
