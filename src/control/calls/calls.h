/* SPDX-License-Identifier: ISC */
/*
 * The handlers of the call table.  Each takes its decoded arguments and makes system calls.
 *
 * A call whose result is a number returns it, or -errno.  One that answers more (result VALUE or
 * OKVALUE) adds values to a struct result and returns 0 or -errno.  Only calls of the door PORT may
 * use the heap, stdio or locks: the others may run in a process that shares its parent's memory.
 */
#ifndef CONTROL_CALLS_H
#define CONTROL_CALLS_H

#include "value.h"

typedef int64_t call_fn(const struct arg *a);
typedef int value_fn(const struct arg *a, struct result *r);

#define FUNCTION_OK call_fn
#define FUNCTION_INT call_fn
#define FUNCTION_OKINT call_fn
#define FUNCTION_OUT call_fn
#define FUNCTION_NONE call_fn
#define FUNCTION_VALUE value_fn
#define FUNCTION_OKVALUE value_fn
#define CALL(id, name, args, where, door, result, ...) FUNCTION_##result call_##name;
#include "calls.def"
#undef CALL

/* What performs a call: one of these, or none when this system or this door does not have it. */
struct handler {
	call_fn *number;
	value_fn *value;
};

/* handler_of(c): the row's entry; both NULL when there is none. */
const struct handler *handler_of(const struct call *c);

/* call_result(r): the result of a system call as handlers return it. */
int64_t call_result(int64_t r);

/* call_address(a): memory of an argument, or its number, as system calls take it. */
static inline void *call_address(const struct arg *a)
{
	if (a->kind == ARG_MEMORY)
		return a->memory != NULL ? a->memory->data : NULL;
	return (void *)(uintptr_t)a->i;
}

#endif
