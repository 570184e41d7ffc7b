// SPDX-License-Identifier: GPL-2.0-only
/* What is read of a log is what was written, and damage ends it without harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "log/delta.h"
#include "log/format.h"
#include "log/reader.h"
#include "log/span.h"
#include "log/writer.h"
#include "render/render.h"
#include "rules/policy_change.h"
#include "scene_lookup.h"
#include "trace/explain.h"

#define RULES_MAX 8
#define ROUTES_MAX 8

static const struct rule story[RULES_MAX] = {
	{ LOOKUP(0, 255) },
	{ LOOKUP(5208, 254), LENGTH(0) },
	{ LOOKUP(5209, 51820), NOT_MARKED },
	{ LOOKUP(5210, 254), .mark = 0x80000, .mark_mask = 0xff0000 },
	{ GOTO(5220, 5270), .iif = "gone0" },
	{ LOOKUP(5270, 52) },
	{ LOOKUP(32766, 254) },
};

static const struct route_row routes[ROUTES_MAX] = {
	LOCAL("127.0.0.0", 8, LO),
	VIA(254, "0.0.0.0", 0, ETH0, GATEWAY),
	ROUTE(51820, "0.0.0.0", 0, WG0),
	ROUTE(52, TAILNET, 32, TAILSCALE0),
	VIA(254, "2001:db8::", 32, ETH0, "2001:db8::1"),
};

static const struct flow_row flows[] = {
	{ 0 },
	{ .mark = MARK },
	{ .mark = 0x80000, .sport = 33000, .dport = 443, .protocol = 6 },
	{ .dst = "203.0.113.5", .level = LEVEL_SOFTIRQ, .purpose = PURPOSE_INPUT, .iif = ETH0 },
	{ .dst = "127.0.0.1" },
	{ .sport = 1, .dport = 2, .protocol = 17 },
	{ .sport = 3, .dport = 2, .protocol = 17 },
};

/* A file that is gone with the test. */
struct file {
	char name[64];
};

static struct file file_new(void)
{
	struct file file = { "/tmp/fibtrace-log.XXXXXX" };
	int fd = mkstemp(file.name);

	assert_true(fd >= 0);
	close(fd);
	return file;
}

static struct text file_content(const struct file *file)
{
	struct text content = { 0 };
	char chunk[4096];
	int fd = open(file->name, O_RDONLY);
	ssize_t count;

	assert_true(fd >= 0);
	while ((count = read(fd, chunk, sizeof(chunk))) > 0)
		text_add_bytes(&content, chunk, (size_t)count);
	close(fd);
	return content;
}

