#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of the story: the rule, table and device that a ping really took, in both start orders.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/story_ns.sh"

# ping_story ARG…: one ping of the tailnet's machine, traced; leaves what wg0 and tailscale0 sent
# in $wg_sent and $ts_sent.
ping_story() {
	local wg ts
	wg=$(tx_packets host wg0)
	ts=$(tx_packets host tailscale0)
	run_trace host -d 100.64.0.0/10 -- ping -n -q -c 1 -W 1 "$@" "$STORY_PEER"
	same "ping's exit status, passed on," "$status" 0
	wg_sent=$(($(tx_packets host wg0) - wg))
	ts_sent=$(($(tx_packets host tailscale0) - ts))
}

ICMP='.flow.protocol == "icmp" and .purpose == "output"'

bad_order_goes_into_the_vpn() {
	story_bad_order
	ping_story
	check_trace \
		"facts_of($ICMP)" "output send task - unicast 5209 51820 wg0 rule" \
		"map(select($ICMP)) | length" 1
	same "what the kernel answers" "$(route_get host "$STORY_PEER")" "wg0 51820"
	[ "$wg_sent" -ge 1 ] || fail "wg0 sent nothing"
	same "what tailscale0 sent" "$ts_sent" 0
}

bad_order_says_why() {
	story_bad_order
	ping_story
	check_trace \
		"map(select($ICMP)) | first | step(5208) | [.outcome, .table_id, .suppressor,
			.route.dst, .route.dev] | join(\" \")" \
			"suppressed 254 suppress_prefixlength 0 default eth0" \
		"map(select($ICMP)) | first | step(5209) | [.outcome, .rule.not, .rule.fwmark] |
			map(tostring) | join(\" \")" "chosen true 0xca6c" \
		"map(select($ICMP)) | first | step(5270).outcome" not-reached \
		"map(select($ICMP)) | first | step(0).outcome" no-route \
		"map(select($ICMP)) | first | .flow.fwmark" 0x0 \
		"map(select($ICMP)) | first | .verdict.dst" default \
		"map(select($ICMP)) | first | .verdict.prefsrc" 10.64.0.2 \
		"map(select($ICMP)) | first | .process.comm" ping
}

bad_order_names_the_route_not_reached() {
	story_bad_order
	ping_story
	check_trace \
		"map(select($ICMP)) | first | step(5270).would_match | [.dst, .dev] | join(\" \")" \
			"$STORY_PEER tailscale0"
}

good_order_goes_to_tailscale() {
	story_good_order
	ping_story
	check_trace "facts_of($ICMP)" "output send task - unicast 5270 52 tailscale0 rule"
	same "what the kernel answers" "$(route_get host "$STORY_PEER")" "tailscale0 52"
	[ "$ts_sent" -ge 1 ] || fail "tailscale0 sent nothing"
	same "what wg0 sent" "$wg_sent" 0
}

# wg_packets_seen: after a ping into the VPN, its encrypted packets took another way.
wg_packets_seen() {
	run_trace host -m 0xca6c -- ping -n -q -c 1 -W 1 10.64.0.1
	same "ping's exit status" "$status" 0
	check_trace \
		'map(select(.flow.fwmark != "0xca6c")) | length' 0 \
		'map(select(.purpose == "output" and .flow.dst == "203.0.113.5")) | length > 0' \
			true \
		'map(select(.purpose == "output") |
			[.flow.dst, .flow.protocol, .verdict.table, .verdict.dev] | join(" ")) |
			unique | join(",")' "203.0.113.5 udp main eth0" \
		'map(select(.purpose == "output") | .verdict.priority) | unique | join(",")' 32766
	same "what the kernel answers" \
		"$(route_get host "$STORY_ENDPOINT" mark 0xca6c)" "eth0 main"
}

wg_packets_bypass_the_vpn_in_the_bad_order() {
	story_bad_order
	wg_packets_seen
}

wg_packets_bypass_the_vpn_in_the_good_order() {
	story_good_order
	wg_packets_seen
}

tailscale_packets_are_captured_in_the_bad_order() {
	story_bad_order
	run_trace host -d "$STORY_ENDPOINT" -m 0x80000/0xff0000 -- \
		"$SEND" --mark 0x80000 udp "$STORY_ENDPOINT" 41641
	check_trace \
		'facts_of(.flow.dport == 41641)' "output send task - unicast 5209 51820 wg0 rule" \
		'first | .flow.fwmark' 0x80000
}

tailscale_packets_bypass_in_the_good_order() {
	story_good_order
	run_trace host -d "$STORY_ENDPOINT" -m 0x80000/0xff0000 -- \
		"$SEND" --mark 0x80000 udp "$STORY_ENDPOINT" 41641
	check_trace 'facts_of(.flow.dport == 41641)' \
		"output send task - unicast 5210 254 eth0 rule"
}

fwmark_stands_in_every_format() {
	story_bad_order
	ping_story -m 51820
	check_trace \
		"facts_of($ICMP)" "output send task - unicast 5270 52 tailscale0 rule" \
		"map(select($ICMP)) | first | .flow.fwmark" 0xca6c
	for format in line tree; do
		in_ns host "$FIBTRACE" --format "$format" -d "$STORY_PEER" -- \
			ping -n -q -c 1 -W 1 -m 51820 "$STORY_PEER" >"$WORK/$format" 2>"$WORK/$format.err"
	done
	grep ' purpose=output .*proto=icmp ' "$WORK/line" |
		grep -q ' mark=0xca6c .*pref=5270 table=52 .*dev=tailscale0' ||
		fail "line: $(head -n 3 "$WORK/line")"
	grep -E 'output .*icmp .*mark 0xca6c' "$WORK/tree" >/dev/null ||
		fail "tree: $(head -n 3 "$WORK/tree")"
	grep -E '▶ +5270 .*table 52 .*dev tailscale0' "$WORK/tree" >/dev/null ||
		fail "tree names no rule 5270: $(grep -n 5270 "$WORK/tree" | head -n 3)"
}

story_require
require "$SEND"
run_tests \
	bad_order_goes_into_the_vpn \
	bad_order_says_why \
	bad_order_names_the_route_not_reached \
	good_order_goes_to_tailscale \
	wg_packets_bypass_the_vpn_in_the_bad_order \
	wg_packets_bypass_the_vpn_in_the_good_order \
	tailscale_packets_are_captured_in_the_bad_order \
	tailscale_packets_bypass_in_the_good_order \
	fwmark_stands_in_every_format
