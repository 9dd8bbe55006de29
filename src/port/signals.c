/* SPDX-License-Identifier: ISC */
/*
 * Signals: the handler writes the siginfo_t to a pipe, which the loop reads.
 *
 * When the pipe is full, the handler keeps the record and leaves all signals blocked; the kernel keeps
 * the following ones.  So none is lost, however long the process did not get to its loop.
 */
#include "port.h"

#include "clock.h"
#include "constant.h"
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#define RECORDS 16

/* Raised by an instruction: cannot be blocked. */
static const int synchronous[] = { SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };

static siginfo_t spilled[NSIG];
static volatile sig_atomic_t is_spilled[NSIG], any_spilled;
static volatile sig_atomic_t sigchld_info;

static void block_all_but_synchronous(sigset_t *set)
{
	/* sigfillset(3) leaves out what libc keeps for itself. */
	memset(set, 0xff, sizeof(*set));
	for (size_t i = 0; i < sizeof(synchronous) / sizeof(*synchronous); i++)
		sigdelset(set, synchronous[i]);
}

/* The pipe is full. */
static void spill(int sig, const siginfo_t *info, ucontext_t *context)
{
	sigset_t blocked;

	spilled[sig] = *info;
	is_spilled[sig] = any_spilled = 1;
	block_all_but_synchronous(&blocked);
	/* The kernel's own set, which is all that it kept room for, is shorter than libc's. */
	memcpy(&context->uc_sigmask, &blocked, (NSIG - 1) / 8);
}

/* An instruction of ours failed; it would fail again on return. */
static bool is_crash(int sig, const siginfo_t *info)
{
	return info->si_code > 0 && (sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE);
}

static void handler(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	if (is_crash(sig, info)) {
		signal(sig, SIG_DFL);
		return;
	}
	if (write(FD_SIGNAL_WRITE, info, sizeof(*info)) != sizeof(*info)) {
		if (errno != EAGAIN)
			_exit(errno);
		spill(sig, info, context);
	}
	errno = saved;
}

int signals_catch(int sig)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	memset(&action.sa_mask, 0xff, sizeof(action.sa_mask));
	return sys_sigaction(sig, &action, NULL);
}

int signals_catch_all(void)
{
	int r = signals_catch(SIGCHLD);

	for (int sig = 1; sig < NSIG && r == 0; sig++) {
		r = signals_catch(sig);
		/* Two cannot be caught. */
		if (r == -EINVAL)
			r = 0;
	}
	return r;
}

int signals_open(void)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) == -1)
		return -errno;
	return fd_place(fd, 2, FD_SIGNAL);
}

void signals_forget(void)
{
	memset((void *)(uintptr_t)is_spilled, 0, sizeof(is_spilled));
	any_spilled = 0;
}

static void handle(struct port *p, const siginfo_t *info)
{
	const char *name = constant_name('s', info->si_signo);
	unsigned char mem[256];
	struct buf term;

	if (info->si_signo == SIGCHLD && !sigchld_info) {
		reap_named(p, info->si_pid);
		return;
	}
	buf_init_fixed(&term, mem, sizeof(mem));
	term_out_version(&term);
	term_out_tuple(&term, 3);
	term_out_atom(&term, "signal");
	term_out_atom(&term, name != NULL ? name : "unknown");
	term_out_binary(&term, info, sizeof(*info));
	int r = say_event(p, &term);
	if (r < 0)
		exit(-r);
}

static void handle_spilled(struct port *p)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++) {
		if (is_spilled[sig]) {
			is_spilled[sig] = 0;
			handle(p, &spilled[sig]);
		}
	}
	any_spilled = 0;
	sigemptyset(&none);
	sys_signals_mask(&none);
}

/* Handle up to some records.  Whether there were any. */
static bool read_records(struct port *p)
{
	siginfo_t info[RECORDS];
	ssize_t n = read(FD_SIGNAL, info, sizeof(info));

	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return errno == EINTR;
	if (n <= 0 || (size_t)n % sizeof(*info) != 0)
		exit(n == -1 ? errno : 0);
	for (size_t i = 0; i < (size_t)n / sizeof(*info); i++)
		handle(p, &info[i]);
	return true;
}

void signals_drain(struct port *p)
{
	/* In order: what is in the pipe came first.  Then the kernel sends what it kept, which may fill the pipe again. */
	for (;;) {
		while (read_records(p))
			;
		if (!any_spilled)
			return;
		handle_spilled(p);
	}
}

void signals_read(struct port *p)
{
	read_records(p);
	if (any_spilled)
		signals_drain(p);
}

/* ------------------------------------------------------------ sigaction --- */

/* The word for what is installed; a handler that is not ours cannot be. */
static const char *action_name(const struct sigaction *a)
{
	if ((a->sa_flags & SA_SIGINFO) == 0 && a->sa_handler == SIG_DFL)
		return "sig_dfl";
	if ((a->sa_flags & SA_SIGINFO) == 0 && a->sa_handler == SIG_IGN)
		return "sig_ign";
	if (a->sa_sigaction != handler)
		exit(EFAULT);
	return "sig_info";
}

static void reply_old(struct buf *reply, const char *name)
{
	term_out_version(reply);
	term_out_tuple(reply, 2);
	term_out_atom(reply, "ok");
	term_out_atom(reply, name);
}

/*
 * The handler of SIGCHLD is ours for ever; what changes is who waits for the children: those
 * that ended before the change are still those of the former.
 */
static void set_sigchld(struct port *p, bool info)
{
	if (!sigchld_info && info && p->look_us != CLOCK_NEVER)
		reap_all(p);
	/* Those that the user left over are ours from now on. */
	if (sigchld_info && !info)
		p->look_us = 0;
	sigchld_info = info;
}

static int set_default(int sig, void (*what)(int))
{
	struct sigaction action = { .sa_handler = what };

	return sys_sigaction(sig, &action, NULL);
}

void state_sigaction(struct port *p, const struct arg *a, struct buf *reply)
{
	int sig = (int)a[0].i, how = (int)a[1].i, r;
	struct sigaction old;

	if (sig == SIGCHLD) {
		reply_old(reply, sigchld_info ? "sig_info" : "sig_dfl");
		if (how != HANDLER_QUERY)
			set_sigchld(p, how == HANDLER_INFO);
		return;
	}
	r = sys_sigaction(sig, NULL, &old);
	if (r == 0 && how == HANDLER_INFO)
		r = signals_catch(sig);
	else if (r == 0 && how != HANDLER_QUERY)
		r = set_default(sig, how == HANDLER_IGNORE ? SIG_IGN : SIG_DFL);
	if (r < 0)
		reply_error(reply, -r);
	else
		reply_old(reply, action_name(&old));
}
