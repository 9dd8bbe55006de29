/* SPDX-License-Identifier: ISC */
/* Output that comes as events: in lines, with tags and times, now or only after a failure. */
#include "report.h"
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* With so much waiting, it is written; if it cannot be, the command has to wait. */
#define HIGH ((size_t)32 << 10)

void run_output_init(struct run *r)
{
	struct run_streams *s = &r->s;
	int one = port_same(STDOUT_FILENO, STDERR_FILENO);

	sink_init(&s->sinks[0], STDOUT_FILENO);
	/* Two stores for one pipe would change the order of what they hold. */
	if (!one)
		sink_init(&s->sinks[1], STDERR_FILENO);
	s->sink[0] = &s->sinks[0];
	s->sink[1] = &s->sinks[one ? 0 : 1];
	spool_init(&s->spool);
}

void run_output_finish(struct run *r)
{
	sink_finish(&r->s.sinks[0]);
	if (r->s.sink[1] != r->s.sink[0])
		sink_finish(&r->s.sinks[1]);
	spool_finish(&r->s.spool);
}

/* ------------------------------------------------------------ where it goes --- */

static void emit(struct run *r, int i, const void *data, size_t len)
{
	struct run_streams *s = &r->s;

	run_copy_output(r, data, len);
	if (r->o->quiet && !s->replay)
		spool_put(&s->spool, i, data, len);
	else
		sink_put(s->sink[i], data, len);
}

/* "2026-01-31T12:00:01.123Z " */
static void emit_time(struct run *r, int i)
{
	struct timespec now;
	struct tm utc;
	char text[48];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	n += (size_t)snprintf(text + n, sizeof(text) - n, ".%03ldZ ", now.tv_nsec / 1000000);
	emit(r, i, text, n);
}

/* The other stream's line comes while this one's goes on in the same place: end the piece. */
static void end_other(struct run *r, int i)
{
	struct run_streams *s = &r->s;
	int other = !i;

	if (s->open_line[other] && s->sink[0] == s->sink[1]) {
		emit(r, other, "\n", 1);
		s->open_line[other] = 0;
	}
}

static void emit_line(struct run *r, int i, const carrel_event *ev)
{
	struct run_streams *s = &r->s;

	end_other(r, i);
	if (!s->open_line[i]) {
		if (r->o->stamp)
			emit_time(r, i);
		if (r->o->tag)
			emit(r, i, i == 0 ? "out: " : "err: ", 5);
	}
	emit(r, i, ev->data, ev->len);
	if (!ev->partial)
		emit(r, i, "\n", 1);
	s->open_line[i] = ev->partial;
}

void run_output_event(struct run *r, const carrel_event *ev)
{
	struct run_streams *s = &r->s;
	int i = ev->kind == CARREL_ERR;

	/* In the order in which it came, also where both go to different places. */
	if (s->sink[!i] != s->sink[i] && sink_holds(s->sink[!i]) > 0)
		sink_flush(s->sink[!i]);
	if (r->o->lines)
		emit_line(r, i, ev);
	else
		emit(r, i, ev->data, ev->len);
	if (sink_holds(s->sink[i]) >= HIGH)
		run_output_flush(r);
	if (s->spool.err != 0 && r->failed == 0) {
		report_line("cannot keep the output: %s", strerror(s->spool.err));
		run_fail(r, EXIT_CARREL, 0);
	}
}

/* ------------------------------------------------------------------ writing --- */

/* A stream whose sink is full is not read; only the two share a fate that share a sink. */
static void pause_full(struct run *r)
{
	struct run_streams *s = &r->s;

	for (int i = 0; i < 2; i++) {
		int full = sink_holds(s->sink[i]) >= HIGH;

		if (full != s->paused[i] && !r->gone) {
			carrel_pause(r->p, i + 1, full);
			s->paused[i] = full;
		}
	}
}

static void check_sink(struct run *r, int i)
{
	struct sink *k = &r->s.sinks[i];

	if (k->err == 0 || r->failed != 0)
		return;
	if (k->err == EPIPE) {
		run_fail(r, EXIT_SIGNAL + SIGPIPE, r->o->pty ? SIGHUP : SIGPIPE);
		return;
	}
	report_line("cannot write to standard %s: %s", i == 0 ? "output" : "error", strerror(k->err));
	run_fail(r, EXIT_CARREL, 0);
}

/* The next part of what was kept. */
static void replay(struct run *r)
{
	struct run_streams *s = &r->s;
	const char *data;
	size_t len;
	int i, n = 1;

	while (s->replay && sink_holds(s->sink[0]) < HIGH && sink_holds(s->sink[1]) < HIGH) {
		n = spool_next(&s->spool, &i, &data, &len);
		if (n != 1)
			break;
		if (s->sink[!i] != s->sink[i])
			sink_flush(s->sink[!i]);
		sink_put(s->sink[i], data, len);
	}
	if (n == -1) {
		report_line("cannot read the output that was kept: %s", strerror(errno));
		run_fail(r, EXIT_CARREL, 0);
	}
	if (n != 1)
		s->replay = 0;
}

void run_output_flush(struct run *r)
{
	struct run_streams *s = &r->s;

	do {
		if (s->replay)
			replay(r);
		sink_flush(s->sink[0]);
		if (s->sink[1] != s->sink[0])
			sink_flush(s->sink[1]);
	} while (s->replay && !s->sink[0]->blocked && !s->sink[1]->blocked);
	check_sink(r, 0);
	check_sink(r, 1);
	pause_full(r);
	if (s->out_ended && !r->o->quiet && s->sink[0] != s->sink[1] && sink_holds(s->sink[0]) == 0) {
		s->out_ended = 0;
		sink_finish(s->sink[0]);
		run_streams_let_go(STDOUT_FILENO);
	}
}

void run_output_gone(struct run *r)
{
	if (!r->o->quiet)
		return;
	if (run_exit_status(r) != 0)
		r->s.replay = 1;
	run_output_flush(r);
}

void run_output_drop(struct run *r)
{
	r->s.replay = 0;
	r->s.sink[0]->err = r->s.sink[1]->err = ETIMEDOUT;
	pause_full(r);
}

int run_output_busy(const struct run *r)
{
	const struct run_streams *s = &r->s;

	return s->replay || sink_holds(s->sink[0]) > 0 || sink_holds(s->sink[1]) > 0;
}
