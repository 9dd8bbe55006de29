/* SPDX-License-Identifier: ISC */
/* The command's streams and the caller's: pumps, terminals, and what belongs to whom at the end. */
#include "report.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a job behind looks whether the terminal is its own now: a shell does not tell. */
#define BEHIND_MS 250

/* ------------------------------------------------------------------ failures --- */

void run_fail(struct run *r, int status, int sig)
{
	const carrel_step step = { .sig = sig, .wait_ms = r->o->spec.stop[0].wait_ms };

	if (r->failed != 0)
		return;
	r->failed = status;
	if (r->gone || r->lost)
		return;
	if (sig != 0)
		carrel_stop(r->p, &step, 1);
	else
		carrel_stop(r->p, NULL, 0);
}

static void input_failed(struct run *r, int err)
{
	report_line("cannot read standard input: %s", strerror(err));
	run_fail(r, EXIT_CARREL, 0);
}

static void output_failed(struct run *r, int i, int err)
{
	report_line("cannot pass on standard %s: %s", i == 0 ? "output" : "error", strerror(err));
	run_fail(r, EXIT_CARREL, 0);
}

void run_streams_let_go(int fd)
{
	/* The number stays taken, by what nobody reads or writes. */
	dup2(STDERR_FILENO, fd);
}

/* ------------------------------------------------------------------ terminal --- */

void run_streams_prepare(struct run *r, carrel_spec *spec, carrel_config *cfg)
{
	struct run_streams *s = &r->s;

	s->in.state = s->out[0].state = s->out[1].state = PUMP_OFF;
	s->unread_fd = -1;
	s->terminal.fd = -1;
	s->pty = r->o->pty;
	if (!s->pty)
		return;
	terminal_init(&s->terminal);
	/* Lines of ours would not begin at its left. */
	s->terminal.keep_output |= r->o->json || r->o->verbose;
	terminal_settings(&s->terminal, &s->settings);
	terminal_size(&s->terminal, &spec->pty_rows, &spec->pty_cols);
	spec->pty_termios = &s->settings;
	/* Without keys from it, it stays as it is. */
	if (spec->in.kind != CARREL_PTY)
		s->terminal.fd = -1;
	if (terminal_in_front(&s->terminal)) {
		cfg->keep_terminal = 1;
		cfg->terminal = s->terminal.fd;
	}
}

static void set_raw(struct run *r)
{
	terminal_set_raw(&r->s.terminal);
	r->s.was_raw |= r->s.terminal.raw;
}

void run_streams_front(struct run *r)
{
	unsigned short rows, cols;

	if (!r->s.pty)
		return;
	set_raw(r);
	terminal_size(&r->s.terminal, &rows, &cols);
	if (rows > 0 && cols > 0) {
		carrel_resize(r->p, rows, cols);
		run_copy_resize(r, cols, rows);
	}
	pump_room(&r->s.in);
}

/* --------------------------------------------------------------------- input --- */

static ssize_t put_keys(void *arg, const void *b, size_t n)
{
	struct run *r = arg;
	ssize_t done = carrel_write(r->p, b, n);

	if (done == 0)
		errno = EAGAIN;
	return done == 0 ? -1 : done;
}

/* The end of the input is a character on a terminal, which may have no room for it now. */
static void type_eof(struct run *r)
{
	if (carrel_eof(r->p) == 0 || errno != EAGAIN)
		r->s.eof_due = 0;
}

/*
 * What the command leaves unread in its pipe belongs to the caller's file.  It shows only as long as
 * an end of the pipe is open, and the writing one must be closed now.
 */
static void end_input(struct run *r)
{
	struct run_streams *s = &r->s;
	struct stat st;
	char path[48];

	if (fstat(s->in.from.fd, &st) == -1 || !S_ISREG(st.st_mode))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->in.to.fd);
	s->unread_fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/* Nobody reads it any more.  A file gets the rest back; who writes to a pipe shall notice. */
