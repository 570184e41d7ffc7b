// SPDX-License-Identifier: GPL-2.0-only
/* Records the lookups of a COMMAND in the current network namespace, and its policy, for replay. */
#include <errno.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/capture.h"
#include "spaces.h"
#include "trace/stack.h"
#include "util/array.h"
#include "util/symbols.h"
#include "fields.h"

#define LINKS_MAX 4096
#define MARKERS_MAX 128
#define PIDS_MAX 64
#define INSTANCES_MAX 256
#define BATCH 1024
/* What stands in every recording instead of this machine's own. */
#define NETNS 4026532000u
#define FIRST_PID 1001
#define FIRST_NS 1000000000ull

struct recorder {
	FILE *file;
	const struct policy *policy;
	struct symbols *symbols;
	uint64_t first_ns;
	uint32_t netns;
	uint32_t pids[PIDS_MAX];
	uint64_t instances[INSTANCES_MAX];
};

static void write_links(struct recorder *recorder)
{
	static const struct link neutral;

	for (uint32_t index = 1; index < LINKS_MAX; index++) {
		const struct link *link = policy_link(recorder->policy, index);

		if (!link)
			continue;
		fputs("link", recorder->file);
		fields_write(recorder->file, link_fields, link, &neutral);
		fputc('\n', recorder->file);
	}
}

static uint8_t mask_length(const struct sockaddr *mask)
{
	return __builtin_popcount(
		((const struct sockaddr_in *)(const void *)mask)->sin_addr.s_addr);
}

static void write_addresses(struct recorder *recorder)
{
	static const struct address neutral;
	struct ifaddrs *list = NULL;

	if (getifaddrs(&list))
		return;
	for (struct ifaddrs *at = list; at; at = at->ifa_next) {
		struct address address = { .family = FLOW_AF_INET };

		if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET)
			continue;
		address.ifindex = if_nametoindex(at->ifa_name);
		address.length = mask_length(at->ifa_netmask);
		address.scope = at->ifa_flags & IFF_LOOPBACK ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
		memcpy(address.local, &((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr, 4);
		fputs("address", recorder->file);
		fields_write(recorder->file, address_fields, &address, &neutral);
		fputc('\n', recorder->file);
	}
	freeifaddrs(list);
}

static bool write_route(const struct route *route, void *data)
{
	static const struct route neutral = { .type = RTN_UNICAST };
	static const struct nexthop neutral_nexthop;
	struct recorder *recorder = data;

	fputs("route", recorder->file);
	fields_write(recorder->file, route_fields, route, &neutral);
	fputc('\n', recorder->file);
	for (uint32_t i = 0; i < route->nexthop_count; i++) {
		fputs("nexthop", recorder->file);
		fields_write(recorder->file, nexthop_fields, &route->nexthops[i], &neutral_nexthop);
		fputc('\n', recorder->file);
	}
	return true;
}

static void write_table(struct recorder *recorder, uint32_t id)
{
	const struct route_table *table = policy_table(recorder->policy, FLOW_AF_INET, id);

	if (table)
		route_table_visit(table, write_route, recorder);
}

static bool asked_before(const struct rule_list *list, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (list->rules[i].table == list->rules[index].table)
			return true;
	}
	return false;
}

static void write_policy(struct recorder *recorder)
{
	const struct rule_list *list = policy_rules(recorder->policy, FLOW_AF_INET);
	struct rule neutral;

	fprintf(recorder->file, "netns inode=%u\n", NETNS);
	write_links(recorder);
	write_addresses(recorder);
	rule_init(&neutral, FLOW_AF_INET);
	neutral.action = 0;
	for (size_t i = 0; i < list->count; i++) {
		fputs("rule", recorder->file);
		fields_write(recorder->file, rule_fields, &list->rules[i], &neutral);
		fputc('\n', recorder->file);
	}
	for (size_t i = 0; i < list->count; i++) {
		if (!asked_before(list, i))
			write_table(recorder, list->rules[i].table);
	}
}

static uint32_t pid_instead(struct recorder *recorder, uint32_t pid)
{
	for (uint32_t i = 0; i < PIDS_MAX; i++) {
		if (!recorder->pids[i])
			recorder->pids[i] = pid;
		if (recorder->pids[i] == pid)
			return pid ? FIRST_PID + i : 0;
	}
	return FIRST_PID + PIDS_MAX;
}

/* Which are equal is all that counts. */
static uint64_t instance_instead(struct recorder *recorder, uint64_t instance)
{
	for (uint32_t i = 0; instance && i < INSTANCES_MAX; i++) {
		if (!recorder->instances[i])
			recorder->instances[i] = instance;
		if (recorder->instances[i] == instance)
			return i + 1;
	}
	return 0;
}

