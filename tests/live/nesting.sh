#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of lookups inside lookups: a process sends in a loop, packets that come in interrupt it on
# its own processor, and each lookup keeps its own flow, walk, purpose and place in the counts. For
# IPv4, or what $FAMILY says.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/neighbours.sh"

SENDS=${NESTING_SENDS:-20000}
NESTING=$LIVE_DIR/nesting.py
# Room for all that is sent, even if none of it were read: what is lost here is a fault.
ATTACH=(--attach "${FIBTRACE_ATTACH:-auto}" --buffer "$((SENDS * 6))K")
if [ "$FAMILY" = 6 ]; then
	OTHER=2001:db8:1::22 HOST1=2001:db8:2::2 FAR=2001:db8:113:: FAR_NET=2001:db8:113::/48
	SENDERS=(2001:db8:a1::1 2001:db8:a2::1 2001:db8:a3::1) NOT_SENT=2001:db8:a9::/48
	NET1=2001:db8:a1::/48 NET2=2001:db8:a2::/48 NET3=2001:db8:a3::/48 NFT=ip6
	# What hosts tell others of their groups is no lookup of ours.
	ATTACH+=(-d 2001:db8::/32)
else
	OTHER=192.0.2.22 HOST1=198.51.100.2 FAR=203.0.113. FAR_NET=203.0.113.0/24
	SENDERS=(10.1.0.1 10.2.0.1 10.3.0.1) NOT_SENT=10.99.0.0/16
	NET1=10.1.0.0/16 NET2=10.2.0.0/16 NET3=10.3.0.0/16 NFT=ip
fi

# nesting.py knows the walk that these rules give to each flow.
nesting_rules() {
	local table
	family_in host -batch - <<-END
		rule add pref 100 fwmark 1 lookup 101
		rule add pref 110 fwmark 1 lookup 111
		rule add pref 120 fwmark 2 lookup main suppress_prefixlength 0
		rule add pref 130 fwmark 2 lookup 121
		rule add pref 140 fwmark 3 lookup 102
		rule add pref 150 fwmark 3 prohibit
		rule add pref 160 from $OTHER lookup 103
		rule add pref 170 from $OTHER lookup 122
		rule add pref 180 iif eth0 lookup 104
		rule add pref 200 to $NET1 lookup 201
		rule add pref 210 to $NET2 lookup 202
		rule add pref 215 to $NET3 lookup 105
		rule add pref 220 to $NET3 unreachable
		rule add pref 500 lookup local
		rule del pref 0
		route add default via $NEXT
		route add throw ${FAR}11 table 101
		route add $FAR_NET via $BEHIND table 111
		route add default via $BEHIND table 121
		route add ${FAR}14 via $BEHIND table 122
		route add $NET1 via $NEXT table 201
		route add $NET2 via $BEHIND table 202
	END
	for table in 102 103 104 105; do
		echo "route add $NOT_SENT via $NEXT table $table"
	done | family_in host -batch -
}

# What was sent ends behind the lookups: nobody answers.
nesting_sinks() {
	in_ns peer nft -f - <<-END || lacks "this kernel has no nft"
		add table $NFT sink
		add chain $NFT sink input { type filter hook prerouting priority raw; }
		add rule $NFT sink input udp dport 9 drop
	END
	in_ns host nft -f - <<-END
		add table $NFT sink
		add chain $NFT sink input { type filter hook input priority 0; }
		add rule $NFT sink input udp dport 9 drop
	END
}

# Packets of the other processor are handed to the loop's, in the middle of whatever it does.
steer_to_the_first_processor() {
	in_ns host unshare --mount sh -c 'mount -t sysfs sysfs /sys &&
		echo 1 >/sys/class/net/eth0/queues/rx-0/rps_cpus' 2>"$WORK/rps.err"
}

# A second lookup about each packet: IPv4 asks about its source, IPv6 where nft has it asked.
check_sources4() {
	sysctl_in host net.ipv4.conf.all.rp_filter 1 net.ipv4.conf.eth0.rp_filter 1
}

