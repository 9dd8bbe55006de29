#!/bin/sh
# SPDX-License-Identifier: ISC
# The behaviours that isolate: what a command sees and can do, as root and as an ordinary user, and that the host is
# the same before and after.  Hygiene: each class of mistakes that programs of this kind have made.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
chmod 777 "$tmp"

# What must be the same before and after.
host_state() {
	# The order of mounts, their ids and options; the hierarchy of cgroups; /tmp but for what others do there.
	cat /proc/self/mountinfo
	find "${cgroup:-/nonexistent}" -type d 2>/dev/null | sort
	find /tmp -maxdepth 1 -user 0 -name '*carrel*' ! -name 'carrel-*.??????' | sort
	find "$tmp" | sort
	hostname
	readlink /proc/self/ns/net
}

if ! "$CARREL" run -b rootless true 2>why; then
	echo "1..0 # SKIP no isolation here: $(cat why)"
	exit 0
fi
own_cgroup
host_state >before

# who COMMAND...: as the user of this round
who() { if [ "$round" = user ]; then as_user "$@"; else "$@"; fi; }
inside() { who "$CARREL" run -b "$b" "$@" 2>&1; }
# ... without its errors
said() { who "$CARREL" run -b "$b" "$@" 2>/dev/null; }

# attempt NAME WORDS...: what came of it
attempt() { sed -n "s/^$1 //p" attempts; }
# refused WHAT NAME: nothing but an error will do
refused() {
	case $(attempt "$2") in E*) pass "$1" ;; *) fail "$1" "$2: $(attempt "$2")" ;; esac
}
# answered WHAT NAME ANSWER: by the system call policy, with exactly that
answered() { is "$1" "$(attempt "$2")" "$3"; }

one_round() {
	w="$round, $b:"

	# From the documentation of the originals.
	is "$w id -u" "$(inside -c 'id -u')" 65534
	is "$w loopback alone, and up" "$(inside -c 'ip -br addr show' | awk '{print $1, $2, $3}')" 'lo UNKNOWN 127.0.0.1/8'
	inside -c 'ip --oneline -4 addr show dev lo' >/dev/null
	is "$w one interface" "$?" 0
	is "$w the host's network" "$(inside --net host -c 'ip --oneline -4 addr show dev lo')" \
		"$(ip --oneline -4 addr show dev lo)"
	is "$w our init is shown first" "$(inside -c pstree)" 'carrel:init---sh---pstree'
	is "$w echo" "$(inside /bin/echo test)" test
	is "$w stdout and stderr" "$(who "$CARREL" run -b "$b" -c 'echo hello; echo world >&2' 2>/dev/null)" hello
	is "$w input" "$(echo hello | inside sed 's/hello/bye/')" bye
	like "$w chosen ids" "$(inside --uid 65578 -c id)" 'uid=65578* gid=65578* groups=65578*'
	like "$w user and group" "$(inside --uid 70001 --gid 70002 -c id)" 'uid=70001* gid=70002*'
	is "$w where it can write" "$(inside -c 'for d in / /usr /etc /dev /tmp /home /dev/shm; do
		{ echo >$d/x; } 2>/dev/null && printf "%s " $d; done')" '/tmp /home /dev/shm '
	is "$w a signal that ends it" "$(inside -c 'kill $$'; echo $?)" 143
	is "$w status" "$(inside -c 'exit 42'; echo $?)" 42
	is "$w killed" "$(inside -c 'kill -9 $$'; echo $?)" 137
	is "$w crashed" "$(inside -c 'ulimit -c 0; kill -SEGV $$'; echo $?)" 139
	is "$w not found" "$(inside nosuchcommand >/dev/null 2>&1; echo $?)" 127
	is "$w shown as bytes" "$(inside head -c 8388608 /dev/zero | wc -c)" 8388608
	is "$w where it is" "$(inside pwd)" /
	is "$w --chdir is inside" "$(inside -C /usr/share pwd)" /usr/share
	is "$w host name" "$(inside -c hostname)" carrel
	is "$w chosen host name" "$(inside --hostname desk.x -c hostname)" desk.x

	# The environment.
	is "$w environment" "$(SECRET=x TERM=dumb LANG=C.UTF-8 inside env | sort | tr '\n' ' ')" \
		'HOME=/home LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb '
	is "$w added to" "$(inside --clear-env -e A=1 /usr/bin/env)" A=1

	# Devices, in the form that shells and programs want.
	is "$w devices" "$(inside -c 'ls /dev | tr "\n" " "')" \
		'fd full null ptmx pts random shm stderr stdin stdout tty urandom zero '
	is "$w they work" "$(said -c 'echo x >/dev/null && head -c 2 /dev/urandom | wc -c; head -c 1 /dev/zero | wc -c
		echo y >/dev/full; echo $?' | tr '\n' ' ')" '2 1 1 '
	like "$w terminals can be made" "$(inside script -qec 'tty' /dev/null | tr -d '\r')" '/dev/pts/[0-9]*'

	# Descriptors and streams.
	is "$w descriptors" "$(exec 7</etc/passwd 9<"$tmp"; inside -c 'ls /proc/self/fd | tr "\n" " "')" '0 1 2 3 '
	echo data >input
	chmod 666 input
	is "$w stdin cannot be opened anew for writing" \
		"$(said -c 'cat; echo bad >/proc/self/fd/0' <input; cat input)" "data
data"
	: >output
	said -c 'cat </proc/self/fd/1; echo done' >>output
	is "$w stdout cannot be opened anew for reading" "$(cat output)" 'done'
	is "$w the streams are pipes of its own" "$(inside -c 'for f in 0 1 2; do readlink /proc/self/fd/$f; done' </dev/null |
		grep -c '^pipe:')" 3
	like "$w --stdio share is asked for" "$(inside --stdio share -c 'readlink /proc/self/fd/0' <input)" "*input*"
	is "$w as events" "$(inside --json -c 'cat' <input | head -n 1)" '{"event":"stdout","data":"data\n"}'

	# What is printed can be fed back.
	who "$CARREL" run -b "$b" --print-ops -c 'id -u; ls -d /home; exit 3' >program
	is "$w fed back" "$(who "$CARREL" run --stdio relay --ops program 2>&1; echo $?)" "65534
