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

	/* A parent that is gone, or does not read, needs no announcement. */
	if (p->ctl && send(FD_CTL, &a, sizeof(a), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(a))
		p->said = 0 - more;
}

/* No process says more in one go; one that never stops would keep us here. */
#define AT_ONCE 64

int announce_read(struct child *c)
{
	for (int i = 0; i < AT_ONCE; i++) {
		struct announcement a;
		ssize_t n = recv(c->ctl, &a, sizeof(a), MSG_DONTWAIT);

		if (n == 0 || (n == -1 && errno == ECONNRESET))
			return 1;
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN ? 0 : -errno;
		/* Something else: the user wrote to the channel. */
		if (n != sizeof(a) || a.magic != MAGIC)
			return -EBADMSG;
		c->framed_end += a.said;
		c->announced = a.what == ANNOUNCE_EXEC;
	}
	return 0;
}
