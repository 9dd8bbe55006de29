/* SPDX-License-Identifier: ISC */
/* Pulling events. */
#include "internal.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What an entry of the epoll set is: a proc's stream, or one of ours. */
enum { TOKEN_IN = 0, TOKEN_OUT = 1, TOKEN_ERR = 2, TOKEN_SOCKET = 3, TOKEN_KICK = 4 };

static uint64_t token(uint32_t id, int what)
{
	return (uint64_t)id << 8 | (unsigned)what;
}

static int watch(carrel *c, int op, int fd, uint32_t events, uint64_t tok)
{
	struct epoll_event ev = { .events = events, .data.u64 = tok };

	return epoll_ctl(c->epoll, op, fd, &ev) == -1 ? -errno : 0;
}

int proc_watch_in(carrel_proc *p, bool on)
{
	if (on == p->watch_in || p->in < 0)
		return 0;
	int r = watch(p->c, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, p->in, EPOLLOUT, token(p->id, TOKEN_IN));
	if (r == 0)
		p->watch_in = on;
	return r;
}

int proc_watch(carrel_proc *p)
{
	int r = p->feeding ? proc_watch_in(p, true) : 0;

	for (int stream = 1; stream <= 2 && r == 0; stream++) {
		if (p->out[stream - 1] >= 0)
			r = watch(p->c, EPOLL_CTL_ADD, p->out[stream - 1], EPOLLIN, token(p->id, stream));
	}
	return r;
}

int next_watch_handle(carrel *c)
{
	int r = watch(c, EPOLL_CTL_ADD, c->socket, EPOLLIN, token(0, TOKEN_SOCKET));

	return r < 0 ? r : watch(c, EPOLL_CTL_ADD, c->kick, EPOLLIN, token(0, TOKEN_KICK));
}

/* Closing alone would not take it out of the set if the host forked meanwhile. */
void proc_close_stream(carrel_proc *p, int stream)
{
	int *fd = stream == 0 ? &p->in : &p->out[stream - 1];

	if (*fd < 0)
		return;
	int err = errno;
	if (stream != 0 || p->watch_in)
		epoll_ctl(p->c->epoll, EPOLL_CTL_DEL, *fd, NULL);
	errno = err;
	if (stream == 0)
		p->watch_in = p->feeding = false;
	*fd = fd_close(*fd);
}

void event_kick(carrel *c)
{
	if (!c->kicked && (c->fd_used || c->next_waits))
		c->kicked = eventfd_write(c->kick, 1) == 0;
}

static bool something_queued(const carrel *c)
{
	return c->first != NULL || c->ending != NULL || (c->lost && !c->lost_told);
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
	p->gone = true;
	pthread_cond_broadcast(&c->changed);
	for (int i = 0; i < 2; i++) {
		if (p->out[i] < 0 || ioctl(p->out[i], FIONREAD, &p->rest[i]) == -1)
			p->rest[i] = 0;
	}
	if (p->captured) {
		p->gone_told = true;
	} else {
		ending_add(c, p);
		event_kick(c);
	}
	if (p->released)
		proc_forget(p);
}

void proc_forget(carrel_proc *p)
{
	if (!p->gone_told)
		ending_remove(p->c, p);
	/* Another thread may see the end and release it before carrel_spawn() has returned it. */
	p->forgotten = true;
	if (p->request == NULL)
		proc_free(p);
}

void proc_free(carrel_proc *p)
{
	for (int stream = 0; stream <= 2; stream++)
		proc_close_stream(p, stream);
	map_remove(&p->c->procs, p->id);
	free(p);
}

ssize_t proc_read(carrel_proc *p, int i, void *mem, size_t size)
{
	ssize_t n = 0;

	if (p->gone && (size_t)p->rest[i] < size)
		size = (size_t)p->rest[i];
	if (size > 0) {
		do {
			n = read(p->out[i], mem, size);
		} while (n == -1 && errno == EINTR);
		if (n == -1 && errno == EAGAIN && !p->gone)
			return -EAGAIN;
	}
	if (n <= 0) {
		proc_close_stream(p, i + 1);
		return 0;
	}
	if (p->gone)
		p->rest[i] -= (int)n;
	return n;
}

static int deliver(carrel_event *ev, const carrel_event *full)
{
	size_t size = ev->size;

	/* An older caller has a shorter struct. */
	if (size == 0 || size > sizeof(*full))
		size = sizeof(*full);
	memcpy(ev, full, size);
	ev->size = size;
	return 1;
}

