/* SPDX-License-Identifier: ISC */
/*
 * Requests to the port: the number of a call, and a term. What is decoded lies in the memory that
 * was given for it, every argument is what its letter says, and what is refused has a whole reply.
 */
#include "answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(e) ((e) ? (void)0 : abort())

static char *mem;

static void inside(const void *p, size_t n)
{
	MUST((const char *)p >= mem && (const char *)p + n <= mem + PORT_MEMORY);
}

static void sound_text(const struct arg *a, size_t min, size_t max)
{
	MUST(a->kind == ARG_BYTES && a->n >= min && a->n <= max);
	inside(a->s, (size_t)a->n + 1);
	MUST(a->s[a->n] == 0);
}

static void sound_vector(const struct arg *a)
{
	MUST(a->kind == ARG_VECTOR);
	if (a->v == NULL) {
		MUST(a->n == 0);
		return;
	}
	inside(a->v, ((size_t)a->n + 1) * sizeof(*a->v));
	for (uint32_t i = 0; i < a->n; i++)
		inside(a->v[i], strlen(a->v[i]) + 1);
	MUST(a->v[a->n] == NULL);
}

static void sound_memory(const struct arg_memory *m)
{
	uint32_t at = 0;
	struct buf b;

	inside(m, sizeof(*m));
	inside(m->data, m->max);
	if (m->n_parts > 0)
		inside(m->part, m->n_parts * sizeof(*m->part));
	MUST(m->len <= m->max && m->max <= 65535 && m->n_parts <= 1023);
	for (uint32_t i = 0; i < m->n_parts; i++) {
		const struct arg_part *part = &m->part[i];

		if (part->to != NULL) {
			inside(part->to, part->len);
			MUST(memcmp(m->data + at, &part->to, sizeof(part->to)) == 0);
		}
		at += part->to != NULL ? (uint32_t)sizeof(part->to) : part->len;
	}
	MUST(m->n_parts == 0 || at == m->len);
	/* As it is shown afterwards. */
	struct value v = { .kind = VALUE_MEMORY, .memory = m };
	struct term_in in;
	buf_init(&b, 1 << 20);
	value_out(&b, &v);
	term_in_init(&in, b.data, b.len);
	MUST(b.err == 0 && term_in_skip(&in) == 0 && in.p == in.end);
	buf_finish(&b);
}

static void sound_number(const struct arg *a, int64_t min, int64_t max)
{
	MUST(a->kind == ARG_NUMBER && a->i >= min && a->i <= max);
}

static void sound_ids(const struct arg *a, uint32_t n, uint32_t max)
{
	MUST(a->kind == ARG_IDS && a->n <= n);
	inside(a->ids, a->n * sizeof(*a->ids));
	for (uint32_t i = 0; i < a->n; i++)
		MUST(a->ids[i] <= max);
}

static void sound(char letter, char second, const struct arg *a)
{
	switch (letter) {
	case 'i':
	case 'I':
	case 'd':
	case 'k':
	case 'K':
	case 'j':
		sound_number(a, INT32_MIN, INT32_MAX);
		break;
	case 'u':
		sound_number(a, 0, UINT32_MAX);
		break;
	case 'U':
		sound_number(a, 0, INT32_MAX);
		break;
	case 'l':
	case 'q':
	case 'W':
		sound_number(a, INT64_MIN, INT64_MAX);
		break;
	case 'H':
		sound_number(a, HANDLER_QUERY, HANDLER_INFO);
		break;
	case 'p':
		sound_text(a, 1, 4095);
		break;
	case 'n':
		sound_text(a, 1, 65534);
		break;
	case 'h':
		sound_text(a, 1, 63);
		break;
	case 't':
		sound_text(a, 0, 4095);
		break;
	case 's':
		sound_text(a, 0, 65534);
		break;
	case 'b':
		sound_text(a, 0, 65535);
		break;
	case 'o':
		if (a->s != NULL)
			sound_text(a, 0, 4095);
		break;
	case 'B':
		sound_text(a, 0, 16);
		break;
	case 'a':
		sound_text(a, 0, 510);
		break;
	case 'v':
		sound_vector(a);
		break;
	case 'g':
		sound_ids(a, UINT32_MAX, UINT32_MAX);
		break;
	case 'F':
		sound_ids(a, FD_SETSIZE - 1, FD_SETSIZE - 1);
		break;
	case 'r':
		MUST(a->kind == ARG_LIMIT);
		break;
	case 'T':
		MUST(a->kind == ARG_TIME && a->n <= 1);
		break;
	case 'L':
		MUST(a->kind == ARG_WORDS);
		inside(a->words, a->n * sizeof(*a->words));
		break;
	case 'm':
	case 'M':
		MUST(a->kind == ARG_MEMORY && (a->memory != NULL || letter == 'M'));
		if (a->memory != NULL)
			sound_memory(a->memory);
		break;
	case 'x':
		if (a->kind == ARG_MEMORY)
			sound_memory(a->memory);
		else
			sound_number(a, second == 'i' ? INT32_MIN : 0, INT32_MAX);
		break;
	default:
		abort();
	}
}

static void sound_reply(const struct buf *reply)
{
	struct term_in in;
	struct slice s;

	term_in_init(&in, reply->data, reply->len);
	MUST(reply->err == 0 && term_in_version(&in) == 0);
	if (term_in_tuple(&in, 2) == 0) {
		MUST(term_in_atom(&in, &s) == 0 && slice_is(s, "error"));
		MUST(term_in_atom(&in, &s) == 0 && (slice_is(s, "enotsup") || slice_is(s, "ebadf")));
	} else {
		term_in_init(&in, reply->data + 1, reply->len - 1);
		MUST(term_in_atom(&in, &s) == 0 && slice_is(s, "badarg"));
	}
	MUST(in.p == in.end);
}

static int decode(const struct call *c, const uint8_t *data, size_t size, struct arg *arg)
{
	unsigned char room[32];
	struct arena a = { mem, mem + PORT_MEMORY };
	struct term_in in;
	struct buf reply;

	memset(arg, 0x5a, CALL_ARGS_MAX * sizeof(*arg));
	buf_init_fixed(&reply, room, sizeof(room));
	term_in_init(&in, data, size);
	int r = port_decode(c, &in, arg, &a, &reply);
	MUST((r == 0 && reply.len == 0) || (r == -1 && reply.len > 0));
	MUST(in.p <= in.end);
	if (r == -1)
		sound_reply(&reply);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arg arg[CALL_ARGS_MAX];
	const char *letters;
	char letter, second;

	if (size < 1 || size > 65535 || call_by_number(data[0]) == NULL || data[0] >= 128)
		return 0;
	/* Also those of other systems. */
	struct call c = *call_by_number(data[0]);
	c.here = true;
	if (mem == NULL)
		mem = malloc(PORT_MEMORY);
	MUST(mem != NULL);
	if (decode(&c, data + 1, size - 1, arg) < 0)
		return 0;
	letters = c.args;
	for (int i = 0; (letter = call_letter(&letters, &second)) != 0; i++)
		sound(letter, second, &arg[i]);
	return 0;
}