static void file_write(const struct file *file, const char *bytes, size_t length)
{
	int fd = open(file->name, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	close(fd);
}

static struct policy *story_policy(const struct owners *owners)
{
	struct rule rules[RULES_MAX];
	size_t count = scene_rules(rules, story, RULES_MAX);
	struct policy *policy = scene_policy(rules, count, routes, ROUTES_MAX);

	scene_add_address(policy, ETH0, "192.0.2.2", 24);
	scene_add_address(policy, ETH0, "2001:db8::2", 64);
	assert_int_equal(policy_set_rp_filter(policy, 0, 1), 0);
	policy_set_table_unheld(policy, FLOW_AF_INET, 99);
	policy_set_owners(policy, owners);
	return policy;
}

/* What a reader of the trace would see: every line of JSON. */
struct session {
	struct text text;
	struct explainer *explainer;
	struct render_options options;
};

static void session_init(struct session *session, const struct names *names,
			 const struct owners *owners)
{
	*session = (struct session){
		.explainer = explainer_new(),
		.options = { .names = names, .owners = owners },
	};
	assert_non_null(session->explainer);
}

static void session_free(struct session *session)
{
	explainer_free(session->explainer);
	text_free(&session->text);
}

static void show(struct session *session, struct lookup *lookup, const struct policy *policy,
		 bool explained)
{
	if (explained)
		assert_true(explain_steps(lookup, policy));
	else
		assert_true(explain_lookup(session->explainer, lookup, policy));
	format_json.lookup(&session->text, lookup, &session->options);
}

struct recorder {
	struct session session;
	struct names *names;
	struct owners *owners;
	struct policy *policy;
	struct log_writer *writer;
	struct log_space space;
	uint64_t time_ns;
	bool explained;
};

static void recorder_open_files(struct recorder *recorder, const struct log_files_settings *files,
				bool explained)
{
	static const char owner[] = "owner mine\nrule 5220: iif any goto any\n";
	static const char *const filters[] = { "-d", "100.0.0.0/8", NULL };
	struct text error = { 0 };
	struct log_start start = {
		.time_ns = 1700000000000000000,
		.utc_offset = 7200,
		.version = "0",
		.kernel = "6.1",
		.tier = "tracepoint",
		.filters = filters,
	};

	*recorder = (struct recorder){ .explained = explained, .time_ns = 1 };
	recorder->names = names_new();
	recorder->owners = owners_new();
	assert_int_equal(names_set(recorder->names, NAME_TABLE, 52, "tailnet"), 0);
	assert_int_equal(owners_parse(recorder->owners, "mine.conf", owner, strlen(owner), &error),
			 0);
	recorder->policy = story_policy(recorder->owners);
	session_init(&recorder->session, recorder->names, recorder->owners);
	recorder->writer = log_writer_open(files);
	assert_non_null(recorder->writer);
	start.names = recorder->names;
	log_writer_owners(recorder->writer, "mine.conf", owner, strlen(owner));
	log_writer_start(recorder->writer, &start);
	recorder->space = (struct log_space){ NETNS, "here", recorder->policy };
}

static void recorder_open(struct recorder *recorder, const struct file *file, bool explained)
{
	recorder_open_files(recorder, &(struct log_files_settings){ .name = file->name },
			    explained);
}

static void record(struct recorder *recorder, struct lookup *lookup)
{
	lookup->boottime_ns = recorder->time_ns += 1000;
	lookup->time_ns = lookup->boottime_ns + 1700000000000000000;
	lookup->group = recorder->time_ns / 2000;
	lookup->netns_name = recorder->space.title;
	lookup->duration_ns = 77;
	lookup->cpu = 3;
	log_writer_begin_lookup(recorder->writer, &recorder->space, lookup, recorder->explained);
	show(&recorder->session, lookup, recorder->space.policy, false);
	log_writer_end_lookup(recorder->writer, lookup);
	lookup_clear(lookup);
}

static void record_flow(struct recorder *recorder, const struct flow_row *flow)
{
	struct lookup lookup = scene_lookup(recorder->policy, flow);

	record(recorder, &lookup);
}

static void recorder_close(struct recorder *recorder)
{
	const struct lookup_counts counts = { .seen = 9, .shown = 7, .filtered = 1, .lost = 1 };

	log_writer_lost(recorder->writer, 77, 3, 12);
	log_writer_note(recorder->writer, 78, &recorder->space, "rule added: 5: from all");
	log_writer_warning(recorder->writer, 79, "look out");
	log_writer_clock(recorder->writer, -3600);
	log_writer_end(recorder->writer, 80, &counts);
	assert_int_equal(log_writer_close(recorder->writer), 0);
	session_free(&recorder->session);
	policy_free(recorder->policy);
	owners_free(recorder->owners);
	names_free(recorder->names);
}

/* Everything that policies can go through between lookups; what would have been seen. */
static struct text record_all(const struct file *file, bool explained)
{
	struct recorder recorder;
	struct rule rules[RULES_MAX];
	size_t count = scene_rules(rules, story, RULES_MAX);
	struct lookup old;
	struct link renamed = { .index = LAN0, .name = "gone0" };
	struct route *route = scene_route(&(struct route_row)ROUTE(52, "100.64.0.0", 10, WG0));
	struct text text;

	recorder_open(&recorder, file, explained);
	for (size_t i = 0; i < ARRAY_SIZE(flows); i++)
		record_flow(&recorder, &flows[i]);
	/* The next is explained by what is in force no more when it is recorded. */
	old = scene_lookup(recorder.policy, &flows[0]);
	scene_set_rules(recorder.policy, rules, count - 2);
	record(&recorder, &old);
	record_flow(&recorder, &flows[0]);
	assert_int_equal(policy_set_link(recorder.policy, &renamed), 0);
	record_flow(&recorder, &flows[1]);
	assert_int_equal(policy_add_route(recorder.policy, route, true, false), 0);
	policy_set_rules(recorder.policy, FLOW_AF_INET, rule_list_new(rules, count));
	record_flow(&recorder, &flows[0]);
	assert_int_equal(policy_remove_route(recorder.policy, route), 0);
	free(route);
	policy_remove_link(recorder.policy, LAN0);
	record_flow(&recorder, &flows[2]);
	policy_clear_routes(recorder.policy, FLOW_AF_INET);
	policy_clear_links(recorder.policy);
	text = recorder.session.text;
	recorder.session.text = (struct text){ 0 };
	recorder_close(&recorder);
	return text;
}

/* What reading came to, besides the lookups. */
struct seen {
	struct text text;
	unsigned int starts;
	unsigned int losses;
	unsigned int notes;
	unsigned int warnings;
	unsigned int clocks;
	unsigned int ends;
	int result; /* of the last log_reader_next() */
	bool opened;
};

static void check_record(const struct log_record *record, struct seen *seen)
{
	switch (record->type) {
	case LOG_START:
		assert_int_equal(record->utc_offset, 7200);
		assert_string_equal(record->tier, "tracepoint");
		assert_string_equal(record->filters[1], "100.0.0.0/8");
		assert_null(record->filters[2]);
		seen->starts++;
		break;
	case LOG_LOST:
		assert_int_equal(record->cpu, 3);
		assert_int_equal(record->count, 12);
		seen->losses++;
		break;
	case LOG_NOTE:
		assert_string_equal(record->text, "rule added: 5: from all");
		assert_string_equal(record->title, "here");
		seen->notes++;
		break;
	case LOG_WARNING:
		assert_string_equal(record->text, "look out");
		seen->warnings++;
		break;
	case LOG_CLOCK:
		assert_int_equal(record->utc_offset, -3600);
		seen->clocks++;
		break;
	case LOG_END:
		assert_int_equal(record->counts.seen, 9);
		assert_int_equal(record->counts.lost, 1);
		seen->ends++;
		break;
	default:
		fail();
	}
}

/* check: what else is told is that of recorder_close(); hostile logs tell what they like. */
static struct seen read_all(const struct file *file, bool check)
{
	struct seen seen = { 0 };
	struct session session;
	struct log_record record;
	char reason[200];
	struct log_reader *reader = log_reader_open(file->name, reason, sizeof(reason));

	if (!reader)
		return seen;
	seen.opened = true;
	session_init(&session, log_reader_names(reader), log_reader_owners(reader));
	while ((seen.result = log_reader_next(reader, &record)) > 0) {
		if (record.type == LOG_LOOKUP)
			show(&session, record.lookup, record.policy, record.explained);
		else if (check)
			check_record(&record, &seen);
	}
	if (seen.result < 0)
		assert_int_not_equal(log_reader_problem(reader)[0], '\0');
	seen.text = session.text;
	session.text = (struct text){ 0 };
	session_free(&session);
	log_reader_close(reader);
	return seen;
}

static void check_round_trip(bool explained)
{
	struct file file = file_new();
	struct text want = record_all(&file, explained);
	struct seen seen = read_all(&file, true);

	assert_int_equal(seen.result, 0);
	assert_string_equal(text_string(&seen.text), text_string(&want));
	assert_non_null(strstr(text_string(&want), "tailnet"));
	assert_non_null(strstr(text_string(&want), "wg-quick"));
	assert_non_null(strstr(text_string(&want), "\"mine\""));
	assert_int_equal(seen.starts, 1);
	assert_int_equal(seen.losses, 1);
	assert_int_equal(seen.notes, 1);
	assert_int_equal(seen.warnings, 1);
	assert_int_equal(seen.clocks, 1);
	assert_int_equal(seen.ends, 1);
	text_free(&want);
	text_free(&seen.text);
	unlink(file.name);
}

static void what_is_read_is_what_would_have_been_shown(void **state)
{
	(void)state;
	check_round_trip(false);
}

static void what_was_found_live_is_found_again(void **state)
{
	(void)state;
	check_round_trip(true);
}

static bool begins_with(const struct text *whole, const struct text *part)
{
	return part->length <= whole->length &&
	       (!part->length || !memcmp(whole->string, part->string, part->length));
}

static void a_log_is_read_up_to_where_it_is_cut(void **state)
{
	struct file file = file_new();
	struct text want = record_all(&file, false);
	struct text log = file_content(&file);
	size_t most = 0;

	(void)state;
	for (size_t length = 0; length < log.length; length++) {
		struct seen seen;

		file_write(&file, log.string, length);
		seen = read_all(&file, true);
		assert_int_equal(seen.opened, length >= LOG_HEADER_LENGTH);
		assert_true(begins_with(&want, &seen.text));
		assert_int_equal(seen.ends, 0);
		assert_true(seen.result == 0 || seen.result == -EBADMSG);
		assert_true(seen.text.length >= most);
		most = seen.text.length;
		text_free(&seen.text);
	}
	assert_int_equal(most, want.length);
	text_free(&want);
	text_free(&log);
	unlink(file.name);
}

/* A byte that is wrong ends the log there: nothing behind it is believed. */
static void a_wrong_bit_ends_the_log(void **state)
{
	struct file file = file_new();
	struct text want = record_all(&file, false);
	struct text log = file_content(&file);

	(void)state;
	for (size_t at = 0; at < log.length; at++) {
		struct seen seen;

		log.string[at] ^= (char)(1 << at % 8);
		file_write(&file, log.string, log.length);
		log.string[at] ^= (char)(1 << at % 8);
		seen = read_all(&file, true);
		assert_true(begins_with(&want, &seen.text));
		/* The last byte of the header means nothing yet. */
		if (seen.opened && at >= LOG_HEADER_LENGTH) {
			assert_int_equal(seen.result, -EBADMSG);
			assert_int_equal(seen.ends, 0);
		}
		text_free(&seen.text);
	}
	text_free(&want);
	text_free(&log);
	unlink(file.name);
}

/* The records of a log: where each begins and where its payload lies. */
struct place {
	size_t begin;
	size_t payload;
	size_t length;
};

static size_t find_records(const struct text *log, struct place *places, size_t most)
{
	size_t at = LOG_HEADER_LENGTH, count = 0;

	while (at < log->length && count < most) {
		const uint8_t *bytes = (const uint8_t *)log->string;
		struct span span = { .at = bytes + at, .end = bytes + log->length };
		struct place *place = &places[count++];

		get_number(&span, 1);
		place->begin = at;
		place->length = get_varint(&span);
		place->payload = (size_t)(span.at - bytes);
		at = place->payload + place->length + LOG_CRC_LENGTH;
	}
	return count;
}

static void seal(struct text *log, const struct place *place)
{
	size_t end = place->payload + place->length;
	uLong crc = crc32(0, (const Bytef *)log->string + place->begin, (uInt)(end - place->begin));

	for (size_t i = 0; i < LOG_CRC_LENGTH; i++)
		log->string[end + i] = (char)(crc >> (8 * i));
}

static uint32_t random_next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

#define HOSTILE_LOGS 3000
#define PLACES_MAX 512

/* Checksums keep damage out, not malice: whatever a record says is checked, too. */
static void a_hostile_log_does_no_harm(void **state)
{
	struct file file = file_new();
	struct text want = record_all(&file, true);
	struct text log = file_content(&file);
	struct place places[PLACES_MAX];
	size_t count = find_records(&log, places, PLACES_MAX);
	uint32_t random = 1;

	(void)state;
	assert_in_range(count, 20, PLACES_MAX - 1);
	for (unsigned int i = 0; i < HOSTILE_LOGS; i++) {
		const struct place *place = &places[random_next(&random) % count];
		struct text copy = { 0 };
		struct seen seen;

		text_add_bytes(&copy, log.string, log.length);
		for (uint32_t n = random_next(&random) % 4; place->length && n < 4; n++)
			copy.string[place->payload + random_next(&random) % place->length] =
				(char)random_next(&random);
		seal(&copy, place);
		file_write(&file, copy.string, copy.length);
		seen = read_all(&file, false);
		assert_true(seen.result == 0 || seen.result == -EBADMSG);
		text_free(&seen.text);
		text_free(&copy);
	}
	text_free(&want);
	text_free(&log);
	unlink(file.name);
}

/* Records of types that came later, and what stands behind the end of known ones, are passed over. */
static void what_is_not_known_is_passed_over(void **state)
{
	struct file file = file_new();
	struct text want = record_all(&file, false);
	struct text log = file_content(&file);
	struct place places[PLACES_MAX], added;
	size_t count = find_records(&log, places, PLACES_MAX);
	struct text longer = { 0 };
	struct seen seen;

	(void)state;
	text_add_bytes(&longer, log.string, places[count - 1].begin);
	added.begin = longer.length;
	put_number(&longer, 200, 1);
	put_varint(&longer, 5);
	added.payload = longer.length;
	added.length = 5;
	text_add_bytes(&longer, "12345crc_", 9);
	seal(&longer, &added);
	text_add_bytes(&longer, log.string + places[count - 1].begin,
		       log.length - places[count - 1].begin);
	file_write(&file, longer.string, longer.length);
	seen = read_all(&file, true);
	assert_int_equal(seen.result, 0);
	assert_int_equal(seen.ends, 1);
	assert_string_equal(text_string(&seen.text), text_string(&want));
	text_free(&seen.text);
	text_free(&want);
	text_free(&log);
	text_free(&longer);
	unlink(file.name);
}

static void refused(const char *bytes, size_t length, const char *reason)
{
	struct file file = file_new();
	char got[200];

	file_write(&file, bytes, length);
	assert_null(log_reader_open(file.name, got, sizeof(got)));
	assert_string_equal(got, reason);
	unlink(file.name);
}

static void what_is_no_log_is_refused(void **state)
{
	(void)state;
	refused("", 0, "not a log of fibtrace");
	refused("#!/bin/sh\nexit", 14, "not a log of fibtrace");
	refused("fibtrace\1\0", 10, "byte 0: the log is cut off here");
	refused("fibtrace\2\0l\0", 12, "a log of another version (2; this fibtrace reads 1)");
}

static void a_symbolic_link_is_not_followed(void **state)
{
	struct file file = file_new();
	struct stat status;
	char name[sizeof(file.name) + 8];

	(void)state;
	snprintf(name, sizeof(name), "%s.link", file.name);
	assert_int_equal(symlink(file.name, name), 0);
	assert_null(log_writer_open(&(struct log_files_settings){ .name = name }));
	assert_int_equal(errno, ELOOP);
	unlink(name);
	unlink(file.name);
	assert_int_equal(log_writer_close(log_writer_open(
				 &(struct log_files_settings){ .name = file.name })),
			 0);
	assert_int_equal(stat(file.name, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	unlink(file.name);
}

static void numbers_come_back(void **state)
{
	static const uint64_t values[] = { 0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX };
	struct text text = { 0 };
	struct span span;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		put_varint(&text, values[i]);
		put_number(&text, values[i], 8);
	}
	span.at = (const uint8_t *)text.string;
	span.end = span.at + text.length;
	span.bad = false;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		assert_true(get_varint(&span) == values[i]);
		assert_true(get_number(&span, 8) == values[i]);
	}
	assert_false(span.bad);
	assert_int_equal(get_number(&span, 1), 0);
	assert_true(span.bad);
	text_free(&text);
}

static void varints_that_are_too_long_are_bad(void **state)
{
	static const uint8_t bytes[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02
	};
	struct span span = { .at = bytes, .end = bytes + sizeof(bytes) };

	(void)state;
	assert_true(get_varint(&span) == 0);
	assert_true(span.bad);
}

static void random_image(struct text *image, uint32_t *random)
{
	size_t length = random_next(random) % 200;

	if (image->length > length)
		image->length = length;
	while (image->length < length)
		text_add_char(image, (char)(random_next(random) % 3));
	for (uint32_t i = random_next(random) % 8; length && i; i--)
		image->string[random_next(random) % length] = (char)random_next(random);
}

static void images_come_back(void **state)
{
	struct delta_slots *there = calloc(1, sizeof(*there)), *here = calloc(1, sizeof(*here));
	struct text image = { 0 };
	uint32_t random = 7;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		struct text told = { 0 };
		const struct text *got;
		struct span span;

		random_image(&image, &random);
		delta_put(&told, there, (uint8_t)(random_next(&random) % 4), &image);
		span.at = (const uint8_t *)told.string;
		span.end = span.at + told.length;
		span.bad = false;
		got = delta_get(&span, here);
		assert_non_null(got);
		assert_int_equal(got->length, image.length);
		if (image.length)
			assert_memory_equal(got->string, image.string, image.length);
		text_free(&told);
	}
	delta_free(there);
	delta_free(here);
	free(there);
	free(here);
	text_free(&image);
}