static uint32_t netns_instead(const struct recorder *recorder, uint32_t netns)
{
	if (!netns)
		return 0;
	return netns == recorder->netns ? NETNS : NETNS + 1;
}

static void write_stack(struct recorder *recorder, const struct begin_event *begin)
{
	const struct begin_stack *stack = (const void *)(begin + 1);
	const char *separator = " stack=";

	for (uint32_t i = 0; i < begin->stack_count; i++) {
		int index = symbols_find(recorder->symbols, stack->address[i]);

		if (index < 0)
			continue;
		fprintf(recorder->file, "%s%s", separator, stack_marker(index));
		separator = ",";
	}
}

static void write_begin(struct recorder *recorder, const struct begin_event *recorded)
{
	static const struct begin_event neutral;
	struct begin_event begin = *recorded;

	begin.header.time_ns += FIRST_NS - recorder->first_ns;
	begin.context.pid = pid_instead(recorder, begin.context.pid);
	begin.context.tid = pid_instead(recorder, begin.context.tid);
	begin.context.instance = instance_instead(recorder, begin.context.instance);
	begin.context.netns = netns_instead(recorder, begin.context.netns);
	begin.answer.netns = netns_instead(recorder, begin.answer.netns);
	for (char *at = begin.context.comm; *at; at++)
		*at = *at > ' ' && *at < 127 ? *at : '_';
	fputs("begin", recorder->file);
	fields_write(recorder->file, begin_fields, &begin, &neutral);
	write_stack(recorder, recorded);
	fputc('\n', recorder->file);
}

static void write_answer(struct recorder *recorder, const struct table_event *recorded)
{
	static const struct table_event neutral;
	struct table_event table = *recorded;

	table.header.time_ns += FIRST_NS - recorder->first_ns;
	table.answer.netns = netns_instead(recorder, table.answer.netns);
	fputs("table", recorder->file);
	fields_write(recorder->file, table_fields, &table, &neutral);
	fputc('\n', recorder->file);
}

static void take_event(void *data, const struct event_header *event, size_t size)
{
	struct recorder *recorder = data;

	(void)size;
	if (!recorder->first_ns)
		recorder->first_ns = event->time_ns;
	if (event->type == EVENT_BEGIN)
		write_begin(recorder, (const void *)event);
	else if (event->type == EVENT_TABLE)
		write_answer(recorder, (const void *)event);
}

static struct symbols *read_symbols(void)
{
	const char *names[MARKERS_MAX];
	size_t count = 0;

	for (; count < MARKERS_MAX && stack_marker(count); count++)
		names[count] = stack_marker(count);
	return symbols_read("/proc/kallsyms", names, count);
}

static int run_command(char **argv)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return 0;
}

static struct capture *open_capture(uint32_t netns)
{
	struct capture_settings *settings = calloc(1, sizeof(*settings));
	struct capture *capture;

	if (!settings)
		return NULL;
	settings->buffer_size = 8 << 20;
	settings->attach = "auto";
	settings->config.netns[0] = netns;
	settings->config.netns_count = 1;
	capture = capture_open(settings);
	free(settings);
	return capture;
}

static int record(struct recorder *recorder, struct capture *capture, char **command)
{
	int count, err;

	write_policy(recorder);
	capture_start(capture);
	err = run_command(command);
	capture_stop(capture);
	do {
		count = capture_read(capture, BATCH, take_event, recorder);
	} while (count == BATCH);
	return err ? err : count < 0 ? count : 0;
}

int main(int argc, char **argv)
{
	static const struct spaces_settings settings = { .max_routes = 1000 };
	static const struct spaces_hooks hooks;
	struct recorder recorder = { 0 };
	struct capture *capture;
	struct spaces *spaces;
	int err;

	if (argc < 3) {
		fprintf(stderr, "usage: record FILE.events COMMAND [ARG…]\n");
		return 2;
	}
	spaces = spaces_open(&settings, &hooks);
	if (!spaces)
		return 1;
	recorder.policy = space_policy(spaces_at(spaces, 0));
	recorder.netns = spaces_at(spaces, 0)->netns.inode;
	recorder.symbols = read_symbols();
	recorder.file = fopen(argv[1], "we");
	capture = open_capture(recorder.netns);
	err = capture && recorder.symbols && recorder.file ? 0 : -EIO;
	if (!err)
		err = record(&recorder, capture, argv + 2);
	if (recorder.file)
		fclose(recorder.file);
	capture_close(capture);
	spaces_close(spaces);
	symbols_free(recorder.symbols);
	if (err)
		fprintf(stderr, "record: %s\n", strerror(-err));
	return err ? 1 : 0;
}
