#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of lookups inside lookups: a process sends in a loop, packets that come in interrupt it on
# its own processor, and each lookup keeps its own flow, walk, purpose and place in the counts.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/neighbours.sh"

SENDS=${NESTING_SENDS:-20000}
NESTING=$LIVE_DIR/nesting.py
# Room for all that is sent, even if none of it were read: what is lost here is a fault.
ATTACH=(--attach "${FIBTRACE_ATTACH:-auto}" --buffer "$((SENDS * 6))K")
SENDERS="10.1.0.1 10.2.0.1 10.3.0.1"

# nesting.py knows the walk that these rules give to each flow.
nesting_rules() {
	local table
	ip_in host -batch - <<-END
		rule add pref 100 fwmark 1 lookup 101
		rule add pref 110 fwmark 1 lookup 111
		rule add pref 120 fwmark 2 lookup main suppress_prefixlength 0
		rule add pref 130 fwmark 2 lookup 121
		rule add pref 140 fwmark 3 lookup 102
		rule add pref 150 fwmark 3 prohibit
		rule add pref 160 from 192.0.2.22 lookup 103
		rule add pref 170 from 192.0.2.22 lookup 122
		rule add pref 180 iif eth0 lookup 104
		rule add pref 200 to 10.1.0.0/16 lookup 201
		rule add pref 210 to 10.2.0.0/16 lookup 202
		rule add pref 215 to 10.3.0.0/16 lookup 105
		rule add pref 220 to 10.3.0.0/16 unreachable
		rule add pref 500 lookup local
		rule del pref 0
		route add default via 192.0.2.1
		route add throw 203.0.113.11 table 101
		route add 203.0.113.0/24 via 198.51.100.1 table 111
		route add default via 198.51.100.1 table 121
		route add 203.0.113.14 via 198.51.100.1 table 122
		route add 10.1.0.0/16 via 192.0.2.1 table 201
		route add 10.2.0.0/16 via 198.51.100.1 table 202
	END
	for table in 102 103 104 105; do
		echo "route add 10.99.0.0/16 via 192.0.2.1 table $table"
	done | ip_in host -batch -
}

# What was sent ends behind the lookups: nobody answers.
nesting_sinks() {
	in_ns peer nft -f - <<-END || lacks "this kernel has no nft"
		add table ip sink
		add chain ip sink input { type filter hook prerouting priority raw; }
		add rule ip sink input udp dport 9 drop
	END
	in_ns host nft -f - <<-END
		add table ip sink
		add chain ip sink input { type filter hook input priority 0; }
		add rule ip sink input udp dport 9 drop
	END
}

# Packets of the other processor are handed to the loop's, in the middle of whatever it does.
steer_to_the_first_processor() {
	in_ns host unshare --mount sh -c 'mount -t sysfs sysfs /sys &&
		echo 1 >/sys/class/net/eth0/queues/rx-0/rps_cpus' 2>"$WORK/rps.err"
}

#   host  eth0 192.0.2.2, .22 ─ 192.0.2.1 eth0  peer, hammers from $SENDERS
#         eth1 198.51.100.2 ─── 198.51.100.1 eth1
nesting_scene() {
	local sender last
	two_ns
	link host eth1 198.51.100.2/24 peer eth1 198.51.100.1/24
	reach host 198.51.100.1
	pin_neighbours host peer
	ip_in host address add 192.0.2.22/24 dev eth0
	for sender in $SENDERS; do
		ip_in peer address add "$sender/32" dev lo
	done
	sysctl_in host net.ipv4.conf.all.rp_filter 1
	sysctl_in host net.ipv4.conf.eth0.rp_filter 1
	nesting_rules
	nesting_sinks
	last=$(($(nproc) - 1))
	steer_to_the_first_processor || last=0
	processors=0,$last
}

# packets_received: those that host's stack was given, as the kernel counts them.
packets_received() {
	in_ns host awk '$1 == "Ip:" && $4 ~ /[0-9]/ { print $4 }' /proc/net/snmp
}

