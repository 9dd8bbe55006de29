#!/bin/sh
# SPDX-License-Identifier: ISC
# carrel doctor is right, wherever it looks, what it says to type works, and nothing is left of it.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
chmod 777 "$tmp"
unset CARREL_CONTROL
own_cgroup

# Inside of what is made here, where the folder of the build may not be seen.
cp "$CARREL" carrel
chmod 755 carrel
c=$tmp/carrel
me=$(id -u)
[ "$me" = 0 ] || { skip 'doctor' 'root makes the surroundings'; finish; }

# doctor ENVIRONMENT... : runs it there; its output is in $tmp/out (JSON), its status in $got
doctor() {
	"$@" "$c" doctor --json >out 2>err </dev/null
	got=$?
}
# fact NAME [MEMBER]: what the last one said
fact() {
	python3 - "$1" "${2:-state}" "$tmp/out" <<'P'
import json, sys
for line in open(sys.argv[3]):
    fact = json.loads(line)
    if fact.get('fact') == sys.argv[1]:
        print(fact.get(sys.argv[2], ''))
P
}
missing() { python3 -c 'import json, sys; print(" ".join(json.loads(open(sys.argv[1]).readlines()[-1])["missing"]))' out; }

# agrees WHAT ENVIRONMENT...: that what it says there of namespaces and behaviours is what happens there
agrees() {
	what=$1
	shift
	doctor "$@"
	for b in process rootless; do
		"$@" "$c" run -b "$b" /bin/true >/dev/null 2>&1 </dev/null && really=ok || really=no
		is "$what: $b is $really" "$(fact $b)" "$really"
	done
	for kind in mount pid net ipc uts cgroup time; do
		# util-linux knows another way to each of them.
		for how in '' --user; do
			if "$@" unshare $how --$kind --fork /bin/true 2>/dev/null; then really=ok; break; else really=no; fi
		done
		[ "$(fact $kind-namespace)" = "$really" ] || fail "$what: $kind-namespace" "$(cat out)"
	done
	"$@" unshare --user /bin/true 2>/dev/null && really=ok || really=no
	is "$what: user-namespace is $really" "$(fact user-namespace)" "$really"
	is "$what: the exit status follows" "$got" "$([ -z "$(missing)" ] && echo 0 || echo 1)"
}

agrees root
is 'root: everything is there' "$got $(missing)" '0 '
is 'root: container' "$(fact container) $(fact container needed)" 'ok True'
agrees user as_user
is 'user: everything is there' "$got $(missing)" '0 '
is 'user: container is for root' "$(fact container) $(fact container needed)" 'limited False'

# ------------------------------------------------------ what takes it away ---
# A switch: in a user namespace of the test's own, so that the machine stays as it is.
switch() {
	as_user unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh "$@"
}
agrees 'max_user_namespaces=0' switch
is 'max_user_namespaces=0: what is missing' "$got $(missing)" '1 rootless'
is 'max_user_namespaces=0: the switch' "$(fact user-namespace text)" user.max_user_namespaces=0
remedy=$(fact user-namespace remedy)
is '... and what to type' "$remedy" 'sysctl -w user.max_user_namespaces=15000'
switch sh -c "$remedy >/dev/null && exec $c doctor --json" >out 2>err
is '... which allows it' "$? $(fact user-namespace) $(fact rootless)" '0 ok ok'
switch "$c" doctor >text
is '... and people are told' "$(sed -n '/^Missing/p; /^To have/,/15000/p' text | tr -s ' \n' ' ')" \
	"Missing: rootless To have more: user-namespace: sysctl -w user.max_user_namespaces=15000 "
for kind in net pid mnt; do
	as_user unshare -Ur sh -c "echo 0 >/proc/sys/user/max_${kind}_namespaces; exec \"$c\" doctor --json" >out 2>err
	is "max_${kind}_namespaces=0" "$? $(fact "$(echo $kind | sed s/mnt/mount/)-namespace" remedy)" \
		"1 sysctl -w user.max_${kind}_namespaces=15000"
