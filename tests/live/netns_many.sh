#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of many network namespaces at once: each has its own policy, also when there are hundreds
# of them, when they come and go, and when nothing holds one.

# Emulated processors take some fifty times as long. The kit hides what tells that.
[ ! -e /run/vm/command ] || export EMULATED=1
. "$(dirname "$0")/lib.sh"

# Of IPv4 and IPv6, those that are traced.
FAMILIES=${FAMILIES:-4 6}
ATTACH=(--attach "${FIBTRACE_ATTACH:-auto}")
many=600 rounds=40
[ -z "${EMULATED:-}" ] || many=120 rounds=10
MANY=${MANY:-$many}
ROUNDS=${ROUNDS:-$rounds}
# So many processor milliseconds and KiB may the namespaces take.
OPEN_MS=2000
EACH_KIB=32
SENDS=20

# --- ten at once -------------------------------------------------------------------------------

declare -A own=([4]=192.0.2.2/24 [6]=2001:db8:1::2/64)
declare -A marked=([4]=203.0.113.1 [6]=2001:db8:2::1)
declare -A refused=([4]=203.0.113.2 [6]=2001:db8:2::2)
declare -A filter=([4]=203.0.113.0/24 [6]=2001:db8:2::/64)
# A send of IPv6 that finds no route asks again with the source that it would have.
declare -A lookups=([4]=$((2 * SENDS + 1)) [6]=$((2 * SENDS + 2)))

# member I FAMILY: all have the same addresses, destinations and mark, and each its own rules.
member() {
	local i=$1 family=$2
	[ "$family" = 4 ] || speaks_inet6 "n$i"
	printf '%s\n' "link add eth0 type veth peer name eth1" \
		"link set eth0 up" "link set eth1 up" \
		"address add ${own[$family]} dev eth0$([ "$family" = 4 ] || echo ' nodad')" \
		"route add default dev eth0" \
		"route add default dev eth0 table $((100 + i))" \
		"rule add pref $((1000 + i)) fwmark 0x1 lookup $((100 + i))" \
		"rule add pref $((500 + i)) to ${refused[$family]} unreachable" |
		ip_in "n$i" "-$family" -batch -
}

# member_sends I FAMILY: the commands that send in it, as words for sh.
member_sends() {
	local in
	in="nsenter --net=/run/netns/$(ns "n$1") -- $SEND --count $SENDS"
	echo "$in --mark 1 --result $WORK/marked.$1 udp ${marked[$2]} 9 &"
	echo "$in --result $WORK/plain.$1 udp ${marked[$2]} 9 &"
	echo "$in --result $WORK/refused.$1 udp ${refused[$2]} 9 &"
}

# members: what is expected of each, for jq.
members() {
	local i
	for i in {0..9}; do
		jq -nc --argjson netns "$(ns_inode "n$i")" --arg name "$(ns "n$i")" \
			--argjson i "$i" --arg marked "$(cat "$WORK/marked.$i")" \
			--arg plain "$(cat "$WORK/plain.$i")" \
			--arg refused "$(cat "$WORK/refused.$i")" \
			'{$netns, $name, $i, pids: [$marked, $plain, $refused |
				split(" ")[0] | tonumber]}'
	done | jq -sc .
}

# What of a lookup is not its own namespace's, or not what was asked there.
JQ_STRANGER='
def stranger(members): . as $lookup |
	(members | map(select(.netns == $lookup.netns)) | first) as $own |
	if $own == null then "a namespace that is none of ours"
	elif .netns_name != $own.name then "the name \(.netns_name)"
	elif (.context == "task") != (.process.pid | IN($own.pids[])) then
		"the process \(.process)"
	elif [.steps[].priority] - [0, 500 + $own.i, 1000 + $own.i, 32766, 32767] != [] then
		"rules of another: \([.steps[].priority])"
	elif .context != "task" then empty
	else ({(refused): "ENETUNREACH \(500 + $own.i) null",
		"0x1": "null \(1000 + $own.i) \(100 + $own.i)", "0x0": "null 32766 254"} |
		.[if $lookup.flow.dst == refused then refused else $lookup.flow.fwmark end]) as
			$want |
		(.verdict | "\(.error) \(.priority) \(.table_id)") as $got |
		if $got == $want then empty else "\($got), not \($want)" end
	end;
