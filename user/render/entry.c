// SPDX-License-Identifier: GPL-2.0-only
/* Entries of the systemd journal. */
#include "render/entry.h"

#include <string.h>
#include <syslog.h>

#include "render/tree.h"
#include "render/values.h"
#include "render/words.h"
#include "util/array.h"

/* What journalctl finds the entries of a kind by. */
#define ID_LOOKUP "6f0479bcdce5404d990daa95dc1b3448"
#define ID_LOST "32445947d5e14b24aabf54b831fa4cd4"
#define ID_POLICY "ccbeaa58404145db989206be5def0059"
#define ID_WARNING "f66fb905592c47f29f99f9c9b49ccf90"
#define ID_START "7e083dcde7c940fd8d091363b92398ac"
#define ID_SUMMARY "0eafc25778d24accbba86f87d1a3d601"

/* The fields of a lookup that has such a value. */
static const struct {
	const char *name;
	enum value value;
} fields[] = {
	{ "FIBTRACE_TIME=", VALUE_TIME },
	{ "FIBTRACE_NETNS=", VALUE_NETNS },
	{ "FIBTRACE_FAMILY=", VALUE_FAMILY },
	{ "FIBTRACE_PURPOSE=", VALUE_PURPOSE },
	{ "FIBTRACE_CAUSE=", VALUE_CAUSE },
	{ "FIBTRACE_COMM=", VALUE_COMM },
	{ "FIBTRACE_PID=", VALUE_PID },
	{ "FIBTRACE_SRC=", VALUE_SRC },
	{ "FIBTRACE_DST=", VALUE_DST },
	{ "FIBTRACE_PROTO=", VALUE_PROTO },
	{ "FIBTRACE_SPORT=", VALUE_SPORT },
	{ "FIBTRACE_DPORT=", VALUE_DPORT },
	{ "FIBTRACE_IIF=", VALUE_IIF },
	{ "FIBTRACE_OIF=", VALUE_OIF },
	{ "FIBTRACE_FWMARK=", VALUE_MARK },
	{ "FIBTRACE_UID=", VALUE_UID },
	{ "FIBTRACE_PRIORITY=", VALUE_PREF },
	{ "FIBTRACE_TABLE=", VALUE_TABLE },
	{ "FIBTRACE_TABLE_ID=", VALUE_TABLE_ID },
	{ "FIBTRACE_PREFIX=", VALUE_PREFIX },
	{ "FIBTRACE_DEV=", VALUE_DEV },
	{ "FIBTRACE_GATEWAY=", VALUE_GW },
	{ "FIBTRACE_PREFSRC=", VALUE_PREFSRC },
	{ "FIBTRACE_SUPPRESSED=", VALUE_SUPPRESSED },
	{ "FIBTRACE_DECIDED_BY=", VALUE_DECIDED_BY },
	{ "FIBTRACE_OWNER=", VALUE_OWNER },
	{ "FIBTRACE_ERROR=", VALUE_ERR },
};

static const int severities[SEVERITY_COUNT] = {
	[SEVERITY_INFO] = LOG_INFO,
	[SEVERITY_WARNING] = LOG_WARNING,
	[SEVERITY_ERROR] = LOG_ERR,
};

void entry_free(struct entry *entry)
{
	text_free(&entry->text);
	entry->count = 0;
}

/* The value is appended behind it. */
static struct text *add_field(struct entry *entry, const char *name)
{
	entry->starts[entry->count++] = entry->text.length;
	text_add(&entry->text, name);
	return &entry->text;
}

static void add_word(struct entry *entry, const char *name, const char *value)
{
	text_add(add_field(entry, name), value);
}

static void add_number(struct entry *entry, const char *name, uint64_t value)
{
	text_add_unsigned(add_field(entry, name), value);
}

static void entry_begin(struct entry *entry, int level, const char *id)
{
	text_clear(&entry->text);
	entry->count = 0;
	add_word(entry, "SYSLOG_IDENTIFIER=", "fibtrace");
	add_word(entry, "MESSAGE_ID=", id);
	add_number(entry, "PRIORITY=", (uint64_t)level);
}

static void add_time(struct entry *entry, uint64_t time_ns)
{
	words_add_time_utc(add_field(entry, "FIBTRACE_TIME="), time_ns);
}

