/* SPDX-License-Identifier: ISC */
/*
 * Terms as short text, for tests of what Erlang sends and gets. Close to Erlang:
 *
 *	name 12 -3 {a, b} [a, b] [a | b] "string" <bytes>
 *	~5 ~~5		the integer as SMALL_BIG, as LARGE_BIG
 *	x*300		in a string or in bytes: all of it is the one character, so often
 *	<#00ff>		bytes in hexadecimal
 *	+{a, b}		a LARGE_TUPLE
 *	%77026f6b	these bytes as they are
 *
 * Blanks count for nothing. [] is NIL; "" is an empty STRING, which Erlang never sends.
 */
#ifndef NOTATION_H
#define NOTATION_H

#include "tap.h"

#include "term.h"

#include <ctype.h>

static void notation_term(struct buf *b, const char **p);

static void notation_blanks(const char **p)
{
	while (**p == ' ' || **p == '\n' || **p == '\t')
		++*p;
}

static void notation_number(struct buf *b, uint32_t v, size_t n)
{
	while (n-- > 0)
		buf_append_byte(b, (unsigned char)(v >> (8 * n)));
}

static void notation_hex(struct buf *b, const char **p)
{
	for (; isxdigit((unsigned char)**p); *p += 2)
		buf_append_byte(b, (unsigned char)strtoul((char[]){ (*p)[0], (*p)[1], 0 }, NULL, 16));
}

/* What stands between quotes or brackets. */
static void notation_bytes(struct buf *b, const char **p, char close)
{
	if (**p == '#') {
		++*p;
		notation_hex(b, p);
	} else if (**p != close && (*p)[1] == '*') {
		char c = **p;

		for (long n = strtol(*p + 2, (char **)(uintptr_t)p, 10); n > 0; n--)
			buf_append_byte(b, (unsigned char)c);
	} else {
		while (**p != close && **p != '\0')
			buf_append_byte(b, (unsigned char)*(*p)++);
	}
	if (**p != close)
		tap_fail("notation: no %c at '%s'", close, *p);
	++*p;
}

static void notation_big(struct buf *b, const char **p)
{
	int large = 0;

	for (; **p == '~'; ++*p)
		large++;
	bool negative = **p == '-';
	uint64_t u = strtoull(*p + negative, (char **)(uintptr_t)p, 10);
	buf_append_byte(b, large > 1 ? TAG_LARGE_BIG : TAG_SMALL_BIG);
	notation_number(b, 8, large > 1 ? 4 : 1);
	buf_append_byte(b, negative);
	for (int i = 0; i < 8; i++)
		buf_append_byte(b, (unsigned char)(u >> (8 * i)));
}

static uint32_t notation_elements(struct buf *b, const char **p, const char *close)
{
	uint32_t n = 0;

	notation_blanks(p);
	while (strchr(close, **p) == NULL) {
		notation_term(b, p);
		n++;
		notation_blanks(p);
		if (**p == ',')
			++*p;
		notation_blanks(p);
	}
	return n;
}

static void notation_list(struct buf *b, const char **p)
{
	struct buf inner;

	buf_init(&inner, 1 << 24);
	uint32_t n = notation_elements(&inner, p, "]|");
	if (n > 0) {
		buf_append_byte(b, TAG_LIST);
		notation_number(b, n, 4);
		buf_append(b, inner.data, inner.len);
	}
	if (**p == '|') {
		++*p;
		notation_term(b, p);
		notation_blanks(p);
	} else {
		buf_append_byte(b, TAG_NIL);
	}
	++*p;
	buf_finish(&inner);
}

static void notation_tuple(struct buf *b, const char **p, bool large)
{
	struct buf inner;

	buf_init(&inner, 1 << 24);
	uint32_t n = notation_elements(&inner, p, "}");
	++*p;
	buf_append_byte(b, large ? TAG_LARGE_TUPLE : TAG_SMALL_TUPLE);
	notation_number(b, n, large ? 4 : 1);
	buf_append(b, inner.data, inner.len);
	buf_finish(&inner);
}

static void notation_run(struct buf *b, const char **p, unsigned char tag, size_t size, char close)
{
	struct buf inner;

	buf_init(&inner, 1 << 24);
	notation_bytes(&inner, p, close);
	buf_append_byte(b, tag);
	notation_number(b, (uint32_t)inner.len, size);
	buf_append(b, inner.data, inner.len);
	buf_finish(&inner);
}

static void notation_integer(struct buf *b, const char **p)
{
	bool negative = **p == '-';
	uint64_t u = strtoull(*p + negative, (char **)(uintptr_t)p, 10);

	/* As Erlang writes them: all that fits 32 bits in 32 bits. */
	bool fits = u <= (uint64_t)INT32_MAX + negative;
	if (fits && (negative || u > 255)) {
		buf_append_byte(b, TAG_INTEGER);
		notation_number(b, (uint32_t)(negative ? ~u + 1 : u), 4);
	} else if (negative) {
		term_out_int(b, (int64_t)(~u + 1));
	} else {
		term_out_uint(b, u);
	}
}

static void notation_term(struct buf *b, const char **p)
{
	notation_blanks(p);
	char c = **p;

	if (isdigit((unsigned char)c) || c == '-') {
		notation_integer(b, p);
		return;
	}
	if (isalpha((unsigned char)c) || c == '_') {
		const char *begin = *p;

		while (isalnum((unsigned char)**p) || **p == '_')
			++*p;
		term_out_atom_slice(b, (struct slice){ (const unsigned char *)begin,
						       (size_t)(*p - begin) });
		return;
	}
	*p += c != '~';
	if (c == '{') {
		notation_tuple(b, p, false);
	} else if (c == '+') {
		++*p;
		notation_tuple(b, p, true);
	} else if (c == '[') {
		notation_list(b, p);
	} else if (c == '"') {
		notation_run(b, p, TAG_STRING, 2, '"');
	} else if (c == '<') {
		notation_run(b, p, TAG_BINARY, 4, '>');
	} else if (c == '%') {
		notation_hex(b, p);
	} else if (c == '~') {
		notation_big(b, p);
	} else {
		tap_fail("notation: '%c' before '%s'", c, *p);
	}
}

/* Appends the one term of ${text}. */
static void notation(struct buf *b, const char *text)
{
	const char *p = text;

	notation_term(b, &p);
	notation_blanks(&p);
	if (*p != '\0' || b->err != 0)
		tap_fail("notation: '%s' is left of '%s'", p, text);
}

#endif
