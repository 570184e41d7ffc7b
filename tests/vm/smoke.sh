#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The story in a guest, once for all tiers: in each start order every tier traces one ping.
#
# Only for a machine that is gone afterwards: nothing is cleaned up.

. "$(dirname "$0")/../live/lib.sh"
. "$(dirname "$0")/../live/story_ns.sh"
. "$(dirname "$0")/../live/neighbours.sh"

read -r -a TIERS <<<"$TIERS"

# sent DEV: the packets that left host through a device, as the kernel counts them.
sent() {
	in_ns host awk -v dev="$1:" '$1 == dev { print $11 }' /proc/net/dev
}

# The trace is whole, and this is what it says of the ping.
WANTED='[first.type, last.type, (last | .seen == .shown + .filtered + .lost + .unfinished),
	(map(select(.type == "lookup")) | length) == last.shown, first.tier,
	(map(select(.type == "lookup" and .purpose == "output" and .flow.protocol == "icmp")) |
	length, (first | .cause, .context, .process.comm, .verdict.priority, .verdict.table_id,
	.verdict.dev, .verdict.decided_by, (.steps |
	map(select(.outcome != "skipped") | "\(.priority) \(.outcome)") |
	join(","))))] | map(tostring) | join(" ")'

# ping_goes TIER DEV WALK: one ping, traced; it leaves through DEV and no other way.
ping_goes() {
	local ts wg
	ts=$(sent tailscale0)
	wg=$(sent wg0)
	in_ns host timeout -k 5 "$TRACE_LIMIT_S" "$FIBTRACE" --attach "$1" --format json \
		-w "$WORK/recorded" -d 100.64.0.0/10 -- ping -n -q -c 1 -W 5 "$STORY_PEER" >"$WORK/trace" \
		2>"$WORK/trace.err" || fail "fibtrace: $? $(tail -n 1 "$WORK/trace.err")"
	same "the trace" "$(jq -s -r "$WANTED" "$WORK/trace")" \
		"start summary true true $1 1 send task ping $3"
	ts=$(($(sent tailscale0) - ts)) wg=$(($(sent wg0) - wg))
	case "$2" in
	wg0) [ "$wg" -ge 1 ] && [ "$ts" = 0 ] ;;
	tailscale0) [ "$ts" -ge 1 ] && [ "$wg" = 0 ] ;;
	esac || fail "wg0 sent $wg, tailscale0 $ts"
}

# sum_of ARG…: what is read of the recording.
sum_of() {
	"$FIBTRACE" read "$@" "$WORK/recorded" 2>/dev/null | sha256sum | cut -d ' ' -f 1
}

# hand_over TIER: the recording, and sums of what it shows here, for the machine outside to read.
hand_over() {
	local shown
	shown=$(sha256sum <"$WORK/trace" | cut -d ' ' -f 1)
	same "what is read" "$(sum_of --format json)" "$shown"
	echo "# recorded $1 json=$shown line=$(sum_of --format line) tree=$(sum_of --format tree)" \
		"$(gzip -c "$WORK/recorded" | base64 -w 0)"
}

passed=0 failed=0

# check ORDER COMMAND ARG…: in a subshell, as every test is.
check() {
	(
		TEST=$1
		set -eE
		trap 'fail "lines $LINENO ${BASH_LINENO[*]}: $BASH_COMMAND"' ERR
		"${@:2}"
		echo "ok $TEST"
	)
	case $? in
	0) passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
}

# check_tiers ORDER DEV TABLE WALK
check_tiers() {
	local tier
	for tier in "${TIERS[@]}"; do
		check "$1 $tier" ping_goes "$tier" "$2" "$4"
		check "$1 $tier, recorded" hand_over "$tier"
	done
	check "$1 kernel" same "what the kernel answers" "$(route_get host "$STORY_PEER")" "$2 $3"
}

good_order() {
	story_good_order
	pin_neighbours host wan ts
}

# WireGuard is restarted while Tailscale runs: now its rules are in front.
bad_order() {
	in_ns host wg-quick down "$WORK/wg0.conf" >"$WORK/wg-quick.log" 2>&1
	story_wg_quick
}

BEHIND_TAILSCALE="32764 not-reached,32765 not-reached,32766 not-reached,32767 not-reached"
BEHIND_WG_QUICK="5270 not-reached,32766 not-reached,32767 not-reached"

require wg wg-quick nft ping
story_require
TEST=scene
check "good order, made" good_order
check_tiers "good order" tailscale0 52 \
	"5270 52 tailscale0 rule 0 no-route,5270 chosen,$BEHIND_TAILSCALE"
check "bad order, made" bad_order
check_tiers "bad order" wg0 51820 \
	"5209 51820 wg0 rule 0 no-route,5208 suppressed,5209 chosen,$BEHIND_WG_QUICK"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
