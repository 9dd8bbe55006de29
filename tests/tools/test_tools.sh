#!/bin/sh
# SPDX-License-Identifier: ISC
#
# test_tools.sh: the test tools tested. Prints TAP; exits 1 when a test failed.

# shellcheck disable=SC2016
usage='usage: test_tools.sh [TOOLS]
Tests stepper, survivors, hardcases (built, in the folder TOOLS, default .) and tap.h, which it
compiles with $CC (cc).'

case ${1-} in
--help) echo "$usage"; exit 0 ;;
-*) echo "test_tools.sh: unknown option '$1'" >&2; exit 2 ;;
esac
[ $# -le 1 ] || { echo "test_tools.sh: one folder at most" >&2; exit 2; }
tools=$(cd "${1-.}" && pwd) || exit 2
here=$(cd "$(dirname "$0")" && pwd)
for tool in stepper survivors hardcases; do
	[ -x "$tools/$tool" ] || { echo "test_tools.sh: no $tool in $tools" >&2; exit 2; }
done
dir=$(mktemp -d) || exit 125
sleeper=
trap 'rm -rf "$dir"; [ -z "$sleeper" ] || kill "$sleeper"' EXIT
trap 'exit 1' HUP INT TERM
PATH=$tools:$PATH
LC_ALL=C
export PATH LC_ALL
number=0
limit=60
uid=$((20000 + $$ % 40000)) # limits on processes count by uid: one for each run
failed=0

# result OK NAME: one line of TAP; what the command printed follows a failure.
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		sed 's/^/# /' "$dir/out"
		failed=1
	fi
}

skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# expect NAME STATUS PATTERN CMD...: CMD exits STATUS and prints a line that matches PATTERN.
expect() {
	name=$1 status=$2 pattern=$3
	shift 3
	timeout -k 5 "$limit" "$@" >"$dir/out" 2>&1 </dev/null
	got=$?
	echo "exit status $got, expected $status and a line like: $pattern" >>"$dir/out"
	[ $got = "$status" ] && sed '$d' "$dir/out" | grep -Eq -- "$pattern"
	result $? "$name"
}

# printed NAME PATTERN: the last command also printed this.
printed() {
	sed '$d' "$dir/out" | grep -Eq -- "$2"
	result $? "$1"
}

# ---- hardcases and survivors ----

for tool in stepper survivors hardcases; do
	expect "$tool: help" 0 "^usage: $tool" $tool --help
done
expect "stepper: unknown option" 2 "unrecognized option" stepper count --nonsense
expect "survivors: unknown option" 2 "unrecognized option" survivors --nonsense
expect "hardcases: unknown option" 2 "unrecognized option" hardcases --nonsense

expect "hardcases: unknown letter" 2 "'x' is not a case" hardcases ax
if [ "$(id -u)" = 0 ]; then
	expect "hardcases: no fork bomb as root" 2 "h needs a uid other than 0" hardcases h
else
	skip "hardcases: no fork bomb as root" "not root"
fi
expect "survivors: none, and the command's status" 3 "^survivors 0$" survivors -- sh -c 'exit 3'
expect "survivors: the command's signal" 137 "^survivors 0$" survivors -- sh -c 'kill -9 $$'
expect "survivors: no such command" 127 "No such file" survivors -- /nonexistent/command
expect "survivors: what goes by itself" 0 "^survivors 0$" survivors -- sh -c 'sleep 0.2 &'
expect "survivors: a command that hangs" 124 "^survivors 1$" \
	survivors --timeout 0.3 --settle 0 -- sleep 30
expect "survivors: a leaked daemon" 99 "^survivor pid=.* comm=innocent state=S cmdline=innocent$" \
	survivors --settle 0.3 -- hardcases c --exit 0
expect "survivors: keep going" 5 "^survivors 1$" \
	survivors --settle 0.1 --keep-going -- hardcases a --exit 5
for letter in a b d e f g; do
	expect "survivors: case $letter" 99 "^survivor pid=.* comm=hardcases" \
		survivors --settle 0.1 -- hardcases $letter
done
expect "survivors: leaves nothing itself" 99 "^survivors 0$" \
	survivors --settle 0 -- survivors --settle 0 --token "inner$$" -- hardcases abcdefg
printed "survivors: had nine to find" "^survivors 8$|^survivors 9$"
if [ "$(id -u)" = 0 ]; then
	expect "survivors: --user" 0 "^$uid\$" \
		survivors --user "$uid" -- sh -c 'id -u; id -g; id -G'
	expect "survivors: a fork bomb" 99 "^survivors [1-9]" \
		survivors --user "$uid" --settle 0.1 -- prlimit --nproc=40 hardcases h
else
	skip "survivors: --user" "not root"
	skip "survivors: a fork bomb" "not root"
fi

# ---- stepper ----

expect "stepper: needed option" 2 "kill needs --step" stepper kill --role host -- true
expect "stepper: unknown role" 2 "'x' is not one" stepper kill --role x --step 1 -- true
expect "stepper: unknown call" 2 "'nope' is not" stepper inject --pid 1 --call nope
expect "stepper: no such command" 127 "No such file" stepper count -- /nonexistent/command
expect "stepper: count" 0 "^host [1-9]" stepper count -- sh -c 'sleep 0 & wait'
printed "stepper: counts children" "^other [1-9]"
steps=$(sed -n 's/^host //p' "$dir/out")
expect "stepper: kill" 0 "^killed host pid=[0-9]+ step=9 call=[a-z0-9_]+$" \
	stepper kill --role host --step 9 -- sleep 30
