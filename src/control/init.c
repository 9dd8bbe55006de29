/* SPDX-License-Identifier: ISC */
/*
 * The init of a task's namespaces: sets up what is to be seen inside, starts the task, and waits for whatever
 * loses its parent.  With a PID namespace it is process 1, and its end is everybody's.
 *
 * It ends when nothing is left, when it is told, and when the reaper is gone: by the signal that the
 * kernel sends then, and by the end of the connection.
 */
#include "isolate.h"

#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct init {
	int link;
	int signals;
	pid_t leader;		/* 0 once it was waited for */
	bool exit_told;
	bool ending;		/* what is killed from here on is counted */
	struct report report;	/* what the last one will say */
};

static void tell(const struct init *in, const struct report *report, const int *fd)
{
	struct report copy = *report;
	struct iovec iov = { &copy, sizeof(copy) };

	/* A reaper that does not know what happens here would wait for ever; our end it sees in any case. */
	if (sys_send(in->link, &iov, 1, fd, fd != NULL ? 1 : 0, true) < 0)
		_exit(125);
}

static _Noreturn void fail(const struct init *in, enum stage stage, int err, int index, const char *what)
{
	struct report r = { .type = REPORT_FAILED, .stage = (int)stage, .err = err, .index = index };

	snprintf(r.what, sizeof(r.what), "%s", what);
	tell(in, &r, NULL);
	_exit(0);
}

static void ended(struct init *in, pid_t pid, int status, const struct rusage *ru)
{
	if (pid == in->leader) {
		in->leader = 0;
		in->report.status = status;
		note_usage(&in->report, ru);
	} else if (in->leader == 0 && in->ending && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		in->report.leftovers++;
	}
}

static void reaped(void *arg, pid_t pid, int status, const struct rusage *ru)
{
	struct init *in = arg;

	if (WIFEXITED(status) || WIFSIGNALED(status)) {
		ended(in, pid, status, ru);
	} else if (pid == in->leader) {
		struct report r = { .type = REPORT_CONTINUED };

		if (WIFSTOPPED(status))
			r = (struct report){ .type = REPORT_STOPPED, .status = WSTOPSIG(status) };
		tell(in, &r, NULL);
	}
}

static void tell_end(struct init *in, enum report_type type)
{
	in->report.type = type;
	tell(in, &in->report, NULL);
}

/* Take an order, if there is one.  True when it was to begin. */
static bool order(struct init *in, bool wait)
{
	int word = 0;
	size_t no_fds = 0;
	ssize_t n = sys_recv(in->link, &word, sizeof(word), NULL, &no_fds, NULL, wait);

	if (n == -EAGAIN)
		return false;
	if (n != (ssize_t)sizeof(word) || word == ORDER_DIE)
		_exit(0);
	if (word == ORDER_END) {
		in->ending = true;
		/* As process 1 that is the whole namespace at one instant.  Elsewhere the reaper walks the tree. */
		if (getpid() == 1)
			kill(-1, SIGKILL);
	}
	return word == ORDER_GO;
}

static void wait_for_news(struct init *in)
{
	struct pollfd p[2] = { { .fd = in->signals, .events = POLLIN },
			       { .fd = in->link, .events = POLLIN } };
	struct sys_signal s;

	poll(p, 2, -1);
	if (p[1].revents != 0)
		order(in, false);
	while (sys_signals_read(in->signals, &s) == 1) {
		/* For whoever takes us for the command. */
		if ((s.sig == SIGTERM || s.sig == SIGINT) && in->leader != 0)
			kill(in->leader, s.sig);
	}
}

static _Noreturn void watch(struct init *in)
{
	while (domain_reap(WUNTRACED | WCONTINUED, reaped, in)) {
		if (in->leader == 0 && !in->exit_told) {
			in->exit_told = true;
			tell_end(in, REPORT_EXIT);
		}
		wait_for_news(in);
	}
	tell_end(in, REPORT_GONE);
	_exit(0);
}

/* Nobody has our socket's other end any more. */
static void leave_unless_watched(const struct init *in)
{
	struct pollfd p = { .fd = in->link };

	if (poll(&p, 1, 0) != 0)
		_exit(0);
}

static void start(struct init *in, struct task *t)
{
	t->init = in->link;
	in->leader = task_start(t, -1);
	if (in->leader < 0)
		fail(in, STAGE_FORK, -in->leader, -1, "");
	if (t->failed)
		fail(in, STAGE_ARGS, t->error.err, t->error.index, "no operation executes a command");
	if (!t->begun)
		fail(in, STAGE_FORK, EOWNERDEAD, -1, "the new process was killed before it began");
	bool looked_at = t->looked_at;
	munmap(t, sizeof(*t));
	/* Before anybody hears of the start: a pipe that the task closes must have no other end here. */
	sys_close_all_but((int[]){ in->link, in->signals }, 2);
	int fd = sys_pidfd(in->leader);
	if (fd < 0)
		fail(in, STAGE_FORK, -fd, -1, "");
	tell(in, &(struct report){ .type = REPORT_STARTED }, &fd);
	fd_close(fd);
	/* Until then it is there even when it has ended. */
	if (looked_at)
		order(in, true);
}

_Noreturn void init_main(struct task *t, int link, int signals)
{
	struct init in = { .link = link, .signals = signals };

	sys_become("carrel:init");
	sys_parent_death();
	if (sys_subreaper() < 0)
		_exit(125);
	/* The barrier: what is done from outside comes first. */
	if (!order(&in, true))
		_exit(0);
	if (run_place(&t->run, PLACE_INIT, &t->error) < 0)
		fail(&in, STAGE_ARGS, t->error.err, t->error.index, "");
	/* An operation that changed who we are has undone it. */
	sys_parent_death();
	leave_unless_watched(&in);
	/* The task begins with what we have, and with our memory: not to be looked into once it is the command. */
	sys_hide();
	start(&in, t);
	sys_no_capabilities();
	sys_lock(-1);
	watch(&in);
}
