/* SPDX-License-Identifier: ISC */
/*
 * As much of zlib's format as a long list of like records needs: one block with the
 * fixed codes, and the nearest repetition of at least four bytes.
 */
#include "deflate.h"

#include <string.h>

#define HASH_BITS 12
#define NEED 4			/* bytes of a repetition */
#define MATCH_MAX 258
#define DISTANCE_MAX 32768
#define ADLER 65521

struct bits {
	struct buf *to;
	uint32_t held;
	unsigned n;
};

static void bits_out(struct bits *b, uint32_t value, unsigned n)
{
	b->held |= value << b->n;
	b->n += n;
	while (b->n >= 8) {
		buf_append_byte(b->to, (unsigned char)b->held);
		b->held >>= 8;
		b->n -= 8;
	}
}

/* Codes go out with their first bit first. */
static void code_out(struct bits *b, uint32_t code, unsigned n)
{
	uint32_t reversed = 0;

	for (unsigned i = 0; i < n; i++)
		reversed |= (code >> i & 1) << (n - 1 - i);
	bits_out(b, reversed, n);
}

/* The fixed code of a byte, of the end (256), or of a length. */
static void symbol_out(struct bits *b, uint32_t symbol)
{
	if (symbol < 144)
		code_out(b, 0x30 + symbol, 8);
	else if (symbol < 256)
		code_out(b, 0x190 + symbol - 144, 9);
	else if (symbol < 280)
		code_out(b, symbol - 256, 7);
	else
		code_out(b, 0xc0 + symbol - 280, 8);
}

/*
 * Lengths and distances are a class, which doubles every ${step} of them, and the rest in bits: the class
 * of ${v} (from 0), its number of bits in ${extra} and their value in ${rest}.
 */
static uint32_t classify(uint32_t v, uint32_t step, unsigned *extra, uint32_t *rest)
{
	unsigned n = 0;

	while (v >> n >= 2 * step)
		n++;
	*extra = n;
	*rest = v & ((UINT32_C(1) << n) - 1);
	return n * step + (v >> n);
}

static void match_out(struct bits *b, size_t len, size_t distance)
{
	unsigned extra;
	uint32_t rest;
	uint32_t class = classify((uint32_t)len - 3, 4, &extra, &rest);

	if (len == MATCH_MAX) {
		/* It has a class of its own. */
		symbol_out(b, 285);
	} else {
		symbol_out(b, 257 + class);
		bits_out(b, rest, extra);
	}
	code_out(b, classify((uint32_t)distance - 1, 2, &extra, &rest), 5);
	bits_out(b, rest, extra);
}

static uint32_t hash(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, NEED);
	return v * UINT32_C(2654435761) >> (32 - HASH_BITS);
}

static size_t same(const unsigned char *a, const unsigned char *b, size_t max)
{
	size_t n = 0;

	while (n < max && a[n] == b[n])
		n++;
	return n;
}

static void block_out(struct bits *b, const unsigned char *data, size_t len)
{
	size_t last[1 << HASH_BITS] = { 0 };	/* position + 1 */
	size_t at = 0;

	while (at < len) {
		size_t left = len - at, n = 0, from = 0;

		if (left >= NEED) {
			size_t *seen = &last[hash(data + at)];

			from = *seen;
			*seen = at + 1;
			if (from != 0 && at + 1 - from <= DISTANCE_MAX)
				n = same(data + from - 1, data + at, left < MATCH_MAX ? left : MATCH_MAX);
		}
		if (n >= NEED)
			match_out(b, n, at + 1 - from);
		else
			symbol_out(b, data[at]);
		/* What a repetition skips has been seen as well. */
		for (size_t i = 1; n >= NEED && i < n && len - at - i >= NEED; i++)
			last[hash(data + at + i)] = at + i + 1;
		at += n >= NEED ? n : 1;
	}
}

static uint32_t adler(const unsigned char *data, size_t len)
{
	uint32_t a = 1, b = 0;

	for (size_t i = 0; i < len; i++) {
		a = (a + data[i]) % ADLER;
		b = (b + a) % ADLER;
	}
	return b << 16 | a;
}

void deflate_out(struct buf *to, const unsigned char *data, size_t len)
{
	struct bits b = { .to = to };
	uint32_t sum = adler(data, len);

	buf_append(to, "\x78\x01", 2);
	bits_out(&b, 1, 1);	/* the last block ... */
	bits_out(&b, 1, 2);	/* ... with the fixed codes */
	block_out(&b, data, len);
	symbol_out(&b, 256);
	bits_out(&b, 0, 7);	/* as far as the next byte */
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_append_byte(to, (unsigned char)(sum >> shift));
}
