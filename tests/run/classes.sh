#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The mistakes that programs of this kind have made, each by the way in which it was made, against rootless and
# container.  What one call can try is in tools/inside.c, and judged by behaviours.sh; this is what takes more:
# a root or a source that an attacker writes, a race (RACES times, 60), a terminal, the program itself.
. "$(dirname "$0")/../lib.sh"
# shellcheck disable=SC2154 # tmp and user are of lib.sh
cd "$tmp" || exit 1
chmod 777 "$tmp"
if ! "$CARREL" run -b rootless true 2>why; then
	echo "1..0 # SKIP no isolation here: $(cat why)"
	exit 0
fi
mounts_before=$(cat /proc/self/mountinfo)

# The words before a command that another one is to execute
as() { if [ "$round" = user ]; then echo "setpriv --reuid $user --regid $user --clear-groups"; fi; }
who() { if [ "$round" = user ]; then as_user "$@"; else "$@"; fi; }
inside() { who "$CARREL" run -b "$b" "$@" 2>&1; }
said() { who "$CARREL" run -b "$b" "$@" 2>/dev/null; }

# What nobody inside may read or change.
mkdir victim
echo secret >victim/secret
chmod 777 victim
chmod 666 victim/secret
victim() { is "$1: nothing of the host was touched" "$(ls -A victim) $(cat victim/secret)" 'secret secret'; }

# Exchanges two names of a directory until the second of them is not there any more, a minute at most
cat >swap.py <<'P'
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
os.chdir(sys.argv[1])
a, b = sys.argv[2].encode(), sys.argv[3].encode()
end, n = time.monotonic() + 60, 0
while time.monotonic() < end and os.path.lexists(b):
    if libc.renameat2(-100, a, -100, b, 2) == 0:
        n += 1
    if n == 100:
        print("swapping", flush=True)
P
# swap DIRECTORY A B: begins, in $swapper
swap() {
	/usr/bin/python3 "$tmp/swap.py" "$@" >swapped &
	swapper=$!
	i=0
	while [ ! -s swapped ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i + 1)); done
	[ -s swapped ] || fail "$w: names are exchanged" "$(cat swapped)"
}

# A root that has its own shell, without anything of the host's on top.
make_root() {
	rm -rf root
	mkdir root root/usr root/dev root/proc root/tmp root/home root/etc
	for l in bin lib lib64; do [ ! -e "/$l" ] || ln -s "usr/$l" "root/$l"; done
	chmod -R 777 root
}

one_round() {
	w="$round, $b"

	# CVE-2024-21626, CVE-2016-9962: a working directory that is a descriptor of whoever starts the command.
	reached=
	for n in 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
		out=$(exec 9<victim; said -C "/proc/self/fd/$n" cat secret ../victim/secret)
		[ -z "$out" ] || reached="$reached $n"
	done
	is "$w: no descriptor of ours is a way out (CVE-2024-21626)" "$reached" ''
	for d in /proc/self/cwd /proc/self/root /proc/1/cwd /proc/1/root /proc/2/root /proc/thread-self/cwd/..; do
		[ -z "$(said -C "$d" cat "$tmp/victim/secret" victim/secret)" ] || reached="$reached $d"
	done
	is "$w: nor a link to another directory" "$reached" ''

	# CVE-2019-5736, CVE-2019-8308: overwriting the program that starts it, here one that the caller owns.
	rm -rf own
	who mkdir own
	who cp "$CARREL" own/carrel
	who chmod 755 own/carrel
	sum=$(cksum <own/carrel)
	cat >attack <<-'S'
		#!/bin/sh
		# Every executable that can be reached through /proc is opened for writing, again and again.
		i=0
		while [ $i -lt 50 ]; do
			for p in /proc/[0-9]* /proc/self /proc/thread-self; do
				{ echo overwritten >>"$p/exe"; } 2>/dev/null && [ "$(readlink "$p/exe")" != /usr/bin/dash ] &&
					echo "wrote to $p/exe"
				exec 7<"$p/exe" && { echo overwritten >>/proc/self/fd/7; } 2>/dev/null && echo "wrote to $p/exe by a descriptor"
				exec 7<&-
			done
			i=$((i + 1))
		done 2>/dev/null
	S
	chmod 755 attack
	who env -u CARREL_CONTROL own/carrel run -b "$b" --bind "$tmp/attack:/attack" /attack >out 2>&1
	is "$w: our program is not to be overwritten (CVE-2019-5736)" "$(cat out; cksum <own/carrel)" "$sum"
	# By executing itself: the command is a link to what executes it, a script whose interpreter is that, and
	# what it can do then to the processes that it makes of it.
	make_root
	ln -s /proc/self/exe root/self
	printf '#!/proc/self/exe run -- /attack\n' >root/script
	chmod 755 root/script
	cp attack root/attack
	for c in /self /script /proc/self/exe; do
		who env -u CARREL_CONTROL own/carrel run -b "$b" --root root --bind /usr --clear-env -t 20 \
			-- $c run -- /attack >out 2>&1
		is "$w: ... nor by executing it as $c" "$(grep wrote out; cksum <own/carrel)" "$sum"
	done

	# CVE-2019-16884, CVE-2019-19921, CVE-2023-27561: a root whose proc, tmp or home is a link.
	for d in proc tmp home dev; do
		make_root
		rmdir root/$d
		ln -s "$tmp/victim" root/$d
		inside --root root --bind /usr -c "echo bad >/$d/new; cat /$d/secret" >out
		case $(grep -v '^cat: ' out) in
		*secret*) fail "$w: a root whose /$d is a link out of it" "$(cat out)" ;;
		*) pass "$w: a root whose /$d is a link out of it" ;;
		esac
		victim "$w: ... /$d"
		# A link to the inside may be followed, but what it leads to is our own then.
		make_root
		rmdir root/$d
		mkdir root/real
		ln -s /real root/$d
		is "$w: ... or into it" "$(said --root root --bind /usr -c 'cat /proc/keys || echo hidden
			{ echo bad >/proc/sys/kernel/core_pattern; } || echo closed; cat /proc/sys/user/max_user_namespaces
			echo x >/dev/null; stat -c %F /dev/null')" 'hidden
