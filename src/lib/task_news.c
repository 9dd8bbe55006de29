/* SPDX-License-Identifier: ISC */
/*
 * What tasks say by themselves, and how they end.
 *
 * The end of a task is told by its parent, as long as that waits for calls; else by the stream's reaper, whose
 * child it becomes; else nobody may: it is a child of somebody who executed a program, or of the first process of
 * a PID namespace.  Then its pidfd says that it has ended, and newer kernels how.  What is told is believed
 * when the pidfd says so too, so each end is told once, whoever else speaks of it.
 */
#include "task.h"

#include "clock.h"
#include "fd.h"
#include "sys.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* How long somebody who has waited for a task may take to tell it. */
#define TELL_US 500000
/* How often it is looked whether somebody did. */
#define LOOK_MS 20
/* Messages of one task that are taken at a time. */
#define TURN 16
#define BATCH 32

enum { TALK_SOCKET, TALK_END };

static int watch(carrel_task *t, int op, int fd, int what)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = watch_token(t->p->id, what) };

	return epoll_ctl(t->p->c->talk, op, fd, &ev) == -1 ? -errno : 0;
}

int task_watch(carrel_task *t)
{
	if (t->watched || t->socket < 0)
		return 0;
	int r = watch(t, EPOLL_CTL_ADD, t->socket, TALK_SOCKET);
	t->watched = r == 0;
	return r;
}

void task_unwatch(carrel_task *t)
{
	if (t->watched)
		watch(t, EPOLL_CTL_DEL, t->socket, TALK_SOCKET);
	t->watched = false;
}

static void unwatch_end(carrel_task *t)
{
	if (t->watched_end)
		watch(t, EPOLL_CTL_DEL, t->pidfd, TALK_END);
	t->watched_end = false;
}

void task_watch_end(carrel_task *t)
{
	if (t->watched_end || t->pidfd < 0 || t->ended_us != 0)
		return;
	t->watched_end = watch(t, EPOLL_CTL_ADD, t->pidfd, TALK_END) == 0;
}

static void watch_ends_below(carrel_task *t)
{
	for (carrel_task *child = t->first; child != NULL; child = child->next)
		task_watch_end(child);
}

void task_hang_up(carrel_task *t)
{
	if (t->socket >= 0)
		shutdown(t->socket, SHUT_RDWR);
	/* A caller has it in a poll. */
	if (!t->busy)
		t->socket = fd_close(t->socket);
}

void task_disconnect(carrel_task *t)
{
	task_unwatch(t);
	task_hang_up(t);
	if (t->state == CARREL_TASK_CALLS)
		t->state = t->executing ? CARREL_TASK_EXECUTED : CARREL_TASK_ENDED;
	watch_ends_below(t);
}

static bool has_ended(const carrel_task *t)
{
	struct pollfd p = { .fd = t->pidfd, .events = POLLIN };

	return t->pidfd >= 0 && poll(&p, 1, 0) == 1;
}

static void decided(carrel_task *t)
{
	if (t->ended_us != 0)
		t->p->c->undecided--;
	t->ended_us = 0;
}

/* The end of a task that is no root, once. */
static void end(carrel_task *t, int status, const carrel_status *usage)
{
	carrel_proc *p = t->p;

	if (p->gone)
		return;
	if (usage != NULL)
		p->status = *usage;
	if (status >= 0)
		channel_status(&p->status, status);
	p->status.cause = t->lost ? CARREL_BY_LOSS
			  : t->stopping || (t->root != NULL && t->root->stopping) ? CARREL_BY_STOP : CARREL_BY_ITSELF;
	p->status.wall_us = (uint64_t)(clock_now_us() - t->began_us);
	proc_gone(p->c, p);
}

/* Nobody says how: what the kernel knows, or nothing. */
static void end_unknown(carrel_task *t)
{
	int status;

	end(t, t->pidfd >= 0 && sys_pidfd_status(t->pidfd, &status) == 0 ? status : -1, NULL);
}

