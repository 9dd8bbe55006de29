#!/bin/sh
# SPDX-License-Identifier: ISC
# What the command says and does when something fails: exit status, a sentence that names what was wrong,
# and nothing left. tests/lib/test_failures.c does the same for the library.
. "$(dirname "$0")/../lib.sh"
# A number of its own: a limit on processes counts those of every test that runs as this user.
user=23451
cd "$tmp" || exit 1
chmod 777 "$tmp"
own_cgroup

# fails WHAT STATUS PATTERN COMMAND...: the sentence matches, alone; nothing survives
fails() {
	what=$1 wanted=$2 pattern=$3
	shift 3
	"$TOOLS/survivors" --settle 3 --timeout 60 -- "$@" >out 2>err
	got=$?
	left=$(sed -n 's/^survivors //p' err)
	sed -i '/^survivors /d' err
	text=$(cat err)
	left=$left$(cgroups_left)
	# shellcheck disable=SC2254 # a pattern
	case $got:$left:$(wc -l <err):$text in
	$wanted:0:1:"carrel: "$pattern) pass "$what" ;;
	*) fail "$what" "status $got, wanted $wanted; survivors $left" "said:    $text" "pattern: carrel: $pattern" ;;
	esac
}

run() {
	what=$1 wanted=$2 pattern=$3
	shift 3
	fails "$what" "$wanted" "$pattern" "$CARREL" run "$@"
}

user_run() {
	what=$1 wanted=$2 pattern=$3
	shift 3
	fails "$what" "$wanted" "$pattern" setpriv --reuid "$user" --regid "$user" --clear-groups "$CARREL" run "$@"
}

# with_helper WHAT PATTERN HELPER: with another control process
with_helper() {
	what=$1 pattern=$2
	CARREL_CONTROL=$3
	run "$what" 125 "$pattern" true
	CARREL_CONTROL=$control
}
control=$CARREL_CONTROL

# ---- the command ----

mkdir directory
mkdir -m 700 closed
echo 'echo x' >plain
printf '#!/no/such/interpreter -x\n' >interpreter
printf '#!%s/directory\n' "$tmp" >into
printf '#!/bin/sh\r\nexit 0\r\n' >carriage
printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\363\0\n:\n' >foreign
ln -s loop loop
chmod 755 interpreter into carriage foreign
run 'no such program' 127 "*'no-such'*not found in PATH*" no-such
run 'no such file' 127 "*'./no-such'*No such file*" ./no-such
run 'an empty word' 127 "*''*" ''
run 'not executable' 126 "*'./plain'*" ./plain
run 'a directory' 126 "*'./directory'*" ./directory
run 'a file for a directory' 127 "*'./plain/x'*Not a directory*" ./plain/x
run 'a loop of links' 126 "*'./loop'*" ./loop
run 'a missing interpreter is named' '12[67]' '*/no/such/interpreter*' ./interpreter
run 'an interpreter that is a directory' 126 "*'./into'*" ./into
run 'an interpreter with a carriage return' '12[67]' '*/bin/sh*' ./carriage
run 'a binary of another machine' 126 "*'./foreign'*format*" ./foreign
run 'no such directory' 125 '*/no/such/place*No such file*' -C /no/such/place true
run 'a file for a working directory' 125 '*plain*Not a directory*' -C plain true
user_run 'a closed working directory' 125 "*$tmp/closed*ermission denied*" -C "$tmp/closed" true
user_run 'a closed directory on the way' 126 "*$tmp/closed/x*ermission denied*" "$tmp/closed/x"
user_run 'a limit above the hard one' 125 '*nofile*999999999*' --rlimit nofile=999999999 true
user_run 'another user' 125 '*only root*another user*' --uid 5 true
user_run 'more priority' 125 '*only root*priority -5*' --priority -5 true

# ---- too long ----

head -c 140000 /dev/zero | tr '\0' x >letters
awk 'BEGIN { for (i = 0; i < 60000; i++) print "0123456789012345678901234567890123456789012345678901234567890123456789" }' >many
cat >long <<'S'
#!/bin/sh
# A shell cannot pass a word that long either, so the words come from a program of operations.
{
	printf 'task exec("/bin/true", ["true", "'
	cat letters
	printf '"], env, "")\n'
} >ops
exec "$CARREL" run --ops ops
S
chmod +x long
fails 'a word longer than 128 KiB' 126 '*Argument list too long*' ./long
sed 's/^.*$/"&",/' many | { printf 'task exec("/bin/true", ["true",'; tr -d '\n'; printf '"x"], env, "")\n'; } >ops
run 'more words than the kernel takes' 126 '*Argument list too long*' --ops ops

# ---- too few of something ----

# each WHAT VALUES OPTION COMMAND...: under every value success, or a sentence
each() {
	what=$1 values=$2 option=$3
	shift 3
	bad='' worked=0 named=0
	for n in $values; do
		"$TOOLS/survivors" --settle 3 --timeout 60 -- "$@" prlimit "$option=$n" "$CARREL" run sh -c 'exit 7' >out 2>err
		got=$?
		case $got:$(grep -c '^carrel: .\{20\}' err):$(grep -c '^survivors 0$' err) in
		7:*:1) worked=$((worked + 1)) ;;
		125:1:1 | 126:1:1) named=$((named + 1)) ;;
		*) bad="$bad
