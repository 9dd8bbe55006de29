/* SPDX-License-Identifier: ISC */
/* Run, feed, capture, reap: the convenience on top of a spawn. */
#include "task.h"

#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* While another thread reads the socket, the news that it brings are looked for this often. */
#define OTHER_READER_MS 10

struct capture {
	carrel *c;
	carrel_proc *p;
	struct buf out[2];
	bool truncated[2];
	enum feed_state wait;	/* what the feeding waits for */
};

/* Take what one stream has; beyond .max_output it is only counted. */
static void take_output(struct capture *cap, int i)
{
	size_t max = cap->p->max_output;
	struct output *o = &cap->p->out[i];
	struct buf *b = &cap->out[i];
	ssize_t n = 1;

	while (o->fd >= 0 && n > 0) {
		if (max > 0 && b->len == max) {
			n = output_read(o, cap->c->data, READ_MAX);
			cap->truncated[i] |= n > 0;
			continue;
		}
		size_t want = max > 0 && max - b->len < READ_MAX ? max - b->len : READ_MAX;
		unsigned char *room = buf_reserve(b, want);
		if (room == NULL)
			return;
		n = output_read(o, room, want);
		if (n > 0)
			b->len += (size_t)n;
	}
}

/* False when the input failed. */
static bool feed(struct capture *cap)
{
	carrel_proc *p = cap->p;

	cap->wait = FEED_ROOM;
	if (p->in < 0 || !p->feed.on)
		return true;
	cap->wait = feed_turn(p);
	if (cap->wait == FEED_OVER && p->pty) {
		if (feed_eof(p) != -EAGAIN)
			feed_end(p);
	} else if (cap->wait == FEED_OVER || cap->wait == FEED_CLOSED) {
		proc_close_stream(p, 0);
	}
	return cap->wait != FEED_FAILED;
}

static void wait_for_more(struct capture *cap)
{
	carrel *c = cap->c;
	carrel_proc *p = cap->p;
	struct pollfd fds[] = {
		{ .fd = p->feed.on ? p->in : -1, .events = cap->wait == FEED_ROOM ? POLLOUT : 0 },
		{ .fd = cap->wait == FEED_SOURCE ? p->feed.fd : -1, .events = POLLIN },
		{ .fd = p->out[0].fd, .events = POLLIN },
		{ .fd = p->out[1].fd, .events = POLLIN },
		{ .fd = c->socket, .events = POLLIN },
		{ .fd = c->yield, .events = POLLIN },
		{ .fd = c->talk, .events = POLLIN },
	};
	bool reader = !c->reader && !c->next_busy;
	int timeout_ms = reader ? tasks_timeout(c, -1) : OTHER_READER_MS;

	c->reader |= reader;
	pthread_mutex_unlock(&c->lock);
	poll(fds, reader ? 7 : 4, timeout_ms);
	pthread_mutex_lock(&c->lock);
	if (fds[0].revents & (POLLERR | POLLHUP))
		proc_close_stream(p, 0);
	if (!reader)
		return;
	c->reader = false;
	eventfd_read(c->yield, &(eventfd_t){ 0 });
	channel_read(c);
	pthread_cond_broadcast(&c->changed);
}

static void collect(struct capture *cap)
{
	carrel_proc *p = cap->p;

	for (;;) {
		/* What was written before the end is there when the end is known, so look in this order. */
		bool gone = p->gone;

		if (!feed(cap))
			return;
		take_output(cap, 0);
		take_output(cap, 1);
		if (cap->out[0].err != 0 || cap->out[1].err != 0)
			return;
		if (gone)
			return;
		wait_for_more(cap);
	}
}

static int finish(struct capture *cap, carrel_result *r, carrel_error *e)
{
	int err = cap->out[0].err != 0 ? cap->out[0].err : cap->out[1].err;

	if (cap->wait == FEED_FAILED)
		return error_set(e, CARREL_STAGE_INPUT, cap->p->feed.err, -1,
				 "the input for stdin failed: %s; everything was killed",
				 strerror(cap->p->feed.err));
	if (err != 0)
		return error_set(e, CARREL_STAGE_FDS, err, -1, "no memory for the output");
	proc_counts(cap->p, &cap->p->status);
	r->status = cap->p->status;
	r->out_truncated = cap->truncated[0];
	r->err_truncated = cap->truncated[1];
	r->out_len = cap->out[0].len;
	r->err_len = cap->out[1].len;
	r->out = buf_steal_text(&cap->out[0]);
	r->err = buf_steal_text(&cap->out[1]);
	if (r->out == NULL || r->err == NULL) {
		carrel_result_free(r);
		return error_set(e, CARREL_STAGE_FDS, ENOMEM, -1, "no memory for the output");
	}
	/* A task whose parent ended is no loss of ours: it wrote what it wrote. */
	if (cap->p->status.cause == CARREL_BY_LOSS && (cap->p->task == NULL || cap->c->lost)) {
		carrel_result_free(r);
		return error_set(e, CARREL_STAGE_CHANNEL, EPIPE, -1,
				 "a control process was lost while the command ran; everything was killed");
	}
	return 0;
}

int run_to_end(carrel_proc *p, carrel_result *r, carrel_error *e)
{
	struct capture cap = { .c = p->c, .p = p };

	*r = (carrel_result){ 0 };
	if (enter(p->c) < 0)
		return -1;
	buf_init(&cap.out[0], SIZE_MAX / 2);
	buf_init(&cap.out[1], SIZE_MAX / 2);
	collect(&cap);
	int result = finish(&cap, r, e);
	buf_finish(&cap.out[0]);
	buf_finish(&cap.out[1]);
	leave(p->c);
	int err = errno;
	carrel_release(p);
	errno = err;
	return result;
}

EXPORT int carrel_run(carrel *c, const carrel_spec *s, carrel_result *r, carrel_error *e)
{
	static const carrel_config once = { .size = sizeof(once), .once = 1 };
	const bool own = c == NULL;
	int result = -1;

	if (r == NULL)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "r is NULL: there is no result to fill");
	*r = (carrel_result){ 0 };
	if (own && (c = carrel_open(&once, e)) == NULL)
		return -1;
	carrel_proc *p = spawn_captured(c, s, e);
	if (p != NULL)
		result = run_to_end(p, r, e);
	if (own) {
		int err = errno;

		carrel_close(c);
		errno = err;
	}
	return result;
}

EXPORT void carrel_result_free(carrel_result *r)
{
	if (r == NULL)
		return;
	free(r->out);
	free(r->err);
	*r = (carrel_result){ 0 };
}
