#!/bin/sh
# SPDX-License-Identifier: ISC
# Who an isolated command is: inside, outside, and with the ids that /etc/subuid gives a user.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

if ! "$CARREL" run -b rootless true 2>why; then
	echo "1..0 # SKIP no isolation here: $(cat why)"
	exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
	echo '1..0 # SKIP only root can make the users that this looks at'
	exit 0
fi

is 'chosen ids' "$(as_user "$CARREL" run -b rootless --uid 5 --gid 6 -c 'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map' | tr -s ' \n' ' ')" \
	"5 6 5 $user 1 6 $user 1 "
is 'user 0 inside has no rights' "$(as_user "$CARREL" run -b rootless --uid 0 -c 'id -u; grep -h Cap /proc/self/status' | tr -s '\t\n' ' ')" \
	'0 CapInh: 0000000000000000 CapPrm: 0000000000000000 CapEff: 0000000000000000 CapBnd: 0000000000000000 CapAmb: 0000000000000000 '
like 'groups without subids' "$("$CARREL" run -b rootless --groups 5 true 2>&1)" '*cannot honour groups: it has one group without subids*'
like 'subids of a process' "$("$CARREL" run --subids true 2>&1)" '*process cannot honour subids: --subids needs -b rootless*'

if ! command -v newuidmap >/dev/null; then
	skip 'ranges of ids' 'newuidmap is not installed'
	finish
fi

# As a user who is in files of this test's own, with groups that he would like to keep.
cat >around <<'A'
cp /etc/passwd passwd && echo "carrelsub:x:$user:$user::/tmp:/bin/sh" >>passwd && mount --bind passwd /etc/passwd &&
	mount --bind subs /etc/subuid && mount --bind subs /etc/subgid && eval "$before" &&
	exec setpriv --reuid "$user" --regid "$user" --groups "$user,24,25" "$@"
A
# sub LINES BEFORE COMMAND...: with LINES in /etc/subuid
sub() {
	printf '%b' "$1" >subs
	before=$2
	export before
	shift 2
	unshare -m sh around "$@" 2>&1
}
maps='cat /proc/self/uid_map /proc/self/gid_map | tr -s " \n" " "'
range="carrelsub:100000:65536\n"
both() { printf '%s %s ' "$1" "$1"; }

is 'a range' "$(sub "$range" : "$CARREL" run -b rootless --subids -c "$maps" | sed 's/^ //')" \
	"$(both "0 100000 65534 65534 $user 1 65535 165534 2" | tr -s ' ')"
is '... by number' "$(sub "$user:100000:10\n" : "$CARREL" run -b rootless --subids --uid 0 -c "$maps" | sed 's/^ //')" \
	"$(both "0 $user 1 1 100000 10")"
is '... of those above' "$(sub "other:5:5\ncarrelsub:0:10\ncarrelsub:300000:7\n" : "$CARREL" run -b rootless --subids -c "$maps" | sed 's/^ //')" \
	"$(both "0 300000 7 65534 $user 1")"
is "the user's groups are gone" "$(sub "$range" : "$CARREL" run -b rootless --subids -c 'id -G; sed -n "s/^Groups:[[:space:]]*//p" /proc/self/status' | tr -d ' ')" 65534
is '... which they are not without' "$(sub "$range" : "$CARREL" run -b rootless -c 'sed -n "s/^Groups:[[:space:]]*//p" /proc/self/status')" '65534 65534 65534 '
is 'groups of the range' "$(sub "$range" : "$CARREL" run -b rootless --subids --groups 5,6 -c 'id -G')" '65534 5 6'
like 'a group outside of it' "$(sub "$range" : "$CARREL" run -b rootless --subids --groups 70000 true)" \
	'*groups: one of them is not among the ids that are mapped*'
like 'no more rights' "$(sub "$range" : "$CARREL" run -b rootless --subids --uid 0 -c 'grep CapEff /proc/self/status')" '*0000000000000000'
mkdir shown && touch shown/f && chown 100004:100005 shown/f
is 'files of the range' "$(sub "$range" : "$CARREL" run -b rootless --subids --uid 0 --bind shown:/x stat -c '%u %g' /x/f)" '5 6'
is 'what is printed can be fed back' "$(sub "$range" : "$CARREL" run -b rootless --subids --print-ops id -u >ops; sub "$range" : "$CARREL" run --ops ops)" 65534

like 'no line' "$(sub 'other:1:2\n' : "$CARREL" run -b rootless --subids true; echo $?)" \
	'*/etc/subuid gives user carrelsub no ids; root can: usermod --add-subuids *
125'
like 'a line that is none' "$(sub 'carrelsub:all\ncarrelsub\n:::\ncarrelsub:-1:5\n' : "$CARREL" run -b rootless --subids true; echo $?)" \
	'*gives user carrelsub no ids*125'
like 'newuidmap is not there' "$(sub "$range" 'touch no && mount --bind no "$(command -v newuidmap)"' "$CARREL" run -b rootless --subids true; echo $?)" \
	'*newuidmap and newgidmap are not installed (Debian: apt install uidmap)*125'
like 'it may not gain rights' "$(sub "$range" : setpriv --no-new-privs "$CARREL" run -b rootless --subids true; echo $?)" \
	'*newuidmap did not map the ids: it refused, or may not gain rights here*125'
printf '#!/bin/sh\nkill -9 $$\n' >killed && chmod 755 killed
like 'it is killed' "$(sub "$range" 'mount --bind killed "$(command -v newgidmap)"' "$CARREL" run -b rootless --subids true; echo $?)" \
	'*newgidmap did not map the ids: it is not there, or was killed*125'
is 'nothing is left of these' "$(pgrep -u "$user")" ''

# Root gives them itself.
printf 'root:200000:1000\n' >subs
is 'of root' "$(unshare -m sh -c 'mount --bind subs /etc/subuid && mount --bind subs /etc/subgid && "$@"' sh "$CARREL" run -b container --subids --groups 3 -c "id -G; $maps" |
	sed 's/18[78][0-9]*/N/g')" "65534 3
 0 200000 1000 65534 N 1 0 200000 1000 65534 N 1 "
finish
