#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Records tests/replay/*.events anew on this machine's kernel: record.sh RECORD DIRECTORY.
set -eu
record=$(realpath "$1")
out=$(realpath "$2")
here=fibtrace-rec-$$
peer=fibtrace-recp-$$

cleanup() {
    ip netns del "$here" 2>/dev/null || true
    ip netns del "$peer" 2>/dev/null || true
}
trap cleanup EXIT

# Devices NAME… of ours, each with its other end in the peer's namespace.
devices() {
    local name
    cleanup
    ip netns add "$here"
    ip netns add "$peer"
    ip -n "$here" link set lo up
    ip -n "$peer" link set lo up
    for name in "$@"; do
        ip -n "$here" link add "$name" type veth peer name "p$name" netns "$peer"
        ip -n "$here" link set "$name" up
        ip -n "$peer" link set "p$name" up
    done
    ip -n "$here" addr add 192.0.2.1/24 dev eth0
    ip -n "$peer" addr add 192.0.2.2/24 dev peth0
}

rule() {
    ip -n "$here" rule add "$@"
}

route() {
    ip -n "$here" route add "$@"
}

# NAME COMMAND…: in our namespace.
recording() {
    local name=$1
    shift
    ip netns exec "$here" "$record" "$out/$name.events" "$@" || true
}

# Both start orders of Tailscale and a VPN of wg-quick.
story() { # PREFERENCE-OF-SUPPRESSOR PREFERENCE-OF-VPN
    devices eth0 wg0 tailscale0
    ip -n "$here" addr add 10.64.0.2/32 dev wg0
    ip -n "$here" addr add 100.100.1.1/32 dev tailscale0
    route default via 192.0.2.2
    route default dev wg0 table 51820
    route 100.85.80.11/32 dev tailscale0 table 52
    rule pref 5210 fwmark 0x80000/0xff0000 lookup main
    rule pref 5230 fwmark 0x80000/0xff0000 lookup default
    rule pref 5250 fwmark 0x80000/0xff0000 type unreachable
    rule pref 5270 lookup 52
    rule pref "$1" lookup main suppress_prefixlength 0
    rule pref "$2" not fwmark 0xca6c lookup 51820
}

story 5208 5209
recording story-bad-order ping -c1 -W1 100.85.80.11
story 32764 32765
recording story-good-order ping -c1 -W1 100.85.80.11

devices eth0
recording no-route-no-rules ping -c1 -W1 203.0.113.9
rule pref 100 fwmark 0x1 lookup 100
recording no-route ping -c1 -W1 203.0.113.9
recording tcp-connect bash -c 'exec 3<>/dev/tcp/192.0.2.2/9'
recording udp-flood python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(20):
    s.sendto(b"x", ("192.0.2.2", 9))'
recording two-tasks bash -c 'for i in 1 2; do ping -c1 -W1 192.0.2.2 & ping -c1 -W1 -m 1 192.0.2.2 & done; wait'
recording bound-device ping -c1 -W1 -I eth0 203.0.113.9
rule pref 200 to 203.0.113.0/24 type prohibit
recording prohibit-rule ping -c1 -W1 203.0.113.9

devices eth0
ip netns exec "$here" sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1
rule pref 100 fwmark 0x1 lookup 100
recording source-check ip netns exec "$peer" ping -c1 -W1 192.0.2.1

# Calls and packets whose instances the kernel tells, with all that each asks.
devices eth0
ip netns exec "$here" sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1
rule pref 100 fwmark 0x1 lookup 100
recording groups bash -c 'ping -c1 -W1 192.0.2.2
    ip route get 192.0.2.1 from 192.0.2.2 iif eth0
    python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(4):
    s.sendto(b\"x\", (\"192.0.2.2\", 9))"'

devices eth0 wg0
route default via 192.0.2.2
route default dev wg0 table 51820
rule pref 100 fwmark 0xca6c lookup 51820
ip netns exec "$here" nft -f - <<RULES
table ip reroute {
    chain output {
        type route hook output priority mangle;
        udp dport 9 meta mark set 0xca6c
    }
}
RULES
recording reroute bash -c 'echo x >/dev/udp/203.0.113.9/9'

# The first table is asked again in the same walk.
devices eth0 wg0
route default via 192.0.2.2
rule pref 10 lookup main suppress_prefixlength 0
rule pref 20 lookup local
ip -n "$here" rule del pref 0
recording first-table-twice ping -c1 -W1 203.0.113.9
