/* SPDX-License-Identifier: ISC */
#include "constant.h"

/* BSD's headers want these two before the others. */
#include <sys/param.h>
#include <sys/socket.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#ifdef __linux__
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/if_tun.h>
#include <linux/landlock.h>
#include <linux/memfd.h>
#include <linux/openat2.h>
/* glibc's requests of ptrace are no macros; the kernel's are. */
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/serial.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "kernel.h"
/* Where libcs differ, programs on the port protocol count on glibc's. */
#undef O_ACCMODE
#define O_ACCMODE 3
#ifndef __O_SYNC
#define __O_SYNC (O_SYNC & ~O_DSYNC)
#endif
#ifdef __LP64__
#undef O_LARGEFILE
#define O_LARGEFILE 0
#endif
#undef MS_NOUSER
#define MS_NOUSER INT32_MIN
#endif
#ifdef __FreeBSD__
#include <sys/capsicum.h>
#include <sys/procctl.h>
#include <net/if_tun.h>
/* Enumerators, which the generator's guards do not see. */
#define P_PID P_PID
#define P_PGID P_PGID
#endif

#include "constants.inc"

static const struct constant *const family[128] = {
#define FAMILY(letter, name, ...) [letter] = name##_table,
#include "words.def"
};

static const struct constant_family families[] = {
#define FAMILY(letter, name, summary) { letter, #name, summary },
#include "words.def"
};

static const struct constant *family_table(char letter)
{
	return (unsigned char)letter < 128 ? family[(unsigned char)letter] : NULL;
}

static bool same_name(const char *name, struct slice s)
{
	size_t i;

	for (i = 0; i < s.len && name[i] != 0; i++) {
		if (tolower(s.data[i]) != name[i])
			return false;
	}
	return i == s.len && name[i] == 0;
}

int constant_value(char letter, struct slice name, int64_t *ret)
{
	const struct constant *c = family_table(letter);

	for (; c != NULL && c->name != NULL; c++) {
		if (same_name(c->name, name)) {
			*ret = c->value;
			return 0;
		}
	}
	return -ENOTSUP;
}

const char *constant_name(char letter, int64_t value)
{
	const struct constant *c = family_table(letter);

	for (; c != NULL && c->name != NULL; c++) {
		if (c->value == value)
			return c->name;
	}
	return NULL;
}

const char *errno_name(int64_t number)
{
	const char *name = number != 0 ? constant_name('e', number) : NULL;

	return name != NULL ? name : "unknown";
}

const struct constant_family *constant_family(size_t i)
{
	return i < sizeof(families) / sizeof(families[0]) ? &families[i] : NULL;
}

const struct constant *constant_list(char letter)
{
	return family_table(letter);
}
