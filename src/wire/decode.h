/* SPDX-License-Identifier: ISC */
/* What the files that decode arguments share: argument.c, text_arg.c, structure.c. */
#ifndef WIRE_DECODE_H
#define WIRE_DECODE_H

#include "argument.h"

struct decode {
	struct term_in *in;
	struct arena *mem;
	const struct program *program;	/* NULL: by the rules of the port protocol; or argument_of_task */
};

/* decode_task(d), decode_port(d): the rules of tasks; those of the port, or of tasks, count. */
static inline bool decode_task(const struct decode *d)
{
	return d->program == &argument_of_task;
}

static inline bool decode_port(const struct decode *d)
{
	return d->program == NULL || decode_task(d);
}

/* decode_short_int(t): an integer in the forms that the port takes where it looks at the tag. */
static inline bool decode_short_int(const struct term *t)
{
	return t->tag == TAG_SMALL_INTEGER || t->tag == TAG_INTEGER;
}

/* decode_atom(t): an atom that the port takes: at most 255 characters, all of them Latin-1. */
bool decode_atom(const struct term *t);

/* decode_constant(d, t, family, ret): the number for an atom, or an integer. */
int decode_constant(const struct decode *d, const struct term *t, char family, int64_t *ret);

/* decode_text(d, letter, ret): paths, names, texts and bytes: p n h t s o b B. */
int decode_text(struct decode *d, char letter, struct arg *ret);

/* decode_vector(d, ret): a list of texts; in the port, [] is a NULL pointer. */
int decode_vector(struct decode *d, struct arg *ret);

/* decode_structure(d, letter, size, ret): m or M with the letter of the greatest size. */
int decode_structure(struct decode *d, char letter, char size, struct arg *ret);

/* decode_word(d, kind, ret): x: an integer or the address of bytes, in the port. */
int decode_word(struct decode *d, char kind, struct arg *ret);

/* The rest of the letters, in list_arg.c: g F r T H W L. */
int decode_ids(struct decode *d, struct arg *ret);
int decode_fd_set(struct decode *d, struct arg *ret);
int decode_limit(struct decode *d, struct arg *ret);
int decode_time(struct decode *d, struct arg *ret);
int decode_handler(struct decode *d, struct arg *ret);
int decode_wide(struct decode *d, char family, int64_t *ret);
int decode_wides(struct decode *d, char family, struct arg *ret);

#endif
