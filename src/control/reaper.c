/* SPDX-License-Identifier: ISC */
/*
 * The stream reaper: a subreaper that starts one task and stays until nothing
 * of it is left.  It is the stream's kill domain: whatever the task starts, and
 * however it detaches, becomes our child at the latest when its parent ends; or the
 * child of an init that is ours, for a task in namespaces (isolate.h).
 */
#include "isolate.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct reaper {
	const struct role *role;
	int cgroup;		/* directory that the task begins in, or -1 */
	int cgroup_kill;
	bool orphaned;		/* the supervisor is gone: end, and tell nobody */
	bool wait_tree;		/* the leader's end does not kill the rest */
	bool keep_tree;		/* ... but ends our watch over it */
	bool leader_done;
	bool killing;
	bool told_to_kill;	/* ... also what has not been told yet */
	int64_t next_kill_us;	/* when to walk the tree again */
	int64_t patience_us;	/* until then the init counts what it kills; 0: that has not begun */
	struct isolate isolate;
	struct task *task;
	bool init_gone;		/* the init said that nothing is left */
	const struct program *program;	/* once anything of it may have run */
	struct report report;	/* what the last one will say */
};

/* How long an init may take to kill and count what the leader left. */
#define PATIENCE_MS 200

static struct inbox inbox;

/*
 * Memory for decoding a request.  What usual ones take is there before they come: a page
 * fault costs more than a system call.
 */
#define READY_SIZE (64 * 1024)
#define READY_TOUCHED (20 * 1024)
#define READY_INBOX (8 * 1024)
#define PAGE 4096

static void *ready;

static void *map_memory(size_t size, int flags)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

static void make_ready(void)
{
	ready = map_memory(READY_SIZE, MAP_PRIVATE);
	for (size_t i = 0; ready != NULL && i < READY_TOUCHED; i += PAGE)
		((volatile char *)ready)[i] = 0;
	for (size_t i = 0; i < READY_INBOX; i += PAGE)
		((volatile unsigned char *)inbox.datagram)[i] = 0;
}

static void send_report(const struct reaper *r, const int64_t *result)
{
	struct report report = r->report;
	struct iovec iov[2] = { { &report, sizeof(report) }, { NULL, 0 } };

	memcpy(&iov[1].iov_base, &result, sizeof(result));
	iov[1].iov_len = result != NULL ? report.n_results * sizeof(*result) : 0;
	/* The supervisor always reads; if it is gone, end of file on ${life} tells. */
	int sent = sys_send(r->role->report, iov, result != NULL ? 2 : 1, NULL, 0, true);
	/* A report that cannot be made would be waited for for ever: our end is one too. */
	if (sent < 0 && sent != -EPIPE)
		_exit(125);
}

