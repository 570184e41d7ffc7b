#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of real failures with firewall marks, connection marks and address translation: each is
# built, explained, repaired and looked at again.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cases_ns.sh"

# --- marks that a rule does not see ------------------------------------------------------------

c13_a_rule_without_a_mask_misses_further_bits() {
	scene
	ip_batch host "rule add pref 100 fwmark 0x1 lookup 101" "route add default dev wg0 table 101"
	a_further_bit_is_missed
	ip_batch host "rule del pref 100" "rule add pref 100 fwmark 0x1/0xffff lookup 101"
	a_further_bit_is_no_matter
}

# mwan3 marks with the interface's number; somebody marked with the mask. As mwan3 itself means
# "none of mine" by that, it is told, and no more.
c15_a_mask_used_as_mark_matches_no_rule() {
	scene
	ip_batch host "route add default dev wg0 table 3" \
		"rule add pref 2001 fwmark 0x100/0x3f00 lookup 1" \
		"rule add pref 2003 fwmark 0x300/0x3f00 lookup 3"
	ping_from host "$BEHIND_VPN" -m 16128
	unanswered
	carried wg0 0 eth0 1
	kernel_says "eth0 main" "$BEHIND_VPN" mark 0x3f00
	asked "$PINGS" \
		"chosen 32766 main eth0" \
		"passed_over 2003 skipped:fwmark 0x3f00 .*0x300" \
		"would_match 2003 default wg0" \
		"found mark-near-miss info 2003"
	ping_from host "$BEHIND_VPN" -m 768
	answered
	carried wg0 1 eth0 0
	kernel_says "wg0 3" "$BEHIND_VPN" mark 0x300
	asked "$PINGS" "chosen 2003 3 wg0" "passed_over 2001 skipped:fwmark" \
		"not_found mark-near-miss" healthy
}

# --- marks that come late ----------------------------------------------------------------------

# The sources of the pings that reach vpn.
record_sources() {
	in_ns vpn nft -f - <<-END || lacks "this kernel's nft has no sets that packets add to"
		add table ip seen
		add set ip seen from { type ipv4_addr; flags dynamic; }
		add chain ip seen in { type filter hook prerouting priority -300; }
		add rule ip seen in ip protocol icmp update @from { ip saddr }
	END
}

recorded_sources() {
	in_ns vpn nft -j list set ip seen from |
		jq -r '[.nftables[] | .set // empty | .elem[]? |
			if type == "object" then .elem.val else . end] | join(" ")'
	in_ns vpn nft flush set ip seen from
}

c17_a_mark_set_on_output_keeps_the_first_source() {
	scene
	record_sources
	ip_batch host "route add default dev wg0 src 10.64.0.2 table 101" \
		"rule add pref 100 fwmark 1 lookup 101"
	nft_host <<-END
		add table ip reroute
		add chain ip reroute output { type route hook output priority mangle; }
		add rule ip reroute output ip daddr $BEHIND_VPN meta mark set 1
	END
	ping_from host "$BEHIND_VPN"
	carried wg0 1 eth0 0
	same "the source that vpn sees" "$(recorded_sources)" 192.0.2.2
	same "the source that 'ip route get' promises" "$(ip_in host -j route get "$BEHIND_VPN" \
		mark 1 | jq -r '.[0] | "\(.dev) \(.prefsrc)"')" "wg0 10.64.0.2"
	asked "$PINGS" "chosen 32766 main eth0" "passed_over 100 skipped:fwmark"
	asked "$REROUTES" \
		"chosen 100 101 wg0" \
		"mark 0x1" \
		"src 192.0.2.2" \
		"found source-not-on-device warning 100"
	# Translation gives it the right source later than any lookup can tell.
	nft_host <<-END
		add table ip nat
		add chain ip nat postrouting { type nat hook postrouting priority srcnat; }
		add rule ip nat postrouting oifname "wg0" masquerade
	END
	ping_from host "$BEHIND_VPN"
	answered
	same "the source that vpn sees" "$(recorded_sources)" 10.64.0.2
	asked "$REROUTES" "chosen 100 101 wg0" "src 192.0.2.2"
	in_ns host nft flush ruleset
	ip_in host rule add pref 99 to "$BEHIND_VPN" lookup 101
	ping_from host "$BEHIND_VPN"
	answered
	carried wg0 1 eth0 0
	same "the source that vpn sees" "$(recorded_sources)" 10.64.0.2
	asked "$PINGS" "chosen 99 101 wg0" "not_found source-not-on-device" healthy
}

# --- replies -----------------------------------------------------------------------------------

