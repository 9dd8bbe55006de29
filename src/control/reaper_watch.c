/* SPDX-License-Identifier: ISC */
/* What the reaper does from the start of its task until nothing of it is left. */
#include "reaper.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long an init may take to kill and count what the leader left. */
#define PATIENCE_MS 200

static void report_event(struct reaper *r, enum report_type type, int status)
{
	struct report kept = r->report;

	r->report.type = type;
	r->report.status = status;
	reaper_report(r, NULL);
	r->report = kept;
}

/* Of a task that lost its parent only we can tell. */
static void report_orphan(struct reaper *r, pid_t pid, int status, const struct rusage *ru)
{
	const struct report kept = r->report;

	r->report = (struct report){ .type = REPORT_ORPHAN, .leader = pid, .status = status };
	note_usage(&r->report, ru);
	reaper_report(r, NULL);
	r->report = kept;
}

/* What the init says, once the task has started. */
static void read_news(struct reaper *r)
{
	struct report news;
	pid_t sender;

	while (isolate_read(&r->isolate, &news, &sender) == 1) {
		if (news.type == REPORT_STOPPED || news.type == REPORT_CONTINUED)
			report_event(r, news.type, news.status);
		if (news.type != REPORT_EXIT && news.type != REPORT_GONE)
			continue;
		r->leader_done = true;
		r->report.status = news.status;
		r->report.utime_us = news.utime_us;
		r->report.stime_us = news.stime_us;
		r->report.maxrss_kb = news.maxrss_kb;
		r->report.leftovers = news.leftovers;
		r->init_gone = news.type == REPORT_GONE;
	}
}

static void init_reaped(struct reaper *r, int status)
{
	if (!WIFEXITED(status) && !WIFSIGNALED(status)) {
		/* Nobody stops it on purpose. */
		kill(r->isolate.init, SIGCONT);
		return;
	}
	read_news(r);
	r->isolate.init = 0;
	isolate_close(&r->isolate);
	if (r->init_gone)
		return;
	/* Without a PID namespace of its own, what it had below is ours now. */
	r->report.lost = !r->killing;
	r->killing = r->told_to_kill = true;
	if (r->leader_done && r->report.leftovers < r->report.n_found)
		r->report.leftovers = r->report.n_found;
}

