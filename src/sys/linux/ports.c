/* SPDX-License-Identifier: ISC */
/*
 * Ways to TCP that Landlock's rules for ports do not see (found on Linux 6.18): sockets of MPTCP and SMC, which become
 * TCP where the other side speaks nothing else; a connection that the first sendto(2) makes (MSG_FASTOPEN); both
 * through io_uring.  A system call filter answers as a kernel without these does, so that programs do without them.
 */
#include "sys.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#define AF_SMC_NUMBER 43
#define MPTCP 262
#define FASTOPEN 0x20000000
#define TCP_LEVEL 6
#define TCP_ULP_NUMBER 31
#define IO_URING_SETUP 425	/* everywhere */
#define NONE UINT32_MAX
#define FILTER_MAX 96

/* A system call ABI that the kernel may offer to programs here, and its numbers. */
struct abi {
	uint32_t arch, limit; /* numbers from the limit on are of yet another ABI */
	uint32_t socket, sendto, sendmsg, sendmmsg, setsockopt;
	uint32_t socketcall;  /* takes its arguments in memory, where they cannot be looked at */
};

static const struct abi abis[] = {
#if defined(__x86_64__)
	{ AUDIT_ARCH_X86_64, 0x40000000, 41, 44, 46, 307, 54, NONE },
	{ AUDIT_ARCH_I386, NONE, 359, 369, 370, 345, 366, 102 },
#elif defined(__aarch64__)
	{ AUDIT_ARCH_AARCH64, NONE, 198, 206, 211, 269, 208, NONE },
	{ AUDIT_ARCH_ARM, NONE, 281, 290, 296, 374, 294, 102 },
#elif defined(__riscv)
	{ AUDIT_ARCH_RISCV64, NONE, 198, 206, 211, 269, 208, NONE },
#else
#error "name the system call ABIs here"
#endif
};

/* Where jumps lead. */
enum place { NOWHERE, SOCKET, THIRD, SECOND, OPTION, OPTION_NAME, NO_SYSTEM_CALL, NO_FAMILY, NO_PROTOCOL, NO_FLAG, NO_OPTION, PLACES };

struct filter {
	struct sock_filter code[FILTER_MAX];
	unsigned char to[FILTER_MAX];	/* where each jumps when it is true */
	unsigned char at[PLACES];
	unsigned short n;
};

static void put(struct filter *f, uint16_t code, uint32_t k, enum place to)
{
	f->to[f->n] = (unsigned char)to;
	f->code[f->n++] = (struct sock_filter)BPF_STMT(code, k);
}

static void load(struct filter *f, size_t offset)
{
	put(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, NOWHERE);
}

static void when(struct filter *f, uint32_t is, enum place to)
{
	if (is != NONE)
		put(f, BPF_JMP | BPF_JEQ | BPF_K, is, to);
}

static void give(struct filter *f, uint32_t answer)
{
	put(f, BPF_RET | BPF_K, answer, NOWHERE);
}

static void begin(struct filter *f, enum place p)
{
	f->at[p] = (unsigned char)f->n;
}

/* The low word of an argument: more of it the kernel does not look at. */
static void argument(struct filter *f, enum place p, int i)
{
	begin(f, p);
	load(f, offsetof(struct seccomp_data, args) + (size_t)i * 8);
}

static void calls(struct filter *f, const struct abi *a)
{
	load(f, offsetof(struct seccomp_data, nr));
	if (a->limit != NONE)
		put(f, BPF_JMP | BPF_JGE | BPF_K, a->limit, NO_SYSTEM_CALL);
	when(f, a->socket, SOCKET);
	when(f, a->sendto, THIRD);
	when(f, a->sendmmsg, THIRD);
	when(f, a->sendmsg, SECOND);
	when(f, a->setsockopt, OPTION);
	when(f, a->socketcall, NO_SYSTEM_CALL);
	when(f, IO_URING_SETUP, NO_SYSTEM_CALL);
	give(f, SECCOMP_RET_ALLOW);
}

static void answers(struct filter *f)
{
	static const struct {
		enum place place;
		int err;
	} errors[] = { { NO_SYSTEM_CALL, ENOSYS }, { NO_FAMILY, EAFNOSUPPORT }, { NO_PROTOCOL, EPROTONOSUPPORT },
		       { NO_FLAG, EOPNOTSUPP }, { NO_OPTION, ENOENT } };

	argument(f, SOCKET, 0);
	when(f, AF_SMC_NUMBER, NO_FAMILY);
	load(f, offsetof(struct seccomp_data, args) + 2 * 8);
	when(f, MPTCP, NO_PROTOCOL);
	give(f, SECCOMP_RET_ALLOW);
	for (int i = 3; i >= 2; i--) {
		argument(f, i == 3 ? THIRD : SECOND, i);
		put(f, BPF_JMP | BPF_JSET | BPF_K, FASTOPEN, NO_FLAG);
		give(f, SECCOMP_RET_ALLOW);
	}
	/* An upper layer protocol can be SMC; the name is in memory. */
	argument(f, OPTION, 1);
	when(f, TCP_LEVEL, OPTION_NAME);
	give(f, SECCOMP_RET_ALLOW);
	argument(f, OPTION_NAME, 2);
	when(f, TCP_ULP_NUMBER, NO_OPTION);
	give(f, SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		begin(f, errors[i].place);
		give(f, SECCOMP_RET_ERRNO | (uint32_t)errors[i].err);
	}
}

int sys_filter_ports(void)
{
	struct filter f = { .n = 0 };
	const size_t n_abis = sizeof(abis) / sizeof(abis[0]);
	unsigned short jumps[sizeof(abis) / sizeof(abis[0])];

	load(&f, offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < n_abis; i++) {
		jumps[i] = f.n;
		put(&f, BPF_JMP | BPF_JEQ | BPF_K, abis[i].arch, NOWHERE);
	}
	give(&f, SECCOMP_RET_ERRNO | ENOSYS);
	for (size_t i = 0; i < n_abis; i++) {
		f.code[jumps[i]].jt = (unsigned char)(f.n - jumps[i] - 1);
		calls(&f, &abis[i]);
	}
	answers(&f);
	for (unsigned short i = 0; i < f.n; i++) {
		if (f.to[i] != NOWHERE)
			f.code[i].jt = (unsigned char)(f.at[f.to[i]] - i - 1);
	}
	const struct sock_fprog program = { f.n, f.code };
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == -1 ? -errno : 0;
}
