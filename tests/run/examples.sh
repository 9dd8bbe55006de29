#!/bin/sh
# SPDX-License-Identifier: ISC
# The programs in examples/ and those in the manual pages do what they say.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
examples=$BUILD/examples

# built NAME LIBRARY: it is there; otherwise its case is skipped
built() {
	[ ! -x "$examples/$1" ] || return 0
	skip "$1" "$2 is not installed"
	return 1
}

is 'ten lines' "$("$examples/ten_lines" sh -c 'echo out; echo err >&2; sleep 100 & exit 3' 2>err; cat err)" \
	'out
err
exit 3, signal 0, 1 left behind'
status 'ten lines: what cannot be run' 125 "$examples/ten_lines" no-such-command-here
like 'and why' "$(cat err)" '*no-such-command-here*not found in PATH*'

# A copy in an empty folder: nothing is beside it, and the environment does not help.
mkdir alone
cp "$examples/embed" alone
is 'embedded: it runs without an installed control process' \
	"$(env -u CARREL_CONTROL alone/embed sh -c 'echo hi; setsid sleep 100 & exit 0' 2>&1)" hi
status 'embedded: a status passes through' 7 env -u CARREL_CONTROL alone/embed sh -c 'exit 7'
is 'embedded: as another user' "$(chmod 755 alone && as_user env -u CARREL_CONTROL alone/embed id -u)" "$user"
# The control process is what is in the file.
is 'embedded: it is the control process of this build' \
	"$(grep -c "$(strings "$CARREL_CONTROL" | grep -m 1 carrel-control)" alone/embed)" 1

# Beside the executable, as README.md says.
cp "$examples/ten_lines" "$CARREL_CONTROL" alone
is 'the control process is found beside the executable' \
	"$(env -u CARREL_CONTROL alone/ten_lines echo hi 2>err; cat err)" 'hi
exit 0, signal 0, 0 left behind'

# Tasks.
if [ "$(id -u)" -eq 0 ]; then
	mkdir root
	cp "$CARREL" root/carrel
	if "$examples/task_chroot" root /carrel version >out 2>err; then
		is 'chroot: a command that is there' "$(cat out)" "$("$CARREL" version)"
	else
		# An instrumented one has libraries outside.
		skip 'chroot: a command that is there' 'the command is not static'
	fi
	status 'chroot: what is outside is not' 125 "$examples/task_chroot" root /bin/sh
	like 'and it says so' "$(cat err)" 'execvp in task * No such file*'
	status 'chroot: no new processes' 2 "$examples/task_chroot" / sh -c 'ulimit -n; sh -c : ; exit 2'
	is 'a limit' "$(cat out)" 8
	like 'and no other' "$(cat err)" '*fork*'
	like 'chroot: a user of its own' "$("$examples/task_chroot" / id -u)" '18[78]*'
	like 'chroot: nothing is written' "$("$examples/task_chroot" / sh -c 'echo x >made && cat made' 2>&1)" '*made*denied*'
	status 'chroot: a root that is none' 125 "$examples/task_chroot" nowhere sh
	like 'names the call' "$(cat err)" 'chroot in task *: No such file or directory'
	is 'chroot: a status' "$("$examples/task_chroot" / sh -c 'exit 7'; echo $?) $("$examples/task_chroot" / sh -c 'kill $$'
		echo $?)" '7 143'

	printf '0\n' >value
	chmod 600 value
	like 'privilege: the program cannot open the file, its task has it' "$("$examples/task_privilege" "$tmp/value" 2>&1)" \
		'this program cannot open it: Permission denied
it was 0 and is 1
a second time: open in task *: the call is denied to this task'
	is 'privilege: in the file' "$(cat value)" 1
	"$examples/task_privilege" "$tmp/value" >/dev/null 2>&1
	is 'privilege: and back' "$(cat value)" 0
	status 'privilege: no such file' 1 "$examples/task_privilege" "$tmp/none"
	like 'is an error of the call' "$(cat err)" '*open in task *: No such file or directory'
	status 'privilege: an ordinary user has none to give away' 1 as_user "$examples/task_privilege" "$tmp/value"
else
	skip 'chroot, privilege' 'needs root'
fi
own_cgroup
if [ "$(id -u)" -eq 0 ] && [ -n "$cgroup" ]; then
	mkdir "$cgroup/example"
	is 'namespaces: process 1, of its own name, in its cgroup' "$("$examples/task_namespaces" "$cgroup/example" \
		sh -c 'echo $$; hostname; echo /proc/[0-9]*; ls /sys/class/net 2>/dev/null | wc -l >&2
			sed -n "s,^0::,,p" /proc/self/cgroup; setsid sleep 100 & exit 5' 2>/dev/null; echo $?)" \
		"1
inside
/proc/1
$(sed -n 's/^0:://p' /proc/self/cgroup)/example
5"
	is 'namespaces: nothing is left in the cgroup' "$(cat "$cgroup/example/cgroup.procs")" ''
	rmdir "$cgroup/example"
	status 'namespaces: a cgroup that is none' 125 "$examples/task_namespaces" "$tmp" true
	like 'is an error of clone' "$(cat err)" 'clone*: Bad file descriptor'
else
	skip namespaces 'needs root and a cgroup'
fi

