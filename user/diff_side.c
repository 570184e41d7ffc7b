// SPDX-License-Identifier: GPL-2.0-only
/* One of the two that `fibtrace diff` compares. */
#include "diff_side.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "display.h"
#include "owners_files.h"
#include "rules/grow.h"
#include "util/report.h"

const char *diff_side_name(const struct diff_side *side)
{
	return side->file ? side->file : "the policy in force";
}

static struct side_space *find_space(const struct diff_side *side, uint32_t number)
{
	for (size_t i = 0; i < side->count; i++) {
		if (side->spaces[i].number == number)
			return &side->spaces[i];
	}
	return NULL;
}

/* More than these are not compared at once. */
#define SPACES_MAX 4096

/* A line on stderr for -errno of the functions here. */
static int report_failure(const struct diff_side *side, int err)
{
	if (err == -E2BIG)
		report_error("%s: more than %d network namespaces; choose some with --netns",
			     side->file, SPACES_MAX);
	else
		report_error("out of memory");
	return err;
}

/* title: copied. NULL with errno. */
static struct side_space *add_space(struct diff_side *side, uint32_t number, const char *title)
{
	struct side_space *spaces;
	char *copy;

	if (side->count >= SPACES_MAX) {
		errno = E2BIG;
		return NULL;
	}
	spaces = array_reserve(side->spaces, sizeof(*spaces), side->count, &side->capacity);
	if (!spaces)
		return NULL;
	side->spaces = spaces;
	copy = strdup(title);
	if (!copy)
		return NULL;
	spaces[side->count] = (struct side_space){ .number = number, .title = copy };
	return &spaces[side->count++];
}

static void space_free(struct side_space *space)
{
	free(space->title);
	flows_free(&space->flows);
	spaces_close(space->live);
}

/* --- recordings --------------------------------------------------------------------------- */

struct reading {
	struct diff_side *side;
	const struct options *options;
	const struct diff_filter *filter;
	struct devices *devices;
	struct side_space *last; /* whose lookup was taken last */
	bool ended; /* by a record that says so */
	int err;
};

static struct side_space *space_of(struct reading *reading, const struct log_record *record)
{
	struct diff_side *side = reading->side;
	const char *title = record->lookup->netns_name ? record->lookup->netns_name : "";
	struct side_space *space;

	if (reading->last && reading->last->number == record->space)
		return reading->last;
	space = find_space(side, record->space);
	return space ? space : add_space(side, record->space, title);
}

static void renew_space(struct side_space *space, uint32_t renewals)
{
	if (space->renewals != renewals)
		flows_renew(&space->flows);
	space->renewals = renewals;
}

static int take_lookup(struct reading *reading, const struct log_record *record)
{
	const struct lookup *lookup = record->lookup;

	if (!diff_filter_takes(reading->filter, lookup) ||
	    !display_wants_netns(reading->options, lookup->netns_name))
		return 0;
	if (!record->space) {
		reading->side->unknown++;
		return 0;
	}
	reading->last = space_of(reading, record);
	if (!reading->last)
		return -errno;
	renew_space(reading->last, record->renewals);
	return flows_add(&reading->last->flows, reading->devices, lookup, record->policy);
}

static int take_start(struct reading *reading, const struct log_record *record)
{
	struct diff_side *side = reading->side;

	if (side->kernel)
		return -EBADMSG;
	side->source.start_ns = record->time_ns;
	side->kernel = strdup(record->kernel);
	side->source.kernel = side->kernel;
	return side->kernel ? 0 : -ENOMEM;
}

static int take_record(struct reading *reading, const struct log_record *record)
{
	if (record->type == LOG_START)
		return take_start(reading, record);
	if (!reading->side->kernel)
		return -EBADMSG;
	if (record->type == LOG_LOOKUP)
		return take_lookup(reading, record);
	if (record->type == LOG_LOST)
		reading->side->lost += record->count;
	if (record->type == LOG_CONTINUED)
		report_note("%s: the trace goes on in another file", reading->side->file);
	if (record->type == LOG_END || record->type == LOG_CONTINUED) {
		reading->side->source.end_ns = record->time_ns;
		reading->ended = true;
	}
	return 0;
}

static int report_damage(const struct reading *reading, int found)
{
	const struct diff_side *side = reading->side;

	report_error("%s: %s; nothing is compared", side->file,
		     found < 0 ? log_reader_problem(side->log) : "its records are in disorder");
	return -EBADMSG;
}

static int read_records(struct reading *reading)
{
	struct log_record record;
	int found = 1, err = 0;

	while (found > 0 && !err && !reading->ended) {
		found = log_reader_next(reading->side->log, &record);
		if (found > 0)
			err = take_record(reading, &record);
	}
	if (found < 0 || err == -EBADMSG)
		return report_damage(reading, found);
	if (err)
		return report_failure(reading->side, err);
	if (!reading->ended)
		report_warning("%s: it does not tell how the trace ended: what it has until then "
			       "is compared",
			       reading->side->file);
	return err;
}

