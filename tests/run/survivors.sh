#!/bin/sh
# SPDX-License-Identifier: ISC
# Nothing outlives: seven kinds of nasty children against every kind of ending, as root and as an
# ordinary user, with a cgroup where one can be had and without.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
chmod 777 "$tmp"
own_cgroups

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
stop-super) kill -STOP $(named super); kill -KILL "$pid" ;;
stop-guard) kill -STOP $(named guard); kill -KILL "$pid" ;;
stop-reaper) kill -STOP $(named reaper); kill -TERM "$pid" ;;
both) kill -KILL $(named super) $(named guard) ;;
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
}
for who in root user; do
	prefix=
	[ "$who" = root ] || prefix="setpriv --reuid $user --regid $user --clear-groups"
	for cgroup in '' '--memory 2G --pids 1000 --status-fd 2' --no-cgroup; do
		# An ordinary user has none here in any case.
		[ "$who" = root ] || [ "$cgroup" = --no-cgroup ] || continue
		run="$prefix $CARREL run $cgroup"
		# Once with the control process that the command has in itself
		[ "$who$cgroup" != root ] || run="env -u CARREL_CONTROL $CARREL run"
		name="$who $cgroup"
		# shellcheck disable=SC2086 # words
		{
			try "$name: the leader exits" -- ./end wait $run "$hard" abcdefg --exit 0
			try "$name: the leader exits, --json" -- ./end wait $run --json "$hard" abcdefg --exit 0
			try "$name: a timeout" -- ./end wait $run -t 1 -k 0.2 "$hard" abcdefg --hold 60
			try "$name: TERM to carrel" -- ./end TERM $run -k 0.2 "$hard" abcdefg --hold 60
			for how in KILL guard super reaper both stop-super stop-guard stop-reaper; do
				settle=1
				case $how in stop-*) settle=5 ;; esac
				try "$name: $how" --settle "$settle" -- ./end "$how" $run -k 0.2 "$hard" abcdefg --hold 60
			done
			case $cgroup in --memory*) flags=-l ;; --no*) flags=-n ;; *) flags= ;; esac
			for how in KILL TERM guard super reaper nursery; do
				try "$name: a host with a handle: $how" -- ./end "$how" $prefix "$TOOLS/host" $flags "$hard" abcdefg --hold 60
			done
		}
	done
done
# The handle of a host that lost both guards at one instant leaves an empty cgroup; nothing else does.
for d in $(groups_left); do
	[ -s "$d/cgroup.procs" ] && fail "a process in $d"
	rmdir "$d"/[rs]* "$d" 2>/dev/null
	left="$left $d"
done
set -- $left
if [ $# -le 2 ]; then pass 'no cgroup is left but after both guards were killed'; else fail 'cgroups left' "$left"; fi
finish
