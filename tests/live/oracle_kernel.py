# SPDX-License-Identifier: GPL-2.0-only
"""The running kernel as the oracle test talks to it: namespaces, rtnetlink, its tracepoint."""

import ctypes
import os
import re
import signal
import socket
import struct

from oracle_family import INET

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
MS_REC, MS_PRIVATE, MS_BIND = 0x4000, 1 << 18, 0x1000

RTM_NEWLINK, RTM_SETLINK, RTM_NEWADDR = 16, 19, 20
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK = 1, 4
NLM_F_DUMP = 0x300
NLM_F_EXCL, NLM_F_CREATE, NLM_F_APPEND = 0x200, 0x400, 0x800
RTM_F_FIB_MATCH = 0x2000
RTMGRP_IPV6_ROUTE = 0x400
NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK, SOL_NETLINK = 11, 12, 270

RTA = dict(DST=1, SRC=2, IIF=3, OIF=4, GATEWAY=5, PRIORITY=6, PREFSRC=7, MULTIPATH=9, TABLE=15,
           MARK=16, UID=25, IP_PROTO=27, SPORT=28, DPORT=29, FLOWLABEL=31)
FRA = dict(DST=1, SRC=2, IIFNAME=3, GOTO=4, PRIORITY=6, FWMARK=10, TUN_ID=12, SUPPRESS_IFGROUP=13,
           SUPPRESS_PREFIXLEN=14, TABLE=15, FWMASK=16, OIFNAME=17, L3MDEV=19, UID_RANGE=20,
           PROTOCOL=21, IP_PROTO=22, SPORT_RANGE=23, DPORT_RANGE=24, DSCP=25, FLOWLABEL=26,
           FLOWLABEL_MASK=27, SPORT_MASK=28, DPORT_MASK=29, DSCP_MASK=30)
RTNH_F_ONLINK = 4

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, "%s: %s" % (what, os.strerror(error)))


def die_with_parent():
    """This process gets SIGTERM when its parent ends, however that ends."""
    check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM), "prctl")


def unshare(flags):
    check(libc.unshare(flags), "unshare")


def mount(source, target, kind, flags):
    encode = lambda text: None if text is None else text.encode()
    check(libc.mount(encode(source), encode(target), encode(kind), ctypes.c_ulong(flags), None),
          "mount on " + target)


def private_mounts(tracefs):
    """A mount namespace with its own /run/netns and, where the kernel has it, tracefs."""
    unshare(CLONE_NEWNS)
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    os.makedirs("/run/netns", exist_ok=True)
    mount("oracle", "/run/netns", "tmpfs", 0)
    try:
        mount("oracle", tracefs, "tracefs", 0)
    except OSError:
        return False
    return True


def new_network(name):
    """Puts this process into a new network namespace that `ip netns` knows as name."""
    unshare(CLONE_NEWNET)
    path = "/run/netns/" + name
    os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
    mount("/proc/self/ns/net", path, None, MS_BIND)


def attribute(kind, payload):
    length = 4 + len(payload)
    return struct.pack("=HH", length, kind) + payload + b"\0" * (-length % 4)


def attributes(data):
    """The attributes of data as {type: payload}."""
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found


def u32(value):
    return struct.pack("=I", value & 0xFFFFFFFF)


class Rtnl:
    """A rtnetlink socket for one address family; requests answer (errno, messages)."""

    def __init__(self, family=INET):
        self.family = family
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.socket.bind((0, 0))
        self.socket.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        self.sequence = 0

    def request(self, kind, flags, payload):
        self.sequence += 1
        header = struct.pack("=IHHII", 16 + len(payload), kind, flags | NLM_F_REQUEST,
                             self.sequence, 0)
        self.socket.send(header + payload)
        return self.answer(bool(flags & NLM_F_DUMP))

    def answer(self, dump):
        messages = []
        while True:
            data = self.socket.recv(1 << 18)
            while len(data) >= 16:
                length, kind, _, sequence, _ = struct.unpack_from("=IHHII", data)
                body, data = data[16:length], data[(length + 3) & ~3:]
                if sequence != self.sequence:
                    continue
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    return -struct.unpack_from("=i", body)[0], messages
                messages.append((kind, body))
                if not dump:
                    return 0, messages

    def change(self, kind, flags, payload):
        """A request that has to succeed."""
        error, _ = self.request(kind, flags | NLM_F_ACK, payload)
        if error:
            raise OSError(error, "rtnetlink request %d: %s" % (kind, os.strerror(error)))


