/* SPDX-License-Identifier: ISC */
/*
 * streams CARREL PEERS [MEGABYTES]: how fast a command's output arrives, and what it costs.
 *
 * Each way is a program of its own that reads the output of `streams --write BYTES` and prints how many
 * microseconds it took; its processor time is what wait4() says, which has everything that it started and
 * waited for: the writer, and carrel's control process from its start (some 3 ms) to its end.  The writer writes lines of 80 bytes, 64 KiB at a time,
 * out of its memory, so that what is measured is the way and not the source.
 *
 * PEERS is the folder of streams_uv, streams_glib and streams.py.
 */
#include "measure.h"

#include <carrel.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define ROUNDS 9
#define CHUNK (64 * 1024)
#define LINE 80
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static char self[4096];
static char bytes[32];
static const char *const writer[] = { self, "--write", bytes, NULL };

static void write_lines(uint64_t n)
{
	static char text[CHUNK / LINE * LINE];

	memset(text, 'x', sizeof(text));
	for (size_t i = LINE - 1; i < sizeof(text); i += LINE)
		text[i] = '\n';
	while (n > 0) {
		ssize_t w = write(1, text, n < sizeof(text) ? (size_t)n : sizeof(text));

		if (w <= 0)
			exit(1);
		n -= (uint64_t)w;
	}
}

/* ------------------------------------------------------------------ ways --- */

/* What is measured: from the start of the command until its end is known.  A handle is there before. */
static double begin, end;

static uint64_t read_all(int fd)
{
	static char mem[CHUNK];
	uint64_t sum = 0;
	ssize_t n;

	while ((n = read(fd, mem, sizeof(mem))) > 0)
		sum += (uint64_t)n;
	return sum;
}

static uint64_t from_pipe(const char *const *argv)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) == -1)
		die("pipe");
	pid_t pid = start(argv, -1, fd[1], -1);
	close(fd[1]);
	uint64_t sum = read_all(fd[0]);
	finish(pid, argv[0]);
	return sum;
}

static uint64_t by_pipe(void)
{
	return from_pipe(writer);
}

/* What carrel's own sessions cost in the kernel: each is scheduled as a group (sched_autogroup). */
static uint64_t by_session(void)
{
	return from_pipe((const char *const[]){ self, "--write-in-session", bytes, NULL });
}

static uint64_t by_popen(void)
{
	static char mem[CHUNK];
	char command[sizeof(self) + 64];
	uint64_t sum = 0;
	size_t n;

	snprintf(command, sizeof(command), "exec '%s' --write %s", self, bytes);
	FILE *f = popen(command, "re");
	if (f == NULL)
		die("popen");
	while ((n = fread(mem, 1, sizeof(mem), f)) > 0)
		sum += n;
	pclose(f);
	return sum;
}

static uint64_t by_events(const carrel_spec *s)
{
	carrel_event ev = { .size = sizeof(ev) };
	carrel_error e;
	uint64_t sum = 0;
	carrel *c = carrel_open(NULL, &e);

	begin = now_us();
	if (c == NULL || carrel_spawn(c, s, &e) == NULL)
		die(carrel_strerror(&e));
	do {
		if (carrel_next(c, &ev, -1) != 1)
			die("carrel_next");
		if (ev.kind == CARREL_OUT)
			sum += ev.len + (s->framing == CARREL_LINES && !ev.partial);
	} while (ev.kind != CARREL_GONE);
	end = now_us();
	carrel_close(c);
	return sum;
}

static uint64_t by_chunks(void)
{
	return by_events(CARREL_SPEC(.argv = writer));
}

static uint64_t by_chunks_here(void)
{
	return by_events(CARREL_SPEC(.argv = writer, .session = CARREL_SESSION_KEEP));
}

static uint64_t by_big_pipe(void)
{
	return by_events(CARREL_SPEC(.argv = writer, .out.pipe_size = 1 << 20));
}

static uint64_t by_lines(void)
{
	return by_events(CARREL_SPEC(.argv = writer, .framing = CARREL_LINES));
}

