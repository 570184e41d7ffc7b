// SPDX-License-Identifier: GPL-2.0-only
/* From events to output: assembles walks, explains them by the policy in force, filters, renders. */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "clock.h"
#include "counts.h"
#include "pending.h"
#include "trace/assembler.h"
#include "trace/collector.h"
#include "trace/derive.h"
#include "trace/group.h"
#include "trace/observe.h"
#include "util/report.h"

/* Few enough that the lookups explained but not written yet take little memory: each may have a
 * step for each rule. */
#define BATCH_EVENTS 2048
#define BATCH_STEPS (1u << 17)

struct session {
	struct session_settings settings;
	struct assembler *assembler; /* of the tracepoint tier */
	struct collector *collector; /* of the exact tiers */
	struct groups *groups;
	struct clock clock;
	struct session_counts counts;
	struct pending *pending;
	size_t pending_count;
	size_t pending_capacity;
	bool more; /* the ring was not read empty */
	bool finished; /* the ring is empty and stays so */
	int error; /* the first that ends the trace */
};

static void session_fail(struct session *session, int err)
{
	if (!session->error && err == -ENOMEM)
		report_error("out of memory");
	if (!session->error)
		session->error = err;
}

static void session_clear_pending(struct session *session)
{
	for (size_t i = 0; i < session->pending_count; i++)
		pending_clear(&session->pending[i]);
	session->pending_count = 0;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	session_clear_pending(session);
	free(session->pending);
	assembler_free(session->assembler);
	collector_free(session->collector);
	groups_free(session->groups);
	free(session);
}

struct session *session_new(const struct session_settings *settings)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->settings = *settings;
	session->assembler = assembler_new(settings->symbols);
	session->collector = collector_new();
	session->groups = groups_new();
	if (!session->assembler || !session->collector || !session->groups) {
		session_free(session);
		return NULL;
	}
	clock_init(&session->clock);
	return session;
}

static uint64_t now_ns(const struct session *session)
{
	return clock_realtime(&session->clock, clock_boottime_now());
}

static struct log_space log_space_of(const struct space *space)
{
	if (!space)
		return (struct log_space){ .title = "" };
	return (struct log_space){
		.inode = space->netns.inode,
		.title = space->title,
		.policy = space->monitor ? monitor_policy(space->monitor) : NULL,
	};
}

/* Before the session there is no output that it could be told in. */
void session_policy_changed(void *data, const struct space *space, const char *change)
{
	struct session *session = data;
	struct log_space place = log_space_of(space);

	if (session)
		presenter_policy_changed(session->settings.presenter, now_ns(session), &place,
					 change);
	else
		report_warning("policy changed%s%s: %s", space->title[0] ? " in " : "",
			       space->title, change);
}

void session_warning(void *data, const char *message)
{
	struct session *session = data;

	if (session)
		presenter_warning(session->settings.presenter, now_ns(session), message);
	else
		report_warning("%s", message);
}

static void session_lost(void *data, const struct event_header *header, uint32_t count)
{
	struct session *session = data;

	presenter_lost(session->settings.presenter,
		       clock_realtime(&session->clock, header->time_ns), header->cpu, count);
}

int session_start(struct session *session, const char *const *filters)
{
	struct utsname kernel;
	struct trace_start start = {
		.time_ns = now_ns(session),
		.version = FIBTRACE_VERSION,
		.tier = capture_tier(session->settings.capture),
		.filters = filters,
	};

	if (uname(&kernel))
		return -errno;
	start.kernel = kernel.release;
	return presenter_start(session->settings.presenter, &start);
}

static void session_event(void *data, const struct event_header *event, size_t size)
{
	struct session *session = data;
	int err;

	if (capture_is_exact(session->settings.capture))
		err = collector_add(session->collector, event, size, session_lost, session);
	else
		err = assembler_add(session->assembler, event, size, session_lost, session);
	if (err)
		session_fail(session, err);
}

/* Where a table may be asked twice in one walk the kernel side sees two: join them. */
static void session_join(struct session *session, struct pending *pending)
{
	struct walk_record *successor;

	while (pending->walk->ended &&
	       (successor = assembler_successor(session->assembler, pending->walk))) {
		bool last = !assembler_successor(session->assembler, successor);
		bool rejected = successor->rejected;

		if (!pending_continues(pending, successor, last))
			return;
		if (assembler_merge(session->assembler, pending->walk, successor)) {
			session_fail(session, -ENOMEM);
			return;
		}
		session->counts.merged += !rejected;
		session->counts.merged_rejected += rejected;
	}
}

