/* SPDX-License-Identifier: ISC */
/*
 * The task door: a process that waits for calls on its own socket to the host.
 *
 *   serve.c    begin, wait for a call, answer it
 *   perform.c  decode, find who does it, write the answer
 *   state.c    calls about what the task itself is: options, denied calls, descriptors, its end
 *   fork.c     new tasks
 *   exec.c     programs, and itself anew
 *   signals.c  signals, the ends of children, and calls that wait too long
 *
 * Tasks made from this one have sockets of their own, so nothing of them passes here: only their ends,
 * because this is their parent.  One call is made at a time.  What a signal handler does (tell of a signal or
 * of a child, interrupt a call) is whole datagrams, so that it needs nothing of what it interrupted.
 */
#ifndef CONTROL_SERVE_SERVE_H
#define CONTROL_SERVE_SERVE_H

#include "calls/calls.h"
#include "link.h"
#include "sys.h"

#include <signal.h>

/* Descriptors of ours, which no call may name. */
enum { PRIVATE_SOCKET, PRIVATE_EXE, PRIVATE_COUNT };

/* What survives an execution of itself; both sides are one image. */
struct serve_kept {
	int private[PRIVATE_COUNT];	/* PRIVATE_EXE: the control process's file, or -1 */
	uint32_t depth;			/* 0: the root */
	uint32_t max_depth, max_children;
	unsigned char denied[CALL_BITS], denied_below[CALL_BITS];
	bool child_info;		/* the user waits for children, not we */
	unsigned char mode[NSIG];	/* enum arg_handler, of each signal */
	uint32_t reexec_call;		/* ... and the call that did it, which is still to be answered */
};

struct serve {
	struct serve_kept k;
	/* Changed with all signals blocked, or by a handler. */
	pid_t *child;
	uint32_t n_children, cap_children;
	uint32_t call;			/* number of the message in hand */
	struct inbox inbox;
	struct arena arguments, values;	/* memory for both, empty */
};

/* What came of a call. */
struct answer {
	int64_t n;		/* the number, or 0; or -errno */
	int argument;		/* EINVAL...: the argument that was wrong, from 1; or 0 */
	const char *text;	/* a sentence about an error, or NULL */
	struct result result;	/* of calls that answer values */
	bool values;		/* ... which this was */
	int fd;			/* goes with the answer and is closed then, or -1 */
	bool became_child;	/* there is nothing to answer: this is another process */
	bool masked;		/* all signals are blocked until it was told; then this is the mask */
	sigset_t mask;
};

/* The control process is a program of its own, which can be executed anew; no part of another. */
extern bool serve_is_program;

/* serve_begin(a, proc): the operation serve with its arguments, in a process where nothing else runs; ${proc} is
 * /proc.  Returns -errno if it cannot be. */
int64_t serve_begin(const struct arg *a, int proc);

/* serve_again(kept): after reexec, with the descriptor of its state. */
_Noreturn void serve_again(int kept);

/* serve_tell(s, type, id, body, fd): a message to the host, with a descriptor unless it is -1; without waiting
 * when ${wait} is false.  Safe in handlers.  0 or -errno. */
int serve_tell(const struct serve *s, enum message_type type, uint32_t id, const struct buf *body, int fd, bool wait);

/* serve_perform(s, in, ans): make the call that the message in hand, behind its version, asks for. */
void serve_perform(struct serve *s, struct term_in *in, const struct call **ret_call, struct arg *arg,
		   struct answer *ans);

/* serve_result_out(b, call, arg, ans): the term of a successful answer. */
void serve_result_out(struct buf *b, const struct call *call, const struct arg *arg, const struct answer *ans);

/* Calls that are done here. */
typedef void serve_fn(struct serve *s, const struct arg *a, struct answer *ans);
serve_fn serve_clone, serve_close_range, serve_cpid, serve_deny_calls, serve_dup_fds, serve_exec, serve_execve,
	serve_execvp, serve_exit, serve_fexecve, serve_filter, serve_fork, serve_getopt, serve_receive_fd,
	serve_reexec, serve_reset_signals, serve_send_fd, serve_setopt, serve_setproctitle, serve_sigaction,
	serve_waitpid;

/* serve_denies(s, number): the call is denied. */
bool serve_denies(const struct serve *s, unsigned number);

/* serve_is_private(s, fd): it is a descriptor of ours. */
bool serve_is_private(const struct serve *s, int64_t fd);

/* serve_move_private(s): our descriptors away from the numbers that calls give out.  Where that cannot be, they stay. */
void serve_move_private(struct serve *s);

/* ------------------------------------------------------------- signals --- */

/* signals_begin(s): handlers for what we want to know, SIGPIPE in mode info, everything else at its default. */
void signals_begin(struct serve *s);

/* signals_resume(s): the same after an execution, with the modes as they were. */
void signals_resume(struct serve *s);

/* signals_child(s): in a new task: what was caught is the parent's. */
void signals_child(struct serve *s);

void signals_block(sigset_t *old);
void signals_restore(const sigset_t *old);

/* signals_may_wait(s): what comes from now on interrupts a call; signals_waited(s): no longer. */
void signals_may_wait(struct serve *s);
void signals_waited(struct serve *s);

/* signals_interrupted(): the call was interrupted by a message. */
bool signals_interrupted(void);

/* signals_forget_socket(): it may be another descriptor from now on. */
void signals_forget_socket(void);

/* signals_tell_child(s, pid, status): a child ended by waitpid.  */
void signals_tell_child(struct serve *s, pid_t pid, int status);

/* signals_look(s): tell of the children that changed. */
void signals_look(struct serve *s);

/* children_add(s, pid), children_reserve(s), children_remove(s, pid): with signals blocked. */
int children_reserve(struct serve *s);
void children_add(struct serve *s, pid_t pid);
void children_remove(struct serve *s, pid_t pid);

#endif
