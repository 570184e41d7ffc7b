#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The modules of user/ depend on each other in one direction, and each kind of I/O has one home.

set -u
cd "$(dirname "$0")/../.." || exit 1

# What a folder of user/ may include of the project, as patterns of paths; its own headers always.
declare -A allowed=(
	[util]=''
	[rules]='util/* bpf/flow.h bpf/purpose.h'
	[filter]='util/* rules/* bpf/filter.h bpf/flow.h'
	[trace]='util/* rules/* bpf/event.h bpf/flow.h bpf/purpose.h'
	[diff]='util/* rules/* trace/* bpf/event.h bpf/flow.h bpf/purpose.h'
	[render]='util/* rules/* trace/* diff/* bpf/event.h bpf/flow.h'
	[log]='util/* rules/* trace/* bpf/event.h bpf/flow.h'
	[journal]='util/* render/entry.h'
	[netlink]='util/* rules/* bpf/flow.h'
	[capture]='util/* bpf/*'
	[cli]='util/* filter/* rules/names.h rules/purpose.h bpf/filter.h bpf/flow.h'
	[main]='*'
)

# Headers of the system that only one folder may include, as patterns.
declare -A only_in=(
	[capture]='bpf/libbpf* bpf/bpf* bpf/btf* linux/bpf* linux/btf* libelf.h gelf.h'
	[journal]='dlfcn.h'
	[netlink]='libmnl/* linux/netlink.h linux/genetlink.h'
)

# The words of netlink messages. Numbers of routes that the kernel's own interface shares with
# them (RTN_, RT_TABLE_, FR_ACT_) are not meant: linux/rtnetlink.h is where those are defined.
NETLINK_WORDS='\<((NLMSG|NLM|NLA|RTM|RTA|RTAX|FRA|IFLA|IFA|NHA|RTNLGRP|RTMGRP)_[A-Z]|mnl_|nlmsghdr|nlattr|rtmsg|rtattr|ifinfomsg|ifaddrmsg|nhmsg|fib_rule_hdr|sockaddr_nl|AF_NETLINK)'

failed=0

problem() {
	printf 'deps: %s\n' "$1" >&2
	failed=1
}

# The folder a file belongs to; a file that is in none belongs to main.
module_of() {
	local path=${1#user/}
	case $path in
	*/*) printf '%s\n' "${path%%/*}" ;;
	*) echo main ;;
	esac
}

# matches TEXT PATTERN…
matches() {
	local pattern
	for pattern in "${@:2}"; do
		# shellcheck disable=SC2053 # a pattern is meant
		[[ $1 == $pattern ]] && return 0
	done
	return 1
}

# check_project_include FILE HEADER
check_project_include() {
	local module patterns
	module=$(module_of "$1")
	if [ -z "${allowed[$module]+known}" ]; then
		problem "$1: user/$module has no row of allowed dependencies"
		return
	fi
	read -r -a patterns <<<"${allowed[$module]}"
	matches "$2" "$module/*" "${patterns[@]}" ||
		problem "$1: $module must not include \"$2\""
}

# check_system_include FILE HEADER
check_system_include() {
	local home module patterns
	module=$(module_of "$1")
	for home in "${!only_in[@]}"; do
		read -r -a patterns <<<"${only_in[$home]}"
		[ "$module" = "$home" ] || ! matches "$2" "${patterns[@]}" ||
			problem "$1: only user/$home includes <$2>"
	done
}

check_includes() {
	local header
	while read -r header; do
		case $header in
		'"'*) check_project_include "$1" "${header//\"/}" ;;
		*) check_system_include "$1" "${header//[<>]/}" ;;
		esac
	done < <(sed -n -E 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*("[^"]*"|<[^>]*>).*/\1/p' "$1")
}

# Only netlink/ knows netlink: its messages, not only its headers.
check_netlink() {
	local found
	case $1 in
	user/netlink/*) return ;;
	esac
	found=$(sed -E 's@/\*.*@@; s@//.*@@; s@^[[:space:]]*\*.*@@' "$1" |
		grep -n -E "$NETLINK_WORDS") &&
		problem "$1: only user/netlink knows netlink: $found"
	return 0
}

# Only render/ and the help text write to stdout; the pointer may be handed to them.
check_stdout() {
	local found
	case $1 in
	user/render/* | user/cli/options.c) return ;;
	esac
	found=$(grep -n -E '(^|[^_[:alnum:]])v?(printf|puts|putchar)(_unlocked)?\(' "$1") &&
		problem "$1: writes to stdout: $found"
	found=$(grep -n -E '(f?write|fputs|fputc|putc|v?fprintf|dprintf)\(.*(stdout|STDOUT_FILENO)|write\(1,' \
		"$1") && problem "$1: writes to stdout: $found"
	return 0
}

# Below main errors are returned.
check_exit() {
	local found
	found=$(grep -n -E '(^|[^_[:alnum:]])(exit|abort)\(' "$1") &&
		problem "$1: only main.c ends the program: $found"
	return 0
}

while read -r file; do
	check_includes "$file"
	check_netlink "$file"
	check_stdout "$file"
	[ "$file" = user/main.c ] || check_exit "$file"
done < <(find user -name '*.[ch]' -type f | sort)
exit $failed
