#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs groups of tests (unit, replay, lint, live, vm) and ends with one line of totals.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
export FIBTRACE=$PWD/$BUILD/fibtrace BUILD
export MONITOR_DUMP=$PWD/$BUILD/tests/live/monitor_dump UDP_FLOOD=$PWD/$BUILD/tests/live/udp_flood
export SEND=$PWD/$BUILD/tests/live/send
LOGS=$BUILD/logs
mkdir -p "$LOGS"

passed=0 failed=0 skipped=0
broken=()

# Adds the totals of a log whose last line of that form tells them.
add_totals() { # LOG
    local line
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$1" | tail -n 1)
    [ -n "$line" ] || return 1
    # shellcheck disable=SC2086
    set -- $line
    passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + $5))
    totals=$line
    [ "$3" -eq 0 ]
}

# Adds the lines of a TAP log, as cmocka writes it.
add_tap() { # LOG
    local ok not_ok skip
    skip=$(grep -cE '^ok .*# SKIP' "$1")
    ok=$(($(grep -cE '^ok ' "$1") - skip))
    not_ok=$(grep -cE '^not ok ' "$1")
    passed=$((passed + ok)) failed=$((failed + not_ok)) skipped=$((skipped + skip))
    totals="$ok passed, $not_ok failed, $skip skipped"
    [ $((ok + skip)) -gt 0 ] && [ "$not_ok" -eq 0 ]
}

# A program that only passes or fails.
add_status() { # LOG
    [ "$status" -eq 0 ] && passed=$((passed + 1)) totals="1 passed, 0 failed, 0 skipped" && return
    failed=$((failed + 1)) totals="0 passed, 1 failed, 0 skipped"
    return 1
}

run() { # ADDER NAME COMMAND…
    local adder=$1 name=$2 log status totals='no totals' began=$SECONDS good=1
    shift 2
    log=$LOGS/${name//\//_}.log
    "$@" >"$log" 2>&1 </dev/null
    status=$?
    "$adder" "$log" || good=0
    # One that could do nothing here, and says so of each test, is no failure.
    [ "$status" -ne 77 ] || [[ ! $totals =~ ^'0 passed, 0 failed, '[1-9] ]] || status=0
    [ "$totals" != '0 passed, 0 failed, 0 skipped' ] || totals='no totals'
    # A test that died, ran nothing or printed no totals has failed whatever it counted.
    if { [ "$status" -ne 0 ] && [ "$totals" = 'no totals' ]; } ||
        { [ "$status" -ne 0 ] && [ "$good" -eq 1 ]; } || [ "$totals" = 'no totals' ]; then
        failed=$((failed + 1)) good=0
    fi
    printf '%-28s %s (%d s)\n' "$name" "$totals" $((SECONDS - began))
    if [ "$good" -eq 0 ]; then
        broken+=("$name")
        echo "--- $name ended with status $status; the end of $log:"
        tail -n 60 "$log"
        echo '---'
    fi
}

group_unit() {
    local test
    for test in tests/unit/test_*.c; do
        test=$(basename "$test" .c)
        CMOCKA_MESSAGE_OUTPUT=TAP run add_tap "unit/$test" "$BUILD/tests/unit/$test"
    done
}

group_replay() {
    run add_totals replay tests/replay/run.sh
}

group_lint() {
    run add_status lint/deps tests/lint/deps.sh
    run add_status lint/docs tests/lint/docs.sh "$FIBTRACE"
    run add_status lint/format tests/lint/format.sh
    run add_status lint/install tests/lint/install.sh
    run add_status lint/lists tests/lint/lists.sh
    run add_status lint/shell tests/lint/shell.sh
}

group_live() {
    local test lookups=1000
    [ "${FULL:-}" = 1 ] && lookups=5000
    if [ "$(id -u)" -ne 0 ]; then
        echo 'the live tests need root: run make test as root' >&2
        failed=$((failed + 1)) broken+=(live)
        return
    fi
    run add_totals live/filter_same "$BUILD/tests/live/filter_same" \
        "$BUILD/tests/live/filter_same.bpf.o"
    for test in netlink usage filters filters6 failing_ping failing_ping6 story story6 owners \
        purposes purposes6 netns netns_many vrf counts record diff streams journal packaging \
        robust known churn scale attributes nesting nesting6 groups cases_tunnels cases_policy \
        cases_marks cases_selectors healthy quirks6 cases6; do
        run add_totals "live/$test" "tests/live/$test.sh"
    done
    run add_totals live/oracle tests/live/oracle.sh --lookups "$lookups"
}

group_vm() {
    run add_totals vm tests/vm/run.sh
    [ "${FULL:-}" != 1 ] || run add_totals vm/powercut tests/vm/powercut.sh
}

for group in "$@"; do
    "group_$group"
done
[ ${#broken[@]} -eq 0 ] || echo "failed: ${broken[*]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
