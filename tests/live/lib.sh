#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The live test kit: a private place to work in, namespaces, traces of them, and assertions.
#
# A test script sources this file, defines functions and ends with `run_tests NAME…`. Every test
# runs in a subshell with its own cleanup stack, so that none sees what another left behind.

LIVE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT_DIR=$(cd "$LIVE_DIR/../.." && pwd)
FIBTRACE=$(realpath -m "${FIBTRACE:-$ROOT_DIR/build/fibtrace}")
SCHEMA_CHECK=${SCHEMA_CHECK:-$ROOT_DIR/tests/lint/schema.py}
PYTHON=/usr/bin/python3
# What sends; the scripts that use it require it.
SEND=$(realpath -m "${SEND:-$ROOT_DIR/build/tests/live/send}")
UDP_FLOOD=$(realpath -m "${UDP_FLOOD:-$ROOT_DIR/build/tests/live/udp_flood}")
WORK=/run/live
SCRIPT_LIMIT_S=${SCRIPT_LIMIT_S:-300}
TRACE_LIMIT_S=60
# The family that a script's hosts speak, besides what a test itself makes.
export FAMILY=${FAMILY:-4}
PATH=$PATH:/usr/sbin:/sbin
[ -n "${KEEP_LOCALE:-}" ] || export LC_ALL=C.UTF-8

# --- the private place -------------------------------------------------------------------------

# Guests have all that a test takes but what their kernels are too old for: $ALL_IS_THERE says so.
skip_all() {
	[ -z "${ALL_IS_THERE:-}" ] || { echo "fail $(basename "$0"): $*" && exit 1; }
	echo "skip $(basename "$0"): $*"
	exit 77
}

require() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip_all "needs $tool"
	done
}

# The script runs again in a mount namespace of its own, under a limit on its time.
enter_private_mounts() {
	[ -z "${LIVE_ENTERED:-}" ] || return 0
	[ "$(id -u)" = 0 ] || skip_all "needs root, for network namespaces"
	require timeout unshare ip nsenter jq "$PYTHON"
	[ -x "$FIBTRACE" ] || [ -n "${LIVE_NO_BINARY:-}" ] || skip_all "needs $FIBTRACE"
	[ "$(basename "$SCHEMA_CHECK")" != schema.py ] ||
		"$PYTHON" -c 'import jsonschema' 2>/dev/null || skip_all "needs python3-jsonschema"
	LIVE_ENTERED=1 FIBTRACE=$FIBTRACE SEND=$SEND exec timeout -k 10 "$SCRIPT_LIMIT_S" \
		unshare --mount --propagation private -- bash "$0" "$@"
}

# A tmpfs over /run hides the machine's namespaces and sockets from us and ours from it. Folders
# of /etc become writable copies; a missing one is not made, for that would show outside.
mount_private_dirs() {
	local dir
	mount -t tmpfs tmpfs /run
	mkdir -p /run/netns /run/wireguard "$WORK"
	for dir in /etc/iproute2 /etc/wireguard /etc/fibtrace; do
		[ -d "$dir" ] || continue
		cp -a "$dir" "$WORK/copy"
		mount -t tmpfs -o mode=0755 tmpfs "$dir"
		cp -a "$WORK/copy/." "$dir"
		rm -rf "$WORK/copy"
	done
}

# --- tests -------------------------------------------------------------------------------------

CLEANUPS=()

# The ERR trap runs where stdout is that of the command that failed: results go to the script's.
exec {report}>&1

# cleanup COMMAND ARG… runs when the test ends, last registered first.
cleanup() {
	CLEANUPS+=("$(printf '%q ' "$@")")
}

