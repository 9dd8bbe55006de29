/* SPDX-License-Identifier: ISC */
#include "answer.h"

#include "calls/calls.h"

#include <errno.h>

/* The shortest element of a list takes 5 bytes in a reply of 65535, and a struct value here. */
#define SCRATCH ((size_t)1 << 19)

void port_run(const struct call *c, const struct arg *arg, size_t room, struct outcome *ret)
{
	/* One call at a time: the values live until the next. */
	static char scratch[SCRATCH];
	const struct handler *h = handler_of(c);

	*ret = (struct outcome){
		.result = { .mem = { scratch, scratch + SCRATCH }, .room = room },
	};
	if (h->number != NULL)
		ret->n = h->number(arg);
	else if (h->value != NULL)
		ret->n = h->value(arg, &ret->result);
	else
		ret->n = -ENOSYS;
}

static void answer_out(const struct call *c, const struct arg *arg, int64_t n, struct buf *reply)
{
	struct value v[CALL_ARGS_MAX];
	const char *letters = c->args;
	uint32_t n_out = 0;
	char letter, kind;

	for (int i = 0; (letter = call_letter(&letters, &kind)) != 0; i++) {
		if (letter == 'x')
			v[n_out++] = value_after(kind, &arg[i]);
	}
	reply_ok_tuple(reply, n_out + 1);
	term_out_int(reply, n);
	for (uint32_t i = 0; i < n_out; i++)
		value_out(reply, &v[i]);
}

static void answer(const struct call *c, const struct arg *arg, const struct outcome *o,
		   struct buf *reply)
{
	switch (c->result) {
	case RESULT_OK:
		reply_ok(reply);
		break;
	case RESULT_INT:
		reply_int(reply, o->n);
		break;
	case RESULT_OKINT:
		reply_ok_int(reply, o->n);
		break;
	case RESULT_OUT:
		answer_out(c, arg, o->n, reply);
		break;
	case RESULT_VALUE:
		term_out_version(reply);
		value_out(reply, &o->result.v[0]);
		break;
	case RESULT_OKVALUE:
		reply_ok_tuple(reply, o->result.n);
		for (uint32_t i = 0; i < o->result.n; i++)
			value_out(reply, &o->result.v[i]);
		break;
	case RESULT_NONE:
		break;
	}
}

void port_answer(const struct call *c, const struct arg *arg, const struct outcome *o,
		 struct buf *reply)
{
	size_t start = reply->len;
	bool one_term = c->result == RESULT_VALUE;
	int err = 0;

	if (o->n >= 0) {
		answer(c, arg, o, reply);
		err = reply->err;
	} else {
		err = (int)-o->n;
	}
	if (err == 0)
		return;
	if (reply->err == EMSGSIZE) {
		reply->len = start;
		reply->err = 0;
	}
	if (one_term)
		reply_atom(reply, "badarg");
	else
		reply_error(reply, err);
}

size_t port_room(const struct buf *reply)
{
	return (reply->max != 0 ? reply->max : reply->cap) - reply->len;
}

void port_perform(const struct call *c, const struct arg *arg, struct buf *reply)
{
	struct outcome o;

	if (handler_of(c)->number == NULL && handler_of(c)->value == NULL) {
		reply_atom(reply, "undef");
		return;
	}
	port_run(c, arg, port_room(reply), &o);
	port_answer(c, arg, &o, reply);
}
