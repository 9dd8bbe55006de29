#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The command line, the limits at the start, exit statuses, and a reader of the output that takes its time."""
import fcntl
import os
import resource
import signal
import stat
import subprocess
import time

from rawport import PORT, TMP, Atom, Port, alive, call, is_, run, until, wrap

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


def no_stdin():
    """Without an input worth the name it ends at once, as at its end."""
    r = ended("-c", TMP + "/null")
    is_((r[0], r[1]), (0, b"\0\7\0\4\x83w\2ok"))


run([("start: usage", usage), ("start: statuses", statuses), ("start: arguments", arguments), ("start: slots by the limit of descriptors", slots),
     ("start: a stack without limit gets one", stack), ("start: the fifo", fifo), ("start: the port leaves the fifo alone", fifo_stays),
     ("start: first frames are single writes", frames_at_once), ("start: -d without its descriptors", reexec), ("start: an empty input", no_stdin),
     ("end: the exit call", exits), ("end: a reader that is gone", gone_reader), ("end: its input closed by a call", closed_input),
     ("end: with output that nobody reads", no_reader), ("output: a slow reader gets all of it, whole", slow_reader)])
