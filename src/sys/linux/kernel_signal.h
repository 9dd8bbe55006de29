/* SPDX-License-Identifier: ISC */
/* Signals as the kernel has them: libc hides those that it keeps for itself. */
#ifndef SYS_LINUX_KERNEL_SIGNAL_H
#define SYS_LINUX_KERNEL_SIGNAL_H

#include <signal.h>

/* Its struct sigaction; its default is all zeros. */
struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask[2];
};

/* The size of its set of signals. */
#define KERNEL_SET ((size_t)8)

#endif
