/* SPDX-License-Identifier: ISC */
#include "values.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRACTION_DIGITS 6

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits at *at in ${base}: 0, or -1 when there is none or they are too many. */
static int read_digits(const char **at, unsigned base, uint64_t *ret)
{
	const char *s = *at;
	uint64_t n = 0;

	for (; is_digit(*s) && (unsigned)(*s - '0') < base; s++) {
		unsigned digit = (unsigned)(*s - '0');

		if (n > (UINT64_MAX - digit) / base)
			return -1;
		n = n * base + digit;
	}
	if (s == *at)
		return -1;
	*at = s;
	*ret = n;
	return 0;
}

int values_number(const char *s, int64_t min, int64_t max, int64_t *ret, char *why)
{
	int negative = *s == '-';
	const char *at = s + negative;
	uint64_t n;

	/* The limit of INT64_MAX / 2 keeps the negation and the comparisons below exact. */
	if (read_digits(&at, 10, &n) == 0 && *at == '\0' && n <= INT64_MAX / 2) {
		int64_t value = negative ? -(int64_t)n : (int64_t)n;

		if (value >= min && value <= max) {
			*ret = value;
			return 0;
		}
	}
	snprintf(why, VALUES_WHY, "not a number from %lld to %lld", (long long)min, (long long)max);
	return -1;
}

int values_octal(const char *s, unsigned max, unsigned *ret, char *why)
{
	const char *at = s;
	uint64_t n;

	if (read_digits(&at, 8, &n) == -1 || *at != '\0' || n > max) {
		snprintf(why, VALUES_WHY, "not an octal number from 0 to %o, such as 022", max);
		return -1;
	}
	*ret = (unsigned)n;
	return 0;
}

/* Microseconds of one ${unit} of time, 0 for an unknown one. */
static uint64_t time_unit(const char *unit)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = {
		{ "", 1000000 },   { "ms", 1000 },	  { "s", 1000000 },
		{ "m", 60000000 }, { "h", 3600000000 }, { "d", 86400000000 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(units[i].name, unit) == 0)
			return units[i].us;
	}
	return 0;
}

/* The digits after the point as millionths; digits beyond that only round up. */
static int read_fraction(const char **at, uint64_t *ret)
{
	uint64_t n = 0;
	int digits = 0, more = 0;

	for (; is_digit(**at); (*at)++, digits++) {
		if (digits < FRACTION_DIGITS)
			n = n * 10 + (uint64_t)(**at - '0');
		else if (**at != '0')
			more = 1;
	}
	for (int i = digits; i < FRACTION_DIGITS; i++)
		n *= 10;
	*ret = n + (uint64_t)more;
	return digits > 0 ? 0 : -1;
}

int values_time(const char *s, int *ret_ms, char *why)
{
	const char *at = s;
	uint64_t whole = 0, fraction = 0;

	if ((*at != '.' && read_digits(&at, 10, &whole) == -1) ||
	    (*at == '.' && (at++, read_fraction(&at, &fraction) == -1))) {
		snprintf(why, VALUES_WHY, "not a time such as 10, 1.5s, 300ms, 2m or 1h");
		return -1;
	}
	uint64_t unit = time_unit(at);
	if (unit == 0) {
		snprintf(why, VALUES_WHY, "unknown unit \"%.20s\": use ms, s, m, h or d", at);
		return -1;
	}
	uint64_t limit = (uint64_t)INT_MAX * 1000;
	if (whole > limit / unit) {
		snprintf(why, VALUES_WHY, "longer than the longest time, 24d");
		return -1;
	}
	uint64_t us = whole * unit + (fraction * (unit / 1000) + 999) / 1000;
	if (us > limit) {
		snprintf(why, VALUES_WHY, "longer than the longest time, 24d");
		return -1;
	}
	*ret_ms = (int)((us + 999) / 1000);
	return 0;
}

