// SPDX-License-Identifier: GPL-2.0-only
/* The tables of names: those built into iproute2, and those that its files add. */
#include "rules/names.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/cleanup.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The longest line of a file, as in iproute2, and the most table names that are kept. */
#define LINE_MAX_LENGTH 512
#define TABLE_NAMES_MAX 65536
#define CONF_SUFFIX ".conf"

struct table_name {
	uint32_t id;
	char *name;
};

struct names {
	struct table_name *tables; /* by id */
	size_t table_count;
	size_t table_capacity;
	char *protocols[256];
	char *realms[256];
	char *dsfields[256];
};

struct number_name {
	uint32_t number;
	const char *name;
};

static const struct number_name builtin_tables[] = {
	{ RT_TABLE_UNSPEC, "unspec" },
	{ RT_TABLE_DEFAULT, "default" },
	{ RT_TABLE_MAIN, "main" },
	{ RT_TABLE_LOCAL, "local" },
};

static const char *const builtin_protocols[256] = {
	[0] = "unspec",	   [1] = "redirect", [2] = "kernel",  [3] = "boot",   [4] = "static",
	[8] = "gated",	   [9] = "ra",	     [10] = "mrt",    [11] = "zebra", [12] = "bird",
	[13] = "dnrouted", [14] = "xorp",    [15] = "ntk",    [16] = "dhcp",  [18] = "keepalived",
	[42] = "babel",	   [84] = "ovn",     [99] = "openr",  [186] = "bgp",  [187] = "isis",
	[188] = "ospf",	   [189] = "rip",    [192] = "eigrp",
};

/* The name of /etc/protocols, and a second one that people write. */
static const struct ip_protocol {
	uint8_t number;
	const char *name;
	const char *alias;
} ip_protocols[] = {
	{ IPPROTO_IP, "ip", NULL },
	{ IPPROTO_ICMP, "icmp", NULL },
	{ IPPROTO_IGMP, "igmp", NULL },
	{ IPPROTO_IPIP, "ipencap", "ip-encap" },
	{ IPPROTO_TCP, "tcp", NULL },
	{ IPPROTO_EGP, "egp", NULL },
	{ IPPROTO_UDP, "udp", NULL },
	{ IPPROTO_DCCP, "dccp", NULL },
	{ IPPROTO_IPV6, "ipv6", NULL },
	{ IPPROTO_RSVP, "rsvp", NULL },
	{ IPPROTO_GRE, "gre", NULL },
	{ IPPROTO_ESP, "esp", "ipsec-esp" },
	{ IPPROTO_AH, "ah", "ipsec-ah" },
	{ IPPROTO_ICMPV6, "ipv6-icmp", "icmpv6" },
	{ 88, "eigrp", NULL },
	{ 89, "ospf", "ospfigp" },
	{ 94, "ipip", NULL },
	{ 97, "etherip", NULL },
	{ IPPROTO_PIM, "pim", NULL },
	{ IPPROTO_COMP, "ipcomp", NULL },
	{ 112, "vrrp", NULL },
	{ 115, "l2tp", NULL },
	{ 124, "isis", NULL },
	{ IPPROTO_SCTP, "sctp", NULL },
	{ IPPROTO_UDPLITE, "udplite", NULL },
	{ IPPROTO_MPLS, "mpls-in-ip", NULL },
};

static const char *const route_types[] = {
	[RTN_UNSPEC] = "none",
	[RTN_UNICAST] = "unicast",
	[RTN_LOCAL] = "local",
	[RTN_BROADCAST] = "broadcast",
	[RTN_ANYCAST] = "anycast",
	[RTN_MULTICAST] = "multicast",
	[RTN_BLACKHOLE] = "blackhole",
	[RTN_UNREACHABLE] = "unreachable",
	[RTN_PROHIBIT] = "prohibit",
	[RTN_THROW] = "throw",
	[RTN_NAT] = "nat",
	[RTN_XRESOLVE] = "xresolve",
};

