/* SPDX-License-Identifier: ISC */
/* What takes rights away, on Linux. */
#include "calls.h"

#include "sys.h"

#include <sys/prctl.h>

int64_t call_prctl(const struct arg *a)
{
	return call_result(prctl((int)a[0].i, (unsigned long)a[1].i, (unsigned long)a[2].i,
				 (unsigned long)a[3].i, (unsigned long)a[4].i));
}

int64_t call_landlock_scope(const struct arg *a)
{
	return sys_landlock_scope((uint64_t)a[0].i);
}
