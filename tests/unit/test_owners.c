// SPDX-License-Identifier: GPL-2.0-only
/* Rules get the label of whom they belong to and no other, marks are decoded, wrong files are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owners_files.h"
#include "rules/owners.h"
#include "rules/policy.h"
#include "util/report.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define RULES_MAX 20
#define RTPROT_ZEBRA_NUMBER "11"
#define KERNEL_LOCAL "0: lookup 255 proto 2 = kernel"
#define KERNEL_MAIN "32766: lookup 254 proto 2 = kernel"
#define KERNEL_DEFAULT "32767: lookup 253 proto 2 = kernel"
#define TAILSCALE                                                                                  \
	"5210: fwmark 0x80000/0xff0000 lookup 254 = tailscaled",                                   \
		"5230: fwmark 0x80000/0xff0000 lookup 253 = tailscaled",                           \
		"5250: fwmark 0x80000/0xff0000 unreachable = tailscaled",                          \
		"5270: lookup 52 = tailscaled"

/* rules: in walking order, each "PRIORITY: …" as `ip rule` prints it, numbers for names, with
 * " = OWNER" behind it; without OWNER nobody's. more: definitions besides the built-in ones. */
struct label_row {
	const char *name;
	const char *rules[RULES_MAX];
	const char *more;
};

