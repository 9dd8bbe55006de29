/* SPDX-License-Identifier: ISC */
/*
 * Calls of the port: from the term of a request to arguments, from what the handler returned to the
 * term of the reply.  A reply begins with the version byte.  Nothing here allocates.
 */
#ifndef PORT_ANSWER_H
#define PORT_ANSWER_H

#include "argument.h"
#include "value.h"

/* As much memory as decoding a request of at most 65535 bytes takes. */
#define PORT_MEMORY ((size_t)1 << 20)

/*
 * port_decode(c, in, arg, mem, reply): check the arity and decode the arguments of the
 * request behind its version byte into ${arg} (CALL_ARGS_MAX of them), with memory of ${mem}.
 * 0, or -1 with the whole reply (badarg, undef, {error, Errno}) in ${reply}.
 */
int port_decode(const struct call *c, struct term_in *in, struct arg *arg, struct arena *mem,
		struct buf *reply);

/* port_perform(c, arg, reply): make a call that needs nothing of the port's, and append its reply:
 * port_run() and port_answer(). */
void port_perform(const struct call *c, const struct arg *arg, struct buf *reply);

/* What a handler returned. */
struct outcome {
	int64_t n;		/* the number, or 0; or -errno */
	struct result result;	/* values, until the next port_run() */
};

/* port_run(c, arg, room, ret): call the handler; its reply may have ${room} bytes. */
void port_run(const struct call *c, const struct arg *arg, size_t room, struct outcome *ret);

/* port_room(reply): as many bytes can be appended to ${reply}. */
size_t port_room(const struct buf *reply);

/*
 * port_answer(c, arg, o, reply): append the reply for an outcome.  One that does not
 * fit becomes an error: badarg where the answer is one term, else {error, emsgsize}.
 */
void port_answer(const struct call *c, const struct arg *arg, const struct outcome *o,
		 struct buf *reply);

/* reply_ok_tuple(reply, n): the head of {ok, ...} with ${n} terms, which the caller writes. */
void reply_ok_tuple(struct buf *reply, uint32_t n);

/* reply_number(reply): the number in {ok, N}, -1 for an error, REPLY_NO_NUMBER for anything else. */
#define REPLY_NO_NUMBER INT32_MAX
int reply_number(const struct buf *reply);

/* Replies: ok; N; {ok, N}; {error, Errno}; Name. */
void reply_ok(struct buf *reply);
void reply_int(struct buf *reply, int64_t n);
void reply_ok_int(struct buf *reply, int64_t n);
void reply_error(struct buf *reply, int err);
void reply_atom(struct buf *reply, const char *name);

#endif
