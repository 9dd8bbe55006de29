/* SPDX-License-Identifier: ISC */
/* What the actor and the tests that look at it agree on: every byte of a stream, and the log. */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Descriptors that a test passes to the actor. */
#define PATTERN_STRANGER 8	/* a socket: whoever reads it keeps what comes */
#define PATTERN_LOG 9		/* struct pattern_log in a memory file */

/* Streams: 0 stdin, 1 stdout, 2 stderr. */
struct pattern_log {
	atomic_uint_fast64_t want[3]; /* before a write: where it will end if it takes all; other than done within a read too */
	atomic_uint_fast64_t done[3]; /* after it; of stdin: bytes that were read */
	atomic_int wrong;	/* a byte of stdin was not what it should be */
	atomic_int ended;	/* stdin's end was met */
};

static inline uint64_t pattern_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* pattern_fill(seed, stream, off, mem, n): the bytes ${off} to ${off} + ${n} of a stream. Any byte is
 * among them; how often a newline is depends on the seed: from every other one to hardly ever. */
static inline void pattern_fill(uint64_t seed, int stream, uint64_t off, unsigned char *mem, size_t n)
{
	static const unsigned lines[] = { 2, 8, 80, 1000, 60000, 1000000 };
	uint64_t key = pattern_mix(seed * 3 + (unsigned)stream);
	unsigned line = lines[key % 6];

	for (size_t i = 0; i < n; i++) {
		uint64_t h = pattern_mix(key + off + i);
		unsigned char byte = (unsigned char)h;

		mem[i] = (h >> 16) % line == 0 ? '\n' : byte == '\n' ? '\r' : byte;
	}
}

/* pattern_differs(seed, stream, off, mem, n): the index of the first of the bytes that is wrong, or -1. */
static inline ptrdiff_t pattern_differs(uint64_t seed, int stream, uint64_t off, const void *mem, size_t n)
{
	const unsigned char *p = mem;
	unsigned char want[4096];

	for (size_t at = 0; at < n;) {
		size_t part = n - at < sizeof(want) ? n - at : sizeof(want);

		pattern_fill(seed, stream, off + at, want, part);
		for (size_t i = 0; i < part; i++) {
			if (p[at + i] != want[i])
				return (ptrdiff_t)(at + i);
		}
		at += part;
	}
	return -1;
}

#endif
