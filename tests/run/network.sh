#!/bin/sh
# SPDX-License-Identifier: ISC
# The network of an isolated command: none, the host's, or that of a namespace by path.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

if ! "$CARREL" run -b rootless true 2>why; then
	echo "1..0 # SKIP no isolation here: $(cat why)"
	exit 0
fi
host=$(readlink /proc/self/ns/net)
show='readlink /proc/self/ns/net; ip -br link | cut -d" " -f1 | tr "\n" " "'

if [ "$(id -u)" -eq 0 ]; then
	mkfifo gate
	unshare -n sh -c 'ip link set lo up; ip link add inner type dummy 2>/dev/null || ip link add inner type veth; echo up >up; read -r x <gate' &
	holder=$!
	i=0
	while [ ! -s up ] && [ $i -lt 100 ]; do sleep 0.05; i=$((i + 1)); done
	theirs=$(readlink /proc/$holder/ns/net)
	links=$(nsenter -t $holder -n sh -c "$show")
	touch named
	mount --bind /proc/$holder/ns/net named
	for b in rootless container; do
		is "$b: by path" "$("$CARREL" run -b $b --net /proc/$holder/ns/net -c "$show" 2>&1)" "$links"
		is "$b: by ns:" "$("$CARREL" run -b $b --net ns:named -c "$show" 2>&1)" "$links"
		is "$b: relative" "$("$CARREL" run -b $b --net ./named readlink /proc/self/ns/net 2>&1)" "$theirs"
		is "$b: names of hosts are looked up as outside" "$("$CARREL" run -b $b --net ./named -c 'cat /etc/hosts')" "$(cat /etc/hosts)"
		like "$b: no right over it" "$("$CARREL" run -b $b --uid 0 --net ./named -c 'ip link set inner up 2>&1')" '*not permitted*'
		is "$b: in words" "$("$CARREL" run -b $b --net ./named --explain true | grep -A1 '^Network')" "Network
  that of $tmp/./named"
	done
	like 'an ordinary user may not' "$(as_user "$CARREL" run -b rootless --net "$tmp/named" true 2>&1; echo $?)" \
		"carrel: cannot run 'true': net: cannot join '$tmp/named': Operation not permitted (that takes root over it*
125"
	is 'nothing stays' "$(readlink /proc/self/ns/net)" "$host"
	umount named
	echo >gate
	wait $holder
fi
prefix=''
[ "$(id -u)" -ne 0 ] || prefix="setpriv --reuid $user --regid $user --clear-groups"
# shellcheck disable=SC2086 # words
is 'who is root in a user namespace joins one of its own' "$($prefix unshare -Urn sh -c 'ip link set lo up
	unshare -n "$CARREL" run -b rootless --net /proc/$$/ns/net readlink /proc/self/ns/net; readlink /proc/self/ns/net' 2>&1 | uniq -c | awk '{print $1}')" 2

# refused WHAT PATTERN ARG...
refused() {
	what=$1 pattern=$2
	shift 2
	like "$what" "$("$CARREL" run "$@" true 2>&1; echo $?)" "carrel: $pattern"
}
refused 'one that is not there' "net: cannot join '/run/nosuch/x': No such file or directory
125" -b rootless --net /run/nosuch/x
refused 'a file' "net: '/etc/passwd' is no network namespace,*125" -b rootless --net /etc/passwd
refused 'a namespace of another kind' "net: '/proc/self/ns/uts' is no network namespace,*125" -b rootless --net /proc/self/ns/uts
mkfifo pipe
refused 'a pipe' "net: './pipe' is no network namespace,*125" -b rootless --net ./pipe
refused 'a word' '*"bridge": neither none nor host, nor the path of a network namespace*2' -b rootless --net bridge
refused 'no path' '*"ns:": neither*2' -b rootless --net ns:
refused 'a process' '*process cannot honour net path: --net PATH needs -b rootless or container*125' --net /proc/self/ns/net
finish