static const struct label_row label_rows[] = {
	{ .name = "kernel_owns_the_rules_of_a_new_namespace",
	  .rules = { KERNEL_LOCAL, "1000: l3mdev lookup 0 proto 2 = kernel", KERNEL_MAIN,
		     KERNEL_DEFAULT } },
	{ .name = "rules_like_the_kernels_by_hand_are_nobodys",
	  .rules = { "0: lookup 255 =", "999: l3mdev lookup 0 proto 2 =", "1000: l3mdev lookup 0 =",
		     "2000: l3mdev unreachable =", "32765: lookup 255 =",
		     "32765: lookup 254 proto 2 =", "32766: lookup 254 =",
		     "32766: iif eth0 lookup 254 proto 2 =" } },
	{ .name = "rules_by_hand_are_nobodys",
	  .rules = { KERNEL_LOCAL,
		     "20: lookup 20 =", "99: fwmark 0x1 lookup 99 =", "100: lookup 101 =",
		     "100: fwmark 0x1 lookup 100 =", "101: from 192.0.2.0/24 lookup 101 =",
		     "110: lookup 254 =", "220: lookup 221 =", "221: lookup 220 =",
		     "1024: fwmark 0x80 lookup 254 =", "2001: fwmark 0x1 lookup 1 =",
		     "5000: lookup 254 suppress_prefixlength 0 =", "5270: lookup 53 =",
		     "10000: from 192.0.2.1 lookup 100 =", "10001: from 192.0.2.1 lookup 10001 =",
		     "32764: fwmark 0x2 lookup 78 =", "32765: lookup 80 =", KERNEL_MAIN } },
	{ .name = "rules_of_networkd_and_netplan_are_nobodys",
	  .rules = { "100: from 192.0.2.1 lookup 100 proto 4 =",
		     "10001: from 192.0.2.1 lookup 10002 proto 4 =",
		     "10001: from 192.0.2.0/24 lookup 10001 proto 4 =", "5270: lookup 52 proto 4 =",
		     "10: not fwmark 0xca6c lookup 51820 proto 4 =",
		     "30000: not fwmark 0x8888 lookup 1000 proto 4 =" } },

	{ .name = "tailscaled_owns_its_four_rules",
	  .rules = { KERNEL_LOCAL, TAILSCALE, KERNEL_MAIN, KERNEL_DEFAULT } },
	{ .name = "tailscaled_beside_mwan3_starts_at_1300",
	  .rules = { "1310: fwmark 0x80000/0xff0000 lookup 254 = tailscaled",
		     "1330: fwmark 0x80000/0xff0000 lookup 253 = tailscaled",
		     "1350: fwmark 0x80000/0xff0000 unreachable = tailscaled",
		     "1370: lookup 52 = tailscaled" } },
	{ .name = "tailscaled_has_one_rule_on_unifi_and_no_masks_on_busybox",
	  .rules = { "5210: fwmark 0x80000 lookup 254 = tailscaled",
		     "5230: fwmark 0x80000 lookup 253 = tailscaled",
		     "5250: fwmark 0x80000 unreachable = tailscaled",
		     "5270: not fwmark 0x80000/0xff0000 lookup 52 = tailscaled" } },
	{ .name = "rules_near_those_of_tailscaled_are_nobodys",
	  .rules = { "5101: fwmark 0x80000/0xff0000 lookup 254 =", "5205: lookup 52 =",
		     "5210: fwmark 0x80000/0xff0000 lookup 253 =",
		     "5210: fwmark 0x40000/0xff0000 lookup 254 =",
		     "5210: fwmark 0x80000/0xffff0000 lookup 254 =",
		     "5210: not fwmark 0x80000/0xff0000 lookup 254 =",
		     "5210: iif eth0 fwmark 0x80000/0xff0000 lookup 254 =",
		     "5250: fwmark 0x80000/0xff0000 prohibit =",
		     "5270: from 192.0.2.0/24 lookup 52 =", "5270: to 192.0.2.0/24 lookup 52 =",
		     "5270: lookup 52 suppress_prefixlength 0 =", "5270: lookup 254 =",
		     "5271: lookup 52 =" } },

	{ .name = "wg_quick_before_tailscale_is_told_from_it",
	  .rules = { KERNEL_LOCAL, TAILSCALE,
		     "32764: lookup 254 suppress_prefixlength 0 = wg-quick",
		     "32765: not fwmark 0xca6c lookup 51820 = wg-quick", KERNEL_MAIN,
		     KERNEL_DEFAULT } },
	{ .name = "wg_quick_after_tailscale_is_told_from_it",
	  .rules = { KERNEL_LOCAL, "5208: lookup 254 suppress_prefixlength 0 = wg-quick",
		     "5209: not fwmark 0xca6c lookup 51820 = wg-quick", TAILSCALE, KERNEL_MAIN,
		     KERNEL_DEFAULT } },
	{ .name = "two_interfaces_of_wg_quick_have_two_pairs",
	  .rules = { KERNEL_LOCAL, "32762: lookup 254 suppress_prefixlength 0 = wg-quick",
		     "32763: not fwmark 0xca6d lookup 51821 = wg-quick",
		     "32764: lookup 254 suppress_prefixlength 0 = wg-quick",
		     "32765: not fwmark 0xca6c lookup 51820 = wg-quick", KERNEL_MAIN } },
	{ .name = "wg_quick_without_its_suppress_rule_is_told_all_the_same",
	  .rules = { KERNEL_LOCAL, "32765: not fwmark 0xca6c lookup 51820 = wg-quick",
		     KERNEL_MAIN } },
	{ .name = "wg_quick_at_priority_0_has_its_pair_in_the_order_of_adding",
	  .rules = { KERNEL_LOCAL, "0: not fwmark 0xca6c lookup 51820 = wg-quick",
		     "0: lookup 254 suppress_prefixlength 0 = wg-quick",
		     "1: lookup 100 =", KERNEL_MAIN } },
	{ .name = "two_pairs_at_priority_0_stay_apart",
	  .rules = { KERNEL_LOCAL, "0: not fwmark 0xca6c lookup 51820 = wg-quick",
		     "0: lookup 254 suppress_prefixlength 0 = wg-quick",
		     "0: not fwmark 0x6d6f6c65 lookup 1836018789 = mullvad",
		     "0: lookup 254 suppress_prefixlength 0 = mullvad", "1: lookup 100 =" } },
	{ .name = "half_a_pair_of_wg_quick_at_priority_0_is_told",
	  .rules = { KERNEL_LOCAL, "0: lookup 254 suppress_prefixlength 0 = wg-quick",
		     "1: not fwmark 0xca6c lookup 51820 = wg-quick", "2: lookup 100 =" } },
	{ .name = "rules_near_those_of_wg_quick_are_nobodys",
	  .rules = { "100: fwmark 0xca6c lookup 51820 =", "101: not fwmark 0xca6c lookup 51821 =",
		     "102: not fwmark 0xca6c/0xffff lookup 51820 =",
		     "103: not fwmark 0xca6c iif eth0 lookup 51820 =",
		     "104: not fwmark 0xca6b lookup 51819 =", "105: not fwmark 0x7 lookup 7 =",
		     "106: lookup 254 suppress_prefixlength 0 =", "107: lookup 51820 =" } },
	{ .name = "suppress_rule_apart_from_its_neighbour_is_nobodys",
	  .rules = { "5200: lookup 254 suppress_prefixlength 0 =", "5205: lookup 100 =",
		     "5209: not fwmark 0xca6c lookup 51820 = wg-quick",
		     "5210: lookup 254 suppress_prefixlength 0 =", KERNEL_MAIN } },
	{ .name = "other_suppress_rules_beside_wg_quick_are_nobodys",
	  .rules = { "5206: lookup 254 suppress_prefixlength 1 =",
		     "5207: not fwmark 0xca6c lookup 51820 = wg-quick",
		     "5208: lookup 100 suppress_prefixlength 0 =",
		     "5209: not fwmark 0xca6c lookup 51820 = wg-quick" } },

	{ .name = "mullvad_is_told_by_its_pair",
	  .rules = { KERNEL_LOCAL, "5208: lookup 254 suppress_prefixlength 0 = mullvad",
		     "5209: not fwmark 0x6d6f6c65 lookup 1836018789 = mullvad", TAILSCALE } },
	{ .name = "mullvad_after_wg_quick_leaves_it_its_suppress_rule",
	  .rules = { KERNEL_LOCAL, "32762: lookup 254 suppress_prefixlength 0 = mullvad",
		     "32763: not fwmark 0x6d6f6c65 lookup 1836018789 = mullvad",
		     "32764: lookup 254 suppress_prefixlength 0 = wg-quick",
		     "32765: not fwmark 0xca6c lookup 51820 = wg-quick", KERNEL_MAIN } },
	{ .name = "wg_quick_after_mullvad_leaves_it_its_suppress_rule",
	  .rules = { KERNEL_LOCAL, "32762: lookup 254 suppress_prefixlength 0 = wg-quick",
		     "32763: not fwmark 0xca6c lookup 51820 = wg-quick",
		     "32764: lookup 254 suppress_prefixlength 0 = mullvad",
		     "32765: not fwmark 0x6d6f6c65 lookup 1836018789 = mullvad", KERNEL_MAIN } },
	{ .name = "rules_near_those_of_mullvad_are_nobodys",
	  .rules = { "100: not fwmark 0x6d6f6c65 lookup 100 =",
		     "101: fwmark 0x6d6f6c65 lookup 1836018789 =",
		     "102: not fwmark 0x6d6f6c66 lookup 1836018789 =" } },

	{ .name = "mozillavpn_has_exclusions_and_no_suppress_rule",
	  .rules = { "32763: fwmark 0xca6c to 192.0.2.0/24 lookup 51820 = mozillavpn",
		     "32764: fwmark 0xca6c to 198.51.100.0/24 lookup 51820 = mozillavpn",
		     "32765: not fwmark 0xca6c lookup 51820 = mozillavpn", KERNEL_MAIN } },
	{ .name = "ivpn_owns_its_exclusions_and_the_suppress_rule_it_moved",
	  .rules = { "32762: lookup 254 suppress_prefixlength 0 = ivpn",
		     "32763: fwmark 0xca6c lookup 17 = ivpn",
		     "32765: not fwmark 0xca6c lookup 51820 = wg-quick", KERNEL_MAIN } },
	{ .name = "ivpn_before_wg_quick_leaves_it_its_suppress_rule",
	  .rules = { "32761: lookup 254 suppress_prefixlength 0 = wg-quick",
		     "32762: not fwmark 0xca6c lookup 51820 = wg-quick",
		     "32763: fwmark 0xca6c lookup 17 = ivpn",
		     "32764: fwmark 0xca6c lookup 18 =", "32765: fwmark 0x1 lookup 17 =" } },
	{ .name = "nordvpn_suppresses_by_group",
	  .rules = { KERNEL_LOCAL,
		     "5206: lookup 254 suppress_prefixlength 0 suppress_ifgroup 57841 = nordvpn",
		     "5207: not fwmark 0xe1f1 lookup 205 = nordvpn",
		     "5208: to 192.0.2.0/24 lookup 254 =", TAILSCALE } },
	{ .name = "rules_near_those_of_nordvpn_are_nobodys",
	  .rules = { "100: lookup 254 suppress_ifgroup 57841 =",
		     "101: lookup 254 suppress_prefixlength 0 suppress_ifgroup 57842 =",
		     "102: fwmark 0xe1f1 lookup 205 =", "103: not fwmark 0xe1f1 lookup 100 =" } },
	{ .name = "pia_is_told_by_its_marks",
	  .rules = { "50: lookup 254 suppress_prefixlength 1 = pia",
		     "70: fwmark 0x3214 lookup 259 = pia", "100: fwmark 0x3212 lookup 257 = pia",
		     "101: fwmark 0x3211 lookup 256 = pia",
		     "102: from 192.0.2.6 lookup 256 = pia" } },
	{ .name = "pia_with_wireguard_is_told_by_its_marks",
	  .rules = { "50: lookup 254 suppress_prefixlength 1 = pia",
		     "70: fwmark 0x3214 lookup 259 = pia",
		     "102: not fwmark 0x3213 lookup 258 = pia" } },
	{ .name = "rules_near_those_of_pia_are_nobodys",
	  .rules = { "50: lookup 254 suppress_prefixlength 1 =", "70: fwmark 0x3212 lookup 259 =",
		     "100: fwmark 0x3211 lookup 257 =", "101: lookup 256 =",
		     "102: from 192.0.2.6 lookup 256 =", "102: fwmark 0x3213 lookup 258 =" } },
	{ .name = "netbird_is_told_by_its_pair_old_and_new",
	  .rules = { "100: lookup 254 suppress_prefixlength 0 =",
		     "105: lookup 254 suppress_prefixlength 0 = netbird",
		     "110: not fwmark 0x1bd00 lookup 7120 = netbird",
		     "110: lookup 254 suppress_prefixlength 0 =",
		     "110: not fwmark 0x1bd00 lookup 7121 =" } },
	{ .name = "netbird_before_its_new_numbers_is_told",
	  .rules = { "100: lookup 254 suppress_prefixlength 0 = netbird",
		     "110: not fwmark 0x1bd00 lookup 7120 = netbird" } },

	{ .name = "networkmanager_is_told_by_its_pair",
	  .rules = { KERNEL_LOCAL, "30800: lookup 254 suppress_prefixlength 0 = NetworkManager",
		     "30801: not fwmark 0xcb00 lookup 51968 = NetworkManager", KERNEL_MAIN } },
	{ .name = "networkmanager_with_the_number_of_wg_quick_is_told",
	  .rules = { KERNEL_LOCAL, "31000: lookup 254 suppress_prefixlength 0 = NetworkManager",
		     "31001: not fwmark 0xca6c lookup 51820 = NetworkManager", KERNEL_MAIN } },
	{ .name = "wg_quick_above_networkmanager_is_told_by_the_kernels_choice",
	  .rules = { KERNEL_LOCAL, "30998: lookup 254 suppress_prefixlength 0 = wg-quick",
		     "30999: not fwmark 0xca6c lookup 51820 = wg-quick",
		     "31000: lookup 254 suppress_prefixlength 0 = NetworkManager",
		     "31001: not fwmark 0xcb00 lookup 51968 = NetworkManager", KERNEL_MAIN } },
	{ .name = "networkmanager_excepts_name_servers",
	  .rules = { "20053: not fwmark 0x4e55 lookup 20053 proto 4 = NetworkManager",
		     "20053: not fwmark 0x4e55 lookup 20053 =", "20053: lookup 20053 proto 4 =" } },
	{ .name = "rules_near_those_of_networkmanager_are_nobodys",
	  .rules = { "30767: not fwmark 0xcb00 lookup 51968 =",
		     "30800: lookup 254 suppress_prefixlength 0 =",
		     "30801: not fwmark 0xcb00 lookup 51969 =",
		     "30803: fwmark 0xcb00 lookup 51968 =",
		     "30805: not fwmark 0xcc60 lookup 52320 =",
		     "31768: not fwmark 0xcb00 lookup 51968 =" } },
	{ .name = "outline_is_told_by_mark_and_table",
	  .rules = { "28958: not fwmark 0x711e lookup 7113 proto 4 = outline",
		     "28958: not fwmark 0x711e lookup 7114 proto 4 =",
		     "28959: not fwmark 0x711e lookup 7113 proto 4 =" } },
	{ .name = "cloudflare_warp_is_told_by_mark_and_table",
	  .rules = { "5209: not fwmark 0x100cf lookup 65743 = cloudflare-warp", TAILSCALE,
		     "29999: fwmark 0x100cf lookup 65743 =" } },
	{ .name = "gluetun_is_told_by_its_rules_together",
	  .rules = { "98: to 192.0.2.0/24 lookup 254 = gluetun",
		     "99: to 198.51.100.0/24 lookup 199 = gluetun",
		     "100: from 192.0.2.1 lookup 200 = gluetun",
		     "101: not fwmark 0xca6c lookup 51820 = gluetun" } },
	{ .name = "one_weak_rule_of_gluetun_is_nobodys",
	  .rules = { "100: from 192.0.2.1 lookup 200 =", "100: from 192.0.2.2 lookup 200 =" } },
	{ .name = "sing_tun_is_told_by_its_table",
	  .rules = { KERNEL_LOCAL, "9000: to 198.18.0.0/30 lookup 2022 = sing-tun",
		     "9001: ipproto 1 goto 9010 = sing-tun",
		     "9002: not dport 53 lookup 254 suppress_prefixlength 0 = sing-tun",
		     "9002: not iif lo lookup 2022 = sing-tun",
		     "9002: iif lo lookup 2022 = sing-tun", "9010: nop = sing-tun", KERNEL_MAIN,
		     "32768: lookup 2022 = sing-tun" } },
	{ .name = "rules_near_those_of_sing_tun_are_nobodys",
	  .rules = { "8999: lookup 2022 =", "9001: ipproto 1 goto 9010 =",
		     "9002: lookup 254 suppress_prefixlength 0 =", "9010: nop =",
		     "9011: lookup 2022 =" } },
	{ .name = "strongswan_is_told_by_priority_and_table",
	  .rules = { "220: lookup 220 = strongswan", "220: not fwmark 0x2a lookup 220 = strongswan",
		     "220: fwmark 0x2a lookup 220 = strongswan", "220: lookup 254 =",
		     "220: from 192.0.2.1 lookup 220 =", "219: lookup 220 =" } },
	{ .name = "ec2_net_utils_is_told_by_equal_numbers",
	  .rules = { "10001: from 192.0.2.1 lookup 10001 proto 4 = ec2-net-utils",
		     "10102: from 192.0.2.2 lookup 10102 proto 4 = ec2-net-utils" } },
	{ .name = "routing_daemons_are_told_by_protocol",
	  .rules = { "100: iif eth0 lookup 100 proto 18 = keepalived",
		     "309: from 192.0.2.0/24 lookup 10000 proto " RTPROT_ZEBRA_NUMBER " = frr",
		     "310: unreachable proto " RTPROT_ZEBRA_NUMBER " = frr",
		     "311: lookup 100 proto 12 =" } },

	{ .name = "cilium_is_told_by_its_numbers",
	  .rules = { "1: fwmark 0xd00/0xf00 lookup 200 = cilium",
		     "1: fwmark 0xe00/0xf00 lookup 201 = cilium",
		     "9: fwmark 0x200/0xf00 lookup 2004 proto 2 = cilium",
		     "10: fwmark 0xa00/0xf00 lookup 2005 = cilium",
		     "20: to 10.0.1.7 lookup 254 proto 2 = cilium",
		     "100: lookup 255 proto 2 = cilium",
		     "109: fwmark 0x80/0x80 lookup 254 proto 2 = cilium",
		     "110: from 10.0.1.7 to 10.0.0.0/16 lookup 11 proto 2 = cilium",
		     "111: from 10.0.1.7 lookup 11 proto 2 = cilium",
		     "112: to 10.1.0.0/16 lookup 202 proto 2 = cilium" } },
	{ .name = "rules_near_those_of_cilium_are_nobodys",
	  .rules = { "9: fwmark 0x200/0xf00 lookup 2005 =", "9: fwmark 0x200 lookup 2004 =",
		     "20: to 10.0.1.7 lookup 254 =", "100: lookup 255 =",
		     "109: fwmark 0x80/0x80 lookup 254 =", "111: from 10.0.1.7 lookup 11 =" } },
	{ .name = "aws_vpc_cni_is_told_by_its_mark",
	  .rules = { "20: lookup 255 = aws-vpc-cni", "512: to 10.0.1.7 lookup 254 = aws-vpc-cni",
		     "1024: fwmark 0x80/0x80 lookup 254 = aws-vpc-cni",
		     "1535: to 192.0.2.0/24 lookup 254 = aws-vpc-cni",
		     "1536: from 10.0.1.7 lookup 2 = aws-vpc-cni",
		     "1536: from 10.0.1.8 to 10.0.0.0/16 lookup 2 = aws-vpc-cni" } },
	{ .name = "one_weak_rule_of_aws_vpc_cni_is_nobodys",
	  .rules = { "512: to 10.0.1.7 lookup 254 =", "512: to 10.0.1.8 lookup 254 =" } },
	{ .name = "calico_is_told_by_its_bit",
	  .rules = { "99: not fwmark 0x100000/0x100000 lookup 1 = calico",
		     "99: not fwmark 0x1/0x1 lookup 1 =",
		     "99: fwmark 0x100000/0x100000 lookup 1 =" } },
	{ .name = "kube_router_is_told_by_its_rules_together",
	  .rules = { "32763: from 10.244.0.0/24 lookup 77 = kube-router",
		     "32764: fwmark 0x3dc lookup 78 = kube-router",
		     "32765: lookup 79 = kube-router" } },
	{ .name = "submariner_is_told_by_its_rules_together",
	  .rules = { "149: lookup 149 = submariner", "150: lookup 150 = submariner" } },
	{ .name = "one_rule_of_submariner_is_nobodys", .rules = { "150: lookup 150 =" } },
	{ .name = "mwan3_is_told_by_numbers_that_belong_together",
	  .rules = { "1001: iif eth1 lookup 1 = mwan3",
		     "1002: iif eth2 lookup 1 =", "2001: fwmark 0x100/0x3f00 lookup 1 = mwan3",
		     "2002: fwmark 0x100/0x3f00 lookup 2 =", "2003: fwmark 0x300/0x3f00 lookup 4 =",
		     "2061: fwmark 0x3d00/0x3f00 blackhole = mwan3",
		     "2062: fwmark 0x3e00/0x3f00 unreachable = mwan3",
		     "3001: fwmark 0x100/0x3f00 unreachable = mwan3" } },
	{ .name = "pbr_is_told_by_its_mask",
	  .rules = { "29998: fwmark 0x20000/0xff0000 lookup 258 = pbr",
		     "29999: fwmark 0x20001/0xff0000 lookup 258 =",
		     "30000: fwmark 0x10000/0xff0000 lookup 257 = pbr",
		     "30000: fwmark 0x10000/0xff0000 lookup 100 =",
		     "30001: lookup 254 suppress_prefixlength 1 = pbr" } },
	{ .name = "netifd_is_told_by_numbers_that_nobody_writes",
	  .rules = { "10000: from 192.0.2.1 lookup 100 = netifd",
		     "20000: to 192.0.2.0/24 lookup 100 = netifd",
		     "90009: iif lo lookup 100 = netifd",
		     "90010: iif eth0 lookup 100 =", "4200000001: iif lo unreachable = netifd" } },
	{ .name = "unifi_os_is_told_by_its_mask",
	  .rules = { "32000: lookup 254 = unifi-os",
		     "32501: fwmark 0x1c0000/0x7e0000 lookup 202 = unifi-os",
		     "32504: from 192.0.2.7 lookup 202 = unifi-os",
		     "32765: fwmark 0x10000/0x10000 lookup 251 = unifi-os",
		     "32766: lookup 202 = unifi-os" } },
	{ .name = "weak_rules_by_themselves_are_nobodys",
	  .rules = { "10: iif eth0 lookup 100 =", "20: lookup 255 =",
		     "98: to 192.0.2.0/24 lookup 254 =", "512: to 10.0.1.7 lookup 254 =",
		     "1001: iif eth1 lookup 1 =", "10000: from 192.0.2.1 lookup 100 =",
		     "14000: iif lo lookup 100 =", "20000: to 192.0.2.0/24 lookup 100 =",
		     "30001: lookup 254 suppress_prefixlength 1 =",
		     "31000: lookup 254 suppress_prefixlength 1 =", "32000: lookup 254 =",
		     "32000: unreachable =", "32764: fwmark 0x3dc lookup 78 =",
		     "32766: lookup 202 =" } },
	{ .name = "android_is_told_by_its_masks",
	  .rules = { "10000: fwmark 0xc0000/0xd0000 lookup 99 = android-netd",
		     "13000: iif lo fwmark 0x10064/0x1ffff lookup 1002 = android-netd",
		     "14000: iif lo oif dummy0 lookup 1002 = android-netd",
		     "15000: fwmark 0x0/0x10000 lookup 99 = android-netd",
		     "32000: unreachable = android-netd" } },

	{ .name = "more_specific_definition_wins_wherever_it_stands",
	  .rules = { "100: fwmark 0x1 lookup 100 = exact", "101: fwmark 0x1 lookup 100 = vague",
		     "102: fwmark 0x2 lookup 100 =" },
	  .more = "owner exact\nrule 100: fwmark 1 lookup 100\nowner vague\nrule fwmark 1 lookup "
		  "100\n" },
	{ .name = "later_definition_wins_among_equals",
	  .rules = { "5270: lookup 52 = headscale",
		     "5210: fwmark 0x80000/0xff0000 lookup 254 = tailscaled" },
	  .more = "owner headscale\nrule 5270: lookup 52\n" },
	{ .name = "definition_that_adds_to_a_built_in_owner_pairs_with_it",
	  .rules = { "500: lookup 254 suppress_prefixlength 0 = wg-quick",
		     "501: not fwmark 0x1234 lookup 1000 = wg-quick" },
	  .more = "owner wg-quick\nrule not fwmark 0x1234 lookup 1000\n" },
	{ .name = "example_of_the_manual_is_right",
	  .rules = { "32764: lookup 254 suppress_prefixlength 0 = office",
		     "32765: not fwmark 0x1234 lookup 1234 = office",
		     "1101: iif ppp0 lookup 101 = uplink-script", "1102: iif ppp1 lookup 101 =" },
	  .more = "owner office auto-priority tunnel\n"
		  "    rule not fwmark 0x1234 lookup 1234\n"
		  "    rule beside lookup main suppress_prefixlength 0\n"
		  "    mark 0x1234 bypass\n"
		  "owner uplink-script\n"
		  "    rule n=101-104 1000+n: iif any lookup n\n" },
	{ .name = "definition_names_every_selector",
	  .rules = { "100: from 192.0.2.0/24 to 198.51.100.1 iif eth0 lookup 100 = mine",
		     "100: from 192.0.2.0/25 to 198.51.100.1 iif eth0 lookup 100 =",
		     "100: from 192.0.2.0/24 to 198.51.100.2 iif eth0 lookup 100 =",
		     "100: from 192.0.2.0/24 to 198.51.100.1 iif eth1 lookup 100 =",
		     "100: from 192.0.2.0/24 iif eth0 lookup 100 =",
		     "200: ipproto 6 dport 80 lookup 254 = mine", "200: ipproto 6 lookup 254 =",
		     "300: goto 400 = mine", "300: goto 401 =", "500: blackhole proto 200 = mine",
		     "600: prohibit = mine", "700: oif eth0 lookup 7 = mine" },
	  .more = "owner mine\nrule 100: from 192.0.2.0/24 to 198.51.100.1 iif eth0 lookup 100\n"
		  "rule 200: ipproto any dport any lookup main\nrule 300: goto 400\n"
		  "rule 500: blackhole protocol 200\nrule 600: from all prohibit\n"
		  "rule 700: oif any lookup 0x7\n" },
};

