/* SPDX-License-Identifier: ISC */
/* mark FILE: says in FILE who runs since when (CLOCK_MONOTONIC, ns), and waits to be killed.  For bench/supervise. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec now;
	char name[4096];

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (argc != 2 || snprintf(name, sizeof(name), "%s.new", argv[1]) >= (int)sizeof(name))
		return 2;
	FILE *f = fopen(name, "w");
	if (f == NULL || fprintf(f, "%ld %lld\n", (long)getpid(), now.tv_sec * 1000000000LL + now.tv_nsec) < 0 ||
	    fclose(f) != 0 || rename(name, argv[1]) == -1)
		return 1;
	for (;;)
		pause();
}
