#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of real failures in IPv6: each is built, explained, repaired and looked at again; of hosts
# with nothing wrong; and of which lookups of IPv6 belong together.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cases_ns.sh"
. "$(dirname "$0")/cases6_ns.sh"

SENDER=$LIVE_DIR/traffic.py

# send_udp DESTINATION [NAME=VALUE]…: one datagram, traced; what came of it is left in $came.
send_udp() {
	trace_from host -d "$1" -- "$PYTHON" "$SENDER" --result "$WORK/came" "udp $1 4000 ${*:2}"
	read -r _ came <"$WORK/came"
}

# --- wg-quick and Tailscale --------------------------------------------------------------------

tailnet_goes_into_the_vpn6() {
	scene6
	tailscale_rules6
	wg_quick_rules6
	tailnet_goes_into_the_vpn 5209 51820
}

c01_cured_by_the_order() {
	scene6
	wg_quick_rules6
	tailscale_rules6
	tailnet_is_reached 5270 52
}

c01_cured_by_a_route_of_main() {
	tailnet_goes_into_the_vpn6
	ip_in host route add fd7a:115c:a1e0::/48 dev tailscale0
	tailnet_is_reached 5208 main
}

c01_cured_by_fixed_priorities() {
	tailnet_goes_into_the_vpn6
	wg_quick_down6
	wg_quick_at_fixed_priorities6
	tailnet_is_reached 5270 52
}

c02_tailscaleds_own_packets_go_into_the_other_vpn() {
	scene6
	tailscale_rules6
	wg_quick_rules6
	tailscaled_goes_into_the_vpn
	ip6_batch host "rule add pref 5101 fwmark 0x80000/0xff0000 lookup main"
	tailscaled_sends
	answered
	carried wg0 0 tailscale0 0 eth0 1
	kernel_says "eth0 main" "$ENDPOINT" mark 0x80000
	asked "$PINGS" "chosen 5101 main eth0" "not_found bypass-mark-captured" healthy
}

# --- the rule list itself ----------------------------------------------------------------------

cilium_moves_local6() {
	ip6_batch host "rule add pref 100 lookup local proto kernel" "rule del pref 0" \
		"rule add pref 9 fwmark 0x200/0xf00 lookup 2004 proto kernel"
}

c04_rules_before_local_take_own_addresses() {
	scene6
	cilium_moves_local6
	wg_quick_rules6
	trace_from wan -d "$HOST6" -- ping -n -q -c 1 -W 1 "$HOST6"
	unanswered
	kernel_says "eth0 main" "$HOST6"
	asked "$INPUTS" \
		"chosen 98 main eth0" \
		"passed_over 100@local not-reached" \
		"would_match 100 $HOST6 eth0" \
		"found rule-before-local error 100 98"
	wg_quick_down6
	wg_quick_at_fixed_priorities6
	trace_from wan -d "$HOST6" -- ping -n -q -c 1 -W 1 "$HOST6"
	answered
	asked "$INPUTS" "chosen 100 local eth0" "not_found rule-before-local" healthy
}

c04_rules_before_local_take_what_the_host_sends_itself() {
	scene6
	cilium_moves_local6
	wg_quick_rules6
	ping_from host fd00:64::2
	unanswered
	kernel_says "wg0 main" fd00:64::2
	asked "$PINGS" \
		"chosen 98 main wg0" \
		"passed_over 100@local not-reached" \
		"found rule-before-local error 100 98"
	wg_quick_down6
	wg_quick_at_fixed_priorities6
	ping_from host fd00:64::2
	answered
	asked "$PINGS" "chosen 100 local wg0" "not_found rule-before-local" healthy
}

