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

static struct inbox inbox;

static int start_nursery(struct supervisor *s, const struct role *role)
{
	int requests[2], report[2], life[2];

	if (sys_socketpair(requests) < 0 || sys_socketpair(report) < 0 || pipe2(life, O_CLOEXEC) == -1)
		return -errno;
	s->nursery = fork();
	if (s->nursery == -1)
		return -errno;
	if (s->nursery == 0) {
		struct role child = *role;

		child.host = fd_close(role->host);
		fd_close(s->guard);
		close(requests[0]);
		close(report[0]);
		close(life[1]);
		child.report = report[1];
		child.life = life[0];
		nursery_main(&child, requests[1]);
	}
	close(requests[1]);
	close(report[1]);
	close(life[0]);
	s->nursery_socket = requests[0];
	s->report = report[0];
	s->life = life[1];
	return sys_want_sender(s->report);
}

static void end_streams(struct supervisor *s)
{
	struct stream *st;

	for (size_t i = 0; (st = map_each(&s->by_id, &i)) != NULL;) {
		if (!st->killed)
			stream_kill(s, st, s->host_gone ? CAUSE_STOP : CAUSE_LOSS);
	}
}

static void host_readable(struct supervisor *s)
{
	int r = link_recv(s->host, s->inbox, false);

	if (r == 1) {
		request_in_hand(s);
	} else if (r == 0) {
		s->host_gone = true;
		s->ending = "the host closed the handle";
	} else if (r != -EAGAIN) {
		s->ending = r == -EMFILE ? "the supervisor has no free descriptors" :
					   "the host sent what is no message";
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
		[P_SIGNALS] = { s->signals, POLLIN, 0 },
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
	while (sys_signals_read(s->signals, &sig) == 1) {
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

static _Noreturn void finish(struct supervisor *s)
{
	struct buf b;

	/* Spares and the nursery: nothing of ours is left either. */
	s->spare.socket = fd_close(s->spare.socket);
	s->nursery_socket = fd_close(s->nursery_socket);
	domain_end(s->proc, -1);
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
	_exit(0);
}

_Noreturn void supervisor_main(struct role *role, int guard_link)
{
	struct supervisor s = { .host = role->host, .guard = guard_link, .signals = role->signals,
				.proc = role->proc, .guard_pid = role->guard,
				.cgroup = role->cgroup >= 0, .inbox = &inbox, .spare.socket = -1 };

	sys_become("carrel:super");
	s.out_last = &s.out_first;
	if (sys_subreaper() < 0 || start_nursery(&s, role) < 0)
		_exit(125);
	fd_close(role->cgroup);
	if (spare_ask(&s) < 0)
		_exit(125);
	s.landlock_abi = sys_landlock_abi();
	s.locked = sys_lock(-1) == 0;
	while (s.ending == NULL)
		turn(&s);
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
