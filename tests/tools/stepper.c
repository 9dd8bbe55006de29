/* SPDX-License-Identifier: ISC */
/*
 * stepper: follows every process of a command with ptrace, knows each by its role, and at a chosen
 * system call kills one or makes the call fail. A step is one system call entry.
 *
 * The role is the name a process has given itself (prctl PR_SET_NAME), read anew at every step.
 */
#include <stdio.h>

#ifndef __x86_64__

int main(void)
{
	puts("stepper: knows x86-64 only");
	return 77;
}

#else

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS 512		/* above the highest number; the last one stands for any other */
#define SETTLE_SECONDS 2.0
#define KILL_SECONDS 5.0
#define RESTART_BLOCK (-516L)	/* ERESTART_RESTARTBLOCK, which only a tracer gets to see */
#define RED_ZONE 128

#define FOLLOW                                                                                     \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |  \
	 PTRACE_O_TRACEEXEC)

enum {
	EXIT_USAGE = 2,
	EXIT_NOT_REACHED = 3,
	EXIT_DIED = 4,
	EXIT_TIMEOUT = 124,
	EXIT_OWN = 125,
};

enum role { GUARD, SUPER, NURSERY, REAPER, INIT, TASK, HOST, OTHER, ROLES };

static const char *const role_names[ROLES] = {
	"guard", "super", "nursery", "reaper", "init", "task", "host", "other",
};

enum mode { COUNT, LIST, KILL, FAIL, INJECT, MODES };

static const char *const mode_names[MODES] = { "count", "list", "kill", "fail", "inject" };

static const struct {
	const char *name;
	int nr;
} call_table[] = {
#include "syscalls.inc"
};

static const char usage[] =
	"usage: stepper count [OPTIONS] -- CMD...\n"
	"       stepper list [OPTIONS] -- CMD...\n"
	"       stepper kill --role ROLE --step N [--signal KILL] [--at entry|exit] [OPTIONS]\n"
	"                    -- CMD...\n"
	"       stepper fail --role ROLE --call NAME --nth N --errno E [OPTIONS] -- CMD...\n"
	"       stepper inject --pid P --call NAME [--timeout SECONDS] [ARGUMENT...]\n"
	"Follows CMD and all that it starts, on x86-64. A step is one system call entry.\n"
	"  count   prints ROLE STEPS for every role\n"
	"  list    prints ROLE CALL COUNT for every call made (also: fail --list)\n"
	"  kill    signals the process that makes step N of ROLE, then lets the rest run on\n"
	"  fail    the Nth call NAME of ROLE is not made and returns E; then lets all run on\n"
	"  inject  has the running process P make one system call; an ARGUMENT is an integer or\n"
	"          str:TEXT, which is passed as an address\n"
	"Roles: guard, super, nursery, reaper, init, task (the processes named carrel:ROLE), host (CMD's\n"
	"own process), other.\n"
	"Options:\n"
	"  --user UID         start CMD with this uid and gid and no supplementary groups\n"
	"  --timeout SECONDS  for the whole run (20; inject: 5)\n"
	"  --settle SECONDS   how long to follow what goes on after CMD has ended (2)\n"
	"  --output FILE      write results there instead of to standard output\n"
	"kill and fail print what was reached, or 'not reached', and how CMD ended.\n"
	"inject prints ret=VALUE, 'trapped signal=31' where a filter raises SIGSYS, or how P ended.\n"
	"Exit status: 0 done; 3 not reached; 4 the injected process ended; 124 too long, CMD and what\n"
	"it started killed; 125 own failure; 126, 127 CMD could not be started; 2 usage.\n";

struct options {
	enum mode mode;
	int role, call, error, signal;
	long step, user, pid;
	bool at_exit;
	double timeout, settle;
	const char *output;
	char **words;
	int count;
};

struct tracee {
	pid_t tid, tgid;
};

