/* SPDX-License-Identifier: ISC */
#include "options.h"

#include "report.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* getopt's value of a row is its number after this, above every letter. */
#define ROW_BASE 256
#define ROWS_MAX 128
#define NAME_MAX_LEN 32

/* ------------------------------------------------- the nearest spelling --- */

/* The edits between ${a} and ${b} (insert, delete, replace): Levenshtein's, one row at a time. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], n = strlen(b);

	if (n > NAME_MAX_LEN || strlen(a) > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

const char *options_nearest(const char *word, const char *(*next)(const void *from, size_t i),
			    const void *from)
{
	const char *name, *found = NULL;
	size_t len = strlen(word);
	size_t best = len < 4 ? 2 : 3; /* as many edits are too many */

	for (size_t i = 0; (name = next(from, i)) != NULL; i++) {
		size_t d = *name != '\0' ? distance(word, name) : best;

		/* A beginning of three letters is as good as one wrong letter. */
		if (len >= 3 && strncmp(word, name, len) == 0)
			d = 1;
		if (d < best) {
			best = d;
			found = name;
		}
	}
	return found;
}

static const char *row_name(const void *from, size_t i)
{
	const struct option_table *t = from;

	if (i >= t->n_rows)
		return NULL;
	return t->rows[i].name != NULL ? t->rows[i].name : "";
}

/* -------------------------------------------------------------- reading --- */

static const struct option_row *row_by_name(const struct option_table *t, const char *name,
					    size_t len)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		const char *own = t->rows[i].name;

		if (own != NULL && strlen(own) == len && memcmp(own, name, len) == 0)
			return &t->rows[i];
	}
	return NULL;
}

static const struct option_row *row_by_value(const struct option_table *t, int value)
{
	if (value >= ROW_BASE && (size_t)(value - ROW_BASE) < t->n_rows)
		return &t->rows[value - ROW_BASE];
	for (size_t i = 0; i < t->n_rows; i++) {
		if (value != 0 && t->rows[i].letter == value)
			return &t->rows[i];
	}
	return NULL;
}

static int unknown_long(const struct option_table *t, const char *name, size_t len)
{
	char word[NAME_MAX_LEN + 1];

	for (const char *const *later = t->later; later != NULL && *later != NULL; later++) {
		if (strlen(*later) == len && memcmp(*later, name, len) == 0) {
			report_line("--%s is not available in this version", *later);
			return EXIT_CARREL;
		}
	}
	snprintf(word, sizeof(word), "%.*s", (int)len, name);
	const char *near = options_nearest(word, row_name, t);
	if (near != NULL)
		return report_usage(t->verb, "unknown option --%.*s; did you mean --%s?", (int)len,
				    name, near);
	return report_usage(t->verb, "unknown option --%.*s", (int)len, name);
}

static int unknown_letter(const struct option_table *t, const char *word, int letter)
{
	if (word[0] == '-' && word[1] != '\0' && word[2] != '\0' &&
	    row_by_name(t, word + 1, strcspn(word + 1, "=")) != NULL)
		return report_usage(t->verb, "unknown option -%c; did you mean -%s?", letter, word);
	return report_usage(t->verb, "unknown option -%c", letter);
}

/*
 * getopt_long() takes any unambiguous beginning of a name, so that a script with --time would break
 * on the day that --timezone appears.  Here a name counts only in full.
 */
static int check_long(const struct option_table *t, const char *word)
{
	if (strncmp(word, "--", 2) != 0 || word[2] == '\0')
		return OPTIONS_GO_ON;
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	const struct option_row *row = row_by_name(t, name, len);
	if (row == NULL)
		return unknown_long(t, name, len);
	if (row->arg == NULL && name[len] == '=')
		return report_usage(t->verb, "--%s takes no value", row->name);
	return OPTIONS_GO_ON;
}

static int take(const struct option_table *t, const struct option_row *row, void *to,
		const char *value)
{
	char why[VALUES_WHY] = "";

	if (row->take == NULL) {
		*(int *)(void *)((char *)to + row->flag) = 1;
		return OPTIONS_GO_ON;
	}
	switch (row->take(to, value, why)) {
	case 0:
		return OPTIONS_GO_ON;
	case -2:
		report_line("--%s: %s", row->name, why);
		return EXIT_CARREL;
	default:
		return report_usage(t->verb, "--%s \"%s\": %s", row->name, value != NULL ? value : "", why);
	}
}

