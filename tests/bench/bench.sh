#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Measures what design and documents promise of speed, on this machine as it is: run it on one that
# does nothing else. Rates are printed, not judged; what is judged is that no lookup goes
# uncounted. $LOOKUPS lookups are made in each part.

SCRIPT_LIMIT_S=1200
. "$(dirname "$0")/../live/lib.sh"

LOOKUPS=${LOOKUPS:-1000000}
RATE=${RATE:-200000}
SINK=192.0.2.77
LOG=$WORK/log
TRACE_LIMIT_S=300

# The walk of the story, three tables, and a neighbour that takes everything.
scene() {
	two_ns
	ip_in host neighbour add "$SINK" lladdr 02:00:00:00:00:77 dev eth0
	ip_batch host 'rule add pref 5208 lookup main suppress_prefixlength 24' \
		'rule add pref 5209 not fwmark 0xca6c lookup 51820' 'rule add pref 5270 lookup 52' \
		'route add default dev eth0 table 51820' 'route add 100.64.0.0/10 dev eth0 table 52'
	in_ns peer nft -f - <<-END || skip_all "needs nft"
		add table ip sink
		add chain ip sink input { type filter hook prerouting priority raw; }
		add rule ip sink input udp dport 9 drop
	END
}

# figure NAME VALUE UNIT
figure() {
	printf '%-52s %12s %s\n' "$1" "$2" "$3"
}

# ratio A B DIGITS
ratio() {
	awk -v a="$1" -v b="$2" -v digits="$3" 'BEGIN { printf "%.*f", digits, a / b }'
}

# seconds COMMAND…: how long it takes.
seconds() {
	local began=$EPOCHREALTIME
	"$@" >/dev/null
	ratio "$((${EPOCHREALTIME/./} - ${began/./}))" 1000000 3
}

flood() { # [PER_SECOND]
	in_ns host "$UDP_FLOOD" "$SINK" 9 "$LOOKUPS" "$@"
}

# counted NAME: what the summary of the trace says.
counted() {
	sed -n -E "s/^fibtrace: .*\b([0-9]+) $1\b.*/\1/p" "$WORK/out.err" | tail -n 1
}

# traced NAME ARG…: a flood during a trace with these options: its time per send is left in $ns.
# All sends were seen, and each is shown, filtered or lost.
traced() {
	local time
	BOTH_WAYS=no attach host "$WORK/out" -4 "${@:2}"
	time=$(seconds flood "${PACE[@]}")
	detach INT
	same "$1: the exit status" "$status" 0
	ns=$(ratio "$time" "$LOOKUPS" 9 | awk '{ printf "%.0f", $1 * 1e9 }')
	[ "$(counted seen)" -ge "$LOOKUPS" ] || fail "$1: $(tail -n 2 "$WORK/out.err")"
	same "$1: what is shown, filtered, lost and unfinished" \
		$(($(counted shown) + $(counted filtered) + $(counted lost) + $(counted unfinished))) \
		"$(counted seen)"
}

# Each lookup that was shown is read again.
log_is_whole() {
	"$FIBTRACE" read --format json -q "$LOG" >"$WORK/read" 2>"$WORK/read.err" ||
		fail "$(tail -n 1 "$WORK/read.err")"
	same "the lookups in the log" "$(grep -c '^{"type":"lookup"' "$WORK/read")" "$(counted shown)"
}

bench_sends() {
	local untraced
	PACE=()
	untraced=$(seconds flood)
	untraced=$(ratio "$untraced" "$LOOKUPS" 9 | awk '{ printf "%.0f", $1 * 1e9 }')
	figure "a send, untraced" "$untraced" ns
	traced rejected -d 203.0.113.1
	figure "a send, traced and rejected by the filter" "$ns" ns
	figure "  times the untraced one" "$(ratio "$ns" "$untraced" 2)" x
	traced json --format json
	figure "a send, traced into a file as JSON" "$ns" ns
	figure "  times the untraced one" "$(ratio "$ns" "$untraced" 2)" x
	figure "  lost" "$(counted lost)" lookups
	rm "$WORK/out"
	traced recorded -w "$LOG"
	figure "a send, recorded at full speed" "$ns" ns
	figure "  times the untraced one" "$(ratio "$ns" "$untraced" 2)" x
	figure "  lost" "$(counted lost)" lookups
	log_is_whole
}

bench_recording() {
	PACE=("$RATE")
	traced paced -w "$LOG"
	figure "recorded, $RATE a second wanted" "$(ratio 1000000000 "$ns" 0)" lookups/s
	figure "  recorded" "$(counted shown)" lookups
	figure "  lost" "$(counted lost)" lookups
	figure "  a lookup takes" "$(ratio "$(stat -c %s "$LOG")" "$(counted shown)" 1)" bytes
	log_is_whole
}

bench_reading() {
	local format count time
	count=$(counted shown)
	for format in json line tree; do
		time=$(seconds "$FIBTRACE" read -q --format "$format" "$LOG")
		figure "read --format $format" "$(ratio "$count" "$time" 0)" lookups/s
	done
	time=$(seconds "$FIBTRACE" read -q --stats "$LOG")
	figure "read --stats" "$(ratio "$count" "$time" 0)" lookups/s
}

# All in one test: each part needs what the one before left.
bench() {
	scene
	figure "processors" "$(nproc)" ''
	bench_sends
	bench_recording
	bench_reading
}

require nft ping
run_tests bench
