# SPDX-License-Identifier: ISC
"""What test tools ask of /proc."""
import os


def below(pid):
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as f:
                for child in f.read().split():
                    yield int(child)
                    yield from below(int(child))
    except OSError:
        pass


def comm(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as f:
            return f.read().strip()
    except OSError:
        return ""
