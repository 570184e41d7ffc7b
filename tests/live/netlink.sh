#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The policy read over netlink is what ip(8) reads, at first and after every kind of change.

# Emulated processors take some fifty times as long. The kit hides what tells that.
[ ! -e /run/vm/command ] || export EMULATED=1
# shellcheck disable=SC2034 # the kit reads it: no test here runs fibtrace
LIVE_NO_BINARY=1
. "$(dirname "$0")/lib.sh"

MONITOR_DUMP=${MONITOR_DUMP:-$ROOT_DIR/build/tests/monitor_dump}
[ -x "$MONITOR_DUMP" ] || skip_all "needs $MONITOR_DUMP"
MAX_ROUTES=1000
RANDOM_CHANGES=240
[ -z "${EMULATED:-}" ] || RANDOM_CHANGES=60

# watch_host: starts the monitor of the namespace host. Its first policy is in $WORK/policy.
watch_host() {
	coproc MONITOR { "$MONITOR_DUMP" "$(ns host)" "$MAX_ROUTES" 2>"$WORK/monitor.err"; }
	cleanup kill -KILL "$MONITOR_PID"
	read_policy
}

read_policy() {
	local line
	: >"$WORK/policy"
	while read -r -t 20 -u "${MONITOR[0]}" line; do
		[ "$line" != end ] || return 0
		echo "$line" >>"$WORK/policy"
	done
	fail "the monitor ended: $(tail -n 1 "$WORK/monitor.err")"
}

# What ip(8) says, in the words of monitor_dump.
IP_ROUTES='
def prefix: if . == "default" then "0.0.0.0/0" elif contains("/") then . else . + "/32" end;
def hop(weight): " \(.gateway // .via.host // "-")@\(.dev // "-")*\(weight)";
.[] | "route table \(.table // 254) type \(.type // 1) \(.dst | prefix) " +
	"metric \(.metric // 0) tos \(.tos // "0x00") prefsrc \(.prefsrc // "-") " +
	"nhid \(.nhid // 0)" +
	(if .nexthops then (.nexthops | map(hop(.weight)) | join(""))
	 elif .dev then hop(1) else "" end)
'
IP_ROUTES6='
def prefix: if . == "default" then "::/0" elif contains("/") then . else . + "/128" end;
def hop(weight): " \(.gateway // "-")@\(.dev // "-")*\(weight)";
.[] | "route6 table \(.table // 254) type \(.type // 1) \(.dst | prefix)" +
	(if .from then " from \(.from | prefix)" else "" end) +
	" metric \(.metric) tos 0x00 prefsrc \(.prefsrc // "-") nhid \(.nhid // 0) " +
	"pref \({ "medium": 0, "high": 1, "low": 3 }[.pref])" +
	(if .nexthops then (.nexthops | map(hop(.weight)) | join(""))
	 elif .dev then hop(1) else "" end)
'
ip_rules() {
	ip_in host "-$1" rule | sed -E "s/^([0-9]+):\t/rule$2 \1: /; s/ +$//; s/ proto [a-z]+$//"
}
ip_policy() {
	ip_rules 4
	ip_rules 6 6
	{
		ip_in host -N -j -4 route show table all | jq -r "$IP_ROUTES"
		ip_in host -N -j -6 route show table all | jq -r "$IP_ROUTES6"
	} | sort
}

drain() {
	echo >&"${MONITOR[1]}"
	read_policy
}

# agree WHAT: one drain, and monitor and ip(8) say the same.
agree() {
	drain
	compare "$1"
}

# Rules in their order; the order of prefixes means nothing.
compare() {
	{
		grep '^rule6\? ' "$WORK/policy"
		grep '^route6\? ' "$WORK/policy" | sort
	} >"$WORK/ours" || true
	ip_policy >"$WORK/theirs"
	diff "$WORK/ours" "$WORK/theirs" >"$WORK/diff" ||
		fail "$1: $(head -n 5 "$WORK/diff" | tr '\n' ';')"
}

# The devices have no addresses but ours.
one_host() {
	new_ns host
	ip_in host link add veth0 type veth peer name veth1
	ip_in host link set veth0 addrgenmode none
	ip_in host link set veth1 addrgenmode none
	ip_in host address add 192.0.2.2/24 dev veth0
	ip_in host address add 198.51.100.2/24 dev veth1
	ip_in host link set veth0 up
	ip_in host link set veth1 up
}

