#!/bin/sh
# SPDX-License-Identifier: ISC
# What holds for an ordinary user too.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

status 'runs' 3 as_user "$CARREL" run -c 'exit 3'
is 'as that user' "$(as_user "$CARREL" run id -u)" "$user"
status 'leftovers go' 0 as_user "$TOOLS/survivors" -- "$CARREL" run -c 'setsid sleep 50 & sleep 50 & true'
is 'the task cannot signal its reaper' \
	"$(as_user "$CARREL" run -c 'kill -9 $PPID 2>/dev/null && echo killed; echo alive')" alive
is 'nor the supervisor and guard' "$(as_user "$CARREL" run -c '
	for p in /proc/[0-9]*; do
		case $(cat "$p/comm" 2>/dev/null) in
		carrel:*) [ "$(stat -c %u "$p/task")" = 0 ] || [ "$(awk "/^Uid/ {print \$2}" "$p/status")" != "$(id -u)" ] ||
			! kill -9 "${p#/proc/}" 2>/dev/null || echo killed ;;
		esac
	done
	echo alive')" alive
is 'limits can be lowered' "$(as_user "$CARREL" run --rlimit nofile=50 -c 'ulimit -n')" 50
# A bomb under a process limit: gone within the second that survivors waits.
status 'a fork bomb is gone after the timeout' 124 \
	as_user "$TOOLS/survivors" --settle 1 -- "$CARREL" run -t 1 -k 0.1 --rlimit nproc=200 "$TOOLS/hardcases" h --hold 60
status 'a fork bomb is gone after its leader' 0 \
	as_user "$TOOLS/survivors" --settle 1 -- "$CARREL" run --rlimit nproc=200 "$TOOLS/hardcases" h --exit 0
finish
