/* SPDX-License-Identifier: ISC */
/*
 * Signals of a task.
 *
 * A handler says at once what happened, in a datagram of its own, so that a call that waits delays no news.
 * When the host's queue is full, a signal is kept (one of each kind: they may collapse) and so is one child, behind
 * which no other is waited for, and a timer tries again: nothing is lost and nothing is waited for.
 *
 * A call that waits is interrupted by one more signal, which the kernel sends when a message arrives.  It might
 * come just before the call begins to wait, so it comes again and again until the call has ended.
 */
#include "serve.h"

#include "constant.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Ours: messages and the timer.  One of the old signals, which need no place in a queue that may be full. */
#define NEWS_SIGNAL SIGIO
#define AGAIN_MS 5

static struct serve *serve;
static volatile sig_atomic_t in_call, interrupted, unsaid;
static siginfo_t kept[NSIG];
static volatile sig_atomic_t is_kept[NSIG];
static int timer = -1;		/* the kernel's number of it */
static bool owned;		/* the socket knows whom to send signals */

/* libc's own functions are no use in a handler. */
static void timer_every(int ms)
{
	const struct timespec every = { 0, ms * 1000000L };
	const struct itimerspec when = { every, every };

	if (timer == -1) {
		struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = NEWS_SIGNAL };

		if (ms == 0 || syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &timer) == -1)
			return;
	}
	syscall(SYS_timer_settime, timer, 0, &when, NULL);
}

static int tell_signal(const siginfo_t *info)
{
	unsigned char mem[256];
	struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_tuple(&b, 2);
	term_out_int(&b, info->si_signo);
	term_out_binary(&b, info, sizeof(*info));
	return serve_tell(serve, MSG_SIGNALLED, 0, &b, -1, false);
}

static int tell_child(pid_t pid, int status, const struct rusage *ru)
{
	unsigned char mem[128];
	struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_tuple(&b, 5);
	term_out_int(&b, pid);
	term_out_int(&b, status);
	term_out_uint(&b, (uint64_t)ru->ru_utime.tv_sec * 1000000 + (uint64_t)ru->ru_utime.tv_usec);
	term_out_uint(&b, (uint64_t)ru->ru_stime.tv_sec * 1000000 + (uint64_t)ru->ru_stime.tv_usec);
	term_out_uint(&b, (uint64_t)ru->ru_maxrss);
	return serve_tell(serve, MSG_CHILD, 0, &b, -1, false);
}

/* The queue of the host is full, or the kernel has no memory: later. */
static bool is_full(int r)
{
	return r == -EAGAIN || r == -ENOBUFS || r == -ENOMEM;
}

/* As wait(2) would say it. */
static int status_of(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return (info->si_status & 0xff) << 8;
	case CLD_KILLED:
		return info->si_status;
	case CLD_DUMPED:
		return info->si_status | 0x80;
	case CLD_CONTINUED:
		return 0xffff;
	default:
		return (info->si_status & 0xff) << 8 | 0x7f;
	}
}

/* The child that was waited for and could not be told; no other is waited for until it is. */
static struct {
	pid_t pid;
	int status;
	struct rusage ru;
} untold;

