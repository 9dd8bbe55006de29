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
bad 'no exec' 'task getpid()' '*no operation executes a command*'
bad 'a failing operation' 'task chdir("/nonexistent")' '*task chdir("/nonexistent"): No such file or directory*'
bad 'a failing operation of init' 'init mkdir("/proc/x", 0)' '*init mkdir("/proc/x", 0): *'
finish
