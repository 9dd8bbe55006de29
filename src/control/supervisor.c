/* SPDX-License-Identifier: ISC */
/* The supervisor: hears the host, knows every stream, waits for every reaper, never forks again. */
#include "supervisor.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long the supervisor of a handle for one spawn waits for it before it locks itself. */
#define EARLY_MS 10

static struct inbox inbox;

/* The descriptors that the supervisor and whoever it forks share out among themselves. */
struct pairs {
	int child[2];	/* requests for the nursery, or the spawn for the reaper */
	int report[2];
	int life[2];
};

static void child_role(const struct role *role, int guard, const struct pairs *p, struct role *ret)
{
	*ret = *role;
	ret->host = fd_close(role->host);
	fd_close(guard);
	close(p->child[0]);
	close(p->report[0]);
	close(p->life[1]);
	ret->report = p->report[1];
	ret->life = p->life[0];
}

/*
 * The nursery, which forks for us from now on; or, for a handle with one stream, that stream's
 * reaper itself.
 */
static int start_child(struct supervisor *s, const struct role *role)
{
	struct pairs p;
	struct role child;

	if (sys_socketpair(p.child) < 0 || sys_socketpair(p.report) < 0 || pipe2(p.life, O_CLOEXEC) == -1)
		return -errno;
	pid_t pid = fork();
	if (pid == -1)
		return -errno;
	if (pid == 0) {
		child_role(role, s->guard, &p, &child);
		if (role->once)
			reaper_main(&child, p.child[1], role->cgroup);
		nursery_main(&child, p.child[1]);
	}
	close(p.child[1]);
	close(p.life[0]);
	/* Our copy of report[1] stays open: without a reaper there is no end of file, just silence. */
	s->report = p.report[0];
	s->life = p.life[1];
	if (role->once) {
		s->spare.socket = p.child[0];
		s->spare.pid = pid;
	} else {
		s->nursery_socket = p.child[0];
		s->nursery = pid;
	}
	return sys_want_sender(s->report);
}

static void host_readable(struct supervisor *s)
{
	int r = link_recv(s->host, s->inbox, false);

	if (r == 1) {
		request_in_hand(s);
	} else if (r == 0) {
		s->host_gone = true;
		s->ending = "the host closed the handle";
	} else if (r == -EMFILE && s->welcome && s->inbox->head.type == MSG_BRANCH) {
		struct stream *st = map_get(&s->by_id, s->inbox->head.id);

		/* Somebody was to be ended, and we do not know who. */
		if (st != NULL && !st->killed)
			stream_kill(s, st, CAUSE_LOSS);
	} else if (r == -EMFILE && s->welcome && s->inbox->head.type == MSG_SPAWN) {
		tell_failed(s, s->inbox->head.id, STAGE_FDS, EMFILE, -1,
			    "the control process has no free descriptors; its limit is that of the host when it began");
	} else if (r != -EAGAIN) {
		s->ending = "the host sent what is no message";
	}
}

/* The guard's word that all is ready, for us and our reaper.  A host that is gone by then shall not wait for it. */
static void await_guard(struct supervisor *s, struct role *role)
{
	struct pollfd p[] = { { s->guard, POLLIN, 0 }, { s->host, 0, 0 } };
	int fd[2] = { -1, -1 };

	while (poll(p, 2, -1) == -1 && errno == EINTR)
		continue;
	if (p[0].revents == 0) {
		s->host_gone = true;
		s->ending = "the host died";
		return;
	}
	if (take_over(s->guard, fd) < 0) {
		s->ending = "the guard had nothing to hand on, or died";
		return;
	}
	role->cgroup = fd[0];
	s->cgroup_kill = fd[1];
	s->cgroup = fd[0] >= 0;
	if (hand_on(s->spare.socket, fd) < 0)
		s->spare.socket = fd_close(s->spare.socket);
}

/*
 * A handle for one spawn: the reaper shall begin with it while we lock ourselves.  Not for long, and of what
 * the host sends nothing is looked at but its greeting.
 */
static void await_spawn(struct supervisor *s)
{
	int64_t until_us = clock_deadline_us(EARLY_MS);

	s->early = true;
	while (!s->pending_spawn && s->ending == NULL) {
		struct pollfd p[] = { { s->host, POLLIN, 0 },
				      { s->guard, POLLIN, 0 },
				      { s->role->signals, POLLIN, 0 } };

		if (poll(p, 3, clock_poll_ms(until_us)) <= 0 || (p[1].revents | p[2].revents) != 0)
			break;
		host_readable(s);
	}
	s->early = false;
}

static void end_streams(struct supervisor *s)
{
	struct stream *st;

	for (size_t i = 0; (st = map_each(&s->by_id, &i)) != NULL;) {
		if (!st->killed)
			stream_kill(s, st, s->host_gone ? CAUSE_STOP : CAUSE_LOSS);
	}
}

static int64_t next_us(const struct supervisor *s)
{
	int64_t at = timers_next_us(&s->timers);

	return s->lost_streams > 0 && s->sweep_us < at ? s->sweep_us : at;
}

static void run_timers(struct supervisor *s)
{
	struct timer *t;

	while ((t = timers_due(&s->timers, clock_now_us())) != NULL)
		stream_timer(s, (struct stream *)(void *)t);
}

