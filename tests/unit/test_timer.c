/* SPDX-License-Identifier: ISC */
/* control/timer.c: the heap against a search over all timers. */
#include "tap.h"

#include "clock.h"
#include "timer.h"

#define TIMERS 300

static struct timer timer[TIMERS];
static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % below;
}

/* The truth: is it set, and when. */
static struct {
	bool set;
	int64_t at;
} model[TIMERS];

static int64_t model_next(void)
{
	int64_t next = CLOCK_NEVER;

	for (size_t i = 0; i < TIMERS; i++) {
		if (model[i].set && model[i].at < next)
			next = model[i].at;
	}
	return next;
}

static void same(const struct timers *ts)
{
	size_t n = 0;

	for (size_t i = 0; i < TIMERS; i++) {
		CHECK((timer[i].place != 0) == model[i].set);
		if (!model[i].set)
			continue;
		n++;
		CHECK_INT(timer[i].at_us, model[i].at);
		CHECK(timer[i].place <= ts->n && ts->heap[timer[i].place] == &timer[i]);
	}
	CHECK_INT(ts->n, n);
	CHECK_INT(timers_next_us(ts), model_next());
}

static void take(struct timers *ts, int64_t now)
{
	int64_t next = model_next();
	bool due = ts->n > 0 && next <= now;
	struct timer *t = timers_due(ts, now);

	CHECK((t != NULL) == due);
	if (t == NULL)
		return;
	CHECK_INT(t->at_us, next);
	CHECK_INT(t->place, 0);
	model[t - timer].set = false;
}

TEST(empty)
{
	struct timers ts = { 0 };

	CHECK_INT(timers_next_us(&ts), CLOCK_NEVER);
	CHECK(timers_due(&ts, INT64_MAX) == NULL);
	timer_clear(&ts, &timer[0]);
	CHECK_INT(ts.n, 0);
	CHECK_INT(timers_reserve(&ts, 0), 0);
	free(ts.heap);
}

/* heap[0] is not used, so n timers need n + 1 places. */
TEST(reserve_is_enough)
{
	for (size_t n = 1; n <= 70; n++) {
		struct timers ts = { 0 };

		CHECK_INT(timers_reserve(&ts, n), 0);
		CHECK(ts.cap > n);
		memset(timer, 0, sizeof(timer));
		for (size_t i = 0; i < n; i++)
			timer_set(&ts, &timer[i], (int64_t)((i * 37) % n));
		for (size_t i = 0; i < n; i++) {
			struct timer *t = timers_due(&ts, INT64_MAX);

			CHECK(t != NULL && t->at_us == (int64_t)i);
			if (n % 37 == 0)
				break;
		}
		free(ts.heap);
	}
}

TEST(reserve_keeps_what_is_set)
{
	struct timers ts = { 0 };

	for (size_t i = 0; i < TIMERS; i++) {
		CHECK_INT(timers_reserve(&ts, i + 1), 0);
		timer_set(&ts, &timer[i], (int64_t)(TIMERS - i));
	}
	for (size_t i = TIMERS; i-- > 0;)
		CHECK(timers_due(&ts, INT64_MAX) == &timer[i]);
	free(ts.heap);
}

TEST(due_is_inclusive)
{
	struct timers ts = { 0 };

	CHECK_INT(timers_reserve(&ts, 1), 0);
	timer_set(&ts, &timer[0], 100);
	CHECK(timers_due(&ts, 99) == NULL);
	CHECK(timers_due(&ts, 100) == &timer[0]);
	CHECK(timers_due(&ts, 100) == NULL);
	free(ts.heap);
}

TEST(set_again_moves)
{
	struct timers ts = { 0 };

	CHECK_INT(timers_reserve(&ts, 3), 0);
	timer_set(&ts, &timer[0], 10);
	timer_set(&ts, &timer[1], 20);
	timer_set(&ts, &timer[2], 30);
	timer_set(&ts, &timer[0], 40);
	CHECK_INT(ts.n, 3);
	CHECK_INT(timers_next_us(&ts), 20);
	timer_set(&ts, &timer[2], 5);
	CHECK_INT(timers_next_us(&ts), 5);
	timer_clear(&ts, &timer[2]);
	timer_clear(&ts, &timer[2]);
	CHECK_INT(ts.n, 2);
	CHECK_INT(timers_next_us(&ts), 20);
	free(ts.heap);
}

TEST(extreme_times)
{
	struct timers ts = { 0 };

	CHECK_INT(timers_reserve(&ts, 3), 0);
	timer_set(&ts, &timer[0], INT64_MAX);
	timer_set(&ts, &timer[1], INT64_MIN);
	timer_set(&ts, &timer[2], 0);
	CHECK(timers_due(&ts, INT64_MIN) == &timer[1]);
	CHECK(timers_due(&ts, INT64_MIN) == NULL);
	CHECK(timers_due(&ts, 0) == &timer[2]);
	CHECK(timers_due(&ts, INT64_MAX - 1) == NULL);
	CHECK(timers_due(&ts, INT64_MAX) == &timer[0]);
	free(ts.heap);
}

TEST(random_against_model)
{
	for (uint64_t s = 1; s <= 12; s++) {
		struct timers ts = { 0 };
		/* Few different times make many ties. */
		uint32_t span = s % 3 == 0 ? 5 : 100000;
		uint32_t used = s % 2 ? TIMERS : 9;

		seed = s;
		memset(timer, 0, sizeof(timer));
		memset(model, 0, sizeof(model));
		CHECK_INT(timers_reserve(&ts, TIMERS), 0);
		for (int i = 0; i < 4000; i++) {
			uint32_t k = rnd(used);
			int64_t at = (int64_t)rnd(span) - span / 2;

			switch (rnd(s % 4 == 0 ? 8 : 4)) {
			case 0:
				timer_clear(&ts, &timer[k]);
				model[k].set = false;
				break;
			case 1:
				take(&ts, at);
				break;
			default:
				timer_set(&ts, &timer[k], at);
				model[k].set = true;
				model[k].at = at;
			}
			same(&ts);
		}
		while (ts.n > 0) {
			take(&ts, INT64_MAX);
			same(&ts);
		}
		free(ts.heap);
	}
}
