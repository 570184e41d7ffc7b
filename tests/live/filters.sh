#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of the filters on real lookups: what each lets through of five sends that are known. For
# IPv4, or what $FAMILY says.

. "$(dirname "$0")/lib.sh"

# The net that is sent to, how much of an address two of them or one have in common, and what else
# host has: another address, and another link. A TCP connect asks three times or once.
if [ "$FAMILY" = 6 ]; then
	TO=2001:db8:9:: NET=2001:db8:9::/64 TWO=/127 ONE=/128 UNSET=::
	ALSO=2001:db8:1::22 SECOND=2001:db8:3:: NOT_FAMILY=4 LEAST=5
else
	TO=203.0.113. NET=203.0.113.0/24 TWO=/31 ONE=/32 UNSET=0.0.0.0
	ALSO=192.0.2.22 SECOND=198.51.100. NOT_FAMILY=6 LEAST=7
fi

# The sends, told apart by their port:
#   4001 main, eth0      4002 mark 0x700, rule 100, table 100, eth1   4003 uid 4242
#   4004 rejected by rule 101          4005 to ${TO}7 from $ALSO, a TCP connect
scene() {
	new_ns host peer
	link host eth0 "$HOST$ON_LINK" peer eth0 "$NEXT$ON_LINK"
	link host eth1 "${SECOND}2$ON_LINK" peer eth1 "${SECOND}1$ON_LINK"
	reach host "$NEXT"
	reach host "${SECOND}1"
	printf '%s\n' \
		"address add $ALSO$ON_LINK dev eth0 preferred_lft 0" \
		"route add default via $NEXT" \
		"route add default via ${SECOND}1 table 100" \
		"rule add pref 100 fwmark 0x700/0xf00 lookup 100" \
		"rule add pref 101 to ${TO}4 prohibit" | family_in host -batch -
	ip_batch peer "address add ${TO}7$ONE dev lo"
	install -m 755 "$SEND" "$WORK/send"
	cat >"$WORK/sends" <<-END
		send=$WORK/send
		\$send udp ${TO}1 4001
		\$send --mark 0x700 udp ${TO}2 4002
		setpriv --reuid 4242 --clear-groups -- \$send udp ${TO}3 4003
		\$send udp ${TO}4 4004
		exec \$send --source $ALSO tcp ${TO}7 4005
	END
}

# passes WANT FILTER…: the ports that come through, of all that was seen. Checks of the answers'
# source are no sends.
passes() {
	local ABOUT="what ${*:2} lets through: " least=$LEAST
	# Of a family that is left out nothing is seen.
	[ "$2" != "-$NOT_FAMILY" ] || least=0
	run_trace host "${@:2}" -- sh "$WORK/sends"
	check_trace "\$summary.seen | if . >= $least then \"enough\" else . end" enough \
		"map(select(.purpose == \"output\" and (.flow.dst | startswith(\"$TO\"))) |
		.flow.dport) | unique | map(tostring) | join(\" \") |
		. + (\$summary | if .lost + .unfinished > 0 then \", \(.lost) lost, \(
			.unfinished) unfinished\" else \"\" end)" "$1"
}

filters_on_addresses() {
	scene
	passes "4001 4002 4003 4004 4005" -d "$NET"
	passes "4002 4003" -d "${TO}2$TWO"
	passes "4001 4004" -d "${TO}1" --dst "${TO}4"
	passes "4005" -s "$ALSO"
	passes "4001 4002 4003 4004" -d "$NET" -s "$UNSET"
	passes "" -d "${TO}1" -s "$ALSO"
}

filters_on_the_family() {
	scene
	passes "4001 4002 4003 4004 4005" "-$FAMILY"
	passes "" "-$NOT_FAMILY"
	passes "4001" "-$FAMILY" -d "${TO}1"
	passes "4001 4002 4003 4004 4005" -4 -6
}

filters_on_protocol_and_ports() {
	scene
	passes "4005" -P tcp -d "$NET"
	passes "4001 4002 4003 4004" -P udp -d "$NET"
	passes "4001 4002 4003 4004 4005" -P udp -P 6 -d "$NET"
	passes "4003" --dport 4003
	passes "4002 4003" --dport 4002-4003
	passes "4001 4005" --dport 4001 --dport 4005-65535
	passes "" --sport 1 -d "$NET"
}

filters_on_mark_uid_and_interface() {
	scene
	passes "4002" -m 0x700
	passes "4002" -m 0x100/0x100
	passes "4001 4003 4004 4005" -m 0 -d "$NET"
	passes "4003" -u 4242
	passes "4001 4002 4003 4004 4005" -i lo
	passes "" -i eth0 -d "$NET"
}

filters_on_the_verdict() {
	scene
	passes "4002" --table 100
	passes "4001 4003 4005" --table main -d "$NET"
	passes "4002" --pref 100
	passes "4004" --pref 101
	passes "4002" -o eth1 -d "$NET"
	passes "4002" --pref 101 --pref 100 -o eth1
	passes "4004" --failed
	passes "" --failed --table main
}

filters_on_purpose_and_process() {
	scene
	passes "4001 4002 4003 4004 4005" --purpose output -d "$NET"
	passes "" --purpose reroute,route-get -d "$NET"
	# The last send is COMMAND's own process; the shell's pid is known to it alone.
	sed -i 's/^exec /echo $$ >"$0.pid"; read -r _ <"$0.go"; exec /' "$WORK/sends"
	mkfifo "$WORK/sends.pid" "$WORK/sends.go"
	nsenter --net="/run/netns/$(ns host)" -- sh "$WORK/sends" &
	cleanup kill -KILL $!
	local pid
	pid=$(read_fifo "$WORK/sends.pid")
	same "the sender's pid" "$pid" "$!"
	run_trace host -p "$pid" -- sh -c 'echo go >"$0"; tail -f /dev/null --pid "$1"' \
		"$WORK/sends.go" "$pid"
	check_trace 'map("\(.process.pid) \(.flow.dport)") | unique | join(",")' "$pid 4005"
}

# What a filter rejects is counted, wherever it is decided.
rejected_lookups_are_counted() {
	local filter ABOUT
	scene
	for filter in "-d ${TO}1" "-m 0x700" "--table 100" "--failed" "-o eth1" "--pref 1"; do
		ABOUT="$filter: "
		# shellcheck disable=SC2086
		run_trace host $filter -- sh "$WORK/sends"
		check_trace "\$summary | if .seen >= $LEAST and .lost == 0 and
			.filtered == .seen - .shown then \"all counted\" else . end" "all counted"
	done
}

require setpriv "$SEND"
run_tests filters_on_addresses filters_on_the_family filters_on_protocol_and_ports \
	filters_on_mark_uid_and_interface filters_on_the_verdict filters_on_purpose_and_process \
	rejected_lookups_are_counted
