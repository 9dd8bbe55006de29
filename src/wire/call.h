/* SPDX-License-Identifier: ISC */
/* The call table as data: see calls.def. */
#ifndef WIRE_CALL_H
#define WIRE_CALL_H

#include "term.h"

#define CALL_ARGS_MAX 6

/* The column where: one thing on the systems that have a call, another on the others. */
#define WHERE_ANY(have, lack) have
#ifdef __linux__
#define WHERE_LINUX(have, lack) have
#else
#define WHERE_LINUX(have, lack) lack
#endif
#ifdef __FreeBSD__
#define WHERE_FREEBSD(have, lack) have
#else
#define WHERE_FREEBSD(have, lack) lack
#endif
#ifdef __OpenBSD__
#define WHERE_OPENBSD(have, lack) have
#else
#define WHERE_OPENBSD(have, lack) lack
#endif
#define WHERE_LINUX_FREEBSD(have, lack) WHERE_LINUX(have, WHERE_FREEBSD(have, lack))

/* The same as bits. */
enum { ON_LINUX = 1, ON_FREEBSD = 2, ON_OPENBSD = 4, ON_LINUX_FREEBSD = 3, ON_ANY = 7 };

enum call_number {
#define CALL(id, name, ...) CALL_##name = id,
#include "calls.def"
#undef CALL
	CALL_NUMBERS = 256	/* one more than the greatest number there can be */
};

/* What a successful call answers. */
enum call_result {
	RESULT_OK,
	RESULT_INT,
	RESULT_OKINT,
	RESULT_OUT,
	RESULT_NONE,
	RESULT_VALUE,
	RESULT_OKVALUE
};

/* Who may name a call. */
enum call_door { DOOR_ALL, DOOR_PROGRAM, DOOR_PORT, DOOR_STATE, DOOR_REAPER, DOOR_STREAM, DOOR_SERVE, DOOR_TASK };

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
	STAGE_NAMESPACE,
	STAGE_COUNT
};

struct call {
	const char *name;
	const char *args;
	const char *summary;
	const char *params;	/* the names of the arguments: "path, mode" */
	uint8_t number;
	uint8_t argc;
	bool here;		/* this system has it */
	unsigned systems;	/* ON_*: the systems that have it */
	enum call_door door;
	enum call_result result;
	enum stage stage;
};

/* call_by_number(number): the row, or NULL. */
const struct call *call_by_number(uint64_t number);

/* call_for_programs(c), call_for_port(c), call_for_tasks(c): it may be named there. */
bool call_for_programs(const struct call *c);
bool call_for_port(const struct call *c);
bool call_for_tasks(const struct call *c);

/* call_outside(c): in programs it belongs to the place outside alone; call_before(c): to the place before. */
bool call_outside(const struct call *c);
bool call_before(const struct call *c);

/* call_letter(args, ret_second): the next letter of a row's arguments, or 0 behind the last; the one
 * that belongs to it, or 0, in ${ret_second}. */
char call_letter(const char **args, char *ret_second);

/* call_expects(letter, second): what is right for an argument with these letters, in words. */
const char *call_expects(char letter, char second);

/* call_note(c): what has to be known beyond the row (notes.def), or NULL. */
const char *call_note(const struct call *c);

/* call_answers(c): what a success of the call answers, in words. */
const char *call_answers(const struct call *c);

/* call_by_name(name): the row, or NULL. */
const struct call *call_by_name(struct slice name);

#endif
