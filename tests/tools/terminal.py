#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A person at a terminal: an interactive bash on a pseudo-terminal, keys, and what is to be seen.

CARREL and CARREL_CONTROL name the programs under test. TAP on standard output."""
import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

WAIT = 30
PROMPT = "READY> "
# A shell that waits without a child: one that is just in vfork() cannot be stopped before its child executes,
# which has been stopped; with any program in front.
UNTIL_GO = "until test -e go; do :; done"
carrel = os.environ["CARREL"]


class Gone(Exception):
    pass


class Terminal:
    """bash with job control on a new terminal of 30 rows and 100 columns."""

    def __init__(self):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            env = dict(os.environ, PS1=PROMPT, PS2="", TERM="dumb", HISTFILE="", C=carrel, LC_ALL="C")
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"], env)
        self.resize(30, 100)
        self.expect(re.escape(PROMPT))
        # Every line that is typed is shown; without it what is expected is output alone.
        self.type("stty -echo\n")
        self.prompt()

    def resize(self, rows, cols):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def type(self, text):
        data = text.encode()
        while data:
            data = data[os.write(self.fd, data):]

    def expect(self, pattern):
        """Wait until the pattern is there; what is up to its end is behind us."""
        end = time.monotonic() + WAIT
        while True:
            m = re.search(pattern, self.text)
            if m:
                seen, self.text = self.text[:m.end()], self.text[m.end():]
                self.seen = seen
                return m
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise Gone(f"no {pattern!r} in {self.text!r}")
            try:
                self.text += os.read(self.fd, 65536).decode("utf-8", "replace")
            except OSError as e:
                raise Gone(f"the terminal ended, no {pattern!r} in {self.text!r}") from e

    def prompt(self):
        self.expect(re.escape(PROMPT))
        return self.seen[:-len(PROMPT)]

    def run(self, line):
        """A line for the shell: what it prints."""
        self.type(line + "\n")
        return self.prompt().replace("\r", "")

    def flags(self):
        return termios.tcgetattr(self.fd)

    def raw(self):
        return not self.flags()[3] & termios.ICANON

    def until(self, condition):
        end = time.monotonic() + WAIT
        while not condition():
            if time.monotonic() > end:
                raise Gone(f"it did not come about; {self.text!r}")
            time.sleep(0.01)

    def close(self):
        # The hang-up of the terminal ends bash and its jobs.
        os.close(self.fd)
        os.kill(self.pid, signal.SIGHUP)
        os.kill(self.pid, signal.SIGCONT)
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            if os.waitpid(self.pid, os.WNOHANG)[0] == self.pid:
                return
            time.sleep(0.01)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


class Failed(Exception):
    pass


def same(got, wanted, what=""):
    if got != wanted:
        raise Failed(f"{what} got {got!r}, wanted {wanted!r}")


def like(got, pattern):
    if not re.search(pattern, got):
        raise Failed(f"got {got!r}, wanted {pattern!r}")


cases = []


def case(name):
    def add(f):
        cases.append((name, f))
        return f
    return add


# ------------------------------------------------------------------- shared streams


@case("share: ^C ends the command and is what carrel died of")
def _(t):
    t.type("$C run -c 'echo up; exec sleep 100'\n")
    t.expect("up")
    t.type("\x03")
    t.prompt()
    same(t.run("echo $?"), "130\n")


@case("share: ^C leaves a loop")
def _(t):
    t.type("for i in 1 2 3; do $C run -c 'echo up; exec sleep 100'; echo after; done\n")
    t.expect("up")
    t.type("\x03")
    if "after" in t.prompt():
        raise Failed("the loop went on")


@case("share: a command may take ^C as a key")
def _(t):
    t.type("$C run -c 'trap \"echo got it; exit 7\" INT; echo up; while :; do sleep 0.05; done'\n")
    t.expect("up")
    t.type("\x03")
    t.expect("got it")
    t.prompt()
    same(t.run("echo $?"), "7\n")


@case("share: ^Z stops the job, fg goes on with it")
def _(t):
    t.type("$C run -c 'echo up; read x; echo \"<$x>\"'\n")
    t.expect("up")
    t.type("\x1a")
    t.expect("Stopped")
    t.prompt()
    like(t.run("jobs"), "Stopped")
    t.type("fg\n")
    t.expect("run")
    t.type("text\n")
    t.expect("<text>")
    t.prompt()
    same(t.run("echo $?"), "0\n")


@case("share: bg goes on behind, and the shell waits for it")
def _(t):
    t.type(f"$C run -c 'echo up; {UNTIL_GO}; echo behind; exit 4'\n")
    t.expect("up")
    t.type("\x1a")
    t.expect("Stopped")
    t.prompt()
    t.run("bg")
    t.type("touch go; wait %1; echo status $?\n")
    t.expect("behind")
    t.expect("status 4")


@case("share: a command behind that reads the terminal is stopped, and goes on in front")
def _(t):
    t.type("$C run -c 'read x; echo \"<$x>\"' &\n")
    t.prompt()
    t.until(lambda: "Stopped" in t.run("jobs"))
    t.type("fg\n")
    t.expect("run")
    t.type("later\n")
    t.expect("<later>")


@case("share: the window's new size reaches the command")
def _(t):
    t.type("$C run -c 'trap \"stty size; exit 0\" WINCH; echo up; while :; do sleep 0.05; done'\n")
    t.expect("up")
    t.resize(41, 99)
    t.expect("41 99")
    t.prompt()
    t.resize(30, 100)


@case("share: two in a pipeline stop and go on together")
def _(t):
    t.type(f"$C run -c 'echo up >&2; {UNTIL_GO}; echo a; echo b' | $C run -c 'echo up >&2; exec sort -r'\n")
    t.expect("up")
    t.expect("up")
    t.type("\x1a")
    t.expect("Stopped")
    t.prompt()
    t.type("touch go; fg\n")
    t.expect("b\r\na\r\n")
    t.prompt()


@case("a loop's lines stay with the loop when the command has other input")
def _(t):
    same(t.run("printf '1\\n2\\n' >f; while read x; do $C run --input /dev/null cat; echo $x; done <f"), "1\n2\n")


# ----------------------------------------------------------------- a terminal of its own


@case("pty: another terminal of the same size")
def _(t):
    mine = t.run("tty")
    theirs = t.run("$C run --pty -c 'tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo all'")
    like(theirs, r"^/dev/pts/\d+\n30 100\nall\n$")
    if theirs.startswith(mine):
        raise Failed("it is the caller's")


@case("pty: with the caller's settings")
def _(t):
    t.run("stty intr ^X erase ^H")
    like(t.run("$C run --pty stty -a"), r"intr = \^X;.* erase = \^H;")
    t.run("stty sane -echo")


@case("pty: the caller's terminal is raw for the time of the run, and as before after it")
def _(t):
    before = t.flags()
    t.type("$C run --pty -c 'echo up; read x; echo \"<$x>\"'\n")
    t.expect("up")
    t.until(t.raw)
    t.type("text\r")
    t.expect("<text>")
    t.prompt()
    same(t.flags(), before)


@case("pty: ^C is a key of the command's")
def _(t):
    t.type("$C run --pty -c 'trap \"echo got it; exit 7\" INT; echo up; while :; do sleep 0.05; done'\n")
    t.expect("up")
    t.until(t.raw)
    t.type("\x03")
    t.expect("got it")
    t.prompt()
    same(t.run("echo $?"), "7\n")


@case("pty: ^C that ends the command leaves a loop")
def _(t):
    t.type("for i in 1 2 3; do $C run --pty -c 'echo up; exec sleep 100'; echo after; done\n")
    t.expect("up")
    t.until(t.raw)
    t.type("\x03")
    if "after" in t.prompt():
        raise Failed("the loop went on")
    same(t.run("echo $?"), "130\n")


@case("pty: ^\\ too")
def _(t):
    t.type("$C run --pty -c 'echo up; exec sleep 100'\n")
    t.expect("up")
    t.until(t.raw)
    t.type("\x1c")
    t.prompt()
    same(t.run("echo $?"), "131\n")


@case("pty: ^D is the end of the input")
def _(t):
    t.type("$C run --pty cat\n")
    t.until(t.raw)
    t.type("text\r")
    t.expect("text\r\n")
    t.type("\x04")
    t.prompt()
    same(t.run("echo $?"), "0\n")


@case("pty: ^Z stops the job, the terminal is the shell's again, fg goes on")
def _(t):
    before = t.flags()
    t.type("$C run --pty -c 'echo up; read x; echo \"<$x>\"; exit 5'\n")
    t.expect("up")
    t.until(t.raw)
    t.type("\x1a")
    t.expect("Stopped")
    t.prompt()
    same(t.flags(), before)
    like(t.run("jobs"), "Stopped")
    t.type("fg\n")
    t.expect("run")
    t.until(t.raw)
    t.type("text\r")
    t.expect("<text>")
    t.prompt()
    same(t.flags(), before)
    same(t.run("echo $?"), "5\n")


@case("pty: carrel gives the terminal back itself: not every shell does")
def _(t):
    t.type(f"PS1='{PROMPT}' dash -i\n")
    t.prompt()
    before = t.flags()
    t.type("$C run --pty -c 'echo up; read x; exit 5'\n")
    t.expect("up")
    t.until(t.raw)
    t.type("\x1a")
    t.prompt()
    same(t.flags(), before)
    t.type("fg\n")
    t.until(t.raw)
    t.type("\r")
    t.prompt()
    same(t.flags(), before)


@case("pty: ^Z stops the rest of a pipeline too")
def _(t):
    t.type("$C run --pty -c 'echo up >/dev/tty; read x; echo \"<$x>\"' | cat\n")
    t.expect("up")
    t.until(t.raw)
    t.type("\x1a")
    t.expect("Stopped")
    t.prompt()
    t.type("fg\n")
    t.expect("run")
    t.until(t.raw)
    t.type("text\r")
    t.expect("<text>")
    t.prompt()


@case("pty: stopped, then ended behind: the terminal is left alone")
def _(t):
    before = t.flags()
    t.type(f"$C run --pty -c 'echo up; {UNTIL_GO}; exit 6'\n")
    t.expect("up")
    t.until(t.raw)
    t.type("\x1a")
    t.expect("Stopped")
    t.prompt()
    t.type("bg; touch go; wait %1; echo status $?\n")
    t.expect("status 6")
    same(t.flags(), before)


@case("pty: the window's new size reaches the command")
def _(t):
    t.type("$C run --pty -c 'trap \"stty size; exit 0\" WINCH; echo up; while :; do sleep 0.05; done'\n")
    t.expect("up")
    t.resize(42, 98)
    t.expect("42 98")
    t.prompt()
    t.resize(30, 100)


@case("pty: a size that changed while the job was stopped")
def _(t):
    t.type("$C run --pty -c 'echo up; read x; stty size'\n")
    t.expect("up")
    t.until(t.raw)
    t.type("\x1a")
    t.expect("Stopped")
    t.prompt()
    t.resize(43, 97)
    t.type("fg\n")
    t.expect("run")
    t.until(t.raw)
    t.type("\r")
    t.expect("43 97")
    t.prompt()
    t.resize(30, 100)


@case("pty: SIGTERM to carrel: the terminal is as before")
def _(t):
    before = t.flags()
    t.type("$C run --pty -c 'echo up; exec sleep 100' & pid=$!; sleep 0.1; (sleep 0.3; kill $pid) & fg %1\n")
    t.expect("up")
    t.prompt()
    like(t.run("echo $?"), "^143\n")
    same(t.flags(), before)


@case("pty: SIGKILL of carrel: the terminal is as before, and nothing is left")
def _(t):
    before = t.flags()
    t.type("$C run --pty -c 'echo up $PPID $$; exec sleep 100'\n")
    m = t.expect(r"up (\d+) (\d+)\r")
    command = int(m.group(2))
    t.until(t.raw)
    # The job's process group is the terminal's; carrel leads it.
    os.kill(os.tcgetpgrp(t.fd), signal.SIGKILL)
    t.prompt()
    same(t.run("echo $?"), "137\n")
    t.until(lambda: t.flags() == before)

    def gone():
        try:
            os.kill(command, 0)
        except OSError as e:
            return e.errno == errno.ESRCH
        return False
    t.until(gone)


@case("pty: behind, the caller's terminal stays as it is")
def _(t):
    before = t.flags()
    t.type("$C run --pty -c 'echo up; sleep 0.3; echo down' & wait; echo status $?\n")
    t.expect("up")
    same(t.flags(), before)
    t.expect("down")
    t.expect("status 0")
    t.prompt()


@case("pty: brought to the front it gets the keys")
def _(t):
    before = t.flags()
    t.type("$C run --pty -c 'echo up; read x; echo \"<$x>\"' &\n")
    t.expect("up")
    t.type("fg\n")
    t.expect("run")
    t.until(t.raw)
    t.type("text\r")
    t.expect("<text>")
    t.prompt()
    same(t.flags(), before)


@case("pty: input from a pipe, output to a pipe")
def _(t):
    same(t.run("echo in | $C run --pty cat"), "in\n")
    same(t.run("$C run --pty -c 'test -t 1 && echo yes' | tr -d '\\r'"), "yes\n")
    same(t.run("printf half | $C run --pty cat; echo"), "half\n")


@case("pty: a shell in it has its own job control")
def _(t):
    t.type("PS1='IN> ' $C run --pty bash --norc --noediting -i\n")
    t.expect("IN> ")
    t.type("sh -c 'echo started; read x; echo ended'\r")
    t.expect("started\r\n")
    t.type("\x1a")
    t.expect("Stopped")
    t.expect("IN> ")
    t.type("fg\r")
    t.expect("read x")
    t.type("\r")
    t.expect("ended\r\n")
    t.expect("IN> ")
    t.type("exit 3\r")
    t.prompt()
    same(t.run("echo $?"), "3\n")


# --------------------------------------------------------------------------- relay


@case("relay: keys reach the command by lines, ^D ends them")
def _(t):
    t.type("$C run --stdio relay cat\n")
    t.type("text\n")
    t.expect("text\r\n")
    t.type("\x04")
    t.prompt()
    same(t.run("echo $?"), "0\n")


@case("relay: ^C ends the tree, ^Z stops it and fg goes on")
def _(t):
    t.type("$C run --stdio relay -c 'echo up; read x; echo \"<$x>\"; exec sleep 100'\n")
    t.expect("up")
    t.type("\x1a")
    t.expect("Stopped")
    t.prompt()
    t.type("fg\n")
    t.expect("run")
    t.type("text\n")
    t.expect("<text>")
    t.type("\x03")
    t.prompt()
    same(t.run("echo $?"), "130\n")


@case("relay: behind, a terminal as input holds up nothing")
def _(t):
    t.type("$C run --stdio relay -c 'echo up; sleep 0.2; echo down' & wait; echo status $?\n")
    t.expect("up")
    t.expect("down")
    t.expect("status 0")
    t.prompt()


@case("relay: behind, it takes no keys; in front it does")
def _(t):
    t.type("$C run --stdio relay -c 'echo up; read x; echo \"<$x>\"' &\n")
    t.expect("up")
    same(t.run("echo mine").strip()[-4:], "mine")
    t.type("fg\n")
    t.expect("run")
    t.type("yours\n")
    t.expect("<yours>")
    t.prompt()


@case("lines at a terminal")
def _(t):
    same(t.run("$C run --tag -c 'echo a; sleep 0.1; echo b >&2'"), "out: a\nerr: b\n")


def main():
    os.chdir(os.environ["tmp"])
    only = sys.argv[1:]
    failed = n = 0
    for name, f in cases:
        if only and not any(w in name for w in only):
            continue
        n += 1
        t = None
        if os.path.exists("go"):
            os.unlink("go")
        try:
            t = Terminal()
            f(t)
            print(f"ok {n} - {name}", flush=True)
        except (Gone, Failed) as e:
            failed += 1
            print(f"not ok {n} - {name}", flush=True)
            for line in str(e).splitlines():
                print(f"#   {line}", flush=True)
        if t is not None:
            t.close()
    print(f"1..{n}")
    sys.exit(1 if failed else 0)


main()
