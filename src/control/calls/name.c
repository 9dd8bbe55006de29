/* SPDX-License-Identifier: ISC */
/* Names and numbers, and what shows how arguments arrive. */
#include "calls.h"

#include "constant.h"

/* The port protocol whose calls these are. */
#define PORT_VERSION "1.0.1"

static int number_of(char family, const struct arg *name, struct result *r)
{
	const struct slice s = { (const unsigned char *)name->s, name->n };
	int64_t v;

	if (constant_value(family, s, &v) < 0)
		return result_add(r, value_atom("unknown"));
	/* As unsigned, also what is negative in C. */
	return result_add(r, value_uint((uint64_t)v));
}

#define NAMES(what, family)                                                                        \
	int call_##what##_constant(const struct arg *a, struct result *r)                          \
	{                                                                                          \
		return number_of(family, &a[0], r);                                                \
	}

NAMES(cap, 'a')
NAMES(clone, 'n')
NAMES(fcntl, 'd')
NAMES(file, 'f')
NAMES(ioctl, 'i')
NAMES(mount, 'u')
NAMES(prctl, 'c')
NAMES(ptrace, 't')
NAMES(rlimit, 'r')
NAMES(seccomp, 'b')
NAMES(signal, 's')
NAMES(syscall, 'y')

int call_errno_id(const struct arg *a, struct result *r)
{
	return result_add(r, value_atom(errno_name(a[0].i)));
}

int call_alloc(const struct arg *a, struct result *r)
{
	result_add(r, value_bytes(a[0].memory->data, a[0].memory->len));
	return result_add(r, value_arg(&a[0]));
}

int call_iolist_to_bin(const struct arg *a, struct result *r)
{
	return result_add(r, value_bytes(a[0].s, a[0].n));
}

int call_version(const struct arg *a, struct result *r)
{
	(void)a;
	return result_add(r, value_text(PORT_VERSION));
}
