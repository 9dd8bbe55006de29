#!/bin/sh
# SPDX-License-Identifier: ISC
# Frames that no driver writes to the port.
PYTHONDONTWRITEBYTECODE=1 exec python3 "$(dirname "$0")/../port/hostile.py"
