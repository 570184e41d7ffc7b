#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Checks NDJSON on stdin against docs/schema.json: exit 0 valid, 1 not, 77 without jsonschema.

The first line must be a start and the last one a summary, unless --partial is
given. jsonschema takes a millisecond per line, so the schema is compiled to
closures; jsonschema itself still judges the first lines of every type and each
line that fails, and the two must agree.
"""
import json
import os
import re
import sys

try:
    import jsonschema
except ImportError:
    print("SKIP: python3-jsonschema is not installed")
    sys.exit(77)

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "schema.json")
DOUBLE_CHECKED = 20
FAILURES_SHOWN = 5

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


def is_number(value):
    return isinstance(value, int) and not isinstance(value, bool)


def same(value, wanted):
    return type(value) is type(wanted) and value == wanted


class Compiler:
    """Turns schemas into predicates; a keyword it does not know is an error, never ignored."""

    def __init__(self, root):
        self.root = root
        self.compiled = {}

    def definition(self, reference):
        name = reference.rsplit("/", 1)[1]
        if name not in self.compiled:
            self.compiled[name] = self.compile(self.root["$defs"][name])
        return self.compiled[name]

    def compile(self, schema):
        checks = []
        for keyword, argument in schema.items():
            if keyword in ("description", "properties", "patternProperties"):
                continue  # properties are checked with additionalProperties
            checks.append(getattr(self, "keyword_" + keyword.lstrip("$"))(argument, schema))
        return lambda value: all(check(value) for check in checks)

    def keyword_ref(self, argument, _schema):
        return self.definition(argument)

    def keyword_type(self, argument, _schema):
        kinds = [TYPES[name] for name in ([argument] if isinstance(argument, str) else argument)]
        return lambda value: any(kind(value) for kind in kinds)

    def keyword_const(self, argument, _schema):
        return lambda value: same(value, argument)

    def keyword_enum(self, argument, _schema):
        return lambda value: any(same(value, one) for one in argument)

    def keyword_pattern(self, argument, _schema):
        search = re.compile(argument).search
        return lambda value: not isinstance(value, str) or bool(search(value))

    def keyword_minimum(self, argument, _schema):
        return lambda value: not is_number(value) or value >= argument

    def keyword_maximum(self, argument, _schema):
        return lambda value: not is_number(value) or value <= argument

    def keyword_minItems(self, argument, _schema):
        return lambda value: not isinstance(value, list) or len(value) >= argument

    def keyword_anyOf(self, argument, _schema):
        choices = [self.compile(choice) for choice in argument]
        return lambda value: any(choice(value) for choice in choices)

    def keyword_items(self, argument, _schema):
        item = self.compile(argument)
        return lambda value: not isinstance(value, list) or all(map(item, value))

    def keyword_required(self, argument, _schema):
        needed = frozenset(argument)
        return lambda value: not isinstance(value, dict) or needed <= value.keys()

    def keyword_additionalProperties(self, argument, schema):
        assert argument is False
        named = {key: self.compile(sub) for key, sub in schema["properties"].items()}
        patterns = [
            (re.compile(pattern), self.compile(sub))
            for pattern, sub in schema.get("patternProperties", {}).items()
        ]

        def one(key, value):
            if key in named:
                return named[key](value)
            return any(pattern.search(key) and check(value) for pattern, check in patterns)

        return lambda value: not isinstance(value, dict) or all(
            one(key, member) for key, member in value.items()
        )


def unique_keys(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key occurs twice in {keys}")
    return dict(pairs)


class Checker:
    def __init__(self):
        with open(SCHEMA, encoding="utf-8") as file:
            root = json.load(file)
        jsonschema.Draft202012Validator.check_schema(root)
        compiler = Compiler(root)
        self.quick = {}
        self.slow = {}
        for choice in root["oneOf"]:
            name = choice["$ref"].rsplit("/", 1)[1]
            self.quick[name] = compiler.definition(choice["$ref"])
            self.slow[name] = jsonschema.Draft202012Validator(
                {"$defs": root["$defs"], "$ref": choice["$ref"]}
            )
        self.count = dict.fromkeys(self.quick, 0)

    def problem(self, line):
        """What is wrong with the line, None when nothing is."""
        try:
            value = json.loads(line, object_pairs_hook=unique_keys)
        except ValueError as error:
            return f"no JSON: {error}"
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in self.quick:
            return f"unknown type {kind!r}"
        valid = self.quick[kind](value)
        self.count[kind] += 1
        if valid and self.count[kind] > DOUBLE_CHECKED:
            return None
        errors = list(self.slow[kind].iter_errors(value))
        if valid and not errors:
            return None
        if valid or not errors:
            return "jsonschema and this script disagree: " + "; ".join(e.message for e in errors)
        error = jsonschema.exceptions.best_match(errors)
        return f"{'.'.join(map(str, error.absolute_path)) or 'line'}: {error.message}"


def type_of(line):
    try:
        return json.loads(line)["type"]
    except (ValueError, KeyError, TypeError):
        return None


class Problems:
    """Counts what is wrong and keeps the first few."""

    def __init__(self):
        self.count = 0
        self.shown = []

    def add(self, number, what, line):
        self.count += 1
        if len(self.shown) < FAILURES_SHOWN:
            text = line.decode("utf-8", "replace").rstrip()[:2000]
            self.shown.append(f"line {number}: {what}\n  {text}")

    def report(self):
        for text in self.shown:
            print(text)
        if self.count:
            print(f"{self.count} problems with what docs/schema.json says")
        return 1 if self.count else 0


def check_lines(checker, problems):
    """Checks every line of stdin; the number of lines, the first and the last one."""
    number, first, last = 0, b"", b""
    for number, last in enumerate(sys.stdin.buffer, 1):
        first = first or last
        try:
            what = checker.problem(last.decode("utf-8"))
        except UnicodeDecodeError as error:
            what = f"no UTF-8: {error}"
        if what:
            problems.add(number, what, last)
    return number, first, last


def main(arguments):
    if arguments not in ([], ["--partial"]):
        print("usage: schema.py [--partial] < NDJSON", file=sys.stderr)
        return 2
    problems = Problems()
    number, first, last = check_lines(Checker(), problems)
    if not arguments and type_of(first) != "start":
        problems.add(1, "the first line is no start", first)
    if not arguments and type_of(last) != "summary":
        problems.add(number, "the last line is no summary", last)
    if last and not last.endswith(b"\n"):
        problems.add(number, "the last line does not end", last)
    return problems.report()


sys.exit(main(sys.argv[1:]))
