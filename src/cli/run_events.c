/* SPDX-License-Identifier: ISC */
#include "report.h"
#include "run.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long after the end of the stop steps the reader of the events may still take. */
#define GRACE_MS 2000

/* So many events, and the other descriptors get their turn. */
#define EVENTS_IN_A_ROW 256

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* -------------------------------------------------------------- signals --- */

/*
 * A stop that somebody asked carrel for.  The first begins the steps; a further signal is passed on
 * and does not give the tree more time.
 */
static void stop_by(struct run *r, int sig)
{
	const carrel_step step = { .sig = sig, .wait_ms = r->o->spec.stop[0].wait_ms };

	if (r->give_up_ms != 0) {
		carrel_signal(r->p, sig, 1);
		return;
	}
	r->give_up_ms = now_ms() + step.wait_ms + GRACE_MS;
	carrel_stop(r->p, &step, 1);
}

/* ^Z while the command has a session of its own: no terminal stops it, so carrel does. */
static void pause_both(struct run *r)
{
	r->stop_ours = 1;
	carrel_signal(r->p, SIGSTOP, 1);
	terminal_restore(&r->s.terminal);
	run_signals_suspend(&r->signals, SIGTSTP);
	carrel_signal(r->p, SIGCONT, 1);
}

/* Follow the command into its stop.  Where no shell could continue carrel, ^Z has no effect at all. */
static void follow_stop(struct run *r)
{
	int sig = r->stopped;

	r->stopped = 0;
	if (r->signals.shared) {
		run_signals_suspend(&r->signals, sig);
		return;
	}
	terminal_restore(&r->s.terminal);
	if (run_signals_suspend_job(&r->signals) == 0) {
		run_streams_front(r);
		carrel_signal(r->p, SIGCONT, 1);
	}
}

static void handle_signal(struct run *r, const struct run_signal *s)
{
	/* What the terminal sends, it sends to the command too when that is in carrel's group. */
	int from_terminal = r->signals.shared && s->from_kernel;
	int has_it = from_terminal && !r->early;

	switch (s->sig) {
	case SIGINT:
	case SIGQUIT:
		if (from_terminal)
			r->interrupt = s->sig;
		if (from_terminal && !has_it)
			carrel_signal(r->p, s->sig, 0);
		else if (!has_it)
			stop_by(r, s->sig);
		break;
	case SIGTERM:
	case SIGHUP:
		stop_by(r, s->sig);
		break;
	case SIGCONT:
		r->stopped = 0;
		run_streams_front(r);
		carrel_signal(r->p, SIGCONT, 1);
		break;
	case SIGWINCH:
		if (r->s.pty)
			run_streams_front(r);
		else if (!has_it)
			carrel_signal(r->p, s->sig, 0);
		break;
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		if (!r->signals.shared)
			pause_both(r);
		else if (!has_it)
			carrel_signal(r->p, s->sig, 1);
		break;
	case SIGALRM:
		carrel_signal(r->p, s->sig, 0);
		break;
	default:
		if (!has_it)
			carrel_signal(r->p, s->sig, 0);
		break;
	}
}

static void handle_signals(struct run *r)
{
	struct run_signal s;

	while (run_signals_next(&r->signals, &s))
		handle_signal(r, &s);
}

/* --------------------------------------------------------------- output --- */

