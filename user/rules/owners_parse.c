// SPDX-License-Identifier: GPL-2.0-only
/* Reads definitions of owners; rules/owners.conf says how they are written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/grow.h"
#include "rules/owners_line.h"
#include "util/array.h"

#define LINE_MAX_LENGTH 1024
#define NAME_MAX_LENGTH 63

static const char name_characters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._+@";

static bool out_of_memory(struct parser *parser)
{
	if (!parser->err)
		parser->err = -ENOMEM;
	return false;
}

static bool is_full(struct parser *parser)
{
	const struct owners *draft = parser->draft;

	if (draft->count + draft->signature_count + draft->table_count + draft->mark_count <
	    OWNERS_ENTRIES_MAX)
		return false;
	parser_wrong(parser, "more than %u definitions in one file; leave some out",
		     OWNERS_ENTRIES_MAX);
	return true;
}

static bool needs_owner(struct parser *parser, const char *what)
{
	return parser->owner ||
	       parser_wrong(parser, "a %s of nobody; write owner NAME before it", what);
}

static bool parse_rule_line(struct parser *parser)
{
	struct owners *draft = parser->draft;
	struct signature *signatures =
		array_reserve(draft->signatures, sizeof(*signatures), draft->signature_count,
			      &draft->signature_capacity);

	if (!signatures)
		return out_of_memory(parser);
	draft->signatures = signatures;
	if (!needs_owner(parser, "rule") ||
	    !parser_read_signature(parser, &signatures[draft->signature_count]))
		return false;
	draft->signature_count++;
	return true;
}

static bool parse_owner_property(struct parser *parser, const char *word)
{
	if (!strcmp(word, "auto-priority"))
		parser->owner->auto_priority = true;
	else if (!strcmp(word, "tunnel"))
		parser->owner->tunnel = true;
	else
		return parser_wrong(parser, "'%.40s' is no property; write auto-priority or tunnel",
				    word);
	return true;
}

static bool parse_owner_line(struct parser *parser)
{
	const char *name = parser_next(parser);
	const char *word;

	if (!name)
		return parser_wrong(parser, "the name is missing; write owner NAME");
	if (strlen(name) > NAME_MAX_LENGTH || name[strspn(name, name_characters)])
		return parser_wrong(
			parser, "'%.40s' is no name; write at most %d letters, digits and -._+@",
			name, NAME_MAX_LENGTH);
	parser->owner = owners_add(parser->draft, name);
	if (!parser->owner)
		return out_of_memory(parser);
	while ((word = parser_next(parser))) {
		if (!parse_owner_property(parser, word))
			return false;
	}
	return true;
}

static bool at_end(struct parser *parser)
{
	const char *word = parser_next(parser);

	return !word || parser_wrong(parser, "'%.40s' is one word too many", word);
}

static bool parse_table_line(struct parser *parser)
{
	struct owners *draft = parser->draft;
	struct owner_table *tables = array_reserve(draft->tables, sizeof(*tables),
						   draft->table_count, &draft->table_capacity);
	const char *word = parser_next(parser);
	struct number_pattern range;

	if (!tables)
		return out_of_memory(parser);
	draft->tables = tables;
	if (!needs_owner(parser, "table"))
		return false;
	if (!word || !number_read_range(word, &range))
		return parser_wrong(parser, "'%.40s' is no table; write NUMBER or FIRST-LAST",
				    word ? word : "");
	tables[draft->table_count++] =
		(struct owner_table){ range.first, range.last, parser->owner };
	return at_end(parser);
}

/* The meaning goes into texts, so it is written as a word of a text. */
static bool parse_meaning(struct parser *parser, const char **meaning)
{
	const char *word = parser_next(parser);

	if (!word || strlen(word) > NAME_MAX_LENGTH || word[strspn(word, name_characters)])
		return parser_wrong(parser,
				    "what the mark means is missing; write one word, such as "
				    "bypass");
	*meaning = word;
	return at_end(parser);
}

static bool read_mark(struct parser *parser, struct owner_mark *mark, const char **meaning)
{
	char *word = (char *)parser_next(parser);
	struct number_pattern value;
	bool masked;

	if (!word)
		return parser_wrong(parser, "the mark is missing; write mark VALUE[/MASK] WORD");
	if (!parser_read_mark(parser, word, &value, &mark->mask, &masked))
		return false;
	if (value.kind != NUMBER_RANGE || value.first != value.last || !mark->mask)
		return parser_wrong(parser, "'%.40s' is no mark; write VALUE[/MASK]", word);
	mark->value = value.first;
	mark->owner = parser->owner;
	return parse_meaning(parser, meaning);
}

static bool parse_mark_line(struct parser *parser)
{
	struct owners *draft = parser->draft;
	struct owner_mark *marks = array_reserve(draft->marks, sizeof(*marks), draft->mark_count,
						 &draft->mark_capacity);
	const char *meaning = NULL;
	struct owner_mark mark;

	if (!marks)
		return out_of_memory(parser);
	draft->marks = marks;
	if (!needs_owner(parser, "mark") || !read_mark(parser, &mark, &meaning))
		return false;
	mark.bypass = !strcmp(meaning, "bypass");
	mark.meaning = strdup(meaning);
	if (!mark.meaning)
		return out_of_memory(parser);
	marks[draft->mark_count++] = mark;
	return true;
}

