#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every live test is run: on this machine by run.sh, in guests as the table of the kernels' tests
# says. One that is in no list would pass unseen.
cd "$(dirname "$0")/../.." || exit 1
. tests/vm/lib.sh
TIER='(fentry|kprobe|tracepoint)'
failed=0

complain() { # TEXT
	echo "$1"
	failed=1
}

listed() { # NAME
	awk '/^group_live/, /^}/' tests/run.sh | grep -q -w -e "$1"
}

in_variant() { # NAME
	rows variants | cut -f 4 | grep -q -w -e "$1"
}

# Those of tests/vm that inside.sh runs as tests.
vm_tests() {
	sed -n 's#^\t\(.*\)) echo "tests/vm/$1.sh" ;;$#\1#p' tests/vm/inside.sh | tr -d ' ' | tr '|' '\n'
}

# runs_on KERNEL: its tests, a line for each run in a tier; the best one is fentry.
runs_on() {
	local name tiers
	tests_for "$1" no | while IFS=: read -r name tiers; do
		sed -e 's/^each$/fentry,kprobe,tracepoint/' -e 's/^once$/fentry/' <<<"$tiers" |
			tr , '\n' | sed "s/^/$name in /"
	done
}

for script in tests/live/*.sh; do
	name=$(basename "$script" .sh)
	# What is sourced is not executable; tiers.sh compares tiers, of which this machine has one.
	if [ ! -x "$script" ] || [ "$name" = demo ]; then
		continue
	fi
	test_tiers "$name" >/dev/null || complain "$script is not in tests/vm/tests"
	[ "$name" = tiers ] || listed "$name" || complain "$script is not in tests/run.sh"
done
while read -r name tiers kernels short _; do
	[[ $tiers =~ ^(once|each|$TIER(,$TIER)*)$ && $short =~ ^(yes|no)$ ]] ||
		complain "tests/vm/tests: $name is to run '$tiers', '$short'"
	[ "$kernels" != - ] || listed "$name" || in_variant "$name" ||
		complain "tests/vm/tests: $name is run nowhere"
	[ -x "tests/live/$name.sh" ] || [ -e "tests/live/$name.c" ] ||
		vm_tests | grep -q -x -F -e "$name" ||
		complain "tests/vm/tests has $name, which is no test"
	for kernel in ${kernels//,/ }; do
		[[ $kernel =~ ^(all|-)$ ]] || kernel_row "$kernel" >/dev/null ||
			complain "tests/vm/tests has kernel $kernel, which is none"
	done
done < <(rows tests)
[ -n "$(vm_tests)" ] || complain "nothing is known of what inside.sh runs"
for name in $(vm_tests); do
	[ -x "tests/vm/$name.sh" ] || complain "inside.sh runs tests/vm/$name.sh, which is no script"
	test_tiers "$name" >/dev/null || complain "tests/vm/$name.sh is not in tests/vm/tests"
done
# What a variant runs has a row, and no run is written twice.
for name in $(rows variants | cut -f 4); do
	test_tiers "$name" >/dev/null || complain "tests/vm/variants has $name, which is no test"
done
for kernel in $(kernel_names); do
	twice=$(runs_on "$kernel" | sort | uniq -d)
	[ -z "$twice" ] || complain "tests/vm/tests has twice for $kernel: $twice"
done
exit "$failed"
