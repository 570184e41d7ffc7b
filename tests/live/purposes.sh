#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of single lookups: what each was for, what caused it, who asked and how it ended. For IPv4,
# or what $FAMILY says.

. "$(dirname "$0")/lib.sh"

if [ "$FAMILY" = 6 ]; then
	ALSO=2001:db8:1::22 OTHER_NET=2001:db8:2::/64 SECOND_NET=2001:db8:3::
	EMPTY_TABLE=no-route BEHIND_MAIN='' NFT=ip6
else
	ALSO=192.0.2.22 OTHER_NET=198.51.100.0/24 SECOND_NET=10.9.0.
	EMPTY_TABLE=no-table BEHIND_MAIN=',32767 not-reached' NFT=ip
fi

# send_from_host ARG…: one traced send from host; its errno, or "ok", is left in $sent and its
# pid in $sender.
send_from_host() {
	run_trace host -d "${DEST:-$ANYWHERE}" -- \
		"$SEND" --result "$WORK/result" "${@:2}" "$1" "${DEST:-$ANYWHERE}" 4000
	read -r sender sent <"$WORK/result"
}

# --- how lookups end ---------------------------------------------------------------------------

# rule_rejects ACTION ERRNO
rule_rejects() {
	two_ns
	family_in host route add default via "$NEXT"
	family_in host rule add pref 100 to "$ANYWHERE" "$1"
	send_from_host udp
	same "the sender's errno" "$sent" "$2"
	check_trace \
		'facts_of(true)' "output send task $2 $1 100 - - rule" \
		'first | step(100).outcome' "$1" \
		'first | step(0).outcome' no-route
}

# route_rejects TYPE ERRNO: in a table of its own.
route_rejects() {
	two_ns
	family_in host route add default via "$NEXT"
	family_in host route add "$1" "$ANYWHERE" table 100
	family_in host rule add pref 100 lookup 100
	send_from_host udp
	same "the sender's errno" "$sent" "$2"
	check_trace \
		'facts_of(true)' "output send task $2 $1 100 100 - rule" \
		'first | step(100).outcome' "$1"
}

unreachable_rule_is_enetunreach() { rule_rejects unreachable ENETUNREACH; }
prohibit_rule_is_eacces() { rule_rejects prohibit EACCES; }
blackhole_rule_is_einval() { rule_rejects blackhole EINVAL; }
unreachable_route_is_ehostunreach() { route_rejects unreachable EHOSTUNREACH; }
prohibit_route_is_eacces() { route_rejects prohibit EACCES; }
blackhole_route_is_einval() { route_rejects blackhole EINVAL; }

unreachable_route_of_main_without_rules() {
	two_ns
	family_in host route add unreachable "$ANYWHERE"
	send_from_host udp
	same "the sender's errno" "$sent" EHOSTUNREACH
	check_trace 'facts_of(true)' \
		"output send task EHOSTUNREACH unreachable 32766 254 - built-in"
}

throw_route_goes_on_with_the_next_rule() {
	two_ns
	family_in host route add default via "$NEXT"
	family_in host route add throw "$ANYWHERE" table 100
	family_in host route add default via "$NEXT" table 100
	family_in host rule add pref 100 lookup 100
	send_from_host udp
	check_trace \
		'facts_of(true)' "output send task - unicast 32766 254 eth0 rule" \
		'first | step(100).outcome' throw
}

table_without_routes_goes_on_with_the_next_rule() {
	two_ns
	family_in host route add default via "$NEXT"
	family_in host route add "$OTHER_NET" via "$NEXT" table 100
	family_in host rule add pref 100 lookup 100
	family_in host rule add pref 101 lookup 101
	send_from_host udp
	check_trace \
		'facts_of(true)' "output send task - unicast 32766 254 eth0 rule" \
		'first | [step(100), step(101)] | map(.outcome) | join(" ")' "no-route $EMPTY_TABLE"
}

no_route_at_all_ends_the_rules() {
	two_ns
	family_in host rule add pref 100 lookup 100
	send_from_host udp
	same "the sender's errno" "$sent" ENETUNREACH
	check_trace 'facts_of(true)' "output send task ENETUNREACH none - - - end-of-rules"
}

no_route_at_all_without_rules() {
	two_ns
	send_from_host udp
	same "the sender's errno" "$sent" ENETUNREACH
	check_trace \
		'first | [.verdict.error, .verdict.type, .verdict.decided_by] | join(" ")' \
			"ENETUNREACH none built-in" \
		'first | .verdict.dev' null
}

