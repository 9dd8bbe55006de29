/* SPDX-License-Identifier: ISC */
/*
 * hardcases: a command that starts children which are hard to get rid of, for tests that something
 * gets rid of them. Every process it starts is killed by its own timer after LIFE_SECONDS.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIFE_SECONDS 300
#define READY_MS 10000
#define BOMB_LIMIT 1024
#define INNOCENT "innocent"	/* the name under which the daemon hides */
#define READY_FD 3		/* where the daemon has the ready pipe when it starts anew */

enum { EXIT_OWN = 125 };

static const char usage[] =
	"usage: hardcases LETTERS [--hold SECONDS | --exit N]\n"
	"Starts a child for each letter, prints 'ready' when all are in place, then holds or exits.\n"
	"  a  a background child\n"
	"  b  a child in a session of its own\n"
	"  c  a daemon: forked twice, own session, no descriptors, no environment, another name\n"
	"  d  a child that ignores TERM, HUP and INT\n"
	"  e  a stopped child\n"
	"  f  a chain: a child that forks, ends and goes on in the new session of its child\n"
	"  g  a child whose second thread has a child\n"
	"  h  a fork bomb; refused for root and without a limit on processes of 1024 or less\n"
	"  --hold SECONDS  stay that long, then exit 0\n"
	"  --exit N        exit N at once (0 without either option)\n"
	"Every child ends after 300 s at the latest.\n"
	"Exit status: as above; 125 own failure; 2 usage.\n";

static struct timespec deadline;
static int ready_fd = -1;

__attribute__((noreturn, format(printf, 2, 3))) static void die(int status, const char *format, ...)
{
	va_list ap;

	fputs("hardcases: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(status);
}

/*
 * bound_life(): has this process killed at the deadline. A timer may send SIGKILL, which also ends
 * a stopped process; a timer is not inherited, so every child calls this.
 */
static void bound_life(void)
{
	struct sigevent kill_us = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	struct itimerspec at = { .it_value = deadline };
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &kill_us, &timer) == -1 ||
	    timer_settime(timer, TIMER_ABSTIME, &at, NULL) == -1)
		_exit(EXIT_OWN);
}

/* start(): as fork, but the child's life is bounded, and without a child this process ends. */
static pid_t start(void)
{
	pid_t pid = fork();

	if (pid == 0)
		bound_life();
	else if (pid == -1)
		die(EXIT_OWN, "fork: %s", strerror(errno));
	return pid;
}

/* in_place(): tells the leader, and lets go of the pipe, whose end means that no more will come. */
static void in_place(void)
{
	if (write(ready_fd, "", 1) != 1)
		_exit(EXIT_OWN);
	close(ready_fd);
}

__attribute__((noreturn)) static void live(void)
{
	for (;;)
		pause();
}

__attribute__((noreturn)) static void case_background(void)
{
	in_place();
	live();
}

__attribute__((noreturn)) static void case_session(void)
{
	setsid();
	in_place();
	live();
}

__attribute__((noreturn)) static void case_daemon(void)
{
	char *const argv[] = { (char[]){ INNOCENT }, NULL }, *const envp[] = { NULL };

	setsid();
	if (start() != 0)
		_exit(0);
	if (ready_fd != READY_FD && dup2(ready_fd, READY_FD) == -1)
		_exit(EXIT_OWN);
	fcntl(READY_FD, F_SETFD, 0);
	execve("/proc/self/exe", argv, envp);
	execve((const char *)getauxval(AT_EXECFN), argv, envp);	/* where there is no /proc */
	_exit(EXIT_OWN);
}

/* be_innocent(): goes on as the daemon after its exec. */
__attribute__((noreturn)) static void be_innocent(void)
{
	prctl(PR_SET_NAME, INNOCENT);
	bound_life();
	if (chdir("/") == -1)
		_exit(EXIT_OWN);
	ready_fd = READY_FD;
	in_place();
	close_range(0, ~0U, 0);
	live();
}

__attribute__((noreturn)) static void case_deaf(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	in_place();
	live();
}

__attribute__((noreturn)) static void case_stopped(void)
{
	in_place();
	for (;;)
		raise(SIGSTOP);
}

