#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of recordings: what -w writes, how `fibtrace read` shows it, and what can go wrong with a file.
# That what is read is what was shown is checked behind each trace of all other tests as well.

. "$(dirname "$0")/lib.sh"

LOG=$WORK/log

# record ARG…: a trace of host that is recorded; $status, $WORK/out and $WORK/err are its own.
record() {
	status=0
	in_ns host timeout -k 5 "$TRACE_LIMIT_S" "$FIBTRACE" -w "$LOG" "$@" \
		>"$WORK/out" 2>"$WORK/err" || status=$?
}

# read_log ARG…: the same for what is read of the recording.
read_log() {
	status=0
	"$FIBTRACE" read "$@" "$LOG" >"$WORK/read" 2>"$WORK/read.err" || status=$?
}

# says FILE TEXT
says() {
	grep -q -F -e "$2" "$1" || fail "'$2' is not in: $(tail -n 3 "$1")"
}

kill_trace() {
	kill -KILL "$fibtrace_pid"
	wait "$fibtrace_pid" 2>/dev/null || true
}

# await_recorded FILE: until a lookup is read of a log that is being written.
await_recorded() {
	local follower
	"$FIBTRACE" read -q --follow --format line "$1" >"$WORK/followed" 2>/dev/null &
	follower=$!
	await_line "$WORK/followed" time=
	kill "$follower"
	wait "$follower" || true
}

pings() {
	echo ping -n -q -c 3 -i 0.02 -W 1 192.0.2.1
}

# shown FILTER…: how many lookups are read with these filters.
shown() {
	read_log --format json "$@"
	same "the exit status of read $*" "$status" 0
	summary "$WORK/read" .shown
}

a_recording_alone_shows_nothing() {
	two_ns
	# shellcheck disable=SC2046
	record -- $(pings)
	same "the exit status" "$status" 0
	same "bytes on stdout" "$(wc -c <"$WORK/out")" 0
	check_counts_line "$WORK/err"
	same "the file's mode" "$(stat -c %a "$LOG")" 600
	read_log --format json
	same "the exit status of read" "$status" 0
	check_complete "$WORK/read"
	check_schema "$WORK/read"
	[ "$(summary "$WORK/read" .shown)" -ge 6 ] || fail "$(summary "$WORK/read" .)"
	same "what both say at the end" "$(grep -m 1 seen "$WORK/read.err")" \
		"$(grep -m 1 seen "$WORK/err")"
}

filters_of_a_reading_subtract() {
	local all icmp
	two_ns
	ip_in host rule add pref 50 to 203.0.113.7 unreachable
	record -- sh -c "$(pings); ping -n -q -c 1 203.0.113.7"
	same "ping's exit status, passed on," "$status" 2
	all=$(shown)
	icmp=$(jq -c 'select(.flow.protocol == "icmp")' "$WORK/read" | wc -l)
	[ "$icmp" -ge 3 ] || fail "$icmp lookups of ICMP"
	same "-P icmp" "$(shown -P icmp)" "$icmp"
	same "what is seen and filtered then" "$(summary "$WORK/read" '[.seen, .filtered] | tostring')" \
		"\"[$all,$((all - icmp))]\""
	same "the filters that are told" "$(jq -c 'select(.type == "start").filters' "$WORK/read")" \
		'["-P","icmp"]'
	same "--failed" "$(shown --failed)" "$(shown --pref 50)"
	[ "$(shown --failed)" -ge 1 ] || fail "no lookup has failed"
	same "--failed and -P icmp" "$(shown --failed -P icmp)" "$(shown --pref 50 -P icmp)"
	same "-6" "$(shown -6)" 0
	same "-i lo and -i eth0" $(($(shown -i lo) + $(shown -i eth0))) "$all"
	read_log --format json -c 2
	same "-c 2" "$(grep -c '"type":"lookup"' "$WORK/read")" 2
}

findings_are_found_when_read() {
	two_ns
	ip_in host route add default via 192.0.2.1
	ip_in host rule add pref 100 to 203.0.113.0/24 lookup 100
	record -- ping -n -q -c 1 -W 0.1 203.0.113.7
	read_log --format json --findings
	same "the exit status of read" "$status" 0
	same "what is found" "$(jq -r 'select(.type == "lookup").findings[].kind' "$WORK/read" |
		sort -u)" empty-table
}

