// SPDX-License-Identifier: GPL-2.0-only
/* A lookup out of a record: what the kernel was seen to do, with what the policy adds to it. */
#include "trace/observe.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "rules/owners.h"
#include "rules/route.h"
#include "trace/lookup_route.h"
#include "trace/stack.h"

#define DSCP_SHIFT 2

/* policy: what explains, NULL in an unaided one; names: what names devices. used: steps of the
 * record that the replay has come to. seen: the one that the step in progress stands for. */
struct observation {
	const struct lookup_record *record;
	const struct policy *policy;
	const struct policy *names;
	const struct rule_list *rules;
	struct lookup *lookup;
	size_t used;
	const struct step_event *seen;
	bool conflict;
	bool failed;
};

/* The rule that a step ran, with all that the kernel tells of it. */
static void rule_of_step(struct rule *rule, const struct step_rule *from, uint8_t family)
{
	rule_init(rule, family);
	rule->action = from->action;
	rule->protocol = from->protocol;
	rule->invert = from->flags & STEP_RULE_INVERT;
	rule->find_saddr = from->flags & STEP_RULE_FIND_SOURCE;
	rule->priority = from->priority;
	rule->table = from->table;
	memcpy(rule->src.address, from->src, sizeof(rule->src.address));
	memcpy(rule->dst.address, from->dst, sizeof(rule->dst.address));
	rule->src.length = from->src_length;
	rule->dst.length = from->dst_length;
	memcpy(rule->iif, from->iif, sizeof(rule->iif));
	memcpy(rule->oif, from->oif, sizeof(rule->oif));
	rule->mark = from->mark;
	rule->mark_mask = from->mark_mask;
	rule->tun_id = from->tun_id;
	rule->l3mdev = from->flags & STEP_RULE_L3MDEV;
	/* fib_kuid_range_unset */
	rule->has_uids = from->uid_first || from->uid_last != FLOW_UID_INVALID;
	rule->uid_first = rule->has_uids ? from->uid_first : 0;
	rule->uid_last = rule->has_uids ? from->uid_last : 0;
	rule->has_dscp = from->flags & STEP_RULE_DSCP;
	rule->tos = rule->has_dscp ? 0 : from->tos;
	rule->dscp = rule->has_dscp ? from->tos >> DSCP_SHIFT : 0;
	if (rule->has_dscp)
		rule->dscp_mask = from->dscp_mask >> DSCP_SHIFT;
	rule->ip_proto = from->ip_proto;
	rule->has_sport = from->sport_first != 0;
	rule->has_dport = from->dport_first != 0;
	rule->sport = (struct rule_range16){ from->sport_first, from->sport_last };
	rule->dport = (struct rule_range16){ from->dport_first, from->dport_last };
	rule->sport_mask = rule_port_mask(from->sport_mask, &rule->sport);
	rule->dport_mask = rule_port_mask(from->dport_mask, &rule->dport);
	rule->has_flowlabel = from->flowlabel_mask != 0;
	rule->flowlabel = from->flowlabel;
	rule->flowlabel_mask = from->flowlabel_mask;
	rule->suppress_prefixlength = from->suppress_prefixlength;
	rule->suppress_ifgroup = from->suppress_ifgroup;
}

/* What netlink calls the devices of a rule, which the kernel's other fields do not tell. */
static bool is_step_of(const struct rule *rule, const struct step_event *step)
{
	struct rule seen, known = *rule;

	if (!(step->flags & STEP_HAS_RULE))
		return false;
	rule_of_step(&seen, &step->rule, rule->family);
	seen.iif_index = known.iif_index;
	seen.oif_index = known.oif_index;
	seen.target = known.target;
	seen.unresolved = known.unresolved;
	seen.realms = known.realms;
	seen.truncated = known.truncated;
	seen.unknown_count = known.unknown_count;
	memcpy(seen.unknown, known.unknown, sizeof(seen.unknown));
	return rule_equal(&seen, &known);
}

/* Of IPv6 the prefix is told as the table gave it. */
static struct table_answer answer_of_step(const struct step_event *step, uint8_t family)
{
	bool told = family == FLOW_AF_INET6 && step->flags & STEP_HAS_ROUTE;
	struct table_answer answer = {
		.table = step->table,
		.error = step->error,
		.dev = step->route.dev,
		.gateway_family = step->route.gateway_family,
		.route_type = step->route.type,
		.flags = told ? ANSWER_PREFIX_KNOWN : 0,
		.prefix_length = step->route.prefix_length,
	};

