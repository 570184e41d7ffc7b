// SPDX-License-Identifier: GPL-2.0-only
/* Reading the attributes of a netlink message by a table, each with its length checked. */
#include "netlink/attribute.h"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

static bool attribute_read(const struct attribute_table *table, const struct nlattr *attribute,
			   void *object)
{
	uint16_t type = mnl_attr_get_type(attribute);
	size_t length = mnl_attr_get_payload_len(attribute);
	const void *payload = mnl_attr_get_payload(attribute);
	const struct attribute_reader *reader;

	if (type >= table->count || !table->readers[type].longest)
		return !table->unknown || table->unknown(object, attribute);
	reader = &table->readers[type];
	if (length < reader->shortest || length > reader->longest)
		return false;
	if (reader->read)
		return reader->read(object, payload, length);
	memcpy((char *)object + reader->offset, payload, length);
	return true;
}

/* libmnl's own loop over a message rounds its end up to the alignment; this one keeps the exact
 * length, so that a cut message is never read past its end. */
bool attributes_read(const struct attribute_table *table, const void *payload, size_t length,
		     void *object)
{
	const char *at = payload;
	const char *end = at + length;
	bool well_formed = true;

	while (at < end) {
		const struct nlattr *attribute = (const struct nlattr *)at;
		size_t left = end - at;
		size_t step;

		if (left < sizeof(*attribute) || attribute->nla_len < sizeof(*attribute) ||
		    attribute->nla_len > left)
			return false;
		well_formed &= attribute_read(table, attribute, object);
		step = MNL_ALIGN(attribute->nla_len);
		at += step < left ? step : left;
	}
	return well_formed;
}

const void *message_header(const struct nlmsghdr *message, size_t size)
{
	if (message->nlmsg_len < MNL_NLMSG_HDRLEN + size)
		return NULL;
	return mnl_nlmsg_get_payload(message);
}

uint8_t message_family(const struct nlmsghdr *message)
{
	const uint8_t *family = message_header(message, sizeof(*family));

	return family ? *family : AF_UNSPEC;
}

bool message_read_attributes(const struct nlmsghdr *message, size_t header_size,
			     const struct attribute_table *table, void *object)
{
	size_t offset = MNL_NLMSG_HDRLEN + MNL_ALIGN(header_size);

	if (message->nlmsg_len <= offset)
		return true;
	return attributes_read(table, (const char *)message + offset, message->nlmsg_len - offset,
			       object);
}

size_t family_address_length(uint8_t family)
{
	if (family == AF_INET)
		return 4;
	return family == AF_INET6 ? 16 : 0;
}

bool attribute_ignore(void *object, const void *payload, size_t length)
{
	(void)object;
	(void)payload;
	(void)length;
	return true;
}