/* Wait for all that changed, and tell of each.  False: not all could be told. */
static bool look_at_children(void)
{
	for (;;) {
		siginfo_t info = { 0 };

		if (untold.pid != 0 && is_full(tell_child(untold.pid, untold.status, &untold.ru)))
			return false;
		untold.pid = 0;
		if (syscall(SYS_waitid, P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG, &untold.ru) == -1 ||
		    info.si_pid == 0)
			return true;
		untold.pid = info.si_pid;
		untold.status = status_of(&info);
		if (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
			children_remove(serve, info.si_pid);
	}
}

/* What could not be told when it happened. */
static bool tell_rest(void)
{
	bool all = serve->k.child_info || look_at_children();

	for (int sig = 1; sig < NSIG && all; sig++) {
		if (is_kept[sig]) {
			all = !is_full(tell_signal(&kept[sig]));
			is_kept[sig] = !all;
		}
	}
	return all;
}

static bool has_message(void)
{
	struct pollfd p = { .fd = serve->k.private[PRIVATE_SOCKET], .events = POLLIN };

	return poll(&p, 1, 0) != 0;
}

static void on_news(void)
{
	if (unsaid)
		unsaid = !tell_rest();
	if (in_call && has_message())
		interrupted = 1;
	/* Until the call has ended and all is told. */
	timer_every(unsaid || interrupted ? AGAIN_MS : 0);
}

/* An instruction of ours failed; it would fail again on return. */
static bool is_crash(int sig, const siginfo_t *info)
{
	return info->si_code > 0 && (sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE);
}

static void handler(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	bool told = true;

	(void)context;
	if (is_crash(sig, info)) {
		signal(sig, SIG_DFL);
	} else if (sig == NEWS_SIGNAL) {
		on_news();
	} else if (sig == SIGCHLD && !serve->k.child_info) {
		told = look_at_children();
	} else if (is_full(tell_signal(info))) {
		kept[sig] = *info;
		is_kept[sig] = 1;
		told = false;
	}
	if (!told) {
		unsaid = 1;
		timer_every(AGAIN_MS);
	}
	errno = saved;
}

static int catch(int sig)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	/* A call that waits goes on behind it, but for ours. */
	if (sig != NEWS_SIGNAL)
		action.sa_flags |= SA_RESTART;
	sigfillset(&action.sa_mask);
	return sigaction(sig, &action, NULL) == -1 ? -errno : 0;
}

static void catch_ours(struct serve *s)
{
	serve = s;
	catch(SIGCHLD);
	catch(NEWS_SIGNAL);
}

void signals_begin(struct serve *s)
{
	sigset_t none;

	sigemptyset(&none);
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction now;

		s->k.mode[sig] = HANDLER_DEFAULT;
		if (sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
			s->k.mode[sig] = HANDLER_IGNORE;
	}
	catch_ours(s);
	/* Or a write to a pipe that nobody reads would be our end. */
	if (s->k.mode[SIGPIPE] == HANDLER_DEFAULT && catch(SIGPIPE) == 0)
		s->k.mode[SIGPIPE] = HANDLER_INFO;
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void signals_resume(struct serve *s)
{
	sigset_t none;

	sigemptyset(&none);
	catch_ours(s);
	for (int sig = 1; sig < NSIG; sig++) {
		if (s->k.mode[sig] == HANDLER_INFO && sig != SIGCHLD)
			catch(sig);
	}
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void signals_child(struct serve *s)
{
	(void)s;
	memset((void *)(uintptr_t)is_kept, 0, sizeof(is_kept));
	in_call = interrupted = unsaid = 0;
	untold.pid = 0;
	/* The timer is the parent's, and the socket another. */
	timer = -1;
	owned = false;
}

void signals_forget_socket(void)
{
	owned = false;
}

void signals_block(sigset_t *old)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, old);
}

void signals_restore(const sigset_t *old)
{
	sigprocmask(SIG_SETMASK, old, NULL);
}

/* ---------------------------------------------------- calls that wait --- */

void signals_may_wait(struct serve *s)
{
	const int fd = s->k.private[PRIVATE_SOCKET];

	interrupted = 0;
	in_call = 1;
	if (!owned)
		owned = fcntl(fd, F_SETOWN, getpid()) == 0;
	fcntl(fd, F_SETFL, O_ASYNC);
	/* Nobody tells of what came before that.  (To raise(3) we are still who libc's own fork would have made us.) */
	if (has_message())
		kill(getpid(), NEWS_SIGNAL);
}

void signals_waited(struct serve *s)
{
	const int fd = s->k.private[PRIVATE_SOCKET];

	fcntl(fd, F_SETFL, 0);
	in_call = 0;
	if (interrupted && !unsaid)
		timer_every(0);
	interrupted = 0;
}

bool signals_interrupted(void)
{
	return interrupted != 0;
}

/* ------------------------------------------------------------ children --- */

