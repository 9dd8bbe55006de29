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
 * constant_value(letter, name, ret): the value of ${name} (ASCII case does not matter)
 * in the family with that letter (calls.def).  0, or -ENOTSUP.
 */
int constant_value(char letter, struct slice name, int64_t *ret);

/* constant_name(letter, value): the first name with that value, in lower case, or NULL. */
const char *constant_name(char letter, int64_t value);

/* errno_name(number): the name of an error in lower case; "unknown" for what has none. */
const char *errno_name(int64_t number);

#endif
