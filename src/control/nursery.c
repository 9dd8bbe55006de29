/* SPDX-License-Identifier: ISC */
/*
 * The nursery: makes stream reapers, as children of the supervisor, which may
 * not fork any more.  It keeps the privileges that tasks begin with, and so
 * it hears nobody but the supervisor.
 */
#include "control.h"

#include "fd.h"

#include <errno.h>
#include <unistd.h>

static void make_reaper(const struct role *role, int requests, const struct nursery_request *q)
{
	struct nursery_reply reply = { .pid = -ENFILE };
	struct iovec iov = { &reply, sizeof(reply) };
	int spawn[2] = { -1, -1 };
	int cgroup = -1;
	int r = sys_socketpair(spawn);

	if (r == 0 && role->cgroup >= 0)
		r = cgroup = sys_cgroup_child(role->cgroup, q->slot, q->fresh);
	reply.pid = r < 0 ? r : sys_fork_sibling();
	if (reply.pid == 0) {
		close(requests);
		close(spawn[0]);
		reaper_main(role, spawn[1], cgroup);
	}
	/* First our copy of its end: a reaper that dies at once must not seem to be there. */
	fd_close(spawn[1]);
	r = sys_send(requests, &iov, 1, spawn, reply.pid > 0 ? 1 : 0, true);
	if (r < 0) {
		/* It waits for an answer: that there is none, or, if not even that can be said, our end. */
		reply.pid = r;
		if (sys_send(requests, &iov, 1, NULL, 0, true) < 0)
			_exit(125);
	}
	fd_close(spawn[0]);
	fd_close(cgroup);
}

static void kill_slot(const struct role *role, int slot)
{
	scoped_fd dir = role->cgroup >= 0 ? sys_cgroup_child(role->cgroup, slot, false) : -1;
	scoped_fd kill_fd = dir >= 0 ? sys_cgroup_kill_fd(dir) : -1;

	if (kill_fd >= 0)
		sys_cgroup_kill(kill_fd);
}

_Noreturn void nursery_main(const struct role *role, int requests)
{
	sys_become("carrel:nursery");
	for (;;) {
		struct nursery_request q;
		size_t no_fds = 0;
		ssize_t n = sys_recv(requests, &q, sizeof(q), NULL, &no_fds, NULL, true);

		if (n != (ssize_t)sizeof(q))
			_exit(0);
		if (q.what == NURSERY_MAKE_REAPER)
			make_reaper(role, requests, &q);
		else if (q.what == NURSERY_DISCARD)
			sys_group_discard(role->guard, q.reaper);
		else
			kill_slot(role, q.slot);
	}
}
