/* SPDX-License-Identifier: ISC */
/* Names of numbers, by family; the lists are const/FAMILY.in. */
#ifndef WIRE_CONSTANT_H
#define WIRE_CONSTANT_H

#include "term.h"

struct constant {
	const char *name;
	int64_t value;
};

struct constant_family {
	char letter;
	const char *name;
	const char *summary;
};

/*
 * constant_value(letter, name, ret): the value of ${name} (ASCII case does not matter)
 * in the family with that letter (calls.def).  0, or -ENOTSUP.
 */
int constant_value(char letter, struct slice name, int64_t *ret);

/* constant_name(letter, value): the first name with that value, in lower case, or NULL. */
const char *constant_name(char letter, int64_t value);

/* constant_list(letter): the family's constants, with a NULL name behind the last, or NULL. */
const struct constant *constant_list(char letter);

/* constant_family(i): family ${i} of words.def, from 0, or NULL behind the last. */
const struct constant_family *constant_family(size_t i);

/* errno_name(number): the name of an error in lower case; "unknown" for what has none. */
const char *errno_name(int64_t number);

#endif
