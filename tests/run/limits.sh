#!/bin/sh
# SPDX-License-Identifier: ISC
# Limits of whole trees: each bites, is named in the record, and leaves nothing behind; as root, and as an
# ordinary user with a cgroup delegated to it, and without one.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
chmod 777 "$tmp"
load=$TOOLS/load

# The user's too.
own_cgroups
for d in $places; do
	chown "$user:$user" "$d" "$d/cgroup.procs" "$d/tasks" 2>/dev/null
done

# of KEY: its value in the record
of() {
	python3 -c 'import json, sys
d = json.load(open("record"))
for k in sys.argv[1].split("."):
	d = d[k] if isinstance(d, dict) else next(x for x in d if x["name"] == k)
print(d if d is not None else "null")' "$1"
}

# holds NAME: how far, and what holds it
holds() {
	echo "$(of "restrictions.$1.hold"): $(of "restrictions.$1.mechanism")"
}

run() {
	# shellcheck disable=SC2086 # words
	$as timeout 60 "$CARREL" run --status-fd 3 "$@" 3>record 2>err
}

can() {
	run --memory 64M --pids 10 --cpu 50% true
}

# between WHAT N LEAST MOST
between() {
	if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then pass "$1"; else fail "$1" "got $2, wanted $3 to $4"; fi
}

# What the whole tree may use.
limits() {
	: >record
	chmod 666 record
	run --memory 32M "$load" memory 16000000 >out
	is "$who: less memory than the limit" "$? $(cat out)" '0 done'
	like "$who: ... which holds" "$(holds memory)" 'enforced: cgroup v*memory.*'
	is "$who: ... as the kernel says" "$(of restrictions.memory.found)" 33554432
	run --memory 32M "$load" memory 64000000 >out
	is "$who: more than the limit" "$?" 137
	is "$who: ... who ended it" "$(of ended_by) $(of limit) $(of signal)" 'oom memory SIGKILL'
	is "$who: ... how often" "$(of oom_kills)" 1
	is "$who: ... said" "$(cat err)" 'carrel: out of memory: a process was killed at the limit of 32.0 MB'
	between "$who: the peak is at the limit, in percent" "$(($(of memory_peak) * 100 / 33554432))" 95 100
	run --memory 32M -- sh -c "'$load' memory 64000000; echo lived" >out
	is "$who: the leader lives on" "$? $(cat out)" '0 lived'
	is "$who: ... and ends it" "$(of ended_by) $(of oom_kills)" 'task 1'
	# Two halves are more than the limit, although neither is.
	run --memory 32M -- sh -c "'$load' memory 24000000 500 & '$load' memory 24000000 500 & wait" >out
	is "$who: memory is counted together" "$(of oom_kills) $(grep -c 'done' out)" '1 1'
	run --json --memory 32M -- "$load" memory 64000000 >out
	is "$who: as an event" "$(cat out)" '{"event":"limit","limit":"memory"}
{"event":"termsig","signal":"SIGKILL"}'

	run --pids 10 "$load" processes 50 >out
	is "$who: processes" "$? $(cat out)" '0 9'
	like "$who: ... held" "$(holds pids)" 'enforced: cgroup v* pids.max'
	is "$who: ... refused, at most" "$(of pids_refused) $(of pids_peak)" '41 10'
	run --pids 10 "$load" threads 50 >out
	is "$who: threads" "$? $(cat out)" '0 9'
	run --pids 20 -t 3 -k 0.1 "$load" bomb
	is "$who: a fork bomb" "$? $(of ended_by) $(of pids_peak)" '124 timeout 20'

	run --cpu 2% -t 2 -k 0.1 "$load" spin
	between "$who: processor time in permille" "$((($(of user_us) + $(of system_us)) * 1000 / $(of wall_us)))" 0 40
	is "$who: ... held" "$(holds cpu | sed 's/ cpu\..*//')" "enforced: cgroup $([ -e /sys/fs/cgroup/cpu ] && echo v1 || echo v2)"
	like "$who: ... it waited" "$(of throttled_us)" '[1-9]*'
	run -b rootless --pids 10 --memory 32M --bind "$TOOLS:/tools" /tools/load processes 50 >out
	is "$who: isolated, the init does not count" "$? $(cat out) $(of pids_peak)" '0 9 10'
}

