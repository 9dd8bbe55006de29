/* SPDX-License-Identifier: ISC */
/* CALL frames: from the number to the answer. */
#include "port.h"

#include "bytes.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

/* What the port answers itself, because it changes what the port knows. */
static state_fn *const state_call[CALLS] = {
	[CALL_close] = state_close,
	[CALL_cpid] = state_cpid,
	[CALL_execve] = state_execve,
	[CALL_execvp] = state_execvp,
	[CALL_exit] = state_exit,
	[CALL_fexecve] = state_fexecve,
	[CALL_filter] = state_filter,
	[CALL_getopt] = state_getopt,
	[CALL_setcpid] = state_setcpid,
	[CALL_setopt] = state_setopt,
	[CALL_setproctitle] = state_setproctitle,
	[CALL_setrlimit] = state_setrlimit,
	[CALL_sigaction] = state_sigaction,
	[CALL_waitpid] = state_waitpid,
};

/* What may take long, or does not come back: whoever waits for an answer that was given gets it before. */
static const bool may_block[CALLS] = {
	[CALL_connect] = true, [CALL_execve] = true,  [CALL_execvp] = true,  [CALL_exit] = true,
	[CALL_fcntl] = true,   [CALL_fexecve] = true, [CALL_ioctl] = true,   [CALL_open] = true,
	[CALL_read] = true,    [CALL_select] = true,  [CALL_waitpid] = true, [CALL_write] = true,
};

static bool takes_long(unsigned number, const struct arg *a)
{
	if (number != CALL_kill)
		return may_block[number];
	/* It may be for us. */
	return a[0].i == 0 || a[0].i == -1 || a[0].i == getpid() || a[0].i == -getpgrp();
}

/* Decoded arguments.  A seccomp filter may forbid to ask for memory, so it is here from the beginning. */
static _Alignas(16) char arguments[PORT_MEMORY];
static unsigned char answer[HEAD_PLAIN + FRAME_MAX];

static enum handled perform(struct port *p, unsigned number, struct term_in *in, struct buf *reply)
{
	const struct call *c = call_by_number(number);
	struct arena mem = { arguments, arguments + sizeof(arguments) };
	struct arg arg[CALL_ARGS_MAX] = { 0 };
	bool forks = number == CALL_fork || number == CALL_clone;
	struct term_in ahead = *in;

	/* Between the number of arguments and what they are. */
	if (forks && !fork_allowed(p) && c->here && term_in_tuple(&ahead, c->argc) == 0) {
		reply_error(reply, EAGAIN);
		return HANDLED;
	}
	if (port_decode(c, in, arg, &mem, reply) < 0)
		return HANDLED;
	if (output_waits() && takes_long(number, arg) && output_drain() < 0)
		port_end(p, EPIPE);
	if (forks)
		return fork_child(p, number == CALL_clone ? arg[0].i : 0, reply);
	else if (state_call[number] != NULL)
		state_call[number](p, arg, reply);
	else
		port_perform(c, arg, reply);
	low_called(p, number, arg, reply);
	/* The user may write between our frames, and count on being understood. */
	if (number == CALL_write && arg[0].i == FD_OUT && reply_number(reply) > 0)
		p->said += (uint64_t)reply_number(reply);
	return HANDLED;
}

static enum handled answer_to(struct port *p, const unsigned char *body, size_t len, struct buf *reply)
{
	unsigned number = get16(body);
	struct term_in in;

	term_in_init(&in, body + 2, len - 2);
	if (number >= CALLS)
		reply_atom(reply, "badarg");
	else if (filter_denies(p, number))
		reply_atom(reply, "undef");
	else if (term_in_version(&in) < 0)
		reply_atom(reply, "badarg");
	else
		return perform(p, number, &in, reply);
	return HANDLED;
}

enum handled request_call(struct port *p, const unsigned char *body, size_t len)
{
	struct buf reply;

	buf_init_fixed(&reply, answer + HEAD_PLAIN, output_room(p));
	if (answer_to(p, body, len, &reply) == BECAME_CHILD)
		return BECAME_CHILD;
	if (reply.err != 0) {
		/* It does not fit into a frame. */
		buf_init_fixed(&reply, answer + HEAD_PLAIN, output_room(p));
		reply_atom(&reply, "badarg");
	}
	head_out(answer, FRAME_CALL, reply.len);
	int r = output_write(p, &(struct iovec){ answer, HEAD_PLAIN + reply.len }, 1);
	if (r < 0)
		port_end(p, -r);
	return HANDLED;
}
