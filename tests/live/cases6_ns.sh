# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The hosts of cases_ns.sh with addresses of IPv6, for the scripts that source that one before.
#
#   wan   2001:db8:198::1 the Internet, 2001:db8:203::5 the VPN's endpoint
#         2001:db8:1::1 eth0 ──────────── eth0 2001:db8:1::2             host
#   ts    fd7a:115c:a1e0::9 the tailnet's machine
#         tailscale0 ~~~~~~~~~~~~~~~~~~~~ tailscale0 fd7a:115c:a1e0::2
#   vpn   2001:db8:198::9, and what wan and ts have, so that wrong deliveries are answered
#         wg0 ~~~~~~~~~~~~~~~~~~~~~~~~~~~ wg0 fd00:64::2
#   lan   fd00:10::5 ──────────────────── lan0 fd00:10::1                where a test asks for it

# The scripts that source this use what it leaves.
# shellcheck disable=SC2034

HOST6=2001:db8:1::2
NEXT6=2001:db8:1::1
INTERNET=2001:db8:198::1
ENDPOINT=2001:db8:203::5
TAILNET=fd7a:115c:a1e0::9
BEHIND_VPN=2001:db8:198::9
PINGS="$OUT and .flow.protocol == \"ipv6-icmp\""

# ip6_batch NAME LINE…: what ip(8) is given means IPv6.
ip6_batch() {
	printf '%s\n' "${@:2}" | ip_in "$1" -6 -batch -
}

# speaking NAME…: new namespaces that speak IPv6, but not of their own accord.
speaking() {
	new_ns "$@"
	speaks_inet6 "$@"
}

scene6() {
	speaking host wan ts vpn
	link host eth0 "$HOST6/64 nodad" wan eth0 "$NEXT6/64 nodad"
	tunnel tailscale0 "fd7a:115c:a1e0::2/128 nodad" ts
	tunnel wg0 "fd00:64::2/128 nodad" vpn
	ip6_batch ts "route add default dev tailscale0"
	ip6_batch vpn "route add default dev wg0"
	ip6_batch host "route add default via $NEXT6"
	ip6_batch wan "address add $INTERNET/128 dev lo" "address add $ENDPOINT/128 dev lo" \
		"route add default via $HOST6"
	ip6_batch ts "address add $TAILNET/128 dev lo"
	ip6_batch vpn "address add $BEHIND_VPN/128 dev lo" "address add $INTERNET/128 dev lo" \
		"address add $TAILNET/128 dev lo"
	reach host "$NEXT6"
	pin_neighbours host wan
}

# The host forwards for lan.
scene6_with_lan() {
	scene6
	speaking lan
	link host lan0 "fd00:10::1/64 nodad" lan lan0 "fd00:10::5/64 nodad"
	ip6_batch lan "route add default via fd00:10::1"
	sysctl_in host net.ipv6.conf.all.forwarding 1
	reach host fd00:10::5
	pin_neighbours host lan
}

# A second provider, with an address of its own, behind wg0.
second_provider6() {
	ip6_batch host "address add 2001:db8:300::2/64 dev wg0 nodad" \
		"route add default dev wg0 table 102" \
		"rule add pref 102 from 2001:db8:300::2 lookup 102"
}

tailscale_rules6() {
	ip6_batch host "rule add pref 5210 fwmark 0x80000/0xff0000 lookup main" \
		"rule add pref 5230 fwmark 0x80000/0xff0000 lookup default" \
		"rule add pref 5250 fwmark 0x80000/0xff0000 unreachable" \
		"rule add pref 5270 lookup 52" \
		"route replace $TAILNET dev tailscale0 table 52"
}

wg_quick_rules6() {
	ip6_batch host "rule add not fwmark 51820 table 51820" \
		"rule add table main suppress_prefixlength 0" \
		"route replace default dev wg0 table 51820"
}

wg_quick_at_fixed_priorities6() {
	ip6_batch host "rule add pref 31001 not fwmark 51820 table 51820" \
		"rule add pref 31000 table main suppress_prefixlength 0" \
		"route replace default dev wg0 table 51820"
}

wg_quick_down6() {
	ip6_batch host "rule del table 51820" "rule del table main suppress_prefixlength 0"
}

# What IPv6 sends by itself, to be heard or to find neighbours, is not counted: only echo requests,
# the answers to them, and what is forwarded.
read_counters() {
	in_ns host sh -c 'cd /proc/net/dev_snmp6 && awk "
		FNR == 1 { sent[FILENAME] += 0 }
		/^(Icmp6OutType128|Icmp6OutType129|Ip6OutForwDatagrams)[ \t]/ { sent[FILENAME] += \$2 }
		END { for (dev in sent) print dev, sent[dev] }" *'
}
