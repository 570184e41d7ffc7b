/* SPDX-License-Identifier: GPL-2.0-only */
/* The network namespaces that are traced, and the policy of each. */
#ifndef FIBTRACE_SPACES_H
#define FIBTRACE_SPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/config.h"
#include "netlink/netns.h"
#include "netlink/snapshot.h"

/* The kernel's counters of changes, by FLOW_FAMILY_SLOT(). */
struct policy_seqs {
	struct policy_seq of[FLOW_FAMILY_COUNT];
};

/*
 * changes are those of the drain that was done last. seq is what the kernel's
 * counters of changes were when the policy was as it is now, old_seq when it was
 * as before that drain; known 0 in them: that could not be told.
 */
struct space {
	struct netns netns;
	char title[256]; /* what a person calls it; "": nothing is known */
	struct monitor *monitor; /* NULL: the policy cannot be read */
	bool own; /* fibtrace runs in it */
	bool held; /* found when it was last looked for */
	bool unheld; /* nothing was found that holds it: to be looked for again */
	bool asked; /* it has been asked for since it was looked for */
	pid_t tried; /* the last process through which it was looked for */
	bool reread; /* in this batch */
	struct monitor_changes changes;
	struct policy_seqs seq;
	struct policy_seqs old_seq;
};

struct owners;

struct spaces_settings {
	const char *const *specs; /* as --netns was given; none: the current namespace */
	size_t spec_count;
	bool all;
	size_t max_routes;
	const struct owners *owners; /* whose rules they are; outlive the spaces; NULL: not known */
};

struct spaces;

/* Called for each change of rules, and for what the user must know. */
struct spaces_hooks {
	void (*policy_changed)(void *data, const struct space *space, const char *change);
	void (*warning)(void *data, const char *message);
	void *data;
};

/* Reads the kernel's counters in the namespace of a socket; see capture_read_seq(). */
typedef bool (*spaces_seq_reader)(void *data, int fd, struct policy_seq seq[FLOW_FAMILY_COUNT]);

/* Opens the namespaces and reads their policies. NULL with errno after a line on stderr. */
struct spaces *spaces_open(const struct spaces_settings *settings,
			   const struct spaces_hooks *hooks);
void spaces_close(struct spaces *spaces); /* takes NULL */
/* From here on the hooks get data. */
void spaces_set_data(struct spaces *spaces, void *data);
/* From here on it is known which state of the kernel's counters each policy is. */
void spaces_set_seq_reader(struct spaces *spaces, spaces_seq_reader reader, void *data);

size_t spaces_count(const struct spaces *spaces);
struct space *spaces_at(struct spaces *spaces, size_t index);

/* The space with this inode; with --netns all a new one is opened, by its name
 * or through process pid (0: none). NULL when there is none. */
struct space *spaces_find(struct spaces *spaces, uint32_t inode, pid_t pid);

/* Becomes readable when a notification waits in any of them. */
int spaces_fd(const struct spaces *spaces);
/* Applies what waits, without blocking; fills changes of each space. */
void spaces_drain(struct spaces *spaces);
/* Whether the last drain, or reading anew since, may have changed the policy. */
bool space_changed(const struct space *space);
/* Reads the policy of one anew, at most once between two drains. */
void spaces_reread(struct spaces *spaces, struct space *space);
/* Lets go of namespaces that nobody else holds any more: what spaces_find() returned is no longer
 * to be used then. Cheap: to be called every second. */
void spaces_release_gone(struct spaces *spaces);

/* The policy, NULL when it cannot be read. */
const struct policy *space_policy(const struct space *space);

#endif