c05_rules_at_priority_0_turn_wg_quicks_pair_round() {
	scene6
	ip6_batch host "rule add pref 0 from fd00:9::9 lookup 77"
	wg_quick_rules6
	ping_from host "$NEXT6"
	unanswered
	carried wg0 1 eth0 0
	kernel_says "wg0 51820" "$NEXT6"
	asked "$PINGS" \
		"chosen 0 51820 wg0" \
		"passed_over 0@77 skipped:from" \
		"passed_over 0@main not-reached" \
		"would_match 0@main 2001:db8:1::/64 eth0" \
		"found suppress-after-catch-all warning 0 0"
	wg_quick_down6
	ip6_batch host "rule del pref 0 from fd00:9::9" \
		"rule add pref 100 from fd00:9::9 lookup 77"
	wg_quick_rules6
	ping_from host "$NEXT6"
	answered
	carried wg0 0 eth0 1
	kernel_says "eth0 main" "$NEXT6"
	asked "$PINGS" "chosen 98 main eth0" "passed_over 99 not-reached" \
		"not_found suppress-after-catch-all" healthy
}

c45_goto_without_a_target_is_passed_over() {
	scene6
	ip6_batch host "route add default dev wg0 table 101" \
		"rule add pref 100 to $BEHIND_VPN goto 200" \
		"rule add pref 150 to 2001:db8:198::/64 lookup main"
	ping_from host "$BEHIND_VPN"
	unanswered
	carried wg0 0 eth0 1
	kernel_says "eth0 main" "$BEHIND_VPN"
	asked "$PINGS" "chosen 150 main eth0" "found unresolved-goto warning 100"
	ip6_batch host "rule add pref 200 lookup 101"
	ping_from host "$BEHIND_VPN"
	answered
	carried wg0 1 eth0 0
	kernel_says "wg0 101" "$BEHIND_VPN"
	asked "$PINGS" "chosen 200 101 wg0" "passed_over 100 goto" "not_found unresolved-goto" \
		healthy
}

# A rule of IPv6 makes its table, so that there is one to ask.
c47_a_table_without_routes_is_passed_over() {
	scene6_with_lan
	ip6_batch host "rule add pref 100 from fd00:10::/64 lookup 1"
	ping_from lan "$BEHIND_VPN"
	unanswered
	carried wg0 0 eth0 1
	kernel_says "eth0 main" "$BEHIND_VPN" from fd00:10::5 iif lan0
	asked "$INPUTS and .flow.iif == \"lan0\"" \
		"chosen 32766 main eth0" \
		"passed_over 100@1 no-route" \
		"found empty-table warning 100"
	ip6_batch host "route add default dev wg0 table 1"
	ping_from lan "$BEHIND_VPN"
	answered
	carried wg0 1 eth0 0
	kernel_says "wg0 1" "$BEHIND_VPN" from fd00:10::5 iif lan0
	asked "$INPUTS and .flow.iif == \"lan0\"" "chosen 100 1 wg0" "not_found empty-table" \
		healthy
}

c48_an_unreachable_rule_comes_before_a_table_that_has_the_route() {
	scene6
	tailscale_rules6
	ip6_batch host "rule add pref 5260 unreachable"
	send_udp "$TAILNET"
	same "what came of the send" "$came" ENETUNREACH
	kernel_says ENETUNREACH "$TAILNET"
	asked "$OUT" \
		"ended 5260 unreachable ENETUNREACH" \
		"passed_over 5270@52 not-reached" \
		"would_match 5270 $TAILNET tailscale0" \
		"found unreachable-preempts warning 5270 5260"
	ip6_batch host "rule del pref 5260" "rule add pref 5280 unreachable"
	ping_from host "$TAILNET"
	answered
	carried tailscale0 1 eth0 0
	kernel_says "tailscale0 52" "$TAILNET"
	asked "$PINGS" "chosen 5270 52 tailscale0" "not_found unreachable-preempts" healthy
}

# --- marks and sources -------------------------------------------------------------------------

c13_a_rule_without_a_mask_misses_further_bits() {
	scene6
	ip6_batch host "rule add pref 100 fwmark 0x1 lookup 101" "route add default dev wg0 table 101"
	a_further_bit_is_missed
	ip6_batch host "rule del pref 100" "rule add pref 100 fwmark 0x1/0xffff lookup 101"
	a_further_bit_is_no_matter
}

