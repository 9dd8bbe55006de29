#!/bin/sh
# SPDX-License-Identifier: ISC
# Every byte arrives, in constant memory, at any pace.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

size=${BYTES:-1000000000}
# 1 GB through cat while it is read: counted and summed at both ends, the peak memory of carrel looked at.
seq -f '%099.0f' 1 1000000 >block # 100 MB
feed() {
	i=0
	while [ "$i" -lt $((size / 100000000)) ]; do
		cat block
		i=$((i + 1))
	done
}
want=$(feed | cksum)
feed | "$CARREL" run -- cat | cksum >shared
is 'shared: 1 GB intact' "$(cat shared)" "$want"
# A command in the background would read /dev/null, so give it the pipe by name.
feed | { "$CARREL" run --json -- cat <&3 & echo $! >pid; wait $!; echo $? >code; } 3<&0 | {
	sleep 1
	grep VmHWM "/proc/$(cat pid)/status" >peak1
	head -c 500000000 >part
	grep VmHWM "/proc/$(cat pid)/status" >peak2
	cat part -
} | jq -j 'select(.event == "stdout") | .data' | cksum >relayed
is '--json: 1 GB intact' "$(cat relayed)" "$want"
is 'and the end is told' "$(cat code)" 0
peak=$(awk '{print $2}' peak2)
# A sanitizer has memory of its own.
limit=${SANITIZED:+32768}
if [ "$peak" -lt "${limit:-4096}" ]; then pass 'in constant memory'; else fail 'in constant memory' "peak $peak kB"; fi
# A reader that stalls stops the writer, who goes on where it was.
is 'a reader that stalls costs nothing' \
	"$("$CARREL" run --json -- seq 1 200000 | (sleep 1; jq -j 'select(.event == "stdout") | .data') | cksum)" \
	"$(seq 1 200000 | cksum)"
# A task that gives its stdout to somebody who stays.
is 'a stranger with the pipe does not hold the end' \
	"$(timeout 20 "$CARREL" run --json -c 'echo x; setsid sleep 300 & exit 0' | tail -n 1)" \
	'{"event":"exit_status","status":0}'
finish