check_sources6() {
	in_ns host nft -f - <<-END || lacks "this kernel has no fib expression of nft"
		add table ip6 check
		add chain ip6 check prerouting { type filter hook prerouting priority raw; }
		add rule ip6 check prerouting udp dport { 9, 10 } fib saddr . iif oif missing accept
	END
}

#   host  eth0 $HOST, $OTHER ── $NEXT eth0  peer, hammers from $SENDERS
#         eth1 $HOST1 ───────── $BEHIND eth1
nesting_scene() {
	local sender last
	two_ns
	link host eth1 "$HOST1$ON_LINK" peer eth1 "$BEHIND$ON_LINK"
	reach host "$BEHIND"
	pin_neighbours host peer
	ip_batch host "address add $OTHER$ON_LINK dev eth0"
	for sender in "${SENDERS[@]}"; do
		ip_in peer address add "$sender" dev lo
	done
	"check_sources$FAMILY"
	nesting_rules
	nesting_sinks
	last=$(($(nproc) - 1))
	steer_to_the_first_processor || last=0
	processors=0,$last
}

# packets_received: those that host's stack was given, as the kernel counts them.
packets_received() {
	"packets_received$FAMILY"
}

packets_received4() {
	in_ns host awk '$1 == "Ip:" && $4 ~ /[0-9]/ { print $4 }' /proc/net/snmp
}

# Without those to groups.
packets_received6() {
	in_ns host awk '$1 == "Ip6InReceives" { all = $2 }
		$1 == "Ip6InMcastPkts" { print all - $2 }' /proc/net/snmp6
}

# nest ARG…: the loop and the hammers, traced. Leaves what nesting.py says in $WORK/said, and how
# many of the hammers' packets arrived and were dropped on the way in $received and $dropped.
nest() {
	received=$(packets_received)
	trace_json host "${ATTACH[@]}" "$@" -- "$NESTING" run --family "$FAMILY" \
		--processors "$processors" --peer "/run/netns/$(ns peer)" --sends "$SENDS" --result "$WORK/result"
	same "the exit status" "$status" 0
	received=$(($(packets_received) - received))
	"$NESTING" check --family "$FAMILY" --trace "$WORK/trace" --processors "$processors" \
		--looper "$(sed -n 's/^looper //p' "$WORK/result")" >"$WORK/said"
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
	for sender in "${SENDERS[@]}"; do
		absent "$(said "sent-$sender")" "$(said "count input-$sender")" \
			"input from $sender" "$dropped"
		inputs=$((inputs + $(said "count input-$sender")))
		checks=$((checks + $(said "count check-$sender")))
	done
	absent "$received" "$inputs" inputs
	absent "$received" "$checks" source-checks
	absent $((SENDS + 2 * received)) "$(summary "$WORK/trace" .seen)" "all flows"
	# What no probe saw is counted, too.
	[ "$(tier)" != kprobe ] || same "what was counted of all flows" \
		"$(summary "$WORK/trace" .seen)" $((SENDS + 2 * received))
	# Otherwise they would not have been in each other's way.
	[ "$(said turns)" -ge 10 ] || fail "loop and packets took turns $(said turns) times only"
	echo "# $SENDS sends, $received packets, $(said turns) turns, $(said inside) inside" \
		"another, $((SENDS + 2 * received - $(summary "$WORK/trace" .seen))) absent," \
		"lost $(summary "$WORK/trace" .lost), missed $(summary "$WORK/trace" .missed)"
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
	local refused=${SENDERS[2]}
	nesting_scene
	nest --pref 220 --pref 150
	absent $((SENDS / 4)) "$(said "count mark-3")" "mark 3"
	absent "$(said "sent-$refused")" "$(said "count check-$refused")" "source-check of $refused" \
		"$dropped"
	same "the lookups shown" "$(summary "$WORK/trace" .shown)" \
		$(($(said "count mark-3") + $(said "count check-$refused")))
	[ "$(summary "$WORK/trace" .filtered)" -ge $((SENDS / 2)) ] ||
		fail "only $(summary "$WORK/trace" .filtered) were filtered"
}

require nft
run_tests nested_lookups_keep_their_own_walks lookups_that_take_turns_are_all_there \
	nested_lookups_are_filtered_by_their_own_mark \
	nested_lookups_are_filtered_by_their_own_verdict
