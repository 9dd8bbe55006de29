/* SPDX-License-Identifier: ISC */
/*
 * Our own machine for the BPF programs that seccomp(2) takes: what the kernel refuses is refused, the rest is run.  It
 * shares nothing with the code that makes the programs.
 */
#ifndef TESTS_BPF_H
#define TESTS_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BPF_BAD UINT32_C(0xdeadbeef)

/* bpf_fault(f, n): the index of the first instruction that the kernel would refuse, or -1. */
static inline int bpf_fault(const struct sock_filter *f, size_t n)
{
	if (n == 0 || n > BPF_MAXINSNS)
		return 0;
	for (size_t i = 0; i < n; i++) {
		size_t left = n - i - 1;

		switch (f[i].code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (f[i].k >= sizeof(struct seccomp_data) || f[i].k % 4 != 0)
				return (int)i;
			break;
		case BPF_LD | BPF_W | BPF_IMM:
		case BPF_LDX | BPF_W | BPF_IMM:
		case BPF_ALU | BPF_AND | BPF_K:
		case BPF_ALU | BPF_OR | BPF_K:
			break;
		case BPF_JMP | BPF_JA:
			if (f[i].k >= left)
				return (int)i;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			if (f[i].jt >= left || f[i].jf >= left)
				return (int)i;
			break;
		case BPF_RET | BPF_K:
			break;
		default:
			return (int)i;
		}
	}
	return f[n - 1].code == (BPF_RET | BPF_K) ? -1 : (int)n - 1;
}

/* bpf_run(f, n, d, ret_steps): what ${f}, in which bpf_fault() found none, returns for ${d}; how many instructions that
 * took in ${ret_steps} (may be NULL). */
static inline uint32_t bpf_run(const struct sock_filter *f, size_t n, const struct seccomp_data *d, int *ret_steps)
{
	uint32_t a = 0;
	int steps = 0;

	for (size_t i = 0; i < n; i++) {
		const struct sock_filter *p = &f[i];

		steps++;
		switch (p->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)d + p->k, sizeof(a));
			break;
		case BPF_LD | BPF_W | BPF_IMM:
			a = p->k;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= p->k;
			break;
		case BPF_ALU | BPF_OR | BPF_K:
			a |= p->k;
			break;
		case BPF_JMP | BPF_JA:
			i += p->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			i += a == p->k ? p->jt : p->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			i += a > p->k ? p->jt : p->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			i += a >= p->k ? p->jt : p->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			i += (a & p->k) != 0 ? p->jt : p->jf;
			break;
		case BPF_RET | BPF_K:
			if (ret_steps != NULL)
				*ret_steps = steps;
			return p->k;
		default:
			return BPF_BAD;
		}
	}
	return BPF_BAD;
}

#endif