$n: status $got: $(cat err)" ;;
		esac
	done
	is "$what: success $worked times, a name $named times" "$bad" ''
	[ $worked -gt 0 ] && [ $named -gt 0 ] || fail "$what: both happen" "$worked $named"
}
each 'descriptors' '4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 30' --nofile
# What carrel takes to begin at all grows with it; much more is too few for the task, whose loader says so itself.
# The shadow of a sanitizer takes more than any limit.
if [ -z "${SANITIZED-}" ]; then
	least=500000
	until prlimit --as=$least "$CARREL" --version >out 2>&1; do least=$((least + 4096)); done 2>err
	each 'memory' "$least $((least + 30000)) $((least + 70000)) $((least + 120000)) 50000000" --as
fi
# A look for leaks takes a process more.
before=${ASAN_OPTIONS-}
export ASAN_OPTIONS="$before:detect_leaks=0"
each 'processes' '0 1 2 3 4 5 6 7 8 12' --nproc setpriv --reuid "$user" --regid "$user" --clear-groups
ASAN_OPTIONS=$before
why=$(prlimit --nofile=11 "$CARREL" run true 2>&1)
like 'no descriptors in the control process: the sentence names them' "$why" '*descriptors*'
why=$(as_user prlimit --nproc=2 "$CARREL" run true 2>&1)
like 'no process for the guard: the sentence names it' "$why" '*process*limit*'
why=$(as_user prlimit --nproc=3 "$CARREL" run true 2>&1)
like 'no process for the supervisor: the sentence names it' "$why" '*process*limit*'

# ---- the helper ----

echo 'no program' >text
chmod +x text
with_helper 'no helper' '*/no/such/helper*No such file*' /no/such/helper
with_helper 'a helper that is not executable' '*plain*ermission denied*' "$tmp/plain"
with_helper 'a directory as helper' '*directory*' "$tmp/directory"
with_helper 'a text as helper' '*text*Exec format error*' "$tmp/text"
with_helper 'no name of a helper' '*CARREL_CONTROL*' ''
cp "$CARREL" alone
unset CARREL_CONTROL
status 'no helper anywhere: the command has it in itself' 7 ./alone run sh -c 'exit 7'
cp "$TOOLS/host" alone
like 'no helper anywhere, for another program' "$(./alone true 2>&1)" 'host: *CARREL_CONTROL*'
CARREL_CONTROL=$control
export CARREL_CONTROL
printf '#!%s/fakehelper protocol\n' "$TOOLS" >fake
printf '#!%s/fakehelper die\n' "$TOOLS" >dies
chmod +x fake dies
with_helper 'a helper of another version' '*protocol 999*' "$tmp/fake"
with_helper 'a helper that is killed' '*' "$tmp/dies"
i=0
bad=
while [ $i -lt 25 ]; do
	text=$(CARREL_CONTROL=/bin/true "$CARREL" run true 2>&1)
	case $text in 'carrel: the control process did not start: '*) ;; *) bad="$bad
$text" ;; esac
	i=$((i + 1))
done
is 'a helper that is none: one sentence, whoever is faster' "$bad" ''

# ---- /proc ----

if unshare -m true 2>/dev/null; then
	cat >without <<'S'
#!/bin/sh
case $1 in
none) umount -l /proc ;;
empty) mount -t tmpfs none /proc ;;
ro) mount -o remount,bind,ro /proc ;;
dev) mount -t tmpfs none /dev ;;
esac || exit 99
shift
exec "$@"
S
	chmod +x without
	# survivors reads /proc, so it stays outside. A sanitizer reads it too, even its own options from there.
	if [ -z "${SANITIZED-}" ]; then
		fails 'no /proc' 125 '*/proc*mounted*' unshare -m ./without none "$CARREL" run true
		fails 'an empty /proc' 125 '*/proc*mounted*' unshare -m ./without empty "$CARREL" run true
	fi
	status 'a /proc that is read-only' 7 unshare -m ./without ro "$CARREL" run -c 'exit 7'
	fails 'no /dev/null' 125 '*/dev/null*' unshare -m ./without dev "$CARREL" run true
	# What the control process said last is not lost with its socket.
	cat >often <<'S'
#!/bin/sh
i=0
while [ $i -lt 60 ]; do
	"$CARREL" run true
	i=$((i + 1))
done
S
	chmod +x often
	unshare -m ./without empty ./often >out 2>&1
	is 'the reason comes through every time' "$(grep '^carrel:' out | grep -vc 'is /proc mounted')" 0
else
	skip 'no /proc' 'no mount namespace can be had here'
fi

# ---- 0, 1 and 2 ----

for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
	for option in '' --json '--stdio null'; do
		eval "timeout 20 \"\$CARREL\" run $option -c 'exit 9' $closed" >out 2>&1
		got=$?
		# Events that nobody can get are a failure of carrel's own.
		case "$option: $closed" in --json:*' >&-'*) wanted=125 ;; *) wanted=9 ;; esac
		is "closed: $closed $option" $got $wanted
	done
done

# ---- what was done before the failure is what --verbose is for ----

for b in process rootless; do
	"$CARREL" run -v -b "$b" --chdir /nothing true >out 2>&1
	is "-v -b $b: a start that fails" $? 125
	is "-v -b $b: ... up to its failure" "$(grep '^carrel: op:' out | tail -1)" \
		'carrel: op: task chdir("/nothing") = No such file or directory'
	like "-v -b $b: ... and with what came before" "$(cat out)" '*carrel: op: *carrel: op: *cannot change to*'
done

# ---- the library's tests leave no cgroup either ----

for t in every_descriptor_of_the_host every_allocation_of_the_host few_descriptors_in_the_helper few_processes; do
	"$LIBTESTS/test_failures" $t >out 2>&1
	is "library, $t: no cgroup is left" "$(cgroups_left)" ''
done
finish
