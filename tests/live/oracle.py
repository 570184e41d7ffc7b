#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Asks the running kernel about random policies and compares what fibtrace says of each lookup."""

import argparse
import bisect
import copy
import errno
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.dont_write_bytecode = True

import oracle_family
import oracle_kernel as kernel
import oracle_model as model

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
GROUPS = {"ov0": 0, "ov1": 10, "ov2": 11, "ov3": 0}
SETS_BUILT_IN = 10  # one set in so many has no custom rules
SETS_BARE = 5  # one in so many begins without a table, or has no rule for the usual ones
SETS_LONG, LONG_RULES = 10, 45  # one in so many has so many rules more, and they all run
LONG_WALK = 32  # a longer one does not go into one record of the kernel
LOOKUPS_PER_SET = 30
PROBE_TABLE = 2000  # blackholes everything
HIDDEN_LIMIT = 0.10
EXACT_TIERS = ("fentry", "kprobe")  # one record per lookup, made in the kernel
TIERS = EXACT_TIERS + ("tracepoint",)
READY_SECONDS = 60
ABSENT_LIMIT = 0.01
LOOKUP_SECONDS = 3
SETTLE_SECONDS, SETTLE_TRIES = 0.3, 10


class Failure(Exception):
    """A lookup that does not come out as it must."""


def require(condition, text, *values):
    if not condition:
        raise Failure(text % values)


# -- fibtrace


class Fibtrace:
    """fibtrace --format json on one namespace; objects are its lines so far."""

    def __init__(self, options, family, netns):
        command = [options.fibtrace, "--format", "json", "--netns", netns, "--attach",
                   options.attach, "-v"]
        if options.one_family:
            command.append(family.option)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, text=True,
                                        preexec_fn=kernel.die_with_parent)
        self.arrived = threading.Condition()
        self.objects, self.own, self.errors, self.ready = [], [], [], False
        self.raw = []
        self.threads = [threading.Thread(target=self.read, args=args, daemon=True)
                        for args in ((self.process.stdout, self.take_line),
                                     (self.process.stderr, self.take_error))]
        for thread in self.threads:
            thread.start()
        self.wait(lambda: self.ready, READY_SECONDS, "fibtrace is not ready")

    def read(self, stream, take):
        for line in stream:
            with self.arrived:
                take(line)
                self.arrived.notify_all()

    def take_line(self, line):
        self.raw.append(line)
        item = json.loads(line)
        # Whose mark that is, is not the kernel's to say.
        item.get("flow", {}).pop("fwmark_owner", None)
        self.objects.append(item)
        if self.is_own(item):
            self.own.append(item)

    def take_error(self, line):
        self.errors.append(line.rstrip("\n"))
        self.ready = self.ready or line.startswith("fibtrace: ready")

    def wait(self, condition, seconds, text):
        with self.arrived:
            done = self.arrived.wait_for(lambda: condition() or self.process.poll() is not None,
                                         seconds)
            if not (done and condition()):
                raise Failure("%s; stderr: %s" % (text, " | ".join(self.errors[-5:])))

    @staticmethod
    def is_own(item):
        """Whether it is a lookup that one of this process's questions made."""
        return (item["type"] == "lookup" and item["purpose"] == "route-get"
                and item["process"] and item["process"]["pid"] == os.getpid())

    def wait_for_lookups(self, count, flow, seconds):
        """Waits until count lookups are there and the last is of flow; whether it came to that."""
        def arrived():
            return len(self.own) >= count and self.own[-1]["flow"] == flow
        try:
            self.wait(arrived, seconds, "lookups are missing")
        except Failure:
            return False
        return True

    def stop(self):
        """Ends the trace; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(READY_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        for thread in self.threads:
            thread.join()
        return status


# -- what fibtrace has to say


def expected_flow(family, key, names):
    """The flow object of a lookup with this key."""
    ports = key["proto"] in (model.TCP, model.UDP)
    icmp = key["proto"] == family.icmp
    return dict(src=family.text(key["src"]), dst=family.text(key["dst"]), iif=names[key["iif"]],
                oif=names[key["oif"]] if key["oif"] else None, fwmark=hex(key["mark"]),
                tos=hex(key["tos"]), protocol=family.protocols.get(key["proto"]),
                uid=key["uid"] if key["uid"] != model.UID_INVALID else None,
                sport=key["sport"] if ports else None, dport=key["dport"] if ports else None,
                icmp_type=key["dport"] >> 8 if icmp else None,
                icmp_code=key["dport"] & 0xFF if icmp else None,
                tun_id=None, l3mdev=None,
                flowlabel=hex(key["flowlabel"]) if key["flowlabel"] else None)


def expected_rule(family, rule):
    """The rule as `ip -j rule` has it, but for the words of tos, dscp and table."""
    want = dict(priority=rule["priority"])
    for name in ("src", "dst"):
        if rule.get(name) and rule[name][1]:
            want[name] = family.text(rule[name][0])
            want[name + "len"] = rule[name][1] if rule[name][1] < family.bits else None
    want.setdefault("src", "all")
    mark, mask = model.mark_of(rule)
    want["not"] = rule.get("not")
    want["fwmark"] = (hex(mark) if mark else "0") if mark or mask else None
    want["fwmask"] = hex(mask) if mask not in (0, 0xFFFFFFFF) else None
    want["goto"] = rule.get("goto")
    for name in ("iif", "oif", "tun_id"):
        want[name] = rule.get(name)
    want["uid_start"], want["uid_end"] = rule.get("uids") or (None, None)
    want["ipproto"] = family.protocols.get(rule.get("proto"))
    want.update(expected_ports(rule))
    for name in ("flowlabel", "flowlabel_mask"):
        want[name] = hex(rule[name]) if rule.get(name) is not None else None
    lookup = rule["action"] == model.LOOKUP
    want["suppress_prefixlen"] = rule.get("plen") if lookup else None
    group = rule.get("ifgroup")
    want["suppress_ifgroup"] = str(group) if group is not None and lookup else None
    return want


def expected_ports(rule):
    want = {}
    for name in ("sport", "dport"):
        first, last = rule.get(name) or (None, None)
        one = first == last
        want[name] = first if one else None
        want[name + "_start"], want[name + "_end"] = (None, None) if one else (first, last)
        mask = rule.get(name + "_mask")
        want[name + "_mask"] = hex(mask) if mask not in (None, 0xFFFF) else None
    return want


EXPECTED_RULES = {}  # by id(rule), with the rule, which so keeps its id


def expected_rule_once(family, rule):
    if id(rule) not in EXPECTED_RULES:
        EXPECTED_RULES[id(rule)] = rule, expected_rule(family, rule)
    return EXPECTED_RULES[id(rule)][1]


def check_rule(family, step, rule):
    have = step["rule"] or {}
    for name, value in expected_rule_once(family, rule).items():
        require(have.get(name) == value, "the step's rule has %s %r, not %r", name, have.get(name),
                value)
    for name in ("tos", "dscp"):
        given = rule.get(name) is not None and (name == "dscp" or rule[name])
        require((name in have) == bool(given), "the step's rule has %s %r", name, have.get(name))
    require(step["action"] == model.ACTION_NAMES[rule["action"]], "the step's action is %s",
            step["action"])


def check_jump(step, question, index):
    """Where a goto leads, and which one led past a rule."""
    rules, jumped_by = question.rules, question.walk.jumps.get(index)
    if step["outcome"] == "skipped":  # wherever it stands, its reason is its own
        return
    want = dict(reason="goto", by=rules[jumped_by]["priority"]) if jumped_by is not None else {}
    if step["outcome"] == "goto":
        want["target"] = rules[index]["goto"]
        if model.target_of(rules, rules[index]) is None:
            want["unresolved"] = True
    have = {name: step[name] for name in ("reason", "by", "target", "unresolved") if name in step}
    require(have == want, "the step says %s of gotos, not %s", have, want)


DID_NOT_RUN = ("not-reached", "skipped")
ASKED = ("no-route", "throw", "suppressed", "chosen", "unreachable", "blackhole", "prohibit")
ENDS = ("chosen", "unreachable", "blackhole", "prohibit")


def is_rule(family, step, rule):
    try:
        check_rule(family, step, rule)
    except Failure:
        return False
    return True


def named_rules(family, line, rules):
    """The indexes of the rules that may be the one that ended the walk: several when equal."""
    ends = [step for step in line["steps"] if step["outcome"] in ENDS]
    require(len(ends) <= 1, "two steps end the walk")
    priority = line["verdict"]["priority"]
    if not ends:
        require(priority is None, "the verdict's priority is in no step that ends the walk")
        return []
    if line["verdict"]["decided_by"] != "bound-device":
        require(priority == ends[0]["priority"], "the walk ends at priority %s, the verdict has %s",
                ends[0]["priority"], priority)
    return [index for index, rule in enumerate(rules) if is_rule(family, ends[0], rule)]


# -- one rule set


class Question:
    """One flow, asked at one state of the rules; flags: of RTM_GETROUTE; bound: whether the kernel
    answers by the flow's device alone."""

    def __init__(self, number, flow, key, walk, flags, bound):
        self.number, self.flow, self.key, self.walk = number, flow, key, walk
        self.flags, self.bound = flags, bound
        self.settled, self.rules = True, None  # settled: no change is near
        self.error = self.answer = self.mark = self.sequence = None
        self.began = self.ended = 0  # CLOCK_BOOTTIME around the question
        self.lines = []  # what fibtrace shows of it: one, when all is well
        self.run = [self]  # the questions about the same flow before and after it
        self.shared = False  # whether lines are those of the whole run

    @property
    def line(self):
        return self.lines[0] if self.lines else None

    def outcome(self):
        return self.error, self.answer, self.sequence

    def effect(self):
        """What can be seen of the model's walk: an error is hidden when a device is bound."""
        if self.bound:
            return self.walk.sequence, "bound", None
        return (self.walk.sequence, *self.walk.effect)