no_custom_rules_is_built_in() {
	three_ns
	DEST=$PEER send_from_host udp
	check_trace \
		'facts_of(true)' "output send task - unicast 32766 254 eth0 built-in" \
		'first | .verdict | [.dst, .prefixlen, .gateway] | join(" ")' \
			"default 0 $NEXT"
}

deleted_custom_rule_leaves_rules_walked() {
	three_ns
	family_in host rule add pref 100 lookup 100
	family_in host rule del pref 100
	DEST=$PEER send_from_host udp
	check_trace \
		'facts_of(true)' "output send task - unicast 32766 254 eth0 rule" \
		'first | .steps | map("\(.priority) \(.outcome)") | join(",")' \
			"0 no-route,32766 chosen$BEHIND_MAIN"
}

# The device is that of the FIB's answer; the packet itself then goes through lo.
own_address_is_local() {
	two_ns
	DEST=$HOST send_from_host udp
	check_trace 'facts_of(.purpose == "output")' \
		"output send task - local 0 255 eth0 built-in"
}

# --- packets of others -------------------------------------------------------------------------

forwarded_packet_is_input_in_softirq() {
	three_ns
	run_trace host --netns "$(ns router)" -d "$PEER" -- ping -n -q -c 1 -W 2 "$PEER"
	check_trace \
		'map(facts) | unique | join(",")' \
			"input receive softirq - unicast 32766 254 eth1 built-in" \
		'map(.flow.iif) | unique | join(",")' eth0 \
		'map(.process) | unique | tostring' "[null]" \
		"map(.netns) | unique | tostring" "[$(ns_inode router)]"
	grep -q '^fibtrace: .*namespace' "$WORK/trace.err" ||
		fail "no warning that COMMAND runs in another namespace"
}

packet_to_this_host_is_input_and_local() {
	two_ns
	run_trace peer --netns "$(ns host)" -d "$HOST" -- ping -n -q -c 1 -W 2 "$HOST"
	check_trace 'facts_of(.purpose == "input")' \
		"input receive softirq - local 0 255 eth0 built-in"
}

