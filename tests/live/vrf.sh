#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of VRFs: which table the l3mdev rule stands for, and what the rules around it do, as the
# kernel itself answers and as its devices count packets.

# What each test is repeated for: IPv4 and IPv6, those that are traced.
FAMILIES=${FAMILIES:-4 6}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/neighbours.sh"

ATTACH=(--attach "${FIBTRACE_ATTACH:-auto}")
RED=1001 BLUE=1002

# The prefixes of a family: of the links in VRFs, of the one outside, and of what lies behind all:
# all of it and some. Where a slave's packets come from is for IPv6 the VRF, which has had them by
# then, and for IPv4 the slave.
prefixes() { # FAMILY
	family=$1
	if [ "$family" = 4 ]; then
		vrf=192.0.2. plain=198.51.100. away=203.0.113. on_link=/24 one=/32
		vrf_net=192.0.2.0/24 plain_net=198.51.100.0/24 all=203.0.113.0/24
		some=203.0.113.32/27 enters=eth0
	else
		vrf=2001:db8:1:: plain=2001:db8:2:: away=2001:db8:3:: on_link="/64 nodad" one=/128
		vrf_net=2001:db8:1::/64 plain_net=2001:db8:2::/64 all=2001:db8:3::/64
		some=2001:db8:3::20/123 enters=red
	fi
}

