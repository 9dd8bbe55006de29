/* SPDX-License-Identifier: ISC */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void domain_end(int proc, int cgroup_kill)
{
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
		sys_tree_signal(proc, getpid(), SIGKILL, NULL, NULL, NULL, NULL);
		/* What is killed takes a moment to end; SIGCHLD is blocked here, so look again soon. */
		poll(NULL, 0, wait_ms);
		wait_ms = wait_ms < 50 ? wait_ms * 2 : 50;
	}
}
