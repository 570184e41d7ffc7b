// SPDX-License-Identifier: GPL-2.0-only
/* Writes the binary log of a trace. */
#include "log/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "log/delta.h"
#include "log/durable.h"
#include "log/format.h"
#include "log/lookup_codec.h"
#include "log/policy_codec.h"
#include "log/rules_ring.h"
#include "util/number_map.h"

/* What gathers until it is written, flush or no flush. */
#define FLUSH_AT (256u << 10)

/* What a power cut takes, and what the disk is waited for. */
#define SYNC_EVERY_S 5

#define TITLE_SIZE 256

/* A namespace that was told of. Its policy's journal leads to it. */
struct space_entry {
	struct log_writer *writer;
	uint32_t number;
	bool told;
	bool has_policy;
	char title[TITLE_SIZE];
	struct rules_ring rings[FLOW_FAMILY_COUNT];
	struct space_entry *next;
};

struct log_writer {
	int fd;
	bool close_fd;
	struct log_files files; /* where close_fd */
	struct text prologue; /* the records that each file begins with */
	bool prologue_done;
	uint64_t preamble; /* bytes of the file that told what lookups need */
	char name[2 * LOG_NAME_SIZE]; /* for log_writer_name() */
	bool is_file; /* it can be cut off behind the last whole record */
	bool syncs; /* durable was started */
	struct durable durable;
	int error;
	uint64_t size;
	int32_t utc_offset;
	bool clock_told;
	struct text out; /* whole records that are not written yet */
	struct text payload; /* of the record that is being made */
	struct text image;
	struct space_entry *spaces;
	struct number_map by_inode;
	struct space_entry nowhere; /* for lookups of no known namespace */
	uint32_t space_count;
	struct lookup_image lookup_head; /* of the lookup that was begun */
	uint8_t lookup_slot;
	struct delta_slots lookups;
	struct delta_slots changes;
};

/* Only the first counts; 0 is none. */
static void writer_fail(struct log_writer *writer, int err)
{
	if (!writer->error)
		writer->error = err;
}

static bool is_file(int fd)
{
	struct stat status;

	return !fstat(fd, &status) && S_ISREG(status.st_mode);
}

static void put_header(struct text *out)
{
	text_add_bytes(out, LOG_MAGIC, LOG_MAGIC_LENGTH);
	put_number(out, LOG_VERSION, 2);
	put_number(out, LOG_LITTLE_ENDIAN, 1);
	put_number(out, 0, 1);
}

/* Standard output may be a file that something else has written to: it is not cut off. */
static int writer_open(struct log_writer *writer, const struct log_files_settings *settings)
{
	int err = 0;

	writer->fd = STDOUT_FILENO;
	writer->files.directory = -1;
	if (strcmp(settings->name, "-")) {
		writer->close_fd = true;
		writer->fd = -1;
		err = log_files_init(&writer->files, settings);
		if (!err)
			writer->fd = log_files_next(&writer->files, time(NULL));
		if (!err && writer->fd < 0)
			err = writer->fd;
		writer->is_file = !err && is_file(writer->fd);
	}
	if (!err)
		put_header(&writer->out);
	return err ? err : log_writer_flush(writer);
}

static void writer_free(struct log_writer *writer)
{
	while (writer->spaces) {
		struct space_entry *entry = writer->spaces;

		writer->spaces = entry->next;
		for (size_t i = 0; i < FLOW_FAMILY_COUNT; i++)
			rules_ring_clear(&entry->rings[i]);
		free(entry);
	}
	for (size_t i = 0; i < FLOW_FAMILY_COUNT; i++)
		rules_ring_clear(&writer->nowhere.rings[i]);
	number_map_clear(&writer->by_inode);
	delta_free(&writer->lookups);
	delta_free(&writer->changes);
	text_free(&writer->out);
	text_free(&writer->payload);
	text_free(&writer->image);
	text_free(&writer->prologue);
	if (writer->close_fd && writer->fd >= 0)
		close(writer->fd);
	if (writer->close_fd)
		log_files_close(&writer->files);
	free(writer);
}

struct log_writer *log_writer_open(const struct log_files_settings *settings)
{
	struct log_writer *writer = calloc(1, sizeof(*writer));
	int err;

