/* SPDX-License-Identifier: ISC */
/* --retry and --backoff: a command that failed is run again. */
#include "report.h"
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define RETRY_MAX 1000000

int run_retry_take(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	int64_t n = 0;

	if (values_number(value, 0, RETRY_MAX, &n, why) == -1)
		return -1;
	o->retry = (unsigned)n;
	return 0;
}

/* MIN..MAX, or one time for both. */
int run_retry_take_backoff(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	const char *dots = strstr(value, "..");
	char min[40];

	snprintf(min, sizeof(min), "%.*s", dots != NULL ? (int)(dots - value) : (int)strlen(value), value);
	if (values_time(min, &o->backoff_min_ms, why) == -1 ||
	    values_time(dots != NULL ? dots + 2 : min, &o->backoff_max_ms, why) == -1)
		return -1;
	if (o->backoff_min_ms > o->backoff_max_ms) {
		snprintf(why, VALUES_WHY, "the shortest time comes first, such as 100ms..30s");
		return -1;
	}
	return 0;
}

int run_retry_wanted(const struct run *r, unsigned tries)
{
	/* What failed is carrel, or somebody has asked for the end. */
	if (!r->gone || r->failed != 0 || r->give_up_ms != 0 || r->interrupt != 0)
		return 0;
	return tries <= r->o->retry && run_exit_status(r) != 0;
}

void run_retry_wait(const struct run *r, unsigned tries)
{
	const struct run_options *o = r->o;
	static uint64_t seed;
	sigset_t before;

	if (seed == 0 && getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = (uint64_t)time(NULL);
	int ms = carrel_backoff(tries, o->backoff_min_ms, o->backoff_max_ms, seed);
	if (o->verbose)
		report_line("try %u of %u ended with status %d; the next one in %d.%03d s", tries, o->retry + 1,
			    run_exit_status(r), ms / 1000, ms % 1000);
	/* Nothing runs now that a signal would have to reach: each does to carrel what it does to any program. */
	sigprocmask(SIG_UNBLOCK, &r->signals.handled, &before);
	struct timespec rest = { ms / 1000, ms % 1000 * 1000000L };
	while (nanosleep(&rest, &rest) == -1 && errno == EINTR)
		continue;
	sigprocmask(SIG_SETMASK, &before, NULL);
}
