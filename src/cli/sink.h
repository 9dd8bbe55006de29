/* SPDX-License-Identifier: ISC */
/* A bounded store in front of one of the caller's outputs, for what carrel itself writes there. */
#ifndef CLI_SINK_H
#define CLI_SINK_H

#include "port.h"

#include <stddef.h>

struct sink {
	struct port port;
	int err;		/* errno of the failure after which everything is dropped */
	int blocked;		/* the output had no room */
	char *buf;		/* what is to be written: from at to len */
	size_t at, len, room;
};

/* sink_init(s, fd): write to ${fd}, which stays the caller's. */
void sink_init(struct sink *s, int fd);

void sink_finish(struct sink *s);

/* sink_put(s, data, len): take ${len} bytes. */
void sink_put(struct sink *s, const void *data, size_t len);

/* sink_flush(s): write what can be written without waiting. */
void sink_flush(struct sink *s);

/* sink_holds(s): how many bytes wait. */
size_t sink_holds(const struct sink *s);

#endif
