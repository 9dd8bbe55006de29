/* SPDX-License-Identifier: ISC */
#include "timer.h"

#include "clock.h"

#include <errno.h>
#include <stdlib.h>

int timers_reserve(struct timers *ts, size_t n)
{
	if (n < ts->cap)
		return 0;
	size_t cap = ts->cap == 0 ? 16 : ts->cap * 2;
	while (cap <= n)
		cap *= 2;
	struct timer **heap = realloc(ts->heap, cap * sizeof(*heap));
	if (heap == NULL)
		return -ENOMEM;
	ts->heap = heap;
	ts->cap = cap;
	return 0;
}

static void put(struct timers *ts, size_t place, struct timer *t)
{
	ts->heap[place] = t;
	t->place = place;
}

static void sift(struct timers *ts, struct timer *t)
{
	size_t i = t->place;

	while (i > 1 && ts->heap[i / 2]->at_us > t->at_us) {
		put(ts, i, ts->heap[i / 2]);
		i /= 2;
	}
	for (size_t child; (child = 2 * i) <= ts->n; i = child) {
		if (child < ts->n && ts->heap[child + 1]->at_us < ts->heap[child]->at_us)
			child++;
		if (ts->heap[child]->at_us >= t->at_us)
			break;
		put(ts, i, ts->heap[child]);
	}
	put(ts, i, t);
}

void timer_set(struct timers *ts, struct timer *t, int64_t at_us)
{
	t->at_us = at_us;
	if (t->place == 0)
		t->place = ++ts->n;
	sift(ts, t);
}

void timer_clear(struct timers *ts, struct timer *t)
{
	size_t hole = t->place;

	if (hole == 0)
		return;
	t->place = 0;
	struct timer *last = ts->heap[ts->n--];
	if (last == t)
		return;
	last->place = hole;
	sift(ts, last);
}

int64_t timers_next_us(const struct timers *ts)
{
	return ts->n == 0 ? CLOCK_NEVER : ts->heap[1]->at_us;
}

struct timer *timers_due(struct timers *ts, int64_t now_us)
{
	if (ts->n == 0 || ts->heap[1]->at_us > now_us)
		return NULL;
	struct timer *t = ts->heap[1];
	timer_clear(ts, t);
	return t;
}
