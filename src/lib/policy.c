/* SPDX-License-Identifier: ISC */
/* System call policies, for callers. */
#include "internal.h"

#include "policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BAD(...) error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, __VA_ARGS__)
#define REFUSED(...) error_set(e, CARREL_STAGE_ARGS, EOPNOTSUPP, -1, __VA_ARGS__)

struct carrel_policy {
	struct policy rules;
};

static int check_filter(const carrel_spec *s, carrel_error *e)
{
	if (s->filter_len == 0 || s->filter_len % sizeof(struct policy_insn) != 0 ||
	    s->filter_len / sizeof(struct policy_insn) > POLICY_INSNS_MAX)
		return BAD("filter_len is %zu; it must be the bytes of 1 to %d instructions", s->filter_len,
			   POLICY_INSNS_MAX);
	if (s->seccomp != NULL)
		return BAD("seccomp and filter exclude each other");
	return 0;
}

int policy_check(const carrel_spec *s, carrel_error *e)
{
	const bool given = s->filter != NULL || (s->seccomp != NULL && strcmp(s->seccomp, "none") != 0);

#ifndef __linux__
	if (given)
		return REFUSED("system call policies are for Linux");
#endif
	if (s->seccomp != NULL && policy_preset(s->seccomp, strlen(s->seccomp)) == NULL)
		return BAD("seccomp '%.40s' is no preset; there are default, strict and none", s->seccomp);
	if (s->filter == NULL && (s->filter_len > 0 || s->filter_listens))
		return BAD("filter is NULL, but filter_len or filter_listens is set");
	if (s->filter != NULL && check_filter(s, e) < 0)
		return -1;
	if (given && s->ops != NULL)
		return REFUSED("ops are the whole program: they cannot be had together with seccomp or filter");
	/* A program that gains rights could be led astray by calls that fail in ways that it does not expect. */
	if (given && s->allow_setuid)
		return REFUSED("allow_setuid cannot be had together with seccomp or filter: a set-user-ID program "
			       "must not run under a policy of its caller");
	return 0;
}

EXPORT carrel_policy *carrel_policy_parse(const char *text, const char *name, carrel_policy_include include, void *arg,
					  carrel_error *e)
{
	struct policy_error pe;
	carrel_policy *p = calloc(1, sizeof(*p));
	int r = -ENOMEM;

	if (text == NULL || name == NULL) {
		free(p);
		error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "text or name is NULL");
		return NULL;
	}
	if (p != NULL)
		r = policy_parse(&p->rules, text, strlen(text), name, include, arg, &pe);
	if (r == 0)
		return p;
	if (r == -EINVAL)
		error_set(e, CARREL_STAGE_ARGS, EINVAL, pe.line, "%s:%d: %s", pe.file, pe.line, pe.text);
	else
		error_set(e, CARREL_STAGE_ARGS, -r, -1, "no memory for the policy %.60s", name);
	carrel_policy_free(p);
	errno = -r;
	return NULL;
}

EXPORT void carrel_policy_free(carrel_policy *p)
{
	if (p != NULL)
		policy_finish(&p->rules);
	free(p);
}

EXPORT const char *carrel_policy_preset(size_t i)
{
	return policy_preset_name(i);
}

EXPORT const char *carrel_policy_text(const char *name)
{
	if (name == NULL)
		return NULL;
	return strcmp(name, "groups") == 0 ? policy_groups : policy_preset(name, strlen(name));
}

EXPORT int carrel_policy_filter(const carrel_policy *p, const char *arch, carrel_policy_mode mode, void **ret_filter,
				size_t *ret_len, carrel_error *e)
{
	const struct policy_arch *a = policy_arch_named(arch);
	size_t n;

	if (p == NULL || ret_filter == NULL || ret_len == NULL || (unsigned)mode > CARREL_POLICY_ASK_ALL)
		return BAD("the policy, what is returned or the mode is missing");
	if (a == NULL)
		return BAD("'%.40s' is no machine that carrel has policies for; x86_64, aarch64 and riscv64 are", arch);
	struct policy_insn *mem = malloc(POLICY_INSNS_MAX * sizeof(*mem));
	if (mem == NULL)
		return error_set(e, CARREL_STAGE_ARGS, ENOMEM, -1, "no memory for the filter");
	int r = policy_program(&p->rules, a, (enum policy_mode)mode, mem, POLICY_INSNS_MAX, &n);
	if (r < 0) {
		free(mem);
		return error_set(e, CARREL_STAGE_ARGS, -r, -1,
				 "the policy is too long: the kernel takes %d instructions", POLICY_INSNS_MAX);
	}
	*ret_filter = mem;
	*ret_len = n * sizeof(*mem);
	return 0;
}

EXPORT carrel_verdict carrel_policy_decide(const carrel_policy *p, uint32_t arch, int nr, const uint64_t args[6])
{
	const struct policy_arch *a = policy_arch_audited(arch);
	struct policy_data d = { .nr = nr, .arch = arch };
	carrel_verdict v = { CARREL_CALL_ALLOW, 0 };

	memcpy(d.args, args, sizeof(d.args));
	policy_action action = policy_decide(&p->rules, a != NULL ? a : policy_arch_named(NULL), &d);
	if (action == POLICY_RET_KILL)
		v.action = CARREL_CALL_KILL;
	else if (action == POLICY_RET_LOG)
		v.action = CARREL_CALL_LOG;
	else if (action != POLICY_RET_ALLOW)
		v = (carrel_verdict){ CARREL_CALL_ERRNO, (int)(action & 0xffff) };
	return v;
}

static int known_call(uint32_t arch, int nr)
{
	const struct policy_arch *a = policy_arch_audited(arch);

	return a != NULL ? policy_call_numbered(nr, a) : -1;
}

EXPORT const char *carrel_call_name(uint32_t arch, int nr)
{
	int call = known_call(arch, nr);

	return call >= 0 ? policy_call_name((size_t)call) : NULL;
}

EXPORT const char *carrel_call_args(uint32_t arch, int nr)
{
	int call = known_call(arch, nr);

	return call >= 0 ? policy_call_args((size_t)call) : NULL;
}
