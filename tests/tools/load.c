/* SPDX-License-Identifier: ISC */
/*
 * Known amounts of what can be limited:
 *   load cpu MS [N]      MS milliseconds of processor time in each of N processes (1); says how much it was
 *   load memory BYTES [MS]  so much memory, all of it touched, held for MS milliseconds
 *   load processes N     N children at one time: says how many there were, and waits for them
 *   load threads N       the same with threads
 *   load bomb            children that do the same, until nobody can be forked any more
 *   load spin            processor time without end
 *   load write BYTES     so many bytes to standard output
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void burn(int64_t us)
{
	while (cpu_us() < us) {
		for (volatile int i = 0; i < 1000; i++)
			continue;
	}
}

static int cpu(int64_t us, int n)
{
	struct rusage ru;

	for (int i = 1; i < n; i++) {
		if (fork() == 0) {
			burn(us);
			_exit(0);
		}
	}
	burn(us);
	while (wait(NULL) > 0)
		continue;
	getrusage(RUSAGE_CHILDREN, &ru);
	printf("%lld\n", (long long)cpu_us() + ru.ru_utime.tv_sec * 1000000LL + ru.ru_utime.tv_usec +
				 ru.ru_stime.tv_sec * 1000000LL + ru.ru_stime.tv_usec);
	return 0;
}

static int memory(size_t n, unsigned ms)
{
	char *p = malloc(n);

	for (size_t i = 0; p != NULL && i < n; i += 4096)
		((volatile char *)p)[i] = 1;
	usleep(ms * 1000);
	puts(p != NULL ? "done" : "no memory");
	free(p);
	return p == NULL;
}

static int processes(int n)
{
	int made = 0, end[2];

	if (pipe(end) == -1)
		return 1;
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			char c;

			close(end[1]);
			_exit(read(end[0], &c, 1) != 0);
		}
		made += pid > 0;
	}
	printf("%d\n", made);
	fflush(stdout);
	close(end[1]);
	while (wait(NULL) > 0)
		continue;
	return 0;
}

static void *idle(void *arg)
{
	sleep(1);
	return arg;
}

static int threads(int n)
{
	int made = 0;
	pthread_t t;

	for (int i = 0; i < n; i++)
		made += pthread_create(&t, NULL, idle, NULL) == 0;
	printf("%d\n", made);
	return 0;
}

static _Noreturn void bomb(void)
{
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		if (fork() == -1)
			usleep(100);
	}
}

static int put(uint64_t n)
{
	static char text[4096];

	memset(text, 'x', sizeof(text));
	while (n > 0) {
		ssize_t w = write(1, text, n < sizeof(text) ? (size_t)n : sizeof(text));

		if (w == -1)
			return errno;
		n -= (uint64_t)w;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

	if (strcmp(what, "cpu") == 0)
		return cpu((int64_t)n * 1000, argc > 3 ? atoi(argv[3]) : 1);
	if (strcmp(what, "memory") == 0)
		return memory(n, argc > 3 ? (unsigned)atoi(argv[3]) : 0);
	if (strcmp(what, "processes") == 0)
		return processes((int)n);
	if (strcmp(what, "threads") == 0)
		return threads((int)n);
	if (strcmp(what, "bomb") == 0)
		bomb();
	if (strcmp(what, "spin") == 0)
		burn(INT64_MAX);
	if (strcmp(what, "write") == 0)
		return put(n);
	fputs("usage: load cpu|memory|processes|threads|bomb|spin|write [N]\n", stderr);
	return 2;
}
