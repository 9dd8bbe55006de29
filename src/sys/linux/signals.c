/* SPDX-License-Identifier: ISC */
#include "sys.h"

#include "kernel_signal.h"

#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Queued, so that commands arrive in order and none is merged away. */
#define COMMAND_SIGNAL SIGRTMIN

int sys_signals_open(void)
{
	sigset_t all, wanted;

	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) == -1)
		return -errno;
	/* An ignored SIGCHLD, inherited from the caller, would take wait statuses away. */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		return -errno;
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGHUP);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, COMMAND_SIGNAL);
	int fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd == -1 ? -errno : fd;
}

int sys_signals_read(int fd, struct sys_signal *ret)
{
	struct signalfd_siginfo si;
	ssize_t n;

	do {
		n = read(fd, &si, sizeof(si));
	} while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof(si))
		return 0;
	*ret = (struct sys_signal){ (int)si.ssi_signo, si.ssi_int, (pid_t)si.ssi_pid };
	return 1;
}

int sys_command(pid_t pid, int value)
{
	return sigqueue(pid, COMMAND_SIGNAL, (union sigval){ .sival_int = value }) == -1 ? -errno : 0;
}

bool sys_is_command(const struct sys_signal *s)
{
	return s->sig == COMMAND_SIGNAL && s->sender == getppid();
}

int sys_signals_reset(const uint32_t *ignored, size_t n)
{
	static const unsigned long none[2];

	for (int sig = 1; sig <= 64; sig++) {
		struct kernel_sigaction action = { 0 };

		for (size_t i = 0; i < n; i++) {
			if (ignored[i] == (uint32_t)sig)
				action.handler = SIG_IGN;
		}
		if (sig != SIGKILL && sig != SIGSTOP)
			syscall(SYS_rt_sigaction, sig, &action, NULL, KERNEL_SET);
	}
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, KERNEL_SET) == -1 ? -errno : 0;
}
