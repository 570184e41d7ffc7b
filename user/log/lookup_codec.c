// SPDX-License-Identifier: GPL-2.0-only
/* One lookup, as it is before it is explained, as bytes of a log. */
#include "log/lookup_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log/fields.h"
#include "util/array.h"

#define KEY_FIELD(member, kind) FIELD(struct flow_key, member, kind)
#define CONTEXT_FIELD(member, kind) FIELD(struct event_context, member, kind)
#define ROUTE_FIELD(member, kind) FIELD(struct lookup_route, member, kind)
#define LOOKUP_FIELD(member, kind) FIELD(struct lookup, member, kind)
#define STEP_FIELD(member, kind) FIELD(struct lookup_step, member, kind)
#define FINDING_FIELD(member, kind) FIELD(struct finding, member, kind)

#define FLAG_CURRENT 1u
#define FLAG_EXPLAINED 2u
#define FLAG_POLICIED 4u

/* More of them no lookup has. */
#define FINDINGS_MAX (1u << 16)

/* A step without a rule. */
#define NO_RULE UINT32_MAX

/* Constants that lookup steps borrow; 0 is none. */
static const char *const reasons[] = { NULL, "policy-changed", "policy-unreadable", "goto" };

/* What changes from one lookup to the next stands together. */
static const struct field lookup_fields[] = {
	LOOKUP_FIELD(boottime_ns, FIELD_NUMBER),  LOOKUP_FIELD(duration_ns, FIELD_NUMBER),
	LOOKUP_FIELD(cpu, FIELD_NUMBER),	  LOOKUP_FIELD(netns, FIELD_NUMBER),
	LOOKUP_FIELD(netns_source, FIELD_NUMBER), LOOKUP_FIELD(purpose, FIELD_NUMBER),
	LOOKUP_FIELD(cause, FIELD_NUMBER),	  LOOKUP_FIELD(iif, FIELD_STRING),
	LOOKUP_FIELD(oif, FIELD_STRING),
};

static const struct field key_fields[] = {
	KEY_FIELD(sport, FIELD_NUMBER),	    KEY_FIELD(dport, FIELD_NUMBER),
	KEY_FIELD(src, FIELD_BYTES),	    KEY_FIELD(dst, FIELD_BYTES),
	KEY_FIELD(tun_id, FIELD_NUMBER),    KEY_FIELD(mark, FIELD_NUMBER),
	KEY_FIELD(uid, FIELD_NUMBER),	    KEY_FIELD(iif, FIELD_NUMBER),
	KEY_FIELD(oif, FIELD_NUMBER),	    KEY_FIELD(l3mdev, FIELD_NUMBER),
	KEY_FIELD(flowlabel, FIELD_NUMBER), KEY_FIELD(family, FIELD_NUMBER),
	KEY_FIELD(protocol, FIELD_NUMBER),  KEY_FIELD(tos, FIELD_NUMBER),
	KEY_FIELD(scope, FIELD_NUMBER),	    KEY_FIELD(flags, FIELD_NUMBER),
};

static const struct field context_fields[] = {
	CONTEXT_FIELD(comm, FIELD_STRING),  CONTEXT_FIELD(pid, FIELD_NUMBER),
	CONTEXT_FIELD(tid, FIELD_NUMBER),   CONTEXT_FIELD(uid, FIELD_NUMBER),
	CONTEXT_FIELD(level, FIELD_NUMBER),
};

static const struct field route_fields[] = {
	ROUTE_FIELD(dst, FIELD_BYTES),
	ROUTE_FIELD(gateway, FIELD_BYTES),
	ROUTE_FIELD(prefsrc, FIELD_BYTES),
	ROUTE_FIELD(dev, FIELD_STRING),
	ROUTE_FIELD(dev_index, FIELD_NUMBER),
	ROUTE_FIELD(prefix_length, FIELD_NUMBER),
	ROUTE_FIELD(nexthops, FIELD_NUMBER),
	ROUTE_FIELD(nexthop, FIELD_NUMBER),
	ROUTE_FIELD(weight, FIELD_NUMBER),
	ROUTE_FIELD(type, FIELD_NUMBER),
	ROUTE_FIELD(gateway_family, FIELD_NUMBER),
	ROUTE_FIELD(has_prefsrc, FIELD_BOOL),
	ROUTE_FIELD(exception, FIELD_BOOL),
};

static const struct field verdict_fields[] = {
	LOOKUP_FIELD(verdict.error, FIELD_NUMBER),
	LOOKUP_FIELD(verdict.decided_by, FIELD_NUMBER),
	LOOKUP_FIELD(verdict.has_priority, FIELD_BOOL),
	LOOKUP_FIELD(verdict.priority, FIELD_NUMBER),
	LOOKUP_FIELD(verdict.table, FIELD_NUMBER),
};

