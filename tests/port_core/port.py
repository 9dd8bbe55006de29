# SPDX-License-Identifier: ISC
"""A small driver for carrel-port: terms, frames, and a port as a process."""
import os
import select
import signal
import struct
import subprocess
import tempfile
import time


class Atom(str):
    pass


def enc(t):
    """The external form of a term, without the version byte."""
    if isinstance(t, Atom):
        return struct.pack('>BH', 100, len(t)) + t.encode()
    if isinstance(t, int):
        if 0 <= t <= 255:
            return struct.pack('>BB', 97, t)
        if -2**31 <= t < 2**31:
            return struct.pack('>Bi', 98, t)
        n = (abs(t).bit_length() + 7) // 8
        return struct.pack('>BBB', 110, n, t < 0) + abs(t).to_bytes(n, 'little')
    if isinstance(t, (bytes, str)):
        t = t.encode() if isinstance(t, str) else t
        return struct.pack('>BI', 109, len(t)) + t
    if isinstance(t, tuple):
        return struct.pack('>BB', 104, len(t)) + b''.join(map(enc, t))
    return b'j' if not t else struct.pack('>BI', 108, len(t)) + b''.join(map(enc, t)) + b'j'


def dec(b, at=0):
    """(Term, Next) of the bytes at ${at}."""
    tag = b[at]
    if tag == 97:
        return b[at + 1], at + 2
    if tag == 98:
        return struct.unpack_from('>i', b, at + 1)[0], at + 5
    if tag == 110:
        n, sign = b[at + 1], b[at + 2]
        v = int.from_bytes(b[at + 3:at + 3 + n], 'little')
        return -v if sign else v, at + 3 + n
    if tag == 119:
        return Atom(b[at + 2:at + 2 + b[at + 1]].decode()), at + 2 + b[at + 1]
    if tag == 109:
        n = struct.unpack_from('>I', b, at + 1)[0]
        return b[at + 5:at + 5 + n], at + 5 + n
    if tag == 106:
        return [], at + 1
    if tag == 104:
        n, at, items = b[at + 1], at + 2, []
        for _ in range(n):
            item, at = dec(b, at)
            items.append(item)
        return tuple(items), at
    if tag == 108:
        n, at, items = struct.unpack_from('>I', b, at + 1)[0], at + 5, []
        for _ in range(n):
            item, at = dec(b, at)
            items.append(item)
        tail, at = dec(b, at)
        return items + tail, at
    raise ValueError(f'tag {tag}')


def term(b):
    """The term of a whole message."""
    import zlib
    assert b[0] == 131, b.hex()
    if b[1] == 80:
        size = struct.unpack_from('>I', b, 2)[0]
        b = b[:1] + zlib.decompress(b[6:])
        assert len(b) == 1 + size
    t, at = dec(b, 1)
    assert at == len(b), (t, b.hex())
    return t


def frame(body):
    return struct.pack('>H', len(body)) + body


CALLS = dict(clone=13, close=15, cpid=17, execve=20, execvp=21, exit=22, fcntl=23, fexecve=25,
             filter=27, fork=28, getopt=34, getpid=36, kill=49, open=56, read=64, setcpid=71,
             setopt=77, setproctitle=80, setrlimit=83, sigaction=86, unlink=93, version=97,
             waitpid=98, write=99)
TYPES = ['stdin', 'stdout', 'stderr', 'proxy', 'call', 'event', 'ctl', 'pipe']


def message(body):
    """(Pipeline, Type, Payload) of a frame's body."""
    path = []
    while True:
        kind = TYPES[struct.unpack_from('>H', body)[0]]
        if kind in ('stdout', 'stderr', 'proxy'):
            path.append(struct.unpack_from('>I', body, 2)[0])
            rest = body[6:]
            if kind != 'proxy':
                return path, kind, rest
            assert struct.unpack_from('>H', rest)[0] == len(rest) - 2, body.hex()
            body = rest[2:]
        else:
            return path, kind, term(body[2:])


class Port:
    def __init__(self, *args, start=True, command=None, before=None):
        self.dir = tempfile.mkdtemp()
        self.fifo = self.dir + '/fifo'
        self.data = b''
        self.seen = []
        argv = [command or os.environ['CARREL_PORT'], '-c', self.fifo, *args]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        bufsize=0, preexec_fn=before)
        if start:
            assert os.read(self.process.stdout.fileno(), 65536).hex() == '00070004837702' + b'ok'.hex()
            self.fifo_fd = os.open(self.fifo, os.O_RDONLY | os.O_NONBLOCK)
            assert self.call('unlink', self.fifo) == 'ok'

    def send(self, data):
        while data:
            data = data[os.write(self.process.stdin.fileno(), data):]

    def stdin(self, path, data):
        """Send raw bytes to the stdin of the last process of ${path}."""
        for pid in reversed(path):
            data = frame(struct.pack('>HI', 0, pid & 0xffffffff) + data)
        self.send(data)

    def cast(self, name, *args, path=()):
        number = CALLS[name] if isinstance(name, str) else name
        data = frame(struct.pack('>HH', 4, number) + b'\x83' + enc(tuple(args)))
        if path:
            self.stdin(path, data)
        else:
            self.send(data)

    def next(self, seconds=5.0):
        """The next message, or None."""
        deadline = time.monotonic() + seconds
        while len(self.data) < 2 or len(self.data) < 2 + struct.unpack_from('>H', self.data)[0]:
            left = deadline - time.monotonic()
            if left < 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            data = os.read(self.process.stdout.fileno(), 1 << 20)
            if not data:
                return None
            self.data += data
        size = 2 + struct.unpack_from('>H', self.data)[0]
        body, self.data = self.data[2:size], self.data[size:]
        return message(body)

    def wait(self, path, kinds, seconds=5.0):
        """The next message of these types for the pipeline; others are kept in seen."""
        for i, m in enumerate(self.seen):
            if m[0] == list(path) and m[1] in kinds:
                return self.seen.pop(i)
        while True:
            m = self.next(seconds)
            if m is None:
                raise AssertionError(f'nothing of {kinds} for {path}; seen {self.seen[:20]}')
            if m[0] == list(path) and m[1] in kinds:
                return m
            self.seen.append(m)

    def call(self, name, *args, path=(), seconds=5.0):
        self.cast(name, *args, path=path)
        m = self.wait(path, ('call', 'pipe') + (('ctl',) if name not in ('close',) else ()), seconds)
        return m[2]

    def fork(self, path=()):
        r = self.call('fork', path=path)
        assert r[0] == 'ok', r
        return list(path) + [r[1]]

    def rest(self, seconds=0.3):
        """Everything that still comes."""
        out, self.seen = self.seen, []
        while (m := self.next(seconds)) is not None:
            out.append(m)
        return out

    def end(self):
        """Close the input; the exit status."""
        self.process.stdin.close()
        status = self.process.wait(10)
        self.process.stdout.close()
        if hasattr(self, 'fifo_fd'):
            os.close(self.fifo_fd)
        return status