/* --- rules from text --------------------------------------------------------------------------- */

static void read_prefix(struct rule_prefix *prefix, char *text)
{
	char *slash = strchr(text, '/');

	if (slash)
		*slash = '\0';
	assert_int_equal(inet_pton(AF_INET, text, prefix->address), 1);
	prefix->length = slash ? (uint8_t)atoi(slash + 1) : 32;
}

static void read_mark(struct rule *rule, const char *text)
{
	char *end;

	rule->mark = (uint32_t)strtoul(text, &end, 0);
	rule->mark_mask = *end == '/' ? (uint32_t)strtoul(end + 1, NULL, 0) : UINT32_MAX;
}

static void read_value(struct rule *rule, const char *word, char *value)
{
	uint32_t number;

	assert_non_null(value);
	number = (uint32_t)strtoul(value, NULL, 0);
	if (!strcmp(word, "lookup"))
		rule->table = number;
	else if (!strcmp(word, "from"))
		read_prefix(&rule->src, value);
	else if (!strcmp(word, "to"))
		read_prefix(&rule->dst, value);
	else if (!strcmp(word, "fwmark"))
		read_mark(rule, value);
	else if (!strcmp(word, "iif"))
		strcpy(rule->iif, value);
	else if (!strcmp(word, "oif"))
		strcpy(rule->oif, value);
	else if (!strcmp(word, "ipproto"))
		rule->ip_proto = (uint8_t)number;
	else if (!strcmp(word, "proto"))
		rule->protocol = (uint8_t)number;
	else if (!strcmp(word, "suppress_prefixlength"))
		rule->suppress_prefixlength = (int32_t)number;
	else if (!strcmp(word, "suppress_ifgroup"))
		rule->suppress_ifgroup = (int32_t)number;
	else
		fail_msg("no such word: %s", word);
}

