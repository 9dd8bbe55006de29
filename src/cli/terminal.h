/* SPDX-License-Identifier: ISC */
/* The caller's terminal while the command has one of its own. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <termios.h>

struct terminal {
	int fd;			/* where keys come from, or -1: standard input is no terminal */
	int size_fd;		/* whose window counts, or -1 */
	int keep_output;	/* others write to it too: leave the output settings as they are */
	int raw;
	struct termios before;	/* the settings that come back */
};

/* terminal_init(t): find the terminals among 0, 1 and 2. */
void terminal_init(struct terminal *t);

/* terminal_in_front(t): whether the keys are for this job. */
int terminal_in_front(const struct terminal *t);

/* terminal_settings(t, ret): settings for the command's terminal. */
void terminal_settings(const struct terminal *t, struct termios *ret);

/* terminal_size(t, ret_rows, ret_cols): the window's size; 0 where none is known. */
void terminal_size(const struct terminal *t, unsigned short *ret_rows, unsigned short *ret_cols);

/* terminal_set_raw(t): every key is a byte from now on; nothing is done behind. */
void terminal_set_raw(struct terminal *t);

/* terminal_restore(t): as before terminal_set_raw(). */
void terminal_restore(struct terminal *t);

#endif
