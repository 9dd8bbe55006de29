/* SPDX-License-Identifier: ISC */
/*
 * spawn NOP rate        one command that does nothing, and its end
 * spawn NOP host GB     from a host that has touched ${GB}, and what its other threads feel
 * spawn NOP memory      what the control processes take
 */
#include "measure.h"

#include <carrel.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WARM 50
#define ROUNDS 1500
#define IN_FLIGHT 16
#define FLIGHT_SPAWNS 400
#define FLIGHT_ROUNDS 7
#define HOST_ROUNDS 60
#define FORK_ROUNDS 10
#define STREAMS 50
#define PAGE 4096

extern char **environ;

static const char *nop;

/* ------------------------------------------------------- ways to spawn --- */

static carrel *open_handle(int no_cgroup)
{
	const carrel_config cfg = { .size = sizeof(cfg), .no_cgroup = no_cgroup };
	carrel_error e;
	carrel *c = carrel_open(&cfg, &e);

	if (c == NULL)
		die(carrel_strerror(&e));
	return c;
}

static carrel_proc *ask(carrel *c, const char *const *argv)
{
	carrel_error e;
	carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = argv, .in = { .kind = CARREL_PIPE }), &e);

	if (p == NULL)
		die(carrel_strerror(&e));
	return p;
}

/* The next tree that is gone. */
static carrel_proc *await_gone(carrel *c)
{
	carrel_event ev = { .size = sizeof(ev) };

	do {
		if (carrel_next(c, &ev, -1) != 1)
			die("carrel_next");
	} while (ev.kind != CARREL_GONE);
	return ev.proc;
}

static void by_carrel(carrel *c)
{
	ask(c, CARREL_ARGV(nop));
	carrel_release(await_gone(c));
}

struct pipes {
	int fd[3][2];
};

static void pipes_open(struct pipes *p)
{
	for (int i = 0; i < 3; i++) {
		if (pipe2(p->fd[i], O_CLOEXEC) == -1)
			die("pipe");
	}
}

/* Ours (${which} 1) or the command's ends (0): it reads the first pipe and writes the others. */
static void pipes_close(struct pipes *p, int which)
{
	for (int i = 0; i < 3; i++)
		close(p->fd[i][i == 0 ? which : !which]);
}

static pid_t posix_begin(struct pipes *p)
{
	pipes_open(p);
	pid_t pid = start((const char *const[]){ nop, NULL }, p->fd[0][0], p->fd[1][1], p->fd[2][1]);
	pipes_close(p, 0);
	return pid;
}

static void by_posix(carrel *unused)
{
	struct pipes p;

	(void)unused;
	finish(posix_begin(&p), nop);
	pipes_close(&p, 1);
}

static void by_fork(carrel *unused)
{
	char *argv[] = { NULL, NULL };
	struct pipes p;

	(void)unused;
	memcpy(&argv[0], &nop, sizeof(nop));
	pipes_open(&p);
	pid_t pid = fork();
	if (pid == -1)
		die("fork");
	if (pid == 0) {
		dup2(p.fd[0][0], 0);
		dup2(p.fd[1][1], 1);
		dup2(p.fd[2][1], 2);
		execve(nop, argv, environ);
		_exit(127);
	}
	pipes_close(&p, 0);
	finish(pid, nop);
	pipes_close(&p, 1);
}

static void by_nothing(carrel *unused)
{
	(void)unused;
	usleep(300);
}

struct way {
	const char *name;
	void (*run)(carrel *c);
	carrel *c;
	const char *aim;
	struct samples took, stall;
};

static double timed(struct way *w)
{
	double begin = now_us();

	w->run(w->c);
	return now_us() - begin;
}

static void take_turns(struct way *w, size_t n, int warm, int rounds)
{
	for (int round = -warm; round < rounds; round++) {
		for (size_t i = 0; i < n; i++) {
			double took = timed(&w[i]);

			if (round >= 0)
				samples_add(&w[i].took, took);
		}
	}
}

