// SPDX-License-Identifier: GPL-2.0-only
/* What --netns may be given, what it says of the rest, and that each namespace is visited once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netlink/netns.h"
#include "util/array.h"

static uint32_t own_inode(void)
{
	struct stat status;

	assert_int_equal(stat("/proc/self/ns/net", &status), 0);
	return status.st_ino;
}

static void assert_is_own(struct netns *netns)
{
	assert_int_equal(netns->inode, own_inode());
	assert_true(netns->fd >= 0);
	assert_true(fcntl(netns->fd, F_GETFD) & FD_CLOEXEC);
	netns_close(netns);
	assert_int_equal(netns->fd, -1);
	netns_close(netns);
}

static void the_current_namespace_opens_in_every_way(void **state)
{
	struct netns netns;
	char reason[256];
	char pid[16];

	(void)state;
	assert_int_equal(netns_open_current(&netns), 0);
	assert_is_own(&netns);
	assert_int_equal(netns_open_pid(getpid(), &netns), 0);
	assert_is_own(&netns);
	snprintf(pid, sizeof(pid), "%d", getpid());
	assert_int_equal(netns_open(pid, &netns, reason, sizeof(reason)), 0);
	assert_is_own(&netns);
	assert_int_equal(netns_open("/proc/self/ns/net", &netns, reason, sizeof(reason)), 0);
	assert_is_own(&netns);
}

static const struct {
	const char *spec;
	int error;
	const char *reason;
} refused[] = {
	{ "no-such-name", -ENOENT,
	  "no network namespace called no-such-name in /run/netns (ip netns list shows them)" },
	{ "", -ENOENT, "no network namespace called  in /run/netns (ip netns list shows them)" },
	{ "./no-such-file", -ENOENT, "there is no file ./no-such-file" },
	{ "/proc/self/ns/mnt", -EINVAL, "/proc/self/ns/mnt is not a network namespace" },
	{ "/dev/null", -EINVAL, "/dev/null is not a network namespace" },
	{ "/proc", -EINVAL, "/proc is not a network namespace" },
	{ "0", -ENOENT, "no process has the pid 0" },
	{ "2147483647", -ENOENT, "no process has the pid 2147483647" },
	{ "99999999999999999999", -ENOENT, "no process has the pid 99999999999999999999" },
};

static void what_is_no_namespace_is_named_in_the_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct netns netns;
		char reason[256] = "";

		assert_int_equal(netns_open(refused[i].spec, &netns, reason, sizeof(reason)),
				 refused[i].error);
		assert_string_equal(reason, refused[i].reason);
		assert_int_equal(netns.fd, -1);
	}
}

static void a_name_too_long_is_refused(void **state)
{
	char spec[8192];
	char reason[64];
	struct netns netns;

	(void)state;
	memset(spec, 'x', sizeof(spec) - 1);
	spec[sizeof(spec) - 1] = '\0';
	assert_true(netns_open(spec, &netns, reason, sizeof(reason)) < 0);
	assert_int_equal(strlen(reason), sizeof(reason) - 1);
}

static void a_fifo_without_a_writer_does_not_block(void **state)
{
	char path[64];
	char reason[256];
	struct netns netns;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_netns.%d", getpid());
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(netns_open(path, &netns, reason, sizeof(reason)), -EINVAL);
	unlink(path);
}

struct visits {
	uint32_t inodes[64];
	size_t count;
	size_t own;
};

static bool count_visit(struct netns *netns, void *data)
{
	struct visits *visits = data;

	for (size_t i = 0; i < visits->count; i++)
		assert_int_not_equal(visits->inodes[i], netns->inode);
	if (visits->count < ARRAY_SIZE(visits->inodes))
		visits->inodes[visits->count++] = netns->inode;
	visits->own += netns->inode == own_inode();
	return true;
}

static bool stop_visiting(struct netns *netns, void *data)
{
	(void)netns;
	++*(int *)data;
	return false;
}

static void each_namespace_is_visited_once(void **state)
{
	struct visits visits = { 0 };
	int count = 0;

	(void)state;
	assert_int_equal(netns_visit_all(count_visit, &visits), 0);
	assert_int_equal(visits.own, 1);
	assert_int_equal(netns_visit_all(stop_visiting, &count), 0);
	assert_int_equal(count, 1);
}

static bool check_holder(struct netns *netns, void *data)
{
	if (netns->inode != own_inode())
		return true;
	*(bool *)data = netns->holder && netns_is_held(netns);
	return false;
}

static void a_visited_namespace_without_a_name_has_a_process(void **state)
{
	char name[256];
	bool held = false;

	(void)state;
	if (netns_find_name(own_inode(), name))
		skip();
	assert_int_equal(netns_visit_all(check_holder, &held), 0);
	assert_true(held);
}

static void a_process_holds_the_namespace_it_is_in(void **state)
{
	struct netns netns = { .inode = own_inode(), .fd = -1 };

	(void)state;
	assert_false(netns_is_held(&netns));
	netns.holder = getpid();
	assert_true(netns_is_held(&netns));
	netns.inode++;
	assert_false(netns_is_held(&netns));
}

static void the_title_is_the_name_or_the_holder(void **state)
{
	struct netns netns = { .fd = -1, .name = "blue" };
	char title[256], want[64];

	(void)state;
	netns_print_title(&netns, title, sizeof(title));
	assert_string_equal(title, "blue");
	netns.name[0] = '\0';
	netns_print_title(&netns, title, sizeof(title));
	assert_string_equal(title, "");
	netns.holder = getpid();
	assert_int_equal(prctl(PR_SET_NAME, "a (b) c"), 0);
	snprintf(want, sizeof(want), "pid %d (a (b) c)", getpid());
	netns_print_title(&netns, title, sizeof(title));
	assert_string_equal(title, want);
}

static void no_name_is_found_for_no_namespace(void **state)
{
	char name[256] = "left over";

	(void)state;
	assert_false(netns_find_name(0, name));
	assert_string_equal(name, "");
}

/* One namespace under two names, in a /run/netns that only this process sees. */
static bool name_own_namespace_twice(void)
{
	static const char *const names[] = { "/run/netns/first", "/run/netns/second" };

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) || mkdir("/run/netns", 0755))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int fd = open(names[i], O_RDONLY | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0)
			return false;
		close(fd);
		if (mount("/proc/self/ns/net", names[i], NULL, MS_BIND, NULL))
			return false;
	}
	return true;
}