class Scene:
    """One random policy in a namespace of its own, and the questions put to it; what is checked of
    fibtrace is what the tracepoint tier promises."""

    hidden_limit = 2  # flows that the tier cannot see

    def __init__(self, options, family, number, features, tracepoint):
        self.options, self.family, self.number = options, family, number
        self.tracepoint, self.features = tracepoint, features
        self.rng = random.Random("%s/%d" % (options.seed, number))
        self.name = "oracle-%s-%d-%d" % (family.name, os.getppid(), number)
        self.built_in = number % SETS_BUILT_IN == SETS_BUILT_IN - 1
        self.bare = number % SETS_BARE == 0
        self.more_rules = LONG_RULES if number % SETS_LONG == 1 else 0
        self.attach_first = number % 2 == 1
        self.questions, self.fibtrace = [], None
        self.failures = {}  # index of the flow -> texts
        self.counts = dict.fromkeys(("sets", "flows", "hidden", "tableless", "long", "questions",
                                     "perturbed", "equal-deletion", "unknown", "split",
                                     "absent"), 0)

    # building

    def make_network(self):
        kernel.new_network(self.name)
        self.family.prepare()
        self.rtnl, news = kernel.Rtnl(self.family), kernel.RouteNews(READY_SECONDS)
        kernel.link_up(self.rtnl, model.LOOPBACK)
        self.devices, groups = {}, {}
        for (name, group), address in zip(GROUPS.items(), self.family.sources()):
            index = kernel.make_veth(self.rtnl, name, name.replace("ov", "op"), group)
            self.family.enable(name)
            kernel.add_address(self.rtnl, index, address, self.family.own_length)
            self.devices[name], groups[index] = index, group
        news.wait(self.family.late_routes)
        devices = dict(self.devices, lo=model.LOOPBACK)
        self.machine = model.MACHINES[self.family.name](devices, groups, {})
        self.machine.learn(self.features)
        self.names = {index: name for name, index in self.machine.devices.items()}

    def make_policy(self):
        self.generator = model.Generator(self.family, self.rng, self.devices, self.machine.groups,
                                         self.features)
        self.rules = self.generator.make_rules(self.more_rules, self.bare)
        if self.built_in:
            self.rules = self.generator.built_in_rules()
        self.routes = self.generator.make_routes(self.rules)
        self.routes[PROBE_TABLE] = self.generator.probe_routes(PROBE_TABLE)

    def install(self):
        made = {model.TABLE_MAIN, model.TABLE_LOCAL}
        for table, routes in self.routes.items():
            for route in routes:
                self.add_route(route)
            if not routes:
                self.make_empty_table(table)
            made.add(table)
        if not self.built_in:
            for rule in self.generator.built_in_rules():
                kernel.delete_priority(self.rtnl, rule["priority"])
            for rule in self.rules:
                kernel.add_rule(self.rtnl, rule)
        if self.family.rules_make_tables:
            made |= {rule["table"] for rule in self.rules if rule.get("table")}
        for table in made:
            self.machine.set_table(table, [])
        self.read_tables()

    def add_route(self, route):
        payload = kernel.route_payload(self.family, route)
        alike = self.family.nexthops_are_routes and not any(gw for _, gw in route.nexthops)
        flags = kernel.NLM_F_CREATE | kernel.NLM_F_ACK
        flags |= kernel.NLM_F_APPEND if alike else kernel.NLM_F_EXCL
        error, _ = self.rtnl.request(kernel.RTM_NEWROUTE, flags, payload)
        require(error in (0, errno.EEXIST), "route %s refused: %s", route, os.strerror(error))

    def make_empty_table(self, table):
        route = model.Route(table, self.family.number(self.family.nowhere), self.family.bits,
                            model.RTN_THROW, 0, 0, ())
        self.add_route(route)
        self.rtnl.change(kernel.RTM_DELROUTE, 0, kernel.route_payload(self.family, route))

    def read_tables(self):
        """The model's routes are the kernel's own dump: its order among equals counts."""
        found = {}
        for item in kernel.dump_routes(self.rtnl):
            route = model.Route(item["table"], item["dst"], item["length"], item["type"],
                                item["tos"], item["metric"], tuple(item["nexthops"]))
            found.setdefault(route.table, []).append(route)
        for table, routes in found.items():
            self.machine.set_table(table, routes)

    # asking

    def walk(self, flow, rules=None):
        rules = self.rules if rules is None else rules
        key = self.machine.key_of(flow, rules)
        if self.built_in:
            return key, self.machine.walk_built_in(key)
        return key, model.walk_rules(rules, key, self.machine)

    def ask(self, number, flow, flags=0, rules=None):
        """Puts flow to the kernel; rules: those in force while the policy is perturbed."""
        key, walk = self.walk(flow, rules)
        flags |= self.family.get_flags
        question = Question(number, flow, key, walk, flags, self.machine.is_bound(flow, walk))
        question.rules, question.settled = rules or self.rules, rules is None
        question.mark = self.tracepoint.mark() if self.tracepoint else None
        question.began = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        question.error, question.answer = kernel.ask(self.rtnl, flow, flags)
        question.ended = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self.questions.append(question)
        return question

    def collect(self, questions):
        """Gives each question the tables that the kernel's own tracepoint saw asked."""
        if not self.tracepoint:
            return
        found = self.tracepoint.collect()
        for question in questions:
            question.sequence = found.get(question.mark, [])

    @staticmethod
    def is_visible(question):
        """Whether the tier can see the question's lookup."""
        return bool(question.walk.asked)

    def visible(self):
        return [question for question in self.questions if self.is_visible(question)]

    def drain(self, seconds=LOOKUP_SECONDS):
        """Waits until fibtrace has written every lookup so far that its tier can see."""
        visible = self.visible()
        if not self.fibtrace or not visible:
            return True
        last = expected_flow(self.family, visible[-1].key, self.names)
        return self.fibtrace.wait_for_lookups(len(visible), last, seconds)

    def settle(self, first):
        """Waits until fibtrace has seen all changes: then it can explain a lookup at once."""
        for _ in range(SETTLE_TRIES):
            question = self.ask(first.number, first.flow)
            question.settled = False
            self.collect([question])
            if self.drain(SETTLE_SECONDS):
                return

    # the kernel against the model

    def check_kernel(self, question):
        walk, bound = question.walk, question.bound
        if question.sequence is not None:
            asked = [(answer.table, self.machine.seen_error(answer)) for answer in walk.asked]
            require(question.sequence == asked, "the kernel asked tables %s, the model %s",
                    question.sequence, asked)
        want = 0 if bound else walk.effect[0]
        if bound and question.flags & kernel.RTM_F_FIB_MATCH:
            want = errno.EHOSTUNREACH
        require(question.error == want, "the kernel answers errno %d, the model %d",
                question.error, want)
        if want == 0:
            self.check_answer(question)

    def check_answer(self, question):
        answer, walk, (_, route) = question.answer, question.walk, question.walk.effect
        table = 0 if question.bound else walk.table
        require(answer["table"] == table, "the kernel's table is %d, the model's %s",
                answer["table"], table)
        kind = model.RTN_UNICAST if question.bound else route.type
        require(answer["type"] == kind, "the kernel's type is %d, the model's %s", answer["type"],
                kind)
        if question.flags & kernel.RTM_F_FIB_MATCH:
            got = (answer["dst"], answer["length"], sorted(answer["nexthops"]))
            want = (route.dst, route.length, sorted(route.nexthops))
            require(got == want, "the kernel's route is %s, the model's %s", got, want)
            return
        got = answer["nexthops"][0]
        if question.bound:
            nexthops = [(question.flow["oif"], 0)]
        elif kind in model.TO_THIS_HOST:
            nexthops = [(model.LOOPBACK, 0)]
        else:
            nexthops = self.machine.nexthops(route, question.key)
        require(got in nexthops, "the kernel's nexthop is %s, the model's one of %s", got, nexthops)

    # fibtrace against the kernel

    def pair(self, questions, lines):
        """Gives each question its lookup, both in order; answers the lookups that nobody asked.

        Questions about one flow in a row share what is shown of it when that is not one each.
        """
        asked = [list(run) for _, run in itertools.groupby(
            questions, lambda question: expected_flow(self.family, question.key, self.names))]
        shown = [list(run) for _, run in itertools.groupby(lines, lambda line: line["flow"])]
        left = []
        for run in asked:
            want = expected_flow(self.family, run[0].key, self.names)
            ahead = [index for index, some in enumerate(shown[:4]) if some[0]["flow"] == want]
            if not ahead:
                continue
            for extra in shown[:ahead[0]]:
                left += extra
            found = shown[ahead[0]]
            shown = shown[ahead[0] + 1:]
            self.share(run, found)
        return left + [line for some in shown for line in some]

    def share(self, run, found):
        """Gives the questions of a run what is shown of it: one each, or all of it to those that
        were put while rules changed. Others before and behind them have one each in any case."""
        settled = [question.settled for question in run]
        if len(found) != len(run) and not all(settled) and (settled[0] or settled[-1]):
            begin, end = settled.index(False), settled[::-1].index(False)
            self.share(run[:begin], found[:begin])
            self.share(run[begin:len(run) - end], found[begin:len(found) - end])
            self.share(run[len(run) - end:], found[len(found) - end:])
            return
        shared = len(found) > len(run) or (len(found) < len(run) and self.changing(run))
        for place, question in enumerate(run):
            question.run, question.shared = run, shared
            question.lines = found if shared else found[place:place + 1]

    @staticmethod
    def changing(run):
        return all(question.walk.asked and not question.settled for question in run)

    def check_line(self, question):
        walk, line = question.walk, question.line
        if not walk.asked:
            require(line is None, "a walk that asks no table is shown")
            return
        require(line is not None, "the lookup is not shown")
        # While rules change no more is asked of fibtrace than to tell what it does not know.
        if not question.settled and len(question.lines) != len(question.run) and question.shared:
            self.check_parts(question)
            self.counts["split"] += 1
            return
        if not question.settled and line["verdict"]["decided_by"] == "unknown":
            self.counts["unknown"] += 1
            self.check_unknown(question, line["verdict"])
            return
        require(len(question.lines) == 1, "%d lookups are shown for one", len(question.lines))
        require(line["duration_ns"] is None, "the duration is %s", line["duration_ns"])
        self.check_origin(line)
        asked = [step["table_id"] for step in line["steps"]
                 if step["outcome"] in ASKED and step["table_id"]]
        want = [answer.table for answer in walk.asked]
        if self.built_in and walk.route and walk.route.table == model.TABLE_LOCAL:
            want[-1] = model.TABLE_LOCAL
        require(asked == want, "tables asked are %s, not %s", asked, want)
        self.check_verdict(question, line["verdict"])
        if not self.built_in:
            self.check_steps(question, line)

    def check_origin(self, line):
        require(line["cause"] == "route-get" and line["context"] == "task", "cause %s, context %s",
                line["cause"], line["context"])
        require(line["netns"] == self.netns and line["netns_name"] == self.name, "netns %s (%s)",
                line["netns"], line["netns_name"])

    def check_unknown(self, question, verdict):
        """What the kernel tells holds whatever the rules are."""
        route = question.walk.asked[-1].route
        if not self.family.refusals_are_told or not route or route.type == model.RTN_THROW:
            return
        for name, value in self.expected_prefix(route).items():
            require(verdict[name] == value, "the unknown verdict's %s is %r, not %r", name,
                    verdict[name], value)

    def check_parts(self, question):
        """Where a walk asks its first table twice, or the next walk about the same flow begins with
        another table, only the policy tells where a walk begins, and the policy was changing: the
        parts must be what the kernel asked, and each that names rules one of the lookups whole."""
        parts, run = question.lines, question.run
        require(any(part["verdict"]["decided_by"] == "unknown" for part in parts),
                "%d lookups are shown for %d, all with rules", len(parts), len(run))
        asked = [step["table_id"] for part in parts for step in part["steps"]
                 if step["outcome"] in ASKED + ("unknown",) and step["table_id"]]
        want = [answer.table for one in run for answer in one.walk.asked]
        require(asked == want, "tables asked in %d parts are %s, not %s", len(parts), asked, want)
        for part in parts:
            if part["verdict"]["decided_by"] != "unknown":
                require(any(self.fits(one, part) for one in run), "a part is no lookup: %s", part)

    def fits(self, question, line):
        alone = copy.copy(question)
        alone.lines, alone.shared = [line], False
        try:
            self.check_line(alone)
        except Failure:
            return False
        return True

    def expected_steps(self, question):
        """Every rule with what came of it, or would have."""
        rules, walk = question.rules, question.walk
        behind = range(walk.rule + 1, len(rules)) if walk.rule is not None else ()
        return walk.steps + [
            (index, "not-reached" if model.applies(rules[index], question.key, self.machine)
             else "skipped") for index in behind]

    def check_steps(self, question, line):
        rules, walk = question.rules, question.walk
        want, steps = self.expected_steps(question), line["steps"]
        if not question.settled:  # what lies behind the end may have changed since
            want, steps = ([item for item in items if outcome(item) not in DID_NOT_RUN]
                           for items, outcome in ((want, lambda item: item[1]),
                                                  (steps, lambda item: item["outcome"])))
        got = [(step["priority"], step["outcome"]) for step in steps]
        wanted = [(rules[index]["priority"], outcome) for index, outcome in want]
        require(got == wanted, "the steps are %s, not %s", got, wanted)
        for step, (index, _) in zip(steps, want):
            check_rule(self.family, step, rules[index])
            check_jump(step, question, index)
            self.check_mismatch(question, step, index)
            if step["outcome"] == "throw":
                evidence = "kernel" if self.family.refusals_are_told else "derived"
                require(step["evidence"] == evidence, "the throw is %s", step["evidence"])
        named = named_rules(self.family, line, rules)
        require(walk.rule in named or walk.rule is None and not named,
                "fibtrace names rule %s, the model %s", named, walk.rule)

    def check_mismatch(self, question, step, index):
        """What kept a rule from applying."""
        want = None
        if step["outcome"] == "skipped":
            want = model.mismatch(question.rules[index], question.key, self.machine)
            require(step.get("reason"), "the skipped step has no reason")
        require(step.get("mismatch") == want, "the step's mismatch is %s, not %s",
                step.get("mismatch"), want)

    def route_of(self, question):
        """The route that the tier can see to be answered."""
        return question.walk.route

    def expected_end(self, question):
        """What the verdict says of the end of the walk."""
        walk, rules = question.walk, question.rules
        name = errno.errorcode[walk.error] if walk.error else None
        if question.bound:
            return dict(error=None, decided_by="bound-device", priority=None, table_id=None)
        if self.built_in:
            priority = self.family.built_in[walk.route.table] if walk.route else None
            return dict(error=name, priority=priority, decided_by="built-in")
        ended = "rule" if walk.rule is not None else "end-of-rules"
        return dict(error=name, decided_by=ended,
                    priority=None if walk.rule is None else rules[walk.rule]["priority"])

    def expected_prefix(self, route):
        return dict(dst=self.family.prefix_text(route.dst, route.length), prefixlen=route.length)

    def expected_verdict(self, question):
        walk, route = question.walk, self.route_of(question)
        want = self.expected_end(question)
        if want["decided_by"] == "bound-device":
            want.update(dev=self.names[question.flow["oif"]], type="unicast")
            return want
        want["table_id"] = route.table if route else None
        if want["error"]:
            ended = None if walk.rule is None else question.rules[walk.rule]["action"]
            want["type"] = model.ACTION_NAMES[ended] if ended in model.REJECT_ERRORS else "none"
            if route:
                want["type"] = model.TYPE_NAMES[route.type]
            want.update(dev=None, gateway=None, dst=None, prefixlen=None)
            if route:  # one that refuses is named with its prefix
                want.update(self.expected_prefix(route))
            return want
        want.update(self.expected_prefix(route),
                    type=model.TYPE_NAMES[route.type], nexthops=len(route.nexthops))
        return want

    def check_verdict(self, question, verdict):
        for name, value in self.expected_verdict(question).items():
            require(verdict[name] == value, "the verdict's %s is %r, not %r", name, verdict[name],
                    value)
        if question.settled and not verdict["error"]:
            self.check_source(question, verdict)
        if verdict["error"] or question.bound:
            return
        got, nexthops = (verdict["dev"], verdict["gateway"]), self.chosen_nexthops(question)
        require(got in nexthops, "the verdict's device and gateway are %s, not one of %s", got,
                nexthops)

    def check_source(self, question, verdict):
        """The source that the kernel chose for a packet that had none, where its answer names it:
        not with the whole route, and not with another nexthop than the verdict's."""
        flow, answer = question.flow, question.answer
        if flow.get("iif") or flow.get("src") or not answer \
                or question.flags & kernel.RTM_F_FIB_MATCH:
            return
        here = answer["type"] in model.TO_THIS_HOST  # then the answer names lo
        if not here and verdict["dev"] != self.names[answer["nexthops"][0][0]]:
            return
        local = answer["type"] == model.RTN_LOCAL and not self.family.local_routes_name_source
        want = None if local else self.family.text(answer["prefsrc"])
        require(verdict["prefsrc"] == want, "the verdict's source is %s, not %s",
                verdict["prefsrc"], want)

    def named_nexthop(self, nexthop):
        dev, gateway = nexthop
        return self.names[dev], self.family.text(gateway) if gateway else None

    def fitting_nexthops(self, question, route):
        """Those of route that the question's device allows, as (device, gateway)."""
        return [self.named_nexthop(nexthop)
                for nexthop in self.machine.nexthops(route, question.key)]

    def chosen_nexthops(self, question):
        """Those that the verdict may name: a table's answer does not tell which is taken."""
        _, route = question.walk.effect
        return self.fitting_nexthops(question, route)

    # perturbation

    def rewrite(self, priority, before, after):
        """Replaces all rules of one priority: that alone keeps the order among equals."""
        for rule in before:
            if rule["priority"] == priority:
                kernel.delete_priority(self.rtnl, priority)
        for rule in after:
            if rule["priority"] == priority:
                kernel.add_rule(self.rtnl, rule)

    def perturb(self, index, firsts):
        """Proves that the rule at index decided the questions firsts."""
        rule = self.rules[index]
        without = self.rules[:index] + self.rules[index + 1:]
        instead = list(self.rules)
        instead[index] = probe_rule(rule)
        deleted = self.perturbed_round(rule["priority"], without, firsts)
        replaced = self.perturbed_round(rule["priority"], instead, firsts)
        restored = [self.ask(first.number, first.flow) for first in firsts]
        for question in restored:
            question.settled = False
        self.collect(deleted + replaced + restored)
        for first, *others in zip(firsts, deleted, replaced, restored):
            self.counts["perturbed"] += 1
            self.judge(first.number, self.check_perturbation, first, *others)

    def perturbed_round(self, priority, rules, firsts):
        self.rewrite(priority, self.rules, rules)
        questions = [self.ask(first.number, first.flow, rules=rules) for first in firsts]
        self.rewrite(priority, rules, self.rules)
        return questions

    def check_perturbation(self, first, deleted, replaced, restored):
        for question in (deleted, replaced, restored):
            self.check_kernel(question)
        if deleted.effect() == first.effect():
            # A rule behind it does the same: only the replacement proves this one.
            self.counts["equal-deletion"] += 1
        else:
            require(deleted.outcome() != first.outcome(), "without the rule nothing changes")
        require(restored.outcome() == first.outcome(), "put back, the rule answers otherwise")
        require(replaced.outcome() != first.outcome(), "with a probe instead nothing changes")
        if self.tracepoint:
            before = first.sequence[:-1] if first.walk.route else first.sequence
            require(replaced.sequence[:-1] == before and replaced.sequence[-1][0] == PROBE_TABLE,
                    "the probe shows that another rule decides: %s", replaced.sequence)

    def perturb_all(self, firsts):
        named = {}
        for first in firsts:
            if self.built_in or first.number in self.failures:
                continue
            rules = named_rules(self.family, first.line, self.rules) if first.line \
                else [first.walk.rule]
            if rules and rules[0] is not None:
                # Of equal rules that are all named only the model's can be the first.
                rule = first.walk.rule if first.walk.rule in rules else rules[0]
                named.setdefault(rule, []).append(first)
        for index, questions in named.items():
            self.perturb(index, questions)

    # running

    def judge(self, number, check, *arguments):
        try:
            check(*arguments)
        except Failure as failure:
            self.failures.setdefault(number, []).append(
                "%s: %s" % (check.__name__, failure) + self.evidence(arguments[0]))

    @staticmethod
    def evidence(question):
        text = "\n    key      %s\n    question %s flags %#x%s\n    kernel   errno %s %s\n" \
            "    tables   %s" % (question.key, question.flow, question.flags,
                                 "" if question.settled else ", while the rules change",
                                 question.error, question.answer, question.sequence)
        return text + "".join("\n    fibtrace %s" % json.dumps(line) for line in question.lines)

    def attach(self):
        if not self.options.kernel_only:
            self.fibtrace = Fibtrace(self.options, self.family, self.name)

    def prepare(self):
        self.make_network()
        self.netns = os.stat("/proc/self/ns/net").st_ino
        self.make_policy()
        if self.attach_first:
            self.attach()
        self.install()
        if not self.attach_first:
            self.attach()
        if self.tracepoint:
            self.tracepoint.follow_this_process()

    def first_round(self, flows):
        for number, flow in enumerate(flows):
            for flags in (0, kernel.RTM_F_FIB_MATCH):
                self.ask(number, flow, flags)
        self.collect(self.questions)
        self.drain()

    def check_questions(self, questions):
        """The kernel against the model, and fibtrace against both."""
        for question in questions:
            self.judge(question.number, self.check_kernel, question)
        if not self.fibtrace:
            return
        left = self.pair(self.visible(), self.fibtrace.own)
        for question in questions:
            self.judge(question.number, self.check_line, question)
        if left:
            self.failures.setdefault(-1, []).append(
                "%d lookups that nobody asked, or not in this order; the first: %s"
                % (len(left), json.dumps(left[0])))

    def run(self):
        self.prepare()
        flows = self.generator.make_flows(self.rules, LOOKUPS_PER_SET, lambda f: self.walk(f)[1],
                                          self.hidden_limit)
        self.first_round(flows)
        first_round = list(self.questions)
        self.check_questions(first_round)
        self.perturb_all(first_round[::2])
        self.settle(next((first for first in first_round if first.walk.asked), first_round[0]))
        last_round = [self.ask(number, flow) for number, flow in enumerate(flows)]
        self.collect(last_round)
        self.drain()
        self.finish()
        self.check_questions(self.questions[len(first_round):])
        self.counts.update(sets=1, flows=len(flows), questions=len(self.questions),
                           tableless=sum(not first.walk.asked for first in first_round[::2]),
                           long=sum(len(first.walk.answers) > LONG_WALK
                                    for first in first_round[::2]),
                           hidden=sum(not self.is_visible(first) for first in first_round[::2]))

    def finish(self):
        if not self.fibtrace:
            return
        status = self.fibtrace.stop()
        try:
            require(status == 0, "fibtrace ends with %d: %s", status, self.fibtrace.errors)
            objects = self.fibtrace.objects
            require(objects[0]["type"] == "start" and objects[-1]["type"] == "summary",
                    "the trace begins with %s and ends with %s", objects[0], objects[-1])
            require(objects[0]["tier"] == self.options.attach, "the tier is %s", objects[0]["tier"])
            counts = objects[-1]
            shown = sum(1 for item in objects if item["type"] == "lookup")
            require(counts["seen"] - self.may_be_lost(counts) == shown == counts["shown"],
                    "%d are shown: %s", shown, counts)
        except Failure as failure:
            self.failures.setdefault(-1, []).append(str(failure))

    @staticmethod
    def may_be_lost(_counts):
        return 0

    def policy_text(self):
        """The rules and routes for a report."""
        lines = ["%3d %s" % item for item in enumerate(map(str, self.rules))]
        for words in (["rule", "show"], ["route", "show", "table", "all"]):
            command = ["ip", "-family", self.family.name, *words]
            lines.append(subprocess.run(command, stdout=subprocess.PIPE, text=True,
                                        check=False).stdout)
        return "\n".join(lines)


