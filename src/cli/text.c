/* SPDX-License-Identifier: ISC */
#include "text.h"

#include <stdint.h>
#include <string.h>

/* ----------------------------------------------------------------- UTF-8 --- */

/*
 * The characters of two and more bytes by their first byte: how many bytes follow, and the range of
 * the second, which is where overlong forms, surrogates and too high values show.
 */
struct lead {
	unsigned char first, last;	/* leading bytes */
	unsigned char low, high;	/* second byte */
	unsigned char more;		/* bytes that follow */
};

static const struct lead leads[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 1 }, { 0xe0, 0xe0, 0xa0, 0xbf, 2 }, { 0xe1, 0xec, 0x80, 0xbf, 2 },
	{ 0xed, 0xed, 0x80, 0x9f, 2 }, { 0xee, 0xef, 0x80, 0xbf, 2 }, { 0xf0, 0xf0, 0x90, 0xbf, 3 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 3 }, { 0xf4, 0xf4, 0x80, 0x8f, 3 },
};

/*
 * The bytes of the character at ${s} that are right, up to ${len}, and how many it has in all in
 * ${ret_all} (0 when it is none).
 */
static size_t character(const unsigned char *s, size_t len, size_t *ret_all)
{
	const struct lead *l = NULL;
	size_t n = 1;

	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		if (s[0] >= leads[i].first && s[0] <= leads[i].last)
			l = &leads[i];
	}
	*ret_all = l != NULL ? (size_t)l->more + 1 : 0;
	if (l == NULL)
		return 0;
	if (n < len && (s[1] < l->low || s[1] > l->high))
		return 1;
	while (n < len && n < *ret_all && (s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

size_t text_incomplete(const unsigned char *s, size_t len)
{
	/* The last leading byte can be at most three from the end. */
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		const unsigned char *at = s + len - back;
		size_t all;

		if ((*at & 0xc0) == 0x80)
			continue;
		return character(at, back, &all) == back && back < all ? back : 0;
	}
	return 0;
}

/* --------------------------------------------------------------- escapes --- */

/* Of the bytes below 0x80: 0: as it is; 'u': \u00XX; else the letter after a backslash. */
static const char kinds[256] = {
	[0x00] = 'u', [0x01] = 'u', [0x02] = 'u', [0x03] = 'u', [0x04] = 'u', [0x05] = 'u',
	[0x06] = 'u', [0x07] = 'u', ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', [0x0b] = 'u',
	['\f'] = 'f', ['\r'] = 'r', [0x0e] = 'u', [0x0f] = 'u', [0x10] = 'u', [0x11] = 'u',
	[0x12] = 'u', [0x13] = 'u', [0x14] = 'u', [0x15] = 'u', [0x16] = 'u', [0x17] = 'u',
	[0x18] = 'u', [0x19] = 'u', [0x1a] = 'u', [0x1b] = 'u', [0x1c] = 'u', [0x1d] = 'u',
	[0x1e] = 'u', [0x1f] = 'u', ['"'] = '"',  ['\\'] = '\\',
};

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/*
 * Whether one of eight bytes needs more than copying: not ASCII, below the space, a quote or a
 * backslash.  Carries can only mark a byte above one that is marked rightly, so that no word is
 * taken for plain that is not.
 */
static int special(uint64_t word)
{
	uint64_t quote = word ^ (ONES * '"'), slash = word ^ (ONES * '\\');

	return ((word | (word - ONES * ' ') | (quote - ONES) | (slash - ONES)) & HIGHS) != 0;
}

/* One byte below 0x80 that cannot be copied. */
static char *escape(unsigned char c, char *out)
{
	static const char hex[] = "0123456789abcdef";

	*out++ = '\\';
	*out++ = kinds[c];
	if (kinds[c] == 'u') {
		*out++ = '0';
		*out++ = '0';
		*out++ = hex[c >> 4];
		*out++ = hex[c & 15];
	}
	return out;
}

int text_escape(const unsigned char *s, size_t len, char *out, size_t *ret_len)
{
	const unsigned char *end = s + len;
	char *at = out;

	while (s < end) {
		uint64_t word;
		size_t all;

		while (end - s >= 8 && (memcpy(&word, s, 8), !special(word))) {
			memcpy(at, s, 8);
			s += 8;
			at += 8;
		}
		if (s == end)
			break;
		if (*s < 0x80 && kinds[*s] == 0) {
			*at++ = (char)*s++;
		} else if (*s < 0x80) {
			at = escape(*s++, at);
		} else if (character(s, (size_t)(end - s), &all) == all && all > 0) {
			memcpy(at, s, all);
			s += all;
			at += all;
		} else {
			return -1;
		}
	}
	*ret_len = (size_t)(at - out);
	return 0;
}

size_t text_base64(const unsigned char *s, size_t len, char *out)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *at = out;

	for (; len >= 3; s += 3, len -= 3) {
		unsigned v = (unsigned)s[0] << 16 | (unsigned)s[1] << 8 | s[2];

		*at++ = letters[v >> 18];
		*at++ = letters[v >> 12 & 63];
		*at++ = letters[v >> 6 & 63];
		*at++ = letters[v & 63];
	}
	if (len > 0) {
		unsigned v = (unsigned)s[0] << 16 | (len > 1 ? (unsigned)s[1] << 8 : 0);

		*at++ = letters[v >> 18];
		*at++ = letters[v >> 12 & 63];
		*at++ = len > 1 ? letters[v >> 6 & 63] : '=';
		*at++ = '=';
	}
	return (size_t)(at - out);
}
