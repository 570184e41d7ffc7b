#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of real failures with rules that catch other packets than was meant, by source, user,
# interface, port or type of service: each is built, explained, repaired and looked at again.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cases_ns.sh"

FROM_LAN="$INPUTS and .flow.iif == \"lan0\""

# --- sources -----------------------------------------------------------------------------------

c35_a_socket_that_is_not_bound_has_no_source_yet() {
	scene
	second_provider
	ping_from host "$BEHIND_VPN"
	unanswered
	carried wg0 0 eth0 1
	kernel_says "eth0 main" "$BEHIND_VPN"
	asked "$PINGS" "chosen 32766 main eth0" "src 0.0.0.0" "passed_over 102 skipped:from" \
		"would_match 102 default wg0" healthy
	ping_from host "$BEHIND_VPN" -I 203.0.113.130
	answered
	carried wg0 1 eth0 0
	kernel_says "wg0 102" "$BEHIND_VPN" from 203.0.113.130
	asked "$PINGS" "chosen 102 102 wg0" "src 203.0.113.130" healthy
}

# server_answers [KEY=VALUE]: a question that comes by the second provider, and its answer.
server_answers() {
	traffic_from host -d "$BEHIND_VPN" -d 203.0.113.130 -- "udp server port=53 ${1:-}" \
		"udp client $(netns vpn)" "send client to=203.0.113.130 port=53" "answer server" \
		"receive client"
}

c35_a_servers_answer_leaves_by_the_other_provider() {
	scene
	second_provider
	server_answers
	same "what came of it" "$came" "ok ok ok ok timeout"
	carried wg0 0 eth0 1
	asked "$OUT" \
		"chosen 32766 main eth0" \
		"src 0.0.0.0" \
		"passed_over 102 skipped:from" \
		"would_match 102 default wg0" \
		"found source-unset warning 102"
	server_answers address=203.0.113.130
	same "what came of it" "$came" "ok ok ok ok ok"
	carried wg0 1 eth0 0
	asked "$OUT" "chosen 102 102 wg0" "src 203.0.113.130" "not_found source-unset" healthy
}

ping_router_from_lan() {
	trace_from lan -d 10.10.0.5 -d 10.10.0.1 -- ping -n -q -c 1 -W 1 10.10.0.1
}

# lan_goes_by_wg0: what is forwarded still takes the rule.
lan_goes_by_wg0() {
	ping_from lan "$BEHIND_VPN"
	answered
	carried wg0 1 eth0 0
	asked "$FROM_LAN" "chosen 100 101 wg0" healthy
}

c37_a_rule_for_the_lan_catches_the_routers_own_replies() {
	scene_with_lan
	ip_batch host "route add default dev wg0 table 101" \
		"rule add pref 100 from 10.10.0.0/24 lookup 101"
	ping_router_from_lan
	unanswered
	carried wg0 1 lan0 0
	kernel_says "wg0 101" 10.10.0.5 from 10.10.0.1
	asked "$REPLIES" \
		"chosen 100 101 wg0" \
		"src 10.10.0.1" \
		"passed_over 32766 not-reached" \
		"would_match 32766 10.10.0.0/24 lan0" \
		"found from-catches-own-replies warning 100"
	ip_batch host "rule del pref 100" "rule add pref 100 iif lan0 lookup 101"
	ping_router_from_lan
	answered
	carried wg0 0 lan0 1
	kernel_says "lan0 main" 10.10.0.5 from 10.10.0.1
	asked "$REPLIES" "chosen 32766 main lan0" "passed_over 100 skipped:iif" \
		"not_found from-catches-own-replies" healthy
	lan_goes_by_wg0
}

# --- users -------------------------------------------------------------------------------------

uid_scene() {
	ip_batch host "route add default dev wg0 table 101" "rule add pref 100 $1 lookup 101"
}