static bool read_flag(struct rule *rule, const char *word)
{
	static const struct {
		const char *word;
		uint8_t action;
	} actions[] = { { "nop", RULE_NOP },
			{ "blackhole", RULE_BLACKHOLE },
			{ "unreachable", RULE_UNREACHABLE },
			{ "prohibit", RULE_PROHIBIT } };

	for (size_t i = 0; i < LENGTH(actions); i++) {
		if (strcmp(actions[i].word, word))
			continue;
		rule->action = actions[i].action;
		return true;
	}
	if (!strcmp(word, "not"))
		rule->invert = true;
	else if (!strcmp(word, "l3mdev"))
		rule->l3mdev = true;
	else
		return false;
	return true;
}

/* The owner that is wanted of it. */
static const char *read_rule(struct rule *rule, char *text)
{
	char *wanted = strstr(text, " =");
	char *rest;

	assert_non_null(wanted);
	*wanted = '\0';
	rule_init(rule, AF_INET);
	rule->priority = (uint32_t)strtoul(text, &rest, 10);
	for (char *word = strtok(rest, ": "); word; word = strtok(NULL, " ")) {
		if (read_flag(rule, word))
			continue;
		if (!strcmp(word, "goto")) {
			rule->action = RULE_GOTO;
			rule->target = (uint32_t)strtoul(strtok(NULL, " "), NULL, 10);
		} else if (!strcmp(word, "dport")) {
			rule->has_dport = true;
			rule->dport.first = rule->dport.last = (uint16_t)atoi(strtok(NULL, " "));
		} else {
			read_value(rule, word, strtok(NULL, " "));
		}
	}
	return wanted + strlen(" =") + (wanted[2] == ' ');
}

