#!/bin/sh
# SPDX-License-Identifier: ISC
# A task in namespaces of its own, by programs written by hand: as root and as an ordinary user.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
chmod 777 "$tmp"
own_cgroup
mounts_before=$(cat /proc/self/mountinfo)

std='task setsid()
task reset_signals([])
task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}])'
all='clone_newns, clone_newpid, clone_newnet, clone_newipc, clone_newuts, clone_newcgroup'

# sh_text TEXT: the operation that runs a shell's text, which is in a file then
sh_text() {
	printf '%s\n' "$1" >"$tmp/text.sh"
	chmod 644 "$tmp/text.sh"
	printf '%s\ntask exec("/bin/sh", ["sh", "%s"], env, "")\n' "$std" "$tmp/text.sh"
}

# ops TEXT OPERATION...: a program with these operations, and a shell's text as the command
ops() {
	text=$1
	shift
	printf '%s\n' "$@" >"$tmp/ops"
	sh_text "$text" >>"$tmp/ops"
}

# inside TEXT [OPERATION...]: the same with everything new, a map, and a /proc
inside() {
	text=$1
	shift
	ops "$text" "outside clone([clone_newuser, $all]) slot 1" "$map" \
		'init mount("proc", "/proc", "proc", [], "", "")' "$@"
}

run() {
	# shellcheck disable=SC2086 # words
	$prefix "$CARREL" run --ops "$tmp/ops" "$@" </dev/null 2>&1
}