static struct termios raw_terminal(void)
{
	return (struct termios){ .c_cflag = CS8 | CREAD | B38400, .c_cc[VMIN] = 1 };
}

static uint64_t by_pty(void)
{
	struct termios raw = raw_terminal();

	return by_events(CARREL_SPEC(.argv = writer, .out.kind = CARREL_PTY, .pty_termios = &raw));
}

/* The same terminal without carrel, to tell its cost from ours. */
static uint64_t by_bare_pty(void)
{
	struct termios raw = raw_terminal();
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1)
		die("posix_openpt");
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave == -1 || tcsetattr(slave, TCSANOW, &raw) == -1)
		die("a terminal");
	pid_t pid = start(writer, -1, slave, -1);
	close(slave);
	uint64_t sum = read_all(master);
	finish(pid, self);
	return sum;
}

static uint64_t by_capture(void)
{
	carrel_result r;
	carrel_error e;
	carrel *c = carrel_open(NULL, &e);

	begin = now_us();
	if (c == NULL || carrel_run(c, CARREL_SPEC(.argv = writer), &r, &e) == -1)
		die(carrel_strerror(&e));
	end = now_us();
	uint64_t sum = r.out_len;
	carrel_result_free(&r);
	carrel_close(c);
	return sum;
}

/* The pipe does not block, so what waits is ours. */
static uint64_t by_take(void)
{
	carrel_error e;
	carrel *c = carrel_open(NULL, &e);

	begin = now_us();
	carrel_proc *p = c == NULL ? NULL : carrel_spawn(c, CARREL_SPEC(.argv = writer), &e);
	if (p == NULL)
		die(carrel_strerror(&e));
	int fd = carrel_take_fd(p, 1);
	if (fd == -1 || fcntl(fd, F_SETFL, 0) == -1)
		die("carrel_take_fd");
	uint64_t sum = read_all(fd);
	carrel_wait(p, NULL, -1);
	end = now_us();
	carrel_close(c);
	return sum;
}

static struct way {
	const char *name;
	uint64_t (*run)(void);
	const char *program; /* another one, in PEERS, in its place */
	const char *aim;
	const char *missing;
	struct samples rate, cpu;
} ways[] = {
	{ .name = "bare pipe", .run = by_pipe },
	{ .name = "bare pipe, session of its own", .run = by_session },
	{ .name = "carrel, chunks", .run = by_chunks, .aim = ">= 0.95" },
	{ .name = "carrel, chunks, host's session", .run = by_chunks_here, .aim = ">= 0.95" },
	{ .name = "carrel, chunks, pipe of 1 MiB", .run = by_big_pipe },
	{ .name = "carrel, take_fd", .run = by_take, .aim = "1.0" },
	{ .name = "carrel, lines of 80", .run = by_lines },
	{ .name = "carrel, pty", .run = by_pty },
	{ .name = "bare pty", .run = by_bare_pty },
	{ .name = "carrel_run, kept in memory", .run = by_capture },
	{ .name = "carrel run --stdio relay | bare pipe", .program = "relay" },
	{ .name = "popen, fread", .run = by_popen },
	{ .name = "libuv, uv_spawn", .program = "streams_uv" },
	{ .name = "GLib, GSubprocess", .program = "streams_glib" },
	{ .name = "Python, subprocess", .program = "streams.py" },
};

static int run_way(const char *name)
{
	for (size_t i = 0; i < WAYS; i++) {
		if (strcmp(ways[i].name, name) != 0)
			continue;
		begin = now_us();
		uint64_t sum = ways[i].run();

		printf("%.0f %" PRIu64 "\n", (end > 0 ? end : now_us()) - begin, sum);
		return 0;
	}
	return 2;
}

/* -------------------------------------------------------------- measuring --- */