class ExactScene(Scene):
    """The same in a tier whose hooks see each rule that runs: every lookup is shown, alone and
    whole, also one that asks no table and one made while rules change."""

    hidden_limit = None

    @staticmethod
    def is_visible(question):
        return True

    @staticmethod
    def may_be_lost(counts):
        return counts["lost"] + counts["unfinished"]

    def run(self):
        super().run()
        if not self.fibtrace:
            return
        try:
            self.check_absent()
        except Failure as failure:
            self.failures.setdefault(-1, []).append(str(failure))

    def check_absent(self):
        """The kernel does not run a program on a processor where it was interrupted: a lookup
        that another task's, say that of a namespace which is taken down, has kept from being seen
        whole is counted, not shown. Those are few, and no more than fibtrace says."""
        absent = [question for question in self.questions if not question.lines]
        summary = self.fibtrace.objects[-1]
        require(len(absent) <= self.may_be_lost(summary) + (summary["missed"] or 0),
                "%d lookups are not shown, the first is %s: %s", len(absent),
                absent and absent[0].flow, summary)
        require(len(absent) <= max(2, ABSENT_LIMIT * len(self.questions)),
                "%d of %d lookups are not shown", len(absent), len(self.questions))
        self.counts["absent"] = len({question.number for question in absent}
                                    - set(self.failures))

    def pair(self, questions, lines):
        """A lookup belongs to the question during which it began; they come in the same order."""
        begins, last, left = [question.began for question in questions], 0, []
        for question in questions:
            question.lines = []
        for line in lines:
            place = bisect.bisect_right(begins, line["boottime_ns"]) - 1
            if place < last or line["boottime_ns"] > questions[place].ended:
                left.append(line)
                continue
            last = place
            questions[place].lines.append(line)
        return left

    def check_line(self, question):
        if not question.lines:
            return  # check_absent() looks at all of them
        require(len(question.lines) == 1, "%d lookups are shown for one", len(question.lines))
        line, flow = question.line, expected_flow(self.family, question.key, self.names)
        require(line["flow"] == flow, "the flow is %s, not %s", line["flow"], flow)
        self.check_origin(line)
        duration, most = line["duration_ns"], question.ended - line["boottime_ns"]
        require(duration is not None and 0 < duration <= most, "the duration is %s of %s", duration,
                most)
        self.check_verdict(question, line["verdict"])
        if self.built_in:
            self.check_tables(question, line)
        else:
            self.check_steps(question, line)

    # No hook fires for a goto or nop, and in IPv4 none tells a throw from a miss.
    def evidence_of(self, outcome):
        if outcome == "throw" and self.family.refusals_are_told:
            return "kernel"
        return "derived" if outcome in ("goto", "nop", "throw", *DID_NOT_RUN) else "kernel"

    def possible_steps(self, question):
        """The lists of (rule index, outcome) that may be shown: while rules change, what is derived
        from them may be missing, but nothing that the kernel was seen to do."""
        whole = self.expected_steps(question)
        if question.settled:
            return [whole]
        ran = [item for item in whole if item[1] not in DID_NOT_RUN]
        seen = [item for item in ran if item[1] not in ("goto", "nop")]
        missed = [[(index, "no-route" if outcome == "throw" else outcome)
                   for index, outcome in items] for items in (ran, seen)]
        return [ran, seen] + missed

    def check_steps(self, question, line):
        rules, steps = question.rules, line["steps"]
        if not question.settled:  # what lies behind the end may have changed since
            steps = [step for step in steps if step["evidence"] == "kernel"
                     or step["outcome"] not in (*DID_NOT_RUN, "unknown")]
        got = [(step["priority"], step["outcome"], step["evidence"]) for step in steps]
        possible = self.possible_steps(question)
        wanted = [[(rules[index]["priority"], outcome, self.evidence_of(outcome))
                   for index, outcome in items] for items in possible]
        require(got in wanted, "the steps are %s, not %s", got, wanted[0])
        for step, (index, _) in zip(steps, possible[wanted.index(got)]):
            self.check_step(question, step, index)
        named, walk = named_rules(self.family, line, rules), question.walk
        if question.settled:
            require(walk.rule in named or walk.rule is None and not named,
                    "fibtrace names rule %s, the model %s", named, walk.rule)

    def check_step(self, question, step, index):
        rule = question.rules[index]
        check_rule(self.family, step, rule)
        check_jump(step, question, index)
        self.check_mismatch(question, step, index)
        table = (rule["table"] or model.TABLE_MAIN) if rule["action"] == model.LOOKUP else None
        if step["outcome"] == "skipped" and rule.get("l3mdev"):
            table = None  # there is no device whose table it could be
        require(step["table_id"] == table, "the step's table is %s, not %s", step["table_id"],
                table)
        if step["outcome"] == "suppressed":
            self.check_suppressed(question, step, index)

    def check_suppressed(self, question, step, index):
        """The route that the rule did not want, and why."""
        rule, route = question.rules[index], question.walk.answers[index].route
        by_length = rule.get("plen") is not None and route.length <= rule["plen"]
        why = "suppress_prefixlength %d" % rule["plen"] if by_length \
            else "suppress_ifgroup %d" % rule["ifgroup"]
        require(step.get("suppressor") == why, "the suppressor is %s, not %s",
                step.get("suppressor"), why)
        have = step.get("route", {})
        got = have.get("dst"), have.get("dev"), have.get("gateway")
        nexthops = self.fitting_nexthops(question, route)
        if not self.family.nexthops_are_routes:
            # The kernel suppresses before it chooses among nexthops: it has the first that fits.
            nexthops = nexthops[:1]
        prefix = self.family.prefix_text(route.dst, route.length)
        want = [(prefix, *nexthop) for nexthop in nexthops]
        require(got in want, "the route suppressed is %s, not one of %s", got, want)

    def check_tables(self, question, line):
        """The tables that were asked without any rule."""
        want = []
        for answer in question.walk.asked:
            table, outcome = answer.table, model.outcome_of(answer)
            if answer.route:  # main's own table holds the local routes too
                table = answer.route.table
            want.append((self.family.built_in[table], table, outcome, self.evidence_of(outcome)))
        got = [(step["priority"], step["table_id"], step["outcome"], step["evidence"])
               for step in line["steps"]]
        require(got == want, "the tables asked are %s, not %s", got, want)

    def route_of(self, question):
        _, route = question.walk.effect
        return route

    def expected_verdict(self, question):
        want = super().expected_verdict(question)
        if want["decided_by"] == "bound-device":
            want.update(gateway=None)
        if question.settled or not want["error"] or self.family.refusals_are_told:
            return want
        # No hook tells the prefix of a route that refuses: it may be missing, not wrong.
        return {name: value for name, value in want.items()
                if name not in ("dst", "prefixlen") or question.line["verdict"][name] is not None}

    def chosen_nexthops(self, question):
        """The one that the kernel's answer names; an answer that is the whole route names none of
        them, and that to a local one names lo, where the packet goes instead."""
        _, route = question.walk.effect
        unnamed = not question.answer or question.flags & kernel.RTM_F_FIB_MATCH
        if unnamed or route.type in model.TO_THIS_HOST:
            return super().chosen_nexthops(question)
        return [self.named_nexthop(question.answer["nexthops"][0])]


