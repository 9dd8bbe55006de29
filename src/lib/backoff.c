/* SPDX-License-Identifier: ISC */
#include "internal.h"

/* A number that depends on every bit of ${x}: the finalizer of SplitMix64. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
	return x ^ (x >> 31);
}

EXPORT int carrel_backoff(unsigned n, int min_ms, int max_ms, uint64_t seed)
{
	int64_t whole = min_ms;

	if (n == 0 || min_ms <= 0 || max_ms <= 0)
		return 0;
	for (unsigned i = 1; i < n && whole < max_ms; i++)
		whole *= 2;
	if (whole > max_ms)
		whole = max_ms;
	int64_t least = whole - whole / 2;
	return (int)(least + (int64_t)(mix(seed + n * 0x9e3779b97f4a7c15U) % (uint64_t)(whole - least + 1)));
}
