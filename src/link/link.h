/* SPDX-License-Identifier: ISC */
/* Whole messages over a socket: the wire's bytes on the system's datagrams. */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include "message.h"

#include <sys/types.h>

/*
 * link_send(fd, type, id, body, len, fds, n_fds, wait): send one message; a body above
 * MESSAGE_INLINE_MAX goes into a sealed memory file.  0; -E2BIG (above MESSAGE_BODY_MAX),
 * -EAGAIN (${wait} is false and the peer does not read), -EPIPE (the peer is gone), ...
 */
int link_send(int fd, enum message_type type, uint32_t id, const void *body, size_t len,
	      const int *fds, size_t n_fds, bool wait);

/* A received message.  Its descriptors belong to it until they are taken (fd_take()). */
struct inbox {
	struct message head;
	const unsigned char *body;
	size_t n_fds;
	int fd[MESSAGE_FDS_MAX + 1];
	int sealed;		/* the memory file of a large body, or -1 */
	void *map;
	unsigned char datagram[MESSAGE_DATAGRAM_MAX];
};

/* link_recv(fd, in, wait): 1 with a message in ${in}; 0 at the end of the connection; -EAGAIN,
 * -EBADMSG (not a message), -EMSGSIZE, -EMFILE (its descriptors could not be taken, and it is gone; but its
 * head is there).  End each received one with link_release(). */
int link_recv(int fd, struct inbox *in, bool wait);

/* link_forward(fd, in, wait): pass a received message on as it came, descriptors included. */
int link_forward(int fd, const struct inbox *in, bool wait);

/* link_close_fds(in): close the descriptors that came with it; the rest stays. */
void link_close_fds(struct inbox *in);

/* link_release(in): close and unmap what ${in} still holds. */
void link_release(struct inbox *in);

#endif
