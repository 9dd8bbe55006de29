/* SPDX-License-Identifier: ISC */
/* Handlers and masks for every signal, also those that libc keeps for itself. */
#include "sys.h"

#include "kernel_signal.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Flags that callers of sigaction(2) know; the others are between libc and the kernel. */
#define FLAGS                                                                                      \
	((unsigned long)SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART |       \
	 SA_NODEFER | SA_RESETHAND)

/* A handler returns through a few instructions of libc's, which the kernel knows from another signal. */
static int hidden_action(int sig, const struct sigaction *new, struct sigaction *old)
{
	struct kernel_sigaction is = { 0 }, was = { 0 };

	if (new != NULL) {
		if (syscall(SYS_rt_sigaction, SIGCHLD, NULL, &is, KERNEL_SET) == -1)
			return -errno;
		is.flags = (is.flags & ~FLAGS) | (unsigned)new->sa_flags;
		is.handler = new->sa_handler;
		memset(is.mask, 0xff, sizeof(is.mask));
	}
	if (syscall(SYS_rt_sigaction, sig, new != NULL ? &is : NULL, &was, KERNEL_SET) == -1)
		return -errno;
	if (old != NULL) {
		*old = (struct sigaction){ .sa_flags = (int)(was.flags & FLAGS) };
		old->sa_handler = was.handler;
	}
	return 0;
}

int sys_sigaction(int sig, const struct sigaction *new, struct sigaction *old)
{
	if (sigaction(sig, new, old) == 0)
		return 0;
	return errno == EINVAL ? hidden_action(sig, new, old) : -errno;
}

void sys_signals_block(sigset_t *old)
{
	static const unsigned long all[2] = { ~0UL, ~0UL };

	sigemptyset(old);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, all, old, KERNEL_SET);
}

void sys_signals_mask(const sigset_t *mask)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, KERNEL_SET);
}
