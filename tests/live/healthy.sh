#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tests that nothing is found wrong with hosts whose rules and routes are as well-known programs
# mean them to be, whatever they send, receive and forward.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cases_ns.sh"

# One host after "= NAME": what ip(8) is given, and
#   mark MARK [DESTINATION]…   a mark that its programs use, to the VPN's endpoint by default
#   source ADDRESS             an address that sockets are bound to
#   inbound NAME ADDRESS       who outside talks to which of the host's addresses
#   sysctl KEY VALUE, nft RULE
#   need TYPE [ARG]…           of a device that it takes
HOSTS=$(cat <<'END'
= plain
= openvpn_halves
route add 0.0.0.0/1 dev wg0
route add 128.0.0.0/1 dev wg0
route add 203.0.113.5 via 192.0.2.1
= tailscale
rule add pref 5210 fwmark 0x80000/0xff0000 lookup main
rule add pref 5230 fwmark 0x80000/0xff0000 lookup default
rule add pref 5250 fwmark 0x80000/0xff0000 unreachable
rule add pref 5270 lookup 52
route add 100.64.0.9 dev tailscale0 table 52
mark 0x80000
mark 0x40000
inbound ts 100.64.0.2
= tailscale_exit_node
rule add pref 5210 fwmark 0x80000/0xff0000 lookup main
rule add pref 5230 fwmark 0x80000/0xff0000 lookup default
rule add pref 5250 fwmark 0x80000/0xff0000 unreachable
rule add pref 5270 lookup 52
route add 100.64.0.9 dev tailscale0 table 52
route add default dev tailscale0 table 52
route add throw 192.0.2.0/24 table 52
route add throw 10.10.0.0/24 table 52
mark 0x80000
inbound ts 100.64.0.2
= tailscale_on_openwrt_with_mwan3
rule add pref 1001 iif eth0 lookup 1
rule add pref 1002 iif wg0 lookup 2
rule add pref 1310 fwmark 0x80000/0xff0000 lookup main
rule add pref 1330 fwmark 0x80000/0xff0000 lookup default
rule add pref 1350 fwmark 0x80000/0xff0000 unreachable
rule add pref 1370 lookup 52
rule add pref 2001 fwmark 0x100/0x3f00 lookup 1
rule add pref 2002 fwmark 0x200/0x3f00 lookup 2
rule add pref 2061 fwmark 0x3d00/0x3f00 blackhole
rule add pref 2062 fwmark 0x3e00/0x3f00 unreachable
route add 100.64.0.9 dev tailscale0 table 52
route add 192.0.2.0/24 dev eth0 table 1
route add 10.10.0.0/24 dev lan0 table 1
route add default via 192.0.2.1 table 1
route add 192.0.2.0/24 dev eth0 table 2
route add 10.10.0.0/24 dev lan0 table 2
route add default dev wg0 table 2
mark 0x80000
mark 0x100 198.51.100.1
mark 0x200 198.51.100.9
mark 0x3f00 198.51.100.1
= wg_quick
rule add not fwmark 51820 table 51820
rule add table main suppress_prefixlength 0
route add default dev wg0 table 51820
sysctl net.ipv4.conf.all.src_valid_mark 1
mark 0xca6c
= wg_quick_with_strict_reverse_paths
rule add not fwmark 51820 table 51820
rule add table main suppress_prefixlength 0
route add default dev wg0 table 51820
sysctl net.ipv4.conf.all.src_valid_mark 1
sysctl net.ipv4.conf.all.rp_filter 1
nft add table ip wg-quick-wg0
nft add chain ip wg-quick-wg0 premangle { type filter hook prerouting priority mangle; }
nft add rule ip wg-quick-wg0 premangle meta mark set ct mark
nft add chain ip wg-quick-wg0 postmangle { type filter hook postrouting priority mangle; }
nft add rule ip wg-quick-wg0 postmangle meta mark 51820 ct mark set meta mark
mark 0xca6c
= wg_quick_then_tailscale
rule add not fwmark 51820 table 51820
rule add table main suppress_prefixlength 0
route add default dev wg0 table 51820
rule add pref 5210 fwmark 0x80000/0xff0000 lookup main
rule add pref 5230 fwmark 0x80000/0xff0000 lookup default
rule add pref 5250 fwmark 0x80000/0xff0000 unreachable
rule add pref 5270 lookup 52
route add 100.64.0.9 dev tailscale0 table 52
sysctl net.ipv4.conf.all.src_valid_mark 1
mark 0xca6c
mark 0x80000
inbound ts 100.64.0.2
= wg_quick_for_some_networks
route add 198.51.100.9 dev wg0
mark 0xca6c
= wg_quick_with_kill_switch
rule add not fwmark 51820 table 51820
rule add table main suppress_prefixlength 0
route add default dev wg0 table 51820
route add unreachable default metric 4278198272 table 51820
sysctl net.ipv4.conf.all.src_valid_mark 1
mark 0xca6c
= wg_quick_with_a_route_for_the_tailnet
rule add not fwmark 51820 table 51820
rule add table main suppress_prefixlength 0
route add default dev wg0 table 51820
route add 100.64.0.9 dev tailscale0
sysctl net.ipv4.conf.all.src_valid_mark 1
mark 0xca6c
= mullvad
rule add not fwmark 0x6d6f6c65 table 1836018789
rule add table main suppress_prefixlength 0
route add default dev wg0 table 1836018789
sysctl net.ipv4.conf.all.src_valid_mark 1
mark 0x6d6f6c65
= nordvpn
link set wg0 group 57841
route add default dev wg0 table 205
rule add pref 32765 not fwmark 0xe1f1 lookup 205
rule add pref 32764 lookup main suppress_prefixlength 0 suppress_ifgroup 57841
rule add pref 32763 to 10.10.0.0/24 lookup main
sysctl net.ipv4.conf.all.rp_filter 2
mark 0xe1f1
= pia
rule add pref 50 lookup main suppress_prefixlength 1
rule add pref 70 fwmark 0x3214 lookup 12820
rule add pref 100 fwmark 0x3212 lookup 12818
rule add pref 101 fwmark 0x3211 lookup 12817
rule add pref 102 not fwmark 0x3213 lookup 12819
route add default via 192.0.2.1 table 12817
route add default dev wg0 table 12818
route add default dev wg0 table 12820
route add default dev wg0 table 12819
mark 0x3213
mark 0x3211 198.51.100.1
mark 0x3212 198.51.100.9
= ivpn
rule add not fwmark 51820 table 51820
rule add table main suppress_prefixlength 0
rule add fwmark 0xca6c lookup 17
route add default dev wg0 table 51820
route add default via 192.0.2.1 table 17
mark 0xca6c
= netbird
rule add pref 105 lookup main suppress_prefixlength 0
rule add pref 110 not fwmark 0x1bd00 lookup 7120
route add 198.51.100.9 dev wg0 table 7120
mark 0x1bd00
= netbird_exit_node
rule add pref 105 lookup main suppress_prefixlength 0
rule add pref 110 not fwmark 0x1bd00 lookup 7120
route add default dev wg0 table 7120
mark 0x1bd00
= networkmanager_wireguard
rule add pref 31000 lookup main suppress_prefixlength 0
rule add pref 31001 not fwmark 0xcb20 lookup 52000
route add default dev wg0 table 52000
mark 0xcb20
= networkmanager_profile
address add 203.0.113.130/25 dev wg0
rule add pref 102 from 203.0.113.130 lookup 102 protocol static
route add 203.0.113.128/25 dev wg0 table 102
route add default via 203.0.113.129 dev wg0 table 102
source 203.0.113.130
inbound vpn 203.0.113.130
= systemd_networkd_source_routing
address add 203.0.113.130/25 dev wg0
rule add pref 101 from 192.0.2.2 lookup 101 protocol static
rule add pref 102 from 203.0.113.130 lookup 102 protocol static
route add 10.10.0.0/24 dev lan0 table 101 protocol static
route add 192.0.2.0/24 dev eth0 table 101 protocol static
route add default via 192.0.2.1 table 101 protocol static
route add 203.0.113.128/25 dev wg0 table 102 protocol static
route add default via 203.0.113.129 dev wg0 table 102 protocol static
source 192.0.2.2
source 203.0.113.130
inbound wan 192.0.2.2
inbound vpn 203.0.113.130
= ec2_net_utils
address add 203.0.113.130/25 dev wg0
rule add pref 10101 from 203.0.113.130 lookup 10101 protocol static
route add 203.0.113.128/25 dev wg0 table 10101
route add default via 203.0.113.129 dev wg0 table 10101
source 203.0.113.130
inbound vpn 203.0.113.130
= cilium
rule add pref 100 lookup local protocol kernel
rule del pref 0
rule add pref 9 fwmark 0x200/0xf00 lookup 2004 protocol kernel
rule add pref 10 fwmark 0xa00/0xf00 lookup 2005 protocol kernel
route add local default dev lo table 2004
route add default via 192.0.2.1 table 2005
route add 10.20.0.0/24 via 10.10.0.5
mark 0xa00 198.51.100.1
= cilium_on_aws
rule add pref 100 lookup local protocol kernel
rule del pref 0
rule add pref 20 to 10.10.0.5 lookup main protocol kernel
rule add pref 109 fwmark 0x80/0x80 lookup main protocol kernel
rule add pref 111 from 10.10.0.5 lookup 11 protocol kernel
route add 192.0.2.0/24 dev eth0 table 11
route add default via 192.0.2.1 table 11
mark 0x80 198.51.100.1
= aws_vpc_cni
rule add pref 512 to 10.10.0.5 lookup main
rule add pref 1024 fwmark 0x80/0x80 lookup main
rule add pref 1536 from 10.10.0.5 lookup 2
route add 192.0.2.1 dev eth0 table 2
route add default via 192.0.2.1 table 2
mark 0x80 198.51.100.1
= calico_wireguard
rule add pref 99 not fwmark 0x100000/0x100000 lookup 1
route add 198.51.100.9 dev wg0 table 1
route add throw 10.10.0.0/24 table 1
mark 0x100000
= kube_router
rule add pref 32764 lookup 79
rule add pref 32765 fwmark 0x4000 lookup 78
route add local default dev lo table 78
route add 203.0.113.200 dev lan0 table 79
= submariner
rule add pref 150 lookup 150
rule add pref 100 lookup 100
route add 198.51.100.9 dev wg0 table 150
route add 10.30.0.0/16 dev wg0 table 100
= strongswan
rule add pref 220 lookup 220
route add 198.51.100.9 via 192.0.2.1 dev eth0 table 220
= strongswan_without_tunnels
rule add pref 220 lookup 220
= keepalived
address add 192.0.2.22/24 dev eth0
rule add pref 1100 from 192.0.2.22 lookup 50 protocol keepalived
route add 192.0.2.0/24 dev eth0 src 192.0.2.22 table 50
route add default via 192.0.2.1 src 192.0.2.22 table 50
source 192.0.2.22
inbound wan 192.0.2.22
= frr_pbr
rule add pref 309 from 10.10.0.5 to 198.51.100.0/24 iif lan0 lookup 10000 protocol zebra
route add default dev wg0 table 10000 protocol zebra
= mwan3
rule add pref 1001 iif eth0 lookup 1
rule add pref 1002 iif wg0 lookup 2
rule add pref 2001 fwmark 0x100/0x3f00 lookup 1
rule add pref 2002 fwmark 0x200/0x3f00 lookup 2
rule add pref 2061 fwmark 0x3d00/0x3f00 blackhole
rule add pref 2062 fwmark 0x3e00/0x3f00 unreachable
rule add pref 3001 fwmark 0x100/0x3f00 unreachable
rule add pref 3002 fwmark 0x200/0x3f00 unreachable
route add 192.0.2.0/24 dev eth0 table 1
route add 10.10.0.0/24 dev lan0 table 1
route add default via 192.0.2.1 table 1
route add 192.0.2.0/24 dev eth0 table 2
route add 10.10.0.0/24 dev lan0 table 2
route add default dev wg0 table 2
mark 0x100 198.51.100.1
mark 0x200 198.51.100.9
mark 0x3d00 198.51.100.1
mark 0x3e00 198.51.100.1
mark 0x3f00 198.51.100.1
= openwrt_pbr
rule add pref 29999 fwmark 0x10000/0xff0000 lookup 256
rule add pref 30000 fwmark 0x20000/0xff0000 lookup 257
route add 10.10.0.0/24 dev lan0 table 256
route add default via 192.0.2.1 table 256
route add 10.10.0.0/24 dev lan0 table 257
route add default dev wg0 table 257
mark 0x10000 198.51.100.1
mark 0x20000 198.51.100.9
= openwrt_netifd
rule add pref 10000 from 192.0.2.2 lookup 256
rule add pref 20000 to 192.0.2.0/24 lookup 256
rule add pref 90005 iif lo lookup 256
route add 10.10.0.0/24 dev lan0 table 256
route add 192.0.2.0/24 dev eth0 table 256
route add default via 192.0.2.1 table 256
source 192.0.2.2
= unifi
rule add pref 32501 fwmark 0x1a0000/0x7e0000 lookup 201
rule add pref 32502 fwmark 0x1c0000/0x7e0000 lookup 202
route add default via 192.0.2.1 table 201
route add default dev wg0 table 202
mark 0x1a0000 198.51.100.1
mark 0x1c0000 198.51.100.9
= docker
need bridge
link add docker0 type bridge
link set docker0 up
link set lan0 master docker0
address del 10.10.0.1/24 dev lan0
address add 10.10.0.1/24 dev docker0
nft add table ip nat
nft add chain ip nat postrouting { type nat hook postrouting priority srcnat; }
nft add rule ip nat postrouting ip saddr 10.10.0.0/24 oifname != "docker0" masquerade
= docker_published_port
nft add table ip nat
nft add chain ip nat prerouting { type nat hook prerouting priority dstnat; }
nft add rule ip nat prerouting iifname "eth0" ip daddr 192.0.2.2 dnat to 10.10.0.5
nft add chain ip nat postrouting { type nat hook postrouting priority srcnat; }
nft add rule ip nat postrouting ip saddr 10.10.0.0/24 oifname "eth0" masquerade
= sing_box
address add 172.18.0.1/30 dev wg0
rule add pref 9000 to 172.18.0.0/30 lookup 2022
rule add pref 9001 lookup 2022 suppress_prefixlength 0
rule add pref 9002 not dport 53 lookup main suppress_prefixlength 0
rule add pref 9010 nop
rule add pref 9002 iif wg0 goto 9010
rule add pref 9003 not iif lo lookup 2022
rule add pref 9003 from 0.0.0.0/32 iif lo lookup 2022
rule add pref 9003 from 172.18.0.0/30 iif lo lookup 2022
route add default dev wg0 table 2022
source 192.0.2.2
= gluetun
rule add pref 98 to 192.0.2.0/24 lookup main
rule add pref 98 to 10.10.0.0/24 lookup main
rule add pref 99 to 198.51.100.1 lookup 199
rule add pref 100 from 192.0.2.2 lookup 200
rule add pref 101 not fwmark 51820 lookup 51820
route add 198.51.100.1 via 192.0.2.1 table 199
route add 192.0.2.0/24 dev eth0 table 200
route add default via 192.0.2.1 table 200
route add default dev wg0 table 51820
mark 51820
inbound wan 192.0.2.2
= outline
rule add pref 28958 not fwmark 0x711e lookup 7113 protocol static
route add 10.10.0.0/24 dev lan0 table 7113
route add 192.0.2.0/24 dev eth0 table 7113
route add default dev wg0 table 7113
mark 0x711e
= networkmanager_dns
rule add pref 20053 not fwmark 20053 lookup 20053 protocol static
route add 198.51.100.9 dev wg0 table 20053
= vrf
need vrf table 1000
link add red type vrf table 1000
link set red up
link set tailscale0 master red
route add default dev tailscale0 table 1000
rule add pref 2000 l3mdev unreachable
rule add pref 32765 lookup local
rule del pref 0
= tproxy
rule add fwmark 1 lookup 100
route add local default dev lo table 100
nft add table ip intercept
nft add chain ip intercept prerouting { type filter hook prerouting priority mangle; }
nft add rule ip intercept prerouting iifname "lan0" ip daddr != { 10.0.0.0/8, 192.0.2.0/24 } meta l4proto tcp meta mark set 1
= users_vpn
rule add pref 100 uidrange 1000-1999 lookup 101
route add default dev wg0 table 101
= lan_vpn
rule add pref 99 iif lan0 lookup main suppress_prefixlength 0
rule add pref 100 iif lan0 lookup 101
route add default dev wg0 table 101
END
)