/* ----------------------------------------------------------------- rate --- */

static double flight_carrel(carrel *c, int in_flight)
{
	double begin = now_us();
	int asked = 0;

	while (asked < in_flight) {
		ask(c, CARREL_ARGV(nop));
		asked++;
	}
	for (int gone = 0; gone < FLIGHT_SPAWNS; gone++) {
		carrel_release(await_gone(c));
		if (asked++ < FLIGHT_SPAWNS)
			ask(c, CARREL_ARGV(nop));
	}
	return FLIGHT_SPAWNS / (now_us() - begin) * 1e6;
}

/* Waits by number, as the control processes are children as well. */
static double flight_posix(int in_flight)
{
	struct pipes p[IN_FLIGHT];
	pid_t pid[IN_FLIGHT];
	double begin = now_us();
	int asked = 0;

	while (asked < in_flight) {
		pid[asked] = posix_begin(&p[asked]);
		asked++;
	}
	for (int gone = 0; gone < FLIGHT_SPAWNS; gone++) {
		int i = gone % in_flight;

		finish(pid[i], nop);
		pipes_close(&p[i], 1);
		if (asked++ < FLIGHT_SPAWNS)
			pid[i] = posix_begin(&p[i]);
	}
	return FLIGHT_SPAWNS / (now_us() - begin) * 1e6;
}

static void flights(carrel *c, carrel *plain, int in_flight)
{
	struct samples posix = { 0 }, with = { 0 }, without = { 0 };
	char what[3][80];

	for (int round = 0; round < FLIGHT_ROUNDS; round++) {
		samples_add(&posix, flight_posix(in_flight));
		samples_add(&with, flight_carrel(c, in_flight));
		samples_add(&without, flight_carrel(plain, in_flight));
	}
	snprintf(what[0], sizeof(what[0]), "posix_spawn, %d in flight", in_flight);
	snprintf(what[1], sizeof(what[1]), "carrel, %d in flight", in_flight);
	snprintf(what[2], sizeof(what[2]), "carrel no_cgroup, %d in flight", in_flight);
	row(what[0], "/s", &posix, NULL, "");
	row(what[1], "/s", &with, &posix, ">= 0.33");
	row(what[2], "/s", &without, &posix, ">= 0.33");
	samples_finish(&posix);
	samples_finish(&with);
	samples_finish(&without);
}

static void rate(void)
{
	carrel_caps caps = { .size = sizeof(caps) };
	struct way w[] = {
		{ .name = "posix_spawn, three pipes, waitpid", .run = by_posix },
		{ .name = "carrel_spawn .. GONE", .run = by_carrel, .c = open_handle(0), .aim = "<= 3" },
		{ .name = "the same, no_cgroup", .run = by_carrel, .c = open_handle(1), .aim = "<= 3" },
	};

	carrel_probe(w[1].c, &caps);
	printf("One command of three instructions (%s)\n", caps.mechanism);
	take_turns(w, 3, WARM, ROUNDS);
	for (int i = 0; i < 3; i++)
		row(w[i].name, "us", &w[i].took, i > 0 ? &w[0].took : NULL, w[i].aim);
	flights(w[1].c, w[2].c, 1);
	flights(w[1].c, w[2].c, IN_FLIGHT);
	for (int i = 0; i < 3; i++) {
		samples_finish(&w[i].took);
		carrel_close(w[i].c);
	}
}

/* ----------------------------------------------------------- a big host --- */

static struct {
	char *heap;
	size_t size;
	atomic_int stop;
	_Atomic(double) worst, before; /* the longest step, and when the one that goes on began */
} writer;

