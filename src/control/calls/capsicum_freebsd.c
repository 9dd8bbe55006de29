/* SPDX-License-Identifier: ISC */
/* Capability mode and the rights of descriptors. */
#include "calls.h"

#include <errno.h>
#include <sys/capsicum.h>

int64_t call_cap_enter(const struct arg *a)
{
	(void)a;
	return call_result(cap_enter());
}

int64_t call_cap_getmode(const struct arg *a)
{
	unsigned mode;

	(void)a;
	return cap_getmode(&mode) == -1 ? -errno : (int64_t)mode;
}

int64_t call_cap_fcntls_get(const struct arg *a)
{
	uint32_t rights;

	return cap_fcntls_get((int)a[0].i, &rights) == -1 ? -errno : (int64_t)rights;
}

int64_t call_cap_fcntls_limit(const struct arg *a)
{
	return call_result(cap_fcntls_limit((int)a[0].i, (uint32_t)a[1].i));
}

int64_t call_cap_ioctls_limit(const struct arg *a)
{
	_Static_assert(sizeof(unsigned long) == sizeof(uint64_t), "requests are passed as decoded");
	return call_result(cap_ioctls_limit((int)a[0].i, (const unsigned long *)a[1].words, a[1].n));
}

int64_t call_cap_rights_limit(const struct arg *a)
{
	cap_rights_t rights;

	cap_rights_init(&rights);
	for (uint32_t i = 0; i < a[1].n; i++)
		cap_rights_set(&rights, a[1].words[i]);
	return call_result(cap_rights_limit((int)a[0].i, &rights));
}
