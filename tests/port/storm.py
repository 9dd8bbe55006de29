#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Everything at once, at random but the same each time for a seed: forks at four depths, calls, execs, exits, signals,
processes that are stopped for a moment. No reply may be lost, doubled, out of order or late; all output of a program
comes between the news of its exec and its end; nothing stays. SEEDS=1,2,3 takes other seeds."""
import os
import random
import signal
import sys
import time

from rawport import Atom, Port, call, is_, run

STEPS = 700
UNDER_WAY = 500000	# bytes at the most; beyond a megabyte a parent refuses what its child has no time for
PROGRAM = "import os\nb = b'%s' * %d\nwhile b: b = b[os.write(1, b):]\nos._exit(3)"


class Process:
    def __init__(self):
        self.replies = []	# that must come, in order
        self.output = None	# of the program that it is to execute
        self.heard = b""
        self.closed = False
        self.leaves = False	# was told to exit or to execute a program


class Storm:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.port = Port("-m", "60")
        self.fds = os.listdir(f"/proc/{self.port.pid}/fd")
        for option in ("stdin_closed", "stdout_closed", "stderr_closed"):
            is_(self.port.call("setopt", Atom(option), 1), Atom("true"))
        self.tree = {(): Process()}
        self.token = self.bytes = 0

    def ask(self, path, name, *args, reply):
        self.tree[path].replies.append(reply)
        self.port.send(call(name, *args, pipe=path))

    def fork(self, path):
        def forked(reply):
            if reply != ("error", "eagain"):
                self.tree[path + (reply[1],)] = Process()
        self.ask(path, "fork", reply=forked)

    def calls(self, path):
        for _ in range(self.random.randrange(1, 12)):
            self.token += 1
            text = b"%d" % self.token + b"z" * self.random.choice((0, 10, 3000, 30000))
            self.bytes += len(text)
            self.until(lambda: self.bytes < UNDER_WAY)
            self.ask(path, "iolist_to_bin", text, reply=text)

    def leave(self, path):
        """Only one that has no children, nor will."""
        process = self.tree[path]
        if any(callable(r) for r in process.replies) or any(q[:-1] == path for q in self.tree if q):
            return
        process.leaves = True
        if self.random.random() < 0.4:
            self.port.send(call("exit", 5, pipe=path))
            return
        text, n = b"%08x" % self.random.getrandbits(32), self.random.choice((0, 1, 20, 9000, 40000))
        process.output = text * n
        self.port.send(call("execvp", sys.executable, ["python3", "-S", "-c", PROGRAM % (text.decode(), n)], pipe=path))

    def step(self):
        here = [q for q, process in self.tree.items() if not process.leaves]
        below = [q for q in here if q]
        dice = self.random.random()
        pids = [self.port.pid] + [q[-1] for q in below]
        if dice < 0.15 and len(self.tree) < 25:
            self.fork(self.random.choice([q for q in here if len(q) < 4]))
        elif dice < 0.6:
            self.calls(self.random.choice(here))
        elif dice < 0.75 and below:
            self.leave(self.random.choice(below))
        elif dice < 0.88:
            for _ in range(self.random.randrange(1, 20)):
                os.kill(self.random.choice(pids), self.random.choice((signal.SIGUSR1, 34, 40, 64)))
        elif dice < 0.95:
            pid = self.random.choice(pids)
            os.kill(pid, signal.SIGSTOP)
            self.listen(0 if pid == self.port.pid else 0.01)
            os.kill(pid, signal.SIGCONT)
        else:
            self.listen(0.01)

    def listen(self, seconds=0.0):
        """Everything that comes, until nothing does for so long."""
        while True:
            try:
                # Its end would be None.
                self.hear(*self.port.get(timeout=seconds))
            except TimeoutError:
                return

    def hear(self, kind, path, what):
        process = self.tree.get(path)
        assert process is not None, f"from nobody: {kind} {path} {str(what)[:80]}"
        if kind == 4:
            reply = process.replies.pop(0)
            if callable(reply):
                reply(what)
            else:
                is_((path, what), (path, reply))
                self.bytes -= len(what)
        elif kind == 1:
            assert process.closed, "output before the exec"
            process.heard += what
        elif kind == 6 and what == "fdctl_closed":
            is_((path, process.closed, len(process.replies)), (path, False, 0))
            process.closed = True
        elif kind == 6:
            assert what in ("stdin_closed", "stdout_closed", "stderr_closed"), what
        elif what[0] != "signal":
            is_((path, process.closed, what), (path, True, ("exit_status", 5 if process.output is None else 3)))
            assert process.heard == (process.output or b""), (len(process.heard), len(process.output or b""))
            del self.tree[path]

    def until(self, what):
        end = time.monotonic() + 20
        while not what():
            assert time.monotonic() < end, [(q, len(process.replies)) for q, process in self.tree.items()]
            self.listen(0.02)

    def end(self):
        self.until(lambda: not any(process.replies for process in self.tree.values() if not process.leaves))
        while len(self.tree) > 1:
            for path in [q for q, process in self.tree.items() if q and not process.leaves]:
                self.leave(path)
            before = len(self.tree)
            self.until(lambda: len(self.tree) < before)
        self.until(lambda: not self.tree[()].replies)
        is_(self.port.call("cpid"), [])
        is_(os.listdir(f"/proc/{self.port.pid}/fd"), self.fds)
        is_(self.port.eof()[0], 0)


def storm(seed):
    def case():
        s = Storm(seed)
        for _ in range(STEPS):
            s.listen()
            s.step()
        s.end()
    return case


run([(f"storm: seed {seed}", storm(int(seed))) for seed in os.environ.get("SEEDS", "1,2,3").split(",")])
