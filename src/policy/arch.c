/* SPDX-License-Identifier: ISC */
/* Names and numbers of system calls, by architecture. */
#include "policy.h"

#include <string.h>

/* x86-64's numbers with this bit are the ABI x32's. */
#define X32_BIT UINT32_C(0x40000000)

enum { X86_64, AARCH64, RISCV64, COLUMNS };

/* The numbers are AUDIT_ARCH_* of linux/audit.h, which one system's headers need not have all of. */
static const struct policy_arch archs[] = {
	{ "x86_64", UINT32_C(0xc000003e), X32_BIT, X86_64 },
	{ "aarch64", UINT32_C(0xc00000b7), 0, AARCH64 },
	{ "riscv64", UINT32_C(0xc00000f3), 0, RISCV64 },
};

#if defined(__x86_64__)
#define HERE X86_64
#elif defined(__aarch64__)
#define HERE AARCH64
#elif defined(__riscv)
#define HERE RISCV64
#else
#error "system call policies: name the architecture here, with a column in syscalls.def"
#endif

static const struct {
	const char *name;
	const char *args;
	int16_t number[COLUMNS];
} calls[] = {
#define SYSCALL(name, args, ...) { #name, args, { __VA_ARGS__ } },
#include "syscalls.def"
#undef SYSCALL
};

#define N_CALLS (sizeof(calls) / sizeof(calls[0]))
_Static_assert(N_CALLS <= POLICY_CALLS_MAX, "more calls than a set has bits");

const struct policy_arch *policy_arch_named(const char *name)
{
	if (name == NULL)
		return &archs[HERE];
	for (size_t i = 0; i < COLUMNS; i++) {
		if (strcmp(name, archs[i].name) == 0)
			return &archs[i];
	}
	return NULL;
}

const struct policy_arch *policy_arch_audited(uint32_t audit)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		if (audit == archs[i].audit)
			return &archs[i];
	}
	return NULL;
}

size_t policy_calls(void)
{
	return N_CALLS;
}

const char *policy_call_name(size_t call)
{
	return calls[call].name;
}

const char *policy_call_args(size_t call)
{
	return calls[call].args;
}

int policy_call_number(size_t call, const struct policy_arch *arch)
{
	return calls[call].number[arch->column];
}

int policy_call_named(const char *name, size_t len)
{
	for (size_t i = 0; i < N_CALLS; i++) {
		if (strlen(calls[i].name) == len && memcmp(calls[i].name, name, len) == 0)
			return (int)i;
	}
	return -1;
}

int policy_call_numbered(int64_t number, const struct policy_arch *arch)
{
	for (size_t i = 0; i < N_CALLS && number >= 0; i++) {
		if (calls[i].number[arch->column] == number)
			return (int)i;
	}
	return -1;
}