# What needs no cgroup.
watched() {
	: >record
	chmod 666 record
	run --cpu-time 0.5 -k 0.2 "$load" spin
	is "$who: processor time" "$? $(of ended_by) $(of limit)" '124 limit cpu_time'
	between "$who: ... as much as that, in ms" "$((($(of user_us) + $(of system_us)) / 1000))" 500 2500
	is "$who: ... held" "$(holds cpu_time)" 'enforced: watched'
	# Each of them has less.
	run --cpu-time 0.5 -k 0.2 "$load" cpu 400 4
	is "$who: processor time of all" "$? $(of ended_by) $(of limit)" '124 limit cpu_time'
	run --cpu-time 10 "$load" cpu 100 2 >out
	is "$who: less of it" "$? $(of ended_by)" '0 task'
	run --max-output 1000 "$load" write 1000 >out
	is "$who: just as much output" "$? $(wc -c <out) $(of ended_by)" '0 1000 task'
	run --max-output 1000 -k 0.2 "$load" write 1001 >out
	is "$who: a byte more" "$? $(wc -c <out) $(of ended_by) $(of limit)" '124 1000 limit output'
	run --max-output 1000 -k 0.2 yes >out
	is "$who: output without end" "$? $(wc -c <out) $(of out_bytes)" '124 1000 1000'
	run --max-output 1000 --json --lines -k 0.2 yes >out
	is "$who: ... in lines" "$? $(grep -c '"y' out) $(tail -n 1 out)" '124 500 {"event":"termsig","signal":"SIGTERM"}'
	run --cpus 0 sed -n 's/^Cpus_allowed_list:[^0-9]*//p' /proc/self/status >out
	is "$who: processors" "$? $(cat out) $(holds cpus)" '0 0 enforced: sched_setaffinity'
	run --io-priority idle --oom-score-adj 321 -- sh -c 'cat /proc/self/oom_score_adj; sleep 0.1' >out
	is "$who: out of memory first" "$? $(cat out) $(holds oom_score_adj)" '0 321 enforced: oom_score_adj'
	is "$who: input and output last" "$(holds io_priority)" 'enforced: ioprio_set'
	run --rlimit nofile=37 --priority 3 true
	is "$who: limits of a process" "$(holds rlimit_nofile) $(holds priority)" 'enforced: setrlimit enforced: setpriority'
}

who=root as=
if can; then limits; else skip "limits as root" "no cgroups that can limit: $(cat err)"; fi
watched
is 'root: no cgroup is left' "$(groups_left)" ''
who=user as="setpriv --reuid $user --regid $user --clear-groups"
if can; then limits; else skip "limits as a user with cgroups" "no cgroups that can be delegated: $(cat err)"; fi
watched
is 'user: no cgroup is left' "$(groups_left)" ''

# Whoever of carrel is killed, its cgroups go.
as='' who=root
below() { for c in $(cat /proc/"$1"/task/*/children 2>/dev/null); do echo "$c"; below "$c"; done; }
for role in reaper super guard; do
	"$CARREL" run --memory 64M --pids 10 -- sh -c 'echo ready; sleep 60; exit 1' >out 2>err &
	pid=$! i=0
	while ! grep -q ready out && [ "$i" -lt 200 ]; do sleep 0.05; i=$((i + 1)); done
	for c in $(below "$pid"); do
		[ "$(cat "/proc/$c/comm")" != "carrel:$role" ] || kill -KILL "$c"
	done
	wait "$pid"
	is "the $role is killed" "$? $(groups_left)" '125 '
done

# A service manager's scope, played by a script: it goes into cgroups that are the user's, as the manager would do.
as="setpriv --reuid $user --regid $user --clear-groups"
scopes=
mine=$places
for d in $places; do
	mkdir "${d%/*}/scope-$$"
	chown "$user:$user" "${d%/*}/scope-$$" "${d%/*}/scope-$$/cgroup.procs" "${d%/*}/scope-$$/tasks" 2>/dev/null
	scopes="$scopes ${d%/*}/scope-$$"
done
leave_cgroups
cat >systemd-run <<S
#!/bin/sh
echo "\$*" >>asked
while [ "\$1" != -- ]; do shift; done
shift
for d in $scopes; do echo \$\$ >"\$d/cgroup.procs"; done 2>/dev/null
exec "\$@"
S
chmod +x systemd-run
: >asked
chmod 666 asked
run --memory 32M true
without=$?
export CARREL_SYSTEMD_RUN="$tmp/systemd-run"
run --memory 32M --pids 10 -- sh -c "cat /proc/\$PPID/cgroup /proc/self/cgroup; '$load' memory 64000000; true" >out
case "$without $? $(cat err)" in
'125 0 '*'out of memory'*)
	pass 'a scope of its own: without it there is no limit, with it there is'
	is '... it was asked for' "$(sed 's/ -- .*//' asked)" '--scope --quiet --collect --user --property=Delegate=yes'
	like '... the command is in it' "$(grep -c "/scope-$$/carrel-[0-9]*/r[0-9]*$" out)" '[1-9]'
	is '... and holds' "$(holds memory) $(holds pids)" \
		'enforced: cgroup v1 memory.limit_in_bytes enforced: cgroup v1 pids.max'
	run true
	is '... which nobody asks for without limits' "$(wc -l <asked)" 1
	;;
'0 '*) skip 'a scope of its own' 'this user has cgroups anyway' ;;
*) skip 'a scope of its own' "no cgroups here that could be given: $(cat err)" ;;
esac
unset CARREL_SYSTEMD_RUN
for d in $scopes; do rmdir "$d"/carrel-control "$d" 2>/dev/null; done
is '... nothing is left in it' "$(for d in $scopes; do [ ! -d "$d" ] || echo "$d"; done)" ''
places=$mine
for d in $places; do
	mkdir "$d"
	echo $$ >"$d/cgroup.procs"
done

