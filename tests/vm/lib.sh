#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the scripts of this folder share: where kernels are kept, and the rows of the tables.

# shellcheck disable=SC2034 # what is not used here is used by who sources this

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT_DIR=$(cd "$VM_DIR/../.." && pwd)
VM_CACHE=$(cd "$ROOT_DIR" && realpath -m "${FIBTRACE_VM_CACHE:-${BUILD:-build}/vm}")
PATH=$PATH:/usr/sbin:/sbin

# Exit statuses of fetch.sh and boot.sh besides those of what ran in the guest.
STATUS_SKIP=77
STATUS_SILENT=124
STATUS_NO_VM=125

die() { # STATUS WORD…
	echo "${0##*/}: ${*:2}" >&2
	exit "$1"
}

require() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || die "$STATUS_NO_VM" "needs $tool"
	done
}

# rows FILE: the rows of a table without its comments.
rows() {
	grep -v -E '^(#|$)' "$VM_DIR/$1"
}

# row FILE NAME: the row of a table that is called so.
row() {
	rows "$1" | awk -v name="$2" '$1 == name { print; found = 1 } END { exit !found }'
}

kernel_row() { # NAME
	row kernels "$1"
}

kernel_names() {
	rows kernels | cut -f 1
}

kernel_required() { # NAME
	[ "$(kernel_row "$1" | cut -f 5)" = yes ]
}

variant_row() { # NAME
	row variants "$1"
}

# kernel_of NAME: the kernel that a variant boots; any other name is that of a kernel.
kernel_of() {
	local row
	if row=$(variant_row "$1"); then
		cut -f 2 <<<"$row"
	else
		echo "$1"
	fi
}

# test_tiers NAME: the tiers of the first of its rows.
test_tiers() {
	rows tests | awk -v name="$1" '$1 == name { print $2; found = 1; exit } END { exit !found }'
}

# tests_for KERNEL SHORT: its tests as "NAME:TIERS"; SHORT is yes for the short ones alone.
tests_for() {
	rows tests | awk -v kernel="$1" -v short="$2" '
		("," $3 ",") ~ ("," kernel ",") || $3 == "all" {
			if (short != "yes" || $4 == "yes")
				print $1 ":" $2
		}'
}
