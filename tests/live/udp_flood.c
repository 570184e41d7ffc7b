// SPDX-License-Identifier: GPL-2.0-only
// Sends COUNT datagrams from one unconnected UDP socket: one route lookup each.
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int send_all(int sock, const struct sockaddr_in *to, unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		if (sendto(sock, "x", 1, 0, (const struct sockaddr *)to, sizeof(*to)) == 1)
			continue;
		fprintf(stderr, "udp_flood: send %lu: %s\n", i, strerror(errno));
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int sock;

	if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: udp_flood DEST PORT COUNT\n");
		return 2;
	}
	to.sin_port = htons((unsigned short)strtoul(argv[2], NULL, 10));
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0) {
		fprintf(stderr, "udp_flood: %s\n", strerror(errno));
		return 1;
	}
	return send_all(sock, &to, strtoul(argv[3], NULL, 10));
}
