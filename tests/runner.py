#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Runs the tests of a meson build folder, two at a time, and closes with one line of counts.

Tests speak TAP, or count as one case by their exit status. A case that says SKIP must be in the file of expected skips, by
"test: case"; any other skip is a failure."""
import argparse
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import time

CASE = re.compile(r"^(not )?ok\b(?: (\d+))?(?: - )?(.*?)(?:\s+# (SKIP|TODO)\b\s*(.*))?$", re.I)


def load_skips(path):
    with open(path, encoding="utf-8") as f:
        return [line.strip() for line in f if line.strip() and not line.startswith("#")]


def expected(skips, name, case):
    return any(re.fullmatch(pattern, f"{name}: {case}") for pattern in skips)


def as_from_a_shell():
    """Whoever started us may ignore or block signals (nohup, a job behind a script): tests begin without that."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_DFL)
        except OSError:
            pass  # the C library's own
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.umask(0o022)


def run(test):
    env = dict(os.environ)
    # A make that runs the tests is nothing to a make inside of one.
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        env.pop(name, None)
    env.update(test.get("env", {}))
    begin = time.monotonic()
    with subprocess.Popen(test["cmd"], env=env, cwd=test.get("workdir"), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True, preexec_fn=as_from_a_shell) as p:
        try:
            out, _ = p.communicate(timeout=test["timeout"])
            status = p.returncode
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            out, _ = p.communicate()
            status = "timeout"
    return out.decode("utf-8", "replace"), status, time.monotonic() - begin


def judge(test, out, status, skips):
    """(passed, failed, skipped, what to print)"""
    passed = failed = skipped = 0
    planned = None
    if test.get("protocol") != "tap":
        return (1, 0, 0) if status == 0 else (0, 1, 0)
    for line in out.splitlines():
        plan = re.match(r"^1\.\.(\d+)(?:\s*# SKIP\s*(.*))?$", line)
        if plan:
            planned = int(plan.group(1))
            if plan.group(2) is not None:
                planned = 1
                line = f"ok 1 - all # SKIP {plan.group(2)}"
        m = CASE.match(line)
        if not m:
            continue
        if m.group(4) and m.group(4).upper() == "SKIP" and not m.group(1):
            if expected(skips, test["name"], m.group(3)):
                skipped += 1
            else:
                failed += 1
                print(f"not ok {test['name']}: unexpected SKIP: {line}")
        elif m.group(1) and (m.group(4) or "").upper() == "TODO" and expected(skips, test["name"], m.group(3)):
            # Known to fail, and said why.
            skipped += 1
        elif m.group(1):
            failed += 1
        else:
            passed += 1
    seen = passed + failed + skipped
    if failed == 0 and (status != 0 or planned is None or planned != seen):
        failed = max(1, (planned or 0) - seen)
        print(f"not ok {test['name']}: status {status}, planned {planned}, seen {seen}")
    return passed, failed, skipped


def recorded(path):
    """Tests that ran elsewhere: NAME.tap has what they said, NAME.status their exit status and seconds."""
    for name in sorted(os.listdir(path)):
        if not name.endswith(".tap"):
            continue
        with open(os.path.join(path, name), encoding="utf-8", errors="replace") as f:
            out = f.read()
        with open(os.path.join(path, name[:-4] + ".status"), encoding="utf-8") as f:
            status, took = f.read().split()
        yield ({"name": "run-" + name[:-4], "protocol": "tap"},
               (out, int(status) if status.isdigit() else "it did not end", float(took)))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("build", nargs="?", help="a build folder")
    ap.add_argument("--recorded", help="a folder with what tests said, instead")
    ap.add_argument("--skips", required=True)
    ap.add_argument("--sanitized", action="store_true")
    ap.add_argument("tests", nargs="*")
    args = ap.parse_intermixed_args()
    if (args.build is None) == (args.recorded is None):
        ap.error("a build folder, or --recorded")
    tests = [] if args.recorded else \
        json.loads(subprocess.check_output(["meson", "introspect", "--tests", args.build]))
    skips = load_skips(args.skips)
    if args.tests:
        tests = [t for t in tests if any(w in t["name"] for w in args.tests)]
    if args.sanitized:
        tests = [t for t in tests if "plain" not in t["suite"] and "carrel:plain" not in t["suite"]]
    tests.sort(key=lambda t: -t.get("priority", 0))
    alone = [t for t in tests if not t.get("is_parallel", True)]
    together = [t for t in tests if t.get("is_parallel", True)]
    total = [0, 0, 0]

    def account(test, result):
        out, status, took = result
        counts = judge(test, out, status, skips)
        for i in range(3):
            total[i] += counts[i]
        word = "FAIL" if counts[1] else "ok"
        print(f"{word:4} {test['name']}: {counts[0]} passed, {counts[1]} failed, "
              f"{counts[2]} skipped, {took:.1f} s", flush=True)
        if counts[1]:
            print("\n".join("    " + line for line in out.splitlines()[-60:]), flush=True)

    for test, result in recorded(args.recorded) if args.recorded else []:
        account(test, result)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        futures = {pool.submit(run, t): t for t in together}
        for f in concurrent.futures.as_completed(futures):
            account(futures[f], f.result())
    for t in alone:
        account(t, run(t))
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    sys.exit(1 if total[1] or total[0] == 0 else 0)


main()
