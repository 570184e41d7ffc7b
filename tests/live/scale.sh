#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of big policies: a thousand rules and 200,000 routes are read, and each lookup explained by
# them, in little time and memory.

# Emulated processors take some fifty times as long: there, fewer routes, and no limit on time. The
# kit hides what tells that.
[ ! -e /run/vm/command ] || export EMULATED=1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/neighbours.sh"

routes=200000 sends=2000
[ -z "${EMULATED:-}" ] || routes=20000 sends=200
ROUTES=${SCALE_ROUTES:-$routes}
SENDS=${SCALE_SENDS:-$sends}
RULES=1000
UDP_FLOOD=$(realpath -m "${UDP_FLOOD:-$ROOT_DIR/build/tests/live/udp_flood}")
ATTACH=(--attach "${FIBTRACE_ATTACH:-auto}")
TRACE_LIMIT_S=200

big_table() {
	seq 0 $((ROUTES - 1)) |
		awk '{ printf "route add 10.%d.%d.%d via 192.0.2.1 table 77\n",
			$1 / 65536, $1 / 256 % 256, $1 % 256 }' | ip_in host -batch -
}

# Of every kind some, half of them with the big table; the last alone is for every packet.
mixed_rules() {
	seq 1 $((RULES - 1)) | awk '
		BEGIN {
			selector[0] = "fwmark 0x%x/0xffff"
			selector[1] = "from 198.51.%d.0/24"
			selector[2] = "uidrange 2000-%d"
			selector[3] = "ipproto tcp dport %d"
			selector[4] = "not to 10.0.0.0/8 dport 1-%d"
		}
		{
			number = $1 % 5 == 1 ? $1 % 256 : 2000 + $1
			printf "rule add pref %d " selector[$1 % 5] " lookup %d\n", 1000 + $1,
				number, $1 % 2 ? 77 : 1000 + $1
		}' | ip_in host -batch -
	ip_in host rule add pref 2000 lookup 77
}

big_scene() {
	two_ns
	pin_neighbours host
	big_table
	mixed_rules
	target=10.0.$((ROUTES / 2 / 256 % 256)).7
}

# measure FORMAT SENDS DESTINATION ARG…: traces as many sends; what scale.py says is in $WORK/said.
measure() {
	in_ns host timeout -k 5 "$TRACE_LIMIT_S" "$LIVE_DIR/scale.py" $((RULES + 3)) \
		"$FIBTRACE" --format "$1" "${ATTACH[@]}" "${@:4}" -- "$UDP_FLOOD" "$3" 9 "$2" \
		>"$WORK/said" 2>"$WORK/trace.err"
	same "the exit status" "$(said status)" 0
	same "the lookups without a step for each rule" "$(said incomplete)" 0
	same "the lookups shown" "$(said lookups)" "$2"
}

said() {
	sed -n "s/^$1 //p" "$WORK/said"
}

# in_time WHAT GOT MOST
in_time() {
	[ -n "${EMULATED:-}" ] || [ "$2" -le "$3" ] || fail "$1: $2, not at most $3"
}

every_rule_of_a_big_policy_is_accounted_for() {
	big_scene
	trace_json host "${ATTACH[@]}" -c 1 -- "$UDP_FLOOD" "$target" 9 1
	expect 'length' 1 'first.steps | length' $((RULES + 3)) \
		'first.verdict | "\(.priority) \(.table) \(.dst)"' "2000 77 $target" \
		'first | step(1500) | "\(.outcome): \(.reason)"' \
		'skipped: fwmark 0x0 & 0xffff = 0x0 ≠ 0x9c4' \
		'first | step(1501) | "\(.reason) \(.would_match.dst)"' \
		"source unset, needs 198.51.245.0/24 $target" \
		'first | step(1997).reason' 'uid 0 not in 2000-2997' \
		'first | step(1999).reason' \
		'not: all of from all to 10.0.0.0/8 dport 1-2999 matched' \
		'first | step(32766).outcome' not-reached 'first.findings | type' array
}

# each_takes FORMAT: what a lookup takes is what a trace of many takes more than a trace of one, in
# processor time, by the number of them: fibtrace, the system calls by which it writes, and the sender.
each_takes() {
	local one
	measure "$1" 1 "$target" -c 1
	one=$(said processor-us)
	first=$(said first-ms)
	measure "$1" $((SENDS + 1)) "$target"
	each=$((($(said processor-us) - one) / SENDS))
}

# The line format writes little of what there is to say of a lookup, but all of it is found out:
# that is what explaining takes. In JSON each lookup is as long as a book's chapter.
a_big_policy_costs_little_time() {
	local first each in_json
	big_scene
	each_takes json
	in_json="$each µs in JSON of $(said size) bytes; $(said memory-kb) KiB resident"
	in_time "µs for each lookup in JSON" "$each" 3000
	each_takes line
	echo "# $RULES rules, $ROUTES routes: the first lookup after $first ms; of $SENDS more each" \
		"${EMULATED:+(emulated) }$each µs of processor time, $in_json"
	in_time "ms until the first lookup" "$first" 2000
	in_time "µs for each lookup" "$each" 1000
}

# Every rule would apply: each lookup has a step for each from when it is explained.
a_flood_takes_no_memory_for_what_is_not_written_yet() {
	local one most
	two_ns
	pin_neighbours host
	ip_in host route add default via 192.0.2.1
	ip_in host rule add pref 1000 lookup main
	seq 2 "$RULES" | awk '{ print "rule add pref", 1000 + $1, "lookup", 1000 + $1 }' |
		ip_in host -batch -
	measure json 1 203.0.113.1 -c 1
	one=$(said memory-kb)
	measure json "$SENDS" 203.0.113.1
	most=$(said memory-kb)
	echo "# $SENDS lookups of $RULES steps: $one KiB resident after the first, $most KiB at most"
	# The ring buffer, and the steps of one batch.
	[ $((most - one)) -le $((48 << 10)) ] || fail "$most KiB, $one KiB after the first lookup"
}

[ -x "$UDP_FLOOD" ] || skip_all "needs $UDP_FLOOD"
run_tests every_rule_of_a_big_policy_is_accounted_for a_big_policy_costs_little_time \
	a_flood_takes_no_memory_for_what_is_not_written_yet
