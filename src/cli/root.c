/* SPDX-License-Identifier: ISC */
/* carrel root: directories that isolated commands have as their root. */
#include "root.h"

#include "report.h"

#include <carrel.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct root_options {
	int help;
};

static const struct option_row rows[] = {
	{ 'h', "help", NULL, "print this", NULL, offsetof(struct root_options, help) },
};

const struct option_table root_options_table = {
	.verb = "root",
	.usage = "carrel root create DIR",
	.about = "Make DIR, a directory for carrel run --root: empty but for what every root has.",
	.notes = "What is there already is left alone, and an error.  See carrel-root(1).",
	.rows = rows,
	.n_rows = sizeof(rows) / sizeof(rows[0]),
};

static int create(const char *dir)
{
	carrel_error e = { 0 };
	sigset_t all, old;

	/* Whole or not at all: the end waits for a moment. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	int r = carrel_root_create(dir, &e);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return r == -1 ? report_error(&e) : 0;
}

int cmd_root(int argc, char **argv)
{
	const char *verb = root_options_table.verb;
	struct root_options o = { 0 };
	int first;

	int status = options_read(&root_options_table, argc, argv, &o, &first);
	if (status != OPTIONS_GO_ON)
		return status;
	if (o.help) {
		options_help(&root_options_table);
		return report_flush();
	}
	argv += first;
	if (*argv == NULL)
		return report_usage(verb, "what to do: carrel root create DIR");
	if (strcmp(*argv, "create") != 0)
		return report_usage(verb, "\"%s\" is not create: carrel root create DIR", *argv);
	if (argv[1] == NULL || argv[2] != NULL)
		return report_usage(verb, "create takes one directory: carrel root create DIR");
	return create(argv[1]);
}
