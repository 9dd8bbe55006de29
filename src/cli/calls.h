/* SPDX-License-Identifier: ISC */
/* carrel calls: the table of calls, printed. */
#ifndef CLI_CALLS_H
#define CLI_CALLS_H

#include "options.h"

extern const struct option_table calls_options_table;

/* cmd_calls(argc, argv): the verb.  The exit status. */
int cmd_calls(int argc, char **argv);

#endif
