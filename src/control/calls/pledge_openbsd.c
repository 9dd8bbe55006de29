/* SPDX-License-Identifier: ISC */
/* Giving up system calls and paths. */
#include "calls.h"

#include <unistd.h>

int64_t call_pledge(const struct arg *a)
{
	return call_result(pledge(a[0].s, a[1].s));
}

int64_t call_unveil(const struct arg *a)
{
	return call_result(unveil(a[0].s, a[1].s));
}
