/* SPDX-License-Identifier: ISC */
/*
 * Reading programs from text: PLACE CALL(ARGUMENTS) [ignore [ERRNO]] [slot N], one a line.
 * Terms are words (atoms), integers, "texts" with \n \t \" \\ \xNN, [lists] and {tuples}.
 */
#include "program.h"

#include "constant.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8

struct reader {
	const char *p, *end;	/* the rest of the line */
	struct buf *out;
	struct text_error *e;
};

static int fail(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->e->what, sizeof(r->e->what), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static void blanks(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\r'))
		r->p++;
}

/* The next character, or 0 at the end of the line; a NUL in the line is no end. */
static char peek(struct reader *r)
{
	blanks(r);
	if (r->p == r->end)
		return 0;
	return *r->p != 0 ? *r->p : '\1';
}

/* As much of the rest of the line as an error shows. */
static int rest(const struct reader *r)
{
	return r->end - r->p < 20 ? (int)(r->end - r->p) : 20;
}

static struct slice word(struct reader *r)
{
	blanks(r);
	const char *begin = r->p;
	while (r->p < r->end && (isalnum((unsigned char)*r->p) || *r->p == '_'))
		r->p++;
	return (struct slice){ (const unsigned char *)begin, (size_t)(r->p - begin) };
}

static int text(struct reader *r)
{
	/* The length is not known before the end: write the text apart, then the binary. */
	struct buf t;
	int result = 0;

	buf_init(&t, (size_t)(r->end - r->p) + 256);
	r->p++;
	for (;;) {
		if (r->p == r->end) {
			result = fail(r, "the text has no closing quote");
			break;
		}
		char c = *r->p++;
		if (c == '"')
			break;
		if (c == '\\') {
			unsigned hex;
			int used = 0;
			char e = r->p < r->end ? *r->p++ : 0;

			if (e == 'n')
				c = '\n';
			else if (e == 't')
				c = '\t';
			else if (e == '"' || e == '\\')
				c = e;
			else if (e == 'x' && r->end - r->p >= 2 && isxdigit((unsigned char)r->p[0]) &&
				 isxdigit((unsigned char)r->p[1]) &&
				 sscanf((char[]){ r->p[0], r->p[1], 0 }, "%2x%n", &hex, &used) == 1) {
				c = (char)hex;
				r->p += 2;
			} else {
				result = fail(r, "\\%c in a text; known are \\n \\t \\\" \\\\ \\xNN",
					      e ? e : ' ');
				break;
			}
		}
		buf_append_byte(&t, (unsigned char)c);
	}
	if (result == 0)
		term_out_binary(r->out, t.data, t.len);
	if (t.err != 0 && result == 0)
		result = -t.err;
	buf_finish(&t);
	return result;
}

static int number(struct reader *r)
{
	bool negative = *r->p == '-';
	uint64_t v = 0;

	r->p += negative;
	const char *digits = r->p;
	while (r->p < r->end && isdigit((unsigned char)*r->p)) {
		uint64_t d = (uint64_t)(*r->p++ - '0');

		if (v > (UINT64_MAX - d) / 10)
			return fail(r, "a number above 2^64-1");
		v = v * 10 + d;
	}
	if (r->p == digits)
		return fail(r, "a minus without a number");
	if (negative && v > (uint64_t)INT64_MAX + 1)
		return fail(r, "a number below -2^63");
	if (negative)
		term_out_int(r->out, (int64_t)(~v + 1));
	else
		term_out_uint(r->out, v);
	return 0;
}

static int term_text(struct reader *r, int depth);

/*
 * The elements up to ${close}; their number is wanted before them, so look at where they end
 * up in the buffer and shift: programs are short.
 */
static int elements(struct reader *r, char close, int depth, uint32_t *ret_n)
{
	uint32_t n = 0;

	if (peek(r) != close) {
		for (;;) {
			int e = term_text(r, depth + 1);

			if (e < 0)
				return e;
			n++;
			if (peek(r) != ',')
				break;
			r->p++;
		}
	}
	if (peek(r) != close)
		return fail(r, "expected , or %c before '%.*s'", close, rest(r), r->p);
	r->p++;
	*ret_n = n;
	return 0;
}

static int container(struct reader *r, char close, int depth)
{
	struct buf *out = r->out;
	struct buf inner;
	uint32_t n = 0;

	buf_init(&inner, out->max != 0 ? out->max : out->cap);
	r->out = &inner;
	int e = elements(r, close, depth, &n);
	r->out = out;
	if (e == 0 && close == ']')
		term_out_list(out, n);
	else if (e == 0)
		term_out_tuple(out, n);
	if (e == 0)
		buf_append(out, inner.data, inner.len);
	if (e == 0 && close == ']' && n > 0)
		term_out_nil(out);
	if (e == 0 && inner.err != 0)
		e = -inner.err;
	buf_finish(&inner);
	return e;
}

static int term_text(struct reader *r, int depth)
{
	char c = peek(r);

	if (depth > DEPTH_MAX)
		return fail(r, "brackets nested more than %d deep", DEPTH_MAX);
	if (c == '"')
		return text(r);
	if (c == '-' || isdigit((unsigned char)c))
		return number(r);
	if (c == '[' || c == '{') {
		r->p++;
		return container(r, c == '[' ? ']' : '}', depth);
	}
	struct slice w = word(r);
	if (w.len == 0 || w.len > 255)
		return fail(r, "expected a word, a number, a \"text\", a [list] or a {tuple} before '%.*s'",
			    rest(r), r->p);
	/* Atoms are lower case here: constants may be written as in the manuals. */
	char lower[255];
	for (size_t i = 0; i < w.len; i++)
		lower[i] = (char)tolower(w.data[i]);
	term_out_atom_slice(r->out, (struct slice){ (unsigned char *)lower, w.len });
	return 0;
}

/* The error behind an ignore, or NULL. */
static const char *errno_word(struct reader *r)
{
	const char *begin = r->p;
	int64_t number;

	if (constant_value('e', word(r), &number) == 0)
		return constant_name('e', number);
	r->p = begin;
	return NULL;
}

static void out_ignore(struct buf *out, const char *name)
{
	if (name != NULL) {
		term_out_tuple(out, 2);
		term_out_atom(out, "ignore");
		term_out_atom(out, name);
	} else {
		term_out_atom(out, "ignore");
	}
}

static int options(struct reader *r)
{
	struct buf *out = r->out;
	const char *ignored = NULL;
	bool ignore = false;
	int slot = -1;

	while (peek(r) != 0) {
		struct slice w = word(r);

		if (slice_is(w, "ignore")) {
			ignore = true;
			ignored = errno_word(r);
			continue;
		}
		struct slice n = slice_is(w, "slot") ? word(r) : (struct slice){ w.data, 0 };
		slot = 0;
		for (size_t i = 0; i < n.len && slot < PROGRAM_SLOTS; i++)
			slot = isdigit(n.data[i]) ? slot * 10 + n.data[i] - '0' : PROGRAM_SLOTS;
		if (n.len == 0 || slot >= PROGRAM_SLOTS)
			return fail(r, "expected ignore or slot 0 to 63 behind the call");
	}
	term_out_list(out, (uint32_t)ignore + (slot >= 0));
	if (ignore)
		out_ignore(out, ignored);
	if (slot >= 0) {
		term_out_tuple(out, 2);
		term_out_atom(out, "slot");
		term_out_int(out, slot);
	}
	if (ignore || slot >= 0)
		term_out_nil(out);
	return 0;
}

static int line(struct reader *r)
{
	struct slice place = word(r);

	if (place_by_name(place) < 0)
		return fail(r, "'%.*s' is no place; places are before, outside, init, task, failed, after",
			    (int)(place.len > 40 ? 40 : place.len), (const char *)place.data);
	struct slice name = word(r);
	const struct call *call = call_by_name(name);
	if (call == NULL)
		return fail(r, "'%.*s' is no call; carrel calls lists them", (int)(name.len > 40 ? 40 : name.len),
			    (const char *)name.data);
	if (!call_for_programs(call))
		return fail(r, "%s is a call of the port, programs cannot make it", call->name);
	if (peek(r) != '(')
		return fail(r, "expected ( behind %s", call->name);
	r->p++;
	term_out_tuple(r->out, 4);
	term_out_atom_slice(r->out, place);
	term_out_int(r->out, call->number);
	/* The arguments are a tuple written with round brackets. */
	int e = container(r, ')', 0);
	return e < 0 ? e : options(r);
}

int program_text_in(const char *source, size_t len, struct buf *b, struct text_error *e)
{
	const char *end = len > 0 ? source + len : source;
	struct buf ops;
	uint32_t n = 0;
	int result = 0;

	*e = (struct text_error){ 0 };
	buf_init(&ops, b->max != 0 ? b->max : b->cap);
	for (const char *p = source; p < end && result == 0;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		struct reader r = { p, nl != NULL ? nl : end, &ops, e };

		e->line++;
		if (peek(&r) != 0 && *r.p != '#') {
			result = line(&r);
			n++;
		}
		p = nl != NULL ? nl + 1 : end;
	}
	if (result == 0) {
		term_out_list(b, n);
		buf_append(b, ops.data, ops.len);
		if (n > 0)
			term_out_nil(b);
		result = ops.err != 0 ? -ops.err : b->err != 0 ? -b->err : 0;
	}
	buf_finish(&ops);
	return result;
}
