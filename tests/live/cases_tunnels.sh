#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of real failures between VPNs, and between a VPN and the network: each is built, explained,
# repaired and looked at again.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cases_ns.sh"
. "$(dirname "$0")/story_ns.sh"

# --- wg-quick and Tailscale --------------------------------------------------------------------

c01_wg_quick_after_tailscaled_takes_the_tailnet() {
	scene
	tailscale_rules
	wg_quick_rules
	tailnet_goes_into_the_vpn 5209 51820
}

c01_the_same_from_mullvad() {
	scene
	tailscale_rules
	full_tunnel_rules 0x6d6f6c65 1836018789
	tailnet_goes_into_the_vpn 5209 1836018789
}

c01_cured_by_the_order() {
	scene
	wg_quick_rules
	tailscale_rules
	tailnet_is_reached 5270 52
}

c01_cured_by_a_route_of_main() {
	scene
	tailscale_rules
	wg_quick_rules
	tailnet_goes_into_the_vpn 5209 51820
	ip_in host route add 100.64.0.0/10 dev tailscale0
	tailnet_is_reached 5208 main
}

c01_cured_by_fixed_priorities_whoever_is_first() {
	scene
	tailscale_rules
	wg_quick_rules
	tailnet_goes_into_the_vpn 5209 51820
	wg_quick_down
	wg_quick_at_fixed_priorities
	tailnet_is_reached 5270 52
	ip_batch host "rule del pref 5210" "rule del pref 5230" "rule del pref 5250" \
		"rule del pref 5270"
	tailscale_rules
	tailnet_is_reached 5270 52
}

tailscaled_is_captured() {
	scene
	tailscale_rules
	wg_quick_rules
	tailscaled_goes_into_the_vpn
}

# tailscaled_gets_out PREF
tailscaled_gets_out() {
	tailscaled_sends
	answered
	carried wg0 0 tailscale0 0 eth0 1
	kernel_says "eth0 main" "$ENDPOINT" mark 0x80000
	asked "$PINGS" "chosen $1 main eth0" "not_found bypass-mark-captured" healthy
}

c02_tailscaleds_own_packets_go_into_the_other_vpn() {
	tailscaled_is_captured
	ip_in host rule add pref 5101 fwmark 0x80000/0xff0000 lookup main
	tailscaled_gets_out 5101
}

c02_cured_by_fixed_priorities() {
	tailscaled_is_captured
	wg_quick_down
	wg_quick_at_fixed_priorities
	tailscaled_gets_out 5210
}

c25_exit_node_takes_wireguards_own_packets() {
	scene
	wg_quick_rules
	tailscale_rules
	ip_in host route add default dev tailscale0 table 52
	ping_from host "$ENDPOINT" -m 51820
	unanswered
	carried wg0 0 tailscale0 1 eth0 0
	kernel_says "tailscale0 52" "$ENDPOINT" mark 51820
	asked "$PINGS" \
		"chosen 5270 52 tailscale0" \
		"mark 0xca6c" \
		"found bypass-mark-captured error - 5270"
	ip_in host rule add pref 5205 fwmark 0xca6c lookup main
	ping_from host "$ENDPOINT" -m 51820
	answered
	carried wg0 0 tailscale0 0 eth0 1
	kernel_says "eth0 main" "$ENDPOINT" mark 51820
	asked "$PINGS" "chosen 5205 main eth0" "not_found bypass-mark-captured" healthy
}

# --- Tailscale and the network -----------------------------------------------------------------

# Tailscale's table also holds a network that the host is connected to: a peer advertised it.
advertised_network() {
	scene
	tailscale_rules
	ip_in host route add 192.0.2.0/24 dev tailscale0 table 52
}

c27_an_advertised_network_beats_the_connected_one() {
	advertised_network
	ping_from host 192.0.2.1
	unanswered
	carried wg0 0 tailscale0 1 eth0 0
	kernel_says "tailscale0 52" 192.0.2.1
	asked "$PINGS" \
		"chosen 5270 52 tailscale0" \
		"passed_over 32766 not-reached" \
		"would_match 32766 192.0.2.0/24 eth0" \
		"found connected-shadowed warning 32766 5270"
	ip_in host rule add pref 5265 to 192.0.2.0/24 lookup main
	ping_from host 192.0.2.1
	answered
	carried wg0 0 tailscale0 0 eth0 1
	kernel_says "eth0 main" 192.0.2.1
	asked "$PINGS" "chosen 5265 main eth0" "not_found connected-shadowed" healthy
}

