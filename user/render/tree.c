// SPDX-License-Identifier: GPL-2.0-only
/* What the parts of the tree format share: colours, names and routes. */
#include "render/tree.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "render/escape.h"
#include "render/words.h"

static const char *const style_codes[] = {
	[STYLE_NONE] = "",	    [STYLE_CHOSEN] = "\033[1;32m", [STYLE_SUPPRESSED] = "\033[33m",
	[STYLE_ERROR] = "\033[31m", [STYLE_DIM] = "\033[2m",
};

void tree_add_style(struct text *out, const struct render_options *options, enum style style)
{
	if (options->color)
		text_add(out, style_codes[style]);
}

void tree_end_style(struct text *out, const struct render_options *options, enum style style)
{
	if (options->color && style != STYLE_NONE)
		text_add(out, "\033[0m");
}

void tree_add_labelled(struct text *out, const char *label, uint64_t value)
{
	text_add(out, label);
	text_add_unsigned(out, value);
}

void tree_add_name(struct text *out, const char *name, const struct render_options *options)
{
	escape_terminal(out, name, strlen(name), options->ascii);
}

void tree_add_device(struct text *out, const char name[static IFNAMSIZ], uint32_t index,
		     const struct render_options *options)
{
	if (name[0])
		escape_terminal(out, name, strnlen(name, IFNAMSIZ), options->ascii);
	else
		words_add_device(out, name, index);
}

void tree_add_table(struct text *out, uint32_t table, const struct render_options *options)
{
	const char *name = names_table(options->names, table);

	if (name)
		tree_add_name(out, name, options);
	else
		text_add_unsigned(out, table);
}

void tree_add_nexthop(struct tree *tree, const struct lookup_route *route)
{
	if (route->gateway_family) {
		text_add(tree->out, " via ");
		if (route->gateway_family != tree->lookup->key.family)
			text_add(tree->out, "inet6 ");
		text_add_address(tree->out, route->gateway_family, route->gateway);
	}
	if (route->dev[0] || route->dev_index) {
		text_add(tree->out, " dev ");
		tree_add_device(tree->out, route->dev, route->dev_index, tree->options);
	}
}

void tree_add_route(struct tree *tree, const struct lookup_route *route)
{
	bool typed = route->type && route->type != RTN_UNICAST;

	if (typed)
		words_add_route_type(tree->out, route->type);
	if (words_has_prefix(route)) {
		text_add(tree->out, typed ? " " : "");
		text_add_prefix(tree->out, tree->lookup->key.family, route->dst,
				(unsigned int)route->prefix_length);
	} else if (!typed) {
		text_add(tree->out, "route");
	}
	tree_add_nexthop(tree, route);
	tree_add_choice(tree, route);
}

void tree_add_choice(struct tree *tree, const struct lookup_route *route)
{
	if (route->nexthops > 1 && route->nexthop)
		text_printf(tree->out, " (nexthop %u of %u, weight %u)", route->nexthop,
			    route->nexthops, route->weight);
	else if (route->nexthops > 1)
		text_printf(tree->out, " (of %u nexthops)", route->nexthops);
}