static const struct number_name errors[] = {
	{ ENETUNREACH, "ENETUNREACH" },
	{ EHOSTUNREACH, "EHOSTUNREACH" },
	{ EACCES, "EACCES" },
	{ EINVAL, "EINVAL" },
	{ ESRCH, "ESRCH" },
	{ EAGAIN, "EAGAIN" },
	{ ENOENT, "ENOENT" },
	{ ENODEV, "ENODEV" },
	{ EXDEV, "EXDEV" },
	{ ENONET, "ENONET" },
	{ EPERM, "EPERM" },
	{ ENETDOWN, "ENETDOWN" },
	{ EHOSTDOWN, "EHOSTDOWN" },
	{ EADDRNOTAVAIL, "EADDRNOTAVAIL" },
	{ EAFNOSUPPORT, "EAFNOSUPPORT" },
	{ EOPNOTSUPP, "EOPNOTSUPP" },
	{ ENOBUFS, "ENOBUFS" },
	{ ENOMEM, "ENOMEM" },
	{ EMSGSIZE, "EMSGSIZE" },
	{ ELOOP, "ELOOP" },
};

/* The place of id in the tables, or where it would stand. */
static size_t find_table(const struct names *names, uint32_t id)
{
	size_t low = 0;
	size_t high = names->table_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names->tables[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int reserve_table(struct names *names)
{
	size_t capacity = names->table_capacity ? 2 * names->table_capacity : 16;
	struct table_name *grown;

	if (names->table_count >= TABLE_NAMES_MAX)
		return -E2BIG;
	if (names->table_count < names->table_capacity)
		return 0;
	grown = reallocarray(names->tables, capacity, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	names->tables = grown;
	names->table_capacity = capacity;
	return 0;
}

static int set_name(char **slot, const char *name)
{
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	free(*slot);
	*slot = copy;
	return 0;
}

static int add_table(struct names *names, uint32_t id, const char *name)
{
	size_t at = find_table(names, id);
	struct table_name new = { .id = id };
	int error;

	if (at < names->table_count && names->tables[at].id == id)
		return set_name(&names->tables[at].name, name);
	error = reserve_table(names);
	if (!error)
		error = set_name(&new.name, name);
	if (error)
		return error;
	memmove(&names->tables[at + 1], &names->tables[at],
		(names->table_count - at) * sizeof(new));
	names->tables[at] = new;
	names->table_count++;
	return 0;
}

static int add_protocol(struct names *names, uint32_t id, const char *name)
{
	return set_name(&names->protocols[id], name);
}

static int add_realm(struct names *names, uint32_t id, const char *name)
{
	return set_name(&names->realms[id], name);
}

static int add_dsfield(struct names *names, uint32_t id, const char *name)
{
	return set_name(&names->dsfields[id], name);
}

/* A larger number than last is no name of this file: iproute2 leaves it out. */
static const struct name_file {
	const char *file;
	enum name_kind kind;
	uint32_t last;
	int (*add)(struct names *names, uint32_t id, const char *name);
} name_files[] = {
	{ "rt_tables", NAME_TABLE, UINT32_MAX, add_table },
	{ "rt_protos", NAME_PROTOCOL, 255, add_protocol },
	{ "rt_realms", NAME_REALM, 255, add_realm },
	{ "rt_dsfield", NAME_DSFIELD, 255, add_dsfield },
};

static int add_builtin(struct names *names)
{
	int error = 0;

	for (size_t i = 0; i < ARRAY_SIZE(builtin_tables) && !error; i++)
		error = add_table(names, builtin_tables[i].number, builtin_tables[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(builtin_protocols) && !error; i++) {
		if (builtin_protocols[i])
			error = add_protocol(names, i, builtin_protocols[i]);
	}
	return error ? error : add_realm(names, 0, "unknown");
}

struct names *names_new(void)
{
	struct names *names = calloc(1, sizeof(*names));
	int error;

	if (!names)
		return NULL;
	error = add_builtin(names);
	if (!error)
		return names;
	names_free(names);
	errno = -error;
	return NULL;
}

static void free_all(char **slots, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(slots[i]);
}

void names_free(struct names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->table_count; i++)
		free(names->tables[i].name);
	free(names->tables);
	free_all(names->protocols, ARRAY_SIZE(names->protocols));
	free_all(names->realms, ARRAY_SIZE(names->realms));
	free_all(names->dsfields, ARRAY_SIZE(names->dsfields));
	free(names);
}

/* A whole number of 32 bits in the given base of strtoul(); no sign, no space before it. */
static bool parse_number(const char *text, int base, uint32_t *value)
{
	unsigned long long number;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	number = strtoull(text, &end, base);
	if (errno || *end || number > UINT32_MAX)
		return false;
	*value = number;
	return true;
}

/* Names reach a terminal: a byte that is not plain text makes no name. */
static bool is_name(const char *text)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			return false;
	}
	return true;
}

/* "0x1f name" or "31 name"; what follows is not looked at. False for empty lines and comments. */
static bool parse_line(char *line, uint32_t *id, char **name)
{
	static const char blank[] = " \t\r\n\v\f";
	char *rest;
	char *word = strtok_r(line, blank, &rest);
	int base;

	if (!word || word[0] == '#')
		return false;
	base = !strncasecmp(word, "0x", 2) ? 16 : 10;
	if (!parse_number(word, base, id))
		return false;
	*name = strtok_r(NULL, blank, &rest);
	return *name && (*name)[0] != '#' && is_name(*name);
}

/* A line too long for the buffer comes in pieces: true for those that are not a line's begin. */
static bool is_continued(const char *piece, bool *inside)
{
	bool was_inside = *inside;

	*inside = !strchr(piece, '\n');
	return was_inside;
}

static int read_lines(struct names *names, const struct name_file *kind, FILE *file)
{
	char line[LINE_MAX_LENGTH];
	bool inside = false;
	char *name;
	uint32_t id;
	int error = 0;

	while (!error && fgets(line, sizeof(line), file)) {
		if (is_continued(line, &inside))
			continue;
		if (parse_line(line, &id, &name) && id <= kind->last)
			error = kind->add(names, id, name);
	}
	if (ferror(file) && !error)
		error = -EIO;
	/* Further names than are kept are not worth failing for. */
	return error == -E2BIG ? 0 : error;
}

/* 0, -ENOENT when there is no such file, or another error. */
static int read_file(struct names *names, const struct name_file *kind, const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");

	if (!file)
		return errno == ENOTDIR ? -ENOENT : -errno;
	return read_lines(names, kind, file);
}

static int read_file_in(struct names *names, const struct name_file *kind, const char *dir,
			const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return read_file(names, kind, path);
}

static int is_conf(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	size_t suffix = strlen(CONF_SUFFIX);

	return entry->d_name[0] != '.' && length > suffix &&
	       !strcmp(entry->d_name + length - suffix, CONF_SUFFIX);
}

/* Every *.conf of dir in the order of their names. A directory of that name, or one file that
 * cannot be read, does not keep the others from being read. */
static int read_conf_dir(struct names *names, const struct name_file *kind, const char *dir)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, is_conf, alphasort);
	int error = 0;

	if (count < 0)
		return errno == ENOMEM ? -ENOMEM : 0;
	for (int i = 0; i < count; i++) {
		if (error != -ENOMEM)
			error = read_file_in(names, kind, dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return error == -ENOMEM ? error : 0;
}

static int read_conf(struct names *names, const struct name_file *kind, const char *parent)
{
	_cleanup_free_ char *dir = NULL;

	if (asprintf(&dir, "%s/%s.d", parent, kind->file) < 0) {
		dir = NULL;
		return -ENOMEM;
	}
	return read_conf_dir(names, kind, dir);
}

/* The file of etc_dir stands in place of usr_dir's; the .d directories add to either. */
static int read_kind(struct names *names, const struct name_file *kind, const char *usr_dir,
		     const char *etc_dir)
{
	int error = read_file_in(names, kind, etc_dir, kind->file);

	if (error == -ENOENT)
		error = read_file_in(names, kind, usr_dir, kind->file);
	if (error && error != -ENOENT)
		return error;
	error = read_conf(names, kind, usr_dir);
	if (error)
		return error;
	return read_conf(names, kind, etc_dir);
}

int names_read(struct names *names, const char *usr_dir, const char *etc_dir)
{
	int error = 0;

	for (size_t i = 0; i < ARRAY_SIZE(name_files) && !error; i++)
		error = read_kind(names, &name_files[i], usr_dir, etc_dir);
	return error;
}

int names_set(struct names *names, enum name_kind kind, uint32_t number, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(name_files); i++) {
		int error;

		if (name_files[i].kind != kind || number > name_files[i].last)
			continue;
		if (!name[0] || !is_name(name))
			return -EINVAL;
		error = name_files[i].add(names, number, name);
		return error == -E2BIG ? 0 : error;
	}
	return -EINVAL;
}

