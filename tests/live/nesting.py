#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes lookups run inside one another, and checks that each kept to its own walk.

nesting.py run: sends from this namespace in a loop, on the first processor, while two others send
to it from another namespace: one on the same processor, and one that interrupts that processor.
nesting.py check: every lookup of the trace has the walk that nesting.sh's rules give its flow.
"""
import argparse
import collections
import ctypes
import errno
import json
import mmap
import os
import select
import socket
import struct
import sys

CLONE_NEWNET = 0x40000000
PORT_LOST, PORT_READ = 9, 10
SENDS_PER_PACKET = 4  # of each hammer: it keeps pace with the loop
TIMEOUT_S = 60
PROBLEMS_SHOWN = 5

# The addresses of nesting.sh's hosts, and what the second lookup about each packet is for: the
# kernel's own check of its source, or the one that nft asks for.
Scene = collections.namedtuple("Scene", "af any host other far senders check check_cause")
SCENES = {
    4: Scene(socket.AF_INET, "0.0.0.0", "192.0.2.2", "192.0.2.22", "203.0.113.%d",
             ("10.1.0.1", "10.2.0.1", "10.3.0.1"), "source-check", "receive"),
    6: Scene(socket.AF_INET6, "::", "2001:db8:1::2", "2001:db8:1::22", "2001:db8:113::%d",
             ("2001:db8:a1::1", "2001:db8:a2::1", "2001:db8:a3::1"), "other", "other"),
}
# What the flow key of a lookup says, and the walk that the rules give it.
Walk = collections.namedtuple("Walk", "purpose cause src dst iif mark steps error dev")
OUTPUTS = (
    ("mark 1", 1, [(100, 101, "throw"), (110, 111, "chosen")], None),
    ("mark 2", 2, [(120, 254, "suppressed"), (130, 121, "chosen")], None),
    ("mark 3", 3, [(140, 102, "no-route"), (150, None, "prohibit")], "EACCES"),
    ("from", 0, [(160, 103, "no-route"), (170, 122, "chosen")], None),
)
CHECKS = (
    ([(200, 201, "chosen")], None, "eth0"),
    ([(210, 202, "chosen")], None, "eth1"),
    ([(215, 105, "no-route"), (220, None, "unreachable")], "ENETUNREACH", None),
)


def walks_of(scene):
    # Refused without a source, IPv6 chooses one and asks again.
    sources = {"mark 3": scene.host, "from": scene.other}
    walks = {name: Walk("output", "send", sources.get(name, scene.any), scene.far % number, "lo",
                        mark, steps, error, None if error else "eth1")
             for number, (name, mark, steps, error) in enumerate(OUTPUTS, 11)}
    for sender, check in zip(scene.senders, CHECKS):
        walks["input " + sender] = Walk("input", "receive", sender, scene.host, "eth0", 0,
                                        [(180, 104, "no-route"), (500, 255, "chosen")], None,
                                        "eth0")
        walks["check " + sender] = Walk(scene.check, scene.check_cause, scene.host, sender, "lo",
                                        0, *check)
    return walks


# --- run -----------------------------------------------------------------------------------------


class Shared:
    """Numbers that the processes tell one another without a system call; each has one writer."""

    PROGRESS, ENDED, SENT = 0, 1, 2  # of the loop; from SENT on: by each hammer from each sender

    def __init__(self):
        self.memory = mmap.mmap(-1, mmap.PAGESIZE)

    def get(self, index):
        return struct.unpack_from("=Q", self.memory, 8 * index)[0]

    def put(self, index, value):
        struct.pack_into("=Q", self.memory, 8 * index, value)


def fork(work, *arguments):
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work(*arguments)
        status = 0
    except Exception as problem:  # the parent sees the status
        print("nesting.py: %s: %r" % (work.__name__, problem), file=sys.stderr, flush=True)
    os._exit(status)


def udp_socket(scene, source, mark=0, port=0):
    sock = socket.socket(scene.af, socket.SOCK_DGRAM)
    if mark:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
    if source != scene.any:
        sock.bind((source, port))
    return sock


def loop(options, shared, gate):
    """One lookup for each send. The rules of mark 3 refuse it."""
    os.sched_setaffinity(0, {options.processors[0]})
    flows = [(udp_socket(options.scene, walk.src, walk.mark), (walk.dst, PORT_LOST), walk.error)
             for walk in walks_of(options.scene).values() if walk.purpose == "output"]
    os.read(gate, 1)
    for number in range(options.sends):
        sock, target, error = flows[number % len(flows)]
        shared.put(Shared.PROGRESS, number + 1)
        try:
            sock.sendto(b"x", target)
            refused = None
        except OSError as problem:
            refused = errno.errorcode[problem.errno]
        if refused != error:
            raise OSError("send to %s: %s" % (target, refused))


def hammer(index, options, shared, begun, acks):
    """Packets to the looping host, so many for each of its sends."""
    handle = os.open(options.peer, os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), options.peer)
    os.sched_setaffinity(0, {options.processors[index]})
    scene = options.scene
    socks = [udp_socket(scene, source) for source in scene.senders]
    counts, sent = [0] * len(socks), 0
    while not shared.get(Shared.ENDED):
        if sent * SENDS_PER_PACKET > shared.get(Shared.PROGRESS):
            os.sched_yield()
            continue
        counts[sent % len(socks)] += 1
        socks[sent % len(socks)].sendto(b"x", (scene.host, PORT_LOST))
        sent += 1
        if sent == 1:
            os.write(begun, b"x")
    counts[0] += say_last(socks[0], scene.host, index, acks)
    for place, count in enumerate(counts):
        shared.put(Shared.SENT + index * len(counts) + place, count)


def say_last(sock, host, index, acks):
    """Returns when a packet behind all others has arrived; a full queue drops some. How many."""
    number = answered = 0
    while answered != number or not number:
        number += 1
        sock.sendto(struct.pack("=II", index, number), (host, PORT_READ))
        while answered != number and select.select([acks], [], [], 1)[0]:
            answered, = struct.unpack("=I", os.read(acks, 4))
    return number


def hear_last(receiver, hammers, acks):
    """Answers each hammer's last packets until both have ended."""
    ends = {os.pidfd_open(child): child for child in hammers}
    while ends:
        ready = select.select([receiver, *ends], [], [], TIMEOUT_S)[0]
        if not ready:
            raise TimeoutError("the last packets do not arrive")
        for handle in ready:
            if handle is receiver:
                index, number = struct.unpack("=II", receiver.recv(64))
                os.write(acks[index], struct.pack("=I", number))
            else:
                await_child(ends.pop(handle))


