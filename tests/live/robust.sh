#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of what happens when something is missing, ends too early or is taken away.

. "$(dirname "$0")/lib.sh"

lines() {
	wc -l <"$1"
}

# A moment's wait; only where the kernel or a signal takes its own time.
pause() {
	[ -p "$WORK/never" ] || mkfifo "$WORK/never"
	read -r -t 0.1 <>"$WORK/never" || true
}

# eventually COMMAND ARG…: within 5 s, for what the kernel frees in its own time.
eventually() {
	local try
	for ((try = 0; try < 50; try++)); do
		"$@" && return 0
		pause
	done
	fail "not within 5 s: $*"
}

without() {
	! "$@" >/dev/null 2>&1
}

# quiet_error STATUS WORD: the trace said one line, which has WORD in it, and ended so.
quiet_error() {
	same "the exit status" "$status" "$1"
	same "the lines on stderr: '$(cat "$WORK/err")'" "$(lines "$WORK/err")" 1
	grep -q -i -w -F -e "$2" "$WORK/err" || fail "nothing of '$2' in '$(cat "$WORK/err")'"
}

# --- privileges --------------------------------------------------------------------------------

# as_user CAPABILITIES ARG…: fibtrace as a user with these (+bpf,+perfmon) and no others; into
# $WORK/trace and $WORK/err.
as_user() {
	install -m 755 "$FIBTRACE" "$WORK/fibtrace"
	install -m 755 "$SEND" "$WORK/send"
	status=0
	in_ns host timeout -k 5 "$TRACE_LIMIT_S" setpriv --reuid 65534 --regid 65534 \
		--clear-groups --inh-caps="-all$1" --ambient-caps="-all$1" \
		"$WORK/fibtrace" "${@:2}" >"$WORK/trace" 2>"$WORK/err" || status=$?
}

# needed: what a trace of one's own namespace takes.
needed() {
	printf ,+bpf,+perfmon
	[ "${FIBTRACE_ATTACH:-}" != kprobe ] || printf ,+sys_admin
	! counts_locked_memory || printf ,+sys_resource
}

root_without_sys_resource_traces() {
	two_ns
	status=0
	in_ns host setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource \
		sh -c 'ulimit -l 64; exec "$@"' sh "$FIBTRACE" --format json -d 192.0.2.1 -- \
		"$SEND" udp 192.0.2.1 4000 >"$WORK/trace" 2>"$WORK/err" || status=$?
	if counts_locked_memory; then
		quiet_error 125 CAP_SYS_RESOURCE
		return
	fi
	same "the exit status" "$status" 0
	expect length 1
}

few_capabilities_trace_ones_own_namespace() {
	two_ns
	as_user "$(needed)" --format json -d 192.0.2.1 -- \
		"$WORK/send" udp 192.0.2.1 4000
	[ "$status" = 0 ] || fail "$status: $(cat "$WORK/err")"
	check_complete "$WORK/trace"
	check_schema "$WORK/trace"
	expect 'map("\(.flow.dst) \(.verdict.dev) \(.process.uid)") | join(",")' \
		"192.0.2.1 eth0 65534"
}

missing_capability_is_one_line() {
	new_ns host
	as_user ''
	quiet_error 1 CAP_BPF
	as_user ,+perfmon
	quiet_error 1 CAP_BPF
	as_user ,+bpf
	quiet_error 1 CAP_PERFMON
}

namespace_of_others_is_refused_in_one_line() {
	new_ns host peer
	as_user ,+bpf,+perfmon --netns "$(ns peer)"
	quiet_error 1 CAP_SYS_ADMIN
}

status_field() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# kept ARG…: after attaching the process has the capabilities that -v lists, and no others.
kept() {
	local said
	attach host "$WORK/trace" --format json "$@"
	same NoNewPrivs "$(status_field "$fibtrace_pid" NoNewPrivs)" 1
	same Seccomp "$(status_field "$fibtrace_pid" Seccomp)" 2
	said=$(sed -n 's/^fibtrace: capabilities kept: //p' "$WORK/trace.err" |
		tr 'A-Z ' 'a-z\n' | sort)
	for set in CapEff CapPrm; do
		same "$set" "$(capsh --decode="$(status_field "$fibtrace_pid" "$set")" |
			sed 's/.*=//' | tr , '\n' | sort)" "$said"
	done
	same CapInh "$(status_field "$fibtrace_pid" CapInh)" 0000000000000000
	same CapAmb "$(status_field "$fibtrace_pid" CapAmb)" 0000000000000000
	detach INT
	same "the exit status" "$status" 0
}