	memcpy(answer.gateway, step->route.gateway, sizeof(answer.gateway));
	return answer;
}

static void route_of_event(struct lookup_route *out, const struct step_route *route,
			   const struct policy *policy)
{
	*out = (struct lookup_route){
		.prefix_length = route->prefix_length,
		.nexthops = route->nexthops,
		.type = route->type,
		.gateway_family = route->gateway_family,
		.exception = route->flags & STEP_ROUTE_EXCEPTION,
	};
	memcpy(out->dst, route->dst, sizeof(out->dst));
	memcpy(out->gateway, route->gateway, sizeof(out->gateway));
	if (route->dev)
		route_set_device(out, policy, route->dev);
}

/* The kernel told of a throw route: of IPv6 it does. */
static bool step_tells_throw(const struct step_event *step)
{
	return step->flags & STEP_HAS_ROUTE && step->error == -EAGAIN &&
	       step->route.type == RTN_THROW;
}

/*
 * The route of a step: the kernel's where it found one, with the policy's
 * preferred source; the policy's where it refused. True when that is a throw route.
 */
static bool route_of_step(const struct observation *observation, const struct step_event *step,
			  struct lookup_route *out)
{
	const struct policy *policy = observation->policy;
	const struct flow_key *key = &observation->record->event->key;
	struct table_answer answer = answer_of_step(step, key->family);
	bool found = step->flags & STEP_HAS_ROUTE;
	uint32_t table = found ? step->route.table : step->table;
	struct lookup_route known = { .prefix_length = -1 };
	const struct route *route =
		policy ? table_explains(policy, key, table, &answer, &known) : NULL;

	if (!found) {
		*out = known;
		return route && step->error == -EAGAIN && known.type == RTN_THROW;
	}
	route_of_event(out, &step->route, observation->names);
	if (!route || known.prefix_length != out->prefix_length)
		return step_tells_throw(step);
	out->has_prefsrc = known.has_prefsrc;
	memcpy(out->prefsrc, known.prefsrc, sizeof(out->prefsrc));
	return step_tells_throw(step);
}

/* The kernel's next step, when it is this rule's; NULL: the policy is not the kernel's. */
static const struct step_event *take_step(struct observation *observation, size_t index)
{
	const struct lookup_record *record = observation->record;
	const struct step_event *step = &record->steps[observation->used];

	if (observation->used == record->step_count ||
	    !is_step_of(&observation->rules->rules[index], step)) {
		observation->conflict = true;
		return NULL;
	}
	observation->used++;
	observation->seen = step;
	return step;
}

static bool step_suppressed(const struct lookup_record *record, const struct step_event *step)
{
	return !step->error && (size_t)(step - record->steps) != record->deciding;
}

static enum ask_result observe_ask(void *data, size_t index, uint32_t table,
				   struct ask_answer *answer)
{
	struct observation *observation = data;
	const struct step_event *step = take_step(observation, index);
	struct lookup_route route;
	bool thrown;

	if (!step || step->table != table) {
		observation->conflict = true;
		return ASK_STOP;
	}
	if (!(step->flags & STEP_ASKED) && step->error == -EAGAIN)
		return ASK_NO_TABLE;
	thrown = route_of_step(observation, step, &route);
	*answer = (struct ask_answer){
		.error = step->error,
		.prefix_length = step->error ? -1 : route.prefix_length,
		.group = -1,
		.suppressed = step_suppressed(observation->record, step),
		.thrown = thrown,
	};
	return ASK_ANSWERED;
}

/* Rules that refuse ask no table: their step is taken when they are reported. */
static bool refuses(const struct walk_step *step)
{
	return !step->table && (step->outcome == STEP_UNREACHABLE ||
				step->outcome == STEP_BLACKHOLE || step->outcome == STEP_PROHIBIT);
}

static enum evidence outcome_evidence(enum step_outcome outcome)
{
	switch (outcome) {
	case STEP_THROW:
	case STEP_GOTO:
	case STEP_NOP:
	case STEP_NOT_REACHED:
		return EVIDENCE_DERIVED;
	default:
		return EVIDENCE_KERNEL;
	}
}

static bool outcome_has_route(enum step_outcome outcome)
{
	return outcome == STEP_THROW || outcome == STEP_SUPPRESSED || outcome == STEP_CHOSEN ||
	       outcome == STEP_UNREACHABLE || outcome == STEP_BLACKHOLE || outcome == STEP_PROHIBIT;
}

