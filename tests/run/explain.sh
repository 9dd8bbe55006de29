#!/bin/sh
# SPDX-License-Identifier: ISC
# Programs as JSON and in words: made of the operations, for every behaviour and for programs of one's own.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

# section NAME ARG...: the lines of one section
section() {
	name=$1
	shift
	"$CARREL" run --explain "$@" | sed -n "/^$name\$/,/^[A-Z]/p" | sed -n 's/^  //p'
}
# says WHAT LINE ARG...: a line of the section in $in
says() {
	what=$1 line=$2
	shift 2
	if section "$in" "$@" | grep -Fqx -e "$line"; then
		pass "$in: $what"
	else
		fail "$in: $what" "wanted: $line" "$(section "$in" "$@")"
	fi
}

in=Command
says 'the words' 'runs "echo" "a b" "c"' echo 'a b' c
says 'no escapes for the terminal' 'runs "echo" "\x1b[31m"' echo "$(printf '\033[31m')"
says 'the environment' 'with 1 variable in its environment' --clear-env -e A=1 true
in=Files
says 'of the host' "the host's, as far as its user may" true
says 'the directory' 'it begins in the directory of the caller' true
says '--chdir' 'it begins in /tmp' -C /tmp true
in=Processes
says 'of the host' "the host's, as far as its user may" true
in=Network
says 'of the host' "the host's" true
in=Identity
says 'the caller' "the caller's user and groups" true
says '--uid' 'user 7' --uid 7 --groups 8,9 true
says '--groups' 'supplementary groups: 8, 9' --uid 7 --groups 8,9 true
in=Rights
says 'none gained' 'none to be gained by executing a file (no_new_privs)' true
is 'Rights: --setuid' "$(section Rights --setuid true)" ''
in=Limits
says 'no core' 'no core file' true
says '--rlimit' 'nofile: 64, up to 128' --rlimit nofile=64:128 true
says '--priority' 'nice value 5' --priority 5 true
in='Streams and terminal'
says 'shared' "standard input: the caller's own" true
says 'null' 'standard output: /dev/null' --stdio null true
says 'files' 'standard output: the file out' --output out true
says 'a terminal' 'standard error: a terminal of its own' --pty true
says 'nothing else' 'nothing else is open' true
in=End
says 'what is left' 'when the command ends, what it leaves behind is waited for' --on-exit wait true
says 'a time limit' 'after 1.500 s all of it is ended' -t 1.5 true
is 'it starts nothing' "$("$CARREL" run --explain touch made >/dev/null; ls)" ''

if "$CARREL" run -b rootless true 2>why; then
	mkdir shown
	for b in rootless container; do
		[ "$b" = rootless ] || [ "$(id -u)" -eq 0 ] || continue
		in=Files
		says 'the root' '/: made in memory, read-only' -b $b true
		says '/usr' "/usr: the host's, read-only" -b $b true
		says 'a bind' "/x: $tmp/shown of the host, it can write to it" -b $b --bind shown:/x:rw true
		says 'a tmpfs' '/y: empty, in memory, at most 1 MiB, gone with it; what is in it can be executed' -b $b --tmpfs /y:1M:exec true
		says 'an overlay' '/: made in memory; it can change it, and the changes are gone with it' -b $b --overlay true
		says 'a kept one' "/: made in memory; it can change it, and the changes stay in $tmp/shown/upper" -b $b --overlay=shown true
		says 'a root' "/: $tmp/shown of the host; it can change it, and the changes are gone with it" -b $b --root shown --overlay true
		in=Network
		says 'none' 'one of its own, with nothing but loopback' -b $b true
		says 'of the host' "the host's" -b $b --net host true
		in=Processes
		says 'its own' "its own only: process 1 is carrel's init, the command is process 2, and the end of one is the end of all" -b $b true
		in=Identity
		outside=$("$CARREL" run -b $b --print-ops true | sed -n 's/.*"65534 \([0-9]*\) 1.*/\1/p')
		[ "$(id -u)" -eq 0 ] || says 'outside' "user 65534 inside is $outside outside" -b $b true
		[ "$(id -u)" -ne 0 ] || says 'no groups' "no supplementary groups" -b $b true
		[ "$(id -u)" -eq 0 ] || says 'groups stay' "the caller's supplementary groups, which only root can drop" -b $b true
		in=Rights
		says 'no capability' 'capabilities: none' -b $b true
		# Every operation that a behaviour writes has words.
		for o in '' '--net host' '--overlay' '--overlay=shown' '--root shown --overlay' '--pty' '--stdio null' \
			'--uid 0 --rlimit nproc=3 --priority 3 --umask 077'; do
			# shellcheck disable=SC2086 # words
			is "$b $o: nothing is left without words" "$(section 'Other operations' -b $b $o --bind shown:/x --tmpfs /y true)" ''
		done
	done