# forward_rejects ACTION ERRNO TOLD: the router meets a rule that rejects, and tells the sender
# so or not. The error's own route makes more than one lookup on some kernels.
forward_rejects() {
	three_ns
	family_in router rule add pref 100 iif eth0 to "$PEER" "$1"
	run_trace host --netns "$(ns router)" -d "$PEER" -d "$HOST" -- \
		ping -n -q -c 1 -W 1 "$PEER"
	check_trace \
		"map(select(.cause == \"receive\" and .purpose == \"input\") | .flow.dst) |
			first" "$PEER" \
		'facts_of(.purpose == "input" and .cause == "receive")' \
			"input receive softirq $2 $1 100 - - rule" \
		"map(select(.cause == \"icmp-error\" and .purpose == \"output\" and
			.flow.dst == \"$HOST\" and .context == \"softirq\")) | length > 0" "$3"
}

forwarded_packet_meets_unreachable_rule() { forward_rejects unreachable ENETUNREACH true; }
forwarded_packet_meets_prohibit_rule() { forward_rejects prohibit EACCES true; }
forwarded_packet_meets_blackhole_rule() { forward_rejects blackhole EINVAL false; }

reverse_path_check_is_source_check() {
	three_ns
	sysctl_in host net.ipv4.conf.all.rp_filter 1 net.ipv4.conf.eth0.rp_filter 1
	run_trace peer --netns "$(ns host)" --purpose source-check -d "$PEER" -- \
		ping -n -q -c 1 -W 2 "$HOST"
	check_trace \
		'facts_of(true)' "source-check receive softirq - unicast 32766 254 eth0 built-in" \
		'first | .flow.dst' "$PEER"
}

reverse_path_check_that_fails() {
	three_ns
	sysctl_in host net.ipv4.conf.all.rp_filter 1 net.ipv4.conf.eth0.rp_filter 1
	family_in host rule add pref 100 to "$PEER" prohibit
	run_trace peer --netns "$(ns host)" -d "$PEER" -- ping -n -q -c 1 -W 1 "$HOST"
	same "ping's exit status" "$status" 1
	check_trace \
		'facts_of(true)' "source-check receive softirq EACCES prohibit 100 - - rule" \
		'map(.purpose) | unique | join(",")' source-check
}

echo_reply_is_reply_in_softirq() {
	three_ns
	run_trace peer --netns "$(ns host)" -d "$PEER" --purpose output -- \
		ping -n -q -c 1 -W 2 "$HOST"
	check_trace \
		'facts_of(true)' "output reply softirq - unicast 32766 254 eth0 built-in" \
		'first | .process' null
}

tcp_reset_is_reply_in_softirq() {
	three_ns
	run_trace peer --netns "$(ns host)" -d "$PEER" --purpose output -- \
		"$SEND" tcp "$HOST" 4000
	check_trace 'facts_of(.flow.protocol == "tcp")' \
		"output reply softirq - unicast 32766 254 eth0 built-in"
}

# --- packets of this host ----------------------------------------------------------------------

ping_from_address_shows_the_source() {
	three_ns
	ip_batch host "address add $ALSO$ON_LINK dev eth0"
	run_trace host -d "$PEER" -- ping -n -q -c 1 -W 2 -I "$ALSO" "$PEER"
	check_trace \
		'facts_of(is_icmp)' \
			"output send task - unicast 32766 254 eth0 built-in" \
		'map(icmp) | first | .flow.src' "$ALSO"
}

ping_makes_a_connect_and_a_send() {
	three_ns
	run_trace host -d "$PEER" -- ping -n -q -c 1 -W 2 "$PEER"
	check_trace \
		'map(udp | .cause) | unique | join(",")' connect \
		'map(icmp | .cause) | unique | join(",")' send \
		'map(.process.comm) | unique | join(",")' ping
}

bound_device_overrides_the_rules() {
	two_ns
	family_in host rule add pref 100 to "$ANYWHERE" unreachable
	run_trace host -d "$ANYWHERE" -- ping -n -q -c 1 -W 1 -I eth0 "$ANYWHERE"
	check_trace \
		'map(icmp) | first | [.purpose, .cause, .context] | join(" ")' "output send task" \
		'map(icmp) | first | [.flow.oif, .verdict.dev, .verdict.decided_by] | join(" ")' \
			"eth0 eth0 bound-device" \
		'map(icmp) | first | .verdict.error' null \
		'map(icmp) | first | step(100).outcome' unreachable
}

# IPv6 has no such override: what the rules say stands.
bound_device_overrides_no_rules() {
	two_ns
	family_in host rule add pref 100 to "$ANYWHERE" unreachable
	run_trace host -d "$ANYWHERE" -- ping -n -q -c 1 -W 1 -I eth0 "$ANYWHERE"
	same "ping's exit status" "$status" 2
	check_trace \
		'map(select(.flow.oif == "eth0") | [.purpose, .verdict.error, .verdict.type,
			.verdict.priority, .verdict.dev, .verdict.decided_by] | map(field(.)) |
			join(" ")) | unique | join(",")' \
			"output ENETUNREACH unreachable 100 - rule"
}

ping_with_a_mark() {
	three_ns
	family_in host rule add pref 100 fwmark 0x12345 lookup 100
	family_in host route add default via "$NEXT" table 100
	run_trace host -d "$PEER" -- ping -n -q -c 1 -W 2 -m 74565 "$PEER"
	check_trace \
		'facts_of(is_icmp)' \
			"output send task - unicast 100 100 eth0 rule" \
		'map(icmp) | first | .flow.fwmark' 0x12345
	same "what the kernel answers" "$(route_get host "$PEER" mark 0x12345)" "eth0 100"
}

tcp_connect() {
	three_ns
	DEST=$PEER send_from_host tcp
	same "the sender's errno" "$sent" ECONNREFUSED
	check_trace \
		'facts_of(.flow.dport == 4000)' \
			"output connect task - unicast 32766 254 eth0 built-in" \
		'map(select(.purpose == "output") | .flow.protocol) | unique | join(",")' tcp \
		'map(select(.cause == "connect") | "\(.process.pid) \(.process.comm)") | unique |
			join(",")' "$sender send"
}

# Its source is chosen without asking again.
tcp_connect_is_one_lookup() {
	three_ns
	DEST=$PEER send_from_host tcp
	check_trace 'map([.purpose, .cause, .context, .flow.src, .verdict.prefsrc] | join(" ")) |
		join(",")' "output connect task :: $HOST"
}

udp_unconnected_is_send() {
	three_ns
	DEST=$PEER send_from_host udp --count 3
	check_trace \
		'map([.purpose, .cause, .context] | join(" ")) | join(",")' \
			"output send task,output send task,output send task" \
		'map("\(.process.pid) \(.process.comm) \(.flow.dport)") | unique | join(",")' \
			"$sender send 4000"
}

