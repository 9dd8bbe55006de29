/* SPDX-License-Identifier: ISC */
/* New control processes. */
#include "port.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Between a process and its child. */
struct channels {
	int ctl[2];		/* the child's, ours */
	int in[2], out[2], err[2];	/* to read, to write */
};

#define NO_CHANNELS { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } }

int fd_place(int *fd, int n, int at)
{
	/* First out of the way of each other, then to where they belong. */
	for (int i = 0; i < n; i++) {
		if (fd[i] == at + i)
			continue;
		int moved = fcntl(fd[i], F_DUPFD_CLOEXEC, FD_CTL + 1);
		if (moved == -1)
			return -errno;
		close(fd[i]);
		fd[i] = moved;
	}
	for (int i = 0; i < n; i++) {
		if (fd[i] == at + i)
			continue;
		if (dup3(fd[i], at + i, O_CLOEXEC) == -1)
			return -errno;
		close(fd[i]);
	}
	return 0;
}

static bool set_blocking(int fd, bool blocking)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	/* A terminal or a file may be that of other processes. */
	if (flags == -1 || fstat(fd, &st) == -1 || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		return false;
	flags = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) == 0;
}

void fd_blocking(struct port *p, bool blocking)
{
	p->nonblocking = set_blocking(FD_IN, blocking) && !blocking;
	set_blocking(FD_OUT, blocking);
}

static void channels_close(struct channels *ch)
{
	for (int i = 0; i < 2; i++) {
		ch->ctl[i] = fd_close(ch->ctl[i]);
		ch->in[i] = fd_close(ch->in[i]);
		ch->out[i] = fd_close(ch->out[i]);
		ch->err[i] = fd_close(ch->err[i]);
	}
}

/* The user may have closed one of the numbers that the child gives a meaning. */
static int raise_number(int *fd)
{
	if (*fd > FD_CTL)
		return 0;
	int moved = fcntl(*fd, F_DUPFD_CLOEXEC, FD_CTL + 1);
	if (moved == -1)
		return -errno;
	close(*fd);
	*fd = moved;
	return 0;
}

static int channels_create(struct channels *ch)
{
	int r = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ch->ctl) == -1 ||
	    pipe2(ch->in, O_CLOEXEC | O_NONBLOCK) == -1 || pipe2(ch->out, O_CLOEXEC) == -1 ||
	    pipe2(ch->err, O_CLOEXEC) == -1)
		return -errno;
	for (int i = 0; i < 2 && r == 0; i++) {
		r = raise_number(&ch->ctl[i]);
		r = r == 0 ? raise_number(&ch->in[i]) : r;
		r = r == 0 ? raise_number(&ch->out[i]) : r;
		r = r == 0 ? raise_number(&ch->err[i]) : r;
	}
	return r;
}

static int max(int a, int b)
{
	return a > b ? a : b;
}

/* Everything that a child takes, but for the child. */
static int prepare(struct port *p, struct channels *ch)
{
	int r = channels_create(ch);

	if (r == 0)
		r = child_reserve(p, max(max(ch->ctl[1], ch->in[1]), max(ch->out[0], ch->err[0])));
	if (r < 0)
		channels_close(ch);
	return r;
}

/* The child's ends to their numbers, and away with everything that is the parent's. */
static int child_descriptors(struct port *p, struct channels *ch)
{
	/* With low numbers there is nothing beyond them. */
	children_forget(p, p->low.end > 0 ? p->low.end : INT_MAX);
	output_forget();
	if (dup2(ch->in[0], FD_IN) == -1 || dup2(ch->out[1], FD_OUT) == -1 ||
	    dup2(ch->err[1], FD_ERR) == -1 || dup3(ch->ctl[0], FD_CTL, O_CLOEXEC) == -1)
		return -errno;
	channels_close(ch);
	low_close(p);
	fcntl(FD_OUT, F_SETFL, O_NONBLOCK);
	p->nonblocking = true;
	close(FD_SIGNAL);
	close(FD_SIGNAL_WRITE);
	return signals_open();
}

/* In the child: its own channels, no children, and the filter that was meant for it. */
static void become_child(struct port *p, struct channels *ch)
{
	int r = child_descriptors(p, ch);
	sigset_t none;

	if (r < 0)
		_exit(-r);
	signals_forget();
	p->depth++;
	p->ctl = true;
	p->said = 0;
	p->look_us = CLOCK_NEVER;
	p->input.len = 0;
	memcpy(p->filter, p->child_filter, sizeof(p->filter));
	/* Ours may be blocked because our pipe is full. */
	sigemptyset(&none);
	sys_signals_mask(&none);
}

/* In the parent: a slot for the child, which has memory already. */
static void become_parent(struct port *p, struct channels *ch, pid_t pid)
{
	struct child c = {
		.pid = pid,
		.flow = p->options.flow,
		.signal = p->options.signal,
		.ctl = fd_take(&ch->ctl[1]),
		.in = fd_take(&ch->in[1]),
		.out = fd_take(&ch->out[0]),
		.err = fd_take(&ch->err[0]),
	};

	channels_close(ch);
	child_add(p, &c);
}

/*
 * fork(2), in a way that does not depend on how many children there are.  The announcement channel,
 * which nothing was said on yet, tells when the child's table is its own.
 */
static pid_t make_child(struct port *p, int64_t flags, struct channels *ch)
{
	int *const ends[LOW_PLACES] = { &ch->ctl[0], &ch->in[0], &ch->out[1], &ch->err[1] };
	bool low = low_put(p, ends);
	pid_t pid = low ? sys_fork_low(flags, p->low.end, ch->ctl[0], ch->ctl[1]) : sys_fork(flags);

	if (pid != 0)
		low_restore(p, ends);
	return pid;
}

enum handled fork_child(struct port *p, int64_t flags, struct buf *reply)
{
	struct channels ch = NO_CHANNELS;
	sigset_t mask;

	low_look(p);
	int r = prepare(p, &ch);
	if (r < 0) {
		reply_error(reply, -r);
		return HANDLED;
	}
	sys_signals_block(&mask);
	pid_t pid = make_child(p, flags, &ch);
	if (pid == 0) {
		become_child(p, &ch);
		return BECAME_CHILD;
	}
	if (pid > 0)
		become_parent(p, &ch, pid);
	sys_signals_mask(&mask);
	if (pid < 0) {
		channels_close(&ch);
		reply_error(reply, -pid);
	} else {
		reply_ok_int(reply, pid);
	}
	return HANDLED;
}

bool fork_allowed(const struct port *p)
{
	return p->depth < p->options.max_depth && p->children.count < p->options.max_children;
}
