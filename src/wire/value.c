/* SPDX-License-Identifier: ISC */
#include "value.h"

#include <string.h>

int result_add(struct result *r, struct value v)
{
	r->v[r->n++] = v;
	return 0;
}

struct value value_int(int64_t i)
{
	return (struct value){ .kind = VALUE_INT, .i = i };
}

struct value value_uint(uint64_t u)
{
	return (struct value){ .kind = VALUE_UINT, .u = u };
}

struct value value_atom(const char *s)
{
	return (struct value){ .kind = VALUE_ATOM, .s = s };
}

struct value value_bytes(const void *s, size_t n)
{
	return (struct value){ .kind = VALUE_BYTES, .n = (uint32_t)n, .s = s };
}

struct value value_text(const char *s)
{
	return value_bytes(s, strlen(s));
}

struct value value_list(const struct value *v, size_t n)
{
	return (struct value){ .kind = VALUE_LIST, .n = (uint32_t)n, .v = v };
}

struct value value_tuple(const struct value *v, size_t n)
{
	return (struct value){ .kind = VALUE_TUPLE, .n = (uint32_t)n, .v = v };
}

struct value value_arg(const struct arg *a)
{
	if (a->kind != ARG_MEMORY || a->memory == NULL)
		return value_bytes(NULL, 0);
	return (struct value){ .kind = VALUE_MEMORY, .memory = a->memory };
}

struct value value_after(char kind, const struct arg *a)
{
	return kind == 'c' && a->kind == ARG_NUMBER ? value_int(a->i) : value_arg(a);
}

static void memory_out(struct buf *b, const struct arg_memory *m)
{
	const unsigned char *at = m->data;

	if (m->n_parts == 0) {
		term_out_binary(b, m->data, m->len);
		return;
	}
	term_out_list(b, m->n_parts);
	for (uint32_t i = 0; i < m->n_parts; i++) {
		const struct arg_part *part = &m->part[i];

		if (part->to != NULL) {
			term_out_tuple(b, 2);
			term_out_atom(b, "ptr");
			term_out_binary(b, part->to, part->len);
		} else {
			term_out_binary(b, at, part->len);
		}
		at += part->to != NULL ? sizeof(part->to) : part->len;
	}
	term_out_nil(b);
}

static void values_out(struct buf *b, const struct value *v)
{
	for (uint32_t i = 0; i < v->n; i++)
		value_out(b, &v->v[i]);
}

void value_out(struct buf *b, const struct value *v)
{
	switch (v->kind) {
	case VALUE_INT:
		term_out_int(b, v->i);
		break;
	case VALUE_UINT:
		term_out_uint(b, v->u);
		break;
	case VALUE_ATOM:
		term_out_atom(b, v->s);
		break;
	case VALUE_BYTES:
		term_out_binary(b, v->s, v->n);
		break;
	case VALUE_LIST:
		term_out_list(b, v->n);
		values_out(b, v);
		if (v->n > 0)
			term_out_nil(b);
		break;
	case VALUE_TUPLE:
		term_out_tuple(b, v->n);
		values_out(b, v);
		break;
	case VALUE_MEMORY:
		memory_out(b, v->memory);
		break;
	}
}
