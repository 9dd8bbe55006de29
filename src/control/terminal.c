/* SPDX-License-Identifier: ISC */
/* The terminal of a host that makes it raw: nobody but the guard is left to repair it after a SIGKILL. */
#include "control.h"

#include "fd.h"

#include <string.h>
#include <termios.h>

static int kept = -1;
static struct termios before;

void terminal_keep(int fd)
{
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

	/* From the background this would stop us with SIGTTOU, were it not blocked as all signals are. */
	if (kept >= 0 && tcgetattr(kept, &now) == 0 && !same(&now, &before))
		tcsetattr(kept, TCSANOW, &before);
	kept = fd_close(kept);
}

void terminal_forget(void)
{
	kept = fd_close(kept);
}