c27_answers_to_the_network_are_lost_too() {
	advertised_network
	trace_from wan -d 192.0.2.1 -- ping -n -q -c 1 -W 1 192.0.2.2
	unanswered
	carried wg0 0 tailscale0 1 eth0 0
	asked "$REPLIES" "chosen 5270 52 tailscale0" \
		"found connected-shadowed warning 32766 5270"
	ip_in host rule add pref 5265 to 192.0.2.0/24 lookup main
	trace_from wan -d 192.0.2.1 -- ping -n -q -c 1 -W 1 192.0.2.2
	answered
	carried wg0 0 tailscale0 0 eth0 1
	asked "$REPLIES" "chosen 5265 main eth0" "not_found connected-shadowed" healthy
}

# --- what leaves the tunnel --------------------------------------------------------------------

c28_a_tunnel_that_goes_away_leaks() {
	scene
	wg_quick_rules
	ip_in host link set wg0 down
	ping_from host "$INTERNET"
	answered
	carried wg0 0 eth0 1
	kernel_says "eth0 main" "$INTERNET"
	asked "$PINGS" \
		"chosen 32766 main eth0" \
		"passed_over 32764 suppressed" \
		"passed_over 32765 no-route" \
		"found fails-open warning 32765 32766"
	ip_in host route add unreachable default metric 4278198272 table 51820
	traffic_from host -d "$INTERNET" -- "udp a" "send a to=$INTERNET port=9"
	same "what came of the send" "$came" "ok EHOSTUNREACH"
	kernel_says EHOSTUNREACH "$INTERNET"
	carried wg0 0 eth0 0
	asked "$OUT" "ended 32765 unreachable EHOSTUNREACH" "not_found fails-open" healthy
}

# What must get out does, and the route is used again once the tunnel is there.
c28_the_cure_blocks_nothing_else() {
	scene
	wg_quick_rules
	ip_in host route add unreachable default metric 4278198272 table 51820
	ping_from host "$BEHIND_VPN"
	answered
	asked "$PINGS" "chosen 32765 51820 wg0" healthy
	ip_in host link set wg0 down
	ping_from host "$ENDPOINT" -m 51820
	answered
	asked "$PINGS" "chosen 32766 main eth0" healthy
	ping_from host 192.0.2.1
	answered
	asked "$PINGS" "chosen 32764 main eth0" healthy
}

c29_half_defaults_pass_the_suppressing_rule() {
	scene
	wg_quick_rules
	ip_in host route add 0.0.0.0/1 dev tailscale0
	ip_in host route add 128.0.0.0/1 dev tailscale0
	ping_from host "$INTERNET"
	unanswered
	carried wg0 0 tailscale0 1 eth0 0
	kernel_says "tailscale0 main" "$INTERNET"
	asked "$PINGS" \
		"chosen 32764 main tailscale0" \
		"passed_over 32765 not-reached" \
		"would_match 32765 default wg0" \
		"found half-default info 32764"
	ip_in host rule del pref 32764
	ip_in host rule add pref 32764 lookup main suppress_prefixlength 1
	ping_from host "$INTERNET"
	answered
	carried wg0 1 tailscale0 0 eth0 0
	kernel_says "wg0 51820" "$INTERNET"
	asked "$PINGS" "chosen 32765 51820 wg0" "passed_over 32764 suppressed" \
		"not_found half-default" healthy
}

