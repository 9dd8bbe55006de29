/* SPDX-License-Identifier: ISC */
/* What children say: frames of control processes, bytes of programs, the end of either. */
#include "port.h"

#include "bytes.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

/* The longest frame that still fits into the PROXY frame around it. */
#define FORWARD_MAX (FRAME_MAX - 6 - 2)
#define FORWARD_BATCH 32

/* The beginning of a frame and one read. */
static unsigned char room[2 * (FRAME_MAX + 1)];

/* Bytes that can be read without waiting, or -errno. */
static int pending(int fd)
{
	int n;

	return ioctl(fd, FIONREAD, &n) == -1 ? -errno : n;
}

static void close_stream(struct port *p, struct child *c, int *fd)
{
	bool out = fd == &c->out;

	if (out ? p->options.stdout_closed : p->options.stderr_closed)
		say_ctl(p, (uint32_t)c->pid, out ? "stdout_closed" : "stderr_closed");
	child_close(p, fd, -1);
}

/* ---------------------------------------------------------------- frames --- */

/* The whole frames at ${at} up to a batch.  The bytes they take, or -errno. */
static ssize_t forward_batch(struct port *p, const struct child *c, unsigned char *at, size_t len)
{
	unsigned char head[FORWARD_BATCH][HEAD_PID];
	struct iovec iov[2 * FORWARD_BATCH];
	size_t done = 0;
	int n = 0;

	while (n < FORWARD_BATCH && len - done >= 2) {
		size_t size = 2 + (size_t)get16(at + done);

		if (size > FORWARD_MAX + 2)
			return -EMSGSIZE;
		if (size > len - done)
			break;
		head_pid_out(head[n], FRAME_PROXY, (uint32_t)c->pid, size);
		iov[2 * n] = (struct iovec){ head[n], HEAD_PID };
		iov[2 * n + 1] = (struct iovec){ at + done, size };
		done += size;
		n++;
	}
	int r = output_write(p, iov, 2 * n);
	return r < 0 ? r : (ssize_t)done;
}

/* Read up to ${n} bytes, which are there, and forward the frames in them.  0 or -errno. */
static int forward(struct port *p, struct child *c, size_t n)
{
	size_t have = c->partial.len, done = 0;

	if (have > 0)
		memcpy(room, c->partial.data, have);
	c->partial.len = 0;
	ssize_t r = read(c->out, room + have, n < sizeof(room) - have ? n : sizeof(room) - have);
	if (r == -1)
		return errno == EINTR ? held_append(&c->partial, room, have) : -errno;
	c->framed += (uint64_t)r;
	size_t len = have + (size_t)r;
	for (;;) {
		ssize_t taken = forward_batch(p, c, room + done, len - done);

		if (taken < 0)
			return (int)taken;
		if (taken == 0)
			break;
		done += (size_t)taken;
	}
	return len == done ? 0 : held_append(&c->partial, room + done, len - done);
}

/* Forward the frames that are there, but no more than ${limit} bytes. */
static void forward_pending(struct port *p, struct child *c, uint64_t limit)
{
	int there = c->out >= 0 ? pending(c->out) : 0;
	uint64_t end = c->framed + (there < 0 ? 0 : (uint64_t)there < limit ? (uint64_t)there : limit);

	while (c->framed < end) {
		uint64_t before = c->framed;

		if (forward(p, c, end - c->framed) < 0) {
			child_close(p, &c->out, -1);
			break;
		}
		if (c->framed == before)
			break;
	}
}

void stream_ctl_end(struct port *p, struct child *c)
{
	uint64_t limit = UINT64_MAX;

	if (c->announced)
		limit = c->framed_end > c->framed ? c->framed_end - c->framed : 0;
	forward_pending(p, c, limit);
	held_free(&c->partial);
	child_close(p, &c->ctl, CTL_EXEC);
	c->raw_since = p->batch;
	say_ctl(p, (uint32_t)c->pid, "fdctl_closed");
	child_watch(p, c);
}

