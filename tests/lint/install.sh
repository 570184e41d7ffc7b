#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `make install` puts everything where it says, and the systemd unit, as it is then, is valid and
# confined.

set -u
cd "$(dirname "$0")/../.." || exit 1

# In tenths, of the 10 that systemd-analyze(1) gives a service without any limits.
EXPOSED_MOST=25
failed=0

problem() {
	printf 'install: %s\n' "$1" >&2
	failed=1
}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# What it installs would be built first; where that is elsewhere, it has been.
make -s install "DESTDIR=$root" prefix=/opt/fibtrace "BUILD=${BUILD:-build}" >"$root/log" 2>&1 ||
	problem "make install fails: $(tail -n 1 "$root/log")"
for file in sbin/fibtrace share/man/man8/fibtrace.8 share/fibtrace/schema.json \
	share/bash-completion/completions/fibtrace lib/systemd/system/fibtrace.service; do
	[ -s "$root/opt/fibtrace/$file" ] || problem "it does not install $file"
done

unit=$root/opt/fibtrace/lib/systemd/system/fibtrace.service
grep -q '^ExecStart=/opt/fibtrace/sbin/fibtrace ' "$unit" ||
	problem "the unit does not run what is installed"
# Where the binary is now, for it must be there to be valid.
sed "s,=/opt/,=$root/opt/," "$unit" >"$root/fibtrace.service"
said=$(systemd-analyze verify --man=no "$root/fibtrace.service" 2>&1) || problem "the unit: $said"
[ -z "$said" ] || problem "the unit: $said"
said=$(systemd-analyze security --offline=yes --threshold="$EXPOSED_MOST" \
	"$root/fibtrace.service" 2>&1) || problem "the unit: $(tail -n 1 <<<"$said")"

[ "$failed" = 0 ] || echo 'install: see Makefile and docs/packaging'
exit "$failed"
