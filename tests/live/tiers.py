#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares what the tiers wrote about the same traffic: tiers.py TRACE TRACE…

Each trace is fibtrace's JSON. Only lookups between the first and the last marker count (--markers,
two destinations): they all were seen by all. What the tracepoint tier is documented not to see is
left aside where it is one of two that are compared.
"""
import argparse
import collections
import copy
import json
import sys

# These differ between observers of one lookup, or are how it was seen rather than what it was.
ASIDE = ("time", "boottime_ns", "duration_ns", "cpu", "group")
ASKED = ("no-route", "throw", "suppressed", "chosen", "unreachable", "blackhole", "prohibit",
         "unknown")
SHOWN = 8


class Trace:
    """What one tier wrote: its lookups in the order in which they began."""

    def __init__(self, path, markers):
        with open(path, encoding="utf-8") as lines:
            objects = [json.loads(line) for line in lines]
        self.tier = objects[0]["tier"]
        self.summary = objects[-1]
        found = sorted((item for item in objects if item["type"] == "lookup"),
                       key=lambda item: item["boottime_ns"])
        begin, end = (self.times(found, marker) for marker in markers)
        if not begin or not end:
            sys.exit("%s: the markers are not there" % self.tier)
        self.lookups = [item for item in found if begin[-1] < item["boottime_ns"] < end[0]]

    @staticmethod
    def times(lookups, marker):
        return [item["boottime_ns"] for item in lookups if item["flow"]["dst"] == marker]


def asks_a_table(lookup):
    return any(step["table_id"] and step["outcome"] in ASKED for step in lookup["steps"])


def blank_nexthop(lookup):
    """Of several nexthops the tracepoint tier sees the first usable one."""
    verdict = lookup["verdict"]
    if (verdict["nexthops"] or 0) < 2:
        return
    routes = [step["route"] for step in lookup["steps"] if step["outcome"] == "chosen"]
    for item in [verdict] + routes:
        for name in ("dev", "gateway", "via", "prefsrc", "nexthop", "weight"):
            item.pop(name, None)


def walk_no_rules(lookups):
    """The namespaces in which the kernel walks none."""
    return {item["netns"] for item in lookups if item["verdict"]["decided_by"] == "built-in"}


def join_route_adds(lookups, without_rules):
    """Where no rules are walked, nothing tells the tables that a new route's gateway is looked for
    in, one after the other, from one question to both: what counts is what the tables answered."""
    joined, left = collections.OrderedDict(), []
    for lookup in lookups:
        if lookup["cause"] != "route-add" or lookup["netns"] not in without_rules:
            left.append(lookup)
            continue
        first = joined.setdefault((lookup["process"]["tid"], lookup["flow"]["dst"]), lookup)
        if first is not lookup:
            first["steps"] += lookup["steps"]
        first.pop("verdict", None)
        for step in lookup["steps"]:
            step.update(priority=None, selector=None, rule=None)
    return left + list(joined.values())


def is_part_of_route_add(lookup, without_rules):
    """To the tracepoint tier it may be the beginning of the walk over the rules that follows."""
    return lookup["cause"] == "route-add" and lookup["netns"] not in without_rules and \
        lookup["verdict"]["decided_by"] == "direct"


def is_in_any_namespace(lookup):
    """No route names a device, and no packet is received: to the tracepoint tier it is a lookup of
    the namespace of whatever was interrupted."""
    return lookup["family"] == "inet" and lookup["context"] == "softirq" and \
        lookup["purpose"] != "input" and lookup["verdict"]["error"] and \
        not any("route" in step for step in lookup["steps"] if step["outcome"] in ASKED)


def comparable(lookup, with_tracepoint, without_rules):
    """The lookup without what the two tiers need not agree on; None: nothing is left."""
    if with_tracepoint and (not asks_a_table(lookup) or is_in_any_namespace(lookup) or
                            is_part_of_route_add(lookup, without_rules)):
        return None
    kept = {name: value for name, value in copy.deepcopy(lookup).items() if name not in ASIDE}
    for step in kept["steps"]:
        step.pop("evidence")
    if with_tracepoint:
        blank_nexthop(kept)
    if kept["cause"] == "route-add":
        # The policy changes right then: whether it could be told by which one is a matter of time.
        kept["findings"] = None
    return kept


def text_of(lookup):
    return json.dumps(lookup, sort_keys=True)


def differences(one, other, path=""):
    """The places at which two JSON values differ, as "place: one, other"."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted(set(one) | set(other))
        return [text for name in names for text in differences(
            one.get(name, "absent"), other.get(name, "absent"), path + "." + name)]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [text for index, pair in enumerate(zip(one, other))
                for text in differences(*pair, "%s[%d]" % (path, index))]
    return [] if one == other else ["%s: %s, %s" % (path, json.dumps(one), json.dumps(other))]


