#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a guest runs: inside.sh TEST… runs each in every tier that this kernel has, forced, and
# ends with one line of totals. It writes outside /run and may leave anything behind: only for a
# machine that is gone afterwards.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ -e /run/vm/command ] || { echo 'inside.sh runs in a guest only' >&2 && exit 2; }

binary=$PWD/${BUILD:-build}/fibtrace
LIMIT_S=${VM_TEST_LIMIT_S:-900}
LOOKUPS=${VM_LOOKUPS:-60}
logs=/tmp/vm-logs
passed=0 failed=0 skipped=0
mkdir -p "$logs"

# The tiers that `features` says load; those are the ones fibtrace may be told to use.
tiers() {
	"$binary" features | sed -n 's/^\([a-z]*\): loads$/\1/p'
}

# What the tests call fibtrace: it, told how to attach.
forced() { # TIER
	local wrapper=$logs/fibtrace.$1
	cat >"$wrapper" <<-END
		#!/bin/sh
		[ "\${1:-}" = features ] || set -- --attach "$1" "\$@"
		exec "$binary" "\$@"
	END
	chmod 755 "$wrapper"
	echo "$wrapper"
}

# The words that run a test. What only a few of a script's tests say, the names say.
test_command() { # TEST
	case "$1" in
	smoke)
		echo env 'ONLY=^(bad_order_goes_into_the_vpn|good_order_goes_to_tailscale)$' \
			tests/live/story.sh
		;;
	oracle) echo tests/live/oracle.sh --lookups "$LOOKUPS" ;;
	*) echo "tests/live/$1.sh" ;;
	esac
}

add_totals() { # LOG STATUS
	local line
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$1" | tail -n 1)
	if [ -z "$line" ]; then
		[ "$2" -eq 77 ] && line='0 passed, 0 failed, 1 skipped' ||
			line='0 passed, 1 failed, 0 skipped'
	elif [ "$2" -ne 0 ] && [[ $line == *' 0 failed'* ]] && [ "$2" -ne 77 ]; then
		line=${line/ 0 failed/ 1 failed}
	fi
	totals=$line
	# shellcheck disable=SC2086
	set -- $line
	passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + $5))
	[ "$3" -eq 0 ]
}

run_test() { # TIER TEST
	local log=$logs/$1.$2.log status began=$SECONDS words fibtrace
	read -r -a words < <(test_command "$2")
	fibtrace=$(forced "$1")
	# These look at the program itself and not at what it traces.
	[ "$2" != usage ] || fibtrace=$binary
	FIBTRACE=$fibtrace FIBTRACE_ATTACH=$1 SCRIPT_LIMIT_S=$LIMIT_S SCHEMA_CHECK=$PWD/tests/vm/no_schema.py \
		timeout -k 10 $((LIMIT_S + 20)) "${words[@]}" >"$log" 2>&1 </dev/null
	status=$?
	if add_totals "$log" "$status"; then
		printf '%s %s: %s (%d s)\n' "$1" "$2" "$totals" $((SECONDS - began))
		grep -E '^skip ' "$log"
		return
	fi
	printf '%s %s: %s (%d s), status %d\n' "$1" "$2" "$totals" $((SECONDS - began)) "$status"
	# The oracle prints whole policies: which lookups failed, and the seed, tell more.
	grep -a -E '^(fail|FAIL|skip|seed|Traceback|[a-zA-Z]*Error|  lookup)' "$log" | cut -c 1-400 |
		head -n 40
	tail -n 10 "$log" | cut -c 1-400
}

mapfile -t found < <(tiers)
if [ ${#found[@]} -eq 0 ]; then
	"$binary" features
	failed=1
fi
for tier in "${found[@]}"; do
	for test in "$@"; do
		run_test "$tier" "$test"
	done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
