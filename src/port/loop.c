/* SPDX-License-Identifier: ISC */
/* The loop of every control process. */
#include "port.h"

#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* How long events wait for the first request. */
#define START_MS 1000

int port_init(struct port *p)
{
	*p = (struct port){ .options = { .exit_status = true, .termsig = true, .flow = -1,
					 .max_depth = 16, .signal = SIGTERM },
			     .look_us = CLOCK_NEVER,
			     .low = { .place = { -1, -1, -1, -1 } } };
	return watch_init(&p->watch);
}

/*
 * The driver takes the first two pieces of data for one frame each.  So nothing is said
 * between them, unless this is no such driver and keeps us waiting.
 */
void loop_first(struct port *p)
{
	int64_t deadline = clock_deadline_us(START_MS);
	uint64_t said = p->said;
	struct pollfd in = { .fd = FD_IN, .events = POLLIN };
	int n;

	do {
		n = poll(&in, 1, clock_poll_ms(deadline));
		if (n == 1)
			input_frame(p);
	} while (p->said == said && (n == 1 || (n == -1 && errno == EINTR)));
}

static void flush(struct port *p)
{
	int r = output_flush();

	if (r < 0)
		port_end(p, -r);
}

/*
 * So much waits for our reader that nothing more is taken from children, nor told of them.  Requests are still
 * carried out as long as their answers have room.
 */
static void stalled(struct port *p)
{
	bool ready = output_takes_answer() && input_ready(p);
	struct pollfd fd[2] = {
		{ .fd = FD_OUT, .events = POLLOUT },
		{ .fd = output_takes_answer() ? FD_IN : -1, .events = POLLIN },
	};
	int n = poll(fd, 2, ready ? 0 : -1);

	if (n == -1 && errno != EINTR)
		exit(errno);
	if (n == -1)
		return;
	if (fd[0].revents != 0)
		flush(p);
	if (fd[1].revents != 0 || ready)
		input_frame(p);
}

static void children_ready(struct port *p, const struct sys_ready *ready, int n)
{
	p->batch++;
	for (int i = 0; i < n; i++) {
		if (output_full()) {
			watch_again(&p->watch, ready[i].fd);
			break;
		}
		stream_ready(p, &ready[i]);
	}
}

void loop_run(struct port *p)
{
	struct sys_ready ready[WATCH_BATCH];
	struct watch_fixed fixed;

	for (;;) {
		if (output_full()) {
			stalled(p);
			continue;
		}
		int timeout = input_ready(p) ? 0 : clock_poll_ms(p->look_us);
		int n = watch_wait(&p->watch, timeout, output_waits(), &fixed, ready);

		if (n == -EINTR)
			continue;
		if (n < 0)
			exit(-n);
		if (fixed.out != 0)
			flush(p);
		/* Requests come last: a child that one of them makes may get a descriptor number of this batch. */
		children_ready(p, ready, n);
		if (fixed.signal != 0)
			signals_read(p);
		if (p->look_us != CLOCK_NEVER && p->look_us <= clock_now_us())
			reap_now(p);
		if (fixed.in != 0 || input_ready(p))
			input_frame(p);
	}
}