void task_ended(carrel_task *t)
{
	carrel_task *next;

	decided(t);
	unwatch_end(t);
	t->pidfd = fd_close(t->pidfd);
	task_disconnect(t);
	t->state = CARREL_TASK_ENDED;
	/* What it was the parent of is not left to itself. */
	for (carrel_task *child = t->first; child != NULL; child = next) {
		next = child->next;
		if (child->p->gone || child->detached)
			continue;
		child->lost = !child->stopping;
		if (!t->killed && !task_is_being_killed(t->parent))
			task_order(child, "stop", NULL, 0);
	}
}

void tasks_end(carrel_task *root)
{
	carrel *c = root->p->c;
	carrel_proc *p;

	root->killed = true;
	for (size_t i = 0; (p = map_each(&c->procs, &i)) != NULL;) {
		carrel_task *t = p->task;

		if (t == NULL || t == root || t->root != root || p->gone)
			continue;
		bool freed = p->released;
		t->lost |= !root->stopping;
		end_unknown(t);
		/* One that leaves the map moves others. */
		if (freed)
			i = 0;
	}
}

/* ------------------------------------------------------------------ news --- */

static void queue(carrel_task *t, carrel_event_kind kind, int sig, struct slice data)
{
	/* One that says more than is read shall not fill our memory. */
	if (t->news >= NEWS_MAX || t->p->released || t->p->captured)
		return;
	t->news++;
	event_queue(t->p->c, kind, t->p, sig, data.data, data.len);
}

static void changed(carrel_task *t, int status, const carrel_status *usage)
{
	const struct slice none = { NULL, 0 };

	if (t->p->gone)
		return;
	if (WIFSTOPPED(status)) {
		if (!t->stopping)
			queue(t, CARREL_STOPPED, WSTOPSIG(status), none);
	} else if (WIFCONTINUED(status)) {
		if (!t->stopping)
			queue(t, CARREL_CONTINUED, 0, none);
	} else if (has_ended(t)) {
		end(t, status, usage);
	}
}

/* The child of ${t} with that number; or somebody below who became its child. */
static carrel_task *child_of(carrel_task *t, pid_t number)
{
	carrel_proc *p;

	for (carrel_task *child = t->first; child != NULL; child = child->next) {
		if (child->number == number && !child->p->gone)
			return child;
	}
	for (size_t i = 0; t->n_spaces > 0 && (p = map_each(&t->p->c->procs, &i)) != NULL;) {
		carrel_task *other = p->task;

		if (other != NULL && other->root == t->root && other->n_spaces >= t->n_spaces && !p->gone &&
		    other->space[t->n_spaces - 1] == number && (other->parent == NULL || other->parent->state != CARREL_TASK_CALLS))
			return other;
	}
	return NULL;
}

int task_orphan(carrel_task *root, struct term_in *in)
{
	carrel_status usage = { 0 };
	int status;
	pid_t pid;

	if (child_in(in, &pid, &status, &usage) < 0)
		return -EBADMSG;
	carrel_task *t = child_of(root, pid);
	if (t != NULL && t != root)
		changed(t, status, &usage);
	return 0;
}

static int on_child(carrel_task *t, struct term_in *in)
{
	return task_orphan(t, in);
}

static int on_signalled(carrel_task *t, struct term_in *in)
{
	struct slice info;
	int sig;

	if (signalled_in(in, &sig, &info) < 0)
		return -EBADMSG;
	queue(t, CARREL_SIGNAL, sig, info);
	return 0;
}

static int on_reply(carrel_task *t, struct term_in *in, struct inbox *box)
{
	/* The answer to a call that nobody waits for any more. */
	if (!t->busy || t->reply.done || box->head.id != t->call)
		return 0;
	int r = reply_in(in, &t->reply);
	if (r == 0 && box->n_fds == 1)
		t->reply.fd = fd_take(&box->fd[0]);
	return r;
}

static int on_message(carrel_task *t, struct inbox *box)
{
	struct term_in in;

	term_in_init(&in, box->body, box->head.body_len);
	if (term_in_version(&in) < 0)
		return -EBADMSG;
	switch (box->head.type) {
	case MSG_REPLY:
		return on_reply(t, &in, box);
	case MSG_SIGNALLED:
		return on_signalled(t, &in);
	case MSG_CHILD:
		return on_child(t, &in);
	default:
		return -EBADMSG;
	}
}

