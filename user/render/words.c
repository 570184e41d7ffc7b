// SPDX-License-Identifier: GPL-2.0-only
/* Names, times and facts of a lookup that every format spells the same way. */
#include "render/words.h"

#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define NS_PER_SECOND 1000000000u

static const char *const action_names[] = {
	[RULE_LOOKUP] = "lookup",
	[RULE_GOTO] = "goto",
	[RULE_NOP] = "nop",
	[RULE_BLACKHOLE] = "blackhole",
	[RULE_UNREACHABLE] = "unreachable",
	[RULE_PROHIBIT] = "prohibit",
};

static const uint8_t refusal_types[STEP_OUTCOME_COUNT] = {
	[STEP_UNREACHABLE] = RTN_UNREACHABLE,
	[STEP_BLACKHOLE] = RTN_BLACKHOLE,
	[STEP_PROHIBIT] = RTN_PROHIBIT,
};

static void add_name_or_number(struct text *out, const char *name, uint32_t number)
{
	if (name)
		text_add(out, name);
	else
		text_add_unsigned(out, number);
}

void words_add_table(struct text *out, const struct names *names, uint32_t table)
{
	add_name_or_number(out, names_table(names, table), table);
}

void words_add_protocol(struct text *out, uint8_t protocol)
{
	add_name_or_number(out, protocol_name(protocol), protocol);
}

void words_add_error(struct text *out, int error)
{
	add_name_or_number(out, errno_name(abs(error)), (uint32_t)abs(error));
}

void words_add_action(struct text *out, uint8_t action)
{
	add_name_or_number(out, action < ARRAY_SIZE(action_names) ? action_names[action] : NULL,
			   action);
}

void words_add_device(struct text *out, const char name[static IFNAMSIZ], uint32_t index)
{
	if (name[0]) {
		text_add_bytes(out, name, strnlen(name, IFNAMSIZ));
	} else if (index) {
		text_add(out, "if");
		text_add_unsigned(out, index);
	}
}

void words_add_device_of(struct text *out, const struct lookup_route *route)
{
	words_add_device(out, route->dev, route->dev_index);
}

const char *words_context(const struct event_context *context)
{
	static const char *const names[] = {
		[LEVEL_TASK] = "task",
		[LEVEL_SOFTIRQ] = "softirq",
		[LEVEL_KTHREAD] = "kthread",
	};

	return context->level < ARRAY_SIZE(names) ? names[context->level] : names[LEVEL_KTHREAD];
}

bool words_is_icmp(const struct flow_key *key)
{
	return key->protocol == IPPROTO_ICMP || key->protocol == IPPROTO_ICMPV6;
}

bool words_step_priority(const struct lookup_step *step, uint32_t *priority)
{
	if (!step->rule && !step->has_priority)
		return false;
	*priority = step->has_priority ? step->priority : step->rule->priority;
	return true;
}

static uint8_t refusal_type(const struct lookup_step *step)
{
	return (unsigned int)step->outcome < STEP_OUTCOME_COUNT ? refusal_types[step->outcome] : 0;
}

const struct lookup_step *words_refusal(const struct lookup *lookup)
{
	for (size_t i = lookup->step_count; i; i--) {
		if (refusal_type(&lookup->steps[i - 1]))
			return &lookup->steps[i - 1];
	}
	return NULL;
}

const char *words_unknown_step(const struct lookup_step *step)
{
	if (step->reason && !strcmp(step->reason, "policy-unreadable"))
		return "the rules and routes cannot be read";
	return "the policy changed while this ran";
}

const char *words_unknown(const struct lookup *lookup)
{
	static const struct lookup_step changed = { .outcome = STEP_UNKNOWN };

	for (size_t i = 0; i < lookup->step_count; i++) {
		if (lookup->steps[i].outcome == STEP_UNKNOWN)
			return words_unknown_step(&lookup->steps[i]);
	}
	return words_unknown_step(&changed);
}

uint8_t words_verdict_type(const struct lookup *lookup)
{
	uint8_t type = lookup->verdict.route.type;
	const struct lookup_step *refusal;

	if (!lookup->verdict.error)
		return type;
	if (type == RTN_UNREACHABLE || type == RTN_BLACKHOLE || type == RTN_PROHIBIT)
		return type;
	refusal = words_refusal(lookup);
	return refusal ? refusal_type(refusal) : RTN_UNSPEC;
}

