/* SPDX-License-Identifier: ISC */
/* Programs in words: explain.c the operations, explain_files.c those about files. */
#ifndef LIB_EXPLAIN_H
#define LIB_EXPLAIN_H

#include "internal.h"

#include <stdarg.h>
#include <stdio.h>

enum explain_section {
	EXPLAIN_COMMAND,
	EXPLAIN_FILES,
	EXPLAIN_PROCESSES,
	EXPLAIN_NETWORK,
	EXPLAIN_IDENTITY,
	EXPLAIN_RIGHTS,
	EXPLAIN_LIMITS,
	EXPLAIN_STREAMS,
	EXPLAIN_END,
	EXPLAIN_OTHER,
	EXPLAIN_SECTIONS
};

struct explain {
	const carrel_spec *s;
	const struct program *p;
	struct buf section[EXPLAIN_SECTIONS];
	bool isolated, own_files, own_processes, own_network, groups_dropped;
	int terminal_slot;	/* that has the terminal, or -1 */
	/* What a slot's descriptor is: a path of the host, a path inside. */
	char *host[PROGRAM_SLOTS], *inside[PROGRAM_SLOTS];
	char root_words[4300];	/* what the root is, so far */
	bool root_read_only;
	/* Names without their directory, collected. */
	char devices[200], made[400], shut[200], hidden[400];
};

/* explain_say(x, section, fmt, ...): a line of ${section}. */
void explain_say(struct explain *x, enum explain_section section, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* explain_quoted(b, text): without bytes that a terminal would take as orders. */
void explain_quoted(struct buf *b, const char *text);

/* explain_files(x, op): whether it is about files, and then said; explain_files_end(x): what was collected. */
bool explain_files(struct explain *x, const struct op *op);
void explain_files_end(struct explain *x);

/* explain_program(s, p, in, b): the program ${p} of ${s}, which is the term at ${in}, in words.  0 or -errno. */
int explain_program(const carrel_spec *s, const struct program *p, struct term_in in, struct buf *b);

#endif
