/* SPDX-License-Identifier: ISC */
#include "program.h"

#include "argument.h"
#include "constant.h"

#include <errno.h>
#include <string.h>

static const char *const places[PLACE_COUNT] = {
	[PLACE_BEFORE] = "before", [PLACE_OUTSIDE] = "outside", [PLACE_INIT] = "init",
	[PLACE_TASK] = "task",	   [PLACE_FAILED] = "failed", [PLACE_AFTER] = "after",
};

const char *place_name(enum place place)
{
	return places[place];
}

int place_by_name(struct slice name)
{
	for (int i = 0; i < PLACE_COUNT; i++) {
		if (slice_is(name, places[i]))
			return i;
	}
	return -1;
}

size_t program_memory(size_t len)
{
	/*
	 * An operation takes 12 bytes at least on the wire and sizeof(struct op) here; everything
	 * else grows by less than that ratio (a text: a pointer and a NUL for 5 bytes).
	 */
	return (len / 12 + 2) * (sizeof(struct op) + _Alignof(max_align_t)) + 4096;
}

static int fd_names_in(struct term_in *in, struct arena *a, struct program *p)
{
	uint32_t n;

	if (term_in_list(in, &n) < 0 || n > 250)
		return -EBADMSG;
	p->n_fds = n;
	p->fd_name = arena_take(a, n, sizeof(*p->fd_name), _Alignof(struct slice));
	p->fd_number = arena_take(a, n, sizeof(*p->fd_number), _Alignof(int));
	if (p->fd_name == NULL || p->fd_number == NULL)
		return -E2BIG;
	for (uint32_t i = 0; i < n; i++) {
		struct term t;
		int64_t number = -1;

		if (term_in_next(in, &t) < 0)
			return -EBADMSG;
		p->fd_name[i] = (struct slice){ NULL, 0 };
		if (t.kind == TERM_ATOM)
			p->fd_name[i] = t.bytes;
		else if (term_int(&t, &number) < 0 || number < 0 || number > INT32_MAX)
			return -EBADMSG;
		p->fd_number[i] = (int)number;
	}
	return term_in_list_end(in, n);
}

/* {ignore, Errno} */
static int ignore_in(struct term_in *in, struct op *op)
{
	struct slice name;
	int64_t number;

	if (term_in_atom(in, &name) < 0 || constant_value('e', name, &number) < 0)
		return -EBADMSG;
	op->ignore = true;
	op->ignored = (int)number;
	return 0;
}

static int op_options_in(struct term_in *in, struct op *op)
{
	uint32_t n;

	if (term_in_list(in, &n) < 0)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++) {
		struct term t;
		struct slice name;
		int64_t slot;

		if (term_in_next(in, &t) < 0)
			return -EBADMSG;
		if (t.kind == TERM_ATOM && slice_is(t.bytes, "ignore")) {
			op->ignore = true;
			continue;
		}
		if (t.kind != TERM_TUPLE || t.n != 2 || term_in_atom(in, &name) < 0)
			return -EBADMSG;
		if (slice_is(name, "ignore")) {
			if (ignore_in(in, op) < 0)
				return -EBADMSG;
			continue;
		}
		if (!slice_is(name, "slot") || term_in_int(in, 0, PROGRAM_SLOTS - 1, &slot) < 0)
			return -EBADMSG;
		op->slot = (int)slot;
	}
	return term_in_list_end(in, n);
}

static int op_in(struct term_in *in, struct arena *a, struct program *p, struct op *op,
		 struct program_error *e)
{
	struct slice place;
	uint64_t number;
	struct term t;
	int r;

	e->what = "{Place, Call, Arguments, Options}";
	if (term_in_tuple(in, 4) < 0 || term_in_atom(in, &place) < 0)
		return -EBADMSG;
	int where = place_by_name(place);
	e->what = "a place: before, outside, init, task, failed or after";
	if (where < 0)
		return -EBADMSG;
	e->what = "the number of a call";
	if (term_in_uint(in, UINT64_MAX, &number) < 0)
		return -EBADMSG;
	*op = (struct op){ .place = (enum place)where, .slot = -1 };
	op->call = call_by_number(number);
	if (op->call != NULL && !call_for_programs(op->call))
		e->what = "the number of a call for programs; this one is for the port";
	if (op->call == NULL || !call_for_programs(op->call))
		return -ENOSYS;
	e->what = "the place outside for this call";
	if (call_outside(op->call) && where != PLACE_OUTSIDE)
		return -EINVAL;
	e->what = "the place before for this call";
	if (call_before(op->call) && where != PLACE_BEFORE)
		return -EINVAL;
	p->limits |= call_before(op->call);
	e->what = "clone once at most";
	if (op->call->number == CALL_clone && p->isolates)
		return -EINVAL;
	p->isolates |= op->call->number == CALL_clone;
	e->what = "the place task for this call";
	if (op->call->number == CALL_serve && where != PLACE_TASK)
		return -EINVAL;
	p->serves |= op->call->number == CALL_serve;
	e->what = "as many arguments as the call takes";
	if (term_in_next(in, &t) < 0 || t.kind != TERM_TUPLE)
		return -EBADMSG;
	if (t.n != op->call->argc)
		return -EINVAL;
	const char *letter = op->call->args;
	for (e->arg = 0; e->arg < op->call->argc; e->arg++) {
		r = argument_in(in, &letter, a, p, &op->arg[e->arg], &e->what);
		if (r < 0)
			return r;
	}
	e->arg = -1;
	e->what = "options: ignore, {ignore, Errno} or {slot, N}";
	r = op_options_in(in, op);
	p->has_place[where] = true;
	if (r == 0 && op->ignore && op->call->number == CALL_clone) {
		/* Whatever is meant to run in there would run out here. */
		e->what = "clone without ignore";
		return -EINVAL;
	}
	return r;
}

int program_in(struct term_in *in, void *mem, size_t size, struct program *ret,
	       struct program_error *e)
{
	struct arena a = { mem, (char *)mem + size };
	struct program p = { 0 };
	uint32_t n, i;
	int r;

	*e = (struct program_error){ -1, -1, "a list of descriptor names" };
	r = fd_names_in(in, &a, &p);
	if (r < 0)
		return r;
	e->what = "an environment: a list of NAME=VALUE";
	r = texts_in(in, &a, &p.env, &n);
	if (r < 0)
		return r;
	e->what = "a list of at most 1024 operations";
	if (term_in_list(in, &n) < 0)
		return -EBADMSG;
	if (n > PROGRAM_OPS_MAX)
		return -E2BIG;
	p.op = arena_take(&a, n, sizeof(*p.op), _Alignof(struct op));
	if (p.op == NULL)
		return -E2BIG;
	p.n_ops = n;
	for (i = 0; i < n; i++) {
		e->index = (int)i;
		r = op_in(in, &a, &p, &p.op[i], e);
		if (r < 0)
			return r;
	}
	*e = (struct program_error){ -1, -1, "the end of the list" };
	if (term_in_list_end(in, n) < 0)
		return -EBADMSG;
	*ret = p;
	return 0;
}
