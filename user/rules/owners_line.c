// SPDX-License-Identifier: GPL-2.0-only
/* Reads the lines "rule …" of definitions of owners, and the numbers of all lines. */
#include "rules/owners_line.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rules/selector.h"
#include "util/array.h"

#define PROTOCOL_MAX 255
#define SELECTOR_BIT(id) (1u << SELECTOR_##id)

bool parser_wrong(struct parser *parser, const char *format, ...)
{
	char message[512];
	va_list arguments;

	if (parser->err)
		return false;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	/* What a user wrote reaches a terminal. */
	for (char *c = message; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	text_printf(parser->error, "%s:%zu: %s", parser->file, parser->line, message);
	parser->err = -EINVAL;
	return false;
}

char *parser_next(struct parser *parser)
{
	return parser->at < parser->word_count ? parser->words[parser->at++] : NULL;
}

/* Whether the next word is that; then it is taken. */
static bool take_word(struct parser *parser, const char *word)
{
	if (parser->at >= parser->word_count || strcmp(parser->words[parser->at], word))
		return false;
	parser->at++;
	return true;
}

/* A number, decimal or 0x…; *end is what follows. */
static bool read_number(const char *text, uint32_t *value, const char **end)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned long long number;
	char *rest;

	if (!isdigit((unsigned char)text[0]) || (hex && !isxdigit((unsigned char)text[2])))
		return false;
	errno = 0;
	number = strtoull(text, &rest, hex ? 16 : 10);
	if (errno || number > UINT32_MAX)
		return false;
	*value = (uint32_t)number;
	*end = rest;
	return true;
}

/* "n", "A+n", "A*n" behind an A that was read, or that is missing. */
static bool read_of_n(const char *text, struct number_pattern *pattern)
{
	uint32_t value = 0;
	const char *end = text;

	*pattern = (struct number_pattern){ NUMBER_OF_N, 0, 1 };
	if (!strcmp(text, "n"))
		return true;
	if (!read_number(text, &value, &end))
		return false;
	if (!strcmp(end, "+n"))
		pattern->first = value;
	else
		pattern->last = value;
	return !strcmp(end, "+n") || (!strcmp(end, "*n") && value);
}

bool number_read_range(const char *text, struct number_pattern *pattern)
{
	const char *end;

	pattern->kind = NUMBER_RANGE;
	if (!read_number(text, &pattern->first, &end))
		return false;
	pattern->last = pattern->first;
	if (*end == '-' && !read_number(end + 1, &pattern->last, &end))
		return false;
	return !*end && pattern->first <= pattern->last;
}

static bool read_pattern(const char *text, struct number_pattern *pattern)
{
	if (!strcmp(text, "any")) {
		*pattern = (struct number_pattern){ .kind = NUMBER_ANY };
		return true;
	}
	return read_of_n(text, pattern) || number_read_range(text, pattern);
}

static bool parse_number(struct parser *parser, const char *what, const char *text,
			 struct number_pattern *pattern)
{
	if (read_pattern(text, pattern))
		return true;
	return parser_wrong(parser,
			    "'%.40s' is no %s; write NUMBER, FIRST-LAST, any, n, A+n or A*n", text,
			    what);
}

bool parser_read_mark(struct parser *parser, char *text, struct number_pattern *pattern,
		      uint32_t *mask, bool *masked)
{
	char *slash = strchr(text, '/');
	const char *end = "";

	*mask = MARK_MASK_ALL;
	*masked = slash != NULL;
	if (slash)
		*slash = '\0';
	if (slash && (!read_number(slash + 1, mask, &end) || *end))
		return parser_wrong(parser, "'%.40s' is no mask; write a number such as 0xff0000",
				    slash + 1);
	if (!parse_number(parser, "fwmark", text, pattern))
		return false;
	if (pattern->kind == NUMBER_RANGE && (pattern->last & ~*mask))
		return parser_wrong(parser, "fwmark %.40s has bits outside of its mask 0x%x", text,
				    *mask);
	return true;
}

