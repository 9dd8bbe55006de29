/* SPDX-License-Identifier: ISC */
#include "sys.h"

#include <errno.h>
#include <linux/close_range.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int unshare(int flags);	/* <sched.h> and <linux/sched.h> cannot be had together */

int sys_peer_open(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return -errno;
	int pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	return pidfd == -1 ? -errno : pidfd;
}

void sys_become(const char *name)
{
	prctl(PR_SET_NAME, name, 0, 0, 0);
}

int sys_subreaper(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1 ? -errno : 0;
}

pid_t sys_fork_sibling(void)
{
	/* The exit signal of a CLONE_PARENT child is that of the caller. */
	long pid = syscall(SYS_clone, CLONE_PARENT, NULL, NULL, NULL, 0);

	return pid == -1 ? -errno : (pid_t)pid;
}

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

pid_t sys_fork_clean(void)
{
	struct clone_args args = { .flags = CLONE_CLEAR_SIGHAND };
	long pid = syscall(SYS_clone3, &args, CLONE_ARGS_SIZE_VER0);
	struct sigaction now;

	/* Before Linux 5.5. */
	if (pid == -1 && (errno == EINVAL || errno == ENOSYS)) {
		pid = syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
		for (int sig = 1; pid == 0 && sig < NSIG; sig++) {
			if (sigaction(sig, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
				signal(sig, SIG_DFL);
		}
	}
	return pid == -1 ? -errno : (pid_t)pid;
}

void sys_show_as(const char *const *argv)
{
	/* The kernel shows the strings that it put above our stack: arguments, environment, this name. */
	char *to = program_invocation_name;
	char *end;
	unsigned long last = getauxval(AT_EXECFN);

	memcpy(&end, &last, sizeof(end));
	if (to < (char *)&last || end <= to)
		return;
	memset(to, 0, (size_t)(end - to));
	for (; *argv != NULL && strlen(*argv) < (size_t)(end - to); argv++)
		to = stpcpy(to, *argv) + 1;
}

/* What would make the child less than a process of its own. */
#define SHARING                                                                                    \
	(CLONE_VM | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_PARENT | CLONE_VFORK |      \
	 CLONE_SETTLS | CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |                   \
	 CLONE_CHILD_CLEARTID)

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/* fork(3) and clone(3) of libc cannot do both: flags, and going on on the same stack. */
static long fork_with(uint64_t flags, uint64_t share)
{
	/* The lowest byte is the signal at the child's end.  One flag lies there, which only clone3(2) can tell. */
	uint64_t low = flags & 0xff & ~(uint64_t)SIGCHLD;
	struct clone_args args = { .flags = (flags & ~UINT64_C(0xff)) | CLONE_NEWTIME | share, .exit_signal = SIGCHLD };

	if ((flags & SHARING) != 0 || (low & ~(uint64_t)CLONE_NEWTIME) != 0) {
		errno = EINVAL;
		return -1;
	}
	if (low != 0)
		return syscall(SYS_clone3, &args, CLONE_ARGS_SIZE_VER0);
	return syscall(SYS_clone, flags | share | SIGCHLD, NULL, NULL, NULL, 0);
}

pid_t sys_fork(int64_t flags)
{
	long pid = fork_with((uint64_t)flags, 0);

	return pid == -1 ? -errno : (pid_t)pid;
}

/* Our own table of descriptors, without those from ${keep} on. */
static void leave_table(int keep)
{
	if (syscall(SYS_close_range, keep, ~0U, CLOSE_RANGE_UNSHARE) == 0)
		return;
	if (unshare(CLONE_FILES) == -1)
		_exit(errno);
	for (long fd = sysconf(_SC_OPEN_MAX) - 1; fd >= keep; fd--)
		close((int)fd);
}

/* A child that was killed before it could say anything is noticed at the next look. */
#define LOOK_MS 100

static void wait_until_left(pid_t pid, int hear)
{
	struct pollfd p = { .fd = hear, .events = POLLIN };
	siginfo_t info = { 0 };
	char said;

	while (poll(&p, 1, LOOK_MS) <= 0) {
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == -1 || info.si_pid != 0)
			return;
	}
	while (read(hear, &said, 1) == -1 && errno == EINTR)
		;
}

pid_t sys_fork_low(int64_t flags, int keep, int tell, int hear)
{
	long pid = fork_with((uint64_t)flags, CLONE_FILES);

	if (pid == 0) {
		leave_table(keep);
		while (write(tell, "", 1) == -1 && errno == EINTR)
			;
	} else if (pid > 0) {
		wait_until_left((pid_t)pid, hear);
	}
	return pid == -1 ? -errno : (pid_t)pid;
}

/*
 * Sharing memory saves the copy of the page tables and makes the cost the same for a host
 * of any size.  The child needs a stack of its own, and switching to it takes the few lines of
 * assembly below; elsewhere, and under a sanitizer (which keeps a shadow of the stack),
 * the child gets a copy of our memory instead.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHARE_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SHARE_MEMORY 0
#endif
#endif
#if !defined(SHARE_MEMORY) && (defined(__x86_64__) || defined(__aarch64__))
#define SHARE_MEMORY 1
#endif
#ifndef SHARE_MEMORY
#define SHARE_MEMORY 0
#endif

#if SHARE_MEMORY
/* clone3 (${a}: its arguments, ${b}: their size) or clone (flags, the stack's top): their others are 0. */
static long clone_on_stack(long call, uintptr_t a, uintptr_t b, int (*run)(void *), void *arg)
{
	long ret;
#if defined(__x86_64__)
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 /* Both may be in rbp, which ends the chain of frames. */
			 "mov %[arg], %%rdi\n\t"
			 "mov %[run], %%rax\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *%%rax\n\t"
			 "mov %%eax, %%edi\n\t"
			 "mov %[exit], %%eax\n\t"
			 "syscall\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(ret)
			 : "0"(call), "D"(a), "S"(b), "d"(0L), "r"(r10), "r"(r8), [run] "r"(run),
			   [arg] "r"(arg), [exit] "i"(SYS_exit)
			 : "rcx", "r11", "memory");
#else
	register long x8 __asm__("x8") = call;
	register long x0 __asm__("x0") = (long)a;
	register long x1 __asm__("x1") = (long)b;
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 0;
	register int (*x19)(void *) __asm__("x19") = run;
	register void *x20 __asm__("x20") = arg;
	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x20\n\t"
			 "blr x19\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc #0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x19), "r"(x20), [exit] "i"(SYS_exit)
			 : "memory", "x30");
	ret = x0;
