#!/bin/sh
# SPDX-License-Identifier: ISC
# carrel run --tee, --record and --retry.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
run() { timeout --foreground 60 "$CARREL" run "$@"; }

# ---- tee ----

run --tee log -c 'echo out; echo err >&2; exit 3' >o 2>e
is 'tee: the status' $? 3
is 'tee: both where they belong' "$(cat o) $(cat e)" 'out err'
is 'tee: both in the file' "$(sort log)" "$(printf 'err\nout')"
run --tee log echo more >/dev/null
is 'tee: it is appended to' "$(wc -l <log)" 3
is 'tee: 1e6 lines to a slow reader' "$(run --tee big -- seq 1 1000000 | (sleep 0.5; cksum))" "$(seq 1 1000000 | cksum)"
is 'tee: and in the file' "$(cksum <big)" "$(seq 1 1000000 | cksum)"
run --tee quiet --quiet -c 'echo unseen' >o
is 'tee: --quiet shows nothing, the file has it' "$(cat o),$(cat quiet)" ',unseen'
run --tee stamped --stamp --tag -c 'echo x' >o
is 'tee: what is shown, with its tags' "$(cat stamped)" "$(cat o)"
run --tee bin -- head -c 100000 /dev/urandom >o
is 'tee: any bytes' "$(cksum <bin)" "$(cksum <o)"
run --tee inside -b rootless -- echo from inside >o
is 'tee: of an isolated command' "$(cat inside) $(cat o)" 'from inside from inside'
run --tee :x:5 true
is 'tee: a colon in the name' "$(test -f :x && wc -c <:x)" 0

# ---- rotation ----

run --tee rot:10K:4 -- seq 1 10000 >o
is 'rotation: nothing is held back from the reader' "$(cksum <o)" "$(seq 1 10000 | cksum)"
is 'rotation: the files' "$(echo rot*)" 'rot rot.1 rot.2 rot.3 rot.4'
cat rot.4 rot.3 rot.2 rot.1 rot >joined
is 'rotation: they are the end of it' "$(cksum <joined)" "$(tail -c "$(wc -c <joined)" o | cksum)"
large=0 cut=0
for f in rot rot.1 rot.2 rot.3 rot.4; do
	[ "$(wc -c <$f)" -le 10240 ] || large=1
	[ "$(tail -c 1 $f | od -An -c | tr -d ' ')" = '\n' ] || cut=1
done
is 'rotation: no file is too large, no line is cut' "$large $cut" '0 0'
run --tee long:100:9 -- head -c 450 /dev/zero >o
is 'rotation: a line longer than a file' "$(cat long.4 long.3 long.2 long.1 long | cksum)" "$(cksum <o)"
run --tee none:1K:0 -- seq 1 1000 >/dev/null
is 'rotation: none kept' "$(echo none*) $(tail -1 none)" 'none 1000'
for i in 1 2 3 4 5 6; do run --tee each:20:2 -c "echo line number $i" >/dev/null; done
is 'rotation: over several runs' "$(cat each.2 each.1 each | tr '\n' ' ')" 'line number 4 line number 5 line number 6 '
run --tee locked:1K -c 'echo up; sleep 5' >up &
while [ ! -s up ]; do sleep 0.01; done
run --tee locked:1K -- touch started 2>e
is 'rotation: a second one is refused' "$? $(cat e)" \
	'125 carrel: --tee: cannot write to locked: another process writes and rotates it'
is 'rotation: before anything is started' "$(ls started 2>/dev/null)" ''
kill $! && wait

# ---- failures ----

status() {
	run "$@" >o 2>e
	s=$?
}
status --tee /dev/null touch started
is 'tee: no device' "$s $(cat e)" '125 carrel: --tee: cannot write to /dev/null: it is not a regular file'
mkfifo pipe
status --tee pipe touch started
is 'tee: no pipe, and no wait for its reader' "$s" 125
status --tee no/x touch started
is 'tee: no such directory' "$s $(cat e)" '125 carrel: --tee: cannot write to no/x: No such file or directory'
status --record no/x touch started
is 'record: no such directory' "$s $(cat e)" '125 carrel: --record: cannot write to no/x: No such file or directory'
is 'nothing was started' "$(ls started 2>/dev/null)" ''
for wrong in '--tee x:0' '--tee :5' '--tee x:1K:10000' '--tee x --json' '--record x --json' '--record x --stdio null' \
	'--tee x --stdio share' '--retry -1' '--retry x' '--backoff 2s..1s' '--backoff x' '--retry 1 --json'; do
	# shellcheck disable=SC2086 # words
	status $wrong true
	like "wrong: $wrong" "$s $(cat e)" '2 carrel: *'
