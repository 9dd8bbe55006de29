/* SPDX-License-Identifier: ISC */
#include "lines.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void line_init(struct line *l, const char *text, size_t len, const char *file)
{
	*l = (struct line){ .file = file, .p = text, .end = text + len, .next = 1, .over = true };
}

bool line_begin(struct line *l)
{
	/* What was not read of the last one. */
	while (!l->over)
		line_next(l);
	l->bad = NULL;
	l->number = l->next;
	l->over = false;
	return l->p < l->end;
}

/* Blanks, a comment, and line ends behind a backslash. */
static void skip_blanks(struct line *l)
{
	for (;;) {
		if (l->p < l->end && (*l->p == ' ' || *l->p == '\t' || *l->p == '\r'))
			l->p++;
		else if (l->end - l->p >= 2 && l->p[0] == '\\' && l->p[1] == '\n')
			l->p += 2, l->next++;
		else if (l->p < l->end && *l->p == '#')
			while (l->p < l->end && *l->p != '\n')
				l->p++;
		else
			return;
	}
}

static bool in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '@' ||
	       c == '-' || c == '.' || c == '/' || c == '+';
}

static struct token end_of_line(struct line *l)
{
	if (l->p < l->end) {
		l->p++;
		l->next++;
	}
	l->over = true;
	return (struct token){ TOKEN_END, "", 0 };
}

static struct token quoted(struct line *l)
{
	const char *from = ++l->p;

	while (l->p < l->end && *l->p != '"' && *l->p != '\n')
		l->p++;
	struct token t = { TOKEN_TEXT, from, (size_t)(l->p - from) };
	if (l->p < l->end && *l->p == '"')
		l->p++;
	else
		l->bad = "the closing quote is missing";
	return t;
}

static struct token sign(struct line *l)
{
	static const char *const signs[] = { "==", "!=", "<=", ">=", "<", ">", "&", "|", "=" };
	const char *from = l->p;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		size_t len = strlen(signs[i]);

		if ((size_t)(l->end - from) >= len && memcmp(from, signs[i], len) == 0) {
			l->p += len;
			return (struct token){ TOKEN_SIGN, from, len };
		}
	}
	l->p++;
	if (l->bad == NULL)
		l->bad = (unsigned char)*from < ' ' || (unsigned char)*from > '~' ? "a character that is no text" :
										    "a character that has no meaning";
	return (struct token){ TOKEN_SIGN, from, 1 };
}

struct token line_next(struct line *l)
{
	if (l->over)
		return (struct token){ TOKEN_END, "", 0 };
	skip_blanks(l);
	if (l->p == l->end || *l->p == '\n')
		return end_of_line(l);
	if (*l->p == '"')
		return quoted(l);
	if (!in_word(*l->p))
		return sign(l);
	struct token t = { TOKEN_WORD, l->p, 0 };
	while (l->p < l->end && in_word(*l->p))
		l->p++;
	t.len = (size_t)(l->p - t.s);
	return t;
}

bool line_sees(const struct line *l, const char *word)
{
	struct line ahead = *l;
	struct token t = line_next(&ahead);

	return token_is(&t, word);
}

bool line_at_end(const struct line *l)
{
	struct line ahead = *l;

	return line_next(&ahead).kind == TOKEN_END;
}

bool line_take(struct line *l, const char *word)
{
	if (!line_sees(l, word))
		return false;
	line_next(l);
	return true;
}

int line_error(const struct line *l, struct policy_error *e, const char *format, ...)
{
	va_list ap;

	snprintf(e->file, sizeof(e->file), "%s", l->file);
	e->line = l->number;
	va_start(ap, format);
	vsnprintf(e->text, sizeof(e->text), format, ap);
	va_end(ap);
	return -EINVAL;
}

bool token_is(const struct token *t, const char *word)
{
	return (t->kind == TOKEN_WORD || t->kind == TOKEN_SIGN) && strlen(word) == t->len &&
	       memcmp(t->s, word, t->len) == 0;
}

bool token_same(const struct token *a, const struct token *b)
{
	return a->kind == b->kind && a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

int token_number(const struct token *t, uint64_t *ret)
{
	const char *p = t->s, *end = t->s + t->len;
	bool negative = t->len > 0 && *p == '-';
	unsigned base = 10;
	uint64_t n = 0;

	p += negative;
	if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		base = 16, p += 2;
	else if (end - p > 1 && p[0] == '0')
		base = 8, p++;
	if (t->kind != TOKEN_WORD || p == end)
		return -EINVAL;
	for (; p < end; p++) {
		unsigned d = (unsigned)digit(*p);

		if (d >= base || n > (UINT64_MAX - d) / base)
			return -EINVAL;
		n = n * base + d;
	}
	if (negative && n > UINT64_C(1) << 63)
		return -EINVAL;
	*ret = negative ? -n : n;
	return 0;
}
