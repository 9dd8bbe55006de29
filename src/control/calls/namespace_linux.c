/* SPDX-License-Identifier: ISC */
/* Namespaces. */
#include "calls.h"

#include <sched.h>

int64_t call_setns(const struct arg *a)
{
	return call_result(setns((int)a[0].i, (int)a[1].i));
}

int64_t call_unshare(const struct arg *a)
{
	return call_result(unshare((int)a[0].i));
}
