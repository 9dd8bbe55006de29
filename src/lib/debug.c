/* SPDX-License-Identifier: ISC */
/* $CARREL_DEBUG: what the library and its control process say to each other, for people. */
#include "internal.h"

#include "clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void debug(const carrel *c, const char *fmt, ...)
{
	unsigned char line[512];
	struct buf b;
	va_list ap;
	char text[400];

	if (!c->debug)
		return;
	int err = errno;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_init_fixed(&b, line, sizeof(line));
	int64_t us = clock_now_us();
	buf_printf(&b, "carrel[%d] %lld.%06lld %s\n", getpid(), (long long)(us / 1000000),
		   (long long)(us % 1000000), text);
	/* One write, so that lines of several threads do not mix; that it may fail is nobody's concern. */
	if (b.err == 0 && write(STDERR_FILENO, line, b.len) < 0)
		err = err != 0 ? err : 0;
	errno = err;
}