int values_size(const char *s, uint64_t *ret, char *why)
{
	static const char units[] = "KMGT";
	const char *at = s;
	unsigned shift = 0;
	uint64_t n;

	if (read_digits(&at, 10, &n) == -1)
		goto wrong;
	if (*at != '\0') {
		const char *unit = strchr(units, *at >= 'a' ? *at - 'a' + 'A' : *at);

		if (unit == NULL)
			goto wrong;
		shift = 10 * ((unsigned)(unit - units) + 1);
		at++;
	}
	if (*at != '\0' || n > UINT64_MAX >> shift)
		goto wrong;
	*ret = n << shift;
	return 0;

wrong:
	snprintf(why, VALUES_WHY, "not a size such as 4096, 64K, 10M or 2G");
	return -1;
}

int values_ids(const char *s, gid_t **ret, size_t *ret_n, char *why)
{
	size_t n = 0, room = *s != '\0';

	for (const char *c = s; *c != '\0'; c++)
		room += *c == ',';
	gid_t *ids = calloc(room + 1, sizeof(*ids));
	if (ids == NULL) {
		snprintf(why, VALUES_WHY, "%s", strerror(ENOMEM));
		return -1;
	}
	for (const char *at = s; n < room; at++) {
		uint64_t id;

		if (read_digits(&at, 10, &id) == -1 || id >= UINT32_MAX ||
		    (*at != ',' && *at != '\0')) {
			snprintf(why, VALUES_WHY,
				 "not a list of group numbers such as 100,101 (0 to 4294967294)");
			free(ids);
			return -1;
		}
		ids[n++] = (gid_t)id;
	}
	*ret = ids;
	*ret_n = n;
	return 0;
}

#define SHARE_MIN 10
#define SHARE_MAX 1000000

int values_share(const char *s, unsigned *ret, char *why)
{
	const char *at = s;
	uint64_t whole = 0, millionths = 0;
	int wrong = *at != '.' && read_digits(&at, 10, &whole) == -1;

	if (!wrong && *at == '.')
		wrong = (at++, read_fraction(&at, &millionths) == -1);
	if (!wrong && whole <= SHARE_MAX) {
		uint64_t n = whole * 1000 + (millionths + 999) / 1000;

		if (*at == '%') {
			n = whole * 10 + (millionths + 99999) / 100000;
			at++;
		}
		if (*at == '\0' && n >= SHARE_MIN && n <= SHARE_MAX) {
			*ret = (unsigned)n;
			return 0;
		}
	}
	snprintf(why, VALUES_WHY, "not a part of processor time such as 50%% or 1.5 (of 1%% to 1000 processors)");
	return -1;
}

#define CPU_LAST 8191

/* One range: N or N-N. */
static int read_range(const char **at, uint64_t *first, uint64_t *last)
{
	if (read_digits(at, 10, first) == -1)
		return -1;
	*last = *first;
	if (**at == '-' && (++*at, read_digits(at, 10, last) == -1))
		return -1;
	return *first <= *last && *last <= CPU_LAST ? 0 : -1;
}

int values_cpus(const char *s, unsigned **ret, size_t *ret_n, char *why)
{
	const char *at = s;
	unsigned *cpus = NULL;
	size_t n = 0;
	uint64_t first, last;

	do {
		unsigned *more = NULL;

		if (read_range(&at, &first, &last) == 0)
			more = realloc(cpus, (n + (size_t)(last - first) + 1) * sizeof(*cpus));
		if (more == NULL) {
			snprintf(why, VALUES_WHY, "not a list of processors such as 0-1,3 (0 to %d)", CPU_LAST);
			free(cpus);
			return -1;
		}
		cpus = more;
		for (uint64_t cpu = first; cpu <= last; cpu++)
			cpus[n++] = (unsigned)cpu;
	} while (*at == ',' && at++ != NULL);
	if (*at != '\0') {
		snprintf(why, VALUES_WHY, "not a list of processors such as 0-1,3 (0 to %d)", CPU_LAST);
		free(cpus);
		return -1;
	}
	*ret = cpus;
	*ret_n = n;
	return 0;
}
