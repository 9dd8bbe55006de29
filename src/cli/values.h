/* SPDX-License-Identifier: ISC */
/*
 * The values of options: text to numbers.
 *
 * Every reader returns 0 with its result filled, or -1 with a phrase in ${why} (VALUES_WHY bytes)
 * that says what is wrong and what would be right; the caller puts the option's name before it.
 */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include <carrel.h>
#include <stddef.h>
#include <stdint.h>

#define VALUES_WHY 200

/* values_number(s, min, max, ret, why): a whole decimal number from ${min} to ${max}. */
int values_number(const char *s, int64_t min, int64_t max, int64_t *ret, char *why);

/* values_octal(s, max, ret, why): an octal number up to ${max}, such as 022. */
int values_octal(const char *s, unsigned max, unsigned *ret, char *why);

/* values_time(s, ret_ms, why): a time such as 1.5s, 300ms, 2m, 1h or 1d in milliseconds, rounded up
 * so that only zero is zero; a plain number is seconds. */
int values_time(const char *s, int *ret_ms, char *why);

/* values_size(s, ret, why): a number with an optional K, M, G or T (powers of 1024). */
int values_size(const char *s, uint64_t *ret, char *why);

/* values_share(s, ret, why): a part of processor time: 50% of one, or 1.5 of them; in thousandths. */
int values_share(const char *s, unsigned *ret, char *why);

/* values_cpus(s, ret, ret_n, why): a list of processors, such as 0-1,3, in an array that the caller frees. */
int values_cpus(const char *s, unsigned **ret, size_t *ret_n, char *why);

/* values_ids(s, ret, ret_n, why): ids separated by commas in an array that the caller frees; the
 * empty text is an empty list. */
int values_ids(const char *s, gid_t **ret, size_t *ret_n, char *why);

/* values_signal(s, ret, why): a signal such as TERM, SIGTERM or 15. */
int values_signal(const char *s, int *ret, char *why);

/* values_signal_name(sig, buf): the name of ${sig} with SIG before it, such as SIGTERM, or SIG and
 * its number; in ${buf} (16 bytes) where it must be made. */
const char *values_signal_name(int sig, char *buf);

/* values_rlimit(s, ret, why): NAME=SOFT[:HARD]; one number is both. */
int values_rlimit(const char *s, carrel_rlimit *ret, char *why);

#endif
