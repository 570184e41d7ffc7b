/* SPDX-License-Identifier: GPL-2.0-only */
/* What JSON says of a flow and of a verdict, wherever it says it. */
#ifndef FIBTRACE_RENDER_JSON_LOOKUP_H
#define FIBTRACE_RENDER_JSON_LOOKUP_H

#include <net/if.h>

#include "render/json_writer.h"
#include "render/render.h"

/* A line being written: what every part of it needs. */
struct json_line {
	struct json_writer writer;
	const struct render_options *options;
};

/* A line is an object of a type. */
void json_begin_line(struct json_line *line, struct text *out, const char *type,
		     const struct render_options *options);
void json_end_line(struct json_line *line);

/* Members that are null where there is nothing: for 0, unless it holds. */
void json_add_unsigned_or_null(struct json_writer *writer, const char *key, uint64_t value);
void json_add_number_if(struct json_writer *writer, const char *key, bool holds, uint32_t value);
void json_add_device(struct json_writer *writer, const char *key, const char name[static IFNAMSIZ],
		     uint32_t index);
/* "table" and "table_id", null for table 0. */
void json_add_table(struct json_line *line, uint32_t table);

/* "inet6" or "inet". */
const char *json_family(uint8_t family);
void json_add_address(struct json_writer *writer, const char *key, uint8_t family,
		      const uint8_t *address);
void json_add_prefix(struct json_writer *writer, const char *key, uint8_t family,
		     const struct lookup_route *route);

/* "flow", and the verdict under key. */
void json_add_flow(struct json_line *line, const struct lookup *lookup);
void json_add_verdict(struct json_line *line, const char *key, const struct lookup *lookup);

#endif