c35_a_socket_that_is_not_bound_has_no_source_yet() {
	scene6
	second_provider6
	send_udp "$BEHIND_VPN"
	kernel_says "eth0 main" "$BEHIND_VPN"
	asked "$OUT" \
		"chosen 32766 main eth0" \
		"src ::" \
		"passed_over 102 skipped:from" \
		"would_match 102 default wg0" \
		"found source-unset info 102" healthy
	ping_from host "$BEHIND_VPN" -I 2001:db8:300::2
	answered
	carried wg0 1 eth0 0
	kernel_says "wg0 102" "$BEHIND_VPN" from 2001:db8:300::2
	asked "$PINGS" "chosen 102 102 wg0" "src 2001:db8:300::2" "not_found source-unset" healthy
}

# server_answers [KEY=VALUE]: a question that comes by the second provider, and its answer.
server_answers() {
	traffic_from host -d "$BEHIND_VPN" -d 2001:db8:300::2 -- \
		"udp server family=6 port=53 ${1:-}" \
		"udp client family=6 $(netns vpn) address=$BEHIND_VPN" \
		"send client to=2001:db8:300::2 port=53" "answer server" "receive client"
}

c35_a_servers_answer_leaves_by_the_other_provider() {
	scene6
	second_provider6
	server_answers
	same "what came of it" "$came" "ok ok ok ok timeout"
	asked "$OUT" \
		"chosen 32766 main eth0" \
		"src ::" \
		"passed_over 102 skipped:from" \
		"would_match 102 default wg0" \
		"found source-unset warning 102"
	server_answers address=2001:db8:300::2
	same "what came of it" "$came" "ok ok ok ok ok"
	asked "$OUT" "chosen 102 102 wg0" "src 2001:db8:300::2" "not_found source-unset" healthy
}

# --- what leaves the tunnel --------------------------------------------------------------------

c28_a_tunnel_that_goes_away_leaks() {
	scene6
	wg_quick_rules6
	ip_in host link set wg0 down
	ping_from host "$INTERNET"
	answered
	carried eth0 1
	kernel_says "eth0 main" "$INTERNET"
	asked "$PINGS" \
		"chosen 32766 main eth0" \
		"passed_over 32764 suppressed" \
		"passed_over 32765 no-route" \
		"found fails-open warning 32765 32766"
	ip6_batch host "route add unreachable default metric 4278198272 table 51820"
	send_udp "$INTERNET"
	same "what came of the send" "$came" EHOSTUNREACH
	kernel_says EHOSTUNREACH "$INTERNET"
	asked "$OUT" "ended 32765 unreachable EHOSTUNREACH" "not_found fails-open" healthy
}

# half_default DESTINATION: by whichever half it is.
half_default() {
	ping_from host "$1"
	carried wg0 0 tailscale0 1 eth0 0
	kernel_says "tailscale0 main" "$1"
	asked "$PINGS" \
		"chosen 32764 main tailscale0" \
		"passed_over 32765 not-reached" \
		"would_match 32765 default wg0" \
		"found half-default info 32764"
}

c29_half_defaults_pass_the_suppressing_rule() {
	scene6
	wg_quick_rules6
	ip6_batch host "route add ::/1 dev tailscale0" "route add 8000::/1 dev tailscale0"
	half_default "$INTERNET"
	half_default "$TAILNET"
	ip6_batch host "rule del pref 32764" \
		"rule add pref 32764 lookup main suppress_prefixlength 1"
	ping_from host "$INTERNET"
	answered
	carried wg0 1 tailscale0 0 eth0 0
	kernel_says "wg0 51820" "$INTERNET"
	asked "$PINGS" "chosen 32765 51820 wg0" "passed_over 32764 suppressed" \
		"not_found half-default" healthy
}

# A VPN that knows IPv4 alone.
c31_a_vpn_without_ipv6_leaks_it() {
	scene6
	wg_quick_rules
	ping_from host "$INTERNET"
	answered
	carried wg0 0 eth0 1
	kernel_says "eth0 main" "$INTERNET"
	asked "$PINGS" "chosen 32766 main eth0" "found family-asymmetry info"
	ip6_batch host "rule add pref 32764 lookup main suppress_prefixlength 0" \
		"rule add pref 32765 unreachable"
	send_udp "$INTERNET"
	same "what came of the send" "$came" ENETUNREACH
	kernel_says ENETUNREACH "$INTERNET"
	asked "$OUT" "ended 32765 unreachable ENETUNREACH" "passed_over 32764 suppressed" \
		"not_found family-asymmetry" healthy
	ping_from host "$NEXT6"
	answered
	carried wg0 0 eth0 1
	kernel_says "eth0 main" "$NEXT6"
	asked "$PINGS" "chosen 32764 main eth0" "not_found family-asymmetry" healthy
}

