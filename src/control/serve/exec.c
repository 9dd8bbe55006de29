/* SPDX-License-Identifier: ISC */
/*
 * Programs: our socket closes with the execution, which is all that is said about it.  And the control process
 * itself anew, which keeps what it was.
 */
#include "serve.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEFAULT_PATH "/bin:/usr/bin"

static char *nothing[1];

/* Whoever has children waits for them, and tells of them: no program would. */
static bool may_exec(const struct serve *s, struct answer *ans)
{
	if (s->n_children == 0)
		return true;
	ans->n = -EACCES;
	ans->text = "the task has children: they are waited for by it";
	return false;
}

static char **vector(const struct arg *a)
{
	return a->v != NULL ? a->v : nothing;
}

void serve_exec(struct serve *s, const struct arg *a, struct answer *ans)
{
	if (may_exec(s, ans))
		ans->n = handler_of(call_by_number(CALL_exec))->number(a);
}

void serve_execve(struct serve *s, const struct arg *a, struct answer *ans)
{
	if (!may_exec(s, ans))
		return;
	execve(a[0].s, vector(&a[1]), vector(&a[2]));
	ans->n = -errno;
}

void serve_execvp(struct serve *s, const struct arg *a, struct answer *ans)
{
	const char *path = getenv("PATH");
	struct arg full[4] = { a[0], a[1], { .kind = ARG_VECTOR, .v = environ != NULL ? environ : nothing },
			       { .kind = ARG_BYTES, .s = path != NULL ? path : DEFAULT_PATH } };

	if (a[1].v == NULL) {
		ans->n = -EINVAL;
		ans->argument = 2;
		ans->text = "at least one word";
		return;
	}
	serve_exec(s, full, ans);
}

void serve_fexecve(struct serve *s, const struct arg *a, struct answer *ans)
{
	if (!may_exec(s, ans))
		return;
	syscall(SYS_execveat, (int)a[0].i, "", vector(&a[1]), vector(&a[2]), AT_EMPTY_PATH);
	ans->n = -errno;
}

/* What is kept, in a file in memory. */
static int keep(const struct serve *s)
{
	scoped_fd fd = (int)syscall(SYS_memfd_create, "carrel", 0);

	if (fd == -1)
		return -errno;
	if (pwrite(fd, &s->k, sizeof(s->k), 0) != (ssize_t)sizeof(s->k))
		return -EIO;
	return fd_take(&fd);
}

void serve_reexec(struct serve *s, const struct arg *a, struct answer *ans)
{
	const int exe = s->k.private[PRIVATE_EXE];
	char number[16];

	if (!may_exec(s, ans))
		return;
	if (exe < 0) {
		ans->n = -ENOSYS;
		ans->text = "the control process is part of another program";
		return;
	}
	s->k.reexec_call = s->call;
	scoped_fd kept = keep(s);
	if (kept < 0) {
		ans->n = kept;
		return;
	}
	snprintf(number, sizeof(number), "%d", kept);
	/* Its name is the caller's; what follows says what it is. */
	char *name = a[0].v != NULL && a[0].v[0] != NULL ? a[0].v[0] : (char[]){ "carrel:task" };
	char *argv[] = { name, (char[]){ "--task" }, number, NULL };
	/* They are ours: until then they close at an execution. */
	fd_cloexec(s->k.private[PRIVATE_SOCKET], 0);
	fd_cloexec(exe, 0);
	syscall(SYS_execveat, exe, "", argv, a[1].v != NULL ? a[1].v : nothing, AT_EMPTY_PATH);
	ans->n = -errno;
	fd_cloexec(s->k.private[PRIVATE_SOCKET], 1);
	fd_cloexec(exe, 1);
}
