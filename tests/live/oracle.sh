#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs oracle.py, which compares fibtrace with the running kernel on random policies of IPv4 and
# IPv6: oracle.sh [--lookups N of each] [--family inet|inet6].

LIVE_DIR=$(cd "$(dirname "$0")" && pwd)
FIBTRACE=${FIBTRACE:-$LIVE_DIR/../../build/fibtrace}
PATH=$PATH:/usr/sbin:/sbin

skip() {
	echo "skip oracle.sh: $*"
	exit 77
}

[ "$(id -u)" = 0 ] || skip "needs root, for network namespaces"
[ -x "$FIBTRACE" ] || skip "needs $FIBTRACE"
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || skip "needs python3-jsonschema"
exec timeout -k 10 "${SCRIPT_LIMIT_S:-300}" \
	/usr/bin/python3 "$LIVE_DIR/oracle.py" --keep-going --fibtrace "$FIBTRACE" "$@"
