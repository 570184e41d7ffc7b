#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes packets as a test asks, one step after the other: traffic.py [--result FILE] STEP…

A step is one argument, "KIND ADDRESS PORT [NAME=VALUE]…":
  udp            sends to the address; count=N as often
  udp-connected  connects and sends
  tcp            connects, and is refused or not
  session        TCP between two namespaces: server=PATH listens, client=PATH connects, both talk
Further names: mark, source, device (the socket is bound to it), netns (a path; the caller's
otherwise), next=N (so many addresses in a row). Writes the pid and what came of each step, "ok" or
an errno's name, and ends with 0.
"""
import argparse
import ctypes
import errno
import ipaddress
import os
import socket

CLONE_NEWNET = 0x40000000
IP_FREEBIND, IPV6_FREEBIND = 15, 78
TIMEOUT_S = 10


def enter(path):
    """This thread goes on in the network namespace at path."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    if libc.setns(handle, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), path)
    os.close(handle)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def open_socket(family, kind, names):
    sock = socket.socket(family, kind)
    sock.settimeout(TIMEOUT_S)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == socket.SOCK_DGRAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    if "mark" in names:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, int(names["mark"], 0))
    if "device" in names:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, names["device"].encode())
    if "source" in names:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        sock.bind((names["source"], 0))
    return sock


def send_datagrams(address, port, names):
    first = ipaddress.ip_address(address)
    with open_socket(family_of(address), socket.SOCK_DGRAM, names) as sock:
        for offset in range(int(names.get("next", 1))):
            for _ in range(int(names.get("count", 1))):
                sock.sendto(b"x", (str(first + offset), port))


def connect_datagrams(address, port, names):
    with open_socket(family_of(address), socket.SOCK_DGRAM, names) as sock:
        sock.connect((address, port))
        for _ in range(int(names.get("count", 1))):
            sock.send(b"x")


def connect_stream(address, port, names):
    with open_socket(family_of(address), socket.SOCK_STREAM, names) as sock:
        sock.connect((address, port))


def run_session(address, port, names):
    """Each side does what it does in its own namespace."""
    family = family_of(address)
    enter(names["server"])
    with open_socket(family, socket.SOCK_STREAM, {}) as listener:
        listener.bind(("", port))
        listener.listen()
        enter(names["client"])
        with open_socket(family, socket.SOCK_STREAM, names) as client:
            client.connect((address, port))
            enter(names["server"])
            server, _ = listener.accept()
            with server:
                server.sendall(b"x")
                enter(names["client"])
                client.recv(1)
                client.sendall(b"x")
                client.shutdown(socket.SHUT_WR)
                enter(names["server"])
                while server.recv(16):
                    pass


KINDS = {"udp": send_datagrams, "udp-connected": connect_datagrams, "tcp": connect_stream,
         "session": run_session}


def run(step, home):
    kind, address, port, *rest = step.split()
    names = dict(item.split("=", 1) for item in rest)
    try:
        if "netns" in names:
            enter(names["netns"])
        KINDS[kind](address, int(port), names)
        return "ok"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    finally:
        enter(home)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--result")
    parser.add_argument("steps", nargs="+")
    args = parser.parse_args()
    home = "/proc/%d/fd/%d" % (os.getpid(), os.open("/proc/self/ns/net", os.O_RDONLY))
    results = [run(step, home) for step in args.steps]
    if args.result:
        with open(args.result, "w", encoding="ascii") as out:
            print(os.getpid(), *results, file=out)


main()
