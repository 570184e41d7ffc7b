#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Man page and completion have the options of `fibtrace -h` and no others, and the schema of JSON is that
# which is written. $1: the binary.

set -u
cd "$(dirname "$0")/../.." || exit 1

FIBTRACE=${1:-build/fibtrace}
MAN=docs/fibtrace.8
COMPLETION=docs/completion/fibtrace.bash
SCHEMA=docs/schema.json
CHANGES=docs/schema-changes.md
failed=0

problem() {
	printf 'docs: %s\n' "$1" >&2
	failed=1
}

# The left column of the option rows of the help: "-d, --dst PREFIX".
help_rows() {
	sed -n -E 's/^  +(-.*)$/\1/p' <<<"$help" | sed -E 's/  +.*$//'
}

# One option per line from such rows.
options_of_rows() {
	grep -o -E -e '(^|, )--?[a-zA-Z0-9][a-z-]*' | sed 's/^, //' | sort
}

# The rows of the man page, spelled as in the help.
man_rows() {
	sed -n -E 's/^\.It (Fl .*)$/\1/p' "$MAN" | sed -E 's/Fl /-/g; s/ , /, /g; s/ Ar / /g'
}

# What the completion offers for "fibtrace -", the end of options apart.
completion_options() {
	bash -c '. "$1" && COMP_WORDS=(fibtrace -) && COMP_CWORD=1 && _fibtrace &&
		printf "%s\n" "${COMPREPLY[@]}"' bash "$COMPLETION" | grep -v -x -e -- | sort
}

# compare WHERE WANT HAVE: reports each line that only one of them has.
compare() {
	local line
	while read -r line; do
		[ -z "$line" ] || problem "$1 lacks '$line'"
	done < <(comm -23 <(sort -u <<<"$2") <(sort -u <<<"$3"))
	while read -r line; do
		[ -z "$line" ] || problem "$1 has '$line', which fibtrace -h has not"
	done < <(comm -13 <(sort -u <<<"$2") <(sort -u <<<"$3"))
}

# Options that the text of the man page mentions outside of the rows.
man_mentions() {
	grep -E '^\.(Op )?Fl ' "$MAN" | grep -o -E 'Fl -?[a-zA-Z0-9][a-z-]*' | sed 's/^Fl /-/' | sort -u
}

# Whether an option takes a value decides what the completion offers after it.
check_values() {
	local valued
	valued=$(bash -c '. "$1"; declare -f _fibtrace' bash "$COMPLETION" |
		sed -n "/valued=/,/';/p" | grep -o -E -e '(^|[[:space:]])--?[a-zA-Z0-9][a-z-]*' |
		tr -d '[:blank:]' | sort)
	compare "$COMPLETION (options with a value)" \
		"$(help_rows | grep -E ' [^-, ][^ ]*$' | options_of_rows)" "$valued"
}

check_man_warnings() {
	local warnings
	if command -v man >/dev/null; then
		warnings=$(MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$MAN" 2>&1 >/dev/null)
		[ -z "$warnings" ] || problem "man --warnings: $warnings"
	fi
	if command -v mandoc >/dev/null; then
		warnings=$(mandoc -T lint -W warning "$MAN") || problem "mandoc: $warnings"
	fi
}

# The schema, its changes and what is written are of one version, and each type has come with one.
check_schema_versions() {
	local written type
	written=$(sed -n 's/^#define JSON_SCHEMA_VERSION //p' user/render/render.h)
	[ "$(jq -c '[.. | .schema? | .const? // empty] | unique' "$SCHEMA")" = "[$written]" ] ||
		problem "$SCHEMA is not of version $written, which is written"
	[ "$(sed -n 's/^## //p' "$CHANGES" | sort -n | tail -n 1)" = "$written" ] ||
		problem "$CHANGES does not end with version $written"
	for type in $(jq -r '.oneOf[]."$ref" | sub(".*/"; "")' "$SCHEMA"); do
		grep -q "^- .*\`$type\`" "$CHANGES" || problem "$CHANGES has nothing of '$type'"
	done
}

if ! help=$("$FIBTRACE" -h); then
	problem "'$FIBTRACE -h' failed"
	exit 1
fi
options=$(help_rows | options_of_rows)
[ -n "$options" ] || problem "no options in '$FIBTRACE -h'"
compare "$MAN" "$(help_rows)" "$(man_rows)"
compare "$COMPLETION" "$options" "$(completion_options)"
unknown=$(comm -13 <(printf '%s\n' "$options") <(man_mentions))
[ -z "$unknown" ] || problem "$MAN mentions $unknown, which fibtrace -h has not"
check_values
check_schema_versions
check_man_warnings
exit $failed
