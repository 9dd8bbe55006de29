/* SPDX-License-Identifier: ISC */
#ifndef CLI_ROOT_H
#define CLI_ROOT_H

#include "options.h"

extern const struct option_table root_options_table;

/* cmd_root(argc, argv): the verb. */
int cmd_root(int argc, char **argv);

#endif
