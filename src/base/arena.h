/* SPDX-License-Identifier: ISC */
/* Memory that is handed out from the front and never given back singly. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena {
	char *p, *end;
};

/* arena_take(a, n, size, align): ${n} zeroed objects, or NULL when the arena is used up. */
void *arena_take(struct arena *a, size_t n, size_t size, size_t align);

/* ARENA_TAKE(a, n, type): the same for a type. */
#define ARENA_TAKE(a, n, type) ((type *)arena_take(a, n, sizeof(type), _Alignof(type)))

#endif
