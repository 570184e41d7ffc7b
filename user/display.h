/* SPDX-License-Identifier: GPL-2.0-only */
/* How to show: by the options, and by what standard output and the locale are. */
#ifndef FIBTRACE_DISPLAY_H
#define FIBTRACE_DISPLAY_H

#include "cli/options.h"
#include "render/render.h"

/* The format that was asked for, else that of the place where it goes. */
const struct format *display_format(const struct options *options);
/* All but owners and json_rules; names are borrowed. */
struct render_options display_options(const struct options *options, const struct names *names);

/* --netns of what was recorded: by the name that it had (NULL: it had none), or a path that ends in
 * it. */
bool display_wants_netns(const struct options *options, const char *name);

#endif
