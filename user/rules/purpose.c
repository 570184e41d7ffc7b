// SPDX-License-Identifier: GPL-2.0-only
/* What a lookup was made for, and the words of text, JSON and the command line for it. */
#include "rules/purpose.h"

#include <string.h>

static const char *const purpose_names[PURPOSE_COUNT] = {
	[PURPOSE_OTHER] = "other",     [PURPOSE_OUTPUT] = "output",
	[PURPOSE_INPUT] = "input",     [PURPOSE_SOURCE_CHECK] = "source-check",
	[PURPOSE_REROUTE] = "reroute", [PURPOSE_ROUTE_GET] = "route-get",
};

const char *purpose_name(enum purpose purpose)
{
	return (unsigned int)purpose < PURPOSE_COUNT ? purpose_names[purpose] : "other";
}

bool purpose_parse(const char *text, enum purpose *purpose)
{
	for (unsigned int i = 0; i < PURPOSE_COUNT; i++) {
		if (strcmp(text, purpose_names[i]))
			continue;
		*purpose = i;
		return true;
	}
	return false;
}
