/* SPDX-License-Identifier: ISC */
/*
 * tap.h: tests in C that report in the Test Anything Protocol.
 *
 *	#include "tap.h"
 *	TEST(adds) { CHECK_INT(1 + 1, 2); }
 *	TEST_T(waits_long, 120) { if (!have_it()) SKIP("no such thing here"); ... }
 *
 * Every test runs in a forked child, the leader of its own process group, under a time limit (60 s,
 * or what TEST_T says). A failed check, an ending by signal, a status other than 0, the time limit
 * and processes left behind each fail the test. Define TAP_NO_MAIN to call tap_main from a main of
 * your own, and TAP_SETTLE_MS for how long a passed test's processes may take to go away.
 *
 * In a test, standard input is /dev/null and standard output is standard error, so that nothing a
 * command prints can be taken for a result.
 */
#ifndef TAP_H
#define TAP_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#define TAP_WALL __WALL		/* carrel's processes end with exit signal 0 */
#else
#define TAP_WALL 0
#endif

#ifndef TAP_SETTLE_MS
#define TAP_SETTLE_MS 1000
#endif
#define TAP_KILL_MS 5000
#define TAP_SKIPPED 77
#define TAP_USED __attribute__((unused))

struct tap_test {
	const char *name;
	void (*run)(void);
	unsigned seconds;
	bool chosen;
	struct tap_test *next;
};

/*
 * Shared with every process of the test, so that a check fails the test in whichever process it
 * fails, also one that can no longer write or make any system call.
 */
struct tap_shared {
	atomic_bool failed;
	atomic_size_t used;
	char skip[256];
	char text[16384];
};

static struct tap_test *tap_tests, **tap_tail = &tap_tests;
static struct tap_shared *tap_shared;
static volatile pid_t tap_pid;
static volatile sig_atomic_t tap_late;

#define TEST_T(id, limit)                                                                          \
	static void test_##id(void);                                                               \
	static struct tap_test tap_test_##id = { #id, test_##id, limit, false, NULL };             \
	__attribute__((constructor)) static void tap_add_##id(void)                                \
	{                                                                                          \
		*tap_tail = &tap_test_##id;                                                        \
		tap_tail = &tap_test_##id.next;                                                    \
	}                                                                                          \
	static void test_##id(void)
#define TEST(id) TEST_T(id, 60)

#define CHECK(expr) ((expr) ? (void)0 : tap_fail("%s:%d: not true: %s", __FILE__, __LINE__, #expr))
#define CHECK_INT(a, b) tap_check_int(__FILE__, __LINE__, #a, #b, (intmax_t)(a), (intmax_t)(b))
#define CHECK_STR(a, b) tap_check_str(__FILE__, __LINE__, #a, #b, a, b)
#define CHECK_MEM(a, alen, b, blen) tap_check_mem(__FILE__, __LINE__, #a, #b, a, alen, b, blen)
#define SKIP(reason) tap_skip(reason)

extern void __gcov_dump(void) __attribute__((weak));

/* tap_end(status): _exit loses what gcov counted, exit would run the test's atexit functions. */
__attribute__((noreturn)) static inline void tap_end(int status)
{
	if (__gcov_dump != NULL)
		__gcov_dump();
	_exit(status);
}