static void fill_route(const struct observation *observation, struct lookup_step *out)
{
	const struct flow_key *key = &observation->record->event->key;

	if (out->outcome == STEP_NOT_REACHED && out->table) {
		out->has_route =
			table_would_match(observation->policy, key, out->table, &out->route);
	} else if (out->table && outcome_has_route(out->outcome) && observation->seen) {
		out->has_route = true;
		route_of_step(observation, observation->seen, &out->route);
	}
}

static void observe_step(void *data, const struct walk_step *step)
{
	struct observation *observation = data;
	struct lookup_step *out;

	if (refuses(step) && !observation->conflict)
		take_step(observation, step->rule);
	if (step->outcome == STEP_SKIPPED || observation->conflict)
		return;
	out = lookup_add_walk_step(observation->lookup, step, observation->rules);
	if (!out) {
		/* Too many steps are no reason to end the trace. */
		observation->conflict |= errno == E2BIG;
		observation->failed |= errno != E2BIG;
		return;
	}
	out->evidence = outcome_evidence(step->outcome);
	if (observation->seen && step_tells_throw(observation->seen))
		out->evidence = EVIDENCE_KERNEL;
	fill_route(observation, out);
	observation->seen = NULL;
}

static enum derive_result observe_rules(struct observation *observation)
{
	struct lookup *lookup = observation->lookup;
	uint8_t family = observation->record->event->key.family;
	struct rule_list *rules = policy_rules(observation->policy, family);
	struct walk_result result;

	if (!rules)
		return DERIVE_CONFLICT;
	observation->rules = rules;
	result = policy_walk(observation->policy, rules, &observation->record->event->key,
			     observe_ask, observe_step, observation);
	if (observation->failed)
		return DERIVE_FAILED;
	if (observation->conflict || !result.complete ||
	    observation->used < observation->record->step_count)
		return DERIVE_CONFLICT;
	lookup->rules = rule_list_get(rules);
	return DERIVE_DONE;
}

static bool add_table_step(struct observation *observation, const struct step_event *from)
{
	bool found = from->flags & STEP_HAS_ROUTE;
	bool direct = observation->record->event->flags & LOOKUP_DIRECT;
	struct lookup_step *out = lookup_add_step(observation->lookup);
	bool thrown;

	if (!out)
		return false;
	out->table = found ? from->route.table : from->table;
	out->outcome = error_outcome(from->error);
	out->evidence = EVIDENCE_KERNEL;
	thrown = route_of_step(observation, from, &out->route);
	if (thrown) {
		out->outcome = STEP_THROW;
		out->evidence = step_tells_throw(from) ? EVIDENCE_KERNEL : EVIDENCE_DERIVED;
	}
	out->has_route = outcome_has_route(out->outcome);
	if (!direct)
		out->has_priority = built_in_priority(out->table, &out->priority);
	return true;
}

static enum derive_result observe_tables(struct observation *observation)
{
	for (size_t i = 0; i < observation->record->step_count; i++) {
		if (!add_table_step(observation, &observation->record->steps[i]))
			return errno == E2BIG ? DERIVE_CONFLICT : DERIVE_FAILED;
	}
	return DERIVE_DONE;
}

/* The step of the lookup that ended the walk, NULL when none did. Without rules the steps are
 * the record's; a walk over rules ends with the first that refuses or is not suppressed. */
static const struct lookup_step *ending_step(const struct lookup *lookup,
					     const struct lookup_record *record)
{
	if (!(record->event->flags & LOOKUP_RULES))
		return record->deciding < lookup->step_count ? &lookup->steps[record->deciding]
							     : NULL;
	for (size_t i = 0; i < lookup->step_count; i++) {
		switch (lookup->steps[i].outcome) {
		case STEP_CHOSEN:
		case STEP_UNREACHABLE:
		case STEP_BLACKHOLE:
		case STEP_PROHIBIT:
			return &lookup->steps[i];
		default:
			break;
		}
	}
	return NULL;
}

/* Whether the rule would have suppressed the table's route, but an exception came in its place. */
static bool exception_decided(const struct lookup_step *end)
{
	const struct rule *rule = end ? end->rule : NULL;

	return rule && end->route.exception && rule->suppress_prefixlength >= 0 &&
	       end->route.prefix_length <= rule->suppress_prefixlength;
}