done

# A filter of somebody else's.
cat >filter <<'P'
default allow
errno ENOSYS clone3
errno EPERM unshare
errno EPERM clone if int0 has CLONE_NEWUSER
P
filtered() { as_user "$c" run --seccomp "$tmp/filter" -- "$@"; }
agrees 'a filter' filtered
is 'a filter: what is missing' "$got $(missing)" '1 rootless'
like 'a filter: it is named' "$(fact user-namespace text)" '*Operation not permitted*system call filter*'
is 'a filter: nothing here allows it' "$(fact user-namespace remedy)" ''

# Switches of other kernels: the file beside a filter that does what they do.
beside() {
	name=$1 value=$2
	shift 2
	unshare -m sh -c 'mount -t tmpfs none /proc/sys/kernel && echo "$1" >/proc/sys/kernel/$0; shift; exec "$@"' \
		"$name" "$value" "$@"
}
userns_clone() {
	beside unprivileged_userns_clone 0 setpriv --reuid "$user" --regid "$user" --clear-groups \
		"$c" run --seccomp "$tmp/filter" -- "$@"
}
doctor userns_clone
is 'unprivileged_userns_clone=0' "$got $(fact user-namespace text) $(fact user-namespace remedy)" \
	'1 kernel.unprivileged_userns_clone=0 sysctl -w kernel.unprivileged_userns_clone=1'
cat >rights <<'P'
default allow
errno EPERM mount fsopen open_tree
P
apparmor() {
	beside apparmor_restrict_unprivileged_userns 1 setpriv --reuid "$user" --regid "$user" --clear-groups \
		"$c" run --seccomp "$tmp/rights" -- "$@"
}
doctor apparmor
is "AppArmor's restriction" "$got $(fact user-namespace) $(fact tmpfs text) $(fact tmpfs remedy)" \
	'1 ok kernel.apparmor_restrict_unprivileged_userns=1 sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'
is '... and what follows' "$(fact rootless text)" 'needs tmpfs, proc-mount, mount-api'

# Rules that the kernel does not have, or was not started with.
printf 'default allow\nerrno EOPNOTSUPP landlock_create_ruleset\n' >without
doctor as_user "$c" run --seccomp without --
is 'Landlock is switched off' "$got $(fact landlock)" '0 no'
like '... and how to switch it on' "$(fact landlock remedy)" "$([ ! -r /sys/kernel/security/lsm ] || echo 'lsm=landlock,*')*"
doctor as_user
is 'Landlock: what the kernel says' "$(fact landlock text | sed 's/^ABI \([0-9]*\).*/\1/')" \
	"$(python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))')"

# /proc, of which a container covers parts.
masked() { unshare -m sh -c 'mount -t tmpfs none /proc/driver && exec setpriv --reuid "$0" --regid "$0" --clear-groups "$@"' "$user" "$@"; }
agrees 'masks' masked
is 'masks: what is missing' "$got $(missing) $(fact proc-mount)" '1 rootless no'
like 'masks: which' "$(fact proc-mount text)" '/proc/driver is covered*'

# Sandboxes: a carrel's, and bwrap's.
inside() { "$c" run -b container --bind "$tmp:$tmp" -- "$@"; }
agrees 'inside a container of carrel' inside
is 'inside a container of carrel: what is missing' "$got $(missing)" '1 rootless'
like '... who refuses' "$(fact user-namespace text)" '*the carrel around this one*'
is '... and nothing allows it' "$(fact user-namespace remedy)" ''
agrees 'inside rootless' as_user "$c" run -b rootless --bind "$tmp:$tmp" --
agrees 'inside process' as_user "$c" run --
as_user "$c" run --memory 99M true 2>/dev/null && really=ok || really=no
is "limits: memory is $really" "$(fact limit-memory)" "$really"
is 'inside process: everything is there' "$got $(missing)" '0 '
if command -v bwrap >/dev/null && as_user bwrap --unshare-all --ro-bind / / --dev /dev --proc /proc true 2>/dev/null; then
	agrees 'inside bwrap (user)' as_user bwrap --unshare-all --ro-bind / / --dev /dev --proc /proc
	agrees 'inside bwrap (root)' bwrap --unshare-all --ro-bind / / --dev /dev --proc /proc
