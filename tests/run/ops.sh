#!/bin/sh
# SPDX-License-Identifier: ISC
# Operation programs: printed, fed back, written by hand, refused.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

# What a process can see of how it was started.
cat >look <<'L'
#!/bin/sh
echo "$@"; pwd; umask; ulimit -a; id
env | sort
cut -d' ' -f5,6,19 /proc/self/stat
grep -E '^(SigBlk|SigIgn|SigCgt|Cap|NoNew|Seccomp|Groups|Uid|Gid)' /proc/self/status
ls -l /proc/self/fd | awk '{print $9}'
L
chmod +x look
n=0
same() {
	n=$((n + 1))
	"$CARREL" run "$@" "$tmp/look" a 'b c' '"d\' </dev/null >direct 2>&1
	"$CARREL" run "$@" --print-ops "$tmp/look" a 'b c' '"d\' >program || return 1
	"$CARREL" run --ops program </dev/null >fed 2>&1
	if [ -s direct ] && cmp -s direct fed; then
		pass "fed back: $*"
	else
		fail "fed back: $*" "$(diff direct fed | head -20)" "$(cat program)"
	fi
}
same
same --uid 1234 --rlimit nofile=100:200 --umask 077 --priority 3
same --setuid -C /usr/bin/../..
same --groups 5,6 --gid 7
"$CARREL" run --print-ops --json true >own
like 'a stream of its own begins a session' "$(head -n 1 own)" 'task setsid()'
like 'a shared one joins the group' "$("$CARREL" run --print-ops true | head -n 1)" 'task setpgid(0, {host, group})'
is 'no new privileges is in the program' "$("$CARREL" run --print-ops true | grep -c no_new_privs)" 1
is 'and not with --setuid' "$("$CARREL" run --print-ops --setuid true | grep -c -e no_new_privs -e landlock)" 0

std='task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}])'
printf '# by hand\n\ntask chdir("/usr")\ntask getpid() slot 3\n%s\ntask exec("/bin/pwd", ["pwd"], [], "")\n' "$std" >hand
is 'written by hand' "$("$CARREL" run --ops hand)" /usr
is 'from standard input' "$("$CARREL" run --ops - <hand)" /usr
printf 'task open("/etc/hostname", [o_rdonly], 0) slot 1\ntask dup_fds([{0, {slot, 1}}, {1, {fd, stdout}}, {2, {fd, stderr}}])\ntask exec("cat", ["cat"], env, "/bin:/usr/bin")\n' >slots
is 'a result that a later operation uses' "$("$CARREL" run --ops slots)" "$(cat /etc/hostname)"
printf 'task chdir("/nonexistent") ignore\n%s\ntask exec("/bin/echo", ["echo", "on"], env, "")\n' "$std" >ignore
is 'an ignored error' "$("$CARREL" run --ops ignore)" on
printf 'init mkdir("%s/made", 493)\nafter rmdir("%s/made")\n%s\ntask exec("/bin/ls", ["ls", "-d", "%s/made"], env, "")\n' "$tmp" "$tmp" "$std" "$tmp" >places
is 'init runs before, after behind' "$("$CARREL" run --ops places; ls -d "$tmp/made" 2>/dev/null)" "$tmp/made"
# A request above 32 KiB comes in a memory file, which must be there until the end.
big=$(head -c 50000 /dev/zero | tr '\0' x)
printf 'init mkdir("%s/made", 493)\nafter rmdir("%s/made")\n%s\ntask exec("/bin/true", ["true", "%s"], env, "")\n' "$tmp" "$tmp" "$std" "$big" >places
is 'after runs behind a large program' "$("$CARREL" run --ops places 2>&1; [ ! -e "$tmp/made" ] || echo there)" ''
# run_ops LOOK OPERATION...: what the command LOOK says behind the operations
run_ops() {
	look=$1
	shift
	printf '%s\n' "$@" "$std" "task exec(\"/bin/sh\", [\"sh\", \"-c\", \"$look\"], [], \"\")" >calls
	"$CARREL" run --ops calls 2>&1
}
mounts="grep -c ' /mnt .*nosuid.*size=4k' /proc/self/mountinfo"
mount=$(printf '%s\n' 'task unshare([clone_newns])' 'task mount("none", "/", "", [ms_rec, ms_private], "", "")' \
	'task mount("none", "/mnt", "tmpfs", [nosuid, ms_nodev], "size=4096", "")')