def await_child(child):
    _, status = os.waitpid(child, 0)
    if status:
        raise ChildProcessError("a process ended with %d" % os.waitstatus_to_exitcode(status))


def run(options):
    shared, senders = Shared(), options.scene.senders
    receiver = udp_socket(options.scene, options.scene.host, port=PORT_READ)
    gate, begun, acks = os.pipe(), os.pipe(), [os.pipe(), os.pipe()]
    looper = fork(loop, options, shared, gate[0])
    hammers = [fork(hammer, index, options, shared, begun[1], acks[index][0])
               for index in range(len(acks))]
    for _ in hammers:
        if not select.select([begun[0]], [], [], TIMEOUT_S)[0]:
            raise TimeoutError("a hammer does not begin")
        os.read(begun[0], 1)
    os.write(gate[1], b"x")
    try:
        await_child(looper)
    finally:
        shared.put(Shared.ENDED, 1)
    hear_last(receiver, hammers, [ack[1] for ack in acks])
    counts = [sum(shared.get(Shared.SENT + index * len(senders) + place)
                  for index in range(len(hammers))) for place in range(len(senders))]
    with open(options.result, "w", encoding="ascii") as out:
        print("looper", looper, file=out)
        print("sent", sum(counts), file=out)
        for sender, count in zip(senders, counts):
            print("sent-%s" % sender, count, file=out)


# --- check ---------------------------------------------------------------------------------------


def flow_of(line):
    return tuple(line["flow"][what] for what in ("src", "dst", "iif", "fwmark"))


def steps_of(line):
    return [(step["priority"], step["table_id"], step["outcome"]) for step in line["steps"]
            if step["outcome"] not in ("not-reached", "skipped")]


def problem_of(line, name, walk, looper):
    """What is wrong with a lookup, None when it is its own."""
    if not walk:
        return "nobody asked this"
    verdict = line["verdict"]
    last = walk.steps[-1]
    process = line["process"] and line["process"]["pid"]
    own = walk.purpose == "output"
    pairs = (("purpose", line["purpose"], walk.purpose), ("cause", line["cause"], walk.cause),
             ("context", line["context"], "task" if own else "softirq"),
             ("process", process, looper if own else None), ("oif", line["flow"]["oif"], None),
             ("steps", steps_of(line), walk.steps), ("error", verdict["error"], walk.error),
             ("decided_by", verdict["decided_by"], "rule"), ("dev", verdict["dev"], walk.dev),
             ("priority", verdict["priority"], last[0]), ("table", verdict["table_id"], last[1]))
    for what, got, want in pairs:
        if got != want:
            return "%s: %s is %s, not %s" % (name, what, got, want)
    return None


class Nesting:
    """How often the loop's lookups and those of packets took turns on the loop's processor."""

    def __init__(self, processor):
        self.processor, self.spans = processor, []

    def take(self, line):
        if line["cpu"] == self.processor:
            self.spans.append((line["boottime_ns"], line["duration_ns"] or 0,
                               line["context"] == "softirq"))

    def turns(self):
        spans = sorted(self.spans)
        return sum(1 for one, next_one in zip(spans, spans[1:]) if one[2] != next_one[2])

    def inside(self):
        """Those of packets that began while one of the loop's ran; none where that is not known."""
        end = found = 0
        for begin, duration, softirq in sorted(self.spans):
            found += softirq and begin < end
            if not softirq:
                end = begin + duration
        return found


def check(options):
    counts, problems, nesting = collections.Counter(), 0, Nesting(options.processors[0])
    walks = walks_of(options.scene)
    names = {(walk.src, walk.dst, walk.iif, hex(walk.mark)): name for name, walk in walks.items()}
    with open(options.trace, encoding="utf-8") as trace:
        for text in trace:
            line = json.loads(text)
            if line["type"] != "lookup":
                continue
            nesting.take(line)
            name = names.get(flow_of(line))
            counts[name] += 1
            problem = problem_of(line, name, walks.get(name), options.looper)
            problems += bool(problem)
            if problem and problems <= PROBLEMS_SHOWN:
                print("problem %s: %s" % (problem, text.rstrip()))
    for name in walks:
        print("count", name.replace(" ", "-"), counts[name])
    print("problems", problems)
    print("turns", nesting.turns())
    print("inside", nesting.inside())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=("run", "check"))
    parser.add_argument("--family", dest="scene", type=lambda text: SCENES[int(text)],
                        required=True)
    parser.add_argument("--processors", type=lambda text: [int(word) for word in text.split(",")],
                        help="of the loop and the first hammer, of the second hammer")
    parser.add_argument("--peer", help="the namespace that hammers")
    parser.add_argument("--sends", type=int)
    parser.add_argument("--result", help="gets the pid of the loop, the packets")
    parser.add_argument("--looper", type=int, help="that pid")
    parser.add_argument("--trace")
    options = parser.parse_args()
    globals()[options.command](options)


main()
