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
finish
