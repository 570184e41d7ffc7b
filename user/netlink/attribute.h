/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the attributes of a netlink message by a table, each with its length checked. */
#ifndef FIBTRACE_NETLINK_ATTRIBUTE_H
#define FIBTRACE_NETLINK_ATTRIBUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlattr;
struct nlmsghdr;

/* One row, by attribute type. A payload of shortest to longest bytes goes to read(), or is copied
 * to offset in the object when read is NULL. longest 0: the type is not known. */
struct attribute_reader {
	uint16_t shortest;
	uint16_t longest;
	uint16_t offset;
	bool (*read)(void *object, const void *payload, size_t length);
};

/* A member of the same size and byte order as the attribute. */
#define ATTRIBUTE_FIELD(type, member)                                                              \
	{                                                                                          \
		.shortest = sizeof(((type *)NULL)->member),                                        \
		.longest = sizeof(((type *)NULL)->member), .offset = offsetof(type, member),       \
	}

/* unknown() is given the attributes that have no row; NULL: they are passed over. */
struct attribute_table {
	size_t count;
	const struct attribute_reader *readers;
	bool (*unknown)(void *object, const struct nlattr *attribute);
};

/* Reads all attributes into object. False when one was malformed, refused by its reader or
 * cut off; the others are read nevertheless. */
bool attributes_read(const struct attribute_table *table, const void *payload, size_t length,
		     void *object);

/* The fixed header behind the netlink header; NULL when the message is shorter. */
const void *message_header(const struct nlmsghdr *message, size_t size);

/* The address family, which every fixed header begins with; AF_UNSPEC when there is none. */
uint8_t message_family(const struct nlmsghdr *message);

/* attributes_read() of what follows a fixed header of header_size bytes. */
bool message_read_attributes(const struct nlmsghdr *message, size_t header_size,
			     const struct attribute_table *table, void *object);

/* Bytes of an address: 4 or 16, 0 for other families. */
size_t family_address_length(uint8_t family);

/* A reader for attributes that are known and mean nothing to us. */
bool attribute_ignore(void *object, const void *payload, size_t length);

#endif
