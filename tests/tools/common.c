/* SPDX-License-Identifier: ISC */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

volatile sig_atomic_t stopped_by;

static void on_signal(int sig)
{
	stopped_by = sig;
}

void catch_signals(void)
{
	for (size_t i = 0; i < 3; i++)
		sigaction((int[]){ SIGTERM, SIGINT, SIGHUP }[i],
			  &(struct sigaction){ .sa_handler = on_signal }, NULL);
}

void die(int status, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", tool_name);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(status);
}

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void child_set(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGCHLD);
}

void block_children(sigset_t *ret_before)
{
	sigset_t chld;

	signal(SIGCHLD, SIG_DFL);
	child_set(&chld);
	sigprocmask(SIG_BLOCK, &chld, ret_before);
}

void doze(int ms)
{
	const struct timespec tick = { .tv_nsec = ms * 1000000L };
	sigset_t chld;

	child_set(&chld);
	sigtimedwait(&chld, NULL, &tick);
}

ssize_t slurp(pid_t pid, const char *what, char *buf, size_t size)
{
	char path[64];
	size_t used = 0;
	ssize_t n = 0;

	buf[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	while (used < size - 1 && (n = read(fd, buf + used, size - 1 - used)) > 0)
		used += (size_t)n;
	close(fd);
	buf[used] = '\0';
	return n == -1 && used == 0 ? -1 : (ssize_t)used;
}

size_t children(pid_t *out, size_t max)
{
	char path[64];
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(path, "re");
	for (int pid; f != NULL && n < max && fscanf(f, "%d", &pid) == 1; n++)
		out[n] = pid;
	if (f != NULL)
		fclose(f);
	return n;
}

void execute(char **words, long user)
{
	if (user != -1) {
		uid_t id = (uid_t)user;

		if (setgroups(0, NULL) == -1 || setresgid(id, id, id) == -1 || setresuid(id, id, id) == -1)
			die(EXIT_OWN, "--user %ld: %s", user, strerror(errno));
	}
	execvp(words[0], words);
	int status = errno == ENOENT ? 127 : 126;
	die(status, "%s: %s", words[0], strerror(errno));
}

double parse_seconds(const char *option, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= 0 && value <= 86400))
		die(EXIT_USAGE, "%s: '%s' is not a number of seconds from 0 to 86400", option, text);
	return value;
}

long parse_number(const char *option, const char *text, long min, long max)
{
	char *end;

	errno = 0;
	long value = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || value < min || value > max)
		die(EXIT_USAGE, "%s: '%s' is not a number from %ld to %ld", option, text, min, max);
	return value;
}
