#!/bin/sh
# SPDX-License-Identifier: ISC
# Bad services, and kills at random: supervise_chaos.sh [--rounds N] [--seed N].
. "$(dirname "$0")/../lib.sh"
if "$TOOLS/survivors" --settle 3 --timeout 900 -- python3 "$(dirname "$0")/../tools/supervise_chaos.py" "$@" >"$tmp/out" 2>"$tmp/err"; then
	pass 'no line lost, none started twice, delays as computed'
else
	fail 'no line lost, none started twice, delays as computed' "$(cat "$tmp/out" "$tmp/err")"
fi
sed 's/^/# /' "$tmp/out"
is 'nothing is left over' "$(grep '^survivors ' "$tmp/err")" 'survivors 0'
finish
