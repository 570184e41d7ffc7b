#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of what the kernel is known to do that its rules and routes do not tell; where the kernel
# can be asked, or counts packets, it is the judge.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/neighbours.sh"

ANYWHERE=203.0.113.7
TRAFFIC=$LIVE_DIR/traffic.py
ATTACH=(--attach "${FIBTRACE_ATTACH:-auto}")

# The steps of the walk that ran: "priority table outcome", and what the kernel decided by.
JQ_WORDS+='
def walked: [.steps[] | select(.outcome != "not-reached" and .outcome != "skipped") |
	"\(field(.priority)) \(field(.table_id)) \(.outcome)"] | join(",");
def to(address): map(select(.flow.dst == address)) | first;
'

# scene: host with two ways to peer, where nobody asks for a hardware address.
#   host  eth0 192.0.2.2 ───── 192.0.2.1 eth0  peer
#         eth1 198.51.100.2 ── 198.51.100.1 eth1
scene() {
	two_ns
	link host eth1 198.51.100.2/24 peer eth1 198.51.100.1/24
	reach host 198.51.100.1
	pin_neighbours host peer
}

# mac NAME DEV
mac() {
	ip_in "$1" -j link show dev "$2" | jq -r '.[0].address'
}

# send STEP…: traffic of host, traced; what came of each step is left in $sent.
send() {
	trace_json host "${ATTACH[@]}" -- "$PYTHON" "$TRAFFIC" --result "$WORK/result" "$@"
	read -r _ sent <"$WORK/result"
}

# only_in_exact_tiers WHAT: skips where walks are derived from what the tables answered.
only_in_exact_tiers() {
	[ "$(tier)" != tracepoint ] || skip "the tracepoint tier cannot see $1"
}

# kernel_answer ARG…: "DEV TABLE" of `ip route get`, or the errno it ends with.
kernel_answer() {
	if ip_in host -j route get "$@" >"$WORK/answer" 2>"$WORK/answer.err"; then
		jq -r '.[0] | "\(.dev) \(.table // "main")"' "$WORK/answer"
		return
	fi
	errno_name <"$WORK/answer.err"
}

# --- a bound device ----------------------------------------------------------------------------

# overridden STEPS: a socket bound to eth0 sends although the walk ends in an error, and the
# packet does leave.
overridden() {
	local before
	ip_in host neighbour replace "$ANYWHERE" lladdr "$(mac peer eth0)" dev eth0 nud permanent
	before=$(tx_packets host eth0)
	send "udp $ANYWHERE 9 device=eth0" "udp $ANYWHERE 9"
	same "what eth0 sent" $(($(tx_packets host eth0) - before)) 1
	expect 'map(.flow.oif) | tostring' '["eth0",null]'
	expect 'map(walked) | unique | join(" and ")' "$1"
	expect 'first | facts' "output send task - unicast - - eth0 bound-device"
	expect 'last | .verdict.decided_by' "$2"
	expect 'last | .verdict.error' "${sent#ok }"
	same "what the kernel answers" "$(kernel_answer "$ANYWHERE")" "${sent#ok }"
	same "what it answers for the device" "$(kernel_answer "$ANYWHERE" oif eth0)" "eth0 main"
}

bound_device_overrides_an_unreachable_route() {
	scene
	ip_in host rule add pref 100 lookup 100
	ip_in host route add unreachable "$ANYWHERE" table 100
	overridden "0 255 no-route,100 100 unreachable" rule
	same "what came of the sends" "$sent" "ok EHOSTUNREACH"
}

bound_device_overrides_an_unreachable_rule() {
	scene
	ip_in host rule add pref 100 to "$ANYWHERE" unreachable
	overridden "0 255 no-route,100 - unreachable" rule
	same "what came of the sends" "$sent" "ok ENETUNREACH"
}

bound_device_overrides_the_end_of_the_rules() {
	scene
	ip_in host rule add pref 100 to 10.0.0.0/8 lookup main
	overridden "0 255 no-route,32766 254 no-route,32767 253 no-table" end-of-rules
	same "what came of the sends" "$sent" "ok ENETUNREACH"
}

bound_device_overrides_without_rules() {
	scene
	ip_in host route add unreachable "$ANYWHERE"
	overridden "32766 254 unreachable" built-in
	same "what came of the sends" "$sent" "ok EHOSTUNREACH"
}

# The kernel asks no table for a broadcast that a bound device sends: none is shown.
broadcast_through_a_bound_device_asks_nothing() {
	local before
	scene
	before=$(tx_packets host eth0)
	send "udp 255.255.255.255 9 device=eth0"
	same "what came of the send" "$sent" ok
	same "what eth0 sent" $(($(tx_packets host eth0) - before)) 1
	same "seen" "$(summary "$WORK/trace" .seen)" 0
}

