/* SPDX-License-Identifier: GPL-2.0-only */
/* Names, times and facts of a lookup that every format spells the same way. */
#ifndef FIBTRACE_RENDER_WORDS_H
#define FIBTRACE_RENDER_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/names.h"
#include "trace/lookup.h"
#include "util/text.h"

/* A table's name or number, an IP protocol's name or number, an errno's name or number (negative
 * or positive), a rule's action. */
void words_add_table(struct text *out, const struct names *names, uint32_t table);
void words_add_protocol(struct text *out, uint8_t protocol);
void words_add_error(struct text *out, int error);
void words_add_action(struct text *out, uint8_t action);
/* The device's name, "if7" when only its index is known, nothing for index 0. Not escaped. */
void words_add_device(struct text *out, const char name[static IFNAMSIZ], uint32_t index);
void words_add_device_of(struct text *out, const struct lookup_route *route);

/* "task", "softirq", "kthread". */
const char *words_context(const struct event_context *context);

/* True when the flow's ports are an ICMP type and code. */
bool words_is_icmp(const struct flow_key *key);

/* The priority of the rule of a step; false when none is known. */
bool words_step_priority(const struct lookup_step *step, uint32_t *priority);

/* The step that refused the lookup (unreachable, blackhole, prohibit), NULL when none did. */
const struct lookup_step *words_refusal(const struct lookup *lookup);

/* Why it is not known what a step, or a lookup's walk, came to: "the policy changed while this ran". */
const char *words_unknown_step(const struct lookup_step *step);
const char *words_unknown(const struct lookup *lookup);

/* The verdict's route type: for an error that of the rule or route that refused;
 * RTN_UNSPEC when there is none. */
uint8_t words_verdict_type(const struct lookup *lookup);
/* "unicast", a number's digits, "none" for RTN_UNSPEC. */
void words_add_route_type(struct text *out, uint8_t type);

/* True when a length is known, so that dst can be shown as a prefix. */
bool words_has_prefix(const struct lookup_route *route);

/* 2026-11-22T12:01:33.123456789Z */
void words_add_time_utc(struct text *out, uint64_t time_ns);
/* 2026-11-22T12:01:33.123456+0100, or …Z for utc. */
void words_add_time_line(struct text *out, uint64_t time_ns, bool utc);
/* 12:01:33.123456 */
void words_add_time_clock(struct text *out, uint64_t time_ns, bool utc);

/* "9 seen, 7 shown, …": the counts of a trace, in one line. */
void words_add_counts(struct text *out, const struct lookup_counts *counts);

/* Why the rule of a skipped step did not apply: "fwmark 0x0 ≠ 0x1"; not escaped. */
void words_add_mismatch(struct text *out, const struct lookup *lookup,
			const struct lookup_step *step, const struct names *names, bool ascii);

#endif
