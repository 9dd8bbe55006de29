#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Frames that no driver writes. The port ends as its specification says, or goes on; never anything else."""
import os
import random
import signal
import struct
import sys
import time

from rawport import Atom, Port, alive, call, frame, is_, run, term, traced, until, untrace, wrap

PROBE = [call("getpid"), call("iolist_to_bin", [b"abc", [b"d", b""]]), call("getopt", Atom("maxchild")), wrap([77], b"data"),
         wrap([0], b""), call("alloc", [b"abc", (Atom("ptr"), 8)]), call("close", 9999)]
FATAL = {
    "a length of one": b"\0\1\1", "a type of 1": frame(1, b"\0\0\0\1abc"), "a type of 2": frame(2, b"\0\0\0\1abc"),
    "a type of 3": frame(3, b"\0\0\0\1" + call("getpid")), "a type of 5": frame(5, b"\x83a\1"), "a type of 6": frame(6, b"\x83a\1"),
    "a type of 7": frame(7, b"\x83a\1"), "a type of 8": frame(8, b"\x83a\1"), "a type of 256": frame(256, b"abcd"), "a type of 65535": frame(65535, b"abcd"),
    "no pid": frame(0, b""), "a pid of one byte": frame(0, b"\0"), "a pid of three bytes": frame(0, b"\0\0\0"),
    "no call number": frame(4, b""), "half a call number": frame(4, b"\0"), "no term": frame(4, b"\0\x24"),
    "a type of 1024, the bytes of a call the wrong way round": struct.pack(">H", 6) + b"\4\0\0\x24\x83h",
    "the largest length": b"\xff\xff\xff\xff" + bytes(65533)}


def truncated():
    """The input ends after each byte of a frame."""
    for f in PROBE[:4]:
        for n in range(len(f)):
            p = Port()
            p.send(f[:n])
            is_(p.eof(), (0, []))


def fatal(data):
    def case():
        p = Port()
        child = p.fork()
        leaf = p.fork(child)
        try:
            p.send(data)
            p.send(call("getpid"))
        except BrokenPipeError:
            pass
        is_(p.status(), 0)
        is_([f for f in p.rest() if f[0] == 4], [])
        assert until(lambda: not alive(child) and not alive(leaf)), "the children stayed"
    return case


def fatal_signals():
    """Programs get their signal, as at the end of input."""
    p = Port()
    child = p.fork()
    p.send(call("execvp", "/bin/sleep", ["sleep", "60"], pipe=[child]))
    is_(p.get(), (6, (child,), "fdctl_closed"))
    p.send(frame(8, b"x"))
    p.status()
    assert isinstance(p.p.returncode, int) and p.p.returncode >= 0, p.p.returncode
    assert until(lambda: not alive(child))


def short():
    """Lengths of 0 and 1 are a message for the pid 0."""
    p = Port()
    for f in (b"\0\0", b"\0\1\0", b"\0\0\0\0", frame(0, b"\0\0\0\0x")):
        p.send(f)
        for _ in range(f.count(b"\0\0") if len(f) == 4 else 1):
            is_(p.get(), (6, (0,), "badpid"))
    is_(p.call("getpid"), p.pid)
    is_(p.eof(), (0, []))


def numbers():
    p = Port()
    for n in (100, 101, 255, 256, 1000, 65535):
        is_(p.call(n), "badarg")
    p.send(frame(4, b"\0\x24\0"))
    is_(p.get(), (4, (), "badarg"))
    is_(p.eof(), (0, []))


def nested_parts():
    """A request through two processes, with the length of each of its layers wrong by one."""
    for layer in range(3):
        for wrong in (-1, 1):
            p = Port()
            a = p.fork()
            b = p.fork(a)
            parts = bytearray(call("getpid", pipe=[a, b]))
            at = layer * 8
            parts[at:at + 2] = struct.pack(">H", struct.unpack(">H", parts[at:at + 2])[0] + wrong)
            tree = p.tree()
            p.send(bytes(parts))
            if layer > 0:
                is_(p.call("getpid"), p.pid)
                if layer > 1:
                    is_(p.call("getpid", pipe=[a]), a)
                status, frames = p.eof()
                is_(status, 0)
            else:
                p.send(call("getpid"))
                status, frames = p.eof()
                is_(status, 0)
            assert all(f[1][:1] in ((), (a,), (0,)) or f[0] == 6 for f in frames), frames
            assert until(lambda: not any(map(alive, tree))), "the children stayed"


