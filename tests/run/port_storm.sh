#!/bin/sh
# SPDX-License-Identifier: ISC
# Everything at once.
PYTHONDONTWRITEBYTECODE=1 exec python3 "$(dirname "$0")/../port/storm.py"