# A container whose port is published on all of the host's addresses.
published_container() {
	scene
	new_ns box
	link host docker0 172.17.0.1/16 box eth0 172.17.0.2/16
	ip_in box route add default via 172.17.0.1
	reach host 172.17.0.2
	pin_neighbours host box
	sysctl_in host net.ipv4.ip_forward 1
	second_provider
	nft_host <<-END
		add table ip nat
		add chain ip nat prerouting { type nat hook prerouting priority dstnat; }
		add rule ip nat prerouting tcp dport 8080 dnat to 172.17.0.2:80
	END
}

# client_connects PORT SERVER-NAMESPACE SERVER-PORT: from behind the second provider.
client_connects() {
	traffic_from host -d "$BEHIND_VPN" -d 172.17.0.2 -d 203.0.113.130 -- \
		"listen server $(netns "$2") port=$3" \
		"connect client $(netns vpn) to=203.0.113.130 port=$1"
}

# The container's answers, before they get the host's address again.
CONTAINERS="$INPUTS and .flow.iif == \"docker0\""

c18_a_containers_replies_leave_by_the_other_provider() {
	published_container
	client_connects 8081 host 8081
	same "what came of a connection to the host" "$came" "ok ok"
	asked "$REPLIES" "chosen 102 102 wg0" "src 203.0.113.130"
	client_connects 8080 box 80
	same "what came of a connection to the container" "$came" "ok timeout"
	kernel_says "eth0 main" "$BEHIND_VPN" from 172.17.0.2 iif docker0
	asked "$CONTAINERS" \
		"chosen 32766 main eth0" \
		"src 172.17.0.2" \
		"passed_over 102 skipped:from 172.17.0.2" \
		"would_match 102 default wg0" \
		"found reply-leaves-elsewhere warning"
	nft_host <<-END
		add table ip replies
		add chain ip replies prerouting { type filter hook prerouting priority mangle; }
		add rule ip replies prerouting iifname "wg0" ct state new ct mark set 0x66
		add rule ip replies prerouting ct direction reply ct mark 0x66 meta mark set ct mark
	END
	ip_in host rule add pref 103 fwmark 0x66 lookup 102
	client_connects 8080 box 80
	same "what came of a connection to the container" "$came" "ok ok"
	kernel_says "wg0 102" "$BEHIND_VPN" from 172.17.0.2 iif docker0 mark 0x66
	asked "$CONTAINERS" "chosen 103 102 wg0" "mark 0x66" "not_found reply-leaves-elsewhere" \
		healthy
}

# What comes in through wg0 is marked, and marked packets are to leave there.
marked_when_it_comes() {
	scene
	ip_batch host "route add default dev wg0 table 102" "rule add pref 103 fwmark 0x66 lookup 102"
	nft_host <<-END
		add table ip inbound
		add chain ip inbound prerouting { type filter hook prerouting priority mangle; }
		add rule ip inbound prerouting iifname "wg0" meta mark set 0x66
	END
}

ping_comes_by_wg0() {
	trace_from vpn -d "$BEHIND_VPN" -d 10.64.0.2 -- \
		ping -n -q -c 1 -W 1 -I "$BEHIND_VPN" 10.64.0.2
}

connection_comes_by_wg0() {
	traffic_from host -d "$BEHIND_VPN" -d 10.64.0.2 -- "listen server port=7" \
		"connect client $(netns vpn) to=10.64.0.2 port=7"
}

reply_is_unmarked() {
	asked "$INPUTS" "mark 0x66" "chosen 0 local wg0"
	asked "$REPLIES" \
		"chosen 32766 main eth0" \
		"mark 0x0" \
		"passed_over 103 skipped:fwmark 0x0 .*0x66" \
		"would_match 103 default wg0" \
		"found reply-unmarked warning 103"
}

reply_is_marked() {
	asked "$REPLIES" "chosen 103 102 wg0" "mark 0x66" "not_found reply-unmarked" healthy
}

c19_replies_to_pings_do_not_inherit_the_mark() {
	marked_when_it_comes
	ping_comes_by_wg0
	unanswered
	carried wg0 0 eth0 1
	kernel_says "eth0 main" "$BEHIND_VPN" from 10.64.0.2
	reply_is_unmarked
	sysctl_in host net.ipv4.fwmark_reflect 1
	ping_comes_by_wg0
	answered
	carried wg0 1 eth0 0
	kernel_says "wg0 102" "$BEHIND_VPN" from 10.64.0.2 mark 0x66
	reply_is_marked
}

c19_replies_of_tcp_do_not_inherit_the_mark() {
	marked_when_it_comes
	connection_comes_by_wg0
	same "what came of the connection" "$came" "ok timeout"
	reply_is_unmarked
	sysctl_in host net.ipv4.tcp_fwmark_accept 1
	connection_comes_by_wg0
	same "what came of the connection" "$came" "ok ok"
	reply_is_marked
}

