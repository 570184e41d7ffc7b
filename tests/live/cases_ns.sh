# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the tests of real users' failures share: the hosts, the rules that well-known programs add,
# and what a trace is asked.
#
#   wan   198.51.100.1 the Internet, 203.0.113.5 the VPN's endpoint
#         192.0.2.1 eth0 ─────────── eth0 192.0.2.2         host
#   ts    100.64.0.9 the tailnet's machine
#         tailscale0 ~~~~~~~~~~~~~~~ tailscale0 100.64.0.2
#   vpn   198.51.100.9, and what wan and ts have, so that wrong deliveries are answered
#         wg0 ~~~~~~~~~~~~~~~~~~~~~~ wg0 10.64.0.2
#   lan   10.10.0.5 ──────────────── lan0 10.10.0.1         where a test asks for it

# The scripts that source this use what it leaves; run_trace leaves $status.
# shellcheck disable=SC2034,SC2154

# shellcheck source=tests/live/neighbours.sh
. "$(dirname "${BASH_SOURCE[0]}")/neighbours.sh"

INTERNET=198.51.100.1
ENDPOINT=203.0.113.5
TAILNET=100.64.0.9
BEHIND_VPN=198.51.100.9
TRAFFIC=$LIVE_DIR/cases_traffic.py

# --- the hosts ---------------------------------------------------------------------------------

# tunnel DEV ADDRESS NAME: a veth pair that asks for no hardware address, as tunnels do not.
tunnel() {
	local mac=02:00:00:00:00:01
	ip link add "$1" address "$mac" netns "$(ns host)" type veth \
		peer name "$1" address "$mac" netns "$(ns "$3")"
	ip_batch host "address add $2 dev $1" "link set $1 arp off up"
	ip_batch "$3" "link set $1 arp off up" "route add default dev $1"
}

scene() {
	new_ns host wan ts vpn
	sysctl_in host net.ipv4.conf.all.rp_filter 0 net.ipv4.conf.default.rp_filter 0
	link host eth0 192.0.2.2/24 wan eth0 192.0.2.1/24
	tunnel tailscale0 100.64.0.2/32 ts
	tunnel wg0 10.64.0.2/32 vpn
	ip_in host route add default via 192.0.2.1
	ip_batch wan "address add $INTERNET/32 dev lo" "address add $ENDPOINT/32 dev lo" \
		"route add default via 192.0.2.2"
	ip_in ts address add "$TAILNET/32" dev lo
	ip_batch vpn "address add $BEHIND_VPN/32 dev lo" "address add $INTERNET/32 dev lo" \
		"address add $TAILNET/32 dev lo"
	reach host 192.0.2.1
	pin_neighbours host wan
}

# The host forwards for lan.
scene_with_lan() {
	scene
	new_ns lan
	link host lan0 10.10.0.1/24 lan lan0 10.10.0.5/24
	ip_in lan route add default via 10.10.0.1
	sysctl_in host net.ipv4.ip_forward 1
	reach host 10.10.0.5
	pin_neighbours host lan
}

# A second provider, with an address and a gateway of its own, behind wg0.
second_provider() {
	ip_batch host "address add 203.0.113.130/25 dev wg0" \
		"route add default via 203.0.113.129 dev wg0 table 102" \
		"rule add pref 102 from 203.0.113.130 lookup 102"
}

# --- the rules of well-known programs ----------------------------------------------------------

tailscale_rules() {
	ip_batch host "rule add pref 5210 fwmark 0x80000/0xff0000 lookup main" \
		"rule add pref 5230 fwmark 0x80000/0xff0000 lookup default" \
		"rule add pref 5250 fwmark 0x80000/0xff0000 unreachable" \
		"rule add pref 5270 lookup 52"
	ip_in host route replace "$TAILNET" dev tailscale0 table 52
}

# full_tunnel_rules MARK TABLE: as wg-quick adds them, where the kernel chooses the priorities.
full_tunnel_rules() {
	ip_batch host "rule add not fwmark $1 table $2" \
		"rule add table main suppress_prefixlength 0"
	wg_quick_routes "$2"
}

wg_quick_rules() {
	full_tunnel_rules 51820 51820
}

wg_quick_routes() {
	ip_in host route replace default dev wg0 table "$1"
	sysctl_in host net.ipv4.conf.all.src_valid_mark 1
}

# wg-quick with `Table = off` and rules of the user's own, which stay where they are whoever
# starts first.
wg_quick_at_fixed_priorities() {
	ip_batch host "rule add pref 31001 not fwmark 51820 table 51820" \
		"rule add pref 31000 table main suppress_prefixlength 0"
	wg_quick_routes 51820
}

wg_quick_down() {
	ip_batch host "rule del table 51820" "rule del table main suppress_prefixlength 0"
}

# nft_host: rules for nft from stdin.
nft_host() {
	in_ns host nft -f - || lacks "this kernel's nft does not take these rules"
}

# --- traces ------------------------------------------------------------------------------------

read_counters() {
	in_ns host awk '/:/ { sub(":", "", $1); print $1, $11 }' /proc/net/dev
}

