#!/bin/sh
# SPDX-License-Identifier: ISC
# Capabilities: what a command has, what it can do with it, and that there is no way to more.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
chmod 777 "$tmp"
reach=$TOOLS/reach

[ "$(id -u)" -eq 0 ] || as_user() { "$@"; }
who() { if [ "$round" = user ]; then as_user "$@"; else "$@"; fi; }
run() { who "$CARREL" run "$@" 2>&1; }
verdicts() { cut -d' ' -f2 | tr '\n' ' '; }
# sets WORDS...: the five sets of what carrel run WORDS runs, as numbers
sets() { run "$@" -- sed -n 's/^Cap[A-Za-z]*:[^0-9a-f]0*//p' /proc/self/status | sed 's/^$/0/' | tr '\n' ' '; }

# --------------------------------------------------------------- isolated ---
isolated() {
	w="$round, $b:"
	is "$w none" "$(sets -b "$b")" '0 0 0 0 0 '
	is "$w none for user 0" "$(sets -b "$b" --uid 0)" '0 0 0 0 0 '
	is "$w --cap, in every set" "$(sets -b "$b" --cap net_raw)" '2000 2000 2000 2000 2000 '
	is "$w two of them" "$(sets -b "$b" --cap CAP_NET_RAW --cap sys_chroot)" '42000 42000 42000 42000 42000 '
	is "$w for user 0 no more" "$(sets -b "$b" --uid 0 --cap net_raw)" '2000 2000 2000 2000 2000 '
	is "$w the last one" "$(sets -b "$b" --cap checkpoint_restore)" "$(printf '10000000000 %.0s' 1 2 3 4 5)"
	is "$w setpcap itself" "$(sets -b "$b" --cap setpcap)" '100 100 100 100 100 '
	in="-b $b --bind $reach:/reach"
	# shellcheck disable=SC2086 # words
	{
		is "$w a low port" "$(run $in /reach bind:81 | verdicts)" 'EACCES '
		is "$w ... with --cap" "$(run $in --cap net_bind_service /reach bind:81 | verdicts)" 'ok '
		is "$w ... for what it executes" "$(run $in --cap net_bind_service -- sh -c '/reach bind:81' | verdicts)" 'ok '
		if run --bind-port none true 2>/dev/null; then
			is "$w ... and under rules" "$(run $in --cap net_bind_service --bind-port 81 /reach bind:81 bind:82 | verdicts)" 'ok EACCES '
		else
			skip "$w ... and under rules" 'Landlock has no ports on this kernel'
		fi
		is "$w no way to more" "$(run $in --cap net_raw /reach cap:10 cap:13 securebits:0 securebits:239 | verdicts)" \
			'EPERM EPERM EPERM EPERM '
		is "$w ... for who may set capabilities neither" "$(run $in --cap setpcap /reach cap:10 securebits:0 | verdicts)" 'EPERM EPERM '
		is "$w ... nor for user 0" "$(run $in --uid 0 /reach cap:10 securebits:0 | verdicts)" 'EPERM EPERM '
	}
	is "$w no new privileges" "$(run -b "$b" --cap net_raw -- sed -n 's/^NoNewPrivs:.//p' /proc/self/status)" 1
	# It goes on when the command has begun.
	is "$w the init keeps none" "$(run -b "$b" --cap net_raw -- sh -c 'n=0
		while grep "^Cap[EPI]" /proc/1/status | grep -qv ":.0000000000000000$" && [ $n -lt 100 ]; do
			sleep 0.05; n=$((n + 1))
		done
		grep "^Cap[EPI]" /proc/1/status | grep -cv ":.0000000000000000$"')" 0
}
for round in root user; do
	[ "$(id -u)" -eq 0 ] || [ "$round" = user ] || continue
	for b in rootless container; do
		[ "$round" = root ] || [ $b = rootless ] || continue
		if ! who "$CARREL" run -b $b true 2>why; then
			skip "$round, $b" "$(cat why)"
			continue
		fi
		isolated
	done
done

