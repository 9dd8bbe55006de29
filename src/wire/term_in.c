/* SPDX-License-Identifier: ISC */
#include "term.h"

#include <errno.h>
#include <string.h>

void term_in_init(struct term_in *in, const void *data, size_t len)
{
	in->p = data;
	in->end = in->p + len;
}

static size_t left(const struct term_in *in)
{
	return (size_t)(in->end - in->p);
}

/* A big-endian number of ${n} bytes (1 to 4). */
static int number(struct term_in *in, size_t n, uint32_t *ret)
{
	uint32_t v = 0;

	if (left(in) < n)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | *in->p++;
	*ret = v;
	return 0;
}

int term_in_version(struct term_in *in)
{
	uint32_t v;

	return number(in, 1, &v) == 0 && v == TAG_VERSION ? 0 : -EBADMSG;
}

static int bytes(struct term_in *in, size_t size_len, struct slice *ret)
{
	uint32_t len;

	if (number(in, size_len, &len) < 0 || left(in) < len)
		return -EBADMSG;
	*ret = (struct slice){ in->p, len };
	in->p += len;
	return 0;
}

/* A tuple or list: every child takes at least one byte, so a count beyond what is left is a lie. */
static int container(struct term_in *in, size_t size_len, uint32_t *ret)
{
	if (number(in, size_len, ret) < 0 || *ret > left(in))
		return -EBADMSG;
	return 0;
}

static int integer(struct term_in *in, struct term *t)
{
	uint32_t v;

	if (number(in, 4, &v) < 0)
		return -EBADMSG;
	t->negative = v > INT32_MAX;
	t->u = t->negative ? UINT64_C(0x100000000) - v : v;
	return 0;
}

static int big(struct term_in *in, size_t size_len, struct term *t)
{
	uint32_t n, sign;

	if (number(in, size_len, &n) < 0 || number(in, 1, &sign) < 0 || sign > 1 || left(in) < n)
		return -EBADMSG;
	t->u = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t digit = in->p[i];

		if (i >= 8 && digit != 0)
			return -EBADMSG;
		if (i < 8)
			t->u |= digit << (8 * i);
	}
	in->p += n;
	t->negative = sign == 1 && t->u != 0;
	return 0;
}

int term_in_next(struct term_in *in, struct term *ret)
{
	struct term t = { .kind = TERM_INT };
	uint32_t tag, v;
	int r = number(in, 1, &tag);

	if (r < 0)
		return r;
	t.tag = (unsigned char)tag;
	switch (tag) {
	case TAG_SMALL_INTEGER:
		r = number(in, 1, &v);
		t.u = r == 0 ? v : 0;
		break;
	case TAG_INTEGER:
		r = integer(in, &t);
		break;
	case TAG_SMALL_BIG:
		r = big(in, 1, &t);
		break;
	case TAG_LARGE_BIG:
		r = big(in, 4, &t);
		break;
	case TAG_ATOM:
	case TAG_ATOM_UTF8:
		t.kind = TERM_ATOM;
		r = bytes(in, 2, &t.bytes);
		break;
	case TAG_SMALL_ATOM:
	case TAG_SMALL_ATOM_UTF8:
		t.kind = TERM_ATOM;
		r = bytes(in, 1, &t.bytes);
		break;
	case TAG_BINARY:
		t.kind = TERM_BINARY;
		r = bytes(in, 4, &t.bytes);
		break;
	case TAG_STRING:
		t.kind = TERM_STRING;
		r = bytes(in, 2, &t.bytes);
		break;
	case TAG_NIL:
		t.kind = TERM_NIL;
		break;
	case TAG_SMALL_TUPLE:
		t.kind = TERM_TUPLE;
		r = container(in, 1, &t.n);
		break;
	case TAG_LARGE_TUPLE:
		t.kind = TERM_TUPLE;
		r = container(in, 4, &t.n);
		break;
	case TAG_LIST:
		t.kind = TERM_LIST;
		r = container(in, 4, &t.n);
		break;
	default:
		return -EBADMSG;
	}
	if (t.kind == TERM_ATOM && t.bytes.len > 255 * 4)
		return -EBADMSG;
	if (r == 0)
		*ret = t;
	return r;
}

int term_in_skip(struct term_in *in)
{
	uint64_t pending = 1;

	/* Each node takes a byte at least, so this ends; the sum cannot overflow for the same reason. */
	while (pending > 0) {
		struct term t;
		int r = term_in_next(in, &t);

		if (r < 0)
			return r;
		pending--;
		if (t.kind == TERM_TUPLE)
			pending += t.n;
		else if (t.kind == TERM_LIST)
			pending += (uint64_t)t.n + 1;
	}
	return 0;
}

static int expect(struct term_in *in, enum term_kind kind, struct term *t)
{
	return term_in_next(in, t) == 0 && t->kind == kind ? 0 : -EBADMSG;
}

int term_in_tuple(struct term_in *in, uint32_t arity)
{
	struct term t;

	return expect(in, TERM_TUPLE, &t) == 0 && t.n == arity ? 0 : -EBADMSG;
}

int term_in_nil(struct term_in *in)
{
	struct term t;

	return expect(in, TERM_NIL, &t);
}

int term_in_atom(struct term_in *in, struct slice *ret)
{
	struct term t;
	int r = expect(in, TERM_ATOM, &t);

	if (r == 0)
		*ret = t.bytes;
	return r;
}

int term_in_binary(struct term_in *in, struct slice *ret)
{
	struct term t;
	int r = expect(in, TERM_BINARY, &t);

	if (r == 0)
		*ret = t.bytes;
	return r;
}

int term_in_list(struct term_in *in, uint32_t *ret_n)
{
	struct term t;

	if (term_in_next(in, &t) < 0 || (t.kind != TERM_LIST && t.kind != TERM_NIL))
		return -EBADMSG;
	*ret_n = t.kind == TERM_LIST ? t.n : 0;
	/* A list header with no elements still has a tail, which would be ambiguous here. */
	return t.kind == TERM_LIST && t.n == 0 ? -EBADMSG : 0;
}

int term_in_list_end(struct term_in *in, uint32_t n)
{
	return n == 0 ? 0 : term_in_nil(in);
}

int term_int(const struct term *t, int64_t *ret)
{
	if (t->kind != TERM_INT || t->u > (uint64_t)INT64_MAX + (t->negative ? 1 : 0))
		return -ERANGE;
	*ret = t->negative ? (int64_t)(~t->u + 1) : (int64_t)t->u;
	return 0;
}

int term_in_int(struct term_in *in, int64_t min, int64_t max, int64_t *ret)
{
	struct term t;
	int64_t v;

	if (expect(in, TERM_INT, &t) < 0 || term_int(&t, &v) < 0 || v < min || v > max)
		return -EBADMSG;
	*ret = v;
	return 0;
}

int term_in_uint(struct term_in *in, uint64_t max, uint64_t *ret)
{
	struct term t;

	if (expect(in, TERM_INT, &t) < 0 || t.negative || t.u > max)
		return -EBADMSG;
	*ret = t.u;
	return 0;
}

bool slice_is(struct slice s, const char *text)
{
	return strlen(text) == s.len && memcmp(s.data, text, s.len) == 0;
}
