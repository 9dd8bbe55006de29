/* SPDX-License-Identifier: ISC */
/* Pulling events. */
#include "task.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* How often one output may be read in a row before the others are looked at. */
#define HOT_TURNS 16
/* What a read must have given for the next one to be likely to give something too. */
#define HOT_MIN 4096

void event_kick(carrel *c)
{
	if (!c->kicked && (c->fd_used || c->next_waits))
		c->kicked = eventfd_write(c->kick, 1) == 0;
}

/* The first tree that is gone and whose end may be told: a paused stream comes before it. */
static carrel_proc *ending_next(const carrel *c)
{
	carrel_proc *p = c->ending;

	while (p != NULL && (p->out[0].paused || p->out[1].paused))
		p = p->next_ending;
	return p;
}

static bool something_queued(const carrel *c)
{
	return c->first != NULL || c->ready != NULL || ending_next(c) != NULL || (c->lost && !c->lost_told);
}

static void unkick(carrel *c)
{
	if (c->kicked && !something_queued(c)) {
		eventfd_read(c->kick, &(eventfd_t){ 0 });
		c->kicked = false;
	}
}

void event_queue(carrel *c, carrel_event_kind kind, carrel_proc *p, int sig, const void *data, size_t len)
{
	struct event_node *n;

	if (p->released || p->captured)
		return;
	n = malloc(sizeof(*n) + len);
	if (n == NULL) {
		/* Nothing may be lost silently: without memory for events the handle is over. */
		channel_lost(c, "the host ran out of memory");
		return;
	}
	*n = (struct event_node){ .kind = kind, .proc = p, .sig = sig, .len = len };
	if (len > 0)
		memcpy(n->data, data, len);
	*c->last = n;
	c->last = &n->next;
	event_kick(c);
}

static void ending_add(carrel *c, carrel_proc *p)
{
	p->next_ending = NULL;
	if (c->ending == NULL)
		c->ending = p;
	else
		c->ending_last->next_ending = p;
	c->ending_last = p;
}

static void ending_remove(carrel *c, carrel_proc *p)
{
	carrel_proc *before = NULL;

	for (carrel_proc *q = c->ending; q != p; q = q->next_ending)
		before = q;
	if (before == NULL)
		c->ending = p->next_ending;
	else
		before->next_ending = p->next_ending;
	if (c->ending_last == p)
		c->ending_last = before;
	c->live--;
	p->gone_told = true;
}

/*
 * What the pipes hold at this moment was written by the tree; GONE comes behind it.  What comes
 * later is a stranger's, who would keep the end away for ever.
 */
void proc_gone(carrel *c, carrel_proc *p)
{
	if (p->task != NULL && task_is_root(p->task))
		tasks_end(p->task);
	p->gone = true;
	id_slot_free(c, &p->id_slot);
	pthread_cond_broadcast(&c->changed);
	for (int i = 0; i < 2; i++) {
		struct output *o = &p->out[i];

		/* What a terminal was given may not have arrived at its other end; only the end tells. */
		if (p->pty && i == 0)
			o->rest = INT_MAX;
		else if (o->fd < 0 || ioctl(o->fd, FIONREAD, &o->rest) == -1)
			o->rest = 0;
	}
	if (p->captured) {
		p->gone_told = true;
	} else {
		ending_add(c, p);
		event_kick(c);
	}
	if (p->task != NULL)
		task_ended(p->task);
	if (p->released)
		proc_forget(p);
}

void proc_forget(carrel_proc *p)
{
	if (!p->gone_told)
		ending_remove(p->c, p);
	/* Another thread may see the end and release it before carrel_spawn() has returned it. */
	p->forgotten = true;
	if (p->task != NULL && p->task->users > 0)
		p->task->freed = true;
	else if (p->request == NULL)
		proc_free(p);
}

void proc_free(carrel_proc *p)
{
	carrel *c = p->c;

	id_slot_free(c, &p->id_slot);
	for (int stream = 0; stream <= 2; stream++)
		proc_close_stream(p, stream);
	for (int i = 0; i < 2; i++) {
		struct output *o = &p->out[i];

		ready_remove(o);
		if (c->hot == o)
			c->hot = NULL;
		if (c->shown == o) {
			/* The caller may still look at it. */
			buf_finish(&c->kept);
			c->kept = o->text;
			c->shown = NULL;
		} else {
			buf_finish(&o->text);
		}
	}
	map_remove(&c->procs, p->id);
	record_free(p->record);
	if (p->task != NULL)
		task_free(p->task);
	free(p);
}

static int deliver(carrel_event *ev, const carrel_event *full)
{
	size_t size = ev->size;

	/* An older caller has a shorter struct. */
	if (size > sizeof(*full))
		size = sizeof(*full);
	memcpy(ev, full, size);
	ev->size = size;
	return 1;
}

static carrel_event about(carrel_event_kind kind, carrel_proc *p)
{
	return (carrel_event){ .size = sizeof(carrel_event), .kind = kind, .proc = p,
			       .user = p != NULL ? p->user : NULL, .pid = p != NULL ? p->pid : 0,
			       .task = p != NULL ? p->task : NULL };
}