run_cleanups() {
	local i
	set +e
	trap - ERR
	for ((i = ${#CLEANUPS[@]} - 1; i >= 0; i--)); do
		eval "${CLEANUPS[i]}" >>"$WORK/cleanup.log" 2>&1
	done
}

fail() {
	trap - ERR
	echo "fail $TEST: $*" >&"$report"
	if [ -n "${LIVE_DEBUG:-}" ]; then
		head -c 4000 "$WORK/trace.err" >&2
		head -n 12 "$WORK/trace" | cut -c 1-3000 >&2
	fi 2>/dev/null
	exit 1
}

skip() {
	trap - ERR
	echo "skip $TEST: $*" >&"$report"
	exit 77
}

# lacks TEXT: skips for want of a tool or module; where all of them are there it is a failure. What
# a kernel is too old for, or a tier cannot see, is for skip().
lacks() {
	[ -z "${ALL_IS_THERE:-}" ] || fail "$*"
	skip "$*"
}

# need_tool NAME…: of one test.
need_tool() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || lacks "needs $tool"
	done
}

# has_devices TYPE [ARG…]: this kernel can make one. What the first of a type brings with it goes
# with the namespace.
has_devices() {
	local probe=probe.$$ result=0
	ip netns add "$probe"
	ip -n "$probe" link add probe type "$@" 2>/dev/null || result=1
	ip netns del "$probe"
	return "$result"
}

# need_device TYPE [ARG…]: of one test.
need_device() {
	has_devices "$@" || lacks "this kernel has no devices of type $1"
}

run_one_test() {
	TEST=$1
	CLEANUPS=()
	set -eE
	trap run_cleanups EXIT
	trap 'exit 143' TERM
	trap 'fail "lines $LINENO ${BASH_LINENO[*]}: $BASH_COMMAND"' ERR
	rm -rf "${WORK:?}"/* /run/wireguard/*
	"$TEST"
	echo "ok $TEST"
}

# run_tests NAME… runs each, or those that $ONLY (a regular expression) matches.
run_tests() {
	local name passed=0 failed=0 skipped=0
	for name in "$@"; do
		[[ $name =~ ${ONLY:-.} ]] || continue
		(run_one_test "$name")
		case $? in
		0) passed=$((passed + 1)) ;;
		77) skipped=$((skipped + 1)) ;;
		*) failed=$((failed + 1)) ;;
		esac
	done
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] || exit 1
	[ "$passed" != 0 ] || exit 77
	exit 0
}

# --- the kernel --------------------------------------------------------------------------------

# counts_locked_memory: before 5.11 what BPF takes counts against RLIMIT_MEMLOCK.
counts_locked_memory() {
	[ "$(printf '%s\n' 5.11 "$(uname -r)" | sort -V | head -n 1)" != 5.11 ]
}

# --- namespaces --------------------------------------------------------------------------------

# ns NAME: the full name of a test's namespace; it carries the script's pid.
ns() {
	echo "$1.$$"
}

# in_ns NAME COMMAND ARG…
in_ns() {
	nsenter --net="/run/netns/$(ns "$1")" -- "${@:2}"
}

# ip_in NAME ARG…: ip(8) in a namespace.
ip_in() {
	ip -n "$(ns "$1")" "${@:2}"
}

# family_in NAME ARG…: the same for the script's family.
family_in() {
	ip_in "$1" "-$FAMILY" "${@:2}"
}

# ip_batch NAME LINE…: the same with one process for all lines, which ends at one that fails.
ip_batch() {
	printf '%s\n' "${@:2}" | ip_in "$1" -batch -
}

# sysctl_in NAME KEY VALUE…
sysctl_in() {
	local words=()
	while [ $# -gt 2 ]; do
		words+=("$2=$3")
		set -- "$1" "${@:4}"
	done
	in_ns "$1" sysctl -q -w "${words[@]}"
}

ns_inode() {
	stat -L -c %i "/run/netns/$(ns "$1")"
}

# Every process in a namespace of ours is ours.
end_ns() {
	local pid
	for pid in $(ip netns pids "$1"); do
		kill -KILL "$pid"
	done
	ip netns del "$1"
}

new_ns() {
	local name
	for name in "$@"; do
		ip netns add "$(ns "$name")"
		cleanup end_ns "$(ns "$name")"
		[ ! -e /proc/sys/net/ipv6 ] || "quiet_family$FAMILY" "$name"
		ip_in "$name" link set lo up
	done
}

# What IPv6 sends by itself would be counted among our packets.
quiet_family4() {
	sysctl_in "$1" net.ipv6.conf.all.disable_ipv6 1 net.ipv6.conf.default.disable_ipv6 1
}

# Nobody looks for routers, and no address waits until nobody else has it: by the devices that are
# there and those that come.
quiet_family6() {
	in_ns "$1" sh -e -c 'for of in /proc/sys/net/ipv6/conf/*; do
		echo 0 >"$of/accept_ra"
		echo 0 >"$of/accept_dad"
		echo 0 >"$of/router_solicitations"
	done'
}

# speaks_inet6 NAME…: new_ns silences IPv6; from here on these speak it, but not of their own
# accord.
speaks_inet6() {
	local name
	for name in "$@"; do
		quiet_family6 "$name"
		sysctl_in "$name" net.ipv6.conf.all.disable_ipv6 0 \
			net.ipv6.conf.default.disable_ipv6 0
	done
}

# address_in NAME DEV ADDRESS: one of IPv6, usable at once.
address_in() {
	ip_in "$1" address add "$3" dev "$2" nodad
}

# link NAME DEV ADDRESS NAME DEV ADDRESS: a veth pair with both ends up.
link() {
	ip link add "$2" netns "$(ns "$1")" type veth peer name "$5" netns "$(ns "$4")"
	ip_batch "$1" "address add $3 dev $2" "link set $2 up"
	ip_batch "$4" "address add $6 dev $5" "link set $5 up"
}

# reach NAME ADDRESS [PING-OPTION…]: a new link carries packets, and each end has the other's
# hardware address.
reach() {
	in_ns "$1" ping -n -q -c 1 -w 5 -i 0.01 "${@:3}" "$2" >/dev/null
}

# The addresses below: of the net between host and what is next to it, of the one behind, and one
# that nobody has.
# shellcheck disable=SC2034 # scripts use them
if [ "$FAMILY" = 6 ]; then
	HOST=2001:db8:1::2 NEXT=2001:db8:1::1 BEHIND=2001:db8:2::1 PEER=2001:db8:2::9
	ANYWHERE=2001:db8:9::7 ON_LINK="/64 nodad" FORWARDING=net.ipv6.conf.all.forwarding
else
	HOST=192.0.2.2 NEXT=192.0.2.1 BEHIND=198.51.100.1 PEER=198.51.100.9
	ANYWHERE=203.0.113.7 ON_LINK=/24 FORWARDING=net.ipv4.ip_forward
fi

# host $HOST eth0 — eth0 $NEXT peer
two_ns() {
	new_ns host peer
	link host eth0 "$HOST$ON_LINK" peer eth0 "$NEXT$ON_LINK"
	reach host "$NEXT"
}

# host $HOST eth0 — eth0 $NEXT router $BEHIND eth1 — eth0 $PEER peer
three_ns() {
	new_ns host router peer
	link host eth0 "$HOST$ON_LINK" router eth0 "$NEXT$ON_LINK"
	link router eth1 "$BEHIND$ON_LINK" peer eth0 "$PEER$ON_LINK"
	sysctl_in router "$FORWARDING" 1
	ip_in host route add default via "$NEXT"
	ip_in peer route add default via "$BEHIND"
	reach host "$NEXT"
	reach router "$PEER"
	reach host "$PEER"
}

# tx_packets NAME DEV: what a device has sent, as the kernel counts it.
tx_packets() {
	in_ns "$1" awk -v "dev=$2:" '$1 == dev { print $11; found = 1 } END { exit !found }' \
		/proc/net/dev
}

# route_get NAME ARG…: "DEV TABLE" of the kernel's own answer.
route_get() {
	local answer table=main
	answer=$(ip_in "$1" -j route get "${@:2}")
	[[ ! $answer =~ '"table":"'([^\"]*)'"' ]] || table=${BASH_REMATCH[1]}
	[[ $answer =~ '"dev":"'([^\"]*)'"' ]] || fail "no device in '$answer'"
	echo "${BASH_REMATCH[1]} $table"
}

# --- traces ------------------------------------------------------------------------------------

# check_schema FILE [--partial]: every line is what the documented schema says.
check_schema() {
	[ -x "$SCHEMA_CHECK" ] || fail "$SCHEMA_CHECK is missing"
	"$SCHEMA_CHECK" "${@:2}" <"$1" >"$WORK/schema.log" 2>&1 ||
		fail "schema: $(head -n 3 "$WORK/schema.log" | tr '\n' ' ')"
}

# check_complete FILE: the trace is whole. However long it is, jq reads three lines.
check_complete() {
	local wrong
	wrong=$(awk 'NR == 1
		/^\{"type":"lookup"/ { lookups++ }
		END { print; print lookups + 0 }' "$1" |
		jq -nr "$JQ_WORDS [inputs] | incomplete(.[0]; .[-2]; .[-1])" 2>&1) ||
		fail "no JSON: $wrong"
	[ -z "$wrong" ] || fail "$wrong"
}

# check_trace EXPRESSION WANT…: $WORK/trace is whole, says what the schema says, and answers as
# expected; in one reading.
check_trace() {
	check_schema "$WORK/trace"
	judge "$WORK/trace" 'incomplete($lines[0]; $summary; $lookups | length)' "$@"
}

# check_counts_line FILE: the counts stand on stderr too.
check_counts_line() {
	local word want='^fibtrace:'
	for word in seen shown filtered lost unfinished; do
		want+=" [0-9]+ $word,?"
	done
	grep -E -q "$want" "$1" || fail "no counts on stderr: $(tail -n 1 "$1")"
}

# recording: the options that have a trace recorded besides: what is read of that is what was shown.
# BOTH_WAYS=no leaves it out.
recording() {
	[ "${BOTH_WAYS:-}" = no ] || printf '%s\n' -w "$WORK/recorded"
}

# display_words ARG…: those of them that say how lookups are shown.
display_words() {
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		case $1 in
		--format | --color) echo "$1" && echo "$2" && shift ;;
		--format=* | --color=* | --utc | -v) echo "$1" ;;
		esac
		shift
	done
}

# read_as_shown FILE ARG…: the recording of the trace that showed FILE, read with the same
# options, is the same, byte for byte. A trace that failed has no end.
read_as_shown() {
	local words
	[ -e "$WORK/recorded" ] && [ -f "$1" ] || return 0
	mapfile -t words < <(display_words "${@:2}")
	"$FIBTRACE" read "${words[@]}" "$WORK/recorded" >"$WORK/read" 2>"$WORK/read.err" ||
		fail "the recording is not read: $(grep -v ' seen, ' "$WORK/read.err" | tail -n 1)"
	cmp -s "$1" "$WORK/read" ||
		fail "what is read is not what was shown: $(diff "$1" "$WORK/read" | head -n 4)"
	rm "$WORK/recorded"
}

# run_trace NAME ARG…: fibtrace in a namespace until its COMMAND ends, into $WORK/trace; its exit
# status is left in $status. What it wrote is for check_trace to check.
run_trace() {
	local record
	mapfile -t record < <(recording)
	status=0
	in_ns "$1" timeout -k 5 "$TRACE_LIMIT_S" "$FIBTRACE" --format json "${record[@]}" "${@:2}" \
		>"$WORK/trace" 2>"$WORK/trace.err" || status=$?
	[ "$status" -lt 124 ] || [ "$status" -gt 125 ] ||
		fail "fibtrace: $status: $(tail -n 1 "$WORK/trace.err")"
	! tail -n 1 "$WORK/trace" | grep -q '"type":"summary"' ||
		read_as_shown "$WORK/trace" --format json
}

# trace_json NAME ARG…: a trace that is whole.
trace_json() {
	run_trace "$@"
	check_complete "$WORK/trace"
	check_schema "$WORK/trace"
}

# summary FILE EXPRESSION on the last line.
summary() {
	tail -n 1 "$1" | jq -c "$2"
}

# attach NAME FILE ARG…: starts fibtrace and returns when it is tracing. Its pid is $fibtrace_pid;
# what it says goes through $fibtrace_err into FILE.err.
attach() {
	local fifo=$WORK/stderr.$RANDOM line
	mapfile -t attach_record < <(recording)
	attach_words=("$2" -v "${@:3}")
	# Recorded, lookups are shown only in the format that is asked for.
	[ ${#attach_record[@]} -eq 0 ] || [[ " ${*:3} " == *" --format"* ]] ||
		attach_record+=(--format line)
	mkfifo "$fifo"
	nsenter --net="/run/netns/$(ns "$1")" -- env --default-signal=INT,PIPE \
		"$FIBTRACE" -v "${attach_record[@]}" "${@:3}" >"$2" 2>"$fifo" &
	fibtrace_pid=$!
	fibtrace_err_file=$2.err
	cleanup kill -KILL "$fibtrace_pid"
	exec {fibtrace_err}<"$fifo"
	while read -r -t 60 -u "$fibtrace_err" line; do
		echo "$line" >>"$fibtrace_err_file"
		[[ $line != "fibtrace: ready"* ]] || return 0
	done
	fail "fibtrace did not become ready: $(tail -n 1 "$fibtrace_err_file")"
}

# The end of its stderr is the end of fibtrace: that needs no polling and is bounded. $status is
# its exit status.
await_end() {
	local line result=0
	while read -r -t 60 -u "$fibtrace_err" line || { result=$? && false; }; do
		echo "$line" >>"$fibtrace_err_file"
	done
	[ "$result" -le 128 ] || fail "fibtrace did not end within 60 s"
	status=0
	wait "$fibtrace_pid" || status=$?
	[ "$status" -ne 0 ] || read_as_shown "${attach_words[@]}"
}

# detach SIGNAL
detach() {
	kill -"$1" "$fibtrace_pid"
	await_end
}

# await_line FILE PATTERN: bounded wait until a file that is being written has such a line.
await_line() {
	timeout 20 tail -n +1 -f "$1" 2>/dev/null | grep -m 1 -q -e "$2" || fail "no line '$2' in $1"
}

# await_file FILE: bounded wait until there is one.
await_file() {
	timeout 20 sh -c 'until [ -e "$0" ]; do sleep 0.01; done' "$1" || fail "there is no $1"
}

# read_fifo FIFO: its next line; bounded wait, also for who opens it.
read_fifo() {
	local fifo line
	exec {fifo}<>"$1"
	read -r -t 20 -u "$fifo" line || fail "nothing is written into $1"
	exec {fifo}>&-
	echo "$line"
}

# await_program PID NAME: bounded wait until the process runs that program.
await_program() {
	timeout 20 sh -c 'until [ "$(cat "/proc/$0/comm")" = "$1" ]; do sleep 0.01; done' "$1" "$2" ||
		fail "process $1 does not run $2"
}

# --- assertions --------------------------------------------------------------------------------

JQ_WORDS='
def field(x): x | if . == null then "-" else tostring end;
def facts: [.purpose, .cause, .context, field(.verdict.error), field(.verdict.type),
	field(.verdict.priority), field(.verdict.table_id), field(.verdict.dev),
	.verdict.decided_by] | join(" ");
def facts_of(selection): map(select(selection)) | first |
	if . == null then "no such lookup" else facts end;
def is_icmp: .flow.protocol == "icmp" or .flow.protocol == "ipv6-icmp";
def icmp: select(is_icmp);
def udp: select(.flow.protocol == "udp");
def step(priority): .steps | map(select(.priority == priority)) | first;

# What is wrong with a trace: start first, summary last, and counts that add up.
def incomplete(first; last; lookups):
	if ((first | .type?) // "") != "start" then "the first line is no start"
	elif ((last | .type?) // "") != "summary" then "the last line is no summary"
	elif (last | .seen != .shown + .filtered + .lost + .unfinished) then
		"the counts do not add up: \(last)"
	elif last.shown != lookups then "shown is not the number of lookups written"
	else empty end;

# What is wrong with the answer to a question.
def differs(question; want; answer):
	(try ([answer | if type == "string" then . else tojson end] | join("\n"))
		catch "jq: \(.)") as $got |
	if $got == want then empty
	else "\(question) is \u0027\($got)\u0027, not \u0027\(want)\u0027" end;
'

# ask FILE EXPRESSION: jq on the array of a trace's lookups.
ask() {
	jq -nr "$JQ_WORDS [inputs | select(.type == \"lookup\")] | $2" "$1"
}

# judge FILE CHECK EXPRESSION WANT…: fails with the first thing that is wrong. The expressions are
# of jq, on the array of a trace's lookups; $summary is its last line. What $ABOUT says stands in
# front of the message.
judge() {
	local file=$1 program=$2 names=() wrong i
	shift 2
	[ $(($# % 2)) = 0 ] || fail "no answer is wanted to '${!#}'"
	for ((i = 1; $# > 0; i++)); do
		program+=", (\$lookups | differs(\$question$i; \$want$i; $1))"
		names+=(--arg "question$i" "$1" --arg "want$i" "$2")
		shift 2
	done
	wrong=$(jq -nr "$JQ_WORDS"'[inputs] as $lines | $lines[-1] as $summary |
		[$lines[] | select(.type == "lookup")] as $lookups | ['"$program"'] | .[0] // empty' \
		"${names[@]}" "$file" 2>&1) || fail "${ABOUT:-}jq: $wrong"
	[ -z "$wrong" ] || fail "${ABOUT:-}$wrong"
}

# expect EXPRESSION WANT… on $WORK/trace.
expect() {
	judge "$WORK/trace" empty "$@"
}

# expect_facts SELECTION WANT: "purpose cause context error type priority table dev decided_by"
# of the first lookup that is selected.
expect_facts() {
	expect "facts_of($1)" "$2"
}

# The tier of the trace in $WORK/trace.
tier() {
	head -n 1 "$WORK/trace" | jq -r .tier
}

# errno_name: of the complaint of ip(8) on stdin.
errno_name() {
	local text
	text=$(cat)
	case "$text" in
	*'No route to host'*) echo EHOSTUNREACH ;;
	*'Network is unreachable'*) echo ENETUNREACH ;;
	*'Permission denied'*) echo EACCES ;;
	*'Invalid argument'*) echo EINVAL ;;
	*'Invalid cross-device link'*) echo EXDEV ;;
	*) fail "ip(8) says: $text" ;;
	esac
}

same() {
	[ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"
}

enter_private_mounts "$@"
mount_private_dirs