enum { P_SIGNALS, P_REPORT, P_NURSERY, P_GUARD, P_HOST, P_COUNT };

static void turn(struct supervisor *s)
{
	struct pollfd p[P_COUNT] = {
		[P_SIGNALS] = { s->role->signals, POLLIN, 0 },
		[P_REPORT] = { s->report, POLLIN, 0 },
		[P_NURSERY] = { s->nursery != 0 ? s->nursery_socket : -1, POLLIN, 0 },
		[P_GUARD] = { s->guard, POLLIN, 0 },
		[P_HOST] = { s->host_gone ? -1 : s->host, 0, 0 },
	};
	struct sys_signal sig;

	if (!s->pending_spawn && s->ending == NULL)
		p[P_HOST].events = POLLIN;
	if (s->out_first != NULL)
		p[P_HOST].events |= POLLOUT;
	poll(p, P_COUNT, clock_poll_ms(next_us(s)));
	while (sys_signals_read(s->role->signals, &sig) == 1) {
		if (sig.sig == SIGTERM || sig.sig == SIGHUP)
			s->ending = s->ending != NULL ? s->ending : "the supervisor was told to end";
	}
	reports_read(s);
	children_reap(s);
	if (p[P_NURSERY].revents != 0)
		spare_arrived(s);
	if (s->pending_spawn && !s->spare.asked && s->ending == NULL)
		spawn_in_hand(s);
	if (p[P_GUARD].revents != 0 && s->guard >= 0) {
		s->guard = fd_close(s->guard);
		s->ending = "the guard died";
	}
	if (p[P_HOST].revents & (POLLHUP | POLLERR) && !(p[P_HOST].revents & POLLIN)) {
		s->host_gone = true;
		s->ending = "the host died";
	} else if (p[P_HOST].revents & POLLIN && s->ending == NULL) {
		host_readable(s);
	}
	run_timers(s);
	if (s->lost_streams > 0 && s->sweep_us <= clock_now_us())
		lost_sweep(s);
	outbox_flush(s);
}

static _Noreturn void leave(const struct supervisor *s)
{
	/* The guard does this, as the last of us, unless it was the first. */
	if (getppid() != s->guard_pid)
		domain_remove_cgroup(s->role);
	/* A guard that somebody stopped would stay for ever behind us. */
	if (getppid() == s->guard_pid)
		kill(s->guard_pid, SIGCONT);
	_exit((s->kept.len > 0 ? EXIT_KEPT : 0) | (s->groups ? EXIT_GROUPS : 0));
}

static _Noreturn void finish(struct supervisor *s)
{
	struct buf b;

	/* Spares and the nursery: nothing of ours is left either. */
	s->spare.socket = fd_close(s->spare.socket);
	s->nursery_socket = fd_close(s->nursery_socket);
	domain_end(s->role, s->cgroup_kill, s->kept.len > 0 ? is_kept : NULL, s);
	if (!s->host_gone) {
		buf_init(&b, 1024);
		term_out_version(&b);
		term_out_text(&b, s->ending);
		tell(s, MSG_LOST, 0, &b);
		/* A host that never reads again must not keep us. */
		for (int tries = 0; s->out_first != NULL && tries < 100; tries++) {
			struct pollfd p = { .fd = s->host, .events = POLLOUT };

			poll(&p, 1, 20);
			outbox_flush(s);
		}
	}
	leave(s);
}

_Noreturn void supervisor_main(struct role *role, int guard_link)
{
	struct supervisor s = { .host = role->host, 
				.guard = guard_link, .role = role, .guard_pid = role->guard,
				.cgroup = role->cgroup >= 0, .inbox = &inbox, .spare.socket = -1,
				.nursery_socket = -1, .passed_on = 1 };

	int r = 0;

	sys_become("carrel:super");
	s.out_last = &s.out_first;
	if (sys_subreaper() < 0 || (r = start_child(&s, role)) < 0) {
		guard_say_why(role->host, "the supervisor cannot start (a limit on processes or descriptors?)",
			      r < 0 ? -r : errno);
		_exit(125);
	}
	s.landlock_abi = sys_landlock_abi();
	if (role->once) {
		await_guard(&s, role);
		await_spawn(&s);
	} else {
		s.cgroup_kill = role->cgroup >= 0 ? sys_cgroup_kill_fd(role->cgroup) : -1;
		if (spare_ask(&s) < 0)
			_exit(125);
	}
	s.locked = sys_lock(role->cgroup) == 0;
	if (s.welcome)
		welcome(&s);
	if (s.pending_spawn)
		spawn_in_hand(&s);
	while (s.ending == NULL) {
		turn(&s);
		/* Nothing is left but perhaps the reaper, which is on its way out: the guard waits for it. */
		if (role->once && s.once_done && s.by_id.len == 0 && s.out_first == NULL &&
		    (s.by_reaper.len == 0 || getppid() == s.guard_pid))
			leave(&s);
	}
	end_streams(&s);
	if (s.pending_spawn)
		link_release(s.inbox);
	s.pending_spawn = false;
	while (s.by_id.len > 0) {
		s.spare.asked = false;
		turn(&s);
	}
	finish(&s);
}
