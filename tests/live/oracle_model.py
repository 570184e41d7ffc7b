# SPDX-License-Identifier: GPL-2.0-only
"""A second, independent implementation of IPv4 policy routing, and random policies to try it on."""

import errno
import ipaddress
from collections import Counter, namedtuple

LOOKUP, GOTO, NOP, BLACKHOLE, UNREACHABLE, PROHIBIT = 1, 2, 3, 6, 7, 8
REJECT_ERRORS = {BLACKHOLE: errno.EINVAL, UNREACHABLE: errno.ENETUNREACH, PROHIBIT: errno.EACCES}
ACTION_NAMES = {LOOKUP: "lookup", GOTO: "goto", NOP: "nop", BLACKHOLE: "blackhole",
                UNREACHABLE: "unreachable", PROHIBIT: "prohibit"}

RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST = 1, 2, 3
RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT, RTN_THROW = 6, 7, 8, 9
ROUTE_ERRORS = {RTN_BLACKHOLE: errno.EINVAL, RTN_UNREACHABLE: errno.EHOSTUNREACH,
                RTN_PROHIBIT: errno.EACCES, RTN_THROW: errno.EAGAIN}
TYPE_NAMES = {1: "unicast", 2: "local", 3: "broadcast", 6: "blackhole", 7: "unreachable",
              8: "prohibit", 9: "throw"}

TABLE_MAIN, TABLE_LOCAL, TABLE_DEFAULT = 254, 255, 253
LOOPBACK = 1
TCP, UDP, ICMP = 6, 17, 1

Route = namedtuple("Route", "table dst length type tos metric nexthops")
Answer = namedtuple("Answer", "table error route")


def number(text):
    return int(ipaddress.IPv4Address(text))


def dotted(value):
    return str(ipaddress.IPv4Address(value))