struct run {
	const struct options *o;
	struct tracee *tracees;
	size_t count, room;
	pid_t root;
	bool started;			/* CMD has been executed: from here on steps count */
	bool ended;
	int status;
	double end, settled;
	bool releasing;			/* what stops from here on is let go */
	bool reached;
	pid_t target, target_pid;	/* the thread whose call is to exit, and its process */
	enum role target_role;
	long target_step;
	int target_call;
	long steps[ROLES], calls[ROLES][CALLS];
};

static volatile sig_atomic_t stopped_by;
static FILE *out;

static void on_signal(int sig)
{
	stopped_by = sig;
}

__attribute__((noreturn, format(printf, 2, 3))) static void die(int status, const char *format, ...)
{
	va_list ap;

	fputs("stepper: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(status);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* trace(request, tid, addr, data): ptrace, whose last two are what the request makes of them. */
static long trace(enum __ptrace_request request, pid_t tid, unsigned long addr, unsigned long data)
{
	return ptrace(request, tid, (void *)addr, (void *)data);
}

static int call_number(const char *name)
{
	for (size_t i = 0; i < sizeof(call_table) / sizeof(call_table[0]); i++)
		if (strcmp(call_table[i].name, name) == 0)
			return call_table[i].nr;
	return -1;
}

static const char *call_name(int nr)
{
	for (size_t i = 0; i < sizeof(call_table) / sizeof(call_table[0]); i++)
		if (call_table[i].nr == nr)
			return call_table[i].name;
	return "unknown";
}

/* ---- what /proc says of a process ---- */

static bool slurp(pid_t pid, const char *what, char *buf, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, buf, size - 1);
	if (fd != -1)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* status_field(status, name, base): the number after the line's name in a /proc/PID/status. */
static unsigned long long status_field(const char *status, const char *name, int base)
{
	const char *p = strstr(status, name);

	return p == NULL ? 0 : strtoull(p + strlen(name), NULL, base);
}

static pid_t process_of(pid_t tid)
{
	char status[4096];

	slurp(tid, "status", status, sizeof(status));
	pid_t tgid = (pid_t)status_field(status, "\nTgid:", 10);
	return tgid > 0 ? tgid : tid;
}

static enum role role_of(const struct run *r, const struct tracee *t)
{
	char comm[64];

	slurp(t->tid, "comm", comm, sizeof(comm));
	comm[strcspn(comm, "\n")] = '\0';
	if (strncmp(comm, "carrel:", 7) == 0)
		for (int role = GUARD; role <= TASK; role++)
			if (strcmp(comm + 7, role_names[role]) == 0)
				return (enum role)role;
	return t->tgid == r->root ? HOST : OTHER;
}

/* ---- the tracees ---- */

static struct tracee *tracee_find(struct run *r, pid_t tid)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->tracees[i].tid == tid)
			return &r->tracees[i];
	return NULL;
}

/* tracee_get(r, tid): the tracee; a new one is known by its first stop, whenever that comes. */
static struct tracee *tracee_get(struct run *r, pid_t tid)
{
	struct tracee *t = tracee_find(r, tid);

	if (t != NULL)
		return t;
	if (r->count == r->room) {
		r->room = r->room * 2 + 64;
		r->tracees = realloc(r->tracees, r->room * sizeof(*r->tracees));
		if (r->tracees == NULL)
			die(EXIT_OWN, "out of memory");
	}
	t = &r->tracees[r->count++];
	*t = (struct tracee){ .tid = tid, .tgid = process_of(tid) };
	return t;
}

static void tracee_forget(struct run *r, pid_t tid)
{
	struct tracee *t = tracee_find(r, tid);

	if (t != NULL)
		*t = r->tracees[--r->count];
	if (r->target == tid)
		r->target = 0;
}

/* ---- letting go ---- */

/*
 * call_again(tid, regs, always): undoes our interruption of a call. The kernel goes on with some
 * calls as restart_syscall, for which a seccomp filter may kill, and some it never restarts: both
 * are made again from the start instead, unless a signal of somebody else is waiting to interrupt
 * them. always: the kernel no longer knows what restart_syscall stands for.
 */
