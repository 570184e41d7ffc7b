#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of the filters on real lookups: what each lets through of five sends that are known.

. "$(dirname "$0")/lib.sh"

# The sends, told apart by their port:
#   4001 main, eth0      4002 mark 0x700, rule 100, table 100, eth1   4003 uid 4242
#   4004 rejected by rule 101          4005 to 203.0.113.7 from 192.0.2.22, a TCP connect
scene() {
	new_ns host peer
	link host eth0 192.0.2.2/24 peer eth0 192.0.2.1/24
	link host eth1 198.51.100.2/24 peer eth1 198.51.100.1/24
	reach host 192.0.2.1
	reach host 198.51.100.1
	ip_batch host \
		"address add 192.0.2.22/24 dev eth0" \
		"route add default via 192.0.2.1" \
		"route add default via 198.51.100.1 table 100" \
		"rule add pref 100 fwmark 0x700/0xf00 lookup 100" \
		"rule add pref 101 to 203.0.113.4 prohibit"
	ip_in peer address add 203.0.113.7/32 dev lo
	install -m 755 "$SEND" "$WORK/send"
	cat >"$WORK/sends" <<-END
		send=$WORK/send
		\$send udp 203.0.113.1 4001
		\$send --mark 0x700 udp 203.0.113.2 4002
		setpriv --reuid 4242 --clear-groups -- \$send udp 203.0.113.3 4003
		\$send udp 203.0.113.4 4004
		exec \$send --source 192.0.2.22 tcp 203.0.113.7 4005
	END
}

# passes WANT FILTER…: the ports that come through. Checks of the answers' source are no sends.
passes() {
	local ABOUT="what ${*:2} lets through: "
	run_trace host "${@:2}" -- sh "$WORK/sends"
	check_trace 'map(select(.purpose == "output" and (.flow.dst | startswith("203.0.113."))) |
		.flow.dport) | unique | map(tostring) | join(" ")' "$1"
}

filters_on_addresses() {
	scene
	passes "4001 4002 4003 4004 4005" -d 203.0.113.0/24
	passes "4002 4003" -d 203.0.113.2/31
	passes "4001 4004" -d 203.0.113.1 --dst 203.0.113.4
	passes "4005" -s 192.0.2.22
	passes "4001 4002 4003 4004" -d 203.0.113.0/24 -s 0.0.0.0
	passes "" -d 203.0.113.1 -s 192.0.2.22
}

filters_on_protocol_and_ports() {
	scene
	passes "4005" -P tcp -d 203.0.113.0/24
	passes "4001 4002 4003 4004" -P udp -d 203.0.113.0/24
	passes "4001 4002 4003 4004 4005" -P udp -P 6 -d 203.0.113.0/24
	passes "4003" --dport 4003
	passes "4002 4003" --dport 4002-4003
	passes "4001 4005" --dport 4001 --dport 4005-65535
	passes "" --sport 1 -d 203.0.113.0/24
}

filters_on_mark_uid_and_interface() {
	scene
	passes "4002" -m 0x700
	passes "4002" -m 0x100/0x100
	passes "4001 4003 4004 4005" -m 0 -d 203.0.113.0/24
	passes "4003" -u 4242
	passes "4001 4002 4003 4004 4005" -i lo
	passes "" -i eth0 -d 203.0.113.0/24
}

filters_on_the_verdict() {
	scene
	passes "4002" --table 100
	passes "4001 4003 4005" --table main -d 203.0.113.0/24
	passes "4002" --pref 100
	passes "4004" --pref 101
	passes "4002" -o eth1 -d 203.0.113.0/24
	passes "4002" --pref 101 --pref 100 -o eth1
	passes "4004" --failed
	passes "" --failed --table main
}

filters_on_purpose_and_process() {
	scene
	passes "4001 4002 4003 4004 4005" --purpose output -d 203.0.113.0/24
	passes "" --purpose reroute,route-get -d 203.0.113.0/24
	# The last send is COMMAND's own process; the shell's pid is known to it alone.
	sed -i 's/^exec /echo $$ >"$0.pid"; read -r _ <"$0.go"; exec /' "$WORK/sends"
	mkfifo "$WORK/sends.pid" "$WORK/sends.go"
	nsenter --net="/run/netns/$(ns host)" -- sh "$WORK/sends" &
	cleanup kill -KILL $!
	local pid
	read -r pid <"$WORK/sends.pid"
	same "the sender's pid" "$pid" "$!"
	run_trace host -p "$pid" -- sh -c 'echo go >"$0"; tail -f /dev/null --pid "$1"' \
		"$WORK/sends.go" "$pid"
	check_trace 'map("\(.process.pid) \(.flow.dport)") | unique | join(",")' "$pid 4005"
}

# What a filter rejects is counted, wherever it is decided.
rejected_lookups_are_counted() {
	local filter ABOUT
	scene
	for filter in "-d 203.0.113.1" "-m 0x700" "--table 100" "--failed" "-o eth1" "--pref 1"; do
		ABOUT="$filter: "
		# shellcheck disable=SC2086
		run_trace host $filter -- sh "$WORK/sends"
		check_trace '$summary | if .seen >= 7 and .lost == 0 and
			.filtered == .seen - .shown then "all counted" else . end' "all counted"
	done
}

require setpriv "$SEND"
run_tests filters_on_addresses filters_on_protocol_and_ports filters_on_mark_uid_and_interface \
	filters_on_the_verdict filters_on_purpose_and_process rejected_lookups_are_counted
