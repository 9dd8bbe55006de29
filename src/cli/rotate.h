/* SPDX-License-Identifier: ISC */
/*
 * A file that output is appended to, and that is renamed and begun anew before it grows too large: FILE is
 * the newest, FILE.1 what came before it, up to FILE.${keep}.  Put together again they are what was written,
 * but for what was older.  Lines that come in one piece are not cut unless they are longer than a file.
 */
#ifndef CLI_ROTATE_H
#define CLI_ROTATE_H

#include <stddef.h>
#include <stdint.h>

struct rotate {
	const char *path;
	uint64_t limit;		/* bytes of one file, or 0: it only grows */
	unsigned keep;		/* how many older ones */
	int fd;
	uint64_t size;
	int line_begun;		/* what was written last was no newline */
};

/* rotate_open(r): with ${path}, ${limit} and ${keep} set: open the file, which must be a regular one and
 * nobody else's who rotates it.  0, or -1 with a sentence in ${why} (VALUES_WHY bytes). */
int rotate_open(struct rotate *r, char *why);

/* rotate_put(r, data, len): append.  How much is in the file; less than ${len} after a failure, with errno: the
 * rest is not there in part, and can be put again. */
size_t rotate_put(struct rotate *r, const void *data, size_t len);

void rotate_close(struct rotate *r);

#endif