static bool parse_fwmark(struct parser *parser, struct signature *signature, char *value)
{
	bool masked;

	if (!parser_read_mark(parser, value, &signature->mark, &signature->mark_mask, &masked))
		return false;
	signature->any_mask = !masked && signature->mark.kind == NUMBER_ANY;
	return true;
}

static bool parse_prefix(struct parser *parser, struct prefix_pattern *pattern, char *value)
{
	char *slash = strchr(value, '/');
	const char *end = "";
	uint32_t length, bits;

	if (!strcmp(value, "any") || !strcmp(value, "host")) {
		pattern->kind = *value == 'h' ? PREFIX_HOST : PREFIX_ANY;
		return true;
	}
	if (slash)
		*slash = '\0';
	pattern->kind = PREFIX_EXACT;
	pattern->family = strchr(value, ':') ? AF_INET6 : AF_INET;
	bits = pattern->family == AF_INET6 ? 128 : 32;
	length = bits;
	if (inet_pton(pattern->family, value, pattern->prefix.address) != 1 ||
	    (slash && (!read_number(slash + 1, &length, &end) || *end || !length || length > bits)))
		return parser_wrong(
			parser, "'%.60s' is no prefix; write ADDRESS/LENGTH, host or any", value);
	pattern->prefix.length = (uint8_t)length;
	return true;
}

static bool parse_from(struct parser *parser, struct signature *signature, char *value)
{
	/* As `ip rule` prints it where there is none. */
	if (!strcmp(value, "all")) {
		signature->selectors &= ~SELECTOR_BIT(FROM);
		return true;
	}
	return parse_prefix(parser, &signature->from, value);
}

static bool parse_to(struct parser *parser, struct signature *signature, char *value)
{
	return parse_prefix(parser, &signature->to, value);
}

static bool parse_device(struct parser *parser, char device[static IFNAMSIZ], const char *value)
{
	if (strlen(value) >= IFNAMSIZ)
		return parser_wrong(parser, "'%.40s' is too long for the name of a device", value);
	if (strcmp(value, "any"))
		strcpy(device, value);
	return true;
}

static bool parse_iif(struct parser *parser, struct signature *signature, char *value)
{
	return parse_device(parser, signature->iif, value);
}

static bool parse_oif(struct parser *parser, struct signature *signature, char *value)
{
	return parse_device(parser, signature->oif, value);
}

static bool parse_presence(struct parser *parser, struct signature *signature, char *value)
{
	(void)signature;
	return !strcmp(value, "any") ||
	       parser_wrong(parser, "'%.40s' stands where only any can; write any", value);
}

static bool set_action(struct parser *parser, struct signature *signature, uint8_t action)
{
	if (signature->action)
		return parser_wrong(parser, "a second action; write one of them");
	signature->action = action;
	return true;
}

static bool parse_lookup(struct parser *parser, struct signature *signature, char *value)
{
	uint32_t id;

	if (!set_action(parser, signature, RULE_LOOKUP))
		return false;
	if (!strcmp(value, "[l3mdev-table]")) {
		signature->selectors |= SELECTOR_BIT(L3MDEV);
		return true;
	}
	if (!isdigit((unsigned char)value[0]) &&
	    names_parse_table(parser->draft->names, value, &id)) {
		signature->table = (struct number_pattern){ NUMBER_RANGE, id, id };
		return true;
	}
	return parse_number(parser, "table: only local, main and default have names here", value,
			    &signature->table);
}

static bool parse_goto(struct parser *parser, struct signature *signature, char *value)
{
	return set_action(parser, signature, RULE_GOTO) &&
	       parse_number(parser, "priority", value, &signature->target);
}

static bool parse_suppress_prefixlength(struct parser *parser, struct signature *signature,
					char *value)
{
	signature->has_suppress_prefixlength = true;
	return parse_number(parser, "prefix length", value, &signature->suppress_prefixlength);
}

