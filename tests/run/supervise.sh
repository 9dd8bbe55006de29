#!/bin/sh
# SPDX-License-Identifier: ISC
# carrel supervise and carrel ctl.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
sv() { timeout --foreground 60 "$CARREL" supervise --no-socket "$@"; }

# up ARG...: a supervisor with a socket, in the background
up() {
	rm -f sock
	"$CARREL" supervise --socket "$tmp/sock" "$@" >o 2>e &
	sup=$!
	until [ -S sock ] || ! kill -0 $sup 2>/dev/null; do sleep 0.01; done
}
down() {
	kill -TERM $sup 2>/dev/null
	wait $sup
}
ctl() { timeout 60 "$CARREL" ctl --socket "$tmp/sock" "$@"; }
state() { ctl status "$1" 2>/dev/null | awk 'NR == 2 { print $2 }'; }

# ---- output and statuses ----

sv -q -o 'restart temporary' a='echo out; echo err >&2' b='printf unfinished' >o 2>e
is 'all ended well' $? 0
is 'names before lines' "$(sort o)" "$(printf 'a: out\nb: unfinished')"
is 'standard error stays what it is' "$(cat e)" 'a: err'
sv -o 'restart transient' -o 'backoff 1ms' -o 'max-restarts 2/1m' a='exit 3' 2>e
is 'one was given up' $? 1
is 'three starts' "$(grep -c 'a: started' e)" 3
like 'and it says so' "$(tail -1 e)" 'carrel: a: given up: it was started too often'
sv --max-restarts 2/1m -o 'backoff 1ms' a='exit 3' b='exec sleep 600' 2>e
is 'all are ended with it' "$? $(grep -c 'b: ended (SIGTERM)' e)" '1 1'
sv -q --stamp -o 'restart temporary' a='echo x' >o
like 'the time' "$(cat o)" '20??-??-??T??:??:??.???Z a: x'
sv -q -o 'restart temporary' a='seq 1 50000' b='seq 100001 150000' | (sleep 0.3; cat) >o
is 'a slow reader loses no line' "$(sed -n 's/^a: //p' o | cksum) $(sed -n 's/^b: //p' o | cksum)" \
	"$(seq 1 50000 | cksum) $(seq 100001 150000 | cksum)"
is 'a reader that leaves does not end it' "$(sv -q -o 'restart temporary' a='seq 1 50000; touch fin' | head -1; ls fin)" \
	"$(printf 'a: 1\nfin')"

cat >twice.sh <<'END'
if [ -e again ]; then exit 0; fi
touch again
printf unfinished
exit 1
END
sv -q -o 'restart transient' a='sh twice.sh; s=$?; [ $s = 0 ] && echo x; exit $s' >o
is 'what follows an unfinished line has its own' "$(cat o)" "$(printf 'a: unfinished\na: x')"

# ---- events as JSON ----

sv --json --seed 7 -o 'backoff 1ms' -o 'max-restarts 2/1m' a='echo "a \"b\""; exit 3' b='kill -9 $$' >o 2>e
is 'JSON: status' $? 1
cat >show.py <<'END'
import json, sys
events = [json.loads(line) for line in sys.stdin]
for e in events:
    assert e.pop("time").endswith("Z")
print(events[0]["event"], events[0]["seed"])
for name in "ab":
    print(name, *(e["event"] + "".join(f":{e[k]}" for k in ("data", "exit_status", "termsig", "failures") if k in e)
                  for e in events if e.get("service") == name))
END
is 'JSON: events' "$(python3 show.py <o)" 'supervisor 7
a started ready stdout:a "b" ended:3 delayed:1 started ready stdout:a "b" ended:3 delayed:2 started ready stdout:a "b" ended:3 failed
b started ready ended:SIGKILL delayed:1 started ready ended:SIGKILL delayed:2 started ready ended:SIGKILL failed'
delays() { sv --json --seed "$1" -o 'backoff 1ms..100ms' -o 'max-restarts 6/1m' a='exit 3' b='exit 3' 2>e |
	sed -n 's/.*"service":"'"$2"'","delay_ms":\([0-9]*\).*/\1/p' | paste -sd ' ' -; }
