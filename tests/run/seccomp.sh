#!/bin/sh
# SPDX-License-Identifier: ISC
# System call policies: what the presets refuse when it is really tried, what runs under them as if they were not
# there, and policies in files.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
chmod 777 "$tmp"
cp "$TOOLS/refused" refused

if ! "$CARREL" run --seccomp default true 2>why; then
	echo "1..0 # SKIP no filters for system calls here: $(cat why)"
	exit 0
fi

# A user who may do what needs rights in a user namespace of his own.
as_owner() { as_user unshare --user --map-root-user --mount --uts "$@"; }
rounds='user'
if [ "$(id -u)" -eq 0 ]; then
	rounds='root user owner'
	# Where no user may have one.
	as_owner true 2>/dev/null || rounds='root user'
fi
who() {
	case $round in
	root) "$@" ;;
	user) if [ "$(id -u)" -eq 0 ]; then as_user "$@"; else "$@"; fi ;;
	owner) as_owner "$@" ;;
	esac
}

# --- What is refused, is refused: without the policy each of these calls comes to something else.
# What the kernel itself says EPERM to, whatever the arguments are.
rights='reboot|syslog|swapon|swapoff|acct'
spaces='pivot_root|move_mount|fsopen|fsmount|fspick|unshare_[a-z]*|clone_(pid|net|mount)|sethostname|setdomainname'
for round in $rounds; do
	who "$CARREL" run ./refused >without 2>&1
	who "$CARREL" run --seccomp default ./refused >with 2>&1
	case $round in
	root) same='-' ;;
	owner) same="^($rights)\$" ;;
	user) same="^($rights|$spaces)\$" ;;
	esac
	is "$round: refused" "$(awk '$2 != $3' with)" ''
	is "$round: all of them" "$(wc -l <with) $(wc -l <without)" "$(grep -c '^	{ "' "$SOURCE/tests/tools/refused.c") $(grep -c '^	{ "' "$SOURCE/tests/tools/refused.c")"
	# An older kernel lacks some of them, and what it was built without.
	[ -n "${VM-}" ] || is "$round: without the policy something else happens" "$(awk '$2 == $3 {print $1}' without |
		grep -Ev "$same" | tr '\n' ' ')" ''
	n=$(awk '$2 != $3' without | wc -l)
	if [ "$n" -ge 60 ]; then pass "$round: at least 60 differ"; else fail "$round: at least 60 differ" "$n"; fi
	like "$round: other ABIs end the process" "$(grep -c ' killed$' with)" '[35]'
done

# --- Where it is on.
filters() { sed -n 's/^Seccomp_filters:[[:space:]]*//p' /proc/self/status; }
own=$(filters)
filters_in() {
	"$CARREL" run "$@" sed -n 's/^Seccomp_filters:[[:space:]]*//p' /proc/self/status 2>&1
}
is 'process: none' "$(filters_in)" "$own"
is 'process: when asked for' "$(filters_in --seccomp default)" "$((own + 1))"
is 'rootless: one' "$(filters_in -b rootless)" "$((own + 1))"
is 'rootless: none' "$(filters_in -b rootless --seccomp none)" "$own"
is 'rootless: another' "$(filters_in -b rootless --seccomp strict)" "$((own + 1))"
if [ "$(id -u)" -eq 0 ]; then is 'container: one' "$(filters_in -b container)" "$((own + 1))"; fi
is 'with no_new_privs' "$("$CARREL" run --seccomp default sed -n 's/^NoNewPrivs:[[:space:]]*//p' /proc/self/status)" 1
is 'for what the command starts too' "$("$CARREL" run --seccomp default sh -c 'sh -c "unshare -U true; echo \$?"' 2>/dev/null)" 1
like 'the last thing before the command' "$("$CARREL" run -b rootless --print-ops true | tail -n 2)" \
	'task seccomp_preset(default)
