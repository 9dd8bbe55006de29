#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""streams.py COMMAND...: reads its output with subprocess; microseconds and bytes. For bench/streams."""
import subprocess
import sys
import time

begin = time.monotonic()
total = 0
with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, bufsize=0) as p:
    while chunk := p.stdout.read(65536):
        total += len(chunk)
print(round((time.monotonic() - begin) * 1e6), total)
