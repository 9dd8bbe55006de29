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

void loop_run(struct port *p)
{
	struct sys_ready ready[WATCH_BATCH];
	short fixed[2];

	for (;;) {
		int timeout = input_ready(p) ? 0 : clock_poll_ms(p->look_us);
		int n = watch_wait(&p->watch, timeout, fixed, ready);

		if (n == -EINTR)
			continue;
		if (n < 0)
			exit(-n);
		/* Requests come last: a child that one of them makes may get a descriptor number of this batch. */
		for (int i = 0; i < n; i++)
			stream_ready(p, &ready[i]);
		if (fixed[1] != 0)
			signals_read(p);
		if (p->look_us != CLOCK_NEVER && p->look_us <= clock_now_us())
			reap_all(p);
		if (fixed[0] != 0 || input_ready(p))
			input_frame(p);
	}
}
