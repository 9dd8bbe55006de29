/* SPDX-License-Identifier: ISC */
/* Decoding one argument by its letter in the call table. */
#ifndef WIRE_ARGUMENT_H
#define WIRE_ARGUMENT_H

#include "arena.h"
#include "program.h"

/* texts_in(in, a, ret, ret_n): a list of binaries without NUL as a NULL-terminated array. */
int texts_in(struct term_in *in, struct arena *a, char ***ret, uint32_t *ret_n);

/* In place of a program: the rules of tasks. */
extern const struct program argument_of_task;

/*
 * argument_in(in, letter, a, p, ret, what): the argument for *${letter}, which moves on
 * to the next; names and the environment come from ${p}.  Without ${p} the rules are those
 * of the port protocol, which takes more forms of one thing and no references; with
 * argument_of_task the same, but texts may be as long as in programs.  0, or
 * -EBADMSG, -EINVAL, -ENOTSUP, -E2BIG, -EBADF with what was expected in ${what}.
 */
int argument_in(struct term_in *in, const char **letter, struct arena *a, const struct program *p,
		struct arg *ret, const char **what);

#endif
