#!/bin/sh
# SPDX-License-Identifier: ISC
# Policies as people meet them: carrel policy check, show and learn, and --seccomp-log.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
chmod 777 "$tmp"

if ! "$CARREL" run --seccomp-log true 2>why; then
	echo "1..0 # SKIP no listeners for system calls here: $(cat why)"
	exit 0
fi
policy() { "$CARREL" policy "$@"; }

# --- show
for name in default strict none; do
	policy show "$name" >"$name.policy"
	status "show $name gives what --seccomp takes" 0 "$CARREL" run --seccomp "$name.policy" true
done
like 'show groups' "$(policy show groups)" '*group @io = read write*'
status 'show nothing' 2 "$CARREL" policy show
status 'show what is not there' 2 "$CARREL" policy show nosuch
like '... says what is' "$(cat err)" '*default, strict, none and groups*'

# --- check
like 'check' "$(policy check default.policy; echo $?)" 'default.policy: 1[0-9][0-9] instructions
0'
is 'check: nothing to load' "$(policy check none.policy)" 'none.policy: 0 instructions'
printf 'allow read\nerrno EPERM wriet\n' >wrong
is 'check: what is wrong' "$(policy check wrong 2>&1; echo $?)" "carrel: wrong:2: 'wriet' is no system call that carrel knows
1"
like 'check: one of several' "$(policy check default.policy wrong strict.policy 2>/dev/null; echo $?)" 'default.policy*strict.policy*
1'
is 'check: standard input' "$(echo 'kill read' | policy check -)" '-: 8 instructions'
status 'check: nothing' 2 "$CARREL" policy check
status 'no word' 2 "$CARREL" policy
status 'an unknown word' 2 "$CARREL" policy lint
status 'help' 0 "$CARREL" policy --help
i=0
while [ $i -lt 1100 ]; do echo 'errno EIO read if int0 == '$i; i=$((i + 1)); done >long
like 'check: too many rules' "$(policy check long 2>&1)" '*long:1025: more than 1024 rules'
i=0
while [ $i -lt 1000 ]; do echo 'errno '$((i + 1))' mmap if long0 == '$i' and long1 == '$i; i=$((i + 1)); done >long
like 'check: too long for the kernel' "$(policy check long 2>&1)" '*too long: the kernel takes 4096*'
like '... which --seccomp says too' "$("$CARREL" run --seccomp long true 2>&1; echo $?)" '*too long*125'

# --- --seccomp-log: as root and as an ordinary user.
who='as_user'
[ "$(id -u)" -eq 0 ] || who=''
cp "$TOOLS/refused" refused
for run in '' "$who"; do
	logged() { $run "$CARREL" run --seccomp-log "$@" 2>&1; }
	w="log${run:+, user}:"
	is "$w nothing" "$(logged true)" 'carrel: the policy would have refused nothing'
	is "$w names, arguments, how often" "$(logged python3 -c '
import socket
for i in range(3):
    try: socket.socket(40, 1, 0)
    except OSError: pass' | grep -v resource)" 'carrel: socket(40, 0x80001, 0) would fail: Address family not supported by protocol (3 times)'
	like "$w what kills" "$(logged ./refused)" '*would be killed (1 time)*'
	is "$w everything that the policy refuses" "$(logged ./refused | sed -n 's/.* would [fb].*(\([0-9]*\) times*)$/\1/p' | awk '{n += $1} END {print n}')" \
		"$(grep -c '^	{ "' "$SOURCE/tests/tools/refused.c")"
	$run "$CARREL" run ./refused 2>/dev/null >without
	logged ./refused 2>/dev/null | grep -v ^carrel: >with
	is "$w and nothing is refused" "$(diff without with)" ''
	is "$w the status is the command's" "$(logged sh -c 'exit 7' >/dev/null; echo $?)" 7
	is "$w after a signal too" "$(logged sh -c 'kill -KILL $$' >/dev/null; echo $?)" 137
	like "$w isolated" "$($run "$CARREL" run -b rootless --seccomp-log sh -c 'unshare -U true' 2>&1)" '*unshare(0x10000000) would fail: Operation not permitted (1 time)'
	like "$w another policy" "$($run "$CARREL" run --seccomp strict --seccomp-log sh -c 'true | true' 2>&1)" '*clone(*) would fail*'
	like "$w not found" "$(export PATH=/usr/bin:/bin; logged nosuchcommand; echo $?)" '*not found in PATH
127'
	is "$w bytes pass through" "$(head -c 300000 /dev/zero | $run "$CARREL" run --seccomp strict --seccomp-log cat 2>/dev/null | wc -c)" 300000
done
like 'log: with none' "$("$CARREL" run --seccomp none --seccomp-log ./refused 2>&1 | tail -n 1)" '*refused nothing'
like 'log: --json stays JSON' "$("$CARREL" run --json --seccomp-log unshare -U true 2>/dev/null)" '{"event":"exit_status","status":0}'
# Programs with threads and signals that interrupt calls.
is 'log: signals interrupt calls as ever' "$("$CARREL" run --seccomp strict --seccomp-log perl -e '
$n = 0; $SIG{ALRM} = sub { $n++ }; use Time::HiRes qw(ualarm); ualarm 2000, 2000;
for (1 .. 300) { my $p = fork; exit 0 unless $p; while (waitpid($p, 0) == -1) {} } print $n > 3 ? "on\n" : "$n\n"' 2>/dev/null)" on

