#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of rules that this machine's ip(8) may be too old to write or to read: they are shown as
# what they are, and steer packets as the kernel has them do.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/neighbours.sh"

ATTACH=(--attach "${FIBTRACE_ATTACH:-auto}")
TARGET=203.0.113.9
# Attributes of FRA_…: priority 100 and table 101, before those of a test.
PRIORITY_100=6=64000000
TABLE_101=15=65000000

#   host  eth0 192.0.2.2 ─── 192.0.2.1 eth0  peer
#         eth1 198.51.100.2 ─── 198.51.100.1 eth1, by table 101
scene() {
	two_ns
	link host eth1 198.51.100.2/24 peer eth1 198.51.100.1/24
	reach host 198.51.100.1
	pin_neighbours host peer
	ip_batch host "route add default via 192.0.2.1" \
		"route add default via 198.51.100.1 table 101"
}

# newer_rule NAME TYPE=HEX…: a rule with an attribute that kernels have had since FRA_NAME; older
# ones take it without a word and keep nothing of it.
newer_rule() {
	grep -a -q -z -x "FRA_$1" /sys/kernel/btf/vmlinux || skip "this kernel knows no FRA_$1"
	in_ns host "$PYTHON" "$LIVE_DIR/rule_message.py" "$PRIORITY_100" "$TABLE_101" "${@:2}"
}

# sends DEVICE STEP COMMAND…: the packet that the command sends leaves by the device, as the kernel
# counts it; STEP is what came of the rule and why, in the packet's own lookup, which is the last.
sends() {
	local device=$1 step=$2 before
	before=$(tx_packets host "$device")
	trace_json host "${ATTACH[@]}" -d "$TARGET" -- "${@:3}"
	same "the packets of $device" $(($(tx_packets host "$device") - before)) 1
	expect 'last.verdict.dev' "$device" \
		'last | step(100) | "\(.outcome) \(.mismatch // "-") \(.reason // "-")"' "$step"
}

# shown_as SELECTOR KEY VALUE…: the rule of the last trace, and its keys in JSON.
shown_as() {
	expect 'last | step(100).selector' "from all $1"
	shift
	while [ $# -gt 0 ]; do
		expect "last | step(100).rule.$1" "$2"
		shift 2
	done
}

# ping_class TOS: the command that sends one packet of that class, which nobody answers.
ping_class() {
	ping_command=(sh -c "ping -n -q -c 1 -W 0.001 -Q $1 $TARGET || :")
}

a_class_is_compared_exactly() {
	scene
	newer_rule DSCP 25=0b
	ping_class 0x2c
	sends eth1 "chosen - -" "${ping_command[@]}"
	shown_as "dscp 11" dscp 11
	same "the kernel's answer" "$(route_get host "$TARGET" tos 0x2c)" "eth1 101"
	ping_class 0x28
	sends eth0 "skipped dscp dscp 10 ≠ 11" "${ping_command[@]}"
	same "the kernel's answer" "$(route_get host "$TARGET" tos 0x28)" "eth0 main"
}

a_class_is_compared_under_its_mask() {
	scene
	newer_rule DSCP_MASK 25=28 30=38
	ping_class 0xac
	sends eth1 "chosen - -" "${ping_command[@]}"
	shown_as "dscp 0x28/0x38" dscp 0x28 dscp_mask 0x38
	same "the kernel's answer" "$(route_get host "$TARGET" tos 0xac)" "eth1 101"
	ping_class 0x2c
	sends eth0 "skipped dscp dscp 0xb & 0x38 = 0x8 ≠ 0x28" "${ping_command[@]}"
	same "the kernel's answer" "$(route_get host "$TARGET" tos 0x2c)" "eth0 main"
}

a_port_is_compared_under_its_mask() {
	scene
	newer_rule DPORT_MASK 24=001f001f 29=00ff
	sends eth1 "chosen - -" "$SEND" udp "$TARGET" 8080
	shown_as "dport 0x1f00/0xff00" dport 7936 dport_mask 0xff00
	same "the kernel's answer" "$(route_get host "$TARGET" ipproto udp dport 8080)" "eth1 101"
	sends eth0 "skipped dport dport 0x1bb & 0xff00 = 0x100 ≠ 0x1f00" "$SEND" udp "$TARGET" 443
	same "the kernel's answer" "$(route_get host "$TARGET" ipproto udp dport 443)" "eth0 main"
}

[ -x "$SEND" ] || skip_all "needs $SEND"
run_tests a_class_is_compared_exactly a_class_is_compared_under_its_mask \
	a_port_is_compared_under_its_mask