static struct owners *owners_with(const char *more)
{
	struct owners *owners = owners_new();
	struct text error = { 0 };

	assert_non_null(owners);
	if (more && owners_parse(owners, "more.conf", more, strlen(more), &error))
		fail_msg("%s", text_string(&error));
	text_free(&error);
	return owners;
}

static const char *owner_of(const struct rule *rule)
{
	return rule->owner ? owner_name(rule->owner) : "";
}

static void label(void **state)
{
	const struct label_row *row = *state;
	struct owners *owners = owners_with(row->more);
	char texts[RULES_MAX][128];
	const char *wanted[RULES_MAX];
	struct rule rules[RULES_MAX];
	size_t count = 0;

	for (; count < RULES_MAX && row->rules[count]; count++) {
		assert_true(strlen(row->rules[count]) < sizeof(texts[0]));
		strcpy(texts[count], row->rules[count]);
		wanted[count] = read_rule(&rules[count], texts[count]);
	}
	owners_label(owners, rules, count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(owner_of(&rules[i]), wanted[i]))
			fail_msg("\"%s\" is labelled \"%s\"", row->rules[i], owner_of(&rules[i]));
	}
	owners_free(owners);
}

/* --- the table --------------------------------------------------------------------------------- */

static const char *mark_text(const struct owners *owners, uint32_t fwmark)
{
	static char text[128];
	const struct owner_mark *mark = owners_mark(owners, fwmark);

	if (!mark)
		return "";
	assert_int_equal(mark->bypass, !strcmp(mark->meaning, "bypass"));
	assert_int_equal(fwmark & mark->mask, mark->value);
	snprintf(text, sizeof(text), "%s %s", owner_name(mark->owner), mark->meaning);
	return text;
}

static void marks_are_decoded_under_their_masks(void **state)
{
	static const struct {
		uint32_t fwmark;
		const char *want;
	} rows[] = {
		{ 0x80000, "tailscaled bypass" },
		{ 0x40000, "tailscaled subnet-route" },
		{ 0x1080034, "tailscaled bypass" },
		{ 0xca6c, "wg-quick bypass" },
		{ 0xca6d, "wg-quick bypass" },
		{ 0xca70, "" },
		{ 0x1ca6c, "" },
		{ 0x6d6f6c65, "mullvad bypass" },
		{ 0xe1f1, "nordvpn bypass" },
		{ 0x3214, "pia forwarded" },
		{ 0x1bd00, "netbird bypass" },
		{ 0x1bd10, "netbird data-plane" },
		{ 0x100cf, "cloudflare-warp bypass" },
		{ 0x2024, "sing-tun bypass" },
		{ 0, "" },
		{ 1, "" },
		{ 0x80, "" },
		{ 0x4000, "" },
		{ 0x100, "" },
		{ 0xc0000, "" },
		{ 0x800000, "" },
		{ UINT32_MAX, "" },
	};
	struct owners *owners = owners_with(NULL);

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_string_equal(mark_text(owners, rows[i].fwmark), rows[i].want);
	owners_free(owners);
}

