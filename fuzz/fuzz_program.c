/* SPDX-License-Identifier: ISC */
/*
 * Bodies of spawns (descriptor names, environment, program): decoding stays in the memory it asked
 * for, and a program that can be shown as text means the same when the text is read.
 */
#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(e) ((e) ? (void)0 : abort())

struct decoded {
	struct program p;
	struct program_error e;
	char *mem;
	size_t size;
	int result;
	const unsigned char *end; /* what was read */
};

static void decode(struct decoded *d, const void *data, size_t len, size_t size)
{
	struct term_in in;

	*d = (struct decoded){ .mem = malloc(size), .size = size, .e = { 77, 77, NULL } };
	MUST(d->mem != NULL);
	memset(d->mem, 0xa5, size);
	term_in_init(&in, data, len);
	d->result = program_in(&in, d->mem, size, &d->p, &d->e);
	d->end = in.p;
	MUST(in.p <= in.end);
	MUST(d->e.what != NULL && d->e.what[0] != 0);
	MUST(d->e.index >= -1 && d->e.index < PROGRAM_OPS_MAX);
	MUST(d->e.arg >= -1 && d->e.arg < CALL_ARGS_MAX);
	switch (d->result) {
	case 0:
	case -EBADMSG:
	case -ENOSYS:
	case -EINVAL:
	case -ENOTSUP:
	case -E2BIG:
	case -EBADF:
		break;
	default:
		abort();
	}
}

static void inside(const struct decoded *d, const void *p, size_t n)
{
	MUST((const char *)p >= d->mem && (const char *)p + n <= d->mem + d->size);
}

static void sound_text(const struct decoded *d, const char *s)
{
	inside(d, s, 1);
	inside(d, s, strlen(s) + 1);
}

static void sound_number(const struct decoded *d, const struct arg *a)
{
	MUST(a->kind == ARG_NUMBER || a->kind == ARG_GROUP ||
	     (a->kind == ARG_FD && a->i >= 0 && a->i < d->p.n_fds) ||
	     (a->kind == ARG_SLOT && a->i >= 0 && a->i < PROGRAM_SLOTS));
}

static void sound_arg(const struct decoded *d, const struct arg *a)
{
	switch (a->kind) {
	case ARG_BYTES:
		/* Of a text or nothing, nothing. */
		if (a->s == NULL)
			break;
		inside(d, a->s, (size_t)a->n + 1);
		MUST(a->s[a->n] == 0);
		break;
	case ARG_VECTOR:
		inside(d, &a->v[-1], ((size_t)a->n + 2) * sizeof(*a->v));
		for (uint32_t i = 0; i < a->n; i++)
			sound_text(d, a->v[i]);
		MUST(a->v[a->n] == NULL);
		break;
	case ARG_IDS:
		inside(d, a->ids, a->n * sizeof(*a->ids));
		break;
	case ARG_LIMIT:
		break;
	case ARG_WORDS:
		inside(d, a->words, a->n * sizeof(*a->words));
		break;
	case ARG_MEMORY:
		if (a->memory != NULL) {
			inside(d, a->memory, sizeof(*a->memory));
			inside(d, a->memory->data, a->memory->max);
			MUST(a->memory->len < a->memory->max && a->memory->n_parts == 0);
		}
		break;
	case ARG_DUPS:
		inside(d, a->dup, a->n * sizeof(*a->dup));
		for (uint32_t i = 0; i < a->n; i++) {
			MUST(a->dup[i].target >= 0 && a->dup[i].target <= 65535);
			sound_number(d, &a->dup[i].source);
		}
		break;
	default:
		sound_number(d, a);
	}
}

static void sound(const struct decoded *d, const unsigned char *data, size_t size)
{
	bool place[PLACE_COUNT] = { false };

	MUST(d->p.n_ops <= PROGRAM_OPS_MAX && d->p.n_fds <= 250);
	for (uint32_t i = 0; i < d->p.n_fds; i++) {
		const struct slice *s = &d->p.fd_name[i];

		MUST(s->data == NULL ? d->p.fd_number[i] >= 0
				     : s->data >= data && s->data + s->len <= data + size);
	}
	for (char **v = d->p.env; *v != NULL; v++)
		sound_text(d, *v);
	for (uint32_t i = 0; i < d->p.n_ops; i++) {
		const struct op *op = &d->p.op[i];

		MUST(op->call != NULL && op->place < PLACE_COUNT && op->slot >= -1 &&
		     op->slot < PROGRAM_SLOTS);
		place[op->place] = true;
		for (int k = 0; k < op->call->argc; k++)
			sound_arg(d, &op->arg[k]);
	}
	MUST(memcmp(place, d->p.has_place, sizeof(place)) == 0);
}

