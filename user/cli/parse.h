/* SPDX-License-Identifier: GPL-2.0-only */
/* Values of the command line: whole string consumed, range checked, signs refused. */
#ifndef FIBTRACE_CLI_PARSE_H
#define FIBTRACE_CLI_PARSE_H

#include <net/if.h>
#include <stdint.h>

#include "bpf/filter.h"

#define BUFFER_SIZE_MIN 4096ull
#define BUFFER_SIZE_MAX (1ull << 30)
#define FILE_SIZE_MIN 4096ull
#define FILE_SIZE_MAX (1ull << 40)
#define PID_VALUE_MAX 4194304u /* the kernel's PID_MAX_LIMIT */

struct number_range {
	uint64_t min;
	uint64_t max;
};

/*
 * Each returns 0, or -EINVAL for text that is not such a value and leaves the
 * result undefined then. Numbers are decimal, or hexadecimal after 0x.
 */
int parse_number(const char *text, struct number_range range, uint64_t *value);
int parse_u32(const char *text, uint32_t *value);
/* The index of text in choices, which end with NULL. */
int parse_choice(const char *text, const char *const *choices, unsigned int *index);
/* ADDRESS[/LENGTH], of IPv4 shortened as in "10/8", or "default", "all" or "any" for either family;
 * host bits are cleared. */
int parse_prefix(const char *text, struct prefix_filter *prefix);
/* MARK[/MASK]; without a mask all bits count. */
int parse_mark(const char *text, struct mark_filter *mark);
/* PORT[-PORT], not descending. */
int parse_ports(const char *text, struct port_filter *ports);
int parse_protocol(const char *text, uint8_t *protocol);
/* A name that the kernel would give to an interface. */
int parse_interface(const char *text, char name[static IFNAMSIZ]);
/* A number or the name of a user. */
int parse_uid(const char *text, uint32_t *uid);
int parse_pid(const char *text, uint32_t *pid);
/* Comma list of purposes; sets 1 << enum purpose for each. */
int parse_purposes(const char *text, uint32_t *purposes);
/* 500ms, 10s, 2m, 1h or bare seconds; more than 0. */
int parse_duration(const char *text, uint64_t *duration_ns);
/* Bytes or with a suffix K, M, G, BUFFER_SIZE_MIN to BUFFER_SIZE_MAX; rounded up to a power of
 * two of at least a page. */
int parse_buffer_size(const char *text, uint64_t *size);
/* Bytes or with a suffix K, M, G, T, FILE_SIZE_MIN to FILE_SIZE_MAX. */
int parse_file_size(const char *text, uint64_t *size);

#endif