task exec(*'
is 'process: not in the program' "$("$CARREL" run --print-ops true | grep -c seccomp)" 0
printf 'errno EIO getcwd\ndefault allow\n' >filter
"$CARREL" run --seccomp filter --print-ops sh -c 'pwd -P; exit 3' >program
is 'a policy of one'\''s own is printed' "$(grep -c 'task seccomp_filter("' program)" 1
is '... and can be fed back' "$("$CARREL" run --ops program 2>&1 | grep -c 'Input/output error')" 1

# --- What runs as if nothing were there.
# The virtual machine has no compiler and few languages.
[ -z "${VM-}" ] || finish
cat >threads.c <<'EOF'
#include <pthread.h>
#include <stdio.h>
static void *sum(void *p) { long s = 0; for (long i = 0; i <= 1000; i++) s += i; *(long *)p = s; return NULL; }
int main(void)
{
	pthread_t t[16]; long v[16], all = 0;
	for (int i = 0; i < 16; i++) if (pthread_create(&t[i], NULL, sum, &v[i])) return 1;
	for (int i = 0; i < 16; i++) { pthread_join(t[i], NULL); all += v[i]; }
	printf("%ld\n", all);
	return 0;
}
EOF
cat >fetch.py <<'EOF'
import http.server, socket, threading, urllib.request
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"fetched " + self.path.encode())
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=s.serve_forever, daemon=True).start()
assert socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
assert socket.getnameinfo(("127.0.0.1", 80), 0)
print(urllib.request.urlopen("http://localhost:%d/page" % s.server_port, timeout=20).read().decode())
EOF
have() { command -v "$1" >/dev/null 2>&1; }
for b in process rootless; do
	# shellcheck disable=SC2046 # words
	ran() { "$CARREL" run -b $b --seccomp default $([ $b = process ] || echo --bind "$tmp:/src" --tmpfs /tmp:64M:exec -e HOME=/tmp -C /tmp) "$@" 2>&1; }
	src=$tmp
	[ $b = process ] || src=/src
	work=$tmp/work
	mkdir -p "$work"
	[ $b = process ] || work=/tmp
	is "$b: a shell" "$(ran sh -c 'a=$(echo one | tr o O); (exit 3); echo "$a $?"; for i in 1 2; do echo $i; done | wc -l')" 'One 3
2'
	is "$b: gcc, and threads" "$(ran sh -c "cd $work && cc -O -pthread -o threads $src/threads.c && ./threads")" 8008000
	if have python3; then
		is "$b: python3, with processes and threads" "$(ran python3 -c '
import subprocess, multiprocessing.pool, tempfile, os, select, signal, time
with multiprocessing.pool.ThreadPool(4) as p: print(sum(p.map(len, ["ab", "c"])))
print(subprocess.run(["echo", "sub"], capture_output=True, text=True).stdout.strip())
with tempfile.NamedTemporaryFile() as f: f.write(b"x"); f.flush(); print(os.stat(f.name).st_size)')" '3
sub
1'
		is "$b: an HTTP fetch by name" "$(ran python3 "$src/fetch.py")" 'fetched /page'
	else
		skip "$b: python3" 'not installed'
	fi
	if have node; then
		is "$b: node" "$(ran node -e '
const fs = require("fs"), { execFileSync } = require("child_process"), { Worker } = require("worker_threads");
console.log(execFileSync("echo", ["sub"]).toString().trim(), fs.readdirSync("/").length > 3);
new Worker("require(\"worker_threads\").parentPort.postMessage(7)", { eval: true }).on("message", m => console.log(m));')" 'sub true
7'
	else
		skip "$b: node" 'not installed'
	fi
	if have git; then
		is "$b: git" "$(ran sh -c "cd $work && rm -rf r && git init -q r && cd r && echo a >f && git add f &&
			git -c user.name=n -c user.email=e@x commit -qm message && git log --oneline | cut -d ' ' -f 2 && git fsck 2>&1 | grep -c error")" 'message
0'
	else
		skip "$b: git" 'not installed'
	fi
	if have perl; then
		is "$b: perl" "$(ran perl -e '$SIG{ALRM} = sub { print "alarm\n" }; alarm 1; my $p = fork; if (!$p) { exec "echo", "child" }
			waitpid $p, 0; sleep 3 while !$done++; print "end\n"')" 'child