	if (!writer)
		return NULL;
	writer->nowhere.writer = writer;
	err = writer_open(writer, settings);
	if (!err)
		return writer;
	writer_free(writer);
	errno = -err;
	return NULL;
}

int log_writer_close(struct log_writer *writer)
{
	int err;

	if (!writer)
		return 0;
	log_writer_flush(writer);
	if (writer->syncs)
		writer_fail(writer, durable_stop(&writer->durable));
	err = writer->error;
	/* Some file systems say only now that there was no room. */
	if (writer->close_fd) {
		if (close(writer->fd) && !err)
			err = -errno;
		writer->fd = -1;
	}
	writer_free(writer);
	return err;
}

/* What came of half a record is taken back, so that the file ends with a whole one. */
static void cut_off(const struct log_writer *writer)
{
	if (writer->is_file && ftruncate(writer->fd, (off_t)writer->size))
		return;
}

/* Where the last whole record ends of the first count bytes that were to be written. */
static size_t whole_records(const struct text *out, size_t count, bool header)
{
	const uint8_t *bytes = (const uint8_t *)out->string;
	struct span span = { .at = bytes, .end = bytes + count };
	size_t whole = 0;

	if (header)
		get_bytes(&span, LOG_HEADER_LENGTH);
	while (!span.bad) {
		uint64_t length;

		whole = (size_t)(span.at - bytes);
		get_number(&span, 1);
		length = get_varint(&span);
		get_bytes(&span, length + LOG_CRC_LENGTH);
	}
	return whole;
}

int log_writer_flush(struct log_writer *writer)
{
	struct text *out = &writer->out;
	size_t done = 0;

	if (out->failed || writer->payload.failed || writer->image.failed)
		writer_fail(writer, -ENOMEM);
	while (!writer->error && done < out->length) {
		ssize_t count = write(writer->fd, out->string + done, out->length - done);

		if (count >= 0)
			done += (size_t)count;
		else if (errno != EINTR)
			writer_fail(writer, -errno);
	}
	if (done && writer->syncs && writer->is_file)
		writer_fail(writer, durable_written(&writer->durable, writer->fd));
	if (done == out->length) {
		writer->size += done;
	} else if (done) {
		writer->size += whole_records(out, done, !writer->size);
		cut_off(writer);
	}
	text_clear(out);
	return writer->error;
}

uint64_t log_writer_size(const struct log_writer *writer)
{
	return writer->size + writer->out.length;
}

/* --- records ------------------------------------------------------------------------------ */

static struct text *record_begin(struct log_writer *writer)
{
	text_clear(&writer->payload);
	return &writer->payload;
}

static void record_end(struct log_writer *writer, enum log_type type)
{
	struct text *out = &writer->out;
	size_t begin = out->length;

	put_number(out, type, 1);
	put_varint(out, writer->payload.length);
	text_add_bytes(out, text_string(&writer->payload), writer->payload.length);
	if (!out->failed)
		put_number(out,
			   crc32(0, (const Bytef *)out->string + begin,
				 (uInt)(out->length - begin)),
			   LOG_CRC_LENGTH);
	if (!writer->prologue_done && !out->failed)
		text_add_bytes(&writer->prologue, out->string + begin, out->length - begin);
	if (out->length >= FLUSH_AT || out->failed)
		log_writer_flush(writer);
}

/* --- one file after the other ------------------------------------------------------------- */

const char *log_writer_name(struct log_writer *writer)
{
	if (!writer->close_fd)
		return "standard output";
	snprintf(writer->name, sizeof(writer->name), "%.*s%s",
		 (int)(writer->files.base - writer->files.settings.name),
		 writer->files.settings.name, writer->files.current);
	return writer->name;
}

const char *log_writer_strerror(int err)
{
	switch (err) {
	case -ELOOP:
		return "it is a symbolic link; give the name of the file itself";
	case -EINVAL:
		return "it is neither a file nor a pipe";
	case -E2BIG:
		return "there are more rules than a log can hold";
	default:
		return strerror(-err);
	}
}

/* A file is not full of what it begins with: where the policy is large, lookups are to have as much
 * of it. */
static bool next_is_due(const struct log_writer *writer, time_t now)
{
	uint64_t size = log_writer_size(writer);

	return writer->close_fd &&
	       log_files_due(&writer->files, size < 2 * writer->preamble ? 0 : size, now);
}

