/* SPDX-License-Identifier: ISC */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int hand_on(int to, const int fd[2])
{
	struct iovec iov = { &(char){ 0 }, 1 };

	return sys_send(to, &iov, 1, fd, fd[0] >= 0 && fd[1] >= 0 ? 2 : 0, true);
}

int take_over(int from, int fd[2])
{
	size_t n_fds = 2;
	char word;
	ssize_t n = sys_recv(from, &word, 1, fd, &n_fds, NULL, true);

	if (n == 1 && n_fds == 2)
		return 0;
	fd[0] = fd[1] = -1;
	return n == 1 ? 0 : n == 0 ? -EPIPE : (int)n;
}

void domain_remove_cgroup(const struct role *role)
{
	for (int tries = 0; role->cgroup >= 0 && tries < 100; tries++) {
		int r = sys_cgroup_remove(role->cgroup, role->guard);

		/* The last of its processes may have a moment to go; anything else seldom passes. */
		if (r == 0 || (r != -EBUSY && tries == 3))
			return;
		poll(NULL, 0, 2);
	}
}

bool domain_reap(int flags, void (*seen)(void *arg, pid_t pid, int status, const struct rusage *ru), void *arg)
{
	for (;;) {
		struct rusage ru;
		int status;
		pid_t pid = wait4(-1, &status, WNOHANG | __WALL | flags, &ru);

		if (pid == -1 && errno == EINTR)
			continue;
		if (pid <= 0)
			return pid == 0;
		if (seen != NULL)
			seen(arg, pid, status, &ru);
	}
}

void domain_end(const struct role *role, int cgroup_kill, bool (*kept)(pid_t pid, void *arg), void *arg)
{
	struct pollfd p = { .fd = role->signals, .events = POLLIN };
	struct sys_signal s;
	int wait_ms = 1;

	for (;;) {
		if (!domain_reap(0, NULL, NULL))
			return;
		if (cgroup_kill >= 0)
			sys_cgroup_kill(cgroup_kill);
		if (sys_tree_signal(role->proc, getpid(), SIGKILL, kept, arg, NULL, NULL) == 0 && kept != NULL)
			return;
		/* What was forked meanwhile tells nobody, so look again soon in any case. */
		poll(&p, 1, wait_ms);
		while (sys_signals_read(role->signals, &s) == 1)
			continue;
		wait_ms = wait_ms < 50 ? wait_ms * 2 : 50;
	}
}
