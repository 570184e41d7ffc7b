#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Changes rules while lookups are made, and checks that each was explained by rules that were there.

churn.py run: in this namespace, bursts of changes over netlink while a child sends, and quiet
phases in which it only sends. Logs when each change and each send began and ended.
churn.py check: each lookup of the trace is explained by a state of the policy that was in force
while it was sent, or says that it does not know.
"""
import argparse
import bisect
import collections
import ctypes
import errno
import functools
import json
import mmap
import os
import random
import re
import select
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True

import oracle
import oracle_kernel as kernel
import oracle_model as model
from oracle_family import FAMILIES, INET, INET6

RATE = 1000  # changes a second, where the machine can
BATCH_MOST = 8  # so many changes at most go to the kernel at once
SENDS_PER_CHANGE = 4
QUIET_NS = 200_000_000
TIMEOUT_S = 60
SECOND_NS = 1_000_000_000
IN_MODIFY = 2
PROBLEMS_SHOWN = 5

LOCAL, MAIN = model.TABLE_LOCAL, model.TABLE_MAIN


def lookup(table, **more):
    return dict(more, action=model.LOOKUP, table=table)


def goto(priority, **more):
    return dict(more, action=model.GOTO, **{"goto": priority})


def inverted(rule):
    return dict(rule, **{"not": True})


class Plan:
    """What is changed and sent in a family. churn.sh makes the tables, and near and far: the
    networks of eth0 and behind the gateways, each with hosts of eight bits."""

    NETWORKS = {"inet": ("192.0.2.0", "203.0.113.0"), "inet6": ("2001:db8:1::", "2001:db8:f::")}
    CLASS_OPTIONS = {"inet": (socket.SOL_IP, socket.IP_TOS),
                     "inet6": (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)}

    def __init__(self, family):
        self.family = family
        self.near, self.far = map(family.number, self.NETWORKS[family.name])
        self.class_option = self.CLASS_OPTIONS[family.name]
        self.fixed = tuple(dict(priority=priority, action=model.LOOKUP, table=table)
                           for table, priority in family.built_in.items())
        self.slots, self.flows = self.make_slots(), self.make_flows()
        self.priorities = tuple(self.slots)

    def near_net(self, host, bits=0):
        return self.near + host, self.family.bits - bits

    def far_net(self, host, bits=0):
        return self.far + host, self.family.bits - bits

    def make_slots(self):
        """What may stand at a priority: nothing, or one of these."""
        return {
            100: (lookup(101, mark=1), lookup(101, mark=2)),
            110: (inverted(lookup(103, mark=1)), inverted(lookup(103, uids=(0, 9)))),
            120: (lookup(102, mark=0x40000, mask=0xFF0000),
                  lookup(102, mark=0x80000, mask=0xFF0000), lookup(104, dst=self.far_net(8, 3))),
            130: (lookup(105, src=self.near_net(22)), lookup(104, src=self.near_net(0, 5))),
            140: (dict(action=model.PROHIBIT, uids=(1000, 1000)), lookup(103, uids=(0, 10)),
                  dict(action=model.UNREACHABLE, uids=(1001, 2000))),
            150: (lookup(MAIN, plen=0), lookup(MAIN, plen=0, proto=model.UDP)),
            160: (lookup(102, dport=(53, 53)), lookup(106, dport=(50, 60)),
                  lookup(101, dport=(9, 9), proto=model.TCP)),
            170: (dict(action=model.BLACKHOLE, tos=0x10), lookup(102, tos=0x10),
                  dict(action=model.PROHIBIT, tos=0x08)),
            180: (goto(200, mark=1), goto(190, dst=self.far_net(12))),
            190: (dict(action=model.NOP, dst=self.far_net(0, 8)), lookup(103, iif="lo"),
                  lookup(101, iif="gone0")),
            200: (lookup(101, oif="eth0"),
                  inverted(dict(action=model.NOP, dport=(9, 9), proto=model.UDP))),
            210: (lookup(103), dict(action=model.UNREACHABLE, dst=self.far_net(11))),
        }

    def make_flows(self):
        """By the socket's local port, which each flow has for itself."""
        flows = {
            4000: dict(dst=10, dport=9),
            4001: dict(dst=11, dport=53, mark=1),
            4002: dict(dst=12, dport=99, mark=0x40001),
            4003: dict(dst=13, dport=9, src=self.near + 22),
            4004: dict(dst=14, dport=9, tos=0x10),
            4005: dict(dst=15, dport=60, uid=1000),
        }
        return {port: dict(flow, dst=self.far + flow["dst"], sport=port, proto=model.UDP)
                for port, flow in flows.items()}

    def sources(self, port):
        """Those of a send's lookups. A send of IPv6 without a source, when it finds no route, asks
        again with the one that it would have: .2, for churn.sh makes no other preferred."""
        first = self.flows[port].get("src", 0)
        return (first,) if first or self.family is INET else (0, self.near + 2)

    def rules_of(self, state):
        chosen = [dict(self.slots[priority][variant], priority=priority)
                  for priority, variant in zip(self.priorities, state) if variant is not None]
        return sorted(chosen + list(self.fixed), key=lambda rule: rule["priority"])


