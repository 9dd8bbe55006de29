/* SPDX-License-Identifier: ISC */
/* streams_glib COMMAND...: reads its output with GSubprocess; microseconds and bytes.  For bench/streams. */
#include "measure.h"

#include <gio/gio.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	static char mem[64 * 1024];
	double begin = now_us(), sum = 0;
	gssize n;

	if (argc < 2)
		return 2;
	GSubprocess *p = g_subprocess_newv((const char *const *)argv + 1, G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL);
	if (p == NULL)
		return 1;
	GInputStream *in = g_subprocess_get_stdout_pipe(p);
	while ((n = g_input_stream_read(in, mem, sizeof(mem), NULL, NULL)) > 0)
		sum += (double)n;
	g_subprocess_wait(p, NULL, NULL);
	g_object_unref(p);
	printf("%.0f %.0f\n", now_us() - begin, sum);
	return 0;
}
