#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The fault table: every point in tests/faults.expected (role/behaviour/call/n/errno) is one run in which the
# nth such call of that role fails with that errno. Each ends in success, or in an error with a sentence, and
# leaves no process, no cgroup, no descriptor and no file.
#
#	sh tests/run/faults.sh [all | POINT...]	a seeded sample of about FAULTS_SECONDS (45); all; these
#	sh tests/run/faults.sh --list [BEHAVIOUR...] >FILE	the points that runs of now have: run it when the
#						program makes other calls, and look at what went away
#
# FAULTS_SEED chooses the sample, FAULTS_LIMIT (40) is how many seconds make a hang. A point that is not reached is tried again: some depend on who is faster.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")/.." && pwd)
table=${FAULTS_TABLE-$here/faults.expected}
seconds=${FAULTS_SECONDS-45}
seed=${FAULTS_SEED-$(date +%j)}
stepper=$TOOLS/stepper
all_behaviours='run run-nc json handle handle-nc pipes feed pty capture rootless container'
cgroups='run json handle pipes feed pty capture rootless container'

if ! "$stepper" count -- true >/dev/null 2>&1; then
	skip 'the fault table' 'no stepper on this architecture or no right to trace'
	finish
fi
mkdir "$tmp/work" || exit 1
cd "$tmp/work" || exit 1
umask 027
FAULT_MARK=here
export FAULT_MARK

# What is left in a cgroup of the test's own is ours; at the root of a hierarchy the directory is as closed.
own_cgroup
# shellcheck disable=SC2154 # of own_cgroup
if [ -n "$cgroup" ]; then
	chmod 555 "$cgroup"
	case $("$CARREL" run --stats true 2>&1) in *cgroup*) ;; *) cgroups= ;; esac
else
	cgroups=
fi

# command BEHAVIOUR: its words, in $words
command_of() {
	marked=
	case $1 in
	run) words="$CARREL run $TOOLS/faulttask keep $tmp/work" ;;
	run-nc) words="$CARREL run --no-cgroup $TOOLS/faulttask keep $tmp/work" ;;
	json) words="$CARREL run --json $TOOLS/faulttask own $tmp/work" ;;
	handle) words="$TOOLS/faulthost inherit $TOOLS/faulttask own $tmp/work" marked=--marked ;;
	handle-nc) words="$TOOLS/faulthost -n inherit $TOOLS/faulttask own $tmp/work" marked=--marked ;;
	pipes | feed | capture) words="$TOOLS/faulthost $1 $TOOLS/faulttask own $tmp/work" marked=--marked ;;
	rootless | container) words="$CARREL run -b $1 --bind $TOOLS/faulttask:/faulttask -- /faulttask inside /" ;;
	pty) words="$TOOLS/faulthost pty $TOOLS/faulttask keep $tmp/work" marked=--marked ;;
	*) return 1 ;;
	esac
}

usable() {
	case " $cgroups run-nc handle-nc " in *" $1 "*) ;; *) return 1 ;; esac
}

if [ "${1-}" = --list ]; then
	echo '# The fault table: role/behaviour/call/n/errno. Made by: sh tests/run/faults.sh --list'
	# Of several runs the fewest: others depend on who is faster.
	shift
	# shellcheck disable=SC2086 # words
	[ $# -gt 0 ] || set -- $all_behaviours
	for behaviour; do
		usable "$behaviour" || echo "faults.sh: no cgroup, so no $behaviour" >&2
		command_of "$behaviour"
		for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
			# shellcheck disable=SC2086 # words
			"$stepper" list $marked --output list -- $words </dev/null >out 2>err
			echo run
			cat list
		done | awk -v b="$behaviour" '
			$1 == "run" { runs++; next }
			$1 == "other" { next }
			{ k = $1 " " b " " $2; seen[k]++; if (seen[k] == 1 || $3 < least[k]) least[k] = $3 }
			END { for (k in seen) if (seen[k] == runs) print k, least[k] }'
	done | awk -f "$here/tools/faults.awk" | LC_ALL=C sort -t/ -k1,1 -k2,2 -k3,3 -k4,4n -k5,5
	exit
fi

# look_left: what a run left, in $left, and away with it
look_left() {
	left=
	for d in "${cgroup:-/nowhere}"/carrel-*; do
		[ ! -d "$d" ] || left=$(cgroups_left)
	done
	for f in *; do
		case $f in out | err | result | list) ;; *) left="$left file:$f"; rm -rf "$f" ;; esac
	done
}

