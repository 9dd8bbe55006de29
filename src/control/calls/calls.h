/* SPDX-License-Identifier: ISC */
/*
 * The handlers of the call table.  Each takes its decoded arguments, makes only
 * system calls (no memory, no stdio, no locks: it may run in a process that shares its
 * parent's memory), and returns its result or -errno.
 */
#ifndef CONTROL_CALLS_H
#define CONTROL_CALLS_H

#include "program.h"

typedef int64_t call_fn(const struct arg *a);

#define CALL(id, name, ...) call_fn call_##name;
#include "calls.def"
#undef CALL

/* call_result(r): the result of a system call as handlers return it. */
int64_t call_result(int64_t r);

#endif