bool log_writer_full(const struct log_writer *writer)
{
	return log_files_full(&writer->files) && next_is_due(writer, time(NULL));
}

/* Each file tells everything anew. */
static void forget_told(struct log_writer *writer)
{
	for (struct space_entry *entry = writer->spaces; entry; entry = entry->next) {
		entry->told = false;
		entry->has_policy = false;
		for (size_t i = 0; i < FLOW_FAMILY_COUNT; i++)
			rules_ring_clear(&entry->rings[i]);
	}
	for (size_t i = 0; i < FLOW_FAMILY_COUNT; i++)
		rules_ring_clear(&writer->nowhere.rings[i]);
	delta_free(&writer->lookups);
	delta_free(&writer->changes);
	writer->clock_told = false;
}

static void write_time(struct log_writer *writer, enum log_type type)
{
	put_number(record_begin(writer), (uint64_t)time(NULL) * 1000000000, 8);
	record_end(writer, type);
}

static void begin_file(struct log_writer *writer, int fd)
{
	writer->fd = fd;
	writer->size = 0;
	writer->is_file = is_file(fd);
	forget_told(writer);
	put_header(&writer->out);
	text_add_bytes(&writer->out, text_string(&writer->prologue), writer->prologue.length);
	writer->out.failed |= writer->prologue.failed;
	writer->preamble = writer->out.length;
	write_time(writer, LOG_CONTINUES);
	log_writer_clock(writer, writer->utc_offset);
}

/* The end of a file that is no end of the trace. */
static void end_file(struct log_writer *writer)
{
	write_time(writer, LOG_CONTINUED);
	log_writer_flush(writer);
	if (writer->syncs && writer->is_file)
		durable_end_file(&writer->durable, writer->fd);
	else if (close(writer->fd))
		writer_fail(writer, -errno);
	writer->fd = -1;
}

/* Behind a failure nothing is written any more. */
static void go_on_in(struct log_writer *writer, int fd)
{
	if (fd < 0)
		writer_fail(writer, fd);
	else if (writer->error)
		close(fd);
	else
		begin_file(writer, fd);
}

static void next_file(struct log_writer *writer)
{
	time_t now = time(NULL);

	if (writer->error || log_files_full(&writer->files) || !next_is_due(writer, now))
		return;
	end_file(writer);
	if (!writer->error)
		go_on_in(writer, log_files_next(&writer->files, now));
}

bool log_writer_reopen(struct log_writer *writer)
{
	int fd;

	if (!writer->close_fd || !writer->is_file)
		return false;
	fd = writer->error ? -EEXIST : log_files_again(&writer->files, writer->fd);
	if (fd == -EEXIST)
		return true;
	end_file(writer);
	go_on_in(writer, fd);
	return true;
}

static void write_name(void *data, enum name_kind kind, uint32_t number, const char *name)
{
	struct log_writer *writer = data;
	struct text *payload = record_begin(writer);

	put_number(payload, kind, 1);
	put_number(payload, number, 4);
	put_string(payload, name);
	record_end(writer, LOG_NAME);
}

/* Behind the dropping of privileges: the thread has none, either. */
static void start_syncing(struct log_writer *writer)
{
	int err;

	if (!writer->is_file)
		return;
	err = durable_start(&writer->durable, writer->files.readable ? writer->files.directory : -1,
			    SYNC_EVERY_S);
	writer->syncs = !err;
	writer_fail(writer, err);
}

void log_writer_start(struct log_writer *writer, const struct log_start *start)
{
	struct text *payload = record_begin(writer);
	size_t count = 0;

	start_syncing(writer);
	while (start->filters[count])
		count++;
	put_number(payload, start->time_ns, 8);
	put_number(payload, (uint32_t)start->utc_offset, 4);
	put_number(payload, start->exact, 1);
	put_string(payload, start->version);
	put_string(payload, start->kernel);
	put_string(payload, start->tier);
	put_varint(payload, count);
	for (size_t i = 0; i < count; i++)
		put_string(payload, start->filters[i]);
	record_end(writer, LOG_START);
	writer->utc_offset = start->utc_offset;
	writer->clock_told = true;
	names_visit(start->names, write_name, writer);
	writer->prologue_done = true;
}

void log_writer_owners(struct log_writer *writer, const char *file, const char *content,
		       size_t length)
{
	struct text *payload = record_begin(writer);

	put_string(payload, file);
	text_add_bytes(payload, content, length);
	record_end(writer, LOG_OWNERS);
}

