/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include "run.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static const int always[] = { SIGINT,  SIGQUIT, SIGTERM, SIGHUP,   SIGUSR1,
			      SIGUSR2, SIGALRM, SIGCONT, SIGWINCH, SIGTSTP };

static void look(struct run_signals *s, int sig)
{
	struct sigaction now;

	if (sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
		sigaddset(&s->ignored, sig);
}

void run_signals_look(struct run_signals *s)
{
	sigemptyset(&s->ignored);
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		look(s, always[i]);
}

/*
 * A signal that carrel's caller ignores (nohup, or & in a shell without job control) stays ignored.
 * SIGCONT cannot be: it continues carrel in any case.
 */
static void handle(struct run_signals *s, int sig)
{
	if (sig == SIGCONT || !sigismember(&s->ignored, sig))
		sigaddset(&s->handled, sig);
}

/*
 * As the first process of a PID namespace, such as a container's, carrel gets all that lose their parent there, and
 * is not ended by a signal that it does not handle.  So nobody stays a zombie, and every signal is passed on but those
 * that tell of its own faults.
 */
static void be_init(struct run_signals *s)
{
	static const int own[] = { SIGKILL, SIGSTOP, SIGCHLD, SIGPIPE, SIGTTIN, SIGTTOU, SIGFPE,
				   SIGILL,  SIGSEGV, SIGBUS,  SIGABRT, SIGTRAP, SIGSYS };
	sigset_t others;

	sigaddset(&s->handled, SIGCHLD);
	sigfillset(&others);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&others, own[i]);
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		if (sigismember(&others, sig) == 1)
			handle(s, sig);
	}
}

int run_signals_init(struct run_signals *s, int shared)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t blocked;

	s->shared = shared;
	sigemptyset(&s->handled);
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		handle(s, always[i]);
	if (shared) {
		/* The terminal sends these to the whole group.  Carrel follows the command, which
		 * may have a handler, in place of stopping on its own. */
		look(s, SIGTTIN);
		look(s, SIGTTOU);
		handle(s, SIGTTIN);
		handle(s, SIGTTOU);
	}
	if (getpid() == 1)
		be_init(s);
	blocked = s->handled;
	/* Reading the terminal from behind is an error then, and no stop. */
	sigaddset(&blocked, SIGTTIN);
	/* A reader that goes away shows as EPIPE. */
	sigaction(SIGPIPE, &ignore, NULL);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	s->fd = signalfd(-1, &s->handled, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->fd == -1 ? -1 : 0;
}

void run_signals_finish(struct run_signals *s)
{
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
}

/* All that were left to us; our own child is no such, and this does not see it. */
static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

int run_signals_next(const struct run_signals *s, struct run_signal *ret)
{
	struct signalfd_siginfo info = { 0 };
	ssize_t n;

	do {
		n = read(s->fd, &info, sizeof(info));
		if (n > 0 && info.ssi_signo == SIGCHLD)
			reap();
	} while ((n == -1 && errno == EINTR) || (n > 0 && info.ssi_signo == SIGCHLD));
	if (n != (ssize_t)sizeof(info))
		return 0;
	ret->sig = (int)info.ssi_signo;
	ret->from_kernel = info.ssi_code > 0;
	return 1;
}

/*
 * Whether a shell that does job control is above us. In a group that is orphaned nobody would continue
 * us, and the kernel would send the whole group SIGHUP once the command ends.
 */
static bool can_be_continued(void)
{
	pid_t parent = getppid();

	return getsid(parent) == getsid(0) && getpgid(parent) != getpgrp();
}

void run_signals_suspend(const struct run_signals *s, int sig)
{
	sigset_t one;

	/*
	 * With the command's own signal the shell says why the job is stopped, and in a group that
	 * nobody could continue the kernel leaves it out.
	 */
	if (sig == SIGSTOP || sigismember(&s->handled, sig) != 1) {
		if (can_be_continued())
			kill(getpid(), SIGSTOP);
		return;
	}
	sigemptyset(&one);
	sigaddset(&one, sig);
	kill(getpid(), sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL); /* it stops here */
	sigprocmask(SIG_BLOCK, &one, NULL);
}

int run_signals_suspend_job(const struct run_signals *s)
{
	sigset_t one, pending;

	(void)s;
	sigemptyset(&one);
	sigaddset(&one, SIGTSTP);
	/* All of a pipeline, or the shell would wait for the rest of it. */
	kill(0, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &one, NULL); /* it stops here */
	sigprocmask(SIG_BLOCK, &one, NULL);
	/* SIGCONT is blocked: after a stop it is pending. */
	return sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 1;
}

void run_signals_die(int sig)
{
	struct sigaction by_default = { .sa_handler = SIG_DFL };
	struct rlimit no_core = { 0, 0 };
	sigset_t one;

	setrlimit(RLIMIT_CORE, &no_core);
	sigaction(sig, &by_default, NULL);
	sigemptyset(&one);
	sigaddset(&one, sig);
	kill(getpid(), sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
}