# Those that the trace itself looked for are recorded with it, and nothing else is.
findings_that_were_asked_for_are_recorded() {
	two_ns
	ip_in host route add default via 192.0.2.1
	ip_in host rule add pref 100 to 203.0.113.0/24 lookup 100
	record --findings -- sh -c 'ping -n -q -c 1 -W 0.1 203.0.113.7; ping -n -q -c 1 192.0.2.1'
	read_log --format json
	same "destinations" "$(jq -r 'select(.type == "lookup").flow.dst' "$WORK/read" | sort -u)" \
		203.0.113.7
	same "lookups without findings" \
		"$(jq -c 'select(.type == "lookup" and .findings == [])' "$WORK/read")" ''
}

totals_are_read() {
	local all failed found
	two_ns
	ip_in host rule add pref 50 to 203.0.113.7 unreachable
	ip_in host rule add pref 60 to 192.0.2.1 lookup 100
	record -- sh -c "$(pings); ping -n -q -c 1 203.0.113.7"
	all=$(shown)
	failed=$(shown --failed)
	found=$(shown --findings)
	read_log --stats --format json
	same "the exit status" "$status" 0
	check_schema "$WORK/read" --partial
	same "lookups" "$(jq .lookups "$WORK/read")" "$all"
	same "outcomes" "$(jq -c '.outcomes | map({(.name): .count}) | add' "$WORK/read")" \
		"{\"found\":$((all - failed)),\"ENETUNREACH\":$failed}"
	same "what is found" "$(jq -c .findings "$WORK/read")" \
		"[{\"name\":\"empty-table\",\"count\":$found}]"
	same "those of ping" "$(jq '.processes[] | select(.name == "ping").count' "$WORK/read")" \
		"$("$FIBTRACE" read -q --format json "$LOG" |
			jq -s 'map(select(.process.comm? == "ping")) | length')"
	same "all destinations" "$(jq '[.destinations[].count] | add' "$WORK/read")" "$all"
	read_log --stats -d 203.0.113.7
	same "the exit status" "$status" 0
	says "$WORK/read" "$failed lookup"
	grep -q -E "^ +$failed  50 " "$WORK/read" || fail "rule 50: $(cat "$WORK/read")"
}

# The rules change in the middle, twice: what stood before is explained by what held then.
text_formats_are_read_as_shown() {
	local format
	two_ns
	for format in tree line; do
		attach host "$WORK/out" --format "$format" -4
		# shellcheck disable=SC2046
		in_ns host $(pings) >/dev/null
		ip_in host rule add pref 77 fwmark 5 lookup 5
		# shellcheck disable=SC2046
		in_ns host $(pings) >/dev/null
		ip_in host rule del pref 77
		# shellcheck disable=SC2046
		in_ns host $(pings) >/dev/null
		detach INT
		same "the exit status" "$status" 0
		[ "$(grep -c 192.0.2.1 "$WORK/out")" -ge 6 ] || fail "$(cat "$WORK/out")"
		says "$WORK/read.err" 'policy changed'
	done
}

a_pipe_carries_a_recording() {
	two_ns
	# shellcheck disable=SC2046
	in_ns host "$FIBTRACE" -w - -- $(pings) 2>"$WORK/err" |
		"$FIBTRACE" -r - --format json >"$WORK/read" 2>"$WORK/read.err" ||
		fail "$(tail -n 1 "$WORK/read.err")"
	check_complete "$WORK/read"
	[ "$(summary "$WORK/read" .shown)" -ge 6 ] || fail "$(summary "$WORK/read" .)"
}

# Who reads no more ends the trace, as with what is shown.
a_closed_pipe_ends_the_trace() {
	local result
	two_ns
	in_ns host ping -n -q -i 0.02 -w 20 192.0.2.1 >/dev/null &
	cleanup kill "$!"
	in_ns host timeout -k 5 20 sh -c '"$0" -w - 2>"$1"; echo $? >"$2"' "$FIBTRACE" "$WORK/err" \
		"$WORK/result" | head -c 20 >/dev/null
	result=$(cat "$WORK/result")
	same "the exit status" "$result" 0
}

reading_needs_no_privileges() {
	two_ns
	# shellcheck disable=SC2046
	record -- $(pings)
	chmod 644 "$LOG"
	unshare --net setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all \
		--no-new-privs "$FIBTRACE" read --format json <"$LOG" - >"$WORK/read" \
		2>"$WORK/read.err" || fail "$(tail -n 1 "$WORK/read.err")"
	check_complete "$WORK/read"
}