#endif
	return ret;
}
#endif

/* Nobody hears of a cgroup that could not be joined but by this end: it was made for us, and lets us in. */
#define NOT_JOINED 125

static int join_and_run(void *arg)
{
	const struct sys_start *s = arg;

	return s->cgroup >= 0 && sys_cgroup_join(s->cgroup, 0) < 0 ? NOT_JOINED : s->run(s->arg);
}

/* Where a filter around us lets nobody call clone3, whose flags filters cannot see. */
static long start_by_clone(const struct sys_start *s, unsigned char *stack_top)
{
	const long flags = CLONE_VFORK | (s->silent ? 0 : SIGCHLD);
#if SHARE_MEMORY
	return clone_on_stack(SYS_clone, (uintptr_t)(flags | CLONE_VM), (uintptr_t)stack_top, join_and_run,
			      (void *)(uintptr_t)s);
#else
	(void)stack_top;
	long pid = syscall(SYS_clone, flags, NULL, NULL, NULL, 0);
	if (pid == 0)
		_exit(join_and_run((void *)(uintptr_t)s));
	return pid == -1 ? -errno : pid;
#endif
}

bool sys_start_shares(void)
{
	return SHARE_MEMORY;
}

pid_t sys_start(const struct sys_start *s)
{
	struct clone_args args = {
		.flags = CLONE_VFORK | (s->cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.exit_signal = s->silent ? 0 : SIGCHLD,
		.cgroup = s->cgroup >= 0 ? (__u64)s->cgroup : 0,
	};
	/* A kernel without cgroups in clone3 (before 5.7) takes the shorter struct. */
	size_t size = s->cgroup >= 0 ? CLONE_ARGS_SIZE_VER2 : CLONE_ARGS_SIZE_VER0;
	long pid;
#if SHARE_MEMORY
	unsigned char *stack = s->stack;
	if (stack == NULL)
		stack = mmap(NULL, SYS_START_STACK, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return -errno;
	args.flags |= CLONE_VM;
	args.stack = (__u64)(uintptr_t)stack;
	args.stack_size = SYS_START_STACK;
	pid = clone_on_stack(SYS_clone3, (uintptr_t)&args, size, s->run, s->arg);
	if (pid == -ENOSYS)
		pid = start_by_clone(s, stack + SYS_START_STACK);
	if (s->stack == NULL)
		munmap(stack, SYS_START_STACK);
#else
	pid = syscall(SYS_clone3, &args, size);
	if (pid == 0)
		_exit(s->run(s->arg));
	if (pid == -1)
		pid = -errno;
	if (pid == -ENOSYS)
		pid = start_by_clone(s, NULL);
#endif
	return (pid_t)pid;
}

int sys_process_look(pid_t pid, struct sys_process *ret)
{
	uint64_t limit[2];

	*ret = (struct sys_process){ 0 };
	while (ret->n_limits < SYS_RLIMITS && syscall(SYS_prlimit64, pid, ret->n_limits, NULL, limit) == 0) {
		ret->limit[ret->n_limits][0] = limit[0];
		ret->limit[ret->n_limits++][1] = limit[1];
	}
	if (ret->n_limits == 0)
		return -errno;
	/* The kernel's own answer is 20 less the value, so that it is never negative. */
	ret->priority = 20 - (int)syscall(SYS_getpriority, PRIO_PROCESS, pid);
	int io = (int)syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid);
	ret->io_class = io < 0 ? 0 : io >> IOPRIO_CLASS_SHIFT;
	ret->io_level = io < 0 ? 0 : io & 7;
	/* Looked at last: then it was there when the others were. */
	siginfo_t info = { 0 };
	ret->ended = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && info.si_pid != 0;
	return 0;
}
