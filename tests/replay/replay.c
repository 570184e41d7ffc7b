// SPDX-License-Identifier: GPL-2.0-only
/* Explains a recorded sequence of events by its recorded policy, as JSON on standard output. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "render/render.h"
#include "render/summary.h"
#include "trace/assembler.h"
#include "trace/derive.h"
#include "trace/explain.h"
#include "trace/group.h"
#include "trace/stack.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/symbols.h"
#include "fields.h"

#define RULES_MAX 64
#define NEXTHOPS_MAX 8
#define MARKERS_MAX 128
#define WALKS_MAX 4096
/* Every replay happens at one time: the noon that recordings count from. */
#define NOON_NS 1795348800000000000ull
/* Where the made-up kernel's functions lie. */
#define FUNCTION_FIRST 0xffffffff81000000ull
#define FUNCTION_SIZE 0x100

struct recorded_event {
	struct begin_event begin; /* or a table_event, by its header */
	struct begin_stack stack;
};

struct walks {
	struct walk_record *walk[WALKS_MAX];
	enum derive_result result[WALKS_MAX];
	struct lookup lookup[WALKS_MAX];
	size_t count;
};

struct replay {
	struct policy *policy;
	struct rule rules[RULES_MAX];
	size_t rule_count;
	struct route *route; /* read, its nexthops may follow */
	struct assembler *assembler;
	struct groups *groups;
	struct explainer *explainer;
	struct walks walks;
	struct render_options render;
	struct text out;
	struct trace_summary summary;
	uint64_t merged;
	uint32_t netns;
	bool one_by_one; /* explain after each event */
	bool started; /* the policy is complete */
	bool finished; /* nothing follows any more */
};

static uint64_t wall_clock(uint64_t boottime_ns)
{
	return NOON_NS + boottime_ns;
}

/* What session.c does with one walk while the policy stays the same. */
static bool together(const struct replay *replay, const struct walk_record *walk,
		     const struct walk_record *successor)
{
	struct walk_record both = *walk;
	struct lookup lookup = { 0 };
	enum derive_result result;

	both.ended = successor->ended;
	both.answer_count += successor->answer_count;
	both.answers = reallocarray(NULL, both.answer_count, sizeof(*both.answers));
	if (!both.answers)
		return false;
	memcpy(both.answers, walk->answers, walk->answer_count * sizeof(*both.answers));
	memcpy(both.answers + walk->answer_count, successor->answers,
	       successor->answer_count * sizeof(*both.answers));
	result = derive_lookup(&both, replay->policy, &lookup);
	lookup_clear(&lookup);
	free(both.answers);
	return result == DERIVE_DONE || result == DERIVE_OPEN;
}

static void join(struct replay *replay, struct walk_record *walk)
{
	struct walk_record *successor;

	while (walk->ended && (successor = assembler_successor(replay->assembler, walk))) {
		struct walk_record open = *walk;
		struct lookup lookup = { 0 };
		enum derive_result result;

		open.ended = false;
		result = derive_lookup(&open, replay->policy, &lookup);
		lookup_clear(&lookup);
		if (result != DERIVE_OPEN || !together(replay, walk, successor))
			return;
		if (assembler_merge(replay->assembler, walk, successor))
			return;
		replay->merged++;
	}
}

/* True when the walk is not to be explained. */
static bool set_aside(struct replay *replay, struct walk_record *walk)
{
	enum netns_source source;
	uint32_t netns = walk_record_netns(walk, &source);

	if (walk->lost)
		replay->summary.counts.lost++;
	else if (!netns || netns == replay->netns)
		return false;
	if (walk->lost || walk->ended || source == NETNS_DEVICE)
		assembler_done(replay->assembler, walk);
	return true;
}

static void show(struct replay *replay, struct walk_record *walk, struct lookup *lookup)
{
	lookup->time_ns = wall_clock(lookup->boottime_ns);
	lookup->group = group_number(replay->groups, groups_find(replay->groups, lookup));
	explain_lookup(replay->explainer, lookup, replay->policy);
	format_json.lookup(&replay->out, lookup, &replay->render);
	summary_add(&replay->summary, lookup);
	replay->summary.counts.shown++;
	assembler_done(replay->assembler, walk);
}

/* Without the policy's word a walk is over when its task begins another, and when a route refuses. */
static bool walk_over(const struct walk_record *walk)
{
	const struct table_answer *last = &walk->answers[walk->answer_count - 1];

	return walk->ended || (last->error && last->error != -EAGAIN);
}

static void settle(struct replay *replay, struct walk_record *walk, enum derive_result result,
		   struct lookup *lookup)
{
	if (result == DERIVE_OPEN && !walk->ended)
		return;
	if (result != DERIVE_DONE && !walk_over(walk) && !replay->finished)
		return;
	if (walk->rejected) {
		replay->summary.counts.filtered++;
		assembler_done(replay->assembler, walk);
		return;
	}
	if (result != DERIVE_DONE)
		derive_unknown(walk, replay->policy, "policy-changed", lookup);
	show(replay, walk, lookup);
}

