#!/bin/sh
# SPDX-License-Identifier: ISC
# Every control process is killed at every system call that it makes, on entry and on exit; and every
# system call of each is made to fail once. Nothing may be left, and nothing may hang.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
if ! "$TOOLS/stepper" count -- true >/dev/null 2>&1; then
	skip 'stepped kills' 'no stepper on this architecture or no right to trace'
	finish
fi
chmod 777 "$tmp"
own_cgroup
cat >cmd <<'S'
#!/bin/sh
setsid sleep 50 & sleep 50 &
exit 7
S
chmod +x cmd

# points ROLE HOST...: how many steps the role makes in a run
points() {
	role=$1
	shift
	"$TOOLS/stepper" count -- "$@" 2>/dev/null | awk -v r="$role" '$1 == r {print $2}'
}

# sweep ROLE AT STRIDE USER COMMAND...: kill at each STRIDEth step; adds to $reached
sweep() {
	role=$1 at=$2 stride=$3 as=$4
	shift 4
	n=$(points "$role" "$@")
	step=1
	while [ "$step" -le "$n" ]; do
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
		step=$((step + stride))
	done
}

ordinary="--user $user"
for role in guard super reaper; do
	reached=0 wrong=
	for at in entry exit; do
		sweep $role $at 1 '' "$CARREL" run ./cmd
		sweep $role $at 1 '' "$TOOLS/host" ./cmd
		# With the control process that the command has in itself
		sweep $role $at 3 "$ordinary" env -u CARREL_CONTROL "$CARREL" run ./cmd
	done
	is "$role: nothing is left after $reached kills" "$wrong" ''
	if [ $reached -ge 200 ]; then pass "$role: 200 points were reached"; else fail "$role: 200 points were reached" $reached; fi
done
reached=0 wrong=
for at in entry exit; do
	sweep nursery $at 1 '' "$TOOLS/host" -k 20 ./cmd
	sweep nursery $at 3 "$ordinary" "$TOOLS/host" -k 20 ./cmd
done
is "nursery: nothing is left after $reached kills" "$wrong" ''
if [ $reached -ge 200 ]; then pass 'nursery: 200 points were reached'; else fail 'nursery: 200 points were reached' $reached; fi
reached=0 wrong=
sweep task entry 1 '' "$CARREL" run ./cmd
sweep host entry 2 '' "$CARREL" run ./cmd
is "task and carrel itself: nothing is left after $reached kills" "$wrong" ''

# The first, second and fifth call of each kind fails, with an errno that such a call has.
reached=0 wrong=
"$TOOLS/stepper" list -- "$CARREL" run ./cmd 2>/dev/null | awk '$1 ~ /^(guard|super|reaper|task|host)$/' >calls
while read -r role call count; do
	case $call in
	# These do not return, or libc and the kernel rely on them.
	rt_sigprocmask | wait4 | exit | exit_group | execve | rt_sigreturn | restart_syscall | set_tid_address | arch_prctl | brk | munmap) continue ;;
	esac
	for nth in 1 2 5; do
		[ "$nth" -le "$count" ] || continue
		for errno in ENOMEM EMFILE EINTR; do
			case $errno.$call in
			EMFILE.open* | EMFILE.socketpair | EMFILE.pipe2 | EMFILE.recvmsg | EMFILE.dup* | EMFILE.signalfd4 | EMFILE.epoll* | EMFILE.eventfd2) ;;
			EINTR.poll | EINTR.wait4 | EINTR.read | EINTR.write | EINTR.recvmsg | EINTR.sendmsg | EINTR.epoll_wait | EINTR.open*) ;;
			ENOMEM.*) ;;
			*) continue ;;
			esac
			"$TOOLS/survivors" --settle 3 -- "$TOOLS/stepper" fail --role "$role" --call "$call" --nth "$nth" \
				--errno $errno --timeout 10 --output result -- "$CARREL" run ./cmd >out 2>err
			got=$?
			dirs=$(cgroups_left)
			[ -z "$dirs" ] || wrong="$wrong
$role $call $nth $errno: the cgroup$dirs is left"
			end=$(sed -n 's/^ended //p' result)
			case $got in
			0) reached=$((reached + 1)) ;;
			3) ;;
			*) wrong="$wrong
$role $call $nth $errno: status $got: $(cat result; tail -n 3 err)" ;;
			esac
			case $end in
			# As if nothing had been, or an error that is carrel's own.
			exit=7 | exit=125 | exit=126 | exit=127 | '') ;;
			*) wrong="$wrong
$role $call $nth $errno: ended $end: $(tail -n 3 err)" ;;
			esac
			if [ "$end" = exit=125 ] && ! grep -q '^carrel: ' err; then
				wrong="$wrong
$role $call $nth $errno: 125 without a word"
			fi
		done
	done
done <calls
is "a name or success, and nothing left, after $reached failed calls" "$wrong" ''
if [ $reached -ge 100 ]; then pass '100 calls failed'; else fail '100 calls failed' $reached; fi
finish
