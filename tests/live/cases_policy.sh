#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of real failures of the rule list itself, where rules stand in the wrong place, are doubled,
# deleted or lead nowhere: each is built, explained, repaired and looked at again.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cases_ns.sh"

# --- rules in front of local -------------------------------------------------------------------

# Cilium moves the rule of table local behind its own first rule.
cilium_moves_local() {
	ip_batch host "rule add pref 100 lookup local proto kernel" "rule del pref 0" \
		"rule add pref 9 fwmark 0x200/0xf00 lookup 2004 proto kernel"
}

c04_rules_before_local_take_loopback() {
	scene
	cilium_moves_local
	wg_quick_rules
	ping_from host 127.0.0.1
	unanswered
	carried wg0 1 eth0 0 lo 0
	kernel_says "wg0 51820" 127.0.0.1
	asked "$PINGS" \
		"chosen 99 51820 wg0" \
		"passed_over 9 skipped:fwmark" \
		"passed_over 98 suppressed" \
		"passed_over 100@local not-reached" \
		"would_match 100 127.0.0.1 lo" \
		"found rule-before-local error 100 99"
	wg_quick_down
	wg_quick_at_fixed_priorities
	ping_from host 127.0.0.1
	answered
	carried wg0 0 eth0 0
	kernel_says "lo local" 127.0.0.1
	asked "$PINGS" "chosen 100 local lo" "not_found rule-before-local" healthy
}

c04_rules_before_local_take_own_addresses() {
	scene
	cilium_moves_local
	wg_quick_rules
	trace_from wan -d 192.0.2.2 -- ping -n -q -c 1 -W 1 192.0.2.2
	unanswered
	asked "$INPUTS" \
		"chosen 98 main eth0" \
		"passed_over 100@local not-reached" \
		"would_match 100 192.0.2.2 eth0" \
		"found rule-before-local error 100 98"
	kernel_says "eth0 main" 192.0.2.2
	wg_quick_down
	wg_quick_at_fixed_priorities
	trace_from wan -d 192.0.2.2 -- ping -n -q -c 1 -W 1 192.0.2.2
	answered
	asked "$INPUTS" "chosen 100 local eth0" "not_found rule-before-local" healthy
	kernel_says "lo local" 192.0.2.2
}

c04_without_ciliums_first_rule_nothing_is_wrong() {
	scene
	ip_in host rule add pref 100 lookup local proto kernel
	ip_in host rule del pref 0
	wg_quick_rules
	ping_from host 127.0.0.1
	answered
	asked "$PINGS" "chosen 100 local lo" healthy
	ping_from host "$INTERNET"
	answered
	asked "$PINGS" "chosen 32765 51820 wg0" healthy
}

# --- priorities that the kernel chooses --------------------------------------------------------

c05_rules_at_priority_0_turn_wg_quicks_pair_round() {
	scene
	ip_in host rule add pref 0 from 10.9.9.9 lookup 77
	wg_quick_rules
	ping_from host 192.0.2.1
	unanswered
	carried wg0 1 eth0 0
	kernel_says "wg0 51820" 192.0.2.1
	asked "$PINGS" \
		"chosen 0 51820 wg0" \
		"passed_over 0@77 skipped:from" \
		"passed_over 0@main not-reached" \
		"would_match 0@main 192.0.2.0/24 eth0" \
		"found suppress-after-catch-all warning 0 0"
	wg_quick_down
	ip_in host rule del pref 0 from 10.9.9.9
	ip_in host rule add pref 100 from 10.9.9.9 lookup 77
	wg_quick_rules
	ping_from host 192.0.2.1
	answered
	carried wg0 0 eth0 1
	kernel_says "eth0 main" 192.0.2.1
	asked "$PINGS" "chosen 98 main eth0" "passed_over 99 not-reached" \
		"not_found suppress-after-catch-all" healthy
}

# Two rules at priority 0 take it, one at 2 does not.
c05_a_rule_at_priority_2_leaves_the_pair_in_order() {
	scene
	ip_in host rule add pref 2 from 10.9.9.9 lookup 77
	wg_quick_rules
	ping_from host 192.0.2.1
	answered
	asked "$PINGS" "chosen 0 main eth0" "passed_over 1 not-reached" healthy
}

