/* SPDX-License-Identifier: ISC */
#include "peers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WARM 10

static void words(const struct peer *p, const char *command, const char *argv[PEER_ARGS_MAX + 2])
{
	int n = 0;

	while (p->args[n] != NULL) {
		argv[n] = p->args[n];
		n++;
	}
	if (!p->alone)
		argv[n++] = command;
	argv[n] = NULL;
}

void peers_find(struct peer *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char path[512];

		if (p[i].args[0] == NULL || p[i].args[0][0] == '/')
			continue;
		if (find_program(p[i].args[0], path, sizeof(path)) == -1)
			p[i].why_not = "not installed";
		else if ((p[i].args[0] = strdup(path)) == NULL)
			die("memory");
	}
}

/* The last line of what ${fd} gives, in memory of its own. */
static const char *last_line(int fd)
{
	char text[2048];
	ssize_t n, len = 0;

	while ((n = read(fd, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += n;
	while (len > 0 && strchr("\n\t ", text[len - 1]) != NULL)
		len--;
	text[len] = 0;
	char *line = strrchr(text, '\n');
	line = line != NULL ? line + 1 : text;
	for (char *c = line; *c != 0; c++) {
		if ((unsigned char)*c < ' ')
			*c = ' ';
	}
	line[strnlen(line, 90)] = 0;
	line = strdup(*line != 0 ? line : "it fails and does not say why");
	if (line == NULL)
		die("memory");
	return line;
}

static void try_one(struct peer *p, const char *command)
{
	const char *argv[PEER_ARGS_MAX + 2];
	int said[2], status;

	words(p, command, argv);
	if (pipe2(said, O_CLOEXEC) == -1)
		die("pipe");
	pid_t pid = start(argv, -1, said[1], said[1]);
	close(said[1]);
	const char *why = last_line(said[0]);
	close(said[0]);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		p->why_not = why;
}

void peers_try(struct peer *p, size_t n, const char *command)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i].why_not == NULL)
			try_one(&p[i], command);
	}
}

static void once(struct peer *p, const char *command, int keep)
{
	const char *argv[PEER_ARGS_MAX + 2];

	words(p, command, argv);
	double begin = now_us();
	finish(start(argv, -1, -1, -1), p->name);
	if (keep)
		samples_add(&p->took, now_us() - begin);
}

void peers_compare(struct peer *p, size_t n, size_t base, const char *command, const char *shown, int rounds)
{
	char what[120];

	for (int round = -WARM; round < rounds; round++) {
		for (size_t i = 0; i < n; i++) {
			if (p[i].why_not == NULL)
				once(&p[i], command, round >= 0);
		}
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(what, sizeof(what), "%s%s%s", p[i].name, *p[i].name != 0 ? " " : "", shown);
		if (p[i].took.n > 0)
			row(what, "us", &p[i].took, i != base && p[base].took.n > 0 ? &p[base].took : NULL,
			    p[i].aim);
		else
			row_skip(what, p[i].why_not);
	}
	for (size_t i = 0; i < n; i++)
		samples_finish(&p[i].took);
}
