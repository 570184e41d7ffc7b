#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of the command line and of how fibtrace ends.

# An emulated machine takes seconds to attach. The kit hides what tells that.
[ ! -e /run/vm/command ] || export EMULATED=1
end_s=5
[ -z "${EMULATED:-}" ] || end_s=30
. "$(dirname "$0")/lib.sh"

# run ARG…: fibtrace in host; stdout in $WORK/out, stderr in $WORK/err, $status its exit status.
run() {
	status=0
	in_ns host timeout -k 5 "$TRACE_LIMIT_S" "$FIBTRACE" "$@" \
		>"$WORK/out" 2>"$WORK/err" </dev/null || status=$?
}

lines() {
	wc -l <"$1"
}

# refused NAME ARG…: a usage error is exit status 2 and one line, which has NAME in it.
refused() {
	run "${@:2}"
	same "'fibtrace ${*:2}': exit status" "$status" 2
	same "'fibtrace ${*:2}': lines on stderr" "$(lines "$WORK/err")" 1
	same "'fibtrace ${*:2}': bytes on stdout" "$(wc -c <"$WORK/out")" 0
	grep -q -F -e "$1" "$WORK/err" ||
		fail "'fibtrace ${*:2}' says '$(cat "$WORK/err")', nothing of '$1'"
}

unknown_words_are_refused() {
	new_ns host
	refused --bogus --bogus
	refused Z -Z
	refused bogus bogus
	refused -- --
	refused --show --show
}

malformed_prefixes_are_refused() {
	local value
	new_ns host
	for value in 300.1.1.1 10.0.0.0/33 10.0.0.0/-1 10.0.0.0/ 10.0.0/8x x '' 1.2.3.4.5; do
		refused --dst -d "$value"
		refused --src --src "$value"
	done
	refused --dst -d
}

malformed_marks_are_refused() {
	local value
	new_ns host
	for value in x 0x 0x1ffffffff 4294967296 -1 1/ /1 1/x 1/0x1ffffffff '' '1 '; do
		refused --mark -m "$value"
	done
}

malformed_ports_are_refused() {
	local value
	new_ns host
	for value in x 65536 -1 5-4 5- -5 1-65536 '' 0x; do
		refused --sport "--sport=$value"
		refused --dport "--dport=$value"
	done
}

malformed_numbers_are_refused() {
	local value
	new_ns host
	for value in x -1 '' 5x 99999999999999999999; do
		refused -c "-c$value" -q
		refused --pid "--pid=$value"
		refused --pref "--pref=$value"
		refused --max-routes "--max-routes=$value"
	done
	refused --pref --pref 4294967296
}

malformed_durations_are_refused() {
	local value
	new_ns host
	for value in x 5x -1 '' 5sec 99999999999999999999 1.5.5; do
		refused --duration "--duration=$value"
	done
	for value in x -1 '' 5q 99999999999999999999; do
		refused --buffer "--buffer=$value"
	done
}

unknown_names_are_refused() {
	new_ns host
	refused --table --table nosuchtable
	refused --proto -P nosuchproto
	refused --proto -P 256
	refused --uid -u nosuchuser.
	refused --purpose --purpose nosuchpurpose
	refused --purpose --purpose output,,input
	refused --format --format xml
	refused --color --color maybe
	refused --attach --attach nosuchtier
	refused --iif -i name-longer-than-any
	refused --oif -o 'a/b'
}

malformed_ipv6_is_refused() {
	new_ns host
	refused --dst -d 2001:db8::/129
	refused --src -s ::g
	refused --src -s 1:2:3
}

command_not_found_is_127() {
	new_ns host
	run -- ./no-such-command
	same "the exit status" "$status" 127
	grep -q no-such-command "$WORK/err" || fail "stderr does not name it"
}

command_not_executable_is_126() {
	new_ns host
	echo data >"$WORK/data"
	run -- "$WORK/data"
	same "the exit status" "$status" 126
}

exit_status_of_command_is_passed_on() {
	new_ns host
	run -- true
	same "true" "$status" 0
	run -- sh -c 'exit 42'
	same "exit 42" "$status" 42
}

signal_that_ends_command_is_128_and_its_number() {
	new_ns host
	run -- sh -c 'kill -TERM $$'
	same "SIGTERM" "$status" 143
	run -- sh -c 'kill -KILL $$'
	same "SIGKILL" "$status" 137
}

