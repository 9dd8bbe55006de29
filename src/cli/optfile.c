/* SPDX-License-Identifier: ISC */
#include "optfile.h"

#include "options.h"
#include "report.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Files that include one another in a circle end here. */
#define DEPTH_MAX 16
#define WHERE_MAX (PATH_MAX + 16)

static char *trim(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		text[--len] = '\0';
	return text + strspn(text, " \t");
}

static int read_file(const struct optfile *f, const char *path, int depth);

static int include(const struct optfile *f, const char *from, const char *where, const char *name, int depth)
{
	char path[PATH_MAX];
	const char *slash = strrchr(from, '/');
	int dir = *name == '/' || slash == NULL ? 0 : (int)(slash - from) + 1;

	if (*name == '\0') {
		report_line("%s: include needs a file", where);
		return EXIT_USAGE;
	}
	if (depth == DEPTH_MAX || snprintf(path, sizeof(path), "%.*s%s", dir, from, name) >= (int)sizeof(path)) {
		report_line("%s: include \"%s\": files are included %d deep", where, name, DEPTH_MAX);
		return EXIT_USAGE;
	}
	return read_file(f, path, depth + 1);
}

static int read_section(const struct optfile *f, const char *where, char *text)
{
	char *end = strchr(text, ']');

	if (end == NULL || end[1] != '\0') {
		report_line("%s: not of the form [name]: %s", where, text);
		return EXIT_USAGE;
	}
	*end = '\0';
	if (f->section != NULL)
		return f->section(f->arg, where, trim(text + 1));
	report_line("%s: there are no sections in this file: [%s]", where, text + 1);
	return EXIT_USAGE;
}

static int read_line(const struct optfile *f, const char *path, const char *where, char *text, int depth)
{
	text = trim(text);
	if (*text == '\0' || *text == '#')
		return OPTIONS_GO_ON;
	if (*text == '[')
		return read_section(f, where, text);
	char *value = text + strcspn(text, " \t");
	if (*value != '\0')
		*value++ = '\0';
	value = trim(value);
	if (strcmp(text, "include") == 0)
		return include(f, path, where, value, depth);
	return f->line(f->arg, where, text, value);
}

static int read_file(const struct optfile *f, const char *path, int depth)
{
	FILE *file = fopen(path, "re");
	char where[WHERE_MAX], *text = NULL;
	size_t room = 0;
	ssize_t n = 0;
	int status = OPTIONS_GO_ON;

	for (int line = 1; file != NULL && status == OPTIONS_GO_ON && (n = getline(&text, &room, file)) >= 0; line++) {
		snprintf(where, sizeof(where), "%s:%d", path, line);
		if (strlen(text) == (size_t)n) {
			status = read_line(f, path, where, text, depth);
		} else {
			report_line("%s: not text: there is a NUL byte", where);
			status = EXIT_USAGE;
		}
	}
	free(text);
	if (file == NULL || ferror(file)) {
		report_line("cannot read %s: %s", path, strerror(errno));
		status = EXIT_CARREL;
	}
	if (file != NULL)
		fclose(file);
	return status;
}

int optfile_read(const struct optfile *f, const char *path)
{
	return read_file(f, path, 1);
}

/* One word from ${*at} to ${*to}, both moved on: 1, 0: there is none, -1: it has no end. */
static int take_word(const char **at, char **to)
{
	const char *p = *at + strspn(*at, " \t");
	char quote = '\0';

	if (*p == '\0')
		return 0;
	for (; *p != '\0' && (quote != '\0' || strchr(" \t", *p) == NULL); p++) {
		if (quote == '\0' && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == quote) {
			quote = '\0';
		} else {
			/* In '...' it means itself; in "..." only before what would mean something else. */
			if (*p == '\\' && quote != '\'' && p[1] != '\0' &&
			    (quote == '\0' || p[1] == '"' || p[1] == '\\'))
				p++;
			*(*to)++ = *p;
		}
	}
	*(*to)++ = '\0';
	*at = p;
	return quote == '\0' ? 1 : -1;
}

char **optfile_words(const char *value, const char **ret)
{
	size_t most = strlen(value) / 2 + 2, n = 0;
	char **words = calloc(1, most * sizeof(*words) + strlen(value) + 1);
	int r = 1;

	*ret = NULL;
	if (words == NULL)
		return NULL;
	for (char *to = (char *)(words + most); r == 1; n += r == 1) {
		words[n] = to;
		r = take_word(&value, &to);
	}
	words[n] = NULL;
	if (r == 0)
		return words;
	free(words);
	*ret = "a quote has no end";
	return NULL;
}
