#!/bin/sh
# SPDX-License-Identifier: ISC
# What `make install` gives to a stranger: files, exported names, pkg-config, header; and its way back.
. "$(dirname "$0")/../lib.sh"
cd "$tmp" || exit 1
root=$tmp/root

# The records of what was installed belong to who installed something before this test.
for build in "$BUILD" "$STATIC_BUILD"; do
	log=$build/meson-logs/install-log.txt
	[ ! -f "$log" ] || cp "$log" "$tmp/log.$(basename "$build")"
done
restore() {
	for build in "$BUILD" "$STATIC_BUILD"; do
		log=$build/meson-logs/install-log.txt
		rm -f "$log"
		[ ! -f "$tmp/log.$(basename "$build")" ] || cp "$tmp/log.$(basename "$build")" "$log"
	done
	rm -rf "$tmp"
}
trap restore EXIT

# install_from BUILD ROOT ARG...
install_from() {
	build=$1 dest=$2
	shift 2
	DESTDIR=$dest meson install -C "$build" --no-rebuild --quiet "$@" 2>&1
}

is 'the library installs' "$(install_from "$BUILD" "$root")" ''
if [ "$STATIC_BUILD" != "$BUILD" ]; then
	is 'the static programs install over it' "$(install_from "$STATIC_BUILD" "$root" --tags runtime)" ''
fi
prefix=$root$(meson introspect --buildoptions "$BUILD" | jq -r '.[] | select(.name == "prefix").value')
lib=$(dirname "$(find "$root" -name libcarrel.so)")
for f in "$lib/libcarrel.so" "$lib/libcarrel.a" "$lib/pkgconfig/carrel.pc" "$prefix/include/carrel.h" \
	"$prefix/include/carrel-task.h" "$prefix/share/man/man7/carrel-calls.7" \
	"$prefix/bin/carrel" "$prefix/libexec/carrel/carrel-control" "$prefix/share/man/man1/carrel-run.1" \
	"$prefix/bin/carrel-port" "$prefix/share/man/man1/carrel-port.1" \
	"$prefix/share/man/man3/libcarrel.3" "$prefix/share/man/man8/carrel-control.8"; do
	if [ -s "$f" ]; then pass "there is ${f##*/}"; else fail "there is ${f##*/}" "$(find "$root")"; fi
done
for page in "$SOURCE"/man/*.3; do
	[ -s "$prefix/share/man/man3/${page##*/}" ] || fail "there is ${page##*/}"
done
is 'nothing else' "$(find "$root" ! -type d | grep -cvE 'carrel')" 0
is 'the installed programs need no library' \
	"$(file -b "$prefix/bin/carrel" "$prefix/libexec/carrel/carrel-control" | grep -cE 'static(ally|-pie) linked')" 2
is 'the installed command finds its control process' "$(env -u CARREL_CONTROL "$prefix/bin/carrel" run echo hi)" hi

# Names: exactly the headers' functions, and nothing of ours in a stranger's way.
cat "$prefix/include/carrel.h" "$prefix/include/carrel-supervise.h" >headers
declared=$(sed -n 's/^[a-z].*[ *]\(carrel_[a-z_]*\)(.*/\1/p' headers | sort)
is 'the shared library exports carrel_* only' \
	"$(nm -D --defined-only "$lib/libcarrel.so" | awk '$2 != "A" { print $3 }' | grep -v '^carrel_')" ''
is 'and so does the static one' \
	"$(nm -g --defined-only "$lib/libcarrel.a" | awk 'NF == 3 { print $3 }' | grep -v '^carrel_')" ''
is 'what the header declares is exported' \
	"$({ nm -D --defined-only "$lib/libcarrel.so"; nm -g --defined-only "$lib/libcarrel-control.a"; } |
		awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort)" "$declared"
for f in $declared; do
	page=$(mandoc -Tascii -O man=%N "$prefix/share/man/man3/$f.3" 2>&1)
	[ -n "$page" ] || fail "there is a page $f(3)"
	cat "$prefix/share/man/man3/$f.3"
done | sed -n 's/^\.so man3\///p' | sort -u >pages
is 'the pages that others are links to' "$(paste -sd " " pages)" \
	'carrel_call_info.3 carrel_error.3 carrel_get_record.3 carrel_open.3 carrel_policy.3 carrel_spawn.3 carrel_stop.3 carrel_supervise.3 carrel_task_call.3 carrel_task_exec.3 carrel_task_open.3 carrel_write.3'
# Every constant, function and field of the header is in some page.
gcc -fpreprocessed -dD -E -P -x c headers >bare.h
awk '/^#define CARREL_[A-Z_]*MAX|^[ \t]*CARREL_/ { match($0, /CARREL_[A-Z0-9_]+/); print substr($0, RSTART, RLENGTH) }
	/^typedef struct \{/ { inside = 1; next }
	/^}/ { inside = 0 }
	inside && /;/ {
		sub(/^.*\(\*/, "")
		gsub(/\[[^]]*\]|\)|;/, "")
		n = split($0, part, ",")
		for (i = 1; i <= n; i++) {
			m = split(part[i], word, /[ *\t]+/)
			print word[m]
		}
	}' bare.h | sort -u >names