void words_add_route_type(struct text *out, uint8_t type)
{
	if (type == RTN_UNSPEC)
		text_add(out, "none");
	else
		add_name_or_number(out, route_type_name(type), type);
}

bool words_has_prefix(const struct lookup_route *route)
{
	return route->prefix_length >= 0 && route->prefix_length <= 128;
}

static void add_digits(struct text *out, uint32_t value, unsigned int width)
{
	char digits[10];

	for (unsigned int i = width; i; i--) {
		digits[i - 1] = (char)('0' + value % 10);
		value /= 10;
	}
	text_add_bytes(out, digits, width);
}

/* An all-zero result, should the C library refuse the time, prints as a date long past. */
static void split_time(uint64_t time_ns, bool utc, struct tm *parts)
{
	time_t seconds = (time_t)(time_ns / NS_PER_SECOND);

	*parts = (struct tm){ 0 };
	if (utc)
		gmtime_r(&seconds, parts);
	else
		localtime_r(&seconds, parts);
}

static void add_date(struct text *out, const struct tm *parts)
{
	add_digits(out, (uint32_t)parts->tm_year + 1900, 4);
	text_add_char(out, '-');
	add_digits(out, (uint32_t)parts->tm_mon + 1, 2);
	text_add_char(out, '-');
	add_digits(out, (uint32_t)parts->tm_mday, 2);
	text_add_char(out, 'T');
}

static void add_clock(struct text *out, const struct tm *parts)
{
	add_digits(out, (uint32_t)parts->tm_hour, 2);
	text_add_char(out, ':');
	add_digits(out, (uint32_t)parts->tm_min, 2);
	text_add_char(out, ':');
	add_digits(out, (uint32_t)parts->tm_sec, 2);
	text_add_char(out, '.');
}

static void add_offset(struct text *out, long seconds)
{
	uint32_t minutes = (uint32_t)(labs(seconds) / 60);

	text_add_char(out, seconds < 0 ? '-' : '+');
	add_digits(out, minutes / 60, 2);
	add_digits(out, minutes % 60, 2);
}

void words_add_time_utc(struct text *out, uint64_t time_ns)
{
	struct tm parts;

	split_time(time_ns, true, &parts);
	add_date(out, &parts);
	add_clock(out, &parts);
	add_digits(out, (uint32_t)(time_ns % NS_PER_SECOND), 9);
	text_add_char(out, 'Z');
}

void words_add_time_line(struct text *out, uint64_t time_ns, bool utc)
{
	struct tm parts;

	split_time(time_ns, utc, &parts);
	add_date(out, &parts);
	add_clock(out, &parts);
	add_digits(out, (uint32_t)(time_ns % NS_PER_SECOND / 1000), 6);
	if (utc)
		text_add_char(out, 'Z');
	else
		add_offset(out, parts.tm_gmtoff);
}

void words_add_time_clock(struct text *out, uint64_t time_ns, bool utc)
{
	struct tm parts;

	split_time(time_ns, utc, &parts);
	add_clock(out, &parts);
	add_digits(out, (uint32_t)(time_ns % NS_PER_SECOND / 1000), 6);
}

void words_add_mismatch(struct text *out, const struct lookup *lookup,
			const struct lookup_step *step, const struct names *names, bool ascii)
{
	const struct mismatch_options options = {
		.mismatch = step->mismatch,
		.iif = lookup->key.iif ? lookup->iif : NULL,
		.oif = lookup->key.oif ? lookup->oif : NULL,
		.names = names,
		.ascii = ascii,
	};

	rule_print_mismatch(out, step->rule, &lookup->key, &options);
}

static void add_missed(struct text *out, const struct lookup_counts *counts)
{
	if (!counts->missed_known)
		text_add(out, ", missed: unknown");
	else if (counts->missed)
		text_printf(out, ", missed: %" PRIu64 " program runs", counts->missed);
	if (counts->netns_unknown)
		text_printf(out, ", %" PRIu64 " in an unknown namespace", counts->netns_unknown);
}

void words_add_counts(struct text *out, const struct lookup_counts *counts)
{
	text_printf(out,
		    "%" PRIu64 " seen, %" PRIu64 " shown, %" PRIu64 " filtered, %" PRIu64
		    " lost, %" PRIu64 " unfinished",
		    counts->seen, counts->shown, counts->filtered, counts->lost,
		    counts->unfinished);
	add_missed(out, counts);
}