# trace_from NAME ARG…: a whole trace of host's lookups while something runs in a namespace.
trace_from() {
	[ "$1" = host ] || set -- "$1" --netns "$(ns host)" "${@:2}"
	read_counters >"$WORK/sent.before"
	trace_json "$@"
	read_counters >"$WORK/sent.after"
}

# ping_from NAME DESTINATION [PING-OPTION…]: one ping, and the lookups for its destination.
ping_from() {
	trace_from "$1" -d "$2" -- ping -n -q -c 1 -W 1 "${@:3}" "$2"
}

# ping_answered_from NAME DESTINATION [PING-OPTION…]: one ping, and host's lookups for its answer.
ping_answered_from() {
	trace_from "$1" -s "$2" -- ping -n -q -c 1 -W 1 "${@:3}" "$2"
}

# traffic_from NAME FILTER… -- STEP…: what came of the steps is left in $came.
traffic_from() {
	local name=$1 filter=()
	while [ "$2" != -- ]; do
		filter+=("$2")
		shift
	done
	trace_from "$name" "${filter[@]}" -- "$PYTHON" "$TRAFFIC" --result "$WORK/came" "${@:3}"
	read -r came <"$WORK/came"
}

# netns NAME: where cases_traffic.py finds it.
netns() {
	echo "netns=/run/netns/$(ns "$1")"
}

# --- what is expected --------------------------------------------------------------------------

answered() {
	same "ping's exit status" "$status" 0
}

unanswered() {
	same "ping's exit status" "$status" 1
}

# carried DEV PACKETS…: what host's devices sent during the last trace, as the kernel counts it.
carried() {
	local want=$*
	same "what was sent" "$(awk -v want="$want" 'BEGIN { count = split(want, word, " ") }
		NR == FNR { before[$1] = $2; next }
		{ sent[$1] = $2 - before[$1] }
		END { for (i = 1; i < count; i += 2)
			printf "%s%s %s", (i > 1 ? " " : ""), word[i], sent[word[i]] }' \
		"$WORK/sent.before" "$WORK/sent.after")" "$want"
}

# kernel_says WANT ARG…: what `ip route get` answers, "DEV TABLE" or the errno's name.
kernel_says() {
	local got
	if ip_in host -j route get "${@:2}" >"$WORK/answer" 2>"$WORK/answer.err"; then
		got=$(jq -r '.[0] | "\(.dev) \(.table // "main")"' "$WORK/answer")
	else
		got=$(errno_name <"$WORK/answer.err")
	fi
	same "what the kernel answers to '${*:2}'" "$got" "$1"
}

# The lookups that asked() selects.
OUT='.purpose == "output" and .cause != "reply"'
PINGS="$OUT and .flow.protocol == \"icmp\""
REPLIES='.purpose == "output" and .cause == "reply"'
INPUTS='.purpose == "input"'
SOURCE_CHECKS='.purpose == "source-check"'
REROUTES='.purpose == "reroute"'

JQ_WORDS+='
def severities: {"info": 0, "warning": 1, "error": 2};
def rules_at($where): ($where | split("@")) as $at | .steps[] |
	select(field(.priority) == $at[0] and ($at[1] == null or .table == $at[1]));
def told: "\(.outcome)\(if .mismatch then ":" + .mismatch else "" end)\(
	if .reason then " (" + .reason + ")" else "" end)";
