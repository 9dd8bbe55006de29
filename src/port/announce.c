/* SPDX-License-Identifier: ISC */
/*
 * What a control process says to its parent on the ctl channel.
 *
 * The end of that channel tells the parent that the child executed a program or ended, but not which
 * bytes of its stdout are still frames.  So the child says before it executes a program how much it wrote,
 * and takes that back if it could not.  At an end without announcement everything is frames.
 */
#include "port.h"

#include <errno.h>
#include <sys/socket.h>

#define MAGIC UINT32_C(0xca22e1f5)

struct announcement {
	uint32_t magic;
	uint32_t what;
	uint64_t said;	/* since the message before */
};

void announce(struct port *p, int what, uint64_t more)
{
	struct announcement a = { MAGIC, (uint32_t)what, p->said + more };
	ssize_t n;

	if (!p->ctl)
		return;
	/* A parent that does not look has room for a hundred, then we wait.  One that is gone needs none. */
	do {
		n = send(FD_CTL, &a, sizeof(a), MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	if (n == sizeof(a))
		p->said = 0 - more;
}

/* More than a process can have sent one by one without our reading. */
#define AT_ONCE 512

/* ${n} bytes of announcements.  0, or -EBADMSG: something else, which the user wrote to the channel. */
static int take(struct child *c, const struct announcement *a, size_t n)
{
	for (; n >= sizeof(*a) && a->magic == MAGIC; n -= sizeof(*a), a++) {
		c->framed_end += a->said;
		c->announced = a->what == ANNOUNCE_EXEC;
	}
	return n == 0 ? 0 : -EBADMSG;
}

int announce_read(struct child *c)
{
	struct announcement a[AT_ONCE];
	int r = 0;

	/* The second time it is the end, or one that never stops, which would keep us here. */
	for (int i = 0; i < 2 && r == 0; i++) {
		ssize_t n = recv(c->ctl, a, sizeof(a), MSG_DONTWAIT);

		if (n == 0 || (n == -1 && errno == ECONNRESET))
			return 1;
		if (n == -1)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		r = take(c, a, (size_t)n);
	}
	return r;
}
