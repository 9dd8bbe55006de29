/* SPDX-License-Identifier: ISC */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum way {
	WAY_PLAIN,	/* a file, or an open file of our own with O_NONBLOCK */
	WAY_SOCKET,	/* MSG_DONTWAIT */
	WAY_POLL	/* a pipe or terminal that cannot be opened again: ask poll(2) first; a write of
			   PIPE_BUF bytes to a pipe does not block then */
};

static void choose(struct port *p, int fd, int mode)
{
	char path[48];
	struct stat st;

	*p = (struct port){ .fd = fd, .way = WAY_PLAIN };
	if (fstat(fd, &st) == -1 || S_ISREG(st.st_mode))
		return;
	if (S_ISSOCK(st.st_mode)) {
		p->way = WAY_SOCKET;
		return;
	}
	p->terminal = S_ISCHR(st.st_mode) && isatty(fd);
	if (!S_ISFIFO(st.st_mode) && !p->terminal)
		return;
	/* The same pipe or terminal as an open file of our own. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int own = open(path, mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (own == -1) {
		p->way = WAY_POLL;
		return;
	}
	p->fd = own;
	p->own = 1;
}

void port_in(struct port *p, int fd)
{
	choose(p, fd, O_RDONLY);
}

void port_out(struct port *p, int fd)
{
	choose(p, fd, O_WRONLY);
}

void port_ours(struct port *p, int fd)
{
	*p = (struct port){ .fd = fd, .own = 1, .way = WAY_PLAIN };
}

void port_close(struct port *p)
{
	if (p->own)
		close(p->fd);
	*p = (struct port){ .fd = -1 };
}

static int is_ready(const struct port *p, short events)
{
	struct pollfd pfd = { .fd = p->fd, .events = events };

	if (poll(&pfd, 1, 0) != 0)
		return 1;
	errno = EAGAIN;
	return 0;
}

ssize_t port_read(const struct port *p, void *b, size_t n)
{
	ssize_t r;

	if (p->way == WAY_POLL && !is_ready(p, POLLIN))
		return -1;
	do
		r = p->way == WAY_SOCKET ? recv(p->fd, b, n, MSG_DONTWAIT) : read(p->fd, b, n);
	while (r == -1 && errno == EINTR);
	return r;
}

ssize_t port_write(const struct port *p, const void *b, size_t n)
{
	ssize_t r;

	if (p->way == WAY_POLL && !is_ready(p, POLLOUT))
		return -1;
	if (p->way == WAY_POLL && n > PIPE_BUF)
		n = PIPE_BUF;
	do
		r = p->way == WAY_SOCKET ? send(p->fd, b, n, MSG_DONTWAIT | MSG_NOSIGNAL)
					 : write(p->fd, b, n);
	while (r == -1 && errno == EINTR);
	return r;
}

int port_same(int a, int b)
{
	struct stat sa, sb;

	if (fstat(a, &sa) == -1 || fstat(b, &sb) == -1 || sa.st_dev != sb.st_dev ||
	    sa.st_ino != sb.st_ino)
		return 0;
	/* One file can be open twice, each with its own position. */
	return !S_ISREG(sa.st_mode) || (lseek(a, 0, SEEK_CUR) == lseek(b, 0, SEEK_CUR) &&
					fcntl(a, F_GETFL) == fcntl(b, F_GETFL));
}
