/* SPDX-License-Identifier: ISC */
#include "supervisor.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long a reaper may take to end its tree before it counts as stuck itself. */
#define REAPER_STUCK_MS 1500
/* Before a stop step is tried again that the reaper's queue of signals had no room for. */
#define QUEUE_FULL_MS 10
/* Between two looks at trees that lost their reaper. */
#define SWEEP_MS 2

/* What is known of a cgroup slot. */
enum { SLOT_USED = 1, SLOT_KILLED = 2 };

/* The lowest free cgroup slot, so that there are never more than streams at one time. */
static int slot_take(struct supervisor *s)
{
	for (int i = 0; i < s->n_slots; i++) {
		if (!(s->slot[i] & SLOT_USED)) {
			s->slot[i] |= SLOT_USED;
			return i;
		}
	}
	int n = s->n_slots == 0 ? 16 : s->n_slots * 2;
	unsigned char *used = realloc(s->slot, (size_t)n);
	if (used == NULL)
		return -ENOMEM;
	memset(used + s->n_slots, 0, (size_t)(n - s->n_slots));
	s->slot = used;
	int slot = s->n_slots;
	s->n_slots = n;
	s->slot[slot] = SLOT_USED;
	return slot;
}

int spare_ask(struct supervisor *s)
{
	int slot = s->cgroup ? slot_take(s) : 0;

	if (slot < 0)
		return slot;
	struct nursery_request q = { NURSERY_MAKE_REAPER, slot, s->cgroup && s->slot[slot] & SLOT_KILLED, 0 };
	struct iovec iov = { &q, sizeof(q) };
	kill(s->nursery, SIGCONT);
	if (s->cgroup)
		s->slot[slot] = SLOT_USED;
	s->spare.slot = slot;
	s->spare.asked = true;
	return sys_send(s->nursery_socket, &iov, 1, NULL, 0, true);
}

static void slot_free(struct supervisor *s, int slot, bool killed)
{
	if (s->cgroup && !s->role->once)
		s->slot[slot] = killed ? SLOT_KILLED : 0;
}

void spare_arrived(struct supervisor *s)
{
	struct nursery_reply reply;
	int fd = -1;
	size_t n_fds = 1;
	ssize_t n = sys_recv(s->nursery_socket, &reply, sizeof(reply), &fd, &n_fds, NULL, false);

	if (n == -EAGAIN)
		return;
	s->spare.asked = false;
	if (n != (ssize_t)sizeof(reply)) {
		/* A descriptor table that is full gives -EMFILE; the reaper sees end of file and ends. */
		reply.pid = n < 0 ? (pid_t)n : -EPIPE;
		if (n == 0)
			s->ending = "the nursery died";
	}
	s->spare.pid = reply.pid;
	s->spare.socket = n_fds == 1 ? fd : -1;
	if (s->spare.pid < 0) {
		slot_free(s, s->spare.slot, false);
		/* What failed now may work by the time that somebody needs it. */
		if (!s->pending_spawn)
			s->spare.pid = 0;
	}
}

struct stream *stream_create(struct supervisor *s, uint32_t id, const struct spawn_options *o)
{
	struct stream *st = calloc(1, sizeof(*st));

	if (st == NULL)
		return NULL;
	*st = (struct stream){ .id = id, .reaper = s->spare.pid, .slot = s->spare.slot, .link = -1,
			       .options = *o, .step = -1, .started_us = clock_now_us() };
	if (timers_reserve(&s->timers, s->by_id.len + s->by_reaper.len + 2) < 0 || map_put(&s->by_id, id, st) < 0) {
		free(st);
		return NULL;
	}
	if (map_put(&s->by_reaper, (uint32_t)st->reaper, st) < 0) {
		map_remove(&s->by_id, id);
		free(st);
		return NULL;
	}
	return st;
}

void stream_undo(struct supervisor *s, struct stream *st)
{
	map_remove(&s->by_id, st->id);
	map_remove(&s->by_reaper, (uint32_t)st->reaper);
	slot_free(s, st->slot, false);
	free(st);
}

/* Both ends are told and reaped: forget the stream. */
static void stream_forget(struct supervisor *s, struct stream *st)
{
	if (!st->gone || st->reaper != 0)
		return;
	timer_clear(&s->timers, &st->timer);
	free(st);
}

