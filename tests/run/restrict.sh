#!/bin/sh
# SPDX-License-Identifier: ISC
# What Landlock and capabilities take away: each thing is possible without the option and refused with it, as root
# and as an ordinary user, in the host's world and inside.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
chmod 777 "$tmp"

"$CARREL" run --ro / true 2>why
case $(cat why) in *'Landlock ABI'*)
	echo "1..0 # SKIP an old kernel: $(cat why)"
	exit 0
	;;
esac
[ "$(id -u)" -eq 0 ] || as_user() { "$@"; }
# Sanitizers put their runtime where it can be read; the port and the loader are the system's.
here=$TOOLS/reach

# who COMMAND...: as the user of this round
who() { if [ "$round" = user ]; then as_user "$@"; else "$@"; fi; }
run() { who "$CARREL" run "$@" 2>&1; }

# fixture: files that every attempt finds as they were
fixture() {
	rm -rf tree
	mkdir -p tree/ro/dir tree/rw/sub tree/other
	for d in ro rw other; do
		echo "$d" >tree/$d/f
		echo "$d" >tree/$d/u
		mkdir tree/$d/e
		cp /bin/true tree/$d/true
	done
	ln -s ../other/f tree/rw/out
	ln -s ../rw/f tree/other/in
	ln tree/other/u tree/rw/same
	chmod -R a+rwX tree
	[ "$(id -u)" -ne 0 ] || [ "$round" = root ] || chown -R "$user:$user" tree
}

# What is tried: what comes of it with these rules.
cat >table <<'END'
read:ro/f ok
list:ro/dir ok
write:ro/f EACCES
append:ro/f EACCES
create:ro/n EACCES
mkdir:ro/d EACCES
symlink:ro/s EACCES
fifo:ro/p EACCES
sock:ro/k EACCES
truncate:ro/f EACCES
unlink:ro/u EACCES
rmdir:ro/e EACCES
execute:ro/true EACCES
read:rw/f ok
list:rw ok
write:rw/f ok
append:rw/f ok
create:rw/n ok
mkdir:rw/d ok
symlink:rw/s ok
fifo:rw/p ok
sock:rw/k ok
truncate:rw/f ok
rmdir:rw/e ok
link:rw/f,rw/sub/l ok
rename:rw/f,rw/sub/m ok
rename:rw/sub/m,rw/f ok
unlink:rw/u ok
execute:rw/true EACCES
read:other/f EACCES
list:other EACCES
write:other/f EACCES
create:other/n EACCES
mkdir:other/d EACCES
execute:other/true EACCES
stat:other/f ok
read:rw/out EACCES
read:rw/../other/f EACCES
read:other/../rw/f ok
read:other/in ok
read:rw/same ok
link:ro/f,rw/l EXDEV
link:rw/f,other/l EACCES
link:other/f,rw/l EXDEV
rename:ro/f,rw/f2 EACCES
rename:rw/sub,other/sub EACCES
rename:other/f,rw/f3 EACCES
unlink:other/u EACCES
END

# attempts: the first words of the table
attempts() { cut -d' ' -f1 "$tmp/${1-table}"; }
# as_expected WHAT GOT FILE: the same lines
as_expected() {
	printf '%s\n' "$2" >got
	if diff got "$3" >difference; then pass "$1"; else fail "$1" "$(cat difference)"; fi
}

