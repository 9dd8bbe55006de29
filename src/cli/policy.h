/* SPDX-License-Identifier: ISC */
/* System call policies in files. */
#ifndef CLI_POLICY_H
#define CLI_POLICY_H

#include <carrel.h>

/* policy_is_preset(name): it is one of the library's own. */
int policy_is_preset(const char *name);

/* policy_load(name, e): the policy of the preset ${name}, or else in the file of that name ("-": standard input).
 * NULL with ${e} filled. */
carrel_policy *policy_load(const char *name, carrel_error *e);

/* cmd_policy(argc, argv): the verb. */
int cmd_policy(int argc, char **argv);

#endif
