/* SPDX-License-Identifier: ISC */
#include "sys.h"

#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define FDS_MAX 253
#define SHORTAGE_TRIES 1000

int sys_socketpair(int fd[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1 ? -errno : 0;
}

union control {
	struct cmsghdr align;
	char mem[CMSG_SPACE(FDS_MAX * sizeof(int)) + CMSG_SPACE(64)];
};

int sys_send(int fd, const struct iovec *iov, size_t n_iov, const int *fds, size_t n_fds, bool wait)
{
	union control control;
	struct msghdr msg = { 0 };
	ssize_t n;

	if (n_fds > FDS_MAX)
		return -EMSGSIZE;
	/* sendmsg(2) takes struct iovec *, but does not write to it. */
	memcpy(&msg.msg_iov, &(const struct iovec *){ iov }, sizeof(msg.msg_iov));
	msg.msg_iovlen = (__typeof__(msg.msg_iovlen))n_iov;
	if (n_fds > 0) {
		memset(control.mem, 0, CMSG_SPACE(n_fds * sizeof(int)));
		msg.msg_control = control.mem;
		msg.msg_controllen = (__typeof__(msg.msg_controllen))CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = (__typeof__(c->cmsg_len))CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	for (int tries = 0;; tries++) {
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
		if (n != -1)
			return 0;
		if (errno == EINTR)
			continue;
		/* The kernel has no memory for it now; who waits for room can wait for that a moment. */
		if (!wait || (errno != ENOBUFS && errno != ENOMEM) || tries == SHORTAGE_TRIES)
			return -errno;
		poll(NULL, 0, 1);
	}
}

static void take_fds(const struct cmsghdr *c, int *fds, size_t room, size_t *n, bool *lost)
{
	size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
		if (*n < room) {
			fds[(*n)++] = fd;
		} else {
			fd_close(fd);
			*lost = true;
		}
	}
}

/* musl's macro mixes signs. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
static struct cmsghdr *next_control(struct msghdr *msg, struct cmsghdr *c)
{
	return CMSG_NXTHDR(msg, c);
}
#pragma GCC diagnostic pop

ssize_t sys_recv(int fd, void *mem, size_t cap, int *fds, size_t *n_fds, pid_t *sender, bool wait)
{
	union control control;
	struct iovec iov = { mem, cap };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.mem };
	size_t room = *n_fds;
	bool lost = false;
	ssize_t n;

	msg.msg_controllen = sizeof(control.mem);
	*n_fds = 0;
	/*
	 * A peer that ended without having read all of ours leaves a reset, which is told once and before
	 * what it had sent: that is still there.
	 */
	do {
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	} while (n == -1 && (errno == EINTR || errno == ECONNRESET));
	if (n == -1)
		return -errno;
	if (sender != NULL)
		*sender = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = next_control(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS)
			take_fds(c, fds, room, n_fds, &lost);
#ifdef SCM_CREDENTIALS
		if (c->cmsg_type == SCM_CREDENTIALS && sender != NULL) {
			struct ucred cred;

			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			*sender = cred.pid;
		}
#endif
	}
	if ((msg.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) == 0 && !lost)
		return n;
	for (size_t i = 0; i < *n_fds; i++)
		fd_close(fds[i]);
	*n_fds = 0;
	return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : -EMFILE;
}

int sys_want_sender(int fd)
{
#ifdef SO_PASSCRED
	return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) == -1 ? -errno : 0;
#else
	(void)fd;
	return -EOPNOTSUPP;
#endif
}
