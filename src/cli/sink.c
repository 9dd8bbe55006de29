/* SPDX-License-Identifier: ISC */
#include "sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void sink_init(struct sink *s, int fd)
{
	*s = (struct sink){ 0 };
	port_out(&s->port, fd);
}

void sink_finish(struct sink *s)
{
	port_close(&s->port);
	free(s->buf);
	*s = (struct sink){ .port = { .fd = -1 } };
}

static int make_room(struct sink *s, size_t len)
{
	size_t room = s->room != 0 ? s->room : (size_t)128 << 10;

	if (s->at > 0) {
		memmove(s->buf, s->buf + s->at, s->len - s->at);
		s->len -= s->at;
		s->at = 0;
	}
	while (room - s->len < len)
		room *= 2;
	if (room == s->room)
		return 0;
	char *buf = realloc(s->buf, room);
	if (buf == NULL)
		return -1;
	s->buf = buf;
	s->room = room;
	return 0;
}

void sink_put(struct sink *s, const void *data, size_t len)
{
	if (s->err != 0 || len == 0)
		return;
	if (s->room - s->len < len && make_room(s, len) == -1) {
		s->err = ENOMEM;
		return;
	}
	memcpy(s->buf + s->len, data, len);
	s->len += len;
}

void sink_flush(struct sink *s)
{
	s->blocked = 0;
	while (s->at < s->len && s->err == 0) {
		ssize_t n = port_write(&s->port, s->buf + s->at, s->len - s->at);

		if (n >= 0) {
			s->at += (size_t)n;
		} else if (errno == EAGAIN) {
			s->blocked = 1;
			return;
		} else {
			s->err = errno;
		}
	}
	s->at = s->len = 0;
}

size_t sink_holds(const struct sink *s)
{
	return s->err != 0 ? 0 : s->len - s->at;
}
