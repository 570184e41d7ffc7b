# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The story's host, which learns that the way to one far away carries less: a route exception of IPv6.

FAR=2001:db8:9::9

# The story's host and its VPN, and behind wan a host far away, by a link that carries less:
#
#   host  eth0 2001:db8:1::2 ── 2001:db8:1::1 eth0  wan  far0 (MTU 1300) ── eth0  far, 2001:db8:9::9
#         wg0  fd00:64::2 ~~~~~ fd00:64::1 wgvpn (wan, too)
exception_scene() {
	story_begin
	new_ns far
	link wan far0 198.51.100.1/24 far eth0 198.51.100.2/24
	speaks_inet6 host wan far
	sysctl_in wan net.ipv6.conf.all.forwarding 1
	address_in host eth0 2001:db8:1::2/64
	address_in wan eth0 2001:db8:1::1/64
	address_in wan far0 2001:db8:2::1/64
	address_in far eth0 2001:db8:2::9/64
	address_in far lo "$FAR/128"
	ip_in wan link set far0 mtu 1300
	ip_in far link set eth0 mtu 1300
	ip_in host route add default via 2001:db8:1::1
	ip_in wan route add "$FAR" via 2001:db8:2::9
	ip_in far route add default via 2001:db8:2::1
	address_in wan wgvpn fd00:64::1/64
	in_ns host ping -6 -n -q -c 1 -w 5 -i 0.01 "$FAR" >/dev/null
}

# Of what host sends there, the router returns the first that is too big.
learn_path_mtu() {
	in_ns host ping -6 -n -q -c 1 -W 1 -M "do" -s 1400 "$FAR" >/dev/null 2>&1 || true
	ip_in host -6 route show cache | grep -q "^$FAR .*mtu 1300" ||
		fail "no path MTU was learned: $(ip_in host -6 route show cache)"
}