/* Another thread of the host that works on its heap and times each of its steps. */
static void *write_heap(void *unused)
{
	uint64_t at = 1;
	double before = now_us();

	while (!atomic_load_explicit(&writer.stop, memory_order_relaxed)) {
		at = at * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		((volatile char *)writer.heap)[(at >> 16) % (writer.size / PAGE) * PAGE]++;
		double now = now_us();
		if (now - before > atomic_load_explicit(&writer.worst, memory_order_relaxed))
			atomic_store(&writer.worst, now - before);
		before = now;
		atomic_store_explicit(&writer.before, now, memory_order_relaxed);
	}
	return unused;
}

/* A thread that is being held up has not said so yet. */
static double longest_step(void)
{
	double worst = atomic_load(&writer.worst), going_on = now_us() - atomic_load(&writer.before);

	return going_on > worst ? going_on : worst;
}

static size_t available_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	size_t kb = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		sscanf(line, "MemAvailable: %zu", &kb);
	if (f != NULL)
		fclose(f);
	return kb;
}

static void stalls(struct way *w, size_t n, int rounds)
{
	for (int round = 0; round < rounds; round++) {
		for (size_t i = 0; i < n; i++) {
			atomic_store(&writer.worst, 0);
			w[i].run(w[i].c);
			samples_add(&w[i].stall, longest_step());
			usleep(1000);
		}
	}
}

static void host_rows(struct way *w, size_t n, const char *size)
{
	char what[80];

	/* The way that does nothing has no time of its own. */
	for (size_t i = 1; i < n; i++) {
		snprintf(what, sizeof(what), "%s host: %s", size, w[i].name);
		row(what, "us", &w[i].took, i > 1 ? &w[1].took : NULL, w[i].aim != NULL ? "flat" : "");
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(what, sizeof(what), "%s host, longest step of a thread: %s", size, w[i].name);
		row(what, "us", &w[i].stall, NULL, w[i].aim);
	}
}

