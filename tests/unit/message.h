/* SPDX-License-Identifier: GPL-2.0-only */
/* Netlink messages built by hand, and cut at every length, for the tests of their decoders. */
#ifndef FIBTRACE_TESTS_UNIT_MESSAGE_H
#define FIBTRACE_TESTS_UNIT_MESSAGE_H

#include <libmnl/libmnl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_SIZE 4096

/* One attribute of a test's row; length 0 ends the list. */
struct message_attribute {
	uint16_t type;
	uint16_t length;
	const void *payload;
};

/* Rows of attributes: a 32-bit number, or the bytes of a string without its end. */
#define U32(type, value)                                                                           \
	{                                                                                          \
		type, 4, &(const uint32_t)                                                         \
		{                                                                                  \
			value                                                                      \
		}                                                                                  \
	}
#define BYTES(type, string)                                                                        \
	{                                                                                          \
		type, sizeof(string) - 1, string                                                   \
	}

/* A message of type with the fixed header and attributes up to the first of type 0. */
static inline struct nlmsghdr *message_new(uint16_t type, const void *header, size_t size,
					   const struct message_attribute *attributes)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(calloc(1, MESSAGE_SIZE));

	message->nlmsg_type = type;
	memcpy(mnl_nlmsg_put_extra_header(message, size), header, size);
	for (; attributes && attributes->type; attributes++)
		mnl_attr_put(message, attributes->type, attributes->length, attributes->payload);
	return message;
}

/* A copy of the first length bytes alone, for the sanitizer to guard its end. */
static inline struct nlmsghdr *message_cut(const struct nlmsghdr *message, size_t length)
{
	struct nlmsghdr *cut = malloc(length);

	memcpy(cut, message, length);
	cut->nlmsg_len = length;
	return cut;
}

#endif
