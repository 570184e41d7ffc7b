#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of docs/packaging: what the unit runs works with the capabilities, the system calls and the
# directory that the unit leaves it.

. "$(dirname "$0")/lib.sh"

UNIT=$ROOT_DIR/docs/packaging/fibtrace.service
SOMEBODY=65534

# setting NAME: of the unit.
setting() {
	sed -n "s/^$1=//p" "$UNIT"
}

# The log's directory, as LogsDirectory= makes it.
logs_directory() {
	LOGS=$WORK/logs/$(setting LogsDirectory)
	mkdir -p "$LOGS"
	chown "$SOMEBODY" "$LOGS"
	chmod "$(setting LogsDirectoryMode)" "$LOGS"
	chmod 711 "$WORK"
}

# words_of SETTING: those of its command with our binary and that directory, a NUL behind each. In units
# $$ is $.
words_of() {
	setting "$1" | sed -e "s,/usr/local/sbin/fibtrace,$FIBTRACE,; s,/var/log/fibtrace,$LOGS,g" \
		-e 's/\$\$/$/g' | xargs -n 1 printf '%s\0'
}

# confined COMMAND…: as the unit has it, in host, in place of this shell.
confined() {
	local capabilities
	capabilities=$(setting AmbientCapabilities | sed 's/CAP_//g; s/ /,+/g' |
		tr '[:upper:]' '[:lower:]')
	cd "$LOGS" || return
	umask "$(setting UMask)"
	exec nsenter --net="/run/netns/$(ns host)" -- setpriv --reuid "$SOMEBODY" \
		--regid "$SOMEBODY" --clear-groups --no-new-privs \
		--bounding-set "-all,+$capabilities" --inh-caps "+$capabilities" \
		--ambient-caps "+$capabilities" "$@"
}

# prepare: what runs before it, a command for the shell.
prepare() {
	local words
	mapfile -d '' words < <(words_of ExecStartPre)
	(confined "${words[@]}")
}

# start [COMMAND…]: the service, behind COMMAND; returns when it records.
start() {
	local words
	prepare
	mapfile -d '' words < <(words_of ExecStart)
	confined "$@" "${words[@]}" 2>"$WORK/err" &
	service=$!
	cleanup kill -KILL "$service"
	await_file "$LOGS/lookups.log0"
	await_attached
}

# It says nothing: it is attached when a lookup that fails is recorded.
await_attached() {
	timeout 30 sh -c 'until "$0" read -q --failed --format line "$1" 2>/dev/null | grep -q time=
		do nsenter --net="$2" -- ping -n -q -c 1 203.0.113.9 || :; done' \
		"$FIBTRACE" \
		"$LOGS/lookups.log0" "/run/netns/$(ns host)" >/dev/null 2>&1 ||
		fail "nothing is recorded: $(cat "$WORK/err")"
}

stop() {
	local result=0
	pkill -TERM -P "$service" fibtrace || kill -TERM "$service"
	wait "$service" || result=$?
	same "the exit status" "$result" 0
	same "what it says" "$(cat "$WORK/err")" ''
}

scene() {
	two_ns
	logs_directory
	ip_batch host 'rule add pref 40 to 203.0.113.9 unreachable' \
		'rule add pref 50 to 203.0.113.8 lookup 100' 'route add default via 192.0.2.1'
}

failures_and_findings_are_recorded() {
	scene
	start
	in_ns host ping -n -q -c 1 192.0.2.1 >/dev/null
	in_ns host ping -n -q -c 1 -W 0.1 203.0.113.8 >/dev/null || true
	stop
	"$FIBTRACE" read --format json "$LOGS/lookups.log0" >"$WORK/trace" 2>"$WORK/read.err" ||
		fail "$(tail -n 1 "$WORK/read.err")"
	check_complete "$WORK/trace"
	same "where to" "$(jq -r 'select(.type == "lookup").flow.dst' "$WORK/trace" | sort -u |
		tr '\n' ' ')" "203.0.113.8 203.0.113.9 "
	same "the mode of the log" "$(stat -c %a "$LOGS/lookups.log0")" 600
}

# What a run left is there until the one after the next.
the_run_before_is_kept() {
	scene
	start
	stop
	cp "$LOGS/lookups.log0" "$WORK/first"
	touch "$LOGS/before.lookups.log5"
	start
	stop
	same "the files" "$(cd "$LOGS" && echo *)" "before.lookups.log0 lookups.log0"
	cmp "$WORK/first" "$LOGS/before.lookups.log0" || fail "it is another one"
}

# allowed: the system calls of SystemCallFilter=, and what systemd allows always.
allowed() {
	local word
	for word in $(setting SystemCallFilter) @default; do
		case $word in
		@*) calls_of "$word" ;;
		*) echo "$word" ;;
		esac
	done
}

# calls_of SET: also of the sets in it.
calls_of() {
	local word
	for word in $(systemd-analyze syscall-filter "$1" | sed -n 's/^    \([^#]\)/\1/p'); do
		case $word in
		@*) calls_of "$word" ;;
		*) echo "$word" ;;
		esac
	done
}

its_system_calls_are_allowed() {
	scene
	chmod 777 "$WORK"
	start strace -f -qq -o "$WORK/calls"
	stop
	sed -n -E 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' "$WORK/calls" | sort -u >"$WORK/used"
	[ "$(wc -l <"$WORK/used")" -ge 20 ] || fail "only $(cat "$WORK/used")"
	same "what is not allowed" "$(allowed | sort -u | comm -13 - "$WORK/used")" ''
	# The kinds of sockets, too.
	same "other sockets" "$(grep -o 'socket(AF_[A-Z0-9]*' "$WORK/calls" | sort -u |
		comm -23 - <(setting RestrictAddressFamilies | tr ' ' '\n' | sed 's/^/socket(/' |
			sort))" ''
}

require ping setpriv strace systemd-analyze pkill
run_tests failures_and_findings_are_recorded the_run_before_is_kept its_system_calls_are_allowed
