/* SPDX-License-Identifier: ISC */
#include "terminal.h"

#include <sys/ioctl.h>
#include <sys/ttydefaults.h>
#include <unistd.h>

void terminal_init(struct terminal *t)
{
	int out = isatty(STDOUT_FILENO);

	*t = (struct terminal){ .fd = -1, .size_fd = -1 };
	if (isatty(STDIN_FILENO))
		t->fd = STDIN_FILENO;
	if (out)
		t->size_fd = STDOUT_FILENO;
	else if (t->fd != -1)
		t->size_fd = t->fd;
	else if (isatty(STDERR_FILENO))
		t->size_fd = STDERR_FILENO;
	t->keep_output = !out;
}

int terminal_in_front(const struct terminal *t)
{
	return t->fd != -1 && tcgetpgrp(t->fd) == getpgrp();
}

/* What a terminal has that nobody has set. */
static const struct termios usual = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = CS8 | CREAD | B38400,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = { [VINTR] = CINTR, [VQUIT] = CQUIT, [VERASE] = CERASE, [VKILL] = CKILL,
		  [VEOF] = CEOF, [VMIN] = 1, [VSTART] = CSTART, [VSTOP] = CSTOP,
		  [VSUSP] = CSUSP, [VREPRINT] = CREPRINT, [VDISCARD] = CDISCARD,
		  [VWERASE] = CWERASE, [VLNEXT] = CLNEXT },
};

void terminal_settings(const struct terminal *t, struct termios *ret)
{
	if (t->size_fd == -1 || tcgetattr(t->fd != -1 ? t->fd : t->size_fd, ret) == -1)
		*ret = usual;
	/* What does not come from keys would be shown twice: as input and by the command. */
	if (t->fd == -1)
		ret->c_lflag &= ~(tcflag_t)ECHO;
}

void terminal_size(const struct terminal *t, unsigned short *ret_rows, unsigned short *ret_cols)
{
	struct winsize size = { 0 };

	if (t->size_fd != -1)
		ioctl(t->size_fd, TIOCGWINSZ, &size);
	*ret_rows = size.ws_row;
	*ret_cols = size.ws_col;
}

void terminal_set_raw(struct terminal *t)
{
	struct termios raw;

	/* From behind the kernel would stop us, and whose settings would they be? */
	if (t->raw || !terminal_in_front(t) || tcgetattr(t->fd, &t->before) == -1)
		return;
	raw = t->before;
	cfmakeraw(&raw);
	if (t->keep_output)
		raw.c_oflag = t->before.c_oflag;
	t->raw = tcsetattr(t->fd, TCSANOW, &raw) == 0;
}

void terminal_restore(struct terminal *t)
{
	if (t->raw && terminal_in_front(t))
		tcsetattr(t->fd, TCSANOW, &t->before);
	t->raw = 0;
}
