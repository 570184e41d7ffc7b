/* SPDX-License-Identifier: GPL-2.0-only */
/* Network namespaces: what a user calls them, and where the kernel keeps them. */
#ifndef FIBTRACE_NETLINK_NETNS_H
#define FIBTRACE_NETLINK_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One namespace: name is that of /run/netns, "" when it has none; fd keeps it alive, -1: none;
 * holder is a process that is in it, 0: none is known. */
struct netns {
	uint32_t inode;
	int fd;
	pid_t holder;
	char name[256];
};

/* Opens what --netns was given: a name of /run/netns (or /var/run/netns), a path (with a '/'), or a PID
 * (digits only). 0, or -errno with a one-line reason in reason. */
int netns_open(const char *spec, struct netns *netns, char *reason, size_t reason_size);
/* Opens the namespace of the calling thread. 0 or -errno. */
int netns_open_current(struct netns *netns);
/* Opens that of a process. 0 or -errno. */
int netns_open_pid(pid_t pid, struct netns *netns);
void netns_close(struct netns *netns);

/* Calls visit() for each namespace that a name of /run/netns or a process of /proc holds, once each;
 * visit() takes over nothing, the fd closes after it. 0 or -errno. */
int netns_visit_all(bool (*visit)(struct netns *netns, void *data), void *data);

/* The name of /run/netns that stands for inode; false when there is none. */
bool netns_find_name(uint32_t inode, char name[static 256]);

/* Whether its name still stands for it, or its holder may still be in it. Cheap. */
bool netns_is_held(const struct netns *netns);

/* What a person calls it: its name, else "pid PID (COMM)" of its holder, else "". */
void netns_print_title(const struct netns *netns, char *title, size_t size);

#endif
