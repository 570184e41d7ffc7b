#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests as a user meets it: something already fails when fibtrace is started, without COMMAND. For
# IPv4, or what $FAMILY says.

. "$(dirname "$0")/lib.sh"

if [ "$FAMILY" = 6 ]; then
	LOST=fd7a:115c:a1e0::9 LOST_NET=fd7a:115c:a1e0::/48 AROUND=fd7a::/16 PROTO=ipv6-icmp
else
	LOST=100.64.0.9 LOST_NET=100.64.0.0/10 AROUND=100.0.0.0/8 PROTO=icmp
fi

# A ping that runs when this returns: it has written its first line.
start_ping() {
	local line
	mkfifo "$WORK/ping.out"
	nsenter --net="/run/netns/$(ns host)" -- stdbuf -oL ping -n -i 0.1 "$LOST" \
		>"$WORK/ping.out" 2>&1 &
	cleanup kill -KILL $!
	ping_pid=$!
	exec {ping_out}<>"$WORK/ping.out"
	read -r -t 20 -u "$ping_out" line
	[[ $line == PING* ]] || fail "ping: $line"
}

# explained WANT: fibtrace is attached, the next packet explained, Ctrl-C prints the counts.
explained() {
	attach host "$WORK/trace" --format json -d "$AROUND"
	await_line "$WORK/trace" '^{"type":"lookup"'
	detach INT
	same "the exit status" "$status" 0
	check_complete "$WORK/trace"
	check_schema "$WORK/trace"
	expect 'map(facts) | unique | join(",")' "$1"
	expect 'map("\(.process.pid) \(.process.comm)") | unique | join(",")' "$ping_pid ping"
	check_counts_line "$WORK/trace.err"
}

# The packets go to main's default route, where nobody answers.
ping_without_an_answer() {
	two_ns
	family_in host route add default via "$NEXT"
	family_in host rule add pref 100 fwmark 1 lookup 52
	start_ping
	explained "output send task - unicast 32766 254 eth0 rule"
}

# ping gives up when its first connect() fails: the rule comes when it runs.
ping_that_gets_an_errno() {
	two_ns
	family_in host route add default via "$NEXT"
	start_ping
	family_in host rule add pref 100 to "$LOST_NET" unreachable
	explained "output send task ENETUNREACH unreachable 100 - - rule"
}

sigterm_ends_like_sigint() {
	two_ns
	family_in host route add default via "$NEXT"
	start_ping
	attach host "$WORK/trace" --format json -d "$AROUND"
	await_line "$WORK/trace" '^{"type":"lookup"'
	detach TERM
	same "the exit status" "$status" 0
	check_complete "$WORK/trace"
}

# head(1) goes after one line: fibtrace ends at the next, without a word but the counts.
closed_stdout_ends_quietly() {
	two_ns
	family_in host route add default via "$NEXT"
	start_ping
	mkfifo "$WORK/pipe"
	head -n 1 <"$WORK/pipe" >"$WORK/head" &
	cleanup kill -KILL $!
	attach host "$WORK/pipe" --format line -d "$AROUND"
	await_end
	same "the exit status" "$status" 0
	same "the lines of head" "$(grep -c "^time=.* proto=$PROTO " "$WORK/head")" 1
	check_counts_line "$WORK/pipe.err"
	# Before it is ready it may say which tiers are refused.
	sed '1,/^fibtrace: ready/d' "$WORK/pipe.err" >"$WORK/said"
	! grep -q -i -e pipe -e 'write' -e error "$WORK/said" ||
		fail "stderr: $(grep -i -m 1 -e pipe -e write -e error "$WORK/said")"
}

nothing_shown_says_why() {
	two_ns
	family_in host route add default via "$NEXT"
	trace_json host -d "$ANYWHERE" -- ping -n -q -c 1 -W 1 "$NEXT"
	expect length 0
	[ "$(summary "$WORK/trace" .filtered)" -gt 0 ] || fail "nothing was filtered"
	grep -q -e filter "$WORK/trace.err" || fail "stderr does not say what rejected them"
	grep -q -e '-d' -e '--dst' "$WORK/trace.err" || fail "stderr does not name the filter"
}

# It has no neighbours, which would ask for each other.
nothing_seen_says_why() {
	new_ns host
	trace_json host -- true
	same "seen" "$(summary "$WORK/trace" .seen)" 0
	grep -q -i -e cache "$WORK/trace.err" || fail "stderr does not speak of cached routes"
}

require ping stdbuf
run_tests \
	ping_without_an_answer ping_that_gets_an_errno sigterm_ends_like_sigint \
	closed_stdout_ends_quietly nothing_shown_says_why nothing_seen_says_why