# judge: what is wrong with the run, in $why: $got is the tools' status
judge() {
	why='' end='' wrong='' sentence='' right=
	while read -r word value; do
		[ "$word" != ended ] || end=$value
	done <result
	while read -r line; do
		case $line in
		wrong*) wrong=$line ;;
		"carrel: no error"* | "carrel: ") wrong="no sentence" ;;
		carrel:*) sentence=$line ;;
		carrel-control*) wrong="the control process prints: $line" ;;
		esac
	done <err
	while read -r line; do
		case $line in
		wrong*) wrong=$line ;;
		right) right=yes ;;
		*'bytes\nright\n"'*) right=yes ;;
		esac
	done <out
	case $behaviour in pipes | feed | pty | capture) right=yes ;; esac
	case $got.$end in
	0.exit=7) [ -n "$right" ] || why='the output is not there' ;;
	0.exit=12[567])
		# Whoever cannot write cannot say so.
		[ -n "$sentence" ] || [ "$role.$call" = host.write ] || [ "$role.$call" = host.writev ] ||
			why="ended $end without a sentence" ;;
	124.*) why='it hangs' ;;
	99.*) why='processes are left' ;;
	*) why="tools $got, ended $end" ;;
	esac
	[ -z "$wrong" ] || why="$why $wrong"
	[ -z "$left" ] || why="$why left:$left"
}

# point ROLE/BEHAVIOUR/CALL/N/ERRNO
point() {
	IFS=/ read -r role behaviour call nth errno <<-P
		$1
	P
	command_of "$behaviour" || return 1
	tries=0
	while :; do
		: >out
		: >result
		# shellcheck disable=SC2086 # words
		"$TOOLS/survivors" --settle 4 --timeout 90 -- "$stepper" fail --role "$role" --call "$call" --nth "$nth" \
			--errno "$errno" --timeout "${FAULTS_LIMIT-40}" $marked --output result -- $words </dev/null >out 2>err
		got=$?
		look_left
		[ $got = 3 ] && [ -z "$left" ] && [ $tries -lt 9 ] || break
		tries=$((tries + 1))
	done
	if [ $got = 3 ]; then
		unreached="$unreached $1"
		[ -z "$left" ] || bad="$bad
$1: left without a fault: $left"
		return
	fi
	reached=$((reached + 1))
	judge
	[ -z "$why" ] || {
		n_bad=$((n_bad + 1))
		bad="$bad
$1: $why
$(head -c 300 result; head -c 600 err; grep -a '^wrong' out)"
	}
}

case ${1-} in
'') points=$(awk -v seed="$seed" 'BEGIN { srand(seed) } !/^#/ && NF { print rand(), $1 }' "$table" | sort -n | cut -d' ' -f2) ;;
all) points=$(grep -v '^#' "$table") ;;
*) points=$* ;;
esac
reached=0 n_bad=0 bad='' unreached='' tried=0
begun=$(date +%s)
for p in $points; do
	b=${p#*/}
	usable "${b%%/*}" || continue
	tried=$((tried + 1))
	point "$p"
	[ -n "${1-}" ] || [ $(($(date +%s) - begun)) -lt "$seconds" ] || break
done
[ -n "$cgroups" ] || skip 'behaviours with a cgroup' 'no cgroup v2 can be had here'
is "a name or success, and nothing left, after $reached faults (seed $seed)" "$bad" ''
is "each of the $tried points was reached" "$unreached" ''
finish
