/* SPDX-License-Identifier: ISC */
/* Output in lines: what was read is kept until it is delivered, and never more than a line and one read. */
#include "internal.h"

#include <errno.h>
#include <string.h>

void ready_add(struct output *o)
{
	carrel *c = o->p->c;

	if (o->ready || o->paused)
		return;
	o->ready = true;
	o->next_ready = NULL;
	*c->ready_last = o;
	c->ready_last = &o->next_ready;
}

void ready_remove(struct output *o)
{
	carrel *c = o->p->c;
	struct output **at = &c->ready;

	if (!o->ready)
		return;
	while (*at != o)
		at = &(*at)->next_ready;
	*at = o->next_ready;
	if (*at == NULL)
		c->ready_last = at;
	o->ready = false;
}

int lines_read(struct output *o)
{
	/* What was delivered goes; its bytes were valid until this call. */
	buf_consume(&o->text, o->at);
	o->seen -= o->at;
	o->at = 0;
	unsigned char *room = buf_reserve(&o->text, READ_MAX);
	if (room == NULL) {
		/* Nothing is lost: it can be tried again. */
		o->text.err = 0;
		return -ENOMEM;
	}
	ssize_t n = output_read(o, room, READ_MAX);
	if (n < 0)
		return (int)n;
	o->text.len += (size_t)n;
	o->ended = n == 0;
	ready_add(o);
	return 0;
}

/* A piece of ${len} bytes, with a newline of ${newline} bytes behind it. */
static int piece(struct output *o, size_t len, size_t newline, carrel_event *ev)
{
	ev->kind = o->stream == 1 ? CARREL_OUT : CARREL_ERR;
	ev->stream = o->stream;
	ev->data = (const char *)o->text.data + o->at;
	ev->len = len;
	ev->partial = newline == 0;
	o->at += len + newline;
	o->seen = o->at;
	return 1;
}

int lines_next(struct output *o, carrel_event *ev)
{
	const unsigned char *text = o->text.data;
	size_t max = o->p->max_line, left = o->text.len - o->at;
	const unsigned char *end = NULL;

	if (o->seen < o->text.len)
		end = memchr(text + o->seen, '\n', o->text.len - o->seen);
	size_t len = end != NULL ? (size_t)(end - text) - o->at : left;
	if (len > max)
		return piece(o, max, 0, ev);
	if (end != NULL)
		return piece(o, len, 1, ev);
	o->seen = o->text.len;
	if (!o->ended)
		return 0;
	if (left > 0)
		return piece(o, left, 0, ev);
	o->ended = false;
	ev->kind = CARREL_EOF;
	ev->stream = o->stream;
	return 1;
}
