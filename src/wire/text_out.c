/* SPDX-License-Identifier: ISC */
/* Programs as text for people.  What is written here, text_in.c reads back to the same bytes. */
#include "program.h"

#include <errno.h>

/* Deeper terms than this are no program. */
#define DEPTH_MAX 8

static void quoted(struct buf *b, struct slice s)
{
	buf_append_byte(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = s.data[i];

		if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c == '\n')
			buf_append_str(b, "\\n");
		else if (c == '\t')
			buf_append_str(b, "\\t");
		else if (c < 32 || c == 127)
			buf_printf(b, "\\x%02x", c);
		else
			buf_append_byte(b, c);
	}
	buf_append_byte(b, '"');
}

static int term_text(struct term_in *in, struct buf *b, int depth);

static int elements(struct term_in *in, struct buf *b, uint32_t n, int depth)
{
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			buf_append_str(b, ", ");
		int r = term_text(in, b, depth + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Atoms are words here: what text_in.c would not read as one is not written. */
static int word(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = s.data[i];

		if (!((c >= 'a' && c <= 'z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
			return -EBADMSG;
	}
	buf_append(b, s.data, s.len);
	return s.len > 0 ? 0 : -EBADMSG;
}

static int term_text(struct term_in *in, struct buf *b, int depth)
{
	struct term t;
	int r = depth > DEPTH_MAX ? -EBADMSG : term_in_next(in, &t);

	if (r < 0)
		return r;
	switch (t.kind) {
	case TERM_INT:
		if (t.negative && t.u > (uint64_t)INT64_MAX + 1)
			return -EBADMSG;
		buf_printf(b, "%s%llu", t.negative ? "-" : "", (unsigned long long)t.u);
		return 0;
	case TERM_ATOM:
		return word(b, t.bytes);
	case TERM_BINARY:
		quoted(b, t.bytes);
		return 0;
	case TERM_STRING:
		return -EBADMSG;
	case TERM_NIL:
		buf_append_str(b, "[]");
		return 0;
	case TERM_TUPLE:
		buf_append_byte(b, '{');
		r = elements(in, b, t.n, depth);
		buf_append_byte(b, '}');
		return r;
	case TERM_LIST:
		buf_append_byte(b, '[');
		r = elements(in, b, t.n, depth);
		buf_append_byte(b, ']');
		return r < 0 ? r : term_in_nil(in);
	}
	return -EBADMSG;
}

static int options_text(struct term_in *in, struct buf *b)
{
	uint32_t n;

	if (term_in_list(in, &n) < 0)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++) {
		struct term t;
		struct slice name;
		uint64_t slot;

		if (term_in_next(in, &t) < 0)
			return -EBADMSG;
		buf_append_byte(b, ' ');
		if (t.kind == TERM_ATOM) {
			if (word(b, t.bytes) < 0)
				return -EBADMSG;
			continue;
		}
		if (t.kind != TERM_TUPLE || t.n != 2 || term_in_atom(in, &name) < 0)
			return -EBADMSG;
		if (slice_is(name, "ignore")) {
			buf_append_str(b, "ignore ");
			if (term_in_atom(in, &name) < 0 || word(b, name) < 0)
				return -EBADMSG;
			continue;
		}
		if (!slice_is(name, "slot") || term_in_uint(in, PROGRAM_SLOTS - 1, &slot) < 0)
			return -EBADMSG;
		buf_printf(b, "slot %u", (unsigned)slot);
	}
	return term_in_list_end(in, n);
}

int program_op_text(struct term_in *in, struct buf *b)
{
	struct slice place;
	uint64_t number;
	struct term t;

	if (term_in_tuple(in, 4) < 0 || term_in_atom(in, &place) < 0 || word(b, place) < 0 ||
	    term_in_uint(in, UINT64_MAX, &number) < 0)
		return -EBADMSG;
	const struct call *call = call_by_number(number);
	if (call == NULL || !call_for_programs(call) || term_in_next(in, &t) < 0 || t.kind != TERM_TUPLE)
		return -EBADMSG;
	buf_printf(b, " %s(", call->name);
	int r = elements(in, b, t.n, 0);
	buf_append_byte(b, ')');
	return r < 0 ? r : options_text(in, b);
}

int program_text_out(struct term_in *in, struct buf *b)
{
	uint32_t n;

	if (term_in_list(in, &n) < 0)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++) {
		int r = program_op_text(in, b);

		if (r < 0)
			return r;
		buf_append_byte(b, '\n');
	}
	return term_in_list_end(in, n);
}
