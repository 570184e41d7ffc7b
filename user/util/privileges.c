// SPDX-License-Identifier: GPL-2.0-only
/* Giving up what a trace no longer needs once it is attached. */
#include "util/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "util/array.h"

/* What reading events, counts, notifications and names takes, and ending. */
static const int allowed_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(ftruncate), /* a log that a full disk cut within a record */
	SCMP_SYS(fdatasync),
	SCMP_SYS(fsync),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(stat),
	SCMP_SYS(lseek),
	SCMP_SYS(mmap),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(bpf),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(wait4),
	SCMP_SYS(waitid),
	SCMP_SYS(kill),
	SCMP_SYS(tgkill),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(openat),
	SCMP_SYS(getdents64),
	SCMP_SYS(readlinkat),
	SCMP_SYS(readlink),
	SCMP_SYS(statx),
	SCMP_SYS(fcntl),
	SCMP_SYS(ioctl),
	SCMP_SYS(getrandom),
	SCMP_SYS(membarrier),
	SCMP_SYS(uname),
	SCMP_SYS(ppoll),
	SCMP_SYS(poll),
	SCMP_SYS(sysinfo),
	SCMP_SYS(sched_yield),
	SCMP_SYS(fstatfs),
	SCMP_SYS(statfs),
	SCMP_SYS(dup),
	SCMP_SYS(getsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(setsockopt),
	/* The child that waits for the hooks to be detached. */
	SCMP_SYS(clone),
	SCMP_SYS(pipe2),
	SCMP_SYS(setsid),
	SCMP_SYS(set_robust_list),
	/* The thread that syncs a log. */
	SCMP_SYS(rseq),
};

static const int namespace_calls[] = {
	SCMP_SYS(setns),
	SCMP_SYS(socket),
	SCMP_SYS(bind),
};

static int calls_allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);

		if (err)
			return err;
	}
	return 0;
}

static int seccomp_enter(bool open_namespaces)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err;

	if (!filter)
		return -ENOMEM;
	err = calls_allow(filter, allowed_calls, ARRAY_SIZE(allowed_calls));
	/* Its flags cannot be looked at, and the C library takes clone() where it does not exist. */
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!err && open_namespaces)
		err = calls_allow(filter, namespace_calls, ARRAY_SIZE(namespace_calls));
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}

/* What stays, where the process has it: the first for reading maps, the others
 * for namespaces that appear while tracing. */
static const struct kept_capability {
	unsigned int number;
	const char *name;
	bool for_namespaces;
} kept_capabilities[] = {
	{ CAP_BPF, "CAP_BPF", false },
	{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN", true },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", true },
};

static void kept_describe(const struct kept_capability *kept, char *out, size_t size)
{
	size_t length = strlen(out);

	snprintf(out + length, size - length, "%s%s", length ? " " : "", kept->name);
}

static int capabilities_drop(bool open_namespaces, char *kept, size_t size)
{
	bool had[ARRAY_SIZE(kept_capabilities)];

	if (capng_get_caps_process())
		return -EPERM;
	for (size_t i = 0; i < ARRAY_SIZE(kept_capabilities); i++)
		had[i] = capng_have_capability(CAPNG_PERMITTED, kept_capabilities[i].number);
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < ARRAY_SIZE(kept_capabilities); i++) {
		const struct kept_capability *capability = &kept_capabilities[i];

		if (!had[i] || (capability->for_namespaces && !open_namespaces))
			continue;
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, capability->number);
		kept_describe(capability, kept, size);
	}
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

int privileges_drop(bool open_namespaces, char *kept, size_t size)
{
	int err;

	kept[0] = '\0';
	err = capabilities_drop(open_namespaces, kept, size);
	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return seccomp_enter(open_namespaces);
}
