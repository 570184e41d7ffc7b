# SPDX-License-Identifier: GPL-2.0-only
"""What tells the address families apart: their addresses, and what a policy of each is made of."""

import os
import socket

TABLE_MAIN, TABLE_LOCAL, TABLE_DEFAULT = 254, 255, 253
RTM_F_LOOKUP_TABLE = 0x1000
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
FORWARDING = (("conf/all/forwarding", 1), ("conf/default/forwarding", 1))


class Family:
    """Addresses are ints here; prefixes are pairs of an address and a length."""

    def number(self, text):
        return int.from_bytes(socket.inet_pton(self.af, text), "big")

    def packed(self, address):
        return address.to_bytes(self.bits // 8, "big")

    def text(self, address):
        return socket.inet_ntop(self.af, self.packed(address))

    def prefix(self, text):
        address, length = text.split("/")
        return self.number(address), int(length)

    def prefix_text(self, address, length):
        if not length:
            return "default"
        return self.text(address) + ("/%d" % length if length < self.bits else "")

    def netmask(self, length):
        return self.hostmask(0) ^ self.hostmask(length)

    def hostmask(self, length):
        return (1 << (self.bits - length)) - 1

    def sources(self):
        """The addresses of the devices, in their order."""
        return [self.number(text) for text in self.own]

    def set(self, name, value):
        with open("/proc/sys/net/%s/%s" % (self.sysctls, name), "w") as file:
            file.write(str(value))


class Inet(Family):
    """IPv4."""

    name, af, bits, sysctls, option = "inet", socket.AF_INET, 32, "ipv4", "-4"
    settings = FORWARDING + (
        ("conf/all/rp_filter", 0), ("conf/default/rp_filter", 0), ("conf/all/accept_local", 1),
        ("conf/all/send_redirects", 0), ("conf/default/send_redirects", 0))
    # The order of fib_rule_match() and then fib4_rule_match().
    selectors = ("iif", "oif", "fwmark", "tun_id", "l3mdev", "uidrange", "from", "to", "tos",
                 "ipproto", "sport", "dport")
    # Without custom rules: the priority of the rule that stands for a table.
    built_in = {TABLE_LOCAL: 0, TABLE_MAIN: 32766, TABLE_DEFAULT: 32767}
    rules_make_tables = nexthops_are_routes = False
    refusals_are_told = False  # routes that refuse or throw, and their prefixes, by the tracepoint
    local_routes_name_source = True
    doubles = 0.15  # so often there are two routes to a prefix
    event = "fib/fib_table_lookup"
    get_flags = RTM_F_LOOKUP_TABLE  # of RTM_GETROUTE, or the answer calls every table main
    icmp, protocols = ICMP, {ICMP: "icmp", TCP: "tcp", UDP: "udp"}
    own, own_length = ("10.1.0.1", "10.2.0.1", "10.3.0.1", "192.0.2.1"), 24
    address_flags = 0
    late_routes = ()
    nowhere = "203.0.113.1"
    tables = ()
    source_lengths = (8, 16, 24, 32, 32)
    suppressed_lengths = (0, 0, 8, 16, 24)
    anywhere = ("10.0.0.0/9", "100.64.0.0/9")  # destinations that only a default route has
    tos, rule_tos, route_tos = (0x04, 0x08, 0x10, 0x1C, 0x28, 0xB8, 0xB0, 0xFC), 0x1C, (0x08, 0x10)
    nets = ("0.0.0.0/0", "10.0.0.0/8", "10.50.0.0/16", "10.50.7.0/24", "10.50.7.9/32",
            "10.50.7.128/25", "198.51.100.0/24", "198.51.100.7/32", "198.51.100.64/26",
            "203.0.113.0/24", "203.0.113.128/25", "100.64.0.0/10", "100.85.80.11/32",
            "100.64.0.0/11", "10.50.0.0/17", "192.0.2.0/24", "10.2.0.0/24")

    def prepare(self):
        """Before devices are made; IPv6 would only make noise."""
        for name, value in self.settings:
            self.set(name, value)
        if os.path.exists("/proc/sys/net/ipv6"):
            INET6.set("conf/default/disable_ipv6", 1)

    def enable(self, device):
        """When the device and its peer are up."""

    @staticmethod
    def avoided(address):
        """Subnet broadcasts of the devices: the kernel answers these by other code."""
        return address & 0xFF in (0, 255)

    def gateways(self, _):
        """What may be a gateway through a device."""
        return [source + 1 for source in self.sources()]


class Inet6(Family):
    """IPv6."""

    name, af, bits, sysctls, option = "inet6", socket.AF_INET6, 128, "ipv6", "-6"
    settings = FORWARDING + (
        ("conf/default/disable_ipv6", 1), ("conf/default/addr_gen_mode", 1),
        ("conf/default/accept_ra", 0), ("conf/default/router_solicitations", 0))
    selectors = ("iif", "oif", "fwmark", "tun_id", "l3mdev", "uidrange", "to", "from", "tos",
                 "flowlabel", "ipproto", "sport", "dport")
    built_in = {TABLE_LOCAL: 0, TABLE_MAIN: 32766}
    rules_make_tables = True  # fib6_rule_configure() makes the table of a rule
    # Several nexthops are several routes that know each other, if they have gateways. Without one
    # they do not, but there can be several routes to a prefix with one metric.
    nexthops_are_routes = refusals_are_told = True
    local_routes_name_source = False
    doubles = 0.5
    event = "fib6/fib6_table_lookup"
    get_flags = 0
    icmp, protocols = ICMPV6, {ICMPV6: "ipv6-icmp", TCP: "tcp", UDP: "udp"}
    own = ("2001:db8:1::1", "2001:db8:2::1", "2001:db8:3::1", "fd00:4::1")
    own_length = 64
    address_flags = 2  # IFA_F_NODAD
    nowhere = "2001:db8:ffff::1"
    tables = (TABLE_DEFAULT,)  # no rule is made for it, but those of Tailscale name it
    source_lengths = (1, 16, 32, 48, 64, 128, 128)
    suppressed_lengths = (0, 0, 32, 48, 64)
    anywhere = ("2001:db8::/32", "fd00::/8")
    tos, rule_tos, route_tos = Inet.tos + (0x03, 0x29), 0xFC, (0,)
    # None has the gateways.
    nets = ("::/0", "2001:db8::/32", "2001:db8:50::/44", "2001:db8:50::/48", "2001:db8:50:7::/64",
            "2001:db8:50:7::9/128", "2001:db8:50:7:8000::/65", "2001:db8:f::/48",
            "2001:db8:f::7/128", "2001:db8:f:0:40::/74", "fd00:113::/32", "fd00:113:8000::/33",
            "fd7a:115c:a1e0::/48", "fd7a:115c:a1e0::5/128", "fd7a:115c::/32", "2001:db8:2::/126",
            "2001:db8:2::/64", "fd00:4::/64")

    def prepare(self):
        """Before devices are made: those that get no address stay without IPv6."""
        for name, value in self.settings:
            self.set(name, value)

    def enable(self, device):
        """When the device and its peer are up."""
        self.set("conf/%s/disable_ipv6" % device, 0)

    @staticmethod
    def avoided(_):
        """No address of the pools is special."""
        return False

    def gateways(self, index):
        """What may be a gateway through a device."""
        return [self.number("fe80::1") + index, self.number("fdff::1")]

    @property
    def late_routes(self):
        """What a worker of the kernel adds after the addresses: the local and the anycast ones."""
        own = self.sources()
        return set(own) | {address & self.netmask(self.own_length) for address in own}


INET, INET6 = Inet(), Inet6()
FAMILIES = {family.name: family for family in (INET, INET6)}
