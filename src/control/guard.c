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
/* How long a reaper may take to end behind its last word. */
#define LAST_STEPS_MS 20
/* How long reapers that lost their supervisor may take to end their trees, before that is done from here. */
#define REAPERS_MS 300

/* How often, with 5 ms in between, cgroups that reapers left are tried to be removed. */
#define DISCARD_TRIES 400

struct guard {
	pid_t supervisor;
	int host;		/* readable once the host's process has ended, or -1 */
	int status;		/* of the supervisor, once ${gone} */
	bool gone;
	int64_t stuck_us;	/* when to kill the supervisor */
};

static void reaped(void *arg, pid_t pid, int status, const struct rusage *ru)
{
	struct guard *g = arg;

	(void)ru;
	if (pid == g->supervisor) {
		g->gone = true;
		g->status = status;
	}
}

/* Early, while others are still busy with their end.  Whatever is in it keeps it. */
static void try_remove_cgroup(struct role *role)
{
	if (role->cgroup >= 0 && sys_cgroup_remove(role->cgroup, role->guard) == 0)
		role->cgroup = fd_close(role->cgroup);
}

static void watch(struct guard *g, struct role *role)
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
			if (role->once)
				try_remove_cgroup(role);
		}
		while (sys_signals_read(role->signals, &s) == 1) {
			if (s.sig == SIGTERM || s.sig == SIGHUP)
				g->stuck_us = clock_now_us();
		}
		domain_reap(0, reaped, g);
		if (!g->gone && g->stuck_us <= clock_now_us()) {
			kill(g->supervisor, SIGKILL);
			g->stuck_us = CLOCK_NEVER;
		}
	}
}

/* The reapers see that the supervisor is gone and end their trees, each with what is to be done behind it. */
static void await_reapers(const struct role *role)
{
	struct pollfd p = { .fd = role->signals, .events = POLLIN };
	int64_t until_us = clock_deadline_us(REAPERS_MS);
	struct sys_signal s;

	while (domain_reap(0, NULL, NULL) && clock_now_us() < until_us) {
		poll(&p, 1, clock_poll_ms(until_us));
		while (sys_signals_read(role->signals, &s) == 1)
			continue;
	}
}

static void guard_say_lost(int host, const char *why)
{
	unsigned char mem[160];
	struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_text(&b, why);
	link_send(host, MSG_LOST, 0, b.data, b.len, NULL, 0, false);
}

/* What every tree of the handle needs.  ${fd}: the cgroup's directory and its cgroup.kill.  -1: the host was
 * told what is missing. */
static int prepare(struct role *role, int fd[2])
{
	/* Without it nobody below could be found, and a promise would be broken silently. */
	if (sys_tree_signal(role->proc, getpid(), 0, NULL, NULL, NULL, NULL) < 0) {
		guard_say_lost(role->host, "it cannot read /proc/PID/task/TID/children; is /proc mounted?");
		return -1;
	}
	fd[0] = role->want_cgroup ? sys_cgroup_create(role->guard) : -1;
	fd[1] = fd[0] >= 0 ? sys_cgroup_kill_fd(fd[0]) : -1;
	role->cgroup = fd[0];
	return 0;
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

/* The reaper of a handle for one spawn may still be on its last steps, and then needs no killing. */
static void let_go(const struct role *role)
{
	struct pollfd p = { .fd = role->signals, .events = POLLIN };

	if (domain_reap(0, NULL, NULL))
		poll(&p, 1, LAST_STEPS_MS);
}

/* The last of what was in them may have a moment to go. */
static void discard_groups(const struct role *role)
{
	for (int tries = 0; tries < DISCARD_TRIES && sys_group_discard(role->guard, 0) == -EBUSY; tries++)
		poll(NULL, 0, 5);
}

_Noreturn void guard_main(struct role *role)
{
	struct guard g = { .stuck_us = CLOCK_NEVER };
	int link[2], cgroup[2] = { -1, -1 };

	if (!role->once && prepare(role, cgroup) < 0)
		_exit(125);
	int r = sys_socketpair(link);
	if (r < 0)
		give_up(role, "the guard cannot make a socket pair", -r);
	g.supervisor = fork();
	if (g.supervisor == -1)
		give_up(role, "the guard cannot make a process (a limit on processes?)", errno);
	if (g.supervisor == 0) {
		close(link[0]);
		fd_close(cgroup[1]);
		terminal_forget();
		supervisor_main(role, link[1]);
	}
	close(link[1]);
	g.host = sys_peer_open(role->host);
	/* The supervisor and its reaper begin meanwhile; no task does before they heard of it. */
	if (role->once && (prepare(role, cgroup) < 0 || hand_on(link[0], cgroup) < 0)) {
		/* It ends then, and we behind it. */
		close(link[0]);
	}
	/* A guard that cannot lock itself still guards: the probe tells (locked). */
	sys_lock(role->cgroup);
	watch(&g, role);
	const bool lost = !WIFEXITED(g.status) || (WEXITSTATUS(g.status) & ~(EXIT_KEPT | EXIT_GROUPS)) != 0;
	const int said = WIFEXITED(g.status) ? WEXITSTATUS(g.status) : EXIT_GROUPS;
	if (role->once && !lost)
		let_go(role);
	if (!WIFEXITED(g.status))
		await_reapers(role);
	if (lost || !(said & EXIT_KEPT))
		domain_end(role, cgroup[1], NULL, NULL);
	if (said & EXIT_GROUPS && role->want_cgroup)
		discard_groups(role);
	if (lost)
		guard_say_lost(role->host, "the supervisor died; the guard has ended everything");
	domain_remove_cgroup(role);
	_exit(0);
}
