/* SPDX-License-Identifier: ISC */
/* Programs, descriptors and denied calls: calls with functions of their own. */
#include "task.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static void out_words(struct buf *b, const char *const *v)
{
	uint32_t n = 0;

	while (v != NULL && v[n] != NULL)
		n++;
	term_out_list(b, n);
	for (uint32_t i = 0; i < n; i++)
		term_out_text(b, v[i]);
	if (n > 0)
		term_out_nil(b);
}

static int make(carrel_task *t, struct calling *m, struct reply *reply, carrel_error *e)
{
	int r = task_make_unlocked(t, m, reply, e);

	if (r == 1)
		r = task_closed(m, e);
	calling_finish(m);
	return r;
}

/* A call that answers nothing of interest. */
static int simple(carrel_task *t, struct calling *m, carrel_error *e)
{
	struct reply reply = { .fd = -1 };
	int r = make(t, m, &reply, e);
	int err = errno;

	fd_close(reply.fd);
	carrel_value_free(reply.value);
	errno = err;
	return r;
}

static int no_words(const char *what, carrel_error *e)
{
	return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "%s is NULL or empty: there is no program", what);
}

EXPORT int carrel_task_execvp(carrel_task *t, const char *file, const char *const *argv, carrel_error *e)
{
	struct calling m;

	if (argv == NULL || argv[0] == NULL)
		return no_words("argv", e);
	calling_init(&m, CALL_execvp, 2);
	term_out_text(&m.args, file != NULL ? file : argv[0]);
	out_words(&m.args, argv);
	return simple(t, &m, e);
}

EXPORT int carrel_task_execve(carrel_task *t, const char *path, const char *const *argv, const char *const *env,
			      carrel_error *e)
{
	struct calling m;

	if (path == NULL)
		return no_words("path", e);
	calling_init(&m, CALL_execve, 3);
	term_out_text(&m.args, path);
	out_words(&m.args, argv);
	out_words(&m.args, env);
	return simple(t, &m, e);
}

EXPORT int carrel_task_fexecve(carrel_task *t, int fd, const char *const *argv, const char *const *env, carrel_error *e)
{
	struct calling m;

	calling_init(&m, CALL_fexecve, 3);
	term_out_int(&m.args, fd);
	out_words(&m.args, argv);
	out_words(&m.args, env);
	return simple(t, &m, e);
}

EXPORT int carrel_task_reexec(carrel_task *t, const char *name, const char *const *env, carrel_error *e)
{
	struct calling m;

	calling_init(&m, CALL_reexec, 2);
	out_words(&m.args, name != NULL ? CARREL_ARGV(name) : NULL);
	out_words(&m.args, env);
	return simple(t, &m, e);
}

/* ----------------------------------------------------------- descriptors --- */

EXPORT int carrel_task_send_fd(carrel_task *t, int fd, carrel_error *e)
{
	struct calling m;
	struct reply reply = { .fd = -1 };

	if (fd < 0 || fcntl(fd, F_GETFD) == -1)
		return error_set(e, CARREL_STAGE_FDS, EBADF, -1, "send_fd: descriptor %d is not open", fd);
	calling_init(&m, CALL_receive_fd, 0);
	m.what = "send_fd";
	m.fds = &fd;
	m.n_fds = 1;
	int r = make(t, &m, &reply, e);
	if (r == 0)
		r = reply.value != NULL && reply.value->kind == CARREL_INT && reply.value->number >= 0 &&
				    reply.value->number <= INT32_MAX
			    ? (int)reply.value->number
			    : error_set(e, CARREL_STAGE_CHANNEL, EPROTO, -1, "send_fd: the task answered with no descriptor");
	int err = errno;
	fd_close(reply.fd);
	carrel_value_free(reply.value);
	errno = err;
	return r;
}

EXPORT int carrel_task_take_fd(carrel_task *t, int fd, carrel_error *e)
{
	struct calling m;
	struct reply reply = { .fd = -1 };

	calling_init(&m, CALL_send_fd, 1);
	m.what = "take_fd";
	term_out_int(&m.args, fd);
	int r = make(t, &m, &reply, e);
	int err = errno;
	carrel_value_free(reply.value);
	errno = err;
	if (r < 0) {
		fd_close(reply.fd);
		return -1;
	}
	if (reply.fd < 0)
		return error_set(e, CARREL_STAGE_CHANNEL, EPROTO, -1, "take_fd: the task sent no descriptor");
	return reply.fd;
}

/* ---------------------------------------------------------------- denied --- */

static int bits_of(const carrel_calls *calls, const char *whose, unsigned char *bits, carrel_error *e)
{
	memset(bits, 0, CALL_BITS);
	if (calls == NULL)
		return 0;
	for (int i = 0; calls->calls != NULL && calls->calls[i] != NULL; i++) {
		const char *name = calls->calls[i];
		const struct call *c = call_by_name((struct slice){ (const unsigned char *)name, strlen(name) });

		if (c == NULL || !call_for_tasks(c))
			return error_set(e, CARREL_STAGE_ARGS, EINVAL, i, "%s: there is no call '%.60s'; carrel-calls(7) lists them", whose,
					 name);
		bits[c->number / 8] |= (unsigned char)(1 << c->number % 8);
	}
	for (int i = 0; calls->allow && i < CALL_BITS; i++)
		bits[i] = (unsigned char)~bits[i];
	return 0;
}

EXPORT int carrel_task_deny(carrel_task *t, const carrel_calls *own, const carrel_calls *below, int monotonic,
			    carrel_error *e)
{
	unsigned char bits[2][CALL_BITS];
	struct calling m;

	if (bits_of(own, "own", bits[0], e) < 0 || bits_of(below, "below", bits[1], e) < 0)
		return -1;
	calling_init(&m, CALL_deny_calls, 3);
	term_out_binary(&m.args, bits[0], CALL_BITS);
	term_out_binary(&m.args, bits[1], CALL_BITS);
	term_out_int(&m.args, monotonic != 0);
	return simple(t, &m, e);
}
