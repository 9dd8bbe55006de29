/* SPDX-License-Identifier: ISC */
/*
 * System call policies: a text (carrel-policy(5)) becomes rules, rules become a BPF program.  Pure bytes: no system
 * call, no file.  The presets are made with this when carrel is built, a caller's policy in the library.
 */
#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------ the kernel's --- */

/* struct sock_filter, whatever this system calls it. */
struct policy_insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

/* What a filter sees of a call: struct seccomp_data. */
struct policy_data {
	int32_t nr;
	uint32_t arch;
	uint64_t pc;
	uint64_t args[6];
};

/* The kernel takes no longer program. */
#define POLICY_INSNS_MAX 4096

/* What a program returns. */
#define POLICY_RET_KILL UINT32_C(0x80000000)
#define POLICY_RET_ERRNO UINT32_C(0x00050000)
#define POLICY_RET_ASK UINT32_C(0x7fc00000)
#define POLICY_RET_LOG UINT32_C(0x7ffc0000)
#define POLICY_RET_ALLOW UINT32_C(0x7fff0000)

/* ------------------------------------------------------------- architectures --- */

/* Greater than every number of a call that has a name. */
#define POLICY_NUMBERS 512

struct policy_arch {
	const char *name;	/* "x86_64", "aarch64", "riscv64" */
	uint32_t audit;		/* AUDIT_ARCH_* */
	uint32_t foreign_from;	/* numbers from this on belong to another ABI, but for -1; 0: there is none */
	int column;		/* of syscalls.def */
};

/* policy_arch_named(name): NULL for the one that this is built for; NULL when there is none of that name. */
const struct policy_arch *policy_arch_named(const char *name);

/* policy_arch_audited(audit): the one with that number of the kernel, or NULL. */
const struct policy_arch *policy_arch_audited(uint32_t audit);

/* policy_calls(): how many system calls have a name; they are counted from 0. */
size_t policy_calls(void);

/* policy_call_name(call), policy_call_number(call, arch): of call ${call}; -1 when ${arch} does not have it. */
const char *policy_call_name(size_t call);
int policy_call_number(size_t call, const struct policy_arch *arch);

/* policy_call_args(call): a letter for each of its arguments: i 32 bits, l 64 bits, p 64 bits that are an address. */
const char *policy_call_args(size_t call);

/* policy_call_named(name, len), policy_call_numbered(number, arch): the call, or -1. */
int policy_call_named(const char *name, size_t len);
int policy_call_numbered(int64_t number, const struct policy_arch *arch);

/* policy_word(name, len, ret): the value of a constant such as AF_UNIX.  0, or -ENOENT. */
int policy_word(const char *name, size_t len, uint64_t *ret);

/* ------------------------------------------------------------------- rules --- */

/* What happens to a call: one of POLICY_RET_*, with the errno in the low bits of POLICY_RET_ERRNO. */
typedef uint32_t policy_action;

/* A set of calls. */
#define POLICY_CALLS_MAX 512
struct policy_calls {
	uint32_t bits[POLICY_CALLS_MAX / 32];
};

static inline bool policy_has(const struct policy_calls *s, size_t call)
{
	return s->bits[call / 32] >> call % 32 & 1;
}

enum policy_op { POLICY_EQ, POLICY_NE, POLICY_LT, POLICY_LE, POLICY_GT, POLICY_GE, POLICY_HAS };

/* A look at one argument: true when it stands in that relation to one of the values. */
struct policy_test {
	uint8_t arg;		/* 0 to 5 */
	bool wide;		/* all 64 bits; else the low 32, which is what the kernel takes of an int */
	enum policy_op op;
	uint64_t mask;		/* ... once it is and-ed with this */
	uint32_t first, n;	/* its values; more than one with POLICY_EQ only */
};

/* The first rule that has the call, and all of whose tests are true, decides. */
struct policy_rule {
	struct policy_calls calls;
	policy_action action;
	uint32_t first, n;	/* its tests */
};

#define POLICY_RULES_MAX 1024
#define POLICY_TESTS_MAX 2048
#define POLICY_VALUES_MAX 8192

struct policy {
	struct policy_rule *rule;
	struct policy_test *test;
	uint64_t *value;
	uint32_t n_rules, n_tests, n_values;
	policy_action otherwise; /* for calls that no rule decides */
	policy_action foreign;	/* for calls of another ABI of the processor */
	bool has_otherwise, has_foreign;
};

/* policy_decide(p, arch, d): what ${p} says about the call ${d}, rule by rule: what the program must do too. */
policy_action policy_decide(const struct policy *p, const struct policy_arch *arch, const struct policy_data *d);

/* -------------------------------------------------------------------- text --- */

struct policy_error {
	char file[128];
	int line;
	char text[160];
};

/*
 * Where included texts come from: the text of ${name}, to be freed, or NULL with a phrase in ${why} (of ${size}).
 * A name without a slash in front has the folder of the text that includes it before it.
 */
typedef char *policy_include(void *arg, const char *name, char *why, size_t size);

/*
 * policy_parse(p, text, len, file, include, arg, e): the rules of ${text} in ${p}, which policy_finish() releases in
 * any case.  ${file} is its name in errors.  Without ${include} only presets can be included.  0, or -EINVAL with
 * ${e} filled, or -ENOMEM.
 */
int policy_parse(struct policy *p, const char *text, size_t len, const char *file, policy_include *include,
		 void *arg, struct policy_error *e);

void policy_finish(struct policy *p);

/* policy_preset(name, len): the text of a preset ("default", "strict", "none"), or NULL. */
const char *policy_preset(const char *name, size_t len);

/* policy_preset_name(i): the name of preset ${i}, counted from 0, or NULL behind the last. */
const char *policy_preset_name(size_t i);

/* policy_groups: the text with the groups that every policy has. */
extern const char policy_groups[];

/* ----------------------------------------------------------------- program --- */

enum policy_mode {
	POLICY_ENFORCE,
	POLICY_ASK_REFUSED,	/* a listener is asked about what would not simply be allowed */
	POLICY_ASK_ALL		/* ... about every call */
};

/*
 * policy_program(p, arch, mode, mem, max, ret): the BPF program for ${p} in ${mem}, which has room for ${max}
 * instructions; how many there are in ${ret}: 0 when everything is allowed, so that none is needed.  0, or -E2BIG.
 */
int policy_program(const struct policy *p, const struct policy_arch *arch, enum policy_mode mode,
		   struct policy_insn *mem, size_t max, size_t *ret);

#endif
