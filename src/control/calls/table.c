/* SPDX-License-Identifier: ISC */
/* From the call table to the functions. */
#include "calls.h"

#define NUMBER(f) { .number = f }
#define VALUES(f) { .value = f }
#define ENTRY_OK NUMBER
#define ENTRY_INT NUMBER
#define ENTRY_OKINT NUMBER
#define ENTRY_OUT NUMBER
#define ENTRY_NONE NUMBER
#define ENTRY_VALUE VALUES
#define ENTRY_OKVALUE VALUES
#define BY_ALL(entry) entry
#define BY_PROGRAM(entry) entry
#define BY_PORT(entry) entry
/* Done in src/port and src/control/serve; in src/control/isolate.c; in src/control/stream_limits.c; and in
 * src/control/serve alone. */
#define BY_STATE(entry) { 0 }
#define BY_REAPER(entry) { 0 }
#define BY_STREAM(entry) { 0 }
#define BY_SERVE(entry) { 0 }
#define BY_TASK(entry) { 0 }

static const struct handler table[CALL_NUMBERS] = {
#define CALL(id, name, args, where, door, result, ...)                                             \
	[id] = WHERE_##where(BY_##door(ENTRY_##result(call_##name)), { 0 }),
#include "calls.def"
#undef CALL
};

const struct handler *handler_of(const struct call *c)
{
	return &table[c->number];
}
