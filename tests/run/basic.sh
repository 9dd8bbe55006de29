#!/bin/sh
# SPDX-License-Identifier: ISC
# carrel run: exit statuses, events, environment, directory, identity, errors.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

status 'a status passes through' 3 "$CARREL" run -- sh -c 'exit 3'
status 'a signal is 128 + its number' 143 "$CARREL" run -c 'kill $$'
status 'not found is 127' 127 "$CARREL" run no-such-command-here
like 'and said' "$(cat err)" "carrel: cannot run 'no-such-command-here': not found in PATH*"
status 'not found by path is 127' 127 "$CARREL" run ./nothing
echo text >plain
status 'not executable is 126' 126 "$CARREL" run ./plain
like 'and said' "$(cat err)" "carrel: cannot run './plain': it is not executable*"
status 'a directory is 126' 126 "$CARREL" run /tmp
status 'a usage error is 2' 2 "$CARREL" run --no-such-option true
status 'no command is a usage error' 2 "$CARREL" run
status 'a timeout is 124' 124 "$CARREL" run -t 0.2 sleep 100
status 'a directory that is not there is 125' 125 "$CARREL" run -C /nonexistent true
like 'and named' "$(cat err)" '*change to the directory '"'/nonexistent': No such file or directory"
status 'a limit above the hard one is 125' 125 as_user "$CARREL" run --rlimit nofile=30000 true
like 'and named' "$(cat err)" '*nofile=*30000*above the hard limit*only root*'
status 'an ordinary user cannot become another' 125 as_user "$CARREL" run --uid 4711 true
like 'and named' "$(cat err)" '*only root may run a command as another user*'
printf 'echo by-sh $1\n' >script
chmod +x script
is 'a script without #! is for the shell' "$("$CARREL" run ./script arg)" 'by-sh arg'
printf '#!/no/such/interpreter\n' >bad
chmod +x bad
status 'a missing interpreter is 127' 127 "$CARREL" run ./bad
status '/bin/sh -c with an empty text' 0 "$CARREL" run -c ''

is 'JSON events' "$("$CARREL" run --json -c 'echo a; sleep 0.1; echo b >&2; exit 4')" \
'{"event":"stdout","data":"a\n"}
{"event":"stderr","data":"b\n"}
{"event":"exit_status","status":4}'
is 'JSON of a signal' "$("$CARREL" run --json -c 'kill -9 $$')" '{"event":"termsig","signal":"SIGKILL"}'
is 'bytes that are no UTF-8' "$("$CARREL" run --json -c "printf '\\377\\376'" 2>/dev/null | head -n 1)" \
	'{"event":"stdout","base64":"//4="}'
is 'output after both streams were closed is the end alone' \
	"$("$CARREL" run --json -c 'printf abc; exec >&- 2>&-; sleep 0.1; exit 3')" \
	'{"event":"stdout","data":"abc"}
{"event":"exit_status","status":3}'
is 'stdin is passed on' "$(echo in | "$CARREL" run --json cat | jq -r '.data // empty')" in
# The recipe of row L-003: a consumer that pauses must not lose the tail.
is 'nothing is lost behind a pause' \
	"$("$CARREL" run --json -c 'echo a; sleep 0.3; echo b; sleep 0.3; head -c 65536 /dev/zero | tr "\0" z; exit 7' |
		(sleep 1.5; jq -j 'select(.event == "stdout") | .data') | wc -c)" 65540

is 'an environment variable' "$("$CARREL" run --env A=1 --env 'B=x y' -c 'echo "$A $B"')" '1 x y'
is 'one over the caller'\''s' "$(A=0 "$CARREL" run --env A=1 -c 'echo "$A"')" 1
is 'an empty environment' "$("$CARREL" run --clear-env --env A=1 /usr/bin/env)" 'A=1'
is 'the directory is the caller'\''s' "$(cd / && "$CARREL" run pwd)" /
is 'or another' "$("$CARREL" run -C /usr pwd)" /usr
is 'or one relative to it' "$(cd /usr && "$CARREL" run -C bin pwd)" /usr/bin
is 'the umask is the caller'\''s' "$(umask 027; "$CARREL" run -c umask)" 0027
is 'or another' "$("$CARREL" run --umask 077 -c umask)" 0077
is 'no core by default' "$("$CARREL" run -c 'ulimit -c')" 0
is 'a limit' "$("$CARREL" run --rlimit nofile=123 -c 'ulimit -n')" 123
is 'user, group and groups' "$("$CARREL" run --uid 1234 --gid 2345 --groups 7,8 -c 'id -u; id -g; id -G')" "1234
2345
2345 7 8"
is 'the group follows the user' "$("$CARREL" run --uid 1234 -c 'id -g; id -G')" "1234
1234"
auto=$("$CARREL" run --uid auto id -u)
if [ "$auto" -ge 65536 ] && [ "$auto" -le 131070 ]; then pass 'a derived user'; else fail 'a derived user' "$auto"; fi
is 'a priority' "$("$CARREL" run --priority 7 nice)" 7
is 'nothing is open but 0, 1, 2' "$("$CARREL" run -c 'ls /proc/self/fd' 3</dev/null 4<&3 | tr '\n' ' ')" '0 1 2 3 '
is 'no new privileges' "$("$CARREL" run grep NoNewPrivs /proc/self/status)" "NoNewPrivs:	1"
is 'unless asked for' "$("$CARREL" run --setuid grep NoNewPrivs /proc/self/status)" "NoNewPrivs:	0"
is 'signals at their defaults' \
	"$( (trap '' PIPE USR1; "$CARREL" run grep -E 'Sig(Ign|Blk)' /proc/self/status) )" \
	"SigBlk:	0000000000000000
SigIgn:	0000000000000000"
is 'SIGPIPE kills as it should' "$("$CARREL" run --json -c 'yes | head -n 1; exit 0' | jq -r .event | tr '\n' ' ')" \
	'stdout exit_status '
is 'shared stdio keeps session and group' \
	"$("$CARREL" run -c 'cut -d" " -f5,6 /proc/self/stat')" "$(cut -d' ' -f5,6 /proc/self/stat)"
sid=$("$CARREL" run --json -c 'echo $$; cut -d" " -f6 /proc/self/stat' | jq -r '.data // empty' | sort -u | wc -l)
is 'with --json it leads a session of its own' "$sid" 2
status 'leftovers are named' 0 "$CARREL" run -v -c 'sleep 100 & setsid sleep 100 & sleep 0.1'
like 'both of them' "$(cat err)" '*killed 2 leftovers: sleep (*), sleep (*)*'
status '--stats' 5 "$CARREL" run --stats -c 'exit 5'
like 'say how it ended' "$(cat err)" 'carrel: exit 5 after *, 0 leftovers killed, kept by reaper*'
status '--wait-tree waits' 0 "$CARREL" run --wait-tree -c '(sleep 0.3; echo late) & exit 0'
is 'for what was left' "$(cat out)" late
big=$(head -c 120000 /dev/zero | tr '\0' x)
is 'an argument above 64 KiB' "$("$CARREL" run -- sh -c 'printf %s "${#1}"' sh "$big")" 120000
finish
