#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of --journal: a journald of our own, started by hand, has an entry for each lookup, with the
# facts that JSON tells of it.

. "$(dirname "$0")/lib.sh"

JOURNALD=/lib/systemd/systemd-journald
SOCKET=/run/systemd/journal/socket

# /run is ours alone here, and so is what this journald keeps.
start_journald() {
	mkdir -p /run/systemd/journald.conf.d
	cat >/run/systemd/journald.conf.d/test.conf <<-END
		[Journal]
		Storage=volatile
		RateLimitIntervalSec=0
		ReadKMsg=no
		Audit=no
		ForwardToWall=no
	END
	run_journald
	await_file "$SOCKET"
}

run_journald() {
	"$JOURNALD" 2>"$WORK/journald.err" &
	journald=$!
	cleanup stop_journald
}

stop_journald() {
	[ -z "${journald:-}" ] || kill -KILL "$journald" || true
	[ -z "${journald:-}" ] || wait "$journald" 2>/dev/null || true
	journald=
	rm -rf /run/systemd/journal /run/log/journal
}

# entries ID: those of that kind so far, one object per line; what journald adds is left out. A value
# that journalctl does not print comes as its bytes.
entries() {
	journalctl --sync
	journalctl -q -o json "MESSAGE_ID=$1" |
		jq -c 'with_entries(select(.key | test("^(FIBTRACE_|MESSAGE$|PRIORITY$|SYSLOG_)"))) |
			map_values(if type == "array" and (first | type) == "number" then implode
				else . end)'
}

lookups() {
	entries 6f0479bcdce5404d990daa95dc1b3448
}

summaries() {
	entries 0eafc25778d24accbba86f87d1a3d601
}

# with_journal ARG…: a trace of host into the journal, and into $WORK/trace as JSON.
with_journal() {
	run_trace host --journal "$@"
	check_complete "$WORK/trace"
	same "the exit status" "$status" 0
}

# What an entry is to hold of a line of JSON.
WANTED='select(.type == "lookup") | . as $it | {
	TIME: .time, NETNS: (.netns_name // .netns), FAMILY: .family, PURPOSE: .purpose,
	CAUSE: .cause, COMM: .process.comm?, PID: .process.pid?, SRC: .flow.src, DST: .flow.dst,
	PROTO: .flow.protocol, SPORT: .flow.sport, DPORT: .flow.dport, IIF: .flow.iif,
	OIF: .flow.oif, FWMARK: .flow.fwmark, UID: .flow.uid, PRIORITY: .verdict.priority,
	TABLE: .verdict.table, TABLE_ID: .verdict.table_id, PREFIX: .verdict.dst,
	DEV: .verdict.dev, GATEWAY: .verdict.gateway, PREFSRC: .verdict.prefsrc,
	SUPPRESSED: ([.steps[] | select(.outcome == "suppressed").priority | tostring] | join(",")),
	DECIDED_BY: .verdict.decided_by, ERROR: .verdict.error,
	OWNER: ([.steps[] | select(.priority == $it.verdict.priority and .outcome != "skipped" and
		.outcome != "not-reached") | .owner] | first),
	FINDING: [.findings[].kind], FINDING_TEXT: [.findings[].text]} |
	with_entries(select(.value != null and .value != "" and .value != [])) |
	with_entries(.key |= "FIBTRACE_" + . | .value |=
		if type != "array" then tostring elif length == 1 then first else . end)'

same_as_json() {
	jq -c -S "$WANTED" "$WORK/trace" >"$WORK/wanted"
	lookups | jq -c -S 'with_entries(select(.key | test("^FIBTRACE_")))' >"$WORK/got"
	[ -s "$WORK/wanted" ] || fail "nothing was traced"
	cmp -s "$WORK/wanted" "$WORK/got" ||
		fail "the entries: $(diff "$WORK/wanted" "$WORK/got" | head -n 4)"
}

