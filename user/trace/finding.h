/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong with a lookup, or likely not meant: a kind, how bad it is, and a line of words. */
#ifndef FIBTRACE_TRACE_FINDING_H
#define FIBTRACE_TRACE_FINDING_H

#include <stdbool.h>
#include <stdint.h>

enum finding_kind {
	FINDING_SHADOWED_ROUTE, /* an earlier rule answers, a later table has the better route */
	FINDING_RULE_BEFORE_LOCAL, /* a rule captures the host's own addresses */
	FINDING_SUPPRESS_AFTER_CATCH_ALL,
	FINDING_MISSING_SUPPRESS,
	FINDING_AUTO_PRIORITY,
	FINDING_DUPLICATE_RULE,
	FINDING_ORPHAN_TABLE,
	FINDING_EMPTY_TABLE,
	FINDING_FAILS_OPEN,
	FINDING_MARK_OVERLAP,
	FINDING_MARK_OUTSIDE_MASK,
	FINDING_MARK_NEAR_MISS,
	FINDING_TUNNEL_LOOP,
	FINDING_BYPASS_MARK_CAPTURED,
	FINDING_HALF_DEFAULT,
	FINDING_SUPPRESSED_BY_GROUP,
	FINDING_CONNECTED_SHADOWED,
	FINDING_SOURCE_NOT_ON_DEVICE,
	FINDING_RP_FILTER_MARK,
	FINDING_SRC_VALID_MARK_LOCAL,
	FINDING_UNREACHABLE_PREEMPTS,
	FINDING_DETACHED_INTERFACE,
	FINDING_UNRESOLVED_GOTO,
	FINDING_NOT_INVERTS_ALL,
	FINDING_BOUND_DEVICE_OVERRIDE,
	FINDING_BUILT_IN_MISMATCH,
	FINDING_UNKNOWN_ATTRIBUTE,
	FINDING_DEFAULT_ONLY_TABLE,
	FINDING_MAIN_NOT_ASKED,
	FINDING_REPLY_LEAVES_ELSEWHERE,
	FINDING_REPLY_UNMARKED,
	FINDING_MARK_REWRITTEN,
	FINDING_SOURCE_UNSET,
	FINDING_FROM_CATCHES_OWN_REPLIES,
	FINDING_UID_NOT_EXPECTED,
	FINDING_PORTS_OF_FRAGMENT,
	FINDING_TOS_MASK,
	FINDING_EXCEPTION_DEFEATS_SUPPRESS,
	FINDING_SUPPRESSED_ROUTE_USED,
	FINDING_FAMILY_ASYMMETRY, /* one family has a tunnel's rules, the other has none */
	FINDING_KIND_COUNT,
};

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_COUNT };

/* "shadowed-route", "warning": the words of text and JSON. */
const char *finding_kind_name(enum finding_kind kind);
const char *severity_name(enum severity severity);

/* priority: of the rule it is about; by: of the rule that did it, each when there is one. text is
 * owned by the lookup. */
struct finding {
	enum finding_kind kind;
	enum severity severity;
	bool has_priority;
	bool has_by;
	uint32_t priority;
	uint32_t by;
	char *text;
};

#endif
