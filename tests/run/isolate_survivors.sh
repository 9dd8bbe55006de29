#!/bin/sh
# SPDX-License-Identifier: ISC
# Nothing outlives an isolated task: nasty children against every kind of ending, and each process of the
# stream killed at every system call that it makes. Mounts and cgroups of the host stay as they were.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd) || exit 1
cd "$tmp" || exit 1
chmod 777 "$tmp"
own_cgroup
mounts_before=$(cat /proc/self/mountinfo)

# program FILE ID COMMAND...: the operations that run the words COMMAND isolated, as a user that is ID outside
program() {
	file=$1 mapped=$2
	shift 2
	{
		cat <<-P
			before mkdir("$tmp/before", 493) ignore
			outside open("/usr", [o_rdonly], 0) slot 3
			outside clone([clone_newuser, clone_newns, clone_newpid, clone_newnet, clone_newipc, clone_newuts, clone_newcgroup]) slot 1
			outside id_map({slot, 1}, "deny", "1000 $mapped 1", "1000 $mapped 1")
			init setresgid(1000, 1000, 1000)
			init setresuid(1000, 1000, 1000)
			init sethostname("inside")
			init mount("none", "/mnt", "tmpfs", [nosuid, ms_nodev], "size=65536", "")
			init mkdir("/mnt/usr", 493)
			init mkdir("/mnt/bin", 493)
			init mkdir("/mnt/proc", 493)
			init mkdir("/mnt/tmp", 493)
			init mount("/usr", "/mnt/usr", "", [ms_bind, ms_rec], "", "")
			init mount("none", "/mnt/tmp", "tmpfs", [], "size=65536", "")
			init mount("proc", "/proc", "proc", [], "", "")
			init umask(18)
			init close({slot, 3})
			task setsid()
			task prctl(pr_set_no_new_privs, 1, 0, 0, 0)
			task prctl(pr_set_pdeathsig, 9, 0, 0, 0)
			task reset_signals([])
			task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}])
			after rmdir("$tmp/before")
		P
		printf 'task exec("%s", [' "$1"
		sep=
		for word; do
			printf '%s"%s"' "$sep" "$word"
			sep=', '
		done
		printf '], env, "/usr/bin:/bin")\n'
	} >"$file"
	chmod 644 "$file"
}

