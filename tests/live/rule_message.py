#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Adds IPv4 rules with attributes that an older ip(8) cannot write: TYPE=HEX pairs per rule."""

import socket
import struct
import sys

RTM_NEWRULE, NLMSG_ERROR = 32, 2
NLM_F_REQUEST_ACK_CREATE_EXCL = 0x1 | 0x4 | 0x400 | 0x200
FR_ACT_TO_TBL, RT_TABLE_MAIN = 1, 254


def attribute(pair):
    number, value = pair.split("=")
    payload = bytes.fromhex(value)
    length = 4 + len(payload)
    return struct.pack("=HH", length, int(number)) + payload + b"\0" * (-length % 4)


def rule_message(pairs):
    body = struct.pack("=8BI", socket.AF_INET, 0, 0, 0, RT_TABLE_MAIN, 0, 0, FR_ACT_TO_TBL, 0)
    body += b"".join(attribute(pair) for pair in pairs)
    header = struct.pack("=IHHII", 16 + len(body), RTM_NEWRULE, NLM_F_REQUEST_ACK_CREATE_EXCL, 1, 0)
    return header + body


def main():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(rule_message(sys.argv[1:]))
        answer = netlink.recv(4096)
    kind, error = struct.unpack_from("=4xH10xi", answer)
    if kind != NLMSG_ERROR or error:
        sys.exit(f"the kernel refused the rule: error {-error}")


main()
