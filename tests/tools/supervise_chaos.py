#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""supervise_chaos.py [--seed S] [--seconds N] [--rounds N]: services that crash, end, ignore signals, daemonise, flood
their log, hang or leak, under kills at random.

First, for N seconds, processes of services, their reapers and ctl clients are killed, and services are stopped, started
and restarted; then, N rounds long, each role of carrel's in turn.  No line that was written may be missing in a log,
no service may run twice, delays must be what carrel_backoff(3) says, and nothing may be left.  Exit status 1 if not."""
import argparse
import datetime
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

from processes import below, comm

MASK = (1 << 64) - 1
FLOOD = """
import mmap, os, sys
name = "lines/%s.%d" % (sys.argv[1], os.getpid())
with open(name, "wb") as f:
    f.write(bytes(8))
with open(name, "r+b") as f:
    count = mmap.mmap(f.fileno(), 8)
n = 0
while True:
    n += 1
    os.write(1, b"%d %d\\n" % (os.getpid(), n))
    count[:8] = n.to_bytes(8, "little")
"""
CONF = """
[base]
shell exec 9>lock.base; flock -n -E 66 9 || [ $? != 66 ] || exit 77; echo up >&3; exec sleep 600
ready fd 3
[after]
after base
shell exec 9>lock.after; flock -n -E 66 9 || [ $? != 66 ] || exit 77; exec sleep 600
[crash]
shell exec 9>lock.crash; flock -n -E 66 9 || [ $? != 66 ] || exit 77; exit 3
[zero]
shell exec 9>lock.zero; flock -n -E 66 9 || [ $? != 66 ] || exit 77; exit 0
[deaf]
shell exec 9>lock.deaf; flock -n -E 66 9 || [ $? != 66 ] || exit 77; trap '' TERM HUP INT; while :; do sleep 0.05; done
[daemon]
shell exec 9>lock.daemon; flock -n -E 66 9 || [ $? != 66 ] || exit 77; setsid sh -c 'trap "" TERM; sleep 600 & sleep 600' & sleep 0.1
[hang]
shell exec 9>lock.hang; flock -n -E 66 9 || [ $? != 66 ] || exit 77; sleep 600
ready notify
ready-within 150ms
[leak]
shell exec 9>lock.leak; flock -n -E 66 9 || [ $? != 66 ] || exit 77; x=0123456789; while :; do x=$x$x; done
rlimit as=40000000
[flood]
command python3 flood.py flood
log flood.log:64K:2000
[slow]
command python3 flood.py slow
log slow.log
"""
NAMES = [line[1:-1] for line in CONF.split("\n") if line.startswith("[")]
MIN_MS, MAX_MS = 5, 300
WORDS = ["kill-after 200ms", f"backoff {MIN_MS}ms..{MAX_MS}ms", "stable 1h"]
ROLES = ["guard", "super", "nursery", "reaper", "carrel"]
wrong = []


def complain(text):
    wrong.append(text)
    print("wrong: " + text)


def backoff(n, seed):
    """carrel_backoff(n, MIN_MS, MAX_MS, seed), written again."""
    if n == 0:
        return 0
    whole = min(MIN_MS << (n - 1), MAX_MS) if n < 40 else MAX_MS
    least = whole - whole // 2
    x = (seed + n * 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return least + (x ^ (x >> 31)) % (whole - least + 1)


def service_seed(seed, name):
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & MASK
    return seed


def left(token):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                if b"CHAOS=" + token + b"\0" in f.read():
                    found.append(f"{pid} {comm(pid)}")
        except OSError:
            pass
    return found


class Supervisor:
    def __init__(self, folder, seed):
        self.folder = folder
        self.token = b"%d-%d" % (os.getpid(), random.getrandbits(32))
        self.env = {**os.environ, "CHAOS": self.token.decode()}
        self.out = tempfile.TemporaryFile()  # pylint: disable=consider-using-with
        self.err = tempfile.TemporaryFile()  # pylint: disable=consider-using-with
        words = [w for word in WORDS for w in ("-o", word)]
        self.p = subprocess.Popen(  # pylint: disable=consider-using-with
            [os.environ["CARREL"], "supervise", "--json", "--seed", str(seed), "--socket", "sock", *words, "-f", "conf"],
            cwd=folder, env=self.env, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err)
        end = time.monotonic() + 60
        while not self.events("started") and self.p.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        self.asked = 0

    def events(self, kind=None):
        found = []
        for line in os.pread(self.out.fileno(), 1 << 30, 0).split(b"\n")[:-1]:
            event = json.loads(line)
            if kind in (None, event["event"]):
                found.append(event)
        return found

    def ctl(self, *words):
        return subprocess.Popen([os.environ["CARREL"], "ctl", "--socket", "sock", *words], cwd=self.folder,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait(self, what):
        try:
            self.p.wait(timeout=60)
        except subprocess.TimeoutExpired:
            complain(f"{what}: it does not end")
            self.p.kill()
            self.p.wait()
        end = time.monotonic() + 20
        while left(self.token) and time.monotonic() < end:
            time.sleep(0.02)
        for process in left(self.token):
            complain(f"{what}: left over: {process}")
        self.err.seek(0)
        return self.err.read().decode(errors="replace")[-500:]


def kill_one(s, killed):
    """One process of a service, or the reaper of one."""
    pids = [p for p in below(s.p.pid) if not comm(p).startswith("carrel") or comm(p) == "carrel:reaper"]
    if not pids:
        return
    pid = random.choice(pids)
    what = "reaper" if comm(pid) == "carrel:reaper" else "process"
    sigs = [signal.SIGKILL] if what == "reaper" else [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGSTOP]
    sig = random.choice(sigs)
    try:
        os.kill(pid, sig)
        killed[what] += 1
        if sig == signal.SIGSTOP:
            time.sleep(0.01)
            os.kill(pid, random.choice([signal.SIGCONT, signal.SIGKILL]))
    except OSError:
        pass


def ask(s, killed, asked):
    """A client, which may be killed; its answer is not looked at: others stop what it starts."""
    name = random.choice(NAMES)
    words = random.choice([["status"], ["--json", "status", name], ["start", name], ["restart", name], ["stop", name],
                           ["signal", name, "HUP"], ["log", name], ["reload"], ["start"], ["start"]])
    if words[0] in ("start", "restart", "stop"):
        asked.append((time.time(), name if len(words) > 1 else None))
    p = s.ctl(*words)
    if random.random() < 0.5:
        time.sleep(random.random() * 0.02)
        p.kill()
        killed["client"] += 1
    return p


def stamp(event):
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


def check_delays(events, seed, asked):
    """Each delay is the pure function's, each start comes after it, and only requests cut it or the count short."""
    last, delayed, checked = {}, {}, 0
    for e in events:
        name = e.get("service")
        if e["event"] == "delayed":
            n = e["failures"]
            want = backoff(n - 1, service_seed(seed, name)) if n > 1 else 0
            if e["delay_ms"] != want:
                complain(f"delay of {name} after {n} failures: {e['delay_ms']}, wanted {want}")
            was_asked = any(w in (None, name) or w == "after" for _, w in asked)
            if n != last.get(name, 0) + 1 and not (n == 1 and was_asked):
                complain(f"failures of {name}: {n} after {last.get(name, 0)}")
            last[name] = n
            delayed[name] = e
            checked += 1
        elif e["event"] == "started" and name in delayed:
            before = delayed.pop(name)
            early = before["delay_ms"] - (stamp(e) - stamp(before)) * 1000
            hurried = any(stamp(before) - 1 <= t <= stamp(e) + 1 for t, w in asked)
            if early > 5 and not hurried:
                complain(f"{name} was started {early:.0f} ms too early")
        elif e["event"] == "ended" and e.get("exit_status") == 77:
            complain(f"{name} was started while it ran")
    return checked