namespaces_keep_their_names() {
	local name
	two_ns
	name=$(ns peer)
	"$FIBTRACE" --netns all -w "$LOG" -- ip netns exec "$(ns host)" ping -n -q -c 1 192.0.2.1 \
		>"$WORK/out" 2>"$WORK/err" || fail "$(tail -n 1 "$WORK/err")"
	[ "$(shown --netns "$name")" -ge 1 ] || fail "nothing of $name"
	same "the namespaces that are shown" \
		"$(jq -r 'select(.type == "lookup").netns_name' "$WORK/read" | sort -u)" "$name"
	same "by its path" "$(shown --netns "/run/netns/$name")" "$(shown --netns "$name")"
}

# refused STATUS TEXT ARG…
refused() {
	local result=0
	in_ns host "$FIBTRACE" "${@:3}" >"$WORK/out" 2>"$WORK/err" </dev/null || result=$?
	same "'fibtrace ${*:3}': exit status" "$result" "$1"
	same "'fibtrace ${*:3}': lines on stderr" "$(wc -l <"$WORK/err")" 1
	says "$WORK/err" "$2"
}

what_cannot_be_is_refused() {
	new_ns host
	refused 2 'leave out --format' -w - --format json
	refused 2 'needs a FILE' read
	refused 2 'traces nothing' read -w "$LOG" "$LOG"
	refused 2 'traces nothing' read --duration 1 "$LOG"
	refused 2 'traces nothing' -r "$LOG" --attach tracepoint
	refused 2 'runs no COMMAND' -r "$LOG" -- true
	refused 2 'by name' read --netns 1 "$LOG"
	refused 2 'unexpected argument' read "$LOG" "$LOG"
	refused 2 'what was recorded' --follow
	refused 2 'what was recorded' --stats
	refused 2 'need -w' -C 1M
	refused 2 'take the place' -w "$LOG" -G 10
	refused 1 'No such file' read "$WORK/none"
	refused 1 'Is a directory' read "$WORK"
	echo hello >"$WORK/text"
	refused 1 'not a log of fibtrace' read "$WORK/text"
}

# Nothing is written elsewhere, and nobody's file is emptied.
files_that_cannot_be_written_are_named() {
	new_ns host
	echo precious >"$WORK/precious"
	ln -s "$WORK/precious" "$WORK/link"
	refused 1 'it is a symbolic link' -w "$WORK/link" -d 203.0.113.1
	same "what the link leads to" "$(cat "$WORK/precious")" precious
	refused 1 'No such file' -w "$WORK/none/log" -d 203.0.113.1
	refused 1 'Is a directory' -w "$WORK" -d 203.0.113.1
}

a_full_disk_ends_the_trace_with_a_whole_log() {
	two_ns
	mkdir "$WORK/disk"
	mount -t tmpfs -o size=64k none "$WORK/disk" || fail "no tmpfs"
	cleanup umount "$WORK/disk"
	LOG=$WORK/disk/log
	record -- "$UDP_FLOOD" 192.0.2.1 9 200000
	same "the exit status" "$status" 125
	says "$WORK/err" "cannot write $LOG: No space left on device"
	read_log --format json
	same "the exit status of read" "$status" 1
	says "$WORK/read.err" 'does not tell how the trace ended'
	[ "$(grep -c '"type":"lookup"' "$WORK/read")" -ge 500 ] || fail "$(wc -l <"$WORK/read") lines"
	check_schema "$WORK/read" --partial
}

what_a_killed_trace_wrote_is_read() {
	two_ns
	BOTH_WAYS=no attach host "$WORK/out" -w "$LOG" -P icmp
	# shellcheck disable=SC2046
	in_ns host $(pings) >/dev/null
	await_recorded "$LOG"
	kill_trace
	read_log --format json
	same "the exit status of read" "$status" 1
	says "$WORK/read.err" 'does not tell how the trace ended'
	[ "$(grep -c '"type":"lookup"' "$WORK/read")" -ge 1 ] || fail "nothing is read"
	same "the last line" "$(summary "$WORK/read" .type)" '"summary"'
}

# --follow shows what is written while it is, and ends with the trace.
a_log_that_is_written_is_followed() {
	local reader result=0
	two_ns
	BOTH_WAYS=no attach host "$WORK/out" -w "$LOG"
	"$FIBTRACE" read --follow --format json "$LOG" >"$WORK/read" 2>"$WORK/read.err" &
	reader=$!
	cleanup kill -KILL "$reader"
	# shellcheck disable=SC2046
	in_ns host $(pings) >/dev/null
	await_line "$WORK/read" '"type":"lookup"'
	kill -0 "$reader" || fail "the reader has ended: $(cat "$WORK/read.err")"
	detach INT
	wait "$reader" || result=$?
	same "the reader's exit status" "$result" 0
	check_complete "$WORK/read"
	"$FIBTRACE" read --format json "$LOG" 2>/dev/null | cmp -s - "$WORK/read" ||
		fail "what was followed is not what is read"
}

