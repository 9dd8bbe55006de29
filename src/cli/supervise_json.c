/* SPDX-License-Identifier: ISC */
/* What happens to services, and what they write, as JSON: one object a line on standard output. */
#include "supervise.h"

#include "report.h"
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(struct supervise *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct supervise *s, const char *format, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n > 0)
		sink_put(s->sink[0], text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* What every event begins with; a service's name needs no escape. */
static void say_head(struct supervise *s, const char *event, const char *service)
{
	char stamp[32];

	log_stamp(stamp);
	say(s, "{\"event\":\"%s\",\"time\":\"%s\"", event, stamp);
	if (service != NULL)
		say(s, ",\"service\":\"%s\"", service);
}

/* "${key}": the bytes as a text, or "base64" of them if they are not UTF-8. */
static void say_bytes(struct supervise *s, const char *key, const char *data, size_t len)
{
	char *text = malloc(len * TEXT_ESCAPE_MAX + 4);
	size_t n = 0;

	if (text == NULL) {
		report_line("no memory for a line");
		return;
	}
	if (text_escape((const unsigned char *)data, len, text, &n) == -1) {
		key = "base64";
		n = text_base64((const unsigned char *)data, len, text);
	}
	say(s, ",\"%s\":\"", key);
	sink_put(s->sink[0], text, n);
	say(s, "\"");
	free(text);
}

const char *supervise_json_end(const carrel_status *st, char buf[64])
{
	char sig[16];

	if (st->sig != 0)
		snprintf(buf, 64, "\"termsig\":\"%s\"", values_signal_name(st->sig, sig));
	else
		snprintf(buf, 64, "\"exit_status\":%d", st->code);
	return buf;
}

void supervise_json_begin(struct supervise *s)
{
	say_head(s, "supervisor", NULL);
	say(s, ",\"pid\":%ld,\"seed\":%" PRIu32 "}\n", (long)getpid(), s->o->seed);
}

/* One line, or a part of one that is too long or has no end. */
static void say_output(struct supervise *s, const carrel_supervise_event *ev)
{
	const carrel_event *out = ev->event;

	say_head(s, out->kind == CARREL_OUT ? "stdout" : "stderr", ev->name);
	say_bytes(s, "data", out->data, out->len);
	say(s, "%s}\n", out->partial ? ",\"partial\":true" : "");
	log_pass(s, ev->user, 0);
}

static const char *event_name(carrel_supervise_kind kind)
{
	static const char *const names[] = {
		[CARREL_SUP_STARTED] = "started",	  [CARREL_SUP_READY] = "ready",
		[CARREL_SUP_UNHEALTHY] = "unhealthy",	  [CARREL_SUP_ENDED] = "ended",
		[CARREL_SUP_NOT_STARTED] = "not_started", [CARREL_SUP_DELAYED] = "delayed",
		[CARREL_SUP_FAILED] = "failed",		  [CARREL_SUP_OFF] = "off",
		[CARREL_SUP_LOST] = "lost",
	};

	return names[kind];
}

void supervise_json_event(struct supervise *s, const carrel_supervise_event *ev)
{
	const struct entry *e = ev->user;
	char end[64];

	if (ev->kind == CARREL_SUP_OUTPUT) {
		/* What goes to a log goes there alone. */
		if (ev->event->kind != CARREL_EOF && e->log.path == NULL)
			say_output(s, ev);
		return;
	}
	say_head(s, event_name(ev->kind), ev->name);
	switch (ev->kind) {
	case CARREL_SUP_STARTED:
		say(s, ",\"pid\":%ld", (long)ev->pid);
		break;
	case CARREL_SUP_UNHEALTHY:
		say(s, ",\"failures\":%u", ev->failures);
		break;
	case CARREL_SUP_ENDED:
		say(s, ",%s,\"wall_ms\":%" PRIu64, supervise_json_end(ev->event->status, end),
		    ev->event->status->wall_us / 1000);
		break;
	case CARREL_SUP_NOT_STARTED:
		say_bytes(s, "error", carrel_strerror(ev->error), strlen(carrel_strerror(ev->error)));
		break;
	case CARREL_SUP_DELAYED:
		say(s, ",\"delay_ms\":%d,\"failures\":%u", ev->delay_ms, ev->failures);
		break;
	default:
		break;
	}
	say(s, "}\n");
}
