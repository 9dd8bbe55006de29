/* SPDX-License-Identifier: ISC */
/* What tests of the library share: a handle, a tree, the next event, and what this process has. */
#ifndef TESTS_COMMON_H
#define TESTS_COMMON_H

#include "tap.h"

#include <carrel.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* Of the last call of this thread that failed. */
static _Thread_local carrel_error e;

TAP_USED static carrel *open_handle(void)
{
	carrel *c = carrel_open(NULL, &e);

	if (c == NULL)
		tap_fail("%s", carrel_strerror(&e));
	return c;
}

TAP_USED static carrel_proc *spawn(carrel *c, const carrel_spec *s)
{
	carrel_proc *p = carrel_spawn(c, s, &e);

	if (p == NULL)
		tap_fail("%s", carrel_strerror(&e));
	return p;
}

/* The next event, which must come. */
TAP_USED static carrel_event next(carrel *c)
{
	carrel_event ev = { .size = sizeof(ev) };

	CHECK_INT(carrel_next(c, &ev, 30000), 1);
	return ev;
}

TAP_USED static carrel_event next_of(carrel *c, carrel_event_kind kind)
{
	carrel_event ev = next(c);

	CHECK_INT((int)ev.kind, (int)kind);
	return ev;
}

/* How many descriptors this process has; the same number of others is counted with them. */
TAP_USED static int descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

/* A line of /proc/self/status. */
TAP_USED static long memory_kb(const char *name)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	long kb = -1;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, strlen(name)) == 0)
			kb = atol(line + strlen(name) + 1);
	}
	if (f != NULL)
		fclose(f);
	return kb;
}

#endif
