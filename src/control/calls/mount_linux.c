/* SPDX-License-Identifier: ISC */
/* Mounts, as Linux has them. */
#include "calls.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *or_null(const struct arg *a)
{
	return a->n > 0 ? a->s : NULL;
}

int64_t call_mount(const struct arg *a)
{
	/* The kernel copies a page, whatever was given: not our memory behind it. */
	char page[4096] = { 0 };
	const void *data = or_null(&a[4]);

	if (a[4].n > 0 && a[4].n < sizeof(page))
		data = memcpy(page, a[4].s, a[4].n);
	return call_result(mount(or_null(&a[0]), a[1].s, or_null(&a[2]), (unsigned long)a[3].i, data));
}

int64_t call_umount(const struct arg *a)
{
	return call_result(umount2(a[0].s, 0));
}

int64_t call_umount2(const struct arg *a)
{
	return call_result(umount2(a[0].s, (int)a[1].i));
}

int64_t call_pivot_root(const struct arg *a)
{
	return call_result(syscall(SYS_pivot_root, a[0].s, a[1].s));
}
