// SPDX-License-Identifier: GPL-2.0-only
/* The words for kinds of findings. */
#include "trace/finding.h"

static const char *const kind_names[FINDING_KIND_COUNT] = {
	[FINDING_SHADOWED_ROUTE] = "shadowed-route",
	[FINDING_RULE_BEFORE_LOCAL] = "rule-before-local",
	[FINDING_SUPPRESS_AFTER_CATCH_ALL] = "suppress-after-catch-all",
	[FINDING_MISSING_SUPPRESS] = "missing-suppress",
	[FINDING_AUTO_PRIORITY] = "auto-priority",
	[FINDING_DUPLICATE_RULE] = "duplicate-rule",
	[FINDING_ORPHAN_TABLE] = "orphan-table",
	[FINDING_EMPTY_TABLE] = "empty-table",
	[FINDING_FAILS_OPEN] = "fails-open",
	[FINDING_MARK_OVERLAP] = "mark-overlap",
	[FINDING_MARK_OUTSIDE_MASK] = "mark-outside-mask",
	[FINDING_MARK_NEAR_MISS] = "mark-near-miss",
	[FINDING_TUNNEL_LOOP] = "tunnel-loop",
	[FINDING_BYPASS_MARK_CAPTURED] = "bypass-mark-captured",
	[FINDING_HALF_DEFAULT] = "half-default",
	[FINDING_SUPPRESSED_BY_GROUP] = "suppressed-by-group",
	[FINDING_CONNECTED_SHADOWED] = "connected-shadowed",
	[FINDING_SOURCE_NOT_ON_DEVICE] = "source-not-on-device",
	[FINDING_RP_FILTER_MARK] = "rp-filter-mark",
	[FINDING_SRC_VALID_MARK_LOCAL] = "src-valid-mark-local",
	[FINDING_UNREACHABLE_PREEMPTS] = "unreachable-preempts",
	[FINDING_DETACHED_INTERFACE] = "detached-interface",
	[FINDING_UNRESOLVED_GOTO] = "unresolved-goto",
	[FINDING_NOT_INVERTS_ALL] = "not-inverts-all",
	[FINDING_BOUND_DEVICE_OVERRIDE] = "bound-device-override",
	[FINDING_BUILT_IN_MISMATCH] = "built-in-mismatch",
	[FINDING_UNKNOWN_ATTRIBUTE] = "unknown-attribute",
	[FINDING_DEFAULT_ONLY_TABLE] = "default-only-table",
	[FINDING_MAIN_NOT_ASKED] = "main-not-asked",
	[FINDING_REPLY_LEAVES_ELSEWHERE] = "reply-leaves-elsewhere",
	[FINDING_REPLY_UNMARKED] = "reply-unmarked",
	[FINDING_MARK_REWRITTEN] = "mark-rewritten",
	[FINDING_SOURCE_UNSET] = "source-unset",
	[FINDING_FROM_CATCHES_OWN_REPLIES] = "from-catches-own-replies",
	[FINDING_UID_NOT_EXPECTED] = "uid-not-expected",
	[FINDING_PORTS_OF_FRAGMENT] = "ports-of-fragment",
	[FINDING_TOS_MASK] = "tos-mask",
	[FINDING_EXCEPTION_DEFEATS_SUPPRESS] = "exception-defeats-suppress",
	[FINDING_SUPPRESSED_ROUTE_USED] = "suppressed-route-used",
	[FINDING_FAMILY_ASYMMETRY] = "family-asymmetry",
};

const char *finding_kind_name(enum finding_kind kind)
{
	return (unsigned int)kind < FINDING_KIND_COUNT ? kind_names[kind] : "unknown";
}

const char *severity_name(enum severity severity)
{
	static const char *const names[SEVERITY_COUNT] = { "info", "warning", "error" };

	return (unsigned int)severity < SEVERITY_COUNT ? names[severity] : "unknown";
}
