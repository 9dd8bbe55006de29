/* SPDX-License-Identifier: ISC */
/* The options of carrel run that say which system calls the command may make. */
#include "policy.h"
#include "report.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>

int run_policy_take(void *to, const char *value, char *why)
{
	if (*value == '\0') {
		snprintf(why, VALUES_WHY, "neither a preset nor a file");
		return -1;
	}
	((struct run_options *)to)->policy.name = value;
	return 0;
}

/* The policy in a file becomes a filter; the presets are in the control process already. */
static int load_filter(struct run_options *o, carrel_error *e)
{
	struct run_policy *p = &o->policy;
	size_t len;

	p->policy = policy_load(p->name, e);
	if (p->policy == NULL ||
	    carrel_policy_filter(p->policy, NULL, CARREL_POLICY_ENFORCE, &p->filter, &len, e) == -1)
		return -1;
	if (len == 0)
		o->spec.seccomp = "none";
	else
		o->spec.filter = p->filter, o->spec.filter_len = len;
	return 0;
}

int run_policy_complete(struct run_options *o)
{
	carrel_error e = { 0 };

	if (o->policy.name == NULL)
		return OPTIONS_GO_ON;
	if (policy_is_preset(o->policy.name))
		o->spec.seccomp = o->policy.name;
	else if (load_filter(o, &e) == -1)
		return report_error(&e);
	return OPTIONS_GO_ON;
}

void run_policy_finish(struct run_policy *p)
{
	carrel_policy_free(p->policy);
	free(p->filter);
}
