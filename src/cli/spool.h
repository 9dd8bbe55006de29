/* SPDX-License-Identifier: ISC */
/*
 * A store for output that may be shown later: in memory up to a bound, then in a file without a
 * name.  Records come back in the order in which they came in.
 */
#ifndef CLI_SPOOL_H
#define CLI_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#define SPOOL_MEMORY ((size_t)1 << 20)

struct spool {
	int err;		/* errno of a failure */
	int fd;			/* the file, or -1 */
	char *buf;		/* what is not yet in the file */
	size_t len, room;
	int64_t file_len, file_at; /* bytes in the file, and of them given back */
	size_t at;		/* ... and of the memory behind it */
};

void spool_init(struct spool *s);
void spool_finish(struct spool *s);

/* spool_put(s, stream, data, len): keep a record; a failure stays in s->err. */
void spool_put(struct spool *s, int stream, const void *data, size_t len);

/* spool_next(s, ret_stream, ret_data, ret_len): the next piece of a record, valid until the next call: 1; 0
 * at the end, -1 with errno. */
int spool_next(struct spool *s, int *ret_stream, const char **ret_data, size_t *ret_len);

#endif
