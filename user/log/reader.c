// SPDX-License-Identifier: GPL-2.0-only
/* Reads the binary log of a trace. */
#include "log/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "log/delta.h"
#include "log/lookup_codec.h"
#include "log/policy_codec.h"
#include "log/rules_ring.h"
#include "util/array.h"
#include "util/number_map.h"

#define READ_AT_ONCE (64u << 10)
#define FILTERS_MAX 4096
#define TITLE_SIZE 256
/* Rules that are kept for lookups to come, and files of owners: more no machine has. */
#define RULES_HELD_MAX (8u << 20)
#define OWNERS_FILES_MAX 256

/* A namespace of the log. */
struct log_place {
	uint32_t number;
	uint32_t inode;
	char title[TITLE_SIZE];
	struct policy *policy; /* NULL: it could not be read */
	uint32_t renewals;
	struct rules_ring rings[FLOW_FAMILY_COUNT];
	struct log_place *next;
};

struct log_reader {
	int fd;
	bool close_fd;
	bool at_end; /* of what can be read */
	bool (*wait)(void *data); /* NULL: nothing more comes */
	void *wait_data;
	uint64_t offset; /* in the file, of what is looked at */
	struct text input;
	size_t taken; /* of input */
	char problem[160];
	struct names *names;
	struct owners *owners;
	struct log_place nowhere;
	struct log_place *places;
	struct number_map by_number;
	struct delta_slots lookups;
	struct delta_slots changes;
	struct lookup lookup;
	size_t rules_held; /* in all rings */
	unsigned int owners_files;
	char *strings[3]; /* of the record that was returned last */
	char **filters;
};

__attribute__((format(printf, 3, 4))) static int fail(struct log_reader *reader, int err,
						      const char *format, ...)
{
	va_list arguments;
	int length = snprintf(reader->problem, sizeof(reader->problem), "byte %" PRIu64 ": ",
			      reader->offset);

	va_start(arguments, format);
	vsnprintf(reader->problem + length, sizeof(reader->problem) - (size_t)length, format,
		  arguments);
	va_end(arguments);
	return err;
}

/* --- bytes -------------------------------------------------------------------------------- */

