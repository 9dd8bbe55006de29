#!/bin/sh
# SPDX-License-Identifier: ISC
# The calls that isolation and new systems need: each in a program where it works, and where it fails.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
chmod 777 "$tmp"

std='task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}])'
# names: the calls of a program on standard input, but for those whose errors are ignored
names() {
	sed -n '/ ignore/!s/^[a-z]* \([a-z0-9_]*\)(.*/\1/p'
}
# without WHY CALL...: this kernel does not have them
without() {
	why=$1
	shift
	skip "$*" "$why"
	printf '%s\n' "$@" | tee -a worked >>failed_calls
}
# run_ops LOOK OPERATIONS [OPTION...]: what the shell text LOOK says behind the operations, in this folder.  When it
# says something, the operations have worked; what it says is for the caller to look at.
run_ops() {
	look=$1 ops=$2
	shift 2
	{
		printf 'task chdir("%s")\n%s\n%s\n' "$tmp" "$ops" "$std"
		printf 'task exec("/bin/sh", ["sh", "-c", "%s"], [], "")\n' "$look"
	} >program
	"$CARREL" run "$@" --ops program >said 2>&1 && names <program >>worked
	cat said
}
# bad OPERATIONS PATTERN: the last operation fails like this, and is the one that is named
bad() {
	last=$(printf '%s' "$1" | tail -n 1)
	got=$(run_ops true "$1")
	like "fails: $last" "$got" "*$2*"
	case $got in *"$last: "* | *argument*) printf '%s\n' "$last" | sed 's/ ignore.*//' | names >>failed_calls ;; esac
}

