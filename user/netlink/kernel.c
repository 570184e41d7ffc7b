// SPDX-License-Identifier: GPL-2.0-only
/* What kernels do differently with rules, for lack of anything that could be asked, by release. */
#include "netlink/kernel.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "netlink/snapshot.h"

bool release_is_at_least(const char *release, unsigned int major, unsigned int minor)
{
	unsigned long found_major, found_minor;
	char *end;

	if (!isdigit((unsigned char)*release))
		return false;
	found_major = strtoul(release, &end, 10);
	if (*end != '.' || !isdigit((unsigned char)end[1]))
		return found_major > major;
	found_minor = strtoul(end + 1, NULL, 10);
	return found_major > major || (found_major == major && found_minor >= minor);
}

static bool running_is_at_least(unsigned int major, unsigned int minor)
{
	struct utsname names;

	return uname(&names) == 0 && release_is_at_least(names.release, major, minor);
}

/*
 * The differences below show in no answer of the kernel: RTM_GETROUTE gives
 * the route's tos, not the one the rules saw, and a dump has FRA_DSCP only
 * where such a rule is. Hence the release, which for kernels with backports may be wrong.
 */
enum tos_compare kernel_tos_compare(void)
{
	if (running_is_at_least(6, 12))
		return TOS_MASKED;
	return running_is_at_least(5, 18) ? TOS_EXACT : TOS_EXACT_ECN;
}

bool kernel_l3_master_match(void)
{
	return running_is_at_least(6, 16);
}

/* fib6_rule_match() took no DSCP for 0 until it learned to compare under a mask, with 6.15. */
bool kernel_dscp_zero_is_any(void)
{
	return running_is_at_least(6, 12) && !running_is_at_least(6, 15);
}
