/* SPDX-License-Identifier: ISC */
/* What the supervisor tells the host: never waits, so that a host that does not read stops nobody. */
#include "supervisor.h"

#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond this, news that only repeat themselves (stopped, continued) are dropped. */
#define OUTBOX_BUSY 1024

static void drop_all(struct supervisor *s)
{
	while (s->out_first != NULL) {
		struct outgoing *o = s->out_first;

		s->out_first = o->next;
		free(o);
	}
	s->out_last = &s->out_first;
	s->n_outgoing = 0;
}

static void keep(struct supervisor *s, enum message_type type, uint32_t id, const struct buf *body)
{
	struct outgoing *o = malloc(sizeof(*o) + body->len);

	if (o == NULL) {
		s->ending = "the supervisor ran out of memory";
		return;
	}
	*o = (struct outgoing){ .type = type, .id = id, .len = body->len };
	if (body->len > 0)
		memcpy(o->body, body->data, body->len);
	*s->out_last = o;
	s->out_last = &o->next;
	s->n_outgoing++;
}

void tell(struct supervisor *s, enum message_type type, uint32_t id, const struct buf *body)
{
	int r = -EAGAIN;

	if (s->host_gone || body->err != 0)
		return;
	if (s->n_outgoing > OUTBOX_BUSY && (type == MSG_STOPPED || type == MSG_CONTINUED))
		return;
	if (s->n_outgoing == 0)
		r = link_send(s->host, type, id, body->data, body->len, NULL, 0, false);
	if (r == -EAGAIN || r == -ENOBUFS || r == -ENOMEM)
		keep(s, type, id, body);
}

void outbox_flush(struct supervisor *s)
{
	while (s->out_first != NULL) {
		struct outgoing *o = s->out_first;
		int r = s->host_gone ? -EPIPE
				     : link_send(s->host, o->type, o->id, o->body, o->len, NULL, 0, false);

		if (r == -EAGAIN || r == -ENOBUFS || r == -ENOMEM)
			return;
		if (r < 0) {
			drop_all(s);
			return;
		}
		s->out_first = o->next;
		if (s->out_first == NULL)
			s->out_last = &s->out_first;
		s->n_outgoing--;
		free(o);
	}
}

static void out_results(struct buf *b, uint32_t n, const int64_t *result)
{
	term_out_list(b, n);
	for (uint32_t i = 0; i < n; i++) {
		term_out_tuple(b, 2);
		term_out_int(b, i);
		term_out_int(b, result[i]);
	}
	if (n > 0)
		term_out_nil(b);
}

static void out_failed(struct buf *b, const struct report *r, const int64_t *result)
{
	term_out_tuple(b, 5);
	term_out_int(b, r->stage);
	term_out_int(b, r->err);
	term_out_int(b, r->index);
	term_out_binary(b, r->what, strnlen(r->what, sizeof(r->what)));
	out_results(b, r->n_results, result);
}

void tell_failed(struct supervisor *s, uint32_t id, enum stage stage, int err, int index, const char *text)
{
	struct report r = { .stage = (int)stage, .err = err, .index = index };
	unsigned char mem[256];
	struct buf b;

	snprintf(r.what, sizeof(r.what), "%s", text);
	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	out_failed(&b, &r, NULL);
	tell(s, MSG_FAILED, id, &b);
}

static void out_started(struct buf *b, const struct stream *st, const struct report *r, const int64_t *result)
{
	term_out_tuple(b, 3);
	term_out_int(b, r->leader);
	term_out_int(b, st->reaper);
	out_results(b, r->n_results, result);
}

/* Names and values, each with a NUL behind it. */
static void out_record(struct buf *b, const char *text, size_t len)
{
	uint32_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == 0;
	term_out_list(b, n / 2);
	for (const char *p = text, *end = text + len; n >= 2 && p < end; n -= 2) {
		size_t name = strnlen(p, (size_t)(end - p));

		term_out_tuple(b, 2);
		term_out_binary(b, p, name);
		p += name + 1;
		size_t value = strnlen(p, (size_t)(end - p));
		term_out_binary(b, p, value);
		p += value + 1;
	}
	if (len > 0)
		term_out_nil(b);
}

static void out_usage(struct buf *b, const struct report *r)
{
	term_out_uint(b, r->utime_us);
	term_out_uint(b, r->stime_us);
	term_out_uint(b, r->maxrss_kb);
}

static void out_gone(struct buf *b, const struct stream *st, const struct report *r)
{
	uint32_t n = r->n_found < FOUND_MAX ? r->n_found : FOUND_MAX;

	term_out_tuple(b, 8);
	term_out_int(b, r->status);
	term_out_int(b, st->cause);
	term_out_int(b, clock_now_us() - st->started_us);
	out_usage(b, r);
	term_out_uint(b, r->leftovers);
	term_out_list(b, n);
	for (uint32_t i = 0; i < n; i++) {
		term_out_tuple(b, 2);
		term_out_int(b, r->found[i].pid);
		term_out_binary(b, r->found[i].comm, strnlen(r->found[i].comm, sizeof(r->found[i].comm)));
	}
	if (n > 0)
		term_out_nil(b);
}

void tell_report(struct supervisor *s, const struct stream *st, const struct report *r,
		 const int64_t *result)
{
	struct buf b;

	buf_init(&b, MESSAGE_INLINE_MAX);
	term_out_version(&b);
	switch (r->type) {
	case REPORT_FAILED:
		out_failed(&b, r, result);
		tell(s, MSG_FAILED, st->id, &b);
		break;
	case REPORT_STARTED:
		out_started(&b, st, r, result);
		tell(s, MSG_STARTED, st->id, &b);
		break;
	case REPORT_STOPPED:
		term_out_int(&b, r->status);
		tell(s, MSG_STOPPED, st->id, &b);
		break;
	case REPORT_CONTINUED:
		term_out_nil(&b);
		tell(s, MSG_CONTINUED, st->id, &b);
		break;
	case REPORT_EXIT:
		term_out_tuple(&b, 4);
		term_out_int(&b, r->status);
		out_usage(&b, r);
		tell(s, MSG_EXIT, st->id, &b);
		break;
	case REPORT_GONE:
		out_gone(&b, st, r);
		tell(s, MSG_GONE, st->id, &b);
		break;
	case REPORT_RECORD:
		out_record(&b, (const char *)(const void *)result, r->n_text);
		tell(s, MSG_RECORD, st->id, &b);
		break;
	case REPORT_LIMIT:
		term_out_int(&b, r->status);
		tell(s, MSG_LIMIT, st->id, &b);
		break;
	case REPORT_FROZEN:
		term_out_int(&b, r->status);
		tell(s, MSG_FROZEN, st->id, &b);
		break;
	case REPORT_ORPHAN:
		term_out_tuple(&b, 5);
		term_out_int(&b, r->leader);
		term_out_int(&b, r->status);
		out_usage(&b, r);
		tell(s, MSG_ORPHAN, st->id, &b);
		break;
	case REPORT_TASK:
		break;
	}
	buf_finish(&b);
}
