/* SPDX-License-Identifier: ISC */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

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

void domain_end(const struct role *role, int cgroup_kill, bool (*kept)(pid_t pid, void *arg), void *arg)
{
	struct pollfd p = { .fd = role->signals, .events = POLLIN };
	struct sys_signal s;
	int wait_ms = 1;

	for (;;) {
		pid_t pid;

		do {
			pid = waitpid(-1, NULL, WNOHANG | __WALL);
		} while (pid > 0 || (pid == -1 && errno == EINTR));
		if (pid == -1)
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