static void take_policy(void *data, const struct log_namespace *namespace)
{
	struct reading *reading = data;
	struct side_space *space = find_space(reading->side, namespace->space);
	const char *title = namespace->title;

	if (!display_wants_netns(reading->options, *title ? title : NULL) || reading->err)
		return;
	if (!space)
		space = add_space(reading->side, namespace->space, title);
	if (!space) {
		reading->err = -errno;
		return;
	}
	space->policy = namespace->policy;
	renew_space(space, namespace->renewals);
}

/* A namespace that took another's name came after it. */
static bool is_superseded(const struct diff_side *side, const struct side_space *space)
{
	for (size_t i = 0; i < side->count; i++) {
		if (*space->title && side->spaces[i].number > space->number &&
		    !strcmp(side->spaces[i].title, space->title))
			return true;
	}
	return false;
}

/* What a recording ended with is the last one of each name. */
static void drop_superseded(struct diff_side *side)
{
	size_t kept = 0;

	for (size_t i = 0; i < side->count; i++)
		side->spaces[i].superseded = is_superseded(side, &side->spaces[i]);
	for (size_t i = 0; i < side->count; i++) {
		if (side->spaces[i].superseded)
			space_free(&side->spaces[i]);
		else
			side->spaces[kept++] = side->spaces[i];
	}
	side->count = kept;
}

static int take_policies(struct reading *reading)
{
	bool known = false;

	log_reader_visit_spaces(reading->side->log, take_policy, reading);
	if (reading->err)
		return report_failure(reading->side, reading->err);
	drop_superseded(reading->side);
	for (size_t i = 0; i < reading->side->count; i++)
		known |= reading->side->spaces[i].policy != NULL;
	if (known)
		return 0;
	report_error("%s: no rules and routes of %s are in it: they are recorded with lookups",
		     reading->side->file,
		     reading->options->netns_count ? "that namespace" : "any namespace");
	return -ENOENT;
}

int diff_side_read(struct diff_side *side, const struct options *options,
		   const struct diff_filter *filter, struct devices *devices)
{
	struct reading reading = { side, options, filter, devices, NULL, false, 0 };
	char reason[200];
	int err;

	side->log = log_reader_open(side->file, reason, sizeof(reason));
	if (!side->log) {
		report_error("%s: %s", side->file, reason);
		return -EBADMSG;
	}
	side->source.file = side->file;
	side->source.options = display_options(options, log_reader_names(side->log));
	side->source.options.owners = log_reader_owners(side->log);
	err = read_records(&reading);
	return err ? err : take_policies(&reading);
}

/* --- what is in force --------------------------------------------------------------------- */

/* Opens what a recorded namespace was called by: its name, or the process that was in it, which may be
 * another one now. */
static bool open_recorded(const struct side_space *recorded, char spec[static 256],
			  struct netns *netns)
{
	bool process = sscanf(recorded->title, "pid %15[0-9] (", spec) == 1;
	char reason[512];

	if (!process)
		snprintf(spec, 256, "%s", recorded->title);
	if (netns_open(spec, netns, reason, sizeof(reason)))
		return false;
	if (!process || netns->inode == policy_netns(recorded->policy))
		return true;
	netns_close(netns);
	return false;
}

/* What --netns would be given for it; "" for the current one, which takes no privileges. False: it
 * is not there any more. */
static bool find_spec(const struct side_space *recorded, char spec[static 256])
{
	struct netns current, netns;

	*spec = '\0';
	if (!*recorded->title)
		return true;
	if (!open_recorded(recorded, spec, &netns))
		return false;
	if (!netns_open_current(&current)) {
		if (current.inode == netns.inode)
			*spec = '\0';
		netns_close(&current);
	}
	netns_close(&netns);
	return true;
}

static int open_space(struct diff_side *side, struct side_space *space,
		      const struct side_space *recorded, const struct options *options)
{
	char spec[256] = "";
	const char *const specs[] = { spec };
	struct spaces_settings settings = {
		.specs = specs,
		.max_routes = options->max_routes,
		.owners = side->owners,
	};
	const struct spaces_hooks hooks = { 0 };

	if (!find_spec(recorded, spec)) {
		report_warning("namespace %s is not there now, and is not compared", space->title);
		return 0;
	}
	settings.spec_count = *spec ? 1 : 0;
	space->live = spaces_open(&settings, &hooks);
	if (!space->live)
		return -errno;
	space->policy = space_policy(spaces_at(space->live, 0));
	return 0;
}

int diff_side_open(struct diff_side *side, const struct options *options,
		   const struct diff_side *recorded, const struct names *names)
{
	int err = 0;

	side->owners = owners_read(OWNERS_DIRECTORY, NULL);
	if (!side->owners)
		return -errno;
	side->source.options = display_options(options, names);
	side->source.options.owners = side->owners;
	for (size_t i = 0; i < recorded->count && !err; i++) {
		const struct side_space *of = &recorded->spaces[i];
		struct side_space *space;

		if (!of->policy)
			continue;
		space = add_space(side, of->number, of->title);
		err = space ? open_space(side, space, of, options) : -ENOMEM;
		if (err == -ENOMEM)
			report_error("out of memory");
	}
	return err;
}

void diff_side_close(struct diff_side *side)
{
	for (size_t i = 0; i < side->count; i++)
		space_free(&side->spaces[i]);
	free(side->spaces);
	free(side->kernel);
	log_reader_close(side->log);
	owners_free(side->owners);
	*side = (struct diff_side){ 0 };
}