static bool parse_suppress_ifgroup(struct parser *parser, struct signature *signature, char *value)
{
	signature->has_suppress_ifgroup = true;
	return parse_number(parser, "device group", value, &signature->suppress_ifgroup);
}

static bool parse_protocol(struct parser *parser, struct signature *signature, char *value)
{
	for (uint32_t i = 0; i <= PROTOCOL_MAX; i++) {
		const char *name = names_route_protocol(parser->draft->names, (uint8_t)i);

		if (name && !strcmp(name, value)) {
			signature->protocol = (struct number_pattern){ NUMBER_RANGE, i, i };
			return true;
		}
	}
	return parse_number(parser, "protocol", value, &signature->protocol);
}

/* The words of a rule that a value follows. selector: the bit that they set, 0: none. */
static const struct keyword {
	const char *name;
	uint32_t selector;
	bool (*parse)(struct parser *parser, struct signature *signature, char *value);
} keywords[] = {
	{ "from", SELECTOR_BIT(FROM), parse_from },
	{ "to", SELECTOR_BIT(TO), parse_to },
	{ "fwmark", SELECTOR_BIT(FWMARK), parse_fwmark },
	{ "iif", SELECTOR_BIT(IIF), parse_iif },
	{ "oif", SELECTOR_BIT(OIF), parse_oif },
	{ "tos", SELECTOR_BIT(TOS), parse_presence },
	{ "dscp", SELECTOR_BIT(DSCP), parse_presence },
	{ "uidrange", SELECTOR_BIT(UIDRANGE), parse_presence },
	{ "ipproto", SELECTOR_BIT(IPPROTO), parse_presence },
	{ "sport", SELECTOR_BIT(SPORT), parse_presence },
	{ "dport", SELECTOR_BIT(DPORT), parse_presence },
	{ "tun_id", SELECTOR_BIT(TUN_ID), parse_presence },
	{ "flowlabel", SELECTOR_BIT(FLOWLABEL), parse_presence },
	{ "lookup", 0, parse_lookup },
	{ "goto", 0, parse_goto },
	{ "suppress_prefixlength", 0, parse_suppress_prefixlength },
	{ "suppress_ifgroup", 0, parse_suppress_ifgroup },
	{ "protocol", 0, parse_protocol },
	{ "proto", 0, parse_protocol },
};

static const struct {
	const char *name;
	uint8_t action;
} actions[] = {
	{ "nop", RULE_NOP },
	{ "blackhole", RULE_BLACKHOLE },
	{ "unreachable", RULE_UNREACHABLE },
	{ "prohibit", RULE_PROHIBIT },
};

static bool parse_keyword(struct parser *parser, struct signature *signature,
			  const struct keyword *keyword, uint32_t *seen)
{
	uint32_t bit = 1u << (keyword - keywords);
	char *value = parser_next(parser);

	if (!value)
		return parser_wrong(parser, "the value of '%s' is missing", keyword->name);
	if (*seen & bit)
		return parser_wrong(parser, "'%s' stands twice", keyword->name);
	*seen |= bit;
	signature->selectors |= keyword->selector;
	return keyword->parse(parser, signature, value);
}

static bool parse_rule_word(struct parser *parser, struct signature *signature, const char *word,
			    uint32_t *seen)
{
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		if (!strcmp(keywords[i].name, word))
			return parse_keyword(parser, signature, &keywords[i], seen);
	}
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!strcmp(actions[i].name, word))
			return set_action(parser, signature, actions[i].action);
	}
	if (!strcmp(word, "not"))
		signature->invert = true;
	else if (!strcmp(word, "any"))
		signature->open = true;
	else
		return parser_wrong(parser,
				    "'%.40s' is no word of a rule; write it as ip rule prints it: "
				    "PRIORITY: SELECTOR... lookup TABLE",
				    word);
	return true;
}

