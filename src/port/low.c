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
#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

/* As far as a look at each number is worth while. */
#define LOOK_MAX 65536

/* One more than the greatest descriptor of the user; INT_MAX when nobody knows. */
static int end_of_user(struct port *p)
{
	struct rlimit limit;
	int end = 0;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur > LOOK_MAX)
		return INT_MAX;
	for (int fd = FD_CTL + 1; fd < (int)limit.rlim_cur; fd++) {
		if (watch_find(&p->watch, fd) == NULL && fcntl(fd, F_GETFD) != -1)
			end = fd + 1;
	}
	return end;
}

void low_open(struct port *p)
{
	struct low *low = &p->low;

	/* The places are open then, so they count as the user's, and lie below the end. */
	for (int i = 0; i < LOW_PLACES; i++) {
		low->place[i] = fcntl(FD_SIGNAL_WRITE, F_DUPFD_CLOEXEC, FD_CTL + 1);
		if (low->place[i] == -1) {
			low_close(p);
			return;
		}
	}
	low->end = end_of_user(p);
	if (low->end == INT_MAX)
		low_close(p);
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

/* The number in an answer {ok, N}, 0 for {error, Errno}, or else one that is too great. */
static int64_t number_in(const struct buf *reply)
{
	struct term_in in;
	struct slice word;
	int64_t n;

	term_in_init(&in, reply->data, reply->len);
	if (term_in_version(&in) < 0 || term_in_tuple(&in, 2) < 0 || term_in_atom(&in, &word) < 0)
		return INT64_MAX;
	if (slice_is(word, "error"))
		return 0;
	return term_in_int(&in, 0, INT32_MAX, &n) == 0 ? n : INT64_MAX;
}

/* The flag of seccomp(2) that makes it open a descriptor.  Without it nothing may be closed: there is a filter now. */
#define NEW_LISTENER 8

void low_opened(struct port *p, unsigned number, const struct arg *a, const struct buf *reply)
{
	bool may = number == CALL_open || number == CALL_socket || number == CALL_ioctl ||
		   (number == CALL_seccomp && (a[1].i & NEW_LISTENER) != 0) ||
		   (number == CALL_fcntl && (a[1].i == F_DUPFD || a[1].i == F_DUPFD_CLOEXEC));

	if (may && p->low.end != 0 && number_in(reply) >= p->low.end)
		low_close(p);
}
