/* SPDX-License-Identifier: ISC */
/* Which descriptors are waited for. */
#include "port.h"

#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

/* poll: standard input, the signal pipe, standard output, the kernel's set; children behind them. */
enum { AT_IN, AT_SIGNAL, AT_OUT, AT_SET, AT_CHILDREN };

int watch_init(struct watch *w)
{
	*w = (struct watch){ .set = -1, .n_poll = AT_CHILDREN, .cap_poll = 16 };
	w->poll = calloc(w->cap_poll, sizeof(*w->poll));
	if (w->poll == NULL)
		return -ENOMEM;
	w->poll[AT_IN] = (struct pollfd){ .fd = FD_IN, .events = POLLIN };
	w->poll[AT_SIGNAL] = (struct pollfd){ .fd = FD_SIGNAL, .events = POLLIN };
	w->poll[AT_OUT] = (struct pollfd){ .fd = -1, .events = POLLOUT };
	w->poll[AT_SET] = (struct pollfd){ .fd = -1, .events = POLLIN };
	return 0;
}

static int reserve_poll(struct watch *w, unsigned n)
{
	if (n <= w->cap_poll)
		return 0;
	struct pollfd *more = realloc(w->poll, 2 * n * sizeof(*more));
	if (more == NULL)
		return -ENOMEM;
	w->poll = more;
	w->cap_poll = 2 * n;
	return 0;
}

int watch_reserve(struct watch *w, int highest)
{
	/* A child has at most four descriptors to wait for. */
	if (w->set == -1 && reserve_poll(w, w->n_poll + 4) < 0)
		return -ENOMEM;
	if (highest < w->n_fd)
		return 0;
	int n = highest + 64;
	struct watched *more = realloc(w->fd, (size_t)n * sizeof(*more));
	if (more == NULL)
		return -ENOMEM;
	memset(more + w->n_fd, 0, (size_t)(n - w->n_fd) * sizeof(*more));
	w->fd = more;
	w->n_fd = n;
	return 0;
}

void watch_own(struct watch *w, int fd, unsigned slot, enum role role)
{
	w->fd[fd] = (struct watched){ .slot = slot, .at = -1, .role = (uint8_t)role };
}

struct watched *watch_find(struct watch *w, int fd)
{
	return fd >= 0 && fd < w->n_fd && w->fd[fd].role != ROLE_NONE ? &w->fd[fd] : NULL;
}

static void poll_add(struct watch *w, int fd, struct watched *f)
{
	f->at = (int)w->n_poll;
	w->poll[w->n_poll++] = (struct pollfd){ .fd = fd, .events = f->want };
}

/* The others keep their order: a child's stdout is read before its stderr. */
static void poll_remove(struct watch *w, struct watched *f)
{
	w->n_poll--;
	for (unsigned i = (unsigned)f->at; i < w->n_poll; i++) {
		w->poll[i] = w->poll[i + 1];
		w->fd[w->poll[i].fd].at = (int)i;
	}
	f->at = -1;
}

void watch_want(struct watch *w, int fd, short events)
{
	struct watched *f = watch_find(w, fd);
	uint8_t old = f != NULL ? f->want : 0;

	if (f == NULL || old == events)
		return;
	f->want = (uint8_t)events;
	/* What is wanted for nothing is taken out: its hang-up would be reported for ever. */
	if (w->set >= 0 && events == 0)
		sys_watch_remove(w->set, fd);
	else if (w->set >= 0)
		(old == 0 ? sys_watch_add : sys_watch_change)(w->set, fd, events);
	else if (events == 0)
		poll_remove(w, f);
	else if (old == 0)
		poll_add(w, fd, f);
	else
		w->poll[f->at].events = events;
}

void watch_drop(struct watch *w, int fd)
{
	struct watched *f = watch_find(w, fd);

	if (f != NULL) {
		watch_want(w, fd, 0);
		f->role = ROLE_NONE;
	}
}

void watch_many(struct watch *w)
{
	int set = w->set >= 0 ? -ENOSYS : sys_watch_open();

	if (set < 0)
		return;
	while (w->n_poll > AT_CHILDREN) {
		struct pollfd *last = &w->poll[--w->n_poll];

		w->fd[last->fd].at = -1;
		sys_watch_add(set, last->fd, last->events);
	}
	w->set = w->poll[AT_SET].fd = set;
}

void watch_few(struct watch *w)
{
	w->set = w->poll[AT_SET].fd = fd_close(w->set);
}

/* Close descriptors ${from} to ${to}, all of them ours. */
static void close_run(int from, int to)
{
#if defined(__linux__) && defined(SYS_close_range)
	if (from < to && syscall(SYS_close_range, from, to, 0) == 0)
		return;
#endif
	while (from <= to)
		close(from++);
}

void watch_forget(struct watch *w, int end)
{
	int from = -1, n = w->n_fd < end ? w->n_fd : end;

	for (int fd = FD_CTL + 1; fd <= n; fd++) {
		bool ours = fd < n && (w->fd[fd].role != ROLE_NONE || fd == w->set);

		if (ours && from == -1)
			from = fd;
		if (!ours && from != -1) {
			close_run(from, fd - 1);
			from = -1;
		}
	}
	if (w->set >= n)
		close(w->set);
	free(w->fd);
	w->fd = NULL;
	w->n_fd = 0;
	w->n_poll = AT_CHILDREN;
	w->set = w->poll[AT_SET].fd = -1;
}

/* The children that poll found, from where the last batch ended, so that none waits for ever. */
static int take_polled(struct watch *w, struct sys_ready *ready)
{
	unsigned n = w->n_poll - AT_CHILDREN, at = w->turn < n ? w->turn : 0;
	int taken = 0;

	for (unsigned i = 0; i < n && taken < WATCH_BATCH; i++) {
		const struct pollfd *f = &w->poll[AT_CHILDREN + at];

		if (f->revents != 0)
			ready[taken++] = (struct sys_ready){ f->fd, f->revents };
		at = at + 1 < n ? at + 1 : 0;
	}
	w->turn = taken == WATCH_BATCH ? at : 0;
	return taken;
}

void watch_again(struct watch *w, int fd)
{
	const struct watched *f = watch_find(w, fd);

	if (f != NULL && f->at >= AT_CHILDREN)
		w->turn = (unsigned)f->at - AT_CHILDREN;
}

int watch_wait(struct watch *w, int timeout_ms, bool output, struct watch_fixed *fixed,
	       struct sys_ready *ready)
{
	w->poll[AT_OUT].fd = output ? FD_OUT : -1;
	int n = poll(w->poll, w->n_poll, timeout_ms);

	if (n == -1)
		return -errno;
	fixed->in = w->poll[AT_IN].revents;
	fixed->signal = w->poll[AT_SIGNAL].revents;
	fixed->out = w->poll[AT_OUT].revents;
	n -= (fixed->in != 0) + (fixed->signal != 0) + (fixed->out != 0);
	if (n == 0)
		return 0;
	/* The set moves what is taken to its end.  With a slow reader there may be room for one only, so no more are taken. */
	if (w->set >= 0)
		return sys_watch_take(w->set, ready, output ? 1 : WATCH_BATCH);
	return take_polled(w, ready);
}
