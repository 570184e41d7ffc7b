/* SPDX-License-Identifier: GPL-2.0-only */
/* Who put a rule there: well-known software, told by what its rules, tables and marks look like. */
#ifndef FIBTRACE_RULES_OWNERS_H
#define FIBTRACE_RULES_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/rule.h"
#include "util/text.h"

struct owners;
struct owner;

/* The owner's mark. bypass: its meaning is that word. */
struct owner_mark {
	uint32_t value;
	uint32_t mask;
	const struct owner *owner;
	const char *meaning;
	bool bypass;
};

/* The owners of the built-in table, rules/owners.conf; NULL with errno. owners_free() takes NULL. */
struct owners *owners_new(void);
void owners_free(struct owners *owners);

/*
 * Adds definitions written as in owners.conf; of those that fit equally well,
 * later ones win. 0, -ENOMEM, or -EINVAL with "FILE:LINE: what is wrong, what to
 * write" appended to error: then nothing of the file was added.
 */
int owners_parse(struct owners *owners, const char *file, const char *content, size_t length,
		 struct text *error);

/* The functions below take NULL for owners: nothing has an owner then. Owners live as long as
 * their table. */

/* Sets the owner of each of the rules, which are a list in walking order: some
 * are told by their neighbours. What needs memory that is not there has no owner. */
void owners_label(const struct owners *owners, struct rule *rules, size_t count);

const char *owner_name(const struct owner *owner);
/* The owner of that name; NULL: there is none. */
const struct owner *owners_named(const struct owners *owners, const char *name);
/* The kernel chooses its priorities, in front of all rules that are there: the one that starts
 * last is evaluated first. */
bool owner_has_auto_priority(const struct owner *owner);
/* Its table is a tunnel's. */
bool owner_is_tunnel(const struct owner *owner);
/* The rules that are there in every namespace are the kernel's own. */
bool owner_is_kernel(const struct owner *owner);

/* Whose table it is; NULL: nobody's. */
const struct owner *owners_table(const struct owners *owners, uint32_t table);
/* The owner's mark that a packet's fwmark carries ((fwmark & mask) == value, most mask bits win);
 * NULL: none. Borrowed until the next owners_parse(). */
const struct owner_mark *owners_mark(const struct owners *owners, uint32_t fwmark);

#endif
