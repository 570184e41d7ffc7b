#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs the live tests in the kernels of the table and their variants, two guests at a time:
# run.sh [KERNEL|VARIANT…] [--test TEST…]. FULL=1 runs all that the table of tests has for them,
# otherwise a smoke and the oracle. Ends with one line of totals.
set -u
. "$(dirname "$0")/lib.sh"

builds=$(cd "$ROOT_DIR" && realpath -m "${BUILD:-build}")
LOGS=$builds/logs
FIBTRACE=${FIBTRACE:-$builds/fibtrace}
JOBS=${VM_JOBS:-2}
passed=0 failed=0 skipped=0
boots=() tests=()
limit=1800 lookups=60
[ "${FULL:-}" != 1 ] || limit=10800 lookups=300
mkdir -p "$LOGS" "$VM_CACHE"

parse_arguments() {
	local list=boots
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

# tests_of BOOT: what was asked for, else what the table has for it; a variant is for its own alone.
tests_of() {
	if [ ${#tests[@]} -gt 0 ]; then
		echo "${tests[@]}"
	elif variant_row "$1" >/dev/null; then
		variant_row "$1" | cut -f 4
	elif [ "${FULL:-}" = 1 ]; then
		tests_for "$1" no
	else
		tests_for "$1" yes
	fi
}

# run_boot NAME: everything of one guest, into its log; the last line tells the totals.
run_boot() {
	local words
	words=$(variant_row "$1" | cut -f 3)
	# shellcheck disable=SC2046 # a list
	"$VM_DIR/boot.sh" --limit "${VM_LIMIT_S:-$limit}" --append "$words" \
		"$(kernel_of "$1")" env "BUILD=${BUILD:-build}" \
		"VM_LOOKUPS=${VM_LOOKUPS:-$lookups}" \
		tests/vm/inside.sh $(tests_of "$1") >"$LOGS/vm_$1.log" 2>&1
	echo $? >"$LOGS/vm_$1.status"
}

# check_recording BOOT TIER FORMAT=SUM… DATA: what a guest recorded reads here as it did there.
check_recording() {
	local data=${*: -1} file=$LOGS/vm_$1_$2.log.gz word sum
	base64 -d <<<"$data" >"$file" || return
	for word in "${@:3:$#-3}"; do
		sum=$(gzip -dc "$file" | "$FIBTRACE" read --format "${word%%=*}" - 2>/dev/null |
			sha256sum)
		[ "${sum%% *}" = "${word#*=}" ] || return
	done
}

# check_recordings BOOT LOG
check_recordings() {
	local words
	while read -r -a words; do
		if check_recording "$1" "${words[@]:2}"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "fail $1: what ${words[2]} recorded is another here"
		fi
	done < <(grep '^# recorded ' "$2")
}

report_boot() { # NAME
	local log=$LOGS/vm_$1.log status totals
	read -r status <"$LOGS/vm_$1.status"
	totals=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n 1)
	echo "== $1 ($(cat "$VM_CACHE/$(kernel_of "$1")/release" 2>/dev/null ||
		echo 'not there'))"
	sed 's/^\(# recorded [a-z]*\) .*/\1/' "$log"
	check_recordings "$1" "$log"
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
	local boot running=0
	for boot in "${boots[@]}"; do
		if [ "$running" -ge "$JOBS" ]; then
			wait -n
			running=$((running - 1))
		fi
		run_boot "$boot" &
		running=$((running + 1))
	done
	wait
}

parse_arguments "$@"
if [ ${#boots[@]} -eq 0 ]; then
	mapfile -t boots < <(kernel_names)
	# With tests of one's own choice, kernels as they are will do.
	[ ${#tests[@]} -gt 0 ] || mapfile -t -O "${#boots[@]}" boots < <(rows variants | cut -f 1)
fi
for boot in "${boots[@]}"; do
	kernel_row "$(kernel_of "$boot")" >/dev/null || die 2 "no kernel '$boot'"
done
run_all
for boot in "${boots[@]}"; do
	report_boot "$boot"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