privileges_are_dropped_after_attaching() {
	need_tool capsh
	new_ns host
	kept
	same "kept" "$(sed -n 's/.*kept: //p' "$WORK/trace.err")" CAP_BPF
}

netns_all_keeps_what_setns_takes() {
	need_tool capsh
	new_ns host
	kept --netns all
}

# COMMAND meets the signals it would meet without us: none blocked or ignored.
command_has_its_own_signals() {
	new_ns host
	in_ns host grep -E '^Sig(Blk|Ign|Cgt):' /proc/self/status >"$WORK/want"
	in_ns host timeout "$TRACE_LIMIT_S" "$FIBTRACE" -q -- \
		grep -E '^Sig(Blk|Ign|Cgt):' /proc/self/status >"$WORK/out" 2>"$WORK/got"
	same "COMMAND's signals" "$(cat "$WORK/got")" "$(cat "$WORK/want")"
}

ignored_sigchld_loses_no_status() {
	new_ns host
	status=0
	in_ns host timeout "$TRACE_LIMIT_S" env --ignore-signal=CHLD "$FIBTRACE" -q -- \
		sh -c 'exit 42' || status=$?
	same "the exit status" "$status" 42
}

# --- standard output ---------------------------------------------------------------------------

closed_pipe_ends_the_trace_quietly() {
	two_ns
	mkfifo "$WORK/pipe"
	head -n 1 <"$WORK/pipe" >"$WORK/head" &
	local head=$!
	attach host "$WORK/pipe" --format line -d 192.0.2.1
	in_ns host "$SEND" udp 192.0.2.1 4000
	wait "$head"
	in_ns host "$SEND" udp 192.0.2.1 4000
	await_end
	same "the exit status" "$status" 0
	same "the lines written" "$(lines "$WORK/head")" 1
	check_counts_line "$WORK/pipe.err"
	! grep -E -q 'warning|cannot|ipe' "$WORK/pipe.err" || fail "$(cat "$WORK/pipe.err")"
}

# run_to FILE ARG…
run_to() {
	status=0
	in_ns host timeout -k 5 "$TRACE_LIMIT_S" "$FIBTRACE" "${@:2}" >"$1" 2>"$WORK/err" ||
		status=$?
}

full_disk_is_one_line() {
	two_ns
	run_to /dev/full --format json --duration 10s
	quiet_error 1 space
	run_to /dev/full --format line -d 192.0.2.1 -- "$SEND" udp 192.0.2.1 4000
	quiet_error 125 space
}

# A descriptor of ours in its place would get the output.
missing_stdout_is_one_line() {
	new_ns host
	status=0
	in_ns host timeout "$TRACE_LIMIT_S" sh -c 'exec "$@" >&-' sh "$FIBTRACE" --format json \
		--duration 10s 2>"$WORK/err" || status=$?
	quiet_error 1 descriptor
}

# --- signals -----------------------------------------------------------------------------------

each_signal_ends_the_trace() {
	local signal
	two_ns
	for signal in INT TERM HUP; do
		# Of a recording a hangup is no end, see record.sh.
		[ "$signal" != HUP ] || local BOTH_WAYS=no
		attach host "$WORK/trace" --format json -d 192.0.2.1
		in_ns host "$SEND" udp 192.0.2.1 4000
		detach "$signal"
		same "the exit status after $signal" "$status" 0
		check_complete "$WORK/trace"
		expect length 1
	done
}

# Its reader stands still: one signal cannot end it cleanly, a further one ends it at once.
signals_end_a_trace_that_cannot_write() {
	local try
	two_ns
	mkfifo "$WORK/pipe"
	exec {held}<>"$WORK/pipe"
	attach host "$WORK/pipe" --format json -d 192.0.2.1
	in_ns host "$SEND" --count 400 udp 192.0.2.1 4000
	for ((try = 0; try < 50; try++)); do
		kill -TERM "$fibtrace_pid" 2>/dev/null || break
		pause
	done
	await_end
	exec {held}<&-
	same "the exit status" "$status" 143
}

