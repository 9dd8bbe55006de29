/* SPDX-License-Identifier: ISC */
/* Arguments that are bytes: binaries in programs, iodata in the port. */
#include "decode.h"

#include <errno.h>
#include <string.h>

/* As deep as the port takes iodata. */
#define LEVELS 16

struct rule {
	uint32_t program_max, port_max;
	bool empty;	/* may be */
	bool text;	/* in programs: no NUL.  In the port a NUL ends it, where it is used as text. */
};

static const struct rule rules[128] = {
	['p'] = { 4095, 4095, false, true },	   ['n'] = { UINT32_MAX, 65534, false, true },
	['h'] = { UINT32_MAX, 63, false, false },  ['t'] = { 4095, 4095, true, true },
	['s'] = { UINT32_MAX, 65534, true, true }, ['o'] = { 4095, 4095, true, true },
	['b'] = { UINT32_MAX, 65535, true, false },
};

static int bytes_in(struct slice s, struct arena *a, struct arg *ret)
{
	char *copy = arena_take(a, s.len + 1, 1, 1);

	if (copy == NULL)
		return -E2BIG;
	memcpy(copy, s.data, s.len);
	*ret = (struct arg){ .kind = ARG_BYTES, .n = (uint32_t)s.len, .s = copy };
	return 0;
}

static int binary_in(struct term_in *in, const struct rule *rule, struct arena *a, struct arg *ret)
{
	struct slice s;

	if (term_in_binary(in, &s) < 0 || (rule->text && memchr(s.data, 0, s.len) != NULL) ||
	    s.len > rule->program_max || (s.len == 0 && !rule->empty))
		return -EINVAL;
	return bytes_in(s, a, ret);
}

/* Iodata on its way into flat bytes; they are written to the front of the arena and then taken. */
struct flat {
	struct arena *mem;
	uint32_t used, max;
	int depth;
	uint32_t pending[LEVELS];	/* elements to come, for each list that is open */
};

/* A string is counted with a byte more than it has: so do the programs that send it. */
static int flat_add(struct flat *f, const void *data, size_t len, size_t spare)
{
	if (len + spare > f->max - f->used)
		return -EINVAL;
	if (len >= (size_t)(f->mem->end - f->mem->p) - f->used)
		return -E2BIG;
	memcpy(f->mem->p + f->used, data, len);
	f->used += (uint32_t)len;
	return 0;
}

static int flat_node(struct flat *f, const struct term *t)
{
	unsigned char byte = (unsigned char)t->u;

	switch (t->kind) {
	case TERM_BINARY:
		return flat_add(f, t->bytes.data, t->bytes.len, 0);
	case TERM_STRING:
		return flat_add(f, t->bytes.data, t->bytes.len, 1);
	case TERM_INT:
		return f->depth > 0 && t->tag == TAG_SMALL_INTEGER ? flat_add(f, &byte, 1, 0) : -EINVAL;
	case TERM_NIL:
		return 0;
	case TERM_LIST:
		if (f->depth == LEVELS || t->n == 0)
			return -EINVAL;
		f->pending[f->depth++] = t->n;
		return 0;
	default:
		return -EINVAL;
	}
}

/* Ends the lists that have all their elements.  What comes next is then an element, or nothing. */
static int flat_close(struct flat *f, struct term_in *in)
{
	while (f->depth > 0 && f->pending[f->depth - 1] == 0) {
		if (term_in_nil(in) < 0)
			return -EINVAL;
		f->depth--;
	}
	if (f->depth == 0)
		return 0;
	f->pending[f->depth - 1]--;
	return f->used < f->max ? 0 : -EINVAL;
}

static int iodata_in(struct term_in *in, uint32_t max, struct arena *a, struct arg *ret)
{
	struct flat f = { .mem = a, .max = max };

	do {
		struct term t;
		int r = term_in_next(in, &t);

		if (r == 0)
			r = flat_node(&f, &t);
		if (r == 0)
			r = flat_close(&f, in);
		if (r < 0)
			return r;
	} while (f.depth > 0);
	if (a->p == a->end)
		return -E2BIG;
	a->p[f.used] = 0;
	*ret = (struct arg){ .kind = ARG_BYTES, .n = f.used, .s = a->p };
	a->p += f.used + 1;
	return 0;
}

/* The next node is the empty list. */
static bool nothing(struct decode *d)
{
	struct term_in ahead = *d->in;

	if (term_in_nil(&ahead) < 0)
		return false;
	*d->in = ahead;
	return true;
}

/* Small sets of bits: a binary in both. */
static int bits_in(struct decode *d, struct arg *ret)
{
	struct slice s;

	if (term_in_binary(d->in, &s) < 0 || s.len > 16)
		return -EINVAL;
	return bytes_in(s, d->mem, ret);
}

int decode_text(struct decode *d, char letter, struct arg *ret)
{
	const struct rule *rule = &rules[(unsigned char)letter & 127];

	if (letter == 'B')
		return bits_in(d, ret);
	if (letter == 'o' && nothing(d)) {
		*ret = (struct arg){ .kind = ARG_BYTES };
		return 0;
	}
	if (!decode_port(d))
		return binary_in(d->in, rule, d->mem, ret);
	/* A host name has the kernel's own limit. */
	const bool more = decode_task(d) && letter != 'h';
	int r = iodata_in(d->in, more ? rule->program_max : rule->port_max, d->mem, ret);
	return r == 0 && ret->n == 0 && !rule->empty ? -EINVAL : r;
}

/* ${d} says by which rules the texts are read. */
static int vector_in(struct decode *d, struct arg *ret)
{
	uint32_t n;

	if (term_in_list(d->in, &n) < 0)
		return -EINVAL;
	/* One more in front: call_exec() puts a shell there. */
	char **v = ARENA_TAKE(d->mem, (size_t)n + 2, char *);
	if (v == NULL)
		return -E2BIG;
	v++;
	for (uint32_t i = 0; i < n; i++) {
		struct arg text;
		int r = decode_text(d, 's', &text);

		if (r < 0)
			return r;
		/* execve(2) takes char *const *, but never writes. */
		memcpy(&v[i], &text.s, sizeof(v[i]));
	}
	*ret = (struct arg){ .kind = ARG_VECTOR, .n = n, .v = v };
	return term_in_list_end(d->in, n) < 0 ? -EINVAL : 0;
}

int decode_vector(struct decode *d, struct arg *ret)
{
	if (decode_port(d) && nothing(d)) {
		*ret = (struct arg){ .kind = ARG_VECTOR };
		return 0;
	}
	return vector_in(d, ret);
}

int texts_in(struct term_in *in, struct arena *a, char ***ret, uint32_t *ret_n)
{
	static const struct program none;
	struct decode d = { in, a, &none };
	struct arg vector;
	int r = vector_in(&d, &vector);

	if (r == 0) {
		*ret = vector.v;
		*ret_n = vector.n;
	}
	return r;
}
