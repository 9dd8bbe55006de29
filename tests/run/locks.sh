#!/bin/sh
# SPDX-License-Identifier: ISC
# What each control process may still do, read from /proc and tried from the inside.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
chmod 777 "$tmp"

field() {
	awk -v name="$2:" '$1 == name {print $2}' "/proc/$1/status"
}

# inject PID CALL ARGS: what the call answers inside that process (4294967196 is AT_FDCWD)
inject() {
	"$TOOLS/stepper" inject --pid "$1" --call "$2" $3 2>&1 | sed -n 's/^ret=//p'
}

# Both flags first, then that calls fail inside, and that the process lives on.
locked() {
	role=$1 pid=$2 caps=$3
	is "$role: no new privileges" "$(field "$pid" NoNewPrivs)" 1
	is "$role: a filter" "$(field "$pid" Seccomp)" 2
	is "$role: capabilities" "$(field "$pid" CapEff) $(field "$pid" CapPrm)" "$caps $caps"
	is "$role: execve fails" "$(inject "$pid" execve 'str:/bin/true 0 0')" -1
	is "$role: execveat fails" "$(inject "$pid" execveat '4294967196 str:/bin/true 0 0 0')" -1
	is "$role: socket fails" "$(inject "$pid" socket '1 1 0')" -1
	is "$role: fork fails" "$(inject "$pid" fork '')" -1
	is "$role: clone fails" "$(inject "$pid" clone '17 0 0 0 0')" -1
	is "$role: ptrace fails" "$(inject "$pid" ptrace "16 $$ 0 0")" -1
	is "$role: opening for writing fails" "$(inject "$pid" openat "4294967196 str:$tmp/new 1 0")" -1
	is "$role: creating fails" "$(inject "$pid" openat "4294967196 str:$tmp/new 64 420")" -1
	is "$role: open(2) fails" "$(inject "$pid" open "str:$tmp/new 0 0")" -1
	is "$role: removing a file fails" "$(inject "$pid" unlinkat "4294967196 str:$tmp/keep 0")" -1
	is "$role: writable and executable memory fails" "$(inject "$pid" mmap '0 4096 7 34 -1 0')" -1
	is "$role: reading does not" "$(inject "$pid" openat '4294967196 str:/proc/self/stat 0 0' | grep -c '^[0-9]')" 1
	is "$role: lives" "$(cat "/proc/$pid/comm")" "carrel:$role"
}

children() {
	cat "/proc/$1/task/$1/children"
}

# A reaper that has started its task: it has children.
reaper_of() {
	for p in $(children "$1"); do
		case $(cat "/proc/$p/comm") in carrel:reaper) [ -z "$(children "$p")" ] || echo "$p" ;; esac
	done
}

begin() {
	rm -f pids
	"$@" "$TOOLS/host" -p sleep 100 >pids &
	host=$!
	i=0
	while [ ! -s pids ] && [ "$i" -lt 100 ]; do sleep 0.05; i=$((i + 1)); done
	sleep 0.2
	read -r guard supervisor nursery task <pids
	reaper=$(reaper_of "$supervisor")
}

# A handle for one spawn, as the command uses it
begin_once() {
	"$@" "$CARREL" run sleep 100 &
	host=$!
	guard='' supervisor='' reaper='' task='' nursery='' i=0
	while [ "$i" -lt 100 ]; do
		guard=$(children "$host")
		supervisor=${guard:+$(children "${guard% }")}
		reaper=${supervisor:+$(children "${supervisor% }")}
		task=${reaper:+$(children "${reaper% }")}
		[ -z "$task" ] || [ "$(cat "/proc/${task% }/comm")" != sleep ] || break
		sleep 0.05
		i=$((i + 1))
	done
	guard=${guard% } supervisor=${supervisor% } reaper=${reaper% } task=${task% }
	sleep 0.2
}

