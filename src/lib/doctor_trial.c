/* SPDX-License-Identifier: ISC */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int trial_spec(struct doctor *d, const carrel_spec *s, carrel_error *e)
{
	if (d->c == NULL) {
		*e = d->no_control;
		return e->err;
	}
	carrel_proc *p = carrel_spawn(d->c, s, e);
	if (p != NULL) {
		/* Programs of this file cannot get here. */
		carrel_release(p);
		return 0;
	}
	return e->stage == CARREL_STAGE_EXEC ? 0 : e->err;
}

const char *trial_reason(const carrel_error *e)
{
	static const char nothing[] = "cannot run '/': ";
	const char *text = carrel_strerror(e);

	return strncmp(text, nothing, sizeof(nothing) - 1) == 0 ? text + sizeof(nothing) - 1 : text;
}

/* Line ${i} of ${text}, without the place that it begins with. */
static int line_of(const char *text, int i, const char **ret)
{
	for (; i > 0 && strchr(text, '\n') != NULL; i--)
		text = strchr(text, '\n') + 1;
	text += strcspn(text, " \n");
	text += *text == ' ';
	*ret = text;
	return (int)strcspn(text, "\n");
}

int trial_ops(struct doctor *d, carrel_fact *f, const char *program, int *ret_op)
{
	char text[2048];
	carrel_error e = { 0 };
	const char *line;

	*ret_op = -1;
	if (snprintf(text, sizeof(text), "%stask exec(\"/\", [\"/\"], env, \"\")\n", program) >= (int)sizeof(text))
		return E2BIG;
	const carrel_spec s = { .size = sizeof(s), .ops = text, .in.kind = CARREL_NULL, .out.kind = CARREL_NULL,
				.err.kind = CARREL_NULL };
	int err = trial_spec(d, &s, &e);
	if (err == 0)
		return 0;
	if (e.index < 0) {
		fact_detail(f, "%s", trial_reason(&e));
		return err;
	}
	*ret_op = e.index;
	int len = line_of(text, e.index, &line);
	fact_detail(f, "%.*s: %s", len, line, strerror(err));
	return err;
}
