/* SPDX-License-Identifier: ISC */
/*
 * The stream reaper: a subreaper that starts one task and stays until nothing
 * of it is left.  It is the stream's kill domain: whatever the task starts, and
 * however it detaches, becomes our child at the latest when its parent ends; or the
 * child of an init that is ours, for a task in namespaces (isolate.h).
 */
#include "reaper.h"

#include "fd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct inbox inbox;

/* What a task that shares our memory tells us. */
static struct task task;

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

static void send_report(const struct reaper *r, struct report report, const void *more, size_t len)
{
	struct iovec iov[2] = { { &report, sizeof(report) }, { NULL, len } };

	memcpy(&iov[1].iov_base, &more, sizeof(more));
	/* The supervisor always reads; if it is gone, end of file on ${life} tells. */
	int sent = sys_send(r->role->report, iov, len > 0 ? 2 : 1, NULL, 0, true);
	/* A report that cannot be made would be waited for for ever: our end is one too. */
	if (sent < 0 && sent != -EPIPE)
		_exit(125);
}

void reaper_report(const struct reaper *r, const int64_t *result)
{
	send_report(r, r->report, result, result != NULL ? r->report.n_results * sizeof(*result) : 0);
}

void reaper_tell_text(const struct reaper *r, const char *text, size_t len)
{
	send_report(r, (struct report){ .type = REPORT_RECORD, .n_text = (uint32_t)len }, text, len);
}

void reaper_tell(const struct reaper *r, enum report_type type, int status)
{
	send_report(r, (struct report){ .type = type, .status = status }, NULL, 0);
}

void reaper_tell_limits(const struct reaper *r, uint32_t news)
{
	for (int what = 0; news != 0; what++, news >>= 1) {
		if (news & 1)
			reaper_tell(r, REPORT_LIMIT, what);
	}
}

/* What is to be done when all is over.  The request's descriptors are closed by then. */
static void run_over(struct reaper *r, enum place place)
{
	struct run_error ignored;

	if (r->program != NULL && r->program->has_place[place])
		run_place(&r->task->run, place, &ignored);
}

/* Places run one after the other, each in the order of the program. */
static void forget_results_behind(struct reaper *r, int index)
{
	const struct op *op = r->program->op;

	for (uint32_t i = 0; i < r->program->n_ops; i++) {
		if (op[i].place > op[index].place || (op[i].place == op[index].place && i > (uint32_t)index))
			r->task->result[i] = INT64_MIN;
	}
}

_Noreturn void reaper_fail(struct reaper *r, enum stage stage, int err, int index, const char *what)
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
	run_over(r, PLACE_FAILED);
	run_over(r, PLACE_AFTER);
	limits_end(&r->limits);
	*p = (struct report){ .type = REPORT_FAILED, .stage = (int)stage, .err = err, .index = index,
			      .groups_left = r->limits.left };
	snprintf(p->what, sizeof(p->what), "%s", what);
	bool traced = r->trace && r->program != NULL && index >= 0;
	if (traced) {
		p->n_results = r->program->n_ops;
		forget_results_behind(r, index);
	}
	reaper_report(r, traced ? r->task->result : NULL);
	_exit(0);
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
		reaper_fail(r, STAGE_CHANNEL, ENOMEM, -1, "");
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
		reaper_fail(r, STAGE_ARGS, -err, e.index, e.arg >= 0 ? what : e.what);
	}
	if (p->n_fds != inbox.n_fds)
		reaper_fail(r, STAGE_ARGS, EBADMSG, -1, "as many descriptors as names");
	*ret_mem = mem;
	*ret_size = size;
}

_Noreturn void reaper_main(const struct role *role, int spawn, int cgroup)
{
	struct reaper r = { .role = role, .cgroup = cgroup, .cgroup_kill = -1,
			    .isolate = { .role = role, .link = -1, .leader = -1 }, .link = -1 };
	struct spawn_options o;
	struct program p;
	void *mem;
	size_t size;

	sys_become("carrel:reaper");
	if (sys_subreaper() < 0)
		_exit(125);
	if (cgroup >= 0)
		r.cgroup_kill = sys_cgroup_kill_fd(cgroup);
	make_ready();
	if (role->once) {
		int fd[2];

		if (take_over(spawn, fd) < 0)
			_exit(0);
		r.cgroup = cgroup = fd[0];
		r.cgroup_kill = fd[1];
	}
	limits_init(&r.limits, role);
	int got = link_recv(spawn, &inbox, true);
	if (got != 1 && got != -EMFILE)
		_exit(0);
	if (got == -EMFILE)
		reaper_fail(&r, STAGE_FDS, EMFILE, -1, "the control process has no free descriptors");
	decode(&r, &o, &p, &mem, &size);
	if (o.serve)
		r.link = spawn;
	else
		close(spawn);
	/* An init has a copy of our memory, and a task where the system cannot share it. */
	r.task = sys_start_shares() && !p.has_place[PLACE_OUTSIDE] && !p.serves ? &task : map_memory(sizeof(*r.task), MAP_SHARED);
	if (r.task == NULL)
		reaper_fail(&r, STAGE_FORK, ENOMEM, -1, "");
	r.wait_tree = o.wait_tree;
	r.trace = o.trace;
	r.keep_tree = o.keep_tree;
	r.record = o.record;
	if (o.limits || o.record || p.limits)
		limits_begin(&r.limits, role->once ? cgroup : role->cgroup, p.isolates);
	/* The handle's cgroup ends with the handle. */
	if (r.keep_tree)
		r.cgroup = -1;
	pid_t leader = reaper_start(&r, &p, &o, inbox.fd);
	/* Before anybody hears of the start: a pipe that the task closes must have no other end here. */
	link_close_fds(&inbox);
	r.report = (struct report){ .type = REPORT_STARTED, .leader = leader };
	r.report.n_results = r.trace ? p.n_ops : 0;
	if (r.record)
		record_start(&r);
	limits_started(&r.limits);
	reaper_report(&r, r.trace ? r.task->result : NULL);
	r.report.n_results = 0;
	if (r.cgroup != cgroup)
		fd_close(cgroup);
	if (!p.has_place[PLACE_AFTER]) {
		r.program = NULL;
		/* A tree that is gone already needs no watch, and so no lock. */
		if (reaper_reap(&r)) {
			limits_can_freeze(&r.limits, r.cgroup);
			sys_lock(limits_outer(&r.limits));
			link_release(&inbox);
			munmap(mem, size);
			task_forget();
		}
	} else {
		limits_can_freeze(&r.limits, r.cgroup);
	}
	reaper_watch(&r);
	run_over(&r, PLACE_AFTER);
	limits_end(&r.limits);
	/* Killed with its init, whose word about it would have been the only one. */
	if (!r.leader_done)
		r.report.status = SIGKILL;
	if (!r.orphaned) {
		struct rusage ru;

		/* The whole tree's: everything that was waited for, by us or by one another. */
		if (getrusage(RUSAGE_CHILDREN, &ru) == 0)
			note_usage(&r.report, &ru);
		reaper_tell_limits(&r, r.limits.news);
		if (r.record)
			record_end(&r);
		r.report.groups_left = r.limits.left;
		r.report.oom = r.limits.usage.oom_kills > 0;
		r.report.type = REPORT_GONE;
		reaper_report(&r, NULL);
	}
	_exit(0);
}
