/* SPDX-License-Identifier: ISC */
/*
 * The guard: if the supervisor dies, its children become ours, and we end and
 * reap them.  It speaks to nobody before that.
 */
#include "control.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a supervisor whose host is gone may take before it counts as stuck. */
#define STUCK_MS 2000

struct guard {
	pid_t supervisor;
	int host;		/* readable once the host's process has ended, or -1 */
	int status;		/* of the supervisor, once ${gone} */
	bool gone;
	int64_t stuck_us;	/* when to kill the supervisor */
};

static void reap(struct guard *g)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, WNOHANG | __WALL);
		if (pid == -1 && errno == EINTR)
			continue;
		if (pid <= 0)
			return;
		if (pid == g->supervisor) {
			g->gone = true;
			g->status = status;
		}
	}
}

static void watch(struct guard *g, const struct role *role)
{
	/*
	 * The host's process as well as its socket: a child that it forked may hold a copy of the
	 * socket when the host itself is long dead.
	 */
	struct pollfd p[3] = { { .fd = role->signals, .events = POLLIN },
			       { .fd = role->host },
			       { .fd = g->host, .events = POLLIN } };

	while (!g->gone) {
		struct sys_signal s;

		poll(p, 3, clock_poll_ms(g->stuck_us));
		if (p[1].revents != 0 || p[2].revents != 0) {
			/* The host is gone.  Unless it is stuck, the supervisor ends by itself. */
			terminal_restore();
			g->stuck_us = clock_deadline_us(STUCK_MS);
			p[1].fd = p[2].fd = -1;
			kill(g->supervisor, SIGTERM);
			kill(g->supervisor, SIGCONT);
		}
		while (sys_signals_read(role->signals, &s) == 1) {
			if (s.sig == SIGTERM || s.sig == SIGHUP)
				g->stuck_us = clock_now_us();
		}
		reap(g);
		if (!g->gone && g->stuck_us <= clock_now_us()) {
			kill(g->supervisor, SIGKILL);
			g->stuck_us = CLOCK_NEVER;
		}
	}
}

void guard_say_lost(int host, const char *why)
{
	unsigned char mem[160];
	struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_text(&b, why);
	link_send(host, MSG_LOST, 0, b.data, b.len, NULL, 0, false);
}

void guard_say_why(int host, const char *what, int err)
{
	char text[110];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(err));
	guard_say_lost(host, text);
}

static _Noreturn void give_up(const struct role *role, const char *what, int err)
{
	guard_say_why(role->host, what, err);
	domain_remove_cgroup(role);
	_exit(125);
}

_Noreturn void guard_main(struct role *role)
{
	struct guard g = { .stuck_us = CLOCK_NEVER, .host = sys_peer_open(role->host) };
	int link[2];
	int cgroup_kill = role->cgroup >= 0 ? sys_cgroup_kill_fd(role->cgroup) : -1;

	int r = sys_socketpair(link);
	if (r < 0)
		give_up(role, "the guard cannot make a socket pair", -r);
	g.supervisor = fork();
	if (g.supervisor == -1)
		give_up(role, "the guard cannot make a process (a limit on processes?)", errno);
	if (g.supervisor == 0) {
		close(link[0]);
		fd_close(cgroup_kill);
		fd_close(g.host);
		terminal_forget();
		supervisor_main(role, link[1]);
	}
	close(link[1]);
	/* A guard that cannot lock itself still guards: the probe tells (locked). */
	sys_lock(role->cgroup);
	watch(&g, role);
	if (!WIFEXITED(g.status) || WEXITSTATUS(g.status) != EXIT_KEPT)
		domain_end(role, cgroup_kill, NULL, NULL);
	if (!WIFEXITED(g.status) || (WEXITSTATUS(g.status) != 0 && WEXITSTATUS(g.status) != EXIT_KEPT))
		guard_say_lost(role->host, "the supervisor died; the guard has ended everything");
	domain_remove_cgroup(role);
	_exit(0);
}
