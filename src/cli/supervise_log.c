/* SPDX-License-Identifier: ISC */
/*
 * Where the lines of services go: each to its log, or to our standard output and error with its name before it.
 * What cannot be written now is kept, and its writer not read meanwhile: nothing is lost, and nobody else waits.
 */
#include "supervise.h"

#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* With so much waiting for the reader of our own output, services are not read. */
#define HIGH ((size_t)64 << 10)

/* How often a log that could not be written is tried again. */
#define RETRY_MS 1000

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int log_open(struct entry *e)
{
	char why[VALUES_WHY];

	if (e->log.path == NULL || e->log.fd != -1 || rotate_open(&e->log, why) == 0)
		return 0;
	report_line("service %s: log: %s", e->name, why);
	return -1;
}

static void pause_entry(struct supervise *s, struct entry *e, int on)
{
	carrel_proc *p = carrel_supervise_proc(s->s, e->name);

	e->paused = on;
	for (int stream = 1; p != NULL && stream <= 2; stream++)
		carrel_pause(p, stream, on);
}

void log_started(struct supervise *s, struct entry *e)
{
	e->begun[0] = e->begun[1] = 0;
	if (e->paused)
		pause_entry(s, e, 1);
}

size_t log_stamp(char text[32])
{
	struct timespec now;
	struct tm utc;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	size_t n = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &utc);
	return n + (size_t)snprintf(text + n, 32 - n, ".%03ldZ", now.tv_nsec / 1000000);
}

/* What stands before a line, in ${text}. */
static size_t prefix(const struct supervise *s, const struct entry *e, char text[128])
{
	size_t n = 0;

	if (s->o->stamp) {
		n = log_stamp(text);
		text[n++] = ' ';
	}
	if (e->log.path == NULL)
		n += (size_t)snprintf(text + n, 72, "%s: ", e->name);
	return n;
}

static void hold(struct supervise *s, struct entry *e, const char *text, size_t len)
{
	char *held = realloc(e->held, e->n_held + len);

	if (held == NULL) {
		report_line("service %s: no memory for a line that the log cannot take", e->name);
		return;
	}
	memcpy(held + e->n_held, text, len);
	e->held = held;
	e->n_held += len;
	if (!e->paused)
		pause_entry(s, e, 1);
	s->retry_ms = now_ms() + RETRY_MS;
}

static void to_log(struct supervise *s, struct entry *e, const char *text, size_t len)
{
	size_t done = e->n_held == 0 ? rotate_put(&e->log, text, len) : 0;

	if (done == len)
		return;
	if (e->n_held == 0)
		report_line("service %s: cannot write to its log %s: %s; it waits", e->name, e->log.path,
			    strerror(errno));
	hold(s, e, text + done, len - done);
}

void log_pass(struct supervise *s, struct entry *e, int i)
{
	if (sink_holds(s->sink[i]) >= HIGH && !e->paused)
		pause_entry(s, e, 1);
}

/* The last of it, for who asks. */
static void remember(struct entry *e, const char *text, size_t len)
{
	if (e->recent == NULL && (e->recent = malloc(RECENT_MAX)) == NULL)
		return;
	if (len > RECENT_MAX) {
		text += len - RECENT_MAX;
		len = RECENT_MAX;
	}
	size_t drop = e->n_recent + len > RECENT_MAX ? e->n_recent + len - RECENT_MAX : 0;
	/* Seldom, and then much at once. */
	if (drop > 0 && drop < RECENT_MAX / 4)
		drop = e->n_recent < RECENT_MAX / 4 ? e->n_recent : RECENT_MAX / 4;
	memmove(e->recent, e->recent + drop, e->n_recent - drop);
	memcpy(e->recent + e->n_recent - drop, text, len);
	e->n_recent += len - drop;
}

static void put(struct supervise *s, struct entry *e, int i, const char *text, size_t len)
{
	remember(e, text, len);
	if (e->log.path != NULL) {
		to_log(s, e, text, len);
	} else if (!s->o->json) {
		sink_put(s->sink[i], text, len);
		log_pass(s, e, i);
	}
}

void log_ended(struct supervise *s, struct entry *e, int stream)
{
	if (e->begun[stream - 1])
		put(s, e, stream - 1, "\n", 1);
	e->begun[stream - 1] = 0;
}

void log_output(struct supervise *s, struct entry *e, const carrel_event *ev)
{
	int i = ev->kind == CARREL_ERR;
	size_t room = ev->len + 129, n = 0;
	char *line = malloc(room);

	if (line == NULL) {
		report_line("service %s: no memory for a line", e->name);
		return;
	}
	if (!e->begun[i])
		n = prefix(s, e, line);
	memcpy(line + n, ev->data, ev->len);
	n += ev->len;
	if (!ev->partial)
		line[n++] = '\n';
	e->begun[i] = ev->partial;
	put(s, e, i, line, n);
	free(line);
}

/* Logs that could not be written: again. */
static void retry(struct supervise *s)
{
	s->retry_ms = 0;
	for (struct entry *e = s->first; e != NULL; e = e->next) {
		if (e->n_held == 0)
			continue;
		size_t done = e->n_held;

		/* It has lost its log meanwhile. */
		if (e->log.path == NULL)
			sink_put(s->sink[0], e->held, e->n_held);
		else
			done = rotate_put(&e->log, e->held, e->n_held);
		e->n_held -= done;
		memmove(e->held, e->held + done, e->n_held);
		if (e->n_held > 0)
			s->retry_ms = now_ms() + RETRY_MS;
	}
}

void log_flush(struct supervise *s)
{
	for (int i = 0; i < 2; i++) {
		sink_flush(s->sink[i]);
		/* Nobody reads it any more: what is said there is for nobody.  Anything else is a loss, and named. */
		if (s->sink[i]->err != 0 && s->sink[i]->err != EPIPE) {
			report_line("cannot write to standard %s: %s; what services say there is lost",
				    s->sink[i] == &s->sinks[0] ? "output" : "error", strerror(s->sink[i]->err));
			s->unwritten = 1;
			s->sink[i]->err = EPIPE;
		}
	}
	if (s->retry_ms != 0 && now_ms() >= s->retry_ms)
		retry(s);
	for (struct entry *e = s->first; e != NULL; e = e->next) {
		if (e->paused && e->n_held == 0 && sink_holds(s->sink[0]) < HIGH && sink_holds(s->sink[1]) < HIGH)
			pause_entry(s, e, 0);
	}
}