static struct pending *pending_add(struct session *session)
{
	if (session->pending_count == session->pending_capacity) {
		size_t capacity = session->pending_capacity ? 2 * session->pending_capacity : 256;
		struct pending *grown = reallocarray(session->pending, capacity, sizeof(*grown));

		if (!grown)
			return NULL;
		session->pending = grown;
		session->pending_capacity = capacity;
	}
	session->pending[session->pending_count] = (struct pending){ 0 };
	return &session->pending[session->pending_count++];
}

/* Not traced after all: a hit's device told another namespace than the context had. */
static bool walk_elsewhere(const struct session *session, const struct walk_record *walk,
			   const struct space *space)
{
	enum netns_source source;

	return !space && !session->settings.netns_all && walk_record_netns(walk, &source);
}

static void session_lose(struct session *session, struct walk_record *walk)
{
	count_lost(&session->counts, walk);
	assembler_done(session->assembler, walk);
}

static void session_take(struct session *session, struct walk_record *walk)
{
	enum netns_source source;
	uint32_t netns = walk_record_netns(walk, &source);
	struct space *space = spaces_find(session->settings.spaces, netns, walk->context.pid);
	struct pending *pending;

	if (walk->lost) {
		session_lose(session, walk);
		return;
	}
	if (walk_elsewhere(session, walk, space)) {
		/* More answers may come: it stays, and is told apart at its end. */
		if (walk->ended || source == NETNS_DEVICE) {
			walk->elsewhere = true;
			count_elsewhere(&session->counts, walk);
			assembler_done(session->assembler, walk);
		}
		return;
	}
	pending = pending_add(session);
	if (!pending) {
		session_fail(session, -ENOMEM);
		return;
	}
	pending->walk = walk;
	pending->space = space;
	if (pending_policy(pending))
		session_join(session, pending);
	if (walk->lost) {
		session->pending_count--;
		session_lose(session, walk);
		return;
	}
	pending_explain(pending);
	if (session->finished)
		pending_end(pending);
}

static void session_take_record(struct session *session, struct lookup_record *record)
{
	const struct event_context *context = &record->event->context;
	struct space *space = spaces_find(session->settings.spaces, context->netns, context->pid);
	struct pending *pending;

	/* The number of one that is gone may have come to another, which is not traced. */
	if (!space && !session->settings.netns_all) {
		session->counts.elsewhere++;
		lookup_record_free(record);
		return;
	}
	pending = pending_add(session);
	if (!pending) {
		lookup_record_free(record);
		session_fail(session, -ENOMEM);
		return;
	}
	pending->record = record;
	pending->space = space;
	pending_explain(pending);
}

static void lookup_complete(struct session *session, const struct pending *pending,
			    struct lookup *lookup)
{
	lookup->time_ns = clock_realtime(&session->clock, lookup->boottime_ns);
	if (pending->space && pending->space->title[0])
		lookup->netns_name = pending->space->title;
}

static void session_show(struct session *session, struct lookup *lookup, const struct space *space)
{
	struct group *group = groups_find(session->groups, lookup);
	struct log_space place = log_space_of(space);
	enum filter_kind rejected =
		presenter_examine(session->settings.presenter, &place, lookup, false);

	if (rejected != FILTER_NONE) {
		session->counts.filtered[rejected]++;
		return;
	}
	lookup->group = group_number(session->groups, group);
	presenter_show(session->settings.presenter, lookup);
}

/* Behind the limit nothing is part of the trace. */
static bool limit_reached(const struct session *session)
{
	return presenter_limit_reached(session->settings.presenter);
}

static void session_show_complete(struct session *session, const struct pending *pending,
				  struct lookup *lookup)
{
	lookup_complete(session, pending, lookup);
	session_show(session, lookup, pending->space);
}

/*
 * Adding a route asks the route's own table for the gateway and then, with the
 * same flow, the rules: fib_check_nh_v4_gw(). The kernel side cannot tell the two
 * lookups apart. True when that is what the walk was.
 */
static bool session_split(struct session *session, struct pending *pending)
{
	struct walk_record first = *pending->walk, rest = *pending->walk;
	struct lookup direct = { 0 }, lookup = { 0 };
	const struct policy *policy = pending_policy(pending);
	bool split;

	if (!policy || first.rejected || !first.origin.may_be_direct || first.answer_count < 2)
		return false;
	first.answer_count = 1;
	rest.answers++;
	rest.answer_count--;
	split = derive_direct(&first, policy, &direct) == DERIVE_DONE &&
		derive_lookup(&rest, policy, &lookup) == DERIVE_DONE;
	if (split) {
		session_show_complete(session, pending, &direct);
		/* Behind the limit the second is not part of the trace. */
		if (!limit_reached(session)) {
			session_show_complete(session, pending, &lookup);
			session->counts.split++;
		}
		assembler_done(session->assembler, pending->walk);
	}
	lookup_clear(&direct);
	lookup_clear(&lookup);
	return split;
}