# with_sleep ARG…: a trace of a COMMAND that leaves all signals as they are; $command_pid.
with_sleep() {
	mkfifo "$WORK/pid"
	attach host "$WORK/trace" --format json "$@" -- \
		sh -c 'echo $$ >"$0"; exec sleep 40' "$WORK/pid"
	command_pid=$(read_fifo "$WORK/pid")
	eventually grep -q -x sleep "/proc/$command_pid/comm"
}

# passed_on SIGNAL STATUS
passed_on() {
	with_sleep
	detach "$1"
	same "the exit status after $1" "$status" "$2"
	check_complete "$WORK/trace"
	without kill -0 "$command_pid" || fail "COMMAND outlived it"
}

sigterm_is_passed_on() { two_ns && passed_on TERM 143; }
sighup_is_passed_on() { two_ns && passed_on HUP 129; }

# The trace has ended, COMMAND has not.
sigterm_is_passed_on_after_the_trace() {
	two_ns
	with_sleep --duration 200ms
	eventually grep -q '"type":"summary"' "$WORK/trace"
	detach TERM
	same "the exit status" "$status" 143
}

# A terminal gives it to COMMAND too: COMMAND decides, and we wait.
sigint_is_left_to_command() {
	two_ns
	with_sleep
	kill -INT "$fibtrace_pid"
	in_ns host "$SEND" udp 192.0.2.1 4000
	kill -INT "$fibtrace_pid"
	eventually grep -q '"dst":"192.0.2.1"' "$WORK/trace"
	kill -INT "$fibtrace_pid"
	kill -0 "$command_pid" || fail "COMMAND ended"
	kill -INT "$command_pid"
	await_end
	same "the exit status" "$status" 130
	check_complete "$WORK/trace"
}

# --- what is left behind, and what goes away ---------------------------------------------------

# held KEY: the kernel's ids of what the process holds, as its fdinfo tells.
held() {
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$fibtrace_pid"/fdinfo/* 2>/dev/null | sort -u
}

sigkill_leaves_nothing() {
	local programs links id
	need_tool bpftool
	new_ns host
	attach host "$WORK/trace" --format json
	programs=$(held prog_id)
	links=$(held link_id)
	[ -n "$programs" ] || fail "it holds no programs"
	for id in $programs; do
		bpftool prog show id "$id" >/dev/null
	done
	detach KILL
	same "the exit status" "$status" 137
	for id in $programs; do
		eventually without bpftool prog show id "$id"
	done
	for id in $links; do
		eventually without bpftool link show id "$id"
	done
}

# await_said PATTERN: fibtrace says such a line within 5 s.
await_said() {
	local line
	while read -r -t 5 -u "$fibtrace_err" line; do
		echo "$line" >>"$fibtrace_err_file"
		[[ ! $line =~ $1 ]] || return 0
	done
	fail "fibtrace did not say '$1' within 5 s"
}

# Our sockets must not keep it, and the devices in it, alive.
deleted_namespace_is_reported_and_released() {
	new_ns left right
	link left eth0 192.0.2.2/24 right eth0 192.0.2.1/24
	attach left "$WORK/trace" --format line --netns "$(ns left)" --netns "$(ns right)" \
		-d 203.0.113.0/24
	ip netns del "$(ns right)"
	await_said "$(ns right).*gone"
	eventually without ip_in left link show eth0
	in_ns left "$SEND" udp 203.0.113.1 4000
	detach INT
	same "the exit status" "$status" 0
	grep -q 'dst=203.0.113.1 .*err=ENETUNREACH' "$WORK/trace" || fail "$(cat "$WORK/trace")"
}

# It has no name: the process that is in it keeps it, though we may not look any more.
unnamed_namespace_is_traced_on() {
	local holder line
	new_ns host
	mkfifo "$WORK/hold"
	unshare --net cat "$WORK/hold" &
	holder=$!
	cleanup kill -KILL "$holder"
	await_program "$holder" cat # which runs there
	exec {hold}<>"$WORK/hold"
	# Without an address the kernel has no table to ask.
	nsenter --net="/proc/$holder/ns/net" -- ip link set lo up
	attach host "$WORK/trace" --format json --netns "$holder" -d 203.0.113.0/24
	! read -r -t 1.5 -u "$fibtrace_err" line || fail "it says '$line'"
	nsenter --net="/proc/$holder/ns/net" -- "$SEND" udp 203.0.113.1 4000
	detach INT
	exec {hold}>&-
	expect 'map("\(.flow.dst) \(.verdict.error)") | join(",")' "203.0.113.1 ENETUNREACH"
}

