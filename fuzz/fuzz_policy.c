/* SPDX-License-Identifier: ISC */
/*
 * Texts of system call policies.  What is refused is refused with a line and a sentence; what is understood becomes,
 * for every machine, a program that the kernel would take and that says what the rules say.
 */
#include "../tests/bpf.h"

#include "policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                                                    \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct policy_insn insn[POLICY_INSNS_MAX];

/* The text itself, one level deep. */
static char *include(void *arg, const char *name, char *why, size_t size)
{
	(void)arg;
	if (strstr(name, "no") != NULL) {
		memcpy(why, "no", size < 3 ? size : 3);
		return NULL;
	}
	return strdup("group @own = read write\nallow read if int0 == 7\nerrno EIO @own\ndefault log\n");
}

/* Numbers and arguments that the text may have been about: its bytes. */
static void compare(const struct policy *p, const struct policy_arch *arch, size_t n, const uint8_t *data, size_t size)
{
	for (uint32_t i = 0; i < 100; i++) {
		struct policy_data d = { .nr = (int)(i < 90 ? i * 487 % 500 : i * 0x1000193), .arch = arch->audit };
		struct seccomp_data s;

		for (size_t a = 0; a < 6 && size > 0; a++)
			memcpy(&d.args[a], data + (i * 6 + a) % size, (i * 6 + a) % size + 8 <= size ? 8 : 1);
		for (size_t v = 0; v < 6 && p->n_values > 0 && i % 3 == 0; v++)
			d.args[v] = p->value[(i + v) % p->n_values];
		memcpy(&s, &d, sizeof(s));
		MUST(bpf_run((struct sock_filter *)(void *)insn, n, &s, NULL) == policy_decide(p, arch, &d));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const archs[] = { "x86_64", "aarch64", "riscv64" };
	struct policy_error e;
	struct policy p;
	size_t n;

	int r = policy_parse(&p, (const char *)data, size, "fuzz", include, NULL, &e);
	MUST(r == 0 || r == -EINVAL);
	if (r == -EINVAL) {
		MUST(e.line >= 1 && e.text[0] != 0 && e.file[0] != 0);
		MUST(memchr(e.text, 0, sizeof(e.text)) != NULL && memchr(e.file, 0, sizeof(e.file)) != NULL);
	}
	for (int mode = 0; r == 0 && mode < 9; mode++) {
		const struct policy_arch *arch = policy_arch_named(archs[mode % 3]);

		r = policy_program(&p, arch, (enum policy_mode)(mode / 3), insn, POLICY_INSNS_MAX, &n);
		MUST(r == 0 || r == -E2BIG);
		MUST(r != 0 || n == 0 || bpf_fault((struct sock_filter *)(void *)insn, n) == -1);
		if (r == 0 && n > 0 && mode < 3)
			compare(&p, arch, n, data, size);
		r = 0;
	}
	policy_finish(&p);
	return 0;
}
