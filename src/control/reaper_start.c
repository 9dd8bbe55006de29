/* SPDX-License-Identifier: ISC */
/* The reaper makes its task: here, or below an init in namespaces of their own. */
#include "reaper.h"

#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

static enum stage stage_of(const struct program *p, int index)
{
	return index >= 0 ? p->op[index].call->stage : STAGE_ARGS;
}

static _Noreturn void fail_op(struct reaper *r, const struct run_error *e)
{
	const struct op *op = &r->program->op[e->index];

	if (call_before(op->call) && r->limits.why != NULL)
		reaper_fail(r, STAGE_RLIMIT, e->err, e->index, r->limits.why);
	bool clone = op->call->number == CALL_clone;
	const char *forbids = NULL;

	if (clone || (sys_namespaces_have_users(r->isolate.namespaces) && op->place != PLACE_TASK))
		forbids = sys_namespaces_forbidden(r->role->proc, r->isolate.namespaces, e->err, !clone);
	reaper_fail(r, forbids != NULL ? STAGE_NAMESPACE : stage_of(r->program, e->index), e->err, e->index,
	     forbids != NULL ? forbids : "");
}

/* What stands behind the operations of a task that did not become a command. */
static _Noreturn void fail_task(struct reaper *r, const struct run_error *e)
{
	if (e->index >= 0)
		fail_op(r, e);
	reaper_fail(r, stage_of(r->program, -1), e->err, -1, "no operation executes a command");
}

static pid_t start_here(struct reaper *r)
{
	struct task *t = r->task;

	t->init = -1;
	pid_t pid = task_start(t, r->cgroup);
	if (pid < 0)
		reaper_fail(r, STAGE_FORK, -pid, -1, "");
	r->report.leader = pid;
	if (t->refused != 0)
		reaper_fail(r, STAGE_RLIMIT, t->refused, -1, "it cannot go into the cgroup of its limits");
	if (t->failed)
		fail_task(r, &t->error);
	if (!t->begun)
		reaper_fail(r, STAGE_FORK, EOWNERDEAD, -1, "the new process was killed before it began");
	return pid;
}

/* Whether we were told to give up what is being started. */
static bool start_is_over(struct reaper *r)
{
	struct sys_signal s;

	while (sys_signals_read(r->role->signals, &s) == 1) {
		if (sys_is_command(&s) && s.value >> 8 == COMMAND_KILL)
			return true;
	}
	return r->orphaned;
}

/* Whether the init has ended.  It is not waited for: that is watch()'s. */
static bool init_has_ended(struct reaper *r)
{
	siginfo_t si = { 0 };

	if (waitid(P_PID, (id_t)r->isolate.init, &si, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == -1)
		return errno == ECHILD;
	if (si.si_pid != 0 && si.si_code == CLD_STOPPED)
		kill(r->isolate.init, SIGCONT);
	return si.si_pid != 0 && si.si_code != CLD_STOPPED;
}

static void start_failed(struct reaper *r, const struct report *news)
{
	const struct run_error e = { news->index, news->err };

	if (e.index >= 0)
		fail_op(r, &e);
	reaper_fail(r, (enum stage)news->stage, e.err, -1, news->what);
}

/* The init has what it needs: let it begin, and wait until it has become a command below. */
static pid_t start_inside(struct reaper *r)
{
	struct pollfd p[3] = { { .fd = r->role->signals, .events = POLLIN },
			       { .fd = r->role->life, .events = POLLIN },
			       { .fd = r->isolate.link, .events = POLLIN } };
	struct report news;
	pid_t leader = 0, sender;
	bool ended = false;

	r->task->looked_at = r->record;
	if (r->record)
		record_init(r);
	int e = isolate_order(&r->isolate, ORDER_GO);
	if (e < 0 && e != -EPIPE)
		reaper_fail(r, STAGE_FORK, -e, -1, "");
	while (!ended) {
		poll(p, 3, -1);
		r->orphaned = p[1].revents != 0;
		if (start_is_over(r))
			reaper_fail(r, STAGE_FORK, ECANCELED, -1, "it was to be killed before it began");
		/* Looked at first, so that nothing that it said is left behind. */
		ended = init_has_ended(r);
		while (isolate_read(&r->isolate, &news, &sender) == 1) {
			if (news.type == REPORT_TASK)
				leader = sender;
			else if (news.type == REPORT_FAILED)
				start_failed(r, &news);
			else if (news.type == REPORT_STARTED)
				return leader;
		}
	}
	reaper_fail(r, STAGE_FORK, EOWNERDEAD, -1, "the init was killed before the command began");
}

/* The stream has cgroups of its own; the one of v2 is its kill domain too. */
static void settle(struct reaper *r)
{
	limits_settle(&r->limits, r->record);
	const struct sys_group *g = &r->limits.group;
	r->task->group = r->isolate.group = g;
	if (g->v2 < 0 || r->keep_tree)
		return;
	r->cgroup = g->v2;
	fd_close(r->cgroup_kill);
	r->cgroup_kill = sys_cgroup_kill_fd(g->v2);
	r->own_cgroup = true;
}

pid_t reaper_start(struct reaper *r, const struct program *p, const struct spawn_options *o, const int *fd)
{
	struct task *t = r->task;

	for (uint32_t i = 0; i < p->n_ops; i++) {
		if (p->op[i].place == PLACE_FAILED || p->op[i].place == PLACE_AFTER)
			t->result[i] = INT64_MIN;
	}
	t->run = (struct run){ .program = p, .fd = fd, .group = o->group, .result = t->result,
			       .clone = isolate_clone, .clone_arg = &r->isolate,
			       .limit = limits_op, .limit_arg = &r->limits,
			       .proc = r->role->proc, .serves = &t->serves };
	r->program = p;
	r->isolate.task = t;
	if (run_place(&t->run, PLACE_BEFORE, &t->error) < 0)
		fail_op(r, &t->error);
	if (r->limits.on)
		settle(r);
	r->isolate.cgroup = r->cgroup;
	if (run_place(&t->run, PLACE_OUTSIDE, &t->error) < 0 ||
	    (r->isolate.init == 0 && run_place(&t->run, PLACE_INIT, &t->error) < 0))
		fail_op(r, &t->error);
	return r->isolate.init != 0 ? start_inside(r) : start_here(r);
}
