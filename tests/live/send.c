// SPDX-License-Identifier: GPL-2.0-only
// Sends as a test asks: send [OPTIONS] tcp|udp|udp-connected ADDRESS PORT.
//
// Writes "PID RESULT" to --result, RESULT being "ok" or the name of the errno, and ends with 0.
// It is no script: an interpreter takes most of a second to start where processors are
// emulated.
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TIMEOUT_S 5

/* An address of IPv4 or IPv6. */
union address {
	struct sockaddr any;
	struct sockaddr_in inet;
	struct sockaddr_in6 inet6;
};

struct options {
	const char *kind;
	const char *result;
	union address target;
	union address source; /* a family of 0: not bound */
	unsigned long mark; /* 0: not set */
	unsigned long count;
};

/* Numbers are whole and at most max. */
static bool parse_number(const char *text, unsigned long max, unsigned long *number)
{
	char *end;

	errno = 0;
	*number = strtoul(text, &end, 0);
	return !errno && end != text && !*end && !strchr(text, '-') && *number <= max;
}

static bool parse_address(const char *text, union address *address)
{
	if (inet_pton(AF_INET, text, &address->inet.sin_addr) == 1) {
		address->any.sa_family = AF_INET;
		return true;
	}
	address->any.sa_family = AF_INET6;
	return inet_pton(AF_INET6, text, &address->inet6.sin6_addr) == 1;
}

static socklen_t address_size(const union address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->inet) : sizeof(address->inet6);
}

static void set_port(union address *address, uint16_t port)
{
	if (address->any.sa_family == AF_INET)
		address->inet.sin_port = htons(port);
	else
		address->inet6.sin6_port = htons(port);
}

static bool parse_option(int letter, struct options *options)
{
	switch (letter) {
	case 'm':
		return parse_number(optarg, UINT32_MAX, &options->mark);
	case 's':
		return parse_address(optarg, &options->source);
	case 'c':
		return parse_number(optarg, ULONG_MAX, &options->count);
	case 'r':
		options->result = optarg;
		return true;
	default:
		return false;
	}
}

static bool parse_target(char **words, struct options *options)
{
	unsigned long port;

	options->kind = words[0];
	if (strcmp(options->kind, "tcp") && strcmp(options->kind, "udp") &&
	    strcmp(options->kind, "udp-connected"))
		return false;
	if (!parse_address(words[1], &options->target) ||
	    !parse_number(words[2], UINT16_MAX, &port))
		return false;
	set_port(&options->target, (uint16_t)port);
	return true;
}

static bool parse_words(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{ "mark", required_argument, NULL, 'm' },
		{ "source", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'c' },
		{ "result", required_argument, NULL, 'r' },
		{ 0 },
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!parse_option(letter, options))
			return false;
	}
	return argc - optind == 3 && parse_target(argv + optind, options);
}

static int open_socket(const struct options *options)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	const unsigned int mark = (unsigned int)options->mark;
	int type = strcmp(options->kind, "tcp") ? SOCK_DGRAM : SOCK_STREAM;
	int sock = socket(options->target.any.sa_family, type | SOCK_CLOEXEC, 0);

	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)))
		return -1;
	if (mark && setsockopt(sock, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)))
		return -1;
	if (options->source.any.sa_family &&
	    bind(sock, &options->source.any, address_size(&options->source)))
		return -1;
	return sock;
}

static bool send_once(int sock, const struct options *options)
{
	const struct sockaddr *target = &options->target.any;
	socklen_t size = address_size(&options->target);

	if (!strcmp(options->kind, "udp"))
		return sendto(sock, "x", 1, 0, target, size) == 1;
	if (connect(sock, target, size))
		return false;
	return !strcmp(options->kind, "tcp") || send(sock, "x", 1, 0) == 1;
}

/* The name of the errno with which it ended, else "ok". */
static const char *send_all(const struct options *options)
{
	int sock = open_socket(options);
	unsigned long i;

	if (sock < 0)
		return strerrorname_np(errno);
	for (i = 0; i < options->count; i++) {
		if (send_once(sock, options))
			continue;
		/* So the kernel says that the time was over. */
		if (errno == EINPROGRESS || errno == EAGAIN)
			return "timed out";
		return strerrorname_np(errno);
	}
	return "ok";
}

static int write_result(const char *path, const char *result)
{
	FILE *file = fopen(path, "w");

	if (!file || fprintf(file, "%d %s\n", getpid(), result) < 0 || fclose(file)) {
		fprintf(stderr, "send: %s: %s\n", path, strerror(errno));
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = { .count = 1 };
	const char *result;

	if (!parse_words(argc, argv, &options)) {
		fprintf(stderr, "usage: send [--mark MARK] [--source ADDRESS] [--count N] "
				"[--result FILE] tcp|udp|udp-connected ADDRESS PORT\n");
		return 2;
	}
	result = send_all(&options);
	return options.result ? write_result(options.result, result) : 0;
}