fi
for o in '' '--pty' '--stdio null' '--uid 0 --groups 1 --rlimit nproc=3 --priority 3 --umask 077' '--setuid'; do
	# shellcheck disable=SC2086 # words
	is "process $o: nothing is left without words" "$(section 'Other operations' $o true)" ''
done

# A program of one's own: what has no words is there as it stands.
cat >ops <<'P'
before mkdir("made", 493)
task sched_setaffinity(0, [1])
task exec("/bin/true", ["true"], env, "")
after rmdir("made")
P
is 'what has no words' "$(section 'Other operations' --ops ops)" 'before mkdir("made", 493)
task sched_setaffinity(0, [1])
after rmdir("made")'
is 'a number that is not known yet' "$(printf 'task getpid() slot 60\ntask umask({slot, 60})\ntask exec("/bin/true", ["true"], env, "")\n' |
	"$CARREL" run --explain --ops - | sed -n '/^Other/,$p' | tail -n +2)" '  task getpid() slot 60
  task umask({slot, 60})'
like 'an operation that is none' "$("$CARREL" run --explain --ops /dev/null 2>&1; echo 'nosuch x()' | "$CARREL" run --explain --ops - 2>&1)" '*line 1: *'

# JSON: the same operations, in a form that reads back to the same text.
cat >back.py <<'P'
import json, sys
def term(v):
    if isinstance(v, str):
        return '"' + ''.join('\\' + c if c in '"\\' else {'\n': '\\n', '\t': '\\t'}.get(c) or
                             ('\\x%02x' % ord(c) if ord(c) < 32 or ord(c) == 127 else c) for c in v) + '"'
    if isinstance(v, int):
        return str(v)
    if isinstance(v, list):
        return '[' + ', '.join(map(term, v)) + ']'
    (name, x), = v.items()
    if name == 'word':
        return x
    if name == 'tuple':
        return '{' + ', '.join(map(term, x)) + '}'
    if name == 'bytes':
        return 'BYTES' + str(x)
    rest = x if isinstance(x, list) and name == 'alcove_rlimit' else [x]
    return '{' + ', '.join([name] + [term(e) for e in rest]) + '}'
for op in json.load(sys.stdin):
    line = '%s %s(%s)' % (op['place'], op['call'], ', '.join(map(term, op['arguments'])))
    if 'ignore' in op:
        line += ' ignore' + ('' if op['ignore'] is True else ' ' + op['ignore'])
    print(line + (' slot %d' % op['slot'] if 'slot' in op else ''))
P
same() {
	what=$1
	shift
	"$CARREL" run --print-ops "$@" >as_text
	"$CARREL" run --print-ops=json "$@" | python3 back.py >as_json
	# Root's tasks have another number each time.
	sed -i 's/ 18[78][0-9][0-9]*/ N/g' as_text as_json
	is "JSON: $what" "$(diff as_text as_json)" ''
}
same 'a process' --uid 5 --groups 1,2 --rlimit nofile=7 -C /tmp echo 'a"b\c' "$(printf 'tab\there\nline\001\177')" 'ä€😀'
[ -e shown ] && same 'rootless' -b rootless --bind shown:/x --pty --overlay true
is 'JSON: bytes that are no text' "$("$CARREL" run --print-ops=json "$(printf 'a\377')" "$(printf '\300\200')" "$(printf '\355\240\200')" \
	"$(printf '\364\220\200\200')" "$(printf 'x\303')" | python3 -c 'import json, sys; print(json.load(sys.stdin)[-1]["arguments"][1])')" \
	"[{'bytes': [97, 255]}, {'bytes': [192, 128]}, {'bytes': [237, 160, 128]}, {'bytes': [244, 144, 128, 128]}, {'bytes': [120, 195]}]"
like '--print-ops=xml' "$("$CARREL" run --print-ops=xml true 2>&1; echo $?)" '*"xml": not json*2'
finish