def link_payload(index, flags, change, attrs):
    return struct.pack("=BxHiII", 0, 0, index, flags, change) + attrs


def make_veth(rtnl, name, peer, group):
    peer_info = attribute(1 | 0x8000, link_payload(0, 0, 0, attribute(3, peer.encode() + b"\0")))
    info = attribute(18, attribute(1, b"veth\0") + attribute(2, peer_info))
    attrs = attribute(3, name.encode() + b"\0") + attribute(27, u32(group)) + info
    rtnl.change(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link_payload(0, 0, 0, attrs))
    for end in (peer, name):
        link_up(rtnl, socket.if_nametoindex(end))
    return socket.if_nametoindex(name)


def link_up(rtnl, index):
    rtnl.change(RTM_NEWLINK, 0, link_payload(index, 1, 1, b""))


def add_address(rtnl, index, address, length):
    family, packed = rtnl.family, rtnl.family.packed(address)
    payload = struct.pack("=BBBBI", family.af, length, family.address_flags, 0, index)
    payload += attribute(2, packed) + attribute(1, packed)
    rtnl.change(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, payload)


class RouteNews:
    """The routes of IPv6 that are added from now on."""

    def __init__(self, seconds):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.socket.bind((0, RTMGRP_IPV6_ROUTE))
        self.socket.settimeout(seconds)

    def wait(self, destinations):
        """Waits until there has been a host route to each of destinations."""
        missing = set(destinations)
        while missing:
            data = self.socket.recv(1 << 18)
            length, kind = struct.unpack_from("=IH", data)
            route = parse_route(data[16:length]) if kind == RTM_NEWROUTE else None
            if route and route["length"] == 128:
                missing.discard(route["dst"])


def gateway_attribute(family, gateway):
    return attribute(RTA["GATEWAY"], family.packed(gateway)) if gateway else b""


def multipath_attribute(family, nexthops):
    data = b""
    for index, gateway in nexthops:
        gw = gateway_attribute(family, gateway)
        data += struct.pack("=HBBi", 8 + len(gw), RTNH_F_ONLINK if gateway else 0, 0, index) + gw
    return attribute(RTA["MULTIPATH"], data)


def route_payload(family, route):
    """route: see oracle_model.Route. Gateways are onlink, so that no rule is asked for them."""
    single = len(route.nexthops) == 1
    flags = RTNH_F_ONLINK if single and route.nexthops[0][1] else 0
    scope = 253 if route.nexthops and not any(gw for _, gw in route.nexthops) else 0
    payload = struct.pack("=BBBBBBBBI", family.af, route.length, 0, route.tos, 0, 4, scope,
                          route.type, flags)
    payload += attribute(RTA["DST"], family.packed(route.dst))
    payload += attribute(RTA["TABLE"], u32(route.table))
    if route.metric:
        payload += attribute(RTA["PRIORITY"], u32(route.metric))
    if single:
        index, gateway = route.nexthops[0]
        payload += attribute(RTA["OIF"], u32(index)) + gateway_attribute(family, gateway)
    elif route.nexthops:
        payload += multipath_attribute(family, route.nexthops)
    return payload


def parse_nexthops(attrs):
    if RTA["MULTIPATH"] not in attrs:
        if RTA["OIF"] not in attrs:
            return []
        return [(int.from_bytes(attrs[RTA["OIF"]], "little"),
                 int.from_bytes(attrs.get(RTA["GATEWAY"], b""), "big"))]
    data, found = attrs[RTA["MULTIPATH"]], []
    while len(data) >= 8:
        length, _, _, index = struct.unpack_from("=HBBi", data)
        gateway = attributes(data[8:length]).get(RTA["GATEWAY"], b"")
        found.append((index, int.from_bytes(gateway, "big")))
        data = data[(length + 3) & ~3:]
    return found


