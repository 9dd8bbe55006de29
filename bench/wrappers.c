/* SPDX-License-Identifier: ISC */
/* wrappers CARREL NOP: what it costs to put a wrapper before a command that does nothing. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 300
#define WARM 10
#define ARGS_MAX 8

struct wrapper {
	const char *name;
	const char *args[ARGS_MAX]; /* before the command; the first is a path, NULL: not installed */
	const char *aim;
	struct samples took;
};

static void once(struct wrapper *w, const char *command, int keep)
{
	const char *argv[ARGS_MAX + 2] = { NULL };
	int n = 0;

	while (w->args[n] != NULL) {
		argv[n] = w->args[n];
		n++;
	}
	argv[n] = command;
	double begin = now_us();
	finish(start(argv, -1, -1, -1), w->name);
	if (keep)
		samples_add(&w->took, now_us() - begin);
}

static void compare(struct wrapper *w, size_t n, const char *command, const char *shown)
{
	char what[80];

	for (int round = -WARM; round < ROUNDS; round++) {
		for (size_t i = 0; i < n; i++) {
			if (i == 0 || w[i].args[0] != NULL)
				once(&w[i], command, round >= 0);
		}
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(what, sizeof(what), "%s%s%s", w[i].name, *w[i].name != 0 ? " " : "", shown);
		if (w[i].took.n > 0)
			row(what, "us", &w[i].took, i > 0 ? &w[0].took : NULL, w[i].aim);
		else
			row_skip(what, "not installed");
	}
	for (size_t i = 0; i < n; i++)
		samples_finish(&w[i].took);
}

/* What a policy for system calls costs, alone and as a part of everything that isolates. */
static void policies(const char *carrel, const char *command)
{
	struct wrapper plain[] = {
		{ .name = "carrel run", .args = { carrel, "run" } },
		{ .name = "carrel run --seccomp default", .args = { carrel, "run", "--seccomp", "default" } },
		{ .name = "carrel run --seccomp strict", .args = { carrel, "run", "--seccomp", "strict" } },
	};
	struct wrapper isolated[] = {
		{ .name = "rootless --seccomp none", .args = { carrel, "run", "-b", "rootless", "--seccomp", "none" } },
		{ .name = "carrel run -b rootless", .args = { carrel, "run", "-b", "rootless" },
		  .aim = "<= 4000 us" },
	};

	title("System call policies");
	compare(plain, sizeof(plain) / sizeof(plain[0]), command, "true");
	compare(isolated, sizeof(isolated) / sizeof(isolated[0]), command, "true");
}

int main(int argc, char **argv)
{
	static char timeout[256], tini[256], command[256];

	if (argc != 3) {
		fprintf(stderr, "usage: wrappers CARREL NOP\n");
		return 2;
	}
	struct wrapper w[] = {
		{ .name = "" },
		{ .name = "carrel run", .args = { argv[1], "run", "--" }, .aim = "<= timeout" },
		{ .name = "carrel run --no-cgroup", .args = { argv[1], "run", "--no-cgroup", "--" } },
		{ .name = "timeout 10" },
		{ .name = "tini -s" },
	};
	if (find_program("timeout", timeout, sizeof(timeout)) == 0)
		memcpy(w[3].args, (const char *[]){ timeout, "10" }, 2 * sizeof(char *));
	if (find_program("tini", tini, sizeof(tini)) == 0)
		memcpy(w[4].args, (const char *[]){ tini, "-s", "--" }, 3 * sizeof(char *));
	if (find_program("true", command, sizeof(command)) == -1)
		die("true");
	title("One command and its end");
	compare(w, sizeof(w) / sizeof(w[0]), argv[2], "nop");
	compare(w, sizeof(w) / sizeof(w[0]), command, "true");
	policies(argv[1], command);
	return 0;
}
