#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sockets in several namespaces, one step after the other: cases_traffic.py [--result FILE] STEP…

A step is one argument, "VERB NAME [KEY=VALUE]…"; NAME is a socket's, which later steps use:
  udp NAME                     opens it; port=, address= bind it, mark=, tos=, device= set it
  listen NAME port=            a TCP listener
  connect NAME to= port=       a TCP client
  accept NAME of=LISTENER
  send NAME [to= port=] [size=]
  receive NAME                 one datagram or some bytes
  answer NAME                  sends what it receives back to where it came from
  uid NUMBER                   this process goes on as that user
  run COMMAND…                 by the shell
The namespace is netns=PATH, the caller's otherwise; family=6 makes a socket of IPv6. Writes what
came of each step, "ok", "timeout" or an errno's name, and ends with 0.
"""
import argparse
import ctypes
import errno
import os
import socket
import subprocess

CLONE_NEWNET = 0x40000000
FAMILIES = {"4": socket.AF_INET, "6": socket.AF_INET6}
# What never comes is waited for that long.
TIMEOUT_S = 1


class Sockets:
    def __init__(self):
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.named = {}

    def enter(self, handle):
        if self.libc.setns(handle, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    def open(self, kind, keys):
        """A socket belongs to the namespace in which it is made, whoever uses it."""
        if "netns" not in keys:
            return self.made(kind, keys)
        handle = os.open(keys["netns"], os.O_RDONLY | os.O_CLOEXEC)
        self.enter(handle)
        try:
            return self.made(kind, keys)
        finally:
            self.enter(self.home)
            os.close(handle)

    @staticmethod
    def made(kind, keys):
        sock = socket.socket(FAMILIES[keys.get("family", "4")], kind)
        sock.settimeout(TIMEOUT_S)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if "mark" in keys:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, int(keys["mark"], 0))
        if "tos" in keys:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, int(keys["tos"], 0))
        if "device" in keys:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, keys["device"].encode())
        return sock

    def udp(self, name, keys):
        self.named[name] = self.open(socket.SOCK_DGRAM, keys)
        if "port" in keys or "address" in keys:
            self.named[name].bind((keys.get("address", ""), int(keys.get("port", 0))))

    def listen(self, name, keys):
        self.named[name] = self.open(socket.SOCK_STREAM, keys)
        self.named[name].bind(("", int(keys["port"])))
        self.named[name].listen()

    def connect(self, name, keys):
        self.named[name] = self.open(socket.SOCK_STREAM, keys)
        self.named[name].connect((keys["to"], int(keys["port"])))

    def accept(self, name, keys):
        self.named[name], _ = self.named[keys["of"]].accept()
        self.named[name].settimeout(TIMEOUT_S)

    def send(self, name, keys):
        data = b"x" * int(keys.get("size", 1))
        if "to" in keys:
            self.named[name].sendto(data, (keys["to"], int(keys["port"])))
        else:
            self.named[name].send(data)

    def receive(self, name, _):
        if not self.named[name].recv(65536):
            raise OSError(errno.EPIPE, "closed")

    def answer(self, name, _):
        data, sender = self.named[name].recvfrom(65536)
        self.named[name].sendto(data, sender)

    @staticmethod
    def uid(number, _):
        os.setresuid(int(number), int(number), int(number))

    def step(self, words):
        verb, _, rest = words.partition(" ")
        if verb == "run":
            done = subprocess.run(rest, shell=True, check=False)
            return "failed" if done.returncode else "ok"
        name, *pairs = rest.split()
        try:
            getattr(self, verb)(name, dict(pair.split("=", 1) for pair in pairs))
            return "ok"
        except TimeoutError:
            return "timeout"
        except OSError as error:
            return errno.errorcode.get(error.errno, str(error))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--result")
    parser.add_argument("steps", nargs="+")
    args = parser.parse_args()
    sockets = Sockets()
    out = open(args.result, "w", encoding="ascii") if args.result else None
    results = [sockets.step(words) for words in args.steps]
    if out:
        print(*results, file=out)


main()
