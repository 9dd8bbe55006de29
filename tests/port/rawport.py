# SPDX-License-Identifier: ISC
"""The port program at the end of two pipes: for what a driver in the VM cannot do, as it would never write it or never
wait so long with reading. The terms are encoded here only as far as these tests need them."""
import atexit
import os
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback

PORT = os.environ["CARREL_PORT"]
TMP = tempfile.mkdtemp(prefix="carrel-rawport.")
MAIN = os.getpid()
atexit.register(lambda: os.getpid() == MAIN and shutil.rmtree(TMP, ignore_errors=True))
CALLS = {"alloc": 0, "close": 15, "cpid": 17, "execvp": 21, "exit": 22, "fcntl": 23, "fork": 28, "getenv": 30, "getopt": 34, "getpid": 36,
         "getrlimit": 40, "iolist_to_bin": 45, "kill": 49, "select": 70, "setcpid": 71, "setopt": 77, "setpgid": 78, "sigaction": 86,
         "signal_constant": 87, "unlink": 93, "version": 97, "write": 99}


class Atom(str):
    pass


def term(t):
    if isinstance(t, Atom):
        return bytes([119, len(t)]) + t.encode()
    if isinstance(t, bytes):
        return struct.pack(">BI", 109, len(t)) + t
    if isinstance(t, str):
        return term(t.encode())
    if isinstance(t, int):
        return bytes([97, t]) if 0 <= t < 256 else struct.pack(">Bi", 98, t)
    if isinstance(t, tuple):
        return bytes([104, len(t)]) + b"".join(map(term, t))
    return struct.pack(">BI", 108, len(t)) + b"".join(map(term, t)) + b"j" if t else b"j"


def value(b, i=0):
    """The term at i, and where it ends."""
    tag = b[i]
    if tag == 97:
        return b[i + 1], i + 2
    if tag == 98:
        return struct.unpack(">i", b[i + 1:i + 5])[0], i + 5
    if tag == 110:
        n = int.from_bytes(b[i + 3:i + 3 + b[i + 1]], "little")
        return -n if b[i + 2] else n, i + 3 + b[i + 1]
    if tag == 119:
        return Atom(b[i + 2:i + 2 + b[i + 1]].decode()), i + 2 + b[i + 1]
    if tag == 109:
        n = struct.unpack(">I", b[i + 1:i + 5])[0]
        assert len(b) >= i + 5 + n
        return b[i + 5:i + 5 + n], i + 5 + n
    if tag in (104, 108):
        n = b[i + 1] if tag == 104 else struct.unpack(">I", b[i + 1:i + 5])[0]
        i += 2 if tag == 104 else 5
        out = []
        for _ in range(n):
            v, i = value(b, i)
            out.append(v)
        if tag == 104:
            return tuple(out), i
        rest, i = value(b, i)
        return out + rest, i
    if tag == 106:
        return [], i + 1
    raise ValueError(f"tag {tag}")


def frame(kind, body):
    return struct.pack(">HH", 2 + len(body), kind) + body


def call(name, *args, pipe=()):
    number = CALLS[name] if isinstance(name, str) else name
    f = frame(4, struct.pack(">H", number) + b"\x83" + term(tuple(args)))
    return wrap(pipe, f)


def wrap(pipe, data):
    for pid in reversed(pipe):
        data = frame(0, struct.pack(">I", pid & 0xffffffff) + data)
    return data


def parse(body, pipe=()):
    """(kind, pipeline, what) of the body of a frame; nothing may be missing or left over."""
    kind = struct.unpack(">H", body[:2])[0]
    if kind in (1, 2):
        return kind, pipe + (struct.unpack(">I", body[2:6])[0],), body[6:]
    if kind == 3:
        pid, size = struct.unpack(">IH", body[2:8])
        assert size == len(body) - 8, "length in a proxy"
        return parse(body[8:], pipe + (pid,))
    assert kind in (4, 5, 6, 7) and body[2] == 131, body
    v, end = value(body, 3)
    assert end == len(body), "more behind a term"
    return kind, pipe, v


