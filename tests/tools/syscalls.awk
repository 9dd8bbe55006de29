# SPDX-License-Identifier: ISC
#
# syscalls.awk: the system call table of stepper, one row a call: { "read", 0 },
#
#	awk -f syscalls.awk /usr/include/x86_64-linux-gnu/asm/unistd_64.h > syscalls.inc
#
# Reads the header itself or what `gcc -E -dM` makes of it; both have `#define __NR_name number`.
# Names that stand for an expression or for the table's size are no calls and are left out.

$1 == "#define" && $2 ~ /^__NR_[a-z0-9_]+$/ && $3 ~ /^[0-9]+$/ {
	name = substr($2, 6)
	if (name != "syscalls" && !(name in seen)) {
		seen[name] = 1
		printf "{ \"%s\", %d },\n", name, $3
		rows++
	}
}

END {
	if (rows == 0) {
		print "syscalls.awk: no system call numbers in the input" > "/dev/stderr"
		exit 1
	}
}
