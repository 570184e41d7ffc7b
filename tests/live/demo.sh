#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The demo: the story of Tailscale and a WireGuard VPN, traced in both start orders.

KEEP_LOCALE=1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/story_ns.sh"

COLOR=never
[ ! -t 1 ] || [ -n "${NO_COLOR:-}" ] || COLOR=always

say() {
	printf '%s\n' "$@"
}

# trace_story WANT: the ping's own lookups as a tree; WANT is what the trace must say.
trace_story() {
	local command=(ping -n -q -c 1 -W 1 "$STORY_PEER")
	say "# fibtrace -d 100.64.0.0/10 -P icmp -- ${command[*]}"
	in_ns host "$FIBTRACE" --format tree --color "$COLOR" -d 100.64.0.0/10 -P icmp \
		-- "${command[@]}" >"$WORK/tree" 2>"$WORK/tree.err" ||
		demo_failed "fibtrace: $(tail -n 1 "$WORK/tree.err")"
	cat "$WORK/tree"
	say ""
	sed 's/\x1b\[[0-9;]*m//g' "$WORK/tree" | grep -E -q "$1" ||
		demo_failed "the trace does not say what was expected: $1"
}

demo_failed() {
	echo "demo: $*" >&2
	exit 1
}

demo() {
	set -eE
	trap run_cleanups EXIT
	trap 'demo_failed "lines $LINENO ${BASH_LINENO[*]}: $BASH_COMMAND"' ERR
	"$1"
}

bad_order() {
	story_bad_order
	say "A host runs Tailscale; then wg-quick brings up a VPN for all traffic. $STORY_PEER is a" \
		"machine of the tailnet. Which way does a ping to it go?" ""
	trace_story '5209 .*table 51820 .*dev wg0'
	say "wg-quick gave its rules no priority, and the kernel put them in front of Tailscale's:" \
		"the ping went into the VPN, and Tailscale's rule 5270 was never reached." ""
}

good_order() {
	story_good_order
	say "The same host, the same programs, wg-quick started first:" ""
	trace_story '5270 .*table 52 .*dev tailscale0'
	say "Now Tailscale's rule 5270 stands in front of wg-quick's, and the ping went out of" \
		"tailscale0. No route is different: only the order in which two programs started."
}

require wg wg-quick nft ping
story_require
(demo bad_order) || exit 1
rm -rf "${WORK:?}"/* /run/wireguard/*
(demo good_order) || exit 1