# as_without_us COMMAND ARG…: what it says of itself is the same under fibtrace.
as_without_us() {
	local want
	want=$(in_ns host timeout "$TRACE_LIMIT_S" "$@" 2>/dev/null </dev/null)
	run -- "$@"
	same "the exit status" "$status" 0
	same "what COMMAND has" "$(grep -v '^fibtrace: ' "$WORK/err")" "$want"
}

# No filter of ours, not no_new_privs, the caller's capabilities and signals.
command_has_the_callers_privileges() {
	new_ns host
	as_without_us grep -E '^(NoNewPrivs|Seccomp|Cap.*|SigBlk|SigIgn):' /proc/self/status
}

command_has_the_callers_descriptors() {
	new_ns host
	as_without_us ls /proc/self/fd
}

command_writes_to_our_stderr() {
	new_ns host
	run --format json -- echo hello
	same "the exit status" "$status" 0
	grep -q -x hello "$WORK/err" || fail "stderr has no hello"
	check_complete "$WORK/out"
}

# without_capability LIST NAME: one line says what is missing.
without_capability() {
	status=0
	in_ns host capsh --drop="$1" -- -c '"$@"' sh "$FIBTRACE" >"$WORK/out" 2>"$WORK/err" ||
		status=$?
	same "the exit status without $1" "$status" 1
	same "the lines on stderr without $1" "$(lines "$WORK/err")" 1
	grep -E -q -i -e "$2" "$WORK/err" || fail "without $1: '$(cat "$WORK/err")'"
}

missing_capability_is_named() {
	need_tool capsh
	new_ns host
	without_capability cap_sys_admin,cap_bpf 'CAP_BPF|CAP_SYS_ADMIN'
	without_capability cap_sys_admin,cap_perfmon 'CAP_PERFMON|CAP_SYS_ADMIN'
}

not_root_is_one_line() {
	new_ns host
	install -m 755 "$FIBTRACE" "$WORK/fibtrace"
	status=0
	in_ns host setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		"$WORK/fibtrace" >"$WORK/out" 2>"$WORK/err" || status=$?
	same "the exit status" "$status" 1
	same "the lines on stderr" "$(lines "$WORK/err")" 1
	grep -q CAP_ "$WORK/err" || fail "no capability in '$(cat "$WORK/err")'"
	in_ns host setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		"$WORK/fibtrace" -- true >"$WORK/out" 2>"$WORK/err" || status=$?
	same "the exit status with COMMAND" "$status" 125
}

# No limit is raised, no file is reached by force, no process is looked into.
runs_without_capabilities_it_has_no_use_for() {
	local useless=cap_dac_override,cap_sys_ptrace
	need_tool capsh
	two_ns
	status=0
	counts_locked_memory || useless+=,cap_sys_resource
	in_ns host capsh --drop="$useless" -- -c '"$@"' sh \
		"$FIBTRACE" --format json -d 192.0.2.1 -- "$SEND" udp 192.0.2.1 4000 \
		>"$WORK/trace" 2>"$WORK/trace.err" || status=$?
	same "the exit status" "$status" 0
	expect length 1
}

count_is_exact() {
	two_ns
	run --format json -c 3 -d 192.0.2.1 -- "$SEND" --count 10 udp 192.0.2.1 4000
	same "the exit status" "$status" 0
	check_complete "$WORK/out"
	check_schema "$WORK/out"
	same "the lookups written" "$(ask "$WORK/out" length)" 3
	run --format line -c 1 -d 192.0.2.1 -- "$SEND" --count 10 udp 192.0.2.1 4000
	same "the lines" "$(lines "$WORK/out")" 1
}

duration_ends_the_trace() {
	local begin end
	two_ns
	begin=$(date +%s%N)
	run --format json --duration 300ms
	end=$(date +%s%N)
	same "the exit status" "$status" 0
	check_complete "$WORK/out"
	[ $((end - begin)) -ge 300000000 ] || fail "ended after $((end - begin)) ns"
	[ $((end - begin)) -le $((end_s * 1000000000)) ] || fail "ended after $((end - begin)) ns"
}

# COMMAND ends first, or is told to end with us.
signals_with_a_command() {
	two_ns
	mkfifo "$WORK/started" "$WORK/never"
	attach host "$WORK/trace" --format json -- \
		sh -c 'trap "exit 7" TERM; echo up >"$0"; read -r _ <"$1"' \
		"$WORK/started" "$WORK/never"
	read_fifo "$WORK/started" >/dev/null
	detach TERM
	same "the exit status" "$status" 7
	check_complete "$WORK/trace"
}

