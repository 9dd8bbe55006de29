/* SPDX-License-Identifier: ISC */
/* The process itself: identity, session, priority, signals, end, execution. */
#include "calls.h"

#include "constant.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* glibc gives this argument an enum of its own. */
#ifdef __GLIBC__
#define PRIORITY_WHICH enum __priority_which
#else
#define PRIORITY_WHICH int
#endif

int64_t call_result(int64_t r)
{
	return r == -1 ? -errno : r;
}

int64_t call_exit(const struct arg *a)
{
	_exit((int)a[0].i);
}

int64_t call_getpgrp(const struct arg *a)
{
	(void)a;
	return getpgrp();
}

int64_t call_getpid(const struct arg *a)
{
	(void)a;
	return getpid();
}

int64_t call_getsid(const struct arg *a)
{
	return call_result(getsid((pid_t)a[0].i));
}

int64_t call_setsid(const struct arg *a)
{
	(void)a;
	return call_result(setsid());
}

int64_t call_setpgid(const struct arg *a)
{
	return call_result(setpgid((pid_t)a[0].i, (pid_t)a[1].i));
}

int64_t call_kill(const struct arg *a)
{
	return call_result(kill((pid_t)a[0].i, (int)a[1].i));
}

int call_getpriority(const struct arg *a, struct result *r)
{
	/* -1 is a priority as well. */
	errno = 0;
	int priority = getpriority((PRIORITY_WHICH)a[0].i, (id_t)a[1].i);
	return errno != 0 ? -errno : result_add(r, value_int(priority));
}

int64_t call_setpriority(const struct arg *a)
{
	return call_result(setpriority((PRIORITY_WHICH)a[0].i, (id_t)a[1].i, (int)a[2].i));
}

int call_gethostname(const struct arg *a, struct result *r)
{
	char *name = arena_take(&r->mem, 256, 1, 1);

	(void)a;
	if (name == NULL || gethostname(name, 255) == -1)
		return -errno;
	return result_add(r, value_text(name));
}

static struct value signal_value(int sig)
{
	const char *name = constant_name('s', sig);

	return value_atom(name != NULL ? name : "unknown");
}

/* [{exit_status, N}] and the like; [] when there is no status. */
static struct value status_list(pid_t pid, int status, struct value v[3])
{
	v[0] = value_tuple(&v[1], 2);
	if (WIFEXITED(status)) {
		v[1] = value_atom("exit_status");
		v[2] = value_int(WEXITSTATUS(status));
	} else if (WIFSIGNALED(status)) {
		v[1] = value_atom("termsig");
		v[2] = signal_value(WTERMSIG(status));
	} else if (WIFSTOPPED(status)) {
		v[1] = value_atom("stopsig");
		v[2] = signal_value(WSTOPSIG(status));
	} else {
		v[0] = value_atom("continued");
	}
	return value_list(v, pid > 0 ? 1 : 0);
}

int call_waitpid(const struct arg *a, struct result *r)
{
	struct value *v = ARENA_TAKE(&r->mem, 3, struct value);
	int status = 0;

	if (v == NULL)
		return -ENOMEM;
	pid_t pid = waitpid((pid_t)a[0].i, &status, (int)a[1].i);
	if (pid == -1)
		return -errno;
	result_add(r, value_int(pid));
	result_add(r, value_int(status));
	return result_add(r, status_list(pid, status, v));
}

int64_t call_sethostname(const struct arg *a)
{
	return call_result(sethostname(a[0].s, a[0].n));
}

int64_t call_reset_signals(const struct arg *a)
{
	return sys_signals_reset(a[0].ids, a[0].n);
}

/* A first line with a NUL is none of a text: a shell would make commands of a binary's bytes. */
static bool is_text(const char *path)
{
	char text[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, text, sizeof(text));

	if (fd != -1)
		close(fd);
	for (ssize_t i = 0; i < n && text[i] != '\n'; i++) {
		if (text[i] == 0)
			return false;
	}
	return true;
}

/* A script without #!: what execvp(3) and every shell do. */
static int exec_script(const char *path, char **argv, char **env)
{
	char *first = argv[0];

	/* argv[-1] is kept free for this.  execve(2) does not write to the path. */
	memcpy(&argv[0], &path, sizeof(path));
	memcpy(&argv[-1], &(const char *){ "/bin/sh" }, sizeof(char *));
	execve("/bin/sh", argv - 1, env);
	argv[0] = first;
	return -ENOEXEC;
}

static int exec_file(const char *path, char **argv, char **env)
{
	execve(path, argv, env);
	int e = errno;
	return e == ENOEXEC && argv[0] != NULL && is_text(path) ? exec_script(path, argv, env) : -e;
}

int64_t call_exec(const struct arg *a)
{
	const char *name = a[0].s, *dir = a[3].s;
	char path[PATH_MAX];
	int r = -ENOENT;

	if (a[0].n == 0)
		return -ENOENT;
	if (strchr(name, '/') != NULL || *dir == 0)
		return exec_file(name, a[1].v, a[2].v);
	/* As the shell: go on over what is not there, and remember what was there and not allowed. */
	while (*dir != 0) {
		size_t len = strcspn(dir, ":");

		if (len + 1 + a[0].n < sizeof(path)) {
			memcpy(path, dir, len);
			path[len] = '/';
			/* An empty element is the working directory. */
			memcpy(path + len + (len > 0), name, a[0].n + 1);
			int e = exec_file(path, a[1].v, a[2].v);
			if (e == -EACCES || e == -EPERM)
				r = e;
			else if (e != -ENOENT && e != -ENOTDIR && e != -ELOOP && e != -ENAMETOOLONG)
				return e;
		}
		dir += len + (dir[len] == ':');
	}
	return r;
}

int64_t call_probe_signal(const struct arg *a)
{
	(void)a;
	/* Nothing is sent: only whether it might be. */
	if (kill(getppid(), 0) == -1)
		return errno == EPERM ? 0 : -errno;
	return -ENOTSUP;
}
