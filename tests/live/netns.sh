#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of network namespaces: a lookup belongs to the one it was made in.

. "$(dirname "$0")/lib.sh"

NOWHERE=203.0.113.77

# left 192.0.2.2 — 192.0.2.1 right. Each forwards, sends what it does not know to the other, and
# lets the other's packets to NOWHERE meet a rule.
joined() {
	new_ns left right
	link left eth0 192.0.2.2/24 right eth0 192.0.2.1/24
	reach left 192.0.2.1
	sysctl_in left net.ipv4.ip_forward 1
	sysctl_in right net.ipv4.ip_forward 1
	ip_in left rule add pref 100 iif eth0 to "$NOWHERE" unreachable
	ip_in right rule add pref 200 iif eth0 to "$NOWHERE" prohibit
}

# send_both COMMAND: run once in each namespace, one after the other.
send_both() {
	printf '%s; ' "nsenter --net=/run/netns/$(ns left) -- $1" \
		"nsenter --net=/run/netns/$(ns right) -- $2"
}

# of NAME EXPRESSION: the lookups that were attributed to a namespace.
of() {
	echo "map(select(.netns == $(ns_inode "$1"))) | $2"
}

each_failing_send_is_in_its_namespace() {
	joined
	ip_in left rule add pref 101 to 203.0.113.1 unreachable
	ip_in right rule add pref 201 to 203.0.113.2 blackhole
	run_trace left --netns "$(ns left)" --netns "$(ns right)" -d 203.0.113.0/24 -- \
		sh -c "$(send_both "$SEND udp 203.0.113.1 4000" "$SEND udp 203.0.113.2 4000")"
	check_trace \
		"$(of left 'map("\(.flow.dst) \(.verdict.error) \(.verdict.priority)") |
			unique | join(",")')" "203.0.113.1 ENETUNREACH 101" \
		"$(of right 'map("\(.flow.dst) \(.verdict.error) \(.verdict.priority)") |
			unique | join(",")')" "203.0.113.2 EINVAL 201" \
		length 2
}

# The same destination and no route at all: a miss names no device.
misses_are_in_their_namespace() {
	joined
	run_trace left --netns "$(ns left)" --netns "$(ns right)" -d 203.0.113.1 -- \
		sh -c "$(send_both "$SEND --result $WORK/left udp 203.0.113.1 4000" \
			"$SEND --result $WORK/right udp 203.0.113.1 4000")"
	read -r left_pid left_errno <"$WORK/left"
	read -r right_pid right_errno <"$WORK/right"
	same "the senders' errnos" "$left_errno $right_errno" "ENETUNREACH ENETUNREACH"
	check_trace \
		'map("\(.netns) \(.process.pid)") | join(",")' \
			"$(ns_inode left) $left_pid,$(ns_inode right) $right_pid" \
		'map("\(.verdict.error) \(.verdict.decided_by)") | unique | join(",")' \
			"ENETUNREACH end-of-rules"
}

# others_told NAME: the error that goes back made lookups too, all in the receiver's softirq; these
# are those that were not.
others_told() {
	echo 'map(select(.cause == "icmp-error") | "\(.netns) \(.context)") | unique -
		["'"$(ns_inode "$1")"' softirq"] | length'
}

# left's sender runs right's receive path in softirq: what fails there is right's.
forwarded_failures_are_the_receivers() {
	joined
	ip_in left route add "$NOWHERE" via 192.0.2.1
	run_trace left --netns "$(ns left)" --netns "$(ns right)" -d "$NOWHERE" -- \
		"$SEND" udp "$NOWHERE" 4000
	check_trace \
		"$(of left 'map(facts) | join(",")')" \
			"output send task - unicast 32766 254 eth0 rule" \
		"$(of right 'map(select(.cause != "icmp-error") | facts) | join(",")')" \
			"input receive softirq EACCES prohibit 200 - - rule" \
		"$(of right 'map(.process) | unique | tostring')" "[null]" \
		"$(others_told right)" 0
}

