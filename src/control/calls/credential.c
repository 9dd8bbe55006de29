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
#define setregid(r, e) syscall(SYS_setregid, r, e)
#define setreuid(r, e) syscall(SYS_setreuid, r, e)
#define setgroups(n, g) syscall(SYS_setgroups, n, g)
#define setrlimit(what, limit) syscall(SYS_prlimit64, 0, what, limit, NULL)
#endif

/* glibc gives this argument an enum of its own. */
#ifdef __GLIBC__
#define RESOURCE enum __rlimit_resource
#else
#define RESOURCE int
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

static struct value id(uint32_t id)
{
	return value_uint(id);
}

int call_getgroups(const struct arg *a, struct result *r)
{
	int n = getgroups(0, NULL);

	(void)a;
	if (n < 0)
		return -errno;
	gid_t *group = ARENA_TAKE(&r->mem, (size_t)n, gid_t);
	struct value *v = ARENA_TAKE(&r->mem, (size_t)n, struct value);
	if (group == NULL || v == NULL)
		return -EMSGSIZE;
	n = getgroups(n, group);
	for (int i = 0; i < n; i++)
		v[i] = id(group[i]);
	return n < 0 ? -errno : result_add(r, value_list(v, (size_t)n));
}

int call_getresgid(const struct arg *a, struct result *r)
{
	gid_t real, effective, saved;

	(void)a;
	if (getresgid(&real, &effective, &saved) == -1)
		return -errno;
	result_add(r, id(real));
	result_add(r, id(effective));
	return result_add(r, id(saved));
}

int call_getresuid(const struct arg *a, struct result *r)
{
	uid_t real, effective, saved;

	(void)a;
	if (getresuid(&real, &effective, &saved) == -1)
		return -errno;
	result_add(r, id(real));
	result_add(r, id(effective));
	return result_add(r, id(saved));
}

int call_getrlimit(const struct arg *a, struct result *r)
{
	struct value *v = ARENA_TAKE(&r->mem, 3, struct value);
	struct rlimit limit;

	if (v == NULL || getrlimit((RESOURCE)a[0].i, &limit) == -1)
		return -errno;
	v[0] = value_atom("alcove_rlimit");
	v[1] = value_uint(limit.rlim_cur);
	v[2] = value_uint(limit.rlim_max);
	return result_add(r, value_tuple(v, 3));
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

int64_t call_setregid(const struct arg *a)
{
	return call_result(setregid((gid_t)a[0].i, (gid_t)a[1].i));
}

int64_t call_setreuid(const struct arg *a)
{
	return call_result(setreuid((uid_t)a[0].i, (uid_t)a[1].i));
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

#ifdef __linux__
/* The kernel's call answers the id that was, also when it changed nothing: -1 asks which one there is now. */
static int64_t set_for_files(long call, const struct arg *id)
{
	syscall(call, (uid_t)id->i);
	return (uid_t)syscall(call, (uid_t)-1) == (uid_t)id->i ? 0 : -EPERM;
}

int64_t call_setfsgid(const struct arg *a)
{
	return set_for_files(SYS_setfsgid, &a[0]);
}

int64_t call_setfsuid(const struct arg *a)
{
	return set_for_files(SYS_setfsuid, &a[0]);
}
#endif