# begin ARG...: carrel run in the background, in $pid, once its command has said "ready"
begin() {
	rm -f out
	# shellcheck disable=SC2086 # words
	$prefix "$CARREL" run --ops "$tmp/ops" "$@" >out 2>err </dev/null &
	pid=$!
	i=0
	while ! grep -q ready out 2>/dev/null && [ "$i" -lt 100 ]; do sleep 0.05; i=$((i + 1)); done
}
below() { for c in $(cat /proc/"$1"/task/*/children 2>/dev/null); do echo "$c"; below "$c"; done; }
named() { for c in $(below "$pid"); do [ "$(cat /proc/"$c"/comm 2>/dev/null)" != "carrel:$1" ] || echo "$c"; done; }
field() { awk -v name="$2:" '$1 == name {print $2}' "/proc/$1/status"; }

tests_of() {
	kinds='user mnt pid net ipc uts cgroup time'
	for kind in $kinds; do
		case $kind in mnt) flag=clone_newns ;; *) flag=clone_new$kind ;; esac
		[ -e "/proc/self/ns/$kind" ] || { skip "$who: $kind" 'not in this kernel'; continue; }
		theirs=$(readlink "/proc/self/ns/$kind")
		ops "readlink /proc/self/ns/$kind" "outside clone([clone_newuser, $flag]) slot 1" "$map"
		# Without a new /proc a process of another PID namespace is not in the old one as itself.
		[ "$kind" != pid ] || ops 'echo $$ $PPID' "outside clone([clone_newuser, $flag]) slot 1" "$map"
		got=$(run)
		case $kind.$got in
		pid.'2 1') pass "$who: $kind" ;;
		"$kind.$kind:["*) if [ "$got" != "$theirs" ]; then pass "$who: $kind"; else fail "$who: $kind" "$got"; fi ;;
		*) fail "$who: $kind" "$got" ;;
		esac
	done
	inside 'echo $$ $PPID; hostname; cat /proc/1/comm; ls /proc | grep -c "^[0-9]*$"; ls /mnt | wc -l
		echo $(cat /proc/self/uid_map) $(cat /proc/self/gid_map) $(cat /proc/self/setgroups)' \
		'init sethostname("carrel-inside")' 'init mount("none", "/mnt", "tmpfs", [nosuid, ms_nodev], "size=65536", "")'
	is "$who: what is seen inside" "$(run | tr '\n' ' ')" "2 1 carrel-inside carrel:init 4 0 0 $id 1 0 $id 1 deny "
	is "$who: the host name outside" "$(hostname)" "$hostname"
	inside 'ls /proc/self/fd | tr "\n" " "; readlink /proc/1/exe /proc/1/cwd /proc/1/fd/3; true'
	# ls has the directory open as 3.
	is "$who: nothing but 0, 1 and 2, and no look at the init" "$(run | tr '\n' ' ')" '0 1 2 3 '
	printf 'from outside\n' >note
	inside 'cat <&7' "task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}, {7, {slot, 3}}])"
	sed -i "1ioutside open(\"$tmp/note\", [o_rdonly], 0) slot 3" ops
	sed -i '/^task dup_fds.*stderr}}])$/d' ops
	is "$who: what was opened before clone is there behind it" "$(run)" 'from outside'

	inside true "before mkdir(\"$tmp/a\", 493)" "outside mkdir(\"$tmp/a/b\", 493)" "init rmdir(\"$tmp/a/b\")" \
		"task rmdir(\"$tmp/a\")"
	status "$who: places follow each other" 0 $prefix "$CARREL" run --ops ops
	ops 'exit 5' "before mkdir(\"$tmp/a\", 493)" "outside mkdir(\"$tmp/a/b\", 493)" "init rmdir(\"$tmp/a/b\")" \
		"after rmdir(\"$tmp/a\")"
	status "$who: ... without namespaces too" 5 $prefix "$CARREL" run --ops ops
	is "$who: ... and after" "$(ls -d a 2>/dev/null)" ''

	# after: once, whatever happens
	once="after open(\"$tmp/log\", [o_wronly, o_creat, o_append], 438) slot 9
after write({slot, 9}, \"x\")"
	after() {
		what=$1 wanted=$2
		shift 2
		rm -f log
		run "$@" >out
		got=$?
		is "$who: after: $what" "$got $(cat log)" "$wanted x"
	}
	inside 'exit 3' "$once"
	after 'a command that ends' 3
	inside 'sleep 50 & exit 3' "$once"
	after 'one that leaves something' 3
	inside 'sleep 50' "$once"
	after 'a time limit' 124 -t 0.3
	inside 'trap "" TERM; while :; do sleep 1; done' "$once"
	after 'a time limit that takes two steps' 124 -t 0.3 -k 0.2
	for place in before outside init task; do
		inside true "$once" "$place chdir(\"/nonexistent\")"
		sed -i "/^task setsid/d" ops
		after "an operation of $place that fails" 125
		like "$who: ... and its name" "$(cat out)" "*$place chdir(\"/nonexistent\"): No such file or directory*"
	done
	inside true "$once"
	sed -i 's/deny/never/' ops
	after 'a map that the kernel refuses' 125
	like "$who: ... and its name" "$(cat out)" '*outside id_map({slot, 1}, "never", *: Invalid argument*'
	inside true "$once"
	sed -i 's|"/bin/sh"|"/nonexistent"|' ops
	after 'a command that is not there' 127
	ops true 'outside clone([16])' "$once"
	after 'namespaces that there are not' 125
	like "$who: ... and its name" "$(cat out)" '*outside clone(\[16]): Invalid argument*'
	for role in init super guard; do
		inside 'echo ready; sleep 50' "$once"
		rm -f log
		begin
		kill -KILL "$(named "$role")"
		wait "$pid"
		i=0
		while [ ! -e log ] && [ "$i" -lt 40 ]; do sleep 0.05; i=$((i + 1)); done
		is "$who: after: $role killed" "$(cat log)" x
	done

	# The init
	inside '(setsid sh -c "sleep 55 & sleep 0.2; exit" &); sleep 0.5; ps -o ppid= -C sleep | sort -u | tr -d " " ; exit 4'
	run -v >out
	is "$who: orphans are the init's" "$? $(grep -v "^carrel: " out)" '4 1'
	like "$who: ... and are named" "$(cat out)" '*killed 1 leftover: sleep (*'
	is "$who: ... and killed" "$(ps -eo args | grep -c '[s]leep 55')" 0
	inside 'i=0; while [ $i -lt 20 ]; do setsid sleep 55 & i=$((i + 1)); done; sleep 0.5; exit 0'
	like "$who: all are counted" "$(run -v)" '*killed 20 leftovers:*'
	inside 'kill -TERM 1; sleep 0.1; kill -KILL 1; kill -STOP 1; sleep 0.1; echo alive'
	sed -i 's/kill -TERM 1; //' text.sh
	is "$who: the init is not to be killed from inside" "$(run)" alive
	inside 'trap "echo term; exit 6" TERM; echo ready; while :; do sleep 0.05; done'
	begin
	kill -TERM "$pid"
	wait "$pid"
	is "$who: TERM to carrel reaches the command" "$? $(tail -n 1 out)" '6 term'
	begin
	kill -TERM "$(named init)"
	wait "$pid"
	is "$who: and TERM to the init" "$? $(tail -n 1 out)" '6 term'
	begin
	kill -STOP "$(named init)"
	kill -TERM "$pid"
	wait "$pid"
	is "$who: an init that was stopped goes on" "$? $(tail -n 1 out)" '6 term'
	inside 'trap "" TERM; echo ready; while :; do sleep 0.05; done'
	begin -k 0.2
	kill -TERM "$pid"
	wait "$pid"
	is "$who: what ignores it is killed" $? 137
	begin -t 0.3 -k 0.2
	kill -STOP "$(below "$(named init)" | head -n 1)"
	wait "$pid"
	is "$who: a deadline ends what is stopped" $? 124
	inside 'echo ready; sleep 50'
	begin
	kill -KILL "$(named init)"
	wait "$pid"
	is "$who: an init that was killed ends the tree" "$? $(ps -eo args | grep -c '[s]leep 50$')" '125 0'
	like "$who: ... and that is said" "$(cat err)" '*carrel: *'
	python3 - $prefix "$CARREL" run --ops "$tmp/ops" <<'P' >stops
import os, subprocess, sys, time
p = subprocess.Popen(sys.argv[1:], process_group=0, stdout=subprocess.DEVNULL) if sys.version_info >= (3, 11) else \
    subprocess.Popen(sys.argv[1:], preexec_fn=lambda: os.setpgid(0, 0), stdout=subprocess.DEVNULL)
time.sleep(0.3)
def below(pid):
    for t in os.listdir('/proc/%d/task' % pid):
        for c in open('/proc/%d/task/%s/children' % (pid, t)).read().split():
            yield int(c)
            yield from below(int(c))
def state(pid):
    return open('/proc/%d/stat' % pid).read().rsplit(')', 1)[1].split()[0]
init = [c for c in below(p.pid) if open('/proc/%d/comm' % c).read() == 'carrel:init\n'][0]
leader = [*below(init)][0]
def await_state(want):
    for i in range(60):
        if (state(p.pid) == 'T') == want:
            return
        time.sleep(0.05)
os.kill(leader, 19)
await_state(True)
print(state(p.pid) == 'T', state(leader))
os.kill(p.pid, 18)
await_state(False)
time.sleep(0.2)
print(state(p.pid) == 'T', state(leader) == 'T')
p.terminate()
print(p.wait())
P
	is "$who: a job that stops, and goes on" "$(tr '\n' ' ' <stops)" 'True T False False 143 '

	# Somebody else inside: the init too, which changes who it is before it makes files.
	kuid=$id
	[ "$who" = user ] || kuid=100000
	inside 'echo $$ $PPID $(id -u) $(stat -c %u /mnt/made /proc/1 /proc/1/fd); sleep 58 & sleep 0.3; echo ready; sleep 50' \
		'init setresgid(1000, 1000, 1000)' 'init setresuid(1000, 1000, 1000)' \
		'init mount("none", "/mnt", "tmpfs", [], "size=65536,mode=755", "")' 'init mkdir("/mnt/made", 493)'
	sed -i "s/id_map.*/id_map({slot, 1}, \"deny\", \"1000 $kuid 1\", \"1000 $kuid 1\")/" ops
	begin
	is "$who: another user inside" "$(head -n 1 out)" '2 1 1000 1000 1000 65534'
	is "$who: ... and outside" "$(stat -c %u "/proc/$(below "$(named init)" | head -n 1)")" "$kuid"
	kill -KILL "$(named reaper)"
	wait "$pid"
	is "$who: ... ends with its reaper" "$? $(ps -eo args | grep -c '[s]leep 58$')" '125 0'
	begin -k 0.2
	kill -TERM "$pid"
	wait "$pid"
	is "$who: ... gets signals" $? 143

	# A start that does not get on can be given up in any case.
	mkfifo fifo 2>/dev/null
	chmod 666 fifo
	for place in outside init task; do
		inside true "$once" "$place open(\"$tmp/fifo\", [o_rdonly], 0)"
		sed -i '/^task setsid/d' ops
		rm -f log
		# shellcheck disable=SC2086 # words
		$prefix "$CARREL" run --ops "$tmp/ops" >out 2>err </dev/null &
		pid=$!
		sleep 0.4
		guard=$(below "$pid" | head -n 1)
		kill -KILL "$pid"
		wait "$pid" 2>/dev/null
		i=0
		while [ -d "/proc/$guard" ] && [ "$i" -lt 100 ]; do sleep 0.05; i=$((i + 1)); done
		is "$who: killed while $place blocks" "$(ls -d "/proc/$guard" 2>/dev/null)" ''
		# A reaper that is blocked itself can only be killed.
		[ "$place" = outside ] || is "$who: ... and what comes after was done" "$(cat log)" x
	done

	# Without a PID namespace it is a parent as well.
	ops '(setsid sh -c "sleep 56 & sleep 0.2; exit" &); sleep 0.5; ps -eo ppid,args | sed -n "s/ sleep 56\$//p" | xargs -I@ cat /proc/@/comm; exit 4' \
		'outside clone([clone_newuser, clone_newns]) slot 1' "$map"
	run -v >out
	is "$who: no PID namespace: orphans are the init's" "$? $(grep -v "^carrel: " out)" '4 carrel:init'
	like "$who: ... and are named" "$(cat out)" '*killed 1 leftover: sleep (*'
	ops 'setsid sleep 56 & echo ready; sleep 56' 'outside clone([clone_newuser, clone_newns]) slot 1' "$map"
	begin
	kill -KILL "$(named init)"
	wait "$pid"
	is "$who: ... and its death is the tree's" "$? $(ps -eo args | grep -c '[s]leep 56$')" '125 0'

	# What it may do
	inside 'echo ready; sleep 50'
	begin
	sleep 0.2
	init=$(named init)
	is "$who: the init is locked" "$(field "$init" NoNewPrivs) $(field "$init" Seccomp) $(field "$init" CapEff) $(field "$init" CapPrm)" \
		'1 2 0000000000000000 0000000000000000'
	is "$who: ... has two descriptors" "$(ls "/proc/$init/fd" | wc -l)" 2
	is "$who: ... is not to be looked into" "$(stat -c %U "/proc/$init/mem")" root
	for call in 'execve str:/bin/true 0 0' 'socket 1 1 0' fork 'ptrace 16 2 0 0' 'mount 0 str:/ 0 4096 0' \
		'openat 4294967196 str:/new 64 420' 'unshare 131072' 'sethostname str:x 1'; do
		# shellcheck disable=SC2086 # words
		is "$who: ... ${call%% *} fails" "$("$TOOLS/stepper" inject --pid "$init" --call ${call} 2>&1 | sed -n 's/^ret=//p')" -1
	done
	is "$who: and the reaper" "$(field "$(named reaper)" Seccomp)" 2
	is "$who: the task is not" "$(field "$(below "$init" | head -n 1)" Seccomp)" 0
	kill "$pid"
	wait "$pid"
}

hostname=$(hostname)
for who in root user; do
	prefix='' id=0
	if [ "$who" = user ]; then
		prefix="setpriv --reuid $user --regid $user --clear-groups" id=$user
		if ! as_user unshare -U true 2>/dev/null; then
			skip 'as an ordinary user' 'user namespaces are forbidden here'
			continue
		fi
	fi
	map="outside id_map({slot, 1}, \"deny\", \"0 $id 1\", \"0 $id 1\")"
	tests_of
done

# As root there need not be a user namespace.
prefix='' who=root
ops 'cat /proc/self/mountinfo | grep -c " /mnt .*size=4k"; hostname' "outside clone([$all])" \
	'init mount("none", "/", "", [ms_rec, ms_private], "", "")' \
	'init mount("none", "/mnt", "tmpfs", [], "size=4096", "")' 'init sethostname("rooted")' \
	'init mount("proc", "/proc", "proc", [], "", "")'
is 'root without a user namespace' "$(run | tr '\n' ' ')" '1 rooted '

# Where it is forbidden.  The limit of a user namespace around everything, so that nobody else has it too.
ops true 'outside clone([clone_newuser, clone_newns]) slot 1'
unshare -Ur sh -c "echo 0 >/proc/sys/user/max_user_namespaces && exec '$CARREL' run --ops '$tmp/ops'" >out 2>&1
is 'forbidden by a limit' "$? $(cat out)" \
	"125 carrel: cannot run 'the command': user.max_user_namespaces=0 forbids namespaces: change that, run as root with -b container, or use -b process"
ops true 'outside clone([clone_newns]) slot 1'
as_user "$CARREL" run --ops ops >out 2>&1
is 'no rights without a user namespace' "$? $(cat out)" \
	"125 carrel: cannot run 'the command': outside clone([clone_newns]) slot 1: Operation not permitted"
if as_user unshare -U true 2>/dev/null; then
	mkdir -p jail
	mount --rbind / jail && mount --make-rprivate jail
	ops true 'outside clone([clone_newuser, clone_newns]) slot 1'
	chroot jail setpriv --reuid "$user" --regid "$user" --clear-groups "$CARREL" run --ops "$tmp/ops" >out 2>&1
	like 'forbidden in a chroot' "$? $(cat out)" '125 *a container, chroot or security module around carrel forbids namespaces: *'
	umount -R jail && rmdir jail
fi

# A kernel with the other switches: what carrel reads is what lies over the real ones.
fake() {
	unshare -m sh -c 'mount -t tmpfs none /proc/sys/kernel && echo "$2" >"/proc/sys/kernel/$1" && shift 2 && exec "$@"' sh "$@" >out 2>&1
}
ways='change that, run as root with -b container, or use -b process'
if as_user unshare -U true 2>/dev/null; then
	who=user map="outside id_map({slot, 1}, \"deny\", \"0 $user 1\", \"0 $user 1\")"
	# With something mounted over it, the kernel lets nobody mount another /proc; as if AppArmor had forbidden it.
	inside true
	fake apparmor_restrict_unprivileged_userns 1 setpriv --reuid "$user" --regid "$user" --clear-groups "$CARREL" run --ops "$tmp/ops"
	is 'forbidden by AppArmor' "$? $(cat out)" \
		"125 carrel: cannot run 'the command': kernel.apparmor_restrict_unprivileged_userns=1 forbids namespaces: $ways"
	fake apparmor_restrict_unprivileged_userns 0 setpriv --reuid "$user" --regid "$user" --clear-groups "$CARREL" run --ops "$tmp/ops"
	like 'not forbidden by it' "$? $(cat out)" '125 *init mount("proc", *: Operation not permitted*'
	mkdir -p jail
	mount --rbind / jail && mount --make-rprivate jail
	fake unprivileged_userns_clone 0 sh -c "mount --rbind /proc jail/proc; exec chroot jail setpriv --reuid $user --regid $user --clear-groups '$CARREL' run --ops '$tmp/ops'"
	is 'forbidden by the kernel' "$? $(cat out)" \
		"125 carrel: cannot run 'the command': kernel.unprivileged_userns_clone=0 forbids namespaces: $ways"
	umount -R jail && rmdir jail
fi

is 'mounts are as they were' "$(cat /proc/self/mountinfo)" "$mounts_before"
is 'no cgroup is left' "$(cgroups_left)" ''
finish