for f in $declared; do echo "$f"; done >>names
like 'the header was read' "$(paste -sd " " names)" '*CARREL_PTY *keep_terminal *max_line *carrel_write'
is 'nothing in the header is without a page' "$(while read -r name; do
	[ -z "$name" ] || grep -qw -- "$name" "$SOURCE"/man/*.3 || echo "$name"
done <names)" ''
like 'the names have a version' "$(nm -D "$lib/libcarrel.so" | grep carrel_open)" '*carrel_open@@CARREL_0'

# The headers stand alone, in every language that can include them.
printf '#include <carrel-supervise.h>\n#include <carrel-task.h>\nint carrel_header_alone;\n' >alone.c
for cc in gcc clang; do
	for std in c99 c11 c17 c++17; do
		what="$cc -std=$std takes the headers"
		language=c
		[ "$std" != c++17 ] || language=c++
		if [ "$language" = c++ ] && ! echo | "$cc" -x c++ -fsyntax-only - 2>/dev/null; then
			skip "$what" 'no C++ compiler'
			continue
		fi
		is "$what" "$("$cc" -x $language -std=$std -Wall -Wextra -pedantic -Wshadow -Wconversion -Werror \
			-I"$prefix/include" -fsyntax-only alone.c 2>&1)" ''
	done
done

# A stranger with a function that has the name of one inside the library.
cat >stranger.c <<'END'
#include <carrel.h>
#include <stdio.h>
#include <string.h>

int buf_init(int x);
int buf_init(int x)
{
	return x + 1;
}

int main(void)
{
	carrel_result r;
	carrel_error e;

	if (strcmp(carrel_version(), CARREL_VERSION) != 0 || buf_init(1) != 2)
		return 1;
	if (carrel_run(NULL, CARREL_SPEC(.argv = CARREL_ARGV("tr", "a-z", "A-Z"), .input = "hello",
					 .input_len = 5), &r, &e) == -1)
		return fprintf(stderr, "%s\n", carrel_strerror(&e)), 1;
	printf("%s %d\n", r.out, r.status.code);
	carrel_result_free(&r);
	return 0;
}
END

# pc DEST ARG...: pkg-config as for a system that has its root there
pc() {
	dest=$1
	shift
	PKG_CONFIG_SYSROOT_DIR=$dest PKG_CONFIG_LIBDIR=$(dirname "$(find "$dest" -name carrel.pc)") pkg-config "$@"
}

# builds WHAT PROGRAM COMMAND...: it compiles without a word, the program is beside the installed command
builds() {
	what=$1 program=$2
	shift 2
	is "$what compiles" "$("$@" -o "$prefix/bin/$program" 2>&1)" ''
}
warn='-std=c17 -Wall -Wextra -pedantic'
# shellcheck disable=SC2046,SC2086 # lists of words
{
	is 'pkg-config knows the version' "$(pc "$root" --modversion carrel)" \
		"$("$prefix/bin/carrel" --version | sed 's/.* //')"
	is 'and the control process' "$(pc "$root" --variable=control carrel)" \
		"$prefix/libexec/carrel/carrel-control"
	builds 'a program with the shared library' shared gcc $warn stranger.c $(pc "$root" --cflags --libs carrel)
	is 'it runs' "$(env -u CARREL_CONTROL LD_LIBRARY_PATH="$lib" "$prefix/bin/shared")" 'HELLO 0'
	like 'it needs the library by its soname' "$(readelf -d "$prefix/bin/shared" | grep NEEDED)" '*libcarrel.so.0*'
	builds 'a static program' static gcc $warn -static stranger.c $(pc "$root" --static --cflags --libs carrel)
	is 'it runs' "$(env -u CARREL_CONTROL "$prefix/bin/static")" 'HELLO 0'
	builds 'a static position-independent program' static-pie \
		gcc $warn -static-pie stranger.c $(pc "$root" --static --cflags --libs carrel)
	is 'it runs' "$(env -u CARREL_CONTROL "$prefix/bin/static-pie")" 'HELLO 0'
	mv "$prefix/libexec/carrel" "$prefix/libexec/elsewhere"
	like 'without a control process it says what to do' "$(env -u CARREL_CONTROL "$prefix/bin/static" 2>&1)" \
		'*cannot find carrel-control*set CARREL_CONTROL*'
	is 'and takes it from the environment' \
		"$(CARREL_CONTROL=$prefix/libexec/elsewhere/carrel-control "$prefix/bin/static")" 'HELLO 0'
	cp "$prefix/libexec/elsewhere/carrel-control" "$prefix/bin"
	is 'or from its own folder' "$(env -u CARREL_CONTROL "$prefix/bin/static")" 'HELLO 0'
	rm "$prefix/bin/carrel-control"
	mv "$prefix/libexec/elsewhere" "$prefix/libexec/carrel"

	# With musl, from the static build.
	if [ "$STATIC_BUILD" = "$BUILD" ] || ! command -v musl-gcc >/dev/null; then
		skip 'a static program with musl' 'no musl build'
	else
		is 'the musl library installs' "$(install_from "$STATIC_BUILD" "$tmp/musl" --tags devel)" ''
		builds 'a static program with musl' musl \
			musl-gcc $warn -static stranger.c $(pc "$tmp/musl" --static --cflags --libs carrel)
		is 'it runs' "$(env -u CARREL_CONTROL "$prefix/bin/musl")" 'HELLO 0'
	fi
	rm -f "$prefix/bin/shared" "$prefix/bin/static" "$prefix/bin/static-pie" "$prefix/bin/musl"
}

# The way back, as for somebody who kept the build folders.
install_from "$BUILD" "$root" >/dev/null
[ "$STATIC_BUILD" = "$BUILD" ] || install_from "$STATIC_BUILD" "$root" --tags runtime >/dev/null
for build in "$STATIC_BUILD" "$BUILD"; do
	(cd "$build" && meson --internal uninstall >/dev/null 2>&1)
done
is 'uninstalling leaves nothing' "$(find "$root" ! -type d)" ''
finish
