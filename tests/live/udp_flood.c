// SPDX-License-Identifier: GPL-2.0-only
// Sends COUNT datagrams from one unconnected UDP socket: one route lookup each; as fast as it can,
// or PER_SECOND, in steps of a millisecond.
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define STEP_NS 1000000

/* Until the millisecond of the next step begins. */
static void await_step(struct timespec *step)
{
	step->tv_nsec += STEP_NS;
	if (step->tv_nsec >= 1000000000) {
		step->tv_nsec -= 1000000000;
		step->tv_sec++;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, step, NULL) == EINTR)
		continue;
}

/* per_step: how many in each, 0: all at once. */
static int send_all(int sock, const struct sockaddr_in *to, unsigned long count,
		    unsigned long per_step)
{
	struct timespec step;
	unsigned long i;

	clock_gettime(CLOCK_MONOTONIC, &step);
	for (i = 0; i < count; i++) {
		if (per_step && i && i % per_step == 0)
			await_step(&step);
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

	if (argc < 4 || argc > 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: udp_flood DEST PORT COUNT [PER_SECOND]\n");
		return 2;
	}
	to.sin_port = htons((unsigned short)strtoul(argv[2], NULL, 10));
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0) {
		fprintf(stderr, "udp_flood: %s\n", strerror(errno));
		return 1;
	}
	return send_all(sock, &to, strtoul(argv[3], NULL, 10),
			argc == 5 ? strtoul(argv[4], NULL, 10) / 1000 : 0);
}
