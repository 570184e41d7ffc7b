// SPDX-License-Identifier: GPL-2.0-only
/* The network namespaces that are traced, and the policy of each. */
#include "spaces.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/descriptors.h"
#include "util/number_map.h"
#include "util/report.h"

#define EVENTS_AT_ONCE 64

/* The sockets of a monitor, and what the rest of us has open at most. */
#define DESCRIPTORS_EACH 2
#define DESCRIPTORS_OURS 256

struct spaces {
	struct spaces_settings settings;
	struct spaces_hooks hooks;
	spaces_seq_reader read_seq; /* NULL: not yet */
	void *seq_data;
	int epoll_fd;
	size_t count;
	size_t capacity;
	struct space **list;
	struct number_map by_inode;
	size_t descriptors; /* how many we may have open */
	size_t monitors; /* open ones */
	bool limit_told;
};

/* A trace of one's own namespace alone is no trace of namespaces: that one needs no process's name. */
static void space_name(const struct spaces *spaces, struct space *space)
{
	if (space->own && !spaces->settings.all)
		snprintf(space->title, sizeof(space->title), "%s", space->netns.name);
	else
		netns_print_title(&space->netns, space->title, sizeof(space->title));
}

/* Its title, else its inode. */
static void space_describe(const struct space *space, char *out, size_t size)
{
	if (space->title[0])
		snprintf(out, size, "%s", space->title);
	else
		snprintf(out, size, "net:[%u]", space->netns.inode);
}

/* "namespace NAME: WHAT", with the words of err unless that is 0. */
static void warn(struct spaces *spaces, const struct space *space, const char *what, int err)
{
	char name[280], message[512];

	if (!spaces->hooks.warning)
		return;
	space_describe(space, name, sizeof(name));
	snprintf(message, sizeof(message), "namespace %s: %s%s%s", name, what, err ? ": " : "",
		 err ? strerror(err) : "");
	spaces->hooks.warning(spaces->hooks.data, message);
}

static void space_close_monitor(struct spaces *spaces, struct space *space)
{
	spaces->monitors -= space->monitor != NULL;
	monitor_close(space->monitor);
	space->monitor = NULL;
}

static void space_free(struct spaces *spaces, struct space *space)
{
	space_close_monitor(spaces, space);
	netns_close(&space->netns);
	free(space);
}

static int spaces_append(struct spaces *spaces, struct space *space)
{
	if (spaces->count == spaces->capacity) {
		size_t capacity = spaces->capacity ? 2 * spaces->capacity : 16;
		struct space **grown = reallocarray(spaces->list, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		spaces->list = grown;
		spaces->capacity = capacity;
	}
	if (number_map_set(&spaces->by_inode, space->netns.inode, space))
		return -ENOMEM;
	spaces->list[spaces->count++] = space;
	return 0;
}

static int space_watch(struct spaces *spaces, struct space *space)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = space };

	if (epoll_ctl(spaces->epoll_fd, EPOLL_CTL_ADD, monitor_fd(space->monitor), &event))
		return -errno;
	return 0;
}

struct note_context {
	struct spaces *spaces;
	struct space *space;
};

static void spaces_note(void *data, const char *change)
{
	struct note_context *context = data;
	const struct spaces_hooks *hooks = &context->spaces->hooks;

	if (hooks->policy_changed)
		hooks->policy_changed(hooks->data, context->space, change);
}

static void space_lose(struct spaces *spaces, struct space *space, int err)
{
	warn(spaces, space, "its rules and routes cannot be followed any more", err);
	space_close_monitor(spaces, space);
}

static int space_apply_notifications(struct spaces *spaces, struct space *space,
				     struct monitor_changes *changes)
{
	struct note_context context = { spaces, space };
	int err = monitor_drain(space->monitor, changes, spaces_note, &context);

	return err || !changes->lost ? err : -errno;
}

static struct policy_seqs space_read_seq(const struct spaces *spaces, const struct space *space)
{
	struct policy_seqs seq = { 0 };