done
mkdir full
if mount -t tmpfs -o size=64k none full 2>/dev/null; then
	status --tee full/f -c 'yes; echo never'
	is 'tee: a full disk ends the command' "$s $(cat e)" '125 carrel: --tee: cannot write to full/f: No space left on device'
	status --record full/g -c 'yes; echo never'
	is 'record: a full disk ends the command' "$s $(tail -1 e)" \
		'125 carrel: --record: cannot write to full/g: No space left on device'
	umount full
else
	skip 'tee: a full disk ends the command' 'no mounts here'
fi

# ---- record ----

cat >shown.py <<'END'
import json, sys
with open(sys.argv[1], encoding="utf-8") as f:
    head = json.loads(f.readline())
    events = [json.loads(line) for line in f]
assert head["version"] == 2 and head["width"] > 0 and head["height"] > 0 and head["timestamp"] > 1e9, head
assert all(a[0] <= b[0] for a, b in zip(events, events[1:])), "time goes back"
sys.stdout.buffer.write("".join(e[2] for e in events if e[1] == "o").encode())
END
run --record cast -c 'test -t 1 && printf "\033[31mred\033[0m \342\202\254\tx\r\n"; stty size' >o
is 'record: what was shown' "$(python3 shown.py cast | cksum)" "$(cksum <o)"
like 'record: colours and characters are there' "$(cat cast)" '*\\u001b\[31mred\\u001b\[0m €\\tx*'
run --record split -c 'printf "\342"; sleep 0.1; printf "\202"; sleep 0.1; printf "\254"' >o
is 'record: a character in three pieces' "$(python3 shown.py split)" '€'
run --record wrong -c 'printf "a\377b\342"' >o
is 'record: what is no UTF-8' "$(python3 shown.py wrong)" "$(printf 'a\357\277\275b\357\277\275')"
run --record much -- seq 1 100000 >o
is 'record: much of it' "$(python3 shown.py much | cksum)" "$(cksum <o)"
run --record cast true
is 'record: made anew' "$(wc -l <cast)" 1
"$CARREL" run --record killed -c 'echo be""fore; sleep 60' >o &
until grep -q before killed 2>/dev/null; do sleep 0.01; done
kill -9 $!
wait $! 2>/dev/null
is 'record: a killed carrel leaves what was shown' "$(python3 shown.py killed)" "$(printf 'before\r')"

# ---- retry ----

tries() { wc -l <n; }
rm -f n
run --retry 5 --backoff 1ms -c 'echo x >>n; test "$(wc -l <n)" -ge 3'
is 'retry: until it works' "$? $(tries)" '0 3'
rm -f n
run --retry 2 --backoff 1ms -c 'echo x >>n; exit 7'
is 'retry: so often, and the last status' "$? $(tries)" '7 3'
rm -f n
run --retry 2 --backoff 1ms -t 100ms -c 'echo x >>n; exec sleep 60'
is 'retry: a time limit is a failure' "$? $(tries)" '124 3'
rm -f n
run --retry 1 --backoff 1ms -c 'echo x >>n; kill -9 $$'
is 'retry: a signal is a failure' "$? $(tries)" '137 2'
run -v --retry 3 --backoff 60s nosuch 2>e
is 'retry: not what cannot start' "$?" 127
rm -f n
"$CARREL" run --retry 9 --backoff 1ms -c 'echo x >>n; exec sleep 60' 2>e &
until [ -s n ]; do sleep 0.01; done
kill -TERM $!
wait $!
is 'retry: not what a signal to carrel ended' "$? $(tries)" '143 1'
rm -f n
"$CARREL" run -v --retry 9 --backoff 60s -c 'echo x >>n; exit 1' 2>e &
until grep -q 'the next one' e; do sleep 0.01; done
kill -TERM $!
wait $!
is 'retry: a signal ends the time between two' "$? $(tries)" '143 1'
like 'retry: -v says so' "$(grep try e)" 'carrel: try 1 of 10 ended with status 1; the next one in ?*.??? s'
finish