# Blocks of text are not held for ever, and Ctrl-C ends it as a trace.
following_ends_when_it_is_told_to() {
	local reader result=0
	two_ns
	BOTH_WAYS=no attach host "$WORK/out" -w "$LOG" -P icmp
	# shellcheck disable=SC2046
	in_ns host $(pings) >/dev/null
	kill_trace
	env --default-signal=INT "$FIBTRACE" read --follow --format tree "$LOG" >"$WORK/read" \
		2>"$WORK/read.err" &
	reader=$!
	cleanup kill -KILL "$reader"
	await_line "$WORK/read" 192.0.2.1
	kill -INT "$reader"
	wait "$reader" || result=$?
	same "the reader's exit status" "$result" 0
	says "$WORK/read.err" ' seen, '
}

# add_up FILE…: how many lookups are read of all of them; each is read to its end.
add_up() {
	local file sum=0
	for file in "$@"; do
		"$FIBTRACE" read -q --format json "$file" >"$WORK/read" 2>"$WORK/read.err" ||
			fail "$file: $(tail -n 1 "$WORK/read.err")"
		check_complete "$WORK/read"
		sum=$((sum + $(summary "$WORK/read" .shown)))
	done
	echo "$sum"
}

# recorded: how many lookups the trace says that it recorded.
recorded() {
	sed -n -E 's/^fibtrace: .* ([0-9]+) shown,.*/\1/p' "$WORK/err"
}

files_follow_one_another_by_size() {
	local file
	two_ns
	record -C 16K -- "$UDP_FLOOD" 192.0.2.1 9 5000
	same "the exit status" "$status" 0
	[ "$(recorded)" -ge 5000 ] || fail "$(tail -n 1 "$WORK/err")"
	for file in "$LOG" "${LOG}1" "${LOG}4"; do
		[ -e "$file" ] || fail "$(ls -l "$WORK")"
	done
	same "what they have in all" "$(add_up "$LOG"*)" "$(recorded)"
	for file in "$LOG"*; do
		[ "$(stat -c %s "$file")" -le 20000 ] || fail "$(ls -l "$WORK")"
	done
}

a_ring_of_files_keeps_the_last_ones() {
	two_ns
	record -C 16K -W 3 -- "$UDP_FLOOD" 192.0.2.1 9 5000
	same "the exit status" "$status" 0
	same "the files" "$(cd "$WORK" && echo log*)" "log0 log1 log2"
	[ "$(add_up "$LOG"*)" -lt "$(recorded)" ] || fail "nothing was left out"
}

files_follow_one_another_by_time() {
	two_ns
	in_ns host ping -n -q -i 0.05 -w 30 192.0.2.1 >/dev/null &
	cleanup kill "$!"
	LOG=$WORK/part-%s.log
	record -G 1 --duration 3500ms
	same "the exit status" "$status" 0
	[ "$(find "$WORK" -name 'part-*.log' | wc -l)" -ge 3 ] || fail "$(ls "$WORK")"
	same "what they have in all" "$(add_up "$WORK"/part-*.log)" "$(recorded)"
	rm "$WORK"/part-*.log
	record -G 1 -W 2
	same "the exit status of the one that ends by itself" "$status" 0
	same "its files" "$(find "$WORK" -name 'part-*.log' | wc -l)" 2
	same "what they have in all" "$(add_up "$WORK"/part-*.log)" "$(recorded)"
}

# As logrotate(8) does it; one that was not moved stays.
a_hangup_goes_on_in_a_new_file() {
	two_ns
	BOTH_WAYS=no attach host "$WORK/out" -w "$LOG"
	# shellcheck disable=SC2046
	in_ns host $(pings) >/dev/null
	kill -HUP "$fibtrace_pid"
	# shellcheck disable=SC2046
	in_ns host $(pings) >/dev/null
	mv "$LOG" "$LOG.1"
	kill -HUP "$fibtrace_pid"
	await_file "$LOG"
	# shellcheck disable=SC2046
	in_ns host $(pings) >/dev/null
	detach INT
	same "the exit status" "$status" 0
	cp "$WORK/out.err" "$WORK/err"
	same "what both have" "$(add_up "$LOG.1" "$LOG")" "$(recorded)"
	[ "$(add_up "$LOG")" -ge 6 ] || fail "the new file has $(add_up "$LOG")"
}

