/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of struct owners, for what fills it and what asks it. */
#ifndef FIBTRACE_RULES_OWNERS_TABLE_H
#define FIBTRACE_RULES_OWNERS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/names.h"
#include "rules/owners.h"
#include "rules/owners_signature.h"

/* More lines than this no table has that labels rules in reasonable time. */
#define OWNERS_ENTRIES_MAX 4096

struct owner {
	char *name;
	bool auto_priority;
	bool tunnel;
	struct owner *becomes; /* of a draft: whom it is added to */
};

struct owner_table {
	uint32_t first;
	uint32_t last;
	const struct owner *owner;
};

/* One line of definitions beneath an owner's. */
struct owners {
	struct names *names; /* those built in, of tables and protocols */
	struct owner **list;
	size_t count;
	size_t capacity;
	struct signature *signatures;
	size_t signature_count;
	size_t signature_capacity;
	struct owner_table *tables;
	size_t table_count;
	size_t table_capacity;
	struct owner_mark *marks; /* each has its own meaning */
	size_t mark_count;
	size_t mark_capacity;
};

/* An owner by its name, made when it is new; NULL with errno. */
struct owner *owners_add(struct owners *owners, const char *name);
/* Frees all definitions and leaves none. */
void owners_clear(struct owners *owners);

/* owners.conf, as it was when fibtrace was built. */
extern const char owners_builtin[];
extern const char owners_builtin_end[];

#endif