c39_a_socket_belongs_to_the_user_who_made_it() {
	scene
	uid_scene "uidrange 1000-1000"
	kernel_says "eth0 main" "$BEHIND_VPN"
	kernel_says "wg0 101" "$BEHIND_VPN" uid 1000
	traffic_from host -d "$BEHIND_VPN" -- "udp a" "uid 1000" "send a to=$BEHIND_VPN port=9"
	carried wg0 0 eth0 1
	asked "$OUT" \
		"chosen 32766 main eth0" \
		"uid 0" \
		"passed_over 100 skipped:uidrange 0 .*1000" \
		"would_match 100 default wg0" \
		"found uid-not-expected warning 100"
	expect "map(select($OUT) | .process.uid) | unique | tostring" "[1000]"
	traffic_from host -d "$BEHIND_VPN" -- "uid 1000" "udp a" "send a to=$BEHIND_VPN port=9"
	carried wg0 1 eth0 0
	asked "$OUT" "chosen 100 101 wg0" "uid 1000" "not_found uid-not-expected" healthy
}

c39_what_is_forwarded_belongs_to_root() {
	scene_with_lan
	uid_scene "uidrange 0-0"
	ping_from lan "$INTERNET"
	unanswered
	# The answer, forwarded too, goes back into the VPN.
	carried eth0 0 lan0 0
	asked "$FROM_LAN" "chosen 100 101 wg0" "uid 0" "found uid-not-expected warning 100"
	ip_batch host "rule del pref 100" "rule add pref 100 iif lo uidrange 0-0 lookup 101"
	ping_from lan "$INTERNET"
	answered
	carried wg0 0 eth0 1
	asked "$FROM_LAN" "chosen 32766 main eth0" "passed_over 100 skipped:iif" \
		"not_found uid-not-expected" healthy
	ping_from host "$INTERNET"
	answered
	carried wg0 1 eth0 0
	asked "$PINGS" "chosen 100 101 wg0" healthy
}

# --- interfaces --------------------------------------------------------------------------------

# rule_of_interface SELECTOR…: instead of the one before.
rule_of_interface() {
	ip_in host rule del pref 100 2>/dev/null || true
	ip_in host rule add pref 100 "$@" lookup 101
}

# lan_goes_by DEV CHECK…
lan_goes_by() {
	ping_from lan "$BEHIND_VPN"
	carried "$1" 1
	asked "$FROM_LAN" "${@:2}"
}

c40_iif_lo_is_what_this_host_sends_itself() {
	scene_with_lan
	ip_in host route add default dev wg0 table 101
	rule_of_interface iif lo
	lan_goes_by eth0 "chosen 32766 main eth0" "passed_over 100 skipped:iif lan0.*lo"
	ping_from host "$BEHIND_VPN"
	answered
	asked "$PINGS" "chosen 100 101 wg0" healthy
	rule_of_interface iif lan0
	lan_goes_by wg0 "chosen 100 101 wg0" healthy
	answered
}

c40_iif_of_a_bridges_port_never_matches() {
	scene_with_lan
	ip_in host link add br0 type bridge 2>/dev/null || lacks "this kernel has no bridges"
	ip_batch host "link set br0 up" "address del 10.10.0.1/24 dev lan0" \
		"link set lan0 master br0" "address add 10.10.0.1/24 dev br0" \
		"route add default dev wg0 table 101"
	ip_in lan neighbour flush all
	ip_in lan neighbour del 10.10.0.1 dev lan0
	reach lan 10.10.0.1
	pin_neighbours host lan
	FROM_LAN="$INPUTS and .flow.iif == \"br0\""
	rule_of_interface iif lan0
	lan_goes_by eth0 "chosen 32766 main eth0" "passed_over 100 skipped:iif br0.*lan0"
	unanswered
	rule_of_interface iif br0
	lan_goes_by wg0 "chosen 100 101 wg0" healthy
	answered
}

c40_oif_is_for_sockets_that_are_bound() {
	scene
	ip_in host route add default dev wg0 table 101
	rule_of_interface oif wg0
	ping_from host "$BEHIND_VPN"
	unanswered
	carried wg0 0 eth0 1
	asked "$PINGS" "chosen 32766 main eth0" "passed_over 100 skipped:oif"
	ping_from host "$BEHIND_VPN" -I wg0
	answered
	carried wg0 1 eth0 0
	asked "$PINGS" "chosen 100 101 wg0" healthy
}

