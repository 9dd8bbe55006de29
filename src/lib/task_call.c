/* SPDX-License-Identifier: ISC */
/* One call in a task. */
#include "task.h"

#include "clock.h"
#include "constant.h"
#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long a task may take to answer that a call was cancelled. */
#define GRACE_MS 500

static bool executes(enum call_number number)
{
	return number == CALL_exec || number == CALL_execve || number == CALL_execvp || number == CALL_fexecve;
}

int task_closed(const struct calling *m, carrel_error *e)
{
	if (executes(m->number) || m->number == CALL_exit)
		return 0;
	return error_set(e, CARREL_STAGE_CHANNEL, EPIPE, -1, "%s: the task ended, or let go of its connection, during the call",
			 m->what);
}

void calling_init(struct calling *m, enum call_number number, uint32_t n_args)
{
	const struct call *c = call_by_number(number);

	*m = (struct calling){ .number = number, .what = c->name };
	buf_init(&m->args, MESSAGE_BODY_MAX);
	term_out_version(&m->args);
	term_out_tuple(&m->args, 2);
	term_out_uint(&m->args, number);
	term_out_tuple(&m->args, n_args);
}

void calling_finish(struct calling *m)
{
	buf_finish(&m->args);
}

static carrel_stage stage_of(const struct calling *m)
{
	return (carrel_stage)call_by_number(m->number)->stage;
}

/* "chdir in task 123: ..." */
static int failed(carrel_task *t, const struct calling *m, const struct reply *r, carrel_error *e)
{
	if (r->argument > 0 && r->text[0] != 0)
		return error_set(e, CARREL_STAGE_ARGS, r->err, r->argument, "%s, argument %d: expected %s", m->what, r->argument,
				 r->text);
	return error_set(e, stage_of(m), r->err, r->argument > 0 ? r->argument : -1, "%s in task %d: %s", m->what, t->p->pid,
			 r->text[0] != 0 ? r->text : strerror(r->err));
}

static int not_there(const carrel_task *t, const struct calling *m, carrel_error *e)
{
	if (t->state == CARREL_TASK_EXECUTED)
		return error_set(e, CARREL_STAGE_ARGS, EACCES, -1, "%s: task %d has executed a program, which takes no calls",
				 m->what, t->p->pid);
	return error_set(e, CARREL_STAGE_ARGS, ESRCH, -1, "%s: task %d has ended", m->what, t->p->pid);
}

static int timed_out(const carrel_task *t, const struct calling *m, carrel_error *e)
{
	return error_set(e, stage_of(m), ETIMEDOUT, -1, "%s in task %d took longer than %d ms (deadline_ms)", m->what, t->p->pid,
			 m->deadline_ms);
}

static int send_cancel(carrel_task *t)
{
	unsigned char mem[8];
	struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_nil(&b);
	return link_send(t->socket, MSG_CANCEL, t->call, b.data, b.len, NULL, 0, false);
}

/* Calls of other threads come first.  0, or -ETIMEDOUT. */
static int await_turn(carrel_task *t, int64_t deadline_us)
{
	carrel *c = t->p->c;

	while (t->busy) {
		int ms = clock_poll_ms(deadline_us);
		struct timespec ts;

		if (ms == 0)
			return -ETIMEDOUT;
		clock_gettime(CLOCK_MONOTONIC, &ts);
		int64_t ns = ts.tv_nsec + (ms < 0 || ms > 1000 ? 1000 : ms) * INT64_C(1000000);
		ts.tv_sec += (time_t)(ns / 1000000000);
		ts.tv_nsec = (long)(ns % 1000000000);
		pthread_cond_timedwait(&c->changed, &c->lock, &ts);
	}
	return 0;
}