SELECTORS=(
	'from 192.0.2.0/24'
	'to 198.51.100.7'
	'from 10.1.0.0/16 to 10.2.3.0/24'
	'not from all fwmark 0xca6c'
	'from all fwmark 0x80000/0xff0000'
	'from all iif veth0'
	'from all oif nothere'
	'from all iif lo oif veth1'
	'from all uidrange 0-0'
	'from all uidrange 1000-2000'
	'from all ipproto tcp sport 1000-2000'
	'from all ipproto udp dport 53'
	'from all tos 0x10'
	'from all tun_id 42'
)
ACTIONS=(
	'lookup 51820'
	'lookup main suppress_prefixlength 0'
	'lookup default suppress_ifgroup 7'
	'goto 40000'
	'goto 20000'
	'nop'
	'blackhole'
	'unreachable'
	'prohibit'
)

every_rule_ip_can_write_is_read() {
	local selector action priority=1000
	one_host
	for selector in "${SELECTORS[@]}"; do
		# shellcheck disable=SC2086 # several words
		ip_in host rule add pref $((priority += 1)) $selector table 100
	done
	for action in "${ACTIONS[@]}"; do
		# shellcheck disable=SC2086 # several words
		ip_in host rule add pref $((priority += 1)) from 10.0.0.1 $action
	done
	ip_in host rule add pref 20000 from 10.9.0.0/16 table 1
	ip_in host rule add pref 20000 from 10.8.0.0/16 table 1
	watch_host
	compare "the first dump"
}

# add_rule TYPE=HEX…: an attribute that this ip(8) does not write; skips where the kernel
# does not know it.
add_rule() {
	in_ns host "$PYTHON" "$LIVE_DIR/rule_message.py" "$@" || skip "this kernel refuses $*"
}

has_line() {
	grep -qxF "$1" "$WORK/policy" || fail "no line '$1'"
}

newer_attributes_are_read() {
	# Older kernels take them without a word and keep none of it.
	grep -a -q -z -x FRA_DSCP_MASK /sys/kernel/btf/vmlinux || skip "this kernel knows no FRA_DSCP_MASK"
	one_host
	watch_host
	add_rule 6=64000000 25=2e
	add_rule 6=65000000 25=28 30=38
	add_rule 6=66000000 22=06 24=00100010 29=00ff
	drain
	has_line 'note rule added: 100: from all dscp 46 lookup main'
	has_line 'rule 100: from all dscp 46 lookup main'
	has_line 'rule 101: from all dscp 0x28/0x38 lookup main'
	has_line 'rule 102: from all ipproto tcp dport 0x1000/0xff00 lookup main'
}

rule_changes_are_followed() {
	one_host
	watch_host
	agree "nothing changed"
	ip_in host rule add pref 5208 table main suppress_prefixlength 0
	ip_in host rule add pref 5209 not fwmark 0xca6c table 51820
	agree "added"
	same notes "$(grep -c '^note ' "$WORK/policy")" 2
	has_line 'note rule added: 5209: not from all fwmark 0xca6c lookup 51820'
	ip_in host rule del pref 5208
	agree "deleted"
	has_line 'note rule deleted: 5208: from all lookup main suppress_prefixlength 0'
	ip_in host rule add pref 77 iif veth9 table 9
	agree "detached"
	ip_in host link add veth9 type veth peer name veth8
	agree "attached"
	ip_in host link set veth9 name veth7
	agree "renamed away"
}

route_changes_are_followed() {
	one_host
	watch_host
	ip_in host route add default via 192.0.2.1
	ip_in host route add 10.0.0.0/8 via 192.0.2.1 metric 5
	ip_in host route append 10.0.0.0/8 via 192.0.2.3 metric 5
	ip_in host route prepend 10.0.0.0/8 via 192.0.2.4 metric 5
	ip_in host route add 10.1.0.0/16 table 51820 nexthop via 192.0.2.1 weight 3 \
		nexthop via 198.51.100.1 dev veth1 weight 1
	sysctl_in host net.ipv6.conf.veth0.disable_ipv6 0
	ip_in host route add 10.2.0.0/16 via inet6 fe80::1 dev veth0 table 7
	ip_in host route add unreachable 10.3.0.0/16
	ip_in host route add throw 10.4.0.0/16 table 300
	ip_in host route add 10.5.0.0/16 dev veth0 src 192.0.2.2 tos 0x10
	agree "added"
	ip_in host route replace 10.0.0.0/8 via 192.0.2.9 metric 5
	ip_in host route replace prohibit 10.3.0.0/16
	ip_in host route del 10.4.0.0/16 table 300
	agree "replaced"
	ip_in host route flush table 51820
	agree "flushed"
}