/* "5270:" or "auto:". */
static bool parse_priority(struct parser *parser, struct signature *signature)
{
	char *word = parser->at < parser->word_count ? parser->words[parser->at] : NULL;
	size_t length = word ? strlen(word) : 0;

	if (!length || word[length - 1] != ':')
		return true;
	parser->at++;
	word[length - 1] = '\0';
	signature->auto_priority = !strcmp(word, "auto");
	return signature->auto_priority ||
	       parse_number(parser, "priority", word, &signature->priority);
}

/* "n=1-60" */
static bool parse_n(struct parser *parser, struct signature *signature, bool *bounded)
{
	const char *word = parser->at < parser->word_count ? parser->words[parser->at] : "";
	struct number_pattern range;

	*bounded = !strncmp(word, "n=", 2);
	if (!*bounded)
		return true;
	parser->at++;
	if (!number_read_range(word + 2, &range))
		return parser_wrong(parser, "'%.40s' bounds no n; write n=FIRST-LAST", word);
	signature->n_first = range.first;
	signature->n_last = range.last;
	return true;
}

static bool check_n(struct parser *parser, const struct signature *signature, bool bounded)
{
	const struct number_pattern *const patterns[] = {
		&signature->priority,
		&signature->mark,
		&signature->table,
		&signature->target,
		&signature->suppress_ifgroup,
		&signature->suppress_prefixlength,
		&signature->protocol,
	};
	bool used = false;

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		used |= patterns[i]->kind == NUMBER_OF_N;
	if (used == bounded)
		return true;
	if (bounded)
		return parser_wrong(parser, "no number of the rule has the n that is bounded");
	return parser_wrong(parser, "n has no bounds; write n=FIRST-LAST in front of the priority");
}

static bool check_suppressors(struct parser *parser, const struct signature *signature)
{
	bool suppresses = signature->has_suppress_prefixlength || signature->has_suppress_ifgroup;

	return !suppresses || signature->action == RULE_LOOKUP ||
	       parser_wrong(parser, "only a rule with lookup suppresses; write lookup TABLE");
}

/* A rule that fits everything would label everything. */
static bool check_signature(struct parser *parser, const struct signature *signature, bool bounded)
{
	bool told = signature->auto_priority || signature->priority.kind != NUMBER_ANY ||
		    signature->table.kind != NUMBER_ANY || signature->mark.kind != NUMBER_ANY;

	if (!signature->action && !signature->open)
		return parser_wrong(
			parser, "the action is missing; write lookup TABLE, goto PRIORITY, nop, "
				"blackhole, unreachable or prohibit");
	if (signature->protocol.kind == NUMBER_RANGE && signature->protocol.first)
		told = true;
	if (!told)
		return parser_wrong(parser,
				    "this fits rules of everybody; write a priority, a table, a "
				    "fwmark or a protocol");
	return check_suppressors(parser, signature) && check_n(parser, signature, bounded);
}

static const char *const places[] = {
	[PLACE_WITH] = "with",
	[PLACE_TOGETHER] = "together",
	[PLACE_BESIDE] = "beside",
};

bool parser_read_signature(struct parser *parser, struct signature *signature)
{
	const char *word;
	uint32_t seen = 0;
	bool bounded;

	*signature = (struct signature){ .owner = parser->owner, .n_last = UINT32_MAX };
	/* Protocol unspec, the range 0 to 0, is what `ip rule add` leaves. */
	signature->protocol.kind = NUMBER_RANGE;
	for (size_t i = 0; i < ARRAY_SIZE(places) && signature->place == PLACE_ANY; i++) {
		if (places[i] && take_word(parser, places[i]))
			signature->place = i;
	}
	if (!parse_n(parser, signature, &bounded) || !parse_priority(parser, signature))
		return false;
	while ((word = parser_next(parser))) {
		if (!parse_rule_word(parser, signature, word, &seen))
			return false;
	}
	signature->weight = signature_weight(signature);
	return check_signature(parser, signature, bounded);
}