# --- tables asked without rules ----------------------------------------------------------------

# built_in STEPS VERDICT: no rules are walked; VERDICT is "error priority table dev".
built_in() {
	send "udp ${DEST:-$ANYWHERE} 9"
	expect 'map(select(.cause == "send") | .verdict.decided_by) | join(",")' built-in
	expect 'first | walked' "$1"
	expect 'first.verdict | [field(.error), field(.priority), field(.table_id), field(.dev)] |
		join(" ")' "$2"
}

main_answers_without_rules() {
	scene
	ip_in host route add "$ANYWHERE" via 192.0.2.1
	ip_in host route add "$ANYWHERE" via 198.51.100.1 table default
	built_in "32766 254 chosen" "- 32766 254 eth0"
	same "what the kernel answers" "$(kernel_answer "$ANYWHERE")" "eth0 main"
}

# The kernel keeps local in the same trie as main then, and calls it main; the route is local's.
own_address_is_locals_without_rules() {
	scene
	DEST=192.0.2.2 built_in "0 255 chosen" "- 0 255 eth0"
	same "what the kernel answers" "$(kernel_answer 192.0.2.2)" "lo main"
}

default_is_asked_after_main_has_no_route() {
	scene
	ip_in host route add "$ANYWHERE" via 198.51.100.1 table default
	built_in "32766 254 no-route,32767 253 chosen" "- 32767 253 eth1"
	same "what the kernel answers" "$(kernel_answer "$ANYWHERE")" "eth1 default"
}

unreachable_in_default_counts() {
	scene
	ip_in host route add unreachable "$ANYWHERE" table default
	built_in "32766 254 no-route,32767 253 unreachable" "EHOSTUNREACH 32767 253 -"
	same "what the kernel answers" "$(kernel_answer "$ANYWHERE")" EHOSTUNREACH
}

# Kernels differ in whether an error of main is the end: this one's answer tells.
unreachable_in_main_may_be_overridden_by_default() {
	scene
	ip_in host route add unreachable "$ANYWHERE"
	ip_in host route add "$ANYWHERE" via 198.51.100.1 table default
	case "$(kernel_answer "$ANYWHERE")" in
	"eth1 default")
		built_in "32766 254 unreachable,32767 253 chosen" "- 32767 253 eth1"
		same "what came of the send" "$sent" ok
		;;
	EHOSTUNREACH)
		built_in "32766 254 unreachable" "EHOSTUNREACH 32766 254 -"
		same "what came of the send" "$sent" EHOSTUNREACH
		;;
	*) fail "the kernel answers $(kernel_answer "$ANYWHERE")" ;;
	esac
}

# Up to 6.18 deleting a built-in rule makes the kernel walk the others; later kernels go on asking
# table default, which no rule names any more.
deleted_default_rule_may_be_asked_all_the_same() {
	scene
	ip_in host route add "$ANYWHERE" via 198.51.100.1 table default
	ip_in host rule del pref 32767
	same "rules of table default" "$(ip_in host rule show table default)" ""
	case "$(kernel_answer "$ANYWHERE")" in
	"eth1 default")
		built_in "32766 254 no-route,32767 253 chosen" "- 32767 253 eth1"
		same "what came of the send" "$sent" ok
		;;
	ENETUNREACH)
		send "udp $ANYWHERE 9"
		same "what came of the send" "$sent" ENETUNREACH
		expect 'first | facts' "output send task ENETUNREACH none - - - end-of-rules"
		expect 'first | walked' "0 255 no-route,32766 254 no-route"
		;;
	*) fail "the kernel answers $(kernel_answer "$ANYWHERE")" ;;
	esac
}

# One rule that comes and goes: from then on the rules are walked, the three that were there.
rules_are_walked_once_there_was_one_more() {
	scene
	ip_in host route add default via 192.0.2.1
	trace_json host "${ATTACH[@]}" -d 203.0.113.0/24 -- sh -c '"$0" "$1" "udp 203.0.113.1 9" &&
		ip rule add pref 100 lookup 100 && ip rule del pref 100 &&
		"$0" "$1" "udp 203.0.113.2 9"' "$PYTHON" "$TRAFFIC"
	expect 'to("203.0.113.1") | "\(.verdict.decided_by): \(walked)"' \
		"built-in: 32766 254 chosen"
	expect 'to("203.0.113.2") | "\(.verdict.decided_by): \(walked)"' \
		"rule: 0 255 no-route,32766 254 chosen"
	same "the rules" "$(ip_in host rule show | sed 's/:.*//' | tr '\n' ' ')" "0 32766 32767 "
}

