/* SPDX-License-Identifier: ISC */
/* What a call answers when it is more than a number: small trees, written as terms in one place. */
#ifndef WIRE_VALUE_H
#define WIRE_VALUE_H

#include "arena.h"
#include "program.h"

enum value_kind {
	VALUE_INT,	/* i */
	VALUE_UINT,	/* u */
	VALUE_ATOM,	/* s */
	VALUE_BYTES,	/* s, n */
	VALUE_LIST,	/* v, n */
	VALUE_TUPLE,	/* v, n */
	VALUE_MEMORY	/* memory: as it was described, with what is there now */
};

struct value {
	enum value_kind kind;
	uint32_t n;
	union {
		int64_t i;
		uint64_t u;
		const char *s;
		const struct value *v;
		const struct arg_memory *memory;
	};
};

#define RESULT_VALUES 3

struct result {
	struct arena mem;	/* for what the values point to */
	size_t room;		/* as many bytes the reply can have in all */
	uint32_t n;
	struct value v[RESULT_VALUES];
};

/* result_add(r, v): the next value.  Returns 0, as a handler that succeeded. */
int result_add(struct result *r, struct value v);

/* value_int(i), value_uint(u), value_atom(s), value_bytes(s, n), value_text(s): one value; ${s}
 * stays the caller's. */
struct value value_int(int64_t i);
struct value value_uint(uint64_t u);
struct value value_atom(const char *s);
struct value value_bytes(const void *s, size_t n);
struct value value_text(const char *s);

/* value_list(v, n), value_tuple(v, n): ${n} values, which stay the caller's. */
struct value value_list(const struct value *v, size_t n);
struct value value_tuple(const struct value *v, size_t n);

/* value_arg(a): what an argument holds now: memory as it was described; of a number, nothing. */
struct value value_arg(const struct arg *a);

/* value_after(kind, a): the same for an argument x with the letter ${kind}, whose number is one of prctl's own. */
struct value value_after(char kind, const struct arg *a);

/* value_out(b, v): write ${v} as a term. */
void value_out(struct buf *b, const struct value *v);

#endif
