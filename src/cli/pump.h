/* SPDX-License-Identifier: ISC */
/*
 * A pump moves bytes from one descriptor to another without waiting: by splice(2) where that
 * works, else by read(2) and write(2).  It reads only when all it has read before is written, so
 * that a slow reader slows the writer.
 */
#ifndef CLI_PUMP_H
#define CLI_PUMP_H

#include "port.h"

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

enum pump_state {
	PUMP_OFF = 0,		/* there is none */
	PUMP_RUNS,
	PUMP_ENDED,		/* all of it was moved */
	PUMP_READ_FAILED,	/* see err */
	PUMP_WRITE_FAILED
};

struct pump {
	enum pump_state state;
	int err;		/* errno of a failure */
	struct port from, to;
	/* How to write, in place of port_write() to ${to}; who sets it calls pump_room(). */
	ssize_t (*put)(void *arg, const void *b, size_t n);
	void *arg;
	int splice;		/* splice(2) works, as far as known */
	int full;		/* ${to} has no room for what ${from} has */
	int behind;		/* ${from} is a terminal that other jobs read now */
	uint64_t moved;		/* bytes */
	int64_t rest;		/* bytes still to be moved, or -1: until the end */
	char *buf;		/* what was read and not yet written: from at to len */
	size_t at, len;
};

/* pump_init(p): begin; ${from}, ${to} and ${put} are set.  0, or -1 with errno. */
int pump_init(struct pump *p);

/* pump_poll(p, fds): what poll(2) shall wait for, in two elements. */
void pump_poll(const struct pump *p, struct pollfd fds[2]);

/* pump_ready(p, fds): move what can be moved after poll(2) filled ${fds}. */
void pump_ready(struct pump *p, const struct pollfd fds[2]);

/* pump_room(p): there may be room again for ${put}, or a terminal may be ours again. */
void pump_room(struct pump *p);

/* pump_limit(p): move what the pipe holds at this moment and end then. */
void pump_limit(struct pump *p);

/* pump_lost(p): whether there is something that a pump which failed did not move. */
int pump_lost(const struct pump *p);

/* pump_give_back(p): bytes that nobody read go back to a file that was read. */
void pump_give_back(const struct pump *p);

/* pump_finish(p): close what is ours. */
void pump_finish(struct pump *p);

#endif
