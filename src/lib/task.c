/* SPDX-License-Identifier: ISC */
/* Tasks: how they begin, and what they are to each other. */
#include "task.h"

#include "clock.h"
#include "fd.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of what executes nothing. */
static const char *const task_name[] = { "carrel:task", NULL };

static carrel_task *allocate(carrel_error *e)
{
	carrel_task *t = malloc(sizeof(*t));

	if (t == NULL)
		error_set(e, CARREL_STAGE_FORK, ENOMEM, -1, "no memory for a task");
	else
		*t = (carrel_task){ .socket = -1, .pidfd = -1, .state = CARREL_TASK_CALLS, .reply.fd = -1,
				    .began_us = clock_now_us() };
	return t;
}

/* ----------------------------------------------------------------- roots --- */

int task_spaces(const char *path, pid_t ret[SPACES_MAX])
{
	char text[4096], *at;
	int n = 0;

	ssize_t len = fd_read_file(AT_FDCWD, path, text, sizeof(text));
	if (len < 0)
		return (int)len;
	at = strstr(text, "\nNSpid:");
	if (at == NULL)
		return -EBADF;
	for (at += 7; n < SPACES_MAX && (*at == '\t' || *at == ' '); n++) {
		long pid = strtol(at, &at, 10);

		if (pid <= 0)
			break;
		ret[n] = (pid_t)pid;
	}
	return n;
}

int task_started(carrel_task *t)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/status", t->p->pid);
	t->n_spaces = task_spaces(path, t->space);
	if (t->n_spaces < 0)
		t->n_spaces = 0;
	/* Both come from the same supervisor, so nobody can be in between who reads the pipes. */
	int r = watch_talk(t->p->c);
	return r < 0 ? r : task_watch(t);
}

EXPORT carrel_task *carrel_task_open(carrel *c, const carrel_spec *s, carrel_error *e)
{
	carrel_spec full = { 0 };

	if (s != NULL && (s->size < sizeof(size_t) || s->size > sizeof(full))) {
		error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "carrel_spec.size must be sizeof(carrel_spec); use CARREL_SPEC()");
		return NULL;
	}
	if (s != NULL)
		memcpy(&full, s, s->size);
	full.size = sizeof(full);
	if (full.argv == NULL && full.shell == NULL && full.ops == NULL)
		full.argv = task_name;
	if (full.shell != NULL || full.path != NULL) {
		error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "a task executes nothing when it begins: .shell and .path must be NULL");
		return NULL;
	}
	if (full.on_exit == CARREL_EXIT_KEEP_TREE) {
		error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "on_exit is CARREL_EXIT_KEEP_TREE: a tree of tasks ends with its root");
		return NULL;
	}
	carrel_task *t = allocate(e);
	if (t == NULL)
		return NULL;
	t->root = t;
	carrel_task *ours = t;
	carrel_proc *p = spawn_task(c, &full, &ours, e);
	int err = errno;
	free(ours);
	errno = err;
	return p != NULL ? t : NULL;
}

/* ----------------------------------------------------------------- forks --- */

static int check_fork(const carrel_fork *f, carrel_fork *ret, carrel_spec *streams, carrel_error *e)
{
	carrel_fork full = { 0 };

	if (f != NULL && (f->size < sizeof(size_t) || f->size > sizeof(full)))
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "carrel_fork.size must be sizeof(carrel_fork)");
	if (f != NULL)
		memcpy(&full, f, f->size);
	*streams = (carrel_spec){ .size = sizeof(*streams), .in = full.in, .out = full.out, .err = full.err,
				  .framing = full.framing, .max_line = full.max_line, .user = full.user,
				  .argv = task_name };
	carrel_io *io[] = { &streams->in, &streams->out, &streams->err };
	for (int i = 0; i < 3; i++) {
		if (io[i]->kind == CARREL_DEFAULT)
			io[i]->kind = CARREL_PIPE;
		if (io[i]->kind == CARREL_PTY || io[i]->kind == CARREL_FEED)
			return error_set(e, CARREL_STAGE_ARGS, EINVAL, i,
					 "a forked task has no terminal or feed of its own: a pipe, a file or a descriptor");
	}
	if (full.into_cgroup && (full.cgroup < 0 || fcntl(full.cgroup, F_GETFD) == -1))
		return error_set(e, CARREL_STAGE_FDS, EBADF, -1, "cgroup: descriptor %d is not open", full.cgroup);
	*ret = full;
	const carrel_spec given = *streams;
	return spec_check(&given, streams, e);
}