/* No more is kept for images to come than the format says, and both sides forget alike. */
static void old_images_are_forgotten(void **state)
{
	struct delta_slots *there = calloc(1, sizeof(*there)), *here = calloc(1, sizeof(*here));
	const size_t length = 8u << 20;
	struct text image = { 0 };
	uint32_t random = 3;

	(void)state;
	while (image.length < length)
		text_add_char(&image, (char)random_next(&random));
	for (uint8_t slot = 0; slot < 12; slot++) {
		struct text told = { 0 };
		const struct text *got;
		struct span span;

		image.string[slot]++;
		delta_put(&told, there, slot, &image);
		span.at = (const uint8_t *)told.string;
		span.end = span.at + told.length;
		span.bad = false;
		got = delta_get(&span, here);
		assert_non_null(got);
		assert_int_equal(got->length, length);
		assert_memory_equal(got->string, image.string, length);
		assert_in_range(there->total, length, DELTA_TOTAL_MAX);
		assert_int_equal(here->total, there->total);
		text_free(&told);
	}
	delta_free(there);
	delta_free(here);
	free(there);
	free(here);
	text_free(&image);
}

/* What no kernel and no version of ours tells of a lookup. Its first step has rule 0. */
static void have_no_rule(struct lookup *lookup)
{
	lookup->steps[0].rule = NULL;
}