static bool call_again(pid_t tid, struct user_regs_struct *regs, bool always)
{
	char status[4096];
	long nr = (long)regs->orig_rax, ret = (long)regs->rax;

	if (nr < 0 || !slurp(tid, "status", status, sizeof(status)))
		return false;
	unsigned long long pending = status_field(status, "\nSigPnd:", 16) |
				     status_field(status, "\nShdPnd:", 16);
	bool refused = always || status_field(status, "\nSeccomp:", 10) != 0;
	bool stranded = nr == SYS_epoll_wait || nr == SYS_epoll_pwait || nr == SYS_epoll_pwait2 ||
			nr == SYS_rt_sigtimedwait;
	if ((pending & ~status_field(status, "\nSigBlk:", 16)) != 0 ||
	    !((ret == RESTART_BLOCK && refused) || (ret == -EINTR && stranded)))
		return false;
	regs->rax = (unsigned long)nr;
	regs->orig_rax = -1UL;
	regs->rip -= 2;		/* the length of the instruction */
	return true;
}

/* let_go(r, tid, status): detaches a stopped tracee, with the signal that it was to get if any. */
static void let_go(struct run *r, pid_t tid, int status)
{
	struct user_regs_struct regs;
	int sig = WSTOPSIG(status), event = status >> 16;

	/* The interruption may show first as the exit of the call. */
	if (((event == PTRACE_EVENT_STOP && sig == SIGTRAP) || sig == (SIGTRAP | 0x80)) &&
	    trace(PTRACE_GETREGS, tid, 0, (unsigned long)&regs) == 0 &&
	    call_again(tid, &regs, false))
		trace(PTRACE_SETREGS, tid, 0, (unsigned long)&regs);
	if (event != 0 || sig == (SIGTRAP | 0x80))
		sig = 0;
	/* It fails for what is being killed, whose end is still to be waited for. */
	if (trace(PTRACE_DETACH, tid, 0, (unsigned long)sig) == 0)
		tracee_forget(r, tid);
}

/*
 * release(r, stopped): from here on whatever stops is let go. A vfork parent does not stop before
 * its child has executed something, which the child, let go, will do.
 */
static void release(struct run *r, pid_t stopped)
{
	r->releasing = true;
	for (size_t i = 0; i < r->count; i++)
		if (r->tracees[i].tid != stopped)
			trace(PTRACE_INTERRUPT, r->tracees[i].tid, 0, 0);
}

/* kill_children(): those that the kernel lists; theirs become ours, as we are a subreaper. */
static void kill_children(void)
{
	char path[64];
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(path, "re");
	while (f != NULL && fscanf(f, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	if (f != NULL)
		fclose(f);
}

/* kill_everything(r): what is traced and what descends from here, until nothing is left. */
static void kill_everything(struct run *r)
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	double end = now() + KILL_SECONDS;
	int status;

	for (size_t i = 0; i < r->count; i++)
		kill(r->tracees[i].tgid, SIGKILL);
	while (now() < end) {
		kill_children();
		pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);
		if (pid == -1 && errno == ECHILD)
			return;
		if (pid > 0 && WIFSTOPPED(status))
			kill(pid, SIGKILL);
		else if (pid <= 0)
			nanosleep(&tick, NULL);
	}
	fputs("stepper: some processes could not be killed\n", stderr);
}

/* ---- the steps ---- */

/* skip_call(tid): the call being entered is not made; the filter must not see that it is none. */
static void skip_call(pid_t tid)
{
	trace(PTRACE_SETOPTIONS, tid, 0,
	      FOLLOW | PTRACE_O_EXITKILL | PTRACE_O_SUSPEND_SECCOMP);
	trace(PTRACE_POKEUSER, tid, offsetof(struct user, regs.orig_rax), -1UL);
}

