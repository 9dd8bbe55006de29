/* SPDX-License-Identifier: ISC */
/* What rules say about one call, read off the rules themselves. */
#include "policy.h"

#include <stdlib.h>

static bool compare(enum policy_op op, uint64_t a, uint64_t b)
{
	switch (op) {
	case POLICY_EQ:
		return a == b;
	case POLICY_NE:
		return a != b;
	case POLICY_LT:
		return a < b;
	case POLICY_LE:
		return a <= b;
	case POLICY_GT:
		return a > b;
	case POLICY_GE:
		return a >= b;
	case POLICY_HAS:
		return (a & b) != 0;
	}
	return false;
}

static bool is_true(const struct policy *p, const struct policy_test *t, const struct policy_data *d)
{
	uint64_t arg = d->args[t->arg] & t->mask;
	bool found = false;

	if (!t->wide)
		arg = (uint32_t)arg;
	for (uint32_t i = 0; i < t->n && !found; i++)
		found = compare(t->op, arg, p->value[t->first + i]);
	return found;
}

static bool all_true(const struct policy *p, const struct policy_rule *r, const struct policy_data *d)
{
	for (uint32_t i = 0; i < r->n; i++) {
		if (!is_true(p, &p->test[r->first + i], d))
			return false;
	}
	return true;
}

policy_action policy_decide(const struct policy *p, const struct policy_arch *arch, const struct policy_data *d)
{
	/* -1 is what a debugger makes of a call that shall not happen; it belongs to no ABI. */
	if (d->arch != arch->audit ||
	    (arch->foreign_from != 0 && (uint32_t)d->nr >= arch->foreign_from && d->nr != -1))
		return p->foreign;
	int call = policy_call_numbered(d->nr, arch);
	for (uint32_t i = 0; i < p->n_rules && call >= 0; i++) {
		if (policy_has(&p->rule[i].calls, (size_t)call) && all_true(p, &p->rule[i], d))
			return p->rule[i].action;
	}
	return p->otherwise;
}

void policy_finish(struct policy *p)
{
	free(p->rule);
	free(p->test);
	free(p->value);
	*p = (struct policy){ 0 };
}