static void host(int gb)
{
	struct way w[] = {
		{ .name = "nothing", .run = by_nothing },
		{ .name = "posix_spawn", .run = by_posix },
		{ .name = "carrel", .run = by_carrel, .c = open_handle(0), .aim = "< 1000" },
		{ .name = "fork, exec", .run = by_fork },
	};
	pthread_t thread;
	char size[32];

	snprintf(size, sizeof(size), "%d GB", gb);
	writer.size = (size_t)gb << 30;
	if (available_kb() < (writer.size >> 10) * 5 / 4) {
		row_skip(size, "skipped: not enough memory");
		carrel_close(w[2].c);
		return;
	}
	writer.heap = mmap(NULL, writer.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (writer.heap == MAP_FAILED)
		die("mmap");
	/* The usual heap is of small pages, and they are what a fork copies the tables of. */
	madvise(writer.heap, writer.size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < writer.size; i += PAGE)
		((volatile char *)writer.heap)[i] = 1;
	/* Forks write-protect the whole heap: after the others, so that nobody else pays for it. */
	take_turns(w + 1, 2, WARM, HOST_ROUNDS * 4);
	if (pthread_create(&thread, NULL, write_heap, NULL) != 0)
		die("thread");
	usleep(10000);
	stalls(w, 3, HOST_ROUNDS);
	stalls(w + 3, 1, FORK_ROUNDS);
	atomic_store(&writer.stop, 1);
	pthread_join(thread, NULL);
	take_turns(w + 3, 1, 1, FORK_ROUNDS);
	host_rows(w, 4, size);
	munmap(writer.heap, writer.size);
	carrel_close(w[2].c);
	for (int i = 0; i < 4; i++) {
		samples_finish(&w[i].took);
		samples_finish(&w[i].stall);
	}
}

/* --------------------------------------------------------------- memory --- */

struct size {
	double own_kb;		/* Private_Clean and Private_Dirty */
	double pss_kb;		/* and a share of what it shares */
};

static int size_of(pid_t pid, struct size *ret)
{
	char path[64], line[160];

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return -1;
	*ret = (struct size){ 0 };
	while (fgets(line, sizeof(line), f) != NULL) {
		double kb;

		if (sscanf(line, "Private_Clean: %lf", &kb) == 1 ||
		    sscanf(line, "Private_Dirty: %lf", &kb) == 1)
			ret->own_kb += kb;
		else if (sscanf(line, "Pss: %lf", &kb) == 1)
			ret->pss_kb = kb;
	}
	fclose(f);
	return 0;
}

static size_t children_of(pid_t pid, pid_t *child, size_t room)
{
	char path[64];
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	FILE *f = fopen(path, "re");
	while (f != NULL && n < room && fscanf(f, "%d", &child[n]) == 1)
		n++;
	if (f != NULL)
		fclose(f);
	return n;
}

static void add_size(const char *what, pid_t pid, struct size *sum)
{
	struct size s;

	if (size_of(pid, &s) == -1) {
		row_skip(what, "not readable (a locked process shows itself to root only)");
		return;
	}
	sum->own_kb += s.own_kb;
	sum->pss_kb += s.pss_kb;
	row_one(what, "KiB", s.own_kb, "");
}

static void reapers(const carrel_caps *caps, pid_t spare, struct size *sum, struct samples *each)
{
	pid_t child[STREAMS + 8];
	size_t n = children_of(caps->supervisor, child, STREAMS + 8);

	for (size_t i = 0; i < n; i++) {
		struct size s;

		if (child[i] == caps->nursery || child[i] == spare || size_of(child[i], &s) == -1)
			continue;
		samples_add(each, s.own_kb);
		sum->own_kb += s.own_kb;
		sum->pss_kb += s.pss_kb;
	}
}

static void memory(void)
{
	carrel_caps caps = { .size = sizeof(caps) };
	char sleep_path[256];
	struct size sum = { 0 }, after = { 0 };
	struct samples each = { 0 };
	pid_t child[8], spare = 0;
	carrel *c = open_handle(0);

	title("Memory that a process has for itself (Private_Clean and Private_Dirty)");
	if (find_program("sleep", sleep_path, sizeof(sleep_path)) == -1)
		die("sleep");
	carrel_probe(c, &caps);
	/* Wait until the spare is ready. */
	usleep(100000);
	size_t n = children_of(caps.supervisor, child, 8);
	for (size_t i = 0; i < n; i++)
		spare = child[i] != caps.nursery ? child[i] : spare;
	add_size("guard", caps.guard, &sum);
	add_size("supervisor", caps.supervisor, &sum);
	add_size("nursery", caps.nursery, &sum);
	add_size("spare reaper", spare, &sum);
	row_one("an idle handle", "KiB", sum.own_kb, "<= 512");
	row_one("an idle handle, with its share of shared pages (Pss)", "KiB", sum.pss_kb, "");
	for (int i = 0; i < STREAMS; i++)
		ask(c, CARREL_ARGV(sleep_path, "1000"));
	usleep(100000);
	add_size("supervisor with 50 streams", caps.supervisor, &after);
	/* The spare from before has a stream now. */
	reapers(&caps, 0, &after, &each);
	row("reaper of one stream", "KiB", &each, NULL, "<= 128");
	row_one("50 streams, each (Pss)", "KiB", (after.pss_kb - sum.pss_kb) / STREAMS, "");
	samples_finish(&each);
	carrel_close(c);
}

int main(int argc, char **argv)
{
	if (argc >= 3)
		nop = argv[1];
	if (argc == 3 && strcmp(argv[2], "rate") == 0)
		rate();
	else if (argc == 4 && strcmp(argv[2], "host") == 0 && atoi(argv[3]) > 0)
		host(atoi(argv[3]));
	else if (argc == 3 && strcmp(argv[2], "memory") == 0)
		memory();
	else
		return fprintf(stderr, "usage: spawn NOP rate | host GB | memory\n"), 2;
	return 0;
}
