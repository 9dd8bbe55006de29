/* SPDX-License-Identifier: ISC */
/* One process tree: start, feed, signal, stop, wait, forget. */
#include "task.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long freezing may take. */
#define FREEZE_MS 10000

static bool answered(void *arg)
{
	const carrel_proc *p = arg;

	return p->answered;
}

carrel_proc *proc_create(carrel *c, const carrel_spec *s, carrel_error *e)
{
	carrel_proc *p = calloc(1, sizeof(*p));

	if (p != NULL) {
		*p = (carrel_proc){ .c = c, .id = c->next_id++, .user = s->user, .in = -1, .feed.fd = -1, .id_slot = -1,
				    .pty = s->out.kind == CARREL_PTY, .max_output = s->max_output,
				    .output_limit = s->output_limit };
		if (s->framing == CARREL_LINES)
			p->max_line = s->max_line;
		for (int i = 0; i < 2; i++) {
			p->out[i] = (struct output){ .p = p, .stream = i + 1, .fd = -1 };
			buf_init(&p->out[i].text, p->max_line + 2 * READ_MAX);
		}
		/* Ids begin again after 2^32 spawns; one that is still in use is passed over. */
		while (p->id == 0 || map_get(&c->procs, p->id) != NULL)
			p->id = c->next_id++;
		if (map_put(&c->procs, p->id, p) == 0)
			return p;
	}
	free(p);
	error_set(e, CARREL_STAGE_FORK, ENOMEM, -1, "no memory for a process");
	return NULL;
}

/* Events of a proc that nobody knows any more. */
static void drop_events(carrel *c, const carrel_proc *p)
{
	struct event_node **at = &c->first;

	while (*at != NULL) {
		struct event_node *n = *at;

		if (n->proc == p) {
			*at = n->next;
			free(n);
		} else {
			at = &n->next;
		}
	}
	c->last = at;
}

/* What was said of a start that failed is still to be read, about nobody. */
static void orphan_events(carrel *c, const carrel_proc *p)
{
	for (struct event_node *n = c->first; n != NULL; n = n->next) {
		if (n->proc == p)
			n->proc = NULL;
	}
}

static void release(carrel_proc *p)
{
	carrel *c = p->c;
	unsigned char mem[16];
	struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_nil(&b);
	drop_events(c, p);
	p->released = true;
	for (int i = 0; i < 2; i++) {
		p->out[i].paused = false;
		ready_remove(&p->out[i]);
	}
	for (int stream = 0; stream <= 2; stream++)
		proc_close_stream(p, stream);
	/* One that is not gone yet is freed as soon as the control process says so. */
	if (p->gone)
		proc_forget(p);
	else if (p->task != NULL && !task_is_root(p->task))
		task_release(p->task);
	else
		channel_send(c, MSG_KILL, p->id, &b, NULL, 0);
}

void proc_adopt(carrel_proc *p, struct request *r)
{
	p->in = fd_take(&r->in);
	p->out[0].fd = fd_take(&r->out[0]);
	p->out[1].fd = fd_take(&r->out[1]);
}

/* It did not come about in time: end it, and do not wait for that. */
static carrel_proc *give_up(carrel_proc *p, const carrel_spec *s, carrel_error *e)
{
	if (p->c->welcome)
		error_set(e, CARREL_STAGE_EXEC, ETIMEDOUT, -1, "cannot run '%.80s': the start took longer than %d ms (start_ms)",
			  command_of(s), s->start_ms);
	else
		error_set(e, CARREL_STAGE_HELPER, ETIMEDOUT, -1, "the control process did not answer within %d ms", s->start_ms);
	p->request = NULL;
	p->spec = NULL;
	release(p);
	errno = ETIMEDOUT;
	return NULL;
}

static carrel_proc *spawn_locked(carrel *c, const carrel_spec *s, bool captured, carrel_task **task,
				 struct request *r, carrel_error *e)
{
	carrel_proc *p;

