/* SPDX-License-Identifier: ISC */
/*
 * The title that ps(1) shows.  On Linux it is what the memory holds that the kernel put
 * the arguments into, with the environment behind them; both move elsewhere at the start.
 */
#include "port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TITLE_MAX 255

static char *area;
static size_t area_len;
static char *original;

/* As far as the strings lie one behind the other. */
static void extend(char **v)
{
	for (; *v != NULL; v++)
		if (*v == area + area_len)
			area_len += strlen(*v) + 1;
}

/* Copies of all strings, so that nothing points into the area any more. */
static int move_strings(char **v)
{
	for (; *v != NULL; v++) {
		*v = strdup(*v);
		if (*v == NULL)
			return -ENOMEM;
	}
	return 0;
}

int title_init(int argc, char **argv)
{
	if (argc == 0)
		return 0;
	area = argv[0];
	extend(argv);
	extend(environ);
	if (move_strings(argv) < 0 || move_strings(environ) < 0)
		return -ENOMEM;
	original = argv[0];
	return 0;
}

void title_set(const char *text, size_t len)
{
	if (area_len == 0)
		return;
	if (len == 0) {
		text = original;
		len = strlen(original);
	}
	if (len > TITLE_MAX)
		len = TITLE_MAX;
	if (len > area_len - 1)
		len = area_len - 1;
	/* Also the environment, which ps(1) would show behind a short title. */
	memset(area, 0, area_len);
	memcpy(area, text, len);
}

void state_setproctitle(struct port *p, const struct arg *a, struct buf *reply)
{
	(void)p;
	title_set(a[0].s, strnlen(a[0].s, a[0].n));
	reply_ok(reply);
}