c40_a_bound_device_without_a_route_is_taken_all_the_same() {
	scene_with_lan
	ip_in host rule add pref 100 from 10.9.9.9 lookup 77
	ping_from host "$INTERNET" -I lan0
	unanswered
	carried wg0 0 eth0 0
	kernel_says "lan0 main" "$INTERNET" oif lan0
	asked "$PINGS" \
		"decided bound-device" \
		"passed_over 32766 no-route" \
		"found bound-device-override warning"
	ip_in host route add default via 10.10.0.5 dev lan0 table 101
	ip_in host rule add pref 101 oif lan0 lookup 101
	ping_from host "$INTERNET" -I lan0
	carried wg0 0 eth0 0
	asked "$PINGS" "chosen 101 101 lan0" "not_found bound-device-override" healthy
}

c40_a_device_that_is_not_there_matches_nothing() {
	scene_with_lan
	ip_in host route add default dev wg0 table 101
	rule_of_interface iif lan7
	lan_goes_by eth0 "chosen 32766 main eth0" "passed_over 100 skipped:iif" \
		"found detached-interface warning 100"
	unanswered
	rule_of_interface iif lan0
	lan_goes_by wg0 "chosen 100 101 wg0" "not_found detached-interface" healthy
	answered
}

# --- ports and types of service ----------------------------------------------------------------

# lan_sends SIZE: a datagram to port 4000.
lan_sends() {
	traffic_from lan -d "$BEHIND_VPN" -- "udp a" "send a to=$BEHIND_VPN port=4000 size=$1"
	same "what came of the send" "$came" "ok ok"
}

c41_fragments_have_no_ports() {
	scene_with_lan
	ip_batch host "route add default dev wg0 table 101" \
		"rule add pref 100 ipproto udp dport 4000 lookup 101"
	kernel_says "eth0 main" "$BEHIND_VPN"
	kernel_says "wg0 101" "$BEHIND_VPN" ipproto udp dport 4000
	lan_sends 100
	carried wg0 1 eth0 0
	asked "$FROM_LAN" "chosen 100 101 wg0" healthy
	lan_sends 3000
	carried wg0 0 eth0 3
	asked "$FROM_LAN" \
		"count 3" \
		"chosen 32766 main eth0" \
		"passed_over 100 skipped:dport" \
		"would_match 100 default wg0" \
		"found ports-of-fragment warning 100"
	nft_host <<-END
		add table ip track
		add chain ip track prerouting { type filter hook prerouting priority filter; }
		add rule ip track prerouting ct state invalid drop
	END
	lan_sends 3000
	carried wg0 3 eth0 0
	asked "$FROM_LAN" "chosen 100 101 wg0" "not_found ports-of-fragment" healthy
}

c42_a_tos_rule_sees_three_bits_only() {
	scene
	ip_batch host "route add default dev wg0 table 101" "rule add pref 100 dsfield 0x18 lookup 101"
	ping_from host "$BEHIND_VPN" -Q 0xb8
	carried wg0 1 eth0 0
	kernel_says "wg0 101" "$BEHIND_VPN" tos 0xb8
	asked "$PINGS" "chosen 100 101 wg0" "found tos-mask warning 100"
	ip_batch host "rule del pref 100" "rule add pref 100 fwmark 0x18 lookup 101"
	nft_host <<-END
		add table ip classes
		add chain ip classes output { type route hook output priority mangle; }
		add rule ip classes output ip dscp 6 meta mark set 0x18
	END
	ping_from host "$BEHIND_VPN" -Q 0xb8
	carried wg0 0 eth0 1
	asked "$PINGS" "chosen 32766 main eth0" "not_found tos-mask" healthy
	ping_from host "$BEHIND_VPN" -Q 0x18
	carried wg0 1 eth0 0
	asked "$REROUTES" "chosen 100 101 wg0" "not_found tos-mask"
}

