/* SPDX-License-Identifier: ISC */
/* Bytes to the children's stdin. */
#include "port.h"

#include "bytes.h"

#include <errno.h>
#include <unistd.h>

/*
 * What a control process may have waiting.  A frame for it is never cut, so what its pipe has no room for
 * waits here; one that would go beyond is refused whole.
 */
#define QUEUE_MAX (1024 * 1024)

/* As much as the pipe takes.  The bytes written, or -errno when the reader is gone. */
static ssize_t push(int fd, const unsigned char *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, data + done, len - done);

		if (n == -1 && errno == EAGAIN)
			break;
		if (n == -1 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)done;
}

/* The answer that the pipe was full after ${n} bytes. */
static int say_full(struct port *p, uint32_t pid, size_t n)
{
	unsigned char mem[16];
	struct buf term;

	buf_init_fixed(&term, mem, sizeof(mem));
	term_out_version(&term);
	term_out_uint(&term, n);
	return say_about(p, pid, FRAME_PIPE, &term);
}

static int queue(struct port *p, struct child *c, const unsigned char *data, size_t len)
{
	if (c->queue.len + len > QUEUE_MAX || held_append(&c->queue, data, len) < 0)
		return say_full(p, (uint32_t)c->pid, 0);
	child_watch(p, c);
	return 0;
}

int feed_write(struct port *p, uint32_t pid, const unsigned char *data, size_t len)
{
	struct child *c = pid != 0 && pid <= INT32_MAX ? child_find(p, pid) : NULL;

	if (c == NULL)
		return say_ctl(p, pid, "badpid");
	if (c->in < 0 || len == 0)
		return 0;
	bool control = c->ctl != CTL_EXEC;
	if (c->queue.len > 0)
		return control ? queue(p, c, data, len) : say_full(p, pid, 0);
	ssize_t n = push(c->in, data, len);
	if (n < 0 || (size_t)n == len)
		return 0;
	return control ? queue(p, c, data + n, len - (size_t)n) : say_full(p, pid, (size_t)n);
}

void feed_continue(struct port *p, struct child *c)
{
	struct held *q = &c->queue;
	ssize_t n = push(c->in, q->data, q->len);

	/* The reader is gone, or has taken all. */
	if (n < 0 || (size_t)n == q->len)
		held_free(q);
	else if (n > 0)
		held_shift(q, (size_t)n);
	child_watch(p, c);
}
