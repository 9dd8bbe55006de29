/* SPDX-License-Identifier: ISC */
/* The options of carrel run that name files of operations. */
#include "report.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPS_MAX ((size_t)16 << 20)

int run_ops_take(void *to, const char *value, char *why)
{
	(void)why;
	((struct run_options *)to)->ops.file = value;
	return 0;
}

int run_ops_take_add(void *to, const char *value, char *why)
{
	(void)why;
	((struct run_options *)to)->ops_add.file = value;
	return 0;
}

int run_ops_take_override(void *to, const char *value, char *why)
{
	(void)why;
	((struct run_options *)to)->ops_override.file = value;
	return 0;
}

/* All of ${fd} as text: 0, or an errno. */
static int read_text(struct run_ops *o, int fd)
{
	size_t len = 0, room = 0;
	ssize_t n;

	do {
		if (len + 1 >= room) {
			room = room == 0 ? 16384 : room * 2;
			char *text = room <= OPS_MAX ? realloc(o->text, room) : NULL;
			if (text == NULL)
				return room <= OPS_MAX ? ENOMEM : EFBIG;
			o->text = text;
		}
		n = read(fd, o->text + len, room - len - 1);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 || (n == -1 && errno == EINTR));
	if (n == -1)
		return errno;
	o->text[len] = '\0';
	return strlen(o->text) == len ? 0 : EILSEQ;
}

static int load(struct run_ops *o, const char **ret)
{
	if (o->file == NULL)
		return OPTIONS_GO_ON;
	int use_stdin = strcmp(o->file, "-") == 0;
	int fd = use_stdin ? STDIN_FILENO : open(o->file, O_RDONLY | O_CLOEXEC);
	int err = fd == -1 ? errno : read_text(o, fd);

	if (fd != -1 && !use_stdin)
		close(fd);
	if (err != 0) {
		report_line("cannot read operations from %s: %s", use_stdin ? "standard input" : o->file,
			    err == EILSEQ ? "it is not text" : strerror(err));
		return EXIT_CARREL;
	}
	*ret = o->text;
	return OPTIONS_GO_ON;
}

int run_ops_load(struct run_options *o)
{
	const struct run_ops *other = o->ops_add.file != NULL ? &o->ops_add : &o->ops_override;

	if (o->ops.file != NULL && other->file != NULL)
		return report_usage(run_options_table.verb,
				    "--ops is the whole program; --ops-%s changes the behaviour's, and cannot be given with it",
				    other == &o->ops_add ? "add" : "override");
	if (o->ops_add.file != NULL && o->ops_override.file != NULL && strcmp(o->ops_add.file, "-") == 0 &&
	    strcmp(o->ops_override.file, "-") == 0)
		return report_usage(run_options_table.verb, "only one of --ops-add and --ops-override can be standard input");
	int status = load(&o->ops, &o->spec.ops);
	if (status == OPTIONS_GO_ON)
		status = load(&o->ops_add, &o->spec.ops_add);
	return status == OPTIONS_GO_ON ? load(&o->ops_override, &o->spec.ops_override) : status;
}

void run_ops_finish(struct run_options *o)
{
	free(o->ops.text);
	free(o->ops_add.text);
	free(o->ops_override.text);
}
