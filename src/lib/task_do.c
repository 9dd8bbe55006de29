/* SPDX-License-Identifier: ISC */
/* Several calls: configure a task, run a command. */
#include "task.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static int one(carrel_task *t, const carrel_operation *op, carrel_error *e)
{
	int r = op->function != NULL ? op->function(t, op->arg, e)
				     : carrel_task_call(t, op->call, op->args, op->n_args, NULL, NULL, e);

	if (r < 0 && (op->ignore == -1 || (op->ignore != 0 && errno == op->ignore)))
		return 0;
	return r < 0 ? -1 : 0;
}

EXPORT int carrel_task_do(carrel_task *t, const carrel_operation *op, size_t n, carrel_error *e)
{
	carrel_error why = { 0 };

	if (op == NULL && n > 0)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "op is NULL, but its count is %zu", n);
	for (size_t i = 0; i < n; i++) {
		if (one(t, &op[i], &why) == 0)
			continue;
		int err = errno;
		if (why.err == 0)
			error_set(&why, CARREL_STAGE_ARGS, err != 0 ? err : ECANCELED, -1, "the function of operation %zu failed", i);
		why.index = (int)i;
		if (e != NULL)
			*e = why;
		errno = why.err;
		return -1;
	}
	return 0;
}

EXPORT carrel_task *carrel_task_fork_do(carrel_task *t, const carrel_fork *f, const carrel_operation *op, size_t n,
					carrel_error *e)
{
	static const carrel_step now[] = { { SIGKILL, 0 } };
	carrel_task *child = carrel_task_fork(t, f, e);

	if (child == NULL || carrel_task_do(child, op, n, e) == 0)
		return child;
	int err = errno;
	/* Whatever was half configured is gone before anybody hears of it. */
	carrel_stop(child->p, now, 1);
	carrel_wait(child->p, NULL, -1);
	carrel_release(child->p);
	errno = err;
	return NULL;
}

EXPORT int carrel_task_run(carrel_task *t, const char *const *argv, carrel_result *r, carrel_error *e)
{
	static const carrel_fork streams = { .size = sizeof(streams), .in.kind = CARREL_NULL, .err.kind = CARREL_TO_STDOUT };

	if (r == NULL)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "r is NULL: there is no result to fill");
	*r = (carrel_result){ 0 };
	carrel_task *child = task_fork(t, &streams, true, e);
	if (child == NULL)
		return -1;
	if (carrel_task_execvp(child, NULL, argv, e) < 0) {
		int err = errno;

		carrel_release(child->p);
		errno = err;
		return -1;
	}
	return run_to_end(child->p, r, e);
}

EXPORT int carrel_task_shell(carrel_task *t, const char *text, carrel_result *r, carrel_error *e)
{
	if (text == NULL)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "text is NULL: there is no command");
	return carrel_task_run(t, CARREL_ARGV("/bin/sh", "-c", text), r, e);
}
