# SPDX-License-Identifier: GPL-2.0-only
"""A second, independent implementation of policy routing, and random policies to try it on."""

import errno
from collections import Counter, namedtuple

from oracle_family import INET, INET6, TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN, TCP, UDP

LOOKUP, GOTO, NOP, BLACKHOLE, UNREACHABLE, PROHIBIT = 1, 2, 3, 6, 7, 8
REJECT_ERRORS = {BLACKHOLE: errno.EINVAL, UNREACHABLE: errno.ENETUNREACH, PROHIBIT: errno.EACCES}
ACTION_NAMES = {LOOKUP: "lookup", GOTO: "goto", NOP: "nop", BLACKHOLE: "blackhole",
                UNREACHABLE: "unreachable", PROHIBIT: "prohibit"}

RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST = 1, 2, 3, 4
RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT, RTN_THROW = 6, 7, 8, 9
ROUTE_ERRORS = {RTN_BLACKHOLE: errno.EINVAL, RTN_UNREACHABLE: errno.EHOSTUNREACH,
                RTN_PROHIBIT: errno.EACCES, RTN_THROW: errno.EAGAIN}
TYPE_NAMES = {1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 6: "blackhole",
              7: "unreachable", 8: "prohibit", 9: "throw"}
TO_THIS_HOST = (RTN_LOCAL, RTN_ANYCAST)

LOOPBACK = 1
UID_INVALID = 0xFFFFFFFF
LABELS = 0xFFFFF

Route = namedtuple("Route", "table dst length type tos metric nexthops")
Answer = namedtuple("Answer", "table error route")


class Table:
    """One table's routes, longest prefix first; equals keep the kernel's dump order."""

    def __init__(self, family, number, routes):
        self.family, self.number = family, number
        self.routes = sorted(routes, key=lambda r: (-r.length, -r.tos, r.metric))

    def has(self, route, key):
        return not (key["dst"] ^ route.dst) & self.family.netmask(route.length)

    def answer(self, route):
        """route: None for a miss."""
        error = errno.EAGAIN if route is None else ROUTE_ERRORS.get(route.type, 0)
        return Answer(self.number, error, route)

    def lookup(self, key):
        for route in self.routes:
            if not self.has(route, key) or route.tos and route.tos != key["tos"] & 0x1C:
                continue
            if route.type in ROUTE_ERRORS or fitting_nexthops(route, key["oif"]):
                return self.answer(route)
        return self.answer(None)


def fitting_nexthops(route, oif):
    """Those that a binding output interface allows."""
    return [nexthop for nexthop in route.nexthops if not oif or nexthop[0] == oif]


class Table6(Table):
    """One of IPv6: of the routes to a prefix one through the device that the flow names is
    preferred. Routes that refuse are routes through lo."""

    def lookup(self, key):
        for length in sorted({route.length for route in self.routes}, reverse=True):
            routes = [route for route in self.routes
                      if route.length == length and self.has(route, key)]
            best = [route for route in routes if route.metric == routes[0].metric]
            found = self.select(best, key) or self.select(routes[len(best):], key)
            if found:
                return self.answer(found)
        return self.answer(None)

    @staticmethod
    def select(routes, key):
        """The first of the fitting ones, or rather of those that are preferred."""
        fitting = [route for route in routes if fitting_nexthops(route, binding_oif(key))]
        preferred = [route for route in fitting if fitting_nexthops(route, key["prefer"])]
        return next(iter(preferred + fitting), None)


def binding_oif(key):
    """The output interface that a nexthop of IPv6 must have: with a source it is only a wish."""
    return 0 if key["src"] else key["oif"]


