/* SPDX-License-Identifier: ISC */
#include "arena.h"

#include <stdint.h>
#include <string.h>

void *arena_take(struct arena *a, size_t n, size_t size, size_t align)
{
	size_t pad = (align - ((uintptr_t)a->p & (align - 1))) & (align - 1);
	size_t room = (size_t)(a->end - a->p);

	if (room < pad || n > (room - pad) / size)
		return NULL;
	char *taken = a->p + pad;
	a->p = taken + n * size;
	memset(taken, 0, n * size);
	return taken;
}