/* It sends what no task of ours does: it is not one any more. */
static void broken(carrel_task *t, int err)
{
	debug(t->p->c, "task %d sent what is no message", t->p->pid);
	if (!t->reply.done && t->busy) {
		t->reply.done = true;
		t->reply.err = err;
	}
	task_disconnect(t);
	t->lost = true;
	task_order(t, "stop", NULL, 0);
}

bool task_read(carrel_task *t)
{
	struct inbox *box = t->p->c->inbox;

	for (int i = 0; i < TURN && t->socket >= 0; i++) {
		int r = link_recv(t->socket, box, false);

		if (r == -EAGAIN)
			return false;
		if (r == 1) {
			debug(t->p->c, "< %s %u of task %d, %u bytes", message_name(box->head.type), box->head.id, t->p->pid,
			      box->head.body_len);
			r = on_message(t, box);
			if (r == 0 && box->head.type != MSG_REPLY)
				channel_wake(t->p->c);
			link_release(box);
			if (r == 0)
				continue;
		}
		if (r == 0) {
			/* It executed a program, or is no more. */
			t->closed = true;
			task_disconnect(t);
			channel_wake(t->p->c);
		} else {
			broken(t, r == -EBADMSG || r == -EMSGSIZE ? EPROTO : -r);
		}
		return false;
	}
	return t->socket >= 0;
}

static carrel_task *task_of(const carrel *c, uint64_t token)
{
	carrel_proc *p = map_get(&c->procs, (uint32_t)(token >> 8));

	return p != NULL ? p->task : NULL;
}

/* The pidfd is ready without end from now on. */
static void on_end(carrel_task *t)
{
	unwatch_end(t);
	if (t->p->gone || t->ended_us != 0)
		return;
	t->ended_us = clock_now_us();
	t->p->c->undecided++;
}

/* Those that have ended, and nobody said how. */
static void look_at_undecided(carrel *c)
{
	int64_t now = clock_now_us();
	carrel_proc *p;

	for (size_t i = 0; c->undecided > 0 && (p = map_each(&c->procs, &i)) != NULL;) {
		carrel_task *t = p->task;

		if (t == NULL || t->ended_us == 0)
			continue;
		/* Not waited for yet: whoever does that tells it. */
		if (t->reaped_us == 0 && sys_pidfd_signal(t->pidfd, 0) == -ESRCH)
			t->reaped_us = now;
		if (t->reaped_us == 0 || now - t->reaped_us < TELL_US)
			continue;
		bool freed = p->released;
		end_unknown(t);
		if (freed)
			i = 0;
	}
}

int tasks_timeout(const carrel *c, int timeout_ms)
{
	return c->undecided > 0 && (timeout_ms < 0 || timeout_ms > LOOK_MS) ? LOOK_MS : timeout_ms;
}

void tasks_read(carrel *c)
{
	struct epoll_event events[BATCH];
	int n = epoll_wait(c->talk, events, BATCH, 0);

	for (int i = 0; i < n; i++) {
		carrel_task *t = task_of(c, events[i].data.u64);

		if (t == NULL)
			continue;
		if ((events[i].data.u64 & 0xff) == TALK_END)
			on_end(t);
		else if (t->busy)
			/* Its caller reads. */
			task_unwatch(t);
		else
			task_read(t);
	}
	if (c->undecided > 0)
		look_at_undecided(c);
}

/* ---------------------------------------------------------------- orders --- */

int task_order(carrel_task *t, const char *what, const struct step *step, int n)
{
	unsigned char mem[256];
	struct buf b;

	if (t->p->gone)
		return -ESRCH;
	if (task_is_root(t)) {
		buf_init_fixed(&b, mem, sizeof(mem));
		term_out_version(&b);
		term_out_nil(&b);
		return channel_send(t->p->c, MSG_KILL, t->p->id, &b, NULL, 0) < 0 ? -EPIPE : 0;
	}
	if (t->root == NULL || t->root->p->gone || t->pidfd < 0)
		return -ESRCH;
	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_tuple(&b, 3);
	term_out_int(&b, t->p->pid);
	term_out_atom(&b, what);
	steps_out(&b, step, n);
	return channel_send(t->p->c, MSG_BRANCH, t->root->p->id, &b, &t->pidfd, 1) < 0 ? -EPIPE : 0;
}
