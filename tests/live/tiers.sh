#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests that the tiers agree: all that load trace the same packets at the same time, and say the
# same of every lookup.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/story_ns.sh"
. "$(dirname "$0")/neighbours.sh"

PEER=198.51.100.9
TRAFFIC=$LIVE_DIR/traffic.py
# What lies between the lookups of these was seen by all.
BEGIN=203.0.113.250 MIDDLE=203.0.113.251 END=203.0.113.252

read -r -a TIERS <<<"${TIERS:-$("$FIBTRACE" features | sed -n 's/^\([a-z]*\): loads$/\1/p' |
	tr '\n' ' ')}"

# --- all tiers at once -------------------------------------------------------------------------

tracers=() traces=()

# attach_all NAME ARG…: every tier, on the same namespaces; all are ready when it returns.
attach_all() {
	local tier
	for tier in "${TIERS[@]}"; do
		attach "$1" "$WORK/${#traces[@]}.json" --format json --attach "$tier" "${@:2}"
		traces+=("$WORK/${#traces[@]}.json")
		tracers+=("$fibtrace_pid $fibtrace_err $fibtrace_err_file")
	done
	mark "$BEGIN"
}

# mark ADDRESS: a datagram from host that divides the time.
mark() {
	in_ns host bash -c "echo >/dev/udp/$1/9"
}

# All tiers have written what was before: what changes now does not concern it.
settle() {
	local trace
	mark "$MIDDLE"
	for trace in "${traces[@]}"; do
		await_line "$trace" "\"dst\":\"$MIDDLE\""
	done
}

# They end together, for that takes each of them a while.
detach_all() {
	local tracer
	mark "$END"
	for tracer in "${tracers[@]}"; do
		kill -INT "${tracer%% *}"
	done
	for tracer in "${tracers[@]}"; do
		# shellcheck disable=SC2034 # await_end uses them
		read -r fibtrace_pid fibtrace_err fibtrace_err_file <<<"$tracer"
		await_end
		same "the exit status" "$status" 0
	done
}

# Up to 5.14 a stack ends where the programs of another tier are attached to a function, and the
# tracepoint tier reads purpose and cause off it.
stacks_are_cut() {
	[ "$(printf '%s\n' 5.15 "$(uname -r)" | sort -V | tail -n 1)" = 5.15 ]
}

# all_agree WANT…: purposes and causes that the traffic must have had, or nothing was compared.
all_agree() {
	local trace want options=()
	detach_all
	for trace in "${traces[@]}"; do
		check_complete "$trace"
		check_schema "$trace"
	done
	ask "${traces[0]}" 'map("\(.purpose)/\(.cause)/\(.context)") | unique | .[]' >"$WORK/had"
	for want in "$@"; do
		grep -q -x "$want" "$WORK/had" ||
			fail "the traffic had no lookup '$want', but $(tr '\n' ' ' <"$WORK/had")"
	done
	! stacks_are_cut || options=(--stacks-are-cut)
	"$PYTHON" "$LIVE_DIR/tiers.py" --markers "$BEGIN" "$END" "${options[@]}" "${traces[@]}" \
		>"$WORK/compared" || fail "the tiers do not agree:
$(cat "$WORK/compared")"
	grep '^#' "$WORK/compared"
}

# quietly COMMAND ARG…: traffic in host that may fail; what it says is of no interest.
quietly() {
	in_ns host "$@" >>"$WORK/traffic.log" 2>&1 || true
}

# --- the story ---------------------------------------------------------------------------------

tiers_agree_on_the_story() {
	story_bad_order
	pin_neighbours host wan ts
	attach_all host
	quietly ping -n -q -c 1 -W 0.3 "$STORY_PEER"
	quietly ping -n -q -c 1 -W 0.3 10.64.0.1
	quietly ping -n -q -c 1 -W 0.3 -m 51820 "$STORY_PEER"
	quietly "$PYTHON" "$TRAFFIC" "udp $STORY_ENDPOINT 41641 mark=0x80000" \
		"udp $STORY_PEER 41641 mark=0x80000" "udp-connected $STORY_PEER 4000"
	all_agree output/send/task output/connect/task
}

# --- everything else ---------------------------------------------------------------------------

# host  eth0 192.0.2.2 ── 192.0.2.1 eth0  router 198.51.100.1 eth1 ── eth0 198.51.100.9  peer
#       eth1 10.9.0.2  ── 10.9.0.1  eth2
routed_scene() {
	three_ns
	link host eth1 10.9.0.2/24 router eth2 10.9.0.1/24
	reach host 10.9.0.1
	pin_neighbours host router peer
	ip_in host address add 192.0.2.22/24 dev eth0
	ip_in host route add unreachable 203.0.113.72
	ip_in host route add default via 10.9.0.1 table default
	ip_in host route add 203.0.113.96/28 nexthop via 192.0.2.1 nexthop via 10.9.0.1
	# What host sends from here comes to router through the wrong device.
	ip_in router route add 10.77.0.0/16 via "$PEER"
	ip_in router route add unreachable 203.0.113.48/28
	for name in all eth0 eth1 eth2; do
		sysctl_in router "net.ipv4.conf.$name.rp_filter" 1
	done
}