static void explain(struct replay *replay)
{
	struct walks *walks = &replay->walks;
	struct walk_record *walk;

	walks->count = 0;
	while (walks->count < WALKS_MAX && (walk = assembler_next(replay->assembler))) {
		size_t at = walks->count;

		if (set_aside(replay, walk))
			continue;
		join(replay, walk);
		walks->walk[at] = walk;
		walks->lookup[at] = (struct lookup){ 0 };
		walks->result[at] = derive_lookup(walk, replay->policy, &walks->lookup[at]);
		walks->count++;
	}
	for (size_t i = 0; i < walks->count; i++) {
		settle(replay, walks->walk[i], walks->result[i], &walks->lookup[i]);
		lookup_clear(&walks->lookup[i]);
	}
}

static void lost(void *data, const struct event_header *header, uint32_t count)
{
	struct replay *replay = data;

	format_json.lost(&replay->out, wall_clock(header->time_ns), header->cpu, count,
			 &replay->render);
}

/* The policy is complete when the first event comes. */
static int start(struct replay *replay)
{
	struct rule_list *list;

	if (replay->started)
		return 0;
	replay->started = true;
	list = rule_list_new(replay->rules, replay->rule_count);
	if (!list)
		return -errno;
	policy_set_rules(replay->policy, FLOW_AF_INET, list);
	return 0;
}

static int feed(struct replay *replay, const struct event_header *event, size_t size)
{
	int err = start(replay);

	if (!err)
		err = assembler_add(replay->assembler, event, size, lost, replay);
	if (!err && replay->one_by_one)
		explain(replay);
	return err;
}

static int read_words(const struct field *fields, char *words, void *record)
{
	int err = 0;

	for (char *word = strtok(words, " \n"); word && !err; word = strtok(NULL, " \n"))
		err = fields_read(fields, word, record);
	return err;
}

static int read_netns(struct replay *replay, char *words)
{
	static const struct field fields[] = { { "inode", 0, FIELD_U32, 0 }, { 0 } };

	return read_words(fields, words, &replay->netns);
}

static int read_link(struct replay *replay, char *words)
{
	struct link link = { 0 };
	int err = read_words(link_fields, words, &link);

	return err ? err : policy_set_link(replay->policy, &link);
}

static int read_address(struct replay *replay, char *words)
{
	struct address address = { .family = FLOW_AF_INET };
	int err = read_words(address_fields, words, &address);

	return err ? err : policy_append_address(replay->policy, &address);
}

static int read_rule(struct replay *replay, char *words)
{
	struct rule *rule = &replay->rules[replay->rule_count];

	if (replay->rule_count == RULES_MAX)
		return -E2BIG;
	replay->rule_count++;
	rule_init(rule, FLOW_AF_INET);
	return read_words(rule_fields, words, rule);
}

/* The route read last enters its table when all its nexthops are known. */
static int add_route(struct replay *replay)
{
	struct route *route = replay->route;
	struct route_table *table;
	int err = 0;

	if (!route->table)
		return 0;
	table = policy_table_for_change(replay->policy, FLOW_AF_INET, route->table);
	err = table ? route_table_add(table, route, true, false) : -errno;
	memset(route, 0, route_size(NEXTHOPS_MAX));
	return err;
}

static int read_route(struct replay *replay, char *words)
{
	int err = add_route(replay);

	replay->route->family = FLOW_AF_INET;
	replay->route->type = RTN_UNICAST;
	return err ? err : read_words(route_fields, words, replay->route);
}

static int read_nexthop(struct replay *replay, char *words)
{
	struct route *route = replay->route;

	if (route->nexthop_count == NEXTHOPS_MAX)
		return -E2BIG;
	return read_words(nexthop_fields, words, &route->nexthops[route->nexthop_count++]);
}

/* "stack=inner,outer": the address of a return into each. */
static int read_stack(const char *functions, struct recorded_event *event)
{
	while (*functions) {
		size_t length = strcspn(functions, ",\n"), i = 0;

		while (stack_marker(i) &&
		       (strncmp(stack_marker(i), functions, length) || stack_marker(i)[length]))
			i++;
		if (!stack_marker(i) || event->begin.stack_count == EVENT_STACK_DEPTH)
			return -EINVAL;
		event->stack.address[event->begin.stack_count++] =
			FUNCTION_FIRST + i * FUNCTION_SIZE + 8;
		functions += length;
		functions += *functions ? 1 : 0;
	}
	return 0;
}

