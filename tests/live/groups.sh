#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of groups: which lookups one system call or one packet made, in numbers and as blocks.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/story_ns.sh"

PEER=198.51.100.9
ANYWHERE=203.0.113.7
TRAFFIC=$LIVE_DIR/traffic.py

# The groups in the order of their numbers, each as the "purpose/cause" of its lookups.
GROUPS_WORDS='group_by(.group) | map(map("\(.purpose)/\(.cause)") | join(" ")) | .[]'
NUMBERS='map(.group) | unique | . == [range(1; length + 1)]'

# --- numbers -----------------------------------------------------------------------------------

ping_is_three_groups() {
	two_ns
	pin_neighbours host peer
	ip_in host rule add pref 100 fwmark 1 lookup 52
	sysctl_in host net.ipv4.conf.all.rp_filter 1 net.ipv4.conf.eth0.rp_filter 1
	run_trace host -- ping -n -q -c 1 -W 1 192.0.2.1
	check_trace "$GROUPS_WORDS" \
		"$(printf '%s\n' 'output/connect output/connect' output/send \
			'input/receive source-check/receive')" \
		"$NUMBERS" true
}

# The system calls are the same down to their registers.
sends_are_one_group_each() {
	two_ns
	ip_in host route add default via 192.0.2.1
	run_trace host -d "$ANYWHERE" -- "$SEND" --count 50 udp "$ANYWHERE" 4000
	check_trace 'length' 50 'map(.group) | unique | length' 50 "$NUMBERS" true
}

connects_of_one_socket_are_one_group_each() {
	two_ns
	ip_in host route add default via 192.0.2.1
	run_trace host -d "$ANYWHERE" -- "$SEND" --count 3 udp-connected "$ANYWHERE" 4000
	check_trace "$GROUPS_WORDS" \
		"$(printf '%s\n' 'output/connect output/connect' output/connect output/connect)"
}

# Each task's three questions, whoever asks between them. Preempted tasks have the kernel skip
# programs of the fentry tier, and then a question is missing.
connects_at_once_do_not_mix() {
	two_ns
	pin_neighbours host peer
	run_trace host -d 192.0.2.1 -P tcp -- sh -c '
		for i in 1 2 3 4 5 6 7 8 9 10; do "$0" tcp 192.0.2.1 4000 & done; wait' "$SEND"
	check_trace \
		'map(select(.context == "task")) | length > 0' true \
		'map(select(.context == "task")) | group_by(.group) |
			map(map(.process.tid) | unique | length) | unique | join(",")' 1 \
		'map(select(.context == "task")) | group_by(.group) | map(length) |
			if ($summary.missed // 0) + $summary.lost > 0 then all(. <= 3)
			else . == [range(10) | 3] end' true
}

# SYN, and the RST that refuses it.
refused_stream_is_three_groups() {
	two_ns
	pin_neighbours host peer
	run_trace host --netns "$(ns host)" --netns "$(ns peer)" -- "$SEND" tcp 192.0.2.1 4000
	check_trace "$GROUPS_WORDS" \
		"$(printf '%s\n' 'output/connect output/connect output/connect' \
			'input/receive output/reply' input/receive)"
}

# What a packet has this host answer is of the packet's group, and nothing else is.
session_is_packets_and_their_answers() {
	two_ns
	pin_neighbours host peer
	run_trace host --netns "$(ns host)" --netns "$(ns peer)" -- "$PYTHON" "$TRAFFIC" \
		"session 192.0.2.1 4020 server=/run/netns/$(ns peer) client=/run/netns/$(ns host)"
	check_trace \
		'map(select(.cause == "connect")) | [length, (map(.group) | unique | length)] |
			join(" ")' "3 1" \
		'map(select(.cause == "reply")) | length > 0' true \
		'map(select(.context == "softirq")) | group_by(.group) |
			map(map(select(.purpose == "input")) | length) | unique | join(" ")' 1 \
		'group_by(.group) | map(select(any(.cause == "reply")) | .[0].flow.src as $sender |
			.[1:] | map(.flow.dst == $sender)) | flatten | unique | join(" ")' true
}

# router_scene: what router forwards is checked.
router_scene() {
	three_ns
	pin_neighbours host router peer
	sysctl_in router net.ipv4.conf.all.rp_filter 1 net.ipv4.conf.eth0.rp_filter 1 \
		net.ipv4.conf.eth1.rp_filter 1
	ip_in router rule add pref 100 fwmark 1 lookup 52
}

forwarded_packets_are_one_group_each() {
	router_scene
	run_trace host --netns "$(ns router)" -- ping -n -q -c 3 -i 0.05 -W 2 "$PEER"
	check_trace 'length' 12 "$NUMBERS" true \
		'group_by(.group) | map(map("\(.purpose) \(.flow.src) \(.flow.dst)") |
			join(", ")) | unique | .[]' \
		"$(printf '%s\n' \
			"input 192.0.2.2 $PEER, source-check $PEER 192.0.2.2" \
			"input $PEER 192.0.2.2, source-check 192.0.2.2 $PEER")"
}

