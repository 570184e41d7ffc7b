#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sends as a test asks: send.py [OPTIONS] tcp|udp|udp-connected ADDRESS PORT

Writes "PID RESULT" to --result, RESULT being "ok" or the name of the errno, and ends with 0.
"""
import argparse
import errno
import os
import socket


def open_socket(kind, mark, source):
    sock_type = socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
    sock = socket.socket(socket.AF_INET, sock_type)
    sock.settimeout(5)
    if mark:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
    if source:
        sock.bind((source, 0))
    return sock


def send(args):
    target = (args.address, args.port)
    with open_socket(args.kind, args.mark, args.source) as sock:
        for _ in range(args.count):
            if args.kind == "udp":
                sock.sendto(b"x", target)
                continue
            sock.connect(target)
            if args.kind == "udp-connected":
                sock.send(b"x")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("tcp", "udp", "udp-connected"))
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--mark", type=lambda text: int(text, 0), default=0)
    parser.add_argument("--source")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--result")
    args = parser.parse_args()
    result = "ok"
    try:
        send(args)
    except OSError as error:
        result = errno.errorcode.get(error.errno, str(error))
    if args.result:
        with open(args.result, "w", encoding="ascii") as out:
            print(os.getpid(), result, file=out)


main()
