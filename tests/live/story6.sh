#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of the story where both families are spoken: the tailnet has a prefix of IPv6, and the VPN
# takes all traffic of both.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/story_ns.sh"

TAILNET6=fd7a:115c:a1e0::/48
PEER6=fd7a:115c:a1e0::9

# The story's hosts also have:
#
#   host  eth0 2001:db8:1::2 ──────────────── 2001:db8:1::1 eth0  wan
#         wg0  fd00:64::2 ~~~~~~~~~~~~~~~~~~~ fd00:64::1 wgvpn    wan, which answers for $PEER6
#         tailscale0 fd7a:115c:a1e0::2 ────── tailscale0          ts, which is $PEER6
#
# What answers by a device has its address there: nobody asks lo for its hardware address.
dual_begin() {
	story_begin
	speaks_inet6 host wan ts
	address_in host eth0 2001:db8:1::2/64
	address_in wan eth0 2001:db8:1::1/64
	address_in wan wgvpn fd00:64::1/64
	address_in wan lo "$PEER6/128"
	address_in host tailscale0 fd7a:115c:a1e0::2/128
	address_in ts tailscale0 "$PEER6/128"
	ip_in ts route add fd7a:115c:a1e0::2 dev tailscale0
	ip_in host route add default via 2001:db8:1::1
	reach host 2001:db8:1::1
	ip_in host route add "$PEER6" dev tailscale0
	reach host "$PEER6"
	ip_in host route del "$PEER6" dev tailscale0
}

# tailscaled makes the same rules for both families.
tailscale6() {
	ip_in host -6 -batch - <<-END
		rule add pref 5210 fwmark 0x80000/0xff0000 lookup main
		rule add pref 5230 fwmark 0x80000/0xff0000 lookup default
		rule add pref 5250 fwmark 0x80000/0xff0000 unreachable
		rule add pref 5270 lookup 52
		route add $TAILNET6 dev tailscale0 table 52
	END
}

dual_bad_order() {
	dual_begin
	story_tailscale
	tailscale6
	story_wg_quick_dual
}

dual_good_order() {
	dual_begin
	story_wg_quick_dual
	story_tailscale
	tailscale6
}

# echos NAME: the pings that reached it, as the kernel counts those of both families. What
# multicast says to neighbours is in the counters of devices, too.
echos() {
	in_ns "$1" awk '$1 == "Icmp:" && /InEchos/ {
			for (column = 2; $column != "InEchos"; column++)
				;
			next
		}
		$1 == "Icmp:" { sum += $column }
		$1 == "Icmp6InEchos" { sum += $2 }
		END { print sum }' /proc/net/snmp /proc/net/snmp6
}

# ping_both: one traced ping of the tailnet's machine by each family; leaves those that went to the
# VPN and to the tailnet in $to_vpn and $to_tailnet.
ping_both() {
	local wan ts
	wan=$(echos wan)
	ts=$(echos ts)
	run_trace host -d 100.64.0.0/10 -d "$TAILNET6" -- sh -c \
		"ping -n -q -c 1 -W 1 $STORY_PEER && ping -n -q -c 1 -W 1 $PEER6"
	same "ping's exit status, passed on," "$status" 0
	to_vpn=$(($(echos wan) - wan))
	to_tailnet=$(($(echos ts) - ts))
}

# sent_by FAMILY: what its ping itself asked, as jq selects it.
sent_by() {
	echo ".family == \"$1\" and is_icmp and .purpose == \"output\""
}

both_families_go_into_the_vpn_in_the_bad_order() {
	dual_bad_order
	ping_both
	check_trace \
		"facts_of($(sent_by inet))" "output send task - unicast 5209 51820 wg0 rule" \
		"facts_of($(sent_by inet6))" "output send task - unicast 5209 51820 wg0 rule"
	same "what the kernel answers" "$(route_get host "$PEER6")" "wg0 51820"
	same "the pings into the VPN and the tailnet" "$to_vpn $to_tailnet" "2 0"
}

