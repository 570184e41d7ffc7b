// SPDX-License-Identifier: GPL-2.0-only
/* Network namespaces: what a user calls them, and where the kernel keeps them. */
#include "netlink/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/number_map.h"

#define NSFS_MAGIC 0x6e736673

static const char *const name_directories[] = { "/run/netns", "/var/run/netns" };

/* Not the file's inode but the namespace's; false for files that are no network namespace. */
static bool netns_of_fd(int fd, uint32_t *inode)
{
	struct statfs filesystem;
	struct stat status;

	if (fstatfs(fd, &filesystem) || filesystem.f_type != NSFS_MAGIC)
		return false;
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(fd, &status))
		return false;
	*inode = status.st_ino;
	return true;
}

/* Without O_NONBLOCK opening a FIFO would wait for its writer. -EINVAL: not a network namespace. */
static int netns_open_at(int directory, const char *path, struct netns *netns)
{
	int fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	netns->fd = -1;
	netns->holder = 0;
	netns->name[0] = '\0';
	if (fd < 0)
		return -errno;
	if (!netns_of_fd(fd, &netns->inode)) {
		close(fd);
		return -EINVAL;
	}
	netns->fd = fd;
	return 0;
}

static int netns_open_path(const char *path, struct netns *netns)
{
	int err = netns_open_at(AT_FDCWD, path, netns);

	if (!err)
		netns_find_name(netns->inode, netns->name);
	return err;
}

static void netns_set_name(struct netns *netns, const char *name)
{
	snprintf(netns->name, sizeof(netns->name), "%s", name);
}

static int netns_open_name(const char *name, struct netns *netns)
{
	int err = -ENOENT;

	netns->fd = -1;
	for (size_t i = 0; *name && i < ARRAY_SIZE(name_directories); i++) {
		char path[PATH_MAX];

		if ((size_t)snprintf(path, sizeof(path), "%s/%s", name_directories[i], name) >=
		    sizeof(path))
			return -ENAMETOOLONG;
		err = netns_open_at(AT_FDCWD, path, netns);
		if (err != -ENOENT)
			break;
	}
	if (!err)
		netns_set_name(netns, name);
	return err;
}

int netns_open_current(struct netns *netns)
{
	return netns_open_path("/proc/thread-self/ns/net", netns);
}

int netns_open_pid(pid_t pid, struct netns *netns)
{
	char path[64];
	int err;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	err = netns_open_path(path, netns);
	if (!err)
		netns->holder = pid;
	return err;
}

void netns_close(struct netns *netns)
{
	if (netns->fd >= 0)
		close(netns->fd);
	netns->fd = -1;
}

