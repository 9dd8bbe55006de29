#!/bin/sh
# SPDX-License-Identifier: ISC
# What an isolated command has as its root, what it may change of it, and what is said where that cannot be: as root and
# as an ordinary user.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

if ! "$CARREL" run -b rootless true 2>why; then
	echo "1..0 # SKIP no isolation here: $(cat why)"
	exit 0
fi

# What must be as it was in the end, killed runs included.
state() { cut -d' ' -f3- /proc/self/mountinfo; find / -maxdepth 1 | sort; }
state >before

who() { if [ "$round" = user ]; then as_user "$@"; else "$@"; fi; }
run() { who "$CARREL" run "$@" 2>&1; }
inside() { run -b "$b" "$@"; }
below() { for c in $(cat /proc/"$1"/task/*/children 2>/dev/null); do echo "$c"; below "$c"; done; }
# fails WHAT PATTERN ARG...: carrel itself fails, in these words
fails() {
	what=$1 pattern=$2
	shift 2
	like "$w $what" "$(inside "$@"; echo " [$?]")" "carrel: $pattern*[[]12[567]]"
}

one_round() {
	w="$round, $b:"
	dir=$tmp/$round-$b
	mkdir "$dir"
	[ "$round" = root ] || chown "$user" "$dir"
	cd "$dir" || exit 1
	mkdir shown plain
	chmod 755 shown
	[ "$round" = root ] || chown "$user" shown

	# carrel root create
	is "$w carrel root create" "$(who "$CARREL" root create made 2>&1; echo $?)" 0
	is "$w ... has what a root needs" "$(cd made && ls -d dev etc home mnt opt proc run srv sys tmp usr var | wc -l
		stat -c %a tmp dev etc/passwd | tr '\n' ' ')" "12
1777 755 644 "
	is "$w ... can be used" "$(inside --root made --bind /usr -c 'id -un; ls -A /opt; echo x >/tmp/x && cat /tmp/x')" 'nobody
x'
	is "$w ... cannot be changed" "$(inside --root made --bind /usr -c 'echo >/etc/x' 2>&1; ls made/etc | tr '\n' ' ')" \
		"/bin/sh: 1: cannot create /etc/x: Read-only file system
group hostname hosts nsswitch.conf passwd "
	like "$w ... is not made again" "$(who "$CARREL" root create made 2>&1; echo $?)" "*'made' is there already*125"
	ln -s nowhere link
	like "$w ... nor where a link is" "$(who "$CARREL" root create link 2>&1; echo $?)" "*'link' is there already*125"
	like "$w ... nor in a directory that is not there" "$(who "$CARREL" root create no/x 2>&1; echo $?)" '*No such file*125'
	like "$w ... nor without a name" "$(who "$CARREL" root create 2>&1; echo $?)" '*one directory*2'
	like "$w ... nor with two" "$(who "$CARREL" root create a b 2>&1; echo $?)" '*one directory*2'
	like "$w there is nothing else" "$(who "$CARREL" root destroy a 2>&1; echo $?)" '*not create*2'
	# What fails in the middle leaves nothing: files of one byte, and no more.
	is "$w nothing half made" "$(who sh -c 'trap "" XFSZ; ulimit -f 0; "$CARREL" root create half' 2>&1; echo half*)" \
		"carrel: root: cannot make 'half/etc/passwd': File too large
half*"

	# --overlay
	is "$w a root that it can change" "$(inside --overlay -c 'mkdir /new && echo a >/new/f && echo b >>/etc/passwd && rmdir /srv &&
		cat /new/f; tail -n 1 /etc/passwd; ls -d /srv 2>&1')" "a
b
ls: cannot access '/srv': No such file or directory"
	is "$w ... and the next has not got" "$(inside --overlay -c 'ls -d /srv; ls /new 2>&1')" "/srv
ls: cannot access '/new': No such file or directory"
	is "$w ... the host's files stay read-only" "$(inside --overlay -c 'for d in /usr /usr/bin /proc/sys /dev; do
		{ echo >$d/x; } 2>/dev/null && echo $d; done')" ''
	is "$w ... with room for so much" "$(inside --overlay --overlay-size 1M -c 'head -c 9999999 /dev/zero >/x 2>/dev/null; wc -c </x')" 1048576
	is "$w ... no set-user-ID bit counts, and nothing of the host lies below" \
		"$(inside --overlay -c 'grep " / " /proc/mounts' | cut -d, -f1-3)" 'overlay / overlay rw,nosuid,nodev'
	mkdir k
	[ "$round" = root ] || chown "$user" k
	is "$w ... nor below one that is kept" "$(inside --root made --overlay=k --bind /usr -c 'grep -c " / " /proc/mounts')" 1
	is "$w a directory as root, changed" "$(inside --root made --overlay --bind /usr -c 'echo x >/added; cat /added'; ls made/added 2>&1)" \
		"x
ls: cannot access 'made/added': No such file or directory"
	is "$w ... needs nothing in it" "$(inside --root plain --overlay --bind /usr --bind /lib64 --bind /lib \
		--bind shown:/deep/er/shown --bind /etc/hostname:/deep/name --tmpfs /more:1M \
		/usr/bin/sh -c 'echo /*; cat /deep/name'; ls plain)" "/deep /dev /home /lib /lib64 /more /proc /tmp /usr
$(cat /etc/hostname)"
	# A link in the root does not lead what is made in it to the host.
	mkdir trap victim
	chmod 777 victim
	ln -s "$dir/victim" trap/deep
	inside --root trap --overlay --bind /usr --bind /lib64 --bind /lib --bind shown:/deep/er true >/dev/null
	is "$w ... links in it stay in it" "$(ls victim; ls trap)" deep

	# ... kept
	mkdir -m 700 kept
	[ "$round" = root ] || chown "$user" kept
	is "$w changes that are kept" "$(inside --overlay=kept -c 'echo a >/new; rmdir /srv; mkdir /opt/d'
		inside --overlay=kept --uid 7 -c 'cat /new; ls -d /srv 2>&1; echo b >/opt/d/f; stat -c %u /new'
		inside --overlay=kept -c 'cat /opt/d/f')" "a
ls: cannot access '/srv': No such file or directory
7
b"
	is "$w ... lie there" "$(cat kept/upper/new kept/upper/opt/d/f | tr '\n' ' ')" 'a b '
	case $round in root) pattern='18[78]*' ;; *) pattern=$user ;; esac
	like "$w ... and are not root's" "$(stat -c %u kept/upper/new)" "$pattern"
	fails 'where there is no directory' "overlay: cannot keep changes in 'nowhere': No such file*" --overlay=nowhere true
	fails 'where there is a file' "overlay: cannot keep changes in 'made/etc/passwd': Not a directory*" \
		--overlay=made/etc/passwd true
	mkdir -p theirs/upper theirs/work
	chown -R 4321 theirs
	fails "somebody else's changes" "overlay: the changes kept in 'theirs' belong to user 4321*" --overlay=theirs true
	rm -r kept/upper
	mkdir away
	chmod 777 away
	ln -s ../away kept/upper
	[ "$round" = root ] || chown -h "$user" kept/upper
	like "$w ... a link in place of a layer" "$(inside --overlay=kept touch /x; ls away)" "carrel: *"

	mkdir fds
	[ "$round" = root ] || chown "$user" fds
	is "$w ... nothing of it is open" "$(inside --overlay=fds -c 'ls /proc/self/fd | tr "\n" " "; ls /proc/1/fd 2>&1 | grep -c denied')" '0 1 2 3 1'

	# --bind
	echo f >shown/f
	is "$w a source that need not be there" "$(inside --bind nosuch:/x:optional -c 'ls -d /x 2>&1')" \
		"ls: cannot access '/x': No such file or directory"
	is "$w ... but is shown where it is" "$(inside --bind shown:/x:ro,optional cat /x/f)" f
	fails 'a source that is not there' "bind: cannot show 'nosuch': No such file*" --bind nosuch:/x true
	fails 'a mount point in what the host shows' "*bind: '/usr/no/such' is not in what the host shows there*" \
		--bind shown:/usr/no/such true
	fails 'a mount point in a root' "*bind: '/no/such' is not in the root*make it there, or --overlay*" \
		--root made --bind shown:/no/such true
	fails 'a tmpfs in a root' "*tmpfs: cannot mount one at '/no': No such file*make it in the root, or --overlay*" \
		--root made --tmpfs /no true
	fails 'a file on a directory' "*bind: of 'shown/f' and '/home' one is a directory*" --bind shown/f:/home true
	like "$w options that are none" "$(inside --bind shown:/x:rw,readonly true; echo $?)" '*of the form SRC*rw, rec, norec and optional*2'

	# A root that is none
	fails 'a root that is not there' "root: cannot use 'nosuch': No such file*" --root nosuch true
	fails 'a root that is a file' "root: cannot use 'shown/f': Not a directory*" --root shown/f true
	fails 'a root without /dev' "root: 'plain' must have*carrel root create*" --root plain true

	# Commands that are not there inside
	fails 'a directory' "cannot run 'true': cannot change to the directory '/nosuch' of its root: No such file*" -C /nosuch true
	fails 'a name' "cannot run 'nosuch': not found in PATH, in the task's root; --bind*" nosuch
	printf '#!%s/sh\n' "$dir" >shown/script
	cp /bin/sh sh
	chmod 755 shown/script
	fails 'a file of the host' "cannot run '$dir/shown/script': it is not in the task's root; --bind $dir/shown shows it*" \
		"$dir/shown/script"
	fails 'a file of nowhere' "cannot run '/no/such': it is not in the task's root*" /no/such
	fails "an interpreter that only the host has" "cannot run '/x/script': its interpreter '$dir/sh' is not in the task's root; --bind*" \
		--bind shown:/x /x/script
	fails '... by a relative name' "cannot run './script': its interpreter '$dir/sh' is not in the task's root*" \
		--bind shown:/x -C /x ./script
	is "$w ... which is there then" "$(echo 'echo ran' >>shown/script; inside --bind shown:/x --bind "$dir" /x/script)" ran
	chmod 644 shown/script
	fails 'a file that is not executable' "cannot run '/x/script': it is not executable*" --bind shown:/x /x/script
	fails 'a directory as command' "cannot run '/x': it is a directory*" --bind shown:/x /x
	fails 'in a root' "cannot run '/x': it, or what it is interpreted or loaded by, is not in the root 'made'*" \
		--root made /x
	cd "$tmp" || exit 1
}

for round in root user; do
	[ "$(id -u)" -eq 0 ] || [ "$round" = user ] || continue
	[ "$(id -u)" -eq 0 ] || as_user() { "$@"; }
	for b in rootless container; do
		[ "$round" = user ] && [ "$b" = container ] && continue
		one_round
	done
done

# Flags of mounts that a user namespace may not clear are kept, and what is mounted below is shown read-only as well.
if [ "$(id -u)" -eq 0 ]; then
	b=rootless round=user
	unshare -m sh -c '
		mkdir -p outer && mount -t tmpfs -o noexec,nodev,nosuid,noatime none outer && mkdir outer/inner &&
		mount -t tmpfs -o noexec none outer/inner && chmod 777 outer/inner && touch outer/inner/f &&
		exec setpriv --reuid "$user" --regid "$user" --clear-groups sh -c "
			\"\$CARREL\" run -b rootless --bind outer:/home/o:rw --bind outer:/home/r -c \"grep /home/ /proc/mounts |
				cut -d\\\" \\\" -f2,4; echo x >/home/o/inner/new; echo x >/home/r/inner/f\"
			\"\$CARREL\" run -b rootless --bind outer:/home/o:norec ls /home/o"
	' >locked 2>&1
	is 'locked flags are carried over' "$(sed -n 's/^\(.home[^ ]*\) \(r[ow],[a-z,]*\),\(noatime\|relatime\).*/\1 \2 \3/p' locked)" \
		"/home/o rw,nosuid,nodev,noexec noatime
/home/o/inner rw,nosuid,nodev,noexec relatime
/home/r ro,nosuid,nodev,noexec noatime
/home/r/inner ro,nosuid,nodev,noexec relatime"
	like 'read-only reaches what is mounted below' "$(cat locked)" '*/home/r/inner/f: Read-only file system*'
	like 'what is mounted below cannot be left out by a user' "$(cat locked)" "*bind: only root can leave out what is mounted below 'outer'*"
	mkdir whole whole/below
	unshare -m sh -c 'mount -t tmpfs none whole/below && touch whole/below/f && "$CARREL" run -b container --bind whole:/x:norec ls /x/below &&
		"$CARREL" run -b container --bind whole:/x ls /x/below; "$CARREL" run -b container --root whole --overlay true' >out 2>&1
	is 'what is mounted below is left out by root, or shown' "$(head -n 1 out)" f
	like 'what is mounted below a root with a layer' "$(cat out)" '*below the root*something is mounted*'
fi

# Whoever is killed: no mount is left, and what was kept can be used again.
b=rootless round=root
mkdir last
i=0
for victim in carrel init reaper super guard; do
	"$CARREL" run -b $b --overlay=last -c "echo $victim >/f; echo up; sleep 100" >up 2>/dev/null &
	job=$!
	i=0
	while ! grep -q up up 2>/dev/null && [ $i -lt 200 ]; do sleep 0.05; i=$((i + 1)); done
	pid=$job
	[ "$victim" = carrel ] || for pid in $(below $job); do
		[ "$(cat /proc/"$pid"/comm 2>/dev/null)" != "carrel:$victim" ] || break
	done
	kill -KILL "$pid"
	wait $job 2>/dev/null
	i=0
	while pgrep -f '^sleep 100$' >/dev/null && [ $i -lt 100 ]; do sleep 0.05; i=$((i + 1)); done
	is "$victim killed: the layer can be used again" "$("$CARREL" run -b $b --overlay=last cat /f 2>&1)" "$victim"
done
state >after
is 'the host is as it was' "$(diff before after)" ''

for what in 'root:--root /' 'binds:--bind /usr' 'tmpfs:--tmpfs /x' 'hostname:--hostname x' 'net none:--net none' 'overlay:--overlay'; do
	# shellcheck disable=SC2086 # words
	like "process and ${what#*:}" "$("$CARREL" run ${what#*:} true 2>&1)" \
		"*process cannot honour ${what%%:*}: *needs -b rootless or container*"
done
finish
