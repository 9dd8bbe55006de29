/* SPDX-License-Identifier: ISC */
/*
 * The lock of a control process: see sys_lock().  The filter is an allow-list
 * that answers EPERM, so that a mistake of ours is an error and not a dead
 * guard; a foreign system call ABI ends the process.
 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define ARCH AUDIT_ARCH_RISCV64
#else
#error "name the audit architecture here"
#endif

static const int allowed[] = {
	SYS_recvmsg, SYS_sendmsg, SYS_wait4, SYS_read, SYS_write, SYS_close,
#ifdef SYS_poll
	SYS_poll,
#endif
	SYS_ppoll, SYS_kill, SYS_rt_sigqueueinfo, SYS_pidfd_open, SYS_pidfd_send_signal,
	SYS_getdents64, SYS_exit_group, SYS_exit, SYS_munmap, SYS_brk, SYS_mremap, SYS_madvise,
	SYS_fstat, SYS_newfstatat, SYS_fcntl, SYS_getpid, SYS_getppid, SYS_getuid, SYS_rt_sigprocmask,
	SYS_rt_sigreturn, SYS_restart_syscall, SYS_clock_gettime, SYS_getrusage, SYS_futex,
#if defined(__SANITIZE_ADDRESS__) || defined(CARREL_SANITIZED)
	/* What the runtime of a sanitizer does in the background. */
	SYS_sched_yield, SYS_sigaltstack, SYS_gettid, SYS_readlink, SYS_tgkill,
#endif
};

/* Allowed when the bits of the mask in the argument are exactly these. */
static const struct {
	int nr;
	unsigned arg;
	uint32_t mask, bits;
} conditional[] = {
	{ SYS_openat, 2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0 },
	{ SYS_mmap, 2, PROT_EXEC, 0 },
	{ SYS_unlinkat, 2, UINT32_MAX, AT_REMOVEDIR },
};

#define N_ALLOWED (sizeof(allowed) / sizeof(allowed[0]))
#define N_CONDITIONAL (sizeof(conditional) / sizeof(conditional[0]))
#define CONDITIONAL_LEN 6

static unsigned short build(struct sock_filter *f)
{
	struct sock_filter *p = f;
	struct sock_filter *const begin = f;

	*p++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					    offsetof(struct seccomp_data, arch));
	*p++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	*p++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	*p++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					    offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < N_ALLOWED; i++) {
		/* Behind this list: the conditional ones, the refusal, the permission. */
		unsigned to = (unsigned)(N_ALLOWED - 1 - i + N_CONDITIONAL * CONDITIONAL_LEN + 1);

		*p++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)allowed[i],
						    (uint8_t)to, 0);
	}
	for (size_t i = 0; i < N_CONDITIONAL; i++) {
		uint32_t low = offsetof(struct seccomp_data, args) + conditional[i].arg * 8;

		*p++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						    (uint32_t)conditional[i].nr, 0, CONDITIONAL_LEN - 1);
		*p++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low);
		*p++ = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, conditional[i].mask);
		*p++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, conditional[i].bits, 1, 0);
		*p++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
		*p++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	*p++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	*p++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return (unsigned short)(p - begin);
}

/* Of all capabilities only CAP_KILL, when we have it: tasks may run as other users. */
static int drop_capabilities(bool keep_override)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) == -1)
		return -errno;
	uint32_t keep = data[0].permitted & (1U << CAP_KILL | (uint32_t)keep_override << CAP_DAC_OVERRIDE);
	data[0] = (struct __user_cap_data_struct){ .effective = keep, .permitted = keep };
	data[1] = (struct __user_cap_data_struct){ 0 };
	return syscall(SYS_capset, &head, data) == -1 ? -errno : 0;
}

/* Whether removing that cgroup takes a capability. */
static bool needs_override(int cgroup)
{
	struct stat st;

	return cgroup >= 0 && fstatat(cgroup, "..", &st, 0) == 0 &&
	       !(st.st_uid == geteuid() && st.st_mode & S_IWUSR);
}

int sys_lock(int cgroup)
{
	struct sock_filter filter[4 + N_ALLOWED + N_CONDITIONAL * CONDITIONAL_LEN + 2];
	struct sock_fprog program = { build(filter), filter };
	int r = drop_capabilities(needs_override(cgroup));

	if (r < 0)
		return r;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == -1)
		return -errno;
	return 0;
}