# Rules of all kinds, a lookup that fails, one with a finding, ports, and both families.
entries_say_what_json_says() {
	start_journald
	two_ns
	speaks_inet6 host peer
	address_in host eth0 2001:db8::2/64
	ip_batch host 'rule add pref 40 to 203.0.113.7 unreachable' \
		'rule add pref 50 to 192.0.2.1 lookup 100' \
		'rule add pref 60 lookup main suppress_prefixlength 0' \
		'rule add pref 70 not fwmark 0xca6c lookup 51820' \
		'route add default via 192.0.2.1 table 51820' 'route add default via 192.0.2.1'
	ip_in host -6 rule add pref 40 to 2001:db8:9::/64 prohibit
	with_journal -- sh -c 'ping -n -q -c 1 192.0.2.1; ping -n -q -c 1 -W 0.1 203.0.113.7
		ping -n -q -c 1 -W 0.1 198.51.100.1; ping -n -q -m 7 -c 1 -W 0.1 198.51.100.1
		ping -n -q -c 1 -W 0.1 2001:db8:9::1; ping -n -q -c 1 2001:db8::2; exit 0'
	same_as_json
	for word in FIBTRACE_ERROR FIBTRACE_FINDING FIBTRACE_SUPPRESSED FIBTRACE_OWNER \
		FIBTRACE_SPORT FIBTRACE_GATEWAY FIBTRACE_PID 'FAMILY":"inet6' 'FWMARK":"0x7'; do
		grep -q "$word" "$WORK/got" || fail "no entry has $word"
	done
}

levels_are_those_of_what_was_found() {
	start_journald
	two_ns
	ip_batch host 'rule add pref 40 to 203.0.113.7 unreachable' \
		'rule add pref 50 to 203.0.113.8 lookup 100' 'route add default via 192.0.2.1'
	with_journal -- sh -c 'ping -n -q -c 1 192.0.2.1; ping -n -q -c 1 -W 0.1 203.0.113.7
		ping -n -q -c 1 -W 0.1 203.0.113.8; exit 0'
	lookups >"$WORK/got"
	same "what is notable" "$(jq -r 'select(.FIBTRACE_DST == "203.0.113.7") |
		.PRIORITY + .FIBTRACE_ERROR' "$WORK/got" | sort -u)" 5ENETUNREACH
	same "what was found" "$(jq -r 'select(.FIBTRACE_DST == "203.0.113.8") |
		.PRIORITY + .FIBTRACE_FINDING' "$WORK/got" | sort -u)" 4empty-table
	same "the rest" "$(jq -r 'select(.FIBTRACE_DST == "192.0.2.1").PRIORITY' "$WORK/got" |
		sort -u)" 6
	same "who says it" "$(jq -r .SYSLOG_IDENTIFIER "$WORK/got" | sort -u)" fibtrace
	jq -r 'select(.FIBTRACE_DST == "203.0.113.8").MESSAGE' "$WORK/got" |
		grep -q '^ping\[[0-9]*\] output .* → 203.0.113.8 .* ⇒ 32766 table main .* ! 50 ' ||
		fail "$(jq -r .MESSAGE "$WORK/got")"
}

# That it began, changes of rules and what it came to.
the_rest_of_a_trace_has_entries() {
	start_journald
	two_ns
	with_journal -d 192.0.2.1 -- sh -c 'ping -n -q -c 1 192.0.2.1
		ip rule add pref 77 lookup 100; ping -n -q -c 1 192.0.2.1'
	same "that it began" "$(entries 7e083dcde7c940fd8d091363b92398ac | jq -r .FIBTRACE_TIER)" \
		"$(jq -r 'select(.type == "start").tier' "$WORK/trace")"
	entries 7e083dcde7c940fd8d091363b92398ac | grep -q 'filters -d 192.0.2.1"' ||
		fail "what it traces is not told"
	entries ccbeaa58404145db989206be5def0059 | grep -q '"policy changed: rule added: 77: ' ||
		fail "the rule is not told"
	same "the counts" "$(summaries | jq -c '[.FIBTRACE_SEEN, .FIBTRACE_SHOWN,
		.FIBTRACE_FILTERED, .FIBTRACE_LOST, .FIBTRACE_UNFINISHED]')" \
		"$(summary "$WORK/trace" '[.seen, .shown, .filtered, .lost, .unfinished] |
		map(tostring)')"
}

