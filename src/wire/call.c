/* SPDX-License-Identifier: ISC */
#include "call.h"

/* A family letter belongs to the k or K before it and is no argument of its own. */
#define K(c) ((c) == 'k' || (c) == 'K')
#define LEN(s) (sizeof(s) - 1)
#define AT(s, i) ((i) < LEN(s) ? (s)[(i) < LEN(s) ? (i) : 0] : 0)
#define ARGC(s)                                                                                    \
	(LEN(s) - K(AT(s, 0)) - K(AT(s, 1)) - K(AT(s, 2)) - K(AT(s, 3)) - K(AT(s, 4)) - K(AT(s, 5)))

#define CALL(id, n, a, where, res, st, text)                                                       \
	[id] = { .name = #n,                                                                       \
		 .args = a,                                                                        \
		 .summary = text,                                                                  \
		 .number = id,                                                                     \
		 .argc = ARGC(a),                                                                  \
		 .result = RESULT_##res,                                                           \
		 .stage = STAGE_##st },
static const struct call table[CALL_NUMBERS] = {
#include "calls.def"
};
#undef CALL

const struct call *call_by_number(uint64_t number)
{
	return number < CALL_NUMBERS && table[number].name != NULL ? &table[number] : NULL;
}

const struct call *call_by_name(struct slice name)
{
	for (size_t i = 0; i < CALL_NUMBERS; i++) {
		if (table[i].name != NULL && slice_is(name, table[i].name))
			return &table[i];
	}
	return NULL;
}
