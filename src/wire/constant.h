/* SPDX-License-Identifier: ISC */
/* Names of numbers, by family; the lists are const/FAMILY.in. */
#ifndef WIRE_CONSTANT_H
#define WIRE_CONSTANT_H

#include "term.h"

struct constant {
	const char *name;
	int64_t value;
};

/*
 * constant_value(family, name, ret): the value of ${name} (ASCII case does not matter)
 * in the family with that letter (calls.def).  0, or -ENOTSUP.
 */
int constant_value(char family, struct slice name, int64_t *ret);

/* constant_name(family, value): the first name with that value, in lower case, or NULL. */
const char *constant_name(char family, int64_t value);

#endif