def parse_route(body):
    """A route message as a dict; used for dumps and for the answers to questions."""
    _, length, _, tos, table, _, scope, kind, flags = struct.unpack_from("=BBBBBBBBI", body)
    attrs = attributes(body[12:])
    number = lambda name: int.from_bytes(attrs.get(RTA[name], b""), "little")
    return dict(length=length, tos=tos, type=kind, scope=scope, flags=flags,
                table=number("TABLE") if RTA["TABLE"] in attrs else table,
                dst=int.from_bytes(attrs.get(RTA["DST"], b""), "big"),
                prefsrc=int.from_bytes(attrs.get(RTA["PREFSRC"], b""), "big"),
                metric=number("PRIORITY"), nexthops=parse_nexthops(attrs))


def empty_header(family):
    return struct.pack("=BBBBBBBBI", family.af, 0, 0, 0, 0, 0, 0, 0, 0)


def dump_routes(rtnl):
    error, messages = rtnl.request(RTM_GETROUTE, NLM_F_DUMP, empty_header(rtnl.family))
    if error:
        raise OSError(error, "route dump")
    return [parse_route(body) for kind, body in messages if kind == RTM_NEWROUTE]


def rule_attributes(rule):
    text = lambda value: value.encode() + b"\0"
    byte = lambda value: bytes([value])
    u16 = lambda value: struct.pack("=H", value)
    span = lambda value: struct.pack("=HH", *value)
    uids = lambda value: struct.pack("=II", *value)
    tun_id = lambda value: struct.pack("!Q", value)
    label = lambda value: struct.pack("!I", value)
    codecs = (("iif", "IIFNAME", text), ("oif", "OIFNAME", text), ("goto", "GOTO", u32),
              ("mark", "FWMARK", u32), ("mask", "FWMASK", u32), ("tun_id", "TUN_ID", tun_id),
              ("ifgroup", "SUPPRESS_IFGROUP", u32), ("plen", "SUPPRESS_PREFIXLEN", u32),
              ("table", "TABLE", u32), ("uids", "UID_RANGE", uids), ("proto", "IP_PROTO", byte),
              ("sport", "SPORT_RANGE", span), ("dport", "DPORT_RANGE", span),
              ("dscp", "DSCP", byte), ("dscp_mask", "DSCP_MASK", byte), ("l3mdev", "L3MDEV", byte),
              ("flowlabel", "FLOWLABEL", label), ("flowlabel_mask", "FLOWLABEL_MASK", label),
              ("sport_mask", "SPORT_MASK", u16), ("dport_mask", "DPORT_MASK", u16))
    return b"".join(attribute(FRA[name], encode(rule[key])) for key, name, encode in codecs
                    if rule.get(key) is not None)


def rule_payload(family, rule):
    """rule: a dict with the keys that oracle_model.make_rule() gives."""
    src, dst = rule.get("src"), rule.get("dst")
    table = rule.get("table") or 0
    payload = struct.pack("=BBBBBBBBI", family.af, dst[1] if dst else 0, src[1] if src else 0,
                          rule.get("tos") or 0, table if table < 256 else 0, 0, 0, rule["action"],
                          2 if rule.get("not") else 0)
    payload += attribute(FRA["PRIORITY"], u32(rule["priority"]))
    if dst:
        payload += attribute(FRA["DST"], family.packed(dst[0]))
    if src:
        payload += attribute(FRA["SRC"], family.packed(src[0]))
    return payload + rule_attributes(rule)


def add_rule(rtnl, rule):
    try:
        rtnl.change(RTM_NEWRULE, NLM_F_CREATE, rule_payload(rtnl.family, rule))
    except OSError as error:
        raise OSError(error.errno, "rule %s refused: %s" % (rule, error.strerror)) from None


def delete_priority(rtnl, priority):
    """Deletes the first rule with this priority."""
    payload = empty_header(rtnl.family) + attribute(FRA["PRIORITY"], u32(priority))
    rtnl.change(RTM_DELRULE, 0, payload)