# Files below a directory.
mkdir dir other
ln -s "$tmp/other" dir/out
echo secret >other/secret
here="task openat(-100, \"dir\", [o_path, o_directory], 0) slot 1"
is openat "$(run_ops 'cat dir/new' "$here
task openat({slot, 1}, \"new\", [o_creat, o_wronly], 420) slot 2
task write({slot, 2}, \"text\")")" text
bad 'task openat(-100, "nosuch", [o_rdonly], 0)' 'No such file'
is 'mkdirat' "$(run_ops 'ls -d dir/sub' "$here
task mkdirat({slot, 1}, \"sub\", 493)")" dir/sub
bad 'task mkdirat(-100, "dir", 493)' 'File exists'
is 'ignoring one error, not another' "$(run_ops 'echo on' 'task mkdirat(-100, "dir", 493) ignore eexist')" on
bad 'task mkdirat(-100, "dir", 493) ignore enoent' 'File exists'
is mknodat "$(run_ops 'test -p dir/pipe && test -f dir/empty && echo both' "$here
task mknodat({slot, 1}, \"pipe\", 4516, 0)
task mknodat({slot, 1}, \"empty\", 33188, 0)")" both
bad 'task mknodat(-100, "dir", 33188, 0)' 'File exists'
is symlinkat "$(run_ops 'readlink dir/link' "$here
task symlinkat(\"to/where\", {slot, 1}, \"link\")")" to/where
bad 'task symlinkat("x", -100, "dir")' 'File exists'
is fchmod "$(run_ops 'stat -c %a dir/new' 'task openat(-100, "dir/new", [o_rdonly], 0) slot 1
task fchmod({slot, 1}, 384)')" 600
bad 'task fchmod(999, 384)' 'Bad file'
is fchdir "$(run_ops pwd 'task openat(-100, "dir/sub", [o_path, o_directory], 0) slot 1
task fchdir({slot, 1})')" "$tmp/dir/sub"
bad 'task openat(-100, "dir/new", [o_rdonly], 0) slot 1
task fchdir({slot, 1})' 'Not a directory'
is umask "$(run_ops 'umask' 'task umask(63)')" 0077
is 'umask answers the one that was' "$(run_ops 'umask' 'task umask(63)
task umask(18) slot 1
task umask({slot, 1})')" 0077
bad 'task umask(-1)' 'argument 1: expected an integer from 0'
bad 'task fchown(999, 1, 1)' 'Bad file'
is openat2 "$(run_ops 'cat <&0' "$here
task openat2({slot, 1}, \"new\", [o_rdonly], 0, [resolve_in_root]) slot 2
task dup_fds([{0, {slot, 2}}, {1, {fd, stdout}}, {2, {fd, stderr}}])
task exec(\"/bin/cat\", [\"cat\"], [], \"\")")" text
bad "$here
task openat2({slot, 1}, \"out/secret\", [o_rdonly], 0, [resolve_in_root])" 'No such file'
bad "$here
task openat2({slot, 1}, \"out/secret\", [o_rdonly], 0, [resolve_beneath])" 'ross-device link'
bad "$here
task openat2({slot, 1}, \"out\", [o_rdonly], 0, [resolve_no_symlinks])" 'ymbolic link'
is memfd_create "$(run_ops 'readlink /proc/self/fd/7' 'task memfd_create("text", [mfd_allow_sealing]) slot 2' |
	cut -c1-5)" ''
std='task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}, {7, {slot, 2}}])'
is 'memfd_create, passed on' "$(run_ops 'readlink /proc/self/fd/7' 'task memfd_create("text", []) slot 2')" \
	'/memfd:text (deleted)'
std='task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}])'
bad 'task memfd_create("text", [4096])' 'Invalid argument'
bad 'task close_range(9, 3, [])' 'Invalid argument'
is 'close_range, at exec' "$(run_ops 'ls /proc/self/fd | wc -l' 'task openat(-100, "dir", [o_rdonly], 0) slot 1
task close_range(3, 4294967295, [close_range_cloexec])
task fchmod({slot, 1}, 493)')" "$(run_ops 'ls /proc/self/fd | wc -l' 'task getpid()')"
std='task dup_fds([{0, {slot, 2}}, {1, {fd, stdout}}, {2, {fd, stdout}}, {9, {slot, 1}}])'
is 'dup_fds: numbers, and nothing else' "$(run_ops 'cat; cat <&9; ls /proc/self/fd | xargs' \
	'task openat(-100, "dir/new", [o_rdonly], 0) slot 1
task openat(-100, "other/secret", [o_rdonly], 0) slot 2
task socket(af_unix, sock_stream, 0) slot 3')" 'secret
text0 1 2 3 9'
std='task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}])'
bad 'task dup_fds([{0, {fd, stdin}}, {1, 999}])' 'Bad file'
bad 'task exec("nosuch", ["nosuch"], [], "/nowhere:/usr/bin")' 'No such file'
bad 'task exec("/etc/passwd", ["passwd"], [], "")' 'ermission denied'
# Its error names the command in place of the operation.
echo exec >>failed_calls
bad 'task openat(-100, "dir", [o_rdonly], 0) slot 1
task close_range(3, 4294967295, [])
task fchmod({slot, 1}, 493)' 'Bad file'

# Processes.
is 'pidfd_open and pidfd_send_signal' "$(run_ops 'echo alive' 'task getpid() slot 1
task pidfd_open({slot, 1}, []) slot 2
task pidfd_send_signal({slot, 2}, 0)')" alive
# The signal waits until it is not blocked any more.
run_ops 'echo alive' 'task getpid() slot 1
task pidfd_open({slot, 1}, []) slot 2
task pidfd_send_signal({slot, 2}, sigusr1)
task reset_signals([])' >said
is 'pidfd_send_signal arrives' "$(cat said)" ''
status 'and ends it' 138 "$CARREL" run --ops program
is reset_signals "$(run_ops 'grep -E ^Sig[BI] /proc/self/status | cut -f2 | xargs' 'task reset_signals([1, 15])')" \
	'0000000000000000 0000000000004001'
bad 'task reset_signals(sigterm)' 'argument 1: expected a list of ids'
bad 'task pidfd_open(0, [])' 'Invalid argument'
bad 'task pidfd_send_signal({fd, stdin}, sigterm)' 'Bad file'
is prlimit "$(run_ops 'ulimit -n' 'task prlimit(0, rlimit_nofile, {alcove_rlimit, 77, 77})')" 77
bad 'task prlimit(0, rlimit_nofile, {alcove_rlimit, 9, 8})' 'Invalid argument'
is sched_setaffinity "$(run_ops 'grep Cpus_allowed_list /proc/self/status | cut -f2' \
	'task sched_setaffinity(0, [0])')" 0
bad 'task sched_setaffinity(0, [])' 'Invalid argument'
bad 'task sched_setaffinity(0, [8192])' 'Invalid argument'
is ioprio_set "$(run_ops 'ionice' 'task ioprio_set(ioprio_who_process, 0, ioprio_class_be, 7)')" 'best-effort: prio 7'
bad 'task ioprio_set(ioprio_who_process, 0, 5, 0)' 'Invalid argument'
is 'personality, asked' "$(run_ops 'cat /proc/self/personality' 'task personality([addr_no_randomize]) slot 1
task personality([-1]) slot 2
task personality([uname26])')" 00020000
bad 'task personality([nosuch])' 'argument 1: expected a list of constants of the family personality'
is personality "$(run_ops 'cat /proc/self/personality' 'task personality([addr_no_randomize])')" 00040000
is 'poll finds what is there' "$(run_ops 'echo there' 'task memfd_create("x", []) slot 2
task poll({slot, 2}, [pollin], 0)')" there
bad 'task socket(af_unix, sock_dgram, 0) slot 2
task poll({slot, 2}, [pollin], 20)' 'timed out'
# A terminal of its own: the leader of a session takes it, and its group is in front.
cat >look <<'L'
cut -d' ' -f5-8 /proc/self/stat | awk '{ print ($3 != 0), ($1 == $4) }'
L
std='task setsid()
task controlling_terminal({fd, stdin})
task foreground({fd, stdin})
task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stdout}}])'
is 'controlling_terminal, foreground' "$(run_ops 'sh ./look' 'task getpid()' --pty | tr -d '\r')" '1 1'
std='task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}])'
bad 'task controlling_terminal(999)' 'Bad file'
bad 'task foreground(999)' 'Bad file'

# Taking rights away.
capabilities='grep -c ^Cap.*0000000000000000$ /proc/self/status'
is 'capset, drop_bounding, ambient_clear' "$(run_ops "$capabilities" 'task ambient_clear()
task drop_bounding([]) ignore eperm
task prctl(pr_set_securebits, 3, 0, 0, 0) ignore eperm
task capset([], [], [])')" "$([ "$(id -u)" -eq 0 ] && echo 5 || grep -c '^Cap.*0000000000000000$' /proc/self/status)"
bad 'task capset([cap_net_raw], [], [])' 'Operation not permitted'
bad 'task capset([64], [], [])' 'Invalid argument'
bad 'task drop_bounding([99])' 'Invalid argument'
bad 'task ambient_clear(1)' 'as many arguments'
if [ "$(id -u)" -eq 0 ]; then
	inherit='task capset([cap_kill, cap_setuid], [cap_kill, cap_setuid], [cap_kill])'
	is capset "$(run_ops 'grep CapInh /proc/self/status | cut -f2' "$inherit")" 0000000000000020
	ambient="$inherit
task prctl(pr_cap_ambient, 2, 5, 0, 0)"
	is 'an ambient capability' "$(run_ops 'grep CapAmb /proc/self/status | cut -f2' "$ambient")" 0000000000000020
	is ambient_clear "$(run_ops 'grep CapAmb /proc/self/status | cut -f2' "$ambient
task ambient_clear()")" 0000000000000000
	# A shell would give a user away that is not the real one.
	ids="$std
task exec(\"/bin/grep\", [\"grep\", \"-E\", \"^[UG]id\", \"/proc/self/status\"], [], \"\")"
	is 'setreuid, setregid' "$(run_ops '' "task setregid(0, 54321)
task setreuid(12345, 0)
$ids" | cut -f2-4 | xargs)" '12345 0 0 0 54321 54321'
	is 'setreuid leaves one as it is' "$(run_ops '' "task setregid(4294967295, 54321)
task setreuid(12345, 4294967295)
$ids" | cut -f2-4 | xargs)" '12345 0 0 0 54321 54321'
	user='task setresgid(12345, 12345, 12345)
task setresuid(12345, 12345, 12345)'
	bad "$user
task setreuid(0, 4294967295)" 'not permitted'
	bad "$user
task setregid(4294967295, 0)" 'not permitted'
	is 'setfsuid, setfsgid: files are theirs' "$(run_ops 'stat -c %u:%g made; id -u' 'task setfsgid(54321)
task setfsuid(12345)
task openat(-100, "made", [o_creat, o_wronly], 384)')" '12345:54321
0'
	chmod 600 other/secret
	bad 'task setfsuid(12345)
task openat(-100, "other/secret", [o_rdonly], 0)' 'ermission denied'
	chmod 644 other/secret
	bad "$user
task setfsuid(0)" 'not permitted'
	bad "$user
task setfsgid(0)" 'not permitted'
	bad "$user
task loopback_up()" 'not permitted'
	is 'all but a list' "$(run_ops 'grep CapBnd /proc/self/status | cut -f2' 'task drop_bounding([cap_chown, cap_kill])')" \
		0000000000000021
	bad 'task capset([], [], [])
task drop_bounding([])' 'Operation not permitted'
	bad 'task setresuid(12345, 12345, 12345)
task fchown({fd, stdin}, 1, 1)' 'Operation not permitted'
	is fchown "$(run_ops 'stat -c %u:%g dir/new' 'task openat(-100, "dir/new", [o_rdonly], 0) slot 1
task fchown({slot, 1}, 12345, 54321)')" 12345:54321
fi
if grep -q . /proc/keys 2>/dev/null; then
	# The keyring that it begins with is another one than ours.
	cat >ring.py <<'PY'
import ctypes, platform
number = {'x86_64': 250, 'aarch64': 219, 'riscv64': 219}[platform.machine()]
print(ctypes.CDLL(None).syscall(number, 0, -3, 1))
PY
	run_ops 'python3 ring.py; python3 ring.py' 'task keyctl_join_session()' >ring
	is 'keyctl_join_session: one keyring' "$(uniq ring | wc -l)" 1
	is 'which is not the one outside' "$(grep -cx "$(python3 ring.py)" ring)" 0
	bad 'task keyctl_join_session(1)' 'as many arguments'
else
	without 'no keyrings here' keyctl_join_session
fi
rules='task landlock_create_ruleset([landlock_access_fs_read_file], [], []) slot 1'
landlock=$(run_ops 'echo yes' "$rules")
if [ "$landlock" = yes ]; then
	is 'landlock allows' "$(run_ops 'cat dir/new; cat other/secret 2>/dev/null || echo no' "$rules
task openat(-100, \"/\", [o_path], 0) slot 2
task landlock_add_path({slot, 1}, {slot, 2}, [landlock_access_fs_read_file]) ignore
task landlock_create_ruleset([landlock_access_fs_write_file], [], []) slot 3
task prctl(pr_set_no_new_privs, 1, 0, 0, 0)
task landlock_restrict_self({slot, 1})")" textsecret
	bad "$rules
task landlock_add_path({slot, 1}, 999, [landlock_access_fs_read_file])" 'Bad file'
	bad "$rules
task openat(-100, \"dir\", [o_path], 0) slot 2
task landlock_add_path({slot, 1}, {slot, 2}, [landlock_access_fs_write_file])" 'Invalid argument'
	[ "$(id -u)" -ne 0 ] || bad "$rules
$user
task landlock_restrict_self({slot, 1})" 'not permitted'
	is 'landlock denies' "$(run_ops 'cat dir/new; cat other/secret 2>/dev/null || echo no' "$rules
task openat(-100, \"/usr\", [o_path], 0) slot 2
task landlock_add_path({slot, 1}, {slot, 2}, [landlock_access_fs_read_file])
task openat(-100, \"/bin\", [o_path], 0) slot 3
task landlock_add_path({slot, 1}, {slot, 3}, [landlock_access_fs_read_file])
task openat(-100, \"/lib\", [o_path], 0) slot 3
task landlock_add_path({slot, 1}, {slot, 3}, [landlock_access_fs_read_file])
task openat(-100, \"dir\", [o_path], 0) slot 3
task landlock_add_path({slot, 1}, {slot, 3}, [landlock_access_fs_read_file])
task prctl(pr_set_no_new_privs, 1, 0, 0, 0)
task landlock_restrict_self({slot, 1})")" textno
	rights='[landlock_access_fs_read_file, landlock_access_fs_read_dir]'
	is 'landlock_allow, landlock_allow_found' "$(run_ops 'cat dir/new; cat other/secret 2>/dev/null || echo no; ls / >/dev/null' \
		"task landlock_create_ruleset($rights, [], []) slot 1
task landlock_allow_found({slot, 1}, [\"/usr\", \"/nosuch\", \"/etc/ld.so.cache\", \"dir/new/x\", \"/bin\", \"/lib\", \"/lib64\"], $rights)
task landlock_allow({slot, 1}, \"dir\", $rights)
task prctl(pr_set_no_new_privs, 1, 0, 0, 0)
task landlock_restrict_self({slot, 1})" 2>&1)" "textno
ls: cannot open directory '/': Permission denied"
	bad "$rules
task landlock_allow({slot, 1}, \"nosuch\", [landlock_access_fs_read_file])" 'No such file'
	bad "$rules
task landlock_allow({slot, 1}, \"dir\", [landlock_access_fs_write_file])" 'Invalid argument'
	bad "$rules
task landlock_allow_found({slot, 1}, [\"dir\"], [landlock_access_fs_write_file])" 'Invalid argument'
	bad "task landlock_allow({fd, stdin}, \"dir\", [landlock_access_fs_read_file])" '*'
	is 'landlock_allow_stream' "$(run_ops 'cat /dev/stdin; cat dir/new 2>/dev/null || echo no' "$rules
task landlock_allow_found({slot, 1}, [\"/usr\", \"/bin\", \"/lib\", \"/lib64\"], [landlock_access_fs_read_file])
task landlock_allow_stream({slot, 1}, {fd, stdin}, [landlock_access_fs_read_file, landlock_access_fs_write_file])
task prctl(pr_set_no_new_privs, 1, 0, 0, 0)
task landlock_restrict_self({slot, 1})" <other/secret)" "secret
no"
else
	without 'no Landlock' landlock_create_ruleset landlock_add_path landlock_restrict_self
fi
net='task landlock_create_ruleset([], [landlock_access_net_connect_tcp], []) slot 1'
if [ "$(run_ops 'echo yes' "$net")" = yes ]; then
	# Nobody listens on either port of the loopback; one of them may be tried.
	net="$net
task landlock_add_port({slot, 1}, 9, [landlock_access_net_connect_tcp])
task prctl(pr_set_no_new_privs, 1, 0, 0, 0)
task landlock_restrict_self({slot, 1})
task socket(af_inet, sock_stream, 0) slot 2"
	bad "$net
task connect({slot, 2}, \"\\x02\\x00\\x00\\x09\\x7f\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\")" 'Connection refused'
	bad "$net
task connect({slot, 2}, \"\\x02\\x00\\x00\\x0b\\x7f\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\")" 'ermission denied'
	net=${net%%
*}
	is 'landlock_add_port' "$(run_ops 'echo on' "$net
task landlock_add_port({slot, 1}, 9, [landlock_access_net_connect_tcp])")" on
	bad "$net
task landlock_add_port({slot, 1}, 65536, [landlock_access_net_connect_tcp])" 'Invalid argument'
	is 'landlock_allow_ports' "$(run_ops 'echo on' "$net
task landlock_allow_ports({slot, 1}, [80, 443], [landlock_access_net_connect_tcp])
task landlock_allow_ports({slot, 1}, [], [landlock_access_net_connect_tcp])")" on
	bad "$net
task landlock_allow_ports({slot, 1}, [80, 65536], [landlock_access_net_connect_tcp])" 'Invalid argument'
else
	without 'an old kernel' landlock_add_port
fi
is 'filter_ports' "$(run_ops 'sed -n s/^Seccomp:.//p /proc/self/status' 'task prctl(pr_set_no_new_privs, 1, 0, 0, 0)
task filter_ports()')" 2
bad 'task landlock_create_ruleset([], [], [])' 'No message of desired type'
bad 'task prctl(pr_set_no_new_privs, 1, 0, 0, 0)
task landlock_restrict_self({fd, stdin})' 'escriptor'
scope='task landlock_scope([landlock_scope_signal])'
if [ "$(run_ops 'echo yes' "$scope")" = yes ]; then
	sleep 60 &
	sleeper=$!
	is 'landlock_scope: a signal to the outside' "$(run_ops "kill -0 $sleeper 2>/dev/null && echo sent || echo denied" \
		"task prctl(pr_set_no_new_privs, 1, 0, 0, 0)
$scope")" denied
	is 'and without it' "$(run_ops "kill -0 $sleeper && echo sent" 'task getpid()')" sent
	kill "$sleeper"
	bad 'task landlock_scope([4096])' 'Invalid argument'
else
	without 'an old kernel' landlock_scope
fi

# Mounts.
own='task unshare([clone_newuser, clone_newns, clone_newnet])'
[ "$(id -u)" -ne 0 ] || own='task unshare([clone_newns, clone_newnet])
task mount("none", "/", "", [ms_rec, ms_private], "", "")'
if [ "$(run_ops 'echo yes' "$own")" != yes ]; then
	skip 'mounts' 'no namespaces here'
	finish
fi
lines() { sed -n "s|.* $tmp/\([^ ]*\) \([a-z,]*\) .*|\1 \2|p"; }
look='cat /proc/self/mountinfo'
is 'fsopen, fsconfig, fsmount, move_mount' "$(run_ops "$look" "$own
task fsopen(\"tmpfs\") slot 1
task fsconfig({slot, 1}, fsconfig_set_string, \"size\", \"8192\")
task fsconfig({slot, 1}, fsconfig_cmd_create, [], [])
task fsmount({slot, 1}, [mount_attr_nosuid, mount_attr_noexec]) slot 2
task move_mount({slot, 2}, \"\", -100, \"other\", [move_mount_f_empty_path])" | lines)" \
	'other rw,nosuid,noexec,relatime'
bad "$own
task fsopen(\"nosuchfs\")" 'No such device'
bad "$own
task fsopen(\"tmpfs\") slot 1
task fsconfig({slot, 1}, fsconfig_set_string, \"nosuch\", \"1\")" 'Invalid argument'
bad "$own
task fsmount({fd, stdin}, [])" 'Invalid argument'
overlay="$own
task openat(-100, \"dir\", [o_path, o_directory], 0) slot 2
task openat(-100, \"other\", [o_path, o_directory], 0) slot 3
task fsopen(\"overlay\") slot 1"
case $(run_ops 'echo yes' "$overlay
task fsconfig_fd({slot, 1}, \"lowerdir+\", {slot, 2})") in
yes)
	bad "$overlay
task fsconfig_fd({slot, 1}, \"lowerdir+\", 999)" 'Bad file'
	mkdir both
	is 'fsconfig_fd: two directories in one' "$(run_ops 'cat both/new both/secret; ls both | xargs' "$overlay
task fsconfig_fd({slot, 1}, \"lowerdir+\", {slot, 2})
task fsconfig_fd({slot, 1}, \"lowerdir+\", {slot, 3})
task fsconfig({slot, 1}, fsconfig_cmd_create, [], [])
task fsmount({slot, 1}, []) slot 4
task move_mount({slot, 4}, \"\", -100, \"both\", [move_mount_f_empty_path])")" "text$(cat other/secret)
$({ ls dir; ls other; } | LC_ALL=C sort | xargs)"
	rmdir both ;;
*) without 'no overlay, or an old kernel' fsconfig_fd ;;
esac
bad "$own
task move_mount({fd, stdin}, \"\", -100, \"other\", [move_mount_f_empty_path])" 'Invalid argument'
rec='at_recursive'
is 'open_tree, mount_setattr' "$(run_ops "$look" "$own
task open_tree(-100, \"dir\", [open_tree_clone, $rec]) slot 1
task mount_setattr({slot, 1}, \"\", [at_empty_path, $rec], [mount_attr_rdonly, mount_attr_nodev], [], [ms_private])
task move_mount({slot, 1}, \"\", -100, \"other\", [move_mount_f_empty_path])" | lines)" 'other ro,nodev,relatime'
bad 'task open_tree(-100, "nosuch", [])' 'No such file'
bad "$own
task mount_setattr(-100, \"dir\", [], [mount_attr_rdonly], [], [])" 'Invalid argument'
is 'fspick: a mounted file system gets other options' "$(run_ops "df --output=size -B1 other | tail -n 1" "$own
task mount(\"none\", \"other\", \"tmpfs\", [], \"size=8192\", \"\")
task fspick(-100, \"other\", [fspick_no_automount]) slot 1
task fsconfig({slot, 1}, fsconfig_set_string, \"size\", \"16384\")
task fsconfig({slot, 1}, fsconfig_cmd_reconfigure, [], [])" | tr -d ' ')" 16384
bad "$own
task fspick(-100, \"nosuch\", [])" 'No such file'
bad "$own
task fspick(-100, \"dir\", [])" 'Invalid argument'
if [ "$(id -u)" -eq 0 ]; then
	# A user namespace in which 0 is 12345 outside.
	unshare -U sleep 60 &
	sleeper=$!
	while [ "$(readlink /proc/$sleeper/ns/user)" = "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done
	echo 0 12345 1 >/proc/$sleeper/uid_map
	echo 0 54321 1 >/proc/$sleeper/gid_map
	mkdir mapped
	clone="$own
task openat(-100, \"/proc/$sleeper/ns/user\", [o_rdonly], 0) slot 1
task open_tree(-100, \"dir\", [open_tree_clone]) slot 2"
	chown 0:0 dir/new
	mapped=$(run_ops 'stat -c %u:%g mapped/new dir/new' "$clone
task mount_idmap({slot, 2}, \"\", [at_empty_path], {slot, 1})
task move_mount({slot, 2}, \"\", -100, \"mapped\", [move_mount_f_empty_path])" | xargs)
	case $mapped in
	*'Invalid argument'*) without 'maps of ids are not for this file system on this kernel' mount_idmap ;;
	*) is 'mount_idmap' "$mapped" '12345:54321 0:0' ;;
	esac
	bad "$clone
task mount_idmap({slot, 2}, \"\", [at_empty_path], {fd, stdin})" 'Invalid argument'
	kill "$sleeper"
fi
is 'bind_in' "$(run_ops "$look" "$own
$here
task bind_in(-100, \"other\", {slot, 1}, \"sub\", [$rec], [mount_attr_rdonly])" | lines)" 'dir/sub ro,relatime'
bad "$own
$here
task bind_in(-100, \"other\", {slot, 1}, \"nosuch\", [$rec], [])" 'No such file'
# A link to a place of the host leads nowhere, and what it names stays as it is.
bad "$own
$here
task bind_in(-100, \"dir/sub\", {slot, 1}, \"out\", [$rec], [])" 'No such file'
mkdir -p "dir$tmp/other"
is 'a link is followed inside the root' "$(run_ops "cat other/secret; $look" "$own
$here
task bind_in(-100, \"dir/sub\", {slot, 1}, \"out\", [$rec], [])" | lines)" "dir$tmp/other rw,relatime"
is 'mount_in' "$(run_ops "$look" "$own
$here
task mount_in(\"tmpfs\", \"size=4096,mode=0700\", [mount_attr_nodev], {slot, 1}, \"sub\")" | lines)" 'dir/sub rw,nodev,relatime'
bad "$own
$here
task mount_in(\"tmpfs\", \"size=4096\", [], {slot, 1}, \"out/x\")" 'No such file'
bad "$own
$here
task mount_in(\"tmpfs\", \"size\", [], {slot, 1}, \"sub\")" 'Invalid argument'
is 'make_in' "$(run_ops 'cd dir/made/by && stat -c %A:%n here there' "$here
task make_in({slot, 1}, \"made/by/here\", 16877)
task make_in({slot, 1}, \"/made//by/there\", 33060)
task make_in({slot, 1}, \"made/by/here/\", 16877)")" "drwxr-xr-x:here
-r--r--r--:there"
is 'make_in resolves inside the root' "$(run_ops "ls -d dir$tmp/other/in" "$here
task make_in({slot, 1}, \"out/in\", 16877)")" "dir$tmp/other/in"
bad "$here
task make_in({slot, 1}, \"new/below\", 16877)" 'Not a directory'
bad "$here
task make_in({slot, 1}, \"x\", 493)" 'Invalid argument'
mkdir lower lower/sub upper work
echo below >lower/old
layers='task openat(-100, "lower", [o_path, o_directory], 0) slot 2
task openat(-100, "upper", [o_path, o_directory], 0) slot 3
task openat(-100, "work", [o_path, o_directory], 0) slot 4'
is 'overlay' "$(run_ops 'cat dir/sub/old; echo above >dir/sub/new' "$own
$layers
task overlay({slot, 2}, {slot, 3}, {slot, 4}, [mount_attr_nodev]) slot 5
task move_mount({slot, 5}, \"\", -100, \"dir/sub\", [move_mount_f_empty_path])"; ls lower upper | tr '\n' ' ')" \
	'below
lower: old sub  upper: new '
bad "$own
$layers
task overlay({slot, 2}, {slot, 3}, {fd, stdin}, [])" '*'
bad "$own
$here
task terminal_in({fd, stdout}, {slot, 1}, \"sub\")" '*'
bad 'outside id_map_by("/no/such", 1, "0 1 1")' 'No such file'
bad 'outside id_map_by("/bin/false", 1, "0 1 1")' 'Operation not permitted'
like 'id_map_by belongs outside' "$(run_ops true 'task id_map_by("/bin/true", 1, "")')" '*the place outside for this call*'
from='task open("other", [o_path, o_directory], 0) slot 2'
empty='task mknodat({slot, 1}, "secret", 33060, 0) ignore'
show="$own
$here
$from
$empty
task bind_each({slot, 2}, {slot, 1}, [\"secret\"])"
is 'bind_each' "$(run_ops "$look" "$show" | lines)" 'dir/secret rw,relatime'
is '... shows what is there' "$(run_ops 'cat dir/secret' "$show")" secret
bad "$own
$here
$from
task bind_each({slot, 2}, {slot, 1}, [\"nosuch\"])" 'No such file'
rm dir/secret
for f in hidden seen hidden2; do echo "$f" >"dir/$f"; done
mask="$own
$here
$from
task mask_each({slot, 2}, \"secret\", {slot, 1}, [\"nosuch\", \"hidden\", \"nosuch\", \"nosuch2\", \"hidden2\", \"nosuch\"])"
is 'mask_each' "$(run_ops "$look" "$mask" | lines | tr '\n' ' ')" 'dir/hidden rw,relatime dir/hidden2 rw,relatime '
is '... hides the names that are there' "$(run_ops 'cat dir/hidden dir/seen dir/hidden2' "$mask" | tr '\n' ' ')" 'secret seen secret '
bad "$own
$here
$from
task mask_each({slot, 2}, \"nosuch\", {slot, 1}, [\"hidden\"])" 'No such file'
bad "$own
$here
$from
task mask_each({slot, 2}, \"secret\", {slot, 1}, [\"sub\"])" 'Invalid argument'
is 'loopback_up' "$(run_ops 'cat /sys/class/net/lo/flags 2>/dev/null; ip -br addr show lo | grep -c 127.0.0.1' "$own
task loopback_up()" | tail -n 1)" 1
is 'id_map' "$(run_ops 'id -u; id -g' "outside clone([clone_newuser]) slot 0
outside id_map({slot, 0}, \"deny\", \"7 $(id -u) 1\", \"8 $(id -g) 1\")" | xargs)" '7 8'
bad "outside clone([clone_newuser]) slot 0
outside id_map({slot, 0}, \"deny\", \"7 1 nonsense\", \"\")" 'Invalid argument'
is 'nothing of it outside' "$(lines </proc/self/mountinfo)" ''
is 'no file was written outside' "$(ls other)" secret

is 'oom_score_adj' "$(run_ops 'cat /proc/self/oom_score_adj' 'task oom_score_adj(77)')" 77
bad 'task oom_score_adj(1001)' 'Invalid argument'

# Each call of programs above the port's has worked and has failed here, or stands in the test of what it is for.
if [ "$(id -u)" -eq 0 ]; then
	"$CARREL" calls --json | jq -r 'select(.number >= 128 and .here and (.doors | index("program") or index("outside"))).name' \
		>programs
	elsewhere=$(cat "$SOURCE"/tests/run/[!c]*.sh "$SOURCE"/tests/unit/behaviour/*.ops)
	# These two take a socket of the library: lib-task and run-policy. These three are seen by the options that they
	# are for: run-limits and run-identity.
	sed -i '/^serve$/d; /^seccomp_listen$/d; /^limit_io$/d; /^probe_signal$/d; /^id_map_by$/d' programs
	for kind in worked failed_calls; do
		sort -u "$kind" >seen
		is "each call of programs: $kind" "$(sort programs | comm -23 - seen | while read -r call; do
			case $elsewhere in *" $call("*) ;; *) echo "$call" ;; esac
		done | xargs)" ''
	done
fi
finish
