#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Downloads a kernel of the table and unpacks it, without installing: fetch.sh NAME.
#
# Leaves vmlinuz, initrd.img and release in the cache and prints that folder's name. Exits with 77
# when an optional kernel is not to be had.
set -u
. "$(dirname "$0")/lib.sh"

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# --- where packages come from ------------------------------------------------------------------

# The machine's sources, old and new style, as rows of ADDRESS SUITE.
machine_sources() {
	local lists parts
	lists=$(apt-config shell f Dir::Etc::sourcelist/f)
	parts=$(apt-config shell d Dir::Etc::sourceparts/d)
	eval "local $lists $parts"
	# shellcheck disable=SC2154
	cat /dev/null "$f" "$d"/*.list 2>/dev/null | awk '
		$1 == "deb" {
			sub(/\[[^]]*\]/, "")
			print $2, $3
		}'
	# shellcheck disable=SC2154
	for f in "$d"/*.sources; do
		[ -e "$f" ] && awk -f "$VM_DIR/sources.awk" "$f"
	done
}

# suite_sources SUITE: the same mirror's lines for another release. Only its security updates
# outlive a release: what came between is part of it by then, or was never there.
suite_sources() {
	local codename address have
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	machine_sources | sort -u | while read -r address have; do
		case "$have" in
		"$codename" | stable | oldstable) have=$1 ;;
		"$codename-security" | stable-security | oldstable-security)
			[ "$1" != sid ] || continue
			have=$1-security
			;;
		*) continue ;;
		esac
		echo "deb [signed-by=$KEYRING] $address $have main"
	done
}

# private_apt SUITE: apt with a state of its own, in $apt; the machine's is not touched. An old
# release's index is no longer signed anew, so that its date says nothing.
private_apt() {
	local state=$work/apt
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	: >"$state/status"
	suite_sources "$1" >"$state/sources.list"
	[ -s "$state/sources.list" ] || unavailable "no mirror of Debian in this machine's sources"
	apt=(-q -o "Dir::State=$state" -o "Dir::State::lists=$state/lists"
		-o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache"
		-o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
		-o Acquire::Check-Valid-Until=false -o Acquire::Languages=none
		-o APT::Sandbox::User=root)
	apt-get "${apt[@]}" update >"$work/update.log" 2>&1 ||
		echo "${0##*/}: $1: $(grep -m 1 '^[EW]:' "$work/update.log")" >&2
}

# unavailable WORD…: a skip or, for a required kernel, a failure.
unavailable() {
	kernel_required "$name" && die 1 "$name: $*"
	die "$STATUS_SKIP" "$name: $*"
}

# --- packages ----------------------------------------------------------------------------------

# depends_on PACKAGE PATTERN: the first package it depends on that matches.
depends_on() {
	apt-cache "${apt[@]}" depends --important "$1" 2>/dev/null |
		sed -n 's/^ *\(Pre\)\?Depends: //p' | grep -m 1 -E "$2"
}

# The packages that hold the kernel that a meta-package stands for: one, or from 7.x on the
# kernel, its modules and what is known of them apart.
kernel_packages() {
	local image part
	image=$(depends_on "$package" '^linux-image-[0-9].*-amd64$') || return 1
	[ "$version" = - ] || [[ $image == "linux-image-${version%.}"[.+-]* ]] || return 1
	echo "$image"
	for part in linux-base linux-binary linux-modules; do
		depends_on "$image" "^$part-[0-9]"
	done
	return 0
}

