#!/bin/sh
# SPDX-License-Identifier: ISC
# Cgroups: made, removed, and never used again once they were killed.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

kept=$("$CARREL" run --stats true 2>&1)
case $kept in
*reaper+cgroup*) ;;
*)
	skip 'cgroups' 'no cgroup v2 can be had here'
	finish
	;;
esac
root=/sys/fs/cgroup
[ ! -d $root/unified ] || root=$root/unified
own=$root$(sed -n 's/^0:://p' /proc/self/cgroup)
is 'the task is in a cgroup of its own' "$("$CARREL" run sed -n 's/^0:://p' /proc/self/cgroup | grep -c carrel-)" 1
is 'unless it shall not' "$("$CARREL" run --no-cgroup sed -n 's/^0:://p' /proc/self/cgroup | grep -c carrel-)" 0
d=$("$CARREL" run sed -n 's/^0:://p' /proc/self/cgroup)
is 'which is gone with it' "$([ -n "$d" ] && [ -e "$root$d" ] && echo left)" ''
# A kernel may kill whatever begins in a cgroup that was killed before: leftovers of every process number
# that is near must not matter.
pid=$(sh -c 'echo $$')
i=0
while [ $i -lt 400 ]; do
	pid=$((pid + 1))
	d=$own/carrel-$pid
	mkdir -p "$d/s0" 2>/dev/null && echo 1 >"$d/cgroup.kill" && made="$made $d"
	i=$((i + 1))
done
wrong=0
i=0
while [ $i -lt 30 ]; do
	"$CARREL" run true 2>>err || wrong=$((wrong + 1))
	i=$((i + 1))
done
is 'one that was left and killed before is made anew' "$wrong $(cat err)" '0 '
for d in $made; do
	[ ! -d "$d" ] || rmdir "$d/s0" "$d"
done
is 'streams on one handle after leftovers were killed' \
	"$("$TOOLS/host" -k 30 sh -c 'sleep 100 & echo x' | grep -c x)" 30
finish
