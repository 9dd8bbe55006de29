/* SPDX-License-Identifier: ISC */
/* stepper: follows a command and all that it starts, and interferes at one point. */
#include "stepper.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_SECONDS 5.0

#define FOLLOW                                                                                     \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |  \
	 PTRACE_O_TRACEEXEC)

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

/* ---- whose step it is ---- */

static pid_t process_of(pid_t tid)
{
	char status[4096];

	slurp(tid, "status", status, sizeof(status));
	pid_t tgid = (pid_t)status_field(status, "\nTgid:", 10);
	return tgid > 0 ? tgid : tid;
}

/*
 * role_of(r, t): by the name that it has given itself. What CMD's process starts keeps CMD's name until it
 * executes the control process, which keeps its own until it has a role.
 */
static enum role role_of(const struct run *r, const struct tracee *t)
{
	char comm[64], root[64];

	slurp(t->tid, "comm", comm, sizeof(comm));
	comm[strcspn(comm, "\n")] = '\0';
	if (t->tgid == r->root)
		return r->o->marked && strcmp(comm, "carrel:host") != 0 ? OTHER : HOST;
	for (int role = GUARD; role <= TASK; role++)
		if (strncmp(comm, "carrel:", 7) == 0 && strcmp(comm + 7, role_names[role]) == 0)
			return (enum role)role;
	slurp(r->root, "comm", root, sizeof(root));
	root[strcspn(root, "\n")] = '\0';
	bool same = strncmp(root, "carrel", 6) == 0 && strcmp(comm, root) == 0;
	return same || strcmp(comm, "carrel-control") == 0 ? HELPER : OTHER;
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
	pid_t pid[64];
	size_t n = children(pid, sizeof(pid) / sizeof(pid[0]));

	for (size_t i = 0; i < n; i++)
		kill(pid[i], SIGKILL);
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

/* pursue(r): returns when CMD has ended and nothing is traced any more: 0, or an exit status. */
static int pursue(struct run *r)
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
			doze(20);
	}
}

static void begin(const struct options *o, int go)
{
	char byte;

	/* Waits until it is traced. */
	if (read(go, &byte, 1) != 1)
		_exit(EXIT_OWN);
	execute(o->words, o->user);
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
		begin(r->o, go[0]);
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

int follow(const struct options *o)
{
	struct run r = { .o = o, .end = now() + o->timeout };
	sigset_t mask;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	block_children(&mask);
	start(&r, &mask);
	int failed = pursue(&r);
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