def check_order(events):
    """Nothing of a service overlaps with itself, and `after` begins while `base` is ready."""
    runs, ready = set(), set()
    for e in events:
        name = e.get("service")
        if e["event"] == "started":
            if name in runs:
                complain(f"{name}: started twice")
            if name == "after" and "base" not in ready:
                complain("after: started without base")
            runs.add(name)
        elif e["event"] == "ready":
            ready.add(name)
        elif e["event"] == "ended":
            if name not in runs:
                complain(f"{name}: ended twice")
            runs.discard(name)
            ready.discard(name)
    if runs:
        complain(f"no end was told of {runs}")


def check_lines(folder, name):
    """What a writer counted is there, in order and without a gap."""
    files = sorted((f for f in os.listdir(folder) if f == name + ".log" or f.startswith(name + ".log.")),
                   key=lambda f: -int(f.rsplit(".", 1)[1]) if f != name + ".log" else 0)
    text = b""
    for file in files:
        with open(os.path.join(folder, file), "rb") as f:
            text += f.read()
    last, n = {}, 0
    for line in text.split(b"\n")[:-1]:
        pid, number = line.split()
        if int(number) != last.get(pid, 0) + 1:
            complain(f"{name}: line {number} of {pid} after {last.get(pid, 0)}")
        last[pid] = int(number)
        n += 1
    for file in os.listdir(os.path.join(folder, "lines")):
        service, pid = file.rsplit(".", 1)
        if service != name:
            continue
        with open(os.path.join(folder, "lines", file), "rb") as f:
            data = f.read()
        count = struct.unpack("<Q", data)[0] if len(data) == 8 else 0
        if not count <= last.get(pid.encode(), 0) <= count + 1:
            complain(f"{name}: {pid} wrote {count} lines, {last.get(pid.encode(), 0)} are in its log")
    return n, len(files)