/* The last word about a stream. */
static void stream_gone(struct supervisor *s, struct stream *st, const struct report *r, const int64_t *result)
{
	st->gone = true;
	s->groups |= r->groups_left;
	map_remove(&s->by_id, st->id);
	timer_clear(&s->timers, &st->timer);
	st->link = fd_close(st->link);
	slot_free(s, st->slot, r->cgroup_killed || st->lost);
	tell_report(s, st, r, result);
	if (r->kept && st->reaper != 0 && map_put(&s->kept, (uint32_t)st->reaper, s) == 0) {
		map_remove(&s->by_reaper, (uint32_t)st->reaper);
		st->reaper = 0;
		stream_forget(s, st);
	} else if (st->reaper != 0)
		/* It has nothing left to do; one that is stopped now would stay. */
		timer_set(&s->timers, &st->timer, clock_deadline_us(REAPER_STUCK_MS));
}

int stream_signal(struct stream *st, enum command what, int sig)
{
	if (st->reaper == 0)
		return 0;
	int r = sys_command(st->reaper, COMMAND(what, sig));
	/* A task of our own user may have stopped its reaper. */
	kill(st->reaper, SIGCONT);
	return r;
}

void stream_kill(struct supervisor *s, struct stream *st, enum cause cause)
{
	if (st->step < 0)
		st->cause = cause;
	st->step = STEPS_MAX;
	st->killed = true;
	/* With its queue of signals full it cannot be told: then what it has below becomes ours. */
	if (stream_signal(st, COMMAND_KILL, SIGKILL) < 0)
		kill(st->reaper, SIGKILL);
	timer_set(&s->timers, &st->timer, clock_deadline_us(REAPER_STUCK_MS));
}

/* Take the next stop step. */
static void stream_step(struct supervisor *s, struct stream *st)
{
	const struct step *step = &st->options.stop[st->step++];

	if (step->sig == SIGKILL || st->step == st->options.n_stop) {
		stream_kill(s, st, st->cause);
		return;
	}
	if (stream_signal(st, COMMAND_STOP, step->sig) < 0) {
		st->step--;
		timer_set(&s->timers, &st->timer, clock_deadline_us(QUEUE_FULL_MS));
		return;
	}
	timer_clear(&s->timers, &st->timer);
	if (step->wait_ms >= 0)
		timer_set(&s->timers, &st->timer, clock_deadline_us(step->wait_ms));
}

void stream_stop(struct supervisor *s, struct stream *st, enum cause cause)
{
	if (st->killed || st->gone)
		return;
	/* A second stop begins its own steps at once; who began the stop stays the cause. */
	if (st->step < 0)
		st->cause = cause;
	st->step = 0;
	stream_step(s, st);
}

void stream_timer(struct supervisor *s, struct stream *st)
{
	if (st->gone || st->killed) {
		/* The reaper itself is stuck.  Without it, what it had below becomes ours. */
		if (st->reaper != 0)
			kill(st->reaper, SIGKILL);
	} else if (st->step < 0) {
		stream_stop(s, st, CAUSE_TIMEOUT);
	} else {
		stream_step(s, st);
	}
}

static void on_report(struct supervisor *s, struct stream *st, const struct report *r,
		      const int64_t *result)
{
	switch (r->type) {
	case REPORT_FAILED:
	case REPORT_GONE:
		if (r->oom && st->step < 0 && WIFSIGNALED(r->status) && WTERMSIG(r->status) == SIGKILL)
			st->cause = CAUSE_OOM;
		else if (r->lost && st->step < 0)
			st->cause = CAUSE_LOSS;
		stream_gone(s, st, r, result);
		return;
	case REPORT_STARTED:
		st->leader = r->leader;
		if (st->options.timeout_ms > 0 && st->step < 0)
			timer_set(&s->timers, &st->timer, clock_deadline_us(st->options.timeout_ms));
		break;
	case REPORT_EXIT:
		st->status = r->status;
		st->ended = true;
		break;
	case REPORT_LIMIT:
		/* The others are the kernel's to hold. */
		if (r->status == LIMIT_CPU_TIME)
			stream_stop(s, st, CAUSE_LIMIT);
		break;
	case REPORT_STOPPED:
	case REPORT_CONTINUED:
	case REPORT_RECORD:
	case REPORT_FROZEN:
	case REPORT_ORPHAN:
		break;
	default:
		return;
	}
	tell_report(s, st, r, result);
}