/home
3"

	# Processes.
	is "$w no zombies" "$(inside -c '(sleep 0.01 &) ; sleep 0.1; ps -o stat= ax | grep -c Z')" 0
	inside -c 'setsid sleep 4242 & (trap "" TERM HUP; sleep 4243) & exec sleep 0' >/dev/null
	is "$w nothing outlives" "$(pgrep -f '^sleep 424[23]' | tr '\n' ' ')" ''
	is "$w it sees its own processes" "$(inside -c 'ls /proc | grep -c "^[0-9]"')" 4
	is "$w a signal to its group stays there" "$(inside -c 'trap "" TERM; kill -TERM 0; echo on')" on

	# Host.
	is "$w no secrets" "$(said -c 'cat /etc/shadow; ls /root /var/log /sys /boot; cat /home/* /tmp/* /run/*')" ''
	is "$w users are its own" "$(inside -c 'cut -d: -f1,3 /etc/passwd | tr "\n" " "')" 'root:0 nobody:65534 '
	who mkdir -p "private-$round"
	chmod 700 "private-$round"
	is "$w the caller's directory is out of reach" \
		"$(cd "private-$round" && said -c 'ls -d ../private* /proc/self/cwd/.. ../../../tmp/carrel*')" \
		'/proc/self/cwd/..'

	# The kernel's files.
	is "$w no knob opens" "$(inside -c 'for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname \
		/proc/sys/vm/overcommit_memory /proc/sys/fs/file-max /proc/sysrq-trigger /proc/irq/default_smp_affinity \
		/proc/sys/kernel/modprobe /proc/sys/net/ipv4/ip_forward; do
		{ : >>$f; } 2>/dev/null && echo $f; done')" ''
	is "$w nothing hidden opens" "$(said -c 'for f in kcore keys timer_list kallsyms vmallocinfo slabinfo iomem \
		kpageflags sched_debug; do { : <"/proc/$f"; } 2>/dev/null && echo $f; done; cat /proc/acpi/* /proc/scsi/* /proc/driver/*')" ''
	is "$w what hides cannot be opened up" "$(said -c 'chmod 777 /proc/keys; cat /proc/keys')" ''
	is "$w every mount is restricted" "$(inside -c 'cat /proc/self/mountinfo' | awk '{print $5, $6}' |
		grep -v nosuid)" ''
	is "$w nothing that can be written can be executed" "$(inside -c 'cat /proc/self/mountinfo' | awk '{print $6, $5}' |
		grep '^rw' | grep -v -e noexec)" ''
	is "$w mounts belong to nobody else" "$(inside -c 'cat /proc/self/mountinfo' | grep -c -e shared: -e master:)" 0

	# Rights.
	is "$w no capability in any set" "$(inside -c 'grep -c "^Cap.*:.0000000000000000$" /proc/self/status')" 5
	is "$w no new privileges" "$(inside -c 'grep NoNewPrivs /proc/self/status | cut -f2')" 1
	is "$w none for user 0 either" "$(inside --uid 0 -c 'id -u; grep -c "^Cap.*:.0000000000000000$" /proc/self/status
		mount -t tmpfs x /tmp 2>/dev/null || echo no' | tr '\n' ' ')" '0 5 no '
	who "$TOOLS/inside" -h sh -c '"$@" $WORDS' sh "$CARREL" run -b "$b" --bind "$TOOLS/inside:/inside" /inside \
		>attempts 2>&1
	for name in mount remount umount cgroup cgroup2 fsopen open_tree mount_setattr pivot_root chroot mknod; do
		refused "$w $name" "$name"
	done
	for name in setgroups setuid unshare_user clone_user clone3_user unshare_mounts setns; do
		refused "$w $name" "$name"
	done
	for name in kexec_load init_module swapon acct open_by_handle_at packet raw; do
		refused "$w $name" "$name"
	done
	for name in ptrace_init read_init init_exe init_root init_cwd init_fd init_mem init_environ; do
		refused "$w $name" "$name"
	done
	for name in tty tiocsti tiocsti_high tioclinux kill abstract port; do refused "$w $name" "$name"; done
	if [ -n "$(attempt key)" ]; then refused "$w key" key; else skip "$w key" 'no keyrings here'; fi
	for name in bpf perf userfaultfd add_key keyctl syslog iopl; do answered "$w $name" "$name" EPERM; done
	for name in io_uring clone3_user; do answered "$w $name" "$name" ENOSYS; done
	for name in vsock alg packet netfilter rxrpc pfkey xfrm; do answered "$w $name" "$name" EAFNOSUPPORT; done
	answered "$w kernel TLS" ktls ENOENT
	answered "$w filter" filter on
	answered "$w foreign" foreign killed
	who "$TOOLS/inside" -h sh -c '"$@" $WORDS' sh "$CARREL" run -b "$b" --net host --bind "$TOOLS/inside:/inside" \
		/inside >attempts 2>&1
	if [ "$(attempt port)" != ok ]; then
		fail "$w the host's network has its ports" "$(attempt port)"
	else
		pass "$w the host's network has its ports"
	fi
	# Abstract sockets are the network's; Landlock keeps them away since Linux 6.12.
	case $(attempt abstract) in
	E*) pass "$w abstract sockets of the host's network" ;;
	*) echo "not ok $((tests += 1)) - $w abstract sockets of the host's network # TODO an old kernel" ;;
	esac

	# Limits.
	like "$w processes are limited" "$(inside --rlimit nproc=20 -c 'i=0
		while [ $i -lt 60 ]; do sleep 1 & i=$((i + 1)); done')" '*Cannot fork*'
	is "$w ... by default too" "$(inside -c 'grep processes /proc/self/limits' | awk '{print $3, $4}')" '4096 4096'

	is "$w ... never more than the caller's own" \
		"$(who prlimit --nproc=900:900 "$CARREL" run -b "$b" -c \
		'grep processes /proc/self/limits' 2>&1 | awk '{print $3, $4}')" '900 900'

	# Files that were asked for.
	mkdir -p shown/sub
	chmod 777 shown
	rm -f shown/new shown/sub/new
	echo content >shown/file
	is "$w a bind is read-only" "$(inside --bind "$tmp/shown:/data" -c 'cat /data/file; { echo >/data/new; } 2>/dev/null ||
		echo no')" "content
