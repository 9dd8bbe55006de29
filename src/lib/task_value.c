/* SPDX-License-Identifier: ISC */
/* Values as terms, and terms as values. */
#include "task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Deeper ones no call takes, and none answers. */
#define DEPTH_MAX 16
#define NODES_MANY 100000

static int out(struct buf *b, const carrel_value *v, int depth);

static int items_out(struct buf *b, const carrel_value *v, int depth)
{
	for (size_t i = 0; i < v->n_items; i++) {
		int r = out(b, &v->item[i], depth + 1);

		if (r < 0)
			return r;
	}
	return 0;
}

/* {ptr, Size | Bytes} */
static void pointer_out(struct buf *b, const carrel_value *v)
{
	term_out_tuple(b, 2);
	term_out_atom(b, "ptr");
	if (v->data != NULL)
		term_out_binary(b, v->data, v->size);
	else
		term_out_uint(b, v->size);
}

static int out(struct buf *b, const carrel_value *v, int depth)
{
	int r = 0;

	if (depth > DEPTH_MAX || v->n_items > UINT32_MAX || (v->item == NULL && v->n_items > 0) ||
	    (v->data == NULL && v->size > 0 && v->kind != CARREL_POINTER))
		return -EINVAL;
	switch (v->kind) {
	case CARREL_NONE:
		term_out_nil(b);
		break;
	case CARREL_INT:
		term_out_int32(b, v->number);
		break;
	case CARREL_UINT:
		if (v->number >= 0)
			term_out_int32(b, v->number);
		else
			term_out_uint(b, (uint64_t)v->number);
		break;
	case CARREL_TEXT:
		term_out_binary(b, v->data, v->size);
		break;
	case CARREL_NAME:
		if (v->size == 0 || v->size > 255)
			return -EINVAL;
		term_out_atom_slice(b, (struct slice){ v->data, v->size });
		break;
	case CARREL_LIST:
		term_out_list(b, (uint32_t)v->n_items);
		r = items_out(b, v, depth);
		if (v->n_items > 0)
			term_out_nil(b);
		break;
	case CARREL_STRUCTURE:
		term_out_tuple(b, (uint32_t)v->n_items);
		r = items_out(b, v, depth);
		break;
	case CARREL_POINTER:
		pointer_out(b, v);
		break;
	default:
		r = -EINVAL;
	}
	return r;
}

int value_term_out(struct buf *b, const carrel_value *v)
{
	return out(b, v, 0);
}

/* ------------------------------------------------------------ the other way --- */

/* What a term takes as a value: its nodes, and the bytes of its texts with a NUL each. */
struct size {
	size_t nodes, bytes;
};

/* Where they are written. */
struct room {
	carrel_value *value;
	char *text;
};

static int measure(struct term_in *in, struct size *size, int depth)
{
	struct term t;

	if (depth > DEPTH_MAX || term_in_next(in, &t) < 0)
		return -EBADMSG;
	size->nodes++;
	if (t.kind == TERM_INT && t.negative && t.u > (uint64_t)INT64_MAX + 1)
		return -EBADMSG;
	if (t.kind == TERM_ATOM || t.kind == TERM_BINARY)
		size->bytes += t.bytes.len + 1;
	if (t.kind == TERM_STRING)
		size->nodes += t.bytes.len;
	if (t.kind != TERM_TUPLE && t.kind != TERM_LIST)
		return 0;
	for (uint32_t i = 0; i < t.n; i++) {
		if (measure(in, size, depth + 1) < 0)
			return -EBADMSG;
	}
	return t.kind == TERM_LIST ? term_in_nil(in) : 0;
}

static void text_in(struct slice s, struct room *room, carrel_value *v)
{
	if (s.len > 0)
		memcpy(room->text, s.data, s.len);
	room->text[s.len] = 0;
	v->data = room->text;
	v->size = s.len;
	room->text += s.len + 1;
}

/* The term was measured, so there is room for it and nothing can be wrong. */
static void build(struct term_in *in, struct room *room, carrel_value *v)
{
	struct term t;

	if (term_in_next(in, &t) < 0)
		return;
	*v = (carrel_value){ .kind = CARREL_NONE };
	if (t.kind == TERM_INT) {
		v->kind = t.negative || t.u <= INT64_MAX ? CARREL_INT : CARREL_UINT;
		v->number = (int64_t)(t.negative ? ~t.u + 1 : t.u);
	} else if (t.kind == TERM_ATOM || t.kind == TERM_BINARY) {
		v->kind = t.kind == TERM_ATOM ? CARREL_NAME : CARREL_TEXT;
		text_in(t.bytes, room, v);
	} else if (t.kind != TERM_NIL) {
		carrel_value *item = room->value;
		size_t n = t.kind == TERM_STRING ? t.bytes.len : t.n;

		/* An empty list has one form, however it was written. */
		if (t.kind == TERM_TUPLE || n > 0)
			v->kind = t.kind == TERM_TUPLE ? CARREL_STRUCTURE : CARREL_LIST;
		v->item = n > 0 ? item : NULL;
		v->n_items = n;
		room->value += n;
		for (size_t i = 0; i < n; i++) {
			if (t.kind == TERM_STRING)
				item[i] = CARREL_VALUE_INT(t.bytes.data[i]);
			else
				build(in, room, &item[i]);
		}
		if (t.kind == TERM_LIST)
			term_in_nil(in);
	}
}

int value_term_in(struct term_in *in, carrel_value **ret)
{
	struct term_in ahead = *in;
	struct size size = { 0 };

	/* A node takes more room here than there: names are many, single bytes that pretend to be something few. */
	const size_t most = NODES_MANY + (size_t)(in->end - in->p) / 5;

	if (measure(&ahead, &size, 0) < 0 || size.nodes > most)
		return -EBADMSG;
	carrel_value *v = malloc(size.nodes * sizeof(*v) + size.bytes);
	if (v == NULL)
		return -ENOMEM;
	struct room room = { v + 1, (char *)(v + size.nodes) };
	build(in, &room, v);
	*ret = v;
	return 0;
}

EXPORT void carrel_value_free(carrel_value *v)
{
	free(v);
}

EXPORT carrel_value carrel_value_text(const char *s)
{
	return (carrel_value){ .kind = CARREL_TEXT, .data = s, .size = s != NULL ? strlen(s) : 0 };
}

EXPORT carrel_value carrel_value_name(const char *s)
{
	return (carrel_value){ .kind = CARREL_NAME, .data = s, .size = s != NULL ? strlen(s) : 0 };
}