files() {
	fixture
	sed 's/ .*/ ok/' table >all
	# What these take away, others look for: one at a time.
	grep -v -e '^rename:' -e '^link:' -e '^unlink:other' all >possible
	# shellcheck disable=SC2046 # words
	as_expected "$round: without rules everything is possible" \
		"$(cd tree && run -- "$here" $(attempts possible))" possible
	for words in link:ro/f,rw/l link:rw/f,other/l link:other/f,rw/l rename:ro/f,rw/f2 rename:rw/sub,other/sub \
		rename:other/f,rw/f3 rename:rw/f,rw/sub/m unlink:other/u; do
		fixture
		is "$round: without rules: $words" "$(cd tree && run -- "$here" $words)" "$words ok"
	done
	fixture
	# shellcheck disable=SC2046 # words
	as_expected "$round: --ro and --rw" "$(cd tree && run --ro ro --rw rw --exec "$here" -- "$here" $(attempts))" table
	fixture
	is "$round: paths add up" "$(cd tree && run --ro . --rw rw --exec ro --exec "$here" -- "$here" \
		read:other/f write:other/f write:rw/f execute:ro/true execute:rw/true | cut -d' ' -f2 | tr '\n' ' ')" \
		'ok EACCES ok ok EACCES '
	is "$round: a file alone" "$(cd tree && run --rw ro/f --exec "$here" -- "$here" read:ro/f truncate:ro/f read:ro/u \
		unlink:ro/f | cut -d' ' -f2 | tr '\n' ' ')" 'ok ok EACCES EACCES '
	fixture
	is "$round: a link names what it leads to" "$(cd tree && run --ro rw/out --exec "$here" -- "$here" read:other/f \
		read:other/u read:rw/f | cut -d' ' -f2 | tr '\n' ' ')" 'ok EACCES EACCES '
	is "$round: paths are the caller's, not --chdir's" \
		"$(cd tree && run --ro ro --exec "$here" -C other -- "$here" read:../ro/f read:f | cut -d' ' -f2 | tr '\n' ' ')" 'ok EACCES '
	is "$round: --exec" "$(cd tree && run --exec ro --exec "$here" -- "$here" execute:ro/true read:ro/f write:ro/f \
		execute:rw/true | cut -d' ' -f2 | tr '\n' ' ')" 'ok ok EACCES EACCES '
	# Shell scripts read as files, and an interpreter is the system's.
	is "$round: what a child starts is held too" "$(cd tree && run --ro ro -- sh -c \
		'(setsid sh -c "cat ro/f; cat other/f 2>/dev/null || echo no")' | tr '\n' ' ')" 'ro no '
	is "$round: the root of a process leads nowhere else" \
		"$(cd tree && run --ro ro --exec "$here" -- "$here" "read:/proc/self/root$tmp/tree/other/f" \
		"read:/proc/self/cwd/other/f" | cut -d' ' -f2 | tr '\n' ' ')" 'EACCES EACCES '
	# What every program needs, and what is nobody's business.
	is "$round: the system" "$(cd tree && run --ro ro --exec "$here" -- "$here" read:/etc/passwd read:/dev/null write:/dev/null \
		read:/dev/urandom read:/proc/self/status read:/proc/cpuinfo execute:/bin/true write:/usr/bin/env list:/root \
		list:/home list:/var list:/run list:/ create:/dev/shm/x-$$ create:/tmp/x-$$ ioctl:/dev/urandom |
		cut -d' ' -f2 | tr '\n' ' ')" \
		'ok ok ok ok ok ok ok EACCES EACCES EACCES EACCES EACCES EACCES EACCES EACCES EACCES '
	is "$round: ... devices can be operated on without" "$(run -- "$here" ioctl:/dev/urandom)" 'ioctl:/dev/urandom ok'
	is "$round: ... and by --rw" "$(run --rw /dev/urandom --exec "$here" -- "$here" ioctl:/dev/urandom)" \
		'ioctl:/dev/urandom ok'
	is "$round: --no-system" "$(cd tree && run --no-system --exec / -- "$here" read:/etc/passwd write:/dev/null |
		cut -d' ' -f2 | tr '\n' ' ')" 'ok EACCES '
	status "$round: ... leaves no program" 126 who "$CARREL" run --no-system --ro / true
	is "$round: --rw @tmp" "$(cd tree && run --ro ro --rw @tmp --exec "$here" -- "$here" create:/tmp/x-$$ unlink:/tmp/x-$$ \
		create:/dev/shm/x-$$ unlink:/dev/shm/x-$$ | cut -d' ' -f2 | tr '\n' ' ')" 'ok ok ok ok '
	# Its streams have names.
	: >said
	chmod 666 said
	who "$CARREL" run --ro tree/ro -- sh -c 'echo one >>/dev/stdout; cat /dev/stdin; echo two >>/dev/stderr; cat said' \
		<tree/ro/f >>said 2>>said
	is "$round: streams can be opened by their names, and as they are" "$(grep -v Permission said | tr '\n' ' ')" \
		'one ro two '
	is "$round: the terminal too" "$(run --pty --ro tree/ro -- sh -c 'echo x >"$(tty)"; stty size <"$(tty)"; stty size </dev/tty' |
		tr -d '\r' | tr '\n' ' ')" 'x 24 80 24 80 '
	is "$round: the file to be executed must be allowed" "$(cd tree && run --ro . ./ro/true)" \
		"carrel: cannot run './ro/true': Permission denied; of the paths that are allowed, one must let it be executed (--exec DIR)"
	# Devices are made by nobody, wherever files may be made.
	if [ "$round" = root ]; then
		is "$round: mknod without" "$(run -- "$here" mknod:tree/rw/null)" 'mknod:tree/rw/null ok'
		rm tree/rw/null
		is "$round: mknod" "$(run --rw tree --exec "$here" -- "$here" mknod:tree/rw/null)" 'mknod:tree/rw/null EACCES'
	fi
	who sh -c 'sleep 30 & echo $!' >sleeper
	is "$round: a look into processes outside" "$(run --scope none -- "$here" \
		"read:/proc/$(cat sleeper)/environ" "list:/proc/$(cat sleeper)/root" | cut -d' ' -f2 | tr '\n' ' ')" 'ok ok '
	# Root has other ways than the rules cover, unless its capabilities are gone.
	is "$round: ... is not possible with rules" "$(run --drop-caps --ro / --exec / -- "$here" \
		"read:/proc/$(cat sleeper)/environ" "list:/proc/$(cat sleeper)/root" "stat:/proc/$(cat sleeper)" |
		cut -d' ' -f2 | tr '\n' ' ')" 'EACCES EACCES ok '
	kill "$(cat sleeper)"
}

