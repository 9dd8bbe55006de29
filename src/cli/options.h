/* SPDX-License-Identifier: ISC */
/*
 * Options: one table per command drives getopt_long(3), the help text and the error texts.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "values.h"

#include <stddef.h>

/*
 * One option.  A row without name is a heading of the help text.  ${take} stores the value in
 * ${to} and returns 0, -1 with a phrase in ${why} (see values.h), or -2 when nothing is wrong with
 * the value but carrel cannot go on.  Without ${take} the int at offset ${flag} becomes 1.
 */
struct option_row {
	char letter;		/* or 0 */
	const char *name;
	const char *arg;	/* what the value is called; NULL: the option takes none; "[=NAME]": it need not
				   be given, and ${take} gets NULL then */
	const char *help;
	int (*take)(void *to, const char *value, char *why);
	size_t flag;
};

/* The options of a verb. */
struct option_table {
	const char *verb;
	const char *usage;	/* the lines after "usage:" */
	const char *about;	/* what the verb does */
	const char *notes;	/* after the options */
	const struct option_row *rows;
	size_t n_rows;
	const char *const *later; /* NULL-terminated names of options that a later version has */
};

/* What options_read() says in place of an exit status: go on. */
#define OPTIONS_GO_ON (-1)

/* options_read(t, argc, argv, to, ret_first): read the options in ${argv} (its first word is the
 * verb) into ${to} up to the first word that is none, whose index is ${ret_first}.
 * OPTIONS_GO_ON, or the exit status after an error was reported. */
int options_read(const struct option_table *t, int argc, char **argv, void *to, int *ret_first);

/* options_has(t, name): ${t} has an option of that name. */
int options_has(const struct option_table *t, const char *name);

/* options_set(t, where, name, value, to): the option ${name} with ${value} ("" for none), as a line of a file has it;
 * ${where} stands before what is said of it.  OPTIONS_GO_ON, or the exit status after an error was reported. */
int options_set(const struct option_table *t, const char *where, const char *name, const char *value, void *to);

/* options_help(t): print the help text of ${t} on standard output. */
void options_help(const struct option_table *t);

/* options_nearest(word, next, from): the name most like ${word} among those that ${next} gives for
 * 0, 1, ... until NULL; NULL when none is near. */
const char *options_nearest(const char *word, const char *(*next)(const void *from, size_t i),
			    const void *from);

#endif
