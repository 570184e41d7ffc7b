// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes what `fibtrace read` does with a log. Inputs are logs; what is mutated is a record of one, which
// is sealed again, so that what is behind the checksums is reached.
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "log/format.h"
#include "log/reader.h"
#include "log/span.h"
#include "render/render.h"
#include "trace/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

/* A record of a log: its place, and that of its payload. */
struct place {
	size_t begin;
	size_t payload;
	size_t length;
	size_t end;
};

#define RECORDS_MAX 1024

static size_t find_records(const uint8_t *data, size_t size, struct place *places)
{
	struct span span = { .at = data + LOG_HEADER_LENGTH, .end = data + size };
	size_t count = 0;

	while (size > LOG_HEADER_LENGTH && count < RECORDS_MAX && span.at < span.end) {
		struct place *place = &places[count];

		place->begin = (size_t)(span.at - data);
		get_number(&span, 1);
		place->length = get_varint(&span);
		place->payload = (size_t)(span.at - data);
		get_bytes(&span, place->length);
		get_bytes(&span, LOG_CRC_LENGTH);
		place->end = (size_t)(span.at - data);
		if (span.bad)
			break;
		count++;
	}
	return count;
}

static void put_record(struct text *log, uint8_t type, const uint8_t *payload, size_t length)
{
	size_t begin = log->length;

	put_number(log, type, 1);
	put_varint(log, length);
	text_add_bytes(log, (const char *)payload, length);
	put_number(log, crc32(0, (const Bytef *)log->string + begin, (uInt)(log->length - begin)),
		   LOG_CRC_LENGTH);
}

/* One of the records is changed, left out, or comes twice; the others stay. */
static size_t mutate_record(const uint8_t *data, const struct place *place, uint8_t *payload,
			    struct text *log)
{
	size_t room = place->length + 64;
	unsigned int what = (unsigned int)rand() % 16;
	size_t length;

	if (!what)
		return 0;
	memcpy(payload, data + place->payload, place->length);
	length = what == 1 ? place->length : LLVMFuzzerMutate(payload, place->length, room);
	put_record(log, data[place->begin], payload, length);
	if (what <= 2)
		text_add_bytes(log, (const char *)data + place->begin, place->end - place->begin);
	return length;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed)
{
	static struct place places[RECORDS_MAX];
	size_t count = find_records(data, size, places);
	struct text log = { 0 };
	const struct place *place;
	uint8_t *payload;
	size_t length;

	srand(seed);
	if (!count || rand() % 64 == 0)
		return LLVMFuzzerMutate(data, size, most);
	place = &places[(size_t)rand() % count];
	payload = malloc(place->length + 64);
	if (!payload)
		return size;
	text_add_bytes(&log, (const char *)data, place->begin);
	mutate_record(data, place, payload, &log);
	text_add_bytes(&log, (const char *)data + place->end, size - place->end);
	free(payload);
	length = log.failed || log.length > most ? size : log.length;
	if (length == log.length)
		memcpy(data, log.string, length);
	text_free(&log);
	return length;
}

static void show(struct text *out, struct explainer *explainer, const struct log_record *record,
		 const struct render_options *options)
{
	bool told = record->explained ? explain_steps(record->lookup, record->policy)
				      : explain_lookup(explainer, record->lookup, record->policy);

	if (!told)
		return;
	format_json.lookup(out, record->lookup, options);
	format_line.lookup(out, record->lookup, options);
	format_tree.lookup(out, record->lookup, options);
	text_clear(out);
}

static void read_log(struct log_reader *reader)
{
	struct render_options options = {
		.names = log_reader_names(reader),
		.owners = log_reader_owners(reader),
		.json_rules = json_rules_new(),
	};
	struct explainer *explainer = explainer_new();
	struct log_record record;
	struct text out = { 0 };

	while (explainer && log_reader_next(reader, &record) > 0) {
		if (record.type == LOG_LOOKUP)
			show(&out, explainer, &record, &options);
	}
	text_free(&out);
	explainer_free(explainer);
	json_rules_free(options.json_rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("log", MFD_CLOEXEC);
	struct log_reader *reader;
	char name[32], reason[200];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	reader = log_reader_open(name, reason, sizeof(reason));
	if (reader)
		read_log(reader);
	log_reader_close(reader);
	close(fd);
	return 0;
}
