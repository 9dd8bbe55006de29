#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""random_kill.py [--seed S] [--each N] OPS...: runs operation programs, by carrel run and by a host with a handle,
and kills one process of each run by its role at a random moment, until every role was killed N times.

Prints the seed, what was killed how often, and what was left or hung. Exit status 1 for either."""
import argparse
import os
import random
import subprocess
import sys
import time

from processes import below, comm

ROLES = ["guard", "super", "nursery", "reaper", "init", "task"]


def kill_one(top, role):
    """The first process of that role, as soon as there is one, for a while."""
    end = time.monotonic() + 0.03
    while time.monotonic() < end:
        for pid in list(below(top)):
            if comm(pid) == "carrel:" + role:
                try:
                    os.kill(pid, 9)
                    return True
                except OSError:
                    break
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--each", type=int, default=60)
    parser.add_argument("ops", nargs="+")
    o = parser.parse_args()
    random.seed(o.seed)
    tools = os.environ["TOOLS"]
    killed = dict.fromkeys(ROLES, 0)
    starts = wrong = 0
    while min(killed.values()) < o.each and starts < o.each * 60:
        starts += 1
        ops = random.choice(o.ops)
        role = random.choice([r for r in ROLES if killed[r] < o.each])
        by_host = role == "nursery" or random.random() < 0.5
        command = [tools + "/host", "-o", ops] if by_host else [os.environ["CARREL"], "run", "--ops", ops]
        with subprocess.Popen([tools + "/survivors", "--settle", "3", "--", *command],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as p:
            time.sleep(random.random() * 0.012)
            killed[role] += kill_one(p.pid, role)
            try:
                said = p.communicate(timeout=30)[1].decode(errors="replace")
            except subprocess.TimeoutExpired:
                p.terminate()
                said = "it hangs"
            if p.returncode == 99 or said == "it hangs":
                wrong += 1
                print(f"start {starts}, {role} killed, {ops}: {said}")
    print(f"seed {o.seed}, {starts} starts, killed: " + ", ".join(f"{r} {n}" for r, n in killed.items()))
    return wrong > 0 or min(killed.values()) < o.each


sys.exit(main())