forwarded_misses_are_the_receivers() {
	joined
	ip_in right route add 203.0.113.1 via 192.0.2.2
	run_trace left --netns "$(ns left)" --netns "$(ns right)" -d 203.0.113.1 -- \
		nsenter --net="/run/netns/$(ns right)" -- "$SEND" udp 203.0.113.1 4000
	check_trace \
		"$(of right 'map(facts) | join(",")')" \
			"output send task - unicast 32766 254 eth0 rule" \
		"$(of left 'map(select(.cause != "icmp-error") | facts) | join(",")')" \
			"input receive softirq ENETUNREACH none - - - end-of-rules" \
		"$(others_told left)" 0
}

other_namespaces_are_not_shown() {
	joined
	run_trace left -d 203.0.113.0/24 -- \
		sh -c "$(send_both "$SEND udp 203.0.113.1 4000" "$SEND udp 203.0.113.2 4000")"
	check_trace \
		'map("\(.netns) \(.flow.dst)") | unique | join(",")' \
			"$(ns_inode left) 203.0.113.1" \
		'$summary.seen' 1
}

# netns_spelled SPELLING: right is traced from left.
netns_spelled() {
	run_trace left --netns "$1" -d 203.0.113.2 -- \
		nsenter --net="/run/netns/$(ns right)" -- "$SEND" udp 203.0.113.2 4000
	check_trace 'map("\(.netns) \(.flow.dst)") | unique | join(",")' \
		"$(ns_inode right) 203.0.113.2"
}

netns_by_name() { joined && netns_spelled "$(ns right)"; }
netns_by_path() { joined && netns_spelled "/run/netns/$(ns right)"; }
netns_all() { joined && netns_spelled all; }

netns_by_pid() {
	joined
	mkfifo "$WORK/hold"
	nsenter --net="/run/netns/$(ns right)" -- cat "$WORK/hold" &
	cleanup kill -KILL $!
	local holder=$!
	await_program "$holder" cat # which runs in right
	exec {hold}<>"$WORK/hold"
	netns_spelled "$holder"
	exec {hold}>&-
}

netns_that_does_not_exist() {
	joined
	status=0
	in_ns left "$FIBTRACE" --netns nosuch.$$ >"$WORK/trace" 2>"$WORK/trace.err" || status=$?
	same "the exit status" "$status" 1
	same "the lines on stderr" "$(wc -l <"$WORK/trace.err")" 1
	grep -q "nosuch.$$" "$WORK/trace.err" || fail "stderr does not name it"
	same "stdout" "$(wc -c <"$WORK/trace")" 0
}

# Its name goes while it is traced; the other one is traced on.
netns_that_vanishes() {
	joined
	attach left "$WORK/trace" --format json --netns "$(ns left)" --netns "$(ns right)" \
		-d 203.0.113.0/24
	end_ns "$(ns right)"
	in_ns left "$SEND" udp 203.0.113.1 4000
	detach INT
	same "the exit status" "$status" 0
	check_complete "$WORK/trace"
	check_schema "$WORK/trace"
	expect 'map(.flow.dst) | unique | join(",")' 203.0.113.1
}

rule_deleted_while_tracing() {
	joined
	ip_in left route add default via 192.0.2.1
	ip_in left route add default via 192.0.2.1 table 100
	ip_in left rule add pref 150 lookup 100
	run_trace left -d 203.0.113.0/24 -- sh -c "$SEND udp 203.0.113.1 4000 &&
		ip rule del pref 150 && $SEND udp 203.0.113.2 4000"
	same "the exit status" "$status" 0
	# The first is explained by the rules it met, or said to be unknown: never by the later ones.
	check_trace \
		'map(select(.flow.dst == "203.0.113.1")) | first |
			.verdict.table_id == 100 and (.verdict.priority == 150 or
			.verdict.decided_by == "unknown")' true \
		'facts_of(.flow.dst == "203.0.113.2")' \
			"output send task - unicast 32766 254 eth0 rule"
	[ "$(grep -c '^{"type":"policy"' "$WORK/trace")" -ge 1 ] || fail "no policy line"
}

require "$SEND"
run_tests \
	each_failing_send_is_in_its_namespace misses_are_in_their_namespace \
	forwarded_failures_are_the_receivers forwarded_misses_are_the_receivers \
	other_namespaces_are_not_shown \
	netns_by_name netns_by_path netns_by_pid netns_all \
	netns_that_does_not_exist netns_that_vanishes rule_deleted_while_tracing