version_and_help() {
	new_ns host
	run -V
	same "the exit status of -V" "$status" 0
	grep -E -q '^fibtrace [0-9]+\.[0-9]+\.[0-9]+' "$WORK/out" || fail "-V: $(cat "$WORK/out")"
	run --version
	same "the exit status of --version" "$status" 0
	run -h
	same "the exit status of -h" "$status" 0
	same "bytes on stderr" "$(wc -c <"$WORK/err")" 0
	for option in --dst --src --proto --sport --dport --iif --mark --uid --pid --oif --table \
		--pref --failed --findings --purpose --netns --format --duration --color --attach --buffer \
		--max-routes --all --utc; do
		grep -q -e "$option" "$WORK/out" || fail "-h has no $option"
	done
	! grep -q -e --write "$WORK/out" || fail "-h has an option that is not built"
}

# The first line, one for each tier and the last are for scripts; what is between, for people.
features_lists_the_tiers() {
	local best
	new_ns host
	run features
	same "the exit status" "$status" 0
	same "the lines on stderr" "$(lines "$WORK/err")" 0
	same "the first line" "$(head -n 1 "$WORK/out")" "kernel: $(uname -r)"
	same "the tiers" "$(sed -n -E 's/^([a-z]+): (loads|refused)$/\1/p' "$WORK/out" | xargs)" \
		"fentry kprobe tracepoint"
	best=$(sed -n 's/^\([a-z]*\): loads$/\1/p' "$WORK/out" | head -n 1)
	same "the last line" "$(tail -n 1 "$WORK/out")" "--attach auto takes $best"
	same "the reasons" "$(grep -c '^  reason: .' "$WORK/out" || true)" \
		"$(grep -c '^[a-z]*: refused$' "$WORK/out" || true)"
	run --format json --duration 1ms
	same "the tier that is taken" "$(head -n 1 "$WORK/out" | jq -r .tier)" "$best"
}

features_lists_all_hooks_when_verbose() {
	local hook='^    fib_table_lookup  *tracepoint attached, required: what each table answered$'
	new_ns host
	run features
	! grep -q "$hook" "$WORK/out" || fail "what is attached is listed: $(cat "$WORK/out")"
	run features -v
	same "the exit status" "$status" 0
	grep -q "$hook" "$WORK/out" || fail "not listed: $(cat "$WORK/out")"
}

# features_ask EXPRESSION WANT on all lines of $WORK/out, as an array.
features_ask() {
	same "$1" "$(jq -s -r "$1" "$WORK/out")" "$2"
}

features_are_the_same_in_json() {
	new_ns host
	run features
	sed -n -E 's/^([a-z]+): (loads|refused)$/\1 \2/p' "$WORK/out" >"$WORK/text"
	run features --format json
	same "the exit status" "$status" 0
	check_schema "$WORK/out" --partial
	features_ask 'map(.type) | join(" ")' "features tier tier tier"
	features_ask 'first.kernel' "$(uname -r)"
	features_ask 'first.tier == (map(select(.state == "loads")) | first.name)' true
	features_ask '.[1:] | map("\(.name) \(.state)") | join("\n")' "$(cat "$WORK/text")"
	features_ask '.[1:] | all((.state == "refused") == (.reason != null))' true
	features_ask '.[1:] | all((.state == "refused") == (.hooks == []))' true
	features_ask 'map(.hooks[]? | select(.required and .state != "attached")) | length' 0
	features_ask 'map(.hooks[]?) | all((.state == "refused") == (.reason != null))' true
	# What is not seen is what refused hooks give.
	features_ask '.[1:] | all(.not_seen - [.hooks[] | select(.state == "refused") | .gives] == [])' \
		true
}

features_without_privileges_say_what_is_missing() {
	new_ns host
	install -m 755 "$FIBTRACE" "$WORK/fibtrace"
	status=0
	in_ns host setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		"$WORK/fibtrace" features --format json >"$WORK/out" 2>"$WORK/err" || status=$?
	same "the exit status" "$status" 1
	check_schema "$WORK/out" --partial
	features_ask 'first.tier' null
	features_ask '.[1:] | map(.state) | unique | join(" ")' refused
	features_ask 'last.reason' "needs CAP_BPF; run as root"
}

