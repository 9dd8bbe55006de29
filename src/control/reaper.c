/* SPDX-License-Identifier: ISC */
/*
 * The stream reaper: a subreaper that starts one task and stays until nothing
 * of it is left.  It is the stream's kill domain: whatever the task starts, and
 * however it detaches, becomes our child at the latest when its parent ends.
 */
#include "control.h"

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
	int64_t next_kill_us;	/* when to walk the tree again */
	struct report report;	/* what the last one will say */
};

/* The task that is being started; in memory that it shares with us in any case. */
struct task {
	struct run run;
	struct run_error error;
	bool begun;
	bool failed;
	int64_t result[PROGRAM_OPS_MAX];
};

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

static uint64_t us(struct timeval tv)
{
	return (uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec;
}

static void note_usage(struct report *p, const struct rusage *ru)
{
	p->utime_us = us(ru->ru_utime);
	p->stime_us = us(ru->ru_stime);
	p->maxrss_kb = (uint64_t)ru->ru_maxrss;
}

static void reaped(struct reaper *r, pid_t pid, int status, const struct rusage *ru)
{
	bool ended = WIFEXITED(status) || WIFSIGNALED(status);

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

/* One round of killing.  Rounds follow each other as fast as they are short, until nobody is left. */
static void kill_round(struct reaper *r)
{
	struct report *p = &r->report;
	struct sys_found *found = p->n_found == 0 && r->leader_done ? p->found : NULL;
	size_t n_found = FOUND_MAX;
	int64_t begin = clock_now_us();

	if (begin < r->next_kill_us)
		return;
	int n = sys_tree_signal(r->role->proc, getpid(), SIGKILL, NULL, NULL, found, &n_found);
	if (found != NULL && n > 0)
		p->n_found = (uint32_t)n_found;
	if (r->cgroup_kill >= 0)
		p->cgroup_killed = sys_cgroup_kill(r->cgroup_kill) == 0;
	int64_t took = clock_now_us() - begin;
	r->next_kill_us = begin + took + (took > 1000 ? took : 1000);
}

static void on_command(struct reaper *r, int value)
{
	int sig = value & 0xff;

	switch (value >> 8) {
	case COMMAND_KILL:
		r->killing = true;
		break;
	case COMMAND_LEADER:
		if (!r->leader_done)
			kill(r->report.leader, sig);
		break;
	case COMMAND_STOP:
		r->wait_tree = true;
		sys_tree_signal(r->role->proc, getpid(), sig, NULL, NULL, NULL, NULL);
		/* Who is stopped could not act on it. */
		sys_tree_signal(r->role->proc, getpid(), SIGCONT, NULL, NULL, NULL, NULL);
		break;
	case COMMAND_TREE:
		sys_tree_signal(r->role->proc, getpid(), sig, NULL, NULL, NULL, NULL);
		break;
	default:
		break;
	}
}

static void wait_for_news(struct reaper *r)
{
	struct pollfd p[2] = { { .fd = r->role->signals, .events = POLLIN },
			       { .fd = r->role->life, .events = POLLIN } };
	struct sys_signal s;

	if (r->orphaned)
		p[1].fd = -1;
	poll(p, 2, clock_poll_ms(r->killing ? r->next_kill_us : CLOCK_NEVER));
	if (p[1].revents != 0)
		r->orphaned = r->killing = true;
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

static int run_task(void *arg)
{
	struct task *t = arg;

	t->begun = true;
	sys_become("carrel:task");
	t->failed = run_place(&t->run, PLACE_TASK, &t->error) < 0;
	if (!t->failed) {
		/* A program that executes nothing has no command to become. */
		t->failed = true;
		t->error = (struct run_error){ -1, EINVAL };
	}
	return 127;
}

static _Noreturn void fail(struct reaper *r, enum stage stage, int err, int index, const char *what)
{
	struct report *p = &r->report;

	/* Nothing of a failed start may be left either; it is seldom more than the task itself. */
	if (r->report.leader > 0) {
		while (waitpid(r->report.leader, NULL, __WALL) == -1 && errno == EINTR)
			continue;
	}
	domain_end(r->role, -1, NULL, NULL);
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

/* What is to be done in another process than ours and the task's comes with the namespaces. */
static void refuse_places(struct reaper *r, const struct program *p)
{
	for (uint32_t i = 0; i < p->n_ops; i++) {
		if (p->op[i].place == PLACE_BEFORE || p->op[i].place == PLACE_OUTSIDE)
			fail(r, STAGE_ARGS, EOPNOTSUPP, (int)i, "the place init, task or after");
	}
}

static void start(struct reaper *r, struct task *t, const struct program *p,
		  const struct spawn_options *o)
{
	for (uint32_t i = 0; i < p->n_ops; i++) {
		if (p->op[i].place == PLACE_AFTER)
			t->result[i] = INT64_MIN;
	}
	t->run = (struct run){ .program = p, .fd = inbox.fd, .group = o->group, .result = t->result };
	if (run_place(&t->run, PLACE_INIT, &t->error) < 0)
		fail(r, stage_of(p, t->error.index), t->error.err, t->error.index, "");
	struct sys_start s = { .run = run_task, .arg = t, .cgroup = r->cgroup };
	pid_t pid = sys_start(&s);
	if (pid < 0)
		fail(r, STAGE_FORK, -pid, -1, "");
	r->report.leader = pid;
	if (t->failed)
		fail(r, stage_of(p, t->error.index), t->error.err, t->error.index,
		     t->error.index < 0 ? "no operation executes a command" : "");
	if (!t->begun)
		fail(r, STAGE_FORK, EOWNERDEAD, -1, "the new process was killed before it began");
	/* Before anybody hears of the start: a pipe that the task closes must have no other end here. */
	link_close_fds(&inbox);
	r->report = (struct report){ .type = REPORT_STARTED, .leader = pid };
	r->report.n_results = o->trace ? p->n_ops : 0;
	send_report(r, o->trace ? t->result : NULL);
	r->report.n_results = 0;
}

_Noreturn void reaper_main(const struct role *role, int spawn, int cgroup)
{
	struct reaper r = { .role = role, .cgroup = cgroup, .cgroup_kill = -1 };
	struct spawn_options o;
	struct program p;
	struct run_error ignored;
	void *mem;
	size_t size;

	sys_become("carrel:reaper");
	if (sys_subreaper() < 0)
		_exit(125);
	if (cgroup >= 0)
		r.cgroup_kill = sys_cgroup_kill_fd(cgroup);
	/* Shared with the task even where it gets a copy of our memory. */
	struct task *t = map_memory(sizeof(*t), MAP_SHARED);
	make_ready();
	int got = t != NULL ? link_recv(spawn, &inbox, true) : 0;
	if (got != 1 && got != -EMFILE)
		_exit(0);
	close(spawn);
	if (got == -EMFILE)
		fail(&r, STAGE_FDS, EMFILE, -1, "the control process has no free descriptors");
	decode(&r, &o, &p, &mem, &size);
	refuse_places(&r, &p);
	r.wait_tree = o.wait_tree;
	r.keep_tree = o.keep_tree;
	/* The handle's cgroup ends with the handle. */
	if (r.keep_tree)
		r.cgroup = -1;
	start(&r, t, &p, &o);
	fd_close(cgroup);
	if (!p.has_place[PLACE_AFTER]) {
		link_release(&inbox);
		munmap(mem, size);
		mem = NULL;
		/* A tree that is gone already needs no watch, and so no lock. */
		if (reap(&r))
			sys_lock(-1);
	}
	watch(&r);
	if (mem != NULL)
		run_place(&t->run, PLACE_AFTER, &ignored);
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
