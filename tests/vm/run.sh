#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs the live tests in the kernels of the table, two guests at a time, each test in each tier
# of its kernel: run.sh [KERNEL…] [--test TEST…]. FULL=1 runs all of them; otherwise a smoke and
# the oracle. Ends with one line of totals.
set -u
. "$(dirname "$0")/lib.sh"

LOGS=$ROOT_DIR/${BUILD:-build}/logs
[[ ${BUILD:-} != /* ]] || LOGS=$BUILD/logs
JOBS=${VM_JOBS:-2}
passed=0 failed=0 skipped=0
kernels=() tests=()
mkdir -p "$LOGS" "$VM_CACHE"

parse_arguments() {
	local list=kernels
	while [ $# -gt 0 ]; do
		case "$1" in
		--test) list=tests ;;
		-*) die 2 "unknown option $1" ;;
		*)
			local -n target=$list
			target+=("$1")
			;;
		esac
		shift
	done
}

# Every live test; what is sourced by them is not executable, and the demo is none.
all_tests() {
	local script
	echo smoke
	for script in "$ROOT_DIR"/tests/live/*.sh; do
		script=$(basename "$script" .sh)
		[ "$script" != demo ] && [ -x "$ROOT_DIR/tests/live/$script.sh" ] && echo "$script"
	done
}

# run_kernel NAME: everything of one kernel, into its log; the last line tells the totals.
run_kernel() {
	local limit=600
	[ "${FULL:-}" = 1 ] && limit=3600
	"$VM_DIR/boot.sh" --limit "${VM_LIMIT_S:-$limit}" "$1" \
		env "BUILD=${BUILD:-build}" "VM_LOOKUPS=${VM_LOOKUPS:-60}" \
		tests/vm/inside.sh "${tests[@]}" >"$LOGS/vm_$1.log" 2>&1
	echo $? >"$LOGS/vm_$1.status"
}

report_kernel() { # NAME
	local log=$LOGS/vm_$1.log status totals
	read -r status <"$LOGS/vm_$1.status"
	totals=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n 1)
	echo "== $1 ($(cat "$VM_CACHE/$1/release" 2>/dev/null || echo 'not there'))"
	cat "$log"
	if [ "$status" -eq "$STATUS_SKIP" ] && [ -z "$totals" ]; then
		totals='0 passed, 0 failed, 1 skipped'
	elif [ -z "$totals" ] || { [ "$status" -ne 0 ] && [[ $totals == *' 0 failed'* ]]; }; then
		totals='0 passed, 1 failed, 0 skipped'
	fi
	# shellcheck disable=SC2086
	set -- $totals
	passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + $5))
}

run_all() {
	local kernel running=0
	for kernel in "${kernels[@]}"; do
		if [ "$running" -ge "$JOBS" ]; then
			wait -n
			running=$((running - 1))
		fi
		run_kernel "$kernel" &
		running=$((running + 1))
	done
	wait
}

parse_arguments "$@"
[ ${#kernels[@]} -gt 0 ] || mapfile -t kernels < <(kernel_names)
if [ ${#tests[@]} -eq 0 ]; then
	tests=(smoke oracle)
	[ "${FULL:-}" = 1 ] && mapfile -t tests < <(all_tests)
fi
for kernel in "${kernels[@]}"; do
	kernel_row "$kernel" >/dev/null || die 2 "no kernel '$kernel'"
done
run_all
for kernel in "${kernels[@]}"; do
	report_kernel "$kernel"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
