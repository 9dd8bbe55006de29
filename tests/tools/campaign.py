#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""campaign.py [--seed S] [--each N] [--starts N] [--user UID] [--cgroup DIR] BEHAVIOUR...: starts commands isolated,
by carrel run and by a host with a handle, and kills one process of each start by its role at a random moment, until
there were that many starts and every role was killed N times.

It must be process 1 of a PID namespace, with a /proc of its own: what is left of a start is whatever else there is.
Says the seed, what was killed how often, and what was wrong; exit status 1 then."""
import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

BY_RUN = ["carrel", "guard", "super", "reaper", "init", "task"]
BY_HOST = ["host", "guard", "super", "nursery", "reaper", "init", "task"]
ROLES = ["host", "guard", "super", "nursery", "reaper", "init", "task", "carrel"]
# Two that outlive their parent if they can, and a leader that ends in the middle of the time of killing.
COMMAND = ["/bin/sh", "-c", "setsid sleep 50 & sleep 50 & sleep 0.02"]
BUSY_MS = 40


def others():
    return [int(p) for p in os.listdir("/proc") if p.isdigit() and p != "1"]


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def comm(pid):
    return read(f"/proc/{pid}/comm").strip()


def parent(pid):
    stat = read(f"/proc/{pid}/stat")
    return int(stat.rsplit(")", 1)[1].split()[1]) if ")" in stat else 0


def is_role(pid, role):
    # Before and after it became a command, a task is what an init is the parent of.
    if role == "task":
        return comm(parent(pid)) == "carrel:init"
    return comm(pid) == "carrel:" + role


def kill_one(top, role):
    """One process of that role, as soon as there is one, for a while."""
    end = time.monotonic() + 0.03
    while time.monotonic() < end:
        for pid in [top] if role in ("carrel", "host") else others():
            if pid == top and role not in ("carrel", "host"):
                continue
            if pid == top or is_role(pid, role):
                try:
                    os.kill(pid, signal.SIGKILL)
                    return True
                except OSError:
                    break
    return False


def reap(top):
    """Wait for orphans, but leave ${top} to whoever waits for it."""
    while True:
        try:
            info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if info is None or info.si_pid == top:
            return
        os.waitpid(info.si_pid, 0)


def all_gone(seconds):
    end = time.monotonic() + seconds
    while True:
        reap(0)
        left = others()
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.002)


class Campaign:
    def __init__(self, options):
        self.o = options
        self.killed = dict.fromkeys(ROLES, 0)
        self.starts = self.wrong = self.guards = 0
        self.err = tempfile.TemporaryFile()

    def fault(self, what):
        self.wrong += 1
        if self.wrong < 20:
            print(f"start {self.starts}: {what}")

    def command(self, behaviour, role):
        by_host = role in BY_HOST and (role not in BY_RUN or random.random() < 0.5)
        program = [os.environ["TOOLS"] + "/host", "-b", behaviour] if by_host else \
            [os.environ["CARREL"], "run", "-b", behaviour, "--"]
        user = [] if self.o.user is None else \
            ["setpriv", "--reuid", str(self.o.user), "--regid", str(self.o.user), "--clear-groups"]
        return user + program + COMMAND

    def judge(self, role, behaviour, status, said):
        what = f"{behaviour}, {role} killed: status {status}: {said}"
        if status in (-9, 137) and (status == -9) != (role in ("carrel", "host")):
            if role not in ("task", "init", "reaper"):
                self.fault(what)
        elif status == 125 and not said.startswith(("carrel: ", "host: ")):
            self.fault("without a word: " + what)
        elif status not in (0, 125, 137, -9):
            self.fault(what)

    def start(self):
        self.starts += 1
        wanted = [r for r in ROLES if self.killed[r] < self.o.each] or ROLES
        role, behaviour = random.choice(wanted), random.choice(self.o.behaviours)
        self.err.seek(0)
        self.err.truncate()
        with subprocess.Popen(self.command(behaviour, role), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=self.err) as p:
            time.sleep(random.random() * BUSY_MS / 1000)
            hit = kill_one(p.pid, role)
            self.killed[role] += hit
            self.guards += hit and role == "guard"
            try:
                status = p.wait(30)
            except subprocess.TimeoutExpired:
                self.fault(f"{behaviour}, {role} killed: it hangs: " +
                           ", ".join(f"{q} {comm(q)}" for q in others()))
                p.kill()
                status = p.wait()
        left = all_gone(5)
        if left:
            self.fault(f"{behaviour}, {role} killed: left: " + ", ".join(f"{q} {comm(q)}" for q in left))
            while left:
                for pid in left:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                left = all_gone(0.1)
        self.err.seek(0)
        self.judge(role, behaviour, status, self.err.read().decode(errors="replace").strip())

    def cgroups(self):
        """Names of directories left; a guard that is killed leaves its own, empty."""
        left = []
        for d in os.listdir(self.o.cgroup) if self.o.cgroup else []:
            path = os.path.join(self.o.cgroup, d)
            if os.path.isdir(path):
                left.append(d)
                for below in os.listdir(path):
                    if os.path.isdir(os.path.join(path, below)):
                        os.rmdir(os.path.join(path, below))
                os.rmdir(path)
        return left

    def host_state(self):
        return {"mounts": read("/proc/self/mountinfo"), "descriptors": sorted(os.listdir("/proc/self/fd")),
                "/tmp": sorted(os.listdir("/tmp")), "processes": others(),
                "shared memory": read("/proc/sysvipc/shm"), "sockets": read("/proc/net/unix").count("carrel")}

    def run(self):
        before = self.host_state()
        end = self.o.starts + self.o.each * len(ROLES) * 20
        while self.starts < end and (self.starts < self.o.starts or min(self.killed.values()) < self.o.each):
            self.start()
        print(f"seed {self.o.seed}, {self.starts} starts, killed: " +
              ", ".join(f"{r} {n}" for r, n in self.killed.items()))
        if min(self.killed.values()) < self.o.each:
            self.fault("some were killed too seldom")
        left = self.cgroups()
        if len(left) > self.guards:
            self.fault(f"{len(left)} cgroups are left of {self.guards} guards that were killed")
        after = self.host_state()
        for what in before:
            if before[what] != after[what]:
                self.fault(f"{what} before: {before[what]}\nafter: {after[what]}")
        return self.wrong > 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--each", type=int, default=60)
    parser.add_argument("--starts", type=int, default=1000)
    parser.add_argument("--user", type=int)
    parser.add_argument("--cgroup", default="")
    parser.add_argument("behaviours", nargs="+")
    options = parser.parse_args()
    if os.getpid() != 1:
        parser.error("this is not process 1 of a PID namespace")
    random.seed(options.seed)
    return Campaign(options).run()


sys.exit(main())