/* Until the answer is there, or the connection ends: true; false when that took too long. */
static bool await_answer(carrel_task *t, int64_t deadline_us)
{
	carrel *c = t->p->c;
	int64_t until_us = deadline_us;
	bool cancelled = false;

	for (;;) {
		while (!t->reply.done && task_read(t))
			continue;
		if (t->reply.done || t->closed || t->state != CARREL_TASK_CALLS)
			return true;
		int ms = clock_poll_ms(until_us);
		if (ms == 0 && cancelled)
			return false;
		if (ms == 0) {
			send_cancel(t);
			cancelled = true;
			until_us = clock_deadline_us(GRACE_MS);
			continue;
		}
		struct pollfd p = { .fd = t->socket, .events = POLLIN };
		pthread_mutex_unlock(&c->lock);
		poll(&p, 1, ms);
		pthread_mutex_lock(&c->lock);
	}
}

void task_use(carrel_task *t)
{
	t->users++;
}

void task_unuse(carrel_task *t)
{
	if (--t->users == 0 && t->freed)
		proc_free(t->p);
}

/* The call is over: others may have theirs, and whoever waits for events reads again. */
static void end_call(carrel_task *t)
{
	t->busy = t->executing = false;
	if (t->state != CARREL_TASK_CALLS)
		t->socket = fd_close(t->socket);
	else
		task_watch(t);
	pthread_cond_broadcast(&t->p->c->changed);
}

static int make(carrel_task *t, struct calling *m, struct reply *ret, carrel_error *e)
{
	const carrel_proc *p = t->p;
	if (m->deadline_ms == 0)
		m->deadline_ms = t->deadline_ms;
	const int64_t deadline_us = m->deadline_ms > 0 ? clock_deadline_us(m->deadline_ms) : CLOCK_NEVER;
	int r;

	*ret = (struct reply){ .fd = -1 };
	if (m->args.err != 0) {
		r = m->args.err == EMSGSIZE ? E2BIG : m->args.err;
		return error_set(e, CARREL_STAGE_ARGS, r, -1, "%s: the arguments are too large, or malformed: %s", m->what, strerror(r));
	}
	if (await_turn(t, deadline_us) < 0)
		return timed_out(t, m, e);
	if (t->state != CARREL_TASK_CALLS)
		return not_there(t, m, e);
	t->busy = true;
	t->executing = executes(m->number);
	t->call++;
	t->reply = (struct reply){ .fd = -1 };
	debug(p->c, "> CALL %u %s in task %d, %zu bytes", t->call, m->what, p->pid, m->args.len);
	r = link_send(t->socket, MSG_CALL, t->call, m->args.data, m->args.len, m->fds, m->n_fds, false);
	bool answered = r < 0 && r != -EPIPE ? true : await_answer(t, deadline_us);
	*ret = t->reply;
	t->reply = (struct reply){ .fd = -1 };
	end_call(t);
	if (r < 0 && r != -EPIPE)
		r = error_set(e, CARREL_STAGE_CHANNEL, -r, -1, "%s: cannot send the call to task %d: %s", m->what, p->pid, strerror(-r));
	else if (ret->done && ret->err == ECANCELED && clock_poll_ms(deadline_us) == 0)
		r = timed_out(t, m, e);
	else if (ret->done)
		r = ret->err == 0 ? 0 : failed(t, m, ret, e);
	else if (!answered)
		r = timed_out(t, m, e);
	else
		r = 1;
	return r;
}

int task_make(carrel_task *t, struct calling *m, struct reply *ret, carrel_error *e)
{
	task_use(t);
	int r = make(t, m, ret, e);
	int err = errno;
	task_unuse(t);
	errno = err;
	return r;
}

int task_make_unlocked(carrel_task *t, struct calling *m, struct reply *ret, carrel_error *e)
{
	if (t == NULL)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "t is NULL: there is no task");
	carrel *c = t->p->c;
	if (enter(c) < 0)
		return error_set(e, CARREL_STAGE_CHANNEL, ECHILD, -1, "the handle belongs to another process");
	int r = task_make(t, m, ret, e);
	int err = errno;
	leave(c);
	errno = err;
	return r;
}