	if (c->once_used) {
		error_set(e, CARREL_STAGE_ARGS, EBUSY, -1, "the handle was opened for one spawn");
		return NULL;
	}
	p = proc_create(c, s, e);
	if (p == NULL)
		return NULL;
	if (s->record && (p->record = record_create()) == NULL) {
		error_set(e, CARREL_STAGE_FORK, ENOMEM, -1, "no memory for the record");
		proc_free(p);
		return NULL;
	}
	int fed = feed_begin(p, s);
	if (fed < 0) {
		error_set(e, CARREL_STAGE_INPUT, -fed, -1, "cannot prepare the input: %s", strerror(-fed));
		proc_free(p);
		return NULL;
	}
	c->once_used = c->once;
	p->captured = captured;
	if (task != NULL) {
		p->task = *task;
		p->task->p = p;
		*task = NULL;
	}
	int err = channel_send(c, MSG_SPAWN, p->id, &r->body, r->fds, r->n_fds);
	if (err < 0) {
		if (c->lost && !c->welcome)
			error_set(e, CARREL_STAGE_HELPER, EPROTO, -1, "the control process did not start: %s",
				  c->lost_reason);
		else
			error_set(e, CARREL_STAGE_CHANNEL, -err, -1, "cannot ask the control process: %s",
				  c->lost ? c->lost_reason : strerror(-err));
		proc_free(p);
		return NULL;
	}
	/* Our copies of the task's ends must go, or the streams would never end. */
	for (size_t i = 0; i < r->n_close; i++)
		r->close_after[i] = fd_close(r->close_after[i]);
	proc_adopt(p, r);
	p->id_slot = r->id_slot;
	r->id_slot = -1;
	if (p->task != NULL)
		p->task->socket = fd_take(&r->socket);
	p->request = r;
	p->spec = s;
	if (channel_wait(c, answered, p, clock_deadline_us(s->start_ms)) == 0)
		return give_up(p, s, e);
	p->request = NULL;
	p->spec = NULL;
	if (!p->failed) {
		if (p->forgotten)
			proc_free(p);
		return p;
	}
	if (c->welcome)
		request_failed(s, r, &p->error, e);
	else
		error_set(e, CARREL_STAGE_HELPER, EPROTO, -1, "the control process did not start: %s",
			  c->lost_reason);
	orphan_events(c, p);
	proc_free(p);
	return NULL;
}

static carrel_proc *spawn(carrel *c, const carrel_spec *s, bool captured, carrel_task **task, carrel_error *e)
{
	carrel_spec full;
	struct request r;
	carrel_proc *p = NULL;

	if (c == NULL) {
		error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "c is NULL: there is no handle");
		return NULL;
	}
	if (spec_check(s, &full, e) < 0)
		return NULL;
	if (c->owner != getpid()) {
		error_set(e, CARREL_STAGE_CHANNEL, ECHILD, -1, "the handle belongs to another process");
		return NULL;
	}
	request_init(&r);
	r.serves = task != NULL;
	if (request_create(c, &full, true, &r, e) == 0 && enter(c) == 0) {
		p = spawn_locked(c, &full, captured, task, &r, e);
		leave(c);
	}
	int err = errno;
	id_slot_free(c, &r.id_slot);
	request_finish(&r);
	errno = err;
	return p;
}

EXPORT carrel_proc *carrel_spawn(carrel *c, const carrel_spec *s, carrel_error *e)
{
	return spawn(c, s, false, NULL, e);
}

carrel_proc *spawn_captured(carrel *c, const carrel_spec *s, carrel_error *e)
{
	return spawn(c, s, true, NULL, e);
}

carrel_proc *spawn_task(carrel *c, const carrel_spec *s, carrel_task **t, carrel_error *e)
{
	return spawn(c, s, false, t, e);
}

