/* SPDX-License-Identifier: ISC */
/* Namespaces. */
#include "calls.h"

#include "fd.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
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