# A removed file is written on to, and nothing takes its place but by a hangup.
a_removed_file_comes_back_with_a_hangup() {
	two_ns
	BOTH_WAYS=no attach host "$WORK/out" -w "$LOG"
	# shellcheck disable=SC2046
	in_ns host $(pings) >/dev/null
	rm "$LOG"
	# shellcheck disable=SC2046
	in_ns host $(pings) >/dev/null
	[ ! -e "$LOG" ] || fail "it is there again"
	kill -HUP "$fibtrace_pid"
	await_file "$LOG"
	# shellcheck disable=SC2046
	in_ns host $(pings) >/dev/null
	detach INT
	same "the exit status" "$status" 0
	cp "$WORK/out.err" "$WORK/err"
	[ "$(add_up "$LOG")" -ge 6 ] || fail "the new file has $(add_up "$LOG")"
	[ "$(add_up "$LOG")" -le $(($(recorded) - 12)) ] || fail "it has what was removed"
}

# next_file_refused TEXT NAME COMMAND…: in a trace that is to begin its next file in $WORK/dir, behind
# COMMAND. What was recorded before is whole, and the end tells of the file that was to be.
next_file_refused() {
	mkdir -p "$WORK/dir"
	LOG=$WORK/dir/log
	BOTH_WAYS=no attach host "$WORK/out" -w "$LOG"
	# shellcheck disable=SC2046
	in_ns host $(pings) >/dev/null
	mv "$LOG" "$WORK/before"
	"${@:3}"
	kill -HUP "$fibtrace_pid"
	await_end
	same "the exit status" "$status" 1
	says "$WORK/out.err" "cannot write $2: $1"
	[ "$(add_up "$WORK/before")" -ge 6 ] || fail "$(add_up "$WORK/before") were recorded before"
	chmod 755 "$WORK/dir" 2>/dev/null || true
}

# Nothing is written elsewhere, and nobody's file is emptied.
next_files_that_cannot_be_written_are_named() {
	two_ns
	echo precious >"$WORK/precious"
	next_file_refused 'it is a symbolic link' "$WORK/dir/log" \
		ln -s "$WORK/precious" "$WORK/dir/log"
	same "what the link leads to" "$(cat "$WORK/precious")" precious
	rm "$WORK/dir/log"
	next_file_refused 'Permission denied' "$WORK/dir/log" chmod 555 "$WORK/dir"
	same "what is in the directory" "$(ls "$WORK/dir")" ''
	next_file_refused 'No such file' "$WORK/dir/log" rm -r "$WORK/dir"
	[ ! -e "$WORK/dir" ] || fail "the directory is there again"
}

# Each of them begins a new file, in the middle of what is sent.
hangups_lose_nothing() {
	local i sender
	two_ns
	BOTH_WAYS=no attach host "$WORK/out" --buffer 64M -w "$LOG"
	in_ns host "$UDP_FLOOD" 192.0.2.1 9 20000 &
	sender=$!
	for i in $(seq 100); do
		mv "$LOG" "$LOG.$i"
		kill -HUP "$fibtrace_pid"
		await_file "$LOG"
	done
	wait "$sender"
	detach INT
	same "the exit status" "$status" 0
	cp "$WORK/out.err" "$WORK/err"
	[ "$(recorded)" -ge 20000 ] || fail "$(tail -n 1 "$WORK/err")"
	same "what all have" "$(add_up "$LOG"*)" "$(recorded)"
}

# Names are those of the machine that was traced, in what is shown and in what is asked for.
names_are_those_of_the_recording() {
	two_ns
	# Where there is none, it would not be a copy.
	[ -d /etc/iproute2 ] || lacks "needs /etc/iproute2"
	mkdir -p /etc/iproute2/rt_tables.d
	echo '52 tailnet' >/etc/iproute2/rt_tables.d/here.conf
	ip_in host rule add pref 50 to 203.0.113.7 lookup 52
	ip_in host route add 203.0.113.7 via 192.0.2.1 table 52
	record -- ping -n -q -c 1 -W 0.1 203.0.113.7
	echo '53 tailnet' >/etc/iproute2/rt_tables.d/here.conf
	[ "$(shown --table tailnet)" -ge 1 ] || fail "nothing of tailnet"
	same "by number" "$(shown --table 52)" "$(shown --table tailnet)"
	same "what it is called" "$(shown --table tailnet &&
		jq -r 'select(.type == "lookup").verdict.table' "$WORK/read" | sort -u)" \
		"$(shown --table 52)
