/* SPDX-License-Identifier: ISC */
/* The parts of stepper: the command line (stepper.c), following (follow.c), one call (inject.c). */
#ifndef TOOLS_STEPPER_H
#define TOOLS_STEPPER_H

#include "common.h"

#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#define CALLS 512		/* above the highest number; the last one stands for any other */

enum { EXIT_NOT_REACHED = 3, EXIT_DIED = 4 };

enum role { GUARD, SUPER, NURSERY, REAPER, TASK, HELPER, HOST, OTHER, ROLES };

extern const char *const role_names[ROLES];

enum mode { COUNT, LIST, KILL, FAIL, INJECT, MODES };

struct options {
	enum mode mode;
	int role, call, error, signal;
	long step, user, pid;
	bool at_exit, marked;
	double timeout, settle;
	const char *output;
	char **words;
	int count;
};

/* Where results go. */
extern FILE *out;

/* call_name(nr): the system call's name, "unknown" for a number that is none. */
const char *call_name(int nr);

/* trace(request, tid, addr, data): ptrace, whose last two are what the request makes of them. */
long trace(enum __ptrace_request request, pid_t tid, unsigned long addr, unsigned long data);

/* status_field(status, name, base): the number after the line's name in a /proc/PID/status. */
unsigned long long status_field(const char *status, const char *name, int base);

/*
 * call_again(tid, regs, always): undoes our interruption of a call. The kernel goes on with some
 * calls as restart_syscall, for which a seccomp filter may kill, and some it never restarts: both
 * are made again from the start instead, unless a signal of somebody else is waiting to interrupt
 * them. always: the kernel no longer knows what restart_syscall stands for.
 */
bool call_again(pid_t tid, struct user_regs_struct *regs, bool always);

/* parse_integer(text, ret_end): an argument of a call. */
unsigned long parse_integer(const char *text, char **ret_end);

/* follow(o): count, list, kill or fail. inject(o): the call. Both return the exit status. */
int follow(const struct options *o);
int inject(const struct options *o);

#endif