static void report_event(struct reaper *r, enum report_type type, int status)
{
	struct report kept = r->report;

	r->report.type = type;
	r->report.status = status;
	send_report(r, NULL);
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

static void reaped(struct reaper *r, pid_t pid, int status, const struct rusage *ru)
{
	bool ended = WIFEXITED(status) || WIFSIGNALED(status);

	if (pid == r->isolate.init) {
		init_reaped(r, status);
		return;
	}
	if (pid != r->report.leader) {
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

/* Wait for whatever has ended.  True while somebody is left. */
static bool reap(struct reaper *r)
{
	for (;;) {
		struct rusage ru;
		int status;
		pid_t pid = wait4(-1, &status, WNOHANG | WUNTRACED | WCONTINUED | __WALL, &ru);

		if (pid == -1 && errno == EINTR)
			continue;
		if (pid <= 0)
			return pid == 0;
		reaped(r, pid, status, &ru);
	}
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
		r->report.cgroup_killed = sys_cgroup_kill(r->cgroup_kill) == 0;
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
		signal_tree(r, sig);
		/* Who is stopped could not act on it. */
		signal_tree(r, SIGCONT);
		break;
	case COMMAND_TREE:
		signal_tree(r, sig);
		break;
	default:
		break;
	}
}

static void wait_for_news(struct reaper *r)
{
	struct pollfd p[3] = { { .fd = r->role->signals, .events = POLLIN },
			       { .fd = r->role->life, .events = POLLIN },
			       { .fd = r->isolate.link, .events = POLLIN } };
	struct sys_signal s;

	if (r->orphaned)
		p[1].fd = -1;
	/* Its end is told by a signal. */
	if (r->isolate.init == 0 || r->init_gone)
		p[2].fd = -1;
	poll(p, 3, clock_poll_ms(r->killing ? r->next_kill_us : CLOCK_NEVER));
	if (p[1].revents != 0)
		r->orphaned = r->killing = r->told_to_kill = true;
	if (p[2].revents != 0)
		read_news(r);
	while (sys_signals_read(r->role->signals, &s) == 1) {
		if (sys_is_command(&s))
			on_command(r, s.value);
	}
}

/* The leader has ended and the rest is let go: the tree counts as gone, and we stay behind to wait for it. */
static _Noreturn void keep(struct reaper *r)
{
	struct pollfd p = { .fd = r->role->signals, .events = POLLIN };
	struct sys_signal s;

	r->report.type = REPORT_GONE;
	r->report.kept = true;
	send_report(r, NULL);
	fd_close(r->role->report);
	fd_close(r->role->life);
	while (reap(r)) {
		poll(&p, 1, -1);
		while (sys_signals_read(r->role->signals, &s) == 1)
			continue;
	}
	_exit(0);
}

static void watch(struct reaper *r)
{
	bool told = false;

	while (reap(r)) {
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

/* What is to be done when all is over, whatever became of it.  The request's descriptors are closed by then. */
static void run_after(struct reaper *r)
{
	struct run_error ignored;

	if (r->program != NULL && r->program->has_place[PLACE_AFTER])
		run_place(&r->task->run, PLACE_AFTER, &ignored);
}

static _Noreturn void fail(struct reaper *r, enum stage stage, int err, int index, const char *what)
{
	struct report *p = &r->report;

	/* Nothing of a failed start may be left either; it is seldom more than the task itself. */
	if (r->report.leader > 0) {
		while (waitpid(r->report.leader, NULL, __WALL) == -1 && errno == EINTR)
			continue;
	}
	isolate_close(&r->isolate);
	domain_end(r->role, -1, NULL, NULL);
	if (r->program != NULL)
		link_close_fds(&inbox);
	run_after(r);
	*p = (struct report){ .type = REPORT_FAILED, .stage = (int)stage, .err = err, .index = index };
	snprintf(p->what, sizeof(p->what), "%s", what);
	send_report(r, NULL);
	_exit(0);
}

static enum stage stage_of(const struct program *p, int index)
{
	return index >= 0 ? p->op[index].call->stage : STAGE_ARGS;
}

static void decode(struct reaper *r, struct spawn_options *o, struct program *p, void **ret_mem,
		   size_t *ret_size)
{
	struct program_error e = { -1, -1, "{Options, FdNames, Environment, Program}" };
	struct term_in in;
	size_t size = program_memory(inbox.head.body_len);
	void *mem = ready;

	if (size > READY_SIZE || mem == NULL)
		mem = map_memory(size, MAP_PRIVATE);
	else
		size = READY_SIZE;
	if (mem == NULL)
		fail(r, STAGE_CHANNEL, ENOMEM, -1, "");
	term_in_init(&in, inbox.body, inbox.head.body_len);
	int err = term_in_version(&in);
	if (err == 0)
		err = term_in_tuple(&in, 4);
	if (err == 0)
		err = spawn_options_in(&in, o);
	if (err == 0)
		err = program_in(&in, mem, size, p, &e);
	if (err < 0) {
		char what[80];

		snprintf(what, sizeof(what), "argument %d: expected %s", e.arg + 1, e.what);
		fail(r, STAGE_ARGS, -err, e.index, e.arg >= 0 ? what : e.what);
	}
	if (p->n_fds != inbox.n_fds)
		fail(r, STAGE_ARGS, EBADMSG, -1, "as many descriptors as names");
	*ret_mem = mem;
	*ret_size = size;
}

static _Noreturn void fail_op(struct reaper *r, const struct run_error *e)
{
	const struct op *op = &r->program->op[e->index];
	bool clone = op->call->number == CALL_clone;
	const char *forbids = NULL;

	if (clone || (sys_namespaces_have_users(r->isolate.namespaces) && op->place != PLACE_TASK))
		forbids = sys_namespaces_forbidden(r->role->proc, r->isolate.namespaces, e->err, !clone);
	fail(r, forbids != NULL ? STAGE_NAMESPACE : stage_of(r->program, e->index), e->err, e->index,
	     forbids != NULL ? forbids : "");
}

/* What stands behind the operations of a task that did not become a command. */
static _Noreturn void fail_task(struct reaper *r, const struct run_error *e)
{
	if (e->index >= 0)
		fail_op(r, e);
	fail(r, stage_of(r->program, -1), e->err, -1, "no operation executes a command");
}

static pid_t start_here(struct reaper *r)
{
	struct task *t = r->task;

	t->init = -1;
	pid_t pid = task_start(t, r->cgroup);
	if (pid < 0)
		fail(r, STAGE_FORK, -pid, -1, "");
	r->report.leader = pid;
	if (t->failed)
		fail_task(r, &t->error);
	if (!t->begun)
		fail(r, STAGE_FORK, EOWNERDEAD, -1, "the new process was killed before it began");
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
	fail(r, (enum stage)news->stage, e.err, -1, news->what);
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

	int e = isolate_order(&r->isolate, ORDER_GO);
	if (e < 0 && e != -EPIPE)
		fail(r, STAGE_FORK, -e, -1, "");
	while (!ended) {
		poll(p, 3, -1);
		r->orphaned = p[1].revents != 0;
		if (start_is_over(r))
			fail(r, STAGE_FORK, ECANCELED, -1, "it was to be killed before it began");
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
	fail(r, STAGE_FORK, EOWNERDEAD, -1, "the init was killed before the command began");
}

static void start(struct reaper *r, const struct program *p, const struct spawn_options *o)
{
	struct task *t = r->task;

	for (uint32_t i = 0; i < p->n_ops; i++) {
		if (p->op[i].place == PLACE_AFTER)
			t->result[i] = INT64_MIN;
	}
	t->run = (struct run){ .program = p, .fd = inbox.fd, .group = o->group, .result = t->result,
			       .clone = isolate_clone, .clone_arg = &r->isolate };
	r->program = p;
	r->isolate.task = t;
	r->isolate.cgroup = r->cgroup;
	if (run_place(&t->run, PLACE_BEFORE, &t->error) < 0 || run_place(&t->run, PLACE_OUTSIDE, &t->error) < 0 ||
	    (r->isolate.init == 0 && run_place(&t->run, PLACE_INIT, &t->error) < 0))
		fail_op(r, &t->error);
	pid_t pid = r->isolate.init != 0 ? start_inside(r) : start_here(r);
	/* Before anybody hears of the start: a pipe that the task closes must have no other end here. */
	link_close_fds(&inbox);
	r->report = (struct report){ .type = REPORT_STARTED, .leader = pid };
	r->report.n_results = o->trace ? p->n_ops : 0;
	send_report(r, o->trace ? t->result : NULL);
	r->report.n_results = 0;
}

_Noreturn void reaper_main(const struct role *role, int spawn, int cgroup)
{
	struct reaper r = { .role = role, .cgroup = cgroup, .cgroup_kill = -1,
			    .isolate = { .role = role, .link = -1, .leader = -1 } };
	struct spawn_options o;
	struct program p;
	void *mem;
	size_t size;

	sys_become("carrel:reaper");
	if (sys_subreaper() < 0)
		_exit(125);
	if (cgroup >= 0)
		r.cgroup_kill = sys_cgroup_kill_fd(cgroup);
	/* Shared with the task even where it gets a copy of our memory. */
	r.task = map_memory(sizeof(*r.task), MAP_SHARED);
	make_ready();
	int got = r.task != NULL ? link_recv(spawn, &inbox, true) : 0;
	if (got != 1 && got != -EMFILE)
		_exit(0);
	close(spawn);
	if (got == -EMFILE)
		fail(&r, STAGE_FDS, EMFILE, -1, "the control process has no free descriptors");
	decode(&r, &o, &p, &mem, &size);
	r.wait_tree = o.wait_tree;
	r.keep_tree = o.keep_tree;
	/* The handle's cgroup ends with the handle. */
	if (r.keep_tree)
		r.cgroup = -1;
	start(&r, &p, &o);
	fd_close(cgroup);
	if (!p.has_place[PLACE_AFTER]) {
		r.program = NULL;
		link_release(&inbox);
		munmap(mem, size);
		/* A tree that is gone already needs no watch, and so no lock. */
		if (reap(&r))
			sys_lock(-1);
	}
	watch(&r);
	run_after(&r);
	/* Killed with its init, whose word about it would have been the only one. */
	if (!r.leader_done)
		r.report.status = SIGKILL;
	if (!r.orphaned) {
		struct rusage ru;

		/* The whole tree's: everything that was waited for, by us or by one another. */
		if (getrusage(RUSAGE_CHILDREN, &ru) == 0)
			note_usage(&r.report, &ru);
		r.report.type = REPORT_GONE;
		send_report(&r, NULL);
	}
	_exit(0);
}