# Kernels differ in how often they ask for the way of an error.
error_is_of_the_packet_that_it_is_about() {
	router_scene
	ip_in router rule add pref 50 iif eth0 to "$PEER" prohibit
	run_trace host --netns "$(ns router)" -- ping -n -q -c 2 -i 0.05 -W 1 "$PEER"
	check_trace "$NUMBERS" true \
		'group_by(.group) | map([.[0].purpose, .[0].cause, .[0].verdict.error] |
			join(" ")) | join(",")' \
			"input receive EACCES,input receive EACCES" \
		'map(select(.cause == "icmp-error" and .purpose == "output")) | length >= 2' true
}

rerouted_sends_are_one_group_each() {
	reroute_scene
	run_trace host -d "$ANYWHERE" -- "$SEND" --count 5 udp "$ANYWHERE" 4000
	check_trace "$GROUPS_WORDS" "$(yes 'output/send reroute/send' | head -n 5)"
}

# The packets of a connected socket are looked up in netfilter alone.
rerouted_packets_of_a_connected_socket_are_one_each() {
	reroute_scene
	run_trace host -d "$ANYWHERE" -- "$SEND" --count 2 udp-connected "$ANYWHERE" 4000
	check_trace "$GROUPS_WORDS" \
		"$(printf '%s\n' 'output/connect output/connect' reroute/send output/connect \
			reroute/send)"
}

reroute_scene() {
	two_ns
	ip_in host route add default via 192.0.2.1
	ip_in host route add default via 192.0.2.1 table 101
	ip_in host rule add pref 100 fwmark 1 lookup 101
	in_ns host nft -f - <<-END || lacks "this kernel has no nft route chains"
		add table ip reroute
		add chain ip reroute output { type route hook output priority mangle; }
		add rule ip reroute output ip daddr $ANYWHERE meta mark set 1
	END
}

questions_are_one_group_each() {
	router_scene
	run_trace router -- ip -batch - <<-END
		route get $PEER from 192.0.2.2 iif eth0
		route get $PEER from 192.0.2.2 iif eth0
		route get $PEER
		route get $PEER
	END
	check_trace "$GROUPS_WORDS" \
		"$(printf '%s\n' 'route-get/route-get source-check/route-get' \
			'route-get/route-get source-check/route-get' route-get/route-get \
			route-get/route-get)"
}

# A kernel thread encrypts and sends for all.
wireguard_packets_are_one_group_each() {
	kernel_has_wireguard || lacks "this kernel has no WireGuard"
	need_tool wg-quick
	story_bad_order
	run_trace host -d "$STORY_ENDPOINT" -- ping -n -q -c 1 -W 1 10.64.0.1
	check_trace 'map(select(.cause == "tunnel")) | length > 0' true \
		'map(select(.cause == "tunnel")) | group_by(.group) | map(length) | unique |
			join(" ")' 1
}

# --- blocks ------------------------------------------------------------------------------------

# trace_tree NAME ARG…: blocks of text, into $WORK/tree.
trace_tree() {
	in_ns "$1" timeout -k 5 "$TRACE_LIMIT_S" "$FIBTRACE" --format tree --color never "${@:2}" \
		>"$WORK/tree" 2>"$WORK/tree.err" ||
		fail "fibtrace: $?: $(tail -n 1 "$WORK/tree.err")"
}

# The lines of blocks that are no walk, without what differs from run to run.
heads() {
	grep -E '^ *\+? *[0-9]{2}:[0-9]{2}:[0-9]{2}\.' "$WORK/tree" |
		sed -E 's/[0-9:]{8}\.[0-9]{6}/TIME/; s/\[[0-9]+\]/[PID]/; s/[0-9]+ → 1025/PORT → 1025/
			s/ mark 0x0 .*//'
}

# The verdicts of the lookups that are shown in full.
verdicts() {
	grep -E '^   ⇒' "$WORK/tree"
}