def probe_rule(rule):
    """A rule that applies where rule does and ends each walk that comes to it, visibly."""
    probe = {name: value for name, value in rule.items() if name not in ("plen", "ifgroup", "goto")}
    if rule.get("l3mdev"):  # here only a `not l3mdev` ever applies, and that to everything
        probe = dict(priority=rule["priority"])
    return dict(probe, action=model.LOOKUP, table=PROBE_TABLE)


# -- the run


FEATURE_ATTRIBUTES = dict(dscp="DSCP", dscp_mask="DSCP_MASK", port_mask="SPORT_MASK",
                          l3mdev="L3MDEV", flowlabel="FLOWLABEL", whole_class="TABLE")
RULE_FEATURES = {
    "inet": dict(dscp=dict(dscp=3), dscp_mask=dict(dscp=3, dscp_mask=7),
                 port_mask=dict(sport=(8, 8), sport_mask=15), l3mdev=dict(l3mdev=1, table=0))}
RULE_FEATURES["inet6"] = dict(RULE_FEATURES["inet"], flowlabel=dict(flowlabel=3, flowlabel_mask=7),
                              whole_class=dict(tos=1))


def overrides_with_default(rtnl):
    """Whether the kernel asks table default after an error of main."""
    for table, kind in ((model.TABLE_MAIN, model.RTN_UNREACHABLE),
                        (model.TABLE_DEFAULT, model.RTN_BLACKHOLE)):
        route = model.Route(table, 0, 0, kind, 0, 0, ())
        rtnl.change(kernel.RTM_NEWROUTE, kernel.NLM_F_CREATE,
                    kernel.route_payload(rtnl.family, route))
    error, _ = kernel.ask(rtnl, dict(dst=rtnl.family.number(rtnl.family.nowhere)), 0)
    return error == errno.EINVAL


