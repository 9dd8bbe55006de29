/* SPDX-License-Identifier: ISC */
/* A recording of a terminal in asciicast format, version 2: one JSON line a piece of output. */
#ifndef CLI_CAST_H
#define CLI_CAST_H

#include <stddef.h>
#include <stdint.h>

struct cast {
	int fd;
	int64_t start_us;
	char *line;
	unsigned char held[4];	/* a character that was begun */
	size_t n_held;
};

/* cast_open(c, path, cols, rows, command): begin a recording in ${path}, in place of what is there.  0, or -1
 * with errno; EINVAL: it is not a regular file. */
int cast_open(struct cast *c, const char *path, unsigned cols, unsigned rows, const char *command);

/* cast_output(c, data, len), cast_resize(c, cols, rows): what happened now.  0, or -1 with errno. */
int cast_output(struct cast *c, const char *data, size_t len);
int cast_resize(struct cast *c, unsigned cols, unsigned rows);

/* cast_close(c): end it.  0, or -1 with errno. */
int cast_close(struct cast *c);

#endif