def netmask(length):
    return (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF


class Table:
    """One table's routes, longest prefix first; equals keep the kernel's dump order."""

    def __init__(self, number_, routes):
        self.number = number_
        self.routes = sorted(routes, key=lambda r: (-r.length, -r.tos, r.metric))

    def lookup(self, key):
        for route in self.routes:
            if (key["dst"] ^ route.dst) & netmask(route.length):
                continue
            if route.tos and route.tos != key["tos"] & 0x1C:
                continue
            if route.type in ROUTE_ERRORS:
                return Answer(self.number, ROUTE_ERRORS[route.type], route)
            if not key["oif"] or any(dev == key["oif"] for dev, _ in route.nexthops):
                return Answer(self.number, 0, route)
        return Answer(self.number, errno.EAGAIN, None)


class Machine:
    """What rules are matched against besides the flow: devices, their groups, the tables."""

    def __init__(self, devices, groups, tables):
        self.devices = devices  # name -> index
        self.groups = groups  # index -> group
        self.tables = tables  # number -> Table
        # Some kernels ask table default after any error of main, others only after EAGAIN.
        self.default_overrides = False
        # Of the flow's tos, what the rules are shown: kernels without FRA_DSCP mask the rest away.
        self.tos_mask = 0xFC

    def index(self, name):
        return self.devices.get(name, -1)


def port_matches(span, mask, port):
    if span is None:
        return True
    if mask:
        return not (span[0] ^ port) & mask
    return span[0] <= port <= span[1]


def mark_of(rule):
    mask = rule.get("mask")
    mark = rule.get("mark") or 0
    if mask is None:
        mask = 0xFFFFFFFF if mark else 0
    return mark, mask


def tos_matches(rule, tos):
    if rule.get("dscp") is not None:
        mask = rule.get("dscp_mask")
        mask = 63 if mask is None else mask
        return not (rule["dscp"] ^ (tos >> 2)) & mask
    return not rule.get("tos") or rule["tos"] == tos & 0x1C


# In the order of fib_rule_match() and then fib4_rule_match().
SELECTORS = ("iif", "oif", "fwmark", "tun_id", "l3mdev", "uidrange", "from", "to", "tos", "ipproto",
             "sport", "dport")


def selector_tests(rule, key, machine):
    """Whether each of SELECTORS accepts the key."""
    mark, mask = mark_of(rule)
    uids = rule.get("uids")
    return (
        rule.get("iif") is None or machine.index(rule["iif"]) == key["iif"],
        rule.get("oif") is None or machine.index(rule["oif"]) == key["oif"],
        not (mark ^ key["mark"]) & mask,
        not rule.get("tun_id"),
        not rule.get("l3mdev"),
        uids is None or uids[0] <= key["uid"] <= uids[1],
        rule.get("src") is None or not (rule["src"][0] ^ key["src"]) & netmask(rule["src"][1]),
        rule.get("dst") is None or not (rule["dst"][0] ^ key["dst"]) & netmask(rule["dst"][1]),
        tos_matches(rule, key["tos"]),
        not rule.get("proto") or rule["proto"] == key["proto"],
        port_matches(rule.get("sport"), rule.get("sport_mask"), key["sport"]),
        port_matches(rule.get("dport"), rule.get("dport_mask"), key["dport"]),
    )


def applies(rule, key, machine):
    return all(selector_tests(rule, key, machine)) != bool(rule.get("not"))


def mismatch(rule, key, machine):
    """The name of what keeps a rule from applying."""
    tests = selector_tests(rule, key, machine)
    if all(tests):
        return "not"
    name = SELECTORS[tests.index(False)]
    return "dscp" if name == "tos" and rule.get("dscp") is not None else name


def suppressed(rule, route, machine):
    plen, group = rule.get("plen"), rule.get("ifgroup")
    if plen is not None and route.length <= plen:
        return True
    return group is not None and bool(route.nexthops) \
        and machine.groups.get(route.nexthops[0][0], 0) == group


class Walk:
    """asked: the Answers of the tables asked; answers: the same by the index of the rule that
    asked; steps: (rule index, outcome) up to the end; jumps: the index of the goto by those of the
    rules that it jumped over; error, rule (index or None) and route end it."""

    def __init__(self):
        self.asked, self.answers, self.steps, self.jumps = [], {}, [], {}
        self.error, self.rule, self.route = errno.ENETUNREACH, None, None

    def end(self, index, error, route):
        self.rule, self.error, self.route = index, error, route
        return self

    @property
    def sequence(self):
        return [(answer.table, answer.error) for answer in self.asked]

    @property
    def table(self):
        """The table that decided, None when none did."""
        return self.asked[-1].table if self.route else None


def target_of(rules, rule):
    return next((i for i, other in enumerate(rules) if other["priority"] == rule["goto"]), None)


def outcome_of(answer):
    """What an Answer comes to when nothing is suppressed."""
    if answer.error == errno.EAGAIN:
        return "throw" if answer.route else "no-route"
    return TYPE_NAMES[answer.route.type] if answer.error else "chosen"


def ask_table(walk, rule, key, machine):
    """What comes of a lookup rule: (outcome, Answer or None)."""
    table = machine.tables.get(rule["table"] or TABLE_MAIN)
    if table is None:
        return "no-table", None
    answer = table.lookup(key)
    walk.asked.append(answer)
    outcome = outcome_of(answer)
    if outcome == "chosen" and suppressed(rule, answer.route, machine):
        outcome = "suppressed"
    return outcome, answer


def jump(walk, rules, here, key, machine):
    """The index at which a goto goes on; the rules until there are steps, too."""
    target = target_of(rules, rules[here])
    if target is None:
        return here + 1
    for index in range(here + 1, target):
        walk.jumps[index] = here
        walk.steps.append((index, "not-reached" if applies(rules[index], key, machine)
                           else "skipped"))
    return target


def walk_rules(rules, key, machine):
    walk, index = Walk(), 0
    while index < len(rules):
        rule, here = rules[index], index
        index += 1
        if not applies(rule, key, machine):
            walk.steps.append((here, "skipped"))
            continue
        if rule["action"] != LOOKUP:
            walk.steps.append((here, ACTION_NAMES[rule["action"]]))
        if rule["action"] in REJECT_ERRORS:
            return walk.end(here, REJECT_ERRORS[rule["action"]], None)
        if rule["action"] == GOTO:
            index = jump(walk, rules, here, key, machine)
        if rule["action"] != LOOKUP:
            continue
        outcome, answer = ask_table(walk, rule, key, machine)
        walk.answers[here] = answer
        walk.steps.append((here, outcome))
        if outcome not in ("no-table", "no-route", "throw", "suppressed"):
            return walk.end(here, answer.error, answer.route)
    return walk


def walk_built_in(key, machine):
    """Without custom rules: main (with local inside it), then default."""
    walk = Walk()
    both = machine.tables[TABLE_LOCAL].routes + machine.tables[TABLE_MAIN].routes
    for table in filter(None, [Table(TABLE_MAIN, both), machine.tables.get(TABLE_DEFAULT)]):
        answer = table.lookup(key)
        walk.asked.append(answer)
        thrown = answer.error == errno.EAGAIN
        walk.end(None, errno.ENETUNREACH if thrown else answer.error,
                 None if thrown else answer.route)
        if not answer.error or not thrown and not machine.default_overrides:
            break
    return walk


def dissects(rules, machine):
    """Whether the kernel reads protocol and ports of a packet that comes in."""
    return any((rule.get("proto") or rule.get("sport") or rule.get("dport"))
               and rule.get("iif") != "lo" for rule in rules)


def key_of(flow, rules, machine):
    """The flow key that the rules see for a question."""
    key = dict(dst=flow["dst"], src=flow.get("src") or 0, mark=flow.get("mark") or 0,
               tos=(flow.get("tos") or 0) & machine.tos_mask, uid=flow.get("uid") or 0, oif=0,
               iif=LOOPBACK,
               proto=flow.get("proto") or UDP, sport=flow.get("sport") or 0,
               dport=flow.get("dport") or 0)
    if not flow.get("iif"):
        key["oif"] = flow.get("oif") or 0
        return key
    key["iif"], key["uid"] = flow["iif"], 0
    if not dissects(rules, machine):
        key["proto"] = key["sport"] = key["dport"] = 0
    elif key["proto"] == ICMP:
        key["sport"] = key["dport"] = 0
    return key


class Generator:
    """Random rules, routes and flows from pools small enough that they meet."""

    TABLES = [100, 101, 102, 103, 104, 105, 106, 51820, 52, 70000]
    MISSING = [90, 91, 4000000]
    MARKS = [0, 1, 0x2, 0xCA6C, 0x80000, 0x80001, 0xFF]
    MASKS = [0xFF, 0xFF0000, 0xFFFFFFFF, 0x1, 0xFFFF]
    UIDS = [0, 1000, 1001, 65534]
    PROTOCOLS = [ICMP, TCP, UDP]
    PORTS = [53, 80, 443, 4000, 8080, 33000, 65534]
    TOS = [0x04, 0x08, 0x10, 0x1C, 0x28, 0xB8, 0xB0, 0xFC]
    NETS = ["0.0.0.0/0", "10.0.0.0/8", "10.50.0.0/16", "10.50.7.0/24", "10.50.7.9/32",
            "10.50.7.128/25", "198.51.100.0/24", "198.51.100.7/32", "198.51.100.64/26",
            "203.0.113.0/24", "203.0.113.128/25", "100.64.0.0/10", "100.85.80.11/32",
            "100.64.0.0/11", "10.50.0.0/17", "192.0.2.0/24", "10.2.0.0/24"]

    def __init__(self, rng, devices, sources, features):
        self.rng = rng
        self.devices = devices
        self.sources = sources
        self.features = features
        self.prefixes = [self.split(net) for net in self.NETS]
        self.own_tables = rng.random() < 0.5
        self.free_tables = iter(range(1000, 2000))

    @staticmethod
    def split(net):
        network = ipaddress.IPv4Network(net)
        return int(network.network_address), network.prefixlen

    def chance(self, probability):
        return self.rng.random() < probability

    # -- rules

    def port_selector(self, rule, name):
        port = self.rng.choice(self.PORTS)
        kind = self.rng.random()
        if kind < 0.3 and "port_mask" in self.features:
            mask = self.rng.choice([0xFFFF, 0xFF00, 0x000F, 0xFFF0])
            rule[name] = (port & mask or mask, port & mask or mask)
            rule[name + "_mask"] = mask
        elif kind < 0.6:
            rule[name] = (port, port)
        else:
            rule[name] = (self.rng.choice([1, 50, port]), max(port, self.rng.choice([50, 9000])))

    def tos_selector(self, rule):
        tos = self.rng.choice(self.TOS)
        if "dscp" not in self.features or self.chance(0.5):
            rule["tos"] = tos & 0x1C or 0x10
            return
        rule["dscp"] = self.rng.choice([0, tos >> 2])
        if "dscp_mask" in self.features and self.chance(0.5):
            rule["dscp_mask"] = self.rng.choice([0x3F, 0x07, 0x38, 0x20])
            rule["dscp"] &= rule["dscp_mask"]

    def mark_selector(self, rule):
        rule["mark"] = self.rng.choice(self.MARKS)
        if rule["mark"] == 0 or self.chance(0.4):
            rule["mask"] = self.rng.choice(self.MASKS)

    def uid_selector(self, rule):
        first = self.rng.choice(self.UIDS)
        rule["uids"] = (first, max(first, self.rng.choice(self.UIDS)))

    def selector(self, rule, kind):
        choose = self.rng.choice
        if kind == "src":
            address = choose(self.sources)
            length = choose([8, 16, 24, 32, 32])
            rule["src"] = (address & netmask(length), length)
        elif kind == "dst":
            rule["dst"] = choose([p for p in self.prefixes if p[1]])
        elif kind == "iif":
            rule["iif"] = choose(list(self.devices) + ["lo", "lo", "lo", "gone0"])
        elif kind == "oif":
            rule["oif"] = choose(list(self.devices) + ["gone0"])
        elif kind == "proto":
            rule["proto"] = choose(self.PROTOCOLS)
        elif kind == "tun_id":
            rule["tun_id"] = self.rng.randrange(1, 1 << 40)
        elif kind == "l3mdev":
            rule["l3mdev"] = 1
            rule["table"] = None  # the kernel takes the device's; with `not` it is 0, main
        elif kind in ("sport", "dport"):
            self.port_selector(rule, kind)
        else:
            {"mark": self.mark_selector, "uid": self.uid_selector, "tos": self.tos_selector}[kind](
                rule)

    def selectors(self, rule, count):
        kinds = ["src", "dst", "dst", "iif", "oif", "mark", "mark", "uid", "proto", "sport",
                 "dport", "tos", "tos"]
        for kind in sorted(set(self.rng.sample(kinds, count))):
            self.selector(rule, kind)
        if self.chance(0.03):
            self.selector(rule, "tun_id")
        if "l3mdev" in self.features and self.chance(0.04):
            self.selector(rule, "l3mdev")
        if self.chance(0.2):
            rule["not"] = True

    def lookup_rule(self, rule):
        if self.chance(0.08):
            rule["table"] = self.rng.choice(self.MISSING)
        elif self.own_tables:
            rule["table"] = next(self.free_tables)
        else:
            rule["table"] = self.rng.choice(self.TABLES + [TABLE_MAIN])
        if self.chance(0.3):
            rule["plen"] = self.rng.choice([0, 0, 8, 16, 24])
        if self.chance(0.15):
            rule["ifgroup"] = self.rng.choice([0, 10, 11])

    def make_rule(self, priority, top):
        action = self.rng.choices([LOOKUP, GOTO, NOP, BLACKHOLE, UNREACHABLE, PROHIBIT],
                                  [70, 10, 4, 4, 4, 4])[0]
        rule = dict(priority=priority, action=action)
        if action == LOOKUP:
            self.lookup_rule(rule)
        elif action == GOTO:
            rule["goto"] = self.rng.randrange(priority + 1, top)
        few = [2, 2, 5, 2] if action in REJECT_ERRORS else [5, 8, 4, 1]
        low = 1 if action in REJECT_ERRORS else 0
        self.selectors(rule, self.rng.choices([low, low + 1, low + 2, low + 3], few)[0])
        return rule

    def priorities(self, count):
        found = sorted(self.rng.sample(range(1, 400), count))
        for i in range(1, count):
            if self.chance(0.25):
                found[i] = found[i - 1]
        return found

    def passed_rule(self):
        """A rule that runs for each flow that comes to it, and that few flows end at."""
        return dict(priority=self.rng.randrange(1, 400), action=LOOKUP, plen=32,
                    table=self.rng.choice(self.TABLES + self.MISSING))

    def bare_rules(self, rules, local):
        """What is left of rules, the custom ones, and local when walks may end before any table:
        no table stands at the beginning, and the usual three rules may be missing."""
        for rule in rules[:4]:
            if rule["action"] == LOOKUP and not rule.get("l3mdev"):
                rule["table"] = self.rng.choice(self.MISSING)
        local["priority"] = rules[-1]["priority"]
        usual = [local, dict(priority=32766, action=LOOKUP, table=TABLE_MAIN),
                 dict(priority=32767, action=LOOKUP, table=TABLE_DEFAULT)]
        return rules + [rule for rule in usual if self.chance(0.6)]

    def usual_rules(self, rules, local, priorities):
        if self.chance(0.35):
            local["priority"] = self.rng.choice(priorities[:8])
        rules = rules + [dict(priority=32766, action=LOOKUP, table=TABLE_MAIN),
                         dict(priority=32767, action=LOOKUP, table=TABLE_DEFAULT)]
        if self.chance(0.2):
            rules.pop(-2)
        return [local] + rules

    def make_rules(self, more, bare):
        """The custom rules in the order in which they are to be added; all in walking order. more:
        so many rules beside them make long walks; bare: some walks ask no table."""
        priorities = self.priorities(self.rng.randint(6, 20))
        rules = [self.make_rule(priority, 450) for priority in priorities]
        for rule in rules:
            later = [p for p in priorities if p > rule["priority"]]
            if rule["action"] == GOTO and later and self.chance(0.85):
                rule["goto"] = self.rng.choice(later[:6])
        local = dict(priority=0, action=LOOKUP, table=TABLE_LOCAL)
        if bare:
            rules = self.bare_rules(rules, local)
        else:
            rules = self.usual_rules(rules, local, priorities)
        rules += [self.passed_rule() for _ in range(more)]
        return sorted(rules, key=lambda rule: rule["priority"])

    # -- routes

    def nexthop(self):
        index = self.rng.choice(list(self.devices.values()))
        return index, self.rng.choice([0, self.rng.choice(self.sources) + 1])

    def make_route(self, table, prefix):
        kind = self.rng.choices([RTN_UNICAST, RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT,
                                 RTN_THROW], [70, 4, 5, 4, 7])[0]
        tos = self.rng.choice([0x08, 0x10]) if self.chance(0.08) else 0
        metric = self.rng.choice([0, 0, 100, 200])
        nexthops = []
        if kind == RTN_UNICAST:
            nexthops = [self.nexthop() for _ in range(2 if self.chance(0.12) else 1)]
        return Route(table, prefix[0], prefix[1], kind, tos, metric, tuple(nexthops))

    def table_routes(self, table):
        count = self.rng.choice([1, 1, 2, 3, 4, 6])
        prefixes = self.rng.sample(self.prefixes, count)
        routes = [self.make_route(table, prefix) for prefix in prefixes]
        for route in list(routes):
            if route.length and self.chance(0.15):
                other = self.make_route(table, (route.dst, route.length))
                if (other.tos, other.metric) != (route.tos, route.metric):
                    routes.append(other)
        return routes

    def make_routes(self, rules):
        """{table: routes} for the tables that rules name; an empty list is a table made empty."""
        named = {rule["table"] for rule in rules if rule.get("table")} | {TABLE_MAIN}
        named -= set(self.MISSING) | {TABLE_LOCAL}
        if not self.chance(0.3):
            named.discard(TABLE_DEFAULT)
        return {table: [] if self.chance(0.06) and table != TABLE_MAIN else self.table_routes(table)
                for table in sorted(named)}

    # -- flows

    def destination(self):
        dst, length = self.rng.choice(self.prefixes)
        if not length:
            dst, length = self.rng.choice([number("10.0.0.0"), number("100.64.0.0")]), 9
        return dst | (self.rng.getrandbits(32) & ~netmask(length) & 0xFFFFFFFF)

    def avoided(self, address):
        """Subnet broadcasts of the devices: the kernel answers these by other code."""
        return address & 0xFF in (0, 255)

    def near(self, rule, flow):
        """Bends flow towards what rule asks for, so that rules deep in the list match too."""
        if rule.get("mark") is not None:
            flow["mark"] = rule["mark"]
        if rule.get("dst"):
            spread = self.rng.getrandbits(32) & ~netmask(rule["dst"][1]) & 0xFFFFFFFF
            flow["dst"] = rule["dst"][0] | spread
        if rule.get("src") and not flow.get("iif"):
            fitting = [s for s in self.sources
                       if not (s ^ rule["src"][0]) & netmask(rule["src"][1])]
            flow["src"] = self.rng.choice(fitting)
        if rule.get("uids") and not flow.get("iif"):
            flow["uid"] = rule["uids"][0]
        if rule.get("proto"):
            flow["proto"] = rule["proto"]
        if rule.get("dscp") is not None or rule.get("tos"):
            flow["tos"] = rule.get("tos") or rule["dscp"] << 2
        for name in ("sport", "dport"):
            if rule.get(name):
                flow[name] = rule[name][0]
        for name in ("iif", "oif"):
            if rule.get(name) in self.devices and not flow.get("iif"):
                flow[name] = self.devices[rule[name]]

    def random_flow(self):
        flow = dict(dst=self.destination(), mark=self.rng.choice(self.MARKS))
        choose = self.rng.choice
        if self.chance(0.35):
            flow["iif"] = choose(list(self.devices.values()))
            flow["src"] = choose([self.destination(), choose(self.sources)])
        elif self.chance(0.35):
            flow["src"] = choose(self.sources)
        if not flow.get("iif") and self.chance(0.2):
            flow["oif"] = choose(list(self.devices.values()))
        for name, pool, odds in (("uid", self.UIDS, 0.6), ("proto", self.PROTOCOLS, 0.6),
                                 ("sport", self.PORTS, 0.4), ("dport", self.PORTS, 0.5),
                                 ("tos", self.TOS, 0.4)):
            if self.chance(odds):
                flow[name] = choose(pool)
        return flow

    def make_flow(self, rules):
        while True:
            flow = self.random_flow()
            if self.chance(0.6):
                self.near(self.rng.choice(rules), flow)
            if flow.get("iif"):
                flow.pop("oif", None)
                flow["src"] = flow.get("src") or self.destination()
            if flow.get("oif") and self.chance(0.3):
                flow["oif"] = self.rng.choice(list(self.devices.values()))
            if not self.avoided(flow["dst"]) and not self.avoided(flow.get("src") or 1):
                return flow

    def make_flows(self, rules, count, walk, hidden_limit):
        """Up to count flows, spread over the rules that decide them as evenly as they will go; no
        more than hidden_limit of them ask no table, when that is not None."""
        flows, decided = [], Counter()
        quota = max(2, count // 8)
        for attempt in range(count * 25):
            flow = self.make_flow(rules)
            found = walk(flow)
            ends = found.rule
            limit = count if attempt > count * 15 else quota
            if hidden_limit is not None and not found.asked:
                ends, limit = "hidden", hidden_limit
            if decided[ends] < limit:
                decided[ends] += 1
                flows.append(flow)
            if len(flows) == count:
                break
        return flows
