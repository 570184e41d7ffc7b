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

#   host  eth0 192.0.2.2, .22 ─ 192.0.2.1 eth0  peer, which forwards nothing and says nothing
#         eth1 198.51.100.2 ─── 198.51.100.1 eth1
# churn.py knows what the tables answer; 106 stays empty, and does not exist.
churn_scene() {
	two_ns
	link host eth1 198.51.100.2/24 peer eth1 198.51.100.1/24
	reach host 198.51.100.1
	pin_neighbours host peer
	ip_in host address add 192.0.2.22/24 dev eth0
	ip_in host -batch - <<-END
		route add default via 192.0.2.1
		route add default via 192.0.2.1 table 101
		route add default via 198.51.100.1 table 102
		route add 10.99.0.0/16 via 192.0.2.1 table 103
		route add throw 203.0.113.11 table 104
		route add 203.0.113.0/24 via 198.51.100.1 table 104
		route add unreachable 203.0.113.0/24 table 105
	END
}

said() {
	sed -n "s/^$1 //p" "$WORK/said"
}

no_reason_is_given_by_rules_that_were_not_there() {
	churn_scene
	trace_json host "${ATTACH[@]}" -- "$CHURN" run --trace "$WORK/trace" --log "$WORK/log" \
		--bursts "$CHURN_BURSTS" --changes "$CHURN_CHANGES" --seed "$CHURN_SEED"
	same "the exit status" "$status" 0
	"$CHURN" check --trace "$WORK/trace" --log "$WORK/log" >"$WORK/said"
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

run_tests no_reason_is_given_by_rules_that_were_not_there
