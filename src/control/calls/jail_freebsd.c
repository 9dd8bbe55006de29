/* SPDX-License-Identifier: ISC */
/* Jails, and what procctl(2) does to processes. */
#include "calls.h"

/* The others want these before them. */
#include <sys/param.h>
#include <sys/wait.h>

#include <errno.h>
#include <sys/jail.h>
#include <sys/procctl.h>

int64_t call_jail(const struct arg *a)
{
	return call_result(jail(call_address(&a[0])));
}

int64_t call_jail_attach(const struct arg *a)
{
	return call_result(jail_attach((int)a[0].i));
}

int64_t call_jail_remove(const struct arg *a)
{
	return call_result(jail_remove((int)a[0].i));
}

int64_t call_procctl_int(const struct arg *a)
{
	int value = (int)a[3].i;

	return call_result(procctl((idtype_t)a[0].i, (id_t)a[1].i, (int)a[2].i, &value));
}

int call_procctl(const struct arg *a, struct result *r)
{
	const struct arg_memory *m = a[3].memory;

	if (procctl((idtype_t)a[0].i, (id_t)a[1].i, (int)a[2].i, call_address(&a[3])) == -1)
		return -errno;
	result_add(r, m != NULL ? value_bytes(m->data, m->len) : value_bytes(NULL, 0));
	return result_add(r, m != NULL ? value_arg(&a[3]) : value_list(NULL, 0));
}
