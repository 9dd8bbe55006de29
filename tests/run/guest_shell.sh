#!/bin/sh
# SPDX-License-Identifier: ISC
# carrel run as a guest of shell scripts: ignored signals, jobs behind, closed and odd descriptors, loops.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
run() { timeout --foreground 60 "$CARREL" run "$@"; }
# await FILE: until there is something in it
await() {
	i=0
	while ! test -s "$1" && [ "$i" -lt 400 ]; do
		sleep 0.05
		i=$((i + 1))
	done
}
# The ignored signals of a command: HUP 1, INT 2, QUIT 4.
ignored='sed -n "s/^SigIgn:.*\(.\)$/\1/p" /proc/self/status'

is 'nothing is ignored' "$(run -c "$ignored")" 0
is 'nohup stays in force' "$(nohup "$CARREL" run -c "$ignored" 2>/dev/null)" 1
is 'also with a relay' "$(nohup "$CARREL" run --stdio relay -c "$ignored" 2>/dev/null </dev/null)" 1
is 'also on a terminal of its own' "$(nohup "$CARREL" run --pty -c "$ignored" 2>/dev/null </dev/null | tr -d '\r')" 1
is '& in a script protects from ^C' "$(sh -c '"$0" run -c "$1" & wait' "$CARREL" "$ignored")" 6
is 'trap "" in a script' "$( (trap '' HUP INT QUIT; "$CARREL" run -c "$ignored") )" 7
is 'other signals are at their defaults' "$( (trap '' TERM USR1 PIPE; "$CARREL" run -c 'grep SigIgn /proc/self/status') )" 'SigIgn:	0000000000000000'
like 'the operations say so' "$(nohup "$CARREL" run --print-ops true 2>/dev/null)" '*reset_signals(\[1\])*'
# A hang-up reaches neither.
nohup "$CARREL" run -c 'echo up; sleep 0.5; exit 3' >out 2>/dev/null &
pid=$!
await out
kill -HUP "$pid"
wait "$pid"
is 'nohup: HUP to carrel does nothing' $? 3
rm out
"$CARREL" run -c 'echo up; sleep 0.5; exit 3' >out &
pid=$!
await out
kill -INT "$pid"
wait "$pid"
is 'behind in a script: INT does nothing' $? 3

is 'first of a pipeline' "$(run seq 3 | tail -n 1)" 3
is 'last of a pipeline' "$(seq 3 | run tail -n 1)" 3
is 'in the middle' "$(seq 3 | run cat | tail -n 1)" 3
for how in share relay; do
	is "$how: all of a pipeline" "$(run --stdio $how seq 100000 | run --stdio $how cat | run --stdio $how cksum)" "$(seq 100000 | cksum)"
	is "$how: behind, its input is empty as for any command" "$(sh -c '"$0" run --stdio $1 cat & wait' "$CARREL" $how)" ''
	is "$how: a here document" "$(run --stdio $how cat <<-END
		text
	END
	)" text
	is "$how: in a command substitution in a loop" "$(for i in 1 2 3; do x=$(run --stdio $how echo $i); printf %s "$x"; done)" 123
	is "$how: && and ||" "$(run --stdio $how true && echo a; run --stdio $how false || echo b)" 'a
b'
	is "$how: set -e" "$(sh -ec '"$0" run --stdio $1 false; echo not' "$CARREL" $how)" ''
	is "$how: wait" "$(sh -c '"$0" run --stdio $1 sh -c "exit 11" & wait $!; echo $?' "$CARREL" $how)" 11
	is "$how: descriptors above 2 do not get in" "$(exec 7</dev/null; run --stdio $how -c 'test -e /dev/fd/7 || echo no')" no
	is "$how: stdout and stderr closed" "$(run --stdio $how -c 'exit 12' >&- 2>&-; echo $?)" 12
	is "$how: all three closed" "$(run --stdio $how -c 'exit 12' <&- >&- 2>&-; echo $?)" 12
	is "$how: a trap runs after it" "$(sh -c 'trap "echo bye" EXIT; "$0" run --stdio $1 true' "$CARREL" $how)" bye
done
# Carrel goes on, but has nothing to do with a stream that the command has closed.
for how in '--stdio share' '--stdio relay' '--lines'; do
	# shellcheck disable=SC2086 # an option and its value
	"$CARREL" run -t 30 $how -c 'echo $$ >closer; echo x; exec >&-; exec sleep 100 2>&-' 2>/dev/null | {
		cat
		kill "$(cat closer)" && echo lives
	} >o
	is "$how: the end of the output comes when the command closes it" "$(cat o)" 'x
lives'
done
for how in share relay; do
	(yes; echo $? >st) 2>/dev/null | "$CARREL" run -t 30 --stdio $how -c 'read x; exec <&-; while ! test -s st; do sleep 0.05; done'
	is "$how: who writes to a closed input notices" "$(test -s st && echo yes)" yes
	rm -f st
done
# The loop that everybody writes: what the command reads, the loop does not get.
printf '1\n2\n3\n' >f
is 'while read over a pipe, with its own input' "$(seq 3 | while read -r x; do run --input /dev/null cat; echo "$x"; done)" '1
2
3'
is 'while read over a pipe, a command that reads nothing' "$(seq 3 | while read -r x; do run true; echo "$x"; done)" '1
2
3'
is 'while read over a file, relayed' "$(while read -r x; do run --stdio relay head -c 2; done <f)" '2'
is 'xargs' "$(seq 3 | xargs -n 1 "$CARREL" run echo)" '1
2
3'
is 'find -exec' "$(find f -exec "$CARREL" run --quiet test -f {} \; -print)" f
is 'env -i' "$(env -i CARREL_CONTROL="$CARREL_CONTROL" "$CARREL" run /bin/echo x)" x
is 'a directory that is gone' "$(mkdir d && cd d && rmdir ../d && run echo x 2>&1)" x
# SIGTERM to the script's group, as a service manager does it.
setsid sh -c 'echo $$ >group; trap : TERM; "$0" run --stdio relay -c "echo up; exec sleep 100" >up; echo $? >status' "$CARREL" &
pid=$!
await up
kill -TERM "-$(cat group)"
wait "$pid"
is 'TERM to the whole group' "$(cat status)" 143
# The reader of our standard error goes away: no message can be said, and nothing hangs.
{ run -v -c 'sleep 100 & exit 4'; echo $? >status; } 2>&1 | true
is 'nobody hears our messages' "$(cat status)" 4
status 'carrel in carrel' 5 run -- "$CARREL" run -- "$CARREL" run --stdio relay -- "$CARREL" run -c 'exit 5'
is 'a terminal in a relay in quiet' "$(run --quiet -- "$CARREL" run --stdio relay -- "$CARREL" run --pty -c 'test -t 1 && echo x; exit 3' </dev/null | tr -d '\r')" x
finish