int children_reserve(struct serve *s)
{
	if (s->n_children < s->cap_children)
		return 0;
	uint32_t cap = s->cap_children == 0 ? 16 : 2 * s->cap_children;
	pid_t *more = realloc(s->child, cap * sizeof(*more));
	if (more == NULL)
		return -ENOMEM;
	s->child = more;
	s->cap_children = cap;
	return 0;
}

void children_add(struct serve *s, pid_t pid)
{
	s->child[s->n_children++] = pid;
}

void children_remove(struct serve *s, pid_t pid)
{
	for (uint32_t i = 0; i < s->n_children; i++) {
		if (s->child[i] == pid) {
			s->child[i] = s->child[--s->n_children];
			return;
		}
	}
}

void signals_tell_child(struct serve *s, pid_t pid, int status)
{
	const struct rusage none = { 0 };
	sigset_t old;

	signals_block(&old);
	if (WIFEXITED(status) || WIFSIGNALED(status))
		children_remove(s, pid);
	signals_restore(&old);
	/* The host reads: it waits for the answer. */
	while (is_full(tell_child(pid, status, &none)))
		poll(NULL, 0, 1);
}

void signals_look(struct serve *s)
{
	sigset_t old;

	(void)s;
	signals_block(&old);
	if (!look_at_children()) {
		unsaid = 1;
		timer_every(AGAIN_MS);
	}
	signals_restore(&old);
}

/* --------------------------------------------------- calls about signals --- */

static struct value mode_value(int mode)
{
	return value_atom(mode == HANDLER_IGNORE ? "sig_ign" : mode == HANDLER_INFO ? "sig_info" : "sig_dfl");
}

static int set_mode(int sig, int mode)
{
	if (mode == HANDLER_INFO)
		return catch(sig);
	return signal(sig, mode == HANDLER_IGNORE ? SIG_IGN : SIG_DFL) == SIG_ERR ? -errno : 0;
}

/* Our handler of SIGCHLD stays; what changes is who waits for the children. */
static void set_sigchld(struct serve *s, int mode)
{
	bool had = s->k.child_info;

	s->k.child_info = mode == HANDLER_INFO;
	if (had && !s->k.child_info)
		signals_look(s);
}

void serve_sigaction(struct serve *s, const struct arg *a, struct answer *ans)
{
	const int sig = (int)a[0].i, mode = (int)a[1].i;

	ans->values = true;
	if (sig < 1 || sig >= NSIG || sig == NEWS_SIGNAL || (mode != HANDLER_QUERY && (sig == SIGKILL || sig == SIGSTOP))) {
		ans->n = -EINVAL;
		ans->argument = 1;
		ans->text = "a signal that can be caught";
		return;
	}
	if (sig == SIGCHLD) {
		result_add(&ans->result, mode_value(s->k.child_info ? HANDLER_INFO : HANDLER_DEFAULT));
		if (mode != HANDLER_QUERY)
			set_sigchld(s, mode);
		return;
	}
	result_add(&ans->result, mode_value(s->k.mode[sig]));
	if (mode == HANDLER_QUERY)
		return;
	ans->n = set_mode(sig, mode);
	if (ans->n == 0)
		s->k.mode[sig] = (unsigned char)mode;
}

void serve_reset_signals(struct serve *s, const struct arg *a, struct answer *ans)
{
	ans->n = sys_signals_reset(a[0].ids, a[0].n);
	s->k.child_info = false;
	for (int sig = 1; sig < NSIG; sig++)
		s->k.mode[sig] = HANDLER_DEFAULT;
	for (uint32_t i = 0; i < a[0].n; i++) {
		if (a[0].ids[i] < NSIG)
			s->k.mode[a[0].ids[i]] = HANDLER_IGNORE;
	}
	catch_ours(s);
	signals_look(s);
}

void serve_waitpid(struct serve *s, const struct arg *a, struct answer *ans)
{
	const struct call *c = call_by_number(CALL_waitpid);

	ans->values = true;
	ans->n = handler_of(c)->value(a, &ans->result);
	/* Whoever has a handle on it hears of its end in any case. */
	if (ans->n == 0 && ans->result.v[0].i > 0)
		signals_tell_child(s, (pid_t)ans->result.v[0].i, (int)ans->result.v[1].i);
}
