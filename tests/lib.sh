# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# For tests in shell: TAP on standard output. CARREL and CARREL_CONTROL name the programs under test,
# TOOLS the folder of the test tools.

tests=0
failed=0
tmp=$(mktemp -d "${TMPDIR:-/tmp}/carrel-test.XXXXXX") || exit 1
chmod 755 "$tmp"
trap 'rm -rf "$tmp"' EXIT
# An ordinary user, by number: it need not be in the password file.
user=12345
export CARREL CARREL_CONTROL tmp user

pass() {
	tests=$((tests + 1))
	echo "ok $tests - $1"
}

fail() {
	tests=$((tests + 1))
	failed=$((failed + 1))
	echo "not ok $tests - $1"
	shift
	for line; do printf '%s\n' "$line" | sed 's/^/#   /'; done
}

skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# is WHAT GOT WANTED
is() {
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got:    $2" "wanted: $3"; fi
}

# like WHAT GOT PATTERN (of case)
like() {
	# shellcheck disable=SC2254 # the pattern is one
	case $2 in $3) pass "$1" ;; *) fail "$1" "got:     $2" "pattern: $3" ;; esac
}

# status WHAT WANTED COMMAND...: the command's exit status; its output is in $tmp/out and $tmp/err
status() {
	what=$1 wanted=$2
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	if [ "$got" = "$wanted" ]; then
		pass "$what"
	else
		fail "$what" "status $got, wanted $wanted" "$(head -c 2000 "$tmp/out")" "$(head -c 2000 "$tmp/err")"
	fi
}

# own_cgroup: into a cgroup v2 of this test's own, so that what others make is not taken for ours; sets
# $cgroup to its directory, or to nothing where there can be none
own_cgroup() {
	cgroup=
	for d in /sys/fs/cgroup /sys/fs/cgroup/unified; do
		[ "$(stat -f -c %T "$d" 2>/dev/null)" = cgroup2fs ] || continue
		outer=$d$(sed -n 's/^0:://p' /proc/self/cgroup)
		cgroup=$outer/test-$$
		if ! mkdir "$cgroup" 2>/dev/null || ! echo $$ >"$cgroup/cgroup.procs"; then
			cgroup=
			continue
		fi
		trap 'rm -rf "$tmp"; echo $$ >"$outer/cgroup.procs"; rmdir "$cgroup"' EXIT
		return
	done
}

# own_cgroups: the same in every hierarchy of v1 too; sets $places to all of them, which end with the test
own_cgroups() {
	own_cgroup
	places=$cgroup
	for c in memory pids cpu cpuacct freezer blkio; do
		d=/sys/fs/cgroup/$c$(sed -n "s/^[0-9]*:\([^:]*,\)*$c\(,[^:]*\)*://p" /proc/self/cgroup)
		if [ ! -w "$d/cgroup.procs" ] || ! mkdir "$d/test-$$" 2>/dev/null; then continue; fi
		places="$places $d/test-$$"
		echo $$ >"$d/test-$$/cgroup.procs"
	done
	trap 'leave_cgroups; rm -rf "$tmp"' EXIT
}

# leave_cgroups: out of them
leave_cgroups() {
	for d in $places; do
		echo $$ >"${d%/*}/cgroup.procs"
		rmdir "$d"
	done
	places=
}

# groups_left: what is left of handles in them
groups_left() {
	for d in $places; do
		for c in "$d"/carrel-*; do
			[ ! -d "$c" ] || echo "$c"
		done
	done
}

# cgroups_left: the handles' cgroups that are still there, which are removed then
cgroups_left() {
	for d in "${cgroup:-/nowhere}"/carrel-*; do
		[ -d "$d" ] || continue
		printf ' %s' "${d##*/}"
		rmdir "$d"/s* "$d" 2>/dev/null
	done
}

# as_user COMMAND...: as an ordinary user without groups
as_user() {
	setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
}

finish() {
	echo "1..$tests"
	[ "$failed" -eq 0 ]
	exit
}
