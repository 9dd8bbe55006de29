/* SPDX-License-Identifier: ISC */
/* The table of calls and their constants, for people and programs that want to read it. */
#include "internal.h"

#include "call.h"
#include "constant.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

_Static_assert(CALL_ARGS_MAX <= CARREL_CALL_ARGS_MAX, "arguments");
_Static_assert((int)ON_LINUX == CARREL_ON_LINUX && (int)ON_FREEBSD == CARREL_ON_FREEBSD &&
		       (int)ON_OPENBSD == CARREL_ON_OPENBSD, "systems");

static const struct call *call_at(size_t i)
{
	for (uint64_t number = 0; number < CALL_NUMBERS; number++) {
		const struct call *c = call_by_number(number);

		if (c != NULL && i-- == 0)
			return c;
	}
	return NULL;
}

static unsigned doors(const struct call *c)
{
	unsigned d = 0;

	if (call_for_programs(c))
		d |= call_outside(c) ? CARREL_DOOR_OUTSIDE : CARREL_DOOR_PROGRAM;
	if (call_for_tasks(c))
		d |= CARREL_DOOR_TASK;
	if (call_for_port(c))
		d |= CARREL_DOOR_PORT;
	return d;
}

static const struct constant_family *family_by_letter(char letter)
{
	const struct constant_family *f;

	for (size_t i = 0; (f = constant_family(i)) != NULL && f->letter != letter; i++)
		;
	return f;
}

/* The next of the names that stand with ", " between them. */
static const char *name_in(const char *names, char *ret, size_t size)
{
	size_t len = strcspn(names, ",");

	snprintf(ret, size, "%.*s", (int)len, names);
	names += len;
	return names + strspn(names, ", ");
}

static void arguments(const struct call *c, carrel_call_row *row)
{
	const char *letters = c->args, *names = c->params;
	char letter, second;

	for (int i = 0; (letter = call_letter(&letters, &second)) != 0; i++) {
		carrel_call_arg *arg = &row->arg[i];
		/* The second letter of some is a size. */
		const struct constant_family *f =
			second != 0 && strchr("kKUWLj", letter) != NULL ? family_by_letter(second) : NULL;

		*arg = (carrel_call_arg){ .what = call_expects(letter, second),
					  .family = f != NULL ? f->name : NULL };
		names = name_in(names, arg->name, sizeof(arg->name));
		if (arg->name[0] == 0)
			snprintf(arg->name, sizeof(arg->name), "arg%d", i + 1);
	}
}

EXPORT int carrel_call_info(size_t i, carrel_call_row *row)
{
	carrel_call_row r = { 0 };

	if (row == NULL || row->size < sizeof(size_t) || row->size > sizeof(r)) {
		errno = EINVAL;
		return -1;
	}
	const struct call *c = call_at(i);
	if (c == NULL)
		return 0;
	r.size = row->size;
	r.number = c->number;
	r.name = c->name;
	r.summary = c->summary;
	r.answers = call_answers(c);
	r.stage = (carrel_stage)c->stage;
	r.systems = c->systems;
	r.doors = doors(c);
	r.note = call_note(c);
	r.here = c->here;
	r.argc = c->argc;
	arguments(c, &r);
	memcpy(row, &r, row->size);
	return 1;
}

EXPORT const char *carrel_constant_family(size_t i, const char **ret_summary)
{
	const struct constant_family *f = constant_family(i);

	if (f == NULL)
		return NULL;
	if (ret_summary != NULL)
		*ret_summary = f->summary;
	return f->name;
}

EXPORT const char *carrel_constant_name(const char *family, size_t i, int64_t *ret_value)
{
	const struct constant_family *f;
	const struct constant *c = NULL;

	for (size_t n = 0; family != NULL && (f = constant_family(n)) != NULL; n++) {
		if (strcmp(f->name, family) == 0)
			c = constant_list(f->letter);
	}
	while (c != NULL && c->name != NULL && i-- > 0)
		c++;
	if (c == NULL || c->name == NULL)
		return NULL;
	if (ret_value != NULL)
		*ret_value = c->value;
	return c->name;
}