static int deliver_queued(carrel *c, carrel_event *ev)
{
	struct event_node *n = c->first;
	carrel_event full = about(n->kind, n->proc);

	c->first = n->next;
	if (c->first == NULL)
		c->last = &c->first;
	free(c->current);
	c->current = n;
	if (n->proc != NULL && n->proc->task != NULL && n->proc->task->news > 0)
		n->proc->task->news--;
	full.sig = n->sig;
	full.limit = n->kind == CARREL_LIMIT ? (carrel_limit)n->sig : CARREL_LIMIT_NONE;
	if (n->kind == CARREL_EXIT) {
		proc_counts(n->proc, (carrel_status *)(void *)n->data);
		full.status = (const carrel_status *)(const void *)n->data;
	}
	else if (n->len > 0)
		full.data = n->data;
	full.len = n->kind == CARREL_EXIT ? 0 : n->len;
	return deliver(ev, &full);
}

static int deliver_lines(struct output *o, carrel_event *ev)
{
	carrel_event full = about(CARREL_OUT, o->p);

	if (lines_next(o, &full) == 0) {
		ready_remove(o);
		return 0;
	}
	o->p->c->shown = o;
	return deliver(ev, &full);
}

/* One read of a stream that has something.  1 with an event, 0 without. */
static int deliver_output(struct output *o, carrel_event *ev)
{
	carrel *c = o->p->c;

	if (o->p->max_line > 0) {
		int r = lines_read(o);

		if (r == -ENOMEM)
			return r;
		return r == 0 ? deliver_lines(o, ev) : 0;
	}
	ssize_t n = output_read(o, c->data, READ_MAX);
	if (n == -EAGAIN) {
		c->hot = c->hot == o ? NULL : c->hot;
		return 0;
	}
	carrel_event full = about(n == 0 ? CARREL_EOF : o->stream == 1 ? CARREL_OUT : CARREL_ERR, o->p);
	full.stream = o->stream;
	if (n > 0) {
		full.data = c->data;
		full.len = (size_t)n;
		c->hot = n >= HOT_MIN ? o : NULL;
	}
	return deliver(ev, &full);
}

static int close_input(carrel_proc *p, carrel_event *ev)
{
	carrel_event full = about(CARREL_STDIN_CLOSED, p);

	proc_close_stream(p, 0);
	return deliver(ev, &full);
}

static int deliver_fed(carrel_proc *p, carrel_event *ev)
{
	enum feed_state state = feed_turn(p);

	if (state == FEED_OVER && p->pty) {
		/* Again when there is room. */
		if (feed_eof(p) == -EAGAIN)
			return 0;
		proc_unwatch_source(p);
		feed_end(p);
		proc_watch_in(p, WATCH_OFF);
		return 0;
	}
	if (state == FEED_OVER) {
		proc_close_stream(p, 0);
		return 0;
	}
	if (state == FEED_CLOSED)
		return close_input(p, ev);
	if (state == FEED_FAILED) {
		carrel_event full = about(CARREL_INPUT_FAILED, p);

		full.err = p->feed.err;
		proc_unwatch_source(p);
		feed_end(p);
		proc_watch_in(p, WATCH_OFF);
		return deliver(ev, &full);
	}
	return proc_watch_feed(p, state);
}

/* Stdin has room, or its source bytes: feed it, or tell. */
static int deliver_input(carrel_proc *p, bool closed, carrel_event *ev)
{
	if (closed)
		return close_input(p, ev);
	if (p->feed.on)
		return deliver_fed(p, ev);
	carrel_event full = about(CARREL_STDIN_ROOM, p);
	proc_watch_in(p, WATCH_OFF);
	return deliver(ev, &full);
}

