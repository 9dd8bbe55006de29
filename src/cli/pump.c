/* SPDX-License-Identifier: ISC */
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_MAX ((size_t)64 << 10)
#define SPLICE_MAX ((size_t)1 << 20)

/* After so many moves others get their turn. */
#define MOVES_MAX 16

/* A pipe at one end at least, and nothing at the other that would make splice(2) wait. */
static int can_splice(const struct pump *p)
{
	struct stat from, to;
	int pipes;

	if (p->put != NULL || fstat(p->from.fd, &from) == -1 || fstat(p->to.fd, &to) == -1)
		return 0;
	pipes = S_ISFIFO(from.st_mode) + S_ISFIFO(to.st_mode);
	return pipes == 2 || (pipes == 1 && (S_ISREG(from.st_mode) || S_ISREG(to.st_mode)));
}

int pump_init(struct pump *p)
{
	p->buf = malloc(COPY_MAX);
	if (p->buf == NULL)
		return -1;
	p->splice = can_splice(p);
	p->rest = -1;
	p->state = PUMP_RUNS;
	return 0;
}

void pump_finish(struct pump *p)
{
	if (p->state == PUMP_OFF)
		return;
	port_close(&p->from);
	if (p->put == NULL)
		port_close(&p->to);
	free(p->buf);
	*p = (struct pump){ .state = PUMP_OFF };
}

void pump_poll(const struct pump *p, struct pollfd fds[2])
{
	int full = p->full || p->at < p->len;

	fds[0] = fds[1] = (struct pollfd){ .fd = -1 };
	if (p->state != PUMP_RUNS)
		return;
	if (!full && !p->behind)
		fds[0] = (struct pollfd){ .fd = p->from.fd, .events = POLLIN };
	/* Without events: whether the reader is gone. */
	if (p->put == NULL)
		fds[1] = (struct pollfd){ .fd = p->to.fd, .events = full ? POLLOUT : 0 };
}

/* --------------------------------------------------------------- moving --- */

static size_t wanted(const struct pump *p, size_t max)
{
	return p->rest >= 0 && (uint64_t)p->rest < max ? (size_t)p->rest : max;
}

static void moved(struct pump *p, size_t n)
{
	p->full = 0;
	p->moved += n;
	if (p->rest >= 0)
		p->rest -= (int64_t)n;
}

static void fail(struct pump *p, enum pump_state state, int err)
{
	p->state = state;
	p->err = err;
}

/* 1 when something was moved, 0 when nothing can be now. */
static int move_by_splice(struct pump *p)
{
	ssize_t n = splice(p->from.fd, NULL, p->to.fd, NULL, wanted(p, SPLICE_MAX),
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n > 0) {
		moved(p, (size_t)n);
	} else if (n == 0) {
		p->state = PUMP_ENDED;
	} else if (errno == EAGAIN) {
		return 0;
	} else if (errno != EINTR) {
		/* Not between these two (EINVAL: a file for appending), or a failure of which
		 * reading and writing tell the side. */
		p->splice = p->full = 0;
	}
	return 1;
}

/* A terminal gives a job behind nothing (EIO, or SIGTTIN, which is blocked). */
static int is_behind(const struct pump *p)
{
	return p->from.terminal && tcgetpgrp(p->from.fd) != getpgrp();
}

static int fill(struct pump *p)
{
	ssize_t n = port_read(&p->from, p->buf, wanted(p, COPY_MAX));

	if (n > 0) {
		p->at = 0;
		p->len = (size_t)n;
		moved(p, (size_t)n);
		return 1;
	}
	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n == -1 && errno == EIO && is_behind(p)) {
		p->behind = 1;
		return 0;
	}
	/* A terminal that hung up, or no standard input at all: the end. */
	if (n == 0 || (errno == EIO && p->from.terminal) || errno == EBADF)
		p->state = PUMP_ENDED;
	else
		fail(p, PUMP_READ_FAILED, errno);
	return 0;
}

static int move_by_copy(struct pump *p)
{
	const char *b;
	ssize_t n;

	if (p->at == p->len && !fill(p))
		return 0;
	b = p->buf + p->at;
	n = p->put != NULL ? p->put(p->arg, b, p->len - p->at)
			   : port_write(&p->to, b, p->len - p->at);
	if (n > 0) {
		p->at += (size_t)n;
		return 1;
	}
	if (n == -1 && errno != EAGAIN)
		fail(p, PUMP_WRITE_FAILED, errno);
	return 0;
}

static void move(struct pump *p)
{
	int any = 0;

	for (int i = 0; i < MOVES_MAX && p->state == PUMP_RUNS; i++) {
		if (p->rest == 0 && p->at == p->len) {
			p->state = PUMP_ENDED;
			return;
		}
		if (!(p->splice ? move_by_splice(p) : move_by_copy(p)))
			break;
		any = 1;
	}
	/* Splice does not say which side was not ready: it was not the one that woke us. */
	if (p->splice && p->state == PUMP_RUNS && !any)
		p->full = !p->full;
}

void pump_ready(struct pump *p, const struct pollfd fds[2])
{
	if (p->state != PUMP_RUNS)
		return;
	if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
		fail(p, PUMP_WRITE_FAILED, EPIPE);
	else if (fds[0].revents != 0 || fds[1].revents != 0)
		move(p);
}

void pump_room(struct pump *p)
{
	if (p->behind && is_behind(p))
		return;
	p->behind = 0;
	if (p->state == PUMP_RUNS)
		move(p);
}

void pump_limit(struct pump *p)
{
	int n = 0;

	if (p->state != PUMP_RUNS)
		return;
	p->rest = ioctl(p->from.fd, FIONREAD, &n) == 0 ? n : 0;
	if (p->rest == 0 && p->at == p->len)
		p->state = PUMP_ENDED;
}

int pump_lost(const struct pump *p)
{
	int n = 0;

	return p->at < p->len || (ioctl(p->from.fd, FIONREAD, &n) == 0 && n > 0);
}

void pump_give_back(const struct pump *p)
{
	struct stat st;
	int unread = 0;

	if (p->state == PUMP_OFF || fstat(p->from.fd, &st) == -1 || !S_ISREG(st.st_mode))
		return;
	if (p->put != NULL || ioctl(p->to.fd, FIONREAD, &unread) == -1)
		unread = 0;
	off_t n = (off_t)unread + (off_t)(p->len - p->at);
	if (n > 0)
		lseek(p->from.fd, -n, SEEK_CUR);
}