static enum decided_by decided_by(const struct lookup_event *event, const struct lookup_step *end)
{
	if (event->flags & LOOKUP_BOUND_DEVICE)
		return DECIDED_BY_BOUND_DEVICE;
	if (event->flags & LOOKUP_SUPPRESSED_ROUTE)
		return DECIDED_BY_SUPPRESSED_ROUTE;
	if (event->flags & LOOKUP_DIRECT)
		return DECIDED_BY_DIRECT;
	if (!(event->flags & LOOKUP_RULES))
		return DECIDED_BY_BUILT_IN;
	if (exception_decided(end))
		return DECIDED_BY_EXCEPTION;
	return end ? DECIDED_BY_RULE : DECIDED_BY_END_OF_RULES;
}

/* The last rule whose route was suppressed: no rule's action ran behind it. */
static const struct lookup_step *suppressed_step(const struct lookup *lookup)
{
	for (size_t i = lookup->step_count; i-- > 0;) {
		if (lookup->steps[i].outcome == STEP_SUPPRESSED)
			return &lookup->steps[i];
	}
	return NULL;
}

/* The preferred source by the nexthop that was chosen, as far as the policy tells. */
static void route_find_source(struct lookup_route *route, uint32_t table,
			      const struct observation *observation)
{
	const struct lookup_event *event = observation->record->event;
	struct step_event chosen = { .route = event->route, .flags = STEP_HAS_ROUTE };
	struct table_answer answer = answer_of_step(&chosen, event->key.family);
	struct lookup_route known = { .prefix_length = -1 };

	if (!observation->policy ||
	    !table_explains(observation->policy, &event->key, table, &answer, &known) ||
	    known.prefix_length != route->prefix_length)
		return;
	route->has_prefsrc = known.has_prefsrc;
	memcpy(route->prefsrc, known.prefsrc, sizeof(route->prefsrc));
	route->nexthop = known.nexthop;
	route->weight = known.weight;
}

/* The route that was taken: the deciding step's, with the nexthop chosen after it. */
static void verdict_fill_route(struct lookup_verdict *verdict,
			       const struct observation *observation)
{
	const struct lookup_event *event = observation->record->event;

	if (!(event->flags & LOOKUP_HAS_ROUTE))
		return;
	route_of_event(&verdict->route, &event->route, observation->names);
	route_find_source(&verdict->route, verdict->table, observation);
}

static void verdict_fill_source(struct lookup_route *route, const struct lookup_event *event)
{
	/* A local route's source is the packet's destination: no preference of the route. */
	if (!(event->flags & LOOKUP_HAS_PREFSRC) || route->type == RTN_LOCAL)
		return;
	memcpy(route->prefsrc, event->prefsrc, sizeof(route->prefsrc));
	route->has_prefsrc = true;
}

/* RTN_… of an error: none where a route was found and its use refused. */
static uint8_t refused_type(const struct lookup_step *end, int error)
{
	if (end->outcome == STEP_CHOSEN)
		return RTN_UNSPEC;
	return end->outcome == STEP_UNREACHABLE ? RTN_UNREACHABLE : error_route_type(error);
}

/* A suppressed route that was used all the same was nobody's choice: no rule ended the walk. */
static void verdict_fill_step(struct lookup_verdict *verdict, const struct lookup_step *end)
{
	verdict->has_priority =
		end->has_priority && verdict->decided_by != DECIDED_BY_SUPPRESSED_ROUTE;
	verdict->priority = verdict->has_priority ? end->priority : 0;
	verdict->table = end->table;
	if (end->has_route)
		verdict->route = end->route;
}

static void verdict_fill(struct lookup *lookup, const struct observation *observation)
{
	const struct lookup_record *record = observation->record;
	const struct lookup_event *event = record->event;
	struct lookup_verdict *verdict = &lookup->verdict;
	const struct lookup_step *end = ending_step(lookup, record);

	if (event->flags & LOOKUP_SUPPRESSED_ROUTE)
		end = suppressed_step(lookup);
	verdict->error = event->error;
	verdict->decided_by = decided_by(event, end);
	verdict->route = (struct lookup_route){ .prefix_length = -1 };
	if (verdict->decided_by == DECIDED_BY_BOUND_DEVICE) {
		verdict->route.type = RTN_UNICAST;
		route_set_device(&verdict->route, observation->names, event->route.dev);
		verdict_fill_source(&verdict->route, event);
		return;
	}
	if (!end)
		return;
	verdict_fill_step(verdict, end);
	if (event->error) {
		verdict->route.type = refused_type(end, event->error);
		return;
	}
	verdict_fill_route(verdict, observation);
	verdict_fill_source(&verdict->route, event);
}

