#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A user without root's powers traces the namespace that the process is in: what each tier takes,
# and what is said when it is not there.

. "$(dirname "$0")/../live/lib.sh"

read -r -a TIERS <<<"$TIERS"
PARANOID=/proc/sys/kernel/perf_event_paranoid

# as_user CAPABILITIES ARG…: fibtrace as nobody with these ("bpf perfmon") and no others.
as_user() {
	local set words
	read -r -a words <<<"$1"
	set=-all$(printf ',+%s' "${words[@]}")
	install -m 755 "$FIBTRACE" "$WORK/fibtrace"
	status=0
	in_ns host timeout -k 5 "$TRACE_LIMIT_S" setpriv --reuid 65534 --regid 65534 \
		--clear-groups --inh-caps="$set" --ambient-caps="$set" \
		"$WORK/fibtrace" "${@:2}" >"$WORK/trace" 2>"$WORK/trace.err" || status=$?
}

# enough TIER CAPABILITIES
enough() {
	as_user "$2" --attach "$1" --format json -d 192.0.2.1 -- \
		bash -c 'echo >/dev/udp/192.0.2.1/9'
	[ "$status" = 0 ] || fail "$2: status $status: $(cat "$WORK/trace.err")"
	check_complete "$WORK/trace"
	same "the tier" "$(head -n 1 "$WORK/trace" | jq -r .tier)" "$1"
	expect 'map("\(.verdict.dev) \(.process.uid) \(.context)") | unique | join(",")' \
		"eth0 65534 task"
}

# lacking NAME TIER CAPABILITIES: without it one line says that it is missing.
lacking() {
	as_user "$3" --attach "$2" --duration 1ms
	same "the exit status with $3" "$status" 1
	same "the lines on stderr: '$(cat "$WORK/trace.err")'" "$(wc -l <"$WORK/trace.err")" 1
	grep -q -w "$1" "$WORK/trace.err" ||
		fail "with $3 nothing of $1 in '$(cat "$WORK/trace.err")'"
}

# The memory of maps counted against a limit before 5.11: what takes it is said there.
memory() {
	as_user "bpf perfmon" --attach tracepoint --duration 1ms
	[ "$status" = 0 ] || { grep -q -w CAP_SYS_RESOURCE "$WORK/trace.err" && echo sys_resource; }
}

# Debian's kernels let CAP_PERFMON alone open no kprobe.
perf_events_are_root_s() {
	[ "$(cat "$PARANOID")" -ge 3 ]
}

# Older trampolines carry six arguments at most: one hook of the fentry tier has to be a kprobe.
trampolines_are_short() {
	[ "$(printf '%s\n' 6.6 "$(uname -r)" | sort -V | tail -n 1)" = 6.6 ]
}

# opens_kprobes TIER: and what comes of it without CAP_SYS_ADMIN; the fentry tier may do without.
opens_kprobes() {
	perf_events_are_root_s || return 1
	[ "$1" != kprobe ] || return 0
	[ "$1" = fentry ] && trampolines_are_short && ! as_user_traces fentry
}

as_user_traces() {
	as_user "bpf perfmon $more" --attach "$1" --duration 1ms
	[ "$status" = 0 ]
}

two_capabilities_and_what_else() { # TIER
	local more
	two_ns
	more=$(memory)
	lacking CAP_BPF "$1" "perfmon $more"
	lacking CAP_PERFMON "$1" "bpf $more"
	if opens_kprobes "$1"; then
		lacking CAP_SYS_ADMIN "$1" "bpf perfmon $more"
		more+=" sys_admin"
	fi
	enough "$1" "bpf perfmon $more"
	echo "# $1: bpf perfmon $more"
}

tests=()
for tier in "${TIERS[@]}"; do
	eval "${tier}_tier_takes_few_capabilities() { two_capabilities_and_what_else $tier; }"
	tests+=("${tier}_tier_takes_few_capabilities")
done
run_tests "${tests[@]}"