/* Whether the process that ${fd} holds is what a fork of ${t} made; who lies about it could only have us end it. */
static int look(carrel_task *parent, carrel_task *t, pid_t number)
{
	char path[48], text[512], *at;
	int ppid;

	t->number = number;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", t->pidfd);
	t->n_spaces = task_spaces(path, t->space);
	if (t->n_spaces < 0)
		return -EPROTO;
	/* It has ended, and its parent has waited for it already. */
	if (t->n_spaces == 0)
		return 0;
	if (parent->n_spaces > 0 && (t->n_spaces < parent->n_spaces || t->space[parent->n_spaces - 1] != number))
		return -EPROTO;
	snprintf(path, sizeof(path), "/proc/%d/stat", t->space[0]);
	ssize_t n = fd_read_file(AT_FDCWD, path, text, sizeof(text));
	/* Unless it is there no more, the number was its own while we looked. */
	if (sys_pidfd_signal(t->pidfd, 0) == -ESRCH)
		return 0;
	at = n > 0 ? strrchr(text, ')') : NULL;
	if (at == NULL || sscanf(at + 1, " %*c %d", &ppid) != 1)
		return 0;
	return ppid == parent->p->pid || parent->state != CARREL_TASK_CALLS ? 0 : -EPROTO;
}

static void link_child(carrel_task *parent, carrel_task *t)
{
	t->parent = parent;
	t->root = parent->root;
	t->deadline_ms = parent->deadline_ms;
	t->next = parent->first;
	parent->first = t;
}

/* A task that is there from now on, with its events. */
static int begin(carrel_task *parent, carrel_task *t, pid_t number, bool captured)
{
	carrel *c = t->p->c;
	int r = look(parent, t, number);

	if (r < 0)
		return r;
	/* Its end was told already, with everybody's. */
	if (c->lost || parent->root == NULL || parent->root->p->gone)
		return -EPIPE;
	t->p->pid = t->n_spaces > 0 ? t->space[0] : number;
	t->p->captured = captured;
	t->p->answered = true;
	link_child(parent, t);
	r = task_watch(t);
	if (r == 0 && !captured) {
		c->live++;
		r = proc_watch(t->p);
		if (r < 0)
			c->live--;
	}
	/* Whoever would tell its end does not any more. */
	if (r == 0 && parent->state != CARREL_TASK_CALLS)
		task_watch_end(t);
	return r;
}

static void unlink_child(carrel_task *t)
{
	carrel_task **at;

	if (t->parent == NULL)
		return;
	for (at = &t->parent->first; *at != t; at = &(*at)->next)
		continue;
	*at = t->next;
	t->parent = NULL;
}

void task_free(carrel_task *t)
{
	carrel *c = t->p->c;
	carrel_proc *p;

	unlink_child(t);
	while (t->first != NULL) {
		carrel_task *child = t->first;

		t->first = child->next;
		child->parent = child->next = NULL;
	}
	for (size_t i = 0; task_is_root(t) && (p = map_each(&c->procs, &i)) != NULL;) {
		if (p->task != NULL && p->task->root == t)
			p->task->root = NULL;
	}
	if (t->ended_us != 0)
		c->undecided--;
	task_hang_up(t);
	fd_close(t->pidfd);
	fd_close(t->reply.fd);
	carrel_value_free(t->reply.value);
	free(t);
}

/* The call; the new process has its ends of everything when it returns. */
static int make_child(carrel_task *parent, carrel_task *t, const carrel_fork *f, struct request *r, carrel_error *e)
{
	struct calling m;
	struct reply reply;
	int pair[2];
	int err = sys_socketpair(pair);

	if (err < 0)
		return error_set(e, CARREL_STAGE_CHANNEL, -err, -1, "cannot make a socket pair: %s", strerror(-err));
	int fds[5] = { pair[1], r->fds[0], r->fds[1], r->fds[2], f->cgroup };
	t->socket = pair[0];
	calling_init(&m, f->namespaces != 0 ? CALL_clone : CALL_fork, f->namespaces != 0);
	if (f->namespaces != 0)
		value_term_out(&m.args, &CARREL_VALUE_INT(f->namespaces));
	m.fds = fds;
	m.n_fds = f->into_cgroup ? 5 : 4;
	int made = task_make(parent, &m, &reply, e);
	close(pair[1]);
	calling_finish(&m);
	if (made == 1)
		made = task_closed(&m, e);
	t->pidfd = reply.fd;
	const carrel_value *v = reply.value;
	pid_t number = made == 0 && v != NULL && v->kind == CARREL_INT && v->number > 0 && v->number <= INT32_MAX
			       ? (pid_t)v->number : 0;
	carrel_value_free(reply.value);
	if (made < 0)
		return -1;
	if (number == 0 || t->pidfd < 0)
		return error_set(e, CARREL_STAGE_CHANNEL, EPROTO, -1, "fork: task %d answered with what is no task", parent->p->pid);
	return number;
}

static carrel_task *fork_locked(carrel_task *parent, const carrel_fork *f, const carrel_spec *s, bool captured,
				struct request *r, carrel_error *e)
{
	carrel *c = parent->p->c;
	carrel_task *t = allocate(e);
	carrel_proc *p = t != NULL ? proc_create(c, s, e) : NULL;

