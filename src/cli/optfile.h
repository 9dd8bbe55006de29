/* SPDX-License-Identifier: ISC */
/*
 * Files of options, the words of the command line one a line:
 *
 *	# a comment
 *	include other.conf		(relative to this file)
 *	[section]
 *	name value up to the end of the line
 */
#ifndef CLI_OPTFILE_H
#define CLI_OPTFILE_H

/* What is done with what is read; each returns OPTIONS_GO_ON or an exit status.  ${where} is "FILE:LINE". */
struct optfile {
	int (*section)(void *arg, const char *where, const char *name); /* NULL: there are none */
	/* ${value} is "" where none stands, and the reader's own again afterwards. */
	int (*line)(void *arg, const char *where, const char *name, const char *value);
	void *arg;
};

/* optfile_read(f, path): read ${path} and what it includes.  OPTIONS_GO_ON, or an exit status after a report. */
int optfile_read(const struct optfile *f, const char *path);

/* optfile_words(value, ret): split ${value} into words as a shell does it without expanding anything: '...', "...",
 * and \ before a character.  A NULL-terminated array in one piece of memory, to be freed, or NULL: no memory (${ret}
 * NULL), or the phrase in ${ret}. */
char **optfile_words(const char *value, const char **ret);

#endif
