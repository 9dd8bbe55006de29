#!/bin/sh
# SPDX-License-Identifier: ISC
# The port's command line, its exit statuses, and a slow reader of its output.
PYTHONDONTWRITEBYTECODE=1 exec python3 "$(dirname "$0")/../port/start.py"