/* The worst of what was found; a lookup that failed is worth notice. */
static int level_of(const struct lookup *lookup)
{
	int level = lookup->verdict.error ? LOG_NOTICE : LOG_INFO;

	for (size_t i = 0; i < lookup->finding_count; i++) {
		int severity = severities[lookup->findings[i].severity];

		level = severity < level ? severity : level;
	}
	return level;
}

/* A field that turns out to have no value is taken back. */
static void add_value(struct entry *entry, const char *name, enum value value,
		      const struct lookup *lookup, const struct render_options *options)
{
	add_field(entry, name);
	if (!values_add(&entry->text, value, lookup, options, true))
		entry->text.length = entry->starts[--entry->count];
}

static void add_findings(struct entry *entry, const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->finding_count && i < ENTRY_FINDINGS_MAX; i++) {
		add_word(entry, "FIBTRACE_FINDING=", finding_kind_name(lookup->findings[i].kind));
		add_word(entry, "FIBTRACE_FINDING_TEXT=", lookup->findings[i].text);
	}
}

void entry_lookup(struct entry *entry, const struct lookup *lookup,
		  const struct render_options *options)
{
	/* Whoever reads it later has another terminal. */
	const struct render_options plain = { .names = options->names, .owners = options->owners };

	entry_begin(entry, level_of(lookup), ID_LOOKUP);
	tree_add_message(add_field(entry, "MESSAGE="), lookup, &plain);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		add_value(entry, fields[i].name, fields[i].value, lookup, &plain);
	add_findings(entry, lookup);
}

void entry_start(struct entry *entry, const char *version, const char *tier,
		 const char *const *filters)
{
	struct text *message;

	entry_begin(entry, LOG_INFO, ID_START);
	message = add_field(entry, "MESSAGE=");
	text_printf(message, "fibtrace %s traces, tier %s", version, tier);
	for (size_t i = 0; filters[i]; i++) {
		text_add(message, i ? " " : ", filters ");
		tree_add_name(message, filters[i], &(struct render_options){ 0 });
	}
	add_word(entry, "FIBTRACE_VERSION=", version);
	add_word(entry, "FIBTRACE_TIER=", tier);
}

void entry_lost(struct entry *entry, uint64_t time_ns, uint32_t cpu, uint64_t count, bool exact)
{
	struct text *message;

	entry_begin(entry, LOG_WARNING, ID_LOST);
	message = add_field(entry, "MESSAGE=lost ");
	text_add_unsigned(message, count);
	text_add(message, exact ? " lookups of CPU " : " events of CPU ");
	text_add_unsigned(message, cpu);
	add_time(entry, time_ns);
	add_number(entry, "FIBTRACE_CPU=", cpu);
	add_number(entry, "FIBTRACE_COUNT=", count);
}

void entry_policy(struct entry *entry, uint64_t time_ns, const char *netns, const char *change)
{
	entry_begin(entry, LOG_NOTICE, ID_POLICY);
	text_add(add_field(entry, "MESSAGE=policy changed: "), change);
	add_time(entry, time_ns);
	if (netns[0])
		add_word(entry, "FIBTRACE_NETNS=", netns);
	add_word(entry, "FIBTRACE_CHANGE=", change);
}

void entry_warning(struct entry *entry, uint64_t time_ns, const char *message)
{
	entry_begin(entry, LOG_WARNING, ID_WARNING);
	add_word(entry, "MESSAGE=", message);
	add_time(entry, time_ns);
}

void entry_summary(struct entry *entry, uint64_t time_ns, const struct lookup_counts *counts)
{
	entry_begin(entry, LOG_INFO, ID_SUMMARY);
	words_add_counts(add_field(entry, "MESSAGE="), counts);
	add_time(entry, time_ns);
	add_number(entry, "FIBTRACE_SEEN=", counts->seen);
	add_number(entry, "FIBTRACE_SHOWN=", counts->shown);
	add_number(entry, "FIBTRACE_FILTERED=", counts->filtered);
	add_number(entry, "FIBTRACE_LOST=", counts->lost);
	add_number(entry, "FIBTRACE_UNFINISHED=", counts->unfinished);
	if (counts->missed_known)
		add_number(entry, "FIBTRACE_MISSED=", counts->missed);
}
