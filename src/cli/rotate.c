/* SPDX-License-Identifier: ISC */
#include "rotate.h"

#include "file.h"
#include "values.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(struct rotate *r)
{
	struct stat st;

	/* Not to wait for the reader of a pipe, which is refused below. */
	r->fd = open(r->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
	if (r->fd == -1)
		return -1;
	if (fstat(r->fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	r->size = (uint64_t)st.st_size;
	/* Two that rename the same files would lose some. */
	return r->limit > 0 ? flock(r->fd, LOCK_EX | LOCK_NB) : 0;
}

void rotate_close(struct rotate *r)
{
	if (r->fd != -1)
		close(r->fd);
	r->fd = -1;
}

int rotate_open(struct rotate *r, char *why)
{
	r->line_begun = 0;
	if (open_file(r) == 0)
		return 0;
	snprintf(why, VALUES_WHY, "cannot write to %.100s: %s", r->path,
		 errno == EINVAL ? "it is not a regular file" :
		 errno == EWOULDBLOCK ? "another process writes and rotates it" : strerror(errno));
	rotate_close(r);
	return -1;
}

static void name_of(const struct rotate *r, unsigned i, char name[PATH_MAX])
{
	if (i == 0)
		snprintf(name, PATH_MAX, "%s", r->path);
	else
		snprintf(name, PATH_MAX, "%s.%u", r->path, i);
}

static int rotate(struct rotate *r)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (unsigned i = r->keep; i > 0; i--) {
		name_of(r, i - 1, from);
		name_of(r, i, to);
		if (rename(from, to) == -1 && errno != ENOENT)
			return -1;
	}
	if (r->keep == 0 && unlink(r->path) == -1)
		return -1;
	rotate_close(r);
	if (open_file(r) == 0)
		return 0;
	int err = errno;
	rotate_close(r);
	errno = err;
	return -1;
}

/* How much of it goes into this file: up to the end of a line if it can be. */
static size_t part(const struct rotate *r, const char *p, size_t len)
{
	uint64_t room = r->size < r->limit ? r->limit - r->size : 0;

	if (r->limit == 0 || len <= room)
		return len;
	const char *newline = room > 0 ? memrchr(p, '\n', (size_t)room) : NULL;
	if (newline != NULL)
		return (size_t)(newline - p) + 1;
	/* Nothing fits that would end here; in a file of its own it may. */
	return r->size > 0 && !r->line_begun ? 0 : (size_t)room;
}

size_t rotate_put(struct rotate *r, const void *data, size_t len)
{
	const char *p = data, *end = p + len;

	/* A rotation that failed half way left none open. */
	if (r->fd == -1 && open_file(r) == -1) {
		rotate_close(r);
		return 0;
	}
	while (p < end) {
		size_t n = part(r, p, (size_t)(end - p));

		if (file_write(r->fd, p, n) == -1) {
			int err = errno;

			/* Where it cannot be shortened it is not what was opened. */
			if (ftruncate(r->fd, (off_t)r->size) == -1)
				err = errno;
			errno = err;
			break;
		}
		r->size += n;
		if (n > 0)
			r->line_begun = p[n - 1] != '\n';
		p += n;
		if (p < end && rotate(r) == -1)
			break;
	}
	return len - (size_t)(end - p);
}
