#!/bin/sh
# SPDX-License-Identifier: ISC
# carrel run at a terminal, as a person at a shell sees it: keys, jobs, window, --pty.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
# No exec: the folder for files goes at our end.
python3 "$here/../tools/terminal.py" "$@"
exit