/* The table in the form that getopt_long() wants. */
static void getopt_form(const struct option_table *t, struct option *longs, char *shorts)
{
	/* "+": the first word that is no option is the command; ":": tell a missing value apart. */
	*shorts++ = '+';
	*shorts++ = ':';
	for (size_t i = 0; i < t->n_rows && i < ROWS_MAX; i++) {
		const struct option_row *row = &t->rows[i];

		if (row->name == NULL)
			continue;
		*longs++ = (struct option){
			.name = row->name,
			.has_arg = row->arg == NULL ? no_argument :
				   *row->arg == '[' ? optional_argument : required_argument,
			.val = ROW_BASE + (int)i,
		};
		if (row->letter != 0)
			*shorts++ = row->letter;
		if (row->letter != 0 && row->arg != NULL)
			*shorts++ = ':';
	}
	*longs = (struct option){ 0 };
	*shorts = '\0';
}

int options_read(const struct option_table *t, int argc, char **argv, void *to, int *ret_first)
{
	struct option longs[ROWS_MAX + 1];
	char shorts[2 * ROWS_MAX + 3];
	int status = OPTIONS_GO_ON;

	getopt_form(t, longs, shorts);
	opterr = 0;
	while (status == OPTIONS_GO_ON && optind < argc) {
		const char *word = argv[optind];

		status = check_long(t, word);
		if (status != OPTIONS_GO_ON)
			break;
		int value = getopt_long(argc, argv, shorts, longs, NULL);
		if (value == -1)
			break;
		const struct option_row *row = row_by_value(t, value == ':' ? optopt : value);
		if (row == NULL)
			status = unknown_letter(t, word, optopt);
		else if (value == ':')
			status = report_usage(t->verb, "--%s needs a value: --%s %s", row->name,
					      row->name, row->arg);
		else
			status = take(t, row, to, optarg);
	}
	*ret_first = optind;
	return status;
}

int options_has(const struct option_table *t, const char *name)
{
	return row_by_name(t, name, strlen(name)) != NULL;
}

int options_set(const struct option_table *t, const char *where, const char *name, const char *value, void *to)
{
	const struct option_row *row = row_by_name(t, name, strlen(name));
	char why[VALUES_WHY] = "";

	if (row == NULL) {
		const char *near = options_nearest(name, row_name, t);

		report_line("%s: unknown word \"%s\"%s%s%s", where, name, near != NULL ? "; did you mean " : "",
			    near != NULL ? near : "", near != NULL ? "?" : "");
		return EXIT_USAGE;
	}
	if ((row->arg == NULL) != (*value == '\0')) {
		report_line(row->arg == NULL ? "%s: %s takes no value" : "%s: %s needs a value: %s %s", where, name, name,
			    row->arg);
		return EXIT_USAGE;
	}
	if (row->take == NULL) {
		*(int *)(void *)((char *)to + row->flag) = 1;
		return OPTIONS_GO_ON;
	}
	int r = row->take(to, value, why);
	if (r == 0)
		return OPTIONS_GO_ON;
	if (r == -2)
		report_line("%s: %s is not available in this version", where, why);
	else
		report_line("%s: %s \"%s\": %s", where, name, value, why);
	return r == -2 ? EXIT_CARREL : EXIT_USAGE;
}

/* ----------------------------------------------------------------- help --- */

#define HELP_COLUMN 34

void options_help(const struct option_table *t)
{
	printf("usage: %s\n\n%s\n", t->usage, t->about);
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct option_row *row = &t->rows[i];
		char left[64];

		if (row->name == NULL) {
			printf("\n%s:\n", row->help);
			continue;
		}
		snprintf(left, sizeof(left), "  %c%c%c --%s%s%s", row->letter != 0 ? '-' : ' ',
			 row->letter != 0 ? row->letter : ' ', row->letter != 0 ? ',' : ' ',
			 row->name, row->arg != NULL && *row->arg != '[' ? " " : "",
			 row->arg != NULL ? row->arg : "");
		printf("%-*s%s\n", HELP_COLUMN, left, row->help);
	}
	printf("\n%s\n", t->notes);
}