# None of these sends a message for the routes that go or change with it.
silent_route_changes_are_followed() {
	one_host
	ip_in host route add 10.1.0.0/16 via 192.0.2.1 table 100
	ip_in host address add 203.0.113.1/32 dev lo
	ip_in host route add 10.2.0.0/16 via 192.0.2.1 src 203.0.113.1
	watch_host
	compare "at first"
	ip_in host address del 203.0.113.1/32 dev lo
	agree "source address removed"
	ip_in host link set veth0 down
	agree "link down"
	ip_in host link set veth0 up
	agree "link up"
	ip_in host route add 10.3.0.0/16 via 198.51.100.1
	ip_in host link del veth1
	agree "link deleted"
}

# nexthops_followed COMPAT: with 0 the kernel names the objects of a route by their ids alone.
nexthops_followed() {
	one_host
	sysctl_in host net.ipv4.nexthop_compat_mode "$1"
	ip_in host nexthop add id 1 via 192.0.2.1 dev veth0
	ip_in host nexthop add id 2 via 198.51.100.1 dev veth1
	ip_in host nexthop add id 3 group 1,5/2,7
	ip_in host nexthop add id 4 blackhole
	ip_in host route add 10.1.0.0/16 nhid 1
	ip_in host route add 10.3.0.0/16 nhid 3
	ip_in host route add 10.4.0.0/16 nhid 4
	watch_host
	has_route '10.3.0.0/16 .* 192.0.2.1@veth0\*5 198.51.100.1@veth1\*7$'
	has_route 'type 6 10.4.0.0/16 .* nhid 4'
	ip_in host nexthop add id 5 via 192.0.2.5 dev veth0
	ip_in host route add 10.5.0.0/16 nhid 5
	ip_in host nexthop replace id 1 via 192.0.2.77 dev veth0
	drain
	has_route '10.5.0.0/16 .* 192.0.2.5@veth0\*1$'
	has_route '10.1.0.0/16 .* 192.0.2.77@veth0\*1$'
	ip_in host nexthop del id 1
	drain
	! grep '^route.* 10.1.0.0/16' "$WORK/policy" || fail "the route outlived its nexthop"
}

has_route() {
	grep -q "^route .* $1" "$WORK/policy" || fail "no route '$1'"
}

nexthop_objects_are_followed() {
	nexthops_followed 1
}

nexthop_ids_are_resolved() {
	nexthops_followed 0
}

# one_host6: with IPv6, too.
one_host6() {
	one_host
	sysctl_in host net.ipv6.conf.all.disable_ipv6 0
	add_address 2001:db8:0::2 veth0
	add_address 2001:db8:1::2 veth1
}

# add_address ADDRESS DEVICE: the kernel makes its route by a worker; bounded wait for that.
add_address() {
	ip_in host address add "$1/64" dev "$2" nodad
	# shellcheck disable=SC2016 # the inner shell expands
	timeout 20 bash -c 'until ip -n "$0" -6 route get "$1" 2>/dev/null | grep -q ^local; do :; done' \
		"$(ns host)" "$1" || fail "no route of $1"
}

rule_changes_of_ipv6_are_followed() {
	local selector priority=1000
	one_host6
	for selector in 'from 2001:db8::/32' 'to 2001:db8::9' 'not from all fwmark 0xca6c' \
		'from all iif veth0' 'from all tos 0x10' 'from all ipproto udp dport 53' \
		'from fd00::/8 to fd00:1::/32 uidrange 0-99'; do
		# shellcheck disable=SC2086 # several words
		ip_in host -6 rule add pref $((priority += 1)) $selector table 100
	done
	watch_host
	compare "at first"
	ip_in host -6 rule add pref 5208 table main suppress_prefixlength 0
	ip_in host -6 rule add pref 5209 not fwmark 0xca6c goto 9000
	agree "added"
	has_line 'note IPv6 rule added: 5209: not from all fwmark 0xca6c goto 9000 [unresolved]'
	ip_in host -6 rule del pref 1001
	ip_in host rule add pref 5209 not fwmark 0xca6c table 51820
	agree "changed in both families"
	has_line 'note rule added: 5209: not from all fwmark 0xca6c lookup 51820'
}