def now():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Pace:
    """Steps of equal length in time; one that is late is made up for."""

    def __init__(self):
        self.next_ns = now()

    def step(self, length_ns):
        self.next_ns += length_ns
        late_ns = now() - self.next_ns
        if late_ns < 0:
            time.sleep(-late_ns / SECOND_NS)


# -- run: the child that sends


class Sender:
    """Sends the flows in turn and remembers when. What it is told, and answers, goes by pipes."""

    PHASES = b"bsq"  # while there is a burst; each flow once; for the length of a quiet phase

    def __init__(self, plan, shared):
        self.plan, self.shared, self.sends = plan, shared, []
        self.flows = [(self.open(port, flow), (plan.family.text(flow["dst"]), flow["dport"]), port)
                      for port, flow in plan.flows.items()]

    def open(self, port, flow):
        os.seteuid(flow.get("uid", 0))  # a socket is its maker's
        sock = socket.socket(self.plan.family.af, socket.SOCK_DGRAM)
        os.seteuid(0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, flow.get("mark", 0))
        sock.setsockopt(*self.plan.class_option, flow.get("tos", 0))
        sock.bind((self.plan.family.text(flow.get("src", 0)), port))
        return sock

    def send_all(self):
        for sock, target, port in self.flows:
            before = now()
            try:
                sock.sendto(b"x", target)
            except OSError:
                pass  # a rule refuses it
            self.sends.append((before, now(), port))

    def burst(self):
        pace = Pace()
        while self.shared[0]:
            self.send_all()
            pace.step(len(self.flows) * SECOND_NS // RATE // SENDS_PER_CHANGE)

    def quiet(self):
        pace, end = Pace(), now() + QUIET_NS
        while now() < end:
            self.send_all()
            pace.step(len(self.flows) * SECOND_NS // RATE)

    def run(self, commands, answers, path):
        work = dict(zip(self.PHASES, (self.burst, self.send_all, self.quiet)))
        while command := os.read(commands, 1):
            sent = len(self.sends)
            work[command[0]]()
            os.write(answers, struct.pack("=QQ", len(self.sends) - sent, self.sends[sent][0]))
        with open(path, "w", encoding="ascii") as out:
            json.dump(self.sends, out)


class SenderProcess:
    def __init__(self, plan, path):
        self.shared = mmap.mmap(-1, mmap.PAGESIZE)
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        self.child = os.fork()
        if self.child:
            os.close(commands)
            os.close(answers)
            return
        status = 1
        try:
            kernel.die_with_parent()
            os.close(self.commands)
            Sender(plan, self.shared).run(commands, answers, path)
            status = 0
        except Exception as problem:  # the parent sees the status
            print("churn.py: the sender: %r" % problem, file=sys.stderr, flush=True)
        os._exit(status)

    def tell(self, phase):
        os.write(self.commands, phase)

    def answer(self):
        """How many were sent, and when the first."""
        if not select.select([self.answers], [], [], TIMEOUT_S)[0]:
            raise TimeoutError("the sender does not answer")
        return struct.unpack("=QQ", os.read(self.answers, 16))

    def end(self):
        os.close(self.commands)
        _, status = os.waitpid(self.child, 0)
        if status:
            raise ChildProcessError("the sender ended with %d" % os.waitstatus_to_exitcode(status))


class Trace:
    """The trace while it is written: how many lookups it tells of that began after some moment."""

    BEGIN = re.compile(rb'^\{"type":"lookup",.*?"boottime_ns":(\d+)')

    def __init__(self, path):
        self.file, self.rest = open(path, "rb"), b""
        self.notify = kernel.libc.inotify_init()
        if kernel.libc.inotify_add_watch(self.notify, path.encode(), IN_MODIFY) < 0:
            raise OSError(ctypes.get_errno(), path)

    def begins(self):
        lines = (self.rest + self.file.read()).split(b"\n")
        self.rest = lines.pop()
        return [int(found.group(1)) for found in map(self.BEGIN.match, lines) if found]

    def await_lookups(self, count, first_ns):
        found, deadline = 0, time.monotonic() + TIMEOUT_S
        while True:
            found += sum(begin >= first_ns for begin in self.begins())
            if found >= count:
                return
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.notify], [], [], left)[0]:
                raise TimeoutError("%d of %d lookups are shown" % (found, count))
            os.read(self.notify, 1 << 16)


