/* SPDX-License-Identifier: ISC */
/* The one clock that deadlines use: CLOCK_MONOTONIC, which does not count suspended time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* No deadline. */
#define CLOCK_NEVER INT64_MAX

/* clock_now_us(): microseconds since some point in the past. */
int64_t clock_now_us(void);

/* clock_deadline_us(timeout_ms): the moment ${timeout_ms} from now; CLOCK_NEVER for a negative one. */
int64_t clock_deadline_us(int timeout_ms);

/* clock_poll_ms(deadline_us): the poll(2) timeout that ends at ${deadline_us}: -1 for CLOCK_NEVER,
 * 0 when it has passed, rounded up so that a wait never ends before the deadline. */
int clock_poll_ms(int64_t deadline_us);

#endif