block_shows_the_last_output_in_full() {
	two_ns
	pin_neighbours host peer
	ip_in host rule add pref 100 fwmark 1 lookup 52
	sysctl_in host net.ipv4.conf.all.rp_filter 1 net.ipv4.conf.eth0.rp_filter 1
	trace_tree host -- ping -n -q -c 1 -W 1 192.0.2.1
	same "what the blocks say" "$(heads)" "$(sed 's/^\t*//' <<-END
		  TIME connect: output 0.0.0.0 → 192.0.2.1 udp PORT → 1025 ⇒ 32766 table main dev eth0
		TIME ping[PID] output 192.0.2.2 → 192.0.2.1 udp PORT → 1025
		TIME ping[PID] output 0.0.0.0 → 192.0.2.1 icmp
		TIME softirq input 192.0.2.1 → 192.0.2.2
		   + TIME receive: source-check of 192.0.2.1 (packet 192.0.2.1 → 192.0.2.2) ⇒ 32766 table main dev eth0
	END
	)"
	same "how many are in full" "$(verdicts | wc -l)" 3
}

verbose_blocks_are_in_full() {
	two_ns
	pin_neighbours host peer
	trace_tree host -v -d 192.0.2.1 -- ping -n -q -c 1 -W 1 192.0.2.1
	same "the groups" "$(sed -n -E 's/.* cause ([a-z]+) group ([0-9]+) .*/\1 \2/p' "$WORK/tree")" \
		"$(printf '%s\n' 'connect 1' 'connect 1' 'send 2')"
	same "how many are in full" "$(verdicts | wc -l)" 3
}

error_stands_in_its_block() {
	router_scene
	ip_in router rule add pref 50 iif eth0 to "$PEER" prohibit
	trace_tree_of_router
	heads | head -n 1 >"$WORK/first"
	same "the first line" "$(cat "$WORK/first")" \
		"  TIME receive: input 192.0.2.2 → $PEER iif eth0 ⇒ EACCES: prohibit by rule 50"
	same "how many are in full" "$(verdicts | wc -l)" 1
}

# What ping says of it is of no interest.
trace_tree_of_router() {
	in_ns host "$FIBTRACE" --format tree --color never --netns "$(ns router)" -- \
		ping -n -q -c 1 -W 1 "$PEER" >"$WORK/tree" 2>"$WORK/tree.err" || true
}

# The limit is on lookups, not on blocks.
limit_counts_lookups() {
	two_ns
	pin_neighbours host peer
	trace_tree host -c 1 -- ping -n -q -c 1 -W 1 192.0.2.1
	same "what the blocks say" "$(heads)" "TIME ping[PID] output 0.0.0.0 → 192.0.2.1 udp PORT → 1025"
	trace_tree host -c 3 -- ping -n -q -c 1 -W 1 192.0.2.1
	same "how many lines" "$(heads | wc -l)" 3
	same "how many are in full" "$(verdicts | wc -l)" 2
	grep -q ' 3 shown,' "$WORK/tree.err" || fail "$(tail -n 1 "$WORK/tree.err")"
}

# Nothing happens any more, and nothing ends: the block is shown all the same.
last_block_is_not_kept() {
	two_ns
	ip_in host route add default via 192.0.2.1
	attach host "$WORK/tree" --format tree --color never -d "$ANYWHERE"
	in_ns host "$SEND" udp "$ANYWHERE" 4000
	await_line "$WORK/tree" '^   ⇒ '
	detach INT
	same "how many are in full" "$(verdicts | wc -l)" 1
}

sigint_writes_what_is_held() {
	two_ns
	ip_in host route add default via 192.0.2.1
	attach host "$WORK/tree" --format tree --color never -d "$ANYWHERE"
	in_ns host "$SEND" --count 3 udp-connected "$ANYWHERE" 4000
	detach INT
	same "the exit status" "$status" 0
	# attach has it verbose.
	same "how many are in full" "$(verdicts | wc -l)" 4
}

require "$SEND" nft ping
run_tests \
	ping_is_three_groups sends_are_one_group_each connects_of_one_socket_are_one_group_each \
	connects_at_once_do_not_mix refused_stream_is_three_groups \
	session_is_packets_and_their_answers forwarded_packets_are_one_group_each \
	error_is_of_the_packet_that_it_is_about rerouted_sends_are_one_group_each \
	rerouted_packets_of_a_connected_socket_are_one_each questions_are_one_group_each \
	wireguard_packets_are_one_group_each \
	block_shows_the_last_output_in_full verbose_blocks_are_in_full error_stands_in_its_block \
	limit_counts_lookups last_block_is_not_kept sigint_writes_what_is_held