static void jump_without_rule(struct lookup *lookup)
{
	have_no_rule(lookup);
	lookup->steps[0].outcome = STEP_GOTO;
}

static void pass_without_rule(struct lookup *lookup)
{
	have_no_rule(lookup);
	lookup->steps[0].outcome = STEP_NOT_REACHED;
}

static void suppress_without_rule(struct lookup *lookup)
{
	have_no_rule(lookup);
	lookup->steps[0].outcome = STEP_SUPPRESSED;
	lookup->steps[0].suppressor = SUPPRESSOR_PREFIXLENGTH;
}

static void suppress_nothing(struct lookup *lookup)
{
	lookup->steps[0].suppressor = SUPPRESSOR_IFGROUP;
}

static void be_skipped(struct lookup *lookup)
{
	lookup->steps[0].outcome = STEP_SKIPPED;
}

static void come_to_nothing(struct lookup *lookup)
{
	lookup->steps[0].outcome = STEP_OUTCOME_COUNT;
}

static void have_no_evidence(struct lookup *lookup)
{
	lookup->steps[0].evidence = EVIDENCE_DERIVED + 1;
}

static void match_too_much(struct lookup *lookup)
{
	lookup->verdict.route.prefix_length = 33;
}

static void have_another_gateway(struct lookup *lookup)
{
	lookup->verdict.route.gateway_family = 3;
}

