#!/bin/sh
# SPDX-License-Identifier: ISC
# carrel run and carrel supervise as the first process of a PID namespace, as in a container.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
ns=
for how in '-pf --mount-proc' '-Urpf --mount-proc'; do
	# shellcheck disable=SC2086 # words
	if unshare $how true 2>/dev/null; then
		ns=$how
		break
	fi
done
if [ -z "$ns" ]; then
	skip 'carrel as process 1' 'no PID namespaces here'
	finish
fi

# inside COMMAND...: with the command as process 1
inside() {
	# shellcheck disable=SC2086 # words
	timeout 60 unshare $ns "$@"
}

# start COMMAND...: in the background; $one is its number outside
start() {
	# shellcheck disable=SC2086 # words
	unshare $ns "$@" >o 2>e &
	outer=$!
	one=
	until [ -n "$one" ] || ! kill -0 $outer 2>/dev/null; do
		read -r one <"/proc/$outer/task/$outer/children" 2>/dev/null
	done
}
until_said() { until grep -q "$1" o; do sleep 0.01; done; }
zombies() { nsenter -t "$one" -p -m sh -c 'grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null' | wc -l; }

# Ten that lose their parent, who came from elsewhere: they are process 1's.
orphans() {
	nsenter -t "$one" -p -m sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.1 & exec true); done'
	until [ -z "$(nsenter -t "$one" -p -m sh -c 'grep -ls "^State:.[RSD]" /proc/[0-9]*/status | xargs grep -ls "^Name:.sleep$"')" ]; do
		sleep 0.01
	done
	i=0
	while [ "$(zombies)" != 0 ] && [ $i -lt 100 ]; do sleep 0.02; i=$((i + 1)); done
	zombies
}

for options in '' '--stdio relay'; do
	# shellcheck disable=SC2086 # words
	{
		inside "$CARREL" run $options sh -c 'exit 7'
		is "run $options: its status" $? 7
		inside "$CARREL" run $options sh -c 'kill -KILL $$'
		is "run $options: killed, as a status" $? 137
		is "run $options: it is process 1" "$(inside "$CARREL" run $options sh -c 'cat /proc/1/comm')" carrel
		start "$CARREL" run $options sh -c 'for s in HUP USR1 USR2 WINCH ALRM URG IO 37 RTMAX; do trap "echo $s" $s; done
			trap "echo TERM; exit 9" TERM; echo ready; while :; do sleep 0.01; done'
		until_said ready
		for sig in HUP USR1 USR2 WINCH ALRM URG IO 37 RTMAX; do
			kill -$sig "$one"
			i=0
			until grep -q "^$sig$" o || [ $i = 500 ]; do sleep 0.01; i=$((i + 1)); done
			is "run $options: $sig is passed on" "$(grep -c "^$sig$" o)" 1
		done
		is "run $options: orphans are reaped" "$(orphans)" 0
		kill -TERM "$one"
		wait $outer
		is "run $options: TERM, and the status is the command's" "$? $(tail -1 o)" '9 TERM'
	}
done

start "$CARREL" supervise --no-socket a='echo ready; trap "echo bye; exit 0" TERM; while :; do sleep 0.01; done'
until_said ready
is 'supervise: orphans are reaped' "$(orphans)" 0
for sig in USR1 WINCH RTMIN CHLD; do kill -$sig "$one"; done
is 'supervise: signals that mean nothing to it' "$(zombies)" 0
kill -TERM "$one"
wait $outer
is 'supervise: TERM stops in order' "$? $(tail -1 o)" '0 a: bye'
inside "$CARREL" supervise -q --no-socket -o 'restart temporary' a='setsid sleep 600 & exit 0' b='echo b' >o
is 'supervise: ends with the last service' "$? $(cat o)" '0 b: b'
start "$CARREL" supervise --no-socket a='echo ready; setsid sleep 600 & sleep 600'
until_said ready
kill -KILL "$one"
wait $outer 2>/dev/null
pass 'supervise: killed, and the namespace with it'
finish
