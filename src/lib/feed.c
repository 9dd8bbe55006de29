/* SPDX-License-Identifier: ISC */
/*
 * Feeding stdin, from memory, a function or a descriptor: pulled only when there is room, so that a source
 * is never more than FEED_MAX bytes ahead of the task's pipe.
 */
#include "internal.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define FEED_MAX (64 * 1024)

/* Without raising SIGPIPE in the host, whose disposition is its own. */
ssize_t write_some(int fd, const void *b, size_t n)
{
	sigset_t pipe_set, before, pending;
	ssize_t w;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	/* One that is pending already is the host's, not ours to take. */
	sigpending(&pending);
	int theirs = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &before);
	do {
		w = write(fd, b, n);
	} while (w == -1 && errno == EINTR);
	int err = errno;
	if (w == -1 && err == EPIPE && theirs == 0) {
		static const struct timespec now = { 0, 0 };

		while (sigtimedwait(&pipe_set, NULL, &now) == -1 && errno == EINTR)
			continue;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return w == -1 ? -err : w;
}

int feed_begin(carrel_proc *p, const carrel_spec *s)
{
	struct feed *f = &p->feed;

	f->newline = true;
	if (!spec_fed(s))
		return 0;
	f->on = true;
	f->at = s->input;
	f->left = s->input_len;
	f->produce = s->produce;
	f->arg = s->produce_arg;
	if (s->in.kind == CARREL_FEED)
		f->fd = fcntl(s->in.fd, F_DUPFD_CLOEXEC, 0);
	f->ended = s->produce == NULL && s->in.kind != CARREL_FEED;
	if (f->ended)
		return 0;
	f->mem = malloc(FEED_MAX);
	return f->mem == NULL ? -ENOMEM : s->in.kind == CARREL_FEED && f->fd == -1 ? -errno : 0;
}

void feed_end(carrel_proc *p)
{
	struct feed *f = &p->feed;

	/* Whoever reads the file after us goes on where the task stopped. */
	if (f->fd >= 0 && f->left > 0)
		lseek(f->fd, -(off_t)f->left, SEEK_CUR);
	f->fd = fd_close(f->fd);
	free(f->mem);
	f->mem = NULL;
	f->on = false;
	f->left = 0;
}

static bool is_ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) != 0;
}

static ssize_t pull_fd(struct feed *f)
{
	ssize_t n;

	/* It may be a blocking one, and stays what it is: the flag belongs to everybody who has it open. */
	if (!is_ready(f->fd, POLLIN))
		return -EAGAIN;
	do
		n = read(f->fd, f->mem, FEED_MAX);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : n;
}

static ssize_t pull(struct feed *f)
{
	if (f->produce == NULL)
		return pull_fd(f);
	ssize_t n = f->produce(f->arg, f->mem, FEED_MAX);
	if (n < 0)
		return errno > 0 && errno != EAGAIN ? -errno : -EIO;
	return n > FEED_MAX ? -EOVERFLOW : n;
}

static enum feed_state put(carrel_proc *p)
{
	struct feed *f = &p->feed;
	ssize_t n = write_some(p->in, f->at, f->left);

	if (n == -EAGAIN)
		return FEED_ROOM;
	if (n < 0)
		return FEED_CLOSED;
	if (n > 0)
		f->newline = f->at[n - 1] == '\n';
	f->at += n;
	f->left -= (size_t)n;
	p->in_bytes += (uint64_t)n;
	return f->ended && f->left == 0 ? FEED_OVER : FEED_ROOM;
}

enum feed_state feed_turn(carrel_proc *p)
{
	struct feed *f = &p->feed;

	if (f->left == 0 && !f->ended) {
		if (!is_ready(p->in, POLLOUT))
			return FEED_ROOM;
		ssize_t n = pull(f);
		if (n == -EAGAIN)
			return FEED_SOURCE;
		if (n < 0) {
			f->err = (int)-n;
			return FEED_FAILED;
		}
		f->at = f->mem;
		f->left = (size_t)n;
		f->ended = n == 0;
	}
	return f->left > 0 ? put(p) : FEED_OVER;
}

int feed_eof(carrel_proc *p)
{
	struct termios t;
	char eof[2];

	if (tcgetattr(p->in, &t) == -1)
		return -errno;
	eof[0] = eof[1] = (char)t.c_cc[VEOF];
	/* Within a line the first one only hands over what was typed of it. */
	ssize_t n = write_some(p->in, eof, p->feed.newline ? 1 : 2);
	if (n < 0)
		return (int)n;
	/* Half of it is done: the other is for another time. */
	bool done = p->feed.newline || n == 2;
	p->feed.newline |= n == 1;
	return done ? 0 : -EAGAIN;
}
