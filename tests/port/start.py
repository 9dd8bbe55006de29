#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The command line, the limits at the start, exit statuses, and a reader of the output that takes its time."""
import fcntl
import os
import re
import resource
import select
import signal
import stat
import struct
import subprocess
import tempfile
import termios
import time

from rawport import PORT, TMP, Atom, Port, alive, call, is_, run, traced, until, untrace, wrap

NOFILE = resource.RLIMIT_NOFILE


def limited(soft):
    return lambda: resource.setrlimit(NOFILE, (soft, resource.getrlimit(NOFILE)[1]))


def ended(*args, **popen):
    """(status, standard output, standard error) of a start that fails."""
    p = subprocess.run([PORT] + list(args), stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False, **popen)
    return p.returncode, p.stdout, p.stderr


def usage():
    for args in (["-h"], ["-x"], ["-c"], ["-h", "-c", TMP + "/never"]):
        status, out, err = ended(*args)
        is_((args, status, out), (args, 95, b""))
        assert err, "no usage"
    assert "never" not in os.listdir(TMP)
    assert b"carrel-port" in ended("-h")[2]


def statuses():
    soft = resource.getrlimit(NOFILE)[0]
    too_many = str((soft - 6) // 6 + 1) if soft < 65535 * 6 else "65535"
    fifo = TMP + "/there"
    os.mkfifo(fifo)
    for args, want in ((["-c", fifo], 17), (["-c", TMP + "/no/where"], 2), ([], 22), (["-d", "256"], 11), (["-d", "-1"], 11), (["-d", "65535"], 11),
                       (["-c", TMP + "/new", "-m", too_many], 11), (["-c", TMP + "/new", "-m", "-1"], 11), (["-c", TMP + "/new", "-d", "256"], 11)):
        is_((args, ended(*args)[:2]), (args, (want, b"")))
    assert not os.path.exists(TMP + "/new")
    is_(ended("-c", TMP + "/new", "-m", "9", preexec_fn=limited(59))[0], 11)
    assert not os.path.exists(TMP + "/new")


def arguments():
    for args, option, want in ((["-m", "7"], "maxchild", 7), (["-m", "0"], "maxchild", 0), (["-m", "abc"], "maxchild", 0), (["-m", "65536"], "maxchild", 0),
                               (["-m", "65539"], "maxchild", 3), (["-m", "5", "word", "word"], "maxchild", 5)):
        p = Port(*args)
        is_((args, p.call("getopt", Atom(option))), (args, want))
        is_(p.eof(), (0, []))


def slots():
    for soft, want in ((100, 15), (54, 8), (53, 7), (12, 1), (11, 0), (1000, 64)):
        p = Port(preexec_fn=limited(soft))
        is_((soft, p.call("getopt", Atom("maxchild"))), (soft, want))
        is_(p.eof(), (0, []))


def stack():
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    if hard != resource.RLIM_INFINITY:
        return
    p = Port(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (hard, hard)))
    is_(p.call("getrlimit", Atom("rlimit_stack")), ("ok", ("alcove_rlimit", 8 << 20, (1 << 64) - 1)))


