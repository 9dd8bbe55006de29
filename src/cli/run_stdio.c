/* SPDX-License-Identifier: ISC */
/* The options of carrel run that are about standard streams. */
#include "report.h"
#include "run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The longest piece of a line, so that with its newline it is one event of JSON. */
#define LINE_MAX_LEN (JSON_DATA_MAX - 1)

int run_stdio_take(void *to, const char *value, char *why)
{
	static const char *const names[] = {
		[RUN_STDIO_SHARE] = "share", [RUN_STDIO_RELAY] = "relay", [RUN_STDIO_NULL] = "null",
	};
	struct run_options *o = to;

	for (int i = RUN_STDIO_SHARE; i <= RUN_STDIO_NULL; i++) {
		if (strcmp(value, names[i]) == 0) {
			o->stdio = (enum run_stdio)i;
			return 0;
		}
	}
	snprintf(why, VALUES_WHY, "not one of share, relay and null");
	return -1;
}

static int take_path(const char **path, const char *value, char *why)
{
	if (*value == '\0') {
		snprintf(why, VALUES_WHY, "no file has an empty name");
		return -1;
	}
	*path = value;
	return 0;
}

int run_stdio_take_input(void *to, const char *value, char *why)
{
	return take_path(&((struct run_options *)to)->input, value, why);
}

int run_stdio_take_output(void *to, const char *value, char *why)
{
	return take_path(&((struct run_options *)to)->output, value, why);
}

int run_stdio_take_record(void *to, const char *value, char *why)
{
	return take_path(&((struct run_options *)to)->record, value, why);
}

int run_stdio_take_error(void *to, const char *value, char *why)
{
	return take_path(&((struct run_options *)to)->error, value, why);
}

/* ------------------------------------------------------- what goes together --- */

/* The option that needs carrel between the command and its output, or NULL. */
static const char *between(const struct run_options *o)
{
	return o->tee.path != NULL ? "--tee" : o->tag ? "--tag" : o->stamp ? "--stamp" : o->quiet ? "--quiet" :
	       o->lines ? "--lines" : o->spec.output_limit > 0 ? "--max-output" : NULL;
}

static int refuse(const char *sentence)
{
	return report_usage(run_options_table.verb, "%s", sentence);
}

static int check_json(const struct run_options *o)
{
	if (o->stdio == RUN_STDIO_SHARE)
		return refuse("--json and --stdio share both want standard output");
	if (o->tag)
		return refuse("--json says in each event which stream it is; --tag has no place there");
	if (o->stamp)
		return refuse("--stamp puts the time before lines, which --json does not print");
	if (o->tee.path != NULL)
		return refuse("--json prints events, and --tee copies the output itself; tee(1) copies the events");
	if (o->record != NULL)
		return refuse("--json prints events, and --record a terminal's output");
	if (o->retry > 0)
		return refuse("--json prints the events of one run, and --retry may need several");
	if (o->quiet)
		return refuse("--json prints everything as it comes, --quiet nothing at first");
	return OPTIONS_GO_ON;
}

static int check_pty(const struct run_options *o)
{
	if (o->record != NULL && (o->stdio != RUN_STDIO_DEFAULT || o->output != NULL))
		return refuse("--record gives the command a terminal, and --stdio and --output something else");
	if (o->stdio != RUN_STDIO_DEFAULT)
		return refuse("--pty and --stdio both say what the standard streams are");
	if (o->output != NULL)
		return refuse("--pty makes a terminal the standard output, so that --output cannot be given");
	return OPTIONS_GO_ON;
}

static int check(const struct run_options *o)
{
	const char *verb = run_options_table.verb, *word = between(o);
	int status = OPTIONS_GO_ON;

	if (o->pty)
		status = check_pty(o);
	if (status == OPTIONS_GO_ON && o->json)
		status = check_json(o);
	if (status != OPTIONS_GO_ON)
		return status;
	if (word != NULL && o->stdio == RUN_STDIO_SHARE)
		return report_usage(verb, "%s needs the command's output, which --stdio share gives "
				    "straight to carrel's", word);
	if (word != NULL && o->stdio == RUN_STDIO_NULL)
		return report_usage(verb, "%s needs the command's output, which --stdio null throws away",
				    word);
	if (o->append && o->output == NULL && o->error == NULL)
		return refuse("--append is for --output and --error, and neither is given");
	return OPTIONS_GO_ON;
}

/* ------------------------------------------------------------------ the spec --- */

static carrel_io file(const struct run_options *o, const char *path, carrel_io otherwise)
{
	if (path == NULL)
		return otherwise;
	return (carrel_io){ .kind = CARREL_FILE, .path = path, .append = o->append };
}

int run_stdio_complete(struct run_options *o)
{
	carrel_io in = { .kind = CARREL_INHERIT }, out = in;

	o->pty |= o->record != NULL;
	int status = check(o);
	if (status != OPTIONS_GO_ON)
		return status;
	o->lines |= o->tag | o->stamp;
	/* An isolated command does not get our own open files: it could open them anew with more rights. */
	if (run_isolate_is_on(o) && o->stdio == RUN_STDIO_DEFAULT && !o->pty && !o->json) {
		o->pty = isatty(0) && isatty(1) && isatty(2) && !o->lines && !o->quiet && o->input == NULL &&
			 o->output == NULL && o->error == NULL;
		if (!o->pty)
			o->stdio = RUN_STDIO_RELAY;
	}
	if (o->stdio == RUN_STDIO_DEFAULT && between(o) != NULL && !o->pty && !o->json)
		o->stdio = RUN_STDIO_RELAY;
	if (o->stdio == RUN_STDIO_NULL)
		in.kind = out.kind = CARREL_NULL;
	else if (o->stdio == RUN_STDIO_RELAY)
		in.kind = out.kind = CARREL_PIPE;
	else if (o->pty)
		in.kind = out.kind = CARREL_PTY;
	else if (o->json)
		out.kind = CARREL_PIPE;
	if (o->json && run_isolate_is_on(o) && in.kind == CARREL_INHERIT)
		in = (carrel_io){ .kind = CARREL_FEED, .fd = 0 };
	o->shared = !o->pty && !o->json && o->stdio <= RUN_STDIO_SHARE && !run_isolate_is_on(o);
	o->spec.in = file(o, o->input, in);
	o->spec.out = file(o, o->output, out);
	o->spec.err = file(o, o->error, out);
	/* One file that two open would lose what the one wrote to the other. */
	if (o->output != NULL && o->error != NULL && strcmp(o->output, o->error) == 0)
		o->spec.err = (carrel_io){ .kind = CARREL_TO_STDOUT };
	/* As if typed, with files in place of some streams too. */
	o->spec.session = o->shared ? CARREL_SESSION_KEEP : CARREL_SESSION_OWN;
	if (o->lines) {
		o->spec.framing = CARREL_LINES;
		o->spec.max_line = LINE_MAX_LEN;
	}
	return OPTIONS_GO_ON;
}