def told_of_route: [.dst, .dev // .type] | map(field(.)) | join(" ");
def told_of_finding: [.kind, .severity, .priority, .by] | map(field(.)) | join(" ");

# Every lookup that was selected is to have a rule there of which this holds.
def each_has($where; holds; told): map([rules_at($where) | if holds then "" else told end] |
	if length == 0 then "no rule there" elif any(. == "") then empty else join(", ") end) |
	first // "";

def examined: if any(.[]; .findings? == null) then "not examined" else "" end;
def agrees($finding; $want): [$finding.kind, $finding.severity, $finding.priority, $finding.by] |
	map(field(.)) as $words | all(range($want | length);
		$want[.] == "-" or $want[.] == $words[.]);
def findings_told: [.[].findings[]? | told_of_finding] | unique | join(", ") |
	if . == "" then "nothing found" else . end;

# What is wrong, "" where nothing is, with what a check says of the lookups selected, or of all.
def answers: {
	chosen: map([.verdict.priority, .verdict.table, .verdict.dev] | map(field(.)) | join(" ")),
	ended: map([.verdict.priority, .verdict.type, .verdict.error] | map(field(.)) | join(" ")),
	decided: map(.verdict.decided_by),
	src: map(.flow.src), mark: map(.flow.fwmark), uid: map(field(.flow.uid)),
	count: [length | tostring],
};
def wrong($name; $words; $all):
	if length == 0 and $name != "count" then "no such lookup"
	elif answers[$name] then answers[$name] | unique | join(", ") |
		if . == ($words | join(" ")) then "" else "it is \(.)" end
	elif $name == "passed_over" then
		($words[1] | split(":")) as $outcome | ($words[2:] | join(" ")) as $reason |
		each_has($words[0]; .outcome == $outcome[0] and
			($outcome[1] == null or .mismatch == $outcome[1]) and
			($reason == "" or ((.reason // "") | test($reason))); told)
	elif $name == "would_match" then each_has($words[0]; .would_match != null and
		(.would_match | told_of_route) == ($words[1:] | join(" "));
		if .would_match then .would_match | told_of_route else told end)
	elif $name == "found" then if any(.[].findings[]?; agrees(.; $words)) then ""
		else findings_told end
	elif $name == "not_found" then if any(.[].findings[]?; .kind == $words[0])
		then findings_told else examined end
	elif $name == "healthy" then $all | [.[].findings[]? |
			select(severities[.severity] >= severities["warning"])] |
		if length > 0 then map("\(told_of_finding) (\(.text))") | unique | join(", ")
		else examined end
	else "no such check" end;
'

# asked SELECTION CHECK…: of every lookup that the jq expression selects. A check is one argument:
#   chosen PREF TABLE DEV            what the verdict names
#   ended PREF TYPE ERRNO            the same of one that is an error
#   decided HOW, src ADDRESS, mark MARK, uid UID, count N
#   passed_over PREF[@TABLE] OUTCOME[:MISMATCH] [REASON]   a rule's step; REASON is a pattern
#   would_match PREF[@TABLE] DST DEV what the table of a rule that was passed over holds
#   found KIND [SEVERITY [PREF [BY]]] and not_found KIND; "-" stands for any
#   healthy                          nothing at warning or above in the whole trace, and those
#                                    selected were examined; where rules change, others were not
asked() {
	local complaint selection=$1
	shift
	complaint=$(jq -nr "$JQ_WORDS"'[inputs | select(.type == "lookup")] as $all |
		($all | map(select('"$selection"'))) as $these | first($ARGS.positional[] as $check |
			($check | split(" ")) as $words |
			($these | wrong($words[0]; $words[1:]; $all)) |
			select(. != "") | "\($check): \(.)") // empty' --args "$@" \
		<"$WORK/trace" 2>&1) || fail "${ABOUT:-}jq: $complaint"
	[ -z "$complaint" ] || fail "${ABOUT:-}$complaint"
}

# --- failures of either family -----------------------------------------------------------------

# tailnet_goes_into_the_vpn PREF TABLE
tailnet_goes_into_the_vpn() {
	ping_from host "$TAILNET"
	answered
	carried wg0 1 tailscale0 0 eth0 0
	kernel_says "wg0 $2" "$TAILNET"
	asked "$PINGS" \
		"chosen $1 $2 wg0" \
		"passed_over 5208@main suppressed" \
		"passed_over 5270@52 not-reached" \
		"would_match 5270 $TAILNET tailscale0" \
		"found shadowed-route warning 5270 $1" \
		"found auto-priority info $1"
}

# tailnet_is_reached PREF TABLE
tailnet_is_reached() {
	ping_from host "$TAILNET"
	answered
	carried wg0 0 tailscale0 1 eth0 0
	kernel_says "tailscale0 $2" "$TAILNET"
	asked "$PINGS" "chosen $1 $2 tailscale0" "not_found shadowed-route" healthy
}

# tailscaled_sends: a packet of tailscaled's own, which carries its bypass mark.
tailscaled_sends() {
	ping_from host "$ENDPOINT" -m 524288
}

# Rules of wg-quick in front of tailscaled's take it.
tailscaled_goes_into_the_vpn() {
	tailscaled_sends
	unanswered
	carried wg0 1 tailscale0 0 eth0 0
	kernel_says "wg0 51820" "$ENDPOINT" mark 0x80000
	asked "$PINGS" \
		"chosen 5209 51820 wg0" \
		"mark 0x80000" \
		"passed_over 5210 not-reached" \
		"would_match 5210 default eth0" \
		"found bypass-mark-captured error - 5209" \
		"not_found missing-suppress"
}

# A rule for mark 1 without a mask, whose table 101 leads into wg0, sees no mark with more bits.
a_further_bit_is_missed() {
	ping_from host "$BEHIND_VPN" -m 1
	answered
	asked "$PINGS" "chosen 100 101 wg0" healthy
	ping_from host "$BEHIND_VPN" -m 262145
	unanswered
	carried wg0 0 eth0 1
	kernel_says "eth0 main" "$BEHIND_VPN" mark 0x40001
	asked "$PINGS" \
		"chosen 32766 main eth0" \
		"mark 0x40001" \
		"passed_over 100 skipped:fwmark 0x40001 .*0x1" \
		"would_match 100 default wg0" \
		"found mark-near-miss warning 100"
}

a_further_bit_is_no_matter() {
	ping_from host "$BEHIND_VPN" -m 262145
	answered
	carried wg0 1 eth0 0
	kernel_says "wg0 101" "$BEHIND_VPN" mark 0x40001
	asked "$PINGS" "chosen 100 101 wg0" "not_found mark-near-miss" healthy
}
