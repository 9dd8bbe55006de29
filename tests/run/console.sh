#!/bin/sh
# SPDX-License-Identifier: ISC
# The terminal of an isolated command: its name inside, whose it is, and job control on it.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

if ! "$CARREL" run -b rootless true 2>why; then
	echo "1..0 # SKIP no isolation here: $(cat why)"
	exit 0
fi

# A shell with job control, typed at from outside.
cat >typist.py <<'P'
import os, pty, select, signal, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b''
def until(text):
    global seen
    end = time.time() + 20
    while text not in seen:
        if not select.select([fd], [], [], max(0, end - time.time()))[0]:
            print('no %r in %r' % (text, seen))
            os.kill(pid, signal.SIGKILL)
            sys.exit(1)
        try:
            seen += os.read(fd, 4096)
        except OSError:
            break
    seen = seen[seen.find(text) + len(text):]
def typed(text, answer):
    os.write(fd, text)
    until(answer)
typed(b'PS1=; echo be""gin\r', b'begin')
typed(b'sleep 1000\r', b'1000')
time.sleep(0.3)
typed(b'\x1a', b'Stopped')
typed(b'jobs; echo st""ill\r', b'still')
typed(b'fg\r', b'sleep 1000')
time.sleep(0.3)
typed(b'\x03echo status=$?\r', b'status=130')
typed(b'cat </dev/tty; echo is=$?\r', b'is=$?')
time.sleep(0.3)
typed(b'from the terminal\r\x04', b'is=0')
os.write(fd, b'exit 7\r')
try:
    while os.read(fd, 4096):
        pass
except OSError:
    pass
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P

for round in root user; do
	[ "$(id -u)" -eq 0 ] || [ "$round" = user ] || continue
	[ "$(id -u)" -eq 0 ] || as_user() { "$@"; }
	prefix=''
	[ "$round" = root ] || [ "$(id -u)" -ne 0 ] || prefix="setpriv --reuid $user --regid $user --clear-groups"
	who() { if [ "$round" = user ]; then as_user "$@"; else "$@"; fi; }
	for b in rootless container; do
		[ "$round" = user ] && [ "$b" = container ] && continue
		w="$round, $b:"
		inside() { who "$CARREL" run -b "$b" --pty "$@" </dev/null 2>&1 | tr -d '\r'; }
		is "$w tty" "$(inside tty)" /dev/console
		is "$w ttyname of all three" "$(inside python3 -c 'import os; print(*[os.ttyname(i) for i in range(3)])')" \
			'/dev/console /dev/console /dev/console'
		is "$w its descriptors have that name" "$(inside -c 'readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2' | sort -u)" /dev/console
		is "$w it is the user's" "$(inside --uid 7 stat -c '%u %a' /dev/console | sed 's/ 6[02]0/ mode/')" '7 mode'
		is "$w it can be opened" "$(inside -c 'echo a >/dev/console; echo b >/dev/tty; echo c >/dev/stdout')" "a
b
c"
		is "$w it is the controlling one" "$(inside -c 'ps -o tty=,tpgid= -p $$ | awk "{print (\$1 != \"?\"), (\$2 > 1)}"')" '1 1'
		is "$w where it is not, there is none" "$("$CARREL" run -b "$b" -c 'ls /dev/console 2>&1; tty' </dev/null)" \
			"ls: cannot access '/dev/console': No such file or directory
not a tty"
		# Standard output alone may be something else: then it is no terminal.
		is "$w a stream that is none stays so" "$(who "$CARREL" run -b "$b" --pty -c 'echo x | readlink /proc/self/fd/0' </dev/null | cut -c1-5)" pipe:
		# shellcheck disable=SC2086 # words
		is "$w job control" "$(python3 typist.py $prefix "$CARREL" run -b "$b" --pty bash --norc -i)" 7
	done
done
is 'no terminal is left' "$(pgrep -fc '[s]leep 1000')" 0
finish