# changed_under_a_connection COMMAND WHO: what a connection's ends see of it, "ok" when WHO receives
# what the client sends after wg-quick was started.
changed_under_a_connection() {
	cat >"$WORK/change" <<-END
		set -e
		ip rule add not fwmark 51820 table 51820
		ip rule add table main suppress_prefixlength 0
		ip route replace default dev wg0 table 51820
		$1
	END
	traffic_from host -d "$INTERNET" -P tcp -- "listen server $(netns wan) port=7" \
		"connect client to=$INTERNET port=7" "accept served of=server" "send client" \
		"receive served" "run sh $WORK/change" "send client" "receive $2"
	came=${came##* }
}

AFTERWARDS="$OUT and .cause == \"send\""

# connection_is_lost PREF SUPPRESSOR: the packet goes into the VPN with the old source, and what
# answers there knows no such connection.
connection_is_lost() {
	changed_under_a_connection "" client
	same "what the client receives" "$came" ECONNRESET
	asked "$AFTERWARDS" \
		"chosen $1 51820 wg0" \
		"src 192.0.2.2" \
		"passed_over $2@main suppressed" \
		"found source-not-on-device warning $1"
}

# connection_survives PREF: what was open stays where it was, and what is new takes the VPN.
connection_survives() {
	wg_quick_down
	ip_in host route add default via 192.0.2.1 table 128
	changed_under_a_connection "ip rule add pref 100 from 192.0.2.2 lookup 128" served
	same "what the server receives" "$came" ok
	asked "$AFTERWARDS" "chosen 100 128 eth0" "src 192.0.2.2" \
		"not_found source-not-on-device" healthy
	ping_from host "$INTERNET"
	answered
	asked "$PINGS" "chosen $1 51820 wg0" healthy
}

c33_open_connections_go_another_way_when_rules_change() {
	scene
	tailscale_rules
	connection_is_lost 5209 5208
	connection_survives 5209
}

c33_the_same_where_there_were_no_rules_before() {
	scene
	connection_is_lost 32765 32764
	connection_survives 32765
}

# --- a tunnel's own packets --------------------------------------------------------------------

# A WireGuard tunnel whose default route is better than the network's, and nothing else.
tunnel_with_a_default_route() {
	story_begin
	if kernel_has_wireguard; then
		ip_in host link add wg0 type wireguard
	else
		in_ns host wireguard-go wg0 >/dev/null 2>&1
	fi
	in_ns host wg set wg0 private-key "$WORK/host.key"
	tunnel_to_the_vpn
	ip_batch host "address add 10.64.0.2/32 dev wg0" "link set wg0 up" \
		"route del default" "route add default via 192.0.2.1 metric 100" \
		"route add default dev wg0 metric 50"
}

tunnel_to_the_vpn() {
	in_ns host wg set wg0 peer "$(cat "$WORK/vpn.pub")" allowed-ips 0.0.0.0/0 \
		endpoint "$ENDPOINT:51820"
}

c32_a_tunnel_takes_its_own_packets() {
	need_tool wg
	kernel_has_wireguard || need_tool wireguard-go
	tunnel_with_a_default_route
	kernel_says "wg0 main" "$ENDPOINT"
	trace_from host -d "$ENDPOINT" -- ping -n -q -c 1 -W 1 10.64.0.1
	unanswered
	carried eth0 0
	asked "$OUT and .flow.dport == 51820" \
		"chosen 32766 main wg0" \
		"found tunnel-loop error"
	ip_in host route add "$ENDPOINT" via 192.0.2.1
	# So that it asks its peer again at once.
	in_ns host wg set wg0 peer "$(cat "$WORK/vpn.pub")" remove
	tunnel_to_the_vpn
	trace_from host -d "$ENDPOINT" -- ping -n -q -c 1 -W 5 10.64.0.1
	answered
	kernel_says "eth0 main" "$ENDPOINT"
	asked "$OUT and .flow.dport == 51820" "chosen 32766 main eth0" "not_found tunnel-loop" \
		healthy
}

run_tests \
	c01_wg_quick_after_tailscaled_takes_the_tailnet c01_the_same_from_mullvad \
	c01_cured_by_the_order c01_cured_by_a_route_of_main \
	c01_cured_by_fixed_priorities_whoever_is_first \
	c02_tailscaleds_own_packets_go_into_the_other_vpn c02_cured_by_fixed_priorities \
	c25_exit_node_takes_wireguards_own_packets \
	c27_an_advertised_network_beats_the_connected_one \
	c27_answers_to_the_network_are_lost_too \
	c28_a_tunnel_that_goes_away_leaks c28_the_cure_blocks_nothing_else \
	c29_half_defaults_pass_the_suppressing_rule \
	c33_open_connections_go_another_way_when_rules_change \
	c33_the_same_where_there_were_no_rules_before \
	c32_a_tunnel_takes_its_own_packets
