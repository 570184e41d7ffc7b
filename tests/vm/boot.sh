#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs a command in this folder's repository under another kernel:
# boot.sh [--append WORDS] [--disk IMAGE] [--limit SECONDS] [--memory MIB] [--cpus N] KERNEL COMMAND…
#
# The guest sees this machine's file system, but what it writes is gone with it. Exits with the
# command's status; with 124 when the guest did not end within its limit, 125 when it died.
set -u
. "$(dirname "$0")/lib.sh"

limit=${VM_LIMIT_S:-300} memory=2048 cpus=2 append="" disk=()
while [[ ${1:-} == --* ]]; do
	[ $# -ge 2 ] || die 2 "$1 needs a value"
	case "$1" in
	--append) append=$2 ;;
	--disk) disk=(-drive "file=$2,format=raw,if=virtio") ;; # /dev/vda
	--limit) limit=$2 ;;
	--memory) memory=$2 ;;
	--cpus) cpus=$2 ;;
	*) die 2 "unknown option $1" ;;
	esac
	shift 2
done
[ $# -ge 2 ] || die 2 "give a kernel and a command"

require qemu-system-x86_64 cpio timeout
kernel=$("$VM_DIR/fetch.sh" "$1") || exit
shift

work=$(mktemp -d "$VM_CACHE/boot.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/job"
printf '%s\0' "$@" >"$work/job/command"
echo "$ROOT_DIR" >"$work/job/directory"
cp "$VM_DIR/guest.sh" "$work/job/"
# The kernel unpacks archives one after the other.
{
	cat "$kernel/initrd.img"
	(cd "$work" && find job | cpio -o -H newc --quiet)
} >"$work/initrd.img" || die "$STATUS_NO_VM" "cannot write the initrd"

# Emulated, the HPET costs a quarter of all the time. The processors' counters are the machine's
# one, whatever the guest thinks of them.
# Nor do the wide registers and the fast strings pay, which a real processor has.
processor=max,-avx,-avx2,-erms,-fsrm
words="console=ttyS0 panic=-1 quiet loglevel=2 nokaslr mitigations=off"
words+=" tsc=reliable clocksource=tsc"
timeout -k 10 "$limit" qemu-system-x86_64 -accel tcg,thread=single -cpu "$processor" -smp "$cpus" \
	-m "$memory" -display none -no-reboot -nodefaults -serial stdio \
	"${disk[@]}" \
	-virtfs local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap \
	-kernel "$kernel/vmlinuz" -initrd "$work/initrd.img" -append "$words $append" \
	</dev/null 2>&1 | sed -u 's/\r//g' | tee "$work/console" |
	sed -u -n '/^fibtrace-vm: begin$/,$ {
		/^fibtrace-vm: begin$/d
		s/fibtrace-vm: exit status [0-9]*$//
		t last
		p
		d
		:last
		/./p
		:rest
		n
		b rest
	}'
qemu_status=${PIPESTATUS[0]}

status=$(sed -n 's/.*fibtrace-vm: exit status \([0-9]*\)$/\1/p' "$work/console" | tail -n 1)
[ -z "$status" ] || exit "$status"
echo "--- the end of the console of $(cat "$kernel/release"):" >&2
tail -n 60 "$work/console" >&2
[ "$qemu_status" -eq 124 ] && die "$STATUS_SILENT" "the guest did not end within $limit s"
die "$STATUS_NO_VM" "the guest died (QEMU's exit status is $qemu_status)"
