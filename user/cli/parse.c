// SPDX-License-Identifier: GPL-2.0-only
/* Values of the command line: whole string consumed, range checked, signs refused. */
#include "cli/parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "rules/names.h"
#include "rules/purpose.h"

/* Longer values are none that any option takes. */
#define VALUE_LENGTH_MAX 255

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{ .suffix = "", .factor = 1000000000ull },
	{ .suffix = "ms", .factor = 1000000ull },
	{ .suffix = "s", .factor = 1000000000ull },
	{ .suffix = "m", .factor = 60 * 1000000000ull },
	{ .suffix = "h", .factor = 3600 * 1000000000ull },
	{ .suffix = NULL },
};

static const struct unit size_units[] = {
	{ .suffix = "", .factor = 1 },		 { .suffix = "k", .factor = 1ull << 10 },
	{ .suffix = "K", .factor = 1ull << 10 }, { .suffix = "m", .factor = 1ull << 20 },
	{ .suffix = "M", .factor = 1ull << 20 }, { .suffix = "g", .factor = 1ull << 30 },
	{ .suffix = "G", .factor = 1ull << 30 }, { .suffix = "t", .factor = 1ull << 40 },
	{ .suffix = "T", .factor = 1ull << 40 }, { .suffix = NULL },
};

static int digit_value(char c, unsigned int base)
{
	int value = -1;

	if (c >= '0' && c <= '9')
		value = c - '0';
	else if (c >= 'a' && c <= 'f')
		value = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		value = c - 'A' + 10;
	return value < (int)base ? value : -1;
}

/* Reads the digits at *text and moves it behind them. At least one, no overflow. */
static int scan_digits(const char **text, unsigned int base, uint64_t *value)
{
	const char *at = *text;
	uint64_t sum = 0;
	int digit;

	while ((digit = digit_value(*at, base)) >= 0) {
		if (__builtin_mul_overflow(sum, base, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)digit, &sum))
			return -EINVAL;
		at++;
	}
	if (at == *text)
		return -EINVAL;
	*text = at;
	*value = sum;
	return 0;
}

/* Octal, which a leading zero means to iproute2 and to nobody else, is refused. */
static bool leading_zero(const char *text)
{
	return text[0] == '0' && isdigit((unsigned char)text[1]);
}

int parse_number(const char *text, struct number_range range, uint64_t *value)
{
	bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

	if (leading_zero(text))
		return -EINVAL;
	if (hexadecimal)
		text += 2;
	if (scan_digits(&text, hexadecimal ? 16 : 10, value) || *text)
		return -EINVAL;
	return *value >= range.min && *value <= range.max ? 0 : -EINVAL;
}

static int parse_narrow(const char *text, struct number_range range, uint32_t *value)
{
	uint64_t number;

	if (parse_number(text, range, &number))
		return -EINVAL;
	*value = number;
	return 0;
}

int parse_u32(const char *text, uint32_t *value)
{
	return parse_narrow(text, (struct number_range){ 0, UINT32_MAX }, value);
}

int parse_choice(const char *text, const char *const *choices, unsigned int *index)
{
	for (unsigned int i = 0; choices[i]; i++) {
		if (strcmp(text, choices[i]))
			continue;
		*index = i;
		return 0;
	}
	return -EINVAL;
}

static int copy_value(const char *text, char buffer[static VALUE_LENGTH_MAX + 1])
{
	size_t length = strlen(text);

	if (length > VALUE_LENGTH_MAX)
		return -EINVAL;
	memcpy(buffer, text, length + 1);
	return 0;
}

/* Copies text into buffer and cuts it at the separator; *rest is what follows it or NULL. */
static int split_value(const char *text, char separator, char buffer[static VALUE_LENGTH_MAX + 1],
		       char **rest)
{
	if (copy_value(text, buffer))
		return -EINVAL;
	*rest = strchr(buffer, separator);
	if (*rest)
		*(*rest)++ = '\0';
	return 0;
}

/* As iproute2 does and inet_aton() does not: missing bytes are zero, "10.8" is 10.8.0.0. */
static int parse_ipv4(const char *text, uint32_t *address)
{
	uint8_t bytes[4] = { 0 };
	uint64_t byte;

	for (int i = 0; i < 4; i++) {
		if (leading_zero(text) || scan_digits(&text, 10, &byte) || byte > 255)
			return -EINVAL;
		bytes[i] = byte;
		if (!*text) {
			memcpy(address, bytes, sizeof(bytes));
			return 0;
		}
		if (*text++ != '.')
			return -EINVAL;
	}
	return -EINVAL;
}

static uint32_t mask_of_length(unsigned int length)
{
	return length ? htonl(UINT32_MAX << (32 - length)) : 0;
}

/* A length or, as iproute2 takes it too, a netmask. */
static int parse_mask(const char *text, uint32_t *mask)
{
	uint32_t length, inverse;

	if (!strchr(text, '.')) {
		if (parse_narrow(text, (struct number_range){ 0, 32 }, &length))
			return -EINVAL;
		*mask = mask_of_length(length);
		return 0;
	}
	if (parse_ipv4(text, mask))
		return -EINVAL;
	inverse = ~ntohl(*mask);
	return inverse & (inverse + 1) ? -EINVAL : 0;
}

/* The words of a mask of so many bits. */
static void set_mask(uint32_t mask[4], unsigned int length)
{
	for (unsigned int i = 0; i < 4; i++) {
		unsigned int bits = length > 32 * i ? length - 32 * i : 0;

		mask[i] = mask_of_length(bits < 32 ? bits : 32);
	}
}

