/* SPDX-License-Identifier: ISC */
/* The handle's epoll set: what it holds, and for what. */
#include "internal.h"

#include "fd.h"

#include <errno.h>
#include <sys/epoll.h>

uint64_t watch_token(uint32_t id, int what)
{
	return (uint64_t)id << 8 | (unsigned)what;
}

static int watch(carrel *c, int op, int fd, uint32_t events, uint64_t tok)
{
	struct epoll_event ev = { .events = events, .data.u64 = tok };

	return epoll_ctl(c->epoll, op, fd, &ev) == -1 ? -errno : 0;
}

/* That its other end was closed is always told. */
int proc_watch_in(carrel_proc *p, enum watch_in what)
{
	if (what == p->watch_in || p->in < 0)
		return 0;
	int op = what == WATCH_OFF ? EPOLL_CTL_DEL : p->watch_in == WATCH_OFF ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
	int r = watch(p->c, op, p->in, what == WATCH_ROOM ? EPOLLOUT : 0, watch_token(p->id, TOKEN_IN));
	if (r == 0)
		p->watch_in = what;
	return r;
}

void proc_unwatch_source(carrel_proc *p)
{
	if (p->watch_source)
		watch(p->c, EPOLL_CTL_DEL, p->feed.fd, 0, 0);
	p->watch_source = false;
}

/* Only one of the two is waited for at a time, or the other would be ready without end. */
int proc_watch_feed(carrel_proc *p, enum feed_state state)
{
	if (state == FEED_SOURCE) {
		int r = watch(p->c, EPOLL_CTL_ADD, p->feed.fd, EPOLLIN, watch_token(p->id, TOKEN_SOURCE));

		if (r < 0)
			return r;
		p->watch_source = true;
		return proc_watch_in(p, WATCH_CLOSED);
	}
	proc_unwatch_source(p);
	return proc_watch_in(p, WATCH_ROOM);
}

int output_watch(struct output *o, bool on)
{
	if (o->fd < 0)
		return 0;
	return watch(o->p->c, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, o->fd, EPOLLIN, watch_token(o->p->id, o->stream));
}

int proc_watch(carrel_proc *p)
{
	int r = p->feed.on ? proc_watch_in(p, WATCH_ROOM) : 0;

	for (int i = 0; i < 2 && r == 0; i++)
		r = output_watch(&p->out[i], true);
	return r;
}

int watch_handle(carrel *c)
{
	int r = watch(c, EPOLL_CTL_ADD, c->socket, EPOLLIN, watch_token(0, TOKEN_SOCKET));

	return r < 0 ? r : watch(c, EPOLL_CTL_ADD, c->kick, EPOLLIN, watch_token(0, TOKEN_KICK));
}

int watch_talk(carrel *c)
{
	if (c->talk >= 0)
		return 0;
	c->talk = epoll_create1(EPOLL_CLOEXEC);
	if (c->talk == -1)
		return -errno;
	int r = watch(c, EPOLL_CTL_ADD, c->talk, EPOLLIN, watch_token(0, TOKEN_TALK));
	if (r < 0)
		c->talk = fd_close(c->talk);
	return r;
}

/* Closing alone would not take it out of the set if the host forked meanwhile. */
void proc_close_stream(carrel_proc *p, int stream)
{
	int *fd = stream == 0 ? &p->in : &p->out[stream - 1].fd;
	int err = errno;

	if (stream == 0) {
		proc_unwatch_source(p);
		feed_end(p);
		proc_watch_in(p, WATCH_OFF);
	} else if (!p->out[stream - 1].paused && !p->captured) {
		output_watch(&p->out[stream - 1], false);
	}
	*fd = fd_close(*fd);
	errno = err;
}