# -- run: the changes


class Churner:
    """The rules; every change of them with the time before and after."""

    def __init__(self, plan, rng):
        self.plan, self.rng, self.rtnl = plan, rng, kernel.Rtnl(plan.family)
        self.state = dict.fromkeys(plan.priorities)
        self.changes, self.burst_ns = [], 0

    def choose(self):
        """The next change: its priority, and what stands there afterwards, None for nothing."""
        priority = self.rng.choice(self.plan.priorities)
        here = self.state[priority]
        there = None if here is not None else self.rng.randrange(len(self.plan.slots[priority]))
        return priority, there

    def message(self, priority, variant):
        """The kernel's order for that change."""
        here = variant if variant is not None else self.state[priority]
        rule = dict(self.plan.slots[priority][here], priority=priority)
        kind = kernel.RTM_DELRULE if variant is None else kernel.RTM_NEWRULE
        flags = kernel.NLM_F_REQUEST | kernel.NLM_F_ACK
        if variant is not None:
            flags |= kernel.NLM_F_CREATE | kernel.NLM_F_EXCL
        payload = kernel.rule_payload(self.plan.family, rule)
        self.rtnl.sequence += 1
        return struct.pack("=IHHII", 16 + len(payload), kind, flags, self.rtnl.sequence,
                           0) + payload

    def change(self, count):
        """So many changes in one call of the kernel, which makes them one after the other."""
        orders, chosen, first = b"", [], self.rtnl.sequence + 1
        for _ in range(count):
            priority, variant = self.choose()
            orders += self.message(priority, variant)
            self.state[priority] = variant
            chosen.append((priority, variant))
        before = now()
        self.rtnl.socket.send(orders)
        for sequence in range(first, first + count):
            self.rtnl.sequence = sequence
            error, _ = self.rtnl.answer(False)
            if error:
                raise OSError(error, "change %s: %s" % (chosen[sequence - first],
                                                        os.strerror(error)))
        after = now()
        self.changes += [(before, after, priority, variant) for priority, variant in chosen]

    def burst(self, count):
        begin, pace = now(), Pace()
        while count:
            size = min(count, self.rng.randint(1, BATCH_MOST))
            self.change(size)
            count -= size
            pace.step(size * SECOND_NS // RATE)
        self.burst_ns += now() - begin


def read_machine(rtnl):
    """What else walks depend on, as the check wants it."""
    features = [name for name, more in oracle.RULE_FEATURES[rtnl.family.name].items()
                if kernel.try_rule(rtnl, dict(lookup(9, priority=5), **more),
                                   oracle.FEATURE_ATTRIBUTES[name])]
    return dict(devices={name: index for index, name in socket.if_nameindex()},
                routes=[(route["table"], route["dst"], route["length"], route["type"],
                         route["tos"], route["metric"], route["nexthops"])
                        for route in kernel.dump_routes(rtnl)], features=features)


def run(options):
    plan = Plan(FAMILIES[options.family])
    churner, trace = Churner(plan, random.Random(options.seed)), Trace(options.trace)
    machine = read_machine(churner.rtnl)
    sender = SenderProcess(plan, options.log + ".sends")
    quiet = []
    for _ in range(options.bursts):
        sender.shared[0] = 1
        sender.tell(b"b")
        churner.burst(options.changes)
        sender.shared[0] = 0
        sender.answer()
        # Once a lookup is shown that was made after it, the last change is known to fibtrace.
        sender.tell(b"s")
        trace.await_lookups(*sender.answer())
        begin = now()
        sender.tell(b"q")
        sender.answer()
        quiet.append((begin, now()))
        # The same says that all of the quiet phase are shown, however many lookups a send makes.
        sender.tell(b"s")
        trace.await_lookups(*sender.answer())
    sender.end()
    with open(options.log, "w", encoding="ascii") as out:
        json.dump(dict(machine, changes=churner.changes, quiet=quiet, burst_ns=churner.burst_ns),
                  out)


# -- check

# A flow's walk by some rules: steps has each rule's index with what came of it, or would have.
Question = collections.namedtuple("Question", "rules walk key steps")


class History:
    """The states of the policy one after the other, and when each may have been in force."""

    def __init__(self, priorities, changes):
        self.states = [(None,) * len(priorities)]
        for _, _, priority, variant in changes:
            state = list(self.states[-1])
            state[priorities.index(priority)] = variant
            self.states.append(tuple(state))
        self.begins = [0] + [before for before, _, _, _ in changes]
        self.ends = [after for _, after, _, _ in changes] + [1 << 63]

    def between(self, begin, end):
        """The states that may have been in force at some time between the two."""
        first = bisect.bisect_left(self.ends, begin)
        behind = bisect.bisect_right(self.begins, end)
        return tuple(dict.fromkeys(self.states[first:behind]))


def hexadecimal(value, mask, every):
    return "%#x" % value if mask == every else "%#x & %#x = %#x" % (value, mask, value & mask)


class Arithmetic:
    """The sums by which a selector says why it refused a flow, or, in a `not`, accepted it."""

    def __init__(self, machine):
        self.family, self.machine = machine.family, machine

    def of_fwmark(self, rule, key, accepts):
        mark, mask = model.mark_of(rule)
        left = hexadecimal(key["mark"], mask, 0xFFFFFFFF)
        return "%s %s %#x" % (left, "=" if accepts else "≠", mark)

    def of_tos(self, rule, key, _):
        if self.family is INET6:
            mask = self.machine.class_mask
        else:
            mask = 0x1C if self.machine.tos_mask == 0xFC else 0xFF
        return "%s ≠ %#x" % (hexadecimal(key["tos"], mask, 0xFF), rule["tos"])

    @staticmethod
    def of_uidrange(rule, key, accepts):
        return "%d %s %d-%d" % (key["uid"], "in" if accepts else "not in", *rule["uids"])

    def prefix(self, value, prefix, accepts):
        family = self.family
        words = (" in ", " not in ") if prefix[1] < family.bits else (" = ", ", needs ")
        return family.text(value) + words[not accepts] + family.prefix_text(*prefix)

    def of_to(self, rule, key, accepts):
        return self.prefix(key["dst"], rule["dst"], accepts)

    def of_from(self, rule, key, accepts):
        return self.prefix(key["src"], rule["src"], accepts)

    def of_ipproto(self, rule, key, _):
        names = self.family.protocols
        return "%s, needs %s" % (names[key["proto"]], names[rule["proto"]])

    @staticmethod
    def of_dport(rule, key, accepts):
        first, last = rule["dport"]
        if first == last:
            return "%d%s%d" % (key["dport"], " = " if accepts else ", needs ", first)
        return "%d %s %d-%d" % (key["dport"], "in" if accepts else "not in", first, last)

    def of(self, name, rule, key, accepts):
        return getattr(self, "of_" + name)(rule, key, accepts)

    def reason(self, step, rule, key):
        """The whole text of a step that was skipped."""
        name = step["mismatch"]
        if name == "not":
            used = [one for one in step["selector"].split() if one in self.family.selectors]
            used = [one for one in used if one != "from" or rule.get("src")]
            if len(used) > 1:
                return "not: all of %s matched" % step["selector"][len("not "):]
            return "not %s: %s" % (used[0], self.of(used[0], rule, key, True))
        if name in ("iif", "oif"):
            return self.device(name, rule)
        if name == "from" and not key["src"]:
            return "source unset, needs " + self.family.prefix_text(*rule["src"])
        return "%s %s" % ("uid" if name == "uidrange" else name, self.of(name, rule, key, False))

    @staticmethod
    def device(name, rule):
        if rule[name] == "gone0":
            return "%s gone0 is detached (no such device)" % name
        return "%s %s, needs %s" % (name, "lo" if name == "iif" else "unset", rule[name])


class Checker:
    """Every lookup of a trace against what was sent and what was in force."""

    def __init__(self, plan, log, sends, exact):
        self.plan, self.family = plan, plan.family
        self.history, self.exact = History(plan.priorities, log["changes"]), exact
        self.quiet = log["quiet"]
        self.sends, self.befores = sends, [before for before, _, _ in sends]
        self.names = {index: name for name, index in log["devices"].items()}
        self.machine = self.make_machine(log)
        self.arithmetic = Arithmetic(self.machine)
        self.counts = collections.Counter()
        self.shown = collections.Counter()  # lookups by the number of their send
        self.problems = 0

    def make_machine(self, log):
        tables = {MAIN: [], LOCAL: []}
        if self.family.rules_make_tables:
            tables.update((rule["table"], []) for slot in self.plan.slots.values()
                          for rule in slot if "table" in rule)
        for table, dst, length, kind, tos, metric, nexthops in log["routes"]:
            nexthops = tuple(map(tuple, nexthops))
            tables.setdefault(table, []).append(
                model.Route(table, dst, length, kind, tos, metric, nexthops))
        machine = model.MACHINES[self.family.name](log["devices"], {}, {})
        for number, routes in tables.items():
            machine.set_table(number, routes)
        machine.learn(log["features"])
        return machine

    @functools.lru_cache(maxsize=None)
    def key_of(self, asked):
        """asked: the port and the source of a lookup."""
        port, src = asked
        return self.machine.key_of(dict(self.plan.flows[port], src=src), [])

    @functools.lru_cache(maxsize=None)
    def question(self, state, asked):
        rules, key = self.plan.rules_of(state), self.key_of(asked)
        walk = model.walk_rules(rules, key, self.machine)
        behind = range(walk.rule + 1, len(rules)) if walk.rule is not None else ()
        steps = walk.steps + [(index, "not-reached" if model.applies(rules[index], key,
                                                                     self.machine) else "skipped")
                              for index in behind]
        return Question(rules, walk, key, steps)

    # one lookup

    def send_of(self, line):
        """The number of the send during which the lookup began."""
        number = bisect.bisect_right(self.befores, line["boottime_ns"]) - 1
        oracle.require(number >= 0 and line["boottime_ns"] <= self.sends[number][1],
                       "nobody sent then")
        return number

    def states_of(self, line, number):
        before, after, _ = self.sends[number]
        if self.exact:  # the lookup's own times are closer than its send's
            before, after = line["boottime_ns"], line["boottime_ns"] + line["duration_ns"]
        return self.history.between(before, after)

    def asked_by(self, line, port):
        """The port and the source of the lookup, which must be one of the send's."""
        src = self.family.number(line["flow"]["src"])
        oracle.require(src in self.plan.sources(port), "nobody sent from there")
        return port, src

    def check_origin(self, line, asked):
        want = oracle.expected_flow(self.family, self.key_of(asked), self.names)
        oracle.require({name: line["flow"][name] for name in want} == want, "the flow is not %s",
                       want)
        got = line["purpose"], line["cause"], line["context"]
        oracle.require(got == ("output", "send", "task"), "purpose, cause and context are %s", got)

    def check_unknown(self, steps, verdict, findings, asked):
        """Nothing but what the tables were seen to answer."""
        oracle.require(findings is None, "there are findings")
        oracle.require(verdict["priority"] is None, "the verdict names a rule")
        for step in steps:
            oracle.require(step["rule"] is None and step["priority"] is None, "a rule is named")
            oracle.require(step.get("reason", "policy-changed") == "policy-changed",
                           "the reason is %s", step.get("reason"))
            table = self.machine.tables.get(step["table_id"])
            oracle.require(table, "table %s cannot have answered", step["table_id"])
            found = model.outcome_of(table.lookup(self.key_of(asked)))
            if found == "throw" and not self.family.refusals_are_told:
                found = "no-route"
            want = ("suppressed", "unknown") if found == "chosen" else (found,)
            oracle.require(step["outcome"] in want, "the outcome is %s, not of %s",
                           step["outcome"], want)

    def fitting_rule(self, step, states, asked):
        """The rule of a step of its own, when it was there and came to that."""
        key = self.key_of(asked)
        for state in states:
            for rule in self.plan.rules_of(state):
                if rule["priority"] != step["priority"] or not oracle.is_rule(self.family, step, rule):
                    continue
                outcome = model.ACTION_NAMES[rule["action"]]
                if rule["action"] == model.LOOKUP:
                    outcome, _ = model.ask_table(model.Walk(), rule, key, self.machine)
                same = step["outcome"] == outcome or (step["outcome"], outcome) == ("no-route",
                                                                                    "throw")
                if same and model.applies(rule, key, self.machine):
                    return rule
        raise oracle.Failure("no rule %s that was there comes to %s" % (step["priority"],
                                                                        step["outcome"]))

    def check_partly(self, steps, verdict, findings, states, asked):
        """Only what ran: rules may have come and gone while it did."""
        oracle.require(findings is None, "there are findings")
        for step in steps:
            self.fitting_rule(step, states, asked)
        priorities = [step["priority"] for step in steps]
        oracle.require(priorities == sorted(set(priorities)), "the rules are out of order")
        oracle.require(steps and steps[-1]["outcome"] in oracle.ENDS
                       and verdict["priority"] == steps[-1]["priority"],
                       "the verdict is not the last step's")

    def check_route(self, step, question, index):
        """What a rule's table has for the flow, where the step says so."""
        rule = question.rules[index]
        if "would_match" not in step:
            return
        answer = self.machine.tables[rule["table"]].lookup(question.key)
        got = step["would_match"].get("dst"), step["would_match"].get("dev")
        want = self.family.prefix_text(answer.route.dst, answer.route.length), \
            self.names[answer.route.nexthops[0][0]]
        oracle.require(not answer.error and got == want, "the table of %s would give %s, not %s",
                       step["priority"], want, got)

    def check_step(self, step, question, index, outcome):
        rule = question.rules[index]
        oracle.check_rule(self.family, step, rule)
        oracle.check_jump(step, question, index)
        self.check_route(step, question, index)
        if outcome != "skipped":
            oracle.require("mismatch" not in step, "a mismatch in %s", step)
            return
        want = model.mismatch(rule, question.key, self.machine)
        oracle.require(step["mismatch"] == want, "%s: the mismatch is %s, not %s",
                       step["priority"], step["mismatch"], want)
        want = self.arithmetic.reason(step, rule, question.key)
        oracle.require(step["reason"] == want, "%s: the reason is '%s', not '%s'",
                       step["priority"], step["reason"], want)

    def check_verdict(self, verdict, question):
        walk = question.walk
        want = dict(decided_by="rule", priority=question.rules[walk.rule]["priority"],
                    error=errno.errorcode[walk.error] if walk.error else None,
                    table_id=walk.route.table if walk.route else None)
        if walk.route and not walk.error:
            dev, gateway = walk.route.nexthops[0]
            want.update(dst=self.family.prefix_text(walk.route.dst, walk.route.length),
                        dev=self.names[dev], gateway=self.family.text(gateway) if gateway else None)
        got = {name: verdict[name] for name in want}
        oracle.require(got == want, "the verdict is %s, not %s", got, want)

    def check_whole(self, steps, verdict, findings, question):
        got = [(step["priority"], step["outcome"]) for step in steps]
        want = [(question.rules[index]["priority"], outcome) for index, outcome in question.steps]
        oracle.require(got == want, "the steps are %s, not %s", got, want)
        for step, (index, outcome) in zip(steps, question.steps):
            self.check_step(step, question, index, outcome)
        self.check_verdict(verdict, question)
        priorities = {None, *(rule["priority"] for rule in question.rules)}
        for finding in findings or ():
            oracle.require({finding["priority"], finding["by"]} <= priorities,
                           "a finding about rules that are not there: %s", finding)

    def check_explained(self, steps, verdict, findings, states, asked):
        """By some one state that was in force; what is wrong with the last is told."""
        wrong = None
        for state in states:
            try:
                self.check_whole(steps, verdict, findings, self.question(state, asked))
                return
            except oracle.Failure as failure:
                wrong = failure
        raise oracle.Failure("by the last of %d states: %s" % (len(states), wrong))

    @functools.lru_cache(maxsize=None)
    def kind_of(self, text, states, asked):
        """How far it is explained: what it says must be right. text: steps, verdict, findings."""
        said = json.loads(text)
        steps, verdict, findings = said["steps"], said["verdict"], said["findings"]
        if verdict["decided_by"] == "unknown":
            self.check_unknown(steps, verdict, findings, asked)
            return "unknown"
        # What is explained has a word on each rule that did not run, or findings.
        if self.exact and findings is None and all(step["evidence"] == "kernel" for step in steps):
            self.check_partly(steps, verdict, findings, states, asked)
            return "partly"
        self.check_explained(steps, verdict, findings, states, asked)
        return "explained"

    def is_quiet(self, line):
        place = bisect.bisect_right(self.quiet, [line["boottime_ns"], 1 << 63]) - 1
        return place >= 0 and line["boottime_ns"] <= self.quiet[place][1]

    def take(self, text):
        line = json.loads(text)
        number = self.send_of(line)
        asked = self.asked_by(line, self.sends[number][2])
        self.shown[number] += 1
        self.check_origin(line, asked)
        said = "{" + text[text.index('"steps":'):]
        kind = self.kind_of(said, self.states_of(line, number), asked)
        self.counts[kind] += 1
        if self.is_quiet(line):
            self.counts["quiet"] += 1
            self.counts["quiet-" + kind] += 1
        if kind == "explained" and line["findings"] is not None:
            self.counts["examined"] += 1

    def check(self, text):
        try:
            self.take(text)
        except oracle.Failure as failure:
            self.problems += 1
            if self.problems <= PROBLEMS_SHOWN:
                print("problem %s: %s" % (failure, text.rstrip()))


def check(options):
    with open(options.log, encoding="ascii") as file:
        log = json.load(file)
    with open(options.log + ".sends", encoding="ascii") as file:
        sends = json.load(file)
    with open(options.trace, encoding="utf-8") as trace:
        plan = Plan(FAMILIES[options.family])
        checker = Checker(plan, log, sends, json.loads(next(trace))["tier"] in oracle.EXACT_TIERS)
        for text in trace:
            if text.startswith('{"type":"lookup"'):
                checker.check(text)
    for name in ("explained", "partly", "unknown", "examined", "quiet", "quiet-explained"):
        print(name, checker.counts[name])
    print("problems", checker.problems)
    print("sends", len(sends))
    print("sends-not-shown", len(sends) - len(checker.shown))
    print("sends-in-parts", sum(count > 1 for count in checker.shown.values()))
    print("changes", len(log["changes"]))
    print("rate", len(log["changes"]) * SECOND_NS // max(1, log["burst_ns"]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=("run", "check"))
    parser.add_argument("--family", choices=FAMILIES, required=True)
    parser.add_argument("--trace", required=True, help="what fibtrace writes")
    parser.add_argument("--log", required=True, help="gets what was changed and sent, and when")
    parser.add_argument("--bursts", type=int)
    parser.add_argument("--changes", type=int, help="of each burst")
    parser.add_argument("--seed")
    options = parser.parse_args()
    globals()[options.command](options)


main()
