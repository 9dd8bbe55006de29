/* SPDX-License-Identifier: ISC */
/*
 * Operation programs: a list of {Place, Call, Arguments, Options}, decoded once
 * into arrays whose handlers never see the wire.
 *
 *   Place      before | outside | init | task | after (doc/PROGRAMS.md)
 *   Call       number of the call table
 *   Arguments  tuple
 *   Options    [ignore | {ignore, Errno} | {slot, N}]
 */
#ifndef WIRE_PROGRAM_H
#define WIRE_PROGRAM_H

#include "call.h"

#define PROGRAM_OPS_MAX 1024
#define PROGRAM_SLOTS 64

enum place {
	PLACE_BEFORE,	/* in the stream reaper, first of all */
	PLACE_OUTSIDE,	/* in the stream reaper; behind clone with the init's pid, while that waits */
	PLACE_INIT,	/* in the init, or without clone in the stream reaper; before the task exists */
	PLACE_TASK,	/* in the task */
	PLACE_FAILED,	/* in the stream reaper, when the start came to nothing and nothing of it is left */
	PLACE_AFTER,	/* in the stream reaper, once the tree is empty, on every path */
	PLACE_COUNT
};

/* place_name(place): the word in programs. */
const char *place_name(enum place place);

/* place_by_name(name): the place, or -1. */
int place_by_name(struct slice name);

enum arg_kind {
	ARG_NUMBER,	/* i */
	ARG_FD,		/* i: index into the descriptors of the request */
	ARG_SLOT,	/* i: result slot */
	ARG_GROUP,	/* the process group of the host, from the request */
	ARG_BYTES,	/* s, n; a NUL follows */
	ARG_VECTOR,	/* v, n: texts, NULL at the end; v[-1] is free for the handler */
	ARG_IDS,	/* ids, n */
	ARG_LIMIT,	/* u[0] soft, u[1] hard */
	ARG_DUPS,	/* dup, n */
	ARG_TIME,	/* n: 0 for ever; time[0] seconds, time[1] microseconds */
	ARG_WORDS,	/* words, n */
	ARG_MEMORY	/* memory, NULL for none */
};

/* What the port's sigaction() is to do; the number of its argument. */
enum arg_handler { HANDLER_QUERY, HANDLER_DEFAULT, HANDLER_IGNORE, HANDLER_INFO };

struct arg_dup;
struct arg_memory;

struct arg {
	enum arg_kind kind;
	uint32_t n;
	union {
		int64_t i;
		const char *s;
		char **v;
		const uint32_t *ids;
		uint64_t u[2];
		int64_t time[2];
		const uint64_t *words;
		struct arg_dup *dup;
		struct arg_memory *memory;
	};
};

/* Memory that a call reads and writes. */
struct arg_memory {
	unsigned char *data;	/* zeroed behind what was given */
	uint32_t len, max;	/* given; there */
	uint32_t total;		/* bytes given, here and behind pointers */
	uint32_t n_parts;	/* 0: plain bytes */
	struct arg_part *part;	/* of a structure */
};

/* Bytes of the structure, or a pointer in it. */
struct arg_part {
	uint32_t len;		/* of the bytes, or behind the pointer */
	unsigned char *to;	/* NULL: bytes, also those of a NULL pointer */
};

/* One {Number, Descriptor} of dup_fds. */
struct arg_dup {
	int target;
	struct arg source;
};

struct op {
	const struct call *call;
	enum place place;
	bool ignore;		/* an error does not end the program */
	int ignored;		/* ... only this one, if it is not 0 */
	int slot;		/* where the result is kept, or -1 */
	struct arg arg[CALL_ARGS_MAX];
};

/* A decoded request for a spawn. */
struct program {
	struct op *op;
	uint32_t n_ops;
	char **env;		/* the request's environment, NULL at the end */
	uint32_t n_fds;
	struct slice *fd_name;	/* atom of each descriptor of the request, in order; data NULL for a number */
	int *fd_number;
	bool has_place[PLACE_COUNT];
	bool isolates;		/* it has the operation clone */
	bool limits;		/* it limits the tree as a whole */
	bool serves;		/* ... serve */
};

struct program_error {
	int index;		/* operation, or -1 */
	int arg;		/* its argument, or -1 */
	const char *what;	/* what was expected */
};

/* program_memory(len): how much memory decoding a body of ${len} bytes takes at most. */
size_t program_memory(size_t len);

/*
 * program_in(in, mem, size, ret, e): decode FdNames, Environment and Program (the
 * last three elements of MSG_SPAWN) into ${mem}, program_memory() bytes aligned for
 * pointers; ${ret} points into ${mem} and the input.  0; -EBADMSG (not such a term),
 * -ENOSYS (unknown call), -EINVAL (an argument), -ENOTSUP (unknown constant), -E2BIG,
 * with ${e}.
 */
int program_in(struct term_in *in, void *mem, size_t size, struct program *ret,
	       struct program_error *e);

/*
 * program_text_out(in, b, sep): write the Program term at ${in} as text, one
 * operation a line: PLACE CALL(ARGUMENTS) [ignore] [slot N].  0 or -EBADMSG.
 */
int program_text_out(struct term_in *in, struct buf *b);

/* program_json_out(in, b): the same as JSON, an array with one object a line; json_out.c says what is what. */
int program_json_out(struct term_in *in, struct buf *b);

/* program_op_text(in, b): one operation, without the end of the line. */
int program_op_text(struct term_in *in, struct buf *b);

struct text_error {
	int line;		/* from 1 */
	char what[120];
};

/*
 * program_text_in(text, len, b, e): the Program term for the ${text} that
 * program_text_out() writes (blank lines and lines beginning with # are skipped).
 * 0, or -EINVAL with the line and what was wrong.
 */
int program_text_in(const char *text, size_t len, struct buf *b, struct text_error *e);

#endif
