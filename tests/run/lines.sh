#!/bin/sh
# SPDX-License-Identifier: ISC
# carrel run --lines, --tag, --stamp, --quiet, and lines as events.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
run() { timeout --foreground 60 "$CARREL" run "$@"; }

# Lines that are written in parts, by two processes at once, to one pipe.
cat >parts.py <<'END'
import os, random, threading
def write(fd, name):
    rnd = random.Random(fd)
    for i in range(20000):
        line = (name * rnd.randrange(1, 60) + "\n").encode()
        cut = rnd.randrange(len(line))
        os.write(fd, line[:cut])
        os.write(fd, line[cut:])
a = threading.Thread(target=write, args=(1, "o"))
a.start()
write(2, "e")
a.join()
END
run --lines python3 parts.py >mixed 2>&1
is 'no line is mixed with another' "$(grep -cvE '^(o*|e*)$' mixed)" 0
is 'and none is lost' "$(wc -l <mixed)" 40000
run --tag python3 parts.py >tagged 2>&1
is 'every one with its tag' "$(grep -cE '^(out: o+|err: e+)$' tagged)" 40000
run --lines python3 parts.py >o 2>e
is 'apart' "$(grep -cE '^o+$' o) $(grep -cE '^e+$' e)" '20000 20000'
is 'the reader is slow' "$(run --lines -c 'seq 1 300000' | (sleep 1; cksum))" "$(seq 1 300000 | cksum)"
# One of two readers stalls: the other goes on.
mkfifo slow
: >fast
timeout 60 "$CARREL" run --lines -c 'seq 1 200000 & seq 1 200000 >&2; wait' >slow 2>fast &
pid=$!
exec 3<slow
i=0
while [ "$(wc -l <fast)" -lt 200000 ] && [ "$i" -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
is 'a reader that stalls holds up only its own stream' "$(wc -l <fast)" 200000
is 'which has everything when it goes on' "$(cksum <&3)" "$(seq 1 200000 | cksum)"
exec 3<&-
wait "$pid"

is 'no newline is added' "$(run --lines printf 'a\nb' | od -An -c)" "$(printf 'a\nb' | od -An -c)"
is 'bytes stay what they are' "$(run --lines printf 'a\000\377\r\nb\n' | od -An -c)" "$(printf 'a\000\377\r\nb\n' | od -An -c)"
head -c 1000000 /dev/zero | tr '\0' x >long
is 'a long line' "$(run --lines cat long | cksum)" "$(cksum <long)"
is 'with one tag' "$(run --tag cat long | cksum)" "$( (printf 'out: '; cat long) | cksum)"
# Between two pieces of a long line comes another: the piece ends there.
cat >between.py <<'END'
import os, time
os.write(1, b"x" * 200000)
time.sleep(0.5)
os.write(2, b"other\n")
time.sleep(0.5)
os.write(1, b"y\n")
END
run --tag python3 between.py >out 2>&1
is 'a line of the other stream between its pieces' "$(grep -c '^err: other$' out)" 1
is 'costs nothing' "$(tr -cd x <out | wc -c) $(tr -cd y <out | wc -c)" '200000 1'
is 'every line has a tag' "$(grep -cvE '^(out|err): ' out)" 0
is 'the status passes' "$(run --lines -c 'exit 7'; echo $?)" 7
{ run --lines yes; echo $? >st; } | head -n 1 >/dev/null
is 'a reader that goes away' "$(cat st)" 141
status 'a full disk' 125 sh -c '"$CARREL" run --lines yes >/dev/full'
is 'is said' "$(cat err)" 'carrel: cannot write to standard output: No space left on device'

mkfifo stalled
"$CARREL" run --lines -k 0.2 yes "$(seq -s ' ' 1000)" >stalled 2>err &
pid=$!
exec 3<stalled
sleep 0.5
peak=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status")
# A sanitizer has memory of its own.
most=${SANITIZED:+32768}
if [ "$peak" -lt "${most:-4096}" ]; then pass 'a reader that stalls: memory does not grow'; else fail 'a reader that stalls: memory does not grow' "$peak kB"; fi
kill -TERM "$pid"
wait "$pid"
is 'a reader that stalls does not hold up the end' "$? $(cat err)" '125 carrel: cannot pass on all output: nobody reads it'
exec 3<&-

# Times.
before=$(date -u +%Y-%m-%dT%H:%M:%S)
run --stamp -c 'echo a; sleep 0.2; echo b' >out
after=$(date -u +%Y-%m-%dT%H:%M:%S)
is 'lines with the time' "$(grep -cE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z [ab]$' out)" 2
is 'which is that of the line' "$(printf '%s\n' "$before" "$(head -n 1 out)" "$(tail -n 1 out)" "$after~" | sort -C && echo yes)" yes
like 'time and tag' "$(run --tag --stamp -c 'echo a')" '????-??-??T??:??:??.???Z out: a'

# Nothing unless it fails.
is 'quiet' "$(run --quiet -c 'echo a; echo b >&2' 2>&1; echo $?)" 0
is 'a failure shows all, in order' "$(run --quiet -c 'echo a; sleep 0.1; echo b >&2; sleep 0.1; echo c; exit 3' 2>&1; echo $?)" 'a
b
c
3'
is 'apart' "$(run --quiet -c 'echo a; echo b >&2; exit 3' 2>err; cat err)" 'a
b'
is 'a signal is a failure' "$(run --quiet -c 'echo a; kill -9 $$'; echo $?)" 'a
137'
is 'so is a time limit' "$(run --quiet -t 0.3 -c 'echo a; sleep 100'; echo $?)" 'a
124'
seq 1 800000 >lines # 5 MB: more than stays in memory
mkdir spool
is 'much of it' "$(TMPDIR=$tmp/spool run --quiet -c 'cat lines; exit 1' | cksum)" "$(cksum <lines)"
is 'by way of a file without a name' "$(ls -A spool)" ''
is 'to a slow reader' "$(run --quiet -c 'cat lines; exit 1' | (sleep 1; cksum))" "$(cksum <lines)"
TMPDIR=$tmp/spool "$CARREL" run --quiet -c 'cat lines; echo done >ready; exec sleep 100' >q 2>&1 &
pid=$!
i=0
while ! test -s ready && [ "$i" -lt 200 ]; do sleep 0.05; i=$((i + 1)); done
peak=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status")
# A sanitizer has memory of its own.
limit=${SANITIZED:+24576}
if [ "$peak" -lt "${limit:-6144}" ]; then pass 'in bounded memory'; else fail 'in bounded memory' "$peak kB"; fi
is 'nothing is shown yet' "$(cat q)" ''
kill -TERM "$pid"
wait "$pid"
is 'a stop shows it' "$(cksum <q)" "$(cksum <lines)"
status 'no place to keep it' 125 env TMPDIR=/nonexistent "$CARREL" run --quiet cat lines
like 'is said' "$(tail -n 1 err)" 'carrel: cannot keep the output: *'
like 'quiet with tags and times' "$(run --quiet --tag --stamp -c 'echo a; exit 1')" '????-??-??T??:??:??.???Z out: a'
is 'quiet on a terminal of its own' "$(run --quiet --pty -c 'test -t 1 && echo a; exit 1' </dev/null | tr -d '\r')" a

# Lines as events.
is 'an event per line' "$(run --json --lines -c 'printf "a\nb\nhalf"; printf "1\n2\n" >&2; sleep 0.1' | sort)" '{"event":"exit_status","status":0}
{"event":"stderr","data":"1\n"}
{"event":"stderr","data":"2\n"}
{"event":"stdout","data":"a\n"}
{"event":"stdout","data":"b\n"}
{"event":"stdout","data":"half"}'
is 'put together they are the bytes' "$(run --json --lines cat lines | jq -j .data | head -c "$(wc -c <lines)" | cksum)" "$(cksum <lines)"
is 'also of long lines' "$(run --json --lines cat long | jq -j 'select(.data) | .data' | cksum)" "$(cksum <long)"
is 'a line that is no UTF-8' "$(run --json --lines printf 'a\n\377\nb\n' | sed '$d')" '{"event":"stdout","data":"a\n"}
{"event":"stdout","base64":"/wo="}
{"event":"stdout","data":"b\n"}'
is 'a stop of the command is an event' "$(run --json -c 'echo $$ >stopping; kill -STOP $$; sleep 0.5; exit 3' | while read -r line; do
	echo "$line"
	case $line in *stopped*) kill -CONT "$(cat stopping)" ;; esac
done)" '{"event":"stopped","signal":"SIGSTOP"}
{"event":"continued"}
{"event":"exit_status","status":3}'
finish
