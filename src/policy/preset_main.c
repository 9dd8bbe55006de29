/* SPDX-License-Identifier: ISC */
/*
 * Runs while carrel is built: compiles the presets for an architecture and prints them as C, for the control process,
 * which loads them and knows nothing else of policies.
 */
#include "policy.h"

#include <stdio.h>
#include <string.h>

static struct policy_insn insn[POLICY_INSNS_MAX];

static int print_preset(const char *name, const struct policy_arch *arch)
{
	const char *text = policy_preset(name, strlen(name));
	struct policy_error e = { 0 };
	struct policy p;
	size_t n;
	int r = policy_parse(&p, text, strlen(text), name, NULL, NULL, &e);

	if (r < 0)
		fprintf(stderr, "%s.policy:%d: %s\n", e.file, e.line, e.text);
	else if ((r = policy_program(&p, arch, POLICY_ENFORCE, insn, POLICY_INSNS_MAX, &n)) < 0)
		fprintf(stderr, "%s.policy: too long\n", name);
	policy_finish(&p);
	if (r < 0 || n == 0)
		return r;
	printf("static const struct sock_filter %s_filter[] = {\n", name);
	for (size_t i = 0; i < n; i++)
		printf("\t{ 0x%02x, %u, %u, 0x%08lx },\n", insn[i].code, insn[i].jt, insn[i].jf,
		       (unsigned long)insn[i].k);
	printf("};\n");
	return 0;
}

int main(int argc, char **argv)
{
	const struct policy_arch *arch = argc == 2 ? policy_arch_named(argv[1]) : NULL;

	if (arch == NULL) {
		fprintf(stderr, "usage: preset x86_64|aarch64|riscv64\n");
		return 2;
	}
	for (size_t i = 0; policy_preset_name(i) != NULL; i++) {
		if (print_preset(policy_preset_name(i), arch) < 0)
			return 1;
	}
	return 0;
}