tailnet"
	read_log --table nowhere
	same "the exit status for a table of no name" "$status" 1
	says "$WORK/read.err" "'nowhere' is no table of $LOG"
	rm /etc/iproute2/rt_tables.d/here.conf
}

# Text has the local time of the machine that was traced, wherever it is read.
times_are_those_of_the_recording() {
	two_ns
	# shellcheck disable=SC2046
	TZ='<here>-5:30' record --format line -- $(pings)
	grep -q -E '^time=[^ ]*\+0530 ' "$WORK/out" || fail "$(head -n 1 "$WORK/out")"
	TZ='<there>3' read_log --format line
	cmp -s "$WORK/out" "$WORK/read" || fail "$(diff "$WORK/out" "$WORK/read" | head -n 4)"
	TZ='<there>3' read_log --format line --utc
	grep -q -E '^time=[^ ]*Z ' "$WORK/read" || fail "$(head -n 1 "$WORK/read")"
}

output_that_cannot_be_written_is_told_once() {
	local result=0
	two_ns
	# shellcheck disable=SC2046
	record -- $(pings)
	"$FIBTRACE" read --format line "$LOG" 2>"$WORK/read.err" | head -n 1 | grep -q time= ||
		fail "nothing is read"
	"$FIBTRACE" read --format json "$LOG" >/dev/full 2>"$WORK/read.err" || result=$?
	same "the exit status" "$result" 1
	same "lines on stderr" "$(wc -l <"$WORK/read.err")" 1
	says "$WORK/read.err" 'cannot write to standard output'
	# One that is still written, for all that is known.
	result=0
	truncate -s -10 "$LOG"
	"$FIBTRACE" read --follow --format line "$LOG" >/dev/full 2>"$WORK/read.err" || result=$?
	same "the exit status of one that follows" "$result" 1
}

# Nobody reads what is followed any more: it ends although nothing is written.
a_closed_pipe_ends_the_following() {
	two_ns
	# shellcheck disable=SC2046
	record -- $(pings)
	truncate -s -10 "$LOG"
	# shellcheck disable=SC2016
	sh -c 'timeout 20 "$0" read -q --follow --format line "$1"; echo $? >"$2"' "$FIBTRACE" \
		"$LOG" "$WORK/result" | head -n 1 | grep -q time= || fail "nothing is read"
	same "the exit status" "$(cat "$WORK/result")" 0
}

damage_ends_a_reading() {
	local size
	two_ns
	# shellcheck disable=SC2046
	record -- $(pings)
	size=$(stat -c %s "$LOG")
	truncate -s $((size - 10)) "$LOG"
	read_log --format json
	same "the exit status of read" "$status" 1
	says "$WORK/read.err" 'the log is cut off here'
	[ "$(grep -c '"type":"lookup"' "$WORK/read")" -ge 1 ] || fail "nothing is read"
	printf 'xxxx' | dd of="$LOG" bs=1 seek=$((size - 200)) conv=notrunc status=none
	read_log --format json
	same "the exit status of read" "$status" 1
	says "$WORK/read.err" 'the log is damaged here'
}

require ping setpriv
run_tests a_recording_alone_shows_nothing filters_of_a_reading_subtract \
	findings_are_found_when_read findings_that_were_asked_for_are_recorded totals_are_read \
	text_formats_are_read_as_shown a_pipe_carries_a_recording a_closed_pipe_ends_the_trace \
	reading_needs_no_privileges namespaces_keep_their_names what_cannot_be_is_refused \
	files_that_cannot_be_written_are_named a_full_disk_ends_the_trace_with_a_whole_log \
	what_a_killed_trace_wrote_is_read files_follow_one_another_by_size \
	a_ring_of_files_keeps_the_last_ones files_follow_one_another_by_time \
	a_hangup_goes_on_in_a_new_file a_removed_file_comes_back_with_a_hangup \
	next_files_that_cannot_be_written_are_named hangups_lose_nothing \
	names_are_those_of_the_recording times_are_those_of_the_recording \
	output_that_cannot_be_written_is_told_once \
	a_closed_pipe_ends_the_following a_log_that_is_written_is_followed \
	following_ends_when_it_is_told_to damage_ends_a_reading