alarm
end'
	else
		skip "$b: perl" 'not installed'
	fi
	if have bash; then
		like "$b: job control" "$(ran --pty bash --norc -ic 'set +H; sleep 50 & kill -STOP %1; sleep 0.2; jobs; kill -KILL %1
			(kill -STOP $BASHPID; echo went on); fg >/dev/null; echo last' </dev/null |
			tr -d '\r')" '*Stopped*sleep 50*Stopped*went on*last*'
	else
		skip "$b: job control" 'not installed'
	fi
	rm -rf work
done

# --- One in the other.
printf 'all:\n\t%s run --seccomp default %s run -c "echo inner; exit 3"\n' "$CARREL" "$CARREL" >Makefile
like 'carrel in carrel in make in carrel' "$(MAKEFLAGS='' "$CARREL" run --seccomp default make -s 2>&1)" '*inner*Error 3*'
is '... with the same mechanism' "$("$CARREL" run --seccomp default "$CARREL" run --stats sh -c 'setsid sleep 4247 & true' 2>&1 | grep -o 'reaper[^ ,]*')" \
	"$("$CARREL" run --stats true 2>&1 | grep -o 'reaper[^ ,]*')"
is '... and nothing is left' "$(pgrep -f '^sleep 4247')" ''
like '... isolated around it' "$("$CARREL" run -b rootless --bind "$CARREL:/carrel" --bind "${CARREL_CONTROL:-$CARREL}:/control" \
	-e CARREL_CONTROL=/control -e ASAN_OPTIONS="${ASAN_OPTIONS-}" /carrel run -c 'echo inner; exit 4' 2>&1; echo $?)" '*inner
4'
like '... which cannot be isolated again, and says so' "$("$CARREL" run -b rootless --bind "$CARREL:/carrel" \
	--bind "${CARREL_CONTROL:-$CARREL}:/control" -e CARREL_CONTROL=/control -e ASAN_OPTIONS="${ASAN_OPTIONS-}" /carrel run -b rootless true 2>&1; echo $?)" '*cannot run*
125'
if have bwrap && bwrap --ro-bind / / --dev /dev --proc /proc true 2>/dev/null; then
	like 'inside bwrap' "$(bwrap --ro-bind / / --dev /dev --proc /proc --unshare-pid "$CARREL" run --seccomp default -c 'echo inner
		unshare -U true 2>/dev/null || echo no' 2>&1 | tr '\n' ' ')" '*inner no *'
else
	skip 'inside bwrap' 'bwrap is not installed or not allowed'
fi

# --- strict
cat >compute.c <<'EOF'
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
static void *work(void *p) { char *m = malloc(1 << 20); memset(m, 1, 1 << 20); *(long *)p = m[77]; free(m); return NULL; }
static void tell(const char *what, long r) { printf("%s %s\n", what, r == -1 ? strerrorname_np(errno) : "ok"); fflush(stdout); }
int main(void)
{
	pthread_t t; long v = 0;
	if (pthread_create(&t, NULL, work, &v) == 0) pthread_join(t, NULL);
	printf("thread %ld\n", v);
	tell("read", open("/etc/passwd", O_RDONLY));
	tell("write", open("new", O_WRONLY | O_CREAT, 0600));
	tell("append", open("/dev/null", O_WRONLY | O_APPEND));
	tell("socket", socket(AF_UNIX, SOCK_STREAM, 0));
	pid_t p = fork();
	if (p == 0) _exit(0);
	tell("fork", p);
	tell("mkdir", mkdir("d", 0700));
	tell("kill", kill(getpid(), 0));
	tell("chmod", chmod("compute.c", 0600));
	return 0;
}
EOF
cc -D_GNU_SOURCE -pthread -o compute compute.c
is 'strict: computes, reads, and that is all' "$("$CARREL" run --seccomp strict ./compute 2>&1 | tr '\n' ' ')" \
	'thread 1 read ok write EACCES append EACCES socket EPERM fork EPERM mkdir EPERM kill EPERM chmod EPERM '
