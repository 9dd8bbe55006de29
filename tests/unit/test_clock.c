/* SPDX-License-Identifier: ISC */
#include "tap.h"

#include "clock.h"

#include <limits.h>
#include <poll.h>

static int64_t monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

TEST(now_is_monotonic_microseconds)
{
	int64_t last = 0;

	for (int i = 0; i < 1000; i++) {
		int64_t before = monotonic_us();
		int64_t now = clock_now_us();

		CHECK(now >= last);
		CHECK(before <= now && now <= monotonic_us());
		last = now;
	}
}

TEST(deadlines)
{
	static const int timeouts[] = { 0, 1, 999, 1000, 60000, INT_MAX };

	CHECK_INT(clock_deadline_us(-1), CLOCK_NEVER);
	CHECK_INT(clock_deadline_us(INT_MIN), CLOCK_NEVER);
	for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
		int64_t before = clock_now_us();
		int64_t at = clock_deadline_us(timeouts[i]);
		int64_t after = clock_now_us();

		CHECK(at >= before + (int64_t)timeouts[i] * 1000);
		CHECK(at <= after + (int64_t)timeouts[i] * 1000);
	}
}

TEST(poll_timeouts)
{
	CHECK_INT(clock_poll_ms(CLOCK_NEVER), -1);
	CHECK_INT(clock_poll_ms(CLOCK_NEVER - 1), INT_MAX);
	CHECK_INT(clock_poll_ms(0), 0);
	CHECK_INT(clock_poll_ms(-1), 0);
	CHECK_INT(clock_poll_ms(clock_now_us()), 0);
	CHECK_INT(clock_poll_ms(clock_now_us() - 5000), 0);
	int ms = clock_poll_ms(clock_deadline_us(100000));
	CHECK(ms <= 100000 && ms > 90000);
	ms = clock_poll_ms(clock_deadline_us(INT_MAX));
	CHECK(ms > INT_MAX - 10000);
	/* One millisecond more than poll(2) can take. */
	CHECK_INT(clock_poll_ms(clock_now_us() + ((int64_t)INT_MAX + 10000) * 1000), INT_MAX);
}

TEST(a_wait_never_ends_before_the_deadline)
{
	for (int i = 0; i < 40; i++) {
		int64_t at = clock_now_us() + 1500 + i * 41;
		int ms = clock_poll_ms(at);

		CHECK(ms >= 0 && ms <= 4);
		poll(NULL, 0, ms);
		CHECK(clock_now_us() >= at);
		CHECK_INT(clock_poll_ms(at), 0);
	}
}
