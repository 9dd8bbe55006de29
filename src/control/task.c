/* SPDX-License-Identifier: ISC */
/* The task, from its first moment to the command. */
#include "control.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

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

pid_t task_start(struct task *t, int cgroup)
{
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
