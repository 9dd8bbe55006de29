/* SPDX-License-Identifier: ISC */
/*
 * A byte buffer with a cap.  The first failure (cap reached, no memory) sticks:
 * later appends do nothing, and the one check at the end sees it.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	unsigned char *data;
	size_t len;
	size_t cap;
	size_t max;	/* never grows beyond; 0 for a fixed buffer */
	int err;	/* 0, or the errno of the first failure */
};

/* buf_init(b, max): an empty buffer that grows on the heap up to ${max} bytes. */
void buf_init(struct buf *b, size_t max);

/* buf_init_fixed(b, mem, cap): an empty buffer in the caller's ${mem}; never grows. */
void buf_init_fixed(struct buf *b, void *mem, size_t cap);

/* buf_finish(b): release what ${b} allocated and empty it. */
void buf_finish(struct buf *b);

/* buf_reserve(b, n): room for ${n} more bytes at the end, or NULL (sticks). */
unsigned char *buf_reserve(struct buf *b, size_t n);

/* buf_append(b, p, n): append ${n} bytes. */
void buf_append(struct buf *b, const void *p, size_t n);

/* buf_append_str(b, s): append the characters of ${s} without its NUL. */
void buf_append_str(struct buf *b, const char *s);

/* buf_append_byte(b, c): append one byte. */
void buf_append_byte(struct buf *b, unsigned char c);

/* buf_printf(b, fmt, ...): append formatted text without a NUL. */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* buf_consume(b, n): take the first ${n} bytes away. */
void buf_consume(struct buf *b, size_t n);

/* buf_steal_text(b): end ${b} with a NUL and hand its memory to the caller (free(3)); NULL on a
 * failure that stuck. */
char *buf_steal_text(struct buf *b);

#endif
