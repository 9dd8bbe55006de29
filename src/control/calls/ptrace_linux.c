/* SPDX-License-Identifier: ISC */
/* Tracing. */
#include "calls.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <sys/types.h>

/* glibc gives this argument an enum of its own. */
#ifdef __GLIBC__
#define REQUEST enum __ptrace_request
#else
#define REQUEST int
#endif

int call_ptrace(const struct arg *a, struct result *r)
{
	/* What is peeked at may be -1. */
	errno = 0;
	long word = ptrace((REQUEST)a[0].i, (pid_t)a[1].i, call_address(&a[2]), call_address(&a[3]));
	if (errno != 0)
		return -errno;
	result_add(r, value_int(word));
	result_add(r, value_arg(&a[2]));
	return result_add(r, value_arg(&a[3]));
}
