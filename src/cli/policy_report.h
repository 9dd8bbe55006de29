/* SPDX-License-Identifier: ISC */
/* What is said of the calls that a command made: to people, and as a policy. */
#ifndef CLI_POLICY_REPORT_H
#define CLI_POLICY_REPORT_H

#include "policy_watch.h"

/* policy_report(p, calls): a line on standard error for each call, with what the policy ${p} says about it. */
void policy_report(const carrel_policy *p, const struct policy_calls *calls);

/*
 * policy_learned(p, calls, name, fd, from): add to the file ${name} (NULL: write to ${fd}, which is closed) rules that
 * allow ${calls}, as far as the policy ${p}, which is what is in it now, refuses them by its default alone.  A comment
 * says that ${from} made them.  0, or an exit status after an error was reported.
 */
int policy_learned(const carrel_policy *p, const struct policy_calls *calls, const char *name, int fd,
		   const char *from);

/* What a policy begins with that nothing was learned for yet. */
extern const char policy_unlearned[];

#endif