void log_writer_lost(struct log_writer *writer, uint64_t time_ns, uint32_t cpu, uint64_t count)
{
	struct text *payload = record_begin(writer);

	put_number(payload, time_ns, 8);
	put_varint(payload, cpu);
	put_varint(payload, count);
	record_end(writer, LOG_LOST);
}

void log_writer_note(struct log_writer *writer, uint64_t time_ns, const struct log_space *space,
		     const char *change)
{
	struct text *payload = record_begin(writer);

	put_number(payload, time_ns, 8);
	put_number(payload, space->inode, 4);
	put_string(payload, space->title);
	put_string(payload, change);
	record_end(writer, LOG_NOTE);
}

void log_writer_warning(struct log_writer *writer, uint64_t time_ns, const char *message)
{
	struct text *payload = record_begin(writer);

	put_number(payload, time_ns, 8);
	put_string(payload, message);
	record_end(writer, LOG_WARNING);
}

void log_writer_clock(struct log_writer *writer, int32_t utc_offset)
{
	struct text *payload;

	if (writer->clock_told && writer->utc_offset == utc_offset)
		return;
	payload = record_begin(writer);
	put_number(payload, (uint32_t)utc_offset, 4);
	record_end(writer, LOG_CLOCK);
	writer->utc_offset = utc_offset;
	writer->clock_told = true;
}

void log_writer_end(struct log_writer *writer, uint64_t time_ns, const struct lookup_counts *counts)
{
	struct text *payload = record_begin(writer);

	put_number(payload, time_ns, 8);
	put_number(payload, counts->seen, 8);
	put_number(payload, counts->shown, 8);
	put_number(payload, counts->filtered, 8);
	put_number(payload, counts->lost, 8);
	put_number(payload, counts->unfinished, 8);
	put_number(payload, counts->missed, 8);
	put_number(payload, counts->missed_known, 1);
	put_number(payload, counts->address_checks, 8);
	put_number(payload, counts->netns_unknown, 8);
	record_end(writer, LOG_END);
}

/* --- namespaces and their policies -------------------------------------------------------- */

/* What no reader takes is not written as if it were well. */
static void check_image(struct log_writer *writer)
{
	if (writer->image.length > IMAGE_SIZE_MAX)
		writer_fail(writer, -E2BIG);
}

static void write_change(struct space_entry *entry, const struct policy_change *change)
{
	struct log_writer *writer = entry->writer;
	struct text *payload = record_begin(writer);

	put_varint(payload, entry->number);
	text_clear(&writer->image);
	put_change(&writer->image, change);
	check_image(writer);
	delta_put(payload, &writer->changes, (uint8_t)change->kind, &writer->image);
	record_end(writer, LOG_CHANGE);
}

static void describe_change(void *data, const struct policy *policy,
			    const struct policy_change *change)
{
	(void)policy;
	write_change(data, change);
}

static void follow_rules(struct space_entry *entry, const struct policy *policy)
{
	rules_ring_follow(&entry->rings[FLOW_FAMILY_SLOT(FLOW_AF_INET)],
			  policy_rules(policy, FLOW_AF_INET));
	rules_ring_follow(&entry->rings[FLOW_FAMILY_SLOT(FLOW_AF_INET6)],
			  policy_rules(policy, FLOW_AF_INET6));
}

/* The policy's journal. */
static void note_change(void *data, const struct policy *policy, const struct policy_change *change)
{
	struct space_entry *entry = data;

	/* In a new file its policy is told when a lookup needs it. */
	if (!entry->told)
		return;
	write_change(entry, change);
	follow_rules(entry, policy);
}

static void write_space(struct space_entry *entry, const struct log_space *space, bool anew)
{
	struct log_writer *writer = entry->writer;
	struct text *payload = record_begin(writer);
	struct policy_traits traits = { 0 };
	uint8_t flags = anew ? LOG_SPACE_ANEW : 0;

	if (space->policy) {
		traits = policy_traits(space->policy);
		flags |= LOG_SPACE_HAS_POLICY;
		flags |= traits.l3_master_match ? LOG_SPACE_L3_MASTER : 0;
		flags |= traits.dscp_zero_is_any ? LOG_SPACE_DSCP_ZERO : 0;
	}
	put_varint(payload, entry->number);
	put_number(payload, space->inode, 4);
	put_number(payload, flags, 1);
	put_number(payload, traits.tos_compare, 1);
	put_string(payload, space->title);
	record_end(writer, LOG_SPACE);
	memcpy(entry->title, space->title, strlen(space->title) + 1);
	entry->told = true;
	entry->has_policy = space->policy != NULL;
}