if built uv_stream libuv; then
	"$examples/uv_stream" seq 1 1000000 2>err | (sleep 0.5; cksum) >out
	is 'libuv: nothing is lost behind a slow reader' "$(cat out)" "$(seq 1 1000000 | cksum)"
	like 'libuv: it paused' "$(cat err)" 'uv_stream: 6888896 bytes, paused [1-9]* times'
	# A sanitizer takes more than that for itself.
	[ -n "$SANITIZED" ] || is 'libuv: and held little' "$(prlimit --as=150000000 "$examples/uv_stream" \
		head -c 300000000 /dev/zero 2>err | (sleep 0.5; wc -c))" 300000000
	status 'libuv: a status passes through' 3 sh -c '"$0" sh -c "exit 3" 2>&1 | cat; exit 3' "$examples/uv_stream"
	is 'libuv: its reader goes away' \
		"$({ timeout 20 "$examples/uv_stream" yes 2>/dev/null; echo "status $?" >&3; } 3>status | head -n 1;
			cat status)" 'y
status 143'
fi

if built event_many libevent; then
	is 'libevent: lines of several commands' \
		"$("$examples/event_many" 'echo a; echo b >&2; exit 3' 'printf "c\n\nd"; sleep 100 &' | sort)" \
		'[1] a
[1] b
[1] exit 3
[2] 
[2] c
[2] d\
[2] exit 0, 1 left behind were killed'
	is 'libevent: nothing to do' "$("$examples/event_many")" ''
	# INT stops the trees; what ignores it goes two seconds later.
	"$examples/event_many" 'echo up; sleep 100' 'trap "" INT; echo up; exec sleep 100' >out &
	pid=$!
	n=0
	while [ "$(grep -c up out)" -lt 2 ] && [ $n -lt 100 ]; do
		sleep 0.1
		n=$((n + 1))
	done
	kill -INT $pid
	wait $pid
	is 'libevent: an interrupt stops every tree' "$(sort out)" '[1] signal 2
[1] up
[2] signal 9
[2] up'
fi

# What an interpreter loads cannot bring a sanitizer with it.
if [ -z "$SANITIZED" ]; then
	LIBCARREL=$BUILD/src/libcarrel.so.0
	export LIBCARREL
	py=$SOURCE/examples/carrel.py
	is 'Python' "$(python3 "$py" sh -c 'echo hi; exec 2>&-; sleep 0.1; echo ho; sleep 100 & exit 3' |
		grep -v -e EOF -e EXIT)" \
		"STARTED None
OUT b'hi\\n'
OUT b'ho\\n'
GONE Status(code=3, sig=0, leftovers=1)"
	cat >script.py <<'END'
import sys, time
sys.path.insert(0, sys.argv[1])
from carrel import Carrel, Event, RawStatus, Error, Spec
with Carrel() as c:
    print([v for k, v in c.run(["sort"], stdin=b"b\na\n") if k == "OUT"])
    print([v.sig for k, v in c.run(["sleep", "100"], timeout_ms=50) if k == "GONE"])
    begin = time.monotonic()
    for kind, value in c.run(["yes"]):
        if kind == "OUT":
            break
    try:
        next(c.run(["no-such-command-here"]))
    except OSError as e:
        print(e.errno, e.strerror)
    left = c.run(["sleep", "100"])
    next(left)
print(time.monotonic() - begin < 50)
print(Error.msg.offset, Spec.timeout_ms.offset, Event.status.offset, RawStatus.leftovers.offset)
END
	cat >layout.c <<'END'
#include <carrel.h>
#include <stdio.h>

int main(void)
{
	printf("%zu %zu %zu %zu\n", offsetof(carrel_error, msg), offsetof(carrel_spec, timeout_ms),
	       offsetof(carrel_event, status), offsetof(carrel_status, leftovers));
	return 0;
}
END
	# shellcheck disable=SC2086 # words
	$CC -I"$SOURCE/include" -o layout layout.c
	is 'Python: input, timeout, leaving early, failing, layout' "$(python3 script.py "$SOURCE/examples" 2>&1)" \
		"[b'a\\nb\\n']
[15]
2 cannot run 'no-such-command-here': not found in PATH
True
$(./layout)"
	is 'Python: it is short' "$([ "$(wc -l <"$py")" -lt 100 ] && echo yes)" yes

	# Those in the manual pages: from .\" example to .Ed, then what they print.
	for page in "$SOURCE"/man/*.3; do
		awk -v to="$(basename "$page" .3)" '
			/^\.\\" example$/ { name = to "-" ++n; getline; inside = 1; next }
			inside && /^\.Ed/ { inside = 0; next }
			inside {
				sub(/^\\&/, "")
				gsub(/\\e/, "\\")
				gsub(/\\-/, "-")
				gsub(/\\\(dq/, "\"")
				print >(name ".c")
			}
			sub(/^\.\\" prints: /, "") { print >(name ".prints") }' "$page"
	done
	is 'manual pages: there are examples' "$(echo carrel*-1.c libcarrel-1.c)" \
		'carrel-task.h-1.c carrel_call_info-1.c carrel_error-1.c carrel_event-1.c carrel_get_record-1.c carrel_open-1.c carrel_policy-1.c carrel_spawn-1.c carrel_stop-1.c carrel_write-1.c libcarrel-1.c'
	for c in *carrel*-[0-9].c; do
		name=${c%.c}
		# shellcheck disable=SC2086 # words
		is "$name compiles" "$($CC -std=c17 -Wall -Wextra -pedantic -Werror -I"$SOURCE/include" -I"$BUILD/include" \
			-o "$name" "$c" "$BUILD/src/libcarrel.a" -pthread 2>&1)" ''
		is "$name runs" "$(timeout 20 "./$name" 2>&1)" "$(cat "$name.prints")"
	done
fi
finish