rules_scene() {
	routed_scene
	ip_in host -batch - <<-END
		rule add pref 100 fwmark 1 lookup 101
		rule add pref 110 uidrange 4242-4242 lookup 102
		rule add pref 120 to 203.0.113.64/29 unreachable
		rule add pref 130 to 203.0.113.80/28 lookup 103
		rule add pref 140 lookup main suppress_prefixlength 0
		rule add pref 150 from 192.0.2.22 lookup 105
		rule add pref 160 to 203.0.113.112/28 goto 190
		rule add pref 170 to 203.0.113.112/28 prohibit
		rule add pref 190 lookup 199
		rule add pref 200 iif eth0 lookup 106
		route add default via 10.9.0.1 table 101
		route add default via 192.0.2.1 table 102
		route add blackhole 203.0.113.80 table 103
		route add prohibit 203.0.113.81 table 103
		route add unreachable 203.0.113.82 table 103
		route add throw 203.0.113.83 table 103
		route add default via 10.9.0.1 table 105
	END
	ip_in router rule add pref 100 iif eth0 to 203.0.113.32/28 prohibit
	ip_in router rule add pref 110 from 192.0.2.0/24 lookup 110
	ip_in router route add default via "$PEER" table 110
	in_ns host nft -f - <<-END || lacks "this kernel has no nft route chains"
		add table ip reroute
		add chain ip reroute output { type route hook output priority mangle; }
		add rule ip reroute output ip daddr 203.0.113.40 meta mark set 1
	END
}

pings() {
	quietly ping -n -q -c 1 -W 0.3 "$PEER"
	quietly ping -n -q -c 1 -W 0.3 203.0.113.64
	quietly ping -n -q -c 1 -W 0.3 203.0.113.33
	quietly ping -n -q -c 1 -W 0.3 203.0.113.49
	quietly ping -n -q -c 1 -W 0.3 -t 1 "$PEER"
	quietly ping -n -q -c 1 -W 0.3 -I eth0 203.0.113.65
	quietly ping -n -q -c 1 -W 0.3 127.0.0.1
}

sends() {
	local host peer
	host=/run/netns/$(ns host) peer=/run/netns/$(ns peer)
	quietly "$PYTHON" "$TRAFFIC" "udp $PEER 4000 count=2" "udp-connected $PEER 4001 count=2" \
		"udp $PEER 4003 mark=1" "udp $PEER 4004 source=192.0.2.22" \
		"udp $PEER 4005 source=10.77.0.1" "udp 203.0.113.40 4006" \
		"udp 203.0.113.66 4007 device=eth0" "udp 203.0.113.67 4008" \
		"udp 203.0.113.72 4009" "udp 203.0.113.80 4010 next=5" \
		"udp 203.0.113.96 4011 next=6" "udp 203.0.113.113 4012" "udp 192.0.2.2 4013" \
		"udp 192.0.2.255 4014" "tcp $PEER 4002" "tcp 203.0.113.68 4015" \
		"session $PEER 4020 server=$peer client=$host" \
		"session 192.0.2.2 4021 server=$host client=$peer"
	cp "$TRAFFIC" "$WORK/traffic.py"
	quietly setpriv --reuid 4242 --clear-groups -- "$PYTHON" "$WORK/traffic.py" \
		"udp $PEER 4022" "tcp $PEER 4023"
}

questions() {
	quietly ip route get "$PEER"
	quietly ip route get "$PEER" mark 1 uid 4242
	quietly ip route get 203.0.113.72
	quietly ip route get 203.0.113.64 oif eth1
	quietly ip -n "$(ns router)" route get "$PEER" from 192.0.2.2 iif eth0
	quietly ip -n "$(ns router)" route get "$PEER" from 10.77.0.1 iif eth0
	quietly ip route get 192.0.2.2 from "$PEER" iif eth0
}

# The kernel looks for each gateway, and these change what comes after them.
new_routes() {
	settle
	quietly ip route add 203.0.113.192/28 via 192.0.2.1
	quietly ip route add 203.0.113.208/28 via 10.9.0.1 table 107
	quietly ip route add 203.0.113.224/28 nexthop via 192.0.2.1 nexthop via 10.9.0.1
	quietly ip route add 203.0.113.240/29 via 172.16.0.1
}

traffic() {
	attach_all host --netns "$(ns host)" --netns "$(ns router)"
	pings
	sends
	questions
	# By its stack alone the tracepoint tier tells these from other questions.
	stacks_are_cut || new_routes
}

# The lookup that must be among those of new routes, where there are any.
new_gateways=(other/route-add/task)
! stacks_are_cut || new_gateways=()

tiers_agree_where_rules_are_walked() {
	rules_scene
	traffic
	all_agree output/send/task output/connect/task output/reply/softirq \
		output/icmp-error/softirq input/receive/softirq source-check/receive/softirq \
		reroute/send/task route-get/route-get/task "${new_gateways[@]}"
}