def call_parts():
    """Each byte of some requests one more, one less, its highest bit turned, at the root and in a child."""
    for pipe in ((), ("child",)):
        p = None
        for probe in PROBE[:3]:
            for i in range(len(probe)):
                for change in (lambda x: x + 1 & 255, lambda x: x - 1 & 255, lambda x: x ^ 128):
                    data = bytearray(probe)
                    data[i] = change(data[i])
                    if i in (4, 5) and data[4] == 0 and data[5] < 100:
                        continue
                    if p is None:
                        p = Port()
                        child = p.fork()
                        is_(p.call("getpid", pipe=[child]), child)
                    if pipe:
                        p.send(wrap([child], bytes(data)))
                        if i >= 4:
                            is_(p.get()[:2], (4, (child,)))
                            is_(p.call("version", pipe=[child]), b"1.0.1")
                            continue
                        is_(p.call("getpid"), p.pid)
                    else:
                        p.send(bytes(data))
                        if i >= 4:
                            is_(p.get()[:2], (4, ()))
                            is_(p.call("version"), b"1.0.1")
                            continue
                    status, frames = p.eof()
                    is_(status, 0)
                    assert until(lambda: not alive(child))
                    p = None
        if p is not None:
            is_(p.eof()[0], 0)


def dead():
    p = Port()
    a = p.fork()
    b = p.fork(a)
    p.send(call("exit", 0, pipe=[a, b]))
    is_(p.get(), (6, (a, b), "fdctl_closed"))
    is_(p.get(), (5, (a, b), ("exit_status", 0)))
    for pipe, want in (([b], (b,)), ([b, a], (b,)), ([a, b], (a, b)), ([a, b, b], (a, b)), ([99999] * 7000, (99999,)), ([a] + [b] * 5000, (a, b)),
                       ([-1, a], (0xffffffff,)), ([-2 ** 31], (2 ** 31,)), ([0, a], (0,))):
        p.send(wrap(pipe, call("getpid")))
        is_(p.get(), (6, want, "badpid"))
    is_(p.call("getpid", pipe=[a]), a)
    p.send(call("exit", 0, pipe=[a]))
    is_(p.get(), (6, (a,), "fdctl_closed"))
    is_(p.get(), (5, (a,), ("exit_status", 0)))
    p.send(wrap([a, b], call("getpid")))
    is_(p.get(), (6, (a,), "badpid"))
    is_(p.eof(), (0, []))


def noise():
    """Random bytes, and random frames; the same each time."""
    r = random.Random(4)
    for n in range(120):
        p = Port()
        child = p.fork() if n % 3 == 0 else None
        data = b""
        for _ in range(r.randrange(1, 12)):
            kind = r.randrange(4)
            if kind == 0:
                data += r.choice(PROBE)
            elif kind == 1:
                data += frame(r.choice((0, 0, 0, 4)), r.randbytes(r.randrange(3)) + bytes([r.choice((45, 34, 0, 36))]) + r.randbytes(r.randrange(40)))
            elif kind == 2:
                data += frame(4, struct.pack(">H", r.choice((0, 34, 36, 45, 87, 97))) + b"\x83" + bytes([r.choice((97, 98, 104, 105, 106, 107, 108, 109, 110, 119))]) +
                              r.randbytes(r.randrange(30)))
            else:
                f = wrap([child or 5], r.choice(PROBE))
                data += f[:r.randrange(len(f) + 1)]
        for i in range(0, len(data), 3 if n % 2 else len(data)):
            try:
                p.send(data[i:i + 3] if n % 2 else data)
            except BrokenPipeError:
                break
        status, _ = p.eof()
        is_((n, status), (n, 0))
        assert child is None or until(lambda: not alive(child))


def output_of_a_child():
    """What a control child says that is no frame harms that child alone."""
    p = Port()
    other = p.fork()
    for junk in (b"\xff\xff", b"\xff\xfe" + bytes(100), b"\0", b"\0\0", b"\0\1x", b"\0\x64half a frame", b"\0\2\0\4" * 3):
        child = p.fork()
        p.send(call("write", 1, junk, pipe=[child]))
        for _ in range(3):
            p.send(call("getpid"))
            p.send(call("getpid", pipe=[other]))
        # It may end by itself, as nobody takes its output any more, and then cannot be killed.
        p.send(call("kill", child, 9) + call("iolist_to_bin", b"last"))
        want = {(4, (), p.pid), (4, (other,), other), (4, (), b"last"), (5, (child,))}
        while want:
            f = _lenient(p) or ()
            want -= {f, f[:2]}
            assert p.p.poll() is None
    is_(p.call("getpid", pipe=[other]), other)