class Machine:
    """What rules are matched against besides the flow: devices, their groups, the tables."""

    family, table = INET, Table
    dscp_zero_is_any = False

    def __init__(self, devices, groups, tables):
        self.devices = devices  # name -> index
        self.groups = groups  # index -> group
        self.tables = tables  # number -> Table
        self.learn(())

    def learn(self, features):
        """What the kernel at hand does in its own way."""
        # Some kernels ask table default after any error of main, others only after EAGAIN.
        self.default_overrides = "default_overrides" in features
        # Of the flow's tos, what the rules are shown: without FRA_DSCP the rest is masked away.
        self.tos_mask = 0xFC if "dscp" in features else 0x1C

    def set_table(self, number, routes):
        self.tables[number] = self.table(self.family, number, routes)

    def index(self, name):
        return self.devices.get(name, -1)

    def tos_equals(self, rule_tos, tos):
        return rule_tos == tos & self.family.rule_tos

    def within(self, prefix, address):
        return prefix is None or not (prefix[0] ^ address) & self.family.netmask(prefix[1])

    def accepts_source(self, rule, key):
        return self.within(rule.get("src"), key["src"])

    def nexthops(self, route, key):
        """Those of a route that a lookup may end with."""
        return fitting_nexthops(route, key["oif"])

    @staticmethod
    def is_bound(flow, walk):
        """Whether the flow goes on-link through its device, because of it and against the rules."""
        return bool(flow.get("oif") and walk.error)

    @staticmethod
    def seen_error(answer):
        """What the text of the kernel's tracepoint says of an Answer."""
        return answer.error

    def key_of(self, flow, rules):
        """The flow key that the rules see for a question."""
        key = common_key(flow, self.tos_mask)
        key.update(uid=flow.get("uid") or 0, proto=flow.get("proto") or UDP)
        if not flow.get("iif"):
            key["oif"] = flow.get("oif") or 0
            return key
        key["iif"], key["uid"] = flow["iif"], 0
        if not dissects(rules):
            key["proto"] = key["sport"] = key["dport"] = 0
        elif key["proto"] == self.family.icmp:
            key["sport"] = key["dport"] = 0
        return key

    def walk_built_in(self, key):
        """Without custom rules: main (with local inside it), then default."""
        walk = Walk()
        both = self.tables[TABLE_LOCAL].routes + self.tables[TABLE_MAIN].routes
        merged = self.table(self.family, TABLE_MAIN, both)
        for table in filter(None, [merged, self.tables.get(TABLE_DEFAULT)]):
            answer = walk.ask(table, key)
            if not answer.error or answer.error != errno.EAGAIN and not self.default_overrides:
                break
        return walk


class Machine6(Machine):
    """The same for IPv6."""

    family, table = INET6, Table6

    def learn(self, features):
        # Old kernels compare the whole traffic class.
        self.class_mask = 0xFF if "whole_class" in features else self.family.rule_tos
        # Kernels that compare DSCPs without masks take a rule for 0 as one for all.
        self.dscp_zero_is_any = "dscp" in features and "dscp_mask" not in features

    def tos_equals(self, rule_tos, tos):
        return rule_tos == tos & self.class_mask

    def accepts_source(self, rule, key):
        return not rule.get("src") or bool(key["src"]) and super().accepts_source(rule, key)

    def nexthops(self, route, key):
        return fitting_nexthops(route, binding_oif(key))

    @staticmethod
    def is_bound(flow, walk):
        return False

    @staticmethod
    def seen_error(answer):
        """A miss is an unreachable route of the kernel's own."""
        return answer.error if answer.route else errno.EHOSTUNREACH

    def key_of(self, flow, rules):
        key = common_key(flow, 0xFF)
        key.update(proto=flow.get("proto") or 0, flowlabel=flow.get("flowlabel") or 0)
        unset = UID_INVALID if flow.get("iif") else 0
        key["uid"] = unset if flow.get("uid") is None else flow["uid"]
        if flow.get("iif"):
            key["iif"] = flow["iif"]
        else:
            key["oif"] = flow.get("oif") or 0
        key["prefer"] = flow.get("iif") or key["oif"]
        return key

    def walk_built_in(self, key):
        """Without custom rules: local, then main."""
        walk = Walk()
        for number in (TABLE_LOCAL, TABLE_MAIN):
            if walk.ask(self.tables[number], key).error != errno.EAGAIN:
                break
        return walk