# ip(8) here may be older than the kernel: it prints such a rule as if it caught everything.
c43_a_rule_that_ip_prints_too_wide() {
	grep -a -q -z -x FRA_DSCP /sys/kernel/btf/vmlinux || skip "this kernel knows no FRA_DSCP"
	scene
	ip_in host route add default dev wg0 table 101
	# Priority 150, table 101, DSCP 46.
	in_ns host "$PYTHON" "$LIVE_DIR/rule_message.py" 6=96000000 15=65000000 25=2e
	ping_from host "$BEHIND_VPN"
	carried wg0 0 eth0 1
	kernel_says "eth0 main" "$BEHIND_VPN"
	asked "$PINGS" "chosen 32766 main eth0" "passed_over 150 skipped:dscp" healthy
	expect "map(select($PINGS)) | first | step(150).selector | test(\"dscp\")" true
	ping_from host "$BEHIND_VPN" -Q 0xb8
	answered
	carried wg0 1 eth0 0
	asked "$PINGS" "chosen 150 101 wg0" healthy
}

# --- the same question -------------------------------------------------------------------------

# Of each lookup: the words with which `ip route get` asks the same.
QUESTIONS='map(select(.purpose == "output" or .purpose == "input") | .flow | [.dst,
	(if .src != "0.0.0.0" then "from", .src else empty end),
	(if .iif != "lo" then "iif", .iif else "uid", .uid end),
	"mark", .fwmark, "tos", .tos, "ipproto", .protocol,
	(if .sport then "sport", .sport else empty end),
	(if .dport then "dport", .dport else empty end)] | map(tostring) | join(" ")) | .[]'

c50_ip_route_get_must_be_asked_the_whole_question() {
	local question count=0 destination=203.0.113.7
	scene_with_lan
	ip_batch host "address add 192.0.2.22/32 dev lo" "route add default dev wg0 table 101" \
		"rule add pref 100 uidrange 1000-1000 lookup 101" \
		"rule add pref 101 fwmark 0x7 lookup 101" \
		"rule add pref 102 from 192.0.2.22 lookup 101" \
		"rule add pref 103 ipproto udp dport 4000 lookup 101" \
		"rule add pref 104 iif lan0 lookup 101" \
		"rule add pref 105 dsfield 0x10 lookup 101"
	kernel_says "eth0 main" "$destination"
	traffic_from host -d "$destination" -- \
		"udp marked mark=7" "send marked to=$destination port=9" \
		"udp from address=192.0.2.22" "send from to=$destination port=9" \
		"udp port" "send port to=$destination port=4000" \
		"udp lan $(netns lan)" "send lan to=$destination port=9" \
		"udp class tos=0x10" "send class to=$destination port=9" \
		"uid 1000" "udp user" "send user to=$destination port=9"
	asked '.purpose == "output" or .purpose == "input"' "count 6"
	expect 'map(select(.purpose != "source-check") |
		"\(.verdict.priority) \(.verdict.table) \(.verdict.dev)") | sort | join(",")' \
		"100 101 wg0,101 101 wg0,102 101 wg0,103 101 wg0,104 101 wg0,105 101 wg0"
	ask "$WORK/trace" "$QUESTIONS" >"$WORK/questions"
	while read -r question; do
		# shellcheck disable=SC2086 # words
		kernel_says "wg0 101" $question
		count=$((count + 1))
	done <"$WORK/questions"
	same "the questions" "$count" 6
}

require nft
run_tests \
	c35_a_socket_that_is_not_bound_has_no_source_yet \
	c35_a_servers_answer_leaves_by_the_other_provider \
	c37_a_rule_for_the_lan_catches_the_routers_own_replies \
	c39_a_socket_belongs_to_the_user_who_made_it c39_what_is_forwarded_belongs_to_root \
	c40_iif_lo_is_what_this_host_sends_itself c40_iif_of_a_bridges_port_never_matches \
	c40_oif_is_for_sockets_that_are_bound \
	c40_a_bound_device_without_a_route_is_taken_all_the_same \
	c40_a_device_that_is_not_there_matches_nothing \
	c41_fragments_have_no_ports c42_a_tos_rule_sees_three_bits_only \
	c43_a_rule_that_ip_prints_too_wide \
	c50_ip_route_get_must_be_asked_the_whole_question
