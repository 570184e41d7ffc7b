#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of what other tools take from us: one event a line, valid UTF-8 whatever the kernel's names
# are, and at once, however little happens.

[ ! -e /run/vm/command ] || export EMULATED=1
# How long after a lookup its line is there, by half of them and by all.
half_s=0.1 all_s=1
[ -z "${EMULATED:-}" ] || half_s=1 all_s=10
. "$(dirname "$0")/lib.sh"

# arrivals: reads lines and says of each when it came.
arrivals() {
	"$PYTHON" -u -c 'import sys, time
for line in sys.stdin.buffer:
    print("%.6f" % time.time(), line.decode().rstrip("\n"))'
}

# late FORMAT: the ages of lookups, in seconds, when their lines came through a pipe.
late() {
	local reader
	mkfifo "$WORK/pipe.$1"
	arrivals <"$WORK/pipe.$1" >"$WORK/arrived" &
	reader=$!
	BOTH_WAYS=no attach host "$WORK/pipe.$1" --format "$1" --utc -P icmp -i lo
	in_ns host ping -n -q -c 12 -i 0.25 192.0.2.1 >/dev/null
	detach INT
	wait "$reader"
	same "the exit status" "$status" 0
	"$PYTHON" - "$WORK/arrived" <<-'END' | sort -n
		import datetime, re, sys
		for line in open(sys.argv[1]):
		    time = re.search(r'(?:^\S+ time=|"type":"lookup","time":")([^ "]*?)(\d{3})?Z', line)
		    if time:
		        lookup = datetime.datetime.fromisoformat(time[1] + "+00:00").timestamp()
		        print("%.3f" % (float(line.split()[0]) - lookup))
	END
}

# lines_come_at_once FORMAT
lines_come_at_once() {
	local ages
	mapfile -t ages < <(late "$1")
	[ "${#ages[@]}" -ge 12 ] || fail "$1: only ${#ages[@]} lines: $(head -n 3 "$WORK/arrived")"
	echo "# $1: half within ${ages[${#ages[@]} / 2]} s, all within ${ages[-1]} s"
	awk -v half="${ages[${#ages[@]} / 2]}" -v all="${ages[-1]}" -v half_most="$half_s" \
		-v all_most="$all_s" 'BEGIN { exit !(half <= half_most && all <= all_most) }' ||
		fail "$1: they came after ${ages[*]} s"
}

lines_come_through_pipes_at_once() {
	two_ns
	lines_come_at_once json
	lines_come_at_once line
}

# A device and a program that are called what nobody should call them.
hostile_names() {
	local device
	device=$(printf 'e\377\302\233\033"\134')
	in_ns host ip link add "$device" type veth peer name p0 netns "$(ns peer)"
	in_ns host ip address add 198.51.100.2/24 dev "$device"
	in_ns host ip link set "$device" up
	in_ns peer ip link set p0 up
	program=$WORK/$(printf 'p\377\n"\134\033')
	cp "$(command -v ping)" "$program"
}

names_of_any_bytes_stay_one_line() {
	local format
	two_ns
	hostile_names
	for format in json line tree; do
		run_any "$format"
		"$PYTHON" - "$format" "$WORK/trace" <<-'END' || fail "$format: $(cat "$WORK/trace")"
			import json, sys
			form, data = sys.argv[1], open(sys.argv[2], "rb").read()
			text = data.decode("utf-8")
			for c in text:
			    assert c == "\n" or (c >= " " and not "\x7f" <= c < "\xa0"), repr(c)
			lines = text.split("\n")[:-1]
			if form == "json":
			    lines = [json.loads(line) for line in lines]
			    assert lines[0]["type"] == "start" and lines[-1]["type"] == "summary"
			    found = [l for l in lines if l["type"] == "lookup" and l["verdict"]["dev"]]
			    assert any(l["verdict"]["dev"].startswith("e\ufffd") for l in found)
			    assert any("\x1b" in l["process"]["comm"] for l in found if l["process"])
			if form == "line":
			    for line in lines:
			        fields = line.split(" ")
			        assert len(fields) == 22 and all("=" in f for f in fields), line
			    assert any(" comm=p" in line and " dev=e" in line for line in lines)
		END
	done
}

run_any() {
	in_ns host timeout -k 5 "$TRACE_LIMIT_S" "$FIBTRACE" --format "$1" -- "$program" -n -q -c 1 \
		-W 0.1 198.51.100.1 >"$WORK/trace" 2>"$WORK/trace.err" || true
	[ -s "$WORK/trace" ] || fail "nothing was traced: $(cat "$WORK/trace.err")"
}

require ping
run_tests lines_come_through_pipes_at_once names_of_any_bytes_stay_one_line