host_names() {
	sed -n 's/^= //p' <<<"$HOSTS"
}

# lines_of HOST WORD: its lines that begin with the word, without it.
lines_of() {
	awk -v name="= $1" -v word="$2" '/^= / { mine = $0 == name; next }
		mine && $1 == word { sub(/^[^ ]+ /, ""); print }' <<<"$HOSTS"
}

# needs HOST: what devices it takes.
needs() {
	local device
	while read -r -a device; do
		need_device "${device[@]}"
	done < <(lines_of "$1" need)
}

# set_up HOST: what the table says of it.
set_up() {
	local key value
	awk -v name="= $1" '/^= / { mine = $0 == name; next }
		mine && $1 ~ /^(rule|route|link|address)$/' <<<"$HOSTS" | ip_in host -batch -
	while read -r key value; do
		sysctl_in host "$key" "$value"
	done < <(lines_of "$1" sysctl)
	lines_of "$1" nft >"$WORK/nft"
	[ ! -s "$WORK/nft" ] || nft_host <"$WORK/nft"
}

# --- what each host does -----------------------------------------------------------------------

# What the host sends to, and forwards to for lan.
DESTINATIONS=(192.0.2.1 "$INTERNET" "$BEHIND_VPN" "$TAILNET" "$ENDPOINT")
OWN_ADDRESSES=(127.0.0.1 192.0.2.2 10.10.0.1)

