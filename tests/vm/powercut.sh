#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a power cut leaves of a recording: a guest records onto a disk of its own and ends in the
# middle, without a sync; what is on the disk then is to have all but the last seconds.
# powercut.sh [KERNEL]; it runs itself in the guest. Ends with one line of totals.
set -u
. "$(dirname "$0")/lib.sh"

KERNEL=${1:-6.12}
BUILDS=$(cd "$ROOT_DIR" && realpath -m "${BUILD:-build}")
FIBTRACE=${FIBTRACE:-$BUILDS/fibtrace}
# What the man page says, and the time of a step of the sender.
LOSES_S=5.1 STEP_S=0.2
# Long enough for a log that was never synced to be empty, as the kernel would write it out after
# 30 s by itself.
RECORDS_S=14

# in_guest: sends a packet each step, and the power goes.
in_guest() {
	local end
	mount -t ext4 /dev/vda /mnt || return
	"$FIBTRACE" -w /mnt/log -d 127.0.0.1 &
	until [ -s /mnt/log ]; do sleep "$STEP_S"; done
	end=$((SECONDS + RECORDS_S))
	while [ "$SECONDS" -lt "$end" ]; do
		ping -n -q -c 1 127.0.0.1 >/dev/null
		sleep "$STEP_S"
	done
	echo "cut $(date +%s.%N)"
	# Once the line is out.
	stty sane </dev/console
	echo b >/proc/sysrq-trigger
}

# left: the log that is on the disk, once its file system has been put in order as at a boot.
left() {
	local result=0
	e2fsck -f -y "$work/disk" >"$work/fsck" 2>&1 || result=$?
	[ "$result" -le 1 ] || { echo "fail e2fsck: $(tail -n 1 "$work/fsck")" && return 1; }
	debugfs -R "dump /log $work/log" "$work/disk" 2>"$work/debugfs"
	[ -s "$work/log" ] || { echo "fail nothing of the log is on the disk" && return 1; }
}

# all_but_the_last_seconds: of what was recorded until the cut; it is whole as far as it goes.
all_but_the_last_seconds() {
	local cut last age
	cut=$(sed -n 's/^cut //p' "$work/said")
	[ -n "$cut" ] || { echo "fail the guest: $(tail -n 5 "$work/said")" && return 1; }
	left || return
	"$FIBTRACE" read --format json "$work/log" >"$work/read" 2>"$work/read.err"
	grep -q 'does not tell how the trace ended' "$work/read.err" ||
		{ echo "fail read: $(tail -n 2 "$work/read.err")" && return 1; }
	last=$(jq -r 'select(.type == "lookup").time | (.[:19] + "Z" | fromdate | tostring) +
		.[19:29]' "$work/read" | tail -n 1)
	age=$(awk -v cut="$cut" -v last="${last:-0}" 'BEGIN { printf "%.1f", cut - last }')
	echo "# the power went $age s behind the last lookup that is left"
	awk -v age="$age" -v most="$LOSES_S" -v step="$STEP_S" \
		'BEGIN { exit !(age <= most + 2 * step) }' ||
		{ echo "fail it took $age s, not $LOSES_S" && return 1; }
}

[ ! -e /run/vm/command ] || { in_guest && exit; }
require qemu-system-x86_64 mkfs.ext4 e2fsck debugfs jq
mkdir -p "$VM_CACHE"
work=$(mktemp -d "$VM_CACHE/powercut.XXXXXX")
trap 'rm -rf "$work"' EXIT
truncate -s 64M "$work/disk"
mkfs.ext4 -q "$work/disk" || die 1 "no file system"
"$VM_DIR/boot.sh" --disk "$work/disk" "$KERNEL" env "FIBTRACE=$FIBTRACE" tests/vm/powercut.sh \
	>"$work/said" 2>"$work/console"
if all_but_the_last_seconds; then
	echo "ok what_a_power_cut_takes"
	echo "1 passed, 0 failed, 0 skipped"
else
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