static int parse_inet_prefix(const char *address, const char *length, struct prefix_filter *prefix)
{
	prefix->family = FLOW_AF_INET;
	prefix->mask[0] = mask_of_length(32);
	if (parse_ipv4(address, &prefix->address[0]))
		return -EINVAL;
	return length ? parse_mask(length, &prefix->mask[0]) : 0;
}

static int parse_inet6_prefix(const char *address, const char *length, struct prefix_filter *prefix)
{
	uint32_t bits = 128;

	prefix->family = FLOW_AF_INET6;
	if (inet_pton(AF_INET6, address, prefix->address) != 1)
		return -EINVAL;
	if (length && parse_narrow(length, (struct number_range){ 0, 128 }, &bits))
		return -EINVAL;
	set_mask(prefix->mask, bits);
	return 0;
}

int parse_prefix(const char *text, struct prefix_filter *prefix)
{
	static const char *const everything[] = { "default", "all", "any", NULL };
	char address[VALUE_LENGTH_MAX + 1];
	unsigned int index;
	char *length;
	int err;

	*prefix = (struct prefix_filter){ 0 };
	if (!parse_choice(text, everything, &index))
		return 0;
	if (split_value(text, '/', address, &length))
		return -EINVAL;
	if (strchr(address, ':'))
		err = parse_inet6_prefix(address, length, prefix);
	else
		err = parse_inet_prefix(address, length, prefix);
	if (err)
		return err;
	for (unsigned int i = 0; i < 4; i++)
		prefix->address[i] &= prefix->mask[i];
	return 0;
}

int parse_mark(const char *text, struct mark_filter *mark)
{
	char value[VALUE_LENGTH_MAX + 1];
	char *mask;

	mark->mask = UINT32_MAX;
	if (split_value(text, '/', value, &mask) || parse_u32(value, &mark->value))
		return -EINVAL;
	return mask ? parse_u32(mask, &mark->mask) : 0;
}

static int parse_port(const char *text, uint16_t *port)
{
	uint32_t number;

	if (parse_narrow(text, (struct number_range){ 0, UINT16_MAX }, &number))
		return -EINVAL;
	*port = number;
	return 0;
}

int parse_ports(const char *text, struct port_filter *ports)
{
	char first[VALUE_LENGTH_MAX + 1];
	char *last;

	if (split_value(text, '-', first, &last) || parse_port(first, &ports->first))
		return -EINVAL;
	ports->last = ports->first;
	if (last && parse_port(last, &ports->last))
		return -EINVAL;
	return ports->first <= ports->last ? 0 : -EINVAL;
}

int parse_protocol(const char *text, uint8_t *protocol)
{
	return protocol_parse(text, protocol) ? 0 : -EINVAL;
}

int parse_interface(const char *text, char name[static IFNAMSIZ])
{
	size_t length = strlen(text);

	if (!length || length >= IFNAMSIZ || !strcmp(text, ".") || !strcmp(text, ".."))
		return -EINVAL;
	/* What dev_valid_name() refuses. */
	if (strpbrk(text, "/: \t\n\v\f\r"))
		return -EINVAL;
	memset(name, 0, IFNAMSIZ);
	memcpy(name, text, length);
	return 0;
}

int parse_uid(const char *text, uint32_t *uid)
{
	const struct passwd *user;

	if (!parse_narrow(text, (struct number_range){ 0, FLOW_UID_INVALID - 1 }, uid))
		return 0;
	if (isdigit((unsigned char)text[0]) || !text[0])
		return -EINVAL;
	user = getpwnam(text);
	if (!user)
		return -EINVAL;
	*uid = user->pw_uid;
	return 0;
}

int parse_pid(const char *text, uint32_t *pid)
{
	return parse_narrow(text, (struct number_range){ 1, PID_VALUE_MAX }, pid);
}

int parse_purposes(const char *text, uint32_t *purposes)
{
	char list[VALUE_LENGTH_MAX + 1];
	enum purpose purpose;
	char *rest = list;
	char *word;

	*purposes = 0;
	if (copy_value(text, list))
		return -EINVAL;
	while ((word = strsep(&rest, ","))) {
		if (!purpose_parse(word, &purpose))
			return -EINVAL;
		*purposes |= 1u << purpose;
	}
	return 0;
}

/* A decimal number and one of units. */
static int parse_with_unit(const char *text, const struct unit *units, uint64_t *value)
{
	uint64_t number;

	if (leading_zero(text) || scan_digits(&text, 10, &number))
		return -EINVAL;
	while (units->suffix && strcmp(units->suffix, text))
		units++;
	if (!units->suffix || __builtin_mul_overflow(number, units->factor, value))
		return -EINVAL;
	return 0;
}

int parse_duration(const char *text, uint64_t *duration_ns)
{
	if (parse_with_unit(text, time_units, duration_ns))
		return -EINVAL;
	/* Timers count in signed 64 bits. */
	return *duration_ns && *duration_ns <= INT64_MAX ? 0 : -EINVAL;
}

int parse_buffer_size(const char *text, uint64_t *size)
{
	uint64_t rounded = sysconf(_SC_PAGESIZE);
	uint64_t asked;

	if (parse_with_unit(text, size_units, &asked) || asked < BUFFER_SIZE_MIN ||
	    asked > BUFFER_SIZE_MAX)
		return -EINVAL;
	while (rounded < asked)
		rounded *= 2;
	*size = rounded;
	return 0;
}

int parse_file_size(const char *text, uint64_t *size)
{
	if (parse_with_unit(text, size_units, size) || *size < FILE_SIZE_MIN ||
	    *size > FILE_SIZE_MAX)
		return -EINVAL;
	return 0;
}
