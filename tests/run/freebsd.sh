#!/bin/sh
# SPDX-License-Identifier: ISC
# What is FreeBSD's compiles for it: jails.  $ZIG names a cross-compiler (zig 0.16), if there is one.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1

like 'on Linux jails are refused' "$("$CARREL" run -b jail --root / true 2>&1; echo $?)" "*jails are FreeBSD's; on Linux there are rootless and container*2"
zig=${ZIG:-$(command -v zig)}
if [ -z "$zig" ]; then
	skip 'compiled for FreeBSD' 'there is no cross-compiler: ZIG=/path/to/zig'
	finish
fi
export ZIG_GLOBAL_CACHE_DIR="$tmp/cache" ZIG_LOCAL_CACHE_DIR="$tmp/cache"
src=$SOURCE/src
awk -f "$src/wire/const/gen.awk" "$src"/wire/const/*.in >constants.inc
for file in lib/behaviour/jail.c lib/behaviour/ops.c lib/behaviour/phases.c lib/behaviour/process.c lib/addresses.c lib/host_freebsd.c \
	control/calls/jail_freebsd.c control/calls/capsicum_freebsd.c wire/structure.c wire/constant.c wire/call.c; do
	"$zig" cc -target x86_64-freebsd-none -c -std=gnu17 -Wall -Wextra -Werror -Wno-unused-command-line-argument -I. -I"$src/base" -I"$src/sys" \
		-I"$src/wire" -I"$src/link" -I"$src/lib" -I"$src/control" -I"$SOURCE/include" -o out.o "$src/$file" >log 2>&1
	is "compiled for FreeBSD: $file" "$?" 0
	head -n 20 log | sed 's/^/#   /'
done
finish