both_families_go_to_tailscale_in_the_good_order() {
	dual_good_order
	ping_both
	check_trace \
		"facts_of($(sent_by inet))" "output send task - unicast 5270 52 tailscale0 rule" \
		"facts_of($(sent_by inet6))" "output send task - unicast 5270 52 tailscale0 rule"
	same "what the kernel answers" "$(route_get host "$PEER6")" "tailscale0 52"
	same "the pings into the VPN and the tailnet" "$to_vpn $to_tailnet" "0 2"
}

# Where Tailscale has no rules of IPv6 when wg-quick comes, only those of IPv4 stand in the way.
each_family_has_its_own_order() {
	dual_begin
	story_tailscale
	story_wg_quick_dual
	tailscale6
	ping_both
	check_trace \
		"facts_of($(sent_by inet))" "output send task - unicast 5209 51820 wg0 rule" \
		"facts_of($(sent_by inet6))" "output send task - unicast 5270 52 tailscale0 rule" \
		"map(select($(sent_by inet6))) | first | step(32764).outcome" not-reached
	same "what the kernel answers" \
		"$(route_get host "$STORY_PEER"),$(route_get host "$PEER6")" \
		"wg0 51820,tailscale0 52"
	same "the pings into the VPN and the tailnet" "$to_vpn $to_tailnet" "1 1"
}

bad_order_says_why() {
	local ping
	dual_bad_order
	ping_both
	ping="map(select($(sent_by inet6))) | first"
	check_trace \
		"$ping | step(5208) | [.outcome, .table_id, .suppressor, .route.dst, .route.dev,
			.owner] | join(\" \")" \
			"suppressed 254 suppress_prefixlength 0 default eth0 wg-quick" \
		"$ping | step(5209) | [.outcome, .rule.not, .rule.fwmark, .owner] | map(tostring) |
			join(\" \")" "chosen true 0xca6c wg-quick" \
		"$ping | step(5270) | [.outcome, .would_match.dst, .would_match.dev] | join(\" \")" \
			"not-reached $TAILNET6 tailscale0" \
		"$ping | .verdict | [.dst, .prefixlen, .prefsrc] | join(\" \")" \
			"default 0 fd00:64::2" \
		"$ping | .findings | map(select(.kind == \"shadowed-route\")) |
			map(\"\(.kind) \(.priority) \(.by)\") | join(\",\")" \
			"shadowed-route 5270 5209"
}

tailscale_packets_keep_their_way_in_the_good_order() {
	dual_good_order
	run_trace host -d 2001:db8:5::5 -m 0x80000/0xff0000 -- \
		"$SEND" --mark 0x80000 udp 2001:db8:5::5 41641
	check_trace 'facts_of(.flow.dport == 41641)' \
		"output send task - unicast 5210 254 eth0 rule"
}

# Who has forgotten its neighbours asks for them; that is no lookup about the tailnet.
neighbours_are_no_noise() {
	dual_good_order
	ip_in host -6 neighbour flush dev tailscale0
	ip_in ts -6 neighbour flush dev tailscale0
	run_trace host -d "$PEER6" -P ipv6-icmp -- ping -n -q -c 1 -W 1 "$PEER6"
	same "ping's exit status" "$status" 0
	check_trace \
		'map([.family, .purpose, .cause, .flow.dst, .flow.protocol, .process.comm] |
			join(" ")) | unique | join(",")' \
			"inet6 output send $PEER6 ipv6-icmp ping" \
		'$summary.lost' 0
}

[ -e /proc/sys/net/ipv6 ] || skip_all "this kernel has no IPv6"
story_require
require "$SEND"
run_tests \
	both_families_go_into_the_vpn_in_the_bad_order \
	both_families_go_to_tailscale_in_the_good_order \
	each_family_has_its_own_order bad_order_says_why \
	tailscale_packets_keep_their_way_in_the_good_order neighbours_are_no_noise