else
	skip 'inside bwrap' 'it is not there, or does not work here'
fi
mkdir jail
jail() { unshare -m sh -c 'mount --rbind / jail/ && exec chroot jail "$@"' sh "$@"; }
jail true 2>/dev/null && doctor jail && is 'a chroot' "$(fact process)" ok

# ------------------------------------------------------------ other facts ---
doctor as_user sh -c 'ulimit -n 100; exec "$@"' sh
is 'few descriptors' "$got $(fact open-files) $(fact open-files remedy)" '0 limited ulimit -Hn 1024'
doctor as_user sh -c 'ulimit -Sn 100; exec "$@"' sh
is '... that the user may raise' "$(fact open-files remedy)" "ulimit -Sn $(as_user sh -c 'ulimit -Hn')"
cat >hoard.py <<'P'
import os, resource, subprocess, sys
# A quota of a user's own: pipes of 1 MiB until new ones are small.
import fcntl
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
kept = []
for i in range(4000):
    p = os.pipe()
    kept.append(p)
    if fcntl.fcntl(p[0], 1032) < 65536:
        break
    try:
        fcntl.fcntl(p[0], 1031, 1 << 20)
    except PermissionError:
        pass
sys.exit(subprocess.run(sys.argv[1:]).returncode)
P
doctor setpriv --reuid 23456 --regid 23456 --clear-groups "$([ -x /usr/bin/python3 ] && echo /usr/bin/python3 || echo python3)" hoard.py
soft=$(cat /proc/sys/fs/pipe-user-pages-soft)
is 'a user with too many pipes' "$got $(fact pipes) $(fact pipes remedy)" \
	"0 limited sysctl -w fs.pipe-user-pages-soft=$((soft * 4))"
doctor unshare -m sh -c 'mount --bind /dev/null /dev/ptmx && exec "$@"' sh
is 'no terminals' "$got $(fact terminals)" '0 no'

# Ranges of ids: files of our own in the place of the system's.
: >subuid
: >subgid
ranges() { unshare -m sh -c 'mount --bind subuid /etc/subuid && mount --bind subgid /etc/subgid && exec "$@"' sh "$@"; }
nobody() { ranges setpriv --reuid nobody --regid nogroup --clear-groups "$@"; }
if [ -u /usr/bin/newuidmap ] && touch -c /etc/subuid /etc/subgid && [ -e /etc/subuid ]; then
	doctor nobody
	is 'no range of ids' "$(fact id-ranges) $(fact id-ranges remedy)" \
		"limited echo 65534:100000:65536 | tee -a /etc/subuid /etc/subgid"
	ranges sh -c "$(fact id-ranges remedy)" >/dev/null
	doctor nobody
	is '... and what to type allows it' "$(fact id-ranges) $(fact id-ranges text | cut -d, -f1)" 'ok 65536 ids of /etc/subuid'
	doctor nobody setpriv --no-new-privs
	like '... but for a process without new privileges' "$(fact id-ranges) $(fact id-ranges text)" 'limited*no_new_privs*'
else
	skip 'ranges of ids' 'newuidmap is not installed'
fi

