#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests of explanations while the policy changes: rules come and go a thousand times a second, and
# no lookup is explained by rules that were not there.

# Emulated processors take some fifty times as long. The kit hides what tells that.
[ ! -e /run/vm/command ] || export EMULATED=1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/neighbours.sh"

CHURN=$LIVE_DIR/churn.py
CHURN_SEED=${CHURN_SEED:-$RANDOM}
CHURN_BURSTS=${CHURN_BURSTS:-10}
changes=300
[ -z "${EMULATED:-}" ] || changes=100
CHURN_CHANGES=${CHURN_CHANGES:-$changes}
ATTACH=(--attach "${FIBTRACE_ATTACH:-auto}" --buffer 64M)
TRACE_LIMIT_S=200

# The routes to far, which is all that rules are for, and beyond it; 106 has none.
# tables NEAR-GATEWAY OTHER-GATEWAY FAR-NET FAR-HOST ELSEWHERE
tables() {
	cat <<-END
		route add default via $1
		route add default via $1 table 101
		route add default via $2 table 102
		route add $5 via $1 table 103
		route add throw $4 table 104
		route add $3 via $2 table 104
		route add unreachable $3 table 105
	END
}

#   host  eth0 192.0.2.2, .22 ─ 192.0.2.1 eth0  peer, which forwards nothing and says nothing
#         eth1 198.51.100.2 ─── 198.51.100.1 eth1
# and the same with 2001:db8:1:: and 2001:db8:2::. churn.py knows what the tables answer. Of IPv6,
# .2 of eth0 is the only address that a packet without a source may get, and the peer has a route
# that says nothing.
churn_scene() {
	two_ns
	link host eth1 198.51.100.2/24 peer eth1 198.51.100.1/24
	speaks_inet6 host peer
	ip_batch host "address add 192.0.2.22/24 dev eth0" \
		"address add 2001:db8:1::2/64 dev eth0 nodad" \
		"address add 2001:db8:1::16/64 dev eth0 nodad preferred_lft 0" \
		"address add 2001:db8:2::2/64 dev eth1 nodad preferred_lft 0"
	ip_batch peer "address add 2001:db8:1::1/64 dev eth0 nodad" \
		"address add 2001:db8:2::1/64 dev eth1 nodad" \
		"route add blackhole 2001:db8:f::/120"
	reach host 198.51.100.1
	reach host 2001:db8:1::1
	reach host 2001:db8:2::1 -I 2001:db8:2::2
	pin_neighbours host peer
	tables 192.0.2.1 198.51.100.1 203.0.113.0/24 203.0.113.11 10.99.0.0/16 |
		ip_in host -batch -
	tables 2001:db8:1::1 2001:db8:2::1 2001:db8:f::/120 2001:db8:f::b 2001:db8:99::/48 |
		ip_in host -6 -batch -
}

said() {
	sed -n "s/^$1 //p" "$WORK/said"
}

# no_reason_is_wrong inet|inet6: all sends are datagrams; what neighbours say to each other is not.
no_reason_is_wrong() {
	local only=-4
	[ "$1" = inet ] || only=-6
	churn_scene
	trace_json host "${ATTACH[@]}" "$only" -P udp -- "$CHURN" run --family "$1" --trace "$WORK/trace" \
		--log "$WORK/log" --bursts "$CHURN_BURSTS" --changes "$CHURN_CHANGES" --seed "$CHURN_SEED"
	same "the exit status" "$status" 0
	"$CHURN" check --family "$1" --trace "$WORK/trace" --log "$WORK/log" >"$WORK/said"
	echo "# seed $CHURN_SEED: $(said changes) changes, $(said rate) a second in bursts;" \
		"$(said sends) sends: $(said explained) explained, $(said partly) as far as seen," \
		"$(said unknown) unknown; of $(said quiet) in quiet phases $(said quiet-explained)"
	same "the wrong lookups (seed $CHURN_SEED): $(grep -m 1 '^problem ' "$WORK/said" |
		cut -c 1-3000)" "$(said problems)" 0
	same lost "$(summary "$WORK/trace" .lost)" 0
	same unfinished "$(summary "$WORK/trace" .unfinished)" 0
	same "sends that are not shown" "$(said sends-not-shown)" 0
	same "the explained of the quiet phases" "$(said quiet-explained)" "$(said quiet)"
	[ "$(said quiet)" -gt 0 ] || fail "nothing was sent in quiet phases"
}

no_reason_is_given_by_rules_that_were_not_there() {
	no_reason_is_wrong inet
}

no_reason_of_ipv6_is_given_by_rules_that_were_not_there() {
	no_reason_is_wrong inet6
}

run_tests no_reason_is_given_by_rules_that_were_not_there \
	no_reason_of_ipv6_is_given_by_rules_that_were_not_there