static void same_arg(const struct arg *a, const struct arg *b)
{
	MUST(a->kind == b->kind && a->n == b->n);
	switch (a->kind) {
	case ARG_BYTES:
		MUST((a->s == NULL) == (b->s == NULL) && (a->n == 0 || memcmp(a->s, b->s, a->n) == 0));
		break;
	case ARG_VECTOR:
		for (uint32_t i = 0; i < a->n; i++)
			MUST(strcmp(a->v[i], b->v[i]) == 0);
		break;
	case ARG_IDS:
		MUST(a->n == 0 || memcmp(a->ids, b->ids, a->n * sizeof(*a->ids)) == 0);
		break;
	case ARG_LIMIT:
		MUST(a->u[0] == b->u[0] && a->u[1] == b->u[1]);
		break;
	case ARG_WORDS:
		MUST(a->n == 0 || memcmp(a->words, b->words, a->n * sizeof(*a->words)) == 0);
		break;
	case ARG_MEMORY:
		MUST((a->memory == NULL) == (b->memory == NULL));
		if (a->memory != NULL)
			MUST(a->memory->len == b->memory->len &&
			     memcmp(a->memory->data, b->memory->data, a->memory->len) == 0);
		break;
	case ARG_DUPS:
		for (uint32_t i = 0; i < a->n; i++) {
			MUST(a->dup[i].target == b->dup[i].target);
			same_arg(&a->dup[i].source, &b->dup[i].source);
		}
		break;
	default:
		MUST(a->i == b->i);
	}
}

static void same(const struct decoded *a, const struct decoded *b)
{
	MUST(a->result == b->result && a->p.n_ops == b->p.n_ops);
	for (uint32_t i = 0; i < a->p.n_ops; i++) {
		const struct op *x = &a->p.op[i], *y = &b->p.op[i];

		MUST(x->call == y->call && x->place == y->place && x->ignore == y->ignore &&
		     x->slot == y->slot);
		for (int k = 0; k < x->call->argc; k++)
			same_arg(&x->arg[k], &y->arg[k]);
	}
}

/* Shown as text and read again, the program is the same; the second text is the first. */
static void there_and_back(const struct decoded *d, const uint8_t *data, size_t size)
{
	struct buf text, body, again;
	struct term_in in;
	struct text_error te;

	buf_init(&text, 1 << 24);
	buf_init(&body, 1 << 24);
	buf_init(&again, 1 << 24);
	term_in_init(&in, data, size);
	MUST(term_in_skip(&in) == 0 && term_in_skip(&in) == 0);
	buf_append(&body, data, (size_t)(in.p - data));
	size_t start = body.len;
	/* Atoms that are no words have no text. */
	if (program_text_out(&in, &text) == 0 && text.err == 0) {
		struct decoded second;

		MUST(in.p == d->end);
		MUST(program_text_in((const char *)text.data, text.len, &body, &te) == 0);
		decode(&second, body.data, body.len, program_memory(body.len));
		MUST(second.end == body.data + body.len);
		same(d, &second);
		free(second.mem);
		/* What was read from text is in the one form that is written. */
		term_in_init(&in, body.data + start, body.len - start);
		MUST(program_text_out(&in, &again) == 0);
		/* What has a text has a form for programs. */
		struct buf json;
		buf_init(&json, 1 << 26);
		term_in_init(&in, body.data + start, body.len - start);
		MUST(program_json_out(&in, &json) == 0 && json.err == 0);
		buf_finish(&json);
		struct buf last;
		buf_init(&last, 1 << 24);
		MUST(program_text_in((const char *)again.data, again.len, &last, &te) == 0);
		MUST(last.len == body.len - start &&
		     memcmp(last.data, body.data + start, last.len) == 0);
		buf_finish(&last);
	}
	buf_finish(&text);
	buf_finish(&body);
	buf_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decoded d, roomy;

	/* A list of one-byte lies may claim the most that argument.c takes for a byte: 32. */
	decode(&d, data, size, program_memory(size));
	decode(&roomy, data, size, program_memory(size) + 64 * size);
	/* The memory that was asked for is enough for all that can be decoded at all. */
	if (roomy.result == 0) {
		MUST(d.result == 0 && d.end == roomy.end);
		sound(&d, data, size);
		same(&d, &roomy);
		there_and_back(&d, data, size);
	} else {
		MUST(d.result == roomy.result || d.result == -E2BIG);
	}
	free(d.mem);
	free(roomy.mem);
	return 0;
}
