/* SPDX-License-Identifier: ISC */
/* Our ends of stdout and stderr. */
#include "internal.h"

#include "fd.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

static uint64_t left_of_limit(const carrel_proc *p)
{
	return p->output_limit > 0 ? p->output_limit - p->out[0].bytes - p->out[1].bytes : UINT64_MAX;
}

static ssize_t read_some(struct output *o, void *mem, size_t size)
{
	bool gone = o->p->gone;
	ssize_t n = 0;

	if (gone && (size_t)o->rest < size)
		size = (size_t)o->rest;
	if (size > 0) {
		do {
			n = read(o->fd, mem, size);
		} while (n == -1 && errno == EINTR);
		if (n == -1 && errno == EAGAIN && !gone)
			return -EAGAIN;
	}
	/* EIO: a terminal's way to say that nobody has it open any more. */
	if (n <= 0) {
		proc_close_stream(o->p, o->stream);
		return 0;
	}
	if (gone && o->rest != INT_MAX)
		o->rest -= (int)n;
	return n;
}

ssize_t output_read(struct output *o, void *mem, size_t size)
{
	const uint64_t left = left_of_limit(o->p);
	ssize_t n;

	/* Beyond the limit it is dropped, so that a full pipe keeps nobody from its end; but not for ever here. */
	do {
		n = read_some(o, mem, size);
		if (n > 0 && (uint64_t)n > left && !o->p->over_limit)
			proc_stop_over(o->p);
	} while (n > 0 && left == 0 && o->p->gone);
	if (n <= 0)
		return n;
	if (left == 0)
		return -EAGAIN;
	if ((uint64_t)n > left)
		n = (ssize_t)left;
	o->bytes += (uint64_t)n;
	return n;
}

void proc_counts(const carrel_proc *p, carrel_status *st)
{
	st->in_bytes = p->in_bytes;
	st->out_bytes = p->out[0].bytes;
	st->err_bytes = p->out[1].bytes;
	/* Who wrote too much and ended before we could end it did not end by itself either. */
	if (p->gone && p->over_limit && !p->stop_asked &&
	    (st->cause == CARREL_BY_ITSELF || st->cause == CARREL_BY_STOP))
		st->cause = CARREL_BY_LIMIT;
}

static int pause_output(struct output *o, bool on)
{
	carrel *c = o->p->c;

	if (o->fd < 0 && o->text.len == o->at && !o->ended)
		return -EBADF;
	if (on == o->paused)
		return 0;
	int r = output_watch(o, !on);
	if (r < 0)
		return r;
	o->paused = on;
	if (on) {
		ready_remove(o);
	} else {
		ready_add(o);
		event_kick(c);
	}
	return 0;
}

EXPORT int carrel_pause(carrel_proc *p, int stream, int on)
{
	int r = -EBADF;

	if (p == NULL || stream < 1 || stream > 2) {
		errno = EINVAL;
		return -1;
	}
	if (enter(p->c) < 0)
		return -1;
	if (!p->gone_told)
		r = pause_output(&p->out[stream - 1], on != 0);
	leave(p->c);
	if (r == 0)
		return 0;
	errno = -r;
	return -1;
}

/* Out of the epoll set, and no longer ours. */
static int take(carrel_proc *p, int stream)
{
	if (stream == 0) {
		if (p->in < 0)
			return -EBADF;
		if (p->feed.on)
			return -EBUSY;
		proc_watch_in(p, WATCH_OFF);
		return fd_take(&p->in);
	}
	struct output *o = &p->out[stream - 1];
	if (o->fd < 0)
		return -EBADF;
	if (o->text.len > o->at)
		return -EBUSY;
	if (!o->paused)
		output_watch(o, false);
	ready_remove(o);
	o->paused = false;
	if (p->gone)
		event_kick(p->c);
	return fd_take(&o->fd);
}

EXPORT int carrel_take_fd(carrel_proc *p, int stream)
{
	if (p == NULL || stream < 0 || stream > 2) {
		errno = EINVAL;
		return -1;
	}
	if (enter(p->c) < 0)
		return -1;
	int r = take(p, stream);
	leave(p->c);
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}