/* tap_say(format, ...): adds a line to the test's diagnostics. */
__attribute__((format(printf, 1, 2))) static inline void tap_say(const char *format, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(line, sizeof(line) - 1, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	size_t len = strlen(line);
	line[len++] = '\n';
	size_t at = atomic_fetch_add(&tap_shared->used, len);
	if (at + len < sizeof(tap_shared->text))
		memcpy(tap_shared->text + at, line, len);
}

#define tap_fail(...) (tap_say(__VA_ARGS__), atomic_store(&tap_shared->failed, true), tap_end(1))

TAP_USED static void tap_skip(const char *reason)
{
	snprintf(tap_shared->skip, sizeof(tap_shared->skip), "%s", reason);
	tap_end(TAP_SKIPPED);
}

TAP_USED static void tap_check_int(const char *file, int line, const char *as, const char *bs,
				   intmax_t a, intmax_t b)
{
	if (a != b)
		tap_fail("%s:%d: %s is %jd, not %s = %jd", file, line, as, a, bs, b);
}

TAP_USED static void tap_check_str(const char *file, int line, const char *as, const char *bs,
				   const char *a, const char *b)
{
	if (a == b || (a != NULL && b != NULL && strcmp(a, b) == 0))
		return;
	tap_fail("%s:%d: %s is \"%s\", not %s = \"%s\"", file, line, as, a ? a : "(null)", bs,
		 b ? b : "(null)");
}

/* tap_hex(out, p, len, at): the bytes from at on, sixteen at most. */
static inline const char *tap_hex(char out[64], const void *p, size_t len, size_t at)
{
	const unsigned char *bytes = p;
	int n = 0;

	out[0] = '\0';
	for (size_t i = at; i < len && i < at + 16; i++)
		n += snprintf(out + n, 64 - (size_t)n, " %02x", bytes[i]);
	return out;
}

TAP_USED static void tap_check_mem(const char *file, int line, const char *as, const char *bs,
				   const void *a, size_t alen, const void *b, size_t blen)
{
	const unsigned char *ap = a, *bp = b;
	char ah[64], bh[64];
	size_t at = 0;

	while (at < alen && at < blen && ap[at] == bp[at])
		at++;
	if (at == alen && at == blen)
		return;
	tap_fail("%s:%d: %s (%zu bytes) and %s (%zu bytes) differ at %zu:%s /%s", file, line, as,
		 alen, bs, blen, at, tap_hex(ah, a, alen, at), tap_hex(bh, b, blen, at));
}

/* tap_children(out, max): this process's children now, of which it writes the first max. */
static inline int tap_children(pid_t *out, int max)
{
	int n = 0;
#ifdef __linux__
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(path, "re");
	for (int pid; f != NULL && n < max && fscanf(f, "%d", &pid) == 1; n++)
		out[n] = pid;
	if (f != NULL)
		fclose(f);
#else
	(void)out, (void)max;
#endif
	return n;
}

static inline void tap_name_leftover(pid_t pid)
{
	char path[64], name[64] = "?";

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? 0 : read(fd, name, sizeof(name) - 1);
	if (n > 0)
		name[strcspn(name, "\n")] = '\0';
	if (fd != -1)
		close(fd);
	tap_say("leftovers: pid %d (%s)", (int)pid, name);
}

/*
 * tap_sweep(settle_ms): reaps what the test left, and after settle_ms kills it. Returns how many
 * processes had to be killed: a killed one's children become ours and are met in a later round.
 */
static inline int tap_sweep(int settle_ms)
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	pid_t pid, left[256];
	int killed = 0;

	for (int ms = 0; ms < settle_ms + TAP_KILL_MS; ms++) {
		while ((pid = waitpid(-1, NULL, WNOHANG | TAP_WALL)) > 0)
			killed += ms > settle_ms;
		if (pid == -1 && errno == ECHILD)
			return killed;
		int n = ms < settle_ms ? 0 : tap_children(left, 256);
		for (int i = 0; i < n; i++) {
			if (ms == settle_ms)
				tap_name_leftover(left[i]);
			kill(left[i], SIGKILL);
		}
		nanosleep(&tick, NULL);
	}
	tap_say("leftovers: some could not be killed");
	return killed + 1;
}

static inline void tap_alarm(int sig)
{
	(void)sig;
	tap_late = 1;
	kill(tap_pid, SIGKILL);
}

__attribute__((noreturn)) static inline void tap_child(const struct tap_test *t)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setpgid(0, 0);
	signal(SIGALRM, SIG_DFL);
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	/* Outside the foreground group, a read from the terminal would stop the test. */
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) == -1)
		tap_end(125);
	close(null);
	t->run();
	exit(0);
}

