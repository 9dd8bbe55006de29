#!/bin/sh
# SPDX-License-Identifier: ISC
# Restrictions on old kernels, inside of each other and of other isolation, around programs that people run, and
# when something fails; and what is wrong with a command line.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
chmod 777 "$tmp"
reach=$TOOLS/reach
# Programs that somebody has at home are not allowed without being named.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# As installed: the command has its control process in itself, and needs no other file.
unset CARREL_CONTROL

"$CARREL" run --ro / true 2>why
case $(cat why) in *'Landlock ABI'*)
	echo "1..0 # SKIP an old kernel: $(cat why)"
	exit 0
	;;
esac
[ "$(id -u)" -eq 0 ] || as_user() { "$@"; }
who() { if [ "$round" = user ]; then as_user "$@"; else "$@"; fi; }
run() { who "$CARREL" run "$@" 2>&1; }
# verdicts: the answers of reach in one line
verdicts() { cut -d' ' -f2 | tr '\n' ' '; }

# -------------------------------------------------------------- old kernels ---
# old ABI WORDS...: carrel run on such a kernel
old() {
	abi=$1
	shift
	who "$TOOLS/oldlandlock" "$abi" "$CARREL" run "$@" 2>&1
}
kernels() {
	for abi in 0 1 2; do
		like "$round, ABI $abi: paths need 3" "$(old $abi --ro . --exec "$reach" -- touch started)" \
			"carrel: ro, rw and exec: Landlock ABI 3 (Linux 6.2) is needed, and this kernel has *"
	done
	like "$round, ABI 0: it says why there is none" "$(old 0 --ro . true)" '*no Landlock: not built in, or not named in lsm=*'
	like "$round, ABI 2: it says what is there" "$(old 2 --rw . true)" '*this kernel has ABI 2'
	for abi in 3 4 5 6; do
		is "$round, ABI $abi: paths" "$(old $abi --ro "$tmp/ro" --exec "$reach" "$reach" "read:$tmp/ro/f" "truncate:$tmp/ro/f" \
			"read:$tmp/table" "link:$tmp/ro/f,$tmp/ro/l" write:/dev/null | verdicts)" 'ok EACCES EACCES EACCES ok '
	done
	for option in '--connect 80' '--bind-port none' '--connect 80 --ro /'; do
		# shellcheck disable=SC2086 # two words
		like "$round, ABI 3: $option needs 4" "$(old 3 $option -- touch started)" \
			'carrel: connect and bind-port: Landlock ABI 4 (Linux 6.7) is needed, and this kernel has ABI 3'
	done
	is "$round, ABI 4: ports" "$(old 4 --connect none "$reach" connect:1 "read:$tmp/ro/f" | verdicts)" 'EACCES ok '
	for path in / /dev /dev/null; do
		like "$round, ABI 4: --ro $path needs 5 for devices" "$(old 4 --ro $path -- touch started)" \
			"carrel: ro $path, without the devices' own operations: Landlock ABI 5 (Linux 6.10) is needed, and this kernel has ABI 4"
		status "$round, ABI 4: --rw $path does not" 0 old 4 --rw $path true
		status "$round, ABI 5: --ro $path" 0 old 5 --ro $path true
	done
	for scope in signal abstract; do
		like "$round, ABI 5: --scope $scope needs 6" "$(old 5 --scope $scope -- touch started)" \
			'carrel: scope: Landlock ABI 6 (Linux 6.12) is needed, and this kernel has ABI 5'
		status "$round, ABI 6: --scope $scope" 0 old 6 --scope $scope true
	done
	for abi in 0 5; do status "$round, ABI $abi: nothing asked, nothing needed" 0 old $abi true; done
	is "$round: nothing was started" "$(ls -d started 2>/dev/null)" ''
	[ "$b" = process ] || like "$round, ABI 2: in $b" "$(old 2 -b "$b" --ro /usr true)" '*ABI 3*has ABI 2'
}

# ------------------------------------------------------------- inside of it ---
inside() {
	w="$round, $b:"
	bound="-b $b --bind $reach:/reach --bind $tmp/ro:/ro --bind $tmp/rw:/rw:rw"
	# shellcheck disable=SC2086 # words
	{
		is "$w without rules" "$(run $bound /reach read:/ro/f write:/rw/f create:/tmp/x list:/ abstract:x | verdicts)" \
			'ok ok ok ok ECONNREFUSED '
		is "$w rules" "$(run $bound --ro /ro --exec /reach /reach read:/ro/f write:/rw/f create:/tmp/x list:/ read:/etc/passwd \
			execute:/bin/true write:/dev/null create:/dev/shm/x | verdicts)" 'ok EACCES EACCES EACCES ok ok ok EACCES '
		is "$w rw" "$(run $bound --rw /rw --rw @tmp --exec /reach /reach write:/rw/f create:/tmp/x read:/ro/f | verdicts)" \
			'ok ok EACCES '
		is "$w what is bound read-only stays so" "$(run $bound --rw /ro --exec /reach /reach write:/ro/f | verdicts)" 'EROFS '
		is "$w ports" "$(run $bound --connect 1 --bind-port 2000 /reach connect:1 connect:2 bind:2000 bind:2001 | verdicts)" \
			'ECONNREFUSED EACCES ok EACCES '
		is "$w other ways to TCP" "$(run $bound --connect 1 /reach mptcp:2 fastopen:2 ring:0 | verdicts)" \
			'EPROTONOSUPPORT EOPNOTSUPP ENOSYS '
		like "$w terminals" "$(run -b $b --pty --ro /usr -- sh -c 'stty size </dev/tty; script -qec "echo in" /dev/null' |
			tr -d '\r' | tr '\n' ' ')" '24 80 *in*'
		like "$w a path that is not there" "$(run $bound --ro /nosuch touch /rw/started)" \
			"carrel: cannot run 'touch': cannot allow '/nosuch': No such file or directory"
		like "$w a path of the host" "$(run $bound --ro ro true)" "*'ro' must be an absolute path, which is one inside*"
	}
	is "$w nothing was started" "$(ls rw)" f
}

