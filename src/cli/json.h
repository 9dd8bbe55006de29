/* SPDX-License-Identifier: ISC */
/*
 * Events as JSON: one object a line, one write an event, in constant memory.
 *
 * The writer never blocks in write(2), where a signal would have to wait as long as the reader of
 * the events likes; it asks its owner to wait.  After a failure it takes events and drops them.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include "port.h"

#include <stddef.h>

/* Bytes of a stream in one event at most; longer data becomes several events. */
#define JSON_DATA_MAX 65536

/* A character that the end of a chunk cut through: at most 3 of its 4 bytes are here. */
#define JSON_HELD_MAX 3

struct json {
	struct port port;	/* where writes go */
	int err;		/* errno of the failure after which nothing more is written */
	int (*wait)(void *arg, int fd); /* until fd can be written: 0, or an errno to give up */
	void *arg;
	char *line;
	unsigned char *joined;	/* held bytes and the data after them */
};

/* One output stream of the command. */
struct json_stream {
	const char *name;	/* of the event: stdout, stderr */
	unsigned char held[JSON_HELD_MAX];
	size_t n_held;
};

/* json_init(j, fd, wait, arg): write events to ${fd}, which stays the caller's.  0, or -1 with
 * errno. */
int json_init(struct json *j, int fd, int (*wait)(void *arg, int fd), void *arg);

/* json_finish(j): release what json_init() made. */
void json_finish(struct json *j);

/* json_data(j, s, data, len): the next ${len} bytes of ${s}: "data" where they are UTF-8, else
 * "base64".  An incomplete character at the end waits for the next call or json_eof(). */
void json_data(struct json *j, struct json_stream *s, const char *data, size_t len);

/* json_eof(j, s): ${s} has ended: write what it held back. */
void json_eof(struct json *j, struct json_stream *s);

/* json_event(j, event): an event without a value. */
void json_event(struct json *j, const char *event);

/* json_event_int(j, event, key, value), json_event_word(j, event, key, value): an event with one
 * value; a word needs no escape. */
void json_event_int(struct json *j, const char *event, const char *key, int value);
void json_event_word(struct json *j, const char *event, const char *key, const char *value);

#endif