static void mark_with_most_bits_wins(void **state)
{
	struct owners *owners =
		owners_with("owner mine\nmark 0x80001 exact\n"
			    "mark 0x80000/0xf0000 vague\nmark 0x20000/0xf0000 vague\n"
			    "mark 0x40000/0xff0000 mine\n");

	(void)state;
	assert_string_equal(mark_text(owners, 0x80001), "mine exact");
	assert_string_equal(mark_text(owners, 0x80002), "tailscaled bypass");
	assert_string_equal(mark_text(owners, 0x180002), "mine vague");
	assert_string_equal(mark_text(owners, 0x20000), "mine vague");
	assert_string_equal(mark_text(owners, 0x40000), "mine mine");
	owners_free(owners);
}

static void tables_and_properties_are_known(void **state)
{
	struct owners *owners =
		owners_with("owner later tunnel\ntable 52\nowner plain\ntable 7-9\n");
	const struct owner *owner = owners_table(owners, 51820);

	(void)state;
	assert_string_equal(owner_name(owner), "wg-quick");
	assert_true(owner_has_auto_priority(owner));
	assert_true(owner_is_tunnel(owner));
	assert_false(owner_is_kernel(owner));
	assert_string_equal(owner_name(owners_table(owners, 52)), "later");
	owner = owners_table(owners, 8);
	assert_string_equal(owner_name(owner), "plain");
	assert_false(owner_has_auto_priority(owner));
	assert_false(owner_is_tunnel(owner));
	assert_null(owners_table(owners, 10));
	assert_null(owners_table(owners, 254));
	owners_free(owners);
}

static void without_a_table_nothing_has_an_owner(void **state)
{
	struct rule rule = { .owner = (const struct owner *)&rule };

	(void)state;
	owners_label(NULL, &rule, 1);
	assert_null(rule.owner);
	assert_null(owners_mark(NULL, 0x80000));
	assert_null(owners_table(NULL, 52));
	owners_free(NULL);
}

static void rules_that_are_not_whole_are_nobodys(void **state)
{
	struct owners *owners = owners_with(NULL);
	struct rule rules[3];

	(void)state;
	for (size_t i = 0; i < LENGTH(rules); i++) {
		rule_init(&rules[i], AF_INET6);
		rules[i].priority = 5270;
		rules[i].table = 52;
	}
	rules[1].truncated = true;
	rules[2].unknown_count = 1;
	owners_label(owners, rules, LENGTH(rules));
	assert_string_equal(owner_of(&rules[0]), "tailscaled");
	assert_null(rules[1].owner);
	assert_null(rules[2].owner);
	owners_free(owners);
}

static void owner_is_no_part_of_a_rule(void **state)
{
	struct rule a, b;

	(void)state;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	a.owner = (const struct owner *)&a;
	assert_true(rule_equal(&a, &b));
	b.priority = 1;
	assert_false(rule_equal(&a, &b));
}

/* --- files ------------------------------------------------------------------------------------- */

/* error: what is said; NULL: the content is right. */
struct parse_row {
	const char *name;
	const char *content;
	const char *error;
};

static const struct parse_row parse_rows[] = {
	{ "nothing_is_right", "", NULL },
	{ "comments_and_blank_lines_are_right", "# x\n\n  \t\r\nowner a # b\n# rule bogus", NULL },
	{ "last_line_needs_no_newline", "owner a\nrule 1: lookup 1", NULL },
	{ "every_kind_of_line_is_right",
	  "owner a.b_c-d+e@f auto-priority tunnel\nrule with n=1-9 5+n: not from 2001:db8::/32 to "
	  "host "
	  "fwmark 0x10*n/0xff iif eth0 oif any tos any dscp any uidrange any ipproto any sport any "
	  "dport any tun_id any flowlabel any lookup n suppress_prefixlength 0-8 suppress_ifgroup "
	  "any "
	  "proto any\nrule beside auto: any goto any\ntable 1-2\nmark 0x1/0x1 w\n",
	  NULL },
	{ "unknown_line_is_refused", "owner a\n\nrules 1: lookup 1\n",
	  "f:3: 'rules' begins no line; write owner, rule, table or mark" },
	{ "owner_without_a_name_is_refused", "owner\n",
	  "f:1: the name is missing; write owner NAME" },
	{ "name_with_an_escape_is_refused", "owner a\033[2J\n",
	  "f:1: 'a?[2J' is no name; write at most 63 letters, digits and -._+@" },
	{ "unknown_property_is_refused", "owner a fast\n",
	  "f:1: 'fast' is no property; write auto-priority or tunnel" },
	{ "rule_of_nobody_is_refused", "rule 1: lookup 1\n",
	  "f:1: a rule of nobody; write owner NAME before it" },
	{ "table_of_nobody_is_refused", "table 1\n",
	  "f:1: a table of nobody; write owner NAME before it" },
	{ "mark_of_nobody_is_refused", "mark 1 x\n",
	  "f:1: a mark of nobody; write owner NAME before it" },
	{ "rule_without_an_action_is_refused", "owner a\nrule 1: fwmark 1\n",
	  "f:2: the action is missing; write lookup TABLE, goto PRIORITY, nop, blackhole, "
	  "unreachable or "
	  "prohibit" },
	{ "two_actions_are_refused", "owner a\nrule 1: lookup 1 unreachable\n",
	  "f:2: a second action; write one of them" },
	{ "unknown_word_of_a_rule_is_refused", "owner a\nrule 1: lookup 1 metric 5\n",
	  "f:2: 'metric' is no word of a rule; write it as ip rule prints it: PRIORITY: "
	  "SELECTOR... "
	  "lookup TABLE" },
	{ "missing_value_is_refused", "owner a\nrule 1: lookup\n",
	  "f:2: the value of 'lookup' is missing" },
	{ "word_that_stands_twice_is_refused", "owner a\nrule 1: fwmark 1 fwmark 2 lookup 1\n",
	  "f:2: 'fwmark' stands twice" },
	{ "unknown_table_name_is_refused", "owner a\nrule 1: lookup vpn\n",
	  "f:2: 'vpn' is no table: only local, main and default have names here; write NUMBER, "
	  "FIRST-LAST, any, n, A+n or A*n" },
	{ "bad_priority_is_refused", "owner a\nrule x: lookup 1\n",
	  "f:2: 'x' is no priority; write NUMBER, FIRST-LAST, any, n, A+n or A*n" },
	{ "empty_priority_is_refused", "owner a\nrule : lookup 1\n",
	  "f:2: '' is no priority; write NUMBER, FIRST-LAST, any, n, A+n or A*n" },
	{ "number_too_large_is_refused", "owner a\nrule 4294967296: lookup 1\n",
	  "f:2: '4294967296' is no priority; write NUMBER, FIRST-LAST, any, n, A+n or A*n" },
	{ "huge_number_is_refused", "owner a\ntable 99999999999999999999999999\n",
	  "f:2: '99999999999999999999999999' is no table; write NUMBER or FIRST-LAST" },
	{ "negative_number_is_refused", "owner a\nrule 1: lookup -1\n",
	  "f:2: '-1' is no table: only local, main and default have names here; write NUMBER, "
	  "FIRST-LAST, any, n, A+n or A*n" },
	{ "range_that_ends_before_it_begins_is_refused", "owner a\ntable 9-8\n",
	  "f:2: '9-8' is no table; write NUMBER or FIRST-LAST" },
	{ "factor_0_is_refused", "owner a\nrule n=1-2 1: lookup 0*n\n",
	  "f:2: '0*n' is no table: only local, main and default have names here; write NUMBER, "
	  "FIRST-LAST, any, n, A+n or A*n" },
	{ "bare_prefix_of_a_number_is_refused", "owner a\nmark 0x w\n",
	  "f:2: '0x' is no fwmark; write NUMBER, FIRST-LAST, any, n, A+n or A*n" },
	{ "bad_mask_is_refused", "owner a\nmark 1/x w\n",
	  "f:2: 'x' is no mask; write a number such as 0xff0000" },
	{ "mark_outside_of_its_mask_is_refused", "owner a\nmark 0x100/0xff w\n",
	  "f:2: fwmark 0x100 has bits outside of its mask 0xff" },
	{ "mark_under_no_mask_is_refused", "owner a\nmark 0/0 w\n",
	  "f:2: '0' is no mark; write VALUE[/MASK]" },
	{ "mark_without_a_meaning_is_refused", "owner a\nmark 0x1\n",
	  "f:2: what the mark means is missing; write one word, such as bypass" },
	{ "word_behind_the_end_is_refused", "owner a\ntable 1 2\n",
	  "f:2: '2' is one word too many" },
	{ "bad_prefix_is_refused", "owner a\nrule 1: from 192.0.2.0/33 lookup 1\n",
	  "f:2: '192.0.2.0' is no prefix; write ADDRESS/LENGTH, host or any" },
	{ "long_device_is_refused", "owner a\nrule 1: iif abcdefghijklmnop lookup 1\n",
	  "f:2: 'abcdefghijklmnop' is too long for the name of a device" },
	{ "value_of_a_selector_without_values_is_refused", "owner a\nrule 1: tos 0x10 lookup 1\n",
	  "f:2: '0x10' stands where only any can; write any" },
	{ "n_without_bounds_is_refused", "owner a\nrule 1: lookup n\n",
	  "f:2: n has no bounds; write n=FIRST-LAST in front of the priority" },
	{ "bounds_without_n_are_refused", "owner a\nrule n=1-2 1: lookup 1\n",
	  "f:2: no number of the rule has the n that is bounded" },
	{ "bad_bounds_are_refused", "owner a\nrule n=x 1: lookup n\n",
	  "f:2: 'n=x' bounds no n; write n=FIRST-LAST" },
	{ "suppressor_without_lookup_is_refused", "owner a\nrule 1: suppress_prefixlength 0 nop\n",
	  "f:2: only a rule with lookup suppresses; write lookup TABLE" },
	{ "rule_that_fits_everybodys_is_refused", "owner a\nrule from any lookup any\n",
	  "f:2: this fits rules of everybody; write a priority, a table, a fwmark or a protocol" },
};