route_changes_of_ipv6_are_followed() {
	one_host6
	watch_host
	compare "at first"
	ip_in host -6 route add default via 2001:db8::1
	ip_in host -6 route add 2001:db8:8::/48 via 2001:db8::1 metric 5
	ip_in host -6 route append 2001:db8:8::/48 via 2001:db8::3 metric 5
	ip_in host -6 route append 2001:db8:8::/48 via 2001:db8:1::4 dev veth1 metric 5
	ip_in host -6 route add 2001:db8:9::/48 table 51820 nexthop via 2001:db8::1 weight 3 \
		nexthop via 2001:db8:1::1 weight 1
	ip_in host -6 route add unreachable 2001:db8:a::/48
	ip_in host -6 route add throw 2001:db8:b::/48 table 300
	ip_in host -6 route add 2001:db8:c::/48 dev veth0 src 2001:db8::2 pref high
	ip_in host -6 route add 2001:db8:c::/48 from 2001:db8::/64 dev veth1
	ip_in host -6 route add fe80::/64 dev veth0
	ip_in host -6 route append fe80::/64 dev veth1
	agree "added"
	ip_in host -6 route del 2001:db8:8::/48 via 2001:db8::3 metric 5
	ip_in host -6 route del fe80::/64 dev veth0
	agree "one nexthop and one of two routes deleted"
	ip_in host -6 route replace 2001:db8:8::/48 via 2001:db8::9 metric 5
	ip_in host -6 route replace prohibit 2001:db8:a::/48
	ip_in host -6 route del 2001:db8:b::/48 table 300
	ip_in host -6 route del 2001:db8:c::/48 from 2001:db8::/64
	agree "replaced"
	ip_in host -6 route del 2001:db8:9::/48 table 51820
	ip_in host -6 route flush table main via 2001:db8::1
	agree "flushed"
}

# None of these sends a message for all of the routes that go or change with it.
silent_route_changes_of_ipv6_are_followed() {
	one_host6
	ip_in host -6 route add 2001:db8:8::/48 nexthop via 2001:db8::1 nexthop via 2001:db8:1::1
	ip_in host -6 route add 2001:db8:9::/48 via 2001:db8:1::1 src 2001:db8::2
	watch_host
	ip_in host address del 2001:db8::2/64 dev veth0
	agree "source address removed"
	add_address 2001:db8::2 veth0
	agree "address added"
	ip_in host link set veth0 down
	agree "link down"
	sysctl_in host net.ipv6.conf.veth1.ignore_routes_with_linkdown 1
	agree "routes without a carrier ignored"
	sysctl_in host net.ipv6.conf.veth1.disable_ipv6 1
	agree "no IPv6 on a device"
	ip_in host link set veth0 up
	add_address 2001:db8::2 veth0
	ip_in host -6 route add 2001:db8:a::/48 dev veth0
	agree "link up"
	ip_in host link del veth1
	agree "link deleted"
}

nexthops_followed6() {
	one_host6
	sysctl_in host net.ipv4.nexthop_compat_mode "$1"
	ip_in host nexthop add id 1 via 2001:db8::1 dev veth0
	ip_in host nexthop add id 2 via 2001:db8:1::1 dev veth1
	ip_in host nexthop add id 3 group 1,5/2,7
	ip_in host -6 route add 2001:db8:8::/48 nhid 3
	watch_host
	has_route6 '2001:db8:8::/48 .* 2001:db8::1@veth0\*5 2001:db8:1::1@veth1\*7$'
	ip_in host nexthop add id 5 via 2001:db8::5 dev veth0
	ip_in host -6 route add 2001:db8:9::/48 nhid 5
	ip_in host nexthop replace id 1 via 2001:db8::77 dev veth0
	drain
	has_route6 '2001:db8:9::/48 .* 2001:db8::5@veth0\*1$'
	has_route6 '2001:db8:8::/48 .* 2001:db8::77@veth0\*5 '
	ip_in host nexthop del id 5
	drain
	! grep '^route6.* 2001:db8:9::/48' "$WORK/policy" || fail "the route outlived its nexthop"
}

nexthop_objects_of_ipv6_are_followed() {
	nexthops_followed6 1
}

nexthop_ids_of_ipv6_are_resolved() {
	nexthops_followed6 0
}

