/* SPDX-License-Identifier: ISC */
/*
 * Users, groups and limits.  libc's set*id functions speak to other threads,
 * which a process that shares its parent's memory must not: where the kernel's own
 * calls can be had, they are made directly.
 */
#include "calls.h"

#include <errno.h>
#include <grp.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#define setgid(g) syscall(SYS_setgid, g)
#define setuid(u) syscall(SYS_setuid, u)
#define setresgid(r, e, s) syscall(SYS_setresgid, r, e, s)
#define setresuid(r, e, s) syscall(SYS_setresuid, r, e, s)
#define setgroups(n, g) syscall(SYS_setgroups, n, g)
#define setrlimit(what, limit) syscall(SYS_prlimit64, 0, what, limit, NULL)
#endif

int64_t call_getgid(const struct arg *a)
{
	(void)a;
	return getgid();
}

int64_t call_getuid(const struct arg *a)
{
	(void)a;
	return getuid();
}

int64_t call_setgid(const struct arg *a)
{
	return call_result(setgid((gid_t)a[0].i));
}

int64_t call_setuid(const struct arg *a)
{
	return call_result(setuid((uid_t)a[0].i));
}

int64_t call_setresgid(const struct arg *a)
{
	return call_result(setresgid((gid_t)a[0].i, (gid_t)a[1].i, (gid_t)a[2].i));
}

int64_t call_setresuid(const struct arg *a)
{
	return call_result(setresuid((uid_t)a[0].i, (uid_t)a[1].i, (uid_t)a[2].i));
}

int64_t call_setgroups(const struct arg *a)
{
	_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "ids are passed as they were decoded");
	return call_result(setgroups(a[0].n, a[0].ids));
}

int64_t call_setrlimit(const struct arg *a)
{
	const struct rlimit limit = { .rlim_cur = (rlim_t)a[1].u[0], .rlim_max = (rlim_t)a[1].u[1] };

	return call_result(setrlimit((int)a[0].i, &limit));
}
