/* SPDX-License-Identifier: ISC */
/* Copies of the output that carrel passes on: --tee and --record. */
#include "report.h"
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_DEFAULT 5
#define KEEP_MAX 9999

/* What a terminal is taken for whose size nobody knows. */
#define COLS_DEFAULT 80
#define ROWS_DEFAULT 24

/* -------------------------------------------------------------- options --- */

/* The last ":..." of ${text} as a number, which is cut off there: 1; 0: it is part of the name. */
static int cut_size(char *text, uint64_t *ret)
{
	char why[VALUES_WHY], *colon = strrchr(text, ':');

	if (colon == NULL || values_size(colon + 1, ret, why) == -1)
		return 0;
	*colon = '\0';
	return 1;
}

/* FILE[:SIZE[:KEEP]] */
int run_copy_take_tee(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	uint64_t last = 0, size = 0;

	free(o->tee_path);
	o->tee_path = strdup(value);
	if (o->tee_path == NULL) {
		snprintf(why, VALUES_WHY, "%s", strerror(ENOMEM));
		return -1;
	}
	o->tee = (struct rotate){ .path = o->tee_path, .keep = KEEP_DEFAULT, .fd = -1 };
	if (cut_size(o->tee_path, &last)) {
		o->tee.limit = last;
		if (cut_size(o->tee_path, &size)) {
			o->tee.limit = size;
			o->tee.keep = last <= KEEP_MAX ? (unsigned)last : KEEP_MAX + 1;
		}
		if (o->tee.limit == 0) {
			snprintf(why, VALUES_WHY, "a file of 0 bytes holds nothing; without a size it only grows");
			return -1;
		}
	}
	if (o->tee.keep > KEEP_MAX) {
		snprintf(why, VALUES_WHY, "not a number of older files from 0 to %d", KEEP_MAX);
		return -1;
	}
	if (*o->tee_path == '\0') {
		snprintf(why, VALUES_WHY, "not of the form FILE[:SIZE[:KEEP]], such as build.log:10M:3");
		return -1;
	}
	return 0;
}

/* --------------------------------------------------------------- copies --- */

static const char *command_of(const struct run_options *o)
{
	return o->spec.shell != NULL ? o->spec.shell : o->spec.argv != NULL ? o->spec.argv[0] : NULL;
}

int run_copy_open(struct run *r)
{
	const struct run_options *o = r->o;
	unsigned short rows, cols;
	char why[VALUES_WHY];

	r->tee = o->tee;
	r->tee.fd = r->cast.fd = -1;
	if (o->tee.path != NULL && rotate_open(&r->tee, why) == -1) {
		report_line("--tee: %s", why);
		return -1;
	}
	if (o->record == NULL)
		return 0;
	terminal_size(&r->s.terminal, &rows, &cols);
	if (cast_open(&r->cast, o->record, cols > 0 ? cols : COLS_DEFAULT, rows > 0 ? rows : ROWS_DEFAULT,
		      command_of(o)) == 0)
		return 0;
	report_line("--record: cannot write to %s: %s", o->record,
		    errno == EINVAL ? "it is not a regular file" : strerror(errno));
	rotate_close(&r->tee);
	return -1;
}

static void tee_failed(struct run *r)
{
	report_line("--tee: cannot write to %s: %s", r->o->tee.path, strerror(errno));
	rotate_close(&r->tee);
	run_fail(r, EXIT_CARREL, 0);
}

static void record_failed(struct run *r)
{
	report_line("--record: cannot write to %s: %s", r->o->record, strerror(errno));
	cast_close(&r->cast);
	run_fail(r, EXIT_CARREL, 0);
}

void run_copy_output(struct run *r, const char *data, size_t len)
{
	if (r->tee.fd != -1 && rotate_put(&r->tee, data, len) < len)
		tee_failed(r);
	if (r->cast.fd != -1 && cast_output(&r->cast, data, len) == -1)
		record_failed(r);
}

void run_copy_resize(struct run *r, unsigned cols, unsigned rows)
{
	if (r->cast.fd != -1 && cast_resize(&r->cast, cols, rows) == -1)
		record_failed(r);
}

int run_copy_close(struct run *r)
{
	rotate_close(&r->tee);
	if (cast_close(&r->cast) == 0)
		return 0;
	report_line("--record: cannot write to %s: %s", r->o->record, strerror(errno));
	return -1;
}
