#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every source file is formatted, says its license first, and has nothing left to be done.

set -u
cd "$(dirname "$0")/../.." || exit 1

failed=0

problem() {
	printf 'format: %s\n' "$1" >&2
	failed=1
}

c_files() {
	find bpf vmlinux user tests -name '*.[ch]' -type f | sort
}

source_files() {
	c_files
	find tests docs demo .ci Makefile -type f \( -name '*.sh' -o -name '*.py' -o -name '*.bash' \
		-o -name '*.8' -o -path .ci/run -o -name Makefile \) 2>/dev/null | sort
}

# The license is the first line, after that of the interpreter.
check_license() {
	local first
	first=$(sed -n -e '1{/^#!/n;p;q}' "$1")
	case $first in
	*'SPDX-License-Identifier: GPL-2.0-only'*) ;;
	*) problem "$1: the first line is no SPDX-License-Identifier: GPL-2.0-only" ;;
	esac
}

# The words are split, so that this file has none of them.
check_leftovers() {
	local found
	found=$(grep -n -w -E -e 'TO''DO|FIX''ME|XX''X' "$1") && problem "$1: $found"
}

while read -r file; do
	check_license "$file"
	check_leftovers "$file"
done < <(source_files)
mapfile -t files < <(c_files)
clang-format --dry-run -Werror "${files[@]}" || problem "run clang-format -i on the files above"
exit $failed