/* tap_wait(t): the wait status of the running test, which is killed at its time limit. */
static inline int tap_wait(const struct tap_test *t)
{
	int status = 0;
	siginfo_t info;

	tap_late = 0;
	alarm(t->seconds);
	/* The alarm must find the pid still taken: so disarm between its end and its reaping. */
	while (waitid(P_PID, (id_t)tap_pid, &info, WEXITED | WNOWAIT) == -1 && errno == EINTR)
		continue;
	alarm(0);
	kill(-tap_pid, tap_late ? SIGKILL : 0);
	waitpid(tap_pid, &status, 0);
	return status;
}

static inline bool tap_verdict(const struct tap_test *t, int status)
{
	bool skip = WIFEXITED(status) && WEXITSTATUS(status) == TAP_SKIPPED &&
		    tap_shared->skip[0] != '\0' && !atomic_load(&tap_shared->failed);
	bool ok = skip || (status == 0 && !atomic_load(&tap_shared->failed));

	if (tap_late)
		tap_say("killed at its time limit of %u s", t->seconds);
	else if (WIFSIGNALED(status))
		tap_say("ended by signal %d", WTERMSIG(status));
	else if (!ok && WEXITSTATUS(status) != 0 && !atomic_load(&tap_shared->failed))
		tap_say("exited with %d", WEXITSTATUS(status));
	int left = tap_sweep(ok ? TAP_SETTLE_MS : 0);
	if (left > 0)
		tap_say("leftovers: %d killed", left);
	return ok && (skip || left == 0);
}

static inline bool tap_run(int number, const struct tap_test *t)
{
	memset(tap_shared, 0, sizeof(*tap_shared));
	fflush(NULL);
	tap_pid = fork();
	if (tap_pid == 0)
		tap_child(t);
	if (tap_pid == -1) {
		printf("not ok %d - %s\n# fork: %s\n", number, t->name, strerror(errno));
		return false;
	}
	setpgid(tap_pid, tap_pid);
	bool ok = tap_verdict(t, tap_wait(t));
	printf("%s %d - %s%s%s\n", ok ? "ok" : "not ok", number, t->name,
	       ok && tap_shared->skip[0] ? " # SKIP " : "", ok ? tap_shared->skip : "");
	tap_shared->text[sizeof(tap_shared->text) - 1] = '\0';
	for (char *p = tap_shared->text, *line; (line = strsep(&p, "\n")) != NULL;)
		if (*line != '\0')
			printf("# %s\n", line);
	return ok;
}

/* tap_choose(argc, argv): marks the tests to run and returns how many, or -1 for a usage error. */
static inline int tap_choose(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++) {
		struct tap_test *t = tap_tests;
		while (t != NULL && strcmp(t->name, argv[i]) != 0)
			t = t->next;
		if (t == NULL) {
			fprintf(stderr, "%s: no test is named '%s' (--list names them)\n", argv[0],
				argv[i]);
			return -1;
		}
		t->chosen = true;
	}
	for (struct tap_test *t = tap_tests; t != NULL; t = t->next)
		count += t->chosen |= argc < 2;
	return count;
}

/* tap_main(argc, argv): runs the tests named, or all; returns the exit status. */
static inline int tap_main(int argc, char **argv)
{
	int number = 0, failed = 0;

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--list") == 0)) {
		if (argv[1][2] == 'h')
			printf("usage: %s [--help | --list | TEST...]\n", argv[0]);
		for (struct tap_test *t = tap_tests; t != NULL && argv[1][2] == 'l'; t = t->next)
			puts(t->name);
		return 0;
	}
	int count = tap_choose(argc, argv);
	if (count == -1)
		return 2;
#ifdef __linux__
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		return perror("subreaper"), 125;
#endif
	tap_shared = mmap(NULL, sizeof(*tap_shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tap_shared == MAP_FAILED)
		return perror("mmap"), 125;
	signal(SIGCHLD, SIG_DFL);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = tap_alarm }, NULL);
	printf("1..%d%s\n", count, count == 0 ? " # SKIP no tests" : "");
	for (struct tap_test *t = tap_tests; t != NULL; t = t->next)
		if (t->chosen && !tap_run(++number, t))
			failed++;
	return failed > 0;
}

#ifndef TAP_NO_MAIN
int main(int argc, char **argv)
{
	return tap_main(argc, argv);
}
#endif
#endif
