/* SPDX-License-Identifier: ISC */
/* Namespaces. */
#include "calls.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int64_t call_setns(const struct arg *a)
{
	return call_result(setns((int)a[0].i, (int)a[1].i));
}

int64_t call_unshare(const struct arg *a)
{
	return call_result(unshare((int)a[0].i));
}

int64_t call_loopback_up(const struct arg *a)
{
	struct ifreq lo = { .ifr_name = "lo" };

	(void)a;
	lo.ifr_flags = IFF_UP | IFF_RUNNING;
	scoped_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -errno;
	/* libcs do not agree on the type of the request. */
	return call_result(syscall(SYS_ioctl, fd, SIOCSIFFLAGS, &lo));
}

/* In one write: the kernel takes such a file whole or not at all. */
static int write_map(int64_t pid, const char *name, const struct arg *text)
{
	char path[64];

	if (text->n == 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	scoped_fd fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return -errno;
	ssize_t n = write(fd, text->s, text->n);
	return n == -1 ? -errno : n == (ssize_t)text->n ? 0 : -EIO;
}

int64_t call_id_map(const struct arg *a)
{
	/* setgroups first: once there is a map of groups it cannot be denied any more. */
	int r = write_map(a[0].i, "setgroups", &a[1]);

	if (r == 0)
		r = write_map(a[0].i, "uid_map", &a[2]);
	if (r == 0)
		r = write_map(a[0].i, "gid_map", &a[3]);
	return r;
}
