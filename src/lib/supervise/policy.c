/* SPDX-License-Identifier: ISC */
#include "policy.h"

#define OFF CARREL_SERVICE_OFF
#define HELD CARREL_SERVICE_HELD
#define STARTING CARREL_SERVICE_STARTING
#define UP CARREL_SERVICE_UP
#define STOPPING CARREL_SERVICE_STOPPING
#define DELAYED CARREL_SERVICE_DELAYED
#define FAILED CARREL_SERVICE_FAILED

/* A field that is all zero, OFF without an action, would be the same as one that was forgotten. */
#define TO(s, a) { .state = (s), .action = ACTION_##a, .known = true }

static const struct {
	carrel_service_state state;
	enum action action;
	bool known;
} table[][INPUT_COUNT] = {
	[OFF] = {
		[INPUT_START] = TO(HELD, NONE),
	},
	[HELD] = {
		[INPUT_STOP] = TO(OFF, OFF),
		[INPUT_CLEAR] = TO(STARTING, SPAWN),
	},
	[STARTING] = {
		[INPUT_STOP] = TO(STOPPING, STOP),
		[INPUT_SPAWN_FAILED] = TO(OFF, ENDED),
		[INPUT_READY] = TO(UP, NONE),
		[INPUT_LATE] = TO(STOPPING, STOP),
		[INPUT_GONE] = TO(OFF, ENDED),
	},
	[UP] = {
		[INPUT_STOP] = TO(STOPPING, STOP),
		[INPUT_LATE] = TO(STOPPING, STOP),
		[INPUT_GONE] = TO(OFF, ENDED),
	},
	[STOPPING] = {
		[INPUT_GONE] = TO(OFF, ENDED),
	},
	[DELAYED] = {
		[INPUT_START] = TO(HELD, NONE),
		[INPUT_STOP] = TO(OFF, OFF),
		[INPUT_TIME] = TO(HELD, NONE),
	},
	[FAILED] = {
		[INPUT_START] = TO(HELD, NONE),
		[INPUT_STOP] = TO(OFF, OFF),
	},
};

struct transition policy_next(carrel_service_state state, enum input input)
{
	if (!table[state][input].known)
		return (struct transition){ state, ACTION_NONE };
	return (struct transition){ table[state][input].state, table[state][input].action };
}

bool policy_runs(carrel_service_state state)
{
	return state == STARTING || state == UP || state == STOPPING;
}

bool policy_failed(const carrel_status *st)
{
	return !st->exited || st->code != 0 || st->cause != CARREL_BY_ITSELF;
}

bool policy_again(carrel_restart restart, bool failed)
{
	return restart == CARREL_PERMANENT || (restart == CARREL_TRANSIENT && failed);
}

unsigned policy_failures(unsigned before, int64_t up_ms, int stable_ms)
{
	if (up_ms >= stable_ms)
		before = 0;
	return before == UINT32_MAX ? before : before + 1;
}

/* FNV-1a, begun with the seed. */
uint64_t policy_seed(uint64_t seed, const char *name)
{
	for (; *name != '\0'; name++)
		seed = (seed ^ (unsigned char)*name) * 0x100000001b3U;
	return seed;
}

int policy_delay(unsigned failures, int min_ms, int max_ms, uint64_t seed)
{
	return failures < 2 ? 0 : carrel_backoff(failures - 1, min_ms, max_ms, seed);
}

bool policy_enough(const struct history *h, const carrel_intensity *limit, int64_t now_ms)
{
	unsigned n = limit->restarts < HISTORY_MAX ? limit->restarts : HISTORY_MAX;

	if (n == 0 || h->n < n)
		return false;
	return now_ms - h->at_ms[(h->n - n) % HISTORY_MAX] < limit->window_ms;
}

void history_add(struct history *h, int64_t now_ms)
{
	h->at_ms[h->n++ % HISTORY_MAX] = now_ms;
}