# --------------------------------------------------- root in the host's world ---
round=root
if [ "$(id -u)" -eq 0 ]; then
	all=$(sed -n 's/^CapPrm:.0*//p' /proc/self/status)
	touch file
	is 'root: as before' "$(sets)" "0 $all $all $all 0 "
	is 'root: can give files away' "$(run -- "$reach" chown:file | verdicts)" 'ok '
	is 'root: --drop-caps' "$(sets --drop-caps)" '0 0 0 0 0 '
	is 'root: ... cannot' "$(run --drop-caps -- "$reach" chown:file cap:0 securebits:0 | verdicts)" 'EPERM EPERM EPERM '
	is 'root: ... nor what it executes' "$(run --drop-caps -- sh -c '"$1" chown:file' sh "$reach" | verdicts)" 'EPERM '
	is 'root: --cap' "$(sets --cap chown)" '1 1 1 1 1 '
	is 'root: ... can' "$(run --cap chown -- sh -c '"$1" chown:file; cat /proc/1/environ >/dev/null 2>&1 || echo x no' sh "$reach" | verdicts)" \
		'ok no '
	is 'root: as a user without' "$(run --uid "$user" -- "$reach" chown:file bind:81 | verdicts)" 'EPERM EACCES '
	is 'root: as a user with --cap' "$(run --uid "$user" --cap chown --cap net_bind_service -- "$reach" chown:file bind:81 |
		verdicts)" 'ok ok '
	is 'root: ... in every set' "$(sets --uid "$user" --cap net_bind_service)" '400 400 400 400 400 '
	is 'root: ... with groups' "$(run --uid "$user" --gid 7 --groups 8,9 --cap net_bind_service -- id -G)" '7 8 9'
	is 'root: ... of its own number' "$(sets --uid auto --cap net_bind_service)" '400 400 400 400 400 '
	is 'root: as a user with --drop-caps' "$(sets --uid "$user" --drop-caps)" '0 0 0 0 0 '
	is 'root: ... and no way back' "$(run --uid "$user" --cap net_raw -- "$reach" cap:0 cap:10 securebits:0 | verdicts)" 'EPERM EPERM EPERM '
	# A set-user-ID program gives nothing to who may execute it.
	cp /bin/sed suid
	chmod 4755 suid
	caps='s/^Cap[EP][rmf]*:[^0-9a-f]0*//p'
	is 'root: set-user-ID programs give capabilities' "$(run --setuid --uid "$user" -- ./suid -n "$caps" /proc/self/status | sort -u)" "$all"
	is 'root: ... not with --drop-caps' "$(run --setuid --uid "$user" --drop-caps -- ./suid -n "$caps" /proc/self/status | sort -u)" ''
	# One of the caller's that it has not got.
	like 'root: what it has not got' "$(setpriv --bounding-set -chown --inh-caps -all "$CARREL" run --cap chown touch started 2>&1)" \
		'carrel: cap chown: you have not got it to give*'
	# Without the right to empty the bounding set: no new privileges hold instead.
	round=partly
	who() { setpriv --bounding-set -setpcap --inh-caps -all "$@"; }
	left=$(who sed -n 's/^CapBnd:.0*//p' /proc/self/status)
	is 'root without setpcap: --drop-caps' "$(sets --drop-caps)" "0 0 0 $left 0 "
	is 'root without setpcap: ... cannot' "$(run --drop-caps -- sh -c '"$1" chown:file' sh "$reach" | verdicts)" 'EPERM '
	is 'root without setpcap: --cap' "$(sets --cap chown)" "1 1 1 $left 1 "
	is 'root without setpcap: as a user' "$(sets --uid "$user" --cap chown)" "1 1 1 $left 1 "
	is 'root without setpcap: ... can, and no more' "$(run --uid "$user" --cap chown -- sh -c '"$1" chown:file cap:5' sh "$reach" |
		verdicts)" 'ok EPERM '
	like 'root without setpcap: --setuid' "$(run --setuid --drop-caps touch started)" 'carrel: drop_caps: with allow_setuid only *setpcap*'
	# A user who was given some keeps what is named.
	round=given
	who() { setpriv --reuid "$user" --regid "$user" --clear-groups --inh-caps +chown,+net_raw --ambient-caps +chown,+net_raw "$@"; }
	is 'a user with capabilities: as before' "$(sets | cut -d' ' -f2,3,5)" '2001 2001 2001'
	is 'a user with capabilities: one of them' "$(sets --cap chown | cut -d' ' -f1,2,3,5)" '1 1 1 1'
	is 'a user with capabilities: none' "$(sets --drop-caps | cut -d' ' -f1,2,3,5)" '0 0 0 0'
	like 'a user with capabilities: another' "$(run --cap kill touch started)" '*cap kill: you have not got it to give*'
fi

# -------------------------------------------------------------- a plain user ---
round=user
who() { as_user "$@"; }
like 'user: --cap' "$(run --cap net_bind_service touch started)" \
	'carrel: cap net_bind_service: you have no capabilities to give; rootless gives those of a user namespace of its own'
is 'user: --drop-caps' "$(sets --drop-caps | cut -d' ' -f1,2,3,5)" '0 0 0 0'
is 'user: ... no new privileges' "$(run --drop-caps -- sed -n 's/^NoNewPrivs:.//p' /proc/self/status)" 1
like 'user: ... with --setuid' "$(run --setuid --drop-caps touch started)" 'carrel: drop_caps: with allow_setuid only *'

# ----------------------------------------------------------------- wrong ones ---
wrong() {
	what=$1
	shift
	like "refused: $*" "$("$CARREL" run "$@" -- touch started 2>&1)" "*$what*"
}
wrong 'unknown capability; did you mean net_admin?' --cap net_admn
wrong 'unknown capability; did you mean sys_admin?' --cap CAP_SYS_ADMIM
wrong 'unknown capability; capabilities(7)' --cap everything
wrong 'unknown capability' --cap ''
wrong 'unknown capability' --cap cap_
wrong 'drop_caps takes every capability' --drop-caps --cap chown
is 'nothing was started' "$(ls -d started 2>/dev/null)" ''
"$CARREL" run --print-ops -b rootless --cap net_raw -- sed -n 's/^CapPrm:.0*//p' /proc/self/status >program
is 'what is printed can be fed back' "$("$CARREL" run --ops program 2>&1)" 2000
finish
