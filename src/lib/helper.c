/* SPDX-License-Identifier: ISC */
/* Finding and starting the control process. */
#include "internal.h"

#include "fd.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "carrel-control"

static bool usable(const char *path)
{
	return access(path, X_OK) == 0;
}

/* Beside the executable (a build tree, a static program that ships it), then as installed. */
static bool beside(char *path, size_t size)
{
	static const char *const where[] = { "/" PROGRAM, "/../libexec/carrel/" PROGRAM };
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (n <= 0)
		return false;
	exe[n] = 0;
	slash = strrchr(exe, '/');
	if (slash == NULL)
		return false;
	*slash = 0;
	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		int len = snprintf(path, size, "%s%s", exe, where[i]);

		if (len > 0 && (size_t)len < size && usable(path))
			return true;
	}
	return false;
}

static int find(const carrel_config *cfg, char *path, size_t size, carrel_error *e)
{
	const char *named = cfg->helper != NULL ? cfg->helper : secure_getenv("CARREL_CONTROL");

	if (named != NULL) {
		if (strlen(named) >= size)
			return error_set(e, CARREL_STAGE_HELPER, ENAMETOOLONG, -1,
					 "the path of the control process is too long");
		if (!usable(named))
			return error_set(e, CARREL_STAGE_HELPER, errno, -1, "cannot use the control process '%.120s'%s: %s",
					 named, cfg->helper != NULL ? "" : ", which CARREL_CONTROL names", strerror(errno));
		strcpy(path, named);
		return 0;
	}
	if (beside(path, size))
		return 0;
	snprintf(path, size, "%s", CARREL_LIBEXECDIR "/" PROGRAM);
	if (usable(path))
		return 0;
	return error_set(e, CARREL_STAGE_HELPER, ENOENT, -1,
			 "cannot find " PROGRAM " beside the executable or as %s; set CARREL_CONTROL to it",
			 path);
}

struct child {
	const char *path;
	const char *const *argv;
	int socket;
	int terminal;	/* or -1 */
	int err;
};

/* The descriptor ${from} as ${to}, for a program to be executed. */
static bool place(int from, int to)
{
	long r;

	/* dup3() to itself would leave close-on-exec on. */
	do
		r = from == to ? syscall(SYS_fcntl, to, F_SETFD, 0) : syscall(SYS_dup3, from, to, 0);
	while (r == -1 && errno == EINTR);
	return r != -1;
}

/* In the new process, which shares our memory: system calls only. */
static int become_control(void *arg)
{
	static const char *const no_env[] = { NULL };
	struct child *c = arg;

	int terminal = c->terminal, kept = terminal >= 0 ? 4 : 3;

	/*
	 * The socket on 0, the terminal on 3, and not one of the host's descriptors stays: it would speak or
	 * listen in the host's name. Nothing needs a number that the host's limit may not have to spare.
	 */
	if (terminal == 0)
		terminal = (int)syscall(SYS_fcntl, 0, F_DUPFD, 4);
	bool ok = place(c->socket, 0) && (c->terminal < 0 || (terminal >= 0 && place(terminal, 3))) &&
		  syscall(SYS_close_range, kept, ~0U, 0) == 0;
	long null = ok ? syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0) : -1;
	ok = ok && null >= 0 && place((int)null, 1) && place((int)null, 2);
	if (ok && null > 2)
		syscall(SYS_close, null);
	if (ok)
		syscall(SYS_execve, c->path, c->argv, no_env);
	c->err = errno;
	return 127;
}

int helper_start(carrel *c, const carrel_config *cfg, carrel_error *e)
{
	char path[PATH_MAX];
	const char *argv[5] = { PROGRAM };
	size_t argc = 1;
	sigset_t all, before;
	int pair[2];

	if (cfg->no_cgroup)
		argv[argc++] = "--no-cgroup";
	if (cfg->once)
		argv[argc++] = "--once";
	if (cfg->keep_terminal) {
		argv[argc++] = "--terminal";
		if (!isatty(cfg->terminal))
			return error_set(e, CARREL_STAGE_ARGS, ENOTTY, -1,
					 "carrel_config.terminal: descriptor %d is no terminal", cfg->terminal);
	}
	if (find(cfg, path, sizeof(path), e) < 0)
		return -1;
	int r = sys_socketpair(pair);
	if (r < 0)
		return error_set(e, CARREL_STAGE_CHANNEL, -r, -1, "cannot make a socket pair: %s",
				 strerror(-r));
	/* Where the child gets a copy of our memory, it can tell what went wrong only in a shared page. */
	struct child *child = mmap(NULL, sizeof(*child), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (child == MAP_FAILED) {
		close(pair[0]);
		close(pair[1]);
		return error_set(e, CARREL_STAGE_HELPER, ENOMEM, -1, "no memory to start the control process");
	}
	*child = (struct child){ .path = path, .argv = argv, .socket = pair[1],
				 .terminal = cfg->keep_terminal ? cfg->terminal : -1 };
	struct sys_start start = { .run = become_control, .arg = child, .cgroup = -1, .silent = true };
	/* A handler of the host's must not run in the child; the control process begins with all blocked. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = sys_start(&start);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(pair[1]);
	int err = pid < 0 ? -pid : child->err;
	munmap(child, sizeof(*child));
	if (err != 0) {
		if (pid > 0)
			waitpid(pid, NULL, __WALL);
		close(pair[0]);
		return error_set(e, CARREL_STAGE_HELPER, err, -1, "cannot start %.140s: %s%s", path,
				 strerror(err), err == EAGAIN ? " (a limit on processes, ulimit -u?)" : "");
	}
	c->socket = pair[0];
	c->guard = pid;
	debug(c, "started %s as %d", path, pid);
	return 0;
}
