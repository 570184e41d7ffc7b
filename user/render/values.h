/* SPDX-License-Identifier: GPL-2.0-only */
/* The facts of a lookup one by one: what the line format and entries of the journal hold. */
#ifndef FIBTRACE_RENDER_VALUES_H
#define FIBTRACE_RENDER_VALUES_H

#include <stdbool.h>

#include "render/render.h"

enum value {
	VALUE_TIME,
	VALUE_NETNS,
	VALUE_FAMILY,
	VALUE_PURPOSE,
	VALUE_CAUSE,
	VALUE_COMM,
	VALUE_PID,
	VALUE_SRC,
	VALUE_DST,
	VALUE_PROTO,
	VALUE_SPORT,
	VALUE_DPORT,
	VALUE_IIF,
	VALUE_OIF,
	VALUE_MARK,
	VALUE_UID,
	VALUE_PREF,
	VALUE_TABLE,
	VALUE_TABLE_ID,
	VALUE_PREFIX,
	VALUE_DEV,
	VALUE_GW,
	VALUE_PREFSRC,
	VALUE_SUPPRESSED,
	VALUE_DECIDED_BY,
	VALUE_OWNER,
	VALUE_ERR,
	VALUE_FINDINGS,
	VALUE_COUNT,
};

/*
 * Appends a value; false when there is none, and nothing was appended. raw: as the
 * kernel has it, and times in UTC; else escaped, so that it holds no space and
 * nothing that acts on a terminal.
 */
bool values_add(struct text *out, enum value value, const struct lookup *lookup,
		const struct render_options *options, bool raw);

#endif