def try_rule(rtnl, rule, name):
    """Whether this kernel takes the rule and knows its attribute FRA[name]: old kernels take what
    they do not know, and show it in no dump. The rule is not left behind."""
    payload = rule_payload(rtnl.family, rule)
    error, _ = rtnl.request(RTM_NEWRULE, NLM_F_ACK | NLM_F_CREATE, payload)
    if error:
        return False
    _, messages = rtnl.request(RTM_GETRULE, NLM_F_DUMP, empty_header(rtnl.family))
    delete_priority(rtnl, rule["priority"])
    return any(FRA[name] in attributes(body[12:]) for kind, body in messages if kind == RTM_NEWRULE)


def question(family, flow, flags):
    """RTM_GETROUTE for flow, a dict with the keys of oracle_model.make_flow()."""
    bits = family.bits
    payload = struct.pack("=BBBBBBBBI", family.af, bits, bits if flow.get("src") else 0,
                          flow.get("tos") or 0, 0, 0, 0, 0, flags)
    payload += attribute(RTA["DST"], family.packed(flow["dst"]))
    if flow.get("src"):
        payload += attribute(RTA["SRC"], family.packed(flow["src"]))
    for key in ("iif", "oif", "mark", "uid"):
        if flow.get(key) is not None:
            payload += attribute(RTA[key.upper()], u32(flow[key]))
    if flow.get("proto") is not None:
        payload += attribute(RTA["IP_PROTO"], bytes([flow["proto"]]))
    for key in ("sport", "dport"):
        if flow.get(key):
            payload += attribute(RTA[key.upper()], struct.pack("!H", flow[key]))
    if flow.get("flowlabel"):
        payload += attribute(RTA["FLOWLABEL"], struct.pack("!I", flow["flowlabel"]))
    return payload


def ask(rtnl, flow, flags):
    """The kernel's answer: (errno, route dict or None)."""
    error, messages = rtnl.request(RTM_GETROUTE, 0, question(rtnl.family, flow, flags))
    return error, parse_route(messages[0][1]) if messages else None


class Tracepoint:
    """A family's tracepoint through an own tracefs instance: what this process's lookups asked."""

    # Of the flags the third character tells an interrupt: whatever packet came in meanwhile.
    LINE = re.compile(r"\] ..\.\S* +[\d.]+: "
                      r"fib6?_table_lookup: table +(\d+) oif \d+ iif (\d+) .* err (-?\d+)$")
    MARK = re.compile(r"tracing_mark_write: q(\d+)$")

    def __init__(self, root, name, event):
        self.path = os.path.join(root, "instances", name)
        for other in os.listdir(os.path.join(root, "instances")):
            self.remove_stale(root, other)
        os.mkdir(self.path)
        self.write("trace_clock", "mono")
        self.write("buffer_size_kb", "2048")
        self.write("events/%s/enable" % event, "1")
        self.marker = os.open(self.path + "/trace_marker", os.O_WRONLY)
        # What is read here is gone: emptying "trace" takes the kernel far longer.
        self.pipe = os.open(self.path + "/trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.count = 0

    @staticmethod
    def remove_stale(root, name):
        match = re.match(r"fibtrace-oracle-(\d+)$", name)
        if match and not os.path.exists("/proc/" + match.group(1)):
            os.rmdir(os.path.join(root, "instances", name))

    def write(self, name, value):
        with open(os.path.join(self.path, name), "w") as file:
            file.write(value)

    def follow_this_process(self):
        self.write("set_event_pid", str(os.getpid()))
        self.write("trace", "")

    def mark(self):
        """Begins a new question; its number."""
        self.count += 1
        os.write(self.marker, b"q%d" % self.count)
        return self.count

    def collect(self):
        """{question: [(table, errno), …]} since the last call."""
        answers, current = {}, []
        for line in self.read().split("\n"):
            current = self.take(line, answers, current)
        return answers

    def read(self):
        text = b""
        while True:
            try:
                text += os.read(self.pipe, 1 << 16)
            except BlockingIOError:
                return text.decode()

    def take(self, line, answers, current):
        mark = self.MARK.search(line)
        if mark:
            return answers.setdefault(int(mark.group(1)), [])
        event = self.LINE.search(line)
        if event and event.group(2) != "0":  # no input interface: a check of an address's type
            current.append((int(event.group(1)), -int(event.group(3))))
        return current

    def close(self):
        os.close(self.pipe)
        os.close(self.marker)
        os.rmdir(self.path)
