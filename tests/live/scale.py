#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs a trace, reads what it writes and says what that took: scale.py RULES COMMAND…

RULES: so many steps every lookup must have; the line format tells of none. What is taken from the kernel's own account of the
process: the processor time of fibtrace and its command, and the most memory it had.
"""
import os
import subprocess
import sys
import time


def main():
    rules, command = int(sys.argv[1]), sys.argv[2:]
    lookups = incomplete = size = first_ms = 0
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    for line in process.stdout:
        in_json = line.startswith(b'{"type":"lookup"')
        if not in_json and not line.startswith(b"time="):
            continue
        first_ms = first_ms or int((time.monotonic() - began) * 1000)
        lookups += 1
        size = max(size, len(line))
        incomplete += in_json and line.count(b'"outcome":') != rules
    _, status, used = os.wait4(process.pid, 0)
    print("status", os.waitstatus_to_exitcode(status))
    print("lookups", lookups)
    print("incomplete", incomplete)
    print("size", size)
    print("first-ms", first_ms)
    print("processor-us", int((used.ru_utime + used.ru_stime) * 1e6))
    print("memory-kb", used.ru_maxrss)


main()