void reports_read(struct supervisor *s)
{
	static union {
		struct report report;
		unsigned char mem[REPORT_MAX];
	} in;

	for (;;) {
		size_t no_fds = 0;
		pid_t sender;
		ssize_t n = sys_recv(s->report, in.mem, sizeof(in.mem), NULL, &no_fds, &sender, false);

		if (n == -EMFILE || n == -EMSGSIZE)
			continue;
		if (n < (ssize_t)sizeof(in.report))
			return;
		struct stream *st = map_get(&s->by_reaper, (uint32_t)sender);
		size_t more = in.report.n_results * sizeof(int64_t) + in.report.n_text;
		if (st == NULL || st->gone || (size_t)n != sizeof(in.report) + more)
			continue;
		on_report(s, st, &in.report, (const int64_t *)(const void *)(in.mem + sizeof(in.report)));
	}
}

/* A reaper ended without the last word: somebody killed it.  Its children are ours now. */
static void reaper_lost(struct supervisor *s, struct stream *st, pid_t reaper)
{
	st->lost_reaper = reaper;
	st->lost = true;
	st->cause = st->step < 0 ? CAUSE_LOSS : st->cause;
	st->killed = true;
	st->status = st->ended ? st->status : SIGKILL;
	timer_clear(&s->timers, &st->timer);
	s->lost_streams++;
	s->sweep_us = 0;
	if (s->cgroup && s->nursery != 0) {
		struct nursery_request q = { NURSERY_KILL_SLOT, st->slot, false, 0 };

		sys_send(s->nursery_socket, &(struct iovec){ &q, sizeof(q) }, 1, NULL, 0, false);
	}
}

static void child_ended(void *arg, pid_t pid, int status, const struct rusage *ru)
{
	struct supervisor *s = arg;

	(void)ru;
	if (pid == s->nursery) {
		s->nursery = 0;
		s->ending = s->ending != NULL ? s->ending : "the nursery died";
		return;
	}
	if (pid == s->spare.pid && s->spare.socket >= 0) {
		s->spare.socket = fd_close(s->spare.socket);
		slot_free(s, s->spare.slot, false);
		return;
	}
	map_remove(&s->kept, (uint32_t)pid);
	struct stream *st = map_get(&s->by_reaper, (uint32_t)pid);
	if (st != NULL) {
		/* Its last words may still be in the socket. */
		reports_read(s);
		map_remove(&s->by_reaper, (uint32_t)pid);
		st->reaper = 0;
		if (!st->gone)
			reaper_lost(s, st, pid);
		stream_forget(s, st);
		return;
	}
	for (size_t i = 0; s->lost_streams > 0 && (st = map_each(&s->by_id, &i)) != NULL;) {
		if (st->lost && !st->ended && st->leader == pid)
			st->status = status;
	}
}

void children_reap(struct supervisor *s)
{
	domain_reap(0, child_ended, s);
}

bool is_kept(pid_t pid, void *arg)
{
	struct supervisor *s = arg;

	return map_get(&s->kept, (uint32_t)pid) != NULL;
}

static bool is_ours(pid_t pid, void *arg)
{
	struct supervisor *s = arg;

	return pid == s->nursery || (pid == s->spare.pid && s->spare.socket >= 0) ||
	       map_get(&s->by_reaper, (uint32_t)pid) != NULL || is_kept(pid, s);
}

/* It cannot remove its cgroups any more, and we are locked. */
static void discard_groups(struct supervisor *s, const struct stream *st)
{
	struct nursery_request q = { .what = NURSERY_DISCARD, .reaper = st->lost_reaper };

	if (!st->options.limits && !st->options.record)
		return;
	s->groups = true;
	if (s->nursery != 0)
		sys_send(s->nursery_socket, &(struct iovec){ &q, sizeof(q) }, 1, NULL, 0, false);
}

/*
 * Kill whatever is below us and belongs to no reaper.  A reaper that the nursery has
 * made and not yet announced would look like that too: wait for the announcement.
 */
void lost_sweep(struct supervisor *s)
{
	if (s->lost_streams == 0 || s->spare.asked)
		return;
	int n = sys_tree_signal(s->role->proc, getpid(), SIGKILL, is_ours, s, NULL, NULL);
	children_reap(s);
	s->sweep_us = clock_now_us() + SWEEP_MS * 1000;
	if (n != 0)
		return;
	struct stream *found = NULL;
	for (size_t i = 0; found == NULL || !found->lost;) {
		found = map_each(&s->by_id, &i);
		if (found == NULL)
			return;
	}
	s->lost_streams--;
	discard_groups(s, found);
	struct report r = { .type = REPORT_GONE, .leader = found->leader, .status = found->status };
	if (found->leader == 0)
		r = (struct report){ .type = REPORT_FAILED, .stage = STAGE_FORK, .err = EPIPE, .index = -1,
				     .what = "the stream's reaper was killed" };
	stream_gone(s, found, &r, NULL);
	stream_forget(s, found);
}
