/* SPDX-License-Identifier: ISC */
/* Frames to descriptor 1: whole, in one write where the kernel allows it. */
#include "port.h"

#include "bytes.h"

#include <errno.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

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

int output_write(struct port *p, struct iovec *iov, int n)
{
	while (n > 0) {
		ssize_t r = n == 1 ? write(FD_OUT, iov->iov_base, iov->iov_len) :
				     writev(FD_OUT, iov, n);

		if (r == -1 && errno == EAGAIN) {
			/* Somebody made it non-blocking. */
			poll(&(struct pollfd){ .fd = FD_OUT, .events = POLLOUT }, 1, -1);
			continue;
		}
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return -errno;
		p->said += (uint64_t)r;
		iov = advance(iov, &n, (size_t)r);
	}
	return 0;
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
