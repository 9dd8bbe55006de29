/* SPDX-License-Identifier: ISC */
/* Terminals. */
#include "calls.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int64_t call_controlling_terminal(const struct arg *a)
{
	return call_result(ioctl((int)a[0].i, TIOCSCTTY, 0));
}

/* SIGTTOU does not stop the caller: every signal is blocked until the last operations. */
int64_t call_foreground(const struct arg *a)
{
	return call_result(tcsetpgrp((int)a[0].i, getpgrp()));
}