has_route6() {
	grep -q "^route6 .* $1" "$WORK/policy" || fail "no route '$1'"
}

# pick VARIABLE WORD…: not in a subshell, which would draw the same for ever.
pick() {
	local words=("${@:2}")
	printf -v "$1" %s "${words[RANDOM % ${#words[@]}]}"
}

# One change, in $change, of those that IPv6 tells in parts or merges; the kernel refuses some.
random_route_change() {
	local verb prefix device host metric
	pick verb add append replace del
	pick prefix 2001:db8:8::/48 2001:db8:9::/48 default
	pick device 0 1
	pick host 5 6 7
	pick metric 10 20
	pick change "$verb $prefix via 2001:db8:$device::$host dev veth$device metric $metric" \
		"$verb $prefix via 2001:db8:$device::$host metric $metric" \
		"$verb $prefix dev veth$device metric $metric" \
		"$verb unreachable $prefix metric $metric" \
		"$verb $prefix metric $metric nexthop via 2001:db8::$host nexthop via 2001:db8:1::$host" \
		"del $prefix metric $metric"
}

random_route_changes_of_ipv6_are_followed() {
	local i change changes='' taken=0
	one_host6
	watch_host
	RANDOM=7
	for ((i = 0; i < RANDOM_CHANGES; i++)); do
		random_route_change
		changes+="$change; "
		# shellcheck disable=SC2086 # several words
		! ip_in host -6 route $change 2>/dev/null || taken=$((taken + 1))
		[ $((i % 4)) -eq 3 ] || continue
		agree "$i: $changes"
		changes=
	done
	echo "# of $RANDOM_CHANGES changes the kernel took $taken"
	[ $((taken * 4)) -gt "$RANDOM_CHANGES" ] || fail "the kernel took $taken changes"
}

# routes COUNT COMMAND: lines for ip -batch, in table 7.
routes() {
	seq 0 "$(($1 - 1))" | awk -v command="$2" '{
		printf "route %s 10.%d.%d.%d/32 dev veth0 table 7\n", command,
			$1 / 65536, $1 / 256 % 256, $1 % 256 }'
}

large_tables_are_not_held() {
	one_host
	routes "$MAX_ROUTES" add | ip_in host -batch -
	watch_host
	compare "as many as may be"
	ip_in host route add 10.9.0.0/16 dev veth0 table 7
	drain
	has_line 'unheld 7'
	! grep '^route table 7 ' "$WORK/policy" || fail "routes of table 7 were kept"
	ip_in host route del 10.9.0.0/16 table 7
	ip_in host link set veth1 down
	agree "held again after it was read anew"
}

overruns_are_read_anew() {
	one_host
	watch_host
	routes 60000 add | ip_in host -batch -
	ip_in host rule add pref 9 table 9
	routes 60000 del | ip_in host -batch -
	drain
	grep -q '^drain .* overrun 1 lost 0$' "$WORK/policy" || fail "$(grep '^drain' "$WORK/policy")"
	compare "after an overrun"
}

namespaces_go_by_their_names() {
	local reason
	new_ns host
	: >"/run/netns/$(ns stale)"
	reason=$("$MONITOR_DUMP" "$(ns stale)" 9 2>&1 </dev/null) && fail "a stale name was taken"
	same reason "$reason" "/run/netns/$(ns stale) is not a network namespace"
	"$MONITOR_DUMP" "$(ns host)" 9 </dev/null >"$WORK/by_name"
	"$MONITOR_DUMP" "/run/netns/$(ns host)" 9 </dev/null >"$WORK/by_path"
	cmp "$WORK/by_name" "$WORK/by_path"
	grep -q '127.0.0.0/8' "$WORK/by_name" || fail "no route of lo: $(cat "$WORK/by_name")"
}

run_tests every_rule_ip_can_write_is_read newer_attributes_are_read rule_changes_are_followed \
	route_changes_are_followed silent_route_changes_are_followed \
	nexthop_objects_are_followed nexthop_ids_are_resolved \
	rule_changes_of_ipv6_are_followed route_changes_of_ipv6_are_followed \
	silent_route_changes_of_ipv6_are_followed nexthop_objects_of_ipv6_are_followed \
	nexthop_ids_of_ipv6_are_resolved random_route_changes_of_ipv6_are_followed \
	large_tables_are_not_held overruns_are_read_anew \
	namespaces_go_by_their_names
