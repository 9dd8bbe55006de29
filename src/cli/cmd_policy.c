/* SPDX-License-Identifier: ISC */
/* carrel policy: check, show and learn policies for system calls. */
#include "policy.h"
#include "report.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(void)
{
	printf("usage: carrel policy check FILE...\n"
	       "       carrel policy show default|strict|none|groups\n"
	       "       carrel policy learn [-o FILE] [options of run] [--] COMMAND [ARG...]\n\n"
	       "Policies say which system calls a command may make: carrel run --seccomp FILE.\n\n"
	       "  check     say what is wrong with a policy, and how long it is for the kernel\n"
	       "  show      print what carrel brings along\n"
	       "  learn     run COMMAND, and write (add to FILE) a policy that allows what it did\n\n"
	       "See carrel-policy(1) and carrel-policy(5).\n");
	return report_flush();
}

static int check_one(const char *name)
{
	carrel_error e = { 0 };
	carrel_policy *p = policy_load(name, &e);
	void *filter = NULL;
	size_t len = 0;
	int r = p != NULL ? carrel_policy_filter(p, NULL, CARREL_POLICY_ENFORCE, &filter, &len, &e) : -1;

	if (r == -1)
		report_error(&e);
	else
		printf("%s: %zu instructions\n", name, len / 8);
	free(filter);
	carrel_policy_free(p);
	return r == -1 ? 1 : 0;
}

/* 1 when one of them is wrong: a script may want to know. */
static int check(char **names)
{
	int bad = 0;

	if (*names == NULL)
		return report_usage("policy", "check needs a file");
	for (; *names != NULL; names++)
		bad |= check_one(*names);
	int status = report_flush();
	return status != 0 ? status : bad;
}

static int show(char **names)
{
	const char *text = *names != NULL ? carrel_policy_text(*names) : NULL;

	if (*names == NULL || names[1] != NULL)
		return report_usage("policy", "show takes one of default, strict, none and groups");
	if (text == NULL)
		return report_usage("policy", "there is no \"%s\"; default, strict, none and groups are", *names);
	fputs(text, stdout);
	return report_flush();
}

static int learn(int argc, char **argv)
{
	const char *file = "-";

	if (argc > 1 && strcmp(argv[1], "-o") == 0) {
		if (argc < 3 || *argv[2] == '\0')
			return report_usage("policy", "-o needs a file");
		file = argv[2];
		argv += 2;
		argc -= 2;
	}
	return run_learning(argc, argv, file);
}

int cmd_policy(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	if (word == NULL)
		return report_usage("policy", "check, show or learn?");
	if (strcmp(word, "check") == 0)
		return check(argv + 2);
	if (strcmp(word, "show") == 0)
		return show(argv + 2);
	if (strcmp(word, "learn") == 0)
		return learn(argc - 1, argv + 1);
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return usage();
	return report_usage("policy", "unknown word \"%s\"; there are check, show and learn", word);
}
