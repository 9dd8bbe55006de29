#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Each process of an isolated start is killed at the system calls that it makes, on entry and on exit, under rootless
# and container: nothing may be left, and nothing may hang.
#
#	sh tests/run/stepped_isolated.sh [all]	some of the calls, by STEPPED_SEED; all of them
. "$(dirname "$0")/../lib.sh"
# shellcheck disable=SC2154 # tmp is of lib.sh
cd "$tmp" || exit 1
if ! "$TOOLS/stepper" count -- true >/dev/null 2>&1; then
	skip 'stepped kills' 'no stepper on this architecture or no right to trace'
	finish
fi
chmod 777 "$tmp"
own_cgroup
mounts_before=$(cat /proc/self/mountinfo)
seed=${STEPPED_SEED-$(date +%j)}
# How many calls lie between those that are tried
case ${1-} in all) most=1 ;; *) most=23 ;; esac
ids=root
if as_user unshare -U true 2>/dev/null; then ids='root user'; else skip 'as an ordinary user' 'user namespaces are forbidden here'; fi

# sweep ROLE AT STRIDE COMMAND...: kill at each STRIDEth step, from one that the seed says on; adds to $reached
sweep() {
	role=$1 at=$2 stride=$3
	shift 3
	# shellcheck disable=SC2086 # words
	n=$("$TOOLS/stepper" count $as -- "$@" 2>/dev/null | awk -v r="$role" '$1 == r {print $2}')
	step=$((seed % stride + 1))
	while [ "$step" -le "${n:-0}" ]; do
		# shellcheck disable=SC2086 # words
		"$TOOLS/survivors" --settle 2 -- "$TOOLS/stepper" kill --role "$role" --step "$step" --at "$at" \
			$as --output result -- "$@" >out 2>err
		got=$?
		dirs=$(cgroups_left)
		# A guard that is killed leaves its own, empty.
		[ -z "$dirs" ] || [ "$role" = guard ] || wrong="$wrong
$role $at $step: the cgroup$dirs is left"
		case $got in
		0) reached=$((reached + 1)) ;;
		3) ;;
		*) wrong="$wrong
$role $at $step: status $got
$(cat result; tail -n 3 err)" ;;
		esac
		step=$((step + stride))
	done
}

for id in $ids; do
	as=
	# shellcheck disable=SC2154 # user is of lib.sh
	[ "$id" = root ] || as="--user $user"
	for b in rootless container; do
		[ "$id$b" != usercontainer ] || continue
		for role in host guard super nursery reaper init task; do
			set -- "$CARREL" run -b $b -- /bin/sh -c 'setsid sleep 50 & sleep 50 & exit 7'
			[ "$role" != nursery ] || set -- "$TOOLS/host" -b $b -- /bin/sh -c 'setsid sleep 50 & sleep 50 & exit 7'
			stride=$most
			case $role in init | host) ;; *) stride=$((most / 3 + 1)) ;; esac
			reached=0 wrong=
			sweep "$role" entry "$stride" "$@"
			[ "$role" = task ] || sweep "$role" exit "$stride" "$@"
			is "$id, $b, $role: nothing is left after $reached kills (seed $seed)" "$wrong" ''
			[ "$reached" -gt 0 ] || fail "$id, $b, $role: some calls were reached"
		done
	done
done
is 'mounts are as they were' "$(cat /proc/self/mountinfo)" "$mounts_before"
is 'no cgroup is left' "$(cgroups_left)" ''
finish
