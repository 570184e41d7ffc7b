#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of the counts: what was sent is what was shown and lost, to the packet.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/neighbours.sh"

SENDS=${SENDS:-100000}
SINK=192.0.2.1

# A sink that answers nothing: what arrives is dropped before it meets a socket. Nor does it ask for
# host's hardware address, which would be looked up like a packet of its own.
sink() {
	two_ns
	pin_neighbours host peer
	ip_in peer address add 198.51.100.1/32 dev lo
	in_ns peer nft -f - <<-END || lacks "this kernel has no nft"
		add table ip sink
		add chain ip sink input { type filter hook prerouting priority raw; }
		add rule ip sink input udp dport 9 drop
	END
}

flood_binary() {
	[ ! -x "$UDP_FLOOD" ] || return 0
	UDP_FLOOD=$WORK/udp_flood
	"${CC:-cc}" -O2 -D_GNU_SOURCE -o "$UDP_FLOOD" "$LIVE_DIR/udp_flood.c" ||
		lacks "needs $UDP_FLOOD or a C compiler"
}

# check_flood FILE: whole, and of every packet sent it is known what became of it. Where one sender
# preempts the other in the middle of a program of ours, the kernel skips the run that would come
# inside, and says how many it skipped: so many lookups may not be there, or have no end.
check_flood() {
	local absent unfinished missed
	check_complete "$1"
	check_schema "$1"
	missed=$(summary "$1" '.missed // 0')
	unfinished=$(summary "$1" .unfinished)
	absent=$((SENDS - $(summary "$1" '.shown + .lost + .unfinished')))
	[ "$absent" -ge 0 ] || fail "$((-absent)) lookups too many for $SENDS packets"
	[ $((absent + unfinished)) -le "$missed" ] ||
		fail "$absent lookups absent, $unfinished unfinished, and $missed runs were skipped"
	[ "$missed" -eq 0 ] || echo "# $absent absent, $unfinished unfinished, missed $missed"
}

every_send_is_shown_or_lost() {
	sink
	flood_binary
	status=0
	in_ns host timeout "$TRACE_LIMIT_S" "$FIBTRACE" --format json -d "$SINK" -- \
		"$UDP_FLOOD" "$SINK" 9 "$SENDS" >"$WORK/trace" 2>"$WORK/trace.err" || status=$?
	same "the exit status" "$status" 0
	check_flood "$WORK/trace"
	[ "$(summary "$WORK/trace" .shown)" -gt 0 ] || fail "nothing was shown"
	check_counts_line "$WORK/trace.err"
}

# What is flooded is not what is asked for.
what_the_filter_rejects_is_counted() {
	sink
	flood_binary
	trace_json host -d 192.0.2.77 -- "$UDP_FLOOD" "$SINK" 9 1000
	expect length 0
	same "shown, lost and filtered" \
		"$(summary "$WORK/trace" '[.shown, .lost, .filtered] | tostring')" '"[0,0,1000]"'
	grep -q 'filtered' "$WORK/trace.err" || fail "stderr does not say why nothing was shown"
}

# ping_self6 ARG…: host pings its own address of IPv6 while it is traced.
ping_self6() {
	trace_json host "$@" -- ping -6 -n -q -c 3 -i 0.01 ::1
	same "ping's exit status" "$status" 0
}

# The rules are walked by a function that both families share. Host speaks IPv6 by lo alone, where
# nothing is said unasked.
a_family_that_is_left_out_is_not_seen() {
	sink
	flood_binary
	sysctl_in host net.ipv6.conf.lo.disable_ipv6 0
	ip_in host rule add pref 100 from 203.0.113.1 lookup 100
	ip_in host -6 rule add pref 100 from 2001:db8::1 lookup 100
	trace_json host -6 -d 2001:db8::77 -- "$UDP_FLOOD" "$SINK" 9 1000
	same "the exit status" "$status" 0
	same "the lookups of IPv6 that were seen" "$(summary "$WORK/trace" .seen)" 0
	ping_self6 -6
	[ "$(summary "$WORK/trace" .seen)" -gt 0 ] || fail "no lookup of IPv6 was seen"
	ping_self6 -d "$SINK"
	same "the lookups of IPv4 that were seen" "$(summary "$WORK/trace" .seen)" 0
	grep -q 'no IPv4 lookup was seen' "$WORK/trace.err" || fail "stderr does not say it"
}

# The reader opens the pipe and reads nothing until all is sent.
slow_reader_loses_and_it_adds_up() {
	local reader
	sink
	flood_binary
	mkfifo "$WORK/pipe" "$WORK/gate"
	{ read -r _ <"$WORK/gate" && cat; } <"$WORK/pipe" >"$WORK/trace" &
	reader=$!
	cleanup kill -KILL "$reader"
	status=0
	in_ns host timeout "$TRACE_LIMIT_S" "$FIBTRACE" --format json --buffer 64k -d "$SINK" -- \
		sh -c '"$0" "$1" 9 "$2"; result=$?; echo go >"$3"; exit "$result"' \
		"$UDP_FLOOD" "$SINK" "$SENDS" "$WORK/gate" >"$WORK/pipe" 2>"$WORK/trace.err" ||
		status=$?
	wait "$reader"
	same "the exit status" "$status" 0
	check_flood "$WORK/trace"
	[ "$(summary "$WORK/trace" .lost)" -gt 0 ] || fail "nothing was lost"
	same "the lost lines' sum" "$(jq -nc '[inputs | select(.type == "lost") | .count] | add' \
		"$WORK/trace")" "$(summary "$WORK/trace" .lost)"
}

# Both processors send at once.
two_senders_add_up() {
	local SENDS=40000
	sink
	flood_binary
	status=0
	in_ns host timeout "$TRACE_LIMIT_S" "$FIBTRACE" --format json --buffer 256k -d "$SINK" -- \
		sh -c '"$0" "$1" 9 "$2" & "$0" "$1" 9 "$2"; result=$?; wait; exit "$result"' \
		"$UDP_FLOOD" "$SINK" "$((SENDS / 2))" >"$WORK/trace" 2>"$WORK/trace.err" ||
		status=$?
	same "the exit status" "$status" 0
	check_flood "$WORK/trace"
}

# The rules are walked: two tables are asked and the second answers, for every packet.
floods_through_rules_add_up() {
	local SENDS=20000
	sink
	flood_binary
	ip_in host route add 203.0.113.0/24 dev eth0 table 100
	ip_in host route add 192.0.2.0/24 dev eth0 table 101
	ip_in host rule add pref 100 lookup 100
	ip_in host rule add pref 101 lookup 101
	status=0
	in_ns host timeout "$TRACE_LIMIT_S" "$FIBTRACE" --format json -d "$SINK" -- \
		"$UDP_FLOOD" "$SINK" 9 "$SENDS" >"$WORK/trace" 2>"$WORK/trace.err" || status=$?
	same "the exit status" "$status" 0
	check_flood "$WORK/trace"
	expect 'map("\(.verdict.priority) \(.verdict.table_id)") | unique | join(",")' "101 101"
}

require nft
run_tests \
	every_send_is_shown_or_lost what_the_filter_rejects_is_counted \
	a_family_that_is_left_out_is_not_seen \
	slow_reader_loses_and_it_adds_up two_senders_add_up floods_through_rules_add_up
