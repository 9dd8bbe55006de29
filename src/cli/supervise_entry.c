/* SPDX-License-Identifier: ISC */
/* A service as its words say it: those of carrel run, and its own. */
#include "supervise.h"

#include "optfile.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry *entry_create(const char *name)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL || (e->name = strdup(name)) == NULL) {
		free(e);
		return NULL;
	}
	run_options_init(&e->run);
	e->run.stdio = RUN_STDIO_RELAY;
	e->run.lines = 1;
	e->log.fd = -1;
	e->service = (carrel_service){ .size = sizeof(e->service), .name = e->name, .user = e };
	return e;
}

static void options_free(struct run_options *o)
{
	if (o != NULL)
		run_options_finish(o);
	free(o);
}

void entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	rotate_close(&e->log);
	run_options_finish(&e->run);
	options_free(e->check);
	options_free(e->health);
	for (size_t i = 0; i < e->n_kept; i++)
		free(e->kept[i]);
	free(e->kept);
	free(e->after);
	free(e->command);
	free(e->held);
	free(e->recent);
	free(e->words);
	free(e->name);
	free(e);
}

/* ---------------------------------------------------------------- words --- */

static int no_memory(char *why)
{
	snprintf(why, VALUES_WHY, "%s", strerror(ENOMEM));
	return -1;
}

static int take_words(char ***ret, const char *value, char *why)
{
	const char *phrase;
	char **words = optfile_words(value, &phrase);

	if (words == NULL && phrase == NULL)
		return no_memory(why);
	if (words == NULL) {
		snprintf(why, VALUES_WHY, "%s", phrase);
		return -1;
	}
	free(*ret);
	*ret = words;
	return 0;
}

static int take_command(void *to, const char *value, char *why)
{
	return take_words(&((struct entry *)to)->command, value, why);
}

static int take_after(void *to, const char *value, char *why)
{
	struct entry *e = to;

	if (take_words(&e->after, value, why) == -1)
		return -1;
	e->service.after = (const char *const *)e->after;
	return 0;
}

/* One of ${names}, in the order of an enum. */
static int take_name(const char *const *names, const char *value, char *why)
{
	char all[120] = "";
	size_t at = 0;

	for (int i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], value) == 0)
			return i;
		at += (size_t)snprintf(all + at, sizeof(all) - at, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	snprintf(why, VALUES_WHY, "not one of %s", all);
	return -1;
}

static int take_restart(void *to, const char *value, char *why)
{
	static const char *const names[] = { "permanent", "transient", "temporary", NULL };
	int i = take_name(names, value, why);

	((struct entry *)to)->service.restart = (carrel_restart)(i > 0 ? i : 0);
	return i < 0 ? -1 : 0;
}

/* A command line of a check: with /bin/sh. */
static int take_check(struct run_options **ret, const char *value, char *why)
{
	options_free(*ret);
	*ret = calloc(1, sizeof(**ret));
	if (*ret == NULL)
		return no_memory(why);
	run_options_init(*ret);
	(*ret)->spec.shell = value;
	(*ret)->stdio = RUN_STDIO_NULL;
	return 0;
}

static int take_ready(void *to, const char *value, char *why)
{
	struct entry *e = to;
	int64_t fd = 0;

	if (strcmp(value, "notify") == 0) {
		e->service.ready = CARREL_READY_NOTIFY;
	} else if (strcmp(value, "start") == 0) {
		e->service.ready = CARREL_READY_AT_START;
	} else if (strncmp(value, "fd ", 3) == 0) {
		if (values_number(value + 3, 3, 1023, &fd, why) == -1)
			return -1;
		e->service.ready = CARREL_READY_NEWLINE;
		e->service.ready_fd = (int)fd;
	} else if (strncmp(value, "check ", 6) == 0) {
		e->service.ready = CARREL_READY_CHECK;
		return take_check(&e->check, value + 6, why);
	} else {
		snprintf(why, VALUES_WHY, "not one of start, notify, fd N and check COMMAND");
		return -1;
	}
	return 0;
}

static int take_ready_within(void *to, const char *value, char *why)
{
	return values_time(value, &((struct entry *)to)->service.ready_ms, why);
}

static int take_health(void *to, const char *value, char *why)
{
	return take_check(&((struct entry *)to)->health, value, why);
}

static int take_health_every(void *to, const char *value, char *why)
{
	return values_time(value, &((struct entry *)to)->service.health_ms, why);
}

static int take_health_failures(void *to, const char *value, char *why)
{
	int64_t n = 0;

	if (values_number(value, 1, 1000000, &n, why) == -1)
		return -1;
	((struct entry *)to)->service.health_failures = (int)n;
	return 0;
}

static int take_stable(void *to, const char *value, char *why)
{
	return values_time(value, &((struct entry *)to)->service.stable_ms, why);
}

