/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the tree format share: the block being written, its colours and its routes. */
#ifndef FIBTRACE_RENDER_TREE_H
#define FIBTRACE_RENDER_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "render/render.h"

enum style { STYLE_NONE, STYLE_CHOSEN, STYLE_SUPPRESSED, STYLE_ERROR, STYLE_DIM };

struct marks {
	const char *chosen;
	const char *verdict;
	const char *arrow;
	const char *at_most;
	const char *more; /* for what is left out, and how many columns it takes */
	size_t more_columns;
};

#define TREE_COLUMNS 2

/* A block being written. widths are the columns' of its walk; scratch holds one cell at a time. */
struct tree {
	struct text *out;
	const struct lookup *lookup;
	const struct render_options *options;
	const struct marks *marks;
	size_t widths[TREE_COLUMNS];
	struct text scratch;
};

/* What comes between the two is in that style, when there are colours at all. */
void tree_add_style(struct text *out, const struct render_options *options, enum style style);
void tree_end_style(struct text *out, const struct render_options *options, enum style style);

/* The label as it is, then the number. */
void tree_add_labelled(struct text *out, const char *label, uint64_t value);
/* A name, or a text with names in it, escaped. */
void tree_add_name(struct text *out, const char *name, const struct render_options *options);
/* A device's and a table's name, escaped. */
void tree_add_device(struct text *out, const char name[static IFNAMSIZ], uint32_t index,
		     const struct render_options *options);
void tree_add_table(struct text *out, uint32_t table, const struct render_options *options);
/* " via inet6 fe80::1 dev eth0", each word only when it is known. */
void tree_add_nexthop(struct tree *tree, const struct lookup_route *route);
/* " (nexthop 2 of 3, weight 10)" where there are several. */
void tree_add_choice(struct tree *tree, const struct lookup_route *route);
/* "unreachable 10.0.0.0/8", "default via 192.0.2.1 dev eth0". */
void tree_add_route(struct tree *tree, const struct lookup_route *route);

/* A lookup in one line without its time, and the first of what was found in plain words. */
void tree_add_message(struct text *out, const struct lookup *lookup,
		      const struct render_options *options);

/* The lines of the walk: one for each step. */
void tree_write_walk(struct tree *tree);

#endif