static int result(int r)
{
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

EXPORT ssize_t carrel_write(carrel_proc *p, const void *b, size_t n)
{
	ssize_t w = -EBADF;

	if (p == NULL || (b == NULL && n > 0)) {
		errno = EINVAL;
		return -1;
	}
	if (enter(p->c) < 0)
		return -1;
	if (p->in >= 0 && !p->feed.on) {
		w = n == 0 ? 0 : write_some(p->in, b, n);
		if (w == -EAGAIN)
			w = 0;
		if (w > 0) {
			p->in_bytes += (uint64_t)w;
			p->feed.newline = ((const char *)b)[w - 1] == '\n';
		}
		if (w >= 0 && (size_t)w < n) {
			int r = proc_watch_in(p, WATCH_ROOM);

			w = r < 0 ? r : w;
		}
	}
	leave(p->c);
	if (w < 0) {
		errno = (int)-w;
		return -1;
	}
	return w;
}

EXPORT int carrel_eof(carrel_proc *p)
{
	int r = -EBADF;

	if (p == NULL)
		return result(-EINVAL);
	if (enter(p->c) < 0)
		return -1;
	if (p->in >= 0 && p->pty) {
		r = feed_eof(p);
	} else if (p->in >= 0) {
		proc_close_stream(p, 0);
		r = 0;
	}
	leave(p->c);
	return result(r);
}

/* A message about ${p}; 0, -ESRCH when its tree is gone, -EPIPE when the handle is. */
static int tell(carrel_proc *p, enum message_type type, const struct buf *body)
{
	channel_read(p->c);
	if (p->gone)
		return -ESRCH;
	int r = channel_send(p->c, type, p->id, body, NULL, 0);
	return r < 0 ? -EPIPE : 0;
}

/* A task that is no root is a part of another tree, and its number means nothing to the supervisor. */
static bool is_branch(const carrel_proc *p)
{
	return p->task != NULL && !task_is_root(p->task);
}

static int tell_branch(carrel_proc *p, const char *what, const struct step *step, int n)
{
	channel_read(p->c);
	return p->gone ? -ESRCH : task_order(p->task, what, step, n);
}

EXPORT int carrel_signal(carrel_proc *p, int sig, int tree)
{
	unsigned char mem[64];
	struct buf b;

	if (p == NULL || sig < 1 || sig >= NSIG)
		return result(-EINVAL);
	if (enter(p->c) < 0)
		return -1;
	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_tuple(&b, 2);
	term_out_int(&b, sig);
	term_out_atom(&b, tree ? "tree" : "leader");
	const struct step once = { sig, 0 };
	int r = is_branch(p) ? tell_branch(p, tree ? "tree" : "leader", &once, 1) : tell(p, MSG_SIGNAL, &b);
	leave(p->c);
	return result(r);
}

/* Of tasks that were forked. */
static const struct step default_steps[] = { { SIGTERM, 5000 } };

EXPORT int carrel_stop(carrel_proc *p, const carrel_step *steps, size_t n)
{
	unsigned char mem[256];
	struct step step[CARREL_STEPS_MAX];
	struct buf b;

	if (p == NULL || n > CARREL_STEPS_MAX || (steps == NULL && n > 0))
		return result(-EINVAL);
	for (size_t i = 0; i < n; i++) {
		step[i] = (struct step){ steps[i].sig, steps[i].wait_ms };
		if (step[i].sig < 1 || step[i].sig >= NSIG || step[i].wait_ms < -1)
			return result(-EINVAL);
	}
	if (enter(p->c) < 0)
		return -1;
	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	steps_out(&b, step, (int)n);
	p->stop_asked = true;
	int r = is_branch(p) ? tell_branch(p, "stop", n > 0 ? step : default_steps, n > 0 ? (int)n : 1)
			     : tell(p, MSG_STOP, &b);
	if (r == 0 && p->task != NULL)
		p->task->stopping = true;
	leave(p->c);
	return result(r);
}

void proc_stop_over(carrel_proc *p)
{
	unsigned char mem[16];
	struct buf b;

	p->over_limit = true;
	event_queue(p->c, CARREL_LIMIT, p, CARREL_LIMIT_OUTPUT, NULL, 0);
	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_nil(&b);
	channel_send(p->c, MSG_STOP, p->id, &b, NULL, 0);
}

static bool froze(void *arg)
{
	const carrel_proc *p = arg;

	return p->frozen >= 0 || p->gone;
}

EXPORT int carrel_freeze(carrel_proc *p, int on)
{
	unsigned char mem[32];
	struct buf b;

	if (p == NULL)
		return result(-EINVAL);
	if (enter(p->c) < 0)
		return -1;
	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_atom(&b, on ? "true" : "false");
	p->frozen = -1;
	int r = tell(p, MSG_FREEZE, &b);
	if (r == 0 && channel_wait(p->c, froze, p, clock_deadline_us(FREEZE_MS)) == 0)
		r = -ETIMEDOUT;
	if (r == 0)
		r = p->gone ? -ESRCH : p->frozen >= 0 ? -p->frozen : -EPIPE;
	leave(p->c);
	return result(r);
}

static bool is_gone(void *arg)
{
	const carrel_proc *p = arg;

	return p->gone;
}

EXPORT int carrel_wait(carrel_proc *p, carrel_status *st, int timeout_ms)
{
	if (p == NULL)
		return result(-EINVAL);
	if (enter(p->c) < 0)
		return -1;
	int r = channel_wait(p->c, is_gone, p, clock_deadline_us(timeout_ms));
	r = p->gone ? 1 : r < 0 ? r : 0;
	if (r == 1 && st != NULL) {
		proc_counts(p, &p->status);
		*st = p->status;
	}
	leave(p->c);
	return result(r);
}

EXPORT void carrel_release(carrel_proc *p)
{
	if (p == NULL || enter(p->c) < 0)
		return;
	carrel *c = p->c;
	release(p);
	leave(c);
}

EXPORT pid_t carrel_pid(const carrel_proc *p)
{
	return p != NULL ? p->pid : -1;
}
