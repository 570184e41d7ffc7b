#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of VRFs: which table the l3mdev rule stands for, and what the rules around it do, as the
# kernel itself answers and as its devices count packets.

# What each test is repeated for: IPv4 and IPv6, those that are traced.
FAMILIES=${FAMILIES:-4}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/neighbours.sh"

ATTACH=(--attach "${FIBTRACE_ATTACH:-auto}")
RED=1001 BLUE=1002

# The prefixes of a family: of the links in VRFs, of the one outside, and what lies behind all.
prefixes() { # FAMILY
	family=$1 nodad='' vrf=192.0.2. plain=198.51.100. away=203.0.113. link_length=24 lengths="32 27 24"
	[ "$family" = 4 ] || {
		vrf=2001:db8:1:: plain=2001:db8:2:: away=2001:db8:3:: link_length=64
		lengths="128 123 64" nodad=' nodad'
	}
	read -r one some all <<<"$lengths"
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
		"address add ${vrf}2/$link_length dev eth0$nodad" \
		"address add ${vrf}2/$link_length dev eth1$nodad" \
		"address add ${plain}2/$link_length dev eth2$nodad" \
		"route add ${away}0/$all via ${vrf}1 dev eth0 table $RED" \
		"route add unreachable default metric 4278198272 table $RED" \
		"route add ${away}0/$all via ${vrf}1 dev eth1 table $BLUE" \
		"route add default via ${plain}1"
}

peer_lines() {
	printf '%s\n' "link set eth0 up" "address add ${1}1/$link_length dev eth0$nodad" \
		"route add local ${away}0/$all dev lo" "route add default via ${1}2"
}

# host eth0 in red ── redpeer, eth1 in blue ── bluepeer, both with the same addresses; eth2 ── peer.
# Each of the peers answers for all that is away.
scene() {
	local name
	new_ns host redpeer bluepeer peer
	ip_in host link add red up type vrf table "$RED" 2>/dev/null ||
		skip "this kernel has no VRF"
	ip_in host link add blue up type vrf table "$BLUE"
	for name in host redpeer bluepeer peer; do
		[ "$family" = 4 ] || sysctl_in "$name" net.ipv6.conf.all.disable_ipv6 0 \
			net.ipv6.conf.default.disable_ipv6 0
	done
	links | ip -batch -
	for name in redpeer bluepeer peer; do
		peer_lines "$([ "$name" = peer ] && echo "$plain" || echo "$vrf")" |
			ip_in "$name" "-$family" -batch -
	done
	host_lines | ip_in host "-$family" -batch -
	sysctl_in host net.ipv4.ip_forward 1 net.ipv4.conf.all.rp_filter 0 \
		net.ipv4.conf.eth0.rp_filter 0
	reach host "${vrf}1" -I red
	reach host "${vrf}1" -I blue
	reach host "${plain}1"
	pin_neighbours host redpeer bluepeer peer
}

# --- traffic -----------------------------------------------------------------------------------

sent() {
	in_ns host awk '/eth[012]:/ { print $1, $11 }' /proc/net/dev | sort
}

# trace_pings NAME ROW…: one ping for each "DEVICE DESTINATION" (-: not bound), traced in host.
trace_pings() {
	local row pings='' in
	in="nsenter --net=/run/netns/$(ns "$1") --"
	for row in "${@:2}"; do
		pings+="$in ping -n -q -c 1 -W 1 ${row#* }"
		[[ $row == '- '* ]] || pings+=" -I ${row% *}"
		pings+="; "
	done
	sent >"$WORK/sent.before"
	run_trace host "${ATTACH[@]}" "-$family" -- sh -c "$pings true"
	sent >"$WORK/sent.after"
	same "the exit status" "$status" 0
}

# carried ETH0 ETH1 ETH2: what host's devices sent meanwhile, as the kernel counts it.
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
	sed -e '/No route to host/cEHOSTUNREACH' -e '/Network is unreachable/cENETUNREACH' \
		-e '/Permission denied/cEACCES' -e '/Invalid argument/cEINVAL' "$WORK/answer.err"
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
			"from all $RED ${away}0/$all" \
		"sent_to(\"${away}5\") | step(1000) | \"\\(.outcome): \\(.reason)\"" \
			"skipped: l3mdev: no VRF device in the flow"
}

# The table refuses, and a device that is a VRF's is no reason to go out by it all the same.
the_table_of_a_vrf_refuses() {
	local rows=("red ${plain}7" "eth0 ${plain}8" "blue ${plain}9" "eth2 ${plain}1")
	scene
	ip_in host "-$family" route add prohibit "${plain}7/$one" table "$RED"
	trace_pings host "${rows[@]}"
	agrees "${rows[@]}"
	expect "sent_to(\"${plain}7\") | walked" "0 255 no-route,1000 $RED prohibit" \
		"sent_to(\"${plain}8\") | walked" "0 255 no-route,1000 $RED unreachable" \
		"sent_to(\"${plain}9\") | walked" \
			"0 255 no-route,1000 $BLUE no-route,32766 254 chosen"
}

# From red's table by a device of blue.
a_leaked_route_leads_into_another_vrf() {
	local rows=("red ${away}33" "red ${away}1")
	scene
	ip_in host "-$family" route add "${away}32/$some" via "${vrf}1" dev eth1 table "$RED"
	trace_pings host "${rows[@]}"
	agrees "${rows[@]}"
	carried 1 1 0
	expect "sent_to(\"${away}33\") | \"\\(.verdict.dst) \\(.verdict.dev) \\(walked)\"" \
		"${away}32/$some eth1 0 255 no-route,1000 $RED chosen"
}

# --- rules around it ---------------------------------------------------------------------------

rules_before_and_after_the_rule_of_vrfs() {
	local rows=("red ${away}1" "red ${away}2" "blue ${plain}3" "blue ${away}4" "- ${away}2")
	scene
	printf '%s\n' "rule add pref 500 to ${away}1 unreachable" \
		"rule add pref 1500 to ${away}2 prohibit" \
		"rule add pref 1501 to ${plain}3 lookup 79" \
		"route add ${plain}3/$one via ${vrf}1 dev eth1 table 79" |
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
		"route add ${away}0/$all via ${vrf}1 dev eth0 table 90" \
		"route add ${away}0/$all via ${vrf}1 dev eth1 table 91" \
		"route add ${away}0/$all via ${vrf}1 dev eth0 table 92" \
		"route add ${away}0/$all via ${vrf}1 dev eth1 table 93" |
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
	ip_in redpeer "-$family" route del local "${away}0/$all" dev lo
	for to in 33 34 35; do
		want=$(kernel_says "$away$to" from "${vrf}1" iif eth0)
		trace_pings redpeer "- $away$to"
		check_trace "map(select(.flow.dst == \"$away$to\" and .purpose == \"input\" and
			.flow.iif == \"eth0\")) | first | answer" "$want"
	done
}

# --- packets -----------------------------------------------------------------------------------

# In by a slave of red, out by one of blue.
a_slave_forwards_by_the_table_of_its_vrf() {
	local want
	scene
	ip_in host "-$family" route add "${away}32/$some" via "${vrf}1" dev eth1 table "$RED"
	sysctl_in host net.ipv4.conf.all.rp_filter 1 net.ipv4.conf.eth0.rp_filter 1
	want=$(kernel_says "${away}33" from "${vrf}1" iif eth0)
	same "what the kernel answers" "$want" "eth1 $RED"
	ip_in redpeer "-$family" route del local "${away}0/$all" dev lo
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