closed
0
character special file'
	done
	# CVE-2025-31133: what masks is not the root's to choose.
	make_root
	ln -s /proc/sys/kernel/core_pattern root/dev/null
	is "$w: a root whose /dev/null is a knob (CVE-2025-31133)" \
		"$(inside --root root --bind /usr -c 'echo x >/dev/null; cat /proc/keys 2>/dev/null; stat -c %F /dev/null')" \
		'character special file'

	# CVE-2021-30465, CVE-2024-45310: a directory of the root becomes a link while we mount.
	make_root
	mkdir root/a root/swap root/a/deep
	ln -s "$tmp/victim" root/link
	swap "$tmp/root" a link
	i=0 bad=''
	while [ $i -lt "${RACES:-60}" ]; do
		out=$(inside --root root --bind /usr --tmpfs /a:64K --bind "$tmp/own:/a/deep" -c 'cat /a/secret 2>/dev/null; ls /a')
		case $out in *secret*) bad="$bad $out" ;; esac
		out=$(inside --root root --bind /usr --bind "$tmp/own:/a:rw" -c '{ echo x >/a/raced; } 2>/dev/null; cat /a/secret 2>/dev/null')
		case $out in secret*) bad="$bad $out" ;; esac
		i=$((i + 1))
	done
	kill "$swapper"
	wait "$swapper" 2>/dev/null
	is "$w: a race with a link in the root shows nothing of the host (CVE-2021-30465)" "$bad" ''
	victim "$w: ..."
	is "$w: ... and no mount came out" "$(cat /proc/self/mountinfo)" "$mounts_before"
	# The source is whatever the path meant at some moment, with the rights of the caller, and never half of it.
	rm -rf src
	mkdir src src/d
	echo mine >src/d/file
	ln -s "$tmp/locked" src/l
	mkdir locked
	echo secret >locked/file
	chmod 700 locked
	chmod -R a+rX src
	swap "$tmp/src" d l
	i=0 bad=''
	while [ $i -lt "${RACES:-60}" ]; do
		case $(inside --bind "$tmp/src/d:/data" cat /data/file) in
		mine | *'cannot show'* | *ermission* | *'No such'*) ;;
		# Root was asked to show it, and what is in there is still not to be entered inside.
		*) bad="$bad $i" ;;
		esac
		i=$((i + 1))
	done
	kill "$swapper"
	wait "$swapper" 2>/dev/null
	is "$w: a source that changes under us gives no more than the caller may see" "$bad" ''
	rm -rf locked

	# Set-user-id programs and file capabilities, in what is shown and in a root: both kinds are root's.
	if [ "$(id -u)" -eq 0 ]; then
		make_root
		mkdir -p shown
		for d in shown root; do
			cp "$TOOLS/inside" $d/suid
			cp "$(command -v id)" $d/id
			chown 0:0 $d/suid $d/id
			chmod 6755 $d/suid $d/id
		done
		is "$w: a set-user-id program does not (CVE-2022-29162)" "$(inside --bind "$tmp/shown:/s" -c '/s/id -u')" 65534
		is "$w: ... nor in a root" "$(inside --root root --bind /usr -c '/id -u')" 65534
		if setcap cap_sys_admin+ep shown/suid 2>/dev/null; then
			is "$w: nor do file capabilities" "$(inside --bind "$tmp/shown:/s" -c '/s/suid' | grep -c '^mount ok')" 0
		fi
		rm -r shown
	fi

	# CVE-2017-5226, CVE-2019-10063: the caller's terminal, shared or not.
	cat >typed.py <<-'P'
		import os, pty, sys, select
		pid, master = pty.fork()
		if pid == 0:
		    os.execvp(sys.argv[1], sys.argv[1:])
		seen = b""
		while select.select([master], [], [], 20)[0]:
		    try:
		        data = os.read(master, 4096)
		    except OSError:
		        break
		    if not data:
		        break
		    seen += data
		os.waitpid(pid, 0)
		sys.stdout.write(seen.decode().replace("\r", ""))
	P
	for stdio in share relay; do
		# shellcheck disable=SC2046 # words
		/usr/bin/python3 typed.py $(as) "$CARREL" run -b "$b" --stdio $stdio --bind "$TOOLS/inside:/inside" /inside >attempts 2>&1
		is "$w: nothing is typed into the caller's terminal, --stdio $stdio (CVE-2017-5226)" \
			"$(sed -n 's/^tiocsti[_high]* //p' attempts | grep -c -v '^E')" 0
		is "$w: ... both were tried" "$(grep -c '^tiocsti' attempts)" 2
	done

	# Signals to the init, and to all: what is not the task's lives on.
	is "$w: the init takes no signal from inside" "$(inside -c 'for s in KILL STOP TERM INT HUP SEGV ABRT; do
		[ $s = TERM ] || [ $s = INT ] || kill -$s 1 2>/dev/null; done; sleep 0.05; ps -o stat= -p 1 | cut -c1; echo on')" 'S
