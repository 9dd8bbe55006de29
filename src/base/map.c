/* SPDX-License-Identifier: ISC */
/*
 * Open addressing with linear probing, at most half full.  Removal shifts the
 * following entries back instead of leaving tombstones, so that a map which
 * lives for millions of processes does not rot.
 */
#include "map.h"

#include <errno.h>
#include <stdlib.h>

static size_t map_home(const struct map *m, uint32_t key)
{
	return (size_t)(key * UINT32_C(2654435769) >> 7) & (m->cap - 1);
}

static struct map_entry *map_find(const struct map *m, uint32_t key)
{
	size_t i = map_home(m, key);

	while (m->entry[i].value != NULL && m->entry[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return &m->entry[i];
}

static int map_grow(struct map *m)
{
	struct map bigger = { .cap = m->cap == 0 ? 16 : m->cap * 2, .len = m->len };

	bigger.entry = calloc(bigger.cap, sizeof(*bigger.entry));
	if (bigger.entry == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < m->cap; i++) {
		if (m->entry[i].value != NULL)
			*map_find(&bigger, m->entry[i].key) = m->entry[i];
	}
	free(m->entry);
	*m = bigger;
	return 0;
}

int map_put(struct map *m, uint32_t key, void *value)
{
	if (2 * (m->len + 1) > m->cap) {
		int r = map_grow(m);

		if (r < 0)
			return r;
	}
	struct map_entry *e = map_find(m, key);
	if (e->value == NULL)
		m->len++;
	*e = (struct map_entry){ key, value };
	return 0;
}

void *map_get(const struct map *m, uint32_t key)
{
	return m->cap == 0 ? NULL : map_find(m, key)->value;
}

void *map_remove(struct map *m, uint32_t key)
{
	if (m->cap == 0)
		return NULL;
	struct map_entry *e = map_find(m, key);
	void *value = e->value;
	if (value == NULL)
		return NULL;
	size_t hole = (size_t)(e - m->entry);
	size_t i = hole;
	for (;;) {
		i = (i + 1) & (m->cap - 1);
		if (m->entry[i].value == NULL)
			break;
		/* An entry may move into the hole unless its home lies behind the hole. */
		size_t home = map_home(m, m->entry[i].key);
		if (((i - home) & (m->cap - 1)) >= ((i - hole) & (m->cap - 1))) {
			m->entry[hole] = m->entry[i];
			hole = i;
		}
	}
	m->entry[hole].value = NULL;
	m->len--;
	return value;
}

void map_finish(struct map *m)
{
	free(m->entry);
	*m = (struct map){ 0 };
}

void *map_each(const struct map *m, size_t *i)
{
	while (*i < m->cap) {
		void *value = m->entry[(*i)++].value;

		if (value != NULL)
			return value;
	}
	return NULL;
}