# What a process calls itself can hold anything; what acts on a terminal is in no message.
names_are_kept_as_they_are() {
	start_journald
	two_ns
	cp "$(command -v ping)" "$WORK/$(printf 'p\033[1m\nX=1')"
	with_journal -- sh -c "exec '$WORK/$(printf 'p\033[1m\nX=1')' -n -q -c 1 192.0.2.1"
	same_as_json
	same "the name" "$(lookups | jq -r 'select(.FIBTRACE_PID).FIBTRACE_COMM' | sort -u |
		tr '\n' ' ')" "$(printf 'X=1\np\033[1m\n' | sort | tr '\n' ' ')"
	! lookups | jq -r .MESSAGE | grep -q "$(printf '\033')" || fail "it stands in a message"
	same "fields of its making" "$(lookups | jq -c 'select(.X)')" ''
}

# Without a format nothing is shown besides; recorded it can be.
the_journal_alone_shows_nothing() {
	start_journald
	two_ns
	in_ns host "$FIBTRACE" --journal -w "$WORK/log" -- ping -n -q -c 1 192.0.2.1 >"$WORK/out" \
		2>"$WORK/err" || fail "$(tail -n 1 "$WORK/err")"
	same "bytes on stdout" "$(wc -c <"$WORK/out")" 0
	"$FIBTRACE" read --format json "$WORK/log" >"$WORK/trace" 2>/dev/null || fail "no log"
	same_as_json
}

# Journald dies in the middle: that is told once, the trace goes on, and what is lacking is counted.
what_journald_misses_is_counted() {
	local missed
	start_journald
	two_ns
	BOTH_WAYS=no attach host "$WORK/out" --journal --format json -P icmp
	in_ns host ping -n -q -c 3 -i 0.01 192.0.2.1 >/dev/null
	await_line "$WORK/out" '"type":"lookup"'
	kill -KILL "$journald"
	wait "$journald" 2>/dev/null || true
	journald=
	in_ns host ping -n -q -c 5 -i 0.01 192.0.2.1 >/dev/null
	detach INT
	same "the exit status" "$status" 0
	check_complete "$WORK/out"
	same "warnings" "$(grep -c 'takes no entries: .*; tracing goes on' "$WORK/out.err")" 1
	missed=$(sed -n -E 's/.*the journal lacks ([0-9]+) entries.*/\1/p' "$WORK/out.err")
	run_journald
	await_file "$SOCKET"
	same "entries, and those that are lacking" $(($(lookups | wc -l) + missed)) \
		$(($(summary "$WORK/out" .shown) + 1))
	[ "$missed" -ge 5 ] || fail "$missed are lacking"
}

# refused STATUS TEXT ARG…
refused() {
	local result=0
	in_ns host "$FIBTRACE" "${@:3}" >"$WORK/out" 2>"$WORK/err" </dev/null || result=$?
	same "'fibtrace ${*:3}': exit status" "$result" "$1"
	grep -q -F -e "$2" "$WORK/err" || fail "'$2' is not in: $(cat "$WORK/err")"
}

what_cannot_be_is_refused() {
	new_ns host
	echo precious >"$WORK/log"
	refused 1 "no journald listens on $SOCKET: No such file" --journal -w "$WORK/log"
	same "the log that is there" "$(cat "$WORK/log")" precious
	refused 125 'no journald listens' --journal -- true
	mkdir -p /run/systemd/journal
	touch "$SOCKET"
	refused 1 'no journald listens' --journal
	rm "$SOCKET"
	refused 2 "--journal: not an option of 'read'" read --journal "$WORK/log"
	refused 2 "--journal: not an option of 'features'" features --journal
}

# The library is that of systemd; nothing else needs it.
without_the_library_it_says_so() {
	start_journald
	new_ns host
	mkdir "$WORK/nothing"
	ldconfig -p | sed -n 's/^\tlibsystemd.so.0 .* => //p' >"$WORK/paths"
	[ -s "$WORK/paths" ] || fail "where is libsystemd?"
	while read -r path; do
		mount --bind /dev/null "$(realpath "$path")"
		cleanup umount "$(realpath "$path")"
	done <"$WORK/paths"
	refused 1 'install libsystemd' --journal
	in_ns host "$FIBTRACE" -- true >/dev/null 2>&1 || fail "without it nothing works"
}

[ -x "$JOURNALD" ] || skip_all "needs $JOURNALD"
require ping journalctl
run_tests entries_say_what_json_says levels_are_those_of_what_was_found \
	the_rest_of_a_trace_has_entries names_are_kept_as_they_are the_journal_alone_shows_nothing \
	what_journald_misses_is_counted what_cannot_be_is_refused without_the_library_it_says_so
