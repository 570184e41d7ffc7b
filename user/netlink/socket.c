// SPDX-License-Identifier: GPL-2.0-only
/* The two rtnetlink sockets of a monitor, and reading from them what the kernel sent. */
#include "netlink/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

#define NOTIFICATION_BUFFER (4 << 20)
#define DUMP_TIMEOUT_SECONDS 10
/* The kernel fills at most 32 KiB at a time. */
#define DUMP_BUFFER (64 << 10)

/* Kernels before 5.3 have no nexthop objects, some have no IPv6; the other groups are as old as
 * rtnetlink. */
static const struct group {
	int number;
	bool optional;
} groups[] = {
	{ RTNLGRP_IPV4_RULE, false },	{ RTNLGRP_LINK, false },
	{ RTNLGRP_IPV4_IFADDR, false }, { RTNLGRP_IPV4_ROUTE, false },
	{ RTNLGRP_NEXTHOP, true },	{ RTNLGRP_IPV4_NETCONF, true },
	{ RTNLGRP_IPV6_RULE, true },	{ RTNLGRP_IPV6_IFADDR, true },
	{ RTNLGRP_IPV6_ROUTE, true },	{ RTNLGRP_IPV6_NETCONF, true },
};

static int groups_join(const struct mnl_socket *socket)
{
	int fd = mnl_socket_get_fd(socket);

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		const struct group *group = &groups[i];

		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group->number,
			       sizeof(group->number)) &&
		    !group->optional)
			return -errno;
	}
	return 0;
}

/* Beyond net.core.rmem_max only CAP_NET_ADMIN goes; what cannot be had is no error. */
static void receive_buffer_enlarge(int fd)
{
	int size = NOTIFICATION_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static int notifications_open(struct sockets *sockets)
{
	sockets->notifications = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!sockets->notifications)
		return -errno;
	receive_buffer_enlarge(mnl_socket_get_fd(sockets->notifications));
	if (mnl_socket_bind(sockets->notifications, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	return groups_join(sockets->notifications);
}

static int dumps_open(struct sockets *sockets)
{
	struct timeval timeout = { .tv_sec = DUMP_TIMEOUT_SECONDS };
	int one = 1;
	int fd;

	sockets->dumps = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!sockets->dumps)
		return -errno;
	fd = mnl_socket_get_fd(sockets->dumps);
	/* Kernels before 4.20 do not know it, and then need it not: they ignore the header. */
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)))
		return -errno;
	return mnl_socket_bind(sockets->dumps, 0, MNL_SOCKET_AUTOPID) ? -errno : 0;
}

static int sockets_open_here(struct sockets *sockets)
{
	int err = notifications_open(sockets);

	if (!err)
		err = dumps_open(sockets);
	if (err)
		sockets_close(sockets);
	return err;
}

int sockets_open(int netns_fd, struct sockets *sockets)
{
	_cleanup_close_ int home = -1;
	int err;

	*sockets = (struct sockets){ 0 };
	if (netns_fd < 0)
		return sockets_open_here(sockets);
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return -errno;
	if (setns(netns_fd, CLONE_NEWNET))
		return -errno;
	err = sockets_open_here(sockets);
	/* A thread in the wrong namespace would trace the wrong one: nothing may go on then. */
	if (setns(home, CLONE_NEWNET)) {
		err = -errno;
		sockets_close(sockets);
	}
	return err;
}

void sockets_close(struct sockets *sockets)
{
	if (sockets->dumps)
		mnl_socket_close(sockets->dumps);
	if (sockets->notifications)
		mnl_socket_close(sockets->notifications);
	*sockets = (struct sockets){ 0 };
}