static void reach(struct run *r, pid_t tid)
{
	if (r->o->mode == KILL) {
		kill(r->target_pid, r->o->signal);
	} else {
		trace(PTRACE_POKEUSER, tid, offsetof(struct user, regs.rax),
		      (unsigned long)-(long)r->o->error);
		trace(PTRACE_SETOPTIONS, tid, 0, FOLLOW | PTRACE_O_EXITKILL);
	}
	r->reached = true;
	r->target = 0;
	release(r, tid);
}

static void call_entry(struct run *r, const struct tracee *t, unsigned long nr)
{
	const struct options *o = r->o;
	enum role role = role_of(r, t);
	int call = nr < CALLS - 1 ? (int)nr : CALLS - 1;

	long step = ++r->steps[role], nth = ++r->calls[role][call];
	bool chosen = (int)role == o->role && r->target == 0 && !r->reached &&
		      ((o->mode == KILL && step == o->step) ||
		       (o->mode == FAIL && call == o->call && nth == o->step));
	if (!chosen)
		return;
	r->target = t->tid;
	r->target_pid = t->tgid;
	r->target_role = role;
	r->target_step = o->step;
	r->target_call = call;
	if (o->mode == FAIL)
		skip_call(t->tid);
	else if (!o->at_exit)
		reach(r, t->tid);
}

static void on_call(struct run *r, const struct tracee *t)
{
	struct __ptrace_syscall_info info;

	if (!r->started ||
	    trace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), (unsigned long)&info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		call_entry(r, t, info.entry.nr);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT && t->tid == r->target)
		reach(r, t->tid);
}

/* on_exec(r, tid): a thread that executes takes its leader's number, and the others are gone. */
static void on_exec(struct run *r, pid_t tid)
{
	unsigned long old = 0;

	if (tid == r->root)
		r->started = true;
	if (trace(PTRACE_GETEVENTMSG, tid, 0, (unsigned long)&old) == -1 || (pid_t)old == tid)
		return;
	bool target = r->target == (pid_t)old;
	tracee_forget(r, (pid_t)old);
	if (target)
		r->target = tid;
}

static void on_stop(struct run *r, pid_t tid, int status)
{
	const struct tracee *t = tracee_get(r, tid);
	int sig = WSTOPSIG(status), event = status >> 16;
	enum __ptrace_request how = PTRACE_SYSCALL;

	if (!r->releasing) {
		if (sig == (SIGTRAP | 0x80))
			on_call(r, t);
		else if (event == PTRACE_EVENT_EXEC)
			on_exec(r, tid);
		else if (event == PTRACE_EVENT_STOP && sig != SIGTRAP)
			how = PTRACE_LISTEN;	/* a group stop, to be left as one */
	}
	if (r->releasing)
		let_go(r, tid, status);
	else
		trace(how, tid, 0, event != 0 || sig == (SIGTRAP | 0x80) ? 0 : (unsigned long)sig);
}

static void on_wait(struct run *r, pid_t pid, int status)
{
	if (WIFSTOPPED(status)) {
		on_stop(r, pid, status);
		return;
	}
	tracee_forget(r, pid);
	if (pid == r->root) {
		r->ended = true;
		r->status = status;
		r->settled = now() + r->o->settle;
	}
}

/* ---- the run ---- */

/* doze(): until a child has something to say, but briefly: a signal may just have been missed. */
static void doze(void)
{
	const struct timespec tick = { .tv_nsec = 20000000 };
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigtimedwait(&chld, NULL, &tick);
}

/* follow(r): returns when CMD has ended and nothing is traced any more: 0, or an exit status. */
static int follow(struct run *r)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);

		if (pid > 0)
			on_wait(r, pid, status);
		if (r->ended && r->count == 0)
			return 0;
		if (pid == -1 && errno == ECHILD)
			die(EXIT_OWN, "the command is gone without a trace");
		if (stopped_by != 0)
			return 128 + stopped_by;
		if (now() > r->end)
			return EXIT_TIMEOUT;
		if (r->ended && !r->releasing && now() > r->settled)
			release(r, 0);
		if (pid <= 0)
			doze();
	}
}

