# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Neighbours that never ask: what ARP sends in its own time would be counted among our packets.

# pin_neighbours NAME…: the neighbours that these namespaces know by now stay known.
pin_neighbours() {
	local name
	for name in "$@"; do
		ip_in "$name" neighbour show |
			awk '$4 == "lladdr" { print "neighbour replace", $1, "dev", $3, "lladdr", $5,
				"nud permanent" }' | ip_in "$name" -batch -
	done
}
