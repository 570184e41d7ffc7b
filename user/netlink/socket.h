/* SPDX-License-Identifier: GPL-2.0-only */
/* The two rtnetlink sockets of a monitor, and reading from them what the kernel sent. */
#ifndef FIBTRACE_NETLINK_SOCKET_H
#define FIBTRACE_NETLINK_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mnl_socket;
struct nlmsghdr;

/* dumps blocks, with a timeout; notifications does not, and is subscribed to its groups. */
struct sockets {
	struct mnl_socket *dumps;
	struct mnl_socket *notifications;
};

/* Opens both in the namespace netns_fd (-1: the current one), where they stay. The calling thread
 * is back in its own namespace afterwards. 0 or -errno. */
int sockets_open(int netns_fd, struct sockets *sockets);
void sockets_close(struct sockets *sockets);

/* One datagram: its length, 0 for one that is not the kernel's, -EMSGSIZE when it was larger than
 * the buffer, -EAGAIN, -ENOBUFS or another -errno. */
ssize_t socket_receive(const struct mnl_socket *socket, void *buffer, size_t size);

/* A dump: the request's type (RTM_GET…), that of its answers (RTM_NEW…), the address family
 * and the size of the fixed header, which all begin with the family. */
struct dump_request {
	uint16_t type;
	uint16_t answer;
	uint8_t family;
	uint8_t header_size;
};

/* Who takes the messages of a dump; take() returns 0 or -errno, which ends it. */
struct dump_taker {
	int (*take)(void *data, const struct nlmsghdr *message);
	void *data;
};

/* Asks for a dump and reads it to its end. 0, -EAGAIN when it changed under the kernel's hands
 * and is to be read again, or another -errno. */
int socket_dump(const struct mnl_socket *socket, const struct dump_request *request,
		const struct dump_taker *taker);

#endif
