#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel is locked down: without this a guest that was to be would prove nothing.

TOLD=/sys/kernel/security/lockdown

if grep -q -F '[integrity]' "$TOLD"; then
	echo "ok locked_down: $(cat "$TOLD")"
	echo '1 passed, 0 failed, 0 skipped'
	exit 0
fi
echo "fail locked_down: $TOLD is '$(cat "$TOLD" 2>&1)'"
echo '0 passed, 1 failed, 0 skipped'
exit 1