static int read_begin(struct replay *replay, char *words)
{
	struct recorded_event event = { .begin = { .header.type = EVENT_BEGIN } };
	char *stack = strstr(words, " stack=");
	int err = add_route(replay);

	if (!err && stack) {
		*stack = '\0';
		err = read_stack(stack + strlen(" stack="), &event);
	}
	if (!err)
		err = read_words(begin_fields, words, &event.begin);
	if (err)
		return err;
	return feed(replay, &event.begin.header,
		    sizeof(event.begin) + event.begin.stack_count * sizeof(uint64_t));
}

static int read_table(struct replay *replay, char *words)
{
	struct table_event event = { .header.type = EVENT_TABLE };
	int err = read_words(table_fields, words, &event);

	return err ? err : feed(replay, &event.header, sizeof(event));
}

static const struct {
	const char *name;
	int (*read)(struct replay *replay, char *words);
} lines[] = {
	{ "netns", read_netns }, { "link", read_link },	  { "address", read_address },
	{ "rule", read_rule },	 { "route", read_route }, { "nexthop", read_nexthop },
	{ "begin", read_begin }, { "table", read_table },
};

static int read_line(struct replay *replay, char *line)
{
	size_t length = strcspn(line, " \n");

	if (!length || *line == '#')
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (strlen(lines[i].name) == length && !strncmp(line, lines[i].name, length))
			return lines[i].read(replay, line + length);
	}
	return -EINVAL;
}

static int read_file(struct replay *replay, const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0, number = 0;
	int err = 0;

	if (!file)
		return -errno;
	while (!err && getline(&line, &size, file) > 0) {
		err = read_line(replay, line);
		number++;
	}
	if (err)
		fprintf(stderr, "%s:%zu: %s\n", path, number, strerror(-err));
	return err;
}

static void finish(struct replay *replay)
{
	struct lookup_counts *counts = &replay->summary.counts;
	struct assembler_counts assembled = assembler_counts(replay->assembler);
	struct walk_record *walk;

	explain(replay);
	replay->finished = true;
	assembler_flush(replay->assembler);
	explain(replay);
	assembler_flush(replay->assembler);
	while ((walk = assembler_next(replay->assembler))) {
		counts->unfinished++;
		assembler_done(replay->assembler, walk);
	}
	counts->seen = assembled.begun + assembled.rejected - replay->merged;
	format_json.summary(&replay->out, wall_clock(0), &replay->summary, &replay->render);
	if (assembled.malformed)
		fprintf(stderr, "%" PRIu64 " events were malformed\n", assembled.malformed);
}

/* The kernel of the recordings: its functions are the markers alone. */
static struct symbols *make_symbols(void)
{
	const char *names[MARKERS_MAX];
	char path[] = "/tmp/fibtrace-replay-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	struct symbols *symbols;
	size_t count = 0;

	if (!file)
		return NULL;
	for (; count < MARKERS_MAX && stack_marker(count); count++) {
		names[count] = stack_marker(count);
		fprintf(file, "%llx t %s\n", FUNCTION_FIRST + count * FUNCTION_SIZE, names[count]);
	}
	fclose(file);
	symbols = symbols_read(path, names, count);
	unlink(path);
	return symbols;
}

static void replay_free(struct replay *replay)
{
	assembler_free(replay->assembler);
	groups_free(replay->groups);
	explainer_free(replay->explainer);
	policy_free(replay->policy);
	summary_free(&replay->summary);
	text_free(&replay->out);
	free(replay->route);
	free(replay);
}

int main(int argc, char **argv)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	struct symbols *symbols = make_symbols();
	struct names *names = names_new();
	struct owners *owners = owners_new();
	int err = -ENOMEM;

	if (argc != 2 && !(argc == 3 && !strcmp(argv[1], "--one-by-one"))) {
		fprintf(stderr, "usage: replay [--one-by-one] FILE.events\n");
		return 2;
	}
	if (replay && symbols && names && owners) {
		replay->one_by_one = argc == 3;
		replay->render = (struct render_options){
			.names = names,
			.owners = owners,
			.utc = true,
		};
		replay->policy = policy_new(0, TOS_MASKED);
		replay->route = calloc(1, route_size(NEXTHOPS_MAX));
		replay->assembler = assembler_new(symbols);
		replay->groups = groups_new();
		replay->explainer = explainer_new();
		if (replay->policy && replay->route && replay->assembler && replay->groups &&
		    replay->explainer)
			err = 0;
	}
	if (!err)
		policy_set_owners(replay->policy, owners);
	if (!err)
		err = read_file(replay, argv[argc - 1]);
	if (!err) {
		finish(replay);
		fputs(text_string(&replay->out), stdout);
	}
	if (replay)
		replay_free(replay);
	symbols_free(symbols);
	names_free(names);
	owners_free(owners);
	return err ? 1 : 0;
}
