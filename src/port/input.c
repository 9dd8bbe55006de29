/* SPDX-License-Identifier: ISC */
/* Frames from descriptor 0. */
#include "port.h"

#include "bytes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/*
 * Bytes behind a request to execute a program belong to that program, so nothing behind it may be read.
 * No such request is shorter than this: length, type, number, and a term of version, tuple, a path
 * of one character and an empty list.
 */
#define FIRST_READ 14

/* Bytes of the frame at the beginning of what was read; at least 2 of them are there. */
static size_t frame_size(const struct input *in)
{
	return 2 + (size_t)get16(in->data);
}

bool input_ready(const struct port *p)
{
	return p->input.len >= 2 && p->input.len >= frame_size(&p->input);
}

/*
 * One read, which does not wait: the descriptor does not block, or poll said that something is there.  A frame
 * whose rest is still to come leaves us free for the children.  Whether as much came as was asked for.  Ends the
 * process at the end of input, also within a frame.
 */
static bool read_more(struct port *p)
{
	struct input *in = &p->input;
	size_t want = (in->len < 2 ? FIRST_READ : frame_size(in)) - in->len;
	ssize_t n = read(FD_IN, in->data + in->len, want);

	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n <= 0)
		port_end(p, n == 0 ? 0 : errno);
	in->len += (size_t)n;
	return (size_t)n == want;
}

/* A frame was answered with ${r}: the process cannot live without its output. */
static void check_output(struct port *p, int r)
{
	if (r < 0)
		port_end(p, -r);
}

static enum handled handle(struct port *p, const unsigned char *body, size_t len)
{
	/* A length of 0, or of 1 and a zero byte, passes for bytes to nobody. */
	if (len == 0 || (len == 1 && body[0] == 0)) {
		check_output(p, feed_write(p, 0, NULL, 0));
		return HANDLED;
	}
	unsigned type = len >= 2 ? get16(body) : UINT16_MAX;
	if (type == FRAME_CALL && len > HEAD_PLAIN)
		return request_call(p, body + 2, len - 2);
	/* Whatever else it is, the peer does not speak this protocol. */
	if (type != FRAME_STDIN || len < 6)
		port_end(p, 0);
	check_output(p, feed_write(p, get32(body + 2), body + 6, len - 6));
	return HANDLED;
}

enum handled input_frame(struct port *p)
{
	struct input *in = &p->input;

	/* The rest is mostly there, too. */
	if (!input_ready(p) && read_more(p) && !input_ready(p) && p->nonblocking)
		read_more(p);
	if (!input_ready(p))
		return HANDLED;
	size_t size = frame_size(in);
	enum handled h = handle(p, in->data + 2, size - 2);
	if (h == BECAME_CHILD)
		return h;
	in->len -= size;
	memmove(in->data, in->data + size, in->len);
	return h;
}
