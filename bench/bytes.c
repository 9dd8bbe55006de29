/* SPDX-License-Identifier: ISC */
/* bytes CARREL: how fast a command's output arrives, over a bare pipe and through carrel. */
#include "measure.h"

#include <carrel.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 5
/* Small enough to stay in a cache, so that reading it is not what is measured. */
#define FILE_SIZE (1024 * 1024)
#define TIMES 1024
#define TOTAL ((double)FILE_SIZE * TIMES)
#define CHUNK (64 * 1024)
#define BEFORE_MAX 5

static char cat[256];
static char name[] = "/tmp/carrel-bench-XXXXXX";
static const char *argv_cat[BEFORE_MAX + TIMES + 2];

/* Lines of text, so that --json need not encode them as something else. */
static void make_file(void)
{
	static char text[FILE_SIZE];
	int fd = mkstemp(name);

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 80 == 79 ? '\n' : (char)('a' + i % 26);
	if (fd == -1 || write(fd, text, sizeof(text)) != (ssize_t)sizeof(text))
		die(name);
	close(fd);
}

/* ${before}, then cat with the file as often as it takes. */
static const char *const *command(const char *const *before)
{
	size_t n = 0;

	while (before != NULL && before[n] != NULL) {
		argv_cat[n] = before[n];
		n++;
	}
	argv_cat[n++] = cat;
	for (int i = 0; i < TIMES; i++)
		argv_cat[n++] = name;
	argv_cat[n] = NULL;
	return argv_cat;
}

static void add_rate(struct samples *s, double begin, double bytes)
{
	/* At least: JSON has more around them. */
	if (bytes < TOTAL) {
		fprintf(stderr, "bench: %.0f bytes of %.0f arrived\n", bytes, TOTAL);
		exit(1);
	}
	samples_add(s, TOTAL / (now_us() - begin));
}

static void by_pipe(struct samples *s, const char *const *before)
{
	static char mem[CHUNK];
	double begin = now_us(), bytes = 0;
	int fd[2];
	ssize_t n;

	if (pipe2(fd, O_CLOEXEC) == -1)
		die("pipe");
	pid_t pid = start(command(before), -1, fd[1], -1);
	close(fd[1]);
	while ((n = read(fd[0], mem, sizeof(mem))) > 0)
		bytes += (double)n;
	close(fd[0]);
	finish(pid, argv_cat[0]);
	add_rate(s, begin, bytes);
}

static void by_library(struct samples *s, carrel *c)
{
	carrel_event ev = { .size = sizeof(ev) };
	carrel_error e;
	double begin = now_us(), bytes = 0;
	carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = command(NULL)), &e);

	if (p == NULL)
		die(carrel_strerror(&e));
	do {
		if (carrel_next(c, &ev, -1) != 1)
			die("carrel_next");
		if (ev.kind == CARREL_OUT)
			bytes += (double)ev.len;
	} while (ev.kind != CARREL_GONE);
	carrel_release(p);
	add_rate(s, begin, bytes);
}

int main(int argc, char **argv)
{
	struct samples bare = { 0 }, shared = { 0 }, json = { 0 }, library = { 0 };
	carrel_error e;

	if (argc != 2 || find_program("cat", cat, sizeof(cat)) == -1) {
		fprintf(stderr, "usage: bytes CARREL\n");
		return 2;
	}
	carrel *c = carrel_open(NULL, &e);
	if (c == NULL)
		die(carrel_strerror(&e));
	make_file();
	for (int round = 0; round < ROUNDS; round++) {
		by_pipe(&bare, NULL);
		by_pipe(&shared, (const char *const[]){ argv[1], "run", "--", NULL });
		by_library(&library, c);
		by_pipe(&json, (const char *const[]){ argv[1], "run", "--json", "--", NULL });
	}
	unlink(name);
	title("1 GB of output of cat, by a reader of 64 KiB");
	row("bare pipe", "MB/s", &bare, NULL, "");
	row("carrel run", "MB/s", &shared, &bare, "1.0");
	row("carrel_next", "MB/s", &library, &bare, ">= 0.95");
	row("carrel run --json", "MB/s", &json, &bare, ">= 0.10");
	carrel_close(c);
	return 0;
}
