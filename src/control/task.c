/* SPDX-License-Identifier: ISC */
/* The task, from its first moment to the command. */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static int run_task(void *arg)
{
	struct task *t = arg;

	sys_become("carrel:task");
	int r = t->group != NULL ? sys_group_enter(t->group) : 0;
	if (r < 0) {
		t->refused = -r;
		return 127;
	}
	if (t->init >= 0) {
		struct report here = { .type = REPORT_TASK };

		if (sys_send(t->init, &(struct iovec){ &here, sizeof(here) }, 1, NULL, 0, true) < 0)
			return 127;
	}
	t->begun = true;
	t->failed = run_place(&t->run, PLACE_TASK, &t->error) < 0;
	if (!t->failed) {
		/* A program that executes nothing has no command to become. */
		t->failed = true;
		t->error = (struct run_error){ -1, EINVAL };
	}
	return 127;
}

/* What the task stands on until it executes, where it shares our memory. */
static _Alignas(4096) unsigned char stack[SYS_START_STACK];

/*
 * A task that serves is no command, and goes on in its own copy of our memory.  It has a pipe open until it serves:
 * that closes it, as does its end.
 */
static pid_t start_serving(struct task *t, int cgroup)
{
	int serving[2];
	char none;

	if (pipe2(serving, O_CLOEXEC) == -1)
		return -errno;
	pid_t pid = sys_fork_isolated(0, cgroup);
	if (pid == 0) {
		close(serving[0]);
		_exit(run_task(t));
	}
	close(serving[1]);
	while (pid > 0 && read(serving[0], &none, 1) == -1 && errno == EINTR)
		continue;
	close(serving[0]);
	/* Killed on its way: begun is what a command would have been. */
	if (!t->serves && !t->failed)
		t->begun = false;
	return pid;
}

pid_t task_start(struct task *t, int cgroup)
{
	if (t->run.program->serves)
		return start_serving(t, cgroup);
	struct sys_start s = { .run = run_task, .arg = t, .cgroup = cgroup, .stack = stack };

	return sys_start(&s);
}

void task_forget(void)
{
	madvise(stack, sizeof(stack), MADV_DONTNEED);
}

static uint64_t us(struct timeval tv)
{
	return (uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec;
}

void note_usage(struct report *r, const struct rusage *ru)
{
	r->utime_us = us(ru->ru_utime);
	r->stime_us = us(ru->ru_stime);
	r->maxrss_kb = (uint64_t)ru->ru_maxrss;
}
