/* SPDX-License-Identifier: ISC */
/* New tasks. */
#include "serve.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What comes with the call: the child's end of its socket, its 0, 1 and 2, and its cgroup, or nothing. */
enum { FORK_SOCKET, FORK_IN, FORK_OUT, FORK_ERR, FORK_CGROUP };

static void refuse(struct answer *ans, int err, const char *text)
{
	ans->n = -err;
	ans->text = text;
}

/* The user may have closed 0, 1 or 2. */
static int raise_number(int *fd)
{
	if (*fd > 2)
		return 0;
	int moved = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
	if (moved == -1)
		return -errno;
	close(*fd);
	*fd = moved;
	return 0;
}

/* In the child: its own socket and streams, no children, and what was denied for it. */
static void become_child(struct serve *s, const sigset_t *mask)
{
	struct inbox *in = &s->inbox;

	fd_close(s->k.private[PRIVATE_SOCKET]);
	s->k.private[PRIVATE_SOCKET] = fd_take(&in->fd[FORK_SOCKET]);
	for (int i = 0; i < 3; i++) {
		if (dup2(in->fd[FORK_IN + i], i) == -1)
			_exit(125);
	}
	link_close_fds(in);
	serve_move_private(s);
	free(s->child);
	s->child = NULL;
	s->n_children = s->cap_children = 0;
	s->k.depth++;
	s->k.child_info = false;
	memcpy(s->k.denied, s->k.denied_below, sizeof(s->k.denied));
	signals_child(s);
	sys_become("carrel:task");
	signals_restore(mask);
}

/* In the parent: a child that we could not open cannot be told apart from others later; there is none then. */
static void become_parent(struct serve *s, pid_t pid, struct answer *ans)
{
	link_close_fds(&s->inbox);
	ans->fd = sys_pidfd(pid);
	if (ans->fd < 0) {
		refuse(ans, -ans->fd, "the new task cannot be opened");
		ans->fd = -1;
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, __WALL) == -1 && errno == EINTR)
			continue;
		return;
	}
	children_add(s, pid);
	ans->n = pid;
}

static void new_task(struct serve *s, uint64_t namespaces, struct answer *ans)
{
	struct inbox *in = &s->inbox;
	sigset_t mask;
	int r = 0;

	if (in->n_fds != FORK_CGROUP && in->n_fds != FORK_CGROUP + 1) {
		refuse(ans, EINVAL, "a new task needs its descriptors: carrel_task_fork() sends them");
		return;
	}
	if (s->k.depth >= s->k.max_depth) {
		refuse(ans, EAGAIN, "it would be deeper than maxforkdepth allows");
		return;
	}
	if (s->n_children >= s->k.max_children) {
		refuse(ans, EAGAIN, "there are as many children as maxchild allows");
		return;
	}
	for (size_t i = 0; i < in->n_fds && r == 0; i++)
		r = raise_number(&in->fd[i]);
	signals_block(&mask);
	if (r == 0)
		r = children_reserve(s);
	const int cgroup = in->n_fds > FORK_CGROUP ? in->fd[FORK_CGROUP] : -1;
	pid_t pid = r == 0 ? sys_fork_isolated(namespaces, cgroup) : r;
	if (pid == 0) {
		ans->became_child = true;
		become_child(s, &mask);
		return;
	}
	if (pid > 0)
		become_parent(s, pid, ans);
	else
		ans->n = pid;
	/* Nobody shall hear of the child's end before they hear of the child. */
	ans->mask = mask;
	ans->masked = true;
}

void serve_fork(struct serve *s, const struct arg *a, struct answer *ans)
{
	(void)a;
	new_task(s, 0, ans);
}

void serve_clone(struct serve *s, const struct arg *a, struct answer *ans)
{
	new_task(s, (uint64_t)a[0].i, ans);
}
