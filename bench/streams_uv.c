/* SPDX-License-Identifier: ISC */
/* streams_uv COMMAND...: reads its output with libuv; microseconds and bytes.  For bench/streams. */
#include "measure.h"

#include <stdio.h>
#include <uv.h>

static uv_pipe_t out;
static uv_process_t process;
static double sum;

static void room(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
	static char mem[64 * 1024];

	(void)h;
	(void)size;
	*buf = uv_buf_init(mem, sizeof(mem));
}

static void came(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	(void)buf;
	if (n >= 0)
		sum += (double)n;
	else
		uv_close((uv_handle_t *)s, NULL);
}

static void ended(uv_process_t *p, int64_t status, int sig)
{
	(void)status;
	(void)sig;
	uv_close((uv_handle_t *)p, NULL);
}

int main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	double begin = now_us();
	uv_stdio_container_t io[] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&out },
		{ .flags = UV_INHERIT_FD, .data.fd = 2 },
	};
	uv_process_options_t o = { .file = argv[1], .args = argv + 1, .stdio = io, .stdio_count = 3, .exit_cb = ended };

	uv_pipe_init(loop, &out, 0);
	if (argc < 2 || uv_spawn(loop, &process, &o) != 0)
		return 1;
	uv_read_start((uv_stream_t *)&out, room, came);
	uv_run(loop, UV_RUN_DEFAULT);
	printf("%.0f %.0f\n", now_us() - begin, sum);
	return 0;
}
