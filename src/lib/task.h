/* SPDX-License-Identifier: ISC */
/*
 * Tasks, in the library:
 *   task.c        roots, forks, and what tasks are to each other
 *   task_call.c   one call
 *   task_exec.c   programs
 *   task_news.c   what tasks say by themselves, and their ends
 *   task_do.c     several calls at once
 *   task_value.c  values as terms, and back: what a task sends may be anything
 *
 * Each task has its own socket.  While a call is made, its caller reads it; otherwise whoever waits for
 * events does, by a second epoll set (${talk} of the handle), which is in the first one.
 */
#ifndef LIB_TASK_H
#define LIB_TASK_H

#include "internal.h"

/* PID namespaces that a process can be in (the kernel's limit, and the first one). */
#define SPACES_MAX 33
/* News of one task that wait to be read; more of them collapse. */
#define NEWS_MAX 64

struct reply {
	bool done;
	int err, argument;
	char text[120];
	carrel_value *value;
	int fd;			/* that came with it, or -1 */
};

struct carrel_task {
	carrel_proc *p;
	carrel_task *root;	/* NULL: it was freed, and everything has ended */
	carrel_task *parent;
	carrel_task *first, *next; /* children, siblings */
	carrel_task_state state;
	int socket;		/* or -1 */
	int pidfd;		/* or -1: a root's; or the task has ended */
	pid_t number;		/* as its parent knows it */
	pid_t space[SPACES_MAX]; /* its number in each of its PID namespaces, from ours on */
	int n_spaces;
	bool watched, watched_end; /* its socket, its pidfd are in the set */
	bool stopping, lost;	/* we ended it; it ended because its parent did */
	bool killed;		/* all below it, too, was told to go */
	bool detached;
	int64_t ended_us;	/* the pidfd said that it ended, and nobody has said how: since then; or 0 */
	int64_t reaped_us;	/* ... and somebody waited for it: since then; or 0 */
	unsigned news;		/* events of it that are queued */
	/* The call that is being made. */
	bool busy;
	uint32_t call;
	struct reply reply;
	bool executing;		/* ... it is one that ends with the connection, when it succeeds */
	bool closed;		/* the connection has ended */
	int64_t began_us;
	int deadline_ms;	/* of calls that have none of their own; 0: none */
	unsigned users;		/* threads that make calls in it, or wait for their turn */
	bool freed;		/* ... while there were: the last of them frees it */
};

/* task_value.c */
/* value_term_out(b, v): ${v} as a term.  0, or -EINVAL. */
int value_term_out(struct buf *b, const carrel_value *v);
/* value_term_in(in, ret): one term as a value, in one allocation.  0, or -EBADMSG, -ENOMEM. */
int value_term_in(struct term_in *in, carrel_value **ret);

/* task_reply.c: what a task says, without any effect but on what is returned */
/* reply_in(in, ret): behind the version of a REPLY.  0, or -EBADMSG, -ENOMEM. */
int reply_in(struct term_in *in, struct reply *ret);
/* signalled_in(in, ret_sig, ret_info): of a SIGNALLED. */
int signalled_in(struct term_in *in, int *ret_sig, struct slice *ret_info);
/* child_in(in, ret_pid, ret_status, st): of a CHILD or an ORPHAN; the usage in ${st}. */
int child_in(struct term_in *in, pid_t *ret_pid, int *ret_status, carrel_status *st);

/* task_call.c */
/* What goes with a call. */
struct calling {
	enum call_number number;
	const char *what;	/* for sentences */
	struct buf args;	/* the tuple */
	const int *fds;
	size_t n_fds;
	int deadline_ms;
};
/* task_make(t, m, ret, e): make the call, with the lock held: 0 with the reply, or -1.  1: the connection ended, which
 * is how an execution that succeeded looks. */
int task_make(carrel_task *t, struct calling *m, struct reply *ret, carrel_error *e);
/* task_closed(m, e): what the end of the connection means for the call: 0, or -1 with EPIPE. */
int task_closed(const struct calling *m, carrel_error *e);
/* task_use(t), task_unuse(t): with the lock held: it is not freed in between. */
void task_use(carrel_task *t);
void task_unuse(carrel_task *t);
/* task_make_unlocked(t, m, ret, e): the same for who does not have the lock. */
int task_make_unlocked(carrel_task *t, struct calling *m, struct reply *ret, carrel_error *e);
/* calling_init(m, number): without arguments so far; calling_finish(m). */
void calling_init(struct calling *m, enum call_number number, uint32_t n_args);
void calling_finish(struct calling *m);

/* task_news.c; all with the lock held */
/* tasks_read(c): take what tasks have said, without waiting. */
void tasks_read(carrel *c);
/* tasks_timeout(c, timeout_ms): how long to wait at most before tasks_read(). */
int tasks_timeout(const carrel *c, int timeout_ms);
/* task_read(t): take what ${t} has said.  True when there may be more. */
bool task_read(carrel_task *t);
/* task_watch(t), task_watch_end(t): have the handle wait for its socket; for its end. */
int task_watch(carrel_task *t);
void task_watch_end(carrel_task *t);
void task_unwatch(carrel_task *t);
/* task_hang_up(t): close the socket, also for those that the host forked and that have a copy. */
void task_hang_up(carrel_task *t);
/* task_disconnect(t): no more calls. */
void task_disconnect(carrel_task *t);
/* task_orphan(root, in): the control process said ORPHAN.  0 or -EBADMSG. */
int task_orphan(carrel_task *root, struct term_in *in);
/* task_started(t): a root begins to wait for calls.  0 or -errno. */
int task_started(carrel_task *t);
/* task_release(t): nobody wants to know of it any more: end it, unless it was detached. */
void task_release(carrel_task *t);
/* task_ended(t): its proc is gone. */
void task_ended(carrel_task *t);
/* tasks_end(root): the tree is empty: so are those of its tasks whose end nobody told. */
void tasks_end(carrel_task *root);
/* task_order(t, what, step, n): tell the control process to signal or stop a task that is no root. */
int task_order(carrel_task *t, const char *what, const struct step *step, int n);
/* task_is_root(t) */
static inline bool task_is_root(const carrel_task *t)
{
	return t->root == t;
}

/* task.c */
/* task_free(t): its proc is freed. */
void task_free(carrel_task *t);
/* task_fork(t, f, captured, e): as carrel_task_fork(); ${captured}: for run_to_end(). */
carrel_task *task_fork(carrel_task *t, const carrel_fork *f, bool captured, carrel_error *e);
/* task_is_being_killed(t): all below it was told to go already. */
bool task_is_being_killed(const carrel_task *t);
/* task_spaces(path, ret): the numbers of a process in its PID namespaces, by the line NSpid of a file in /proc.  How many,
 * or -errno. */
int task_spaces(const char *path, pid_t ret[SPACES_MAX]);

#endif
