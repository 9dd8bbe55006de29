/* SPDX-License-Identifier: ISC */
/* carrel ctl: ask a supervisor. */
#include "report.h"
#include "supervise.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct ctl_options {
	int help, json;
	const char *name, *socket;
};

static int take_name(void *to, const char *value, char *why)
{
	(void)why;
	((struct ctl_options *)to)->name = value;
	return 0;
}

static int take_socket(void *to, const char *value, char *why)
{
	(void)why;
	((struct ctl_options *)to)->socket = value;
	return 0;
}

#define FLAG(member) .flag = offsetof(struct ctl_options, member)

static const struct option_row rows[] = {
	{ .help = "Options" },
	{ 'n', "name", "NAME", "the supervisor's name (default)", take_name, 0 },
	{ 0, "socket", "PATH", "... or its socket", take_socket, 0 },
	{ 0, "json", NULL, "status: one JSON object a line", NULL, FLAG(json) },
	{ 'h', "help", NULL, "print this", NULL, FLAG(help) },
};

const struct option_table ctl_options_table = {
	.verb = "ctl",
	.usage = "carrel ctl [options] status [SERVICE]\n"
		 "       carrel ctl [options] start|stop|restart [SERVICE]\n"
		 "       carrel ctl [options] signal SERVICE SIGNAL\n"
		 "       carrel ctl [options] log SERVICE\n"
		 "       carrel ctl [options] reload",
	.about = "Ask a carrel supervise; start, stop and restart return when that is done.",
	.notes = "Exit status: 0 done; 1 it could not be; 125 there is no such supervisor; 2 usage.\n"
		 "See carrel-supervise(1).",
	.rows = rows,
	.n_rows = sizeof(rows) / sizeof(rows[0]),
};

static const struct {
	const char *verb;
	int least, most;	/* words behind it */
} verbs[] = {
	{ "status", 0, 1 }, { "start", 0, 1 }, { "stop", 0, 1 },   { "restart", 0, 1 },
	{ "signal", 2, 2 }, { "log", 1, 1 },   { "reload", 0, 0 },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const char *verb_name(const void *from, size_t i)
{
	(void)from;
	return i < VERBS ? verbs[i].verb : NULL;
}

/* The request in ${line}: OPTIONS_GO_ON, or EXIT_USAGE. */
static int make_request(const struct ctl_options *o, char **words, char line[512])
{
	size_t i = 0;
	int n = 0;

	if (words[0] == NULL)
		return report_usage("ctl", "no verb: status, start, stop, restart, signal, log or reload");
	while (i < VERBS && strcmp(verbs[i].verb, words[0]) != 0)
		i++;
	if (i == VERBS) {
		const char *near = options_nearest(words[0], verb_name, NULL);

		return report_usage("ctl", "unknown verb \"%s\"%s%s%s", words[0], near != NULL ? "; did you mean " : "",
				    near != NULL ? near : "", near != NULL ? "?" : "");
	}
	while (words[1 + n] != NULL)
		n++;
	if (n < verbs[i].least || n > verbs[i].most)
		return report_usage("ctl", "%s takes %s", words[0],
				    verbs[i].most == 0 ? "nothing else" : verbs[i].most == 2 ? "a service and a signal" :
				    verbs[i].least == 1 ? "a service" : "a service, or nothing for all");
	int at = snprintf(line, 512, "%s%s", words[0], o->json ? " json" : "");
	for (int k = 1; k <= n && at < 512; k++) {
		if (strpbrk(words[k], " \n") != NULL || *words[k] == '\0')
			return report_usage("ctl", "\"%s\" is no name", words[k]);
		at += snprintf(line + at, 512 - (size_t)at, " %s", words[k]);
	}
	if (at >= 510)
		return report_usage("ctl", "the request is too long");
	memcpy(line + at, "\n", 2);
	return OPTIONS_GO_ON;
}

static int reach(const struct ctl_options *o)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char path[PATH_MAX];

	if (o->socket != NULL)
		snprintf(path, sizeof(path), "%s", o->socket);
	else if (ctl_path(o->name != NULL ? o->name : "default", path, sizeof(path)) == -1)
		*path = '\0';
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (strlen(path) < sizeof(a.sun_path)) {
		memcpy(a.sun_path, path, strlen(path) + 1);
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			return fd;
	} else {
		errno = ENAMETOOLONG;
	}
	report_line("no supervisor at %s: %s", path,
		    errno == ENOENT || errno == ECONNREFUSED ? "there is none (--name or --socket says which)" :
		    strerror(errno));
	close(fd);
	return -1;
}

/* The first line of the answer decides. */
static int show_answer(int fd)
{
	FILE *f = fdopen(fd, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t n = f != NULL ? getline(&line, &room, f) : -1;
	int status = 0;

	if (n <= 0) {
		report_line("the supervisor ended before it answered");
		status = EXIT_CARREL;
	} else if (strncmp(line, "error: ", 7) == 0) {
		report_line("%.*s", (int)strcspn(line + 7, "\n"), line + 7);
		status = 1;
	}
	while (status == 0 && (n = getline(&line, &room, f)) > 0)
		fwrite(line, 1, (size_t)n, stdout);
	free(line);
	if (f != NULL)
		fclose(f);
	return status == 0 ? report_flush() : status;
}

int cmd_ctl(int argc, char **argv)
{
	struct ctl_options o = { 0 };
	char line[512];
	int first;

	int status = options_read(&ctl_options_table, argc, argv, &o, &first);
	if (status == OPTIONS_GO_ON && o.help) {
		options_help(&ctl_options_table);
		return report_flush();
	}
	if (status == OPTIONS_GO_ON)
		status = make_request(&o, argv + first, line);
	if (status != OPTIONS_GO_ON)
		return status;
	int fd = reach(&o);
	if (fd == -1)
		return EXIT_CARREL;
	/* Whoever is too busy to hear us says so, and has closed already. */
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) == -1 && errno != EPIPE && errno != ECONNRESET) {
		report_line("cannot ask the supervisor: %s", strerror(errno));
		close(fd);
		return EXIT_CARREL;
	}
	return show_answer(fd);
}
