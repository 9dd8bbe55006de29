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

int helper_find(const carrel_config *cfg, char *path, size_t size, carrel_error *e)
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

/* The program that gives a scope, when one is needed for limits: its path, or NULL. */
static const char *scope_program(const carrel_config *cfg)
{
	static const char *const places[] = { "/usr/bin/systemd-run", "/bin/systemd-run" };
	const char *named = secure_getenv("CARREL_SYSTEMD_RUN");

	if (!cfg->limits || cfg->no_cgroup)
		return NULL;
	if (named != NULL)
		return *named != 0 ? named : NULL;
	if (access("/run/systemd/system", F_OK) == -1 || !sys_group_needs_scope())
		return NULL;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (usable(places[i]))
			return places[i];
	}
	return NULL;
}

struct child {
	const char *path;	/* NULL: it is embedded */
	carrel_main embedded;
	const char *const *argv;
	const char *const *env;
	int argc;
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

/*
 * What the control process begins with: the socket on 0, the terminal on 3, and not one of the host's
 * descriptors: it would speak or listen in the host's name.  Nothing needs a number that the host's limit may
 * not have to spare.
 */
static bool set_up(const struct child *c)
{
	int terminal = c->terminal, kept = terminal >= 0 ? 4 : 3;

	if (terminal == 0)
		terminal = (int)syscall(SYS_fcntl, 0, F_DUPFD, 4);
	bool ok = place(c->socket, 0) && (c->terminal < 0 || (terminal >= 0 && place(terminal, 3))) &&
		  syscall(SYS_close_range, kept, ~0U, 0) == 0;
	long null = ok ? syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0) : -1;
	ok = ok && null >= 0 && place((int)null, 1) && place((int)null, 2);
	if (ok && null > 2)
		syscall(SYS_close, null);
	return ok;
}

/* In the new process, which shares our memory: system calls only. */
static int become_control(void *arg)
{
	struct child *c = arg;

	if (set_up(c))
		syscall(SYS_execve, c->path, c->argv, c->env);
	c->err = errno;
	return 127;
}

/* With all signals blocked.  The pid, or -errno. */
static pid_t start_program(struct child *child)
{
	/* Where the child gets a copy of our memory, it can tell what went wrong only in a shared page. */
	struct child *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sys_start start = { .run = become_control, .arg = c, .cgroup = -1, .silent = true };

	if (c == MAP_FAILED)
		return -ENOMEM;
	*c = *child;
	pid_t pid = sys_start(&start);
	child->err = c->err;
	munmap(c, sizeof(*c));
	return pid;
}

/* An embedded one that cannot begin says so, on the socket that it has: on 0 already, or where it was. */
static _Noreturn void refuse(const struct child *c)
{
	unsigned char mem[160];
	char text[110];
	struct buf b;

	snprintf(text, sizeof(text), "the guard cannot get a descriptor: %s", strerror(errno));
	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_text(&b, text);
	if (link_send(0, MSG_LOST, 0, b.data, b.len, NULL, 0, false) < 0)
		link_send(c->socket, MSG_LOST, 0, b.data, b.len, NULL, 0, false);
	_exit(125);
}

static pid_t start_embedded(const struct child *c)
{
	pid_t pid = sys_fork_clean();
	char **argv;

	if (pid != 0)
		return pid;
	if (!set_up(c))
		refuse(c);
	sys_show_as(c->argv);
	/* main()'s argv, of which nothing is written to. */
	memcpy(&argv, &c->argv, sizeof(argv));
	_exit(c->embedded(c->argc, argv));
}

/* "NAME=VALUE" of our own environment. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	/* The string that it is the end of. */
	return value != NULL ? value - strlen(name) - 1 : NULL;
}

/* The words before the control process's own, and what they need to find the service manager. */
#define SCOPE_WORDS 7

static void in_scope(struct child *child, const char *program, const char *control, const char **line, const char **env)
{
	const char *const words[SCOPE_WORDS] = { "systemd-run", "--scope", "--quiet", "--collect",
						 geteuid() == 0 ? "--system" : "--user", "--property=Delegate=yes", "--" };
	static const char *const names[] = { "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS" };
	size_t n = 0;

	memcpy(line, words, sizeof(words));
	line[SCOPE_WORDS] = control;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		env[n] = variable(names[i]);
		n += env[n] != NULL;
	}
	child->argv = line;
	child->path = program;
}

int helper_start(carrel *c, const carrel_config *cfg, carrel_error *e)
{
	char path[PATH_MAX];
	const char *line[SCOPE_WORDS + 8], **argv = line + SCOPE_WORDS;
	const char *env[] = { NULL, NULL, NULL };
	struct child child = { .argv = argv, .argc = 1, .env = env, .terminal = -1 };
	sigset_t all, before;
	int pair[2];

	argv[0] = PROGRAM;
	if (cfg->no_cgroup)
		argv[child.argc++] = "--no-cgroup";
	if (cfg->once)
		argv[child.argc++] = "--once";
	if (cfg->keep_terminal) {
		argv[child.argc++] = "--terminal";
		child.terminal = cfg->terminal;
		if (!isatty(cfg->terminal))
			return error_set(e, CARREL_STAGE_ARGS, ENOTTY, -1,
					 "carrel_config.terminal: descriptor %d is no terminal", cfg->terminal);
	}
	if (cfg->helper == NULL && secure_getenv("CARREL_CONTROL") == NULL)
		child.embedded = cfg->embedded;
	const char *scope = scope_program(cfg);
	if (scope != NULL && helper_find(cfg, path, sizeof(path), e) == 0) {
		argv[child.argc++] = "--scope";
		child.embedded = NULL;
		in_scope(&child, scope, path, line, env);
		c->scoped = true;
	} else if (child.embedded == NULL) {
		if (helper_find(cfg, path, sizeof(path), e) < 0)
			return -1;
		child.path = path;
	}
	argv[child.argc] = NULL;
	int r = sys_socketpair(pair);
	if (r < 0)
		return error_set(e, CARREL_STAGE_CHANNEL, -r, -1, "cannot make a socket pair: %s",
				 strerror(-r));
	child.socket = pair[1];
	/* A handler of the host's must not run in the child; the control process begins with all blocked. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = child.embedded != NULL ? start_embedded(&child) : start_program(&child);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(pair[1]);
	int err = pid < 0 ? -pid : child.err;
	if (err != 0) {
		if (pid > 0)
			waitpid(pid, NULL, __WALL);
		close(pair[0]);
		return error_set(e, CARREL_STAGE_HELPER, err, -1, "cannot start %.140s: %s%s",
				 child.path != NULL ? path : "the control process", strerror(err),
				 err == EAGAIN ? " (a limit on processes, ulimit -u?)" : "");
	}
	c->socket = pair[0];
	c->guard = pid;
	c->alone = child.embedded != NULL;
	debug(c, "started %s as %d", child.path != NULL ? path : "itself", pid);
	return 0;
}
