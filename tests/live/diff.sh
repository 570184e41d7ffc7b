#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of `fibtrace diff`: what it says is different is so, what it predicts the kernel then does, and
# what is the same differs in nothing.

. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/live/story_ns.sh
. "$LIVE_DIR/story_ns.sh"
# shellcheck source=tests/live/exception_ns.sh
. "$LIVE_DIR/exception_ns.sh"

OLD=$WORK/old.log
NEW=$WORK/new.log

# record LOG COMMAND…: what happens in host while COMMAND runs.
record() {
	in_ns host timeout -k 5 "$TRACE_LIMIT_S" "$FIBTRACE" -q -w "$1" -- "${@:2}" \
		>"$WORK/record" 2>&1 || true
	[ -s "$1" ] || fail "nothing is recorded: $(tail -n 1 "$WORK/record")"
}

# diff_in NAME WANT ARG…: in a namespace; $WORK/diff and $WORK/diff.err are its own.
diff_in() {
	local status=0
	in_ns "$1" timeout -k 5 "$TRACE_LIMIT_S" "$FIBTRACE" diff "${@:3}" >"$WORK/diff" \
		2>"$WORK/diff.err" || status=$?
	[ "$status" = "$2" ] ||
		fail "diff ${*:3}: $status, not $2: $(head -n 3 "$WORK/diff" "$WORK/diff.err")"
}

# diff_json NAME WANT ARG…: the same in JSON, which is what the schema says.
diff_json() {
	diff_in "$1" "$2" --format json "${@:3}"
	check_schema "$WORK/diff" --partial
	same "the first line" "$(head -n 1 "$WORK/diff" | jq -r .type)" diff
	same "the last line" "$(tail -n 1 "$WORK/diff" | jq -r .type)" diff_summary
}

# nothing_differs NAME ARG…
nothing_differs() {
	diff_in "$1" 0 "${@:2}"
	[ ! -s "$WORK/diff" ] || fail "what is the same differs: $(head -n 5 "$WORK/diff")"
	! grep -q warning "$WORK/diff.err" || fail "$(grep warning "$WORK/diff.err")"
}

# has FILE LINE
has() {
	grep -q -x -F -e "$2" "$1" || fail "no line '$2': $(cat "$1")"
}

# lines TYPE EXPRESSION: jq on the lines of that type.
lines() {
	jq -r "select(.type == \"$1\") | $2" "$WORK/diff"
}

# --- the story ---------------------------------------------------------------------------------

story_traffic() {
	record "$1" sh -c "ping -n -q -c 2 -i 0.02 -W 1 $STORY_PEER
		ping -n -q -c 1 -W 0.1 198.51.100.77
		ping -n -q -c 1 -W 1 192.0.2.1
		ping -n -q -c 1 -W 1 -m 51820 $STORY_ENDPOINT"
}

# wg-quick is up before tailscaled, and then started anew.
the_story_is_explained() {
	story_good_order
	story_traffic "$OLD"
	in_ns host wg-quick down "$WORK/wg0.conf" >>"$WORK/wg-quick.log" 2>&1
	story_wg_quick
	diff_in host 1 "$OLD"
	has "$WORK/diff" '- rule 32765: not from all fwmark 0xca6c lookup 51820  wg-quick'
	has "$WORK/diff" '+ rule 5209: not from all fwmark 0xca6c lookup 51820  wg-quick'
	sed -n '/^verdicts changed by$/,$p' "$WORK/diff" >"$WORK/verdicts"
	grep -A 2 -x -F -e "    $STORY_PEER, source-check of $STORY_PEER" "$WORK/verdicts" >"$WORK/peer"
	has "$WORK/peer" "        - rule 5270 table 52 $STORY_PEER dev tailscale0"
	has "$WORK/peer" '        + rule 5209 table 51820 default dev wg0'
	diff_json host 1 "$OLD"
	same "which change it is by" \
		"$(jq -nr --arg peer "$STORY_PEER" '[inputs] as $all |
			[$all[] | select(.type == "verdict_change" and .flow.dst == $peer) |
				"\(.explained) \(.by | join(","))"] | unique | .[] |
			. as $by | $all[] | select(.type == "rule_change" and
				$by == "one \(.id)").new.rule.priority' "$WORK/diff")" 5209
	same "the kernel's own answer" "$(route_get host "$STORY_PEER")" "wg0 51820"
	story_traffic "$NEW"
	as_predicted 6
	nothing_differs host "$NEW"
	diff_in host 1 "$OLD" "$NEW"
	has "$WORK/diff" '+ rule 5209: not from all fwmark 0xca6c lookup 51820  wg-quick'
}