/* Take what the ctl channel has. */
static void read_ctl(struct port *p, struct child *c)
{
	int r = c->ctl >= 0 ? announce_read(c) : 0;

	if (r == 1)
		stream_ctl_end(p, c);
	else if (r < 0)
		child_close(p, &c->ctl, CTL_LOST);
}

/*
 * Frames are ready.  The order matters: bytes that were there before the channel was
 * seen to go on cannot be those of a program.
 */
static void read_frames(struct port *p, struct child *c, short events)
{
	int n = pending(c->out);

	read_ctl(p, c);
	if (c->ctl == CTL_EXEC)
		return;
	if (n > 0)
		n = forward(p, c, (size_t)n);
	else if (n == 0 && (events & POLLHUP) != 0)
		close_stream(p, c, &c->out);
	if (n < 0)
		child_close(p, &c->out, -1);
}

/* ------------------------------------------------------------- raw bytes --- */

/* Forward one chunk of at most ${n} bytes.  What was read, or -errno. */
static ssize_t forward_raw(struct port *p, struct child *c, int *fd, size_t n)
{
	enum frame_type type = fd == &c->out ? FRAME_STDOUT : FRAME_STDERR;
	ssize_t r = read(*fd, room + HEAD_PID, n);

	if (r <= 0)
		return r == 0 ? 0 : -errno;
	head_pid_out(room, type, (uint32_t)c->pid, (size_t)r);
	int w = output_write(p, &(struct iovec){ room, HEAD_PID + (size_t)r }, 1);
	return w < 0 ? -EPIPE : r;
}

static void read_raw(struct port *p, struct child *c, int *fd)
{
	ssize_t r = forward_raw(p, c, fd, output_room(p));

	if (r == 0)
		close_stream(p, c, fd);
	else if (r < 0 && r != -EINTR && r != -EAGAIN)
		child_close(p, fd, -1);
	else if (r > 0 && c->ctl == CTL_EXEC && c->flow > 0 && --c->flow == 0)
		child_watch(p, c);
}

/* What the ended process left in a stream.  A process that still has it open is not waited for. */
static void drain_raw(struct port *p, struct child *c, int *fd)
{
	int left = *fd >= 0 ? pending(*fd) : 0;

	while (left > 0) {
		size_t n = (size_t)left < output_room(p) ? (size_t)left : output_room(p);
		ssize_t r = forward_raw(p, c, fd, n);

		if (r <= 0 && r != -EINTR)
			break;
		left -= r > 0 ? (int)r : 0;
	}
	if (*fd >= 0)
		close_stream(p, c, fd);
}

void stream_drain(struct port *p, struct child *c)
{
	read_ctl(p, c);
	/* Another process may hold the other end for as long as it likes. */
	if (c->ctl >= 0)
		stream_ctl_end(p, c);
	else if (c->ctl == CTL_LOST)
		forward_pending(p, c, UINT64_MAX);
	drain_raw(p, c, &c->out);
	drain_raw(p, c, &c->err);
}

void stream_ready(struct port *p, const struct sys_ready *r)
{
	const struct watched *f = watch_find(&p->watch, r->fd);

	/* An event before it in the same batch may have taken the interest away. */
	if (f == NULL || f->want == 0)
		return;
	struct child *c = &p->children.slot[f->slot];
	if (f->role == ROLE_CTL)
		read_ctl(p, c);
	else if (f->role == ROLE_IN)
		feed_continue(p, c);
	else if (f->role == ROLE_OUT && c->ctl != CTL_EXEC)
		read_frames(p, c, r->events);
	else if (c->raw_since == p->batch)
		/* What made stdout ready were frames, which are read: a read could wait for ever.  And it goes first. */
		return;
	else
		read_raw(p, c, f->role == ROLE_OUT ? &c->out : &c->err);
}