/* Has count bytes at hand unless the file ends before; how many there are, or -errno. */
static ssize_t fill(struct log_reader *reader, size_t count)
{
	struct text *input = &reader->input;

	if (reader->taken && input->length - reader->taken < count) {
		memmove(input->string, input->string + reader->taken,
			input->length - reader->taken);
		input->length -= reader->taken;
		reader->taken = 0;
	}
	while (input->length - reader->taken < count && !reader->at_end) {
		char chunk[READ_AT_ONCE];
		ssize_t got = read(reader->fd, chunk, sizeof(chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		reader->at_end = !got && !(reader->wait && reader->wait(reader->wait_data));
		text_add_bytes(input, chunk, (size_t)got);
		if (input->failed)
			return -ENOMEM;
	}
	return (ssize_t)(input->length - reader->taken);
}

static const uint8_t *at_hand(const struct log_reader *reader)
{
	return (const uint8_t *)text_string(&reader->input) + reader->taken;
}

static void take(struct log_reader *reader, size_t count)
{
	reader->taken += count;
	reader->offset += count;
}

static int read_failed(struct log_reader *reader, ssize_t err)
{
	return fail(reader, (int)err, "%s", strerror((int)-err));
}

/* A type, and a length of ten bytes. */
#define HEAD_MAX 11

static int cut_off(struct log_reader *reader)
{
	return reader->wait ? 0 : fail(reader, -EBADMSG, "the log is cut off here");
}

/* The type and length of the record at hand, and how many bytes tell them. No byte more is asked
 * for than it takes: none may come for long. 1, 0 at the end. */
static int read_head(struct log_reader *reader, uint8_t *type, uint64_t *length, size_t *size)
{
	struct span span = { .bad = true };

	for (size_t wanted = 2; span.bad; wanted++) {
		ssize_t count = fill(reader, wanted);

		if (count <= 0)
			return count ? read_failed(reader, count) : 0;
		if ((size_t)count < wanted)
			return cut_off(reader);
		if (wanted > HEAD_MAX)
			break;
		span = (struct span){ .at = at_hand(reader), .end = at_hand(reader) + wanted };
		*type = (uint8_t)get_number(&span, 1);
		*length = get_varint(&span);
	}
	if (span.bad || *length > LOG_RECORD_MAX)
		return fail(reader, -EBADMSG, "the log is damaged here");
	*size = (size_t)(span.at - at_hand(reader));
	return 1;
}

/* The next record, borrowed until the following call. 1, 0 at the end, or -errno. */
static int read_record(struct log_reader *reader, uint8_t *type, struct span *payload)
{
	uint64_t length = 0;
	size_t head = 0;
	ssize_t count;
	struct span crc;
	int found = read_head(reader, type, &length, &head);

	if (found <= 0)
		return found;
	count = fill(reader, head + length + LOG_CRC_LENGTH);
	if (count < 0)
		return read_failed(reader, count);
	if ((size_t)count < head + length + LOG_CRC_LENGTH)
		return cut_off(reader);
	payload->at = at_hand(reader) + head;
	payload->end = payload->at + length;
	payload->bad = false;
	crc = (struct span){ .at = payload->end, .end = payload->end + LOG_CRC_LENGTH };
	if (crc32(0, at_hand(reader), (uInt)(head + length)) != get_number(&crc, LOG_CRC_LENGTH))
		return fail(reader, -EBADMSG, "the log is damaged here");
	take(reader, head + length + LOG_CRC_LENGTH);
	return 1;
}

static int read_header(struct log_reader *reader)
{
	ssize_t count = fill(reader, LOG_HEADER_LENGTH);
	struct span span = { .at = at_hand(reader), .end = at_hand(reader) + LOG_HEADER_LENGTH };
	unsigned int version;

	if (count < 0)
		return read_failed(reader, count);
	if (count < LOG_MAGIC_LENGTH || memcmp(span.at, LOG_MAGIC, LOG_MAGIC_LENGTH)) {
		snprintf(reader->problem, sizeof(reader->problem), "not a log of fibtrace");
		return -EBADMSG;
	}
	if (count < LOG_HEADER_LENGTH)
		return fail(reader, -EBADMSG, "the log is cut off here");
	get_bytes(&span, LOG_MAGIC_LENGTH);
	version = (unsigned int)get_number(&span, 2);
	if (version != LOG_VERSION || get_number(&span, 1) != LOG_LITTLE_ENDIAN) {
		snprintf(reader->problem, sizeof(reader->problem),
			 "a log of another version (%u; this fibtrace reads %u)", version,
			 LOG_VERSION);
		return -EBADMSG;
	}
	take(reader, LOG_HEADER_LENGTH);
	return 0;
}

/* --- open and close ----------------------------------------------------------------------- */

static void forget_strings(struct log_reader *reader)
{
	for (size_t i = 0; i < ARRAY_SIZE(reader->strings); i++) {
		free(reader->strings[i]);
		reader->strings[i] = NULL;
	}
	for (size_t i = 0; reader->filters && reader->filters[i]; i++)
		free(reader->filters[i]);
	free(reader->filters);
	reader->filters = NULL;
	lookup_clear(&reader->lookup);
}

static void place_clear(struct log_place *place)
{
	for (size_t i = 0; i < FLOW_FAMILY_COUNT; i++)
		rules_ring_clear(&place->rings[i]);
	policy_free(place->policy);
	place->policy = NULL;
}

void log_reader_close(struct log_reader *reader)
{
	if (!reader)
		return;
	forget_strings(reader);
	while (reader->places) {
		struct log_place *place = reader->places;

		reader->places = place->next;
		place_clear(place);
		free(place);
	}
	place_clear(&reader->nowhere);
	number_map_clear(&reader->by_number);
	delta_free(&reader->lookups);
	delta_free(&reader->changes);
	names_free(reader->names);
	owners_free(reader->owners);
	text_free(&reader->input);
	if (reader->close_fd && reader->fd >= 0)
		close(reader->fd);
	free(reader);
}

static int reader_open(struct log_reader *reader, const char *name)
{
	reader->names = names_new();
	reader->owners = owners_new();
	if (!reader->names || !reader->owners)
		return read_failed(reader, -ENOMEM);
	reader->fd = STDIN_FILENO;
	if (strcmp(name, "-")) {
		reader->fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		reader->close_fd = true;
	}
	if (reader->fd >= 0)
		return read_header(reader);
	snprintf(reader->problem, sizeof(reader->problem), "%s", strerror(errno));
	return -errno;
}

struct log_reader *log_reader_open(const char *name, char *reason, size_t size)
{
	struct log_reader *reader = calloc(1, sizeof(*reader));
	int err;

	if (!reader) {
		snprintf(reason, size, "out of memory");
		return NULL;
	}
	err = reader_open(reader, name);
	if (!err)
		return reader;
	snprintf(reason, size, "%s", reader->problem);
	log_reader_close(reader);
	errno = -err;
	return NULL;
}

bool log_reader_is_file(const struct log_reader *reader)
{
	struct stat status;

	return !fstat(reader->fd, &status) && S_ISREG(status.st_mode);
}

void log_reader_follow(struct log_reader *reader, bool (*wait)(void *data), void *data)
{
	reader->wait = wait;
	reader->wait_data = data;
}

const char *log_reader_problem(const struct log_reader *reader)
{
	return reader->problem;
}

const struct names *log_reader_names(const struct log_reader *reader)
{
	return reader->names;
}

const struct owners *log_reader_owners(const struct log_reader *reader)
{
	return reader->owners;
}

void log_reader_visit_spaces(const struct log_reader *reader,
			     void (*visit)(void *data, const struct log_namespace *namespace),
			     void *data)
{
	for (const struct log_place *place = reader->places; place; place = place->next)
		visit(data, &(struct log_namespace){ place->number, place->renewals, place->title,
						     place->policy });
}

/* --- what is told ------------------------------------------------------------------------- */

/* Each takes the payload of one type: 1 when the record is the caller's, 0 when it was for the
 * reader alone, or -errno. */
typedef int (*take_record)(struct log_reader *reader, struct span *payload,
			   struct log_record *record);

static const char *keep_string(struct log_reader *reader, struct span *payload, size_t place)
{
	reader->strings[place] = get_string_new(payload);
	return reader->strings[place];
}

static int take_filters(struct log_reader *reader, struct span *payload)
{
	uint64_t count = get_varint(payload);

	if (payload->bad || count > FILTERS_MAX)
		return -EBADMSG;
	reader->filters = calloc(count + 1, sizeof(*reader->filters));
	if (!reader->filters)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		reader->filters[i] = get_string_new(payload);
		if (!reader->filters[i])
			return -errno;
	}
	return 0;
}

static int take_start(struct log_reader *reader, struct span *payload, struct log_record *record)
{
	int err;

	record->time_ns = get_number(payload, 8);
	record->utc_offset = (int32_t)get_number(payload, 4);
	record->exact = get_number(payload, 1) != 0;
	record->version = keep_string(reader, payload, 0);
	record->kernel = record->version ? keep_string(reader, payload, 1) : NULL;
	record->tier = record->kernel ? keep_string(reader, payload, 2) : NULL;
	if (!record->tier)
		return -errno;
	err = take_filters(reader, payload);
	record->filters = (const char *const *)reader->filters;
	return err ? err : 1;
}

static int take_name(struct log_reader *reader, struct span *payload, struct log_record *record)
{
	enum name_kind kind = get_number(payload, 1);
	uint32_t number = (uint32_t)get_number(payload, 4);
	const char *name = keep_string(reader, payload, 0);
	int err;

	(void)record;
	if (!name)
		return -errno;
	err = names_set(reader->names, kind, number, name);
	return err == -EINVAL ? 0 : err;
}

static int take_owners(struct log_reader *reader, struct span *payload, struct log_record *record)
{
	const char *file = keep_string(reader, payload, 0);
	size_t length = span_left(payload);
	struct text error = { 0 };
	int err;

	(void)record;
	if (!file)
		return -errno;
	if (++reader->owners_files > OWNERS_FILES_MAX)
		return -EBADMSG;
	err = owners_parse(reader->owners, file, (const char *)payload->at, length, &error);
	text_free(&error);
	return err == -EINVAL ? 0 : err;
}

static struct log_place *place_of(struct log_reader *reader, uint32_t number)
{
	return number ? number_map_get(&reader->by_number, number) : &reader->nowhere;
}

static struct log_place *place_new(struct log_reader *reader, uint32_t number)
{
	struct log_place *place = calloc(1, sizeof(*place));

	if (!place || number_map_set(&reader->by_number, number, place)) {
		free(place);
		return NULL;
	}
	place->number = number;
	place->next = reader->places;
	reader->places = place;
	return place;
}

/* A policy that is empty until changes follow. */
static int place_renew(const struct log_reader *reader, struct log_place *place, uint8_t flags,
		       enum tos_compare tos_compare)
{
	policy_free(place->policy);
	place->policy = NULL;
	place->renewals++;
	if (!(flags & LOG_SPACE_HAS_POLICY))
		return 0;
	place->policy = policy_new(place->inode, tos_compare);
	if (!place->policy)
		return -ENOMEM;
	policy_set_owners(place->policy, reader->owners);
	policy_set_l3_master_match(place->policy, flags & LOG_SPACE_L3_MASTER);
	policy_set_dscp_zero_is_any(place->policy, flags & LOG_SPACE_DSCP_ZERO);
	return 0;
}

static int take_space(struct log_reader *reader, struct span *payload, struct log_record *record)
{
	uint64_t number = get_varint(payload);
	uint32_t inode = (uint32_t)get_number(payload, 4);
	uint8_t flags = (uint8_t)get_number(payload, 1);
	enum tos_compare tos_compare = get_number(payload, 1);
	char title[TITLE_SIZE];
	struct log_place *place;

	(void)record;
	get_string(payload, title, sizeof(title));
	if (payload->bad || !number || number > UINT32_MAX || tos_compare > TOS_EXACT_ECN)
		return -EBADMSG;
	place = place_of(reader, (uint32_t)number);
	if (!place)
		place = place_new(reader, (uint32_t)number);
	if (!place)
		return -ENOMEM;
	place->inode = inode;
	memcpy(place->title, title, sizeof(title));
	return flags & LOG_SPACE_ANEW ? place_renew(reader, place, flags, tos_compare) : 0;
}

/* list: NULL when there is none. */
static int hold_rules(struct log_reader *reader, struct log_place *place, uint8_t family,
		      struct rule_list *list, bool anew)
{
	struct rules_ring *ring = &place->rings[FLOW_FAMILY_SLOT(family)];
	size_t before = ring->rules;

	if (anew)
		rules_ring_push(ring, list);
	else
		rules_ring_follow(ring, list);
	reader->rules_held += ring->rules - before;
	return reader->rules_held > RULES_HELD_MAX ? -EBADMSG : 0;
}

static int follow_rules(struct log_reader *reader, struct log_place *place)
{
	int err = hold_rules(reader, place, FLOW_AF_INET, policy_rules(place->policy, FLOW_AF_INET),
			     false);

	if (err)
		return err;
	return hold_rules(reader, place, FLOW_AF_INET6, policy_rules(place->policy, FLOW_AF_INET6),
			  false);
}

static struct log_place *take_place(struct log_reader *reader, struct span *payload)
{
	uint64_t number = get_varint(payload);

	return payload->bad || number > UINT32_MAX ? NULL : place_of(reader, (uint32_t)number);
}

static int take_change(struct log_reader *reader, struct span *payload, struct log_record *record)
{
	struct log_place *place = take_place(reader, payload);
	size_t bytes = span_left(payload);
	const struct text *image;
	int err;

	(void)record;
	if (!place || !place->policy)
		return -EBADMSG;
	image = delta_get(payload, &reader->changes);
	err = image ? apply_change(image, bytes, place->policy) : -errno;
	return err ? err : follow_rules(reader, place);
}

static int take_rules(struct log_reader *reader, struct span *payload, struct log_record *record)
{
	struct log_place *place = take_place(reader, payload);
	uint8_t family = (uint8_t)get_number(payload, 1);
	const struct text *image;
	struct rule_list *rules;
	struct span span;
	int err;

	(void)record;
	if (!place || (family != FLOW_AF_INET && family != FLOW_AF_INET6))
		return -EBADMSG;
	image = delta_get(payload, &reader->changes);
	if (!image)
		return -errno;
	span.at = (const uint8_t *)text_string(image);
	span.end = span.at + image->length;
	span.bad = false;
	rules = get_rules(&span, family, reader->owners);
	if (!rules)
		return -errno;
	err = hold_rules(reader, place, family, rules, true);
	rule_list_put(rules);
	return err;
}

/* The family decides in which ring the number is looked up, and stands behind it. */
static struct rule_list *rules_of(const struct log_place *place, uint32_t number, uint8_t family)
{
	if (family != FLOW_AF_INET && family != FLOW_AF_INET6)
		return NULL;
	return rules_ring_list(&place->rings[FLOW_FAMILY_SLOT(family)], number);
}

/* By which state of the policy it was explained: explain_lookup() asks. */
static uint64_t generation_of(const struct lookup_image *head, const struct policy *policy)
{
	if (head->current && policy)
		return policy_generation(policy);
	return head->policied ? UINT64_MAX : 0;
}

static int take_lookup(struct log_reader *reader, struct span *payload, struct log_record *record)
{
	const struct text *image = delta_get(payload, &reader->lookups);
	struct lookup_image head;
	struct log_place *place;
	struct rule_list *rules;
	struct span span;
	int err;

	if (!image)
		return -errno;
	span.at = (const uint8_t *)text_string(image);
	span.end = span.at + image->length;
	span.bad = false;
	if (!get_lookup_head(&span, &head))
		return -EBADMSG;
	place = place_of(reader, head.space);
	rules = place ? rules_of(place, head.rules, head.family) : NULL;
	if (!place || !rules != !head.rules)
		return -EBADMSG;
	err = get_lookup(&span, &head, rules, &reader->lookup);
	if (err)
		return err;
	reader->lookup.generation = generation_of(&head, place->policy);
	reader->lookup.netns_name = place->title[0] ? place->title : NULL;
	record->lookup = &reader->lookup;
	record->space = head.space;
	record->renewals = place->renewals;
	record->policy = place->policy;
	record->explained = head.explained;
	return 1;
}

static int take_lost(struct log_reader *reader, struct span *payload, struct log_record *record)
{
	(void)reader;
	record->time_ns = get_number(payload, 8);
	record->cpu = (uint32_t)get_varint(payload);
	record->count = get_varint(payload);
	return payload->bad ? -EBADMSG : 1;
}

static int take_note(struct log_reader *reader, struct span *payload, struct log_record *record)
{
	record->time_ns = get_number(payload, 8);
	record->netns = (uint32_t)get_number(payload, 4);
	record->title = keep_string(reader, payload, 0);
	record->text = record->title ? keep_string(reader, payload, 1) : NULL;
	return record->text ? 1 : -errno;
}

static int take_warning(struct log_reader *reader, struct span *payload, struct log_record *record)
{
	record->time_ns = get_number(payload, 8);
	record->text = keep_string(reader, payload, 0);
	return record->text ? 1 : -errno;
}

static int take_clock(struct log_reader *reader, struct span *payload, struct log_record *record)
{
	(void)reader;
	record->utc_offset = (int32_t)get_number(payload, 4);
	return payload->bad ? -EBADMSG : 1;
}

static int take_end(struct log_reader *reader, struct span *payload, struct log_record *record)
{
	struct lookup_counts *counts = &record->counts;

	(void)reader;
	record->time_ns = get_number(payload, 8);
	counts->seen = get_number(payload, 8);
	counts->shown = get_number(payload, 8);
	counts->filtered = get_number(payload, 8);
	counts->lost = get_number(payload, 8);
	counts->unfinished = get_number(payload, 8);
	counts->missed = get_number(payload, 8);
	counts->missed_known = get_number(payload, 1) != 0;
	counts->address_checks = get_number(payload, 8);
	counts->netns_unknown = get_number(payload, 8);
	return payload->bad ? -EBADMSG : 1;
}

static int take_time(struct log_reader *reader, struct span *payload, struct log_record *record)
{
	(void)reader;
	record->time_ns = get_number(payload, 8);
	return payload->bad ? -EBADMSG : 1;
}

static const take_record takers[] = {
	[LOG_START] = take_start,     [LOG_NAME] = take_name,	   [LOG_OWNERS] = take_owners,
	[LOG_SPACE] = take_space,     [LOG_CHANGE] = take_change,  [LOG_RULES] = take_rules,
	[LOG_LOOKUP] = take_lookup,   [LOG_LOST] = take_lost,	   [LOG_NOTE] = take_note,
	[LOG_WARNING] = take_warning, [LOG_CLOCK] = take_clock,	   [LOG_END] = take_end,
	[LOG_CONTINUED] = take_time,  [LOG_CONTINUES] = take_time,
};

/* A type that is not known is a later version's. */
static int take_any(struct log_reader *reader, uint8_t type, struct span *payload,
		    struct log_record *record)
{
	if (type >= ARRAY_SIZE(takers) || !takers[type])
		return 0;
	record->type = type;
	return takers[type](reader, payload, record);
}

int log_reader_next(struct log_reader *reader, struct log_record *record)
{
	for (;;) {
		uint64_t offset = reader->offset;
		struct span payload;
		uint8_t type = 0;
		int found = read_record(reader, &type, &payload);

		if (found <= 0)
			return found;
		forget_strings(reader);
		*record = (struct log_record){ 0 };
		found = take_any(reader, type, &payload, record);
		if (found > 0)
			return found;
		if (!found)
			continue;
		reader->offset = offset;
		if (found == -EBADMSG)
			return fail(reader, found, "the log is damaged here");
		return read_failed(reader, found);
	}
}
