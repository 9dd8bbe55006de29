/* SPDX-License-Identifier: ISC */
/*
 * Programs as JSON, for programs to read.
 *
 *   text              string; {"bytes":[N,...]} where it is not UTF-8
 *   word              {"word":"NAME"}
 *   integer, list     number, array
 *   {NAME, X}         {"NAME":X}; {NAME, X, Y...}: {"NAME":[X,Y,...]}
 *   any other tuple   {"tuple":[X,...]}
 */
#include "program.h"

#include <errno.h>

#define DEPTH_MAX 8

/* The bytes of the character at ${p}, of which there are ${left}: 1 to 4, or 0 when it is none. */
static size_t character(const unsigned char *p, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc0 ? 2 : 0;
	uint32_t c = n > 1 ? *p & (0x7fU >> n) : *p;

	if (n == 0 || n > left || *p > 0xf7)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fU);
	}
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

static void string(struct buf *b, struct slice s)
{
	buf_append_byte(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = s.data[i];

		if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c < 32 || c == 127)
			buf_printf(b, "\\u%04x", c);
		else
			buf_append_byte(b, c);
	}
	buf_append_byte(b, '"');
}

static void text(struct buf *b, struct slice s)
{
	size_t at = 0, n = 1;

	while (at < s.len && (n = character(s.data + at, s.len - at)) > 0)
		at += n;
	if (at == s.len) {
		string(b, s);
		return;
	}
	buf_append_str(b, "{\"bytes\":[");
	for (size_t i = 0; i < s.len; i++)
		buf_printf(b, "%s%u", i > 0 ? "," : "", s.data[i]);
	buf_append_str(b, "]}");
}

static int term_json(struct term_in *in, struct buf *b, int depth);

static int elements(struct term_in *in, struct buf *b, uint32_t n, int depth)
{
	int r = 0;

	buf_append_byte(b, '[');
	for (uint32_t i = 0; i < n && r == 0; i++) {
		if (i > 0)
			buf_append_byte(b, ',');
		r = term_json(in, b, depth + 1);
	}
	buf_append_byte(b, ']');
	return r;
}

static int tuple(struct term_in *in, struct buf *b, uint32_t n, int depth)
{
	struct term_in ahead = *in;
	struct slice name;
	int r;

	if (n < 2 || term_in_atom(&ahead, &name) < 0) {
		buf_append_str(b, "{\"tuple\":");
		r = elements(in, b, n, depth);
	} else {
		*in = ahead;
		buf_append_byte(b, '{');
		string(b, name);
		buf_append_byte(b, ':');
		r = n == 2 ? term_json(in, b, depth + 1) : elements(in, b, n - 1, depth);
	}
	buf_append_byte(b, '}');
	return r;
}

static int term_json(struct term_in *in, struct buf *b, int depth)
{
	struct term t;
	int r = depth > DEPTH_MAX ? -EBADMSG : term_in_next(in, &t);

	if (r < 0)
		return r;
	switch (t.kind) {
	case TERM_INT:
		buf_printf(b, "%s%llu", t.negative ? "-" : "", (unsigned long long)t.u);
		return 0;
	case TERM_ATOM:
		buf_append_str(b, "{\"word\":");
		string(b, t.bytes);
		buf_append_byte(b, '}');
		return 0;
	case TERM_BINARY:
		text(b, t.bytes);
		return 0;
	case TERM_STRING:
		return -EBADMSG;
	case TERM_NIL:
		buf_append_str(b, "[]");
		return 0;
	case TERM_TUPLE:
		return tuple(in, b, t.n, depth);
	case TERM_LIST:
		r = elements(in, b, t.n, depth);
		return r < 0 ? r : term_in_nil(in);
	}
	return -EBADMSG;
}

static int option_json(struct term_in *in, struct buf *b)
{
	struct slice name;
	struct term t;
	uint64_t slot;

	if (term_in_next(in, &t) < 0)
		return -EBADMSG;
	if (t.kind == TERM_ATOM) {
		buf_append_str(b, ",\"ignore\":true");
		return 0;
	}
	if (t.kind != TERM_TUPLE || t.n != 2 || term_in_atom(in, &name) < 0)
		return -EBADMSG;
	if (slice_is(name, "slot")) {
		if (term_in_uint(in, PROGRAM_SLOTS - 1, &slot) < 0)
			return -EBADMSG;
		buf_printf(b, ",\"slot\":%u", (unsigned)slot);
		return 0;
	}
	if (!slice_is(name, "ignore") || term_in_atom(in, &name) < 0)
		return -EBADMSG;
	buf_append_str(b, ",\"ignore\":");
	string(b, name);
	return 0;
}

static int op_json(struct term_in *in, struct buf *b)
{
	struct slice place;
	uint64_t number;
	struct term t;
	uint32_t n;

	if (term_in_tuple(in, 4) < 0 || term_in_atom(in, &place) < 0 || term_in_uint(in, UINT64_MAX, &number) < 0)
		return -EBADMSG;
	const struct call *call = call_by_number(number);
	if (call == NULL || term_in_next(in, &t) < 0 || t.kind != TERM_TUPLE)
		return -EBADMSG;
	buf_append_str(b, "{\"place\":");
	string(b, place);
	buf_printf(b, ",\"call\":\"%s\",\"arguments\":", call->name);
	int r = elements(in, b, t.n, 0);
	if (r == 0)
		r = term_in_list(in, &n);
	for (uint32_t i = 0; r == 0 && i < n; i++)
		r = option_json(in, b);
	buf_append_byte(b, '}');
	return r < 0 ? r : term_in_list_end(in, n);
}

int program_json_out(struct term_in *in, struct buf *b)
{
	uint32_t n;

	if (term_in_list(in, &n) < 0)
		return -EBADMSG;
	buf_append_str(b, "[");
	for (uint32_t i = 0; i < n; i++) {
		buf_append_str(b, i > 0 ? ",\n" : "\n");
		int r = op_json(in, b);

		if (r < 0)
			return r;
	}
	buf_append_str(b, "\n]\n");
	return term_in_list_end(in, n);
}
