/* SPDX-License-Identifier: ISC */
/*
 * Terms: Erlang's external term format, read and written one node at a time.
 *
 * The reader never looks beyond its end, allocates nothing and recurses
 * nowhere; children of a tuple or list are simply the next nodes.  A list of n
 * elements is followed by a tail, which must be NIL.
 */
#ifndef WIRE_TERM_H
#define WIRE_TERM_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

struct slice {
	const unsigned char *data;
	size_t len;
};

enum {
	TAG_VERSION = 131,
	TAG_SMALL_INTEGER = 97,
	TAG_INTEGER = 98,
	TAG_ATOM = 100,
	TAG_SMALL_TUPLE = 104,
	TAG_LARGE_TUPLE = 105,
	TAG_NIL = 106,
	TAG_STRING = 107,
	TAG_LIST = 108,
	TAG_BINARY = 109,
	TAG_SMALL_BIG = 110,
	TAG_LARGE_BIG = 111,
	TAG_SMALL_ATOM = 115,
	TAG_ATOM_UTF8 = 118,
	TAG_SMALL_ATOM_UTF8 = 119
};

enum term_kind {
	TERM_INT,	/* u, negative */
	TERM_ATOM,	/* bytes */
	TERM_BINARY,	/* bytes */
	TERM_STRING,	/* bytes: a list of small integers in short form */
	TERM_NIL,	/* the empty list */
	TERM_TUPLE,	/* n children follow */
	TERM_LIST	/* n children and a tail follow */
};

struct term {
	enum term_kind kind;
	unsigned char tag;	/* as on the wire: the port protocol tells some forms apart */
	bool negative;		/* INT: the value is -u */
	uint64_t u;
	uint32_t n;
	struct slice bytes;
};

struct term_in {
	const unsigned char *p, *end;
};

/* term_in_init(in, data, len): read ${len} bytes at ${data}. */
void term_in_init(struct term_in *in, const void *data, size_t len);

/* term_in_version(in): the version byte 131 that begins a message.  0 or -EBADMSG. */
int term_in_version(struct term_in *in);

/*
 * term_in_next(in, ret): read one node.  0, or -EBADMSG when it is cut off, has an
 * unknown tag, an integer beyond 64 bits, or more children than bytes are left.
 */
int term_in_next(struct term_in *in, struct term *ret);

/* term_in_skip(in): skip one whole term with everything in it.  0 or -EBADMSG. */
int term_in_skip(struct term_in *in);

/* The next node must be of that kind; 0 or -EBADMSG. */
int term_in_tuple(struct term_in *in, uint32_t arity);
int term_in_nil(struct term_in *in);
int term_in_atom(struct term_in *in, struct slice *ret);
int term_in_binary(struct term_in *in, struct slice *ret);

/* term_in_list(in, ret_n): a LIST or NIL; ${ret_n} elements follow, then (if not 0) a NIL. */
int term_in_list(struct term_in *in, uint32_t *ret_n);

/* term_in_list_end(in, n): the NIL behind the ${n} elements of a list. */
int term_in_list_end(struct term_in *in, uint32_t n);

/* term_in_int(in, min, max, ret): an integer within the range. */
int term_in_int(struct term_in *in, int64_t min, int64_t max, int64_t *ret);

/* term_in_uint(in, max, ret): an integer from 0 to ${max}. */
int term_in_uint(struct term_in *in, uint64_t max, uint64_t *ret);

/* term_int(t, ret): the value of an INT node as int64_t.  0, or -ERANGE. */
int term_int(const struct term *t, int64_t *ret);

/* slice_is(s, text): the bytes of ${s} are exactly ${text}. */
bool slice_is(struct slice s, const char *text);

/* Writers; failures stick in the buffer. */
void term_out_version(struct buf *b);
void term_out_int(struct buf *b, int64_t v);
void term_out_uint(struct buf *b, uint64_t v);
/* As term_out_int(), but everything of 32 bits has their tag, which the port's rules want of constants and flags. */
void term_out_int32(struct buf *b, int64_t v);
void term_out_atom(struct buf *b, const char *name);
void term_out_atom_slice(struct buf *b, struct slice s);
void term_out_binary(struct buf *b, const void *data, size_t len);
void term_out_text(struct buf *b, const char *s);	/* a binary of the characters */
void term_out_tuple(struct buf *b, uint32_t arity);
void term_out_list(struct buf *b, uint32_t n);		/* n elements and term_out_nil() follow; 0: nothing does */
void term_out_nil(struct buf *b);

#endif