# Blocks of the device that this is on.
as='' who=root
: >record
run --io "$tmp:write=1M" -- dd if=/dev/zero of=block bs=256k count=6 oflag=direct
case "$? $(holds io) $(cat err)" in
0*enforced*)
	between 'writing 1.5 MB, 1 MB a second, takes this many ms' "$(($(of wall_us) / 1000))" 400 20000
	;;
*) skip 'input and output' "no device here that could be limited: $(cat err)" ;;
esac
status 'no block device' 125 "$CARREL" run --io /proc:read=1M true
like '... is said' "$(cat err)" "carrel: io_limits: '/proc' is on no block device"

# Without any cgroup.
who=alone
leave_cgroups
as="setpriv --reuid $user --regid $user --clear-groups"
watched
: >record
run --memory 64M true
is 'what cannot be held is an error' "$?" 125
like '... that says what would help' "$(cat err)" "carrel: cannot run 'true': cannot limit memory: *root*systemd-run*"
is '... in the record too' "$(of exit_status) $(of error.stage)" '125 rlimit'
for o in pids=10 cpu=50% io="$tmp:read=1M"; do
	run --"${o%%=*}" "${o#*=}" true
	is "... $o" "$? $(grep -c "cannot limit ${o%%=*}:" err)" '125 1'
done
run --memory 64M --best-effort true
is 'unless best effort is enough' "$? $(holds memory)" '0 not enforced: '
run -b rootless --pids 6 -- sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 0.2 & done; wait'
is 'processes of a user namespace' "$? $(grep -c 'Cannot fork' err) $(holds pids)" '2 1 enforced: RLIMIT_NPROC in a user namespace'
as=
run --no-cgroup --memory 64M true
like 'cgroups turned off' "$? $(cat err)" '125 *cannot limit memory: cgroups are turned off*'

# The way of giving them.
for bad in 'memory 0' 'memory x' 'pids 0' 'pids -1' 'cpu 0' 'cpu x' 'cpu 50%x' 'cpu-time 0' 'io x' \
	'io /:read=0' 'io /:speed=1' 'cpus x' 'cpus 2-1' 'cpus 1,' 'io-priority high' 'io-priority idle:1' \
	'io-priority best-effort:8' 'oom-score-adj 1001' 'max-output 0' 'status-fd 0' 'status-fd 9' 'status-fd x'; do
	# shellcheck disable=SC2086 # an option and its value
	"$CARREL" run --$bad true >out 2>err 9<&-
	got=$?
	like "--$bad" "$got $(wc -l <err) $(cat err)" "2 1 carrel: --${bad%% *}*"
done
status 'memory of 100 bytes' 125 "$CARREL" run --memory 100 true
is '... is said' "$(cat err)" 'carrel: memory is 100; it must be 65536 bytes at least'
"$CARREL" run --status-fd 3 true 3</dev/null 2>err
like '--status-fd for reading' "$? $(cat err)" '2 *open for reading only*'
"$CARREL" run --status-fd 3 -- sh -c ': >&3' 3>record 2>err
is 'the command does not have the descriptor' "$? $(of exit_status) $(wc -l <record)" '2 2 1'
"$CARREL" run --status-fd 3 true 3>/dev/full 2>err
like 'a status that cannot be written' "$? $(cat err)" '125 *cannot write the status to descriptor 3: No space left on device'
"$CARREL" run --status-fd 3 /nowhere/x 3>record 2>err
is 'a command that is not there' "$? $(of exit_status) $(of error.stage) $(of error.errno)" '127 127 exec 2'
"$CARREL" run --memory 64M --on-exit keep true 2>err
like 'a tree that is let go' "$? $(cat err)" '125 *on_exit keep cannot honour limits*'
echo 'task exec("true", ["true"], env, "/bin")' >ops
"$CARREL" run --memory 64M --ops ops 2>err
like 'limits beside operations' "$? $(cat err)" '125 *limits have to be among them*'
"$CARREL" run --memory 64M --pids 9 --cpu 1.5 --cpu-time 2 --cpus 0 --io-priority idle --oom-score-adj 5 --print-ops true >ops
is 'limits are operations' "$(grep -c -e '^before limit_memory(67108864)' -e '^before limit_pids(9)' \
	-e '^before limit_cpu(150000, 100000)' -e '^before limit_cpu_time(2000000)' -e 'sched_setaffinity(0, \[0\])' \
	-e 'ioprio_set(ioprio_who_process, 0, ioprio_class_idle, 0)' -e 'oom_score_adj(5)' ops)" 7
sed -i 's/exec("true", \["true"\]/exec("cat", ["cat", "\/proc\/self\/cgroup"]/' ops
if can; then
	"$CARREL" run --ops ops >out 2>err
	like '... that can be fed back' "$? $(grep -c 'carrel-[0-9]*/r[0-9]*$' out)" '0 [1-9]*'
fi
sed -i 's/^before limit_pids/task limit_pids/' ops
"$CARREL" run --ops ops 2>err
like '... in one place only' "$? $(cat err)" '125 *the place before for this call*'
is 'no cgroup is left at the end' "$(groups_left)" ''
finish