# ------------------------------------------------------------ many of them ---
cat >deeper <<'END'
#!/bin/sh
# deeper N: restrict, and do it again inside, N times; then say so
[ "$1" -gt 0 ] || { echo deep; exit; }
exec "$CARREL" run --ro / --exec / --rw /dev/null -- "$0" $(($1 - 1))
END
chmod 755 deeper
layers() {
	is "$round: 16 layers" "$(who ./deeper 16 2>&1)" deep
	like "$round: the 17th" "$(who ./deeper 17 2>&1)" \
		"carrel: cannot run './deeper': 16 layers of Landlock rules are in force here already, which is the kernel's limit*"
	sed 's|echo deep;|"$CARREL" run echo plain;|' deeper >deeper_plain
	chmod 755 deeper_plain
	is "$round: below the last, what nobody asked for is left out" "$(who ./deeper_plain 16 2>&1)" plain
	cat >two <<-END
		#!/bin/sh
		"\$CARREL" run --rw rw --ro ro -- sh -c 'cat ro/f; echo x >rw/f || echo no; cat table || echo no' 2>/dev/null
	END
	chmod 755 two
	is "$round: the inner cannot give what the outer took" \
		"$(run --ro ro --ro rw --exec "$CARREL" --exec two --ro table -- ./two 2>/dev/null | tr '\n' ' ')" 'data no no '
	like "$round: no isolation inside of rules for files" \
		"$(run --ro / --exec / --rw /dev/null -- "$CARREL" run -b rootless touch started 2>&1)" \
		'*Landlock rules for files around carrel forbid that and mounts*'
	is "$round: isolation inside of rules for ports" \
		"$(run --connect 80 -- "$CARREL" run -b rootless --connect 80 --ro /usr -- echo inside 2>&1)" inside
	like "$round: carrel in carrel in make" "$(cd rw && run --rw . --exec .. --exec "$CARREL" -- make -s -f ../Makefile 2>&1)" 'made'
	if command -v bwrap >/dev/null && who bwrap --dev-bind / / true 2>/dev/null; then
		is "$round: inside bwrap" "$(who bwrap --dev-bind / / --unshare-all "$CARREL" run --ro ro --exec "$reach" "$reach" \
			read:ro/f read:table 2>&1 | verdicts)" 'ok EACCES '
		is "$round: ... read-only" "$(who bwrap --ro-bind / / --proc /proc --dev /dev "$CARREL" run --rw rw --exec "$reach" "$reach" \
			read:rw/f write:rw/f read:table connect:1 2>&1 | verdicts)" 'ok EROFS EACCES ECONNREFUSED '
	else
		skip "$round: inside bwrap" 'no bwrap'
		skip "$round: ... read-only" 'no bwrap'
	fi
}
cat >Makefile <<'END'
all: made
	@cat made; rm made
made:
	@$(CARREL) run --rw . -- sh -c 'echo made >made; exec 2>&-; echo no >../no || true'
END

# ------------------------------------------------ programs that people run ---
programs() {
	rm -rf work
	mkdir -p work/out
	echo 'int main(void) { return 3; }' >work/a.c
	printf 'out/a: a.c\n\tcc -o out/a a.c\n' >work/Makefile
	chmod -R a+rwX work
	[ "$round" = root ] || [ "$(id -u)" -ne 0 ] || chown -R "$user:$user" work
	is "$round: make and a compiler" "$(cd work && run --ro . --rw out --rw @tmp -- make -s && ./out/a; echo $?)" 3
	is "$round: python" "$(run --ro ro -- python3 -c 'import json, ssl, threading; print(open("ro/f").read().strip())')" data
	is "$round: perl" "$(run --ro ro -- perl -e 'use POSIX; open(F, "ro/f"); print <F>')" data
	is "$round: a shell with jobs" "$(run --ro ro -- bash -c 'sleep 0 & wait; jobs; cat <(cat ro/f) | head -n 1')" data
	is "$round: git" "$(cd work && run --rw . -- sh -c 'HOME=$PWD git init -q . && HOME=$PWD git status --short | head -n 1')" \
		'?? Makefile'
	is "$round: names of users" "$(run --ro ro -- id -un root)" root
}