static void reaped(void *arg, pid_t pid, int status, const struct rusage *ru)
{
	struct reaper *r = arg;
	bool ended = WIFEXITED(status) || WIFSIGNALED(status);

	if (pid == r->isolate.init) {
		init_reaped(r, status);
		return;
	}
	if (pid != r->report.leader) {
		if (r->link >= 0)
			report_orphan(r, pid, status, ru);
		if (r->leader_done && r->killing && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			r->report.leftovers++;
		return;
	}
	if (ended) {
		r->leader_done = true;
		r->report.status = status;
		note_usage(&r->report, ru);
	} else if (WIFSTOPPED(status)) {
		report_event(r, REPORT_STOPPED, WSTOPSIG(status));
	} else {
		report_event(r, REPORT_CONTINUED, 0);
	}
}

bool reaper_reap(struct reaper *r)
{
	return domain_reap(WUNTRACED | WCONTINUED, reaped, r);
}

/* The leader ended by itself: its init kills what is left, counts it and ends, if it can. */
static int kill_inside(struct reaper *r, int64_t now, struct sys_found *found, size_t *n_found)
{
	int sig = SIGKILL;

	if (r->patience_us == 0) {
		r->patience_us = now + PATIENCE_MS * 1000;
		/* To name them first, as long as they are there. */
		sig = 0;
	}
	int n = sys_tree_signal_below(r->role->proc, getpid(), r->isolate.init, sig, found, n_found);
	isolate_order(&r->isolate, ORDER_END);
	return n;
}

static int kill_everything(struct reaper *r, struct sys_found *found, size_t *n_found)
{
	isolate_order(&r->isolate, ORDER_DIE);
	int n = sys_tree_signal(r->role->proc, getpid(), SIGKILL, NULL, NULL, found, n_found);
	if (r->cgroup_kill >= 0)
		r->report.cgroup_killed = sys_cgroup_kill(r->cgroup_kill) == 0 && !r->own_cgroup;
	/* What a v1 freezer holds does not even die. */
	limits_thaw(&r->limits);
	return n;
}

/* One round of killing.  Rounds follow each other as fast as they are short, until nobody is left. */
static void kill_round(struct reaper *r)
{
	struct report *p = &r->report;
	struct sys_found *found = p->n_found == 0 && r->leader_done ? p->found : NULL;
	size_t n_found = FOUND_MAX;
	int64_t begin = clock_now_us();

	if (begin < r->next_kill_us)
		return;
	bool inside = r->isolate.init != 0 && r->leader_done && !r->told_to_kill &&
		      (r->patience_us == 0 || begin < r->patience_us);
	int n = inside ? kill_inside(r, begin, found, &n_found) : kill_everything(r, found, &n_found);
	if (found != NULL && n > 0)
		p->n_found = (uint32_t)n_found;
	int64_t took = clock_now_us() - begin;
	r->next_kill_us = begin + took + (took > 1000 ? took : 1000);
}

/* Every process of the tree once; an init is none of the command's. */
static void signal_tree(struct reaper *r, int sig)
{
	if (r->isolate.init != 0)
		sys_tree_signal_below(r->role->proc, getpid(), r->isolate.init, sig, NULL, NULL);
	else
		sys_tree_signal(r->role->proc, getpid(), sig, NULL, NULL, NULL, NULL);
}

static void freeze(struct reaper *r, bool on)
{
	int e = r->killing ? -ESRCH : limits_freeze(&r->limits, on);

	if (e < 0)
		reaper_tell(r, REPORT_FROZEN, -e);
}

static void on_command(struct reaper *r, int value)
{
	int sig = value & 0xff;

	switch (value >> 8) {
	case COMMAND_KILL:
		r->killing = r->told_to_kill = true;
		break;
	case COMMAND_LEADER:
		if (r->isolate.init != 0)
			isolate_signal(&r->isolate, sig);
		else if (!r->leader_done)
			kill(r->report.leader, sig);
		break;
	case COMMAND_STOP:
		r->wait_tree = true;
		limits_thaw(&r->limits);
		signal_tree(r, sig);
		/* Who is stopped could not act on it. */
		signal_tree(r, SIGCONT);
		break;
	case COMMAND_TREE:
		signal_tree(r, sig);
		break;
	case COMMAND_FREEZE:
	case COMMAND_THAW:
		freeze(r, value >> 8 == COMMAND_FREEZE);
		break;
	default:
		break;
	}
}

static void limits_turn(struct reaper *r, const struct pollfd *p)
{
	reaper_tell_limits(r, limits_news(&r->limits, p));
	if (limits_frozen(&r->limits))
		reaper_tell(r, REPORT_FROZEN, 0);
}

static void wait_for_news(struct reaper *r)
{
	struct pollfd p[4 + LIMITS_POLL] = { { .fd = r->role->signals, .events = POLLIN },
					     { .fd = r->role->life, .events = POLLIN },
					     { .fd = r->isolate.link, .events = POLLIN },
					     { .fd = r->link, .events = POLLIN } };
	int64_t wake_us = r->killing ? r->next_kill_us : CLOCK_NEVER, limits = limits_until(&r->limits);
	struct sys_signal s;

	if (r->branches != NULL && branch_next_us(r) < wake_us)
		wake_us = branch_next_us(r);

	if (r->orphaned)
		p[1].fd = -1;
	/* Its end is told by a signal. */
	if (r->isolate.init == 0 || r->init_gone)
		p[2].fd = -1;
	limits_poll(&r->limits, p + 4);
	poll(p, 4 + LIMITS_POLL, clock_poll_ms(limits < wake_us ? limits : wake_us));
	limits_turn(r, p + 4);
	if (p[1].revents != 0)
		r->orphaned = r->killing = r->told_to_kill = true;
	if (p[2].revents != 0)
		read_news(r);
	while (sys_signals_read(r->role->signals, &s) == 1) {
		if (sys_is_command(&s))
			on_command(r, s.value);
	}
	if (p[3].revents != 0)
		branch_order(r);
	if (r->branches != NULL)
		branch_due(r);
}

/* The leader has ended and the rest is let go: the tree counts as gone, and we stay behind to wait for it. */
static _Noreturn void keep(struct reaper *r)
{
	struct pollfd p = { .fd = r->role->signals, .events = POLLIN };
	struct sys_signal s;

	r->report.type = REPORT_GONE;
	r->report.kept = true;
	reaper_report(r, NULL);
	fd_close(r->role->report);
	fd_close(r->role->life);
	while (reaper_reap(r)) {
		poll(&p, 1, -1);
		while (sys_signals_read(r->role->signals, &s) == 1)
			continue;
	}
	_exit(0);
}

void reaper_watch(struct reaper *r)
{
	bool told = false;

	while (reaper_reap(r)) {
		if (r->leader_done && !told) {
			told = true;
			if (r->keep_tree && !r->killing && !r->wait_tree)
				keep(r);
			report_event(r, REPORT_EXIT, r->report.status);
			r->killing |= !r->wait_tree;
		}
		if (r->killing)
			kill_round(r);
		wait_for_news(r);
	}
}