/* What waited for want of this knowledge is looked at again. */
static void session_learn_kernel(struct session *session, const struct pending *pending)
{
	const struct policy *policy = pending_policy(pending);
	enum default_after_reject asked;

	if (!policy || pending->result != DERIVE_DONE)
		return;
	asked = derive_default_after_reject(pending->walk, policy);
	if (asked == DEFAULT_NOT_KNOWN || asked == policy_default_after_reject(policy))
		return;
	policy_set_default_after_reject(monitor_policy(pending->space->monitor), asked);
	assembler_flush(session->assembler);
}

/*
 * The ring was read while the walk ran, perhaps: an empty table may still answer
 * that it has no route, and is then no missing one. It has until the next batch.
 */
static bool session_waits(const struct session *session, const struct pending *pending)
{
	const struct walk_record *walk = pending->walk;

	return pending->result == DERIVE_DONE && pending->lookup.may_grow && !walk->ended &&
	       !walk->waited && !session->finished;
}

/* A record is whole: what the policy cannot explain is shown as the kernel was seen to do it. */
static void session_settle_record(struct session *session, struct pending *pending)
{
	bool explained = pending->result == DERIVE_DONE;

	if (pending->result == DERIVE_FAILED ||
	    (!explained &&
	     !observe_unaided(pending->record, pending_policy(pending), &pending->lookup))) {
		session_fail(session, -ENOMEM);
		return;
	}
	session_show_complete(session, pending, &pending->lookup);
}

/* A walk whose explanation stands: it is written, filtered, or waits for more. */
static void session_settle_walk(struct session *session, struct pending *pending)
{
	struct walk_record *walk = pending->walk;

	if (pending->result == DERIVE_OPEN && !walk->ended)
		return;
	if (session_waits(session, pending)) {
		walk->waited = true;
		assembler_again(session->assembler, walk);
		return;
	}
	if (pending->result == DERIVE_FAILED) {
		session_fail(session, -ENOMEM);
		return;
	}
	if (pending->result == DERIVE_CONFLICT && session_split(session, pending))
		return;
	if (pending->result != DERIVE_DONE && !pending_over(pending) && !session->finished)
		return;
	if (walk->rejected) {
		session->counts.rejected_shown++;
		assembler_done(session->assembler, walk);
		return;
	}
	if (pending->result != DERIVE_DONE &&
	    !derive_unknown(walk, pending_policy(pending), pending_unknown_reason(pending),
			    &pending->lookup)) {
		session_fail(session, -ENOMEM);
		return;
	}
	session_learn_kernel(session, pending);
	session_show_complete(session, pending, &pending->lookup);
	assembler_done(session->assembler, walk);
}

static void session_settle(struct session *session, struct pending *pending)
{
	/* Behind the limit nothing is part of the trace; walks are counted when it ends. */
	if (limit_reached(session) && pending->record)
		session->counts.elsewhere++;
	if (limit_reached(session))
		return;
	if (pending->record)
		session_settle_record(session, pending);
	else
		session_settle_walk(session, pending);
}

static void session_explain(struct session *session)
{
	struct lookup_record *record;
	struct walk_record *walk;

	while ((walk = assembler_next(session->assembler)))
		session_take(session, walk);
	while ((record = collector_next(session->collector)))
		session_take_record(session, record);
	spaces_drain(session->settings.spaces);
	for (size_t i = 0; i < session->pending_count; i++)
		pending_recheck(&session->pending[i], session->settings.spaces);
	for (size_t i = 0; i < session->pending_count; i++)
		pending_renew(&session->pending[i]);
	/* A step for each rule is much, and is there from when a lookup is shown: not for all at once. */
	for (size_t i = 0; i < session->pending_count; i++) {
		session_settle(session, &session->pending[i]);
		pending_clear(&session->pending[i]);
	}
	session_clear_pending(session);
	if (!session->error)
		session->error = presenter_error(session->settings.presenter);
}

/* What happened before read_ns has been read, unless there is more. */
static void session_advance(struct session *session, uint64_t read_ns)
{
	if (!session->more)
		presenter_advance(session->settings.presenter, read_ns);
}

static size_t rule_count(const struct policy *policy, uint8_t family)
{
	const struct rule_list *rules = policy ? policy_rules(policy, family) : NULL;

	return rules ? rules->count : 0;
}

