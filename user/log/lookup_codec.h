/* SPDX-License-Identifier: GPL-2.0-only */
/* One lookup, as it is before it is explained, as bytes of a log. */
#ifndef FIBTRACE_LOG_LOOKUP_CODEC_H
#define FIBTRACE_LOG_LOOKUP_CODEC_H

#include "log/span.h"
#include "trace/lookup.h"

/*
 * What an image tells besides the lookup itself. space: the number of its
 * namespace, 0: none. rules: the number of the list that its steps are of, from 1
 * for each namespace and family; 0: none. policied: a policy explained it; current: the
 * one in force did. explained: its findings are those that were found, and no others
 * are to be looked for.
 */
struct lookup_image {
	uint32_t space;
	uint32_t rules;
	uint8_t family; /* whose rules */
	bool policied;
	bool current;
	bool explained;
};

/* Appends the lookup, whose steps are those of its walk. */
void put_lookup(struct text *out, const struct lookup_image *head, const struct lookup *lookup);
/* Behind it what is known once it is explained: its group and, with head's explained, what was
 * found. */
void put_lookup_rest(struct text *out, const struct lookup_image *head,
		     const struct lookup *lookup);

/* What the rest of an image is read with, once its head is known. */
bool get_lookup_head(struct span *span, struct lookup_image *head);
/* Fills lookup, which is empty; list is the one that head names, NULL: none. 0, or -EBADMSG or
 * -ENOMEM: the lookup is empty then. */
int get_lookup(struct span *span, const struct lookup_image *head, struct rule_list *list,
	       struct lookup *lookup);

/* A slot for an image like those of this lookup's kind: see log/delta.h. */
uint8_t lookup_slot(const struct lookup *lookup);

#endif