MACHINES = {machine.family.name: machine for machine in (Machine, Machine6)}


def common_key(flow, tos_mask):
    return dict(dst=flow["dst"], src=flow.get("src") or 0, mark=flow.get("mark") or 0,
                tos=(flow.get("tos") or 0) & tos_mask, oif=0, iif=LOOPBACK, flowlabel=0,
                sport=flow.get("sport") or 0, dport=flow.get("dport") or 0)


def dissects(rules):
    """Whether the kernel reads protocol and ports of a packet that comes in."""
    return any((rule.get("proto") or rule.get("sport") or rule.get("dport"))
               and rule.get("iif") != "lo" for rule in rules)


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


def tos_matches(rule, tos, machine):
    if rule.get("dscp") is not None:
        mask = rule.get("dscp_mask")
        mask = 63 if mask is None else mask
        if not rule["dscp"] and machine.dscp_zero_is_any:
            return True
        return not (rule["dscp"] ^ (tos >> 2)) & mask
    return not rule.get("tos") or machine.tos_equals(rule["tos"], tos)


def label_matches(rule, label):
    if rule.get("flowlabel") is None:
        return True
    mask = rule.get("flowlabel_mask")
    return not (rule["flowlabel"] ^ label) & (LABELS if mask is None else mask)


def mark_matches(rule, key, _machine):
    mark, mask = mark_of(rule)
    return not (mark ^ key["mark"]) & mask


# By selector: what of a rule makes it, and whether it accepts the key.
SELECTORS = {
    "iif": (("iif",), lambda rule, key, machine: machine.index(rule["iif"]) == key["iif"]),
    "oif": (("oif",), lambda rule, key, machine: machine.index(rule["oif"]) == key["oif"]),
    "fwmark": (("mark", "mask"), mark_matches),
    "tun_id": (("tun_id",), lambda rule, key, machine: not rule["tun_id"]),
    "l3mdev": (("l3mdev",), lambda rule, key, machine: not rule["l3mdev"]),
    "uidrange": (("uids",),
                 lambda rule, key, machine: rule["uids"][0] <= key["uid"] <= rule["uids"][1]),
    "from": (("src",), lambda rule, key, machine: machine.accepts_source(rule, key)),
    "to": (("dst",), lambda rule, key, machine: machine.within(rule["dst"], key["dst"])),
    "tos": (("tos", "dscp"), lambda rule, key, machine: tos_matches(rule, key["tos"], machine)),
    "flowlabel": (("flowlabel",),
                  lambda rule, key, machine: label_matches(rule, key["flowlabel"])),
    "ipproto": (("proto",),
                lambda rule, key, machine: not rule["proto"] or rule["proto"] == key["proto"]),
    "sport": (("sport",), lambda rule, key, machine: port_matches(
        rule["sport"], rule.get("sport_mask"), key["sport"])),
    "dport": (("dport",), lambda rule, key, machine: port_matches(
        rule["dport"], rule.get("dport_mask"), key["dport"])),
}


class Selectors:
    """Those that a rule has, found once: a policy is walked some hundred times."""

    found = {}  # by id(rule), with the rule, which so keeps its id

    @classmethod
    def of(cls, rule):
        known = cls.found.get(id(rule))
        if not known:
            known = rule, [(name, test) for name, (made_of, test) in SELECTORS.items()
                           if any(rule.get(part) is not None for part in made_of)]
            cls.found[id(rule)] = known
        return known[1]


def applies(rule, key, machine):
    return all(test(rule, key, machine) for _, test in Selectors.of(rule)) \
        != bool(rule.get("not"))