'

ten_namespaces() { # FAMILY
	local i sends='' members
	for i in {0..9}; do
		new_ns "n$i"
		member "$i" "$1"
		sends+=$(member_sends "$i" "$1")$'\n'
	done
	new_ns host
	run_trace host "${ATTACH[@]}" --netns all -d "${filter[$1]}" -- sh -c "$sends wait"
	members=$(members)
	JQ_WORDS+="def refused: \"${refused[$1]}\"; $JQ_STRANGER"
	check_trace "map(stranger($members)) | unique | join(\"; \")" '' \
		'map(select(.context == "task")) | group_by(.netns) | map("\(length)") | unique |
			join(",")' "${lookups[$1]}" \
		'map(.netns) | unique | length' 10 '$summary.lost' 0
}

ten_namespaces_keep_apart_v4() { ten_namespaces 4; }
ten_namespaces_keep_apart_v6() { ten_namespaces 6; }

# --- hundreds ----------------------------------------------------------------------------------

end_many() {
	seq "$MANY" | sed "s/.*/netns del many&.$$/" | ip -batch -
}

new_many() {
	cleanup end_many
	seq "$MANY" | sed "s/.*/netns add many&.$$/" | ip -batch -
}

# used_ms PID: the processor time it has taken.
used_ms() {
	awk -v hertz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print int(($12 + $13) * 1000 / hertz) }' \
		"/proc/$1/stat"
}

resident_kib() {
	awk '$1 == "VmHWM:" { print $2 }' "/proc/$1/status"
}