	if (spaces->read_seq &&
	    !spaces->read_seq(spaces->seq_data, monitor_fd(space->monitor), seq.of))
		seq = (struct policy_seqs){ 0 };
	return seq;
}

static bool seq_known(const struct policy_seqs *seq)
{
	return seq->of[FLOW_FAMILY_SLOT(AF_INET)].known ||
	       seq->of[FLOW_FAMILY_SLOT(AF_INET6)].known;
}

/* A family that is not there, or does not count, tells nothing. */
static bool seq_equal(const struct policy_seqs *a, const struct policy_seqs *b)
{
	for (size_t i = 0; i < FLOW_FAMILY_COUNT; i++) {
		const struct policy_seq *one = &a->of[i], *other = &b->of[i];

		if (one->known != other->known || one->rules != other->rules ||
		    one->routes != other->routes)
			return false;
	}
	return seq_known(a);
}

static bool changes_any(const struct monitor_changes *changes)
{
	unsigned int count = changes->links;

	for (size_t i = 0; i < FLOW_FAMILY_COUNT; i++)
		count += changes->rules[i] + changes->routes[i];
	return count || changes->overrun;
}

static void changes_add(struct monitor_changes *total, const struct monitor_changes *changes)
{
	for (size_t i = 0; i < FLOW_FAMILY_COUNT; i++) {
		total->rules[i] += changes->rules[i];
		total->routes[i] += changes->routes[i];
	}
	total->links += changes->links;
	total->overrun |= changes->overrun;
}

/* Whether each change of the rules since last was notified, and no other. */
static bool rules_all_notified(const struct monitor_changes *changes,
			       const struct policy_seqs *last, const struct policy_seqs *now)
{
	for (size_t i = 0; i < FLOW_FAMILY_COUNT; i++) {
		if (last->of[i].known && now->of[i].rules != last->of[i].rules + changes->rules[i])
			return false;
	}
	return true;
}

/* Few tries: under a storm of changes it is simply not known which state the policy is. */
#define SEQ_TRIES 3

/*
 * The policy is that of a seq when nothing was notified between two readings
 * of the same, and each change of the rules since the last known one was notified.
 */
static int space_learn_seq(struct spaces *spaces, struct space *space)
{
	struct policy_seqs last = space->seq;

	space->seq = (struct policy_seqs){ 0 };
	for (int try = 0; spaces->read_seq && try < SEQ_TRIES; try++) {
		struct policy_seqs before = space_read_seq(spaces, space), after;
		struct monitor_changes changes = { 0 };
		int err = space_apply_notifications(spaces, space, &changes);

		if (err)
			return err;
		changes_add(&space->changes, &changes);
		after = space_read_seq(spaces, space);
		if (changes_any(&changes) || !seq_equal(&before, &after))
			continue;
		if (!space->reread && !space->changes.overrun &&
		    !rules_all_notified(&space->changes, &last, &after))
			continue;
		space->seq = after;
		return 0;
	}
	return 0;
}

/* Programs and maps come after the namespaces: what they need stays free. */
static bool spaces_reach_limit(struct spaces *spaces)
{
	size_t most = spaces->descriptors / DESCRIPTORS_EACH;
	size_t ours = DESCRIPTORS_OURS / DESCRIPTORS_EACH;
	char message[160];

	most = most > ours ? most - ours : 1;
	if (!spaces->settings.all || spaces->monitors < most)
		return false;
	if (spaces->limit_told || !spaces->hooks.warning)
		return true;
	snprintf(message, sizeof(message),
		 "%zu files may be open (ulimit -Hn): the rules and routes of no more than %zu "
		 "namespaces are read",
		 spaces->descriptors, most);
	spaces->hooks.warning(spaces->hooks.data, message);
	spaces->limit_told = true;
	return true;
}

