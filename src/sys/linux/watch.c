/* SPDX-License-Identifier: ISC */
#include "sys.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

/* The events have the same bits as poll's. */
_Static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLHUP == POLLHUP, "events");

int sys_watch_open(void)
{
	int set = epoll_create1(EPOLL_CLOEXEC);

	return set == -1 ? -errno : set;
}

static int control(int set, int op, int fd, short events)
{
	struct epoll_event e = { .events = (uint32_t)events, .data.fd = fd };

	return epoll_ctl(set, op, fd, &e) == -1 ? -errno : 0;
}

int sys_watch_add(int set, int fd, short events)
{
	return control(set, EPOLL_CTL_ADD, fd, events);
}

int sys_watch_change(int set, int fd, short events)
{
	return control(set, EPOLL_CTL_MOD, fd, events);
}

int sys_watch_remove(int set, int fd)
{
	return control(set, EPOLL_CTL_DEL, fd, 0);
}

int sys_watch_take(int set, struct sys_ready *ready, int n)
{
	struct epoll_event e[128];
	int taken = epoll_wait(set, e, n < 128 ? n : 128, 0);

	for (int i = 0; i < taken; i++)
		ready[i] = (struct sys_ready){ e[i].data.fd, (short)e[i].events };
	return taken == -1 ? -errno : taken;
}