static void parse(void **state)
{
	const struct parse_row *row = *state;
	struct owners *owners = owners_with(NULL);
	struct text error = { 0 };
	int err = owners_parse(owners, "f", row->content, strlen(row->content), &error);

	assert_string_equal(text_string(&error), row->error ? row->error : "");
	assert_int_equal(err, row->error ? -EINVAL : 0);
	text_free(&error);
	owners_free(owners);
}

/* What is said of content, which may hold any bytes. */
static void assert_refused(const char *content, size_t length, const char *want)
{
	struct owners *owners = owners_with(NULL);
	struct text error = { 0 };

	assert_int_equal(owners_parse(owners, "f", content, length, &error), -EINVAL);
	assert_string_equal(text_string(&error), want);
	text_free(&error);
	owners_free(owners);
}

static void nul_byte_is_refused(void **state)
{
	static const char content[] = "owner a\n# x\0y\n";

	(void)state;
	assert_refused(content, sizeof(content) - 1, "f:2: a NUL byte; this is no text");
}

static char *repeated(const char *line, size_t count)
{
	size_t length = strlen(line);
	char *content = malloc(count * length + 1);

	assert_non_null(content);
	for (size_t i = 0; i < count; i++)
		memcpy(content + i * length, line, length);
	content[count * length] = '\0';
	return content;
}

static void long_line_is_refused(void **state)
{
	char *content = repeated("rule ", 100000);

	(void)state;
	assert_refused(content, strlen(content),
		       "f:1: longer than 1023 bytes; write one rule per line");
	content[1023] = '\0';
	assert_refused(content, 1023, "f:1: more than 64 words; write one rule per line");
	free(content);
}

static void too_many_lines_are_refused(void **state)
{
	char *content = repeated("owner a\nrule 1: lookup 1\n", 50000);

	(void)state;
	assert_refused(content, strlen(content),
		       "f:8191: more than 4096 definitions in one file; leave some out");
	free(content);
}

static void many_comments_are_right(void **state)
{
	char *content = repeated("# a line that says nothing\n", 100000);
	struct owners *owners = owners_with(content);

	(void)state;
	owners_free(owners);
	free(content);
}

static void wrong_file_adds_nothing(void **state)
{
	static const char content[] = "owner tailscaled auto-priority\nrule 1: lookup 1\ntable 1\n"
				      "mark 0x1 x\nbogus\n";
	struct owners *owners = owners_with(NULL);
	struct text error = { 0 };
	struct rule rule;

	(void)state;
	assert_int_equal(owners_parse(owners, "f", content, strlen(content), &error), -EINVAL);
	rule_init(&rule, AF_INET);
	rule.priority = 1;
	rule.table = 1;
	owners_label(owners, &rule, 1);
	assert_null(rule.owner);
	assert_null(owners_mark(owners, 1));
	assert_null(owners_table(owners, 1));
	assert_false(owner_has_auto_priority(owners_table(owners, 52)));
	text_free(&error);
	owners_free(owners);
}

static void many_rules_are_labelled_in_time(void **state)
{
	struct owners *owners = owners_with(NULL);
	size_t count = 20000;
	struct rule *rules = calloc(count, sizeof(*rules));

	(void)state;
	assert_non_null(rules);
	for (size_t i = 0; i < count; i++) {
		rule_init(&rules[i], AF_INET);
		rules[i].priority = 1536;
		rules[i].src = (struct rule_prefix){ { 10, 0, i >> 8, i }, 32 };
		rules[i].table = 2;
	}
	rules[0] = rules[1];
	rules[0].priority = 1024;
	rules[0].src.length = 0;
	rules[0].mark = rules[0].mark_mask = 0x80;
	rules[0].table = RT_TABLE_MAIN;
	owners_label(owners, rules, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(owner_of(&rules[i]), "aws-vpc-cni");
	free(rules);
	owners_free(owners);
}

/* --- a directory of files ---------------------------------------------------------------------- */

static void write_file(const char *directory, const char *name, const char *content)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *directory, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(remove(path), 0);
}