static void succeed_twice(struct lookup *lookup)
{
	lookup->verdict.error = 1;
}

static void be_decided_otherwise(struct lookup *lookup)
{
	lookup->verdict.decided_by = DECIDED_BY_COUNT;
}

static void have_another_purpose(struct lookup *lookup)
{
	lookup->purpose = PURPOSE_COUNT;
}

static void have_another_cause(struct lookup *lookup)
{
	lookup->cause = CAUSE_COUNT;
}

static void run_elsewhere(struct lookup *lookup)
{
	lookup->context.level = LEVEL_KTHREAD + 1;
}

static void impossible_lookups_are_damage(void **state)
{
	static void (*const changes[])(struct lookup * lookup) = {
		jump_without_rule,  pass_without_rule,	  suppress_without_rule,
		suppress_nothing,   be_skipped,		  come_to_nothing,
		have_no_evidence,   match_too_much,	  have_another_gateway,
		succeed_twice,	    be_decided_otherwise, have_another_purpose,
		have_another_cause, run_elsewhere,
	};

	(void)state;
	/* The last one is as it was. */
	for (size_t i = 0; i <= ARRAY_SIZE(changes); i++) {
		bool possible = i == ARRAY_SIZE(changes);
		struct file file = file_new();
		struct recorder recorder;
		struct lookup lookup;
		struct seen seen;

		recorder_open(&recorder, &file, false);
		lookup = scene_lookup(recorder.policy, &flows[0]);
		if (!possible)
			changes[i](&lookup);
		log_writer_begin_lookup(recorder.writer, &recorder.space, &lookup, false);
		log_writer_end_lookup(recorder.writer, &lookup);
		lookup_clear(&lookup);
		recorder_close(&recorder);
		seen = read_all(&file, true);
		assert_int_equal(seen.result, possible ? 0 : -EBADMSG);
		assert_int_equal(seen.text.length != 0, possible);
		text_free(&seen.text);
		unlink(file.name);
	}
}

