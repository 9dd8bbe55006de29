/* SPDX-License-Identifier: ISC */
/* A hash map from a 32-bit number (a pid, a stream's id) to a pointer. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_entry {
	uint32_t key;
	void *value;	/* NULL: free */
};

struct map {
	struct map_entry *entry;
	size_t cap;	/* a power of two, or 0 */
	size_t len;
};

/* map_put(m, key, value): set ${key} to ${value} (not NULL).  0, or -ENOMEM with ${m} unchanged. */
int map_put(struct map *m, uint32_t key, void *value);

/* map_get(m, key): the value, or NULL. */
void *map_get(const struct map *m, uint32_t key);

/* map_remove(m, key): forget ${key}; its value, or NULL. */
void *map_remove(struct map *m, uint32_t key);

/* map_finish(m): free the table (not the values). */
void map_finish(struct map *m);

/* map_each(m, i): iterate: the next value at or after *${i} (start with 0), or NULL at the end.
 * Nothing may be put or removed meanwhile. */
void *map_each(const struct map *m, size_t *i);

#endif
