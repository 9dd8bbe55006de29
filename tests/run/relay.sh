#!/bin/sh
# SPDX-License-Identifier: ISC
# carrel run --stdio relay and files: every byte, in both directions, and every end.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
limit() { timeout --foreground 60 "$@"; }
relay() { limit "$CARREL" run --stdio relay "$@"; }

head -c 100000000 /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 2>/dev/null >big || head -c 100000000 /dev/urandom >big
sum=$(cksum <big)
is 'pipe to pipe' "$(cat big | relay cat | cksum)" "$sum"
is 'file to pipe' "$(relay cat <big | cksum)" "$sum"
cat big | relay cat >copy
is 'pipe to file' "$(cksum <copy)" "$sum"
relay cat <big >copy
is 'file to file' "$(cksum <copy)" "$sum"
relay -c 'cat >&2' <big 2>copy >/dev/null
is 'standard error' "$(cksum <copy)" "$sum"
rm -f copy
echo first >appended
relay echo second >>appended
is 'a file for appending' "$(cat appended)" 'first
second'
if chattr +a appended 2>/dev/null; then
	relay echo third >>appended
	is 'a file that can only be appended to' "$(cat appended)" 'first
second
third'
	chattr -a appended
else
	skip 'a file that can only be appended to' 'no chattr +a here'
fi
is 'both streams, apart' "$(relay -c 'echo a; echo b >&2' 2>err; cat err)" 'a
b'
is 'status' "$(relay -c 'exit 9'; echo $?)" 9
is 'a session of its own' "$(relay -c 'test "$(cut -d" " -f6 /proc/$$/stat)" = $$ && echo yes')" yes
is 'pipes, not the caller'\''s files' "$(relay -c 'for i in 0 1 2; do test -p /dev/fd/$i && echo $i; done' </dev/null 2>&1)" '0
1
2'
# A socket at both ends.
cat >sockets.py <<'END'
import os, socket, subprocess, sys, threading
a, b = socket.socketpair()
p = subprocess.Popen(sys.argv[1:], stdin=b, stdout=b)
b.close()
data = open("big", "rb").read(8000000)
def send():
    a.sendall(data)
    a.shutdown(socket.SHUT_WR)
threading.Thread(target=send).start()
got = b""
while True:
    part = a.recv(1 << 20)
    if not part:
        break
    got += part
print("same" if got == data else "other", p.wait())
END
is 'sockets' "$(limit python3 sockets.py "$CARREL" run --stdio relay cat)" 'same 0'

# Any sizes, at any pace, in three directions at once.
cat >echo.py <<'END'
import os, random, sys, threading
rnd = random.Random(int(sys.argv[1]))
def write(fd, b):
    while b:
        b = b[os.write(fd, b):]
while True:
    b = os.read(0, rnd.choice([1, 7, 4096, 65536, 1 << 20]))
    if not b:
        break
    write(1, b)
    write(2, b[::-1])
END
cat >paces.py <<'END'
import os, random, subprocess, sys, threading, time
def read(f, rnd, got):
    while True:
        b = os.read(f.fileno(), rnd.choice([1, 100, 4096, 65536, 1 << 20]))
        if not b:
            return
        got.append(b)
        if rnd.random() < 0.02:
            time.sleep(0.002)
