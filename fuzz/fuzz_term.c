/* SPDX-License-Identifier: ISC */
/* Terms: the reader stays inside, and what is read, written and read again is the same. */
#include "term.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(e) ((e) ? (void)0 : abort())

/* What the writers cannot say is kept as it is: the integer below int64, STRING, the list header
 * without elements, atoms above 255 bytes. */
static void copy_node(struct buf *b, const struct term *t, const unsigned char *raw, size_t len)
{
	int64_t v;

	if (t->kind == TERM_INT && !t->negative)
		term_out_uint(b, t->u);
	else if (t->kind == TERM_INT && term_int(t, &v) == 0)
		term_out_int(b, v);
	else if (t->kind == TERM_ATOM && t->bytes.len <= 255)
		term_out_atom_slice(b, t->bytes);
	else if (t->kind == TERM_BINARY)
		term_out_binary(b, t->bytes.data, t->bytes.len);
	else if (t->kind == TERM_NIL)
		term_out_nil(b);
	else if (t->kind == TERM_TUPLE)
		term_out_tuple(b, t->n);
	else if (t->kind == TERM_LIST && t->n > 0)
		term_out_list(b, t->n);
	else
		buf_append(b, raw, len);
}

static void same_node(const struct term *a, const struct term *b)
{
	MUST(a->kind == b->kind && a->negative == b->negative && a->u == b->u && a->n == b->n);
	MUST(a->bytes.len == b->bytes.len);
	if (a->bytes.len > 0)
		MUST(memcmp(a->bytes.data, b->bytes.data, a->bytes.len) == 0);
}

/* Every reader of one kind agrees with the reader of any. */
static void readers_agree(const struct term_in *at, const struct term *t)
{
	struct term_in in = *at;
	struct slice s;
	uint64_t u;
	int64_t v, w;
	uint32_t n;

	MUST((term_in_atom(&in, &s) == 0) == (t->kind == TERM_ATOM));
	in = *at;
	MUST((term_in_binary(&in, &s) == 0) == (t->kind == TERM_BINARY));
	in = *at;
	MUST((term_in_nil(&in) == 0) == (t->kind == TERM_NIL));
	in = *at;
	MUST((term_in_tuple(&in, t->n) == 0) == (t->kind == TERM_TUPLE));
	in = *at;
	MUST((term_in_list(&in, &n) == 0) ==
	     (t->kind == TERM_NIL || (t->kind == TERM_LIST && t->n > 0)));
	in = *at;
	bool fits = term_int(t, &v) == 0;
	MUST((term_in_int(&in, INT64_MIN, INT64_MAX, &w) == 0) == fits);
	if (fits)
		MUST(v == w);
	in = *at;
	bool positive = t->kind == TERM_INT && !t->negative;
	MUST((term_in_uint(&in, UINT64_MAX, &u) == 0) == positive);
	if (positive)
		MUST(u == t->u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned char *end = data + size;
	struct term_in in, skipped, again;
	struct term t, same;
	struct buf b;
	uint64_t pending = 1, nodes = 0;

	/* Node after node, whatever they belong to. */
	term_in_init(&in, data, size);
	for (;;) {
		struct term_in before = in;

		if (term_in_next(&in, &t) < 0)
			break;
		MUST(in.p > before.p && in.p <= end && in.end == end);
		if (t.bytes.data != NULL)
			MUST(t.bytes.data > before.p && t.bytes.data + t.bytes.len == in.p);
		if (t.kind == TERM_TUPLE || t.kind == TERM_LIST)
			MUST(t.n <= (size_t)(end - in.p));
		readers_agree(&before, &t);
	}
	MUST(in.p <= end);

	term_in_init(&skipped, data, size);
	int r = term_in_skip(&skipped);
	MUST(skipped.p <= end && (r == 0 || r == -EBADMSG));

	/* The first whole term, written and read again. */
	buf_init(&b, size * 4 + 64);
	term_in_init(&in, data, size);
	while (pending > 0) {
		const unsigned char *raw = in.p;

		if (term_in_next(&in, &t) < 0)
			break;
		copy_node(&b, &t, raw, (size_t)(in.p - raw));
		nodes++;
		pending += t.kind == TERM_TUPLE ? t.n : t.kind == TERM_LIST ? (uint64_t)t.n + 1 : 0;
		pending--;
	}
	MUST(b.err == 0);
	MUST((pending == 0) == (r == 0));
	if (r == 0) {
		MUST(in.p == skipped.p);
		term_in_init(&again, b.data, b.len);
		MUST(term_in_skip(&again) == 0 && again.p == again.end);
		term_in_init(&in, data, size);
		term_in_init(&again, b.data, b.len);
		for (; nodes > 0; nodes--) {
			MUST(term_in_next(&in, &t) == 0 && term_in_next(&again, &same) == 0);
			same_node(&t, &same);
		}
		/* Every cut of it is seen. */
		for (size_t len = b.len > 64 ? b.len - 64 : 0; len < b.len; len++) {
			term_in_init(&again, b.data, len);
			MUST(term_in_skip(&again) == -EBADMSG);
		}
	}
	buf_finish(&b);
	return 0;
}