# --- hosts with nothing wrong ------------------------------------------------------------------

DESTINATIONS=("$NEXT6" "$INTERNET" "$BEHIND_VPN" "$TAILNET" "$ENDPOINT" fd00:10::5)
OWN_ADDRESSES=(::1 "$HOST6" fd00:10::1)

# at_once COMMAND…: a line of a shell's program that waits for none of them.
at_once() {
	printf '%s >/dev/null 2>&1 &\n' "$*"
}

# pinging [NAME] ARG…: what is not answered is no failure.
pinging() {
	at_once "$1" ping -6 -n -q -c 1 -W 0.5 "${@:2}"
}

# traffic_of MARK… : pings, datagrams, connections, multicast and what is link-local.
traffic_of() {
	local to mark steps=() lan
	lan="nsenter --net=/run/netns/$(ns lan) --"
	for to in "${DESTINATIONS[@]}" "${OWN_ADDRESSES[@]}"; do
		pinging "" "$to"
		steps+=("'udp $to 4000'")
	done
	for to in "${DESTINATIONS[@]}" fd00:10::1 "$HOST6"; do
		pinging "$lan" "$to"
	done
	for mark in "$@"; do
		pinging "" -m $((mark)) "$ENDPOINT"
		steps+=("'udp $ENDPOINT 4000 mark=$mark'")
	done
	pinging "" ff02::1%eth0
	pinging "" fe80::1%eth0
	pinging "nsenter --net=/run/netns/$(ns wan) --" "$HOST6"
	for to in "$NEXT6" fd00:10::5 "${OWN_ADDRESSES[@]}"; do
		steps+=("'tcp $to 4001'")
	done
	at_once "$PYTHON" "$SENDER" "${steps[@]}" "'udp ff02::1 4000 device=eth0'" \
		"'udp $NEXT6 4000 source=$HOST6'"
	echo wait
}

# nothing_is_wrong [MARK]…: whatever the host sends, receives and forwards; all look for their
# neighbours anew.
nothing_is_wrong() {
	local wanted name
	for name in host wan lan; do
		ip_in "$name" -6 neighbour flush nud permanent
		ip_in "$name" -6 neighbour flush all
	done
	traffic_of "$@" >"$WORK/traffic"
	trace_from host -6 -- sh "$WORK/traffic"
	wanted=$(printf '%s\n' "${DESTINATIONS[@]}" "${OWN_ADDRESSES[@]}" ff02::1 fe80::1 |
		jq -Rn '[inputs]')
	expect "$wanted - map(.flow.dst) | tostring" "[]" \
		'map(select(.purpose == "input" and .flow.src == "fd00:10::5")) | length > 0' true
	asked true healthy
}

healthy_scene() {
	scene6_with_lan
	ip_in wan address add fe80::1/64 dev eth0 nodad
}

healthy_host_with_an_advertised_router() {
	healthy_scene
	ip6_batch host "route del default" \
		"route add default via fe80::1 dev eth0 proto ra metric 1024 pref medium"
	nothing_is_wrong
	asked "$PINGS and .flow.dst == \"$INTERNET\"" "chosen 32766 main eth0"
}

healthy_host_with_tailscale() {
	healthy_scene
	tailscale_rules6
	nothing_is_wrong 0x80000
	asked "$PINGS and .flow.dst == \"$TAILNET\"" "chosen 5270 52 tailscale0"
}

healthy_host_with_wg_quick_for_both_families() {
	healthy_scene
	wg_quick_rules
	wg_quick_rules6
	tailscale_rules
	tailscale_rules6
	nothing_is_wrong 0xca6c 0x80000
	asked "$PINGS and .flow.dst == \"$BEHIND_VPN\"" "chosen 32765 51820 wg0"
}