static void execute(const struct options *o, int go)
{
	char byte;

	/* Waits until it is traced. */
	if (read(go, &byte, 1) != 1)
		_exit(EXIT_OWN);
	if (o->user != -1) {
		uid_t id = (uid_t)o->user;
		if (setgroups(0, NULL) == -1 || setresgid(id, id, id) == -1 ||
		    setresuid(id, id, id) == -1)
			die(126, "--user %ld: %s", o->user, strerror(errno));
	}
	execvp(o->words[0], o->words);
	int status = errno == ENOENT ? 127 : 126;
	die(status, "%s: %s", o->words[0], strerror(errno));
}

/* start(r): CMD's process, stopped before its first call after the seizure. */
static void start(struct run *r, const sigset_t *mask)
{
	int go[2];

	if (pipe2(go, O_CLOEXEC) == -1)
		die(EXIT_OWN, "pipe: %s", strerror(errno));
	fflush(NULL);
	r->root = fork();
	if (r->root == -1)
		die(EXIT_OWN, "fork: %s", strerror(errno));
	if (r->root == 0) {
		close(go[1]);
		sigprocmask(SIG_SETMASK, mask, NULL);
		execute(r->o, go[0]);
	}
	close(go[0]);
	/* Killed with us while traced, and by the closed pipe before. */
	if (trace(PTRACE_SEIZE, r->root, 0, FOLLOW | PTRACE_O_EXITKILL) == -1 ||
	    trace(PTRACE_INTERRUPT, r->root, 0, 0) == -1)
		die(EXIT_OWN, "cannot trace: %s", strerror(errno));
	tracee_get(r, r->root);
	int status;
	if (waitpid(r->root, &status, __WALL) == -1 || !WIFSTOPPED(status))
		die(EXIT_OWN, "the command ended before it began");
	on_stop(r, r->root, status);
	if (write(go[1], "", 1) != 1)
		die(EXIT_OWN, "pipe: %s", strerror(errno));
	close(go[1]);
}

static void print_counts(const struct run *r)
{
	for (int role = 0; role < ROLES; role++) {
		if (r->o->mode == COUNT)
			fprintf(out, "%s %ld\n", role_names[role], r->steps[role]);
		for (int nr = 0; r->o->mode == LIST && nr < CALLS; nr++)
			if (r->calls[role][nr] > 0)
				fprintf(out, "%s %s %ld\n", role_names[role], call_name(nr),
					r->calls[role][nr]);
	}
}

static void print_outcome(const struct run *r)
{
	const struct options *o = r->o;

	if (!r->reached)
		fprintf(out, "not reached\n");
	else if (o->mode == KILL)
		fprintf(out, "killed %s pid=%d step=%ld call=%s\n", role_names[r->target_role],
			(int)r->target_pid, r->target_step, call_name(r->target_call));
	else
		fprintf(out, "failed %s pid=%d nth=%ld call=%s errno=%s\n",
			role_names[r->target_role], (int)r->target_pid, r->target_step,
			call_name(r->target_call), strerrorname_np(o->error));
	if (WIFSIGNALED(r->status))
		fprintf(out, "ended signal=%d\n", WTERMSIG(r->status));
	else if (r->ended)
		fprintf(out, "ended exit=%d\n", WEXITSTATUS(r->status));
}