__attribute__((noreturn)) static void case_chain(void)
{
	const struct timespec pause_1ms = { .tv_nsec = 1000000 };

	in_place();
	for (;;) {
		pid_t pid = fork();
		if (pid > 0)
			_exit(0);
		if (pid == 0) {
			bound_life();
			setsid();
		}
		nanosleep(&pause_1ms, NULL);
	}
}

static void *thread_with_child(void *unused)
{
	(void)unused;
	if (start() == 0)
		in_place();
	live();
}

__attribute__((noreturn)) static void case_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_with_child, NULL) != 0)
		_exit(EXIT_OWN);
	live();
}

__attribute__((noreturn)) static void case_bomb(void)
{
	in_place();
	for (;;)
		if (fork() == 0)
			bound_life();
}

static void (*const cases[])(void) = {
	['a'] = case_background, ['b'] = case_session, ['c'] = case_daemon, ['d'] = case_deaf,
	['e'] = case_stopped,	 ['f'] = case_chain,   ['g'] = case_thread, ['h'] = case_bomb,
};

static void check_letters(const char *letters)
{
	struct rlimit limit;

	if (*letters == '\0')
		die(2, "no letters given (hardcases --help)");
	if (letters[strspn(letters, "abcdefgh")] != '\0')
		die(2, "'%c' is not a case from a to h", letters[strspn(letters, "abcdefgh")]);
	if (strchr(letters, 'h') == NULL)
		return;
	if (getrlimit(RLIMIT_NPROC, &limit) == -1)
		die(EXIT_OWN, "getrlimit: %s", strerror(errno));
	/* What the system gives by default is finite too, but no limit for a bomb. */
	if (geteuid() == 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > BOMB_LIMIT)
		die(2, "h needs a uid other than 0 and a limit on processes of %d or less",
		    BOMB_LIMIT);
}

/* wait_ready(fd, count): returns when count children have reported. */
static void wait_ready(int fd, size_t count)
{
	char byte;

	for (size_t i = 0; i < count; i++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, READY_MS) != 1 || read(fd, &byte, 1) != 1)
			die(EXIT_OWN, "%zu of %zu cases are not in place", count - i, count);
	}
	close(fd);
}

static void start_all(const char *letters)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		die(EXIT_OWN, "pipe: %s", strerror(errno));
	ready_fd = fds[1];
	for (const char *p = letters; *p != '\0'; p++) {
		pid_t pid = start();
		if (pid == 0) {
			close(fds[0]);
			cases[(unsigned char)*p]();
		}
		if (*p == 'c')
			waitpid(pid, NULL, 0);
		else if (*p == 'e')
			waitpid(pid, NULL, WUNTRACED);
	}
	close(fds[1]);
	wait_ready(fds[0], strlen(letters));
}

static double parse_number(const char *option, const char *text, double max)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= 0 && value <= max))
		die(2, "%s: '%s' is not a number from 0 to %g", option, text, max);
	return value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "hold", required_argument, NULL, 'o' },
		{ "exit", required_argument, NULL, 'e' },
		{ 0 },
	};
	double hold = -1, status = -1;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += LIFE_SECONDS;
	if (argc > 0 && strcmp(argv[0], INNOCENT) == 0)
		be_innocent();
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'h': fputs(usage, stdout); return 0;
		case 'o': hold = parse_number("--hold", optarg, LIFE_SECONDS); break;
		case 'e': status = parse_number("--exit", optarg, 255); break;
		default: return 2;
		}
	}
	if (argc - optind != 1)
		die(2, "give the letters in one word (hardcases --help)");
	if (hold != -1 && status != -1)
		die(2, "--hold and --exit exclude each other");
	if ((double)(int)status != status)
		die(2, "--exit: not a whole number");
	check_letters(argv[optind]);
	start_all(argv[optind]);
	puts("ready");
	fflush(stdout);
	if (hold > 0) {
		struct timespec t = { .tv_sec = (time_t)hold };
		t.tv_nsec = (long)((hold - (double)t.tv_sec) * 1e9);
		nanosleep(&t, NULL);
	}
	return status == -1 ? 0 : (int)status;
}
