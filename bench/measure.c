/* SPDX-License-Identifier: ISC */
#include "measure.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

_Noreturn void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

void samples_add(struct samples *s, double v)
{
	if (s->n == s->room) {
		s->room = s->room == 0 ? 256 : s->room * 2;
		s->v = realloc(s->v, s->room * sizeof(*s->v));
		if (s->v == NULL)
			die("memory");
	}
	s->v[s->n++] = v;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double samples_at(struct samples *s, int percent)
{
	if (s->n == 0)
		return 0;
	qsort(s->v, s->n, sizeof(*s->v), by_value);
	return s->v[(s->n - 1) * (size_t)percent / 100];
}

void samples_finish(struct samples *s)
{
	free(s->v);
	*s = (struct samples){ 0 };
}

/* Three digits that mean something, and no more. */
static const char *number(double v, char text[32])
{
	snprintf(text, 32, v < 10 ? "%.2f" : v < 100 ? "%.1f" : "%.0f", v);
	return text;
}

void row(const char *what, const char *unit, struct samples *s, struct samples *base,
	 const char *aim)
{
	char mid[32], low[32], high[32], ratio[32] = "";

	if (base != NULL)
		snprintf(ratio, sizeof(ratio), "%.2f", samples_at(s, 50) / samples_at(base, 50));
	printf("%s\t%s %s\t%s..%s\t%s\t%s\n", what, number(samples_at(s, 50), mid), unit,
	       number(samples_at(s, 10), low), number(samples_at(s, 90), high), ratio, aim != NULL ? aim : "");
	fflush(stdout);
}

void row_one(const char *what, const char *unit, double value, const char *aim)
{
	char text[32];

	printf("%s\t%s %s\t\t\t%s\n", what, number(value, text), unit, aim);
	fflush(stdout);
}

void row_skip(const char *what, const char *why)
{
	printf("%s\t%s\t\t\t\n", what, why);
	fflush(stdout);
}

void title(const char *text)
{
	printf("%s\n", text);
	fflush(stdout);
}

extern char **environ;

pid_t start(const char *const *argv, int in, int out, int err)
{
	const int fds[] = { in, out, err };
	posix_spawn_file_actions_t actions;
	char *const *args;
	pid_t pid;

	/* posix_spawn() takes char *const *, but does not write to it. */
	memcpy(&args, &argv, sizeof(args));
	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	}
	errno = posix_spawn(&pid, argv[0], &actions, NULL, args, environ);
	if (errno != 0)
		die(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

void finish(pid_t pid, const char *what)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "bench: %s ended with wait status %#x\n", what, (unsigned)status);
		exit(1);
	}
}

int find_program(const char *name, char *path, size_t size)
{
	const char *at = getenv("PATH");

	while (at != NULL && *at != 0) {
		size_t n = strcspn(at, ":");

		snprintf(path, size, "%.*s/%s", (int)n, at, name);
		if (access(path, X_OK) == 0)
			return 0;
		at += n + (at[n] == ':');
	}
	return -1;
}
