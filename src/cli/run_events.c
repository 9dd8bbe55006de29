/* SPDX-License-Identifier: ISC */
#include "report.h"
#include "run.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long after the end of the stop steps the reader of the events may still take. */
#define GRACE_MS 2000

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
	carrel_signal(r->p, SIGSTOP, 1);
	run_signals_suspend(&r->signals, SIGTSTP);
	carrel_signal(r->p, SIGCONT, 1);
}

static void handle_signal(struct run *r, const struct run_signal *s)
{
	/* What the terminal sends, it sends to the command too when that is in carrel's group. */
	int has_it = r->signals.shared && s->from_kernel;

	switch (s->sig) {
	case SIGINT:
	case SIGQUIT:
		if (has_it)
			r->interrupt = s->sig;
		else
			stop_by(r, s->sig);
		break;
	case SIGTERM:
	case SIGHUP:
		stop_by(r, s->sig);
		break;
	case SIGCONT:
		r->stopped = 0;
		carrel_signal(r->p, SIGCONT, 1);
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

/* The JSON writer's wait: signals are handled meanwhile. */
static int wait_writable(void *arg, int fd)
{
	struct run *r = arg;
	struct pollfd fds[] = {
		{ .fd = r->signals.fd, .events = POLLIN },
		{ .fd = fd, .events = POLLOUT },
	};
	int timeout = -1;

	if (r->give_up_ms != 0) {
		int64_t left = r->give_up_ms - now_ms();

		if (left <= 0)
			return ETIMEDOUT;
		timeout = left < INT_MAX ? (int)left : INT_MAX;
	}
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
	r->failed = err == EPIPE ? EXIT_SIGNAL + SIGPIPE : EXIT_CARREL;
	if (err == ETIMEDOUT)
		report_line("cannot write events: nobody reads standard output");
	else
		report_line("cannot write events to standard output: %s", strerror(err));
	if (!r->gone && !r->lost)
		carrel_stop(r->p, NULL, 0);
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
	if (st->cause == CARREL_BY_LOSS)
		lose(r);
}

static void handle_event(struct run *r, const carrel_event *ev)
{
	switch (ev->kind) {
	case CARREL_OP:
		report_op(ev->data, ev->len);
		break;
	case CARREL_OUT:
	case CARREL_ERR:
		json_data(&r->json, ev->kind == CARREL_OUT ? &r->out : &r->err, ev->data, ev->len);
		break;
	case CARREL_EOF:
		if (r->o->json)
			json_eof(&r->json, ev->stream == 1 ? &r->out : &r->err);
		break;
	case CARREL_STOPPED:
		r->stopped = r->signals.shared ? ev->sig : 0;
		break;
	case CARREL_CONTINUED:
		r->stopped = 0;
		break;
	case CARREL_GONE:
		handle_gone(r, ev->status);
		break;
	case CARREL_LOST:
		lose(r);
		break;
	case CARREL_INPUT_FAILED:
	case CARREL_STARTED:
	case CARREL_STDIN_ROOM:
	case CARREL_STDIN_CLOSED:
	case CARREL_EXIT:
		break;
	}
	if (r->o->json)
		check_output(r);
}

/* Nothing is left to handle now: follow the command into its stop, or wait. */
static void idle(struct run *r)
{
	struct pollfd fds[] = {
		{ .fd = r->signals.fd, .events = POLLIN },
		{ .fd = carrel_fd(r->c), .events = POLLIN },
	};

	if (r->stopped != 0) {
		int sig = r->stopped;

		r->stopped = 0;
		run_signals_suspend(&r->signals, sig);
		return;
	}
	poll(fds, 2, -1);
}

static int exit_status(const struct run *r)
{
	if (r->failed != 0)
		return r->failed;
	if (r->status.cause == CARREL_BY_TIMEOUT)
		return EXIT_TIMEOUT;
	return r->status.sig != 0 ? EXIT_SIGNAL + r->status.sig : r->status.code;
}

int run_events(struct run *r)
{
	carrel_event ev = { .size = sizeof(ev) };

	r->out.name = "stdout";
	r->err.name = "stderr";
	if (r->o->json && json_init(&r->json, STDOUT_FILENO, wait_writable, r) == -1) {
		report_line("cannot write events: %s", strerror(errno));
		return EXIT_CARREL;
	}
	while (!r->gone && !r->lost) {
		handle_signals(r);
		int n = carrel_next(r->c, &ev, 0);
		if (n == 1) {
			handle_event(r, &ev);
		} else if (n == 0) {
			idle(r);
		} else if (errno == EPIPE) {
			lose(r);
		} else if (errno != EINTR) {
			report_line("cannot read events: %s", strerror(errno));
			r->failed = EXIT_CARREL;
			break;
		}
	}
	handle_signals(r); /* ^C reached carrel as it ended the command: see run_signals_die() */
	if (r->o->json) {
		json_end(r);
		check_output(r);
		json_finish(&r->json);
	}
	return exit_status(r);
}
