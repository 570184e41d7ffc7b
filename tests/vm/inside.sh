#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a guest runs: inside.sh TEST[:TIERS]… runs each in its tiers, forced, as the table of tests
# has them, and ends with one line of totals. It writes outside /run and may leave anything behind:
# only for a machine that is gone afterwards.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/vm/lib.sh
[ -e /run/vm/command ] || { echo 'inside.sh runs in a guest only' >&2 && exit 2; }

# The machine's files may change while the guest runs, which its layer over them does not bear.
tree=$(mktemp -d /tmp/tree.XXXXXX)
chmod 755 "$tree" # other users run what is in it
builds=$tree/build
copy_tree() {
	local from
	from=$(realpath -m "${BUILD:-build}")
	mkdir -p "$builds/tests"
	cp -a tests docs "$tree/" && cp -a "$from/fibtrace" "$builds/" &&
		cp -a "$from/tests/live" "$builds/tests/" && cd "$tree" || return
	VM_DIR=$tree/tests/vm
}

binary=$builds/fibtrace
LIMIT_S=${VM_TEST_LIMIT_S:-900}
LOOKUPS=${VM_LOOKUPS:-60}
# Emulated processors take some fifty times as long.
export NESTING_SENDS=${NESTING_SENDS:-2000} SENDS=${SENDS:-20000}
export MONITOR_DUMP=$builds/tests/live/monitor_dump UDP_FLOOD=$builds/tests/live/udp_flood
export SEND=$builds/tests/live/send
# The machine's tools, and the modules of the table.
export ALL_IS_THERE=1
logs=/tmp/vm-logs
passed=0 failed=0 skipped=0
mkdir -p "$logs"

# Every tier: each of the tables' kernels has all that the tiers need.
tiers() {
	sed -n 's/^\([a-z]*\): \(loads\|refused\)$/\1/p' "$logs/features"
}

# One that is refused has failed, and is not tried any further.
check_tiers() {
	local tier
	"$binary" features >"$logs/features" 2>&1
	for tier in $(tiers); do
		if grep -q -x "$tier: loads" "$logs/features"; then
			found+=("$tier")
			continue
		fi
		failed=$((failed + 1))
		echo "fail $tier: $(sed -n "/^$tier: /,/reason/s/^  reason: //p" "$logs/features")"
	done
	[ ${#found[@]} -gt 0 ] || { cat "$logs/features" && failed=$((failed + 1)); }
}

# What the tests call fibtrace: it, told how to attach.
forced() { # TIER
	local wrapper=$logs/fibtrace.$1
	cat >"$wrapper" <<-END
		#!/bin/sh
		case "\${1:-}" in
		features | read | diff | -r) ;;
		*) set -- --attach "$1" "\$@" ;;
		esac
		exec "$binary" "\$@"
	END
	chmod 755 "$wrapper"
	echo "$wrapper"
}

# The words that run a test.
test_command() { # TEST
	case "$1" in
	smoke | capabilities | locked | cases) echo "tests/vm/$1.sh" ;;
	filter_same) echo "$builds/tests/live/filter_same" "$builds/tests/live/filter_same.bpf.o" ;;
	oracle) echo tests/live/oracle.sh --lookups "$LOOKUPS" --one-family ;;
	*) echo "tests/live/$1.sh" ;;
	esac
}

add_totals() { # LOG STATUS
	local line
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$1" | tail -n 1)
	# Nothing ran: as bad as a failure, for nothing that a test needs is missing here.
	if [ -z "$line" ] || [ "$line" = '0 passed, 0 failed, 0 skipped' ]; then
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

# taints: those of the kernel that tell of a fault of its own: 128, it died, and 512, it warned.
taints() {
	local all
	read -r all </proc/sys/kernel/tainted
	echo $((all & (128 | 512)))
}

# What IPv6 of 5.10 uses when the rules end behind a suppressed route is a route that it has let go
# of: quirks6.sh has it do so, and what holds too few references is warned of when it is freed.
known_fault() { # TEST NEW-TAINTS
	[[ $1 == quirks6 && $2 == 512 && $(uname -r) == 5.10.* ]] &&
		dmesg | grep -a -q -E 'WARNING: .*(dst|refcount|rt6|fib6)'
}

# A fault of the kernel while a test ran is a failure, whatever the test says.
check_kernel() { # TIER TEST
	local now new
	now=$(taints)
	new=$((now & ~tainted))
	tainted=$now
	[ "$new" -ne 0 ] || return 0
	if known_fault "$2" "$new"; then
		echo "# $1 $2: the kernel's known fault"
		return 0
	fi
	failed=$((failed + 1))
	echo "fail $1 $2: the kernel is at fault (taint $new):"
	dmesg | grep -a -m 3 -A 20 -E 'BUG|WARNING|Oops'
}

run_test() { # TIER TEST
	local log=$logs/$1.$2.log status began=$SECONDS words fibtrace=$binary
	read -r -a words < <(test_command "$2")
	[ "$1" = all ] || fibtrace=$(forced "$1")
	FIBTRACE=$fibtrace FIBTRACE_ATTACH=${1/#all/auto} TIERS=${found[*]} \
		SCRIPT_LIMIT_S=$LIMIT_S SCHEMA_LINES=40 \
		SCHEMA_CHECK=$tree/tests/vm/no_schema.sh \
		timeout -k 10 $((LIMIT_S + 20)) "${words[@]}" >"$log" 2>&1 </dev/null
	status=$?
	if add_totals "$log" "$status"; then
		printf '%s %s: %s (%d s)\n' "$1" "$2" "$totals" $((SECONDS - began))
		grep -E '^(skip |# )' "$log"
		return
	fi
	printf '%s %s: %s (%d s), status %d\n' "$1" "$2" "$totals" $((SECONDS - began)) "$status"
	# The oracle prints whole policies: which lookups failed, and the seed, tell more.
	grep -a -E '^(fail|FAIL|skip|seed|differs|Traceback|[a-zA-Z]*Error|  lookup)' "$log" |
		cut -c 1-400 | head -n 40
	tail -n 10 "$log" | cut -c 1-400
}

# tiers_of TIERS: those that are there, "all" for one run that is told none.
tiers_of() {
	case "$1" in
	once) echo all ;;
	each) printf '%s\n' "${found[@]}" ;;
	*) tr , '\n' <<<"$1" | grep -x -F "$(printf '%s\n' "${found[@]}")" ;;
	esac
}

run_everywhere() { # TEST[:TIERS]
	local name=${1%%:*} tiers=${1#*:} tier
	[[ $1 == *:* ]] || tiers=$(test_tiers "$name") || tiers=once
	# Asked for by its name alone, it is run in every tier that it could be.
	[[ $1 == *:* || $tiers == once ]] || tiers=each
	for tier in $(tiers_of "$tiers"); do
		run_test "$tier" "$name"
		check_kernel "$tier" "$name"
	done
}

main() {
	local test
	[ $# -gt 0 ] || { echo 'inside.sh: give a test' >&2 && return 2; }
	copy_tree || return
	check_tiers
	for test in "$@"; do
		[ ${#found[@]} -eq 0 ] || run_everywhere "$test"
	done
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}

found=() tainted=$(taints)
# On one line: this file, too, may change under the shell that reads it.
main "$@"; exit
