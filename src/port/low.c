/* SPDX-License-Identifier: ISC */
/*
 * Forking with thousands of descriptors.
 *
 * All but a few of them are ends of channels to other children, which a new child would get only to close them:
 * with 3,000 children that takes milliseconds.  So once there are many, a few low numbers are kept occupied; a
 * new child's ends are put there, and it gets a copy of the table only as far as these numbers.  What
 * the user opened must be below too, or the child gets everything after all.
 */
#include "port.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

/* A look at all numbers up to the limit pays when there are so many for each child at most. */
#define NUMBERS_A_CHILD 1000
/* Numbers that are looked at with one system call, which takes no more of them than the limit. */
#define AT_ONCE 64

/* One more than the greatest descriptor of the user below ${limit}; 0: that cannot be told. */
static int end_of_user(struct port *p, int limit)
{
	struct pollfd fd[AT_ONCE];
	int end = 0;

	for (int from = FD_CTL + 1; from < limit; from += AT_ONCE) {
		int n = limit - from < AT_ONCE ? limit - from : AT_ONCE;

		for (int i = 0; i < n; i++)
			fd[i] = (struct pollfd){ .fd = from + i };
		if (poll(fd, (nfds_t)n, 0) == -1)
			return 0;
		for (int i = 0; i < n; i++)
			if ((fd[i].revents & POLLNVAL) == 0 && watch_find(&p->watch, from + i) == NULL)
				end = from + i + 1;
	}
	return end;
}

void low_open(struct port *p)
{
	struct low *low = &p->low;

	for (int i = 0; i < LOW_PLACES; i++) {
		low->place[i] = fcntl(FD_SIGNAL_WRITE, F_DUPFD_CLOEXEC, FD_CTL + 1);
		if (low->place[i] == -1) {
			low_close(p);
			return;
		}
	}
}

void low_limit(struct port *p, bool hard)
{
	struct rlimit limit;
	rlim_t most = p->low.limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		most = hard ? limit.rlim_max : limit.rlim_cur;
	if (most > p->low.limit)
		p->low.limit = most;
}

void low_look(struct port *p)
{
	if (p->low.end != 0 || p->low.place[0] == -1)
		return;
	low_limit(p, false);
	/* The places are open, so they count as the user's, and lie below the end. */
	if (p->low.limit / NUMBERS_A_CHILD <= p->children.count)
		p->low.end = end_of_user(p, (int)p->low.limit);
}

void low_close(struct port *p)
{
	p->low.end = 0;
	for (int i = 0; i < LOW_PLACES; i++)
		p->low.place[i] = fd_close(p->low.place[i]);
}

bool low_is(const struct port *p, int fd)
{
	for (int i = 0; i < LOW_PLACES; i++)
		if (fd >= 0 && fd == p->low.place[i])
			return true;
	return false;
}

bool low_put(struct port *p, int *const fd[LOW_PLACES])
{
	if (p->low.end == 0)
		return false;
	for (int i = 0; i < LOW_PLACES; i++) {
		if (dup3(*fd[i], p->low.place[i], O_CLOEXEC) == -1) {
			p->low.end = 0;
			return false;
		}
		close(*fd[i]);
		*fd[i] = p->low.place[i];
	}
	return true;
}

void low_restore(struct port *p, int *const fd[LOW_PLACES])
{
	for (int i = 0; i < LOW_PLACES; i++) {
		if (low_is(p, *fd[i])) {
			dup3(FD_SIGNAL_WRITE, *fd[i], O_CLOEXEC);
			*fd[i] = -1;
		}
	}
}

/* The flag of seccomp(2) that makes it open a descriptor. */
#define NEW_LISTENER 8

void low_called(struct port *p, unsigned number, const struct arg *a, const struct buf *reply)
{
	bool opens = number == CALL_open || number == CALL_socket || number == CALL_ioctl ||
		     (number == CALL_seccomp && (a[1].i & NEW_LISTENER) != 0) ||
		     (number == CALL_fcntl && (a[1].i == F_DUPFD || a[1].i == F_DUPFD_CLOEXEC));
	int fd = p->low.end != 0 && opens ? reply_number(reply) : -1;

	if (fd == REPLY_NO_NUMBER || (number == CALL_close && a[0].i + 1 == p->low.end))
		p->low.end = 0;
	else if (fd >= p->low.end)
		p->low.end = fd + 1;
}