# nest ARG…: the loop and the hammers, traced. Leaves what nesting.py says in $WORK/said, and how
# many of the hammers' packets arrived and were dropped on the way in $received and $dropped.
nest() {
	received=$(packets_received)
	trace_json host "${ATTACH[@]}" "$@" -- "$NESTING" run --processors "$processors" \
		--peer "/run/netns/$(ns peer)" --sends "$SENDS" --result "$WORK/result"
	same "the exit status" "$status" 0
	received=$(($(packets_received) - received))
	"$NESTING" check --trace "$WORK/trace" --looper "$(sed -n 's/^looper //p' "$WORK/result")" \
		--processors "$processors" >"$WORK/said"
	cat "$WORK/result" >>"$WORK/said"
	dropped=$(($(said "sent") - received))
	same "the wrong lookups: $(grep -m 1 '^problem ' "$WORK/said" | cut -c 1-1500)" \
		"$(said problems)" 0
	lost_by_skipped_runs || fail "lost is '$(summary "$WORK/trace" .lost)'"
	[ "$(summary "$WORK/trace" .unfinished)" -le "$(summary "$WORK/trace" '.missed // 0')" ] ||
		fail "unfinished is '$(summary "$WORK/trace" .unfinished)'"
}

# Nothing is lost but what began where one of our programs was interrupted, of which the kernel
# skips the runs that would come inside.
lost_by_skipped_runs() {
	summary "$WORK/trace" '.lost == 0 or .missed == null or .missed > 0' | grep -q -x true
}

said() {
	sed -n "s/^$1 //p" "$WORK/said"
}

# absent WANT GOT WHAT [MORE]: how many lookups are not there. The kernel may have skipped runs of
# our programs, when they would have interrupted one another; it says how many, or does not count.
absent() {
	local missed
	missed=$(summary "$WORK/trace" .missed)
	[ "$2" -le "$1" ] || fail "$3: $2 lookups for $1"
	[ "$missed" = null ] || [ $(($1 - $2)) -le $((missed + ${4:-0})) ] ||
		fail "$3: $2 lookups for $1, and the kernel skipped $missed runs"
}

# accounted: every send and every packet, by its flow and in all.
accounted() {
	local sender inputs=0 checks=0
	for flow in mark-1 mark-2 mark-3 from; do
		absent $((SENDS / 4)) "$(said "count $flow")" "$flow"
	done
	for sender in $SENDERS; do
		absent "$(said "sent-$sender")" "$(said "count input-$sender")" \
			"input from $sender" "$dropped"
		inputs=$((inputs + $(said "count input-$sender")))
		checks=$((checks + $(said "count check-$sender")))
	done
	absent "$received" "$inputs" inputs
	absent "$received" "$checks" source-checks
	absent $((SENDS + 2 * received)) "$(summary "$WORK/trace" .seen)" "all flows"
	# Otherwise they would not have been in each other's way.
	[ "$(said turns)" -ge 10 ] || fail "loop and packets took turns $(said turns) times only"
	echo "# $SENDS sends, $received packets, $(said turns) turns, $(said inside) inside" \
		"another, $((SENDS + 2 * received - $(summary "$WORK/trace" .seen))) absent," \
		"missed $(summary "$WORK/trace" .missed)"
}

nested_lookups_keep_their_own_walks() {
	nesting_scene
	nest
	accounted
}

# Nothing interrupts the loop: what comes in is handled between its sends.
lookups_that_take_turns_are_all_there() {
	nesting_scene
	processors=0,0
	nest
	accounted
}

nested_lookups_are_filtered_by_their_own_mark() {
	nesting_scene
	nest -m 2
	absent $((SENDS / 4)) "$(said "count mark-2")" "mark 2"
	same "the lookups shown" "$(summary "$WORK/trace" .shown)" "$(said "count mark-2")"
	[ "$(summary "$WORK/trace" .filtered)" -ge $((SENDS / 2)) ] ||
		fail "only $(summary "$WORK/trace" .filtered) were filtered"
}

nested_lookups_are_filtered_by_their_own_verdict() {
	nesting_scene
	nest --pref 220 --pref 150
	absent $((SENDS / 4)) "$(said "count mark-3")" "mark 3"
	absent "$(said sent-10.3.0.1)" "$(said "count check-10.3.0.1")" "source-check of 10.3.0.1" \
		"$dropped"
	same "the lookups shown" "$(summary "$WORK/trace" .shown)" \
		$(($(said "count mark-3") + $(said "count check-10.3.0.1")))
	[ "$(summary "$WORK/trace" .filtered)" -ge $((SENDS / 2)) ] ||
		fail "only $(summary "$WORK/trace" .filtered) were filtered"
}

require nft
run_tests nested_lookups_keep_their_own_walks lookups_that_take_turns_are_all_there \
	nested_lookups_are_filtered_by_their_own_mark \
	nested_lookups_are_filtered_by_their_own_verdict