# --- marks of several programs, and the reverse path filter ------------------------------------

strict_reverse_paths() {
	sysctl_in host net.ipv4.conf.all.rp_filter 1 net.ipv4.conf.all.src_valid_mark "$1"
}

# rp_filtered: how many packets host has dropped for their source.
rp_filtered() {
	in_ns host awk '$1 == "TcpExt:" { if (!column) for (i = 2; i <= NF; i++) {
			if ($i == "IPReversePathFilter") column = i }
		else print $column }' /proc/net/netstat
}

# ping_both_ways DESTINATION PING-OPTION…: with the lookups of what comes back.
ping_both_ways() {
	trace_from host -d "$1" -d 192.0.2.2 -- ping -n -q -c 1 -W 1 "${@:2}" "$1"
}

# Mullvad's app lets an excluded program out, whose packets carry its mark and whose connections
# another one. Tailscale then stores its own bits of the mark with the connection: of two hooks with
# the same priority the kernel runs that first which was added last.
c21_two_programs_share_the_connection_mark() {
	local dropped
	scene
	full_tunnel_rules 0x6d6f6c65 1836018789
	nft_host <<-END
		add table ip tailscale
		add chain ip tailscale output { type filter hook output priority mangle; }
		add rule ip tailscale output ct state new meta mark & 0xff0000 != 0 \
			ct mark set meta mark & 0xff0000
		add chain ip tailscale prerouting { type filter hook prerouting priority mangle; }
		add rule ip tailscale prerouting ct state established,related \
			ct mark & 0xff0000 != 0 meta mark set ct mark & 0xff0000
		add table ip mullvad
		add chain ip mullvad output { type filter hook output priority mangle; }
		add rule ip mullvad output meta mark 0x6d6f6c65 ct mark set 0xf41
		add chain ip mullvad prerouting { type filter hook prerouting priority mangle; }
		add rule ip mullvad prerouting ct mark 0xf41 meta mark set 0x6d6f6c65
	END
	strict_reverse_paths 1
	dropped=$(rp_filtered)
	ping_both_ways "$INTERNET" -m 1836018789
	unanswered
	carried wg0 0 eth0 1
	same "packets dropped for their source" "$(rp_filtered)" $((dropped + 1))
	asked "$PINGS" "chosen 32766 main eth0" "mark 0x6d6f6c65" "passed_over 32765 skipped:not"
	asked "$SOURCE_CHECKS" \
		"chosen 32765 1836018789 wg0" \
		"mark 0x6f0000" \
		"found mark-rewritten warning"
	in_ns host nft delete table ip tailscale
	ping_both_ways "$INTERNET" -m 1836018789
	answered
	asked "$SOURCE_CHECKS" "chosen 32766 main eth0" "mark 0x6d6f6c65" \
		"not_found mark-rewritten" healthy
}

c22_the_strict_reverse_path_filter_ignores_the_mark() {
	local dropped
	scene
	wg_quick_rules
	nft_host <<-END
		add table ip wgquick
		add chain ip wgquick premangle { type filter hook prerouting priority mangle; }
		add rule ip wgquick premangle meta mark set ct mark
		add chain ip wgquick postmangle { type filter hook postrouting priority mangle; }
		add rule ip wgquick postmangle meta mark 51820 ct mark set meta mark
	END
	strict_reverse_paths 0
	dropped=$(rp_filtered)
	ping_both_ways "$ENDPOINT" -m 51820
	unanswered
	carried wg0 0 eth0 1
	same "packets dropped for their source" "$(rp_filtered)" $((dropped + 1))
	asked "$PINGS" "chosen 32766 main eth0"
	asked "$SOURCE_CHECKS" \
		"chosen 32765 51820 wg0" \
		"mark 0x0" \
		"found rp-filter-mark warning"
	strict_reverse_paths 1
	ping_both_ways "$ENDPOINT" -m 51820
	answered
	same "packets dropped for their source" "$(rp_filtered)" $((dropped + 1))
	asked "$SOURCE_CHECKS" "chosen 32766 main eth0" "mark 0xca6c" \
		"passed_over 32765 skipped:not" "not_found rp-filter-mark" healthy
}

require nft
run_tests \
	c13_a_rule_without_a_mask_misses_further_bits c15_a_mask_used_as_mark_matches_no_rule \
	c17_a_mark_set_on_output_keeps_the_first_source \
	c18_a_containers_replies_leave_by_the_other_provider \
	c19_replies_to_pings_do_not_inherit_the_mark c19_replies_of_tcp_do_not_inherit_the_mark \
	c21_two_programs_share_the_connection_mark \
	c22_the_strict_reverse_path_filter_ignores_the_mark
