/* SPDX-License-Identifier: GPL-2.0-only */
/* Which source address the kernel selects for an IPv6 packet: RFC 6724 as ipv6_dev_get_saddr(). */
#ifndef FIBTRACE_RULES_SOURCE6_H
#define FIBTRACE_RULES_SOURCE6_H

#include <stdint.h>

#include "rules/addresses.h"
#include "rules/links.h"

/* The address for a packet to dst that leaves by device ifindex, 0: not known. NULL when there
 * is none; borrowed until the next change of the addresses. */
const struct address *source6_select(const struct addresses *addresses, const struct links *links,
				     const uint8_t dst[static 16], uint32_t ifindex);

#endif
