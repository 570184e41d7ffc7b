/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of tables, protocols, scopes and the like, as iproute2 reads and writes them. */
#ifndef FIBTRACE_RULES_NAMES_H
#define FIBTRACE_RULES_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct names;

/* The built-in names (local, main, default, unspec, kernel, …) and nothing else; NULL with errno. */
struct names *names_new(void);
void names_free(struct names *names); /* takes NULL */

/*
 * Reads rt_tables, rt_protos, rt_realms and rt_dsfield, and the *.conf of their .d directories,
 * from etc_dir (over usr_dir, where newer iproute2 keeps its own). Missing files
 * are no error; malformed lines are ignored as iproute2 does. 0 or -errno.
 */
int names_read(struct names *names, const char *usr_dir, const char *etc_dir);

/* Which table of names: the numbers are those of logs, too. */
enum name_kind { NAME_TABLE = 1, NAME_PROTOCOL, NAME_REALM, NAME_DSFIELD };

/* Calls visit() for each name. */
void names_visit(const struct names *names,
		 void (*visit)(void *data, enum name_kind kind, uint32_t number, const char *name),
		 void *data);
/* Adds a name, or replaces it; 0, -ENOMEM, or -EINVAL for a kind or a number that is none, and for
 * what is no name. */
int names_set(struct names *names, enum name_kind kind, uint32_t number, const char *name);

/* The lookups take NULL for names: nothing has a name then. Names live as long as their owner. */

/* The name of a table or NULL when it has none. */
const char *names_table(const struct names *names, uint32_t id);
/* True and *id set for a table's name or number (as strtoul() reads it), as `ip rule` takes it. */
bool names_parse_table(const struct names *names, const char *text, uint32_t *id);
const char *names_route_protocol(const struct names *names, uint8_t protocol);
const char *names_realm(const struct names *names, uint16_t realm);
/* The name of a whole tos byte, its DSCP << 2: "AF11" for 0x28. NULL without a name. */
const char *names_dsfield(const struct names *names, uint8_t tos);

/* IP protocol numbers, by /etc/protocols' common names: "icmp", "tcp", "udp". NULL: none. */
const char *protocol_name(uint8_t protocol);
bool protocol_parse(const char *text, uint8_t *protocol);
/* True for TCP, UDP, SCTP, DCCP and UDP-Lite. */
bool protocol_has_ports(uint8_t protocol);

/* RTN_…: "unicast", "local", "unreachable", …; a number's digits are the caller's business: NULL. */
const char *route_type_name(uint8_t type);
/* "ENETUNREACH" for ENETUNREACH (positive), NULL for one that a lookup never returns. */
const char *errno_name(int error);

#endif
