/* SPDX-License-Identifier: ISC */
/*
 * Samples and rows.  Other jobs may run on the machine, so what is compared is taken in turns
 * and told as a median; the 10th and 90th percentile say how much to believe of it.
 *
 * A row is five fields with a tab between: what, median, p10..p90, ratio, aim.  bench/run aligns
 * them.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct samples {
	double *v;
	size_t n, room;
};

/* now_us(): CLOCK_MONOTONIC in microseconds, with a fraction. */
double now_us(void);

/* die(what): print ${what} with errno and exit. */
_Noreturn void die(const char *what);

void samples_add(struct samples *s, double v);

/* samples_at(s, percent): that percentile; sorts ${s}. */
double samples_at(struct samples *s, int percent);

void samples_finish(struct samples *s);

/* row(what, unit, s, base, aim): a row for ${s}; ${base} and ${aim} may be NULL. */
void row(const char *what, const char *unit, struct samples *s, struct samples *base,
	 const char *aim);

/* row_one(what, unit, value, aim): a row for a value that is no sample. */
void row_one(const char *what, const char *unit, double value, const char *aim);

/* row_skip(what, why): a row for what could not be measured. */
void row_skip(const char *what, const char *why);

/* title(text): a line above rows. */
void title(const char *text);

/*
 * start(argv, in, out, err): posix_spawn ${argv} (argv[0] is a path) with these descriptors as
 * 0, 1 and 2 (-1: as ours).  Its pid.
 */
pid_t start(const char *const *argv, int in, int out, int err);

/* finish(pid, what): wait for ${pid}; exits with a message about ${what} unless its status is 0. */
void finish(pid_t pid, const char *what);

/* find_program(name, path, size): the first ${name} in PATH: 0, or -1. */
int find_program(const char *name, char *path, size_t size);

#endif
