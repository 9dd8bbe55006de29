/* SPDX-License-Identifier: ISC */
#include "json.h"

#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One piece of data, what was held before it, its keys, and the line's end. */
#define PIECE_MAX (JSON_DATA_MAX + JSON_HELD_MAX)
#define LINE_MAX_LEN (TEXT_ESCAPE_MAX * PIECE_MAX + 128)

int json_init(struct json *j, int fd, int (*wait)(void *arg, int fd), void *arg)
{
	*j = (struct json){ .wait = wait, .arg = arg };
	j->line = malloc(LINE_MAX_LEN);
	j->joined = malloc(PIECE_MAX);
	if (j->line == NULL || j->joined == NULL) {
		json_finish(j);
		errno = ENOMEM;
		return -1;
	}
	port_out(&j->port, fd);
	return 0;
}

void json_finish(struct json *j)
{
	port_close(&j->port);
	free(j->line);
	free(j->joined);
	j->line = NULL;
	j->joined = NULL;
}

/* -------------------------------------------------------------- writing --- */

static void write_line(struct json *j, size_t n)
{
	const char *p = j->line;

	while (n > 0 && j->err == 0) {
		ssize_t done = port_write(&j->port, p, n);

		if (done >= 0) {
			p += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN) {
			j->err = j->wait(j->arg, j->port.fd);
		} else {
			j->err = errno;
		}
	}
}

/* --------------------------------------------------------------- events --- */

static void write_piece(struct json *j, const char *event, const unsigned char *data, size_t len)
{
	char *line = j->line;
	size_t n;

	if (len == 0 || j->err != 0)
		return;
	size_t head = (size_t)snprintf(line, 64, "{\"event\":\"%s\",\"data\":\"", event);
	if (text_escape(data, len, line + head, &n) == -1) {
		head = (size_t)snprintf(line, 64, "{\"event\":\"%s\",\"base64\":\"", event);
		n = text_base64(data, len, line + head);
	}
	memcpy(line + head + n, "\"}\n", 3);
	write_line(j, head + n + 3);
}

/* At most JSON_DATA_MAX bytes of ${s}. */
static void data_piece(struct json *j, struct json_stream *s, const unsigned char *data, size_t len)
{
	if (s->n_held > 0) {
		memcpy(j->joined, s->held, s->n_held);
		memcpy(j->joined + s->n_held, data, len);
		data = j->joined;
		len += s->n_held;
	}
	s->n_held = text_incomplete(data, len);
	len -= s->n_held;
	memcpy(s->held, data + len, s->n_held);
	write_piece(j, s->name, data, len);
}

void json_data(struct json *j, struct json_stream *s, const char *data, size_t len)
{
	while (len > 0) {
		size_t n = len < JSON_DATA_MAX ? len : JSON_DATA_MAX;

		data_piece(j, s, (const unsigned char *)data, n);
		data += n;
		len -= n;
	}
}

void json_eof(struct json *j, struct json_stream *s)
{
	write_piece(j, s->name, s->held, s->n_held);
	s->n_held = 0;
}

void json_event(struct json *j, const char *event)
{
	write_line(j, (size_t)snprintf(j->line, LINE_MAX_LEN, "{\"event\":\"%s\"}\n", event));
}

void json_event_int(struct json *j, const char *event, const char *key, int value)
{
	write_line(j, (size_t)snprintf(j->line, LINE_MAX_LEN, "{\"event\":\"%s\",\"%s\":%d}\n",
				       event, key, value));
}

void json_event_word(struct json *j, const char *event, const char *key, const char *value)
{
	write_line(j, (size_t)snprintf(j->line, LINE_MAX_LEN, "{\"event\":\"%s\",\"%s\":\"%s\"}\n",
				       event, key, value));
}
