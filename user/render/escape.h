/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that came from the kernel or a user, made safe for a terminal or for KEY=VALUE. */
#ifndef FIBTRACE_RENDER_ESCAPE_H
#define FIBTRACE_RENDER_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/text.h"

/* The length of the UTF-8 sequence that bytes begin with, and its code point;
 * 0 when they are not valid UTF-8 (overlong forms and surrogates are not). */
size_t escape_decode(const char *bytes, size_t length, uint32_t *point);

/* Code points in the string: its columns, as long as no wide or combining ones occur. */
size_t escape_columns(const char *bytes, size_t length);

/* Appends bytes with everything that a terminal acts on, and the backslash, as \xNN. ascii: all
 * that is not ASCII too. */
void escape_terminal(struct text *out, const char *bytes, size_t length, bool ascii);

/* As escape_terminal(), with every kind of space escaped as well; "-" for no bytes at all. */
void escape_value(struct text *out, const char *bytes, size_t length, bool ascii);

#endif
