/* SPDX-License-Identifier: ISC */
/* PROVISIONAL: what src/wire and src/control/calls give to the port; replaced by theirs. */
#ifndef PORT_ANSWER_H
#define PORT_ANSWER_H

#include "argument.h"

/* The rows that the port itself answers; the real table has them. */
enum {
	CALL_fcntl = 23, CALL_ioctl = 43, CALL_seccomp = 68, CALL_socket = 88,
	CALL_clone = 13, CALL_cpid = 17, CALL_execve = 20, CALL_execvp = 21, CALL_fexecve = 25,
	CALL_filter = 27, CALL_fork = 28, CALL_getopt = 34, CALL_setcpid = 71, CALL_setopt = 77,
	CALL_setproctitle = 80, CALL_sigaction = 86, CALL_waitpid = 98,
};

#define PORT_MEMORY ((size_t)1 << 20)

enum arg_handler { HANDLER_QUERY, HANDLER_DEFAULT, HANDLER_IGNORE, HANDLER_INFO };

#define call_by_number port_row

/* port_row(number): the row of a call, or NULL. */
const struct call *port_row(unsigned number);

/*
 * port_decode(c, in, arg, mem, reply): check arity and decode the arguments of the request term (after
 * the version byte) of row ${c}.  0 with ${arg} filled, or -1 with the complete reply in ${reply}.
 *
 * Integers and constants are in i; atoms, paths, bytes and titles in s and n; lists of arguments
 * in v (NULL for []); limits in u.
 */
int port_decode(const struct call *c, struct term_in *in, struct arg *arg, struct arena *mem,
		struct buf *reply);

/* port_perform(c, arg, reply): perform a plain call and append its complete reply. */
void port_perform(const struct call *c, const struct arg *arg, struct buf *reply);

/* Whole replies, with the version byte. */
void reply_ok(struct buf *reply);
void reply_int(struct buf *reply, int64_t n);
void reply_ok_int(struct buf *reply, int64_t n);
void reply_error(struct buf *reply, int err);	/* {error, Errno} */
void reply_atom(struct buf *reply, const char *name);

#endif
