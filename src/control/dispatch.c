/* SPDX-License-Identifier: ISC */
/* Running the operations of a program. */
#include "control.h"

#include "calls/calls.h"
#include "serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

/* What stands for a number becomes that number. */
static void resolve(const struct run *run, struct arg *a)
{
	if (a->kind == ARG_FD)
		*a = (struct arg){ .kind = ARG_NUMBER, .i = run->fd[a->i] };
	else if (a->kind == ARG_SLOT)
		*a = (struct arg){ .kind = ARG_NUMBER, .i = run->slot[a->i] };
	else if (a->kind == ARG_GROUP)
		*a = (struct arg){ .kind = ARG_NUMBER, .i = run->group };
	else if (a->kind == ARG_DUPS)
		for (uint32_t i = 0; i < a->n; i++)
			resolve(run, &a->dup[i].source);
}

/* What a program opens closes at exec, unless it gives it to the task. */
static void close_at_exec(const struct call *call, struct arg *arg)
{
	if (call->number == CALL_open)
		arg[1].i |= O_CLOEXEC;
	else if (call->number == CALL_socket)
		arg[1].i |= SOCK_CLOEXEC;
}

static int64_t run_op(struct run *run, const struct op *op)
{
	const struct handler *h = handler_of(op->call);
	struct arg arg[CALL_ARGS_MAX];

	for (int i = 0; i < op->call->argc; i++) {
		arg[i] = op->arg[i];
		resolve(run, &arg[i]);
	}
	if (op->call->number == CALL_clone)
		return run->clone(run->clone_arg, (uint64_t)arg[0].i);
	if (call_before(op->call))
		return run->limit(run->limit_arg, (enum call_number)op->call->number, arg);
	if (op->call->number == CALL_serve) {
		*run->serves = true;
		int64_t r = serve_begin(arg, run->proc);
		*run->serves = false;
		return r;
	}
	close_at_exec(op->call, arg);
	return h->number != NULL ? h->number(arg) : -ENOSYS;
}

int run_place(struct run *run, enum place place, struct run_error *e)
{
	const struct program *p = run->program;

	if (!p->has_place[place])
		return 0;
	for (uint32_t i = 0; i < p->n_ops; i++) {
		const struct op *op = &p->op[i];

		if (op->place != place)
			continue;
		int64_t r = run_op(run, op);
		run->result[i] = r;
		if (op->slot >= 0 && r >= 0)
			run->slot[op->slot] = r;
		if (r < 0 && !(op->ignore && (op->ignored == 0 || op->ignored == -r))) {
			*e = (struct run_error){ (int)i, (int)-r };
			return -1;
		}
	}
	return 0;
}
