/* SPDX-License-Identifier: ISC */
/* Operations on descriptors, sockets, and waiting for them. */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
/* libcs do not agree on the type of the request. */
#define ioctl(fd, request, arg) syscall(SYS_ioctl, fd, request, arg)
#endif

int64_t call_connect(const struct arg *a)
{
	const socklen_t len = a[1].memory != NULL ? a[1].memory->len : 0;

	return call_result(connect((int)a[0].i, call_address(&a[1]), len));
}

int64_t call_fcntl(const struct arg *a)
{
	return call_result(fcntl((int)a[0].i, (int)a[1].i, (long)a[2].i));
}

int64_t call_ioctl(const struct arg *a)
{
	return call_result(ioctl((int)a[0].i, (unsigned long)a[1].i, call_address(&a[2])));
}

int64_t call_socket(const struct arg *a)
{
	return call_result(socket((int)a[0].i, (int)a[1].i, (int)a[2].i));
}

/* A limit that passed is an error, so that a program does not go on by mistake. */
int64_t call_poll(const struct arg *a)
{
	struct pollfd p = { .fd = (int)a[0].i, .events = (short)a[1].i };
	int n = poll(&p, 1, (int)a[2].i);

	if (n == -1)
		return -errno;
	return n == 0 ? -ETIMEDOUT : (int64_t)(unsigned short)p.revents;
}

/* Linux ignores numbers beyond its table instead of calling them bad, so each is looked at. */
static int set_in(const struct arg *a, fd_set *set, int *top)
{
	FD_ZERO(set);
	for (uint32_t i = 0; i < a->n; i++) {
		uint32_t fd = a->ids[i];

		if (fcntl((int)fd, F_GETFD) == -1)
			return -errno;
		FD_SET(fd, set);
		*top = (int)fd > *top ? (int)fd : *top;
	}
	return 0;
}

static int set_out(const fd_set *set, int top, struct result *r)
{
	const uint32_t end = (uint32_t)(top + 1);
	size_t n = 0;

	for (uint32_t fd = 0; fd < end; fd++)
		n += FD_ISSET(fd, set) ? 1 : 0;
	struct value *v = ARENA_TAKE(&r->mem, n, struct value);
	if (v == NULL)
		return -ENOMEM;
	n = 0;
	for (uint32_t fd = 0; fd < end; fd++) {
		if (FD_ISSET(fd, set))
			v[n++] = value_int(fd);
	}
	return result_add(r, value_list(v, n));
}

int call_select(const struct arg *a, struct result *r)
{
	struct timeval time = { .tv_sec = (time_t)a[3].time[0],
				.tv_usec = (suseconds_t)a[3].time[1] };
	fd_set set[3];
	int top = -1, e = 0;

	for (int i = 0; i < 3 && e == 0; i++)
		e = set_in(&a[i], &set[i], &top);
	if (e < 0)
		return e;
	if (select(top + 1, &set[0], &set[1], &set[2], a[3].n > 0 ? &time : NULL) == -1)
		return -errno;
	for (int i = 0; i < 3 && e == 0; i++)
		e = set_out(&set[i], top, r);
	return e;
}
