/* SPDX-License-Identifier: ISC */
/* What takes rights away, on Linux. */
#include "calls.h"

#include "sys.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned long word(const struct arg *a)
{
	return (unsigned long)(uintptr_t)call_address(a);
}

int64_t call_prctl(const struct arg *a)
{
	return call_result(prctl((int)a[0].i, word(&a[1]), word(&a[2]), word(&a[3]), word(&a[4])));
}

int64_t call_seccomp(const struct arg *a)
{
	return call_result(syscall(SYS_seccomp, (unsigned)a[0].i, (unsigned)a[1].i, call_address(&a[2])));
}

int64_t call_landlock_scope(const struct arg *a)
{
	return sys_landlock_scope((uint64_t)a[0].i);
}
