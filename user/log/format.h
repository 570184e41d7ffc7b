/* SPDX-License-Identifier: GPL-2.0-only */
/* The binary log: what docs/log-format.md describes. */
#ifndef FIBTRACE_LOG_FORMAT_H
#define FIBTRACE_LOG_FORMAT_H

#define LOG_MAGIC "fibtrace"
#define LOG_MAGIC_LENGTH 8
/* Readers refuse a higher one: what they know has another meaning there. New types of records, and
 * more behind the end of those there are, need none. */
#define LOG_VERSION 1
#define LOG_LITTLE_ENDIAN 'l'
/* The magic, the version in two bytes, the byte order, and a byte that is zero. */
#define LOG_HEADER_LENGTH (LOG_MAGIC_LENGTH + 4)

/* A record: its type in one byte, the length of what it says as a varint, that, and a CRC-32 of all
 * of it in four bytes. */
#define LOG_RECORD_MAX (64u << 20)
#define LOG_CRC_LENGTH 4

enum log_type {
	LOG_START = 1, /* what is traced, and by whom */
	LOG_NAME, /* the name of a table, a protocol, a realm or a tos */
	LOG_OWNERS, /* a file of /etc/fibtrace/owners.d */
	LOG_SPACE, /* a network namespace, with the number that others call it by */
	LOG_CHANGE, /* of a namespace's policy; the first ones make it */
	LOG_RULES, /* rules that lookups walked although they are not those in force */
	LOG_LOOKUP,
	LOG_LOST,
	LOG_NOTE, /* a change of the rules in words, as the trace told it */
	LOG_WARNING,
	LOG_CLOCK, /* from here on local time differs from UTC by that much */
	LOG_END, /* the trace has ended; its counts */
	LOG_CONTINUED, /* in another file */
	LOG_CONTINUES, /* what another file began */
};

/* In LOG_SPACE. */
#define LOG_SPACE_HAS_POLICY 1u
#define LOG_SPACE_ANEW 2u /* what was told of its policy so far is void */
#define LOG_SPACE_L3_MASTER 4u /* policy_set_l3_master_match() */
#define LOG_SPACE_DSCP_ZERO 8u /* policy_set_dscp_zero_is_any() */

#endif