once() {
	what=$1
	shift
	begin_once "$@"
	locked guard "$guard" "$guard_caps"
	locked super "$supervisor" "$guard_caps"
	locked reaper "$reaper" "$kill_only"
	is "$what: the task has no filter of ours" "$(field "$task" NoNewPrivs) $(field "$task" Seccomp)" '1 0'
	for p in "$guard" "$supervisor" "$reaper"; do
		is "$what: the command line" "$(tr '\0' ' ' <"/proc/$p/cmdline" | sed 's/ *$//')" 'carrel-control --once'
		is "$what: no environment" "$(tr -d '\0' <"/proc/$p/environ" | wc -c)" 0
		is "$what: the directory" "$(readlink "/proc/$p/cwd")" /
		is "$what: no handler, everything blocked" "$(field "$p" SigCgt) $(field "$p" SigBlk)" \
			'0000000000000000 fffffffc7ffbfeff'
		is "$what: the process group" "$(ps -o pgid= -p "$p" | tr -d ' ')" "$guard"
		is "$what: nothing of the command's is open" "$(find "/proc/$p/fd" -lname 'pipe:*' | wc -l) $(readlink \
			"/proc/$p/fd/0" "/proc/$p/fd/1" "/proc/$p/fd/2" | tr '\n' ' ')" \
			"$([ "$p" = "$guard" ] && echo 0 || echo 1) /dev/null /dev/null /dev/null "
	done
	is "$what: the executable" "$(readlink "/proc/$guard/exe")" "$program"
	end "$what"
}

end() {
	kill "$host"
	wait "$host" 2>/dev/null
	for p in $guard $supervisor $nursery $reaper $task; do
		i=0
		while [ -d "/proc/$p" ] && [ "$i" -lt 40 ]; do sleep 0.05; i=$((i + 1)); done
		[ ! -d "/proc/$p" ] || fail "$1: $p is left"
	done
	is "$1: the file is still there" "$(ls keep new 2>/dev/null)" keep
}

: >keep
chmod 666 keep
begin env
none=0000000000000000
kill_only=0000000000000020
# Guard and supervisor remove the handle's cgroup, whose parent only CAP_DAC_OVERRIDE may write to at the root.
guard_caps=$(field "$guard" CapEff)
case $guard_caps in "$kill_only" | 0000000000000022) pass 'guard: CAP_KILL and at most CAP_DAC_OVERRIDE' ;;
*) fail 'guard: CAP_KILL and at most CAP_DAC_OVERRIDE' "$guard_caps" ;; esac
locked guard "$guard" "$guard_caps"
locked super "$supervisor" "$guard_caps"
locked reaper "$reaper" "$kill_only"
is 'nursery: keeps what tasks begin with' "$(field "$nursery" Seccomp) $(field "$nursery" NoNewPrivs) $(field "$nursery" CapEff)" \
	"0 0 $(field $$ CapEff)"
is 'nursery: has no socket to the host' \
	"$(find "/proc/$nursery/fd" -lname 'socket:*' -printf '%l\n' | sort -u | grep -c -F -f - \
		"$(find "/proc/$host/fd" -lname 'socket:*' -printf '%l\n' >host.sockets; echo host.sockets)")" 0
is 'task: no new privileges, no filter of ours' "$(field "$task" NoNewPrivs) $(field "$task" Seccomp)" '1 0'
is 'task: 0, 1 and 2 alone are open' "$(ls "/proc/$task/fd" | tr '\n' ' ')" '0 1 2 '
is 'nobody below may look in' "$(stat -c %U "/proc/$guard/mem" "/proc/$supervisor/mem" "/proc/$reaper/mem" | sort -u)" root
end root
begin setpriv --reuid "$user" --regid "$user" --clear-groups
locked guard "$guard" "$none"
locked super "$supervisor" "$none"
locked reaper "$reaper" "$none"
is 'user: not dumpable, so not theirs' \
	"$(stat -c %u "/proc/$guard/mem" "/proc/$supervisor/mem" "/proc/$reaper/mem" | sort -u)" 0
end user
program=$CARREL_CONTROL
once 'executed' env
program=$CARREL
once 'embedded' env -u CARREL_CONTROL
finish