download() {
	local packages
	mapfile -t packages < <(kernel_packages)
	[ ${#packages[@]} -gt 0 ] || return 1
	mkdir -p "$work/debs"
	(cd "$work/debs" && apt-get "${apt[@]}" download "${packages[@]}") >"$work/download.log" 2>&1
}

# The machine's own apt knows this release's kernels; its lists may be missing or too old.
download_any() {
	apt=(-q -o APT::Sandbox::User=root)
	if [ "$suite" = release ]; then
		download && return
		suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	fi
	private_apt "$suite"
	download || unavailable "no $package ${version#-} in $suite:" \
		"$(grep -h -m 1 '^E:' "$work"/*.log || echo 'not offered')"
}

# --- the kernel and its modules ----------------------------------------------------------------

unpack() {
	local deb
	for deb in "$work"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/tree" --exclude='./usr/share' \
			--exclude='*/kernel/sound' --exclude='*/kernel/drivers/gpu' \
			--exclude='*/kernel/drivers/media' || die 1 "$name: cannot unpack $deb"
	done
	[ -d "$work/tree/lib/modules" ] || ln -s usr/lib "$work/tree/lib"
	release=$(cd "$work/tree/lib/modules" && echo *)
	depmod -b "$work/tree" "$release" || die 1 "$name: depmod failed"
}

# load_order MODULE: the files to load for it, what it depends on first.
load_order() {
	modprobe -C /dev/null -d "$work/tree" -S "$release" --show-depends "$1" \
		2>>"$work/modules.log" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
}

# plain FILE TARGET: busybox loads only what is not compressed.
plain() {
	case "$1" in
	*.xz) xz -dc "$1" >"$2" ;;
	*.zst) zstd -qdc "$1" >"$2" ;;
	*.gz) gzip -dc "$1" >"$2" ;;
	*) cp "$1" "$2" ;;
	esac
}

# A module that is built in is in no list, which is fine; one that is unknown is not.
known_module() {
	[ -n "$(load_order "$1")" ] ||
		modprobe -C /dev/null -d "$work/tree" -S "$release" --show-depends "$1" \
			>/dev/null 2>&1
}

module_files() {
	local module when
	rows modules | while read -r module when; do
		if ! known_module "$module"; then
			[ "$when" = maybe ] || echo "${0##*/}: $name: no module $module" >&2
			continue
		fi
		load_order "$module"
	done | awk '!seen[$0]++'
}

# The guest's first root: busybox, the modules in the order to load them, and init.
make_initrd() {
	local file base root=$work/initrd
	mkdir -p "$root"/{bin,dev,proc,ro,rw,new,modules}
	cp "$(command -v busybox)" "$root/bin/busybox"
	install -m 755 "$VM_DIR/init" "$root/init"
	while read -r file; do
		base=$(basename "$file")
		base=${base%%.ko*}.ko
		plain "$file" "$root/modules/$base" || die 1 "$name: cannot unpack $file"
		echo "$base" >>"$root/modules/order"
	done < <(module_files)
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$work/initrd.img" ||
		die 1 "$name: cannot write the initrd"
}

kernel_file() {
	local file
	for file in "$work/tree/boot/vmlinuz-$release" "$work/tree/lib/modules/$release/vmlinuz"; do
		[ -e "$file" ] && echo "$file" && break
	done
}

# What is in the cache is whole: it comes there by one rename.
publish() {
	mkdir "$work/ready"
	cp "$(kernel_file)" "$work/ready/vmlinuz" || die 1 "$name: no vmlinuz"
	mv "$work/initrd.img" "$work/ready/"
	cp "$work/tree/lib/modules/$release/modules.dep" "$work/ready/"
	echo "$release" >"$work/ready/release"
	inputs >"$work/ready/inputs"
	rm -rf "${VM_CACHE:?}/$name"
	mv "$work/ready" "$VM_CACHE/$name"
}

# What a kernel in the cache was made with: it is made again when that changed.
inputs() {
	kernel_row "$name"
	cat "$VM_DIR/init" "$VM_DIR/modules" | cksum
}

cached() {
	[ -e "$VM_CACHE/$name/release" ] && inputs | cmp -s - "$VM_CACHE/$name/inputs"
}

fetch() {
	work=$(mktemp -d "$VM_CACHE/fetch.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	mkdir "$work/tree"
	download_any
	unpack
	make_initrd
	publish
}

[ $# -eq 1 ] || die 2 "give one of: $(kernel_names | tr '\n' ' ')"
name=$1
row=$(kernel_row "$name") || die 2 "no kernel '$name'; there are: $(kernel_names | tr '\n' ' ')"
read -r _ suite package version _ <<<"$row"
mkdir -p "$VM_CACHE"
exec {lock}>"$VM_CACHE/.lock.$name"
flock "$lock"
if ! cached; then
	require busybox depmod modprobe cpio xz zstd
	command -v apt-get >/dev/null || unavailable "needs apt-get to download it"
	fetch
fi
echo "$VM_CACHE/$name"
