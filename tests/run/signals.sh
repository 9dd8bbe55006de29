#!/bin/sh
# SPDX-License-Identifier: ISC
# Signals, stop steps and deadlines, as seen from the command.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

# begin ARG...: carrel run in the background, in $pid, once its command has said "ready"
begin() {
	rm -f out
	"$CARREL" run "$@" >out 2>err &
	pid=$!
	i=0
	while ! grep -q ready out 2>/dev/null && [ "$i" -lt 100 ]; do
		sleep 0.05
		i=$((i + 1))
	done
}
ended() {
	wait "$pid"
	is "$1" $? "$2"
}
begin -c 'echo ready; sleep 100'
kill -TERM "$pid"
ended 'TERM to carrel ends the command by it' 143
begin -c 'trap "echo bye; exit 9" TERM; echo ready; while :; do sleep 0.1; done'
kill -TERM "$pid"
ended 'the command may end in its own way' 9
like 'and say so' "$(cat out)" '*bye*'
begin -k 0.3 -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done'
kill -TERM "$pid"
ended 'one that does not end is killed after --kill-after' 137
begin -k 0.3 -c 'trap "" TERM; (sleep 100; sleep 100) & echo ready; wait; wait; while :; do sleep 0.1; done'
kill -HUP "$pid"
wait "$pid"
is 'HUP likewise' $? 129
begin -c 'trap "echo usr" USR1; echo ready; while :; do sleep 0.05; done'
kill -USR1 "$pid"
sleep 0.3
like 'USR1 is passed on' "$(cat out)" '*usr*'
kill -TERM "$pid"
wait "$pid"
status '--timeout with a signal of choice' 124 "$CARREL" run -t 0.3 -s INT -c 'trap "echo int; exit 1" INT; while :; do sleep 0.1; done'
is 'is that one' "$(cat out)" int
begin -k 60 -c 'trap "" TERM; (trap "exit 0" TERM; while :; do sleep 0.1; done) & echo ready; sleep 0.5'
begun=$(date +%s)
kill -TERM "$pid"
wait "$pid"
took=$(($(date +%s) - begun))
if [ "$took" -lt 20 ]; then pass 'a stop is over once the tree is empty'; else fail 'a stop is over once the tree is empty' "$took s"; fi
# The leader ends, its rest ignores the signal: the escalation must not end with the leader.
begin -k 0.3 -c '(trap "" TERM; echo ready; while :; do sleep 0.1; done) & wait'
kill -TERM "$pid"
wait "$pid"
is 'the steps go on behind the leader' "$(ps -eo pid,args | grep -c '[t]rap "" TERM; echo ready')" 0
# In a group of its own below somebody else's, as jobs of a shell are; elsewhere nobody could continue it.
python3 -c 'import os, sys; os.setpgid(0, 0); os.execv(sys.argv[1], sys.argv[1:])' \
	"$CARREL" run -c 'kill -STOP $$; exit 6' &
pid=$!
i=0
while state=$(ps -o state= -p "$pid"); [ "$state" != T ] && [ "$i" -lt 100 ]; do
	sleep 0.05
	i=$((i + 1))
done
is 'carrel stops with its command' "$state" T
kill -CONT "$pid"
ended 'and goes on with it' 6
begin -t 0.5 -k 0.2 -c 'echo ready; kill -STOP $$; sleep 100'
sleep 1.2
kill -CONT "$pid" 2>/dev/null
ended 'a deadline ends a stopped tree' 124
finish
