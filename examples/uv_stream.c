/* SPDX-License-Identifier: ISC */
/*
 * uv_stream COMMAND [ARG...]: a command's output through a libuv program, as fast as its reader takes it:
 *
 *	uv_stream seq 10000000 | (sleep 3; wc -l)
 *
 * The handle is one descriptor in the loop.  libuv queues without limit what a slow stream does not take, so
 * the command's stdout is paused while a write is under way: at most one chunk is ever held here, the pipe
 * fills, and the command waits.  Other trees on the handle, and stderr, would go on meanwhile.
 */
#include <carrel.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct app {
	carrel *carrel;
	uv_poll_t events;
	uv_pipe_t out;		/* our stdout */
	uv_write_t write;
	char *held;		/* what ${out} did not take at once */
	carrel_proc *proc;
	unsigned pauses;
	int status;
};

static void written(uv_write_t *req, int status)
{
	struct app *a = req->data;

	free(a->held);
	a->held = NULL;
	/* Nobody reads us any more: end the command, and everything that it started. */
	if (status < 0)
		carrel_stop(a->proc, NULL, 0);
	carrel_pause(a->proc, 1, 0);
}

static void pass_on(struct app *a, const char *data, size_t len)
{
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data, (unsigned)len);
	int n = uv_try_write((uv_stream_t *)&a->out, &buf, 1);

	if (n == (int)len)
		return;
	if (n < 0 && n != UV_EAGAIN) {
		carrel_stop(a->proc, NULL, 0);
		return;
	}
	/* An event's data is valid until the next carrel_next() only: keep the rest, and ask for no more. */
	size_t taken = n < 0 ? 0 : (size_t)n;
	a->held = malloc(len - taken);
	if (a->held == NULL)
		abort();
	memcpy(a->held, data + taken, len - taken);
	buf = uv_buf_init(a->held, (unsigned)(len - taken));
	a->write.data = a;
	uv_write(&a->write, (uv_stream_t *)&a->out, &buf, 1, written);
	carrel_pause(a->proc, 1, 1);
	a->pauses++;
}

static void gone(struct app *a, const carrel_status *st)
{
	a->status = st->exited ? st->code : 128 + st->sig;
	fprintf(stderr, "uv_stream: %llu bytes, paused %u times\n", (unsigned long long)st->out_bytes, a->pauses);
	/* Nothing is left to wait for, so uv_run() ends. */
	uv_close((uv_handle_t *)&a->events, NULL);
	uv_close((uv_handle_t *)&a->out, NULL);
}

/* The loop says that there is something: take all there is, and wait for nothing. */
static void on_events(uv_poll_t *poll, int status, int what)
{
	struct app *a = poll->data;
	carrel_event ev = { .size = sizeof(ev) };

	(void)status;
	(void)what;
	while (carrel_next(a->carrel, &ev, 0) == 1) {
		if (ev.kind == CARREL_OUT)
			pass_on(a, ev.data, ev.len);
		else if (ev.kind == CARREL_ERR)
			fwrite(ev.data, 1, ev.len, stderr);
		else if (ev.kind == CARREL_GONE)
			gone(a, ev.status);
	}
}

int main(int argc, char **argv)
{
	struct app a = { .status = 125 };
	uv_loop_t *loop = uv_default_loop();
	carrel_error e;

	if (argc < 2)
		return fprintf(stderr, "usage: uv_stream COMMAND [ARG...]\n"), 2;
	a.carrel = carrel_open(NULL, &e);
	if (a.carrel == NULL)
		return fprintf(stderr, "%s\n", carrel_strerror(&e)), 125;
	a.proc = carrel_spawn(a.carrel, CARREL_SPEC(.argv = (const char *const *)argv + 1), &e);
	if (a.proc == NULL) {
		fprintf(stderr, "%s\n", carrel_strerror(&e));
		carrel_close(a.carrel);
		return 125;
	}
	/* libuv leaves this to the program; with it a write to a closed pipe is an error, not our end. */
	signal(SIGPIPE, SIG_IGN);
	uv_pipe_init(loop, &a.out, 0);
	uv_pipe_open(&a.out, 1);
	uv_poll_init(loop, &a.events, carrel_fd(a.carrel));
	a.events.data = &a;
	uv_poll_start(&a.events, UV_READABLE, on_events);
	uv_run(loop, UV_RUN_DEFAULT);
	carrel_close(a.carrel);
	uv_loop_close(loop);
	return a.status;
}
