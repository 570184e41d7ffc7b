#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Those of the cases that take modules which the tests' own machine need not have: vrf, wireguard.
cd "$(dirname "$0")/../live" || exit 1
passed=0 failed=0 skipped=0

# part SCRIPT PATTERN: the tests of a live script whose names match.
part() {
	local totals
	ONLY=$2 "./$1.sh" >/tmp/part.$$ 2>&1
	grep -v ' passed, ' /tmp/part.$$
	totals=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' /tmp/part.$$ | tail -n 1)
	# A pattern that no test matches is as bad as a script that died.
	case "$totals" in
	'' | '0 passed, 0 failed, 0 skipped')
		echo "fail $1: none of '$2' ran"
		totals='0 passed, 1 failed, 0 skipped'
		;;
	esac
	# shellcheck disable=SC2086
	set -- $totals
	passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + $5))
}

part cases_tunnels '^c32'
part cases_policy '^c06'
part healthy '_vrf$'
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
