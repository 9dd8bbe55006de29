/* SPDX-License-Identifier: ISC */
/*
 * Frames to descriptor 1: whole, in one write where the kernel allows it.
 *
 * What a reader has no time for waits here, up to a limit, so that requests are still carried out: a kill
 * comes through however much output nobody takes.  Descriptor 1 does not block for that, unless it is shared
 * with others.  The memory is there from the beginning: a seccomp filter may forbid to ask for more.
 */
#include "port.h"

#include "bytes.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define WAITING_MAX (1024 * 1024)
/* From here on children are not read any more. */
#define WAITING_FULL (256 * 1024)

static unsigned char waiting[WAITING_MAX];
static size_t from, waits;	/* of them: where they begin, how many */

void head_out(unsigned char *at, enum frame_type type, size_t body)
{
	put16(at, (uint16_t)(body + 2));
	put16(at + 2, (uint16_t)type);
}

void head_pid_out(unsigned char *at, enum frame_type type, uint32_t pid, size_t data)
{
	head_out(at, type, data + 4);
	put32(at + 4, pid);
}

/* Skip what was written. */
static struct iovec *advance(struct iovec *iov, int *n, size_t written)
{
	while (*n > 0 && written >= iov->iov_len) {
		written -= iov->iov_len;
		iov++;
		(*n)--;
	}
	if (*n > 0) {
		iov->iov_base = (char *)iov->iov_base + written;
		iov->iov_len -= written;
	}
	return iov;
}

bool output_waits(void)
{
	return waits > 0;
}

bool output_full(void)
{
	return waits >= WAITING_FULL;
}

bool output_takes_answer(void)
{
	return WAITING_MAX - waits >= FRAME_MAX + 2;
}

void output_forget(void)
{
	waits = 0;
}

static void wait_for_reader(void)
{
	poll(&(struct pollfd){ .fd = FD_OUT, .events = POLLOUT }, 1, -1);
}

int output_flush(void)
{
	while (waits > 0) {
		ssize_t r = write(FD_OUT, waiting + from, waits);

		if (r == -1 && errno == EAGAIN)
			return 0;
		if (r == -1 && errno != EINTR)
			return -errno;
		from += r > 0 ? (size_t)r : 0;
		waits -= r > 0 ? (size_t)r : 0;
	}
	return 0;
}

/* Wait until no more than ${left} bytes wait. */
static int flush_to(size_t left)
{
	int r = output_flush();

	while (r == 0 && waits > left) {
		wait_for_reader();
		r = output_flush();
	}
	return r;
}

int output_drain(void)
{
	return flush_to(0);
}

/* Put bytes behind those that wait; no more than there is memory for at all. */
static int append(const void *data, size_t n)
{
	int r = n > WAITING_MAX - waits ? flush_to(WAITING_MAX - n) : 0;

	if (r < 0)
		return r;
	if (waits == 0)
		from = 0;
	if (n > WAITING_MAX - from - waits) {
		memmove(waiting, waiting + from, waits);
		from = 0;
	}
	memcpy(waiting + from + waits, data, n);
	waits += n;
	return 0;
}

int output_write(struct port *p, struct iovec *iov, int n)
{
	int e = 0;

	for (int i = 0; i < n; i++)
		p->said += iov[i].iov_len;
	while (n > 0 && waits == 0) {
		ssize_t r = n == 1 ? write(FD_OUT, iov->iov_base, iov->iov_len) :
				     writev(FD_OUT, iov, n);

		if (r == -1 && errno == EAGAIN)
			break;
		if (r == -1 && errno != EINTR)
			return -errno;
		iov = advance(iov, &n, r > 0 ? (size_t)r : 0);
	}
	for (int i = 0; i < n && e == 0; i++)
		e = append(iov[i].iov_base, iov[i].iov_len);
	return e;
}

static int write_one(struct port *p, void *data, size_t len)
{
	return output_write(p, &(struct iovec){ data, len }, 1);
}

/* The longest of these: a head, and a signal's event. */
#define SAY_MAX 512

int say_about(struct port *p, uint32_t pid, enum frame_type type, const struct buf *term)
{
	unsigned char mem[SAY_MAX];
	struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	b.len = HEAD_PID + HEAD_PLAIN;
	buf_append(&b, term->data, term->len);
	if (term->err != 0 || b.err != 0)
		return -EMSGSIZE;
	head_pid_out(mem, FRAME_PROXY, pid, HEAD_PLAIN + term->len);
	head_out(mem + HEAD_PID, type, term->len);
	return write_one(p, mem, b.len);
}

int say_ctl(struct port *p, uint32_t pid, const char *name)
{
	unsigned char mem[64];
	struct buf term;

	buf_init_fixed(&term, mem, sizeof(mem));
	term_out_version(&term);
	term_out_atom(&term, name);
	return say_about(p, pid, FRAME_CTL, &term);
}

int say_event(struct port *p, const struct buf *term)
{
	unsigned char mem[SAY_MAX];
	struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	b.len = HEAD_PLAIN;
	buf_append(&b, term->data, term->len);
	if (term->err != 0 || b.err != 0)
		return -EMSGSIZE;
	head_out(mem, FRAME_EVENT, term->len);
	return write_one(p, mem, b.len);
}

int say_ok(struct port *p)
{
	unsigned char frame[] = { 0, 7, 0, FRAME_CALL, 131, 119, 2, 'o', 'k' };

	return write_one(p, frame, sizeof(frame));
}