def storm(folder, seed, seconds):
    s = Supervisor(folder, seed)
    killed, asked, clients = {"process": 0, "reaper": 0, "client": 0}, [], []
    end = time.monotonic() + seconds
    while time.monotonic() < end and s.p.poll() is None:
        time.sleep(random.random() * 0.05)
        if random.random() < 0.6:
            kill_one(s, killed)
        else:
            clients.append(ask(s, killed, asked))
    if s.p.poll() is not None:
        complain(f"the supervisor ended: {s.p.returncode}")
    s.p.terminate()
    said = s.wait("the end")
    if s.p.returncode != 0:
        complain(f"exit status {s.p.returncode}: {said}")
    for p in clients:
        try:
            p.wait(timeout=30)
        except subprocess.TimeoutExpired:
            complain(f"a client hangs: {p.args}")
            p.kill()
    events = s.events()
    if events[0]["event"] != "supervisor" or events[0]["seed"] != seed:
        complain("the seed was not told")
    check_order(events)
    delays = check_delays(events, seed, asked)
    lines = {name: check_lines(folder, name) for name in ("flood", "slow")}
    print(f"killed {killed}, asked {len(clients)} times; {delays} delays, (lines, files) {lines}, "
          f"{len([e for e in events if e['event'] == 'started'])} starts")


def kill_role(folder, seed, role):
    s = Supervisor(folder, seed)
    time.sleep(random.random() * 0.3)
    if role == "carrel":
        s.p.kill()
    else:
        pids = [p for p in below(s.p.pid) if comm(p) == "carrel:" + role]
        if not pids:
            complain(f"there is no {role}")
        for pid in pids[:1] if role != "reaper" else random.sample(pids, min(1, len(pids))):
            os.kill(pid, signal.SIGKILL)
    if role == "reaper":  # of one service, and no loss for the others
        time.sleep(0.1)
        if s.p.poll() is not None:
            complain(f"a reaper was killed, and the supervisor ended: {s.p.returncode}")
        s.p.terminate()
    said = s.wait(f"{role} killed")
    wanted = {"carrel": -signal.SIGKILL, "reaper": 0}.get(role, 125)
    if s.p.returncode != wanted:
        complain(f"{role} killed: exit status {s.p.returncode}, wanted {wanted}: {said}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big") or 1)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=1)
    o = parser.parse_args()
    random.seed(o.seed)
    print(f"seed {o.seed}")
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "lines"))
        for name, text in (("conf", CONF), ("flood.py", FLOOD)):
            with open(os.path.join(folder, name), "w", encoding="ascii") as f:
                f.write(text)
        storm(folder, o.seed, o.seconds)
        for _ in range(o.rounds):
            for role in ROLES:
                kill_role(folder, random.getrandbits(32) or 1, role)
        print(f"{o.rounds} rounds of {ROLES}")
    return len(wrong) > 0


if __name__ == "__main__":
    sys.exit(main())
