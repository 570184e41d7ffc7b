// SPDX-License-Identifier: GPL-2.0-only
/* How to show: by the options, and by what standard output and the locale are. */
#include "display.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct format *display_format(const struct options *options)
{
	if (options->format)
		return format_by_name(options->format);
	return format_by_name(isatty(STDOUT_FILENO) ? "tree" : "line");
}

static bool color_wanted(const struct options *options)
{
	const char *no_color = getenv("NO_COLOR");

	if (options->color != COLOR_AUTO)
		return options->color == COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

struct render_options display_options(const struct options *options, const struct names *names)
{
	return (struct render_options){
		.names = names,
		.utc = options->utc,
		.color = color_wanted(options),
		.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
		.verbose = options->verbose,
	};
}

bool display_wants_netns(const struct options *options, const char *name)
{
	if (options->netns_all || !options->netns_count)
		return true;
	for (uint32_t i = 0; i < options->netns_count; i++) {
		const char *base = strrchr(options->netns[i], '/');

		if (name && !strcmp(base ? base + 1 : options->netns[i], name))
			return true;
	}
	return false;
}
