#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of what IPv6 alone does: a learned path MTU that leads packets past the suppressed default
# route of a VPN's rules, and a suppressed route that some kernels use when no rule has another.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/story_ns.sh"
# shellcheck source=tests/live/exception_ns.sh
. "$(dirname "$0")/exception_ns.sh"

# ping_far: one traced ping; leaves what eth0 and wg0 sent in $eth_sent and $wg_sent.
ping_far() {
	local eth wg
	eth=$(tx_packets host eth0)
	wg=$(tx_packets host wg0)
	run_trace host -6 -d "$FAR" -- ping -6 -n -q -c 1 -W 1 "$FAR"
	eth_sent=$(($(tx_packets host eth0) - eth))
	wg_sent=$(($(tx_packets host wg0) - wg))
}

SENT='.flow.protocol == "ipv6-icmp" and .purpose == "output" and .cause == "send"'

an_exception_leads_past_the_vpn() {
	local pref
	exception_scene
	learn_path_mtu
	story_wg_quick_dual
	same "what the kernel answers" "$(route_get host "$FAR")" "eth0 main"
	ping_far
	[ "$eth_sent" -ge 1 ] || fail "eth0 sent nothing"
	same "what wg0 sent" "$wg_sent" 0
	pref=$(ip_in host -6 -j rule show | jq 'map(select(.suppress_prefixlen == 0)) | .[0].priority')
	check_trace \
		"facts_of($SENT)" "output send task - unicast $pref 254 eth0 exception" \
		"map(select($SENT)) | first | .verdict | [.dst, .prefixlen, .gateway] | join(\" \")" \
			"default 0 2001:db8:1::1" \
		"map(select($SENT)) | first | step($pref).outcome" chosen \
		"map(select($SENT)) | first | .findings | map(\"\(.kind) \(.severity) \(.priority)\") |
			join(\", \")" "exception-defeats-suppress warning $pref"
}

without_the_exception_the_vpn_has_it() {
	exception_scene
	learn_path_mtu
	story_wg_quick_dual
	ip_in host -6 route flush cache
	same "what the kernel answers" "$(route_get host "$FAR")" "wg0 51820"
	ping_far
	[ "$wg_sent" -ge 1 ] || fail "wg0 sent nothing"
	check_trace \
		"map(select($SENT)) | first | [.verdict.dev, .verdict.table, .verdict.decided_by] |
			join(\" \")" "wg0 51820 rule" \
		"map(select($SENT)) | first | .findings | map(.kind) | tostring" "[]"
}

# An exception of a route that no rule would suppress decides nothing.
an_exception_of_a_route_that_counts_is_no_news() {
	exception_scene
	learn_path_mtu
	run_trace host -6 -d "$FAR" -- ping -6 -n -q -c 1 -W 1 "$FAR"
	check_trace \
		"facts_of($SENT)" "output send task - unicast 32766 254 eth0 built-in" \
		"map(select($SENT)) | first | .findings | map(.kind) | tostring" "[]"
}

# Each moves the kernel's counter of changes of routes, and none is told of: the policy is the same.
many_exceptions_are_no_change_of_the_policy() {
	local i pings=''
	exception_scene
	for i in 1 2 3 4 5 6 7 8; do
		address_in far lo "${FAR}$i/128"
		ip_in wan route add "${FAR}$i" via 2001:db8:2::9
		pings+="ping -6 -n -q -c 4 -i 0.05 -W 1 -M do -s 1400 ${FAR}$i & "
	done
	ip_in host -6 rule add pref 100 fwmark 0x1 lookup 100
	ip_in host -6 rule add pref 200 to 2001:db8:9::/64 lookup main
	run_trace host -6 -d 2001:db8:9::/64 -- sh -c "$pings wait"
	same "the path MTUs that were learned" \
		"$(ip_in host -6 route show cache | grep -c 'mtu 1300')" 8
	check_trace \
		'map(select(.verdict.decided_by == "unknown")) | length' 0 \
		'map(select(.cause == "send") | .flow.dst) | unique | length' 8 \
		'map(select(.cause == "send") | step(100) | "\(.outcome) \(.mismatch)") | unique |
			join(",")' "skipped fwmark"
}

# The rules end behind a suppressed route: what is used then differs from kernel to kernel.
a_suppressed_route_may_be_used() {
	new_ns host peer
	link host eth0 192.0.2.2/24 peer eth0 192.0.2.1/24
	speaks_inet6 host peer
	address_in host eth0 2001:db8:1::2/64
	address_in peer eth0 2001:db8:1::1/64
	ip_in host route add default via 2001:db8:1::1
	ip_in host -6 rule add pref 100 lookup main suppress_prefixlength 0
	ip_in host -6 rule del pref 32766
	run_trace host -6 -d "$FAR" -- bash -c "exec 2>/dev/null; echo >/dev/udp/$FAR/9"
	check_schema "$WORK/trace"
	same "the step at 100" "$(ask "$WORK/trace" 'first | step(100).outcome')" suppressed
	if [ "$(tier)" = tracepoint ]; then
		expect 'first | .verdict.decided_by' end-of-rules \
			'first | .findings | map("\(.kind) \(.severity)") | join(",")' \
				"suppressed-route-used info"
	elif ip_in host -6 route get "$FAR" >/dev/null 2>&1; then
		echo "# this kernel uses a suppressed route"
		expect 'first | .verdict | "\(.decided_by) \(.dev) \(.priority) \(.error)"' \
				"suppressed-route eth0 null null" \
			'first | .findings | map("\(.kind) \(.severity)") | join(",")' \
				"suppressed-route-used warning"
		# Its table is that of the verdict, for the filter as well.
		run_trace host -6 -d "$FAR" --table main -- \
			bash -c "exec 2>/dev/null; echo >/dev/udp/$FAR/9"
		check_trace 'first | .verdict | "\(.decided_by) \(.table_id)"' "suppressed-route 254"
	else
		expect 'first | .verdict | "\(.decided_by) \(.error)"' "end-of-rules ENETUNREACH" \
			'first | .findings | map(.kind) | tostring' "[]"
	fi
}

[ -e /proc/sys/net/ipv6 ] || skip_all "this kernel has no IPv6"
story_require
run_tests an_exception_leads_past_the_vpn without_the_exception_the_vpn_has_it \
	an_exception_of_a_route_that_counts_is_no_news \
	many_exceptions_are_no_change_of_the_policy a_suppressed_route_may_be_used