static const struct field step_fields[] = {
	STEP_FIELD(table, FIELD_NUMBER),      STEP_FIELD(outcome, FIELD_NUMBER),
	STEP_FIELD(suppressor, FIELD_NUMBER), STEP_FIELD(evidence, FIELD_NUMBER),
	STEP_FIELD(jumped_by, FIELD_NUMBER),  STEP_FIELD(has_route, FIELD_BOOL),
	STEP_FIELD(unresolved, FIELD_BOOL),   STEP_FIELD(has_priority, FIELD_BOOL),
	STEP_FIELD(priority, FIELD_NUMBER),
};

static const struct field finding_fields[] = {
	FINDING_FIELD(kind, FIELD_NUMBER),	 FINDING_FIELD(severity, FIELD_NUMBER),
	FINDING_FIELD(has_priority, FIELD_BOOL), FINDING_FIELD(has_by, FIELD_BOOL),
	FINDING_FIELD(priority, FIELD_NUMBER),	 FINDING_FIELD(by, FIELD_NUMBER),
};

#define PUT(out, object, fields) fields_put(out, object, fields, ARRAY_SIZE(fields))
#define GET(span, object, fields) fields_get(span, object, fields, ARRAY_SIZE(fields))

uint8_t lookup_slot(const struct lookup *lookup)
{
	uint32_t hash = 2166136261u;
	const uint32_t parts[] = {
		lookup->netns,
		lookup->key.family,
		lookup->purpose,
		lookup->cause,
		(uint32_t)lookup->verdict.decided_by,
		lookup->verdict.priority,
		(uint32_t)lookup->verdict.error,
		(uint32_t)lookup->step_count,
		lookup->context.tid,
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		hash = (hash ^ parts[i]) * 16777619u;
	return (uint8_t)(hash >> 24 ^ hash >> 16);
}

static uint8_t reason_number(const char *reason)
{
	for (size_t i = 1; reason && i < ARRAY_SIZE(reasons); i++) {
		if (!strcmp(reasons[i], reason))
			return (uint8_t)i;
	}
	return 0;
}

static void put_step(struct text *out, const struct lookup *lookup, const struct lookup_step *step)
{
	uint32_t rule = NO_RULE;

	if (step->rule && lookup->rules)
		rule = (uint32_t)(step->rule - lookup->rules->rules);
	put_number(out, rule, 4);
	PUT(out, step, step_fields);
	put_number(out, reason_number(step->reason), 1);
	if (step->has_route)
		PUT(out, &step->route, route_fields);
}

static void put_finding(struct text *out, const struct finding *finding)
{
	PUT(out, finding, finding_fields);
	put_string(out, finding->text ? finding->text : "");
}

void put_lookup(struct text *out, const struct lookup_image *head, const struct lookup *lookup)
{
	bool is_thread = lookup->context.level == LEVEL_KTHREAD;

	uint8_t flags = (head->current ? FLAG_CURRENT : 0) |
			(head->explained ? FLAG_EXPLAINED : 0) |
			(head->policied ? FLAG_POLICIED : 0);

	put_number(out, flags, 1);
	put_number(out, head->space, 4);
	put_number(out, head->rules, 4);
	put_number(out, lookup->key.family, 1);
	/* The difference of the clocks stays. */
	put_number(out, lookup->time_ns - lookup->boottime_ns, 8);
	PUT(out, lookup, lookup_fields);
	PUT(out, &lookup->key, key_fields);
	PUT(out, &lookup->context, context_fields);
	put_number(out, is_thread ? lookup->context.instance : 0, 8);
	PUT(out, lookup, verdict_fields);
	PUT(out, &lookup->verdict.route, route_fields);
	put_number(out, lookup->step_count, 4);
	for (size_t i = 0; i < lookup->step_count; i++)
		put_step(out, lookup, &lookup->steps[i]);
}

void put_lookup_rest(struct text *out, const struct lookup_image *head, const struct lookup *lookup)
{
	put_number(out, lookup->group, 8);
	if (!head->explained)
		return;
	put_number(out, lookup->examined, 1);
	put_number(out, lookup->finding_count, 4);
	for (size_t i = 0; i < lookup->finding_count; i++)
		put_finding(out, &lookup->findings[i]);
}

bool get_lookup_head(struct span *span, struct lookup_image *head)
{
	uint8_t flags = (uint8_t)get_number(span, 1);

	head->current = flags & FLAG_CURRENT;
	head->explained = flags & FLAG_EXPLAINED;
	head->policied = flags & FLAG_POLICIED;
	head->space = (uint32_t)get_number(span, 4);
	head->rules = (uint32_t)get_number(span, 4);
	head->family = (uint8_t)get_number(span, 1);
	return !span->bad;
}

static bool route_possible(const struct lookup_route *route, uint8_t family)
{
	int longest = family == FLOW_AF_INET ? 32 : 128;

	return route->prefix_length >= -1 && route->prefix_length <= longest &&
	       (!route->gateway_family || route->gateway_family == FLOW_AF_INET ||
		route->gateway_family == FLOW_AF_INET6);
}

/* What came of a rule's action says which rule; what a table answered may be all that is known. A
 * rule that refused the flow is none of the walk's. */
static bool outcome_possible(const struct lookup_step *step)
{
	switch (step->outcome) {
	case STEP_SUPPRESSED:
		return step->rule || step->suppressor == SUPPRESSOR_NONE;
	case STEP_GOTO:
	case STEP_NOP:
	case STEP_NOT_REACHED:
		return step->rule;
	case STEP_SKIPPED:
		return false;
	default:
		return step->outcome < STEP_OUTCOME_COUNT;
	}
}

static bool step_possible(const struct lookup_step *step)
{
	bool suppressed = step->outcome == STEP_SUPPRESSED;

	return outcome_possible(step) && step->suppressor <= SUPPRESSOR_IFGROUP &&
	       (suppressed || step->suppressor == SUPPRESSOR_NONE) &&
	       step->evidence <= EVIDENCE_DERIVED;
}

static bool get_step(struct span *span, struct lookup *lookup, struct lookup_step *step)
{
	uint32_t rule = (uint32_t)get_number(span, 4);
	uint8_t reason;

	GET(span, step, step_fields);
	reason = (uint8_t)get_number(span, 1);
	if (step->has_route)
		GET(span, &step->route, route_fields);
	if (span->bad || reason >= ARRAY_SIZE(reasons) ||
	    !route_possible(&step->route, lookup->key.family))
		return false;
	step->reason = reasons[reason];
	if (rule != NO_RULE) {
		if (!lookup->rules || rule >= lookup->rules->count)
			return false;
		step->rule = &lookup->rules->rules[rule];
	}
	return step_possible(step);
}

static int get_steps(struct span *span, struct lookup *lookup)
{
	uint32_t count = (uint32_t)get_number(span, 4);

	for (uint32_t i = 0; i < count; i++) {
		struct lookup_step *step;

		if (span->bad || count > LOOKUP_STEPS_MAX)
			return -EBADMSG;
		step = lookup_add_step(lookup);
		if (!step)
			return -ENOMEM;
		if (!get_step(span, lookup, step))
			return -EBADMSG;
	}
	return 0;
}

static int get_finding(struct span *span, struct finding *finding)
{
	*finding = (struct finding){ 0 };
	GET(span, finding, finding_fields);
	if (span->bad || finding->kind >= FINDING_KIND_COUNT || finding->severity >= SEVERITY_COUNT)
		return -EBADMSG;
	finding->text = get_string_new(span);
	return finding->text ? 0 : -errno;
}

static int get_findings(struct span *span, struct lookup *lookup)
{
	bool examined = get_number(span, 1) != 0;
	uint32_t count = (uint32_t)get_number(span, 4);
	int err = 0;

	lookup->examined = examined;
	if (span->bad || count > FINDINGS_MAX || count > span_left(span))
		return -EBADMSG;
	lookup->findings = calloc(count ? count : 1, sizeof(*lookup->findings));
	if (!lookup->findings)
		return -ENOMEM;
	while (!err && lookup->finding_count < count) {
		err = get_finding(span, &lookup->findings[lookup->finding_count]);
		lookup->finding_count += !err;
	}
	return err;
}

static bool lookup_possible(const struct lookup *lookup)
{
	const struct flow_key *key = &lookup->key;
	const struct lookup_verdict *verdict = &lookup->verdict;

	return (key->family == FLOW_AF_INET || key->family == FLOW_AF_INET6) &&
	       lookup->purpose < PURPOSE_COUNT && lookup->cause < CAUSE_COUNT &&
	       lookup->netns_source <= NETNS_LOOKUP && lookup->context.level <= LEVEL_KTHREAD &&
	       verdict->decided_by < DECIDED_BY_COUNT && verdict->error <= 0 &&
	       verdict->error >= -4095 && route_possible(&verdict->route, key->family);
}

static int get_body(struct span *span, const struct lookup_image *head, struct lookup *lookup)
{
	int64_t clock = (int64_t)get_number(span, 8);
	int err;

	GET(span, lookup, lookup_fields);
	lookup->time_ns = lookup->boottime_ns + (uint64_t)clock;
	GET(span, &lookup->key, key_fields);
	GET(span, &lookup->context, context_fields);
	lookup->context.instance = get_number(span, 8);
	GET(span, lookup, verdict_fields);
	GET(span, &lookup->verdict.route, route_fields);
	if (span->bad || !lookup_possible(lookup) || lookup->key.family != head->family)
		return -EBADMSG;
	err = get_steps(span, lookup);
	lookup->group = get_number(span, 8);
	if (!err && head->explained)
		err = get_findings(span, lookup);
	/* What a later version tells may stand behind it. */
	return !err && span->bad ? -EBADMSG : err;
}

int get_lookup(struct span *span, const struct lookup_image *head, struct rule_list *list,
	       struct lookup *lookup)
{
	int err;

	if (list)
		lookup->rules = rule_list_get(list);
	err = get_body(span, head, lookup);
	if (err)
		lookup_clear(lookup);
	return err;
}