# The AWS CNI's rules pull wg-quick's in front of that of the pod's own network interface.
c06_a_pods_own_table_is_shadowed() {
	scene_with_lan
	ip_batch host "rule add pref 512 to 10.10.0.5 lookup main" \
		"rule add pref 1024 fwmark 0x80/0x80 lookup main" \
		"rule add pref 1536 from 10.10.0.5 lookup 2" \
		"route add default via 192.0.2.1 dev eth0 table 2"
	wg_quick_rules
	ping_from lan "$INTERNET"
	answered
	carried wg0 1 eth0 0
	kernel_says "wg0 51820" "$INTERNET" from 10.10.0.5 iif lan0
	asked "$INPUTS and .flow.iif == \"lan0\"" \
		"chosen 511 51820 wg0" \
		"passed_over 512 skipped:to" \
		"passed_over 1536 not-reached" \
		"would_match 1536 default eth0" \
		"found shadowed-route warning 1536 511" \
		"found auto-priority info 511"
	wg_quick_down
	wg_quick_at_fixed_priorities
	ping_from lan "$INTERNET"
	answered
	carried wg0 0 eth0 1
	kernel_says "eth0 2" "$INTERNET" from 10.10.0.5 iif lan0
	asked "$INPUTS and .flow.iif == \"lan0\"" "chosen 1536 2 eth0" "not_found shadowed-route" \
		healthy
}

# The same in front of the rule that devices of VRFs need.
c06_a_vrf_is_shadowed() {
	scene
	ip_in host link add red up type vrf table 1000 2>/dev/null || lacks "this kernel has no VRF"
	ip_in host link set tailscale0 master red
	ip_in host route add "$TAILNET" dev tailscale0 table 1000
	wg_quick_rules
	traffic_from host -d "$TAILNET" -- "udp a device=red" "send a to=$TAILNET port=9"
	asked "$OUT" \
		"chosen 999 51820 wg0" \
		"passed_over 1000 not-reached" \
		"would_match 1000 $TAILNET tailscale0" \
		"found shadowed-route warning 1000 999"
	wg_quick_down
	wg_quick_at_fixed_priorities
	traffic_from host -d "$TAILNET" -- "udp a device=red" "send a to=$TAILNET port=9"
	carried wg0 0 tailscale0 1
	asked "$OUT" "chosen 1000 1000 tailscale0" "not_found shadowed-route" healthy
}

# --- rules that are doubled, or gone -----------------------------------------------------------

c09_each_restart_adds_the_rule_again() {
	scene
	ip_in host route add default dev wg0 table 101
	ip_batch host "rule add from 192.0.2.2 table 101" "rule add from 192.0.2.2 table 101" \
		"rule add from 192.0.2.2 table 101" "rule del from 192.0.2.2 table 101" \
		"rule add from 192.0.2.2 table 101"
	ip_in host route del default dev wg0 table 101
	ping_from host "$INTERNET" -I 192.0.2.2
	answered
	asked "$PINGS" \
		"chosen 32766 main eth0" \
		"passed_over 32763@101 no-route" \
		"passed_over 32764@101 no-route" \
		"passed_over 32765@101 no-route" \
		"found duplicate-rule warning"
	while ip_in host rule del from 192.0.2.2 table 101 2>/dev/null; do :; done
	ip_in host rule add pref 100 from 192.0.2.2 table 101
	! ip_in host rule add pref 100 from 192.0.2.2 table 101 2>/dev/null ||
		fail "the kernel takes the same rule at the same priority twice"
	ip_in host route add default dev wg0 table 101
	ping_from host "$INTERNET" -I 192.0.2.2
	asked "$PINGS" "chosen 100 101 wg0" "not_found duplicate-rule" healthy
	expect "map(select($PINGS)) | first | [.steps[] | select(.table == \"101\")] | length" 1
}

# What systemd-networkd deletes when it starts: rules that are not of protocol kernel.
delete_foreign_rules() {
	ip_in host -j -d rule show | jq -r '.[] | select(.protocol != "kernel") |
		"rule del pref \(.priority)"' | ip_in host -batch -
}

c10_rules_that_networkd_deletes_leave_a_table_that_nobody_asks() {
	scene
	tailscale_rules
	ip_in host rule add pref 9 fwmark 0x200/0xf00 lookup 2004 proto kernel
	ping_from host "$TAILNET"
	answered
	asked "$PINGS" "chosen 5270 52 tailscale0" healthy
	delete_foreign_rules
	same "the rules" "$(ip_in host rule show | sed 's/:.*//' | tr '\n' ' ')" "0 9 32766 32767 "
	ping_from host "$TAILNET"
	unanswered
	carried wg0 0 tailscale0 0 eth0 1
	kernel_says "eth0 main" "$TAILNET"
	asked "$PINGS" "chosen 32766 main eth0" "found orphan-table warning"
	ip_in host rule add pref 5270 lookup 52 proto kernel
	delete_foreign_rules
	ping_from host "$TAILNET"
	answered
	carried wg0 0 tailscale0 1 eth0 0
	kernel_says "tailscale0 52" "$TAILNET"
	asked "$PINGS" "chosen 5270 52 tailscale0" "not_found orphan-table" healthy
}

