/* SPDX-License-Identifier: ISC */
/* What a process may use: limits of others, processors, input and output; and processes by descriptor. */
#include "calls.h"

#include "fd.h"
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux's own limit is 8192 processors. */
#define CPUS_MAX 8192
#define WORD_BITS (8 * sizeof(unsigned long))

int64_t call_prlimit(const struct arg *a)
{
	const struct rlimit limit = { .rlim_cur = (rlim_t)a[2].u[0], .rlim_max = (rlim_t)a[2].u[1] };

	return call_result(syscall(SYS_prlimit64, (pid_t)a[0].i, (int)a[1].i, &limit, NULL));
}

int64_t call_sched_setaffinity(const struct arg *a)
{
	unsigned long set[CPUS_MAX / WORD_BITS] = { 0 };

	for (uint32_t i = 0; i < a[1].n; i++) {
		uint32_t cpu = a[1].ids[i];

		if (cpu >= CPUS_MAX)
			return -EINVAL;
		set[cpu / WORD_BITS] |= 1UL << cpu % WORD_BITS;
	}
	return call_result(syscall(SYS_sched_setaffinity, (pid_t)a[0].i, sizeof(set), set));
}

int64_t call_ioprio_set(const struct arg *a)
{
	if (a[3].i < 0 || a[3].i >= 1 << IOPRIO_CLASS_SHIFT)
		return -EINVAL;
	const int priority = (int)(a[2].i << IOPRIO_CLASS_SHIFT | a[3].i);
	return call_result(syscall(SYS_ioprio_set, (int)a[0].i, (int)a[1].i, priority));
}

int64_t call_personality(const struct arg *a)
{
	return call_result(syscall(SYS_personality, (unsigned long)a[0].i));
}

int64_t call_pidfd_open(const struct arg *a)
{
	return call_result(syscall(SYS_pidfd_open, (pid_t)a[0].i, (unsigned)a[1].i));
}

int64_t call_pidfd_send_signal(const struct arg *a)
{
	return call_result(syscall(SYS_pidfd_send_signal, (int)a[0].i, (int)a[1].i, NULL, 0));
}

int64_t call_oom_score_adj(const struct arg *a)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", (int)a[0].i);

	scoped_fd fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return -errno;
	return write(fd, text, (size_t)n) == n ? 0 : -errno;
}
