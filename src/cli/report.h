/* SPDX-License-Identifier: ISC */
/* What the command says to people, on standard error, one line at a time. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <carrel.h>

/* Exit statuses of carrel itself. */
enum {
	EXIT_USAGE = 2,
	EXIT_TIMEOUT = 124,	/* or another limit that carrel holds itself */
	EXIT_CARREL = 125,
	EXIT_CANNOT_EXEC = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNAL = 128	/* and the signal's number */
};

/* report_line(format, ...): one line with "carrel: " before it; control characters become "?". */
void report_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* report_usage(verb, format, ...): report_line() with a pointer to ${verb}'s help.  EXIT_USAGE. */
int report_usage(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* report_error(e): the library's error ${e}.  The exit status that goes with it. */
int report_error(const carrel_error *e);

/* report_op(data, len): one operation, for --verbose. */
void report_op(const char *data, size_t len);

/* report_end(st): what a person wants to know of ${st} with --verbose: the time limit and the
 * leftovers by name. */
void report_end(const carrel_status *st);

/* report_stats(st, mechanism): how it ended, what it used, what enforced it, for --stats. */
void report_stats(const carrel_status *st, const char *mechanism);

/* report_record(rec): what else is known, with --stats. */
void report_record(const carrel_record *rec);

/* report_limit(s, limit, verbose): a limit of ${s} was met. */
void report_limit(const carrel_spec *s, carrel_limit limit, int verbose);

/* report_flush(): flush standard output.  0, or EXIT_CARREL after saying why it failed. */
int report_flush(void);

#endif