/* mnl_socket_recvfrom() does not tell who sent it; whoever is privileged may send to our port. */
ssize_t socket_receive(const struct mnl_socket *socket, void *buffer, size_t size)
{
	struct sockaddr_nl sender = { 0 };
	struct iovec part = { buffer, size };
	struct msghdr header = {
		.msg_name = &sender,
		.msg_namelen = sizeof(sender),
		.msg_iov = &part,
		.msg_iovlen = 1,
	};
	ssize_t length;

	do {
		length = recvmsg(mnl_socket_get_fd(socket), &header, 0);
	} while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	if (header.msg_namelen != sizeof(sender) || sender.nl_pid)
		return 0;
	return header.msg_flags & MSG_TRUNC ? -EMSGSIZE : length;
}

/* Without it each link comes with its statistics, which nobody reads. */
static void dump_skip_statistics(struct nlmsghdr *message)
{
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

static int dump_send(const struct mnl_socket *socket, const struct dump_request *request,
		     uint32_t sequence)
{
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	uint8_t *header;

	message->nlmsg_type = request->type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = sequence;
	header = mnl_nlmsg_put_extra_header(message, request->header_size);
	header[0] = request->family;
	if (request->type == RTM_GETLINK)
		dump_skip_statistics(message);
	return mnl_socket_sendto(socket, message, message->nlmsg_len) < 0 ? -errno : 0;
}

/* One dump being read. */
struct dump {
	const struct dump_request *request;
	const struct dump_taker *taker;
	uint32_t sequence;
	bool inconsistent;
	bool done;
	int error; /* of the first message that was not taken */
};

/* A dump that was not read to its end would make the kernel refuse the next one (EBUSY). */
static void dump_give(struct dump *dump, const struct nlmsghdr *message)
{
	if (!dump->error)
		dump->error = dump->taker->take(dump->taker->data, message);
}

/* The error that NLMSG_ERROR and, when a dump fails midway, NLMSG_DONE begin with. */
static int message_error(const struct nlmsghdr *message)
{
	int error;

	if (message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(error))
		return message->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG;
	memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
	return error;
}

static int dump_take(struct dump *dump, const struct nlmsghdr *message)
{
	/* What an earlier dump that was given up left behind. */
	if (message->nlmsg_seq != dump->sequence)
		return 0;
	dump->inconsistent |= message->nlmsg_flags & NLM_F_DUMP_INTR;
	if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
		dump->done = true;
		return message_error(message);
	}
	if (message->nlmsg_type == NLMSG_OVERRUN)
		return -EAGAIN;
	if (message->nlmsg_type != dump->request->answer)
		return 0;
	dump_give(dump, message);
	return 0;
}

static int dump_take_all(struct dump *dump, const void *buffer, size_t length)
{
	const struct nlmsghdr *message = buffer;
	int left = length;
	int err = 0;

	while (!err && !dump->done && mnl_nlmsg_ok(message, left)) {
		err = dump_take(dump, message);
		message = mnl_nlmsg_next(message, &left);
	}
	return err;
}

static uint32_t dump_next_sequence(void)
{
	struct timespec now;

	/* Differs from that of the dump before, on this socket, is all that is asked of it. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000u + now.tv_nsec / 1000;
}

static int dump_receive(const struct mnl_socket *socket, struct dump *dump, void *buffer)
{
	while (!dump->done) {
		ssize_t length = socket_receive(socket, buffer, DUMP_BUFFER);
		int err;

		if (length == -EAGAIN)
			return -ETIMEDOUT;
		if (length == -ENOBUFS)
			return -EAGAIN;
		if (length < 0)
			return length;
		err = dump_take_all(dump, buffer, length);
		if (err)
			return err;
	}
	if (dump->error)
		return dump->error;
	return dump->inconsistent ? -EAGAIN : 0;
}

int socket_dump(const struct mnl_socket *socket, const struct dump_request *request,
		const struct dump_taker *taker)
{
	_cleanup_free_ void *buffer = malloc(DUMP_BUFFER);
	struct dump dump = {
		.request = request,
		.taker = taker,
		.sequence = dump_next_sequence(),
	};
	int err;

	if (!buffer)
		return -ENOMEM;
	err = dump_send(socket, request, dump.sequence);
	if (err)
		return err;
	return dump_receive(socket, &dump, buffer);
}
