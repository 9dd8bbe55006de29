/* SPDX-License-Identifier: ISC */
#include "spool.h"

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One record is at most this long, so that one always fits into the memory. */
#define RECORD_MAX ((size_t)64 << 10)

struct head {
	uint32_t stream, len;
};

void spool_init(struct spool *s)
{
	*s = (struct spool){ .fd = -1 };
}

void spool_finish(struct spool *s)
{
	if (s->fd != -1)
		close(s->fd);
	free(s->buf);
	spool_init(s);
}

static int open_file(void)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (dir == NULL || *dir == '\0')
		dir = "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd != -1 || errno == ENOENT || errno == EACCES || errno == EROFS || errno == ENOSPC)
		return fd;
	/* A file system that has none without a name. */
	if (snprintf(path, sizeof(path), "%s/carrel.XXXXXX", dir) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd != -1)
		unlink(path);
	return fd;
}

/* Move the memory into the file. */
static int spill(struct spool *s)
{
	if (s->fd == -1 && (s->fd = open_file()) == -1)
		return -1;
	if (file_write(s->fd, s->buf, s->len) == -1)
		return -1;
	s->file_len += (int64_t)s->len;
	s->len = 0;
	return 0;
}

static int make_room(struct spool *s, size_t len)
{
	if (s->len + len > SPOOL_MEMORY && spill(s) == -1)
		return -1;
	if (s->len + len <= s->room)
		return 0;
	size_t room = s->room == 0 ? 4096 : s->room;
	while (room < s->len + len)
		room *= 2;
	char *buf = realloc(s->buf, room);
	if (buf == NULL)
		return -1;
	s->buf = buf;
	s->room = room;
	return 0;
}

static void put_one(struct spool *s, int stream, const char *data, size_t len)
{
	const struct head h = { .stream = (uint32_t)stream, .len = (uint32_t)len };

	if (s->err == 0 && make_room(s, sizeof(h) + len) == -1)
		s->err = errno;
	if (s->err != 0)
		return;
	memcpy(s->buf + s->len, &h, sizeof(h));
	memcpy(s->buf + s->len + sizeof(h), data, len);
	s->len += sizeof(h) + len;
}

void spool_put(struct spool *s, int stream, const void *data, size_t len)
{
	const char *d = data;

	while (len > 0) {
		size_t n = len < RECORD_MAX ? len : RECORD_MAX;

		put_one(s, stream, d, n);
		d += n;
		len -= n;
	}
}

/* Records have moved to the file as a whole, so that the memory begins with one. */
static int reload(struct spool *s)
{
	int64_t left = s->file_len - s->file_at;
	size_t want = left < (int64_t)s->room ? (size_t)left : s->room;
	size_t got = 0;

	while (got < want) {
		ssize_t n = pread(s->fd, s->buf + got, want - got, (off_t)(s->file_at + (int64_t)got));

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? EIO : errno;
			return -1;
		}
		got += (size_t)n;
	}
	s->len = want;
	s->at = 0;
	return 0;
}

int spool_next(struct spool *s, int *ret_stream, const char **ret_data, size_t *ret_len)
{
	struct head h;

	/* What is in memory is the last part: behind the file it joins the rest. */
	if (s->file_len > 0 && s->file_at == 0 && s->len > 0 && s->at == 0 && spill(s) == -1)
		return -1;
	for (;;) {
		if (s->len - s->at >= sizeof(h)) {
			memcpy(&h, s->buf + s->at, sizeof(h));
			if (s->len - s->at - sizeof(h) >= h.len)
				break;
		}
		if (s->file_at == s->file_len)
			return 0;
		if (reload(s) == -1)
			return -1;
	}
	*ret_stream = (int)h.stream;
	*ret_data = s->buf + s->at + sizeof(h);
	*ret_len = h.len;
	s->at += sizeof(h) + h.len;
	if (s->file_len > 0)
		s->file_at += (int64_t)(sizeof(h) + h.len);
	return 1;
}
