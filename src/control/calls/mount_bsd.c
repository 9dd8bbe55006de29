/* SPDX-License-Identifier: ISC */
/* Mounts, as FreeBSD and OpenBSD have them: the data says where from. */
#include "calls.h"

#include <sys/param.h>
#include <sys/mount.h>

int64_t call_mount(const struct arg *a)
{
	/* What is called const is read only; OpenBSD's prototype does not say so. */
	union {
		const char *from;
		void *data;
	} u = { .from = a[4].n > 0 ? a[4].s : NULL };

	return call_result(mount(a[2].s, a[1].s, (int)a[3].i, u.data));
}

int64_t call_umount(const struct arg *a)
{
	return call_result(unmount(a[0].s, 0));
}

int64_t call_umount2(const struct arg *a)
{
	return call_result(unmount(a[0].s, (int)a[1].i));
}
