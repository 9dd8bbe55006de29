#!/bin/sh
# SPDX-License-Identifier: ISC
# A behaviour's phases: printed, added to, overridden, and what runs when it fails or ends.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

# with TEXT ARG...: carrel run with TEXT on standard input
with() {
	text=$1
	shift
	printf '%s\n' "$text" | "$CARREL" run "$@" 2>&1
}

# From the documentation of the originals.
is 'ops overridden' "$(with 'task chdir("/tmp")' --ops-override - pwd)" /tmp
is 'all that it overrides is gone' "$(with 'task chdir("/tmp")' --ops-override - --print-ops --uid 5 pwd)" 'task chdir("/tmp")
task reset_signals([])
task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}])
task exec("pwd", ["pwd"], env, "'"$PATH"'")'
is 'a limit from a descriptor' "$(with 'task open("/dev/null", [o_rdonly], 0) slot 60
task close({slot, 60})
task setrlimit(rlimit_nofile, {alcove_rlimit, 7, 7})' --ops-add - -c 'ulimit -n')" 7

# Added ones stand where rights and descriptors are still as they were, and the command is not executed.
is 'added' "$(with 'task umask(63)' --ops-add - -c umask)" 0077
is 'added in two places' "$(with 'init mkdir("'"$tmp"'/made", 493)
after rmdir("'"$tmp"'/made")' --ops-add - ls -d made; ls -d made 2>/dev/null)" made
"$CARREL" run --print-ops true >plain
with 'task umask(1)' --ops-add - --print-ops true >added
is 'where it stands' "$(diff plain added; sed -n '/umask(1)/{n;p;}' added)" "$(grep -n reset_signals plain | cut -d: -f1 | awk '{print $1 - 1 "a" $1}')
> task umask(1)
task reset_signals([])"
is 'another command' "$(with 'task dup_fds([{1, {fd, stdout}}])
task exec("/bin/echo", ["echo", "mine"], env, "")' --ops-override - false)" mine
printf 'task chdir("/usr")\n' >override
is 'both' "$(with 'task umask(23)' --ops-override override --ops-add - -c 'pwd; umask')" '/usr
0027'
is 'nothing to add' "$(: | "$CARREL" run --ops-add - echo on)" on

# Errors name the operation, its arguments and the reason; nothing is executed.
like 'an added one that fails' "$(with 'task chdir("/no/such")' --ops-add - echo ran; echo $?)" \
	"carrel: cannot run 'echo': task chdir(\"/no/such\"): No such file or directory (3 more were to follow)
125"
like 'one by name, and what was to follow' "$(with 'task rmdir("/no/such")' --ops-add - echo ran)" \
	"carrel: cannot run 'echo': task rmdir(\"/no/such\"): No such file or directory (3 more were to follow)"
is 'one that may fail' "$(with 'task rmdir("/no/such") ignore' --ops-add - echo on)" on
is '... with this error' "$(with 'task rmdir("/no/such") ignore enoent' --ops-add - echo on)" on
like '... and not another' "$(with 'task rmdir("/no/such") ignore eperm' --ops-add - echo on)" '*No such file*'
like 'a line that is none' "$(with 'task rmdir(
' --ops-add - true)" 'carrel: ops_add, line 1: *'
like 'a call that is none' "$(with 'task nosuch()' --ops-override - true)" "carrel: ops_override, line 1: *nosuch*"
like 'an argument that is none' "$(with 'task rmdir(5)' --ops-add - true)" 'carrel: operation *, argument 1: expected *'
like 'a place that is none' "$(with 'never rmdir("x")' --ops-add - true)" "*'never' is no place; places are before, outside, init, task, failed, after*"
like 'with a whole program' "$(with 'task rmdir("x")' --ops override --ops-add -; echo $?)" '*--ops is the whole program*2'
like 'both from standard input' "$("$CARREL" run --ops-add - --ops-override - true 2>&1; echo $?)" '*only one*2'
like 'a file that is not there' "$("$CARREL" run --ops-add nosuch true 2>&1; echo $?)" '*cannot read operations from nosuch: No such file*125'
like 'clone twice' "$(with 'outside clone([])' -b rootless --ops-add - true)" '*clone once at most*'

# failed: once when the start failed, whatever failed; after: once in any case, behind it.
log() { printf '%s open("%s/log", [o_wronly, o_creat, o_append], 438) slot 60\n%s write({slot, 60}, "%s")\n%s close({slot, 60})\n' "$1" "$tmp" "$1" "$1 " "$1"; }
{ log failed; log after; } >over
# over WHAT STATUS LOG ARG...
over() {
	what=$1 wanted=$2 lines=$3
	shift 3
	rm -f log
	"$CARREL" run "$@" >out 2>&1 </dev/null
	is "$what" "$? $(cat log)" "$wanted $lines"
}
for b in process rootless container; do
	"$CARREL" run -b $b true 2>/dev/null || continue
	chmod 777 .
	over "$b: a command that ends" 3 'after ' -b $b --ops-add over -c 'exit 3'
	over "$b: one that is killed" 137 'after ' -b $b --ops-add over -c 'kill -9 $$'
	over "$b: a time limit" 124 'after ' -b $b --ops-add over -t 0.2 sleep 9
	over "$b: a command that is not there" 127 'failed after ' -b $b --ops-add over /no/such
	for place in before outside init task; do
		{ cat over; echo "$place chdir(\"/no/such\")"; } >bad
		over "$b: an operation of $place" 125 'failed after ' -b $b --ops-add bad true
	done
done
if "$CARREL" run -b rootless true 2>/dev/null; then
	# Before the rights are given away, and inside the new root.
	is 'rootless: a mount of its own' "$(with 'init mount("none", "/mnt", "tmpfs", [nosuid], "size=4096", "")' -b rootless --ops-add - \
		-c 'grep -c " /mnt tmpfs .*size=4k" /proc/mounts; grep CapEff /proc/self/status')" '1
CapEff:	0000000000000000'
	like 'rootless: rights are given away in any case' "$(with 'init sethostname("x")' -b rootless --ops-override - --print-ops true |
		grep -c -e capset -e drop_bounding)" '2'
	is 'what it explains' "$(with 'init sethostname("other")' -b rootless --ops-add - --explain true | grep 'host name' | tail -n 1)" \
		'  the host name other'
fi
finish
