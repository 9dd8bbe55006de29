/* SPDX-License-Identifier: ISC */
/* base/map.c against a naive model; keys are also chosen to share their place in the table. */
#include "tap.h"

#include "map.h"

#define MODEL_MAX 4096

static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % below;
}

struct model {
	size_t n;
	struct map_entry entry[MODEL_MAX];
};

static struct model model;
static char values[MODEL_MAX];

static struct map_entry *model_find(uint32_t key)
{
	for (size_t i = 0; i < model.n; i++) {
		if (model.entry[i].key == key)
			return &model.entry[i];
	}
	return NULL;
}

static void model_put(uint32_t key, void *value)
{
	struct map_entry *e = model_find(key);

	if (e == NULL)
		e = &model.entry[model.n++];
	*e = (struct map_entry){ key, value };
}

static void *model_remove(uint32_t key)
{
	struct map_entry *e = model_find(key);

	if (e == NULL)
		return NULL;
	void *value = e->value;
	*e = model.entry[--model.n];
	return value;
}

static void same(const struct map *m)
{
	size_t at = 0, n = 0, sum = 0, want = 0;
	void *value;

	CHECK_INT(m->len, model.n);
	CHECK(2 * m->len <= m->cap);
	CHECK((m->cap & (m->cap - 1)) == 0);
	for (size_t i = 0; i < model.n; i++) {
		CHECK(map_get(m, model.entry[i].key) == model.entry[i].value);
		want += (size_t)((char *)model.entry[i].value - values);
	}
	while ((value = map_each(m, &at)) != NULL) {
		n++;
		sum += (size_t)((char *)value - values);
	}
	CHECK_INT(n, model.n);
	CHECK_INT(sum, want);
}

/* Random operations on ${n} keys; ${grow} of ten add. */
static void churn(const uint32_t *keys, uint32_t n, uint32_t grow, int ops)
{
	struct map m = { 0 };

	model.n = 0;
	for (int i = 0; i < ops; i++) {
		uint32_t key = keys[rnd(n)];
		void *value = &values[rnd(MODEL_MAX)];

		if (rnd(10) < grow) {
			CHECK_INT(map_put(&m, key, value), 0);
			model_put(key, value);
		} else {
			CHECK(map_remove(&m, key) == model_remove(key));
		}
		CHECK(map_get(&m, key) == (model_find(key) ? model_find(key)->value : NULL));
		if (i % 16 == 0)
			same(&m);
	}
	same(&m);
	while (model.n > 0) {
		uint32_t key = model.entry[rnd((uint32_t)model.n)].key;

		CHECK(map_remove(&m, key) == model_remove(key));
		same(&m);
	}
	map_finish(&m);
}

TEST(empty)
{
	struct map m = { 0 };
	size_t i = 0;

	CHECK(map_get(&m, 0) == NULL);
	CHECK(map_remove(&m, 0) == NULL);
	CHECK(map_each(&m, &i) == NULL);
	map_finish(&m);
	map_finish(&m);
	CHECK_INT(map_put(&m, 0, values), 0);
	CHECK(map_get(&m, 0) == values);
	map_finish(&m);
	CHECK(map_get(&m, 0) == NULL);
	CHECK_INT(m.len, 0);
}

TEST(put_replaces)
{
	struct map m = { 0 };

	CHECK_INT(map_put(&m, UINT32_MAX, values), 0);
	CHECK_INT(map_put(&m, UINT32_MAX, values + 1), 0);
	CHECK_INT(m.len, 1);
	CHECK(map_get(&m, UINT32_MAX) == values + 1);
	CHECK(map_get(&m, 0) == NULL);
	CHECK(map_remove(&m, UINT32_MAX) == values + 1);
	CHECK(map_remove(&m, UINT32_MAX) == NULL);
	CHECK_INT(m.len, 0);
	map_finish(&m);
}

TEST(each_from_the_middle)
{
	struct map m = { 0 };
	bool seen[100] = { false };
	size_t i = 0;
	char *v;

	for (uint32_t k = 0; k < 100; k++)
		CHECK_INT(map_put(&m, k * 7919, &values[k]), 0);
	while ((v = map_each(&m, &i)) != NULL) {
		CHECK(!seen[v - values]);
		seen[v - values] = true;
	}
	for (int k = 0; k < 100; k++)
		CHECK(seen[k]);
	CHECK(map_each(&m, &i) == NULL);
	map_finish(&m);
}

TEST(growth)
{
	enum { N = 100000 };
	struct map m = { 0 };

	/* The value tells its key. */
	for (uint32_t k = 0; k < N; k++)
		CHECK_INT(map_put(&m, k * 3, (void *)(uintptr_t)(k + 1)), 0);
	CHECK_INT(m.len, N);
	for (uint32_t k = 0; k < 3 * N; k++)
		CHECK(map_get(&m, k) == (void *)(uintptr_t)(k % 3 == 0 ? k / 3 + 1 : 0));
	for (uint32_t k = 0; k < N; k += 2)
		CHECK(map_remove(&m, k * 3) == (void *)(uintptr_t)(k + 1));
	CHECK_INT(m.len, N / 2);
	for (uint32_t k = 0; k < N; k++)
		CHECK(map_get(&m, k * 3) == (void *)(uintptr_t)(k % 2 ? k + 1 : 0));
	map_finish(&m);
}

/* Pids come and go for ever: the table must not grow with them. */
TEST(does_not_rot)
{
	struct map m = { 0 };

	for (uint32_t k = 0; k < 200000; k++) {
		CHECK_INT(map_put(&m, k, values), 0);
		if (k >= 5)
			CHECK(map_remove(&m, k - 5) == values);
	}
	CHECK_INT(m.cap, 16);
	CHECK_INT(m.len, 5);
	map_finish(&m);
}

TEST(random_few_keys)
{
	static uint32_t keys[12];

	for (uint64_t s = 1; s <= 50; s++) {
		seed = s;
		for (size_t i = 0; i < 12; i++)
			keys[i] = rnd(UINT32_MAX);
		churn(keys, 12, 5, 600);
	}
}

TEST(random_many_keys)
{
	static uint32_t keys[1000];

	for (uint64_t s = 1; s <= 4; s++) {
		seed = s;
		for (size_t i = 0; i < 1000; i++)
			keys[i] = s % 2 ? rnd(UINT32_MAX) : 30000 + (uint32_t)i;
		churn(keys, 1000, 7, 4000);
	}
}

/* Where a lone key sits in a table of 16: asked of the map itself. */
static size_t home_of(uint32_t key)
{
	struct map m = { 0 };
	size_t i = 0;

	CHECK_INT(map_put(&m, key, values), 0);
	CHECK(map_each(&m, &i) != NULL);
	map_finish(&m);
	return i - 1;
}

/* Runs that wrap around the end of the table are the hard case of removal. */
TEST(random_colliding_keys)
{
	static uint32_t keys[8];

	for (size_t home = 0; home < 16; home++) {
		size_t n = 0;

		/* Half of the keys at one place, half at the next. */
		for (uint32_t k = 0; n < 8; k++) {
			if (home_of(k) == (n < 4 ? home : (home + 1) % 16))
				keys[n++] = k;
		}
		seed = home + 1;
		churn(keys, 8, 5, 1500);
	}
}
