/* SPDX-License-Identifier: ISC */
/* From the call table to the functions, and running the operations of a program. */
#include "control.h"

#include "calls/calls.h"

#include <errno.h>

#define HAVE_ANY(f) f
#ifdef __linux__
#define HAVE_LINUX(f) f
#else
#define HAVE_LINUX(f) NULL
#endif
#ifdef __FreeBSD__
#define HAVE_FREEBSD(f) f
#else
#define HAVE_FREEBSD(f) NULL
#endif
#ifdef __OpenBSD__
#define HAVE_OPENBSD(f) f
#else
#define HAVE_OPENBSD(f) NULL
#endif

static call_fn *const handler[CALL_NUMBERS] = {
#define CALL(id, name, args, where, ...) [id] = HAVE_##where(call_##name),
#include "calls.def"
#undef CALL
};

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

static int64_t run_op(const struct run *run, const struct op *op)
{
	struct arg arg[CALL_ARGS_MAX];

	for (int i = 0; i < op->call->argc; i++) {
		arg[i] = op->arg[i];
		resolve(run, &arg[i]);
	}
	return handler[op->call->number] != NULL ? handler[op->call->number](arg) : -ENOSYS;
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
		if (r < 0 && !op->ignore) {
			*e = (struct run_error){ (int)i, (int)-r };
			return -1;
		}
	}
	return 0;
}
