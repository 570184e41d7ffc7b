#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tests of nesting.sh for IPv6.

FAMILY=6 exec "$(dirname "$0")/nesting.sh" "$@"