def mismatch(rule, key, machine):
    """The name of what keeps a rule from applying."""
    refused = [name for name, test in Selectors.of(rule) if not test(rule, key, machine)]
    name = next((name for name in machine.family.selectors if name in refused), "not")
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

    def ask(self, table, key):
        """Without rules; the walk ends here unless it asks another table."""
        answer = table.lookup(key)
        self.asked.append(answer)
        thrown = answer.error == errno.EAGAIN
        self.end(None, errno.ENETUNREACH if thrown else answer.error,
                 None if thrown else answer.route)
        return answer

    @property
    def effect(self):
        """What comes of it: the error and the route."""
        return self.error, self.route

    @property
    def sequence(self):
        return [(answer.table, answer.error) for answer in self.asked]

    @property
    def table(self):
        """The table whose route is answered, None when there is none."""
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


class Generator:
    """Random rules, routes and flows from pools small enough that they meet."""

    TABLES = [100, 101, 102, 103, 104, 105, 106, 51820, 52, 70000]
    MISSING = [90, 91, 4000000]
    MARKS = [0, 1, 0x2, 0xCA6C, 0x80000, 0x80001, 0xFF]
    MASKS = [0xFF, 0xFF0000, 0xFFFFFFFF, 0x1, 0xFFFF]
    UIDS = [0, 1000, 1001, 65534]
    PORTS = [53, 80, 443, 4000, 8080, 33000, 65534]
    FLOWLABELS = [0x1, 0xABCDE, 0xFF000]

    def __init__(self, family, rng, devices, groups, features):
        self.family = family
        self.rng = rng
        self.devices = devices  # name -> index
        self.groups = groups  # index -> group
        self.sources = family.sources()
        self.features = features
        # What some kernels make of a suppressed route, when the rules are over, is a route of which
        # they have let go: it must not come to that (quirks6.sh does it once).
        self.suppresses = "suppressed_route" not in features
        self.protocols = list(family.protocols)
        self.prefixes = [family.prefix(net) for net in family.nets]
        self.own_tables = rng.random() < 0.5
        self.free_tables = iter(range(1000, 2000))

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
        tos = self.rng.choice(self.family.tos)
        if "dscp" not in self.features or self.chance(0.5):
            rule["tos"] = tos & self.family.rule_tos or 0x10
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

    def flowlabel_selector(self, rule):
        rule["flowlabel"] = self.rng.choice([0] + self.FLOWLABELS)
        rule["flowlabel_mask"] = self.rng.choice([LABELS, 0xFF, 0xFF000])
        rule["flowlabel"] &= rule["flowlabel_mask"]

    def selector(self, rule, kind):
        choose = self.rng.choice
        if kind == "src":
            address = choose(self.sources)
            length = choose(self.family.source_lengths)
            rule["src"] = (address & self.family.netmask(length), length)
        elif kind == "dst":
            rule["dst"] = choose([p for p in self.prefixes if p[1]])
        elif kind == "iif":
            rule["iif"] = choose(list(self.devices) + ["lo", "lo", "lo", "gone0"])
        elif kind == "oif":
            rule["oif"] = choose(list(self.devices) + ["gone0"])
        elif kind == "proto":
            rule["proto"] = choose(self.protocols)
        elif kind == "tun_id":
            rule["tun_id"] = self.rng.randrange(1, 1 << 40)
        elif kind == "l3mdev":
            rule["l3mdev"] = 1
            rule["table"] = None  # the kernel takes the device's; with `not` it is 0, main
        elif kind in ("sport", "dport"):
            self.port_selector(rule, kind)
        else:
            {"mark": self.mark_selector, "uid": self.uid_selector, "tos": self.tos_selector,
             "flowlabel": self.flowlabel_selector}[kind](rule)

    def selectors(self, rule, count):
        kinds = ["src", "dst", "dst", "iif", "oif", "mark", "mark", "uid", "proto", "sport",
                 "dport", "tos", "tos"]
        for kind in sorted(set(self.rng.sample(kinds, count))):
            self.selector(rule, kind)
        if self.chance(0.03):
            self.selector(rule, "tun_id")
        for name in ("l3mdev", "flowlabel"):
            if name in self.features and self.chance(0.04):
                self.selector(rule, name)
        if self.chance(0.2):
            rule["not"] = True

    def lookup_rule(self, rule):
        if self.chance(0.08):
            rule["table"] = self.rng.choice(self.MISSING)
        elif self.own_tables:
            rule["table"] = next(self.free_tables)
        else:
            rule["table"] = self.rng.choice([*self.TABLES, TABLE_MAIN, *self.family.tables])
        if not self.suppresses:
            return
        if self.chance(0.3):
            rule["plen"] = self.rng.choice(self.family.suppressed_lengths)
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
        rule = dict(priority=self.rng.randrange(1, 400), action=LOOKUP)
        if self.suppresses:
            return dict(rule, plen=self.family.bits,
                        table=self.rng.choice(self.TABLES + self.MISSING))
        return dict(rule, table=self.rng.choice(self.MISSING))

    def bare_rules(self, rules, local):
        """What is left of rules, the custom ones, and local when walks may end before any table:
        no table stands at the beginning, and the usual rules may be missing."""
        for rule in rules[:4]:
            if rule["action"] != LOOKUP or rule.get("l3mdev"):
                continue
            if self.family.rules_make_tables:  # none can be missing
                rule["action"] = NOP
                for name in ("table", "plen", "ifgroup"):
                    rule.pop(name, None)
            else:
                rule["table"] = self.rng.choice(self.MISSING)
        local["priority"] = rules[-1]["priority"]
        return rules + [rule for rule in [local] + self.built_in_rules()[1:] if self.chance(0.6)]

    def built_in_rules(self):
        return [dict(priority=priority, action=LOOKUP, table=table)
                for table, priority in self.family.built_in.items()]

    def usual_rules(self, rules, local, priorities):
        if self.chance(0.35):
            local["priority"] = self.rng.choice(priorities[:8])
        _, main, *more = self.built_in_rules()
        if self.chance(0.8):
            more = [main] + more
        return [local] + rules + more

    def make_rules(self, more, bare):
        """The custom rules in the order in which they are to be added; all in walking order. more:
        so many rules beside them make long walks; bare: some walks ask no table."""
        priorities = self.priorities(self.rng.randint(6, 20))
        rules = [self.make_rule(priority, 450) for priority in priorities]
        for rule in rules:
            later = [p for p in priorities if p > rule["priority"]]
            if rule["action"] == GOTO and later and self.chance(0.85):
                rule["goto"] = self.rng.choice(later[:6])
        local = self.built_in_rules()[0]
        if bare:
            rules = self.bare_rules(rules, local)
        else:
            rules = self.usual_rules(rules, local, priorities)
        rules += [self.passed_rule() for _ in range(more)]
        return sorted(rules, key=lambda rule: rule["priority"])

    # -- routes

    def nexthop(self):
        index = self.rng.choice(list(self.devices.values()))
        return index, self.rng.choice([0, self.rng.choice(self.family.gateways(index))])

    def two_nexthops(self):
        found = self.nexthop(), self.nexthop()
        if not self.family.nexthops_are_routes:
            return found
        # Those without a gateway are two routes, and which of two suppress_ifgroup looks at only
        # the kernel knows.
        (one, _), (other, _) = found
        if self.groups[one] != self.groups[other]:
            other = one
        return [(index, self.rng.choice(self.family.gateways(index))) for index in (one, other)]

    def make_route(self, table, prefix):
        kind = self.rng.choices([RTN_UNICAST, RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT,
                                 RTN_THROW], [70, 4, 5, 4, 7])[0]
        tos = self.rng.choice(self.family.route_tos) if self.chance(0.08) else 0
        metric = self.rng.choice([0, 0, 100, 200])
        nexthops = []
        if kind == RTN_UNICAST:
            nexthops = self.two_nexthops() if self.chance(0.12) else [self.nexthop()]
        return Route(table, prefix[0], prefix[1], kind, tos, metric, tuple(nexthops))

    def other_route(self, route):
        """Another one to the prefix of route, None when the kernel would not take both."""
        other = self.make_route(route.table, (route.dst, route.length))
        if self.family.nexthops_are_routes and self.chance(0.7):
            direct = tuple((index, 0) for index, _ in other.nexthops[:1])
            return other._replace(metric=route.metric, nexthops=direct)
        return other if (other.tos, other.metric) != (route.tos, route.metric) else None

    def table_routes(self, table):
        count = self.rng.choice([1, 1, 2, 3, 4, 6])
        prefixes = self.rng.sample(self.prefixes, count)
        routes = [self.make_route(table, prefix) for prefix in prefixes]
        for route in list(routes):
            if route.length and self.chance(self.family.doubles):
                other = self.other_route(route)
                if other:
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

    def probe_routes(self, table):
        """A route of table for every destination, whatever the flow's device is."""
        routes = [Route(table, 0, 0, RTN_BLACKHOLE, 0, 1, ())]
        if self.family.nexthops_are_routes:  # one that refuses is through lo
            routes += [Route(table, 0, 0, RTN_UNICAST, 0, 2, ((index, 0),))
                       for index in self.devices.values()]
        return routes

    # -- flows

    def within(self, prefix):
        """An address of prefix."""
        return prefix[0] | self.rng.getrandbits(self.family.bits) & self.family.hostmask(prefix[1])

    def destination(self):
        prefix = self.rng.choice(self.prefixes)
        if not prefix[1]:
            prefix = self.family.prefix(self.rng.choice(self.family.anywhere))
        return self.within(prefix)

    def near(self, rule, flow):
        """Bends flow towards what rule asks for, so that rules deep in the list match too."""
        if rule.get("mark") is not None:
            flow["mark"] = rule["mark"]
        if rule.get("dst"):
            flow["dst"] = self.within(rule["dst"])
        if rule.get("src") and not flow.get("iif"):
            fitting = [s for s in self.sources
                       if not (s ^ rule["src"][0]) & self.family.netmask(rule["src"][1])]
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
        if rule.get("flowlabel") and "flowlabel_request" in self.features:
            flow["flowlabel"] = rule["flowlabel"]
        for name in ("iif", "oif"):
            if rule.get(name) in self.devices and not flow.get("iif"):
                flow[name] = self.devices[rule[name]]

    def random_flow(self):
        flow = dict(dst=self.destination(), mark=self.rng.choice(self.MARKS))
        choose = self.rng.choice
        if self.chance(0.35):
            flow["iif"] = choose(list(self.devices.values()))
            flow["src"] = choose([self.destination(), choose(self.sources), 0])
        elif self.chance(0.35):
            flow["src"] = choose(self.sources)
        if not flow.get("iif") and self.chance(0.2):
            flow["oif"] = choose(list(self.devices.values()))
        label = 0.1 if "flowlabel_request" in self.features else 0
        for name, pool, odds in (("uid", self.UIDS, 0.6), ("proto", self.protocols, 0.6),
                                 ("sport", self.PORTS, 0.4), ("dport", self.PORTS, 0.5),
                                 ("tos", self.family.tos, 0.4),
                                 ("flowlabel", self.FLOWLABELS, label)):
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
                if not flow.get("src"):
                    flow["src"] = self.destination()
            if flow.get("oif") and self.chance(0.3):
                flow["oif"] = self.rng.choice(list(self.devices.values()))
            avoided = self.family.avoided
            if not avoided(flow["dst"]) and not avoided(flow.get("src") or 1):
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
