# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The story's hosts: a Raspberry Pi with Tailscale and a WireGuard VPN, and what they talk to.
#
#   host  eth0 192.0.2.2 ──────── 192.0.2.1 eth0  wan, 203.0.113.5 is the VPN's endpoint
#         wg0  10.64.0.2 ~~~~~~~~ 10.64.0.1 wgvpn (wan too; it answers for 100.64.0.9 as well)
#         tailscale0 100.64.0.2 ─ tailscale0      ts, 100.64.0.9 is the tailnet's machine
#
# wg-quick is the real one; WireGuard is the kernel's where it has it, else wireguard-go.

# shellcheck source=tests/live/neighbours.sh
. "$(dirname "${BASH_SOURCE[0]}")/neighbours.sh"

STORY_PEER=100.64.0.9
STORY_ENDPOINT=203.0.113.5

story_require() {
	require wg wg-quick nft ping sysctl
	kernel_has_wireguard || require wireguard-go
	[ -c /dev/net/tun ] || kernel_has_wireguard || skip_all "needs /dev/net/tun"
}

kernel_has_wireguard() {
	has_devices wireguard
}

story_network() {
	new_ns host wan ts
	link host eth0 192.0.2.2/24 wan eth0 192.0.2.1/24
	link host tailscale0 100.64.0.2/32 ts tailscale0 100.64.0.1/32
	ip_in wan address add "$STORY_ENDPOINT/32" dev lo
	ip_in wan address add "$STORY_PEER/32" dev lo
	ip_in ts address add "$STORY_PEER/32" dev lo
	ip_in ts route add 100.64.0.2 dev tailscale0
	ip_in host route add default via 192.0.2.1
	reach host 192.0.2.1
	reach host "$STORY_PEER" -I tailscale0
	pin_neighbours host wan ts
}

# What tailscaled adds: its four rules and the tailnet's machine in table 52.
story_tailscale() {
	ip_in host rule add pref 5210 fwmark 0x80000/0xff0000 lookup main
	ip_in host rule add pref 5230 fwmark 0x80000/0xff0000 lookup default
	ip_in host rule add pref 5250 fwmark 0x80000/0xff0000 unreachable
	ip_in host rule add pref 5270 lookup 52
	ip_in host route add "$STORY_PEER" dev tailscale0 table 52
}

story_keys() {
	umask 077
	wg genkey >"$WORK/host.key"
	wg genkey >"$WORK/vpn.key"
	wg pubkey <"$WORK/host.key" >"$WORK/host.pub"
	wg pubkey <"$WORK/vpn.key" >"$WORK/vpn.pub"
}

# The VPN's server, in wan: it takes what both families send.
story_vpn_server() {
	if kernel_has_wireguard; then
		ip_in wan link add wgvpn type wireguard
	else
		in_ns wan wireguard-go wgvpn >/dev/null 2>&1
	fi
	in_ns wan wg set wgvpn listen-port 51820 private-key "$WORK/vpn.key" \
		peer "$(cat "$WORK/host.pub")" allowed-ips 10.64.0.2/32,fd00:64::2/128
	ip_in wan address add 10.64.0.1/24 dev wgvpn
	ip_in wan link set wgvpn up
}

# wg-quick takes "all traffic", as VPN providers' files have it.
story_wg_quick() {
	story_wg_quick_with 10.64.0.2/32 0.0.0.0/0
}

# The same for both families.
story_wg_quick_dual() {
	story_wg_quick_with "10.64.0.2/32, fd00:64::2/128" "0.0.0.0/0, ::/0"
}

# story_wg_quick_with ADDRESSES ALLOWED: lists, as wg-quick's file spells them.
story_wg_quick_with() {
	cat >"$WORK/wg0.conf" <<-END
		[Interface]
		Address = $1
		PrivateKey = $(cat "$WORK/host.key")
		[Peer]
		PublicKey = $(cat "$WORK/vpn.pub")
		AllowedIPs = $2
		Endpoint = $STORY_ENDPOINT:51820
	END
	in_ns host env WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go \
		wg-quick up "$WORK/wg0.conf" >"$WORK/wg-quick.log" 2>&1
}

story_begin() {
	story_network
	story_keys
	story_vpn_server
}

# Tailscale first: wg-quick's rules land in front of Tailscale's.
story_bad_order() {
	story_begin
	story_tailscale
	story_wg_quick
}

story_good_order() {
	story_begin
	story_wg_quick
	story_tailscale
}