for round in root user; do
	[ "$(id -u)" -eq 0 ] || [ "$round" = user ] || continue
	rm -rf ro rw
	mkdir -p ro rw
	echo data >ro/f
	echo data >rw/f
	: >table
	chmod -R a+rwX ro rw
	for b in process rootless container; do
		[ "$round" = root ] || [ $b != container ] || continue
		[ $b = process ] || inside
	done
	b=rootless
	kernels
	layers
	programs
done

# The sessions in the manual page, one after the other: what is said is what comes.
awk '/^\.\\" session$/ { getline; inside = 1; next }
	inside && /^\.Ed/ { inside = 0 }
	inside { gsub(/\\e/, "\\"); print }' "$SOURCE/man/carrel-restrict.7" >session
awk '/^\$ / { printf "cat <<\047END\047\n%s\nEND\n%s\n", $0, substr($0, 3) }' session >script
for round in root user; do
	[ "$(id -u)" -eq 0 ] || [ "$round" = user ] || continue
	mkdir -m 777 "page-$round"
	if who "$CARREL" run -b rootless true 2>/dev/null; then
		(cd "page-$round" && PATH=$(dirname "$CARREL"):$PATH LC_ALL=C who sh ../script >../said 2>&1)
		if diff session said >difference; then pass "$round: the manual page"; else fail "$round: the manual page" "$(cat difference)"; fi
	else
		skip "$round: the manual page" 'no isolation here'
	fi
done
is 'it has ten examples' "$([ "$(grep -c '^\.\\" session' "$SOURCE/man/carrel-restrict.7")" -ge 10 ] && echo yes)" yes

# --------------------------------------------------------- what goes wrong ---
round=root
b=process
wrong() {
	what=$1
	shift
	like "refused: $*" "$("$CARREL" run "$@" -- touch started 2>&1)" "*$what*"
}
wrong "cannot allow 'nosuch': No such file or directory; it must be there before the start" --ro nosuch
wrong "rw: cannot allow 'ro/f/x': Not a directory" --rw ro/f/x
wrong 'an empty path' --ro ''
wrong "'@here' is not a word; there is @tmp" --exec @here
wrong 'nothing could be executed' --no-system
for port in 65536 -1 '' 80-79 80- 1-2-3 http 8000-99999 99999999999999999999; do wrong 'not a port from 1 to 65535' --connect "$port"; done
wrong 'not a port from 1' --connect 0
wrong 'not a port from 0' --bind-port x
wrong 'more than 4096 ports' --connect 1-4097
wrong 'more than 4096 ports' --connect 1-4096 --connect 1
wrong 'not signal, abstract' --scope signals
wrong 'not signal, abstract' --scope signal,
wrong 'none excludes' --scope none,signal
wrong 'none excludes' --scope signal --scope none
wrong 'allow_setuid excludes' --setuid --ro /
wrong 'allow_setuid excludes' --setuid --connect 1
wrong 'allow_setuid excludes' --setuid --scope signal
echo 'task exec("true", ["true"], env, "/bin")' >program
like 'refused: --ops with rules' "$("$CARREL" run --ro / --ops program 2>&1)" '*ops exclude paths, ports*'
is 'nothing was started' "$(ls -d started 2>/dev/null)" ''
"$CARREL" run --print-ops --ro ro --connect 80 -- cat table >program
is 'what is printed can be fed back' "$("$CARREL" run --ops program 2>&1)" 'cat: table: Permission denied'
i=0
set --
while [ $i -lt 256 ]; do set -- "$@" --ro ro/f; i=$((i + 1)); done
is '256 paths' "$("$CARREL" run "$@" cat ro/f 2>&1)" data
like '257 paths' "$("$CARREL" run "$@" --ro ro cat ro/f 2>&1)" '*too many paths*'
is '4096 ports' "$("$CARREL" run --connect 1-4096 -- "$reach" connect:4096 connect:4097 | verdicts)" 'ECONNREFUSED EACCES '
status 'few descriptors' 0 "$CARREL" run --ro ro --rlimit nofile=4 cat ro/f

# Each call of the rules may fail: the command is not started, and the error names it.
if "$TOOLS/stepper" count -- true >/dev/null 2>&1; then
	for call in landlock_create_ruleset:1 landlock_add_rule:1 landlock_add_rule:20 landlock_restrict_self:1; do
		"$TOOLS/stepper" fail --role task --call "${call%:*}" --nth "${call#*:}" --errno ENOSPC --output reached -- \
			"$CARREL" run --ro ro --rw rw -- touch rw/started 2>err
		is "failing: ${call%:*} ${call#*:}" "$(cat err)" \
			"carrel: cannot run 'touch': cannot set the Landlock rules: No space left on device"
		is '... and nothing was started' "$(ls rw)" f
	done
else
	skip 'failing calls' 'no stepper here'
fi
finish
