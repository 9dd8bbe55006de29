/* SPDX-License-Identifier: ISC */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "options.h"

/* cmd_doctor(argc, argv): carrel doctor.  The exit status. */
int cmd_doctor(int argc, char **argv);

extern const struct option_table doctor_options_table;

#endif
