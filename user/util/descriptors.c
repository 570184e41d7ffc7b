// SPDX-License-Identifier: GPL-2.0-only
/* How many files we may have open. */
#include "util/descriptors.h"

#include <stdint.h>
#include <sys/resource.h>

/* What POSIX promises at least. */
#define LIMIT_LEAST 20

size_t descriptors_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return LIMIT_LEAST;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = { limit.rlim_max, limit.rlim_max };

		if (!setrlimit(RLIMIT_NOFILE, &raised))
			limit = raised;
	}
	return limit.rlim_cur < SIZE_MAX ? limit.rlim_cur : SIZE_MAX;
}
