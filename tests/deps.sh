#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Installs what fibtrace is built and tested with: deps.sh build|test|vm. YES=1 does not ask.
set -u

build_packages=(gcc make pkg-config clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libmnl-dev
    libcap-ng-dev libseccomp-dev)
test_packages=(libcmocka-dev iproute2 iputils-ping nftables wireguard-tools wireguard-go jq
    python3 python3-jsonschema clang-format shellcheck util-linux procps libcap2-bin strace
    netcat-openbsd man-db groff systemd)

vm_packages=(qemu-system-x86 busybox-static kmod cpio xz-utils zstd debian-archive-keyring
    e2fsprogs)

packages=("${build_packages[@]}")
[ "${1:-test}" != build ] && packages+=("${test_packages[@]}")
[ "${1:-test}" = vm ] && packages+=("${vm_packages[@]}")

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    tool() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null; }
    tool clang && tool bpftool && pkg-config --exists libbpf libelf zlib libmnl libcap-ng libseccomp &&
        exit 0
    echo "Install what these Debian packages hold, then run make again: ${packages[*]}" >&2
    exit 1
fi

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' ||
        missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "fibtrace needs these packages: ${missing[*]}"
if [ -t 0 ] && [ "${YES:-}" != 1 ]; then
    read -r -p 'Install them now? [Y/n] ' answer
    case "$answer" in
    '' | y | Y | yes) ;;
    *) exit 1 ;;
    esac
fi
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q || echo 'apt-get update failed; trying with the lists at hand' >&2
exec "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