udp_connected_is_connect() {
	three_ns
	DEST=$PEER send_from_host udp-connected
	check_trace \
		'map(.cause) | unique | join(",")' connect \
		'map("\(.process.pid) \(.process.comm) \(.flow.dport)") | unique | join(",")' \
			"$sender send 4000"
}

uid_is_that_of_the_socket() {
	three_ns
	family_in host rule add pref 100 uidrange 4242-4242 lookup 100
	family_in host route add default via "$NEXT" table 100
	install -m 755 "$SEND" "$WORK/send"
	run_trace host -d "$PEER" -- setpriv --reuid 4242 --clear-groups -- \
		"$WORK/send" udp "$PEER" 4000
	check_trace \
		'facts_of(true)' "output send task - unicast 100 100 eth0 rule" \
		'first | [.flow.uid, .process.uid] | tostring' "[4242,4242]"
}

route_get_is_route_get() {
	three_ns
	run_trace host -d "$PEER" -- ip route get "$PEER" mark 0x7
	check_trace \
		'facts_of(true)' "route-get route-get task - unicast 32766 254 eth0 built-in" \
		'first | [.flow.fwmark, .process.comm] | join(" ")' "0x7 ip"
}

# The gateway of a new route must be a neighbour: main is asked, whatever the rules say.
route_add_asks_for_the_gateway() {
	three_ns
	family_in host rule add pref 100 to "$NEXT" prohibit
	run_trace host -d "$NEXT" -- ip route add "$ANYWHERE" via "$NEXT"
	same "ip's exit status" "$status" 0
	check_trace 'map([.purpose, .cause, .context, .verdict.decided_by, .verdict.table,
		.verdict.dst, .verdict.dev, .process.comm] | map(field(.)) | join(" ")) | unique |
		join(",")' "other route-add task direct main 2001:db8:1::/64 eth0 ip"
}

mark_of_nft_reroutes() {
	three_ns
	need_tool nft
	link host eth1 "${SECOND_NET}2$ON_LINK" router eth2 "${SECOND_NET}1$ON_LINK"
	reach host "${SECOND_NET}1"
	family_in host route add default via "${SECOND_NET}1" table 101
	family_in host rule add pref 100 fwmark 1 lookup 101
	in_ns host nft -f - <<-END || lacks "this kernel has no nft route chains"
		add table $NFT reroute
		add chain $NFT reroute output { type route hook output priority mangle; }
		add rule $NFT reroute output $NFT daddr $PEER meta mark set 1
	END
	run_trace host -d "$PEER" -- ping -n -q -c 1 -W 1 "$PEER"
	check_trace \
		'facts_of(is_icmp and .purpose == "output")' \
			"output send task - unicast 32766 254 eth0 rule" \
		'facts_of(.purpose == "reroute")' "reroute send task - unicast 100 101 eth1 rule" \
		'map(select(.purpose == "reroute")) | first | [.flow.fwmark, .flow.src,
			.process.comm] | join(" ")' "0x1 $HOST ping"
}

only_here=(reverse_path_check_is_source_check reverse_path_check_that_fails
	bound_device_overrides_the_rules)
[ "$FAMILY" = 4 ] || only_here=(bound_device_overrides_no_rules tcp_connect_is_one_lookup
	route_add_asks_for_the_gateway)

require ping setpriv "$SEND"
run_tests \
	unreachable_rule_is_enetunreach prohibit_rule_is_eacces blackhole_rule_is_einval \
	unreachable_route_is_ehostunreach prohibit_route_is_eacces blackhole_route_is_einval \
	unreachable_route_of_main_without_rules \
	throw_route_goes_on_with_the_next_rule \
	table_without_routes_goes_on_with_the_next_rule \
	no_route_at_all_ends_the_rules no_route_at_all_without_rules \
	no_custom_rules_is_built_in deleted_custom_rule_leaves_rules_walked own_address_is_local \
	forwarded_packet_is_input_in_softirq packet_to_this_host_is_input_and_local \
	forwarded_packet_meets_unreachable_rule forwarded_packet_meets_prohibit_rule \
	forwarded_packet_meets_blackhole_rule \
	echo_reply_is_reply_in_softirq tcp_reset_is_reply_in_softirq \
	ping_from_address_shows_the_source ping_makes_a_connect_and_a_send \
	ping_with_a_mark tcp_connect udp_unconnected_is_send udp_connected_is_connect \
	uid_is_that_of_the_socket route_get_is_route_get mark_of_nft_reroutes \
	"${only_here[@]}"
