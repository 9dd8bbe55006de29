/* SPDX-License-Identifier: ISC */
/* A policy's text as lines of words. */
#ifndef POLICY_LINES_H
#define POLICY_LINES_H

#include "policy.h"

enum token_kind {
	TOKEN_END,	/* of the line */
	TOKEN_WORD,
	TOKEN_TEXT,	/* in quotes, without them */
	TOKEN_SIGN	/* == and the like */
};

struct token {
	enum token_kind kind;
	const char *s;
	size_t len;
};

struct line {
	const char *file;
	const char *p, *end;	/* what is left of the text */
	int number, next;	/* of the line, counted from 1; of the one behind it */
	bool over;		/* the line's end was reached */
	const char *bad;	/* what is wrong with its characters, or NULL */
};

void line_init(struct line *l, const char *text, size_t len, const char *file);

/* line_begin(l): go to the next line; false behind the last. */
bool line_begin(struct line *l);

/* line_next(l): take the next word of the line. */
struct token line_next(struct line *l);

/* line_sees(l, word), line_at_end(l): whether it is ${word}, or none; line_take(l, word): ... and take it. */
bool line_sees(const struct line *l, const char *word);
bool line_at_end(const struct line *l);
bool line_take(struct line *l, const char *word);

/* line_error(l, e, ...): fill ${e} for the line; -EINVAL. */
int line_error(const struct line *l, struct policy_error *e, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

bool token_is(const struct token *t, const char *word);
bool token_same(const struct token *a, const struct token *b);

/* token_number(t, ret): a number, decimal, hexadecimal (0x) or octal (0), perhaps negative.  0, or -EINVAL. */
int token_number(const struct token *t, uint64_t *ret);

#endif