/* What no reader would take is an error of the writing. */
static void more_rules_than_a_log_holds_are_told(void **state)
{
	struct file file = file_new();
	struct recorder recorder;
	struct rule_list *rules = rule_list_new(NULL, 120000);
	struct lookup lookup;

	(void)state;
	assert_non_null(rules);
	for (size_t i = 0; i < rules->count; i++) {
		rule_init(&rules->rules[i], FLOW_AF_INET);
		rules->rules[i].priority = (uint32_t)i;
	}
	recorder_open(&recorder, &file, false);
	lookup = scene_lookup(recorder.policy, &flows[0]);
	policy_set_owners(recorder.policy, NULL);
	policy_set_rules(recorder.policy, FLOW_AF_INET, rules);
	assert_int_equal(log_writer_flush(recorder.writer), 0);
	log_writer_begin_lookup(recorder.writer, &recorder.space, &lookup, false);
	assert_int_equal(log_writer_flush(recorder.writer), -E2BIG);
	assert_int_equal(log_writer_close(recorder.writer), -E2BIG);
	lookup_clear(&lookup);
	session_free(&recorder.session);
	policy_free(recorder.policy);
	owners_free(recorder.owners);
	names_free(recorder.names);
	unlink(file.name);
}

/* A policy that is made of a description is described alike. */
struct description {
	struct text text;
};