static carrel_event about(carrel_event_kind kind, carrel_proc *p)
{
	return (carrel_event){ .size = sizeof(carrel_event), .kind = kind, .proc = p,
			       .user = p != NULL ? p->user : NULL, .pid = p != NULL ? p->pid : 0 };
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
	full.sig = n->sig;
	if (n->kind == CARREL_EXIT)
		full.status = (const carrel_status *)(const void *)n->data;
	else if (n->len > 0)
		full.data = n->data;
	full.len = n->kind == CARREL_EXIT ? 0 : n->len;
	return deliver(ev, &full);
}

/* One read of a stream that has something.  1 with an event, 0 without. */
static int deliver_output(carrel_proc *p, int stream, carrel_event *ev)
{
	carrel *c = p->c;
	ssize_t n = proc_read(p, stream - 1, c->data, READ_MAX);

	if (n == -EAGAIN)
		return 0;
	carrel_event full = about(n == 0 ? CARREL_EOF : stream == 1 ? CARREL_OUT : CARREL_ERR, p);
	full.stream = stream;
	if (n > 0) {
		full.data = c->data;
		full.len = (size_t)n;
	}
	return deliver(ev, &full);
}

static int close_input(carrel_proc *p, carrel_event *ev)
{
	carrel_event full = about(CARREL_STDIN_CLOSED, p);

	proc_close_stream(p, 0);
	return deliver(ev, &full);
}

/* Stdin has room: feed it, or tell. */
static int deliver_input(carrel_proc *p, bool closed, carrel_event *ev)
{
	if (closed)
		return close_input(p, ev);
	if (!p->feeding) {
		carrel_event full = about(CARREL_STDIN_ROOM, p);

		proc_watch_in(p, false);
		return deliver(ev, &full);
	}
	ssize_t n = write_some(p->in, p->input, p->input_len);
	if (n == -EAGAIN)
		return 0;
	if (n < 0)
		return close_input(p, ev);
	p->input += n;
	p->input_len -= (size_t)n;
	if (p->input_len == 0)
		proc_close_stream(p, 0);
	return 0;
}

static int deliver_batch(carrel *c, carrel_event *ev)
{
	while (c->batch_at < c->batch_n) {
		uint32_t id = c->batch[c->batch_at].id;
		bool closed = c->batch[c->batch_at].closed;
		int stream = c->batch[c->batch_at++].stream;
		carrel_proc *p = map_get(&c->procs, id);
		int r = 0;

		if (p == NULL || p->released)
			continue;
		if (stream == 0 && p->in >= 0 && p->watch_in)
			r = deliver_input(p, closed, ev);
		else if (stream > 0 && p->out[stream - 1] >= 0)
			r = deliver_output(p, stream, ev);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Trees that are gone: the rest of their streams, then GONE. */
static int deliver_ending(carrel *c, carrel_event *ev)
{
	carrel_proc *p = c->ending;

	if (p == NULL)
		return 0;
	for (int stream = 1; stream <= 2; stream++) {
		if (p->out[stream - 1] >= 0)
			return deliver_output(p, stream, ev);
	}
	ending_remove(c, p);
	proc_close_stream(p, 0);
	/* A copy: the caller may release the proc and still look at this. */
	c->gone_status = p->status;
	carrel_event full = about(CARREL_GONE, p);
	full.status = &c->gone_status;
	return deliver(ev, &full);
}

static void take_batch(carrel *c, const struct epoll_event *events, int n)
{
	c->batch_n = c->batch_at = 0;
	for (int i = 0; i < n; i++) {
		int what = (int)(events[i].data.u64 & 0xff);

		if (what == TOKEN_SOCKET) {
			channel_read(c);
		} else if (what != TOKEN_KICK) {
			c->batch[c->batch_n].id = (uint32_t)(events[i].data.u64 >> 8);
			c->batch[c->batch_n].closed = events[i].events & EPOLLERR;
			c->batch[c->batch_n++].stream = what;
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
	c->reader = c->next_waits = true;
	pthread_mutex_unlock(&c->lock);
	int n = epoll_wait(c->epoll, events, BATCH_MAX, timeout_ms);
	int err = errno;
	pthread_mutex_lock(&c->lock);
	c->reader = c->next_waits = false;
	if (n > 0)
		take_batch(c, events, n);
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

	if (c == NULL || ev == NULL) {
		errno = EINVAL;
		return -1;
	}
	if (enter(c) < 0)
		return -1;
	if (c->next_busy) {
		r = -EBUSY;
	} else {
		c->next_busy = true;
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