def summary_of(lookup):
    flow, verdict = lookup["flow"], lookup.get("verdict", {"error": None, "dev": "?"})
    return "%s %s %s %s > %s %s mark %s: %s" % (
        lookup["purpose"], lookup["cause"], lookup["context"], flow["src"], flow["dst"],
        flow["protocol"], flow["fwmark"], verdict["error"] or verdict.get("dev", "?"))


def blank_purpose(lookup):
    """What is found depends on the purpose, and on that of the lookups before."""
    lookup.update(purpose=None, cause=None, findings=None)


class Comparison:
    """Two tiers; problems are what they do not agree on."""

    def __init__(self, one, other, stacks_are_cut):
        self.one, self.other, self.problems = one, other, []
        both = "tracepoint" in (one.tier, other.tier)
        no_rules = walk_no_rules(one.lookups + other.lookups)
        self.lookups = [[item for item in (comparable(lookup, both, no_rules)
                                           for lookup in trace.lookups) if item]
                        for trace in (one, other)]
        if both:
            self.lookups = [join_route_adds(lookups, no_rules) for lookups in self.lookups]
        if both and stacks_are_cut:
            for lookup in self.lookups[0] + self.lookups[1]:
                blank_purpose(lookup)
        self.compare_sets()
        if not self.problems:
            self.compare_orders()

    def compare_sets(self):
        counts = [collections.Counter(map(text_of, lookups)) for lookups in self.lookups]
        left = [[json.loads(text) for text in (mine - others).elements()]
                for mine, others in (counts, counts[::-1])]
        for lookup in left[0]:
            twin = min(left[1], default=None,
                       key=lambda item: len(differences(lookup, item)))
            if twin and len(differences(lookup, twin)) <= 12:
                left[1].remove(twin)
                self.problems.append("%s\n    %s" % (summary_of(lookup), "\n    ".join(
                    differences(lookup, twin))))
            else:
                self.problems.append("only %s: %s\n    %s" % (
                    self.one.tier, summary_of(lookup), json.dumps(lookup)))
        for lookup in left[1]:
            self.problems.append("only %s: %s\n    %s" % (
                self.other.tier, summary_of(lookup), json.dumps(lookup)))

    def compare_orders(self):
        """One task's lookups follow one another; what several tasks do has no order."""
        orders = []
        for lookups in self.lookups:
            tasks = collections.defaultdict(list)
            for lookup in lookups:
                if lookup["process"]:
                    tasks[lookup["process"]["tid"]].append(text_of(lookup))
            orders.append(tasks)
        if orders[0] != orders[1]:
            self.problems.append("the lookups of one task are in different order")


def check_counts(trace):
    if trace.summary["lost"] or trace.summary["unfinished"]:
        return ["%s: %d lost, %d unfinished" % (
            trace.tier, trace.summary["lost"], trace.summary["unfinished"])]
    return []


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--markers", nargs=2, required=True)
    parser.add_argument("--stacks-are-cut", action="store_true",
                        help="the tracepoint tier cannot tell purposes beside other tiers")
    parser.add_argument("traces", nargs="+")
    options = parser.parse_args()
    traces = [Trace(path, options.markers) for path in options.traces]
    problems = [text for trace in traces for text in check_counts(trace)]
    for number, one in enumerate(traces):
        for other in traces[number + 1:]:
            found = Comparison(one, other, options.stacks_are_cut).problems
            problems += ["%s, %s: %s" % (one.tier, other.tier, text) for text in found]
    for trace in traces:
        print("# %s: %d lookups, missed %s" % (
            trace.tier, len(trace.lookups), trace.summary["missed"]))
    for text in problems[:SHOWN]:
        print("differs:", text)
    if problems:
        print("%d differences" % len(problems))
    sys.exit(1 if problems or not traces[0].lookups else 0)


main()