features_refuses_what_it_has_no_use_for() {
	new_ns host
	refused --format features --format tree
	refused --format --format line features
	refused --format features --format xml
	refused --dst features -d 10.0.0.0/8
	refused --attach features --attach tracepoint
	refused -- features -- true
}

# A tier that was asked for is used or refused, never replaced.
forced_tiers_are_used_or_refused() {
	local tier state
	new_ns host
	run features --format json
	jq -r 'select(.type == "tier") | "\(.name) \(.state)"' "$WORK/out" >"$WORK/tiers"
	cp "$WORK/out" "$WORK/features"
	while read -r tier state; do
		run --attach "$tier" --format json --duration 1ms
		if [ "$state" = loads ]; then
			same "$tier: the exit status" "$status" 0
			same "the tier" "$(head -n 1 "$WORK/out" | jq -r .tier)" "$tier"
			continue
		fi
		same "$tier: the exit status" "$status" 1
		same "$tier: the bytes on stdout" "$(wc -c <"$WORK/out")" 0
		same "$tier: stderr" "$(cat "$WORK/err")" "fibtrace: cannot trace: $(
			jq -r --arg tier "$tier" 'select(.name == $tier) | .reason' "$WORK/features"
		)"
		# As root, what there is to do is not to force it.
		grep -q -e '--attach auto' "$WORK/err" || fail "no advice: '$(cat "$WORK/err")'"
	done <"$WORK/tiers"
}

full_stdout_is_an_error() {
	two_ns
	status=0
	in_ns host timeout "$TRACE_LIMIT_S" "$FIBTRACE" --format json -d 192.0.2.1 -- \
		"$SEND" udp 192.0.2.1 4000 >/dev/full 2>"$WORK/err" || status=$?
	[ "$status" != 0 ] || fail "exit status 0 though nothing could be written"
	grep -q -i 'space' "$WORK/err" || fail "stderr does not say why: $(cat "$WORK/err")"
}

names_are_escaped() {
	two_ns
	# comm is the name of the link: with a space and a control character, it stays one word.
	ln -s "$SEND" "$WORK/"$'x \e[31m'
	run --format line -d 192.0.2.1 -- "$WORK/"$'x \e[31m' udp 192.0.2.1 4000
	same "the exit status" "$status" 0
	same "the lines" "$(lines "$WORK/out")" 1
	! grep -q $'\e' "$WORK/out" || fail "an escape character reached stdout"
	same "the words of the line" \
		"$(head -n 1 "$WORK/out" | tr ' ' '\n' | grep -c -v '^[a-z0-9_-]*=.' || true)" 0
}

tree_is_ascii_where_the_locale_is() {
	two_ns
	ip_in host route add default via 192.0.2.1
	ip_in host rule add pref 100 lookup main suppress_prefixlength 24
	for LC_ALL in C C.UTF-8; do
		run --format tree -d 192.0.2.1 -- "$SEND" udp 192.0.2.1 4000
		grep -q '100 .*suppressed' "$WORK/out" || fail "$LC_ALL: $(cat "$WORK/out")"
		cp "$WORK/out" "$WORK/tree.$LC_ALL"
	done
	! LC_ALL=C grep -q '[^ -~]' "$WORK/tree.C" || fail "C: $(cat "$WORK/tree.C")"
	LC_ALL=C grep -q '[^ -~]' "$WORK/tree.C.UTF-8" || fail "C.UTF-8 has ASCII marks"
}

run_tests \
	unknown_words_are_refused malformed_prefixes_are_refused malformed_marks_are_refused \
	malformed_ports_are_refused malformed_numbers_are_refused malformed_durations_are_refused \
	unknown_names_are_refused malformed_ipv6_is_refused \
	command_not_found_is_127 command_not_executable_is_126 \
	exit_status_of_command_is_passed_on signal_that_ends_command_is_128_and_its_number \
	command_has_the_callers_privileges command_has_the_callers_descriptors \
	command_writes_to_our_stderr \
	missing_capability_is_named not_root_is_one_line \
	runs_without_capabilities_it_has_no_use_for count_is_exact duration_ends_the_trace \
	signals_with_a_command version_and_help features_lists_the_tiers \
	features_lists_all_hooks_when_verbose features_are_the_same_in_json \
	features_without_privileges_say_what_is_missing features_refuses_what_it_has_no_use_for \
	forced_tiers_are_used_or_refused \
	full_stdout_is_an_error names_are_escaped tree_is_ascii_where_the_locale_is
