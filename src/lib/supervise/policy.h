/* SPDX-License-Identifier: ISC */
/* What becomes of a service: pure functions of its state, its history and the time. */
#ifndef LIB_SUPERVISE_POLICY_H
#define LIB_SUPERVISE_POLICY_H

#include <carrel-supervise.h>
#include <stdbool.h>

/* What happens to a service. */
enum input {
	INPUT_START,		/* it is wanted */
	INPUT_STOP,		/* it is not wanted any more, or must give way for a moment */
	INPUT_CLEAR,		/* everything that it waits for is there */
	INPUT_SPAWN_FAILED,
	INPUT_READY,
	INPUT_LATE,		/* it was not ready in time, or is not healthy */
	INPUT_GONE,		/* its tree is empty */
	INPUT_TIME,		/* its delay is over */
	INPUT_COUNT
};

/* What is to be done. */
enum action {
	ACTION_NONE,
	ACTION_SPAWN,
	ACTION_STOP,		/* begin the stop steps */
	ACTION_ENDED,		/* decide what follows, with after_end() */
	ACTION_OFF		/* say that it is off */
};

struct transition {
	carrel_service_state state;
	enum action action;
};

/* policy_next(state, input): what follows; an input that means nothing in a state changes nothing. */
struct transition policy_next(carrel_service_state state, enum input input);

/* policy_runs(state): it has a tree. */
bool policy_runs(carrel_service_state state);

/* policy_failed(st): that end is a failure. */
bool policy_failed(const carrel_status *st);

/* policy_again(restart, failed): an end of its own, a failure or not, is followed by a start. */
bool policy_again(carrel_restart restart, bool failed);

/* policy_failures(before, up_ms, stable_ms): ends in a row, with this one, ${up_ms} after it was ready. */
unsigned policy_failures(unsigned before, int64_t up_ms, int stable_ms);

/* policy_seed(seed, name): the seed of one service: those that end together are not started together. */
uint64_t policy_seed(uint64_t seed, const char *name);

/* policy_delay(failures, min_ms, max_ms, seed): before the start that follows; the first has none. */
int policy_delay(unsigned failures, int min_ms, int max_ms, uint64_t seed);

/* Starts that were not asked for, the last ones. */
#define HISTORY_MAX 64

struct history {
	int64_t at_ms[HISTORY_MAX];
	unsigned n;		/* of all time */
};

/* policy_enough(h, limit, now_ms): one more at ${now_ms} would be beyond ${limit}. */
bool policy_enough(const struct history *h, const carrel_intensity *limit, int64_t now_ms);

/* history_add(h, now_ms): there was one. */
void history_add(struct history *h, int64_t now_ms);

#endif