tiers_agree_where_no_rules_are_walked() {
	routed_scene
	traffic
	all_agree output/send/task output/connect/task output/reply/softirq \
		output/icmp-error/softirq input/receive/softirq source-check/receive/softirq \
		route-get/route-get/task "${new_gateways[@]}"
}

# --- IPv6 --------------------------------------------------------------------------------------

PEER6=2001:db8:2::9

# The same hosts with addresses of IPv6, where nothing is sent unasked.
inet6_scene() {
	routed_scene
	speaks_inet6 host router peer
	sysctl_in router net.ipv6.conf.all.forwarding 1
	address_in host eth0 2001:db8:1::2/64
	address_in host eth1 2001:db8:3::2/64
	address_in router eth0 2001:db8:1::1/64
	address_in router eth1 2001:db8:2::1/64
	address_in router eth2 2001:db8:3::1/64
	address_in peer eth0 "$PEER6/64"
	ip_in host route add default via 2001:db8:1::1
	ip_in peer route add default via 2001:db8:2::1
	ip_in host -6 route add unreachable 2001:db8:a::72
	ip_in host -6 route add 2001:db8:b::/48 nexthop via 2001:db8:1::1 nexthop via 2001:db8:3::1
	ip_in router -6 route add unreachable 2001:db8:c::/48
	in_ns host ping -6 -n -q -c 1 -w 5 -i 0.01 "$PEER6" >/dev/null
}

inet6_rules() {
	ip_in host -6 -batch - <<-END
		rule add pref 100 fwmark 1 lookup 101
		rule add pref 110 uidrange 4242-4242 lookup 102
		rule add pref 120 to 2001:db8:d::/48 unreachable
		rule add pref 130 to 2001:db8:e::/48 lookup 103
		rule add pref 140 lookup main suppress_prefixlength 0
		rule add pref 150 from 2001:db8:3::2 lookup 105
		rule add pref 160 to 2001:db8:f::/48 goto 190
		rule add pref 170 to 2001:db8:f::/48 prohibit
		rule add pref 190 lookup 199
		route add default via 2001:db8:3::1 table 101
		route add default via 2001:db8:1::1 table 102
		route add blackhole 2001:db8:e::80 table 103
		route add prohibit 2001:db8:e::81 table 103
		route add unreachable 2001:db8:e::82 table 103
		route add throw 2001:db8:e::83 table 103
		route add default via 2001:db8:3::1 table 105
	END
	ip_in router -6 rule add pref 100 iif eth0 to 2001:db8:9::/48 prohibit
}

# What neighbours say to each other goes to addresses of their link.
inet6_traffic() {
	local host peer
	host=/run/netns/$(ns host) peer=/run/netns/$(ns peer)
	BEGIN=2001:db8:7::250 END=2001:db8:7::252
	attach_all host -d 2001:db8::/32 --netns "$(ns host)" --netns "$(ns router)"
	quietly ping -6 -n -q -c 1 -W 0.3 "$PEER6"
	quietly ping -6 -n -q -c 1 -W 0.3 2001:db8:c::1
	quietly ping -6 -n -q -c 1 -W 0.3 2001:db8:9::1
	quietly ping -6 -n -q -c 1 -W 0.3 -t 1 "$PEER6"
	quietly "$PYTHON" "$TRAFFIC" "udp $PEER6 4000 count=2" "udp-connected $PEER6 4001 count=2" \
		"udp $PEER6 4003 mark=1" "udp $PEER6 4004 source=2001:db8:3::2" \
		"udp 2001:db8:a::72 4005" "udp 2001:db8:d::1 4006" "udp 2001:db8:e::80 4007 next=5" \
		"udp 2001:db8:b::1 4008 next=6" "udp 2001:db8:f::1 4009" "udp 2001:db8:1::2 4010" \
		"tcp $PEER6 4011" "session $PEER6 4020 server=$peer client=$host"
	in_ns peer ping -6 -n -q -c 1 -W 0.3 2001:db8:1::2 >>"$WORK/traffic.log" 2>&1 || true
	quietly ip -6 route get "$PEER6"
	quietly ip -6 route get "$PEER6" mark 1
	quietly ip -6 route get 2001:db8:a::72
}

tiers_agree_on_ipv6_with_rules() {
	inet6_scene
	inet6_rules
	inet6_traffic
	all_agree output/send/task output/connect/task output/reply/softirq input/receive/softirq \
		route-get/route-get/task
}

tiers_agree_on_ipv6_without_rules() {
	inet6_scene
	inet6_traffic
	all_agree output/send/task output/connect/task output/reply/softirq input/receive/softirq \
		route-get/route-get/task
}

[ ${#TIERS[@]} -ge 2 ] || skip_all "only one tier loads here: ${TIERS[*]}"
require ping setpriv
story_require
run_tests tiers_agree_on_the_story tiers_agree_where_rules_are_walked \
	tiers_agree_where_no_rules_are_walked tiers_agree_on_ipv6_with_rules \
	tiers_agree_on_ipv6_without_rules