# links: what joins host with the others, for ip(8); names are whole.
links() {
	local row
	for row in "eth0 redpeer" "eth1 bluepeer" "eth2 peer"; do
		echo "link add ${row% *} netns $(ns host) type veth peer name eth0 netns" \
			"$(ns "${row#* }")"
	done
}

# host_lines, peer_lines PREFIX: the same for one of them.
host_lines() {
	printf '%s\n' "link set eth0 master red" "link set eth1 master blue" \
		"link set eth0 up" "link set eth1 up" "link set eth2 up" \
		"address add ${vrf}2$on_link dev eth0" \
		"address add ${vrf}2$on_link dev eth1" \
		"address add ${plain}2$on_link dev eth2" \
		"route add $all via ${vrf}1 dev eth0 table $RED" \
		"route add unreachable default metric 4278198272 table $RED" \
		"route add $all via ${vrf}1 dev eth1 table $BLUE" \
		"route add default via ${plain}1"
}

peer_lines() {
	printf '%s\n' "link set eth0 up" "address add ${1}1$on_link dev eth0" \
		"route add local $all dev lo" "route add default via ${1}2"
}

# host eth0 in red ── redpeer, eth1 in blue ── bluepeer, both with the same addresses; eth2 ── peer.
# Each of the peers answers for all that is away.
scene() {
	local name
	new_ns host redpeer bluepeer peer
	ip_in host link add red up type vrf table "$RED" 2>/dev/null ||
		lacks "this kernel has no VRF"
	ip_in host link add blue up type vrf table "$BLUE"
	[ "$family" = 4 ] || speaks_inet6 host redpeer bluepeer peer
	links | ip -batch -
	for name in redpeer bluepeer peer; do
		peer_lines "$([ "$name" = peer ] && echo "$plain" || echo "$vrf")" |
			ip_in "$name" "-$family" -batch -
	done
	host_lines | ip_in host "-$family" -batch -
	sysctl_in host net.ipv4.ip_forward 1 net.ipv4.conf.all.rp_filter 0 \
		net.ipv4.conf.eth0.rp_filter 0
	[ "$family" = 4 ] || sysctl_in host net.ipv6.conf.all.forwarding 1
	reach host "${vrf}1" -I red
	reach host "${vrf}1" -I blue
	reach host "${plain}1"
	pin_neighbours host redpeer bluepeer peer
}

# --- traffic -----------------------------------------------------------------------------------

# sent: what host's devices have sent. What IPv6 says by itself comes when it likes, and the kernel
# counts pings of an own address for the device that has it: there it is the echo requests, or the
# messages of another type, that came to who is behind each device.
sent() {
	local name
	if [ "$family" = 4 ]; then
		in_ns host awk '/eth[012]:/ { print $1, $11 }' /proc/net/dev | sort
		return
	fi
	for name in redpeer bluepeer peer; do
		in_ns "$name" awk -v "name=$name" -v "type=Icmp6InType${counted:-128}" '
			$1 == type { count = $2 }
			END { print name, count + 0 }' /proc/net/dev_snmp6/eth0
	done
}

# trace_pings NAME ROW…: one ping for each "DEVICE DESTINATION" (-: not bound), traced in host; not
# so what others say to neighbours.
trace_pings() {
	local row pings='' in
	in="nsenter --net=/run/netns/$(ns "$1") --"
	for row in "${@:2}"; do
		pings+="$in ping -n -q -c 1 -W 1 ${row#* }"
		[[ $row == '- '* ]] || pings+=" -I ${row% *}"
		pings+="; "
	done
	sent >"$WORK/sent.before"
	run_trace host "${ATTACH[@]}" "-$family" -d "$vrf_net" -d "$plain_net" -d "$all" -- \
		sh -c "$pings true"
	sent >"$WORK/sent.after"
	same "the exit status" "$status" 0
}

# carried ETH0 ETH1 ETH2: what host's devices sent meanwhile, of what sent() counts.
carried() {
	same "what eth0, eth1 and eth2 sent" "$(awk 'NR == FNR { before[$1] = $2; next }
		{ printf "%s%d", (FNR > 1 ? " " : ""), $2 - before[$1] }' \
		"$WORK/sent.before" "$WORK/sent.after")" "$*"
}

# kernel_says ARG…: "DEV TABLE" or the errno's name.
kernel_says() {
	if ip_in host -N -j "-$family" route get "$@" >"$WORK/answer" 2>"$WORK/answer.err"; then
		jq -r '.[0] | "\(.dev) \(.table // 254)"' "$WORK/answer"
		return
	fi
	errno_name <"$WORK/answer.err"
}

# What a verdict says, in the same words.
JQ_WORDS+='
def answer: .verdict | .error // "\(.dev) \(.table_id // 254)";
def walked: [.steps[] | select(.outcome | IN("skipped", "not-reached") | not) |
	"\(.priority) \(.table_id) \(.outcome)"] | join(",");
def sent_to(dst): map(select(.flow.dst == dst and .purpose == "output" and .context == "task")) |
	last;
def came_from(src): map(select(.flow.src == src and .purpose == "input")) | first;
'

# agrees ROW…: of each ping the lookup says what the kernel answers.
agrees() {
	local row device checks=()
	for row in "$@"; do
		device=()
		[[ $row == '- '* ]] || device=(oif "${row% *}")
		checks+=("sent_to(\"${row#* }\") | answer"
			"$(kernel_says "${row#* }" "${device[@]}")")
	done
	check_trace "${checks[@]}"
}

# --- which table -------------------------------------------------------------------------------

sockets_ask_the_table_of_their_vrf() {
	local rows=("red ${away}1" "blue ${away}2" "eth0 ${away}3" "eth1 ${away}4" "- ${away}5")
	scene
	trace_pings host "${rows[@]}"
	agrees "${rows[@]}"
	carried 2 2 1
	expect "sent_to(\"${away}1\") | walked" "0 255 no-route,1000 $RED chosen" \
		"sent_to(\"${away}2\") | walked" "0 255 no-route,1000 $BLUE chosen" \
		"sent_to(\"${away}3\") | walked" "0 255 no-route,1000 $RED chosen" \
		"sent_to(\"${away}4\") | walked" "0 255 no-route,1000 $BLUE chosen" \
		"sent_to(\"${away}5\") | walked" "0 255 no-route,32766 254 chosen" \
		"sent_to(\"${away}1\") | step(1000) | \"\\(.selector) \\(.table) \\(.route.dst)\"" \
			"from all $RED $all" \
		"sent_to(\"${away}5\") | step(1000) | \"\\(.outcome): \\(.reason)\"" \
			"skipped: l3mdev: no VRF device in the flow"
}

# The table refuses, and a device that is a VRF's is no reason to go out by it all the same. Of IPv6
# newer kernels want routes by the slave itself, if that is what a socket is bound to; one that
# refuses has no device. Their answer tells.
the_table_of_a_vrf_refuses() {
	local rows=("red ${plain}7" "eth0 ${plain}8" "blue ${plain}9" "eth2 ${plain}1")
	local by_slave="1000 $RED unreachable"
	scene
	[ "$family $(kernel_says "${plain}8" oif eth0)" != "6 ENETUNREACH" ] ||
		by_slave="1000 $RED no-route,32766 254 no-route"
	ip_in host "-$family" route add prohibit "${plain}7$one" table "$RED"
	trace_pings host "${rows[@]}"
	agrees "${rows[@]}"
	expect "sent_to(\"${plain}7\") | walked" "0 255 no-route,1000 $RED prohibit" \
		"sent_to(\"${plain}8\") | walked" "0 255 no-route,$by_slave" \
		"sent_to(\"${plain}9\") | walked" \
			"0 255 no-route,1000 $BLUE no-route,32766 254 chosen"
}

# From red's table by a device of blue.
a_leaked_route_leads_into_another_vrf() {
	local rows=("red ${away}33" "red ${away}1")
	scene
	ip_in host "-$family" route add "$some" via "${vrf}1" dev eth1 table "$RED"
	trace_pings host "${rows[@]}"
	agrees "${rows[@]}"
	carried 1 1 0
	expect "sent_to(\"${away}33\") | \"\\(.verdict.dst) \\(.verdict.dev) \\(walked)\"" \
		"$some eth1 0 255 no-route,1000 $RED chosen"
}

# --- rules around it ---------------------------------------------------------------------------

rules_before_and_after_the_rule_of_vrfs() {
	local rows=("red ${away}1" "red ${away}2" "blue ${plain}3" "blue ${away}4" "- ${away}2")
	scene
	printf '%s\n' "rule add pref 500 to ${away}1 unreachable" \
		"rule add pref 1500 to ${away}2 prohibit" \
		"rule add pref 1501 to ${plain}3 lookup 79" \
		"route add ${plain}3$one via ${vrf}1 dev eth1 table 79" |
		ip_in host "-$family" -batch -
	trace_pings host "${rows[@]:0:4}"
	agrees "${rows[@]:0:4}"
	expect "sent_to(\"${away}1\") | walked" "0 255 no-route,500 null unreachable" \
		"sent_to(\"${away}2\") | \"\\(walked) \\(step(1500).outcome)\"" \
			"0 255 no-route,1000 $RED chosen not-reached" \
		"sent_to(\"${plain}3\") | walked" \
			"0 255 no-route,1000 $BLUE no-route,1501 79 chosen" \
		"sent_to(\"${away}4\") | walked" "0 255 no-route,1000 $BLUE chosen"
	trace_pings host "${rows[4]}"
	agrees "${rows[4]}"
}

# Which of them match has changed twice: with the flow's own l3mdev, and with rules that know masters.
rules_name_masters_and_slaves() {
	local rows=("red ${away}1" "eth0 ${away}2" "blue ${away}3" "eth1 ${away}4" "- ${away}5")
	scene
	printf '%s\n' "rule add pref 900 oif red lookup 90" "rule add pref 901 oif eth1 lookup 91" \
		"rule add pref 902 iif red lookup 92" "rule add pref 903 iif lo oif blue lookup 93" \
		"route add $all via ${vrf}1 dev eth0 table 90" \
		"route add $all via ${vrf}1 dev eth1 table 91" \
		"route add $all via ${vrf}1 dev eth0 table 92" \
		"route add $all via ${vrf}1 dev eth1 table 93" |
		ip_in host "-$family" -batch -
	trace_pings host "${rows[@]}"
	agrees "${rows[@]}"
	carried 2 2 1
}

rules_name_where_packets_come_from() { # by a master or a slave
	local want
	scene
	printf '%s\n' "rule add pref 900 iif red to ${away}33 lookup 90" \
		"rule add pref 901 iif eth0 to ${away}34 lookup 91" \
		"route add default via ${plain}1 dev eth2 table 90" \
		"route add default via ${plain}1 dev eth2 table 91" |
		ip_in host "-$family" -batch -
	ip_in redpeer "-$family" route del local "$all" dev lo
	for to in 33 34 35; do
		want=$(kernel_says "$away$to" from "${vrf}1" iif "$enters")
		trace_pings redpeer "- $away$to"
		check_trace "map(select(.flow.dst == \"$away$to\" and .purpose == \"input\" and
			.flow.iif == \"$enters\")) | first | answer" "$want"
	done
}

# --- packets -----------------------------------------------------------------------------------

# In by a slave of red, out by one of blue.
a_slave_forwards_by_the_table_of_its_vrf() {
	local want
	scene
	ip_in host "-$family" route add "$some" via "${vrf}1" dev eth1 table "$RED"
	sysctl_in host net.ipv4.conf.all.rp_filter 1 net.ipv4.conf.eth0.rp_filter 1
	want=$(kernel_says "${away}33" from "${vrf}1" iif "$enters")
	same "what the kernel answers" "$want" "eth1 $RED"
	ip_in redpeer "-$family" route del local "$all" dev lo
	trace_pings redpeer "- ${away}33"
	carried 0 1 0
	check_trace "map(select(.flow.dst == \"${away}33\" and .purpose == \"input\")) | first |
			\"\\(answer) \\(walked)\"" "$want 0 255 no-route,1000 $RED chosen"
	[ "$family" = 6 ] || expect 'map(select(.purpose == "source-check" and .flow.iif != null and
		.verdict.dev == "eth0")) | map(.verdict | "\(.priority) \(.table_id)") | unique |
		join(",")' "1000 $RED"
}

# The answer to a ping, and the error for a port that is closed, go where the question came from.
replies_stay_in_their_vrf() {
	local counted=129
	scene
	trace_pings redpeer "- ${vrf}2"
	carried 1 0 0
	check_trace 'map(select(.cause == "reply")) | map("\(answer) \(walked)") | unique | join(";")' \
		"eth0 $RED 0 255 no-route,1000 $RED chosen" \
		"map(select(.purpose == \"input\" and .flow.dst == \"${vrf}2\")) | map(.verdict |
			\"\\(.type) \\(.priority) \\(.table_id)\") | unique | join(\",\")" \
			"local 1000 $RED"
}

local_traffic_stays_in_its_vrf() {
	local rows=("red ${vrf}2" "blue ${vrf}2")
	scene
	trace_pings host "${rows[0]}"
	carried 0 0 0
	check_trace "sent_to(\"${vrf}2\") | .verdict | \"\\(.type) \\(.priority) \\(.table_id)\"" \
		"local 1000 $RED" \
		"map(.verdict | \"\\(.priority) \\(.table_id)\") | unique | join(\",\")" "1000 $RED"
	trace_pings host "${rows[1]}"
	carried 0 0 0
	check_trace "map(.verdict | \"\\(.priority) \\(.table_id)\") | unique | join(\",\")" \
		"1000 $BLUE"
}

# --- all of it, by family ----------------------------------------------------------------------

TESTS=(sockets_ask_the_table_of_their_vrf the_table_of_a_vrf_refuses
	a_leaked_route_leads_into_another_vrf rules_before_and_after_the_rule_of_vrfs
	rules_name_masters_and_slaves rules_name_where_packets_come_from
	a_slave_forwards_by_the_table_of_its_vrf replies_stay_in_their_vrf
	local_traffic_stays_in_its_vrf)

require ping
names=()
for number in $FAMILIES; do
	for name in "${TESTS[@]}"; do
		eval "v${number}_$name() { prefixes $number; $name; }"
		names+=("v${number}_$name")
	done
done
run_tests "${names[@]}"