printed "stepper: says how it ended" "^ended signal=9$"
expect "stepper: kill at exit" 0 "^ended signal=15$" \
	stepper kill --role host --step 9 --at exit --signal TERM -- sleep 30
expect "stepper: kill a child" 0 "^ended exit=7$" \
	stepper kill --role other --step 5 -- sh -c 'sleep 30 || exit 7'
expect "stepper: not reached" 3 "^not reached$" \
	stepper kill --role host --step $((steps * 100)) -- sh -c 'sleep 0 & wait'
expect "stepper: time limit" 124 "killed after" stepper count --timeout 0.3 -- sleep 30
expect "stepper: leaves nothing at its time limit" 124 "^survivors 0$" \
	survivors --settle 0 -- stepper count --timeout 1 -- hardcases abcdefg --hold 30
expect "stepper: a stopped command is killed in time" 124 "^survivors 0$" survivors --settle 0 -- \
	stepper kill --role host --step 9 --signal STOP --timeout 0.5 -- sleep 30
expect "stepper: lets go of what goes on" 99 "^survivors 6$" survivors --settle 0.1 -- \
	stepper count --settle 0.2 -- hardcases abdeg
echo secret >"$dir/file"
stepper list --output "$dir/calls" -- cat "$dir/file" >/dev/null
nth=$(sed -n 's/^host openat //p' "$dir/calls")
expect "stepper: fail" 0 "Permission denied" \
	stepper fail --role host --call openat --nth "$nth" --errno EACCES -- cat "$dir/file"
printed "stepper: the command goes on after the failure" "^ended exit=1$"
grep -q secret "$dir/out"
result $((! $?)) "stepper: the call was not made"
sleep 2 &
sleeper=$!
expect "stepper: inject what blocks" 124 "took longer" \
	stepper inject --pid $sleeper --timeout 0.2 --call poll 0 0 -1
for i in 1 2 3 4 5; do
	expect "stepper: inject, round $i" 0 "^ret=$sleeper$" \
		stepper inject --pid $sleeper --call getpid
done
expect "stepper: inject a text" 0 "^ret=-2$" \
	stepper inject --pid $sleeper --call open str:/nonexistent 0
expect "stepper: inject what blocks once more" 124 "took longer" \
	stepper inject --pid $sleeper --timeout 0.2 --call poll 0 0 -1
timeout 10 tail --pid=$sleeper -f /dev/null && wait $sleeper
result $? "stepper: the sleeper slept on"
kill -0 $sleeper 2>/dev/null || sleeper=
expect "stepper: inject into nothing" 125 "No such process" \
	stepper inject --pid 4194304 --call getpid

# ---- tap.h ----

cat >"$dir/t.c" <<'END'
#include "tap.h"
TEST(pass) { CHECK(1); CHECK_INT(2, 2); CHECK_STR("a", "a"); CHECK_MEM("ab", 2, "ab", 2); }
TEST(fail) { CHECK_INT(1 + 1, 3); }
TEST(text) { CHECK_STR("a", NULL); }
TEST(bytes) { CHECK_MEM("abc", 3, "abd", 3); }
TEST(skip) { SKIP("not here"); }
TEST(grandchild) { if (fork() == 0) CHECK(getpid() < 0); wait(NULL); }
TEST(returns) { if (fork() == 0) return; wait(NULL); }
TEST(noise) { puts("ok 77 - noise"); }
TEST(dies) { raise(SIGTERM); }
TEST(status) { _exit(9); }
TEST(leak) { if (fork() == 0) { setsid(); for (;;) pause(); } }
TEST(late) { if (fork() == 0) usleep(100000); }
TEST_T(hang, 1) { if (fork() == 0) pause(); for (;;) pause(); }
END
${CC:-cc} -std=c17 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wconversion -Wshadow \
	-Wmissing-prototypes -I "$here/.." "$dir/t.c" -o "$dir/t" >"$dir/out" 2>&1 &&
	[ ! -s "$dir/out" ]
result $? "tap.h: compiles without a warning"
expect "tap.h: a suite with failures" 1 "^1\.\.13$" survivors --settle 0 -- "$dir/t"
printed "tap.h: nothing is left" "^survivors 0$"
printed "tap.h: passes" "^ok 1 - pass$"
printed "tap.h: fails with line and values" "^# .*t\.c:3: 1 \+ 1 is 2, not 3 = 3$"
printed "tap.h: compares texts" "^not ok 3 - text$"
printed "tap.h: compares bytes" "differ at 2: 63 / 64$"
printed "tap.h: skips" "^ok 5 - skip # SKIP not here$"
printed "tap.h: a check in a grandchild" "^not ok 6 - grandchild$"
printed "tap.h: a grandchild that returns" "^ok 7 - returns$"
printed "tap.h: output is no result" "^ok 8 - noise$"
printed "tap.h: a signal" "^not ok 9 - dies$"
printed "tap.h: a status" "^not ok 10 - status$"
printed "tap.h: a leak" "^not ok 11 - leak$"
printed "tap.h: names the leak" "^# leftovers: pid [0-9]+ \(t\)$"
printed "tap.h: waits for what goes by itself" "^ok 12 - late$"
printed "tap.h: a hang" "^not ok 13 - hang$"
[ "$(grep -Ec '^(not )?ok ([0-9]|1[0-3]) ' "$dir/out")" = 13 ]
result $? "tap.h: each test ran once"
expect "tap.h: tests by name" 0 "^ok 2 - noise$" "$dir/t" pass noise
expect "tap.h: no such test" 2 "no test is named 'nope'" "$dir/t" nope

echo "1..$number"
exit $failed
