/* SPDX-License-Identifier: ISC */
/* What a task says to the library: any bytes.  What is taken for a value is one, and comes back the same. */
#include "task.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t depth_of(const carrel_value *v)
{
	size_t deepest = 0;

	for (size_t i = 0; i < v->n_items; i++) {
		size_t d = depth_of(&v->item[i]);

		deepest = d > deepest ? d : deepest;
	}
	return deepest + 1;
}

static void sound(const carrel_value *v)
{
	switch (v->kind) {
	case CARREL_NONE:
	case CARREL_INT:
		MUST(v->item == NULL && v->data == NULL);
		break;
	case CARREL_UINT:
		MUST(v->number < 0);
		break;
	case CARREL_TEXT:
	case CARREL_NAME:
		MUST(((const char *)v->data)[v->size] == 0);
		/* Every byte is there: a name or text of the message's own. */
		MUST(v->size == 0 || memchr(v->data, ((const unsigned char *)v->data)[v->size - 1], v->size) != NULL);
		break;
	case CARREL_LIST:
	case CARREL_STRUCTURE:
		for (size_t i = 0; i < v->n_items; i++)
			sound(&v->item[i]);
		break;
	case CARREL_POINTER:
	default:
		abort();
	}
}

static bool same(const carrel_value *v, const carrel_value *u)
{
	if (v->kind != u->kind || v->number != u->number || v->size != u->size || v->n_items != u->n_items ||
	    (v->size > 0 && memcmp(v->data, u->data, v->size) != 0))
		return false;
	for (size_t i = 0; i < v->n_items; i++) {
		if (!same(&v->item[i], &u->item[i]))
			return false;
	}
	return true;
}

static void value(const uint8_t *data, size_t size)
{
	carrel_value *v = NULL, *again = NULL;
	struct term_in in;
	struct buf b;

	term_in_init(&in, data, size);
	int r = value_term_in(&in, &v);
	MUST(in.p <= in.end);
	if (r < 0) {
		MUST(v == NULL);
		return;
	}
	sound(v);
	MUST(depth_of(v) <= 18);
	buf_init(&b, 64 << 20);
	/* Names that are empty, or too long for a name, come and do not go. */
	if (value_term_out(&b, v) == 0 && b.err == 0) {
		term_in_init(&in, b.data, b.len);
		MUST(value_term_in(&in, &again) == 0 && in.p == in.end && same(v, again));
	}
	buf_finish(&b);
	carrel_value_free(again);
	carrel_value_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reply reply = { .fd = -1 };
	carrel_status usage = { 0 };
	struct slice info = { NULL, 0 };
	struct term_in in;
	int sig = 0, status = -1;
	pid_t pid = 0;

	value(data, size);
	term_in_init(&in, data, size);
	if (reply_in(&in, &reply) == 0) {
		MUST(reply.done && reply.err >= 0 && reply.err < 4096 && memchr(reply.text, 0, sizeof(reply.text)) != NULL);
		MUST((reply.value != NULL) == (reply.err == 0));
	} else {
		MUST(!reply.done && reply.value == NULL);
	}
	carrel_value_free(reply.value);
	term_in_init(&in, data, size);
	if (signalled_in(&in, &sig, &info) == 0)
		MUST(sig > 0 && sig < NSIG && info.data >= data && info.data + info.len <= data + size && info.len == sizeof(siginfo_t));
	term_in_init(&in, data, size);
	if (child_in(&in, &pid, &status, &usage) == 0)
		MUST(pid > 0 && status >= 0 && status <= 0xffff);
	return 0;
}