# A program of the traffic: these lines at the same time.
at_once() {
	printf '%s >/dev/null 2>&1 &\n' "$*"
}

# talk FROM TO [MARK [SOURCE]]: a ping, a datagram and, unmarked, a TCP connection.
talk() {
	local enter="" mark=${3:-0} ping=() send=()
	[ "$1" = host ] || enter="nsenter --net=/run/netns/$(ns "$1") --"
	[ "$mark" = 0 ] || { ping=(-m $((mark))) && send=(--mark "$mark"); }
	[ -z "${4:-}" ] || { ping+=(-I "$4") && send+=(--source "$4"); }
	at_once "$enter" ping -n -q -c 1 -W 0.5 "${ping[@]}" "$2"
	at_once "$enter" "$SEND" "${send[@]}" udp "$2" 4000
	[ "$mark" != 0 ] || at_once "$enter" timeout 0.5 "$SEND" "${send[@]}" tcp "$2" 4000
}

# traffic_of HOST: a shell's program.
traffic_of() {
	local to from mark
	for to in "${DESTINATIONS[@]}" "${OWN_ADDRESSES[@]}" 10.10.0.5; do
		talk host "$to"
	done
	for to in "${DESTINATIONS[@]}" 10.10.0.1 192.0.2.2; do
		talk lan "$to"
	done
	talk wan 192.0.2.2 0 192.0.2.1
	while read -r mark to; do
		for to in ${to:-$ENDPOINT}; do
			talk host "$to" "$mark"
		done
	done < <(lines_of "$1" mark)
	while read -r from; do
		for to in "${DESTINATIONS[@]}"; do
			talk host "$to" 0 "$from"
		done
	done < <(lines_of "$1" source)
	while read -r from to; do
		talk "$from" "$to"
	done < <(lines_of "$1" inbound)
	echo wait
}

healthy_host() {
	local wanted
	needs "$1"
	scene_with_lan
	set_up "$1"
	# As the devices may have changed.
	ip_in host neighbour flush all
	traffic_of "$1" >"$WORK/traffic"
	trace_from host -- sh "$WORK/traffic"
	wanted=$(printf '%s\n' "${DESTINATIONS[@]}" "${OWN_ADDRESSES[@]}" 10.10.0.5 | jq -Rn '[inputs]')
	expect "$wanted - map(.flow.dst) | tostring" "[]"
	expect 'map(select(.purpose == "input" and .flow.src == "10.10.0.5")) | length > 0' true
	asked true healthy
}

for name in $(host_names); do
	eval "healthy_$name() { healthy_host $name; }"
done
mapfile -t names < <(host_names)

require nft "$SEND"
run_tests "${names[@]/#/healthy_}"