no"
	is "$w unless it is asked for" "$(inside --bind "$tmp/shown:/a/b/c:rw" -c 'echo x >/a/b/c/new'; cat shown/new)" x
	is "$w at the same path" "$(inside --bind "$tmp/shown" cat "$tmp/shown/file")" content
	is "$w relative" "$(inside --bind shown:/home/x cat /home/x/file)" content
	is "$w a file" "$(inside --bind shown/file:/etc/shown cat /etc/shown)" content
	is "$w a directory in memory" "$(said --tmpfs /cache:16K -c 'head -c 99999 /dev/zero >/cache/x; wc -c </cache/x')" 16384
	is "$w from which is executed" "$(inside --tmpfs /tmp:1M:exec -c 'cp /bin/echo /tmp/e; /tmp/e yes')" yes
	is "$w /tmp is not" "$(said -c 'cp /bin/echo /tmp/e; /tmp/e yes'; echo $?)" 126
	mkdir -p hidden
	echo deep >hidden/file
	is "$w many binds" "$(set --; i=0; while [ $i -lt 48 ]; do set -- "$@" --bind "$tmp/shown:/d/$i"; i=$((i + 1)); done
		inside "$@" -c 'cat /d/*/file | wc -l')" 48

	# A root that somebody else wrote: links in it stay in it.
	rm -rf root victim
	mkdir -p root/bin root/real root/proc root/tmp victim
	chmod 777 victim
	ln -s "$tmp/victim" root/dev
	cp "$STATIC" root/bin/carrel
	like "$w a root whose /dev is a link to the host" "$(inside --root root /bin/carrel version)" '*No such file*'
	is "$w ... nothing was made there" "$(ls -A victim)" ''
	rm root/dev
	mkdir root/dev
	ln -s "$tmp/victim" root/link
	ln -s ../../../../../.."$tmp/victim" root/up
	for name in link up; do
		like "$w a bind on a link out of the root: $name" \
			"$(inside --root root --bind "shown:/$name" /bin/carrel version)" "*'/$name' is not in the root*"
		like "$w ... or below it" "$(inside --root root --tmpfs "/$name/x" /bin/carrel version)" '*No such file*'
	done
	ln -s /real root/inner
	# A sanitized one is not static and finds no loader there.
	[ -n "${SANITIZED-}" ] || like "$w a link that leads somewhere inside" \
		"$(inside --root root --bind "shown:/inner" /bin/carrel version)" 'carrel *'
	is "$w the victim is untouched" "$(ls -A victim)" ''
	ln -s "$tmp/victim" shown/out
	like "$w no mount point is made through a link in a bind" \
		"$(inside --bind "shown:/home/e:rw" --bind "shown:/home/e/out/y" true)" "*'/home/e/out/y' is not in*"
	is "$w the victim is still untouched" "$(ls -A victim)" ''
	rm shown/out
	for d in usr real dev proc tmp home; do mkdir -p "plain/$d"; done
	for d in bin lib lib64; do [ -L "plain/$d" ] || ln -s "usr/$d" "plain/$d"; done
	chmod 777 plain/real
	is "$w a root of one's own" "$(said --root plain --bind /usr --tmpfs /real:1M -c 'ls / | tr "\n" " "; id -u
		for d in / /usr /tmp /home /real; do { echo >$d/x; } && printf "%s " $d; done')" \
		'bin dev home lib lib64 proc real tmp usr 65534