static int space_open_monitor(struct spaces *spaces, struct space *space)
{
	int err;

	/* Entering a namespace takes CAP_SYS_ADMIN, staying in one's own nothing. */
	space->monitor = monitor_open(space->own ? -1 : space->netns.fd, space->netns.inode,
				      spaces->settings.max_routes, kernel_tos_compare());
	if (!space->monitor)
		return -errno;
	spaces->monitors++;
	policy_set_owners(monitor_policy(space->monitor), spaces->settings.owners);
	err = space_watch(spaces, space);
	if (!err)
		err = space_learn_seq(spaces, space);
	if (err)
		space_close_monitor(spaces, space);
	return err;
}

/* The namespace's own descriptor is not needed after it. */
static void space_read_policy(struct spaces *spaces, struct space *space)
{
	bool refused = spaces_reach_limit(spaces);
	int err = refused ? 0 : space_open_monitor(spaces, space);

	if (!space->own)
		netns_close(&space->netns);
	/* Of one that was asked for, the caller tells. */
	if (err && spaces->settings.all)
		warn(spaces, space, "its rules and routes cannot be read", -err);
}

/* Takes over netns. NULL with errno; the policy may be unreadable all the same. */
static struct space *spaces_add(struct spaces *spaces, struct netns *netns, bool own)
{
	struct space *space = calloc(1, sizeof(*space));
	int err = -ENOMEM;

	if (space) {
		space->netns = *netns;
		space->own = own;
		space->held = true;
		space_name(spaces, space);
		err = spaces_append(spaces, space);
	}
	if (err) {
		netns_close(netns);
		free(space);
		errno = -err;
		return NULL;
	}
	if (space->netns.fd >= 0)
		space_read_policy(spaces, space);
	return space;
}

static struct space *spaces_lookup(const struct spaces *spaces, uint32_t inode)
{
	return number_map_get(&spaces->by_inode, inode);
}

static int spaces_open_current(struct spaces *spaces)
{
	struct netns netns;
	struct space *space;
	int err = netns_open_current(&netns);

	if (err) {
		report_error("cannot open the current network namespace: %s", strerror(-err));
		return err;
	}
	space = spaces_add(spaces, &netns, true);
	if (!space)
		return -errno;
	if (space->monitor)
		return 0;
	report_error("cannot read the rules and routes of the current network namespace");
	return -EIO;
}

static int spaces_open_spec(struct spaces *spaces, const char *spec)
{
	struct netns netns;
	struct space *space;
	char reason[512];
	int err = netns_open(spec, &netns, reason, sizeof(reason));

	if (err) {
		report_error("--netns: %s", reason);
		return err;
	}
	if (spaces_lookup(spaces, netns.inode)) {
		netns_close(&netns);
		return 0;
	}
	space = spaces_add(spaces, &netns, false);
	if (!space)
		return -errno;
	if (space->monitor)
		return 0;
	report_error("--netns: cannot read the rules and routes of '%s'; needs CAP_SYS_ADMIN",
		     spec);
	return -EPERM;
}

/* What holds it now is what it is called by. The descriptor is the visitor's. */
static void space_recognise(struct spaces *spaces, struct space *space, const struct netns *netns)
{
	if (!space->held || (!space->netns.name[0] && (netns->name[0] || !space->netns.holder))) {
		space->netns.holder = netns->holder;
		memcpy(space->netns.name, netns->name, sizeof(netns->name));
		space_name(spaces, space);
	}
	space->held = true;
	if (!space->unheld)
		return;
	space->unheld = false;
	space->netns.fd = fcntl(netns->fd, F_DUPFD_CLOEXEC, 3);
	if (space->netns.fd >= 0)
		space_read_policy(spaces, space);
}

static bool spaces_visit(struct netns *netns, void *data)
{
	struct spaces *spaces = data;
	struct space *space = spaces_lookup(spaces, netns->inode);
	struct netns copy = *netns;

	if (space)
		space_recognise(spaces, space, netns);
	if (space || !spaces->settings.all)
		return true;
	copy.fd = fcntl(netns->fd, F_DUPFD_CLOEXEC, 3);
	return spaces_add(spaces, &copy, false) != NULL;
}

