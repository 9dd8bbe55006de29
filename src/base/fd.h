/* SPDX-License-Identifier: ISC */
/* Descriptors: owned values that close themselves, and the two flags that matter. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

/* fd_close(fd): close ${fd} unless it is negative, keep errno, return -1. */
int fd_close(int fd);

static inline void fd_scope_end(int *fd)
{
	fd_close(*fd);
}

/* A local descriptor that is closed at the end of its scope. */
#define scoped_fd __attribute__((cleanup(fd_scope_end))) int

/* fd_take(fd): hand the descriptor over: its value, leaving -1 behind. */
static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* fd_cloexec(fd, on): set or clear close-on-exec.  0 or -errno. */
int fd_cloexec(int fd, int on);

/* fd_nonblock(fd): set O_NONBLOCK on the open file description.  0 or -errno. */
int fd_nonblock(int fd);

/* fd_read_file(dirfd, path, mem, cap): read a small file whole into ${mem} and end it with a NUL.
 * The bytes read (at most ${cap} - 1), or -errno. */
ssize_t fd_read_file(int dirfd, const char *path, char *mem, size_t cap);

#endif
