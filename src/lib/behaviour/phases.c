/* SPDX-License-Identifier: ISC */
/*
 * The caller's own operations among those of a behaviour.
 *
 * A behaviour's operations of a place are in two parts, with ops_phase() between them: what the place is for, and what
 * must come last (rights are given away, streams get their numbers, the command is executed).  What the caller adds
 * stands between them; what the caller overrides takes the place of the first part, and of the last one's exec
 * when it has one.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int phases_read(const char *text, const char *what, struct phases *ret, carrel_error *e)
{
	struct text_error te;
	struct term_in in;

	*ret = (struct phases){ 0 };
	buf_init(&ret->term, MESSAGE_BODY_MAX);
	if (program_text_in(text, strlen(text), &ret->term, &te) < 0)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "%s, line %d: %s", what, te.line,
				 te.what[0] != 0 ? te.what : "too large");
	term_in_init(&in, ret->term.data, ret->term.len);
	if (term_in_list(&in, &ret->n) < 0)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "%s: not a list of operations", what);
	ret->op = calloc(ret->n + 1, sizeof(*ret->op));
	if (ret->op == NULL)
		return error_set(e, CARREL_STAGE_ARGS, ENOMEM, -1, "no memory for the operations");
	for (uint32_t i = 0; i < ret->n; i++) {
		struct term_in one = in;
		struct slice place;
		uint64_t number;

		ret->op[i].data = in.p;
		if (term_in_skip(&in) < 0 || term_in_tuple(&one, 4) < 0 || term_in_atom(&one, &place) < 0 ||
		    term_in_uint(&one, UINT64_MAX, &number) < 0)
			return error_set(e, CARREL_STAGE_ARGS, EINVAL, (int)i, "%s: no operations", what);
		ret->op[i].len = (size_t)(in.p - ret->op[i].data);
		ret->op[i].place = (enum place)place_by_name(place);
		ret->has_place[ret->op[i].place] = true;
		ret->executes |= ret->op[i].place == PLACE_TASK && number == CALL_exec;
	}
	return 0;
}

void phases_finish(struct phases *p)
{
	free(p->op);
	buf_finish(&p->term);
}

static void out(struct ops *o, const struct phases *p, enum place place)
{
	for (uint32_t i = 0; p != NULL && i < p->n; i++) {
		if (p->op[i].place != place)
			continue;
		buf_append(&o->inner, p->op[i].data, p->op[i].len);
		o->n++;
	}
}

bool ops_wanted(const struct ops *o, enum place place, enum call_number call)
{
	if (o->override == NULL || !o->override->has_place[place])
		return true;
	/* Behind the phase's end: but for a second command. */
	return o->ended[place] && !(call == CALL_exec && o->override->executes);
}

void ops_phase(struct ops *o, enum place place)
{
	o->ended[place] = true;
	out(o, o->override, place);
	out(o, o->add, place);
}