def fifo():
    p = Port()
    st = os.lstat(p.fifo)
    is_((stat.S_ISFIFO(st.st_mode), stat.S_IMODE(st.st_mode) & 0o444), (True, 0o444))
    is_(os.readlink(f"/proc/{p.pid}/fd/5"), p.fifo)
    fd = os.open(p.fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.read(fd, 1)
        raise AssertionError("the fifo has an end")
    except BlockingIOError:
        pass
    is_(p.call("unlink", p.fifo), "ok")
    is_(p.eof(), (0, []))
    is_(os.read(fd, 1), b"")
    os.close(fd)


def fifo_stays():
    p = Port()
    is_(p.eof(), (0, []))
    assert os.path.exists(p.fifo)


def exits():
    for n, want in ((0, 0), (7, 7), (300, 44), (-1, 255)):
        p = Port()
        p.send(call("exit", n))
        is_(p.status(), want)
        is_(p.rest(), [])


def gone_reader():
    p = Port()
    p.p.stdout.close()
    p.send(call("getpid"))
    is_(p.status(), 32)
    r, w = os.pipe()
    os.close(r)
    is_(subprocess.run([PORT, "-c", TMP + "/gone"], stdin=subprocess.DEVNULL, stdout=w, timeout=10, check=False).returncode, 5)
    os.close(w)
    p = Port()
    p.p.stdout.close()
    p.send(wrap([99], b"x"))
    is_(p.status(), 32)
    p = Port()
    p.p.stdout.close()
    os.kill(p.pid, signal.SIGUSR1)
    is_(p.status(), 32)


def closed_input():
    p = Port()
    is_(p.call("close", 0), "ok")
    is_(p.status(), 9)


def reexec():
    is_(ended("-d", "3")[0], 9)
    p = Port("-d", "3", hello=False, fifo=False, close_fds=True)
    is_(p.get(), (4, (), "ok"))
    is_(p.status(), 9)


def frames_at_once():
    """The first frame is one write: it is there whole when the pipe has anything."""
    for _ in range(10):
        p = Port(hello=False)
        p.more(size=65536)
        is_(p.buf, b"\0\7\0\4\x83w\2ok")
        is_(p.get(), (4, (), "ok"))
        p.send(call("unlink", p.fifo))
        p.more(size=65536)
        is_(p.buf, b"\0\7\0\4\x83w\2ok")
        p.get()
        is_(p.eof(), (0, []))


def slow_reader():
    """Replies, and output of children, more than the pipe takes: all of it arrives whole, however it is read."""
    p = Port()
    fcntl.fcntl(p.p.stdout.fileno(), 1031, 4096)
    kids = [p.fork() for _ in range(3)]
    for k in kids[:2]:
        p.send(call("execvp", "/bin/sh", ["sh", "-c", "seq -f '%06.0f' 1 20000"], pipe=[k]))
    bodies = [bytes([65 + i % 26]) * (1 + 997 * i % 30000) for i in range(12)]
    request = b"".join(call("iolist_to_bin", b) + call("iolist_to_bin", b, pipe=[kids[2]]) for b in bodies)
    feeder = os.fork()
    if feeder == 0:
        try:
            p.send(request)
            os._exit(0)
        finally:
            os._exit(1)
    time.sleep(0.2)
    want = b"".join(b"%06d\n" % i for i in range(1, 20001))
    streams = {k: b"" for k in kids[:2]}
    own, childs, ends, size = [], [], [], 1
    while len(own) < 12 or len(childs) < 12 or len(ends) < 2:
        f = p.get(size=size)
        size = size * 3 % 4093 + 1
        if f[0] == 1:
            streams[f[1][0]] += f[2]
        elif f[0] == 4:
            (own if f[1] == () else childs).append(f[2])
        elif f[0] == 5:
            ends.append(f)
    is_(os.waitpid(feeder, 0)[1], 0)
    is_((own == bodies, childs == bodies), (True, True))
    is_([streams[k] == want for k in kids[:2]], [True, True])
    is_(sorted(ends), sorted((5, (k,), ("exit_status", 0)) for k in kids[:2]))
    is_(p.call("getpid"), p.pid)
    is_(p.eof()[0], 0)


def first_events():
    """An event waits for the first answer, and not a moment longer; a driver never sees the second that it may take."""
    # Fails if events do not wait, or the wait does not end with the first answer.
    p = Port()
    os.kill(p.pid, signal.SIGUSR1)
    assert not select.select([p.p.stdout], [], [], 0.1)[0], "an event before the first answer"
    begin = time.monotonic()
    p.send(call("unlink", p.fifo))
    is_(p.get(), (4, (), "ok"))
    is_(p.get()[0:2], (5, ()))
    os.kill(p.pid, signal.SIGUSR2)
    is_(p.get()[0:2], (5, ()))
    assert time.monotonic() - begin < 0.5, "the wait goes on"


def no_reader():
    """Output that nobody reads: at the end of input the port ends all the same once its reader is gone."""
    p = Port()
    kid = p.fork()
    p.send(call("execvp", "/bin/sh", ["sh", "-c", "exec yes"], pipe=[kid]))
    time.sleep(0.2)
    p.p.stdin.close()
    p.p.stdout.close()
    assert isinstance(p.status(), int)
    assert until(lambda: not alive(kid))


def stalled():
    """A parent that does not read: requests are carried out, signals are not lost, and in the end all answers come."""
    # Fails if writes to descriptor 1 block.
    p = Port()
    flood = p.fork()
    idle = p.fork()
    victim = p.fork()
    p.send(call("execvp", "/bin/sh", ["sh", "-c", "exec yes"], pipe=[flood]) + call("execvp", "/bin/sleep", ["sleep", "60"], pipe=[victim]))
    assert until(lambda: waits_for_room(flood))
    time.sleep(0.2)
    # Own answers beyond the pipe, then calls that are seen in what they do, at both depths.
    p.send(call("iolist_to_bin", bytes(60000)) * 5)
    p.send(call("kill", victim, 9))
    assert until(lambda: not alive(victim)), "the kill was not carried out"
    p.send(call("setpgid", 0, 0, pipe=[idle]))
    assert until(lambda: os.getpgid(idle) == idle), "the request was not passed on"
    os.kill(p.pid, signal.SIGUSR1)
    time.sleep(0.1)
    begin = runnable(p.pid)
    time.sleep(0.3)
    assert runnable(p.pid) - begin < 0.1, "it runs while it waits"
    p.send(call("kill", flood, 9))
    assert until(lambda: not alive(flood))
    own, ends, signals = [], [], 0
    while len(own) < 7 or len(ends) < 2 or signals < 1:
        f = p.get()
        if f[0] == 4 and f[1] == ():
            own.append(f[2])
        elif f[0] == 5 and f[1] == ():
            signals += 1
        elif f[0] == 5:
            ends.append(f)
        elif f[0] == 1:
            is_((f[1], f[2].strip(b"y\n")), ((flood,), b""))
    is_(own, [bytes(60000)] * 5 + ["ok", "ok"])
    is_(sorted(ends), sorted((5, (k,), ("termsig", "sigkill")) for k in (flood, victim)))
    is_(p.call("getpid"), p.pid)
    is_(p.eof()[0], 0)


def stalled_without_end():
    """Requests beyond all that can wait are left in the pipe; no answer is lost or torn."""
    # Fails if answers that find no room are dropped, or the memory for them is written past.
    p = Port()
    body = bytes(range(256)) * 250
    n, sent, data = 40, 0, b""
    os.set_blocking(p.p.stdin.fileno(), False)
    end = time.monotonic() + 1
    while time.monotonic() < end and (n > 0 or data):
        if not data:
            data = call("iolist_to_bin", bytes([n]) + body)
            n -= 1
        try:
            data = data[os.write(p.p.stdin.fileno(), data):]
        except BlockingIOError:
            time.sleep(0.01)
    assert 10 < n < 30, n
    feeder = os.fork()
    if feeder == 0:
        p.send(data + b"".join(call("iolist_to_bin", bytes([i]) + body) for i in range(n, 0, -1)))
        os._exit(0)
    for i in range(40, 0, -1):
        assert p.get(size=7001) == (4, (), bytes([i]) + body)
    is_(os.waitpid(feeder, 0)[1], 0)
    is_(p.eof(), (0, []))


def answers_before_the_end():
    """The input ends while answers wait for their reader: all of them come."""
    # Fails if the process leaves without looking at what waits.
    p = Port()
    p.send(call("iolist_to_bin", bytes(60000)) * 5)
    assert until(lambda: unread(p.p.stdin) == 0), "requests are left"
    p.p.stdin.close()
    time.sleep(0.1)
    is_(p.rest(), [(4, (), bytes(60000))] * 5)
    is_(p.status(), 0)


def no_room_no_call():
    """A request is not carried out as long as the longest answer would find no room, and is then."""
    # Fails if requests are taken without a look at the room.
    p = Port()
    fcntl.fcntl(p.p.stdout.fileno(), 1031, 65536)
    name = tempfile.mktemp(prefix="dir.", dir=TMP)
    p.send(call("iolist_to_bin", bytes(60000)) * 18)
    assert until(lambda: unread(p.p.stdin) == 0), "requests are left"
    p.send(call(52, name, 0o700))
    time.sleep(0.2)
    assert not os.path.exists(name), "it was carried out"
    for _ in range(18):
        is_(p.get(), (4, (), bytes(60000)))
    is_(p.get(), (4, (), "ok"))
    assert os.path.isdir(name)
    is_(p.eof(), (0, []))


def unread(pipe):
    """Bytes in a pipe."""
    return struct.unpack("i", fcntl.ioctl(pipe.fileno(), termios.FIONREAD, bytes(4)))[0]


def exec_between_looks():
    """A program writes between the port's look at how much there is and what it does about it."""
    # Fails if it looks at the ctl channel first: the tracer gives the program the time between the two.
    for delayed in ("ioctl", "recvfrom"):
        p = Port()
        kid = p.fork()
        is_(p.call("getpid", pipe=[kid]), kid)
        tracer = traced(p.pid, "-e", "trace=ioctl,recvfrom", "-e", f"inject={delayed}:delay_enter=300000")
        if tracer is None:
            continue
        nap = call("select", [], [], [], (Atom("alcove_timeval"), 0, 150000))
        p.send(wrap([kid], nap) + wrap([kid], nap) + wrap([kid], call("execvp", "/bin/printf", ["printf", "\\0\\012\\0\\004123456"])))
        want = [(4, (kid,), ("ok", [], [], []))] * 2 + [(6, (kid,), "fdctl_closed"), (1, (kid,), b"\0\n\0\x04123456"), (5, (kid,), ("exit_status", 0))]
        is_([p.get() for _ in want], want)
        untrace(tracer)


def answers_before_waiting():
    """An answer is with its reader before a call that takes long begins; and before an exec, whose output is raw."""
    # Fails if what waits is not written before such a call.
    for last in (call("select", [], [], [], (Atom("alcove_timeval"), 3, 0)), call("execvp", "/bin/sleep", ["sleep", "3"]), call("kill", 0, 19)):
        p = Port(preexec_fn=os.setpgrp)
        p.send(call("iolist_to_bin", bytes(60000)) * 4 + last)
        begin = time.monotonic()
        time.sleep(0.2)
        for _ in range(4):
            is_(p.get(), (4, (), bytes(60000)))
        assert time.monotonic() - begin < 2
        os.kill(p.pid, signal.SIGKILL)
        is_(p.status(), -9)


def blocking_for_programs():
    """Programs get a descriptor 1 that blocks, and an exec that fails leaves one that does not."""
    # Fails if O_NONBLOCK stays when a program is executed.
    p = Port()
    kid = p.fork()
    is_(p.call("fcntl", 1, 3, 0, pipe=[kid])[1] & os.O_NONBLOCK, os.O_NONBLOCK)
    is_(p.call("execvp", "/no/where", ["x"], pipe=[kid]), ("error", "enoent"))
    is_(p.call("fcntl", 1, 3, 0, pipe=[kid])[1] & os.O_NONBLOCK, os.O_NONBLOCK)
    p.send(call("execvp", "/bin/sleep", ["sleep", "60"], pipe=[kid]))
    is_(p.get(), (6, (kid,), "fdctl_closed"))
    with open(f"/proc/{kid}/fdinfo/1", encoding="ascii") as f:
        flags = int(re.search(r"flags:\s*(\d+)", f.read())[1], 8)
    is_(flags & os.O_NONBLOCK, 0)


def quiet_program():
    """Behind answers that wait comes a program that says nothing: nobody waits for what it says."""
    # Fails if an event that is out of date is believed.
    p = Port()
    kid = p.fork()
    other = p.fork()
    p.send(call("iolist_to_bin", b"first", pipe=[kid]))
    is_(p.get(), (4, (kid,), b"first"))
    os.kill(p.pid, signal.SIGSTOP)
    for f in (call("iolist_to_bin", b"last"), call("execvp", "/bin/sleep", ["sleep", "60"])):
        p.send(wrap([kid], f))
    os.kill(kid, signal.SIGSTOP)
    os.kill(p.pid, signal.SIGCONT)
    time.sleep(0.1)
    os.kill(p.pid, signal.SIGSTOP)
    os.kill(kid, signal.SIGCONT)
    assert until(lambda: comm(kid) == "sleep")
    os.kill(p.pid, signal.SIGCONT)
    p.send(call("getpid") + call("getpid", pipe=[other]))
    got = []
    while len(got) < 4:
        f = p.get()
        got += [f] if f[0] != 5 else []
    is_([f for f in got if f[1] != (kid,)], [(4, (), p.pid), (4, (other,), other)])
    is_([f for f in got if f[1] == (kid,)], [(4, (kid,), b"last"), (6, (kid,), "fdctl_closed")])


def comm(pid):
    with open(f"/proc/{pid}/comm", encoding="ascii") as f:
        return f.read().strip()


def runnable(pid):
    """Seconds in which it ran or waited for a processor."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
        words = f.read().split()
    return (int(words[0]) + int(words[1])) / 1e9


def waits_for_room(pid):
    """It is in write(2)."""
    try:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as f:
            return f.read().startswith("1 0x1 ")
    except OSError:
        return False


def no_stdin():
    """Without an input worth the name it ends at once, as at its end."""
    r = ended("-c", TMP + "/null")
    is_((r[0], r[1]), (0, b"\0\7\0\4\x83w\2ok"))


run([("start: usage", usage), ("start: statuses", statuses), ("start: arguments", arguments), ("start: slots by the limit of descriptors", slots),
     ("start: a stack without limit gets one", stack), ("start: the fifo", fifo), ("start: the port leaves the fifo alone", fifo_stays),
     ("start: first frames are single writes", frames_at_once), ("start: -d without its descriptors", reexec), ("start: an empty input", no_stdin),
     ("start: events wait for the first answer", first_events),
     ("end: the exit call", exits), ("end: a reader that is gone", gone_reader), ("end: its input closed by a call", closed_input),
     ("end: with output that nobody reads", no_reader), ("output: a slow reader gets all of it, whole", slow_reader),
     ("output: requests pass a reader that does not read", stalled),
     ("output: requests whose answers nobody takes wait", stalled_without_end),
     ("end: answers that wait come before it", answers_before_the_end),
     ("output: no room, no call", no_room_no_call),
     ("output: a program that writes between two looks", exec_between_looks),
     ("output: answers come before calls that take long", answers_before_waiting),
     ("output: programs get it as they expect it", blocking_for_programs),
     ("input: a quiet program behind answers that wait", quiet_program)])
