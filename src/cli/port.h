/* SPDX-License-Identifier: ISC */
/*
 * Reading and writing the caller's descriptors without waiting.
 *
 * The flag O_NONBLOCK belongs to the open file that the caller shares with others, so it is never
 * set there.
 */
#ifndef CLI_PORT_H
#define CLI_PORT_H

#include <sys/types.h>

/* One end of a transfer. */
struct port {
	int fd;			/* where bytes go or come from */
	int own;		/* fd was opened here */
	int way;		/* how not to wait: enum way in port.c */
	int terminal;		/* it is a terminal */
};

/* port_in(p, fd), port_out(p, fd): read from or write to ${fd}, which stays the caller's. */
void port_in(struct port *p, int fd);
void port_out(struct port *p, int fd);

/* port_ours(p, fd): a descriptor of our own that does not block; it is closed with the port. */
void port_ours(struct port *p, int fd);

/* port_close(p): close what is ours; once or more. */
void port_close(struct port *p);

/* port_read(p, b, n), port_write(p, b, n): as read(2) and write(2); EAGAIN in place of waiting,
 * never EINTR. */
ssize_t port_read(const struct port *p, void *b, size_t n);
ssize_t port_write(const struct port *p, const void *b, size_t n);

/* port_same(a, b): whether what is written to ${a} and ${b} ends up in one place. */
int port_same(int a, int b);

#endif