is 'a mount in an own namespace' "$(run_ops "$mounts" "$mount")" 1
is 'and away again' "$(run_ops "$mounts" "$mount" 'task umount2("/mnt", [mnt_detach])')" 0
is 'nothing of it outside' "$(sh -c "$mounts")" 0
is 'a socket that the task does not get' "$(run_ops 'ls /proc/self/fd | wc -l' 'task socket(af_unix, sock_stream, 0)')" \
	"$(run_ops 'ls /proc/self/fd | wc -l' 'task getpid()')"
std='task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}, {7, {slot, 1}}])'
is 'and one that it gets' "$(run_ops 'readlink /proc/self/fd/7 | cut -c1-7' 'task socket(af_unix, sock_stream, 0) slot 1')" 'socket:'
bad() {
	printf '%s\n' "$2" >bad
	status "$1" 125 "$CARREL" run --ops bad
	like "$1: named" "$(cat err)" "$3"
}
bad 'a call that is none' 'task nosuch()' "*line 1: 'nosuch' is no call*"
bad 'a place that is none' 'somewhere getpid()' "*line 1: 'somewhere' is no place*"
bad 'too few arguments' 'task chdir()' '*operation 1*as many arguments*'
bad 'a wrong argument' 'task chdir(7)' '*operation 1, argument 1: expected a path*'
bad 'a constant that is none' 'task setrlimit(rlimit_nosuch, {alcove_rlimit, 1, 1})' '*operation 1, argument 1: expected a constant*'
bad 'a place that comes later' 'before getpid()' '*the place init, task or after*'
bad 'a call of the port' 'task getcwd()' '*line 1: getcwd is a call of the port, programs cannot make it*'
bad 'a call of the port, with its state' 'task fork()' '*fork is a call of the port*'
bad 'fcntl' 'task fcntl(9999, f_getfd, 0)' '*task fcntl(9999, f_getfd, 0): Bad file descriptor*'
bad 'ioctl' 'task ioctl({fd, stdout}, tiocsctty, 0)' '*task ioctl({fd, stdout}, tiocsctty, 0): *'
bad 'connect' 'task connect({fd, stdin}, "ab")' '*task connect({fd, stdin}, "ab"): *'
bad 'lseek' 'task lseek({fd, stdout}, 0, 99)' '*task lseek({fd, stdout}, 0, 99): *'
bad 'setns' 'task setns({fd, stdin}, clone_newns)' '*task setns({fd, stdin}, clone_newns): Invalid argument*'
bad 'umount' 'task umount("/nonexistent")' '*task umount("/nonexistent"): No such file or directory*'
bad 'pivot_root' 'task pivot_root("/nonexistent", "/")' '*No such file or directory*'
bad 'seccomp' 'task seccomp(seccomp_set_mode_filter, 99, [])' '*Invalid argument*'
bad 'a socket of no family' 'task socket(9999, sock_stream, 0)' '*task socket(9999, sock_stream, 0): *'
bad 'a call of another system' 'task jail_attach(1)' '*Function not implemented*'
bad 'no exec' 'task getpid()' '*no operation executes a command*'
bad 'a failing operation' 'task chdir("/nonexistent")' '*task chdir("/nonexistent"): No such file or directory*'
bad 'a failing operation of init' 'init mkdir("/proc/x", 0)' '*init mkdir("/proc/x", 0): *'
finish