is 'the same seed, the same delays' "$(delays 7 a)" "$(delays 7 a)"
if [ "$(delays 7 a)" = "$(delays 8 a)" ]; then fail 'another seed'; else pass 'another seed'; fi
if [ "$(delays 7 a)" = "$(delays 7 b)" ]; then fail 'another service'; else pass 'another service'; fi

# ---- a service that floods its log ----

cat >flood <<'END'
[a]
shell exec yes 0123456789
log a.log:1M:1
[b]
shell yes | cat
log b.log:1M:1
END
up -f flood
until [ -e a.log.1 ] && [ -e b.log.1 ]; do sleep 0.01; done
is 'a flood: ctl is heard' "$(state a) $(state b)" 'up up'
down
is 'a flood: TERM too' $? 0
rm -f a.log* b.log*

if [ -w /dev/full ]; then
	sv -q -o 'restart temporary' a='echo x' >/dev/full 2>e
	is 'an output that fails is said' "$? $(cat e)" \
		'125 carrel: cannot write to standard output: No space left on device; what services say there is lost'
fi

# ---- files ----

cat >included <<'END'
[db]
shell echo ready >&3; exec sleep 600
ready fd 3
END
cat >conf <<'END'
# a comment
include included
[web]
  after   db
command sh -c 'echo "it'"'"'s \"up\""; exec sleep 600' ignored
log web.log:1K:2
END
up -f conf
until grep -q 'web: started' e; do sleep 0.01; done
is 'in order' "$(sed -n 's/^carrel: \([a-z]*\): \(started\|ready\).*/\1 \2/p' e | paste -sd ' ' -)" \
	'db started db ready web started'
until [ -s web.log ]; do sleep 0.01; done
is 'quotes, and the log without a name' "$(cat web.log)" "it's \"up\""
web=$(ctl --json status web | sed 's/.*"pid":\([0-9]*\).*/\1/')
db=$(ctl --json status db | sed 's/.*"pid":\([0-9]*\).*/\1/')

# ---- reload ----

cat >>conf <<'END'
[new]
shell echo hi; exec sleep 600
END
kill -HUP $sup
until grep -q 'new: started' e; do sleep 0.01; done
sed -i 's/"up/"down/' conf
ctl reload
is 'reload' $? 0
until grep -q down web.log; do sleep 0.01; done
is 'what has not changed goes on' "$(ctl --json status db | grep -c "\"pid\":$db,.*\"starts\":1,")" 1
is 'what has changed is new' "$(ctl --json status web | grep -c "\"pid\":$web,")" 0
cp conf good
echo 'nonsense 1' >>conf
ctl reload 2>out
is 'an error in the file' $? 1
like 'is told by the supervisor' "$(tail -2 e)" \
	'carrel: conf:*: unknown word "nonsense"*conf has an error: everything stays as it is'
sed '/^\[new\]/,$d' good >conf
ctl reload
until [ -z "$(state new)" ]; do sleep 0.01; done
is 'what is not there any more is stopped' "$(ctl status | awk 'NR > 1 { print $1, $2 }' | paste -sd ' ' -)" 'db up web up'

printf '%s\n' '[more]' 'shell exec sleep 600' | cat - conf >conf2
cp conf2 conf
printf '%s\n' '[last]' 'after none' 'shell true' >>conf
ctl reload 2>out
is 'an error that shows in the whole: nothing is changed' "$? $(ctl status | awk 'NR > 1 { print $1, $5 }' | paste -sd ' ' -)" \
	'1 db 1 web 2'