/tmp /home /real '
	is "$w ... has nothing new" "$(find plain -type f)" ''
}

STATIC=$CARREL
for round in root user; do
	[ "$(id -u)" -eq 0 ] || [ "$round" = user ] || continue
	[ "$(id -u)" -eq 0 ] || as_user() { "$@"; }
	for b in rootless container; do
		[ "$round" = user ] && [ "$b" = container ] && continue
		[ "$(id -u)" -eq 0 ] || [ "$b" = rootless ] || continue
		one_round
	done
done

# Root's tasks: nobody outside.
if [ "$(id -u)" -eq 0 ]; then
	for b in rootless container; do
		mkfifo gate.$b
		setpriv --groups 4,24 "$CARREL" run -b $b --bind "$tmp:/shown" -c 'read x </shown/gate.'$b <gate.$b &
		job=$!
		exec 5>gate.$b
		n=0
		while pid=$(pgrep -f '^/bin/sh -c read x </shown') && [ -z "$pid" ] && [ $n -lt 100 ]; do
			sleep 0.05
			n=$((n + 1))
		done
		sleep 0.2
		pid=$(pgrep -f '^/bin/sh -c read x </shown' | head -n 1)
		like "$b: the user outside is nobody" "$(awk '/^Uid/ {print $2, $3, $4, $5}' "/proc/$pid/status")" '18[78]*'
		like "$b: the group outside is nobody" "$(awk '/^Gid/ {print $2, $3, $4, $5}' "/proc/$pid/status")" '18[78]*'
		is "$b: no groups outside" "$(sed -n 's/^Groups:[[:space:]]*//p' "/proc/$pid/status" | tr -d ' ')" ''
		for name in user mnt pid net ipc uts cgroup; do
			[ "$(readlink "/proc/$pid/ns/$name")" != "$(readlink "/proc/self/ns/$name")" ] ||
				fail "$b: own $name namespace"
		done
		echo >&5
		exec 5>&-
		wait "$job"
		rm gate.$b
	done
	mkdir -m 700 locked
	echo mine >locked/file
	chmod 644 locked/file
	b=container round=root
	is 'container: root shows what only root reaches' "$(inside --bind "$tmp/locked/file:/home/f" cat /home/f)" mine
	like 'container: needs root' "$(as_user "$CARREL" run -b container true 2>&1)" '*needs root; rootless does not'
	rm -r locked
