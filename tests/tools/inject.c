/* SPDX-License-Identifier: ISC */
/* stepper: one system call made by another process, which goes on as if nothing had been. */
#include "stepper.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define RED_ZONE 128

struct injection {
	pid_t pid;
	double end;
	struct user_regs_struct saved;
	uint64_t mask;
	bool poked;
	long word;		/* the code under a poked instruction */
	bool stopped;		/* P waits for us to resume it */
	bool entered;		/* P is in the call */
	bool ending;		/* nothing but a time limit keeps us from restoring P now */
	bool trapped;		/* the filter answered with SIGSYS */
	bool lost;		/* what restart_syscall stood for */
};

/* await(in): the next stop's wait status, or 0 at the time limit; ends stepper when P has ended. */
static int await(struct injection *in)
{
	for (int status;;) {
		pid_t got = waitpid(in->pid, &status, WNOHANG | __WALL);

		if (got == in->pid && WIFSTOPPED(status)) {
			in->stopped = true;
			return status;
		}
		if (got == in->pid || (got == -1 && errno == ECHILD)) {
			bool signalled = got == in->pid && WIFSIGNALED(status);
			int exited = got == in->pid ? WEXITSTATUS(status) : 0;
			fprintf(out, "ended %s=%d\n", signalled ? "signal" : "exit",
				signalled ? WTERMSIG(status) : exited);
			exit(EXIT_DIED);
		}
		if (now() > in->end || (stopped_by != 0 && !in->ending))
			return 0;
		doze(20);
	}
}

/*
 * resume(in, how, sig): only from a stop that await has returned. P may be running, and a stop it
 * comes to just now must not be passed over unseen.
 */
static void resume(struct injection *in, enum __ptrace_request how, int sig)
{
	if (in->stopped)
		trace(how, in->pid, 0, (unsigned long)sig);
	in->stopped = false;
}

/* signal_of(status): the signal that a stop is about to deliver; 0 for other kinds of stops. */
static int signal_of(int status)
{
	return status >> 16 != 0 || WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
}

/*
 * await_trap(in): waits for the stop inside the kernel's signal handling in which registers can be
 * changed; false when it does not come in time.
 */
static bool await_trap(struct injection *in)
{
	for (int status; (status = await(in)) != 0;) {
		if (status >> 16 == PTRACE_EVENT_STOP)
			return true;
		resume(in, PTRACE_CONT, signal_of(status));
	}
	return false;
}

/* leave(in): lets P go on where it was, from a stop in its signal handling. */
static void leave(struct injection *in)
{
	call_again(in->pid, &in->saved, in->lost);
	trace(PTRACE_SETREGS, in->pid, 0, (unsigned long)&in->saved);
	trace(PTRACE_SETSIGMASK, in->pid, sizeof(in->mask), (unsigned long)&in->mask);
	trace(PTRACE_DETACH, in->pid, 0, 0);
}

/* place_args(in, o, args): reads them, and puts texts on the stack, below what P may be using. */
static void place_args(struct injection *in, const struct options *o, unsigned long args[6])
{
	unsigned long sp = in->saved.rsp - RED_ZONE;

	for (int i = 0; i < o->count; i++) {
		char *text = o->words[i], *end;
		if (strncmp(text, "str:", 4) != 0) {
			args[i] = parse_integer(text, &end);
			continue;
		}
		size_t len = strlen(text + 4) + 1;
		sp = (sp - len) & ~15UL;
		struct iovec from = { text + 4, len }, to = { (void *)sp, len };
		if (process_vm_writev(in->pid, &from, 1, &to, 1, 0) != (ssize_t)len) {
			int error = errno;
			leave(in);
			die(EXIT_OWN, "cannot write to the stack of %d: %s", (int)in->pid,
			    strerror(error));
		}
		args[i] = sp;
	}
}

/* find_instruction(in): where there is `syscall`: the interrupted call's, or one put there. */
static unsigned long find_instruction(struct injection *in)
{
	unsigned long at = in->saved.rip - 2;

	errno = 0;
	long word = trace(PTRACE_PEEKTEXT, in->pid, at, 0);
	if (errno == 0 && (word & 0xffff) == 0x050f)
		return at;
	at = in->saved.rip;
	errno = 0;
	in->word = trace(PTRACE_PEEKTEXT, in->pid, at, 0);
	unsigned long code = ((unsigned long)in->word & ~0xffffUL) | 0x050f;
	if (errno != 0 || trace(PTRACE_POKETEXT, in->pid, at, code) == -1) {
		int error = errno;
		leave(in);
		die(EXIT_OWN, "cannot write to the code of %d: %s", (int)in->pid, strerror(error));
	}
	in->poked = true;
	return at;
}

/* stillborn(in): what P forks while injected would run P's code from a false place. */
static void stillborn(const struct injection *in)
{
	unsigned long pid = 0;
	int status;

	if (trace(PTRACE_GETEVENTMSG, in->pid, 0, (unsigned long)&pid) == -1 || pid == 0)
		return;
	syscall(SYS_tgkill, (pid_t)pid, (pid_t)pid, SIGKILL);
	while (waitpid((pid_t)pid, &status, __WALL) > 0 && WIFSTOPPED(status))
		continue;
}

