/* SPDX-License-Identifier: ISC */
#include "clock.h"

#include <limits.h>
#include <time.h>

int64_t clock_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_deadline_us(int timeout_ms)
{
	return timeout_ms < 0 ? CLOCK_NEVER : clock_now_us() + (int64_t)timeout_ms * 1000;
}

int clock_poll_ms(int64_t deadline_us)
{
	if (deadline_us == CLOCK_NEVER)
		return -1;
	int64_t left = deadline_us - clock_now_us();
	if (left <= 0)
		return 0;
	int64_t ms = (left + 999) / 1000;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}