fi

# What cannot be honoured is an error that names the option.
b=rootless round=root
wrong() {
	what=$1
	shift
	like "refused: $*" "$("$CARREL" run "$@" true 2>&1)" "*$what*"
}
wrong 'jails are FreeBSD' -b jail
wrong 'not one of process, rootless' -b nosuch
wrong 'neither none nor host, nor the path' -b rootless --net bridge
wrong 'process cannot honour net none' --net none
wrong 'process cannot honour hostname' --hostname x
wrong 'process cannot honour root' --root /
wrong 'process cannot honour binds' --bind /usr
wrong 'process cannot honour tmpfs' --tmpfs /x
wrong 'rootless cannot honour allow_setuid' -b rootless --setuid
wrong 'rootless cannot honour groups' -b rootless --groups 1
wrong 'rootless cannot honour uid auto' -b rootless --uid auto
wrong 'on_exit' -b rootless --on-exit keep
wrong 'absolute path' -b rootless -C here
wrong 'absolute path' -b rootless --bind usr
wrong 'own' -b rootless --bind /usr:/proc/x
wrong 'own' -b rootless --tmpfs /dev
wrong "cannot show '/nonexistent'" -b rootless --bind /nonexistent
wrong 'must have the directories' -b rootless --root /usr
wrong 'hostname' -b rootless --hostname 'a b'
wrong 'not of the form' -b rootless --bind /a:/b:/c
wrong 'size' -b rootless --tmpfs /x:lots

rm -rf shown root plain victim private-* hidden input output program attempts why
host_state >after
grep -v -e /before -e /after -e /why before >before.1
grep -v -e /before -e /after after >after.1
is 'the host is the same before and after' "$(diff before.1 after.1)" ''
finish