static bool is_all_digits(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* A kind of --netns: how it is opened, and the words around it for what went wrong. */
struct spec_kind {
	int (*open)(const char *spec, struct netns *netns);
	const char *before_missing;
	const char *after_missing;
	const char *before_other;
};

static int open_spec_pid(const char *spec, struct netns *netns)
{
	unsigned long pid;

	netns->fd = -1;
	errno = 0;
	pid = strtoul(spec, NULL, 10);
	if (errno || pid > INT_MAX || pid == 0)
		return -ENOENT;
	return netns_open_pid(pid, netns);
}

static const struct spec_kind kind_pid = {
	.open = open_spec_pid,
	.before_missing = "no process has the pid ",
	.after_missing = "",
	.before_other = "the network namespace of process ",
};

static const struct spec_kind kind_path = {
	.open = netns_open_path,
	.before_missing = "there is no file ",
	.after_missing = "",
	.before_other = "",
};

static const struct spec_kind kind_name = {
	.open = netns_open_name,
	.before_missing = "no network namespace called ",
	.after_missing = " in /run/netns (ip netns list shows them)",
	.before_other = "/run/netns/",
};

static const struct spec_kind *spec_kind_of(const char *spec)
{
	if (is_all_digits(spec))
		return &kind_pid;
	return strchr(spec, '/') ? &kind_path : &kind_name;
}

static bool is_missing(int err)
{
	return err == -ENOENT || err == -ESRCH || err == -ENAMETOOLONG;
}

static bool is_denied(int err)
{
	return err == -EACCES || err == -EPERM;
}

static void explain(int err, const char *spec, char *reason, size_t reason_size)
{
	const struct spec_kind *kind = spec_kind_of(spec);

	if (is_missing(err))
		snprintf(reason, reason_size, "%s%s%s", kind->before_missing, spec,
			 kind->after_missing);
	else if (err == -EINVAL)
		snprintf(reason, reason_size, "%s%s is not a network namespace", kind->before_other,
			 spec);
	else
		snprintf(reason, reason_size, "cannot open %s%s: %s%s", kind->before_other, spec,
			 strerror(-err), is_denied(err) ? "; run as root" : "");
}

int netns_open(const char *spec, struct netns *netns, char *reason, size_t reason_size)
{
	int err = spec_kind_of(spec)->open(spec, netns);

	if (err)
		explain(err, spec, reason, reason_size);
	return err;
}

/* Those that were visited, so that none is twice. */
struct visit {
	bool (*visit)(struct netns *netns, void *data);
	void *data;
	struct number_map inodes;
	bool stopped;
};

static bool visit_has(const struct visit *visit, uint32_t inode)
{
	return number_map_get(&visit->inodes, inode);
}

static int visit_namespace(struct visit *visit, struct netns *netns)
{
	int err;

	if (visit_has(visit, netns->inode))
		return 0;
	err = number_map_set(&visit->inodes, netns->inode, visit);
	if (!err && !visit->visit(netns, visit->data))
		visit->stopped = true;
	return err;
}

/* What vanishes, is no namespace or may not be opened is passed over; a lack of memory is not. */
static bool is_fatal(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

static int visit_path(struct visit *visit, int directory, const char *path,
		      const struct netns *known)
{
	struct netns netns;
	int err = netns_open_at(directory, path, &netns);

	if (err)
		return is_fatal(err) ? err : 0;
	netns_set_name(&netns, known->name);
	netns.holder = known->holder;
	err = visit_namespace(visit, &netns);
	netns_close(&netns);
	return err;
}

static int visit_name(struct visit *visit, int directory, const char *entry)
{
	struct netns known = { 0 };

	if (!strcmp(entry, ".") || !strcmp(entry, ".."))
		return 0;
	netns_set_name(&known, entry);
	return visit_path(visit, directory, entry, &known);
}

/* The inode is looked at first: most processes share few namespaces. */
static int visit_process(struct visit *visit, int directory, const char *entry)
{
	char path[NAME_MAX + sizeof("/ns/net")];
	struct netns known = { .holder = atoi(entry) };
	struct stat status;

	if (!is_all_digits(entry))
		return 0;
	snprintf(path, sizeof(path), "%s/ns/net", entry);
	if (fstatat(directory, path, &status, 0) || visit_has(visit, status.st_ino))
		return 0;
	return visit_path(visit, directory, path, &known);
}

static int visit_directory(struct visit *visit, const char *path,
			   int (*entry)(struct visit *visit, int directory, const char *entry))
{
	DIR *directory = opendir(path);
	const struct dirent *found;
	int err = 0;

	if (!directory)
		return -errno;
	while (!err && !visit->stopped && (found = readdir(directory)))
		err = entry(visit, dirfd(directory), found->d_name);
	closedir(directory);
	return err;
}

static int visit_names(struct visit *visit)
{
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(name_directories); i++) {
		err = visit_directory(visit, name_directories[i], visit_name);
		if (err == -ENOENT)
			err = 0;
	}
	return err;
}

int netns_visit_all(bool (*visit)(struct netns *netns, void *data), void *data)
{
	struct visit state = { .visit = visit, .data = data };
	int err = visit_names(&state);

	if (!err && !state.stopped)
		err = visit_directory(&state, "/proc", visit_process);
	number_map_clear(&state.inodes);
	return err;
}

static bool path_has_inode(const char *path, uint32_t inode)
{
	struct stat status;

	return !stat(path, &status) && status.st_ino == inode;
}

static bool name_in(const char *directory, const struct stat *wanted, char name[static 256])
{
	DIR *entries = opendir(directory);
	const struct dirent *entry;
	struct stat status;
	bool found = false;

	while (entries && !found && (entry = readdir(entries))) {
		found = !fstatat(dirfd(entries), entry->d_name, &status, 0) &&
			status.st_ino == wanted->st_ino && status.st_dev == wanted->st_dev;
		if (found)
			snprintf(name, 256, "%s", entry->d_name);
	}
	if (entries)
		closedir(entries);
	return found;
}

/* Looks at inodes alone, without opening what may be hundreds of names. */
bool netns_find_name(uint32_t inode, char name[static 256])
{
	struct stat wanted;

	name[0] = '\0';
	if (stat("/proc/thread-self/ns/net", &wanted))
		return false;
	/* All namespaces are on one device. */
	wanted.st_ino = inode;
	for (size_t i = 0; i < ARRAY_SIZE(name_directories); i++) {
		if (name_in(name_directories[i], &wanted, name))
			return true;
	}
	return false;
}

/* Whether the process is in the namespace, or may be: without capabilities we may not look, which
 * is EACCES or, on 5.10, the directory in the link's place; but then the process is there. */
static bool process_holds(pid_t pid, uint32_t inode)
{
	struct stat status;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (stat(path, &status))
		return errno == EACCES;
	return S_ISDIR(status.st_mode) || status.st_ino == inode;
}

bool netns_is_held(const struct netns *netns)
{
	char path[300];

	for (size_t i = 0; netns->name[0] && i < ARRAY_SIZE(name_directories); i++) {
		snprintf(path, sizeof(path), "%s/%s", name_directories[i], netns->name);
		if (path_has_inode(path, netns->inode))
			return true;
	}
	return netns->holder && process_holds(netns->holder, netns->inode);
}

/* "?" when it has ended meanwhile, or may not be looked at. */
static void process_comm(pid_t pid, char comm[static 64])
{
	_cleanup_fclose_ FILE *file = NULL;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (!file || !fgets(comm, 64, file))
		snprintf(comm, 64, "?");
	comm[strcspn(comm, "\n")] = '\0';
}

void netns_print_title(const struct netns *netns, char *title, size_t size)
{
	char comm[64];

	snprintf(title, size, "%s", netns->name);
	if (netns->name[0] || !netns->holder)
		return;
	process_comm(netns->holder, comm);
	snprintf(title, size, "pid %d (%s)", (int)netns->holder, comm);
}