# Cgroups that are not ours, until what it says has been typed.
if [ -n "$cgroup" ]; then
	rm -f out
	as_user sh -c "\"$c\" doctor --json >out; echo >told; while [ ! -e typed ]; do sleep 0.05; done
		\"$c\" doctor --json >again; \"$c\" run --pids 9 sh -c 'ulimit -t 9; echo ran' >ran 2>&1" &
	pid=$!
	i=0
	while [ ! -e told ] && [ $i -lt 400 ]; do sleep 0.05; i=$((i + 1)); done
	is 'a cgroup that is not ours' "$(fact cgroup-v2) $(fact reaping text | cut -d';' -f1)" 'limited reaper'
	limited=$(fact limit-pids)
	v1=$(fact cgroup-v1 remedy)
	[ -z "$v1" ] || is 'no limits by it' "$limited" no
	sh -c "$(fact cgroup-v2 remedy)"
	[ -z "$v1" ] || sh -c "$v1"
	: >typed
	wait $pid
	cp again out
	like '... and what to type makes it so' "$(fact reaping text)" 'reaper+cgroup*'
	[ -z "$v1" ] || is '... and limits' "$(fact cgroup-v1) $(fact limit-pids) $(fact limit-memory) $(cat ran)" 'ok ok ok ran'
	find /sys/fs/cgroup -depth -type d -name "user-$user" -exec rmdir {} + 2>/dev/null
	is 'the cgroups are empty again' "$(find /sys/fs/cgroup -type d -name "user-$user")" ''
else
	skip 'a cgroup that is not ours' 'no cgroup v2 can be had here'
fi

# ---------------------------------------------------------------- helpers ---
"$c" doctor --json --helper /nonexistent >out 2>err
is 'no control process' "$? $(fact helper) $(fact process)" '1 no no'
like '... and why' "$(fact helper text)" "*'/nonexistent'*No such file*"
"$c" doctor --json --helper "$(dirname "$CARREL")/carrel-control" >out 2>err
is 'one of its own' "$? $(fact helper)" '0 ok'
like '... and whose privileges it has' "$(fact helper text)" "*carrel-control, with the caller's privileges"

# ------------------------------------------------------------------ words ---
status 'an option that is none' 2 "$c" doctor --nonesuch
status 'a word' 2 "$c" doctor word
like '... is refused by name' "$(cat err)" '*doctor takes no "word"*'
status 'help' 0 "$c" doctor --help
like '... of both kinds' "$(cat out)" '*--json*'
"$c" help doctor | cmp -s - out || fail 'carrel help doctor' "$(cat out)"
"$c" doctor --json >/dev/full 2>err
is 'a full disk' "$?" 125
as_user "$c" doctor -v >text
is 'a line a fact' "$(sed '/^$/,$d; /^ /d' text | grep -cv '^[a-z0-9-]*  *\(ok\|limited\|no\)  *[^ ]')" 0
is '... and what was tried' "$(grep -c 'mkdir(.*Permission denied' text)" "$([ ! -d /sys/fs/cgroup/pids ] && echo 0 || echo 1)"

# ----------------------------------------------------------- nothing left ---
before=$(cat /proc/self/mountinfo; ls / /dev/shm /dev/mqueue 2>/dev/null)
ours() { ps -eo pid=,args= | awk -v c="$c" '$2 == c || $2 ~ /^carrel-control/ && index($0, c)'; }
for n in 3 4 5 6 8 10 12 16 24; do
	sh -c "ulimit -n $n; exec \"$c\" doctor --json" >out 2>err
	got=$?
	case $got in 0 | 1 | 125) ;; *) fail "with $n descriptors" "status $got" "$(cat err)" ;; esac
done
pass 'few descriptors, and an answer'
i=0
while [ $i -lt 40 ]; do
	"$c" doctor >/dev/null 2>&1 &
	pid=$!
	sleep "0.0$((i % 10))"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	i=$((i + 1))
done
i=0
while [ -n "$(ours)" ] && [ $i -lt 100 ]; do sleep 0.05; i=$((i + 1)); done
is 'no process is left, of those that were killed neither' "$(ours)" ''
is 'no mount and no file' "$(cat /proc/self/mountinfo; ls / /dev/shm /dev/mqueue 2>/dev/null)" "$before"
left=$(find /sys/fs/cgroup -name 'carrel-doctor-*' 2>/dev/null; cgroups_left)
is 'no cgroup' "$left" ''
finish
