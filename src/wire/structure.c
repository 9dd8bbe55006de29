/* SPDX-License-Identifier: ISC */
/*
 * Arguments that the kernel reads and writes in memory: C structures that are described as a list
 * of parts, and plain bytes.  Afterwards the parts say how to show what is there then.
 */
#include "decode.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#ifdef __FreeBSD__
#include <sys/param.h>
#include <sys/jail.h>
#define JAIL_SIZE sizeof(struct jail)
#else
#define JAIL_SIZE 0
#endif

#define MEMORY_MAX 65535
#define PARTS_MAX 1023

static uint32_t greatest(char size)
{
	switch (size) {
	case 's':
		return sizeof(struct sockaddr_storage);
	case 'z':
		return JAIL_SIZE;
	default:
		return MEMORY_MAX;
	}
}

/* Empty memory of ${max} bytes: calls may write more than was given, up to there. */
static struct arg_memory *memory(struct arena *a, uint32_t max, uint32_t n_parts)
{
	struct arg_memory *m = ARENA_TAKE(a, 1, struct arg_memory);

	if (m == NULL)
		return NULL;
	m->part = n_parts > 0 ? ARENA_TAKE(a, n_parts, struct arg_part) : NULL;
	m->data = arena_take(a, max, 1, _Alignof(max_align_t));
	m->n_parts = n_parts;
	m->max = max;
	return m->data != NULL && (n_parts == 0 || m->part != NULL) ? m : NULL;
}

static int append(struct arg_memory *m, const void *data, size_t len)
{
	if (len > m->max - m->len)
		return -EINVAL;
	memcpy(m->data + m->len, data, len);
	m->len += (uint32_t)len;
	return 0;
}

/* The N or Bin of {ptr, N} or {ptr, Bin}: ${len} bytes, a copy of ${from} or zeroes. */
static int pointed_in(struct term_in *in, uint32_t *ret_len, const unsigned char **ret_from)
{
	struct term t;

	if (term_in_next(in, &t) < 0)
		return -EINVAL;
	*ret_from = NULL;
	if (t.kind == TERM_BINARY) {
		*ret_from = t.bytes.data;
		t.u = t.bytes.len;
	} else if (!decode_short_int(&t) || t.negative) {
		return -EINVAL;
	}
	if (t.u > MEMORY_MAX)
		return -EINVAL;
	*ret_len = (uint32_t)t.u;
	return 0;
}

static int pointer_in(struct decode *d, struct arg_memory *m, struct arg_part *part)
{
	const unsigned char *from;
	struct slice name;
	uint32_t len;

	if (term_in_atom(d->in, &name) < 0 || !slice_is(name, "ptr") ||
	    pointed_in(d->in, &len, &from) < 0)
		return -EINVAL;
	if (len > MEMORY_MAX - m->total)
		return -EINVAL;
	m->total += len;
	part->len = sizeof(part->to);
	if (len > 0) {
		part->len = len;
		part->to = arena_take(d->mem, len, 1, _Alignof(max_align_t));
		if (part->to == NULL)
			return -E2BIG;
		if (from != NULL)
			memcpy(part->to, from, len);
	}
	return append(m, &part->to, sizeof(part->to));
}

static int part_in(struct decode *d, struct arg_memory *m, struct arg_part *part)
{
	struct term t;

	if (term_in_next(d->in, &t) < 0)
		return -EINVAL;
	if (t.tag == TAG_SMALL_TUPLE && t.n == 2)
		return pointer_in(d, m, part);
	if (t.kind != TERM_BINARY || t.bytes.len > MEMORY_MAX - m->total)
		return -EINVAL;
	m->total += (uint32_t)t.bytes.len;
	part->len = (uint32_t)t.bytes.len;
	return append(m, t.bytes.data, t.bytes.len);
}

/* Behind the header of a list of ${n} parts. */
static int parts_in(struct decode *d, uint32_t n, uint32_t max, struct arg *ret)
{
	if (n == 0 || n > PARTS_MAX)
		return -EINVAL;
	struct arg_memory *m = memory(d->mem, max, n);
	if (m == NULL)
		return -E2BIG;
	for (uint32_t i = 0; i < n; i++) {
		int r = part_in(d, m, &m->part[i]);

		if (r < 0)
			return r;
	}
	*ret = (struct arg){ .kind = ARG_MEMORY, .memory = m };
	return term_in_nil(d->in) < 0 ? -EINVAL : 0;
}

static int plain(struct decode *d, struct slice s, uint32_t max, struct arg *ret)
{
	if (s.len > max)
		return -EINVAL;
	/* In programs nothing is given back, and memory is counted by what came. */
	struct arg_memory *m = memory(d->mem, decode_port(d) ? max : (uint32_t)s.len + 1, 0);
	if (m == NULL)
		return -E2BIG;
	*ret = (struct arg){ .kind = ARG_MEMORY, .memory = m };
	return append(m, s.data, s.len);
}

int decode_structure(struct decode *d, char letter, char size, struct arg *ret)
{
	uint32_t max = greatest(size);
	struct term t;

	if (term_in_next(d->in, &t) < 0)
		return -EINVAL;
	if (letter == 'M' && t.kind == TERM_NIL) {
		*ret = (struct arg){ .kind = ARG_MEMORY };
		return 0;
	}
	if (t.kind == TERM_BINARY && !decode_port(d))
		return plain(d, t.bytes, max, ret);
	if (t.kind == TERM_LIST && decode_port(d))
		return parts_in(d, t.n, max, ret);
	return -EINVAL;
}

int decode_word(struct decode *d, char kind, struct arg *ret)
{
	struct term t;
	int64_t v = 0;

	if (term_in_next(d->in, &t) < 0)
		return -EINVAL;
	if (t.kind == TERM_BINARY)
		return plain(d, t.bytes, MEMORY_MAX, ret);
	if (t.kind == TERM_LIST)
		return parts_in(d, t.n, MEMORY_MAX, ret);
	if (kind == 'c' && t.kind == TERM_ATOM) {
		int r = decode_constant(d, &t, kind, &v);
		if (r < 0)
			return r;
	} else if (!(kind == 'c' && t.kind == TERM_NIL) &&
		   (!decode_short_int(&t) || term_int(&t, &v) < 0)) {
		return -EINVAL;
	}
	if (kind != 'i' && v < 0)
		return -EINVAL;
	*ret = (struct arg){ .kind = ARG_NUMBER, .i = v };
	return 0;
}