static int run(const struct options *o)
{
	struct run r = { .o = o, .end = now() + o->timeout };
	sigset_t chld, mask;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &mask);
	start(&r, &mask);
	int failed = follow(&r);
	if (failed != 0)
		kill_everything(&r);
	free(r.tracees);
	if (failed == EXIT_TIMEOUT)
		fprintf(stderr, "stepper: killed after %g s\n", o->timeout);
	else if (failed == 0 && !r.started)
		failed = WIFEXITED(r.status) ? WEXITSTATUS(r.status) : EXIT_OWN;
	if (r.started && (o->mode == KILL || o->mode == FAIL))
		print_outcome(&r);
	else if (r.started)
		print_counts(&r);
	if (failed != 0)
		return failed;
	return (o->mode == KILL || o->mode == FAIL) && !r.reached ? EXIT_NOT_REACHED : 0;
}

/* ---- inject ---- */

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
		doze();
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

static unsigned long parse_integer(const char *text, char **ret_end)
{
	return *text == '-' ? (unsigned long)strtol(text, ret_end, 0) : strtoul(text, ret_end, 0);
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

static int inject(const struct options *o)
{
	struct injection in = { .pid = (pid_t)o->pid, .end = now() + o->timeout };
	unsigned long args[6] = { 0 };
	uint64_t quiet = ~(1ULL << (SIGSYS - 1));
	sigset_t chld;
	long ret = 0;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
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

/* ---- the command line ---- */

static long parse_number(const char *option, const char *text, long min, long max)
{
	char *end;

	errno = 0;
	long value = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || value < min || value > max)
		die(EXIT_USAGE, "%s: '%s' is not a number from %ld to %ld", option, text, min, max);
	return value;
}

static double parse_seconds(const char *option, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= 0 && value <= 86400))
		die(EXIT_USAGE, "%s: '%s' is not a number of seconds from 0 to 86400", option,
		    text);
	return value;
}

static int parse_name(const char *option, const char *text, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	die(EXIT_USAGE, "%s: '%s' is not one of those in stepper --help", option, text);
}

static int parse_errno(const char *text)
{
	for (int e = 1; e < 4096; e++)
		if (strerrorname_np(e) != NULL && strcmp(strerrorname_np(e), text) == 0)
			return e;
	if (!isdigit((unsigned char)*text))
		die(EXIT_USAGE, "--errno: '%s' is not the name of an error", text);
	int e = (int)parse_number("--errno", text, 1, 511);
	if (strerrorname_np(e) == NULL)
		die(EXIT_USAGE, "--errno: %d is not an error", e);
	return e;
}

static int parse_signal(const char *text)
{
	const char *name = strncmp(text, "SIG", 3) == 0 ? text + 3 : text;

	for (int s = 1; s < NSIG; s++)
		if (sigabbrev_np(s) != NULL && strcmp(sigabbrev_np(s), name) == 0)
			return s;
	if (!isdigit((unsigned char)*text))
		die(EXIT_USAGE, "--signal: '%s' is not the name of a signal", text);
	return (int)parse_number("--signal", text, 1, NSIG - 1);
}

static int parse_call(const char *text)
{
	int nr = call_number(text);

	if (nr == -1)
		die(EXIT_USAGE, "--call: '%s' is not the name of a system call", text);
	return nr;
}

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "role", required_argument, NULL, 'r' },
	{ "step", required_argument, NULL, 'n' },
	{ "nth", required_argument, NULL, 'n' },
	{ "signal", required_argument, NULL, 's' },
	{ "at", required_argument, NULL, 'a' },
	{ "call", required_argument, NULL, 'c' },
	{ "errno", required_argument, NULL, 'e' },
	{ "pid", required_argument, NULL, 'p' },
	{ "user", required_argument, NULL, 'u' },
	{ "timeout", required_argument, NULL, 't' },
	{ "settle", required_argument, NULL, 'w' },
	{ "output", required_argument, NULL, 'o' },
	{ "list", no_argument, NULL, 'l' },
	{ 0 },
};

/* Which options each mode takes, by the letters above, and which of them it needs. */
static const char *const taken[MODES] = { "utwo", "utwo", "rnsautwo", "rnceutwol", "pcto" };
static const char *const needed[MODES] = { "", "", "rn", "rnce", "pc" };