/* Calls whose execution has effects that only their own functions know of. */
static const char *own_function(enum call_number number)
{
	switch (number) {
	case CALL_fork:
	case CALL_clone:
		return "carrel_task_fork";
	case CALL_receive_fd:
		return "carrel_task_send_fd";
	case CALL_send_fd:
		return "carrel_task_take_fd";
	case CALL_reexec:
		return "carrel_task_reexec";
	default:
		return NULL;
	}
}

static const struct call *find(const char *name, carrel_error *e)
{
	const struct call *c = NULL;

	if (name == NULL)
		error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "name is NULL: there is no call");
	else
		c = call_by_name((struct slice){ (const unsigned char *)name, strlen(name) });
	if (name != NULL && (c == NULL || !call_for_tasks(c))) {
		error_set(e, CARREL_STAGE_ARGS, ENOSYS, -1, "there is no call '%.60s'; carrel-calls(7) lists them", name);
		return NULL;
	}
	if (c != NULL && own_function((enum call_number)c->number) != NULL) {
		error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "%s: this call is made by %s()", name,
			  own_function((enum call_number)c->number));
		return NULL;
	}
	return c;
}

static int out_args(struct calling *m, const carrel_value *args, size_t n_args, carrel_error *e)
{
	for (size_t i = 0; i < n_args; i++) {
		if (value_term_out(&m->args, &args[i]) < 0)
			return error_set(e, CARREL_STAGE_ARGS, EINVAL, (int)i + 1,
					 "%s, argument %zu: not a value: an unknown kind, a NULL pointer, or nested too deep", m->what,
					 i + 1);
	}
	return 0;
}

static int check_options(const carrel_call_options *o, struct calling *m, carrel_error *e)
{
	carrel_call_options full = { 0 };

	if (o == NULL)
		return 0;
	if (o->size < sizeof(size_t) || o->size > sizeof(full))
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "carrel_call_options.size must be sizeof(carrel_call_options)");
	memcpy(&full, o, o->size);
	if (full.deadline_ms < -1)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "deadline_ms is %d; it must be milliseconds, 0 or -1 for none",
				 full.deadline_ms);
	m->deadline_ms = full.deadline_ms;
	return 0;
}

EXPORT int carrel_task_call(carrel_task *t, const char *name, const carrel_value *args, size_t n_args,
			    const carrel_call_options *o, carrel_value **result, carrel_error *e)
{
	const struct call *c = find(name, e);
	struct calling m;
	struct reply reply = { .fd = -1 };

	if (result != NULL)
		*result = NULL;
	if (c == NULL)
		return -1;
	if (n_args != c->argc || (args == NULL && n_args > 0))
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "%s takes %d arguments; %zu are given", name, c->argc, n_args);
	calling_init(&m, (enum call_number)c->number, (uint32_t)n_args);
	int r = check_options(o, &m, e);
	if (r == 0)
		r = out_args(&m, args, n_args, e);
	if (r == 0)
		r = task_make_unlocked(t, &m, &reply, e);
	calling_finish(&m);
	fd_close(reply.fd);
	if (r == 1)
		r = task_closed(&m, e);
	if (r == 0 && result != NULL)
		*result = reply.value;
	else
		carrel_value_free(reply.value);
	return r;
}

EXPORT int carrel_task_deadline(carrel_task *t, int ms)
{
	if (t == NULL || ms < -1) {
		errno = EINVAL;
		return -1;
	}
	if (enter(t->p->c) < 0)
		return -1;
	t->deadline_ms = ms > 0 ? ms : 0;
	leave(t->p->c);
	return 0;
}

EXPORT int carrel_task_cancel(carrel_task *t)
{
	int r = -ESRCH;

	if (t == NULL) {
		errno = EINVAL;
		return -1;
	}
	if (enter(t->p->c) < 0)
		return -1;
	if (t->busy && t->socket >= 0)
		r = send_cancel(t);
	leave(t->p->c);
	if (r == 0)
		return 0;
	errno = r == -EPIPE ? ESRCH : -r;
	return -1;
}