# --- predictions -------------------------------------------------------------------------------

# The last verdict of each flow of a log, and of a prediction, by what makes it one.
# shellcheck disable=SC2016 # $ is jq's
FLOWS='
def key: [.family, .purpose, (.flow | .src, .dst, .protocol, .dport, .fwmark, .uid, .tos,
	.iif, .oif)] |
	tostring;
def verdict(v): v | [.error, .priority, .table_id, .dst, .gateway, .dev];
def recorded: reduce (.[] | select(.type == "lookup")) as $one ({};
	.[$one | key] = verdict($one.verdict));
def predicted: reduce (.[] | select(.type == "verdict_change")) as $one ({};
	.[$one | key] = verdict($one.new));
'

# as_predicted N: what NEW recorded is what $WORK/diff, of OLD and what was in force then, has said;
# N flows at least are in both recordings.
as_predicted() {
	local result
	"$FIBTRACE" read -q --format json "$OLD" >"$WORK/old"
	"$FIBTRACE" read -q --format json "$NEW" >"$WORK/new"
	result=$(jq -nr --slurpfile old "$WORK/old" --slurpfile new "$WORK/new" \
		--slurpfile diff "$WORK/diff" "$FLOWS"'
		($old | recorded) as $before | ($new | recorded) as $after |
		($diff | predicted) as $said |
		[$before | keys[] | select($after[.])] |
		(map(select(($said[.] // $before[.]) != $after[.])) | .[] |
			"\(.): \($said[.] // $before[.]) was to be, \($after[.]) is"),
		"\(length) flows"')
	[ "$(wc -l <<<"$result")" = 1 ] || fail "$result"
	[ "${result% *}" -ge "$1" ] || fail "only $result are in both recordings"
}

# host has two ways out, in both families; what is asked goes by all that rules and routes look at.
crossroads() {
	new_ns host left right
	speaks_inet6 host left right
	link host eth0 192.0.2.2/24 left eth0 192.0.2.1/24
	link host eth1 198.51.100.2/24 right eth0 198.51.100.1/24
	address_in host eth0 2001:db8:1::2/64
	address_in host eth1 2001:db8:2::2/64
	sysctl_in host net.ipv4.ip_forward 1 net.ipv6.conf.all.forwarding 1
	ip_in host route add default via 192.0.2.1
	ip_in host -6 route add default via 2001:db8:1::1
	ip_in host route add default via 198.51.100.1 table 100
	ip_in host -6 route add default via 2001:db8:2::1 table 100
	ip_in host rule add pref 1000 fwmark 7 lookup 100
	ip_in host -6 rule add pref 1000 fwmark 7 lookup 100
}

questions() {
	local to
	for to in 203.0.113.7 203.0.113.77 10.1.2.3 192.0.2.1 198.51.100.1 127.0.0.5; do
		printf 'route get %s\n' "$to" "$to mark 7" "$to uid 1234" "$to ipproto tcp dport 22" \
			"$to oif eth1" "$to tos 0x10"
		printf 'route get %s from 192.0.2.1 iif eth0\n' "$to"
	done
	for to in 2001:db8:9::7 2001:db8:9::77 2001:db8:1::1 2001:db8:2::1; do
		printf 'route get %s\n' "$to" "$to mark 7" "$to uid 1234" "$to ipproto tcp dport 22" \
			"$to oif eth1"
		printf 'route get %s from 2001:db8:1::1 iif eth0\n' "$to"
	done
}

ask_questions() { # LOG
	questions >"$WORK/questions"
	record "$1" ip -force -batch "$WORK/questions"
}

# What is changed, in turn; each is an experiment of its own behind those before it.
CHANGES='
rule add pref 900 uidrange 1234-1234 lookup 100
-6 rule add pref 900 uidrange 1234-1234 lookup 100
rule add pref 910 ipproto tcp dport 22 prohibit
-6 rule add pref 910 to 2001:db8:9::70/124 unreachable
rule del pref 1000
route add 203.0.113.64/26 via 198.51.100.1
-6 route add 2001:db8:9::70/124 via 2001:db8:2::1
route replace default via 192.0.2.9
-6 route change default via 2001:db8:1::9 table main
route add blackhole 10.0.0.0/8 table 100
route add throw 10.0.0.0/8 table 100 metric 9
rule add pref 890 to 10.0.0.0/8 goto 900
rule add pref 880 iif eth0 lookup 100
-6 rule add pref 880 iif eth0 lookup 100
rule add pref 870 tos 0x10 lookup 100
rule add pref 860 lookup main suppress_prefixlength 0
-6 rule add pref 860 lookup main suppress_prefixlength 0
link set eth1 down
link set eth1 up
route add default via 198.51.100.1 table 100
rule del pref 32766
rule add pref 32000 not fwmark 7 lookup main
link set eth0 name uplink0
'

what_is_predicted_happens() {
	local change changed=0
	crossroads
	ask_questions "$OLD"
	while read -r change; do
		[ -n "$change" ] || continue
		# shellcheck disable=SC2086
		ip_in host $change
		# What a device has renamed is asked about is another question.
		[[ $change != *uplink0 ]] || sed -i 's/eth0/uplink0/' "$WORK/questions"
		diff_in host 1 "$OLD"
		diff_json host 1 "$OLD"
		changed=$((changed + $(lines diff_summary .verdicts)))
		same "flows of '$change' whose change nothing explains" \
			"$(lines verdict_change 'select(.explained != "one" and .explained != "together") |
				.flow.dst')" ''
		ask_questions "$NEW"
		TEST="$TEST: $change" as_predicted 20
		nothing_differs host "$NEW"
		mv "$NEW" "$OLD"
	done <<<"$CHANGES"
	[ "$changed" -ge 60 ] || fail "only $changed verdicts have changed"
}

# --- what is the same --------------------------------------------------------------------------

the_same_differs_in_nothing() {
	crossroads
	ask_questions "$OLD"
	nothing_differs host "$OLD" "$OLD"
	nothing_differs host "$OLD"
	same "the line on stderr" "$(sed 's/[0-9]* flows/N flows/' "$WORK/diff.err")" \
		"fibtrace: 0 links, 0 rules and 0 prefixes of routes differ; 0 of N flows have another verdict"
	record "$NEW" sh -c 'ping -n -q -c 1 192.0.2.1; ping -n -q -c 1 -I eth1 203.0.113.7 -W 0.1'
	nothing_differs host "$OLD" "$NEW"
	nothing_differs host "$NEW"
	diff_json host 0 "$OLD"
	same "lines of JSON" "$(wc -l <"$WORK/diff")" 2
	diff_in host 0 -q "$OLD"
	[ ! -s "$WORK/diff.err" ] || fail "$(cat "$WORK/diff.err")"
	# What was changed and is as it was.
	ip_in host rule add pref 5 prohibit
	ip_in host rule del pref 5
	nothing_differs host "$OLD"
}

# The same devices with other numbers, as after a boot.
devices_are_told_by_name() {
	crossroads
	ask_questions "$OLD"
	ip_in host link del eth1
	ip_in host link add spare type veth peer name spare2
	link host eth1 198.51.100.2/24 right eth0 198.51.100.1/24
	address_in host eth1 2001:db8:2::2/64
	ip_in host route add default via 198.51.100.1 table 100
	ip_in host -6 route add default via 2001:db8:2::1 table 100
	diff_json host 0 -4 "$OLD"
	nothing_differs host -4 "$OLD"
}

nexthops_may_be_chosen_otherwise() {
	crossroads
	ip_in host route add 203.0.113.0/24 nexthop via 192.0.2.1 nexthop via 198.51.100.1
	ask_questions "$OLD"
	ip_in host route replace 203.0.113.0/24 nexthop via 198.51.100.1 nexthop via 192.0.2.1
	ask_questions "$NEW"
	diff_json host 1 "$OLD" "$NEW"
	same "changed verdicts" "$(lines diff_summary .verdicts)" 0
	same "changed prefixes" "$(lines route_change .dst)" 203.0.113.0/24
}

# What a path MTU did that was learned is no policy's.
an_exception_is_no_difference() {
	exception_scene
	learn_path_mtu
	story_wg_quick_dual
	record "$OLD" ping -6 -n -q -c 1 -W 1 "$FAR"
	ip_in host route flush cache
	ip_in host -6 route flush cache
	record "$NEW" ping -6 -n -q -c 1 -W 1 "$FAR"
	same "who answered" "$("$FIBTRACE" read -q --format json -d "$FAR" "$OLD" |
		jq -r 'select(.type == "lookup").verdict.decided_by' | sort -u)" exception
	diff_json host 0 -d "$FAR" "$OLD"
	same "flows that are not compared" "$(lines diff_summary '.unexplained > 0')" true
	diff_json host 0 -d "$FAR" "$OLD" "$NEW"
	same "changed verdicts" "$(lines diff_summary .verdicts)" 0
	# In its place the VPN is told of, once that comes first.
	ip_in host -6 rule add pref 5 lookup 51820
	diff_json host 1 -d "$FAR" "$NEW"
	same "by which rule" "$(lines verdict_change .new.priority | sort -u)" 5
}

# --- options and trouble -----------------------------------------------------------------------

filters_restrict_what_is_compared() {
	crossroads
	ask_questions "$OLD"
	ip_in host rule add pref 900 to 203.0.113.7 lookup 100
	ip_in host -6 rule add pref 900 prohibit
	ip_in host route add 10.1.0.0/16 via 198.51.100.1
	ip_in host route add 10.1.0.0/16 via 198.51.100.1 table 77
	diff_json host 1 -4 "$OLD"
	same "families" "$(lines verdict_change .family && lines rule_change .family)" \
		"$(yes inet | head -n "$(grep -c '_change"' "$WORK/diff" | awk '{ print $1 - 2 }')")"
	diff_json host 1 -d 203.0.113.7 "$OLD"
	same "destinations" "$(lines verdict_change .flow.dst | sort -u)" 203.0.113.7
	same "routes" "$(lines route_change .dst)" ''
	diff_json host 1 -d 10.1.2.3 "$OLD"
	same "routes that meet 10.1.2.3" "$(lines route_change .dst | sort -u)" 10.1.0.0/16
	diff_json host 1 --table 77 "$OLD"
	same "what is of table 77" "$(lines route_change .table_id)" 77
	same "verdicts of table 77" "$(lines diff_summary .verdicts)" 0
	diff_json host 1 --failed "$OLD"
	same "failures" "$(lines verdict_change '.new.error' | sort -u)" EACCES
	diff_json host 1 -o eth1 --pref 900 -m 0 "$OLD"
	same "by rule 900 and eth1" "$(lines verdict_change .flow.dst | sort -u)" 203.0.113.7
	diff_json host 0 -4 --table 76 "$OLD"
}

many_destinations_take_few_lines() {
	local i
	crossroads
	for ((i = 0; i < 1000; i++)); do
		echo "route get 10.1.$((i / 250)).$((i % 250))"
	done >"$WORK/many"
	record "$OLD" ip -batch "$WORK/many"
	ip_in host rule add pref 900 lookup 100
	diff_in host 1 "$OLD"
	[ "$(wc -l <"$WORK/diff")" -le 10 ] || fail "$(head -n 20 "$WORK/diff")"
	grep -q ' and 992 more$' "$WORK/diff" || fail "$(cat "$WORK/diff")"
	diff_in host 1 -v "$OLD"
	[ "$(grep -c 'route-get 0.0.0.0 → 10.1' "$WORK/diff")" = 1000 ] || fail "not all with -v"
}

tables_that_are_not_held_are_not_compared() {
	crossroads
	ask_questions "$OLD"
	ip_in host route add 203.0.113.64/26 via 198.51.100.1
	diff_in host 0 -4 --max-routes 0 "$OLD"
	has "$WORK/diff" '? table main is not compared: its routes were not held'
	grep -q 'flows not compared, as a table that is not held' "$WORK/diff.err" ||
		fail "$(cat "$WORK/diff.err")"
	diff_json host 0 -4 --max-routes 0 "$OLD"
}

no_privileges_are_needed() {
	crossroads
	ask_questions "$OLD"
	ip_in host rule add pref 900 lookup 100
	chmod a+r "$OLD"
	install -m 755 "$FIBTRACE" "$WORK/fibtrace"
	local status=0
	in_ns host setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		--bounding-set=-all "$WORK/fibtrace" diff "$OLD" >"$WORK/diff" 2>"$WORK/diff.err" ||
		status=$?
	same "the exit status" "$status" 1
	has "$WORK/diff" '+ rule 900: from all lookup 100'
	# Of another namespace they are.
	status=0
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
		"$WORK/fibtrace" diff "$OLD" >"$WORK/diff" 2>"$WORK/diff.err" || status=$?
	same "the exit status in another namespace" "$status" 2
	grep -q CAP_SYS_ADMIN "$WORK/diff.err" || fail "$(cat "$WORK/diff.err")"
}

namespaces_are_told_by_name() {
	crossroads
	new_ns alone
	"$FIBTRACE" -q -w "$OLD" --netns "$(ns host)" --netns "$(ns left)" --netns "$(ns alone)" \
		-- sh -c "ip -n $(ns host) route get 203.0.113.7; ip -n $(ns left) route get 192.0.2.2
		ip -n $(ns alone) route get 127.0.0.1" >"$WORK/answers" 2>&1
	nothing_differs right "$OLD"
	ip_in left rule add pref 900 prohibit
	diff_in right 1 "$OLD"
	has "$WORK/diff" "@@ namespace $(ns left) @@"
	has "$WORK/diff" '+ rule 900: from all prohibit'
	nothing_differs right --netns "$(ns host)" "$OLD"
	diff_in right 2 --netns nowhere "$OLD"
	ip netns del "$(ns alone)"
	diff_in host 1 "$OLD"
	grep -q "namespace $(ns alone) is not there now" "$WORK/diff.err" ||
		fail "$(cat "$WORK/diff.err")"
}

# One without a name is called by a process, whose number another one may have by now.
namespaces_of_processes_are_the_same_ones() {
	local pid
	crossroads
	unshare --net sh -c 'ip link set lo up; echo up >"$0"; exec sleep 100' "$WORK/up" &
	pid=$!
	cleanup kill "$pid"
	await_file "$WORK/up"
	"$FIBTRACE" -q -w "$OLD" --netns "$pid" -- nsenter -t "$pid" -n ip route get 127.0.0.5 \
		>"$WORK/answers" 2>&1
	nothing_differs right "$OLD"
	nsenter -t "$pid" -n ip rule add pref 900 prohibit
	diff_in right 1 "$OLD"
	grep -q "^@@ namespace pid $pid (" "$WORK/diff" || fail "$(cat "$WORK/diff")"
	kill "$pid"
	wait "$pid" || true
	diff_in right 2 "$OLD"
	grep -q 'no network namespace in common' "$WORK/diff.err" || fail "$(cat "$WORK/diff.err")"
}

# What it ended with is of the one that had the name then.
a_namespace_that_took_the_name_of_another_counts() {
	local name
	crossroads
	new_ns alone
	name=$(ns alone)
	"$FIBTRACE" -q -w "$OLD" --netns all -- sh -e -c "
		ip -n $name link set lo up
		ip -n $name route get 127.0.0.5
		ip netns del $name
		ip netns add $name
		ip -n $name link set lo up
		ip -n $name rule add pref 900 to 10.0.0.0/8 prohibit
		ip -n $name route get 127.0.0.5" >"$WORK/answers" 2>&1
	nothing_differs right --netns "$name" "$OLD"
	ip_in alone rule del pref 900
	diff_in right 1 --netns "$name" "$OLD"
	has "$WORK/diff" '- rule 900: from all to 10.0.0.0/8 prohibit'
}

# trouble WORDS ARG…: one line on stderr that says so, and the exit status 2.
trouble() {
	diff_in host 2 "${@:2}"
	grep -q -F -e "$1" "$WORK/diff.err" || fail "'$1' is not said: $(cat "$WORK/diff.err")"
	same "lines on stderr" "$(wc -l <"$WORK/diff.err")" 1
	[ ! -s "$WORK/diff" ] || fail "something is compared: $(cat "$WORK/diff")"
}

trouble_is_told_by_the_exit_status() {
	local size result=0
	crossroads
	ask_questions "$OLD"
	size=$(stat -c %s "$OLD")
	cp "$OLD" "$NEW"
	truncate -s $((size - 10)) "$NEW"
	trouble 'the log is cut off here' "$OLD" "$NEW"
	trouble 'the log is cut off here' "$NEW"
	cp "$OLD" "$NEW"
	printf xxxx | dd of="$NEW" bs=1 seek=$((size / 2)) conv=notrunc status=none
	trouble 'the log is damaged here' "$NEW" "$OLD"
	trouble 'No such file' "$WORK/none"
	trouble 'not a log of fibtrace' "$0"
	trouble "is no table of $OLD" --table no-such "$OLD"
	record "$NEW" true
	trouble 'they are recorded with lookups' "$NEW"
	trouble 'takes two FILEs at most' a b c
	trouble "not an option of 'diff'" -c 1 "$OLD"
	trouble "is not tree or json" --format line "$OLD"
	# Standard input is one of the two.
	cp "$OLD" "$NEW"
	in_ns host "$FIBTRACE" diff -q - "$OLD" <"$NEW" || fail "what is read of a pipe differs"
	ip_in host rule add pref 900 prohibit
	in_ns host "$FIBTRACE" diff "$OLD" >/dev/full 2>"$WORK/diff.err" || result=$?
	same "the exit status with a full disk" "$result" 2
	same "lines on stderr then" "$(wc -l <"$WORK/diff.err")" 1
	# One that is still written, as far as it is.
	dd if="$OLD" of="$NEW" bs=1 count=$((size - 78)) status=none
	result=0
	in_ns host "$FIBTRACE" diff "$NEW" >"$WORK/diff" 2>"$WORK/diff.err" || result=$?
	[ "$result" = 1 ] || [ "$result" = 2 ] || fail "the exit status of one without an end is $result"
}

require ping setpriv
story_require
run_tests the_story_is_explained what_is_predicted_happens the_same_differs_in_nothing \
	devices_are_told_by_name nexthops_may_be_chosen_otherwise an_exception_is_no_difference \
	filters_restrict_what_is_compared many_destinations_take_few_lines \
	tables_that_are_not_held_are_not_compared no_privileges_are_needed \
	namespaces_are_told_by_name namespaces_of_processes_are_the_same_ones \
	a_namespace_that_took_the_name_of_another_counts \
	trouble_is_told_by_the_exit_status