static int spaces_open_wanted(struct spaces *spaces)
{
	const struct spaces_settings *settings = &spaces->settings;

	if (settings->all || !settings->spec_count) {
		int err = spaces_open_current(spaces);

		if (err || !settings->all)
			return err;
		return netns_visit_all(spaces_visit, spaces);
	}
	for (size_t i = 0; i < settings->spec_count; i++) {
		int err = spaces_open_spec(spaces, settings->specs[i]);

		if (err)
			return err;
	}
	return 0;
}

struct spaces *spaces_open(const struct spaces_settings *settings, const struct spaces_hooks *hooks)
{
	struct spaces *spaces = calloc(1, sizeof(*spaces));
	int err;

	if (!spaces)
		return NULL;
	spaces->settings = *settings;
	spaces->hooks = *hooks;
	spaces->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	spaces->descriptors = descriptors_raise_limit();
	err = spaces->epoll_fd < 0 ? -errno : spaces_open_wanted(spaces);
	if (!err)
		return spaces;
	spaces_close(spaces);
	errno = -err;
	return NULL;
}

void spaces_close(struct spaces *spaces)
{
	if (!spaces)
		return;
	for (size_t i = 0; i < spaces->count; i++)
		space_free(spaces, spaces->list[i]);
	free(spaces->list);
	number_map_clear(&spaces->by_inode);
	if (spaces->epoll_fd >= 0)
		close(spaces->epoll_fd);
	free(spaces);
}

void spaces_set_data(struct spaces *spaces, void *data)
{
	spaces->hooks.data = data;
}

size_t spaces_count(const struct spaces *spaces)
{
	return spaces->count;
}

struct space *spaces_at(struct spaces *spaces, size_t index)
{
	return spaces->list[index];
}

static bool netns_reopen_pid(uint32_t inode, pid_t pid, struct netns *netns)
{
	if (!pid || netns_open_pid(pid, netns))
		return false;
	if (netns->inode == inode)
		return true;
	netns_close(netns);
	return false;
}

/* By its name, or through a process that is in it. */
static bool netns_reopen(uint32_t inode, pid_t pid, struct netns *netns)
{
	char name[256], reason[512];

	if (netns_find_name(inode, name) && !netns_open(name, netns, reason, sizeof(reason))) {
		if (netns->inode == inode)
			return true;
		netns_close(netns);
	}
	return netns_reopen_pid(inode, pid, netns);
}

/* A namespace that appeared while tracing; kept without a policy when it cannot be opened, so
 * that this is said once. */
static struct space *spaces_discover(struct spaces *spaces, uint32_t inode, pid_t pid)
{
	struct netns netns;
	struct space *space;

	if (netns_reopen(inode, pid, &netns))
		return spaces_add(spaces, &netns, false);
	netns_visit_all(spaces_visit, spaces);
	space = spaces_lookup(spaces, inode);
	if (space)
		return space;
	netns = (struct netns){ .inode = inode, .fd = -1 };
	space = spaces_add(spaces, &netns, false);
	if (!space)
		return NULL;
	space->unheld = true;
	space->tried = pid;
	warn(spaces, space, "no name and no process holds it, its rules cannot be read", 0);
	return space;
}

/*
 * The number may have gone to a new namespace, which the process is in. Everywhere else
 * spaces_release_gone() looks.
 */
static void space_try(struct spaces *spaces, struct space *space, pid_t pid)
{
	struct netns netns;

	space->asked = true;
	if (pid == space->tried)
		return;
	space->tried = pid;
	if (!netns_reopen_pid(space->netns.inode, pid, &netns))
		return;
	space_recognise(spaces, space, &netns);
	netns_close(&netns);
}

struct space *spaces_find(struct spaces *spaces, uint32_t inode, pid_t pid)
{
	struct space *space = spaces_lookup(spaces, inode);

	if (space && space->unheld)
		space_try(spaces, space, pid);
	if (space || !inode || !spaces->settings.all)
		return space;
	return spaces_discover(spaces, inode, pid);
}

int spaces_fd(const struct spaces *spaces)
{
	return spaces->epoll_fd;
}