static void files_are_read_in_the_order_of_their_names(void **state)
{
	static const char *const names[] = { "20-b.conf",    "10-a.conf",     "30-c.conf~",
					     ".hidden.conf", "40-wrong.conf", "50-last.conf" };
	static const char *const contents[] = {
		"owner b\nmark 0x1 b\nmark 0x2 b\n",
		"owner a\nmark 0x1 a\nmark 0x3 a\n",
		"owner c\nmark 0x4 c\n",
		"owner h\nmark 0x5 h\n",
		"owner w\nmark 0x6 w\nmark\n",
		"owner l\nmark 0x7 l\n",
	};
	const char *const kept[] = { contents[1], contents[0], contents[5] };
	char directory[] = "/tmp/fibtrace-owners-XXXXXX";
	struct owners_source *sources = NULL;
	struct owners *owners;
	size_t count = 0;

	(void)state;
	report_set_level(REPORT_QUIET);
	assert_non_null(mkdtemp(directory));
	for (size_t i = 0; i < LENGTH(names); i++)
		write_file(directory, names[i], contents[i]);
	owners = owners_read(directory, &sources);
	assert_non_null(owners);
	/* Those that were not left out, as they were read. */
	for (const struct owners_source *source = sources; source; source = source->next)
		assert_memory_equal(source->content, kept[count++], source->length);
	assert_int_equal(count, LENGTH(kept));
	assert_string_equal(mark_text(owners, 1), "b b");
	assert_string_equal(mark_text(owners, 2), "b b");
	assert_string_equal(mark_text(owners, 3), "a a");
	for (uint32_t mark = 4; mark <= 6; mark++)
		assert_null(owners_mark(owners, mark));
	assert_string_equal(mark_text(owners, 7), "l l");
	assert_string_equal(mark_text(owners, 0x80000), "tailscaled bypass");
	owners_sources_free(sources);
	owners_free(owners);
	for (size_t i = 0; i < LENGTH(names); i++)
		remove_file(directory, names[i]);
	assert_int_equal(rmdir(directory), 0);
}

static void what_is_no_regular_file_is_left_out(void **state)
{
	char directory[] = "/tmp/fibtrace-owners-XXXXXX";
	char path[64];
	struct owners *owners;

	(void)state;
	report_set_level(REPORT_QUIET);
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/a.conf", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/b.conf", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/c.conf", directory);
	assert_int_equal(symlink("/nonexistent/fibtrace", path), 0);
	write_file(directory, "d.conf", "owner d\nmark 0x7 d\n");
	owners = owners_read(directory, NULL);
	assert_non_null(owners);
	assert_string_equal(mark_text(owners, 7), "d d");
	owners_free(owners);
	remove_file(directory, "a.conf");
	remove_file(directory, "b.conf");
	remove_file(directory, "c.conf");
	remove_file(directory, "d.conf");
	assert_int_equal(rmdir(directory), 0);
}

static void missing_directory_leaves_the_built_in_table(void **state)
{
	struct owners *owners = owners_read("/nonexistent/fibtrace/owners.d", NULL);

	(void)state;
	assert_non_null(owners);
	assert_string_equal(mark_text(owners, 0x80000), "tailscaled bypass");
	owners_free(owners);
}

/* --- policies ---------------------------------------------------------------------------------- */

static struct rule_list *tailscale_list(void)
{
	struct rule rule;
	struct rule_list *list;

	rule_init(&rule, AF_INET);
	rule.priority = 5270;
	rule.table = 52;
	list = rule_list_new(&rule, 1);
	assert_non_null(list);
	return list;
}

static void policy_labels_the_rules_that_it_is_given(void **state)
{
	struct owners *owners = owners_with(NULL);
	struct policy *policy = policy_new(1, TOS_MASKED);
	struct rule_list *shared = tailscale_list();

	(void)state;
	assert_non_null(policy);
	policy_set_owners(policy, owners);
	assert_ptr_equal(policy_owners(policy), owners);
	policy_set_rules(policy, AF_INET, rule_list_get(shared));
	assert_string_equal(owner_of(policy_rules(policy, AF_INET)->rules), "tailscaled");
	assert_null(shared->rules[0].owner);
	policy_set_rules(policy, AF_INET, tailscale_list());
	assert_string_equal(owner_of(policy_rules(policy, AF_INET)->rules), "tailscaled");
	rule_list_put(shared);
	policy_free(policy);
	owners_free(owners);
}

static void policy_labels_anew_when_owners_come_later(void **state)
{
	struct owners *owners = owners_with(NULL);
	struct policy *policy = policy_new(1, TOS_MASKED);
	struct link link = { .index = 2, .name = "eth0" };
	struct rule_list *held;
	uint64_t generation;

	(void)state;
	assert_non_null(policy);
	policy_set_rules(policy, AF_INET, tailscale_list());
	held = rule_list_get(policy_rules(policy, AF_INET));
	generation = policy_generation(policy);
	policy_set_owners(policy, owners);
	assert_true(policy_generation(policy) > generation);
	assert_null(held->rules[0].owner);
	assert_string_equal(owner_of(policy_rules(policy, AF_INET)->rules), "tailscaled");
	assert_int_equal(policy_set_link(policy, &link), 0);
	assert_string_equal(owner_of(policy_rules(policy, AF_INET)->rules), "tailscaled");
	rule_list_put(held);
	policy_free(policy);
	owners_free(owners);
}

static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test(marks_are_decoded_under_their_masks),
	cmocka_unit_test(mark_with_most_bits_wins),
	cmocka_unit_test(tables_and_properties_are_known),
	cmocka_unit_test(without_a_table_nothing_has_an_owner),
	cmocka_unit_test(rules_that_are_not_whole_are_nobodys),
	cmocka_unit_test(owner_is_no_part_of_a_rule),
	cmocka_unit_test(nul_byte_is_refused),
	cmocka_unit_test(long_line_is_refused),
	cmocka_unit_test(too_many_lines_are_refused),
	cmocka_unit_test(many_comments_are_right),
	cmocka_unit_test(wrong_file_adds_nothing),
	cmocka_unit_test(many_rules_are_labelled_in_time),
	cmocka_unit_test(files_are_read_in_the_order_of_their_names),
	cmocka_unit_test(what_is_no_regular_file_is_left_out),
	cmocka_unit_test(missing_directory_leaves_the_built_in_table),
	cmocka_unit_test(policy_labels_the_rules_that_it_is_given),
	cmocka_unit_test(policy_labels_anew_when_owners_come_later),
};

int main(void)
{
	struct CMUnitTest tests[LENGTH(label_rows) + LENGTH(parse_rows) + LENGTH(plain_tests)];
	size_t count = 0;

	for (size_t i = 0; i < LENGTH(label_rows); i++)
		tests[count++] = (struct CMUnitTest){ label_rows[i].name, label, NULL, NULL,
						      (void *)&label_rows[i] };
	for (size_t i = 0; i < LENGTH(parse_rows); i++)
		tests[count++] = (struct CMUnitTest){ parse_rows[i].name, parse, NULL, NULL,
						      (void *)&parse_rows[i] };
	for (size_t i = 0; i < LENGTH(plain_tests); i++)
		tests[count++] = plain_tests[i];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