# --- rules -------------------------------------------------------------------------------------

# Each mark has a rule that suppresses or does not; behind them all is table 101, through eth1.
# What the kernel's function leaves in its register besides the answer must not count.
suppressing_rules() {
	scene
	ip_in host link set eth1 group 5
	ip_in host route add default via 192.0.2.1
	ip_in host route add 203.0.113.0/24 via 192.0.2.1
	ip_in host route add default via 198.51.100.1 table 101
	ip_in host route add 203.0.113.0/24 via 198.51.100.1 table 102
	ip_in host rule add pref 100 fwmark 1 lookup main suppress_prefixlength 0
	ip_in host rule add pref 100 fwmark 2 lookup main suppress_prefixlength 23
	ip_in host rule add pref 100 fwmark 3 lookup main suppress_prefixlength 24
	ip_in host rule add pref 100 fwmark 4 lookup main suppress_ifgroup 5
	ip_in host rule add pref 100 fwmark 5 lookup 102 suppress_ifgroup 5
	ip_in host rule add pref 101 lookup 101
}

# marked MARK: what the walk of that mark came to, and that the kernel answers the same.
marked() {
	local dev=$3
	expect "map(select(.flow.fwmark == \"0x$1\" and .flow.dst == \"$2\")) | first | walked" \
		"0 255 no-route,$4"
	expect "map(select(.flow.fwmark == \"0x$1\" and .flow.dst == \"$2\")) | first |
		.verdict.dev" "$dev"
	same "what the kernel answers for mark $1" "$(kernel_answer "$2" mark "$1")" \
		"$dev $([ "$dev" = eth0 ] && echo main || echo 101)"
}

suppressing_rules_suppress_only_what_they_say() {
	suppressing_rules
	send "udp $ANYWHERE 9 mark=1" "udp 10.0.0.1 9 mark=1" "udp $ANYWHERE 9 mark=2" \
		"udp $ANYWHERE 9 mark=3" "udp $ANYWHERE 9 mark=4" "udp $ANYWHERE 9 mark=5"
	marked 1 "$ANYWHERE" eth0 "100 254 chosen"
	marked 1 10.0.0.1 eth1 "100 254 suppressed,101 101 chosen"
	marked 2 "$ANYWHERE" eth0 "100 254 chosen"
	marked 3 "$ANYWHERE" eth1 "100 254 suppressed,101 101 chosen"
	marked 4 "$ANYWHERE" eth0 "100 254 chosen"
	marked 5 "$ANYWHERE" eth1 "100 102 suppressed,101 101 chosen"
	expect 'map(.steps[] | select(.outcome == "suppressed") | .suppressor) | join(",")' \
		"suppress_prefixlength 0,suppress_prefixlength 24,suppress_ifgroup 5"
}

# The first device of a VRF brings a rule with it, which stays when the device goes.
vrf_brings_a_rule_that_stays() {
	need_device vrf table 1000
	scene
	ip_in host route add default via 192.0.2.1
	attach host "$WORK/trace" "${ATTACH[@]}" --format json -d 203.0.113.0/24
	in_ns host "$PYTHON" "$TRAFFIC" "udp 203.0.113.1 9"
	ip_in host link add red up type vrf table 1000
	ip_in host link set eth1 master red
	ip_in host route add 203.0.113.0/24 via 198.51.100.1 table 1000
	in_ns host "$PYTHON" "$TRAFFIC" "udp 203.0.113.2 9" "udp 203.0.113.3 9 device=red"
	same "what the kernel answers" "$(kernel_answer 203.0.113.9 vrf red)" "eth1 1000"
	ip_in host link del red
	same "the rules of VRFs" "$(ip_in host rule show pref 1000 | grep -c l3mdev)" 1
	in_ns host "$PYTHON" "$TRAFFIC" "udp 203.0.113.4 9"
	detach INT
	check_complete "$WORK/trace"
	check_schema "$WORK/trace"
	expect 'to("203.0.113.1") | "\(.verdict.decided_by): \(walked)"' \
		"built-in: 32766 254 chosen"
	expect 'to("203.0.113.2") | "\(.verdict.decided_by): \(walked)"' \
		"rule: 0 255 no-route,32766 254 chosen"
	expect 'map(select(.flow.dst == "203.0.113.3" and .purpose == "output")) | first |
		"\(facts): \(walked)"' "output send task - unicast 1000 1000 eth1 rule: 0 255 no-route,1000 1000 chosen"
	expect 'to("203.0.113.4") | "\(.verdict.decided_by): \(walked)"' \
		"rule: 0 255 no-route,32766 254 chosen"
}