static void space_drain(struct spaces *spaces, struct space *space)
{
	int err = space_apply_notifications(spaces, space, &space->changes);

	if (!err && changes_any(&space->changes))
		err = space_learn_seq(spaces, space);
	if (err)
		space_lose(spaces, space, -err);
}

void spaces_set_seq_reader(struct spaces *spaces, spaces_seq_reader reader, void *data)
{
	spaces->read_seq = reader;
	spaces->seq_data = data;
	for (size_t i = 0; i < spaces->count; i++) {
		struct space *space = spaces->list[i];
		int err = space->monitor ? space_learn_seq(spaces, space) : 0;

		if (err)
			space_lose(spaces, space, -err);
	}
}

/* After a storm of changes it was not known which state a policy is: once it is calm, it is. */
static void spaces_learn_missing(struct spaces *spaces)
{
	for (size_t i = 0; spaces->read_seq && i < spaces->count; i++) {
		struct space *space = spaces->list[i];
		int err = 0;

		if (space->monitor && !seq_known(&space->seq) && !changes_any(&space->changes))
			err = space_learn_seq(spaces, space);
		if (err)
			space_lose(spaces, space, -err);
	}
}

static void space_drain_open(struct spaces *spaces, struct space *space)
{
	if (space->monitor)
		space_drain(spaces, space);
}

void spaces_drain(struct spaces *spaces)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int ready;

	for (size_t i = 0; i < spaces->count; i++) {
		struct space *space = spaces->list[i];

		space->changes = (struct monitor_changes){ 0 };
		space->reread = false;
		space->old_seq = space->seq;
	}
	ready = epoll_wait(spaces->epoll_fd, events, EVENTS_AT_ONCE, 0);
	for (int i = 0; i < ready && ready < EVENTS_AT_ONCE; i++)
		space_drain_open(spaces, events[i].data.ptr);
	/* More may be ready than we were told of. */
	for (size_t i = 0; i < spaces->count && ready == EVENTS_AT_ONCE; i++)
		space_drain_open(spaces, spaces->list[i]);
	spaces_learn_missing(spaces);
}

bool space_changed(const struct space *space)
{
	return changes_any(&space->changes) || space->reread;
}

void spaces_reread(struct spaces *spaces, struct space *space)
{
	int err;

	if (space->reread || !space->monitor)
		return;
	space->reread = true;
	for (int try = 0; try < SEQ_TRIES; try++) {
		struct policy_seqs before = space_read_seq(spaces, space);

		err = monitor_reread(space->monitor);
		if (!err)
			err = space_learn_seq(spaces, space);
		if (err) {
			space_lose(spaces, space, -err);
			return;
		}
		if (!spaces->read_seq || seq_equal(&before, &space->seq))
			return;
	}
	space->seq = (struct policy_seqs){ 0 };
}

/* A process may have come to run another program since. */
static bool spaces_all_held(struct spaces *spaces)
{
	bool all = true;

	for (size_t i = 0; i < spaces->count; i++) {
		struct space *space = spaces->list[i];

		space->held = space->own || (!space->unheld && netns_is_held(&space->netns));
		all &= space->held || (space->unheld && !space->asked);
		space->asked = false;
		if (space->held)
			space_name(spaces, space);
	}
	return all;
}

static void spaces_remove(struct spaces *spaces, size_t index)
{
	struct space *space = spaces->list[index];

	warn(spaces, space, "it is gone", 0);
	number_map_remove(&spaces->by_inode, space->netns.inode);
	spaces->list[index] = spaces->list[--spaces->count];
	space_free(spaces, space);
}

/* Our sockets would keep the namespace, and its devices, alive. */
void spaces_release_gone(struct spaces *spaces)
{
	if (spaces_all_held(spaces) || netns_visit_all(spaces_visit, spaces))
		return;
	for (size_t i = spaces->count; i-- > 0;) {
		if (!spaces->list[i]->held && !spaces->list[i]->unheld)
			spaces_remove(spaces, i);
	}
}

const struct policy *space_policy(const struct space *space)
{
	return space->monitor ? monitor_policy(space->monitor) : NULL;
}