/* From here on the policy's changes are written as they are made. */
static void write_policy(struct space_entry *entry, struct policy *policy)
{
	uint64_t before = log_writer_size(entry->writer);

	policy_describe(policy, describe_change, entry);
	entry->writer->preamble += log_writer_size(entry->writer) - before;
	follow_rules(entry, policy);
	policy_set_journal(policy, note_change, entry);
}

static struct space_entry *entry_new(struct log_writer *writer, uint32_t inode)
{
	struct space_entry *entry = calloc(1, sizeof(*entry));

	if (!entry || number_map_set(&writer->by_inode, inode, entry)) {
		free(entry);
		writer_fail(writer, -ENOMEM);
		return NULL;
	}
	entry->writer = writer;
	entry->number = ++writer->space_count;
	entry->next = writer->spaces;
	writer->spaces = entry;
	return entry;
}

/* The entry of a namespace, which is told as it is now; that of none without memory. */
static struct space_entry *entry_current(struct log_writer *writer, const struct log_space *space)
{
	struct space_entry *entry;
	bool anew;

	if (!space->inode)
		return &writer->nowhere;
	entry = number_map_get(&writer->by_inode, space->inode);
	if (!entry)
		entry = entry_new(writer, space->inode);
	if (!entry)
		return &writer->nowhere;
	/* One that was read anew, or whose number another namespace has come to. */
	anew = space->policy ? !entry->told || policy_journal(space->policy) != entry
			     : entry->has_policy;
	if (anew || !entry->told || strcmp(entry->title, space->title))
		write_space(entry, space, anew || !entry->told);
	if (anew && space->policy)
		write_policy(entry, space->policy);
	return entry;
}

/* --- lookups ------------------------------------------------------------------------------ */

/* Rules that are in force no more, or never were: those that a record of the kernel side told. */
static uint32_t write_rules(struct space_entry *entry, uint8_t family, struct rule_list *rules)
{
	struct log_writer *writer = entry->writer;
	struct rules_ring *ring = &entry->rings[FLOW_FAMILY_SLOT(family)];
	struct text *payload = record_begin(writer);

	put_varint(payload, entry->number);
	put_number(payload, family, 1);
	text_clear(&writer->image);
	put_rules(&writer->image, rules);
	check_image(writer);
	delta_put(payload, &writer->changes, 0, &writer->image);
	record_end(writer, LOG_RULES);
	rules_ring_push(ring, rules);
	return ring->last;
}

static uint32_t rules_number(struct space_entry *entry, const struct lookup *lookup)
{
	const struct rules_ring *ring = &entry->rings[FLOW_FAMILY_SLOT(lookup->key.family)];
	uint32_t number;

	if (!lookup->rules)
		return 0;
	number = rules_ring_number(ring, lookup->rules);
	return number ? number : write_rules(entry, lookup->key.family, lookup->rules);
}

void log_writer_begin_lookup(struct log_writer *writer, const struct log_space *space,
			     const struct lookup *lookup, bool explained)
{
	struct space_entry *entry;
	struct lookup_image head;

	next_file(writer);
	entry = entry_current(writer, space);
	head = (struct lookup_image){
		.space = entry->number,
		.rules = rules_number(entry, lookup),
		.current = space->policy && lookup->generation &&
			   lookup->generation == policy_generation(space->policy),
		.policied = lookup->generation != 0,
		.explained = explained,
	};

	text_clear(&writer->image);
	put_lookup(&writer->image, &head, lookup);
	writer->lookup_head = head;
	writer->lookup_slot = lookup_slot(lookup);
}

void log_writer_end_lookup(struct log_writer *writer, const struct lookup *lookup)
{
	struct text *payload = record_begin(writer);

	put_lookup_rest(&writer->image, &writer->lookup_head, lookup);
	check_image(writer);
	delta_put(payload, &writer->lookups, writer->lookup_slot, &writer->image);
	record_end(writer, LOG_LOOKUP);
}