static void parse_option(struct options *o, int letter, const char *name)
{
	static const char *const at_names[] = { "entry", "exit" };

	switch (letter) {
	case 'r': o->role = parse_name("--role", optarg, role_names, ROLES); break;
	case 'n': o->step = parse_number(name, optarg, 1, 1000000000); break;
	case 's': o->signal = parse_signal(optarg); break;
	case 'a': o->at_exit = parse_name("--at", optarg, at_names, 2) == 1; break;
	case 'c': o->call = parse_call(optarg); break;
	case 'e': o->error = parse_errno(optarg); break;
	case 'p': o->pid = parse_number("--pid", optarg, 1, 4194304); break;
	case 'u': o->user = parse_number("--user", optarg, 0, 0xfffffffeL); break;
	case 't': o->timeout = parse_seconds("--timeout", optarg); break;
	case 'w': o->settle = parse_seconds("--settle", optarg); break;
	case 'o': o->output = optarg; break;
	case 'l': o->mode = LIST; break;
	}
}

static void check_words(const struct options *o)
{
	if (o->mode != INJECT && o->count == 0)
		die(EXIT_USAGE, "no command given (stepper --help)");
	if (o->mode == INJECT && o->count > 6)
		die(EXIT_USAGE, "a system call has six arguments at most");
	for (int i = 0; o->mode == INJECT && i < o->count; i++) {
		char *end, *text = o->words[i];
		errno = 0;
		(void)parse_integer(text, &end);
		if (strncmp(text, "str:", 4) != 0 && (end == text || *end != '\0' || errno != 0))
			die(EXIT_USAGE, "argument '%s' is neither an integer nor str:TEXT", text);
	}
}

static void parse(struct options *o, int argc, char **argv)
{
	bool given[128] = { false };
	int index;

	if (argc < 2 || (argv[1][0] == '-' && strcmp(argv[1], "--help") != 0))
		die(EXIT_USAGE, "the first word says what to do (stepper --help)");
	if (strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		exit(0);
	}
	o->mode = (enum mode)parse_name("what to do", argv[1], mode_names, MODES);
	enum mode mode = o->mode;
	optind = 2;
	for (int c; (c = getopt_long(argc, argv, "+", long_options, &index)) != -1;) {
		if (c == '?')
			exit(EXIT_USAGE);
		if (c == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (strchr(taken[mode], c) == NULL)
			die(EXIT_USAGE, "%s does not take --%s", mode_names[mode],
			    long_options[index].name);
		given[c] = true;
		parse_option(o, c, long_options[index].name);
	}
	for (const char *p = needed[o->mode]; *p != '\0'; p++)
		for (index = 0; !given[(int)*p]; index++)
			if (long_options[index].val == *p &&
			    (*p != 'n' || (long_options[index].name[0] == 's') == (mode == KILL)))
				die(EXIT_USAGE, "%s needs --%s", mode_names[o->mode],
				    long_options[index].name);
	o->words = argv + optind;
	o->count = argc - optind;
	check_words(o);
}

int main(int argc, char **argv)
{
	struct options o = {
		.role = -1, .call = -1, .signal = SIGKILL, .user = -1, .timeout = -1,
		.settle = SETTLE_SECONDS,
	};

	parse(&o, argc, argv);
	if (o.timeout < 0)
		o.timeout = o.mode == INJECT ? 5 : 20;
	out = o.output == NULL ? stdout : fopen(o.output, "we");
	if (out == NULL)
		die(EXIT_OWN, "%s: %s", o.output, strerror(errno));
	for (size_t i = 0; i < 3; i++)
		sigaction((int[]){ SIGTERM, SIGINT, SIGHUP }[i],
			  &(struct sigaction){ .sa_handler = on_signal }, NULL);
	int status = o.mode == INJECT ? inject(&o) : run(&o);
	if (fclose(out) != 0)
		die(EXIT_OWN, "cannot write the results: %s", strerror(errno));
	return status;
}

#endif