static bool keep_name(struct netns *netns, void *data)
{
	if (netns->inode == own_inode())
		memcpy(data, netns->name, sizeof(netns->name));
	return true;
}

/* Last, for it changes what this process sees. */
static void a_namespace_with_two_names_is_visited_once(void **state)
{
	struct visits visits = { 0 };
	struct netns netns;
	char reason[256];
	char name[256] = "";

	(void)state;
	if (!name_own_namespace_twice())
		skip();
	assert_int_equal(netns_visit_all(count_visit, &visits), 0);
	assert_int_equal(visits.own, 1);
	assert_int_equal(netns_visit_all(keep_name, name), 0);
	assert_true(!strcmp(name, "first") || !strcmp(name, "second"));
	assert_true(netns_find_name(own_inode(), name));
	assert_int_equal(netns_open("second", &netns, reason, sizeof(reason)), 0);
	assert_string_equal(netns.name, "second");
	assert_is_own(&netns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_current_namespace_opens_in_every_way),
		cmocka_unit_test(what_is_no_namespace_is_named_in_the_reason),
		cmocka_unit_test(a_name_too_long_is_refused),
		cmocka_unit_test(a_fifo_without_a_writer_does_not_block),
		cmocka_unit_test(each_namespace_is_visited_once),
		cmocka_unit_test(a_visited_namespace_without_a_name_has_a_process),
		cmocka_unit_test(a_process_holds_the_namespace_it_is_in),
		cmocka_unit_test(the_title_is_the_name_or_the_holder),
		cmocka_unit_test(no_name_is_found_for_no_namespace),
		cmocka_unit_test(a_namespace_with_two_names_is_visited_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