static void describe(void *data, const struct policy *policy, const struct policy_change *change)
{
	struct description *description = data;

	(void)policy;
	text_printf(&description->text, "%d %u %u %u;", (int)change->kind, change->family,
		    change->number, change->value);
	if (change->kind == POLICY_RULES_SET)
		text_printf(&description->text, "%zu rules;", change->rules->count);
}

static void apply(void *data, const struct policy *policy, const struct policy_change *change)
{
	(void)policy;
	assert_int_equal(policy_apply(data, change), 0);
}

static void a_description_makes_an_equal_policy(void **state)
{
	struct policy *policy = story_policy(NULL), *copy = policy_new(NETNS, TOS_MASKED);
	struct description here = { 0 }, there = { 0 };

	(void)state;
	policy_describe(policy, apply, copy);
	policy_describe(policy, describe, &here);
	policy_describe(copy, describe, &there);
	assert_string_equal(text_string(&here.text), text_string(&there.text));
	assert_int_equal(policy_rp_filter(copy, ETH0), RP_FILTER_STRICT);
	assert_true(policy_table_unheld(copy, FLOW_AF_INET, 99));
	text_free(&here.text);
	text_free(&there.text);
	policy_free(policy);
	policy_free(copy);
}

struct rotation {
	struct log_files_settings settings;
	const char *want; /* the names of five files, one every 100 s */
};

/* The names, and which of the files are the last. */
static void files_follow_one_another(void **state)
{
	static const struct rotation rows[] = {
		{ { .name = "/tmp/fibtrace-a", .max_size = 1 }, "a a1 a2 a3 a4 " },
		{ { .name = "/tmp/fibtrace-a", .max_size = 1, .count = 3 }, "a0 a1 a2 a0 a1 " },
		{ { .name = "/tmp/fibtrace-a", .max_size = 1, .count = 11 },
		  "a00 a01 a02 a03 a04 " },
		{ { .name = "/tmp/fibtrace-%s", .period_s = 100 }, "1000 1100 1200 1300 1400 " },
		{ { .name = "/tmp/fibtrace-%s", .period_s = 100, .count = 2 },
		  "1000 1100. 1200. 1300. 1400. " },
		{ { .name = "/tmp/fibtrace-%C", .period_s = 100 }, "19 191 192 193 194 " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct log_files files;
		struct text got = { 0 };

		assert_int_equal(log_files_init(&files, &rows[i].settings), 0);
		for (time_t now = 1000; now < 1500; now += 100) {
			int fd = log_files_next(&files, now);

			assert_true(fd >= 0);
			close(fd);
			unlinkat(files.directory, files.current, 0);
			assert_false(log_files_due(&files, 0, now + 99));
			text_printf(&got, "%s%s ", files.current + strlen("fibtrace-"),
				    log_files_full(&files) ? "." : "");
		}
		assert_string_equal(text_string(&got), rows[i].want);
		text_free(&got);
		log_files_close(&files);
	}
}

/* Lookups, and routes that change between them. */
static void record_mixed(struct recorder *recorder, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct route_row row = ROUTE(52, "100.64.0.0", 10, WG0);
		struct route *route = scene_route(&row);

		record_flow(recorder, &flows[i % ARRAY_SIZE(flows)]);
		if (i % 10 == 4)
			assert_int_equal(policy_add_route(recorder->policy, route, true, false), 0);
		if (i % 10 == 9)
			assert_int_equal(policy_remove_route(recorder->policy, route), 0);
		free(route);
	}
}

/* Each file tells all that its own lookups need. */
static void each_file_is_whole(void **state)
{
	struct file file = file_new();
	struct recorder recorder;
	struct text all = { 0 }, want;
	unsigned int files = 0;

	(void)state;
	recorder_open_files(
		&recorder, &(struct log_files_settings){ .name = file.name, .max_size = 1 }, false);
	record_mixed(&recorder, 300);
	want = recorder.session.text;
	recorder.session.text = (struct text){ 0 };
	recorder_close(&recorder);
	for (;; files++) {
		struct file part;
		struct seen seen;

		part = file;
		if (files)
			snprintf(part.name + strlen(part.name), 16, "%u", files);
		seen = read_all(&part, false);
		if (!seen.opened)
			break;
		assert_int_equal(seen.result, 0);
		text_add_bytes(&all, text_string(&seen.text), seen.text.length);
		text_free(&seen.text);
		unlink(part.name);
	}
	/* Whatever the size, lookups have as much of each as what they need. */
	assert_in_range(files, 3, 100);
	assert_string_equal(text_string(&all), text_string(&want));
	text_free(&all);
	text_free(&want);
}

