// SPDX-License-Identifier: GPL-2.0-only
/* The output formats by their names. */
#include "render/render.h"

#include <string.h>

const struct format *format_by_name(const char *name)
{
	static const struct format *const formats[] = { &format_tree, &format_line, &format_json };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	}
	return NULL;
}
