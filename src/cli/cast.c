/* SPDX-License-Identifier: ISC */
#include "cast.h"

#include "file.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* So much of the output in one line. */
#define PIECE_MAX ((size_t)16 << 10)
#define LINE_MAX_LEN (TEXT_ESCAPE_MAX * (PIECE_MAX + 4) + 64)

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/*
 * ${len} bytes as the inside of a JSON string.  What is no UTF-8 a player cannot show: each such byte becomes
 * U+FFFD.
 */
static size_t put_text(const unsigned char *s, size_t len, char *out)
{
	size_t at = 0, n;

	if (text_escape(s, len, out, &n) == 0)
		return n;
	while (len > 0) {
		size_t one = len < 4 ? len : 4;

		while (one > 0 && text_escape(s, one, out + at, &n) == -1)
			one--;
		if (one == 0) {
			memcpy(out + at, "\\ufffd", 6);
			one = 1;
			n = 6;
		}
		at += n;
		s += one;
		len -= one;
	}
	return at;
}

/* A member of the header, where there is something to say. */
static int put_member(char *line, int at, const char *key, const char *text)
{
	if (text == NULL || *text == '\0' || strlen(text) > PIECE_MAX)
		return at;
	at += snprintf(line + at, 32, "%s\"%s\": \"", line[at - 1] == '{' ? "" : ", ", key);
	at += (int)put_text((const unsigned char *)text, strlen(text), line + at);
	line[at++] = '"';
	return at;
}

static int put_header(struct cast *c, unsigned cols, unsigned rows, const char *command)
{
	char *line = c->line;

	int at = snprintf(line, 120, "{\"version\": 2, \"width\": %u, \"height\": %u, \"timestamp\": %lld", cols, rows,
			  (long long)time(NULL));
	at = put_member(line, at, "command", command);
	at += snprintf(line + at, 16, ", \"env\": {");
	at = put_member(line, at, "TERM", getenv("TERM"));
	at = put_member(line, at, "SHELL", getenv("SHELL"));
	at += snprintf(line + at, 8, "}}\n");
	return file_write(c->fd, line, (size_t)at);
}

int cast_open(struct cast *c, const char *path, unsigned cols, unsigned rows, const char *command)
{
	struct stat st;

	*c = (struct cast){ .start_us = now_us() };
	c->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
	if (c->fd == -1)
		return -1;
	c->line = malloc(3 * LINE_MAX_LEN);
	int err = c->line == NULL ? ENOMEM : 0;
	if (err == 0 && fstat(c->fd, &st) == 0 && !S_ISREG(st.st_mode))
		err = EINVAL;
	if (err == 0 && (ftruncate(c->fd, 0) == -1 || put_header(c, cols, rows, command) == -1))
		err = errno;
	if (err == 0)
		return 0;
	free(c->line);
	close(c->fd);
	*c = (struct cast){ .fd = -1 };
	errno = err;
	return -1;
}

static int put_event(struct cast *c, char kind, const unsigned char *data, size_t len)
{
	int64_t t = now_us() - c->start_us;
	int at = snprintf(c->line, 64, "[%" PRId64 ".%06" PRId64 ", \"%c\", \"", t / 1000000, t % 1000000, kind);

	at += (int)put_text(data, len, c->line + at);
	memcpy(c->line + at, "\"]\n", 3);
	return file_write(c->fd, c->line, (size_t)at + 3);
}

int cast_output(struct cast *c, const char *data, size_t len)
{
	unsigned char piece[PIECE_MAX + sizeof(c->held)];

	while (len > 0) {
		size_t n = len < PIECE_MAX ? len : PIECE_MAX;

		memcpy(piece, c->held, c->n_held);
		memcpy(piece + c->n_held, data, n);
		data += n;
		len -= n;
		n += c->n_held;
		c->n_held = text_incomplete(piece, n);
		n -= c->n_held;
		memcpy(c->held, piece + n, c->n_held);
		if (n > 0 && put_event(c, 'o', piece, n) == -1)
			return -1;
	}
	return 0;
}

int cast_resize(struct cast *c, unsigned cols, unsigned rows)
{
	unsigned char text[32];

	return put_event(c, 'r', text, (size_t)snprintf((char *)text, sizeof(text), "%ux%u", cols, rows));
}

int cast_close(struct cast *c)
{
	int r = 0;

	if (c->fd == -1)
		return 0;
	if (c->n_held > 0)
		r = put_event(c, 'o', c->held, c->n_held);
	free(c->line);
	/* What a file system on a network could not keep, it says here. */
	if (close(c->fd) == -1)
		r = -1;
	*c = (struct cast){ .fd = -1 };
	return r;
}