/* perform(in, ret_value): runs P to the exit of the call; false when that takes too long. */
static bool perform(struct injection *in, long *ret_value)
{
	struct __ptrace_syscall_info info;

	for (int status, pass = 0;; pass = signal_of(status)) {
		resume(in, PTRACE_SYSCALL, pass);
		if ((status = await(in)) == 0)
			return false;
		int event = status >> 16;
		if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
		    event == PTRACE_EVENT_CLONE)
			stillborn(in);
		if (WSTOPSIG(status) != (SIGTRAP | 0x80) ||
		    trace(PTRACE_GET_SYSCALL_INFO, in->pid, sizeof(info),
			  (unsigned long)&info) <= 0)
			continue;
		in->entered |= info.op == PTRACE_SYSCALL_INFO_ENTRY;
		if (!in->entered || info.op != PTRACE_SYSCALL_INFO_EXIT)
			continue;
		*ret_value = info.exit.rval;
		return true;
	}
}

/*
 * restore(in): P goes on where it was. Registers set at a call's exit would not do: that the
 * interrupted call is made again is decided in the signal handling, so P is stopped there again.
 */
static void restore(struct injection *in)
{
	char status[4096];

	slurp(in->pid, "status", status, sizeof(status));
	in->trapped = (status_field(status, "\nSigPnd:", 16) >> (SIGSYS - 1) & 1) != 0;
	in->end = now() + 2;
	in->ending = true;
	/* The stop for SIGSYS is as good a place, and in it the signal is taken away. */
	if (!in->trapped)
		trace(PTRACE_INTERRUPT, in->pid, 0, 0);
	resume(in, PTRACE_CONT, 0);
	if (!(in->trapped ? await(in) != 0 : await_trap(in)))
		die(EXIT_TIMEOUT, "process %d does not stop and is not restored", (int)in->pid);
	if (in->poked)
		trace(PTRACE_POKETEXT, in->pid, in->saved.rip, (unsigned long)in->word);
	if (in->lost && (long)in->saved.orig_rax == SYS_restart_syscall) {
		/* A call of such a kind has to expect this at any time. */
		in->saved.orig_rax = -1UL;
		in->saved.rax = (unsigned long)-EINTR;
	}
	leave(in);
}

/* cut_short(in): gets P out of a call that takes too long; what it was to restart is lost. */
static void cut_short(struct injection *in)
{
	long ret;

	in->lost = true;
	in->ending = true;
	in->end = now() + 2;
	trace(PTRACE_INTERRUPT, in->pid, 0, 0);
	perform(in, &ret);
}

/* seize(in): stops P in its signal handling and keeps what the injection will change. */
static void seize(struct injection *in)
{
	const unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
				      PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;

	if (trace(PTRACE_SEIZE, in->pid, 0, options) == -1 ||
	    trace(PTRACE_INTERRUPT, in->pid, 0, 0) == -1)
		die(EXIT_OWN, "cannot attach to process %d: %s", (int)in->pid, strerror(errno));
	if (!await_trap(in))
		die(EXIT_TIMEOUT, "process %d does not stop", (int)in->pid);
	if (trace(PTRACE_GETREGS, in->pid, 0, (unsigned long)&in->saved) == -1 ||
	    trace(PTRACE_GETSIGMASK, in->pid, sizeof(in->mask), (unsigned long)&in->mask) == -1)
		die(EXIT_OWN, "process %d: %s", (int)in->pid, strerror(errno));
	if (in->saved.cs != 0x33) {
		leave(in);
		die(EXIT_OWN, "process %d does not run 64-bit code", (int)in->pid);
	}
}

int inject(const struct options *o)
{
	struct injection in = { .pid = (pid_t)o->pid, .end = now() + o->timeout };
	unsigned long args[6] = { 0 };
	uint64_t quiet = ~(1ULL << (SIGSYS - 1));
	sigset_t before;
	long ret = 0;

	block_children(&before);
	seize(&in);
	place_args(&in, o, args);
	struct user_regs_struct regs = in.saved;
	regs.rip = find_instruction(&in);
	regs.orig_rax = -1UL;
	regs.rax = (unsigned int)o->call;
	regs.rdi = args[0], regs.rsi = args[1], regs.rdx = args[2];
	regs.r10 = args[3], regs.r8 = args[4], regs.r9 = args[5];
	trace(PTRACE_SETSIGMASK, in.pid, sizeof(quiet), (unsigned long)&quiet);
	trace(PTRACE_SETREGS, in.pid, 0, (unsigned long)&regs);
	bool done = perform(&in, &ret);
	if (!done)
		cut_short(&in);
	if (done && ret == 0 && (o->call == SYS_execve || o->call == SYS_execveat)) {
		/* There is nothing left to go back to. */
		trace(PTRACE_SETSIGMASK, in.pid, sizeof(in.mask), (unsigned long)&in.mask);
		trace(PTRACE_DETACH, in.pid, 0, 0);
	} else {
		restore(&in);
	}
	if (stopped_by != 0)
		return 128 + stopped_by;
	if (!done)
		die(EXIT_TIMEOUT, "the call took longer than %g s", o->timeout);
	if (in.trapped)
		fprintf(out, "trapped signal=%d\n", SIGSYS);
	else
		fprintf(out, "ret=%ld\n", ret);
	return 0;
}