# In the test's own shell below survivors: find the processes of carrel below $1 by name.
cat >end <<'S'
#!/bin/sh
# end HOW COMMAND...: run COMMAND, and once it said ready, end it HOW.
how=$1
shift
rm -f out
"$@" >out 2>err &
pid=$!
i=0
while ! grep -q ready out 2>/dev/null && [ "$i" -lt 200 ]; do sleep 0.05; i=$((i + 1)); done
grep -q ready out || { echo "never ready" >&2; cat err >&2; }
below() { for c in $(cat /proc/"$1"/task/*/children 2>/dev/null); do echo "$c"; below "$c"; done; }
named() { for c in $(below "$pid"); do [ "$(cat /proc/"$c"/comm 2>/dev/null)" != "carrel:$1" ] || echo "$c"; done; }
case $how in
TERM | KILL) kill -"$how" "$pid" ;;
wait) ;;
stop-*) kill -STOP $(named "${how#stop-}"); kill -TERM "$pid" ;;
both) kill -KILL $(named super) $(named guard) ;;
reaper+init) kill -KILL $(named reaper) $(named init) ;;
*) kill -KILL $(named "$how") ;;
esac
wait "$pid"
S
chmod +x end
hard=$TOOLS/hardcases
try() {
	what=$1
	shift
	if out=$("$TOOLS/survivors" "$@" 2>&1); [ $? -ne 99 ] && ! echo "$out" | grep -q 'never ready'; then
		pass "$what"
	else
		fail "$what" "$out"
	fi
	rmdir before 2>/dev/null # a reaper that was killed runs nothing
}
ids=0
if as_user unshare -U true 2>/dev/null; then ids="0 $user"; else skip 'as an ordinary user' 'user namespaces are forbidden here'; fi
for id in $ids; do
	prefix=
	[ "$id" = 0 ] || prefix="setpriv --reuid $user --regid $user --clear-groups"
	kuid=$id
	[ "$id" != 0 ] || kuid=100000
	program hold "$kuid" "$hard" abcdefg --hold 60
	program leave "$kuid" "$hard" abcdefg --exit 0
	run="$prefix $CARREL run -k 0.2 --ops hold"
	# shellcheck disable=SC2086 # words
	{
		try "$id: the leader exits" -- ./end wait $prefix "$CARREL" run --ops leave
		try "$id: a timeout" -- ./end wait $run -t 1
		for how in TERM KILL guard super reaper init both reaper+init stop-init stop-reaper; do
			settle=1
			case $how in stop-*) settle=5 ;; esac
			try "$id: $how" --settle "$settle" -- ./end "$how" $run
		done
		for how in KILL TERM guard super reaper init nursery; do
			try "$id: a host with a handle: $how" -- ./end "$how" $prefix "$TOOLS/host" -o hold
		done
	}
done
# Both guards killed at one instant leave an empty cgroup; nothing else does.
cgroups_left >/dev/null

# Stepped: as stepped.sh does without namespaces.
if ! "$TOOLS/stepper" count -- true >/dev/null 2>&1; then
	skip 'stepped kills' 'no stepper on this architecture or no right to trace'
else
	cat >cmd <<'S'
#!/bin/sh
setsid sleep 50 & sleep 50 &
exit 7
S
	chmod +x cmd
	# sweep ROLE AT STRIDE USER COMMAND...
	sweep() {
		role=$1 at=$2 stride=$3 as=$4
		shift 4
		# shellcheck disable=SC2086 # words
		n=$("$TOOLS/stepper" count $as -- "$@" 2>/dev/null | awk -v r="$role" '$1 == r {print $2}')
		step=1
		while [ "$step" -le "${n:-0}" ]; do
			rmdir before 2>/dev/null
			# shellcheck disable=SC2086 # words
			"$TOOLS/survivors" --settle 2 -- "$TOOLS/stepper" kill --role "$role" --step "$step" --at "$at" \
				$as --output result -- "$@" >out 2>err
			got=$?
			dirs=$(cgroups_left)
			[ -z "$dirs" ] || wrong="$wrong
$role $at $step $as: the cgroup$dirs is left"
			case $got in
			0) reached=$((reached + 1)) ;;
			3) ;;
			*) wrong="$wrong
$role $at $step $as: status $got
$(cat result; tail -n 3 err)" ;;
			esac
			# Whatever is killed but the reaper itself: what comes after was done.
			if [ "$role" != reaper ] && [ "$role" != guard ] && [ "$role" != super ] && [ -d before ]; then
				wrong="$wrong
$role $at $step $as: the operation after did not run"
			fi
			step=$((step + stride))
		done
	}
	stepped() {
		is "$1: nothing is left after $reached kills" "$wrong" ''
		if [ "$reached" -ge "$2" ]; then pass "$1: $2 points were reached"; else fail "$1: $2 points were reached" "$reached"; fi
		reached=0 wrong=
	}
	program ops 100000 "$tmp/cmd"
	program user.ops "$user" "$tmp/cmd"
	reached=0 wrong=
	for at in entry exit; do
		sweep init $at 1 '' "$CARREL" run --ops ops
		sweep init $at 2 '' "$TOOLS/host" -o ops
		[ "$ids" = 0 ] || sweep init $at 2 "--user $user" "$CARREL" run --ops user.ops
	done
	stepped init 100
	for at in entry exit; do
		sweep reaper $at 1 '' "$CARREL" run --ops ops
		[ "$ids" = 0 ] || sweep reaper $at 3 "--user $user" "$CARREL" run --ops user.ops
	done
	stepped reaper 100
	sweep task entry 1 '' "$CARREL" run --ops ops
	sweep super entry 2 '' "$CARREL" run --ops ops
	sweep guard entry 3 '' "$CARREL" run --ops ops
	stepped 'task, supervisor and guard' 50

	# The first, second and fifth call of each kind fails: as if nothing had been, or an error that is carrel's own.
	"$TOOLS/stepper" list -- "$CARREL" run --ops ops 2>/dev/null | awk '$1 ~ /^(reaper|init|task)$/' >calls
	while read -r role call count; do
		case $call in
		rt_sigprocmask | wait4 | exit | exit_group | execve | rt_sigreturn | restart_syscall | munmap) continue ;;
		esac
		for nth in 1 2 5; do
			[ "$nth" -le "$count" ] || continue
			rmdir before 2>/dev/null
			"$TOOLS/survivors" --settle 3 -- "$TOOLS/stepper" fail --role "$role" --call "$call" --nth "$nth" \
				--errno ENOMEM --timeout 10 --output result -- "$CARREL" run --ops ops >out 2>err
			got=$?
			[ "$got" -ne 3 ] || continue
			reached=$((reached + 1))
			end=$(sed -n 's/^ended //p' result)
			said=$(grep -c '^carrel: ' err)
			case $got.$end.$said in
			0.exit=7.0 | 0.exit=125.[1-9]* | 0.exit=12[67].[1-9]*) ;;
			*) wrong="$wrong
$role $call $nth: status $got, ended $end: $(cat result; tail -n 3 err)" ;;
			esac
			[ ! -d before ] || [ "$role.$call" = reaper.rmdir ] || wrong="$wrong
$role $call $nth: the operation after did not run: $(cat err)"
			dirs=$(cgroups_left)
			[ -z "$dirs" ] || wrong="$wrong
$role $call $nth: the cgroup$dirs is left"
		done
	done <calls
	stepped 'calls that fail' 50
fi
# At random moments, each role; $RANDOM_KILLS says how often.
cat >busy <<'S'
#!/bin/sh
setsid sleep 50 & sleep 50 & sleep 0.02
S
chmod +x busy
program busy.ops 100000 "$tmp/busy"
if out=$("$here/../tools/random_kill.py" --each "${RANDOM_KILLS:-20}" busy.ops); then
	pass "random kills: $out"
else
	fail 'random kills' "$out"
fi
cgroups_left >/dev/null
is 'mounts are as they were' "$(cat /proc/self/mountinfo)" "$mounts_before"
is 'no cgroup is left' "$(cgroups_left)" ''
finish