def returns_suppressed(rtnl):
    """Whether the kernel answers with a suppressed route when its rules are over."""
    index = kernel.make_veth(rtnl, "ov0", "op0", 0)
    rtnl.family.enable("ov0")
    route = model.Route(9, 0, 0, model.RTN_UNICAST, 0, 0, ((index, 0),))
    rtnl.change(kernel.RTM_NEWROUTE, kernel.NLM_F_CREATE, kernel.route_payload(rtnl.family, route))
    kernel.add_rule(rtnl, dict(priority=32767, action=model.LOOKUP, table=9, plen=0))
    error, _ = kernel.ask(rtnl, dict(dst=rtnl.family.number(rtnl.family.nowhere)), 0)
    return error == 0


def takes_flowlabel(rtnl):
    """Whether a question may have a flow label."""
    flow = dict(dst=rtnl.family.number(rtnl.family.nowhere), flowlabel=1)
    return kernel.ask(rtnl, flow, 0)[0] != errno.EINVAL


KERNEL_FEATURES = dict(
    inet=dict(default_overrides=overrides_with_default),
    inet6=dict(flowlabel_request=takes_flowlabel, suppressed_route=returns_suppressed))


def probe_features(family):
    """What this kernel does in its own way, tried in a namespace."""
    kernel.unshare(kernel.CLONE_NEWNET)
    family.prepare()
    rtnl = kernel.Rtnl(family)
    kernel.link_up(rtnl, model.LOOPBACK)
    rule = dict(priority=5, action=model.LOOKUP, table=9)
    return [name for name, more in RULE_FEATURES[family.name].items()
            if kernel.try_rule(rtnl, dict(rule, **more), FEATURE_ATTRIBUTES[name])] \
        + [name for name, probe in KERNEL_FEATURES[family.name].items() if probe(rtnl)]