is '... all of which is possible without' "$("$CARREL" run ./compute 2>&1 | grep -c ok)" 8
rm -rf d new
python=$(python3 -c 'import sys; print(sys.executable)')
is 'strict: an interpreter' "$("$CARREL" run --seccomp strict "$python" -c 'print(sum(range(1000)))' 2>&1)" 499500
is 'strict: bytes pass through' "$(head -c 300000 /dev/zero | "$CARREL" run --seccomp strict cat | wc -c)" 300000

# --- Policies in files.
ruled() { "$CARREL" run --seccomp policy "$@" 2>&1; }
echo 'errno EACCES socket
default allow' >policy
like 'a call fails with the error' "$(ruled perl -e 'socket(S, 1, 1, 0) or print "$!\n"; print -d "/" ? "rest\n" : ""')" 'Permission denied
rest'
printf 'kill socket\ndefault allow\n' >policy
is 'a call kills' "$(ruled perl -e 'socket(S, 1, 1, 0)'; echo $?)" 159
is '... every thread of the process' "$(ruled python3 -c '
import socket, threading, time
threading.Thread(target=lambda: (time.sleep(0.1), socket.socket())).start()
time.sleep(60)'; echo $?)" 159
printf 'allow mkdir if int1 == 0700\nerrno ENOSPC mkdir\ndefault allow\n' >policy
is 'by its arguments' "$(ruled perl -e 'for my $m (0700, 0711) { print mkdir("made", $m) ? "ok" : $!, "\n"; rmdir "made" }')" \
	'ok
No space left on device'
printf 'default allow\nforeign allow\n' >policy
is 'one that allows everything loads nothing' "$(filters_in --seccomp policy)" "$own"
mkdir -p sub
printf 'include "sub/part"\n' >policy
printf 'include "rest"\nerrno EIO getcwd\n' >sub/part
printf 'default allow\n' >sub/rest
is 'included, each beside the one before' "$(ruled sh -c 'pwd -P' | grep -c 'Input/output')" 1
is 'on standard input' "$(echo 'errno EIO getcwd
default allow' | "$CARREL" run --seccomp - sh -c 'pwd -P' 2>&1 | grep -c 'Input/output')" 1
printf 'errno EACCES execve execveat\ndefault allow\n' >policy
like 'one that forbids the command itself' "$(ruled true; echo $?)" '*Permission denied*
126'
printf 'kill execve execveat\ndefault allow\n' >policy
is '... or kills it' "$(ruled true; echo $?)" 159
awk '/^\.Bd -literal/ {n++; next} /^\.Ed/ {if (n) c++; n = 0} n {print > "example" c}' "$SOURCE/man/carrel-policy.5"
for f in example*; do
	status "the manual's $f is one" 0 "$CARREL" run --seccomp "$f" --print-ops true
done

# --- What cannot be is an error.
wrong() {
	what=$1
	shift
	like "refused: $*" "$("$CARREL" run "$@" true 2>&1)" "carrel: *$what*"
}
wrong 'cannot read the policy nosuch: No such file*presets are default, strict and none' --seccomp nosuch
wrong 'neither a preset nor a file' --seccomp ''
wrong 'Is a directory' --seccomp /
printf 'allow read\nallow opne\n' >policy
wrong "policy:2: 'opne' is no system call" --seccomp policy
printf 'include "sub/none"\n' >policy
wrong 'policy:1: cannot include "sub/none": No such file' --seccomp policy
printf 'allow read\0' >policy
wrong 'not text' --seccomp policy
wrong 'set-user-ID program' --seccomp default --setuid
like 'refused: with --ops' "$("$CARREL" run --seccomp default --ops program 2>&1)" '*ops are the whole program*'
is 'refused: a preset that is none' "$(printf 'task seccomp_preset(nosuch)\ntask exec("/bin/true", ["true"], [], "")\n' |
	"$CARREL" run --ops - 2>&1 | grep -c 'seccomp_preset(nosuch).*Invalid argument')" 1
finish