def too_long_frame():
    """A frame of a child that would not fit into the one around it ends its output."""
    # Fails if the length is not looked at.
    p = Port()
    for length in (65528, 65534, 65535):
        child = p.fork()
        p.send(call("write", 1, struct.pack(">H", length), pipe=[child]))
        # Nobody takes its answers any more, so it may have ended already.
        assert until(lambda: [r[6] for r in p.call("cpid") if r[1] == child] in ([-1], [])), length


def _lenient(p):
    """A frame; what is within a proxy may be anything."""
    try:
        return p.get()
    except (AssertionError, ValueError, IndexError, struct.error):
        return None


def split():
    """A byte at a time, and many frames at once."""
    p = Port()
    child = p.fork()
    for f in (call("getpid"), call("getpid", pipe=[child]), call("iolist_to_bin", bytes(300))):
        for b in f:
            p.send(bytes([b]))
        got = p.get()
        assert got[0] == 4, got
    p.send(b"".join(call("iolist_to_bin", b"%d" % i) for i in range(2000)))
    for i in range(2000):
        is_(p.get(), (4, (), b"%d" % i))
    p.send(wrap([child], call("getpid") * 50 + call("iolist_to_bin", b"last")))
    for _ in range(50):
        is_(p.get(), (4, (child,), child))
    is_(p.get(), (4, (child,), b"last"))
    is_(p.eof(), (0, []))


def flood_of_announcements():
    """A program that was given the ctl channel never stops announcing. Others are served."""
    # Fails if the channel is read until it is empty: with a tracer the port is too slow for that.
    p = Port()
    other, child = p.fork(), p.fork()
    is_(p.call("fcntl", 5, 2, 0, pipe=[child]), ("ok", 0))
    program = "import os,struct\nm=struct.pack('=IIQ',0xca22e1f5,2,1)*4096\nwhile 1: os.write(5,m)"
    tracer = traced(p.pid)
    p.send(call("execvp", sys.executable, ["python3", "-c", program], pipe=[child]))
    assert until(lambda: syscall(child).startswith("1 0x5 ")), "no flood"
    for _ in range(20):
        is_(p.call("getpid", pipe=[other]), other)
    p.send(call("kill", child, 9))
    while p.get()[:2] != (5, (child,)):
        pass
    if tracer:
        untrace(tracer)


def syscall(pid):
    """What the process waits in."""
    try:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as f:
            return f.read()
    except OSError:
        return ""


def halves():
    """Frames of a child that come in pieces: its pipe had room for one and a half."""
    # Fails if a frame that is not there whole closes the stream.
    p = Port()
    child = p.fork()
    fd = p.call(56, "/dev/zero", [], 0, pipe=[child])[1]
    p.send(call("select", [], [], [], (Atom("alcove_timeval"), 0, 300000), pipe=[child]) + call(64, fd, 60000, pipe=[child]) * 6)
    p.call("getpid")
    os.kill(p.pid, signal.SIGSTOP)
    time.sleep(0.6)
    os.kill(p.pid, signal.SIGCONT)
    got = [f for f in (p.get() for _ in range(8)) if f[0] == 4]
    is_(got, [(4, (child,), ("ok", [], [], []))] + [(4, (child,), ("ok", bytes(60000)))] * 6)


def deep_terms():
    p = Port()
    for n in (1, 17, 300, 10000):
        t = b"\x83h\1" + b"l\0\0\0\1" * n + b"m\0\0\0\1x" + b"j" * n
        p.send(frame(4, struct.pack(">H", 45) + t))
        is_(p.get(), (4, (), b"x" if n < 17 else "badarg"))
        t = b"\x83" + b"h\1" * n + b"a\1"
        p.send(frame(4, struct.pack(">H", 45) + t))
        is_(p.get(), (4, (), "badarg"))
    p.send(frame(4, struct.pack(">H", 45) + b"\x83h\1" + term(bytes(65000))))
    is_(p.get(), (4, (), bytes(65000)))
    is_(p.eof(), (0, []))


run([("hostile: input that ends within a frame", truncated)] +
    [(f"hostile: {what} ends the port with 0", fatal(data)) for what, data in FATAL.items()] +
    [("hostile: such an end signals the programs", fatal_signals),
     ("hostile: frames without a type", short),
     ("hostile: numbers of no call", numbers),
     ("hostile: nested lengths wrong by one", nested_parts),
     ("hostile: every byte of a request wrong", call_parts),
     ("hostile: pipelines of the dead", dead),
     ("hostile: noise", noise),
     ("hostile: output of a child that is no frame", output_of_a_child),
     ("hostile: a frame of a child that is too long", too_long_frame),
     ("hostile: frames split and joined", split),
     ("hostile: frames of a child in pieces", halves),
     ("hostile: a child that never stops announcing", flood_of_announcements),
     ("hostile: terms of great depth", deep_terms)])
