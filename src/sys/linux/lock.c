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
#include <sys/ioctl.h>
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

/* One system call: allowed when the bits of the mask in the argument are exactly these; mask 0: always. */
struct rule {
	int nr;
	unsigned arg;
	uint32_t mask, bits;
};

#define ALLOW(nr) { nr, 0, 0, 0 }

static const struct rule rules[] = {
	ALLOW(SYS_recvmsg), ALLOW(SYS_sendmsg), ALLOW(SYS_wait4), ALLOW(SYS_read), ALLOW(SYS_write),
	ALLOW(SYS_close),
#ifdef SYS_poll
	ALLOW(SYS_poll),
#endif
	ALLOW(SYS_ppoll), ALLOW(SYS_kill), ALLOW(SYS_rt_sigqueueinfo), ALLOW(SYS_pidfd_open),
	ALLOW(SYS_pidfd_send_signal), ALLOW(SYS_getdents64), ALLOW(SYS_exit_group), ALLOW(SYS_exit),
	ALLOW(SYS_munmap), ALLOW(SYS_brk), ALLOW(SYS_mremap), ALLOW(SYS_madvise), ALLOW(SYS_fstat),
	ALLOW(SYS_newfstatat), ALLOW(SYS_fcntl), ALLOW(SYS_getpid), ALLOW(SYS_getppid), ALLOW(SYS_getuid),
	ALLOW(SYS_rt_sigprocmask), ALLOW(SYS_rt_sigreturn), ALLOW(SYS_restart_syscall),
	ALLOW(SYS_clock_gettime), ALLOW(SYS_getrusage), ALLOW(SYS_futex),
#if defined(CARREL_SANITIZED)
	/* What the runtime of a sanitizer does in the background. */
	ALLOW(SYS_sched_yield), ALLOW(SYS_sigaltstack), ALLOW(SYS_gettid), ALLOW(SYS_readlink),
	ALLOW(SYS_tgkill),
#endif
	{ SYS_openat, 2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0 },
	{ SYS_mmap, 2, PROT_EXEC, 0 },
	{ SYS_unlinkat, 2, UINT32_MAX, AT_REMOVEDIR },
	/* From TCGETS to TIOCGPGRP: the guard's terminal, which is the only one that a locked process has. */
	{ SYS_ioctl, 1, ~UINT32_C(15), TCGETS & ~15 },
};

#define N_RULES (sizeof(rules) / sizeof(rules[0]))
/* Call numbers in blocks of 32, one bit each. */
#define BLOCKS 16
#define FILTER_MAX (16 + N_RULES * 6 + BLOCKS * 3)

#define STMT(code, k) ((struct sock_filter)BPF_STMT(code, k))
#define JUMP(code, k, yes, no) ((struct sock_filter)BPF_JUMP(code, k, yes, no))
#define ALLOWED STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define DENIED STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static struct sock_filter *test_argument(struct sock_filter *p, const struct rule *r)
{
	*p++ = JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->nr, 0, 5);
	*p++ = STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + r->arg * 8));
	*p++ = STMT(BPF_ALU | BPF_AND | BPF_K, r->mask);
	*p++ = JUMP(BPF_JMP | BPF_JEQ | BPF_K, r->bits, 0, 1);
	*p++ = ALLOWED;
	*p++ = DENIED;
	return p;
}

/*
 * Short, because the kernel translates it, and with an instruction at the beginning that its search for calls
 * that are always allowed does not follow: that search runs the filter for each number there is, twice on
 * some machines, and would take longer than all calls that we make after it.
 */
static unsigned short build(struct sock_filter *f)
{
	struct sock_filter *p = f, *jump[BLOCKS];
	uint32_t bits[BLOCKS] = { 0 };
	size_t n_jumps = 0;

	*p++ = STMT(BPF_LDX | BPF_W | BPF_IMM, 0);
	*p++ = STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	*p++ = JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	*p++ = STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	*p++ = STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	*p++ = STMT(BPF_ALU | BPF_AND | BPF_K, 31);
	*p++ = STMT(BPF_MISC | BPF_TAX, 0);
	*p++ = STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < N_RULES; i++) {
		if (rules[i].mask != 0)
			p = test_argument(p, &rules[i]);
		else
			bits[rules[i].nr / 32] |= UINT32_C(1) << rules[i].nr % 32;
	}
	*p++ = STMT(BPF_ALU | BPF_RSH | BPF_K, 5);
	for (uint32_t i = 0; i < BLOCKS; i++) {
		if (bits[i] == 0)
			continue;
		*p++ = JUMP(BPF_JMP | BPF_JEQ | BPF_K, i, 0, 2);
		*p++ = STMT(BPF_LD | BPF_W | BPF_IMM, bits[i]);
		jump[n_jumps++] = p++;
	}
	*p++ = DENIED;
	for (size_t i = 0; i < n_jumps; i++)
		*jump[i] = STMT(BPF_JMP | BPF_JA, (uint32_t)(p - jump[i] - 1));
	*p++ = STMT(BPF_ALU | BPF_RSH | BPF_X, 0);
	*p++ = JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1);
	*p++ = ALLOWED;
	*p++ = DENIED;
	return (unsigned short)(p - f);
}

uint64_t sys_capabilities(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 } };

	if (syscall(SYS_capget, &head, data) == -1)
		return 0;
	return (uint64_t)data[1].permitted << 32 | data[0].permitted;
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

	/* When it cannot be found out: better one capability too many than a directory that stays. */
	return cgroup >= 0 && (fstatat(cgroup, "..", &st, 0) == -1 ||
			       !(st.st_uid == geteuid() && st.st_mode & S_IWUSR));
}

int sys_lock(int cgroup)
{
	struct sock_filter filter[FILTER_MAX];
	struct sock_fprog program = { build(filter), filter };
	int r = drop_capabilities(needs_override(cgroup));

	if (r < 0)
		return r;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == -1)
		return -errno;
	return 0;
}
