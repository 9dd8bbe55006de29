/* SPDX-License-Identifier: ISC */
/* The terminal of a host that makes it raw: nobody but the guard is left to repair it after a SIGKILL. */
#include "control.h"

#include "fd.h"

#include <string.h>
#include <termios.h>
#include <unistd.h>

static int kept = -1;
static pid_t group;
static struct termios before;

void terminal_keep(int fd, pid_t host_group)
{
	group = host_group;
	if (tcgetattr(fd, &before) == 0 && fd_cloexec(fd, 1) == 0)
		kept = fd;
}

static bool same(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	       a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc)) == 0;
}

void terminal_restore(void)
{
	struct termios now;

	pid_t front = kept >= 0 ? tcgetpgrp(kept) : -1;

	/*
	 * If it is somebody else's by now, its settings are theirs too (-1: it is no session's of ours).  From the
	 * background this would stop us with SIGTTOU, were it not blocked as all signals are.
	 */
	if (kept >= 0 && (front == -1 || front == group) && tcgetattr(kept, &now) == 0 && !same(&now, &before))
		tcsetattr(kept, TCSANOW, &before);
	kept = fd_close(kept);
}

void terminal_forget(void)
{
	kept = fd_close(kept);
}
