#!/bin/sh
# SPDX-License-Identifier: ISC
# carrel calls: the table of calls and the constants, for people and for programs.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

"$CARREL" calls >all
rows=$(grep -c '^CALL(' "$SOURCE/src/wire/calls.def")
is 'a line for each call' "$(wc -l <all)" "$rows"
like 'number, name, arguments, what it does' "$(grep ' chown(' all)" ' 10  chown(path, uid, gid) *change the owner of a file'
like 'what is not here says so' "$(grep ' jail(' all)" '*(not on this system)'
is 'each by its number, in their order' "$(awk '{ print $1 }' all | sort -nuc && echo ok)" ok
"$CARREL" calls umount2 >one
like 'one call: its arguments' "$(grep '^  flags' one)" '  flags *a list of constants of the family mount'
like 'its systems' "$(grep '^  systems' one)" '  systems *Linux, FreeBSD, OpenBSD'
like 'its doors' "$(grep '^  doors' one)" '  doors *program*port'
like 'its stage' "$(grep '^  stage' one)" '  stage *file'
is 'several' "$("$CARREL" calls fchdir chdir | grep -c ':.*directory')" 2
"$CARREL" calls --json >json
is 'JSON: an object for each call' "$(jq -s length <json)" "$rows"
is 'with its arguments' "$(jq -c 'select(.name == "lseek") | [.number, [.arguments[].name], .answers, .doors[0], .here]' json)" \
	'[51,["fd","offset","whence"],"nothing more","program",true]'
is 'and their families' "$(jq -r 'select(.name == "prlimit").arguments[1].family' json)" rlimit
is 'no call without words' "$(jq 'select(.summary == "" or .answers == "" or .systems == [] or .doors == [])' json)" ''
# What the source says is what is printed.
sed -n 's/^CALL(\([0-9]*\), \([a-z0-9_]*\), .*/\1 \2/p' "$SOURCE/src/wire/calls.def" >source
is 'numbers and names are the table'\''s' "$(jq -r '"\(.number) \(.name)"' json | diff - source)" ''

status 'a wrong name' 2 "$CARREL" calls chdri
like 'gets a suggestion' "$(cat err)" '*unknown call "chdri"; did you mean chdir?*'
is 'and prints nothing' "$("$CARREL" calls chdir nosuch 2>/dev/null)" ''
status 'a name that is like none' 2 "$CARREL" calls zzzzzzzz
like 'gets the way to the list' "$(cat err)" '*unknown call "zzzzzzzz"; carrel calls lists them*'
status 'a wrong option' 2 "$CARREL" calls --jsn
like 'gets a suggestion' "$(cat err)" '*unknown option --jsn; did you mean --json?*'
like 'help' "$("$CARREL" calls --help)" '*usage: carrel calls*--constants*'
is 'an output that is full is an error' "$("$CARREL" calls >/dev/full 2>err; echo $?; grep -c 'No space' err)" '125
1'

like 'families of constants' "$("$CARREL" calls --constants | grep '^rlimit')" 'rlimit *resources of setrlimit(2)'
like 'the constants of one' "$("$CARREL" calls --constants rlimit | grep '^rlimit_nofile')" 'rlimit_nofile * 7'
is 'as JSON' "$("$CARREL" calls --constants --json clone | jq -c 'select(.name == "clone_newpid")')" \
	'{"family":"clone","name":"clone_newpid","value":536870912}'
is 'families as JSON' "$("$CARREL" calls --constants --json | jq -r .family | grep -c '^capability$')" 1
status 'a wrong family' 2 "$CARREL" calls --constants rlimt
like 'gets a suggestion' "$(cat err)" '*unknown family of constants "rlimt"; did you mean rlimit?*'
# Each name that is printed can be used: personality has no side effect with none of its flags.
is 'a printed constant is one that programs take' "$(printf 'task personality([%s])\ntask exec("/bin/true", ["true"], [], "")\n' \
	"$("$CARREL" calls --constants personality | awk 'NR == 1 { print $1 }')" >program
	"$CARREL" run --ops program && echo ok)" ok

# The manual page and the header are made from the same rows, by awk: what they say is what the library says.
page=$BUILD/man/carrel-calls.7
is 'the page is without a fault' "$(mandoc -Tlint -Wwarning "$page")" ''
awk '/^\.It Fn / { name = $3; arguments = $0; sub(/^\.It Fn [a-z0-9_]* ?/, "", arguments) }
	/^\.Ql / { stage = $2 }
	/^On .*; doors: .*; number [0-9]*\.$/ {
		line = $0
		sub(/^On /, "", line); sub(/\.$/, "", line); sub(/; number .*/, "", line)
		number = $NF; sub(/\./, "", number)
		print number, name "(" arguments ") " stage "; " line
	}' "$page" >made
jq -r '"\(.number) \(.name)(\([.arguments[].name] | join(" "))) \(.stage); " +
	(if (.systems | length) == 3 then "every system" else .systems | join(", ") end) + "; doors: " +
	(.doors | join(", ") | sub("outside"; "program (outside)"))' json >told
is 'the page has every row as it is' "$(diff told made)" ''
is 'and every argument' "$(grep -c '^\.It Fa' "$page")" "$(jq '.arguments | length' json | paste -sd+ | bc)"
is 'and every family' "$("$CARREL" calls --constants | awk '{ print $1 }')" \
	"$(sed -n '/^\.Sh CONSTANTS/,$s/^\.It Cm //p' "$page")"
is 'and every note' "$(grep -c '^NOTE(' "$SOURCE/src/wire/notes.def")" "$(jq -r 'select(.note != null).name' json | wc -l)"
like 'each call of the page ends' "$(mandoc -Tutf8 "$page" | col -b)" '*chroot(path)*Change the root directory.*'
header=$BUILD/include/carrel-task.h
is 'each prototype of the page is in the header' "$(sed -n 's/^\.Fn \([a-z_0-9]*\) .*/\1/p' "$page" | while read -r f; do
	grep -q " $f(" "$header" || echo "$f"
done)" ''
# Without a wrapper are names of constants, memory, and what carrel.h has functions for.
is 'calls without a wrapper' "$(jq -r 'select(.doors | index("task")).name' json | while read -r f; do
	grep -q "^/\* $f: " "$header" || echo "$f"
done | grep -v '_constant$' | paste -sd' ')" \
	'alloc clone cpid execve execvp fexecve filter fork getopt jail setcpid setopt setproctitle sigaction exec deny_calls reexec receive_fd send_fd seccomp_preset'
sed -n 's/^[a-z].*[ *]\(carrel_[a-z_0-9]*\)(.*/\1/p' "$SOURCE/include/carrel.h" | sort >functions
sed -n 's/^static inline .*[ *]\(carrel_task_[a-z_0-9]*\)(.*/\1/p' "$header" | sort >wrappers
is 'no wrapper has the name of a function' "$(comm -12 functions wrappers)" ''
is 'and none is there twice' "$(uniq -d wrappers)" ''
like 'they were read' "$(paste -sd' ' functions wrappers)" '*carrel_task_call *carrel_task_chdir *'
finish