cp conf2 conf
sed -i 's/after   db/after db more/' conf
ctl reload
is 'a new one that an old one comes after' $? 0
until [ "$(state web)" = up ]; do sleep 0.01; done
is 'stands where it must' "$(ctl status | awk 'NR > 1 { print $1, $2 }' | paste -sd ' ' -)" 'db up more up web up'
cp conf good
cat >>conf <<'END'
[slow]
shell trap 'until [ -e may-end ]; do sleep 0.01; done; exit' TERM; echo > trapped; while :; do sleep 0.01; done
kill-after 60s
END
ctl reload
until [ -e trapped ]; do sleep 0.01; done
cp conf with
cp good conf
ctl reload
until [ "$(state slow)" = stopping ]; do sleep 0.01; done
cp with conf
ctl reload
touch may-end
until [ "$(ctl status slow | awk 'NR == 2 { print $2, $5 }')" = 'up 2' ]; do [ -n "$(state slow)" ] || break; sleep 0.01; done
is 'one that is back before it left goes on' "$(state slow)" up
cp good conf
ctl reload
until [ -z "$(state slow)" ]; do sleep 0.01; done

# ---- ctl ----

ctl stop web
is 'stop returns when it is done' "$(state web)" off
ctl start web
is 'start too' "$(state web)" up
ctl restart db
is 'restart too' "$(state db) $(ctl status db | awk 'NR == 2 { print $5 }')" 'up 2'
ctl signal db KILL
until [ "$(ctl status db | awk 'NR == 2 { print $5 }')" = 3 ]; do sleep 0.01; done
like 'signal' "$(ctl --json status db)" '*"failures":1*"termsig":"SIGKILL"*'
ctl log web >out
like 'log' "$(cat out)" "*it's \"down\"*"
for wrong in 'start none' 'signal db XYZ' 'signal none TERM'; do
	# shellcheck disable=SC2086 # words
	ctl $wrong 2>out
	like "ctl $wrong" "$? $(cat out)" '1 carrel: ?*'
done
for wrong in frob stat 'status a b' 'signal db' log 'reload x' 'start a b'; do
	# shellcheck disable=SC2086 # words
	ctl $wrong 2>out
	like "ctl $wrong" "$? $(cat out)" '2 carrel: *'
done
"$CARREL" supervise --socket "$tmp/sock" a='sleep 1' 2>out
like 'a second one is refused' "$? $(cat out)" "125 carrel: another supervisor, process $sup, has $tmp/sock *"
is 'and the first goes on' "$(state db)" up
cat >rude.py <<'END'
import socket, sys, time
clients = [socket.socket(socket.AF_UNIX) for i in range(40)]
for c in clients:
    c.connect(sys.argv[1])
    try:
        c.send(b"stat")
    except BrokenPipeError:
        pass
open("rude", "w").close()
time.sleep(60)
END
python3 rude.py "$tmp/sock" &
rude=$!
until [ -e rude ]; do sleep 0.01; done
like 'too many that say nothing' "$(ctl status 2>&1)" '*too many*'
kill $rude
wait $rude 2>/dev/null
until [ "$(state db 2>/dev/null)" = up ]; do sleep 0.05; done
pass 'and when they are gone it answers'
printf 'x%.0s' $(seq 1 3000) | timeout 5 python3 -c 'import socket, sys
c = socket.socket(socket.AF_UNIX); c.connect(sys.argv[1]); c.sendall(sys.stdin.buffer.read()); print(c.recv(99))' \
	"$tmp/sock" >out 2>&1
like 'a request without an end' "$(cat out)" '*too long*'
if [ "$(id -u)" = 0 ]; then
	chmod 777 sock
	like 'another user' "$(setpriv --reuid 12345 --clear-groups "$CARREL" ctl --socket "$tmp/sock" status 2>&1)" \
		'*another user*'
fi
ctl stop 2>out
is 'stop of all' $? 0
wait $sup
is 'ends the supervisor' $? 0
is 'and leaves no socket' "$(ls sock* 2>/dev/null)" ''
ctl status 2>out
like 'nobody is there' "$? $(cat out)" '125 carrel: no supervisor at *'
up a='exec sleep 600'
kill -9 $sup
wait $sup 2>/dev/null
up a='exec sleep 600'
is 'one that was killed leaves its place' "$(state a)" up
down
is 'a stop in order is no failure' $? 0

