/* SPDX-License-Identifier: ISC */
/*
 * faulttask own|keep|inside DIRECTORY: a command that looks at how it was set up, so that a start which went wrong
 * halfway is not taken for a success. It reads its input to the end, says how much that was and `right`, or
 * what is wrong, leaves two processes behind and exits with 7, or 66. own: it leads a session. inside: it is isolated, and nothing
 * of that may be missing.
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

static void check_process(bool own, mode_t wanted, const char *directory)
{
	char cwd[4096];
	struct rlimit core;
	int death = 0;
	mode_t mask = umask(0);

	umask(mask);
	if (mask != wanted)
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
}

static void check_environment(bool kept)
{
	const char *mark = getenv("FAULT_MARK");

	if (kept != (mark != NULL && strcmp(mark, "here") == 0))
		wrong("its environment %s a name", kept ? "lacks" : "has");
}

/* ---- isolation ---- */

/* Lines of a file that begin with ${name} must go on with ${wanted}. */
static void check_lines(const char *path, const char *name, const char *wanted)
{
	char line[512];
	int seen = 0;
	FILE *f = fopen(path, "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		seen++;
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line + strlen(name), wanted, strlen(wanted)) != 0)
			wrong("%s: %s", path, line);
	}
	if (f != NULL)
		fclose(f);
	if (seen == 0)
		wrong("%s has no %s", path, name);
}

/* Every mount with the options that it must have; what is not there is counted by the caller's list. */
static void check_mounts(void)
{
	static const char *const needed[] = { "/", "/usr", "/dev", "/dev/null", "/dev/pts", "/dev/shm", "/proc",
					      "/proc/sys", "/proc/keys", "/tmp", "/home" };
	char line[1024], at[512], options[256];
	bool seen[sizeof(needed) / sizeof(needed[0])] = { false };
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%*d %*d %*s %*s %511s %255s", at, options) != 2)
			continue;
		for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
			seen[i] |= strcmp(at, needed[i]) == 0;
		if (strstr(options, "nosuid") == NULL)
			wrong("%s may have setuid programs: %s", at, options);
		if (strncmp(options, "rw", 2) == 0 && strstr(options, "noexec") == NULL)
			wrong("%s may be written to and executed from", at);
		if (strncmp(at, "/dev/", 5) != 0 && strstr(options, "nodev") == NULL)
			wrong("%s may have devices: %s", at, options);
		if (strstr(line, " shared:") != NULL || strstr(line, " master:") != NULL)
			wrong("%s belongs to others as well", at);
	}
	if (f != NULL)
		fclose(f);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!seen[i])
			wrong("nothing is mounted on %s", needed[i]);
}

/* Neither reading, nor writing where that is given. */
static void check_closed(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd == -1)
		return;
	wrong("%s can be opened", path);
	close(fd);
}

static void check_isolation(void)
{
	char name[65] = "";

	if (getuid() == 0 || geteuid() == 0 || getgid() == 0)
		wrong("it is user %d", (int)getuid());
	if (getpid() != 2 || getppid() != 1)
		wrong("it is process %d of %d", (int)getpid(), (int)getppid());
	if (gethostname(name, sizeof(name)) != 0 || strcmp(name, "carrel") != 0)
		wrong("its host is called %s", name);
	for (const char *set = "Inh\0Prm\0Eff\0Bnd\0Amb\0"; *set != 0; set += 4) {
		char line[16];

		snprintf(line, sizeof(line), "Cap%s:\t", set);
		check_lines("/proc/self/status", line, "0000000000000000");
	}
	check_lines("/proc/self/setgroups", "", "deny");
	check_lines("/proc/sys/user/max_user_namespaces", "", "0");
	check_mounts();
	check_closed("/proc/keys", O_RDONLY);
	check_closed("/proc/kallsyms", O_RDONLY);
	check_closed("/proc/sys/kernel/core_pattern", O_WRONLY);
	check_closed("/proc/sysrq-trigger", O_WRONLY);
	check_closed("/proc/1/environ", O_RDONLY);
	check_closed("/new", O_WRONLY | O_CREAT);
	check_closed("/usr/new", O_WRONLY | O_CREAT);
	if (prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != 0xef)
		wrong("its secure bits are %#x", (unsigned)prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	if (access("/sys", F_OK) == 0 || access("/root", F_OK) == 0 || access("/boot", F_OK) == 0)
		wrong("it sees directories of the host");
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
	const bool inside = strcmp(argv[1], "inside") == 0;
	check_process(strcmp(argv[1], "keep") != 0, inside ? 022 : 027, argv[2]);
	check_environment(!inside);
	if (inside)
		check_isolation();
	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
		total += (size_t)n;
	printf("%zu bytes\n%s\n", total, wrongs == 0 ? "right" : "not right");
	if (fflush(stdout) != 0)
		return 66;
	leave_processes();
	return wrongs == 0 ? 7 : 66;
}