static void lookup_fill(struct lookup *lookup, const struct lookup_record *record,
			const struct policy *policy)
{
	const struct lookup_event *event = record->event;
	struct origin origin = stack_origin_default(&event->key, &event->context);

	lookup->boottime_ns = event->header.time_ns;
	lookup->duration_ns = event->duration_ns;
	lookup->visit = event->visit;
	lookup->holes = record->holes;
	lookup->cpu = event->header.cpu;
	lookup->netns = event->context.netns;
	lookup->netns_source = event->context.netns_source;
	lookup->purpose = event->flags & LOOKUP_PURPOSE_UNKNOWN ? origin.purpose : event->purpose;
	lookup->cause = event->flags & LOOKUP_CAUSE_UNKNOWN ? origin.cause : event->cause;
	lookup->context = event->context;
	lookup->key = event->key;
	lookup_name_devices(lookup, policy);
}

enum derive_result observe_lookup(const struct lookup_record *record, const struct policy *policy,
				  struct lookup *lookup)
{
	struct observation observation = {
		.record = record, .policy = policy, .names = policy, .lookup = lookup
	};
	enum derive_result result;

	lookup_fill(lookup, record, policy);
	if (record->event->flags & LOOKUP_RULES)
		result = observe_rules(&observation);
	else
		result = observe_tables(&observation);
	if (result == DERIVE_DONE) {
		verdict_fill(lookup, &observation);
		lookup->generation = policy_generation(policy);
	} else {
		lookup_clear(lookup);
	}
	return result;
}

static enum step_outcome outcome_of_step(const struct lookup_record *record,
					 const struct step_event *step)
{
	if (step_suppressed(record, step))
		return STEP_SUPPRESSED;
	if (step->error == -EAGAIN && !(step->flags & STEP_ASKED))
		return STEP_NO_TABLE;
	if (step_tells_throw(step))
		return STEP_THROW;
	if (!step->table && step->rule.action == RULE_UNREACHABLE)
		return STEP_UNREACHABLE;
	return error_outcome(step->error);
}

static enum suppressor suppressor_of_step(const struct step_event *step)
{
	int32_t shortest = step->rule.suppress_prefixlength;

	return shortest >= 0 && step->route.prefix_length <= shortest ? SUPPRESSOR_PREFIXLENGTH
								      : SUPPRESSOR_IFGROUP;
}

/* A step with the rule that the kernel ran; the rules are the lookup's own. */
static bool add_rule_step(const struct lookup_record *record, const struct policy *policy,
			  const struct step_event *from, const struct rule *rule,
			  struct lookup *lookup)
{
	struct lookup_step *out = lookup_add_step(lookup);

	if (!out)
		return false;
	out->rule = rule;
	out->has_priority = true;
	out->priority = rule->priority;
	out->table = from->table;
	out->outcome = outcome_of_step(record, from);
	out->evidence = EVIDENCE_KERNEL;
	if (out->outcome == STEP_SUPPRESSED)
		out->suppressor = suppressor_of_step(from);
	out->has_route = from->flags & STEP_HAS_ROUTE;
	if (out->has_route)
		route_of_event(&out->route, &from->route, policy);
	return true;
}

static bool unaided_rules(const struct lookup_record *record, const struct policy *policy,
			  struct lookup *lookup)
{
	struct rule_list *rules = rule_list_new(NULL, record->step_count);

	if (!rules)
		return false;
	lookup->rules = rules;
	for (size_t i = 0; i < record->step_count; i++) {
		rule_of_step(&rules->rules[i], &record->steps[i].rule, record->event->key.family);
		/* Each for itself: rules between them may be missing. */
		if (policy)
			owners_label(policy_owners(policy), &rules->rules[i], 1);
		if (!add_rule_step(record, policy, &record->steps[i], &rules->rules[i], lookup))
			return false;
	}
	return true;
}

bool observe_unaided(const struct lookup_record *record, const struct policy *policy,
		     struct lookup *lookup)
{
	struct observation observation = { .record = record, .names = policy, .lookup = lookup };

	lookup_fill(lookup, record, policy);
	if (record->event->flags & LOOKUP_RULES ? !unaided_rules(record, policy, lookup)
						: observe_tables(&observation) != DERIVE_DONE)
		return false;
	verdict_fill(lookup, &observation);
	return true;
}
