/* SPDX-License-Identifier: ISC */
/* Deadlines of many streams: a binary heap, soonest first. */
#ifndef CONTROL_TIMER_H
#define CONTROL_TIMER_H

#include <stddef.h>
#include <stdint.h>

struct timer {
	int64_t at_us;
	size_t place;		/* 1-based position in the heap; 0: not set */
};

struct timers {
	struct timer **heap;	/* heap[1] is the soonest */
	size_t n, cap;
};

/* timers_reserve(ts, n): room for ${n} timers, so that timer_set() cannot fail.  0 or -ENOMEM. */
int timers_reserve(struct timers *ts, size_t n);

/* timer_set(ts, t, at_us): (re)set ${t}. */
void timer_set(struct timers *ts, struct timer *t, int64_t at_us);

/* timer_clear(ts, t): unset ${t} if it is set. */
void timer_clear(struct timers *ts, struct timer *t);

/* timers_next_us(ts): when the soonest is due; CLOCK_NEVER without one. */
int64_t timers_next_us(const struct timers *ts);

/* timers_due(ts, now_us): take the soonest off the heap if it is due, else NULL. */
struct timer *timers_due(struct timers *ts, int64_t now_us);

#endif