int entry_limit(const char *value, carrel_intensity *ret, char *why)
{
	const char *slash = strchr(value, '/');
	char number[16];
	int64_t n = 0;

	snprintf(number, sizeof(number), "%.*s", slash != NULL ? (int)(slash - value) : 0, value);
	if (slash == NULL || values_number(number, 0, 64, &n, why) == -1 ||
	    values_time(slash + 1, &ret->window_ms, why) == -1) {
		snprintf(why, VALUES_WHY, "not of the form N/TIME, N up to 64, such as 3/5s");
		return -1;
	}
	ret->restarts = (unsigned)n;
	return 0;
}

static int take_max_restarts(void *to, const char *value, char *why)
{
	return entry_limit(value, &((struct entry *)to)->service.intensity, why);
}

static int take_backoff(void *to, const char *value, char *why)
{
	struct entry *e = to;

	if (run_retry_take_backoff(&e->run, value, why) == -1)
		return -1;
	e->service.backoff_min_ms = e->run.backoff_min_ms;
	e->service.backoff_max_ms = e->run.backoff_max_ms;
	return 0;
}

static int take_log(void *to, const char *value, char *why)
{
	struct entry *e = to;

	if (run_copy_take_tee(&e->run, value, why) == -1)
		return -1;
	/* It is not a copy here. */
	e->log = e->run.tee;
	e->run.tee.path = NULL;
	return 0;
}

static const struct option_row own_rows[] = {
	{ 0, "command", "WORDS", "", take_command, 0 },
	{ 0, "after", "NAMES", "", take_after, 0 },
	{ 0, "restart", "TYPE", "", take_restart, 0 },
	{ 0, "ready", "HOW", "", take_ready, 0 },
	{ 0, "ready-within", "TIME", "", take_ready_within, 0 },
	{ 0, "health", "COMMAND", "", take_health, 0 },
	{ 0, "health-every", "TIME", "", take_health_every, 0 },
	{ 0, "health-failures", "N", "", take_health_failures, 0 },
	{ 0, "stable", "TIME", "", take_stable, 0 },
	{ 0, "max-restarts", "N/TIME", "", take_max_restarts, 0 },
	{ 0, "backoff", "MIN..MAX", "", take_backoff, 0 },
	{ 0, "log", "FILE[:SIZE[:KEEP]]", "", take_log, 0 },
};

static const struct option_table own_words = {
	.verb = "supervise",
	.rows = own_rows,
	.n_rows = sizeof(own_rows) / sizeof(own_rows[0]),
};

/* What carrel run can do with one command and its own streams, and a supervisor cannot with many. */
static int is_of_run_only(const char *name)
{
	static const char *const names[] = {
		"json", "pty", "lines", "tag", "stamp", "quiet", "stats", "verbose", "help", "print-ops", "ops", "stdio",
		"tee", "record", "retry", "no-cgroup", "wait-tree", "seccomp-log", NULL,
	};

	for (size_t i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], name) == 0)
			return 1;
	}
	return 0;
}

static char *keep(struct entry *e, const char *text)
{
	char **kept = realloc(e->kept, (e->n_kept + 1) * sizeof(*kept));

	if (kept == NULL)
		return NULL;
	e->kept = kept;
	kept[e->n_kept] = strdup(text);
	return kept[e->n_kept] != NULL ? kept[e->n_kept++] : NULL;
}

int entry_word(struct entry *e, const char *where, const char *name, const char *value)
{
	char *mine = keep(e, value), *words = NULL;

	if (mine == NULL ||
	    asprintf(&words, "%s%s %s\n", e->words != NULL ? e->words : "", name, value) == -1) {
		report_line("%s: %s", where, strerror(ENOMEM));
		return EXIT_CARREL;
	}
	free(e->words);
	e->words = words;
	if (options_has(&own_words, name))
		return options_set(&own_words, where, name, mine, e);
	if (is_of_run_only(name)) {
		report_line("%s: %s is for carrel run, and not for a service", where, name);
		return EXIT_USAGE;
	}
	return options_set(&run_options_table, where, name, mine, &e->run);
}

/* ----------------------------------------------------------- completion --- */

static char *no_words[] = { NULL };

int entry_complete(struct entry *e)
{
	int input = e->run.input != NULL;

	if (e->command == NULL && e->run.spec.shell == NULL) {
		report_line("service %s: it has no command", e->name);
		return EXIT_USAGE;
	}
	int status = run_options_complete(&e->run, e->command != NULL ? e->command : no_words);
	if (status == OPTIONS_GO_ON && e->check != NULL)
		status = run_options_complete(e->check, no_words);
	if (status == OPTIONS_GO_ON && e->health != NULL)
		status = run_options_complete(e->health, no_words);
	if (status != OPTIONS_GO_ON)
		return status;
	if (!input)
		e->run.spec.in = (carrel_io){ .kind = CARREL_NULL };
	e->service.spec = &e->run.spec;
	e->service.check = e->check != NULL ? &e->check->spec : NULL;
	e->service.health = e->health != NULL ? &e->health->spec : NULL;
	return OPTIONS_GO_ON;
}
