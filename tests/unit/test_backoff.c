/* SPDX-License-Identifier: ISC */
#include "tap.h"

#include <carrel.h>
#include <limits.h>

TEST(doubles_up_to_the_longest_time)
{
	static const int whole[] = { 0, 100, 200, 400, 800, 1000, 1000, 1000 };

	for (uint64_t seed = 0; seed < 1000; seed++) {
		for (unsigned n = 1; n < 8; n++) {
			int ms = carrel_backoff(n, 100, 1000, seed);

			CHECK(ms >= whole[n] / 2 && ms <= whole[n]);
		}
	}
}

TEST(is_spread)
{
	int seen[51] = { 0 }, missing = 0;

	for (uint64_t seed = 0; seed < 10000; seed++)
		seen[carrel_backoff(1, 100, 1000, seed) - 50]++;
	for (int i = 0; i < 51; i++)
		missing += seen[i] < 100;
	CHECK_INT(missing, 0);
}

TEST(the_ends)
{
	CHECK_INT(carrel_backoff(0, 100, 1000, 1), 0);
	CHECK_INT(carrel_backoff(1, 0, 1000, 1), 0);
	CHECK_INT(carrel_backoff(1, 100, 0, 1), 0);
	CHECK_INT(carrel_backoff(1, -5, 1000, 1), 0);
	CHECK_INT(carrel_backoff(1, 1, 1, 1), 1);
	/* The longest is the shorter of both. */
	CHECK(carrel_backoff(1, 1000, 10, 1) <= 10);
	for (uint64_t seed = 0; seed < 1000; seed++) {
		int ms = carrel_backoff(UINT_MAX, INT_MAX, INT_MAX, seed);

		CHECK(ms >= INT_MAX / 2);
	}
}

/* Others count on it: it is in no version another. */
TEST(known_answers)
{
	CHECK_INT(carrel_backoff(1, 100, 30000, 0), 96);
	CHECK_INT(carrel_backoff(2, 100, 30000, 42), 163);
	CHECK_INT(carrel_backoff(30, 100, 30000, UINT64_MAX), 20141);
}