# watcher_of PID: of that carrel
watcher_of() {
	for p in $(pgrep -P "$1"); do
		if grep -q '^carrel:watcher' "/proc/$p/comm" 2>/dev/null; then echo "$p"; fi
	done
}

# Who watches can be lost: calls that would have been asked about fail then, and it is said.
mkfifo go
"$CARREL" run --seccomp-log sh -c 'read x <go; unshare -U true 2>/dev/null; echo $?' >out 2>err &
job=$!
n=0
while watcher=$(watcher_of $job) && [ -z "$watcher" ] && [ $n -lt 200 ]; do
	n=$((n + 1))
	sleep 0.05
done
sleep 0.3
kill -KILL "$watcher"
echo >go
wait $job
is 'log: the watcher is killed: the status says so' "$?" 125
is '... calls fail' "$(cat out)" 1
like '... and so does a line' "$(cat err)" '*was lost*'
# Carrel itself can be killed: nothing stays.
"$CARREL" run --seccomp-log sleep 4251 2>/dev/null &
job=$!
n=0
while [ -z "$(pgrep -f '^sleep 4251')" ] && [ $n -lt 200 ]; do
	n=$((n + 1))
	sleep 0.05
done
watcher=$(watcher_of $job)
kill -KILL $job
wait $job 2>/dev/null
n=0
while { [ -d "/proc/$watcher" ] || [ -n "$(pgrep -f '^sleep 4251')" ]; } && [ $n -lt 200 ]; do
	n=$((n + 1))
	sleep 0.05
done
is 'log: carrel is killed: nothing stays' "$(pgrep -f '^sleep 4251'; [ ! -d "/proc/$watcher" ] || echo watcher)" ''

# --- learn
learn() { "$CARREL" policy learn -o learned "$@" 2>&1; }
echo one >data
is 'learn: the output is the command'\''s' "$(learn cat data)" one
is 'learned: it runs' "$("$CARREL" run --seccomp learned cat data)" one
cp learned before
learn cat data >/dev/null
is 'learn: nothing new adds nothing' "$(diff before learned)" ''
like 'learned: nothing else runs' "$("$CARREL" run --seccomp learned sh -c 'cat data' 2>&1; echo $?)" '*[1-9]*'
is 'learn: another run' "$(learn sh -c 'cat data | wc -l; exit 5'; echo $?)" '1
5'
is 'learned: both run' "$("$CARREL" run --seccomp learned sh -c 'cat data | wc -l' 2>&1)" 1
is 'learned: the old rules are there' "$(head -n "$(wc -l <before)" learned | diff before -)" ''
learn python3 -c 'import socket, threading
socket.socket(1); t = threading.Thread(target=print, args=("t",)); t.start(); t.join()' >/dev/null
is 'learned: arguments' "$("$CARREL" run --seccomp learned python3 -c 'import socket, threading
socket.socket(1); t = threading.Thread(target=print, args=("t",)); t.start(); t.join()
try: socket.socket(2)
except OSError as e: print(e.strerror)' 2>&1)" 't
Operation not permitted'
is 'learned: no namespaces' "$("$CARREL" run --seccomp learned sh -c 'true | true; exit 0' && learn unshare -U true; "$CARREL" run --seccomp learned python3 -c '
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(56, 0x10000011, 0, 0, 0, 0), ctypes.get_errno())')" '-1 1'
is 'learned: it is a policy' "$(policy check learned | grep -c instructions)" 1
printf 'errno EIO getcwd\ndefault allow\n' >own
cp own before
"$CARREL" policy learn -o own sh -c 'pwd -P' >/dev/null 2>&1
is 'learn: what somebody refused stays so' "$(diff before own)" ''
printf 'bad\n' >bad
like 'learn: into what is no policy' "$("$CARREL" policy learn -o bad true 2>&1; cat bad)" "*bad:1: 'bad' is none*
bad"
like 'learn: on standard output' "$(policy learn true | grep -v '^#' | head -n 1)" 'default errno EPERM'
like 'learn: what does not run teaches nothing' "$("$CARREL" policy learn -o never nosuchcommand 2>&1; echo $?; ls never 2>&1)" '*127
*No such file*'
like 'learn: where nothing can be written' "$("$CARREL" policy learn -o /proc/x true 2>&1; echo $?)" '*cannot write /proc/x*125'
is 'learn: no temporary file stays' "$(ls -d learned.* own.* bad.* never.* 2>/dev/null)" ''
status 'learn: no command' 2 "$CARREL" policy learn
status 'learn: no file' 2 "$CARREL" policy learn -o
status 'learn: not with a policy' 2 "$CARREL" policy learn --seccomp strict true
status 'learn: options of run' 0 "$CARREL" policy learn -o timed -t 10s -b rootless --clear-env -- /bin/true
finish
