#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of owners: whose rules and marks they are, in the story and by files of one's own.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/story_ns.sh"

OWNERS_D=/etc/fibtrace/owners.d
ICMP='.flow.protocol == "icmp" and .purpose == "output"'

# An /etc of this script alone, with all that was there: /etc/fibtrace is made in it.
private_etc() {
	local entry
	[ ! -d /etc/fibtrace ] || return 0
	mkdir /run/etc
	mount --rbind /etc /run/etc
	mount -t tmpfs -o mode=0755 tmpfs /etc
	for entry in /run/etc/*; do
		ln -s "$entry" /etc
	done
}

# own_file NAME LINE…: a file of definitions for this test.
own_file() {
	mkdir -p "$OWNERS_D"
	cleanup rm -f "$OWNERS_D/$1"
	printf '%s\n' "${@:2}" >"$OWNERS_D/$1"
}

# ping_peer FORMAT ARG…: one traced ping of the tailnet's machine, into $WORK/FORMAT.
ping_peer() {
	in_ns host "$FIBTRACE" --format "$1" -d "$STORY_PEER" -- \
		ping -n -q -c 1 -W 1 "${@:2}" "$STORY_PEER" >"$WORK/$1" 2>"$WORK/$1.err" ||
		fail "--format $1: $(tail -n 1 "$WORK/$1.err")"
}

# line_like FILE PATTERN: some line is like that.
line_like() {
	grep -q -E -e "$2" "$1" || fail "no line like '$2' in '$(head -n 20 "$1")'"
}

# The steps of the first ping that were not skipped: "PRIORITY OWNER, …".
STEPS="map(select($ICMP)) | first | .steps | map(select(.outcome != \"skipped\") |
	\"\(.priority) \(.owner // \"-\")\") | join(\", \")"

bad_order_names_both() {
	story_bad_order
	ip_in host rule add pref 6000 lookup 6000
	run_trace host -d "$STORY_PEER" -- ping -n -q -c 1 -W 1 "$STORY_PEER"
	check_trace "$STEPS" \
		"0 kernel, 5208 wg-quick, 5209 wg-quick, 5270 tailscaled, 6000 -, 32766 kernel, 32767 kernel" \
		"map(select($ICMP)) | first | .flow.fwmark_owner" null
	ping_peer tree
	line_like "$WORK/tree" '^ +5208 .*suppressed: .*  wg-quick$'
	line_like "$WORK/tree" '^ ▶ 5209 .* table 51820 .*  wg-quick$'
	line_like "$WORK/tree" '^ +5270 .* table 52 .*  tailscaled$'
	! grep -E ' +(0|32766|32767) .*kernel$' "$WORK/tree" || fail "the kernel's rules are labelled"
}

good_order_names_both() {
	story_good_order
	run_trace host -d "$STORY_PEER" -- ping -n -q -c 1 -W 1 "$STORY_PEER"
	check_trace "$STEPS" \
		"0 kernel, 5270 tailscaled, 32764 wg-quick, 32765 wg-quick, 32766 kernel, 32767 kernel"
}

marks_are_decoded() {
	story_good_order
	run_trace host -m 0x80000/0xff0000 -- \
		"$SEND" --mark 0x80034 udp "$STORY_ENDPOINT" 41641
	check_trace 'first | .flow.fwmark_owner | "\(.owner) \(.meaning)"' "tailscaled bypass"
	ping_peer tree -m 51820
	line_like "$WORK/tree" ' output .* mark 0xca6c \(wg-quick bypass\) uid 0'
	ping_peer tree -m 7
	line_like "$WORK/tree" ' output .* mark 0x7 uid 0'
}

rules_added_while_tracing_are_labelled() {
	two_ns
	run_trace host -d 192.0.2.1 -- bash -c 'ip rule add pref 5270 lookup 52
		ping -n -q -c 1 -W 1 192.0.2.1'
	check_trace "map(select($ICMP)) | first | step(5270).owner" tailscaled
}

files_add_to_the_table() {
	two_ns
	own_file 10-site.conf '# Our own.' 'owner site' 'rule 500: lookup 500' 'mark 0x5 backup' \
		'owner wg-quick' 'rule not fwmark 0x77 lookup 77'
	own_file 20-later.conf 'owner later' 'mark 0x5 later'
	own_file 30-other.txt 'owner other' 'mark 0x5 other'
	ip_batch host "rule add pref 500 lookup 500" "rule add pref 600 lookup 600" \
		"rule add pref 701 not fwmark 0x77 lookup 77" \
		"rule add pref 700 lookup main suppress_prefixlength 32"
	run_trace host -d 192.0.2.1 -- ping -n -q -c 1 -W 1 -m 5 192.0.2.1
	check_trace "$STEPS" \
		"0 kernel, 500 site, 600 -, 700 -, 701 wg-quick, 32766 kernel, 32767 kernel" \
		"map(select($ICMP)) | first | .flow.fwmark_owner | \"\(.owner) \(.meaning)\"" "later later"
	! grep -q '^fibtrace: warning' "$WORK/trace.err" || fail "warns: $(head -n 1 "$WORK/trace.err")"
}

wrong_files_are_named_and_left_out() {
	two_ns
	own_file 10-wrong.conf 'owner wrong' 'rule 5270: lookup 52' 'rule 500: lookup vpn'
	own_file 20-right.conf 'owner right' 'rule 500: lookup 500'
	mkdir "$OWNERS_D/30-folder.conf"
	cleanup rmdir "$OWNERS_D/30-folder.conf"
	ip_batch host "rule add pref 500 lookup 500" "rule add pref 5270 lookup 52"
	run_trace host -d 192.0.2.1 -- ping -n -q -c 1 -W 1 192.0.2.1
	check_trace "map(select($ICMP)) | first | [step(500).owner, step(5270).owner] | join(\" \")" \
		"right tailscaled"
	same "warnings" "$(grep '^fibtrace: warning' "$WORK/trace.err")" \
		"fibtrace: warning: $OWNERS_D/10-wrong.conf:3: 'vpn' is no table: only local, main and \
default have names here; write NUMBER, FIRST-LAST, any, n, A+n or A*n
fibtrace: warning: $OWNERS_D/30-folder.conf: not a regular file; remove it"
	run_trace host -q -d 192.0.2.1 -- ping -n -q -c 1 -W 1 192.0.2.1
	! grep -q "$OWNERS_D" "$WORK/trace.err" || fail "-q warns"
}

owners_are_known_in_other_namespaces() {
	two_ns
	new_ns watcher
	ip_in host rule add pref 5270 lookup 52
	attach watcher "$WORK/trace" --format json --netns "$(ns host)" -d 192.0.2.1
	in_ns host ping -n -q -c 1 -W 1 192.0.2.1 >/dev/null
	detach INT
	check_trace "map(select($ICMP)) | first | step(5270).owner" tailscaled
}

story_require
require "$SEND"
private_etc
run_tests \
	bad_order_names_both \
	good_order_names_both \
	marks_are_decoded \
	rules_added_while_tracing_are_labelled \
	files_add_to_the_table \
	wrong_files_are_named_and_left_out \
	owners_are_known_in_other_namespaces