/* One round of a way.  0, or -1: it could not be run. */
static int measure(struct way *w, const char *const *argv)
{
	double us = 0, got = 0;
	char text[128];
	struct rusage use;
	int fd[2], status;

	if (pipe2(fd, O_CLOEXEC) == -1)
		die("pipe");
	pid_t pid = start(argv, -1, fd[1], -1);
	close(fd[1]);
	size_t len = 0;
	for (ssize_t n; len < sizeof(text) - 1 && (n = read(fd[0], text + len, sizeof(text) - 1 - len)) > 0;)
		len += (size_t)n;
	text[len] = 0;
	close(fd[0]);
	if (wait4(pid, &status, 0, &use) != pid)
		die("wait4");
	if (status != 0 || sscanf(text, "%lf %lf", &us, &got) != 2)
		return -1;
	if (got != atof(bytes)) {
		fprintf(stderr, "bench: %s: %.0f bytes of %s arrived\n", w->name, got, bytes);
		exit(1);
	}
	samples_add(&w->rate, got / us);
	samples_add(&w->cpu, ((double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
			      (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6) / got * 1e9);
	return 0;
}

/* The command may not have it, and then says so with status 2. */
static bool has_relay(const char *command)
{
	pid_t pid = start((const char *const[]){ "/bin/sh", "-c", "\"$0\" run --stdio relay -- true >/dev/null 2>&1", command,
						 NULL }, -1, -1, -1);
	int status;

	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void one(struct way *w, const char *command, const char *peers)
{
	char path[4096];

	if (w->missing != NULL)
		return;
	if (w->run != NULL) {
		if (measure(w, (const char *const[]){ self, "--way", w->name, bytes, NULL }) == -1)
			w->missing = "failed";
	} else if (strcmp(w->program, "relay") == 0) {
		/* What reads is the bare pipe's reader, with the command before the writer. */
		if (!has_relay(command))
			w->missing = "the command has no --stdio relay";
		else if (measure(w, (const char *const[]){ self, "--relay", command, bytes, NULL }) == -1)
			w->missing = "failed";
	} else {
		snprintf(path, sizeof(path), "%s/%s", peers, w->program);
		if (access(path, X_OK) == -1)
			w->missing = "not installed";
		else if (measure(w, (const char *const[]){ path, self, "--write", bytes, NULL }) == -1)
			w->missing = "failed";
	}
}

static int run_relay(const char *command)
{
	begin = now_us();
	uint64_t sum = from_pipe((const char *const[]){ command, "run", "--stdio", "relay", "--", self, "--write",
							bytes, NULL });
	printf("%.0f %" PRIu64 "\n", now_us() - begin, sum);
	return 0;
}

int main(int argc, char **argv)
{
	char text[80];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0 || argc < 3) {
		fprintf(stderr, "usage: streams CARREL PEERS [MEGABYTES]\n");
		return 2;
	}
	if (argc > 3)
		snprintf(bytes, sizeof(bytes), "%s", argv[3]);
	if (strcmp(argv[1], "--write") == 0)
		return write_lines(strtoull(argv[2], NULL, 10)), 0;
	if (strcmp(argv[1], "--write-in-session") == 0)
		return setsid() == -1 ? 1 : (write_lines(strtoull(argv[2], NULL, 10)), 0);
	if (strcmp(argv[1], "--way") == 0)
		return run_way(argv[2]);
	if (strcmp(argv[1], "--relay") == 0)
		return run_relay(argv[2]);
	/* Whole lines, so that none is unfinished. */
	unsigned long long mb = argc > 3 ? strtoull(argv[3], NULL, 10) : 1000;
	snprintf(bytes, sizeof(bytes), "%llu", mb * 1000000 / LINE * LINE);
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < WAYS; i++)
			one(&ways[(i + (size_t)round) % WAYS], argv[1], argv[2]);
	}
	for (int cpu = 0; cpu <= 1; cpu++) {
		snprintf(text, sizeof(text), cpu ? "Its processor time, everything together" : "%llu MB out of a child, 64 KiB at a time", mb);
		title(text);
		for (size_t i = 0; i < WAYS; i++) {
			struct way *w = &ways[i];

			if (w->missing != NULL)
				row_skip(w->name, w->missing);
			else
				row(w->name, cpu ? "s/GB" : "MB/s", cpu ? &w->cpu : &w->rate,
				    i == 0 ? NULL : cpu ? &ways[0].cpu : &ways[0].rate, cpu ? NULL : w->aim);
		}
	}
	return 0;
}
