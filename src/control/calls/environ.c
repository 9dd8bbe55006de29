/* SPDX-License-Identifier: ISC */
/* The environment of this process. */
#include "calls.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef __linux__
extern char **environ;
#endif

int64_t call_clearenv(const struct arg *a)
{
	(void)a;
#ifdef __linux__
	return clearenv() == 0 ? 0 : -ENOMEM;
#else
	static char *none[1];
	environ = none;
	return 0;
#endif
}

int call_environ(const struct arg *a, struct result *r)
{
	size_t n = 0;

	(void)a;
	while (environ != NULL && environ[n] != NULL)
		n++;
	struct value *v = ARENA_TAKE(&r->mem, n, struct value);
	if (v == NULL)
		return -EMSGSIZE;
	for (size_t i = 0; i < n; i++)
		v[i] = value_text(environ[i]);
	return result_add(r, value_list(v, n));
}

int call_getenv(const struct arg *a, struct result *r)
{
	const char *text = getenv(a[0].s);

	return result_add(r, text != NULL ? value_text(text) : value_atom("false"));
}

int64_t call_setenv(const struct arg *a)
{
	return call_result(setenv(a[0].s, a[1].s, (int)a[2].i));
}

int64_t call_unsetenv(const struct arg *a)
{
	return call_result(unsetenv(a[0].s));
}