static void close_input(struct run *r)
{
	struct stat st;

	pump_give_back(&r->s.in);
	if (fstat(STDIN_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		run_streams_let_go(STDIN_FILENO);
}

static void check_input(struct run *r)
{
	struct run_streams *s = &r->s;

	switch (s->in.state) {
	case PUMP_ENDED:
		if (s->pty) {
			s->eof_due = 1;
			type_eof(r);
		} else {
			end_input(r);
		}
		break;
	case PUMP_READ_FAILED:
		input_failed(r, s->in.err);
		break;
	case PUMP_WRITE_FAILED:
		close_input(r);
		break;
	case PUMP_OFF:
	case PUMP_RUNS:
		return;
	}
	pump_finish(&s->in);
}

/* --------------------------------------------------------------------- start --- */

static int start_input(struct run *r)
{
	struct pump *p = &r->s.in;

	if (r->s.pty) {
		p->put = put_keys;
		p->arg = r;
		p->to.fd = -1;
	} else {
		int fd = carrel_take_fd(r->p, 0);

		if (fd == -1)
			return -1;
		port_ours(&p->to, fd);
	}
	port_in(&p->from, STDIN_FILENO);
	return pump_init(p);
}

static int start_output(struct run *r, int i)
{
	struct pump *p = &r->s.out[i];
	int fd = carrel_take_fd(r->p, i + 1);

	if (fd == -1)
		return -1;
	port_ours(&p->from, fd);
	port_out(&p->to, i + 1);
	return pump_init(p);
}

static int start(struct run *r)
{
	const carrel_spec *spec = &r->o->spec;
	struct run_streams *s = &r->s;
	int piped = r->o->stdio == RUN_STDIO_RELAY && !r->o->json;

	s->events = !r->o->json && (s->pty || r->o->lines || r->o->quiet || r->o->tee.path != NULL ||
				    spec->output_limit > 0);
	if (s->events)
		run_output_init(r);
	s->active = s->events || piped || s->pty || spec->in.kind == CARREL_PIPE;
	if (!s->active && !r->o->json) {
		run_streams_let_go(STDIN_FILENO);
		run_streams_let_go(STDOUT_FILENO);
	}
	if ((spec->in.kind == CARREL_PIPE || spec->in.kind == CARREL_PTY) && start_input(r) == -1)
		return -1;
	if (!piped || s->events)
		return 0;
	if (spec->out.kind == CARREL_PIPE && start_output(r, 0) == -1)
		return -1;
	return spec->err.kind == CARREL_PIPE ? start_output(r, 1) : 0;
}

int run_streams_start(struct run *r)
{
	if (start(r) == 0) {
		if (r->s.pty)
			set_raw(r);
		return 0;
	}
	report_line("cannot relay the standard streams: %s", strerror(errno));
	run_fail(r, EXIT_CARREL, 0);
	return -1;
}

/* --------------------------------------------------------------------- waiting --- */

static int at_most(int ms, int timeout_ms)
{
	return timeout_ms < 0 || timeout_ms > ms ? ms : timeout_ms;
}

int run_streams_poll(struct run *r, struct pollfd *fds, int timeout_ms)
{
	struct run_streams *s = &r->s;

	pump_poll(&s->in, fds);
	pump_poll(&s->out[0], fds + 2);
	pump_poll(&s->out[1], fds + 4);
	for (int i = 0; i < 2; i++) {
		const struct sink *k = &s->sinks[i];

		fds[6 + i] = (struct pollfd){ .fd = -1 };
		/* Without events: whether the reader is gone. */
		if (s->events && s->sink[i] == k && k->err == 0 && (!r->o->quiet || s->replay))
			fds[6 + i] = (struct pollfd){ .fd = k->port.fd,
						      .events = sink_holds(k) > 0 ? POLLOUT : 0 };
	}
	if (s->in.behind || s->eof_due > 0 || (s->pty && s->terminal.fd != -1 && !s->terminal.raw))
		timeout_ms = at_most(BEHIND_MS, timeout_ms);
	return timeout_ms;
}

static void check_output(struct run *r, int i)
{
	struct pump *p = &r->s.out[i];

	switch (p->state) {
	case PUMP_WRITE_FAILED:
		/* Without the pipe the command learns it when it writes, as in a pipeline; what it
		 * has written already is lost, so that it must learn it now. */
		if (p->err == EPIPE && pump_lost(p))
			run_fail(r, EXIT_SIGNAL + SIGPIPE, SIGPIPE);
		else if (p->err != EPIPE)
			output_failed(r, i, p->err);
		break;
	case PUMP_READ_FAILED:
		output_failed(r, i, p->err);
		break;
	case PUMP_ENDED:
		break;
	case PUMP_OFF:
	case PUMP_RUNS:
		return;
	}
	pump_finish(p);
	if (i == 0)
		run_streams_let_go(STDOUT_FILENO);
}

void run_streams_ready(struct run *r, const struct pollfd *fds)
{
	struct run_streams *s = &r->s;

	pump_ready(&s->in, fds);
	if (s->in.behind)
		pump_room(&s->in);
	check_input(r);
	if (s->eof_due > 0)
		type_eof(r);
	for (int i = 0; i < 2; i++) {
		pump_ready(&s->out[i], fds + 2 + 2 * i);
		check_output(r, i);
		if (fds[6 + i].fd != -1 && fds[6 + i].revents & (POLLERR | POLLHUP) &&
		    !(fds[6 + i].events & POLLOUT))
			s->sinks[i].err = EPIPE;
	}
	if (s->events)
		run_output_flush(r);
	if (s->pty && s->terminal.fd != -1 && !s->terminal.raw && terminal_in_front(&s->terminal))
		run_streams_front(r);
}

void run_streams_event(struct run *r, const carrel_event *ev)
{
	struct run_streams *s = &r->s;

	switch (ev->kind) {
	case CARREL_STDIN_ROOM:
		pump_room(&s->in);
		check_input(r);
		if (s->eof_due > 0)
			type_eof(r);
		break;
	case CARREL_STDIN_CLOSED:
		pump_finish(&s->in);
		break;
	case CARREL_EOF:
		s->out_ended |= ev->stream == 1;
		break;
	case CARREL_INPUT_FAILED:
		input_failed(r, ev->err);
		break;
	default:
		break;
	}
}

/* ------------------------------------------------------------------------- end --- */

void run_streams_gone(struct run *r)
{
	struct run_streams *s = &r->s;

	/* A stranger who has the pipe would keep the end away for ever. */
	pump_limit(&s->out[0]);
	pump_limit(&s->out[1]);
	check_output(r, 0);
	check_output(r, 1);
	if (s->events)
		run_output_gone(r);
}

int run_streams_busy(const struct run *r)
{
	const struct run_streams *s = &r->s;

	return s->out[0].state == PUMP_RUNS || s->out[1].state == PUMP_RUNS ||
	       (s->events && run_output_busy(r));
}

static void give_back_rest(struct run_streams *s)
{
	int unread = 0;

	if (s->unread_fd == -1)
		return;
	if (ioctl(s->unread_fd, FIONREAD, &unread) == 0 && unread > 0)
		lseek(STDIN_FILENO, -(off_t)unread, SEEK_CUR);
	close(s->unread_fd);
}

uint64_t run_streams_moved(const struct run *r, int stream, uint64_t bytes)
{
	const carrel_spec *spec = &r->o->spec;
	const carrel_io *io[] = { &spec->in, &spec->out, &spec->err };
	const struct pump *p = stream == 0 ? &r->s.in : &r->s.out[stream - 1];

	if (io[stream]->kind == CARREL_INHERIT || io[stream]->kind == CARREL_FILE)
		return CARREL_UNCOUNTED;
	return bytes + (p->put != NULL ? 0 : p->moved);
}

void run_streams_finish(struct run *r)
{
	struct run_streams *s = &r->s;

	terminal_restore(&s->terminal);
	if (!s->active)
		return;
	pump_give_back(&s->in);
	give_back_rest(s);
	pump_finish(&s->in);
	pump_finish(&s->out[0]);
	pump_finish(&s->out[1]);
	if (s->events)
		run_output_finish(r);
}