c11_flush_takes_the_rule_of_main() {
	scene
	ip_in host rule add pref 100 from 10.9.9.9 lookup 77
	ip_in host rule flush
	same "the rules" "$(ip_in host rule show | sed 's/:.*//' | tr '\n' ' ')" "0 "
	traffic_from host -d "$INTERNET" -- "udp a" "send a to=$INTERNET port=9"
	same "what came of the send" "$came" "ok ENETUNREACH"
	kernel_says ENETUNREACH "$INTERNET"
	carried eth0 0
	asked "$OUT" \
		"ended - none ENETUNREACH" \
		"decided end-of-rules" \
		"passed_over 0 no-route" \
		"found main-not-asked warning"
	ip_in host rule add pref 32766 lookup main
	ip_in host rule add pref 32767 lookup default
	ping_from host "$INTERNET"
	answered
	kernel_says "eth0 main" "$INTERNET"
	asked "$PINGS" "chosen 32766 main eth0" "not_found main-not-asked" healthy
}

# It deletes the first rule of that table, whose ever that is.
c11_deleting_the_rule_of_main_hits_another() {
	scene
	wg_quick_rules
	ip_in host rule del table main
	same "the rules" "$(ip_in host rule show | sed 's/:.*//' | tr '\n' ' ')" \
		"0 32765 32766 32767 "
	ping_from host 192.0.2.1
	unanswered
	carried wg0 1 eth0 0
	kernel_says "wg0 51820" 192.0.2.1
	asked "$PINGS" \
		"chosen 32765 51820 wg0" \
		"passed_over 32766 not-reached" \
		"would_match 32766 192.0.2.0/24 eth0" \
		"found missing-suppress warning 32766 32765"
	ip_in host rule add pref 32764 table main suppress_prefixlength 0
	ping_from host 192.0.2.1
	answered
	carried wg0 0 eth0 1
	asked "$PINGS" "chosen 32764 main eth0" "not_found missing-suppress" healthy
}

# --- rules that lead nowhere -------------------------------------------------------------------

c45_goto_without_a_target_is_passed_over() {
	scene
	ip_batch host "route add default dev wg0 table 101" \
		"rule add pref 100 to $BEHIND_VPN goto 200" \
		"rule add pref 150 to 198.51.100.0/24 lookup main"
	ping_from host "$BEHIND_VPN"
	unanswered
	carried wg0 0 eth0 1
	kernel_says "eth0 main" "$BEHIND_VPN"
	asked "$PINGS" "chosen 150 main eth0" "found unresolved-goto warning 100"
	expect "map(select($PINGS)) | first | step(100) | .action, (.rule | has(\"unresolved\"))" \
		"goto
true"
	ip_in host rule add pref 200 lookup 101
	ping_from host "$BEHIND_VPN"
	answered
	carried wg0 1 eth0 0
	kernel_says "wg0 101" "$BEHIND_VPN"
	asked "$PINGS" "chosen 200 101 wg0" "passed_over 100 goto" "not_found unresolved-goto" \
		healthy
}

# Only the rule was added; the route went into main.
c47_a_table_without_routes_is_passed_over() {
	scene_with_lan
	ip_in host rule add pref 100 from 10.10.0.0/24 lookup 1
	ping_from lan "$BEHIND_VPN"
	unanswered
	carried wg0 0 eth0 1
	kernel_says "eth0 main" "$BEHIND_VPN" from 10.10.0.5 iif lan0
	asked "$INPUTS and .flow.iif == \"lan0\"" \
		"chosen 32766 main eth0" \
		"passed_over 100@1 no-table" \
		"found empty-table warning 100"
	ip_in host route add default dev wg0 table 1
	ping_from lan "$BEHIND_VPN"
	answered
	carried wg0 1 eth0 0
	kernel_says "wg0 1" "$BEHIND_VPN" from 10.10.0.5 iif lan0
	asked "$INPUTS and .flow.iif == \"lan0\"" "chosen 100 1 wg0" "not_found empty-table" \
		healthy
}

run_tests \
	c04_rules_before_local_take_loopback c04_rules_before_local_take_own_addresses \
	c04_without_ciliums_first_rule_nothing_is_wrong \
	c05_rules_at_priority_0_turn_wg_quicks_pair_round \
	c05_a_rule_at_priority_2_leaves_the_pair_in_order \
	c06_a_pods_own_table_is_shadowed c06_a_vrf_is_shadowed \
	c09_each_restart_adds_the_rule_again \
	c10_rules_that_networkd_deletes_leave_a_table_that_nobody_asks \
	c11_flush_takes_the_rule_of_main c11_deleting_the_rule_of_main_hits_another \
	c45_goto_without_a_target_is_passed_over c47_a_table_without_routes_is_passed_over
