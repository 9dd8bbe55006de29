/* SPDX-License-Identifier: ISC */
#include "term.h"

#include <errno.h>
#include <string.h>

static void out_number(struct buf *b, uint32_t v, size_t n)
{
	while (n-- > 0)
		buf_append_byte(b, (unsigned char)(v >> (8 * n)));
}

void term_out_version(struct buf *b)
{
	buf_append_byte(b, TAG_VERSION);
}

static void out_big(struct buf *b, uint64_t u, bool negative)
{
	unsigned char digit[8];
	unsigned char n = 0;

	for (; u != 0; u >>= 8)
		digit[n++] = (unsigned char)u;
	buf_append_byte(b, TAG_SMALL_BIG);
	buf_append_byte(b, n);
	buf_append_byte(b, negative);
	buf_append(b, digit, n);
}

/* ${bits} is how many the tag of 32 bits is used for. */
static void out_int(struct buf *b, int64_t v, int bits)
{
	const int64_t end = INT64_C(1) << (bits - 1);

	if (v >= 0 && v <= 255) {
		buf_append_byte(b, TAG_SMALL_INTEGER);
		buf_append_byte(b, (unsigned char)v);
	} else if (v >= -end && v < end) {
		buf_append_byte(b, TAG_INTEGER);
		out_number(b, (uint32_t)v, 4);
	} else {
		out_big(b, v < 0 ? ~(uint64_t)v + 1 : (uint64_t)v, v < 0);
	}
}

void term_out_int(struct buf *b, int64_t v)
{
	out_int(b, v, 28);
}

void term_out_int32(struct buf *b, int64_t v)
{
	out_int(b, v, 32);
}

void term_out_uint(struct buf *b, uint64_t v)
{
	if (v <= INT64_MAX)
		term_out_int(b, (int64_t)v);
	else
		out_big(b, v, false);
}

void term_out_atom_slice(struct buf *b, struct slice s)
{
	if (s.len > 255) {
		if (b->err == 0)
			b->err = EINVAL;
		return;
	}
	buf_append_byte(b, TAG_SMALL_ATOM_UTF8);
	buf_append_byte(b, (unsigned char)s.len);
	buf_append(b, s.data, s.len);
}

void term_out_atom(struct buf *b, const char *name)
{
	term_out_atom_slice(b, (struct slice){ (const unsigned char *)name, strlen(name) });
}

void term_out_binary(struct buf *b, const void *data, size_t len)
{
	if (len > UINT32_MAX) {
		if (b->err == 0)
			b->err = EMSGSIZE;
		return;
	}
	buf_append_byte(b, TAG_BINARY);
	out_number(b, (uint32_t)len, 4);
	buf_append(b, data, len);
}

void term_out_text(struct buf *b, const char *s)
{
	term_out_binary(b, s, strlen(s));
}

void term_out_tuple(struct buf *b, uint32_t arity)
{
	if (arity <= 255) {
		buf_append_byte(b, TAG_SMALL_TUPLE);
		buf_append_byte(b, (unsigned char)arity);
	} else {
		buf_append_byte(b, TAG_LARGE_TUPLE);
		out_number(b, arity, 4);
	}
}

void term_out_list(struct buf *b, uint32_t n)
{
	if (n == 0) {
		term_out_nil(b);
		return;
	}
	buf_append_byte(b, TAG_LIST);
	out_number(b, n, 4);
}

void term_out_nil(struct buf *b)
{
	buf_append_byte(b, TAG_NIL);
}
