/* SPDX-License-Identifier: ISC */
/* The command: finds the verb. */
#include "calls.h"
#include "doctor.h"
#include "options.h"
#include "policy.h"
#include "report.h"
#include "root.h"
#include "run.h"
#include "supervise.h"

#include <carrel.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int cmd_version(int argc, char **argv);
static int cmd_help(int argc, char **argv);

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
	const struct option_table *options;
} verbs[] = {
	{ "run", cmd_run, "run a command and leave nothing of it behind", &run_options_table },
	{ "supervise", cmd_supervise, "keep services running", &supervise_options_table },
	{ "ctl", cmd_ctl, "ask a supervisor", &ctl_options_table },
	{ "root", cmd_root, "make a root directory for isolated commands", &root_options_table },
	{ "calls", cmd_calls, "print the table of calls that operation programs and tasks make",
	  &calls_options_table },
	{ "policy", cmd_policy, "check, show and learn policies for system calls", NULL },
	{ "doctor", cmd_doctor, "say what carrel can do here, and what would allow the rest", &doctor_options_table },
	{ "version", cmd_version, "print the version", NULL },
	{ "help", cmd_help, "print this, or the help of a verb", NULL },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *verb_by_name(const char *name)
{
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}

static const char *verb_name(const void *from, size_t i)
{
	(void)from;
	return i < VERBS ? verbs[i].name : NULL;
}

static int unknown_verb(const char *word)
{
	const char *near = options_nearest(word, verb_name, NULL);
	char names[200] = "";
	size_t at = 0;

	if (near != NULL)
		return report_usage("", "unknown verb \"%s\"; did you mean carrel %s?", word, near);
	for (size_t i = 0; i < VERBS && at < sizeof(names); i++)
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", i > 0 ? ", " : "",
				       verbs[i].name);
	return report_usage("", "unknown %s \"%s\"; the verbs are %s",
			    *word == '-' ? "option" : "verb", word, names);
}

static int cmd_version(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0)
		return report_usage("", "version takes no \"%s\"", argv[1]);
	if (argc > 1)
		printf("usage: carrel version\n");
	else
		printf("carrel %s\n", carrel_version());
	return report_flush();
}

static int cmd_help(int argc, char **argv)
{
	int given = argc > 1 && *argv[1] != '-';
	const struct verb *verb = given ? verb_by_name(argv[1]) : NULL;

	if (given && verb == NULL)
		return unknown_verb(argv[1]);
	if (verb != NULL && verb->options != NULL) {
		options_help(verb->options);
		return report_flush();
	}
	printf("usage: carrel VERB [options] ...\n\n"
	       "Run other people's programs: reaped, restricted, isolated.\n\n");
	for (size_t i = 0; i < VERBS; i++)
		printf("  %-12s%s\n", verbs[i].name, verbs[i].help);
	printf("\ncarrel VERB --help says more.  See carrel(1).\n");
	return report_flush();
}

/*
 * A caller may have closed 0, 1 or 2.  The next descriptor that carrel opens would take such a
 * number, and what the command writes to its standard error would land in it.  What stands there
 * fails as a closed one does: reading from it or writing to it is EBADF.
 */
static int fill_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF && open("/dev/null", mode) != fd)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (fill_standard_fds() == -1)
		return EXIT_CARREL;
	if (argc < 2) {
		report_usage("", "no verb: carrel VERB [options] ...");
		return EXIT_USAGE;
	}
	const char *word = argv[1];
	if (strcmp(word, "--version") == 0)
		word = "version";
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		word = "help";
	const struct verb *verb = verb_by_name(word);
	if (verb == NULL)
		return unknown_verb(word);
	return verb->run(argc - 1, argv + 1);
}