echo mine >file
"$CARREL" supervise --socket file a='sleep 1' 2>out
like 'a file in place of the socket stays' "$? $(cat out) $(cat file)" '125 carrel: cannot listen at file: *no socket mine'
printf '%s\n' '[a]' 'shell exec sleep 600' >conf2
up -f conf2 b='exec sleep 600'
kill -HUP $sup
printf '%s\n' '[c]' 'shell exec sleep 600' >>conf2
ctl reload
is 'services of the command line are not of the file' "$(ctl status | awk 'NR > 1 { print $1, $5 }' | paste -sd ' ' -)" \
	'a 1 b 1 c 1'
down

# ---- ends ----

rm -f trapped
up -o 'kill-after 60s' a="trap 'until [ -e end ]; do sleep 0.01; done; exit' TERM; echo >trapped; while :; do sleep 0.01; done"
until [ -e trapped ]; do sleep 0.01; done
kill -TERM $sup
until [ "$(state a)" = stopping ]; do sleep 0.01; done
for verb in start restart reload; do
	like "no $verb while everything ends" "$(ctl $verb 2>&1)" '*the supervisor ends'
done
touch end
wait $sup
is 'and it ends' $? 0

up a="trap 'echo bye; exit 0' TERM; echo here; while :; do sleep 0.05; done"
until grep -q here o; do sleep 0.01; done
kill -TERM $sup
wait $sup
is 'TERM: the services end in their way' "$? $(grep -c bye o)" '0 1'
up -o 'kill-after 60s' a="trap '' TERM; echo here; while :; do sleep 0.05; done"
until grep -q here o; do sleep 0.01; done
kill -TERM $sup
sleep 0.2
kill -TERM $sup
wait $sup
is 'the second one at once' $? 0
"$TOOLS/survivors" --settle 3 --timeout 60 -- sh -c '"$CARREL" supervise --no-socket a="sleep 600 & setsid sleep 600 & wait" b="trap : TERM; sleep 600" & p=$!; sleep 1; kill -9 $p' >out 2>err
is 'kill -9 of the supervisor leaves nothing' "$(grep -c '^survivors 0$' err)" 1

# ---- logs that cannot be written ----

mkdir disk
if mount -t tmpfs -o size=16k none disk 2>/dev/null; then
	up -o 'restart temporary' -o 'log disk/log' a='seq -f "line %06.0f" 1 3000'
	until grep -q 'cannot write to its log' e; do sleep 0.01; done
	like 'a full disk: said once' "$(grep -c 'cannot write to its log' e) $(state a)" '1 up'
	mount -o remount,size=1m disk
	wait $sup
	is 'a full disk: it waited, and no line is lost or double' "$(cksum <disk/log)" "$(seq -f 'line %06.0f' 1 3000 | cksum)"
	umount disk
else
	skip 'a full disk' 'no mounts here'
fi

# ---- wrong words ----

for wrong in '' 'a' '=x' 'a=' '-f none' '--strategy x a=true' '--max-restarts 3 a=true' '--max-restarts 65/1s a=true' \
	"-o restart=no a=true" "-o frob a=true" 'a=true a=true' 'a/b=true' '--name a/b c=true' '-o pty a=true' '-o lines a=true'; do
	# shellcheck disable=SC2086 # words
	sv $wrong >out 2>&1
	like "wrong: $wrong" "$? $(cat out)" '[21]* carrel: *'
done
for wrong in 'x 1' '[a' '[a]
shell true
[a]
shell true' '[a]
command "x' '[a]
after b
shell true' '[a]
restart maybe
shell true' '[a]
ready when
shell true' '[a]
timeout' '[a]' 'include conf2'; do
	printf '%s\n' "$wrong" >conf2
	sv --check -f conf2 >out 2>&1
	like "wrong file: $(echo "$wrong" | paste -sd ' ' -)" "$? $(cat out)" '2 carrel: *'
done
finish