	if (p == NULL) {
		free(t);
		return NULL;
	}
	t->p = p;
	p->task = t;
	proc_adopt(p, r);
	/* The parent may be released while the lock is not held. */
	task_use(parent);
	int number = make_child(parent, t, f, r, e);
	for (size_t i = 0; i < r->n_close; i++)
		r->close_after[i] = fd_close(r->close_after[i]);
	int err = number < 0 ? 0 : begin(parent, t, number, captured);
	if (err < 0)
		error_set(e, CARREL_STAGE_CHANNEL, -err, -1, "fork: task %d answered with what is no child of it: %s", parent->p->pid,
			  strerror(-err));
	const bool made = number >= 0 && err == 0;
	err = errno;
	task_unuse(parent);
	/* Without its socket the new process ends. */
	if (!made)
		proc_free(p);
	errno = err;
	return made ? t : NULL;
}

carrel_task *task_fork(carrel_task *t, const carrel_fork *f, bool captured, carrel_error *e)
{
	carrel_task *child = NULL;
	carrel_fork full = { 0 };
	carrel_spec s;
	struct request r;

	if (t == NULL) {
		error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "t is NULL: there is no task");
		return NULL;
	}
	if (check_fork(f, &full, &s, e) < 0)
		return NULL;
	carrel *c = t->p->c;
	request_init(&r);
	if (request_streams(c, &s, &r, e) == 0 && enter(c) == 0) {
		child = fork_locked(t, &full, &s, captured, &r, e);
		int err = errno;
		leave(c);
		errno = err;
	}
	int err = errno;
	request_finish(&r);
	errno = err;
	return child;
}

EXPORT carrel_task *carrel_task_fork(carrel_task *t, const carrel_fork *f, carrel_error *e)
{
	return task_fork(t, f, false, e);
}

EXPORT int carrel_task_chain(carrel_task *t, const carrel_fork *f, carrel_task **v, size_t n, carrel_error *e)
{
	for (size_t i = 0; i < n; i++) {
		v[i] = carrel_task_fork(i == 0 ? t : v[i - 1], f, e);
		if (v[i] != NULL)
			continue;
		int err = errno;
		/* The first takes the others with it. */
		for (size_t k = 0; k < i; k++)
			carrel_release(carrel_task_proc(v[k]));
		errno = err;
		return -1;
	}
	return 0;
}

/* ------------------------------------------------------------- relations --- */

EXPORT carrel_proc *carrel_task_proc(const carrel_task *t)
{
	return t != NULL ? t->p : NULL;
}

EXPORT carrel_task *carrel_proc_task(const carrel_proc *p)
{
	return p != NULL ? p->task : NULL;
}

EXPORT carrel_task *carrel_task_parent(carrel_task *t)
{
	carrel_task *parent = NULL;

	if (t != NULL && enter(t->p->c) == 0) {
		parent = t->parent;
		leave(t->p->c);
	}
	return parent;
}

EXPORT size_t carrel_task_children(carrel_task *t, carrel_task **v, size_t n)
{
	size_t found = 0;

	if (t == NULL || enter(t->p->c) < 0)
		return 0;
	channel_read(t->p->c);
	for (carrel_task *child = t->first; child != NULL; child = child->next) {
		if (child->p->gone)
			continue;
		if (found < n && v != NULL)
			v[found] = child;
		found++;
	}
	leave(t->p->c);
	return found;
}

EXPORT carrel_task_state carrel_task_is(carrel_task *t)
{
	carrel_task_state state = CARREL_TASK_ENDED;

	if (t != NULL && enter(t->p->c) == 0) {
		channel_read(t->p->c);
		state = t->p->gone ? CARREL_TASK_ENDED : t->state;
		leave(t->p->c);
	}
	return state;
}

/* Whoever is still below it goes with it; and it is told to go if it is not. */
bool task_is_being_killed(const carrel_task *t)
{
	while (t != NULL && !t->killed && !t->p->gone)
		t = t->parent;
	return t != NULL && t->killed;
}

void task_release(carrel_task *t)
{
	if (t->detached)
		return;
	t->stopping = true;
	if (!task_is_being_killed(t->parent))
		task_order(t, "stop", NULL, 0);
	t->killed = true;
}

EXPORT int carrel_task_detach(carrel_task *t)
{
	int r = 0;

	if (t == NULL) {
		errno = EINVAL;
		return -1;
	}
	if (enter(t->p->c) < 0)
		return -1;
	channel_read(t->p->c);
	if (t->p->gone)
		r = -ESRCH;
	else if (task_is_root(t) || t->state != CARREL_TASK_EXECUTED)
		r = -EINVAL;
	else
		t->detached = true;
	for (int stream = 0; r == 0 && stream <= 2; stream++)
		proc_close_stream(t->p, stream);
	leave(t->p->c);
	if (r == 0)
		return 0;
	errno = -r;
	return -1;
}