static int deliver_batch(carrel *c, carrel_event *ev)
{
	while (c->batch_at < c->batch_n) {
		uint32_t id = c->batch[c->batch_at].id;
		bool closed = c->batch[c->batch_at].closed;
		int what = c->batch[c->batch_at++].what;
		carrel_proc *p = map_get(&c->procs, id);
		int r = 0;

		if (p == NULL || p->released)
			continue;
		if (what == TOKEN_IN && p->in >= 0 && p->watch_in != WATCH_OFF)
			r = deliver_input(p, closed, ev);
		else if (what == TOKEN_SOURCE && p->watch_source)
			r = deliver_input(p, false, ev);
		else if ((what == TOKEN_OUT || what == TOKEN_ERR) && p->out[what - 1].fd >= 0 &&
			 !p->out[what - 1].paused)
			r = deliver_output(&p->out[what - 1], ev);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Trees that are gone: the rest of their streams, then GONE. */
static int deliver_ending(carrel *c, carrel_event *ev)
{
	carrel_proc *p = ending_next(c);

	if (p == NULL)
		return 0;
	for (int i = 0; i < 2; i++) {
		if (p->out[i].fd >= 0)
			return deliver_output(&p->out[i], ev);
	}
	ending_remove(c, p);
	proc_close_stream(p, 0);
	proc_counts(p, &p->status);
	/* A copy: the caller may release the proc and still look at this. */
	c->gone_status = p->status;
	carrel_event full = about(CARREL_GONE, p);
	full.status = &c->gone_status;
	return deliver(ev, &full);
}

/* Without asking the kernel who is ready: whoever had something last, or lines that were read already. */
static int deliver_known(carrel *c, carrel_event *ev)
{
	int r = 0;

	while (r == 0 && c->ready != NULL)
		r = deliver_lines(c->ready, ev);
	if (r == 0 && c->hot != NULL && c->hot->fd >= 0 && !c->hot->paused && c->hot_turns++ < HOT_TURNS)
		r = deliver_output(c->hot, ev);
	return r;
}

static void take_batch(carrel *c, const struct epoll_event *events, int n)
{
	c->batch_n = c->batch_at = 0;
	for (int i = 0; i < n; i++) {
		int what = (int)(events[i].data.u64 & 0xff);

		if (what == TOKEN_SOCKET || what == TOKEN_TALK) {
			channel_read(c);
		} else if (what != TOKEN_KICK) {
			c->batch[c->batch_n].id = (uint32_t)(events[i].data.u64 >> 8);
			c->batch[c->batch_n].closed = events[i].events & (EPOLLERR | EPOLLHUP);
			c->batch[c->batch_n++].what = what;
		}
	}
}

static int wait_for_more(carrel *c, int timeout_ms)
{
	struct epoll_event events[BATCH_MAX];

	/* A thread that waits for an answer leaves the socket to us, who wait for more than it. */
	while (c->reader) {
		eventfd_write(c->yield, 1);
		pthread_cond_wait(&c->changed, &c->lock);
	}
	/* While we waited for its end, a reader may have queued what nobody would wake us for. */
	if (something_queued(c))
		return 1;
	c->reader = c->next_waits = true;
	timeout_ms = tasks_timeout(c, timeout_ms);
	pthread_mutex_unlock(&c->lock);
	int n = epoll_wait(c->epoll, events, BATCH_MAX, timeout_ms);
	int err = errno;
	pthread_mutex_lock(&c->lock);
	c->reader = c->next_waits = false;
	if (n > 0)
		take_batch(c, events, n);
	/* These are no events of a descriptor. */
	if (c->undecided > 0)
		channel_read(c);
	pthread_cond_broadcast(&c->changed);
	return n == -1 ? (err == EINTR ? 0 : -err) : n;
}

static int next_locked(carrel *c, carrel_event *ev, int64_t deadline_us)
{
	for (;;) {
		int r = c->first != NULL ? deliver_queued(c, ev) : 0;

		if (r == 0)
			r = deliver_batch(c, ev);
		if (r == 0)
			r = deliver_known(c, ev);
		if (r == 0)
			r = deliver_ending(c, ev);
		if (r != 0)
			return r;
		if (c->lost && !c->lost_told) {
			carrel_event full = about(CARREL_LOST, NULL);

			c->lost_told = true;
			full.data = c->lost_reason;
			full.len = strlen(c->lost_reason);
			return deliver(ev, &full);
		}
		int timeout_ms = clock_poll_ms(deadline_us);
		if (c->lost)
			return c->once ? 0 : -EPIPE;
		if (c->live == 0) {
			/* Only the loss of the handle could still be news. */
			channel_read(c);
			if (!something_queued(c))
				return 0;
			continue;
		}
		unkick(c);
		c->hot = NULL;
		c->hot_turns = 0;
		r = wait_for_more(c, timeout_ms);
		if (r < 0)
			return r;
		if (r == 0 && timeout_ms == 0 && !something_queued(c))
			return 0;
	}
}

EXPORT int carrel_next(carrel *c, carrel_event *ev, int timeout_ms)
{
	int r;

	if (c == NULL || ev == NULL || ev->size < sizeof(ev->size)) {
		errno = EINVAL;
		return -1;
	}
	if (enter(c) < 0)
		return -1;
	if (c->next_busy) {
		r = -EBUSY;
	} else {
		c->next_busy = true;
		c->shown = NULL;
		buf_finish(&c->kept);
		r = next_locked(c, ev, clock_deadline_us(timeout_ms));
		c->next_busy = false;
		unkick(c);
		pthread_cond_broadcast(&c->changed);
	}
	leave(c);
	if (r < 0) {
		errno = -r;
		return -1;
	}
	return r;
}

EXPORT int carrel_fd(const carrel *c)
{
	carrel *m;

	/* The handle is not const to us: from now on it keeps the descriptor honest. */
	memcpy(&m, &c, sizeof(m));
	if (c == NULL || enter(m) < 0) {
		errno = c == NULL ? EINVAL : errno;
		return -1;
	}
	m->fd_used = true;
	if (something_queued(m))
		event_kick(m);
	leave(m);
	return m->epoll;
}