# --- limits and the machine --------------------------------------------------------------------

# main holds more than is read; what the kernel's answers tell is told.
table_over_max_routes_is_explained() {
	local i length=null
	two_ns
	for ((i = 1; i <= 50; i++)); do
		echo "route add 203.0.113.$i via 192.0.2.1"
	done >"$WORK/routes"
	ip_in host -batch "$WORK/routes"
	ip_in host route add default via 192.0.2.1 table 77
	ip_in host rule add pref 100 lookup main suppress_prefixlength 0
	ip_in host rule add pref 101 lookup 77
	trace_json host --max-routes 10 -d 203.0.113.0/24 -- sh -c \
		"$SEND udp 203.0.113.7 4000; $SEND udp 203.0.113.200 4000"
	same "the exit status" "$status" 0
	expect 'map(.flow.dst) | sort | join(",")' 203.0.113.200,203.0.113.7
	expect 'map(.verdict.dev) | join(",")' eth0,eth0
	expect_facts '.flow.dst == "203.0.113.200"' "output send task - unicast 101 77 eth0 rule"
	# By the policy no prefix is known; the exact tiers have the kernel's own.
	[ "$(tier)" = tracepoint ] || length=32
	expect 'map(select(.flow.dst == "203.0.113.7")) | first | .verdict.prefixlen' "$length"
}

nothing_of_boot_is_read() {
	need_tool strace
	two_ns
	in_ns host timeout "$TRACE_LIMIT_S" strace -f -o "$WORK/calls" -e trace=%file \
		"$FIBTRACE" --format json --duration 100ms >"$WORK/trace" 2>"$WORK/err"
	grep -q /sys/kernel/btf "$WORK/calls" || fail "no file is seen to be opened"
	! grep -F '"/boot' "$WORK/calls" || fail "it looks into /boot"
}

# no_btf ARG…
no_btf() {
	status=0
	in_ns host unshare --mount --propagation private -- sh -c \
		'mount -t tmpfs tmpfs /sys/kernel/btf && exec "$@"' sh \
		"$FIBTRACE" "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
}

no_btf_is_one_line() {
	[ -d /sys/kernel/btf ] || skip "this kernel has no BTF to hide"
	new_ns host
	no_btf --duration 10s
	quiet_error 1 BTF
	same "bytes on stdout" "$(wc -c <"$WORK/out")" 0
	no_btf features
	same "the exit status of features" "$status" 1
	grep -q BTF "$WORK/out" || fail "features: $(cat "$WORK/out")"
}

features_is_0_where_a_tier_loads() {
	new_ns host
	run_to "$WORK/out" features
	same "the exit status" "$status" 0
	grep -q '^tracepoint: loads' "$WORK/out" || fail "$(cat "$WORK/out")"
}

features_is_1_without_privileges() {
	new_ns host
	as_user '' features
	same "the exit status" "$status" 1
	grep -q CAP_BPF "$WORK/trace" || fail "$(cat "$WORK/trace")"
}

require setpriv mkfifo "$SEND"
run_tests \
	root_without_sys_resource_traces few_capabilities_trace_ones_own_namespace \
	missing_capability_is_one_line namespace_of_others_is_refused_in_one_line \
	privileges_are_dropped_after_attaching netns_all_keeps_what_setns_takes \
	command_has_its_own_signals ignored_sigchld_loses_no_status \
	closed_pipe_ends_the_trace_quietly full_disk_is_one_line missing_stdout_is_one_line \
	each_signal_ends_the_trace signals_end_a_trace_that_cannot_write \
	sigterm_is_passed_on sighup_is_passed_on sigterm_is_passed_on_after_the_trace \
	sigint_is_left_to_command \
	sigkill_leaves_nothing deleted_namespace_is_reported_and_released \
	unnamed_namespace_is_traced_on \
	table_over_max_routes_is_explained nothing_of_boot_is_read no_btf_is_one_line \
	features_is_0_where_a_tier_loads features_is_1_without_privileges