on'
	is "$w: ... nor does anybody outside" "$(inside -c 'trap "" TERM; kill -TERM -1 2>/dev/null; echo on'; ps -o comm= -p $$)" "on
$(ps -o comm= -p $$)"

	# A clean start, whatever the caller ignores and blocks.
	# shellcheck disable=SC2046 # words
	is "$w: signals are as they begin" "$(/usr/bin/python3 -c 'import os, signal, sys
for s in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGUSR1): signal.signal(s, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM})
os.execvp(sys.argv[1], sys.argv[1:])' $(as) "$CARREL" run -b "$b" grep -E '^Sig(Blk|Ign)' /proc/self/status | awk '{print $2}' | sort -u)" \
		0000000000000000

	# Memory that processes share by name.
	key=$(/usr/bin/python3 -c 'import ctypes; c = ctypes.CDLL(None); print(c.shmget(0x5eed, 4096, 0o1666))')
	is "$w: shared memory of the host is not there" "$(inside -c 'ipcs -m | grep -c 5eed; ls -A /dev/shm; ls /dev/mqueue 2>/dev/null' | tr '\n' ' ')" '0 '
	ipcrm -m "$key"

	# A symbolic link or a socket that an earlier task left where the next one writes.
	who mkdir -p keep
	chmod 777 keep
	inside --bind "$tmp/keep:/keep:rw" -c "ln -sf $tmp/victim/secret /keep/log; ln -sf /proc/self/fd/2 /keep/err"
	inside --bind "$tmp/keep:/keep:rw" -c 'echo bad >/keep/log' >out
	victim "$w: a link that was left behind"
	rm -rf keep

	# Where a cgroup could be told what to execute (CVE-2022-0492).
	is "$w: no cgroup is to be seen" "$(said -c 'ls -d /sys/fs/cgroup /sys; grep -- "- cgroup" /proc/self/mountinfo; find / -name release_agent 2>/dev/null')" ''
}

for round in root user; do
	[ "$(id -u)" -eq 0 ] || [ "$round" = user ] || continue
	[ "$(id -u)" -eq 0 ] || as_user() { "$@"; }
	for b in rootless container; do
		[ "$b" = rootless ] || { [ "$round" = root ] && [ "$(id -u)" -eq 0 ]; } || continue
		if [ "$round" = user ] && ! as_user unshare -U true 2>/dev/null; then
			skip "$round, $b" 'user namespaces are forbidden here'
			continue
		fi
		one_round
		rm -rf own root src attack out attempts typed.py
	done
done
is 'nothing of ours is set-user-id' "$(find "$CARREL" "$CARREL_CONTROL" "$CARREL_PORT" -perm /6000)" ''
is 'mounts are as they were' "$(cat /proc/self/mountinfo)" "$mounts_before"
finish