/* How long the reader of the output may still take; -1: as long as it likes. */
static int time_left(const struct run *r)
{
	if (r->give_up_ms == 0)
		return -1;
	int64_t left = r->give_up_ms - now_ms();
	return left <= 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

/* The JSON writer's wait: signals are handled meanwhile. */
static int wait_writable(void *arg, int fd)
{
	struct run *r = arg;
	struct pollfd fds[] = {
		{ .fd = r->signals.fd, .events = POLLIN },
		{ .fd = fd, .events = POLLOUT },
	};
	int timeout = time_left(r);

	if (timeout == 0)
		return ETIMEDOUT;
	if (poll(fds, 2, timeout) > 0 && fds[0].revents != 0)
		handle_signals(r);
	return 0;
}

/* The end of the tree as the last event. */
static void json_end(struct run *r)
{
	const carrel_status *st = &r->status;
	char name[16];

	json_eof(&r->json, &r->out);
	json_eof(&r->json, &r->err);
	if (st->cause == CARREL_BY_TIMEOUT)
		json_event(&r->json, "timeout");
	if (st->sig != 0 || !st->exited)
		json_event_word(&r->json, "termsig", "signal",
				values_signal_name(st->sig != 0 ? st->sig : SIGKILL, name));
	else
		json_event_int(&r->json, "exit_status", "status", st->code);
}

/* Nobody can see the events any more: end the run. */
static void check_output(struct run *r)
{
	int err = r->json.err;

	if (err == 0 || r->failed != 0)
		return; /* said, or lost */
	if (err == ETIMEDOUT)
		report_line("cannot write events: nobody reads standard output");
	else
		report_line("cannot write events to standard output: %s", strerror(err));
	run_fail(r, err == EPIPE ? EXIT_SIGNAL + SIGPIPE : EXIT_CARREL, 0);
}

/* With --lines one event is one line, its newline included. */
static void json_output(struct run *r, const carrel_event *ev)
{
	struct json_stream *s = ev->kind == CARREL_OUT ? &r->out : &r->err;

	if (!r->o->lines || ev->partial || ev->len >= JSON_DATA_MAX) {
		json_data(&r->json, s, ev->data, ev->len);
		return;
	}
	memcpy(r->json_line, ev->data, ev->len);
	r->json_line[ev->len] = '\n';
	json_data(&r->json, s, r->json_line, ev->len + 1);
}

/* --------------------------------------------------------------- events --- */

static void lose(struct run *r)
{
	if (!r->lost)
		report_line("the control process was lost; everything it ran was killed");
	r->lost = 1;
	r->failed = EXIT_CARREL;
}

static void handle_gone(struct run *r, const carrel_status *st)
{
	r->status = *st;
	r->gone = 1;
	r->record.size = sizeof(r->record);
	if (!r->o->spec.record || carrel_get_record(r->p, &r->record) == -1)
		r->record.size = 0;
	else
		r->status = r->record.status;
	if (st->cause == CARREL_BY_LOSS)
		lose(r);
}

/* With shared streams or a terminal carrel is stopped as the command is. */
static void handle_stopped(struct run *r, int sig)
{
	char name[16];

	if (r->o->json)
		json_event_word(&r->json, "stopped", "signal", values_signal_name(sig, name));
	if (r->stop_ours)
		r->stop_ours = 0;
	else if (r->signals.shared || r->s.pty)
		r->stopped = sig;
}

/* What the kernel killed is mysterious unless somebody says it; the rest is for --verbose. */
static void handle_limit(struct run *r, carrel_limit limit)
{
	if (r->o->json)
		json_event_word(&r->json, "limit", "limit", carrel_limit_name(limit));
	if (!r->o->json || r->o->verbose)
		report_limit(&r->o->spec, limit, r->o->verbose);
}

static void handle_event(struct run *r, const carrel_event *ev)
{
	switch (ev->kind) {
	case CARREL_OP:
		report_op(ev->data, ev->len);
		break;
	case CARREL_OUT:
	case CARREL_ERR:
		if (r->o->json)
			json_output(r, ev);
		else
			run_output_event(r, ev);
		break;
	case CARREL_EOF:
		if (r->o->json)
			json_eof(&r->json, ev->stream == 1 ? &r->out : &r->err);
		else
			run_streams_event(r, ev);
		break;
	case CARREL_STOPPED:
		handle_stopped(r, ev->sig);
		break;
	case CARREL_CONTINUED:
		r->stopped = r->stop_ours = 0;
		if (r->o->json)
			json_event(&r->json, "continued");
		break;
	case CARREL_GONE:
		handle_gone(r, ev->status);
		break;
	case CARREL_LOST:
		lose(r);
		break;
	case CARREL_STDIN_ROOM:
	case CARREL_STDIN_CLOSED:
	case CARREL_INPUT_FAILED:
		run_streams_event(r, ev);
		break;
	case CARREL_LIMIT:
		handle_limit(r, ev->limit);
		break;
	case CARREL_STARTED:
	case CARREL_EXIT:
	case CARREL_SIGNAL:
		break;
	}
	if (r->o->json)
		check_output(r);
}

/* Wait until something happens, ${timeout_ms} at most, and let the streams flow. */
static void wait_for_more(struct run *r, int timeout_ms)
{
	struct pollfd fds[2 + RUN_POLL] = {
		{ .fd = r->signals.fd, .events = POLLIN },
		{ .fd = r->gone ? -1 : carrel_fd(r->c), .events = POLLIN },
	};

	if (!r->s.active) {
		poll(fds, 2, timeout_ms);
		return;
	}
	timeout_ms = run_streams_poll(r, fds + 2, timeout_ms);
	poll(fds, 2 + RUN_POLL, timeout_ms);
	run_streams_ready(r, fds + 2);
}

/* The time of the stop steps is over, and what the tree wrote is still not taken. */
static void give_up(struct run *r)
{
	report_line("cannot pass on all output: nobody reads it");
	run_fail(r, EXIT_CARREL, 0);
	if (r->s.events)
		run_output_drop(r);
}

/* Nothing is left to handle now: follow the command into its stop, or wait. */
static void idle(struct run *r)
{
	if (r->s.events)
		run_output_flush(r);
	if (r->stopped != 0) {
		follow_stop(r);
		return;
	}
	int timeout = r->s.paused[0] || r->s.paused[1] ? time_left(r) : -1;
	if (timeout == 0)
		give_up(r);
	else
		wait_for_more(r, timeout);
}

int run_exit_status(const struct run *r)
{
	if (r->failed != 0)
		return r->failed;
	if (r->status.cause == CARREL_BY_TIMEOUT || r->status.cause == CARREL_BY_LIMIT)
		return EXIT_TIMEOUT;
	return r->status.sig != 0 ? EXIT_SIGNAL + r->status.sig : r->status.code;
}

/* The events of the tree, until it is gone. */
static void follow(struct run *r)
{
	carrel_event ev = { .size = sizeof(ev) };
	unsigned in_a_row = 0;

	while (!r->gone && !r->lost) {
		if (in_a_row % EVENTS_IN_A_ROW == 0)
			handle_signals(r);
		int n = carrel_next(r->c, &ev, 0);
		if (n == 1) {
			handle_event(r, &ev);
			/* Output without a pause must not keep signals and the input waiting. */
			if (++in_a_row % EVENTS_IN_A_ROW == 0 && r->s.active)
				wait_for_more(r, 0);
			continue;
		}
		in_a_row = 0;
		if (n == 0) {
			idle(r);
		} else if (errno == EPIPE) {
			lose(r);
		} else if (errno != EINTR) {
			report_line("cannot read events: %s", strerror(errno));
			r->failed = EXIT_CARREL;
			break;
		}
	}
}

/* What the tree has written and the reader has not yet taken. */
static void finish_output(struct run *r)
{
	run_streams_gone(r);
	while (run_streams_busy(r)) {
		int timeout = time_left(r);

		if (timeout == 0) {
			give_up(r);
			return;
		}
		handle_signals(r);
		wait_for_more(r, timeout);
	}
}

static int begin(struct run *r)
{
	r->out.name = "stdout";
	r->err.name = "stderr";
	if (r->o->json && (json_init(&r->json, STDOUT_FILENO, wait_writable, r) == -1 ||
			   (r->json_line = malloc(JSON_DATA_MAX + 1)) == NULL)) {
		report_line("cannot write events: %s", strerror(errno));
		return -1;
	}
	run_streams_start(r);
	/* What the terminal sent during the start, the command may have missed. */
	r->early = 1;
	handle_signals(r);
	r->early = 0;
	return 0;
}

int run_events(struct run *r)
{
	if (begin(r) == -1)
		return EXIT_CARREL;
	follow(r);
	if (r->s.active && r->gone)
		finish_output(r);
	handle_signals(r); /* ^C reached carrel as it ended the command: see run_signals_die() */
	if (r->o->json) {
		json_end(r);
		check_output(r);
		json_finish(&r->json);
		free(r->json_line);
	}
	/* The key was a byte on the command's terminal: so that a shell leaves its loop all the same. */
	if (r->s.was_raw && (r->status.sig == SIGINT || r->status.sig == SIGQUIT))
		r->interrupt = r->status.sig;
	run_streams_finish(r);
	return run_exit_status(r);
}