/* What repeats takes little: the same walk again and again, but for its time and ports. */
static void repeated_walks_are_small(void **state)
{
	struct file file = file_new();
	struct recorder recorder;
	uint64_t before;

	(void)state;
	recorder_open(&recorder, &file, false);
	record_flow(&recorder, &flows[0]);
	before = log_writer_size(recorder.writer);
	for (uint16_t i = 0; i < 1000; i++)
		record_flow(&recorder,
			    &(struct flow_row){ .sport = i, .dport = 53, .protocol = 17 });
	assert_in_range(log_writer_size(recorder.writer) - before, 1, 96 * 1000);
	recorder_close(&recorder);
	unlink(file.name);
}

#define LARGE 3000

/* How many lookups the log tells of before something is wrong with it. */
static unsigned int count_lookups(const struct file *file, int *result)
{
	struct log_record record;
	unsigned int count = 0;
	char reason[200];
	struct log_reader *reader = log_reader_open(file->name, reason, sizeof(reason));

	*result = 0;
	while (reader && (*result = log_reader_next(reader, &record)) > 0)
		count += record.type == LOG_LOOKUP;
	log_reader_close(reader);
	return count;
}

static unsigned int lookups_before(const struct text *log, const struct place *places, size_t count,
				   size_t offset)
{
	unsigned int lookups = 0;

	for (size_t i = 0; i < count; i++) {
		if (places[i].payload + places[i].length + LOG_CRC_LENGTH <= offset)
			lookups += log->string[places[i].begin] == LOG_LOOKUP;
	}
	return lookups;
}

/* At 1,000 places, cut and damaged in turns: all before it is read, and no more. */
static void a_large_log_is_read_up_to_where_it_is_damaged(void **state)
{
	static struct place places[3 * LARGE];
	struct file file = file_new();
	struct recorder recorder;
	struct text log;
	size_t count;

	(void)state;
	recorder_open(&recorder, &file, false);
	record_mixed(&recorder, LARGE);
	recorder_close(&recorder);
	log = file_content(&file);
	count = find_records(&log, places, ARRAY_SIZE(places));
	assert_in_range(count, LARGE, ARRAY_SIZE(places) - 1);
	assert_int_equal(lookups_before(&log, places, count, log.length), LARGE);
	srand(1);
	for (int i = 0; i < 1000; i++) {
		size_t at = LOG_HEADER_LENGTH + (size_t)rand() % (log.length - LOG_HEADER_LENGTH);
		char bit = (char)(i % 2 ? 1 << rand() % 8 : 0);
		int result;

		log.string[at] ^= bit;
		file_write(&file, log.string, bit ? log.length : at);
		log.string[at] ^= bit;
		assert_int_equal(count_lookups(&file, &result),
				 lookups_before(&log, places, count, at));
		assert_true(result == -EBADMSG || (!bit && !result));
	}
	text_free(&log);
	unlink(file.name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_what_would_have_been_shown),
		cmocka_unit_test(what_was_found_live_is_found_again),
		cmocka_unit_test(a_log_is_read_up_to_where_it_is_cut),
		cmocka_unit_test(a_wrong_bit_ends_the_log),
		cmocka_unit_test(a_hostile_log_does_no_harm),
		cmocka_unit_test(what_is_not_known_is_passed_over),
		cmocka_unit_test(what_is_no_log_is_refused),
		cmocka_unit_test(a_symbolic_link_is_not_followed),
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(varints_that_are_too_long_are_bad),
		cmocka_unit_test(images_come_back),
		cmocka_unit_test(old_images_are_forgotten),
		cmocka_unit_test(impossible_lookups_are_damage),
		cmocka_unit_test(more_rules_than_a_log_holds_are_told),
		cmocka_unit_test(a_description_makes_an_equal_policy),
		cmocka_unit_test(repeated_walks_are_small),
		cmocka_unit_test(files_follow_one_another),
		cmocka_unit_test(each_file_is_whole),
		cmocka_unit_test(a_large_log_is_read_up_to_where_it_is_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