def in_child(work):
    """Runs work() in a process of its own; its JSON-able result, None when it died."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            kernel.die_with_parent()
            os.close(reader)
            with os.fdopen(writer, "w") as stream:
                json.dump(work(), stream)
            status = 0
        except SystemExit:
            pass
        except BaseException:  # the parent reports; nothing of it may run in the child
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    os.close(writer)
    try:
        with os.fdopen(reader) as stream:
            text = stream.read()
    finally:
        if sys.exc_info()[0]:
            os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
    return json.loads(text) if text else None


def run_set(run, number, features, tracepoint):
    """One rule set from beginning to end; what came of it."""
    kind = ExactScene if run.options.attach in EXACT_TIERS else Scene
    scene = kind(run.options, run.family, number, features, tracepoint)
    try:
        scene.run()
    except Failure as failure:
        scene.failures.setdefault(-1, []).append(str(failure))
    finally:
        if scene.fibtrace:
            scene.fibtrace.stop()
    if scene.fibtrace:
        with open(run.stream, "a") as file:
            file.writelines(scene.fibtrace.raw)
    report = ""
    if scene.failures:
        texts = ["  lookup %s: %s" % (number, text) for number, found in
                 sorted(scene.failures.items()) for text in found]
        report = "\n".join(texts[:8]) + "\n" + scene.policy_text()
    return dict(counts=scene.counts, failures=list(scene.failures), report=report)


class Run:
    """All sets of one seed for one family, and what they add up to; stream: where the lines of
    fibtrace are kept."""

    def __init__(self, options, family, stream):
        self.options, self.family, self.stream = options, family, stream
        self.total = dict(passed=0, failed=0, skipped=0)
        self.counts = {}
        self.broken = 0

    def take(self, number, result):
        if result is None:
            self.broken += 1
            self.options.keep_going = False
            print("FAIL %s seed %s set %d: its process died"
                  % (self.family.name, self.options.seed, number))
            return False
        for name, value in result["counts"].items():
            self.counts[name] = self.counts.get(name, 0) + value
        failed = len([index for index in result["failures"] if index >= 0])
        self.broken += -1 in result["failures"]
        self.total["failed"] += failed
        skipped = result["counts"]["hidden"] + result["counts"]["absent"]
        self.total["skipped"] += skipped
        self.total["passed"] += result["counts"]["flows"] - skipped - failed
        if result["report"]:
            again = self.options.seed, number, self.family.name
            print("FAIL seed %s set %d (again: --seed %s --set %d --family %s)\n%s"
                  % (*again[:2], *again, result["report"]))
        return not result["failures"]

    def lookups(self):
        return sum(self.total.values())

    def sets(self):
        if self.options.set is not None:
            yield self.options.set
            return
        number = 0
        while self.lookups() < self.options.lookups and number < self.options.lookups:
            yield number
            number += 1

    def finish(self):
        print("%s: %s" % (self.family.name,
                          ", ".join("%s %d" % item for item in self.counts.items())))
        hidden = self.counts.get("hidden", 0)
        too_many = self.options.set is None and hidden > HIDDEN_LIMIT * max(1, self.lookups())
        if too_many:
            print("FAIL %d of %d lookups ask no table: more than %d %%"
                  % (hidden, self.lookups(), 100 * HIDDEN_LIMIT))
        self.total["failed"] += self.broken + too_many + (not check_schema(self.stream))
        self.total["failed"] += not self.total["passed"] and not self.total["failed"]
        return self.total


def check_schema(stream):
    if not os.path.getsize(stream):
        return True
    with open(stream) as file:
        lines = file.readlines()
    # An emulated machine takes seconds for what takes milliseconds: there some lines have to do.
    step = max(1, len(lines) // int(os.environ.get("SCHEMA_LINES") or len(lines)))
    checked = subprocess.run([os.path.join(ROOT, "tests/lint/schema.py"), "--partial"],
                             input="".join(lines[::step]), stdout=subprocess.PIPE, text=True,
                             check=False)
    if checked.returncode:
        print("FAIL schema: %s" % checked.stdout)
    return checked.returncode == 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lookups", type=int, default=1000, help="at least so many of a family")
    parser.add_argument("--family", choices=list(oracle_family.FAMILIES), dest="families",
                        action="append", help="both when not given")
    parser.add_argument("--seed", default=str(random.randrange(1 << 32)))
    parser.add_argument("--set", type=int, help="only this rule set of the seed")
    parser.add_argument("--fibtrace", default=os.path.join(ROOT, "build/fibtrace"))
    # inside.sh tells this way which tier its wrapper around fibtrace forces.
    parser.add_argument("--attach", choices=TIERS, help="how fibtrace attaches",
                        default=os.environ.get("FIBTRACE_ATTACH") or "tracepoint")
    parser.add_argument("--one-family", action="store_true",
                        help="have fibtrace attach to the family's lookups only: it starts sooner")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at a failed set")
    parser.add_argument("--kernel-only", action="store_true",
                        help="compare the kernel with the model, without fibtrace")
    options = parser.parse_args()
    names = options.families or oracle_family.FAMILIES
    options.families = [oracle_family.FAMILIES[name] for name in names]
    return options


def run_sets(run, tracefs):
    tracepoint = None
    if tracefs:
        name = "fibtrace-oracle-%d" % os.getpid()
        tracepoint = kernel.Tracepoint(tracefs, name, run.family.event)
    try:
        features = in_child(lambda: probe_features(run.family))
        print("%s: this kernel has %s" % (run.family.name, ", ".join(features) or "no more"))
        for number in run.sets():
            result = in_child(lambda: run_set(run, number, features, tracepoint))
            if not run.take(number, result) and not run.options.keep_going:
                break
    finally:
        if tracepoint:
            tracepoint.close()


def run_family(options, family, scratch, tracefs):
    """What the family adds to the totals."""
    if not os.path.exists("/proc/sys/net/" + family.sysctls):
        print("SKIP %s: this kernel has none" % family.name)
        return dict(passed=0, failed=0, skipped=1)
    stream = os.path.join(scratch, family.name)
    open(stream, "w").close()
    run = Run(options, family, stream)
    run_sets(run, tracefs)
    return run.finish()


def run_all(options, scratch):
    tracefs = os.path.join(scratch, "tracefs")
    os.mkdir(tracefs)
    if not kernel.private_mounts(tracefs):
        print("no tracefs: tables asked are compared with the model's only")
        tracefs = None
    try:
        totals = [run_family(options, family, scratch, tracefs) for family in options.families]
    finally:
        if tracefs:
            kernel.check(kernel.libc.umount(tracefs.encode()), "umount")
    total = {name: sum(one[name] for one in totals) for name in ("passed", "failed", "skipped")}
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % total)
    return 1 if total["failed"] or not total["passed"] else 0


def main():
    options = parse_arguments()
    if os.geteuid():
        print("SKIP: needs root")
        return 77
    print("seed %s" % options.seed, flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="fibtrace-oracle-") as scratch:
        return run_all(options, scratch)


if __name__ == "__main__":
    sys.exit(main())
