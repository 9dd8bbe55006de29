/* SPDX-License-Identifier: ISC */
/*
 * faulttask own|keep DIRECTORY: a command that looks at how it was set up, so that a start which went wrong
 * halfway is not taken for a success. It reads its input to the end, says how much that was and `right`, or
 * what is wrong, leaves two processes behind and exits with 7, or 66. own: it leads a session.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int wrongs;

__attribute__((format(printf, 1, 2))) static void wrong(const char *format, ...)
{
	va_list ap;

	fputs("wrong: ", stdout);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	wrongs++;
}

static void check_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");

	if (d == NULL) {
		wrong("/proc/self/fd: %s", strerror(errno));
		return;
	}
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.' && atoi(e->d_name) > 2 && atoi(e->d_name) != dirfd(d))
			wrong("descriptor %s is open", e->d_name);
	closedir(d);
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) == -1)
			wrong("descriptor %d is not open", fd);
}

static void check_signals(void)
{
	struct sigaction old;
	sigset_t blocked;

	sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (int sig = 1; sig < NSIG; sig++) {
		if (sigismember(&blocked, sig) == 1)
			wrong("signal %d is blocked", sig);
		if (sigaction(sig, NULL, &old) == 0 && old.sa_handler != SIG_DFL)
			wrong("signal %d is ignored", sig);
	}
}

static void check_process(bool own, const char *directory)
{
	char cwd[4096];
	struct rlimit core;
	int death = 0;
	mode_t mask = umask(0);

	umask(mask);
	if (mask != 027)
		wrong("umask %o", (unsigned)mask);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		wrong("it may gain privileges");
	if (prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0) != 0 || death != SIGKILL)
		wrong("it outlives its reaper");
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0)
		wrong("it dumps core");
	if (own != (getsid(0) == getpid()))
		wrong("its session is %d, itself %d", (int)getsid(0), (int)getpid());
	if (getcwd(cwd, sizeof(cwd)) == NULL || strcmp(cwd, directory) != 0)
		wrong("its directory is %s", cwd);
	const char *mark = getenv("FAULT_MARK");
	if (mark == NULL || strcmp(mark, "here") != 0)
		wrong("its environment lacks a name");
}

static void leave_processes(void)
{
	for (int i = 0; i < 2; i++) {
		if (fork() != 0)
			continue;
		if (i == 0)
			setsid();
		alarm(60);
		for (;;)
			pause();
	}
}

int main(int argc, char **argv)
{
	static char buf[65536];
	size_t total = 0;
	ssize_t n;

	if (argc != 3)
		return 2;
	check_descriptors();
	check_signals();
	check_process(strcmp(argv[1], "own") == 0, argv[2]);
	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
		total += (size_t)n;
	printf("%zu bytes\n%s\n", total, wrongs == 0 ? "right" : "not right");
	if (fflush(stdout) != 0)
		return 66;
	leave_processes();
	return wrongs == 0 ? 7 : 66;
}
