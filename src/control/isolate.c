/* SPDX-License-Identifier: ISC */
/* The reaper's side of a task in namespaces. */
#include "isolate.h"

#include "fd.h"

#include <errno.h>
#include <unistd.h>

int64_t isolate_clone(void *arg, uint64_t namespaces)
{
	struct isolate *i = arg;
	int link[2];
	int r = sys_socketpair(link);

	if (r == 0) {
		i->namespaces = namespaces;
		r = sys_want_sender(link[0]);
		if (r == 0)
			r = sys_fork_isolated(namespaces, i->cgroup);
		if (r == 0) {
			/* Ours must be the only one, or the init would never see its end. */
			close(link[0]);
			init_main(i->task, link[1], i->role->signals);
		}
		close(link[1]);
		if (r < 0)
			close(link[0]);
	}
	if (r < 0)
		return r;
	i->link = link[0];
	i->init = r;
	int e = i->group != NULL ? sys_group_add(i->group, r) : 0;
	return e < 0 ? e : r;
}

int isolate_order(const struct isolate *i, enum order o)
{
	int word = (int)o;
	struct iovec iov = { &word, sizeof(word) };

	/* One that does not read has to be killed in any case. */
	return i->init != 0 ? sys_send(i->link, &iov, 1, NULL, 0, false) : 0;
}

int isolate_read(struct isolate *i, struct report *ret, pid_t *ret_sender)
{
	int fd = -1;
	size_t n_fds = 1;

	if (i->link < 0)
		return 0;
	ssize_t n = sys_recv(i->link, ret, sizeof(*ret), &fd, &n_fds, ret_sender, false);
	if (n_fds == 1 && ret->type == REPORT_STARTED && i->leader < 0)
		i->leader = fd;
	else if (n_fds == 1)
		fd_close(fd);
	if (n == -EMFILE)
		*ret = (struct report){ .type = REPORT_FAILED, .stage = STAGE_FDS, .err = EMFILE, .index = -1,
					.what = "the control process has no free descriptors" };
	return n == (ssize_t)sizeof(*ret) || n == -EMFILE;
}

void isolate_signal(const struct isolate *i, int sig)
{
	if (i->leader >= 0)
		sys_pidfd_signal(i->leader, sig);
}

void isolate_close(struct isolate *i)
{
	i->link = fd_close(i->link);
	i->leader = fd_close(i->leader);
}
