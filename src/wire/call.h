/* SPDX-License-Identifier: ISC */
/* The call table as data: see calls.def. */
#ifndef WIRE_CALL_H
#define WIRE_CALL_H

#include "term.h"

#define CALL_ARGS_MAX 6

enum call_number {
#define CALL(id, name, ...) CALL_##name = id,
#include "calls.def"
#undef CALL
	CALL_NUMBERS = 256	/* one more than the greatest number there can be */
};

/* What a successful call answers. */
enum call_result { RESULT_OK, RESULT_INT, RESULT_OKINT, RESULT_NONE };

/* What an error is about: the names of carrel.h's CARREL_STAGE_*, by the wire's own numbers. */
enum stage {
	STAGE_NONE = 0,
	STAGE_ARGS,
	STAGE_HELPER,
	STAGE_CHANNEL,
	STAGE_FORK,
	STAGE_PROCESS,
	STAGE_CWD,
	STAGE_FILE,
	STAGE_FDS,
	STAGE_ENV,
	STAGE_SIGNAL,
	STAGE_RLIMIT,
	STAGE_IDS,
	STAGE_RESTRICT,
	STAGE_EXEC,
	STAGE_INPUT,
	STAGE_TERMINAL,
	STAGE_COUNT
};

struct call {
	const char *name;
	const char *args;
	const char *summary;
	uint8_t number;
	uint8_t argc;
	enum call_result result;
	enum stage stage;
};

/* call_by_number(number): the row, or NULL. */
const struct call *call_by_number(uint64_t number);

/* call_by_name(name): the row, or NULL. */
const struct call *call_by_name(struct slice name);

#endif
