/* SPDX-License-Identifier: ISC */
#include "buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_init_fixed(struct buf *b, void *mem, size_t cap)
{
	*b = (struct buf){ .data = mem, .cap = cap };
}

void buf_finish(struct buf *b)
{
	if (b->max != 0)
		free(b->data);
	*b = (struct buf){ .max = b->max };
}

static void buf_grow(struct buf *b, size_t want)
{
	size_t cap = b->cap < 256 ? 256 : b->cap;

	if (cap > b->max)
		cap = b->max;
	while (cap < want)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	unsigned char *data = realloc(b->data, cap);
	if (data == NULL) {
		b->err = ENOMEM;
		return;
	}
	b->data = data;
	b->cap = cap;
}

unsigned char *buf_reserve(struct buf *b, size_t n)
{
	if (b->err != 0)
		return NULL;
	if (n > b->cap - b->len) {
		if (b->max == 0 || n > b->max - b->len)
			b->err = EMSGSIZE;
		else
			buf_grow(b, b->len + n);
		if (b->err != 0)
			return NULL;
	}
	return b->data + b->len;
}

void buf_append(struct buf *b, const void *p, size_t n)
{
	unsigned char *at = n > 0 ? buf_reserve(b, n) : NULL;

	if (at != NULL) {
		memcpy(at, p, n);
		b->len += n;
	}
}

void buf_append_str(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void buf_append_byte(struct buf *b, unsigned char c)
{
	buf_append(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->err = b->err != 0 ? b->err : EINVAL;
		return;
	}
	if ((size_t)n < sizeof(small)) {
		buf_append(b, small, (size_t)n);
		return;
	}
	unsigned char *at = buf_reserve(b, (size_t)n + 1);
	if (at == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf((char *)at, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void buf_consume(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len);
}

char *buf_steal_text(struct buf *b)
{
	buf_append_byte(b, 0);
	if (b->err != 0 || b->max == 0) {
		buf_finish(b);
		return NULL;
	}
	char *text = (char *)b->data;
	*b = (struct buf){ .max = b->max };
	return text;
}
