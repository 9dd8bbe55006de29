/* SPDX-License-Identifier: ISC */
/* Calls that end this control process, or close something under its feet. */
#include "port.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The parent learns what of our output is frames before anything else can be written. */
static void before_exec(struct port *p)
{
	signals_drain(p);
	if (output_drain() < 0)
		port_end(p, EPIPE);
	fd_blocking(p, true);
	announce(p, ANNOUNCE_EXEC, 0);
}

static void exec_failed(struct port *p, int err, struct buf *reply)
{
	fd_blocking(p, false);
	announce(p, ANNOUNCE_FRAMES, 0);
	reply_error(reply, err);
}

void state_execve(struct port *p, const struct arg *a, struct buf *reply)
{
	before_exec(p);
	execve(a[0].s, a[1].v, a[2].v);
	exec_failed(p, errno, reply);
}

/* A script without #!, which execvp(3) gives to the shell; musl's does not. */
static void exec_script(const char *path, char **argv)
{
	char *first = argv[0];

	/* argv[-1] is kept free for this.  execve(2) does not write to the path. */
	memcpy(&argv[0], &path, sizeof(path));
	memcpy(&argv[-1], &(const char *){ "/bin/sh" }, sizeof(char *));
	execve("/bin/sh", argv - 1, environ);
	argv[0] = first;
	errno = ENOEXEC;
}

static int exec_file(const char *path, char **argv)
{
	execve(path, argv, environ);
	if (errno == ENOEXEC && argv != NULL && argv[0] != NULL)
		exec_script(path, argv);
	return errno;
}

/* As execvp(3): go on over what is not there, and remember what was there and not allowed. */
static void exec_search(const char *name, char **argv)
{
	const char *dir = getenv("PATH");
	char path[PATH_MAX];
	int err = ENOENT;

	if (*name == 0) {
		errno = ENOENT;
		return;
	}
	if (strchr(name, '/') != NULL) {
		exec_file(name, argv);
		return;
	}
	for (dir = dir != NULL ? dir : "/bin:/usr/bin";; dir++) {
		size_t len = strcspn(dir, ":");

		/* An empty element is the working directory. */
		if (len + 1 + strlen(name) < sizeof(path)) {
			snprintf(path, sizeof(path), "%.*s%s%s", (int)len, dir, len > 0 ? "/" : "", name);
			int e = exec_file(path, argv);
			if (e == EACCES)
				err = e;
			else if (e != ENOENT && e != ENOTDIR && e != ESTALE && e != ENODEV && e != ETIMEDOUT)
				return;
		}
		dir += len;
		if (*dir == 0)
			break;
	}
	errno = err;
}

void state_execvp(struct port *p, const struct arg *a, struct buf *reply)
{
	before_exec(p);
	exec_search(a[0].s, a[1].v);
	exec_failed(p, errno, reply);
}

void state_fexecve(struct port *p, const struct arg *a, struct buf *reply)
{
	if (a[0].i < 0 || a[1].v == NULL || a[2].v == NULL) {
		reply_error(reply, EINVAL);
		return;
	}
	before_exec(p);
	fexecve((int)a[0].i, a[1].v, a[2].v);
	exec_failed(p, errno, reply);
}

void state_exit(struct port *p, const struct arg *a, struct buf *reply)
{
	(void)p, (void)reply;
	exit((int)a[0].i);
}

/* The answer to close is one frame of this size. */
#define OK_SIZE 9

void state_close(struct port *p, const struct arg *a, struct buf *reply)
{
	int fd = (int)a[0].i;

	/* What we have for many children are no descriptors that the user has seen. */
	if (fd == p->watch.set ? fd >= 0 : low_is(p, fd)) {
		reply_error(reply, EBADF);
		return;
	}
	if (fd == FD_CTL) {
		/* For the parent this is what a program begins with: raw bytes behind the answer. */
		announce(p, ANNOUNCE_EXEC, OK_SIZE);
		p->ctl = false;
	}
	child_closed(p, fd);
	if (close(fd) == -1)
		reply_error(reply, errno);
	else
		reply_ok(reply);
}