class Port:
    def __init__(self, *args, fifo=True, hello=True, **popen):
        self.fifo = tempfile.mktemp(prefix="fifo.", dir=TMP)
        words = [PORT] + (["-c", self.fifo] if fifo else []) + list(args)
        self.p = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, **popen)
        self.buf = b""
        self.pid = self.p.pid
        live.append(self)
        if hello:
            assert self.get() == (4, (), "ok")

    def send(self, data):
        end = time.monotonic() + 10
        fd = self.p.stdin.fileno()
        os.set_blocking(fd, False)
        while data:
            assert time.monotonic() < end, "the port does not read"
            select.select([], [fd], [], 1)
            try:
                data = data[os.write(fd, data):]
            except BlockingIOError:
                pass

    def more(self, timeout=5, size=65536):
        if not select.select([self.p.stdout], [], [], timeout)[0]:
            raise TimeoutError
        b = os.read(self.p.stdout.fileno(), size)
        self.buf += b
        return len(b)

    def get(self, timeout=5, size=65536):
        """The next frame; None at the end."""
        while len(self.buf) < 2 or len(self.buf) < 2 + int.from_bytes(self.buf[:2], "big"):
            if self.more(timeout, size) == 0:
                assert self.buf == b"", f"half a frame: {self.buf[:40]}"
                return None
        n = 2 + int.from_bytes(self.buf[:2], "big")
        body, self.buf = self.buf[2:n], self.buf[n:]
        return parse(body)

    def call(self, name, *args, pipe=()):
        """The reply; what else comes for this or another pipeline is dropped."""
        self.send(call(name, *args, pipe=pipe))
        while True:
            got = self.get()
            if got is None or got[0] == 4 and got[1] == tuple(pipe) or got[0] == 6 and got[1] == tuple(pipe) and got[2] == "badpid":
                return got and got[2]

    def fork(self, *pipe):
        ok, pid = self.call("fork", pipe=pipe)
        assert ok == "ok", (ok, pid)
        return pid

    def rest(self):
        out = []
        while (f := self.get()) is not None:
            out.append(f)
        return out

    def status(self, timeout=5):
        try:
            return self.p.wait(timeout)
        except subprocess.TimeoutExpired:
            return "still there"

    def eof(self):
        """Ends the input; the status, and what it still said."""
        self.p.stdin.close()
        return self.status(), self.rest()

    def tree(self, pid=None):
        out = []
        try:
            with open(f"/proc/{pid or self.pid}/task/{pid or self.pid}/children", encoding="ascii") as f:
                for c in f.read().split():
                    out += [int(c)] + self.tree(int(c))
        except OSError:
            pass
        return out

    def kill(self):
        left = self.tree()
        if self.p.stdin and not self.p.stdin.closed:
            self.p.stdin.close()
        if self.p.stdout:
            self.p.stdout.close()
        try:
            self.p.wait(2)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        for pid in left:
            if not until(lambda: not alive(pid), 1):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass


live = []


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def traced(pid, *options):
    """A tracer of the process, which slows it down at least; None where there is none."""
    try:
        p = subprocess.Popen(["strace", "-f", "-o", "/dev/null", *options, "-p", str(pid)], stderr=subprocess.PIPE)
    except FileNotFoundError:
        return None
    line = p.stderr.readline()
    assert b"attached" in line, line
    return p


def untrace(tracer):
    tracer.terminate()
    tracer.wait()
    tracer.stderr.close()


def until(what, seconds=5):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def run(cases):
    failed = 0
    only = os.environ.get("CASE", "")
    cases = [c for c in cases if only in c[0]]
    for n, (name, what) in enumerate(cases, 1):
        begin = time.monotonic()
        try:
            signal.alarm(60)
            what()
            print(f"ok {n} - {name}", flush=True)
        except (Exception, KeyboardInterrupt):
            failed += 1
            print(f"not ok {n} - {name}", flush=True)
            for line in traceback.format_exc().splitlines()[-12:]:
                print("#   " + line[:300])
        finally:
            signal.alarm(0)
            while live:
                live.pop().kill()
        if "SLOW" in os.environ and time.monotonic() - begin > int(os.environ["SLOW"]) / 1000:
            print(f"# {(time.monotonic() - begin) * 1000:.0f} ms: {name}")
    print(f"1..{len(cases)}")
    sys.exit(1 if failed else 0)


def is_(got, want):
    assert got == want, f"got {str(got)[:200]}, wanted {str(want)[:200]}"


def give_up(*_):
    raise TimeoutError("the case takes too long")


signal.signal(signal.SIGALRM, give_up)
