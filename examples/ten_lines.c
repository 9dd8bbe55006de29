/* SPDX-License-Identifier: ISC */
/* ten_lines COMMAND [ARG...]: run a command, print what it printed and how it ended. */
#include <carrel.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	carrel_result r;
	carrel_error e;

	(void)argc;
	/* Whatever the command leaves behind, and all of it after ten seconds, is gone when this returns. */
	if (carrel_run(NULL, CARREL_SPEC(.argv = (const char *const *)argv + 1, .timeout_ms = 10000), &r, &e) == -1)
		return fprintf(stderr, "%s\n", carrel_strerror(&e)), 125;
	printf("%s", r.out);
	fprintf(stderr, "%sexit %d, signal %d, %u left behind\n", r.err, r.status.code, r.status.sig,
		r.status.leftovers);
	carrel_result_free(&r);
	return 0;
}