healthy_router_with_two_uplinks() {
	healthy_scene
	second_provider6
	ip6_batch host "route add 2001:db8:300::/64 dev wg0 table 102" \
		"route add 2001:db8:1::/64 dev eth0 table 101" \
		"route add fd00:10::/64 dev lan0 table 101" \
		"route add default via $NEXT6 table 101" \
		"rule add pref 101 from $HOST6 lookup 101"
	nothing_is_wrong
	ping_from host "$INTERNET" -I 2001:db8:300::2
	asked "$PINGS" "chosen 102 102 wg0" healthy
	trace_from vpn -d "$BEHIND_VPN" -- \
		ping -n -q -c 1 -W 1 -I "$BEHIND_VPN" 2001:db8:300::2
	answered
	asked "$REPLIES" "chosen 102 102 wg0" healthy
}

# --- lookups that belong together --------------------------------------------------------------

# The groups in the order of their numbers, each as the "purpose/cause" of its lookups.
GROUPS_WORDS='group_by(.group) | map(map("\(.purpose)/\(.cause)") | join(" ")) | .[]'

# Nothing but what the test sends.
grouped_scene() {
	scene6
	ip6_batch host "rule add pref 100 fwmark 1 lookup 101"
}

ping_is_three_groups() {
	grouped_scene
	trace_from host -d "$NEXT6" -d "$HOST6" -- ping -n -q -c 1 -W 1 "$NEXT6"
	answered
	expect "$GROUPS_WORDS" "$(printf '%s\n' output/connect output/send input/receive)"
	in_ns host "$FIBTRACE" --format tree --color never -d "$NEXT6" -d "$HOST6" -- \
		ping -n -q -c 1 -W 1 "$NEXT6" >"$WORK/tree" 2>"$WORK/tree.err"
	same "the blocks" "$(sed -n -E 's/^[0-9:.]{15} (ping|softirq)(\[[0-9]+\])? ([a-z]+) .*/\1 \3/p' \
		"$WORK/tree")" "$(printf '%s\n' "ping output" "ping output" "softirq input")"
}

refused_stream_is_two_groups() {
	grouped_scene
	trace_from host -d "$NEXT6" -d "$HOST6" -- "$PYTHON" "$SENDER" "tcp $NEXT6 4000"
	expect "$GROUPS_WORDS" "$(printf '%s\n' output/connect input/receive)"
}

# What a packet has this host answer is of the packet's group.
received_packet_and_its_answer_are_one_group() {
	grouped_scene
	trace_from wan -d "$NEXT6" -d "$HOST6" -- ping -n -q -c 2 -i 0.05 -W 1 "$HOST6"
	answered
	expect "$GROUPS_WORDS" "$(yes 'input/receive output/reply' | head -n 2)"
}

run_tests \
	healthy_host_with_an_advertised_router healthy_host_with_tailscale \
	healthy_host_with_wg_quick_for_both_families healthy_router_with_two_uplinks \
	ping_is_three_groups refused_stream_is_two_groups \
	received_packet_and_its_answer_are_one_group \
	c01_cured_by_the_order c01_cured_by_a_route_of_main c01_cured_by_fixed_priorities \
	c02_tailscaleds_own_packets_go_into_the_other_vpn \
	c04_rules_before_local_take_own_addresses \
	c04_rules_before_local_take_what_the_host_sends_itself \
	c05_rules_at_priority_0_turn_wg_quicks_pair_round \
	c13_a_rule_without_a_mask_misses_further_bits c28_a_tunnel_that_goes_away_leaks \
	c29_half_defaults_pass_the_suppressing_rule c31_a_vpn_without_ipv6_leaks_it \
	c35_a_socket_that_is_not_bound_has_no_source_yet \
	c35_a_servers_answer_leaves_by_the_other_provider \
	c45_goto_without_a_target_is_passed_over c47_a_table_without_routes_is_passed_over \
	c48_an_unreachable_rule_comes_before_a_table_that_has_the_route
