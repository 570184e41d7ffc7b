#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The shell scripts pass shellcheck.

set -u
cd "$(dirname "$0")/../.." || exit 1

mapfile -t files < <(find tests demo docs .ci -type f \
	\( -name '*.sh' -o -name '*.bash' -o -path .ci/run \) 2>/dev/null | sort)
# SC2317: tests are functions that are called by name. SC2016: programs for 'sh -c' are meant
# to be expanded there.
if ! shellcheck -e SC2317,SC2016 -x -P SCRIPTDIR "${files[@]}"; then
	echo 'shell: shellcheck finds the problems above' >&2
	exit 1
fi