void names_visit(const struct names *names,
		 void (*visit)(void *data, enum name_kind kind, uint32_t number, const char *name),
		 void *data)
{
	const struct {
		enum name_kind kind;
		char *const *slots;
	} kinds[] = {
		{ NAME_PROTOCOL, names->protocols },
		{ NAME_REALM, names->realms },
		{ NAME_DSFIELD, names->dsfields },
	};

	for (size_t i = 0; i < names->table_count; i++)
		visit(data, NAME_TABLE, names->tables[i].id, names->tables[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (uint32_t number = 0; number < 256; number++) {
			if (kinds[i].slots[number])
				visit(data, kinds[i].kind, number, kinds[i].slots[number]);
		}
	}
}

const char *names_table(const struct names *names, uint32_t id)
{
	size_t at;

	if (!names)
		return NULL;
	at = find_table(names, id);
	if (at >= names->table_count || names->tables[at].id != id)
		return NULL;
	return names->tables[at].name;
}

bool names_parse_table(const struct names *names, const char *text, uint32_t *id)
{
	/* A name comes first: nothing forbids one made of digits. */
	for (size_t i = 0; names && i < names->table_count; i++) {
		if (strcmp(names->tables[i].name, text))
			continue;
		*id = names->tables[i].id;
		return true;
	}
	return parse_number(text, 0, id);
}

const char *names_route_protocol(const struct names *names, uint8_t protocol)
{
	return names ? names->protocols[protocol] : NULL;
}

const char *names_realm(const struct names *names, uint16_t realm)
{
	if (!names || realm >= ARRAY_SIZE(names->realms))
		return NULL;
	return names->realms[realm];
}

const char *names_dsfield(const struct names *names, uint8_t tos)
{
	return names ? names->dsfields[tos] : NULL;
}

const char *protocol_name(uint8_t protocol)
{
	for (size_t i = 0; i < ARRAY_SIZE(ip_protocols); i++) {
		if (ip_protocols[i].number == protocol)
			return ip_protocols[i].name;
	}
	return NULL;
}

static bool is_protocol_called(const struct ip_protocol *protocol, const char *text)
{
	return !strcasecmp(protocol->name, text) ||
	       (protocol->alias && !strcasecmp(protocol->alias, text));
}

bool protocol_parse(const char *text, uint8_t *protocol)
{
	uint32_t number;

	for (size_t i = 0; i < ARRAY_SIZE(ip_protocols); i++) {
		if (!is_protocol_called(&ip_protocols[i], text))
			continue;
		*protocol = ip_protocols[i].number;
		return true;
	}
	if (!parse_number(text, 10, &number) || number > UINT8_MAX)
		return false;
	*protocol = number;
	return true;
}

bool protocol_has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}

const char *route_type_name(uint8_t type)
{
	return type < ARRAY_SIZE(route_types) ? route_types[type] : NULL;
}

const char *errno_name(int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if ((int)errors[i].number == error)
			return errors[i].name;
	}
	return NULL;
}