descriptors_of() {
	local open=("/proc/$1/fd"/*)
	echo ${#open[@]}
}

# opened FILE ARG…: attaches, and leaves what that took in $ms, $kib and $fds.
opened() {
	attach host "$@" --format json "${ATTACH[@]}" -d 203.0.113.0/24
	ms=$(used_ms "$fibtrace_pid") kib=$(resident_kib "$fibtrace_pid")
	fds=$(descriptors_of "$fibtrace_pid")
}

in_many() { # I COMMAND…
	nsenter --net="/run/netns/many$1.$$" -- "${@:2}"
}

hundreds_of_namespaces_take_little() {
	local ms kib fds one_ms one_kib one_fds i
	new_ns host
	opened "$WORK/one"
	one_ms=$ms one_kib=$kib one_fds=$fds
	detach INT
	new_many
	for i in 1 $((MANY / 2)) "$MANY"; do
		printf '%s\n' "link set lo up" \
			"rule add pref $((1000 + i)) to 203.0.113.1 unreachable" |
			ip -n "many$i.$$" -batch -
	done
	ip -n "many2.$$" link set lo up
	ulimit -S -n 1024
	opened "$WORK/trace" --netns all
	for i in 1 $((MANY / 2)) "$MANY"; do
		in_many "$i" "$SEND" --result "$WORK/result" udp 203.0.113.1 9
	done
	in_many 2 "$SEND" --result "$WORK/result" udp 203.0.113.1 9
	detach INT
	same "the exit status" "$status" 0
	echo "# $MANY namespaces: $ms ms of processor time until attached, $one_ms with one;" \
		"$(((kib - one_kib) * 1024 / MANY)) bytes and $(((fds - one_fds) / MANY))" \
		"descriptors each; $kib KiB resident${EMULATED:+ (emulated)}"
	[ -n "${EMULATED:-}" ] || [ $((ms - one_ms)) -le "$OPEN_MS" ] || fail "it took $ms ms"
	[ $((kib - one_kib)) -le $((MANY * EACH_KIB)) ] || fail "$kib KiB, $one_kib with one"
	check_trace 'map(select(.cause == "send") |
		"\(.netns_name) \(.verdict.error) \(.verdict.priority)") | join(",")' \
		"many1.$$ ENETUNREACH 1001,many$((MANY / 2)).$$ ENETUNREACH $((1000 + MANY / 2)),$(:
		)many$MANY.$$ ENETUNREACH $((1000 + MANY)),many2.$$ ENETUNREACH null"
}

# What cannot be opened is said once, and the trace goes on.
too_few_descriptors_are_said_once() {
	new_ns host
	ip_in host rule add pref 100 to 203.0.113.1 unreachable
	MANY=60
	new_many
	ulimit -n 300
	run_trace host "${ATTACH[@]}" --netns all -d 203.0.113.1 -- \
		"$SEND" --result "$WORK/result" udp 203.0.113.1 9
	same "the exit status" "$status" 0
	check_trace 'map("\(.netns_name) \(.verdict.error) \(.verdict.priority)") | join(",")' \
		"$(ns host) ENETUNREACH 100"
	same "what is said of the limit" "$(grep -c '300 files may be open' "$WORK/trace.err")" 1
	grep -q 'no more than 22 namespaces' "$WORK/trace.err" || fail "not how many are read"
	grep -q 'cannot be read' "$WORK/trace.err" && fail "each is said to be unreadable"
	true
}

# --- coming and going --------------------------------------------------------------------------

# round I: a namespace that lives for two sends, with a rule for no other's destination.
round() {
	local name=round$1.$$
	ip netns add "$name"
	printf '%s\n' "link set lo up" "route add 203.0.113.$1 dev lo table 100" \
		"rule add pref $((2000 + $1)) to 203.0.113.$1 lookup 100" | ip -n "$name" -batch -
	nsenter --net="/run/netns/$name" -- "$SEND" --count 2 udp "203.0.113.$1" 9
	ip netns del "$name"
}

# Every send is shown. Those that came too late to be read are unknown, and none is explained by
# another's rules; an emulated processor may read all of them too late.
namespaces_come_and_go() {
	local i before after
	new_ns host
	ip_in host rule add pref 100 to 203.0.113.254 unreachable
	attach host "$WORK/trace" --format json "${ATTACH[@]}" --netns all -d 203.0.113.0/24
	before=$(descriptors_of "$fibtrace_pid")
	for i in $(seq "$ROUNDS"); do
		round "$i"
		in_ns host "$SEND" --result "$WORK/result" udp 203.0.113.254 9
	done
	in_ns host "$SEND" --result "$WORK/result" udp 203.0.113.253 9
	await_line "$WORK/trace" '"dst":"203.0.113.253"'
	after=$(descriptors_of "$fibtrace_pid")
	detach INT
	same "the exit status" "$status" 0
	check_trace \
		'map(select(.context == "task" and .flow.dst != "203.0.113.254" and
			.flow.dst != "203.0.113.253") | .flow.dst | split(".")[3] | tonumber) |
			sort | tostring' "$(jq -nc --argjson rounds "$ROUNDS" \
			'[range(1; $rounds + 1) | ., .]')" \
		'map(select(.flow.dst == "203.0.113.254") |
			"\(.verdict.error) \(.verdict.priority) \(.netns_name)") | unique |
			join(",")' "ENETUNREACH 100 $(ns host)" \
		'map(select(.flow.dst | IN("203.0.113.254", "203.0.113.253") | not) |
			select(.verdict.decided_by != "unknown" and .verdict.priority !=
			2000 + (.flow.dst | split(".")[3] | tonumber)) | .verdict) | tostring' '[]' \
		'$summary.lost' 0
	echo "# $ROUNDS namespaces: $(jq -rn '[inputs | select(.type == "lookup")] |
		"\(map(select(.verdict.priority > 2000)) | length) lookups explained, " +
		"\(map(select(.verdict.decided_by == "unknown")) | length) not"' "$WORK/trace")," \
		"$before descriptors before, $after after"
	[ -n "${EMULATED:-}" ] || expect 'any(.verdict.priority ==
		2000 + (.flow.dst | split(".")[3] | tonumber))' true
	# The last second's may be open still.
	[ "$after" -le $((before + 2 * ROUNDS)) ] || fail "$after descriptors, $before before"
}

# --- by whom they are held ---------------------------------------------------------------------

# start_nameless: a namespace that nothing but a process holds, which then runs another program.
start_nameless() {
	mkfifo "$WORK/hold" "$WORK/there"
	unshare --net -- sh -c "ip link set lo up
		ip rule add pref 700 to 203.0.113.1 prohibit; echo > $WORK/there
		exec cat $WORK/hold" &
	holder=$!
	cleanup kill -KILL "$holder"
	read_fifo "$WORK/there" >/dev/null
	await_program "$holder" cat
	exec {hold}<>"$WORK/hold"
}

a_namespace_without_a_name_is_its_process() {
	local holder hold
	new_ns host
	start_nameless
	run_trace host "${ATTACH[@]}" --netns all -d 203.0.113.1 -- \
		nsenter --net="/proc/$holder/ns/net" -- \
		"$SEND" --result "$WORK/result" udp 203.0.113.1 9
	check_trace 'map("\(.netns_name) \(.verdict.error) \(.verdict.priority)") | join(",")' \
		"pid $holder (cat) EACCES 700"
	exec {hold}>&-
}

# An open socket keeps the namespace; the process that has it is in another one, and so may be the
# lookup's where no device tells better.
a_namespace_that_nothing_holds_is_said_once() {
	local inode holder
	new_ns host left
	ip_batch left "link add eth0 type veth peer name eth1" "link set eth0 up" \
		"link set eth1 up" "address add 192.0.2.2/24 dev eth0" \
		"route add default dev eth0 table 100" "rule add pref 600 lookup 100"
	inode=$(ns_inode left)
	mkfifo "$WORK/go" "$WORK/done" "$WORK/there"
	nsenter --net="/run/netns/$(ns host)" -- "$PYTHON" -c '
import ctypes, socket, sys
home, name, folder = open("/proc/self/ns/net"), open(sys.argv[1]), sys.argv[2]
libc = ctypes.CDLL(None)
assert libc.setns(name.fileno(), 0) == 0
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
assert libc.setns(home.fileno(), 0) == 0
name.close()
print(file=open(folder + "/there", "w"))
open(folder + "/go").read()
for i in range(3):
    sender.sendto(b"x", ("203.0.113.1", 9))
open(folder + "/done", "w").close()
' "/run/netns/$(ns left)" "$WORK" &
	holder=$!
	cleanup kill -KILL "$holder"
	read_fifo "$WORK/there" >/dev/null
	ip netns del "$(ns left)"
	run_trace host "${ATTACH[@]}" --netns all -d 203.0.113.1 -- \
		sh -c ": > $WORK/go; read -r line < $WORK/done; $SEND udp 203.0.113.1 9"
	check_trace \
		"map(select(.netns == $inode and .context == \"task\") |
			\"\\(.netns_name) \\(.process.pid)\") | join(\",\")" \
			"null $holder,null $holder,null $holder" \
		"map(select(.netns == $inode and .context == \"task\") | .verdict |
			\"\(.dev) \(.table_id)\") | unique | join(\",\")" 'if3 100' \
		"map(select(.netns != $inode) | \"\\(.netns_name) \\(.verdict.error)\") | join(\",\")" \
			"$(ns host) ENETUNREACH"
	same "what is said of it" "$(grep -c 'no name and no process holds it' "$WORK/trace.err")" 1
}

require "$SEND" getconf
tests=()
for family in $FAMILIES; do
	tests+=("ten_namespaces_keep_apart_v$family")
done
run_tests "${tests[@]}" hundreds_of_namespaces_take_little too_few_descriptors_are_said_once \
	namespaces_come_and_go a_namespace_without_a_name_is_its_process \
	a_namespace_that_nothing_holds_is_said_once