# The walk ends before a table is asked. Where only tables are seen, that is said at once.
reject_rule_ahead_of_the_first_table() {
	scene
	ip_in host rule add pref 100 lookup local
	ip_in host rule del pref 0
	ip_in host rule add pref 50 to "$ANYWHERE" prohibit
	send "udp $ANYWHERE 9"
	same "what came of the send" "$sent" EACCES
	same "what the kernel answers" "$(kernel_answer "$ANYWHERE")" EACCES
	if [ "$(tier)" = tracepoint ]; then
		same "seen" "$(summary "$WORK/trace" .seen)" 0
		grep -q '^fibtrace: .*rule 50 rejects before any table' "$WORK/trace.err" ||
			fail "stderr does not say what cannot be seen"
		return
	fi
	expect 'map(facts) | join(",")' "output send task EACCES prohibit 50 - - rule"
	expect 'first | walked' "50 - prohibit"
	expect 'first | step(50).evidence' kernel
}

# A table without routes is there or not: the kernel asks the one and skips the other.
empty_table_is_no_missing_one() {
	scene
	ip_in host route add default via 192.0.2.1
	ip_in host route add 10.0.0.0/8 via 192.0.2.1 table 102
	ip_in host route del 10.0.0.0/8 table 102
	ip_in host rule add pref 101 lookup 101
	ip_in host rule add pref 102 lookup 102
	send "udp $ANYWHERE 9"
	expect 'first | walked' \
		"0 255 no-route,101 101 no-table,102 102 no-route,32766 254 chosen"
	same "what the kernel answers" "$(kernel_answer "$ANYWHERE")" "eth0 main"
	expect 'first | step(102).evidence' kernel
	[ "$(tier)" = tracepoint ] || expect 'first | step(101).evidence' kernel
}

# --- several nexthops --------------------------------------------------------------------------

# Counts what leaves for each destination through each device.
count_packets() {
	in_ns host nft -f - <<-END || lacks "this kernel's nft counts no packets by device"
		add table ip count
		add set ip count left { type ipv4_addr . ifname; flags dynamic; }
		add chain ip count out { type filter hook postrouting priority 0; }
		add rule ip count out ip daddr 203.0.113.0/24 update @left { ip daddr . oifname }
	END
}

packets_left() {
	in_ns host nft -j list set ip count left |
		jq -r '.nftables[] | .set // empty | .elem[] | (.elem.val // .).concat | join(" ")' |
		sort -V
}

# Each packet leaves by the nexthop that the verdict names.
nexthop_is_the_one_the_packet_left_by() {
	scene
	count_packets
	ip_in host route add 203.0.113.0/24 nexthop via 192.0.2.1 weight 3 \
		nexthop via 198.51.100.1
	send "udp 203.0.113.1 9 next=40"
	expect 'map(.verdict.nexthops) | unique | join(",")' 2
	expect length 40
	packets_left >"$WORK/left"
	same "the packets" "$(wc -l <"$WORK/left")" 40
	same "the devices" "$(cut -d ' ' -f 2 "$WORK/left" | sort -u | tr '\n' ' ')" "eth0 eth1 "
	only_in_exact_tiers "which of several nexthops was chosen"
	ask "$WORK/trace" 'map("\(.flow.dst) \(.verdict.dev)") | .[]' | sort -V >"$WORK/verdicts"
	cmp -s "$WORK/left" "$WORK/verdicts" ||
		fail "left by: $(diff "$WORK/left" "$WORK/verdicts" | head -n 4 | tr '\n' ' ')"
	expect 'map("\(.verdict.dev) \(.verdict.gateway) \(.verdict.nexthop) \(.verdict.weight)") |
		unique | join(",")' "eth0 192.0.2.1 1 3,eth1 198.51.100.1 2 1"
}

require nft
run_tests \
	bound_device_overrides_an_unreachable_route bound_device_overrides_an_unreachable_rule \
	bound_device_overrides_the_end_of_the_rules bound_device_overrides_without_rules \
	broadcast_through_a_bound_device_asks_nothing \
	main_answers_without_rules own_address_is_locals_without_rules \
	default_is_asked_after_main_has_no_route unreachable_in_default_counts \
	unreachable_in_main_may_be_overridden_by_default \
	deleted_default_rule_may_be_asked_all_the_same rules_are_walked_once_there_was_one_more \
	suppressing_rules_suppress_only_what_they_say vrf_brings_a_rule_that_stays \
	reject_rule_ahead_of_the_first_table empty_table_is_no_missing_one \
	nexthop_is_the_one_the_packet_left_by