bad = 0
for seed in range(int(sys.argv[1])):
    rnd = random.Random(seed)
    p = subprocess.Popen(sys.argv[2:] + [str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, bufsize=0)
    out, err, sent = [], [], []
    a = threading.Thread(target=read, args=(p.stdout, random.Random(seed + 1000), out))
    b = threading.Thread(target=read, args=(p.stderr, random.Random(seed + 2000), err))
    a.start(); b.start()
    for _ in range(rnd.randrange(1, 40)):
        part = rnd.randbytes(rnd.choice([1, 511, 4096, 4097, 65536, 65537, 300000]))
        sent.append(part)
        at = 0
        while at < len(part):
            at += os.write(p.stdin.fileno(), part[at:])
    p.stdin.close()
    a.join(); b.join()
    if p.wait() != 0 or b"".join(out) != b"".join(sent) or len(b"".join(err)) != len(b"".join(sent)):
        print("seed", seed, p.returncode, len(b"".join(out)), len(b"".join(err)), len(b"".join(sent)))
        bad += 1
print(bad, "bad")
END
is 'any sizes at any pace' "$(timeout 120 python3 paces.py 12 "$CARREL" run --stdio relay python3 echo.py)" '0 bad'
is 'also by lines' "$(timeout 120 python3 paces.py 6 "$CARREL" run --lines python3 echo.py)" '0 bad'

# Back-pressure: the writer waits in its pipe, and carrel keeps next to nothing.
is 'a reader that stalls costs nothing' "$(relay head -c 3000000 /dev/zero | (sleep 1; wc -c))" 3000000
mkfifo fifo
"$CARREL" run --stdio relay -c 'yes & echo $! >yes.pid; wait' >fifo &
pid=$!
exec 3<fifo
sleep 1
before=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status")
written=$(awk '/^wchar/ { print $2 }' "/proc/$(cat yes.pid)/io")
if [ "$written" -gt 0 ] && [ "$written" -lt 400000 ]; then pass 'the writer is slowed'; else fail 'the writer is slowed' "$written"; fi
# A sanitizer has memory of its own.
most=${SANITIZED:+32768}
if [ "$before" -lt "${most:-4096}" ]; then pass 'in little memory'; else fail 'in little memory' "$before kB"; fi
kill -TERM "$pid"
wait "$pid"
is 'a reader that stalls does not hold up the end' $? 125
exec 3<&-
"$CARREL" run --stdio relay -c 'echo half; cat >&2' 2>cat.out <fifo &
pid=$!
exec 3>fifo
echo text >&3
exec 3>&-
wait "$pid"
is 'the end of the input is passed on' "$(cat cat.out)" text

# What is the caller's stays as it was.
flags() { grep flags "/proc/self/fdinfo/$1"; }
cat >flags.sh <<'END'
was=$(for i in 0 1 2; do grep flags /proc/$$/fdinfo/$i; done)
"$@" >&1 || exit
now=$(for i in 0 1 2; do grep flags /proc/$$/fdinfo/$i; done)
[ "$was" = "$now" ] && echo same
END
is 'no flag of the caller'\''s files changes' "$(echo x | limit sh flags.sh "$CARREL" run --stdio relay true 2>&1 | cat)" same
seq 1 100000 >lines
is 'what was not read goes back to the file' "$( (relay -c 'read x; echo "$x"' >/dev/null; cat) <lines | head -n 1)" 2
is 'all of it' "$( (relay true; cat) <lines | cksum)" "$(cksum <lines)"
is 'of a short file too' "$(printf '1\n2\n3\n' >short; (relay -c 'read x'; cat) <short)" '2
3'
is 'also after the command closed it' "$( (relay -c 'read x; exec <&-; sleep 0.2'; cat) <lines | head -n 1)" 2
is 'a loop over a file keeps its lines' "$(while read -r x; do relay -c 'exit 0'; echo "$x"; done <short)" '1
2
3'
is 'shared, the command takes them, as if typed' \
	"$(while read -r x; do limit "$CARREL" run cat >/dev/null; echo "$x"; done <short)" 1

# Ends of the reader.
status 'a reader that goes away' 0 sh -c 'limit() { timeout --foreground 60 "$@"; }
	{ limit "$CARREL" run --stdio relay yes; echo $? >st; } | head -n 1 >/dev/null'
is 'ends the run as SIGPIPE does' "$(cat st)" 141
{ relay -c 'echo one; exec sleep 100'; echo $? >st; } | true
is 'also where it was not noticed by the command' "$(cat st)" 141
{ relay tail -f /dev/null; echo $? >st; } | true &
pid=$!
if timeout 20 tail --pid="$pid" -f /dev/null; then pass 'a command that watches its pipe sees it'; else fail 'a command that watches its pipe sees it'; fi
wait "$pid"
{ relay -c 'trap "" PIPE; echo a; while echo b; do :; done; exit 5' 2>/dev/null; echo $? >st; } | true
# What it wrote last was lost, or the pipe was seen to be closed before: then the end is its own.
like 'a command that ignores SIGPIPE comes to its end' "$(cat st)" '[51]*'
yes | relay true
pass 'a command that does not read'
status 'a full disk' 125 sh -c '"$CARREL" run --stdio relay yes >/dev/full'
is 'is said' "$(cat err)" 'carrel: cannot pass on standard output: No space left on device'
status 'also of standard error' 125 sh -c '"$CARREL" run --stdio relay -c "yes >&2" 2>/dev/full'
status 'an input that cannot be read' 125 sh -c '"$CARREL" run --stdio relay cat </'
is 'is said' "$(cat err)" 'carrel: cannot read standard input: Is a directory'
is 'no standard input' "$(relay -c 'cat; echo end' <&-)" end
status 'no standard output' 125 sh -c '"$CARREL" run --stdio relay echo x >&-'
is 'is said' "$(cat err)" 'carrel: cannot pass on standard output: Bad file descriptor'
status 'no standard output, and none wanted' 0 sh -c '"$CARREL" run --stdio relay true >&-'
status 'shared: no standard output is an error of the command'\''s' 1 sh -c '"$CARREL" run /bin/echo x >&-'
status 'shared: no standard input is one too' 1 sh -c '"$CARREL" run cat <&-'
status 'shared: a full disk is the command'\''s affair' 1 sh -c '"$CARREL" run /bin/echo x >/dev/full'
{ limit "$CARREL" run yes; echo $? >st; } | head -n 1 >/dev/null
is 'shared: SIGPIPE' "$(cat st)" 141
status 'a time limit' 124 "$CARREL" run --stdio relay -t 0.2 -c 'echo x; sleep 100'
is 'what came before it' "$(cat out)" x
# Everything is over, but a stranger has the pipe.
mkfifo pass
is 'a stranger with the pipe does not hold the end' "$(limit "$CARREL" run --stdio relay --on-exit keep -c '
	(exec setsid sh -c "echo \$\$ >stranger; exec sleep 100") & 
	while ! test -s stranger; do sleep 0.05; done; echo told'; kill "$(cat stranger)")" told

# Files.
echo in >in
status '--input and --output' 0 "$CARREL" run --input in --output o cat
is 'are the files' "$(cat o)" in
"$CARREL" run --output o --append echo more
is '--append' "$(cat o)" 'in
more'
"$CARREL" run --output o echo new
is 'without it a file is emptied' "$(cat o)" new
"$CARREL" run --output o --error o -c 'echo a; echo b >&2; echo c'
is 'one file for both' "$(cat o)" 'a
b
c'
is 'the other stream is the caller'\''s' "$("$CARREL" run --error e -c 'echo a; echo b >&2'; cat e)" 'a
b'
is 'in the caller'\''s group still' "$("$CARREL" run --output o -c 'ps -o pgid= -p $$'; cat o)" "$(ps -o pgid= -p $$)"
status 'an input that is not there' 125 "$CARREL" run --input nowhere cat
like 'is named' "$(cat err)" '*nowhere*No such file or directory*'
status 'an output that cannot be' 125 "$CARREL" run --output nowhere/x echo
like 'is named' "$(cat err)" '*nowhere/x*No such file or directory*'
is 'with --json' "$("$CARREL" run --json --output o -c 'echo a; echo b >&2'; cat o)" '{"event":"stderr","data":"b\n"}
{"event":"exit_status","status":0}
a'

# What is left behind.
left() { kill -0 "$(cat left)" 2>/dev/null && echo lives; }
"$CARREL" run -c 'sleep 100 & echo $! >left'
is '--on-exit kill is the default' "$(left)" ''
"$CARREL" run --on-exit keep -c 'sleep 100 >/dev/null 2>&1 & echo $! >left'
is '--on-exit keep' "$(left)" lives
kill "$(cat left)"
is '--on-exit wait' "$("$CARREL" run --on-exit wait -c '(sleep 0.3; echo late) & exit 0')" late
status 'keep does not keep what a time limit ends' 124 "$CARREL" run --on-exit keep -t 0.3 -c 'sleep 100 & echo $! >left; wait'
is 'it is gone' "$(left)" ''

# Terminals that are none: pseudo-terminals fed from files.
is '--pty without a terminal' "$(limit "$CARREL" run --pty -c 'test -t 0 && stty size' </dev/null | tr -d '\r')" '24 80'
is 'all of the input' "$(limit "$CARREL" run --pty cat <lines | tr -d '\r' | cksum)" "$(cksum <lines)"
is 'all of the output' "$(limit "$CARREL" run --pty -c 'stty -opost; cat lines' </dev/null | cksum)" "$(cksum <lines)"
is 'a reader that stalls' "$(limit "$CARREL" run --pty -c 'stty -opost; cat lines' </dev/null | (sleep 1; cksum))" "$(cksum <lines)"
{ limit "$CARREL" run --pty yes </dev/null; echo $? >st; } | head -n 1 >/dev/null
is 'one that goes away' "$(cat st)" 141
status 'a full disk' 125 sh -c '"$CARREL" run --pty yes >/dev/full </dev/null'
is '--json of a terminal' "$(limit "$CARREL" run --json --pty -c 'echo a' </dev/null)" '{"event":"stdout","data":"a\r\n"}
{"event":"exit_status","status":0}'

# Wrong combinations.
for words in '--stdio share --json' '--json --tag' '--json --stamp' '--json --quiet' '--stdio share --lines' \
	'--stdio share --quiet' '--stdio null --tag' '--pty --stdio relay' '--pty --output o' '--append' \
	'--wait-tree --on-exit kill' '--on-exit never' '--stdio other' '--input='; do
	# shellcheck disable=SC2086 # several words
	status "$words is refused" 2 "$CARREL" run $words true
done
finish
