#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Replays each recording, whole and event by event, and compares with what is expected.
cd "$(dirname "$0")/../.." || exit 1
replay=${BUILD:-build}/tests/replay/replay
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

# Lines in the order of time; groups are numbered as they come.
sorted() { # FILE
    sort "$1" | awk 'match($0, /"group":[0-9]+/) {
            group = substr($0, RSTART, RLENGTH)
            if (!(group in number)) number[group] = ++groups
            sub(group, "\"group\":" number[group])
        }
        { print }'
}

# The order of what is shown depends on when it is explained; what is shown does not.
same() { # EXPECTED
    diff "$1" "$work/whole" && sorted "$1" >"$work/sorted" &&
        sorted "$work/single" | diff "$work/sorted" -
}

for events in tests/replay/*.events; do
    expected=${events%.events}.expected
    if [ ! -e "$events" ] || [ ! -e "$expected" ]; then
        echo "SKIP $events: nothing is expected of it"
        skipped=$((skipped + 1))
    elif "$replay" "$events" >"$work/whole" &&
        "$replay" --one-by-one "$events" >"$work/single" && same "$expected"; then
        echo "PASS $events"
        passed=$((passed + 1))
    else
        echo "FAIL $events"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