# hosted WORDS...: carrel run WORDS with $port, $name and $pid of a host that listens
hosted() {
	who "$TOOLS/inside" -h sh -c 'for w in $WORDS; do case $w in
		pid=*) pid=${w#pid=} ;; abstract=*) name=${w#*=} ;; port=*) port=${w#port=} ;; esac; done; eval "$1"' sh "$*" 2>&1 |
		cut -d' ' -f2 | tr '\n' ' '
}

ports() {
	free=$("$here" free:0)
	c='"$CARREL" run'
	r='"$TOOLS/reach"'
	is "$round: TCP without limits" "$(hosted "$c $r connect:\$port bind:$free udp:\$port")" 'ok ok ok '
	is "$round: --connect" "$(hosted "$c --connect \$port $r connect:\$port connect:1 bind:$free")" 'ok EACCES EACCES '
	is "$round: ... another port" "$(hosted "$c --connect 1 $r connect:\$port connect:1")" 'EACCES ECONNREFUSED '
	is "$round: a range" "$(hosted "$c --connect 1-65 --connect 3000-3009 $r connect:\$port connect:65 connect:66 connect:3009")" \
		'EACCES ECONNREFUSED EACCES ECONNREFUSED '
	is "$round: --connect none" "$(hosted "$c --connect none $r connect:\$port bind:$free udp:\$port")" 'EACCES EACCES ok '
	is "$round: --bind-port" "$(hosted "$c --bind-port $free $r connect:\$port bind:$free bind:0")" 'EACCES ok EACCES '
	is "$round: --bind-port 0" "$(hosted "$c --bind-port 0 $r bind:$free bind:0")" 'EACCES ok '
	# Other ways to TCP, which Landlock does not know.
	ways='mptcp:$port fastopen:$port ring:0 ulp:0 connect:$port' without='ok ok ok EINVAL ok ' with='EPROTONOSUPPORT EOPNOTSUPP ENOSYS ENOENT EACCES '
	if [ "$(uname -m)" = x86_64 ]; then
		ways="$ways int80:\$port socketcall:\$port" without="${without}ok ok " with="${with}EPROTONOSUPPORT ENOSYS "
	fi
	if [ "$(hosted "$c $r $ways")" = "$without" ]; then
		pass "$round: there are other ways to TCP"
		is "$round: ... which are closed by --connect" "$(hosted "$c --connect 1 $r $ways")" "$with"
		is "$round: ... by --bind-port" "$(hosted "$c --bind-port 1 $r $ways")" "$with"
		is "$round: ... with files" "$(hosted "$c --connect none --ro / --exec / $r $ways")" "$with"
		is "$round: ... and not by files alone" "$(hosted "$c --ro / --exec / $r $ways")" "$without"
	else
		skip "$round: other ways to TCP" "this kernel has not all: $(hosted "$c $r $ways")"
	fi
	is "$round: ports leave files alone" "$(run --connect 1 -- "$here" "create:$tmp/made-$round" | cut -d' ' -f2)" ok
	is "$round: files and ports" "$(hosted "$c --connect \$port --exec $here $r connect:\$port connect:1 read:$tmp/table")" \
		'ok EACCES EACCES '
}

scopes() {
	r='"$TOOLS/reach" kill:$pid abstract:$name'
	c='"$CARREL" run'
	e="--exec $here"
	is "$round: abstract sockets can be reached, processes not" "$(hosted "$c $r")" 'EPERM ok '
	is "$round: ... neither with rules" "$(hosted "$c $e $r")" 'EPERM EPERM '
	is "$round: ... nor with ports" "$(hosted "$c --connect 1 $r")" 'EPERM EPERM '
	is "$round: --scope none" "$(hosted "$c --scope none $r")" 'ok ok '
	is "$round: ... with rules" "$(hosted "$c --scope none $e $r")" 'ok ok '
	is "$round: --scope signal" "$(hosted "$c --scope signal $r"; hosted "$c --scope signal $e $r")" 'EPERM ok EPERM ok '
	is "$round: --scope abstract" "$(hosted "$c --scope abstract $r"; hosted "$c --scope abstract $e $r")" 'ok EPERM ok EPERM '
	is "$round: --scope signal,abstract" "$(hosted "$c --scope signal,abstract $r")" 'EPERM EPERM '
	is "$round: among themselves they can signal" "$(run --scope signal -- sh -c 'sleep 30 & kill $! && echo yes')" yes
}

for round in root user; do
	[ "$(id -u)" -eq 0 ] || [ "$round" = user ] || continue
	files
	ports
	scopes
done
finish
