/* SPDX-License-Identifier: ISC */
/* Terminals for tasks. */
#include "internal.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* The other end, without a name where the system can: the host's /dev may not be the one of that terminal. */
static int open_slave(int master)
{
	int fd = -1;

#ifdef TIOCGPTPEER
	fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
#endif
	if (fd == -1) {
		char name[PATH_MAX];

		if (ptsname_r(master, name, sizeof(name)) != 0)
			return -errno;
		fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	}
	return fd == -1 ? -errno : fd;
}

static int set_size(int master, unsigned rows, unsigned cols)
{
	const struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	return ioctl(master, TIOCSWINSZ, &size) == -1 ? -errno : 0;
}

int terminal_open(const carrel_spec *s, int *ret_master, int *ret_slave)
{
	scoped_fd master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1)
		return -errno;
	scoped_fd slave = open_slave(master);
	if (slave < 0)
		return slave;
	int r = set_size(master, s->pty_rows != 0 ? s->pty_rows : 24, s->pty_cols != 0 ? s->pty_cols : 80);
	if (r < 0)
		return r;
	if (s->pty_termios != NULL && tcsetattr(slave, TCSANOW, s->pty_termios) == -1)
		return -errno;
	r = fd_nonblock(master);
	if (r < 0)
		return r;
	*ret_master = fd_take(&master);
	*ret_slave = fd_take(&slave);
	return 0;
}

EXPORT int carrel_resize(carrel_proc *p, unsigned rows, unsigned cols)
{
	int r = -EBADF;

	if (p == NULL || rows > USHRT_MAX || cols > USHRT_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (enter(p->c) < 0)
		return -1;
	if (p->pty && p->out[0].fd >= 0)
		r = set_size(p->out[0].fd, rows, cols);
	leave(p->c);
	if (r == 0)
		return 0;
	errno = -r;
	return -1;
}