static const struct {
	const char *name;
	bool (*parse)(struct parser *parser);
} lines[] = {
	{ "owner", parse_owner_line },
	{ "rule", parse_rule_line },
	{ "table", parse_table_line },
	{ "mark", parse_mark_line },
};

static bool parse_words(struct parser *parser)
{
	const char *word = parser_next(parser);

	if (!word)
		return true;
	if (is_full(parser))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!strcmp(lines[i].name, word))
			return lines[i].parse(parser);
	}
	return parser_wrong(parser, "'%.40s' begins no line; write owner, rule, table or mark",
			    word);
}

/* A comment begins where a word does. */
static bool split_words(struct parser *parser, char *line)
{
	static const char blank[] = " \t\r\v\f";
	char *rest;

	parser->word_count = 0;
	parser->at = 0;
	for (char *word = strtok_r(line, blank, &rest); word && *word != '#';
	     word = strtok_r(NULL, blank, &rest)) {
		if (parser->word_count == PARSER_WORDS_MAX)
			return parser_wrong(parser, "more than %d words; write one rule per line",
					    PARSER_WORDS_MAX);
		parser->words[parser->word_count++] = word;
	}
	return true;
}

static bool parse_line(struct parser *parser, const char *start, size_t length)
{
	char line[LINE_MAX_LENGTH];

	parser->line++;
	if (memchr(start, '\0', length))
		return parser_wrong(parser, "a NUL byte; this is no text");
	if (length >= sizeof(line))
		return parser_wrong(parser, "longer than %d bytes; write one rule per line",
				    LINE_MAX_LENGTH - 1);
	memcpy(line, start, length);
	line[length] = '\0';
	return split_words(parser, line) && parse_words(parser);
}

static bool parse_lines(struct parser *parser, const char *content, size_t length)
{
	while (length) {
		const char *newline = memchr(content, '\n', length);
		size_t size = newline ? (size_t)(newline - content) : length;

		if (!parse_line(parser, content, size))
			return false;
		size += newline != NULL;
		content += size;
		length -= size;
	}
	return true;
}

/* Room in an array for more elements behind its first count; the array, NULL with errno. */
static void *reserve(void *array, size_t size, size_t count, size_t more, size_t *capacity)
{
	void *grown;

	if (array && count + more <= *capacity)
		return array;
	grown = reallocarray(array, count + more + 1, size);
	if (grown)
		*capacity = count + more + 1;
	return grown;
}

static bool reserve_all(struct owners *owners, const struct owners *draft)
{
	struct signature *signatures =
		reserve(owners->signatures, sizeof(*signatures), owners->signature_count,
			draft->signature_count, &owners->signature_capacity);
	struct owner_table *tables = reserve(owners->tables, sizeof(*tables), owners->table_count,
					     draft->table_count, &owners->table_capacity);
	struct owner_mark *marks = reserve(owners->marks, sizeof(*marks), owners->mark_count,
					   draft->mark_count, &owners->mark_capacity);

	if (signatures)
		owners->signatures = signatures;
	if (tables)
		owners->tables = tables;
	if (marks)
		owners->marks = marks;
	return signatures && tables && marks;
}

/* Names alone change nothing, should memory be short behind them. */
static bool add_names(struct owners *owners, struct owners *draft)
{
	for (size_t i = 0; i < draft->count; i++) {
		draft->list[i]->becomes = owners_add(owners, draft->list[i]->name);
		if (!draft->list[i]->becomes)
			return false;
	}
	return true;
}

/* Moves all that is in draft, which must not fail half-way. */
static void move_entries(struct owners *owners, struct owners *draft)
{
	for (size_t i = 0; i < draft->count; i++) {
		draft->list[i]->becomes->auto_priority |= draft->list[i]->auto_priority;
		draft->list[i]->becomes->tunnel |= draft->list[i]->tunnel;
	}
	for (size_t i = 0; i < draft->signature_count; i++) {
		draft->signatures[i].owner = draft->signatures[i].owner->becomes;
		owners->signatures[owners->signature_count++] = draft->signatures[i];
	}
	for (size_t i = 0; i < draft->table_count; i++) {
		draft->tables[i].owner = draft->tables[i].owner->becomes;
		owners->tables[owners->table_count++] = draft->tables[i];
	}
	for (size_t i = 0; i < draft->mark_count; i++) {
		draft->marks[i].owner = draft->marks[i].owner->becomes;
		owners->marks[owners->mark_count++] = draft->marks[i];
	}
	draft->mark_count = 0;
}

int owners_parse(struct owners *owners, const char *file, const char *content, size_t length,
		 struct text *error)
{
	struct owners draft = { .names = owners->names };
	struct parser parser = { .draft = &draft, .file = file, .error = error };
	int err = 0;

	if (!parse_lines(&parser, content, length))
		err = parser.err;
	else if (!reserve_all(owners, &draft) || !add_names(owners, &draft))
		err = -ENOMEM;
	else
		move_entries(owners, &draft);
	owners_clear(&draft);
	return err;
}
