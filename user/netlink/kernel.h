/* SPDX-License-Identifier: GPL-2.0-only */
/* What kernels do differently with rules, for lack of anything that could be asked, by release. */
#ifndef FIBTRACE_NETLINK_KERNEL_H
#define FIBTRACE_NETLINK_KERNEL_H

#include <stdbool.h>

/* True when release ("6.1.0-18-amd64") is major.minor or newer. */
bool release_is_at_least(const char *release, unsigned int major, unsigned int minor);

#endif