static size_t rules_most(const struct session *session)
{
	size_t most = 1;

	for (size_t i = 0; i < spaces_count(session->settings.spaces); i++) {
		const struct policy *policy = space_policy(spaces_at(session->settings.spaces, i));
		size_t inet = rule_count(policy, FLOW_AF_INET);
		size_t inet6 = rule_count(policy, FLOW_AF_INET6);

		most = inet > most ? inet : most;
		most = inet6 > most ? inet6 : most;
	}
	return most;
}

/* As capture_read() of a batch, which is all there is unless there is more. */
static int session_read(struct session *session)
{
	size_t fitting = BATCH_STEPS / rules_most(session);
	unsigned int limit = fitting < BATCH_EVENTS ? fitting + 1 : BATCH_EVENTS;
	int count = capture_read(session->settings.capture, limit, session_event, session);

	session->more = count == (int)limit;
	return count;
}

int session_run_batch(struct session *session)
{
	uint64_t read_ns = clock_boottime_now();
	int count;

	clock_sample(&session->clock);
	count = session_read(session);
	if (count < 0) {
		report_error("cannot read what was captured: %s", strerror(-count));
		return count;
	}
	session_explain(session);
	session_advance(session, read_ns);
	if (!session->error)
		session->error = presenter_flush(session->settings.presenter);
	if (session->error)
		return session->error;
	return presenter_done(session->settings.presenter);
}

bool session_has_more(const struct session *session)
{
	return session->more;
}

uint64_t session_due(const struct session *session)
{
	return presenter_due(session->settings.presenter);
}

static void session_walk_lost(void *data, uint64_t walk)
{
	struct session *session = data;

	assembler_mark_lost(session->assembler, walk);
}

static void session_sequence_end(void *data, unsigned int cpu, uint32_t seq)
{
	struct session *session = data;
	struct event_header header = {
		.time_ns = clock_boottime_now(),
		.seq = seq,
		.cpu = cpu,
	};

	if (capture_is_exact(session->settings.capture))
		collector_end(session->collector, &header, seq, session_lost, session);
	else
		assembler_end_sequence(session->assembler, &header, session_lost, session);
}

/* What is still open when nothing can follow. */
static void session_count_rest(struct session *session)
{
	struct lookup_record *record;
	struct walk_record *walk;

	while ((record = collector_next(session->collector))) {
		if (limit_reached(session))
			session->counts.elsewhere++;
		else
			session->counts.unfinished++;
		lookup_record_free(record);
	}
	assembler_flush(session->assembler);
	while ((walk = assembler_next(session->assembler))) {
		if (walk->lost)
			count_lost(&session->counts, walk);
		else if (limit_reached(session))
			count_elsewhere(&session->counts, walk);
		else
			count_unfinished(&session->counts, walk);
		assembler_done(session->assembler, walk);
	}
}

static int session_read_rest(struct session *session)
{
	int count;

	do {
		count = session_read(session);
		if (count < 0)
			return count;
		if (!presenter_done(session->settings.presenter))
			session_explain(session);
	} while (session->more && !session->error);
	count = capture_read_open(session->settings.capture, session_event, session);
	return count ? count : session->error;
}

/* Nothing follows any more: what no policy explains is shown as far as it is known. */
static int session_settle_rest(struct session *session)
{
	int err = capture_visit_lost(session->settings.capture, session_walk_lost, session);

	if (err)
		return err;
	session->finished = true;
	assembler_flush(session->assembler);
	if (!presenter_done(session->settings.presenter))
		session_explain(session);
	return session->error;
}

int session_finish(struct session *session)
{
	struct presenter *presenter = session->settings.presenter;
	struct trace_summary *summary = presenter_summary(presenter);
	struct capture_counts captured;
	int err = session_read_rest(session);

	if (!err)
		err = session_settle_rest(session);
	if (!err)
		err = capture_visit_sequences(session->settings.capture, session_sequence_end,
					      session);
	if (!err)
		err = capture_read_counts(session->settings.capture, &captured);
	if (err) {
		/* What ended the trace was said where it was known. */
		if (!session->error)
			report_error("cannot read what was captured: %s", strerror(-err));
		return err;
	}
	session_count_rest(session);
	session->counts.shown = presenter_shown(presenter);
	counts_total(&session->counts, &captured, assembler_counts(session->assembler),
		     collector_counts(session->collector), &summary->counts);
	err = presenter_finish(presenter, now_ns(session));
	if (session->settings.quiet)
		return err;
	counts_print(&session->counts, &captured, &summary->counts, session->settings.filter);
	presenter_print_totals(presenter);
	return err;
}
